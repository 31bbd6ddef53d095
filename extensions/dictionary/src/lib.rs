//! Compression with Zstandard (RFC 8878) and a dictionary that both ends have, for Cloverleaf.
//!
//! A small message has little to refer back to; with a dictionary it has from its first octet on,
//! and nothing need be kept from one message to the next.
//!
//! ```
//! use cloverleaf_dictionary::{Dictionary, ZstdDictionary};
//! use cloverleaf_proto::extension::{Extensions, Negotiated, Offer, Params};
//!
//! let dictionary = Dictionary::new(&br#"{"event":"tick","symbol":"","price":}"#[..])?;
//! let id = dictionary.id().to_owned();
//! let extensions = Extensions::new().with(ZstdDictionary::new([dictionary]))?;
//!
//! let offers = vec![
//!     Offer::new("x-zstd-dictionary", Params::new().value("id", "0123456789abcdef")),
//!     Offer::new("x-zstd-dictionary", Params::new().value("id", &id)),
//! ];
//! let negotiated = Negotiated::accept(&extensions, offers);
//! assert_eq!(negotiated.answer(), Some(format!("x-zstd-dictionary; id={id}")));
//! assert_eq!(
//!     negotiated.skipped()[0].to_string(),
//!     "x-zstd-dictionary; id=0123456789abcdef: the dictionary is not known here",
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Falling back
//!
//! The extension claims RSV1 on the first frame of a message, as permessage-deflate does, so that a
//! connection has one of the two. A client registers it in front of permessage-deflate, and a server
//! that does not know the dictionary, or the extension, takes the latter.
//!
//! # Limits
//!
//! A peer decides neither how much a message becomes, for it is decompressed in steps of 16 KiB into
//! a bounded [`Output`](cloverleaf_proto::extension::Output) (1009), nor how much memory it takes to
//! get there, for a frame that wants a larger window than was agreed is refused (1007).

mod codec;
mod config;
mod decoder;
mod dictionary;
mod encoder;
mod negotiation;
mod parameters;
mod pool;
mod window_bits;

pub use config::ZstdDictionary;
pub use dictionary::{Dictionary, DictionaryError};

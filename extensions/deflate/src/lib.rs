//! permessage-deflate (RFC 7692) for Cloverleaf.
//!
//! ```
//! use cloverleaf_deflate::PermessageDeflate;
//! use cloverleaf_proto::extension::{Extensions, Negotiated, Offer, Params};
//!
//! let extensions = Extensions::new().with(PermessageDeflate::new())?;
//!
//! let offer = Offer::new("permessage-deflate", Params::new().flag("client_max_window_bits"));
//! let negotiated = Negotiated::accept(&extensions, vec![offer]);
//! assert_eq!(
//!     negotiated.answer().as_deref(),
//!     Some("permessage-deflate; server_no_context_takeover; client_no_context_takeover"),
//! );
//! # Ok::<(), cloverleaf_proto::error::ConfigError>(())
//! ```
//!
//! # What is on the wire, and who remembers what
//!
//! A message is compressed as a whole and then cut into frames; RSV1 on its first frame says so.
//! Each direction has one compressor and one inflater. With *context takeover* they keep the last
//! 32 KiB (or less, as agreed) from one message to the next, which helps small messages much and
//! costs each connection its own contexts. Without, contexts are borrowed from a pool for the time
//! of one message, and an idle connection holds none. The default is without.
//!
//! # Limits
//!
//! DEFLATE expands up to 1,032 times. The engine hands the inflater a bounded
//! [`Output`](cloverleaf_proto::extension::Output) and it is filled in steps of 16 KiB, so that a
//! bomb ends with 1009 while it inflates, not after.

mod codec;
mod config;
mod decoder;
mod encoder;
mod negotiation;
mod parameters;
mod pool;

pub use config::PermessageDeflate;

//! Compression with DEFLATE for Cloverleaf: [`PermessageDeflate`] (RFC 7692), and its forerunner
//! [`DeflateFrame`] for peers that know nothing newer.
//!
//! ```
//! use cloverleaf_deflate::{DeflateFrame, PermessageDeflate};
//! use cloverleaf_proto::extension::{Extensions, Negotiated, Offer, Params};
//!
//! let extensions = Extensions::new()
//!     .with(PermessageDeflate::new())?
//!     .with(DeflateFrame::new())?;
//!
//! let offer = Offer::new("permessage-deflate", Params::new().flag("client_max_window_bits"));
//! let negotiated = Negotiated::accept(&extensions, vec![offer]);
//! assert_eq!(
//!     negotiated.answer().as_deref(),
//!     Some("permessage-deflate; server_no_context_takeover; client_no_context_takeover"),
//! );
//!
//! let old = Offer::new("deflate-frame", Params::new());
//! let negotiated = Negotiated::accept(&extensions, vec![old]);
//! assert_eq!(negotiated.answer().as_deref(), Some("deflate-frame"));
//! # Ok::<(), cloverleaf_proto::error::ConfigError>(())
//! ```
//!
//! # What is on the wire, and who remembers what
//!
//! With permessage-deflate a message is compressed as a whole and then cut into frames; RSV1 on its
//! first frame says so. With deflate-frame the message is cut first, each frame is compressed or not
//! on its own, and RSV1 stands on every frame that is, continuations too. Both claim RSV1, so that
//! one connection has one of them at most.
//!
//! Each direction has one compressor and one inflater. With *context takeover* they keep the last
//! 32 KiB (or less, as agreed) from one message or frame to the next, which helps small messages
//! much and costs each connection its own contexts. Without, contexts are borrowed from a pool for
//! the time of one message or frame, and an idle connection holds none. The default is without; but
//! deflate-frame by default leaves the choice to the peer's compressor, since some clients refuse an
//! answer with parameters, so that a connection whose peer compresses holds an inflater.
//!
//! # Limits
//!
//! DEFLATE expands up to 1,032 times. The engine hands the inflater a bounded
//! [`Output`](cloverleaf_proto::extension::Output) and it is filled in steps of 16 KiB, so that a
//! bomb ends with 1009 while it inflates, not after.

mod codec;
mod context;
mod frame;
mod permessage;
mod pool;
mod window_bits;

pub use frame::DeflateFrame;
pub use permessage::PermessageDeflate;

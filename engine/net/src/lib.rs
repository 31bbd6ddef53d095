//! WebSocket clients and servers on tokio.
//!
//! ```no_run
//! # async fn example() -> Result<(), cloverleaf::Error> {
//! let mut socket = cloverleaf::connect("wss://example.com/chat").await?;
//! socket.send("hello").await?;
//! while let Some(message) = socket.recv().await? {
//!     println!("{message:?}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! - [`connect`], [`Client`]: connections that we open.
//! - [`Server`], [`accept`], [`Acceptor`]: connections that we accept.
//! - [`WebSocket`]: what both end in, over any byte stream; [`Sender`] and [`Receiver`] are its
//!   halves.
//! - [`proto`]: the engine below, without I/O. Settings, extensions and the opening handshake are
//!   defined there.
//!
//! Extensions are off unless configured: see [`Config::extensions`](proto::Config::extensions) and the
//! crate `cloverleaf-deflate`.

mod client;
mod clock;
mod driver;
mod entropy;
mod error;
mod io;
mod line;
mod multiplexer;
mod opening;
mod pool;
mod proxy;
mod proxy_protocol;
mod server;
mod serving;
mod socket;
mod split;
mod stream;
mod tcp;
#[cfg(feature = "rustls")]
mod tls;
mod transport;
mod trunk;

pub use client::{Client, connect, request};
pub use clock::{OsClock, wall_clock};
pub use cloverleaf_proto as proto;
pub use cloverleaf_proto::close::{CloseCode, CloseFrame};
pub use cloverleaf_proto::event::Closed;
pub use cloverleaf_proto::handshake::{Decision, OriginPolicy, Rejection, ServerOptions};
pub use cloverleaf_proto::message::{Kind, Message, Utf8Bytes};
pub use cloverleaf_proto::{Config, Event};
pub use entropy::{OsMaskSource, entropy};
pub use error::{Error, ErrorKind};
pub use multiplexer::Multiplexer;
pub use opening::{Answered, Incoming};
pub use pool::Pool;
pub use proxy::{Proxies, Proxy, ProxyError};
pub use server::{Acceptor, Drained, Server, accept};
pub use socket::{Opening, WebSocket};
pub use split::{Receiver, Sender};
#[cfg(feature = "rustls")]
pub use tls::{
    Certificate, ClientCertificates, ClientTls, Fingerprint, ServerTls, TlsError, TlsSession,
    UnknownName,
};
pub use transport::Transport;

use std::sync::Arc;

/// The default settings, with masking keys from the operating system.
///
/// ```
/// let mut config = cloverleaf::config();
/// config.limits.max_message_size = 16 << 20;
/// ```
#[must_use]
pub fn config() -> Config {
    Config::new(Arc::new(OsMaskSource::new()))
}

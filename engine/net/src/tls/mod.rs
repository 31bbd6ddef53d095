//! TLS for both roles, on rustls with the *ring* provider, named explicitly: never the process's
//! default, which another crate may have set.
//!
//! TLS 1.2 and 1.3, nothing older. Who offers application protocols must offer `http/1.1`
//! (RFC 7301). Early data is neither sent nor accepted: it can be replayed (RFC 8446 §8).
//!
//! TLS lies below a WebSocket and begins before it does: a [`Server`](crate::Server) or a
//! [`Client`](crate::Client) is given it first, and a [`WebSocket`](crate::WebSocket) has no way to
//! begin it later.
//!
//! ```
//! # fn example(server: cloverleaf::Server, tls: cloverleaf::ServerTls) {
//! let server = server.tls(tls);
//! # }
//! ```
//!
//! ```compile_fail,E0599
//! # fn example(socket: cloverleaf::WebSocket<cloverleaf::Transport>, tls: cloverleaf::ServerTls) {
//! let socket = socket.tls(tls);
//! # }
//! ```

mod certificate;
mod client;
mod error;
mod fingerprint;
mod names;
mod pem;
mod server;
mod session;
mod tickets;
mod verify;

use std::sync::Arc;

use tokio_rustls::rustls::crypto::{CryptoProvider, ring};

pub use certificate::Certificate;
pub use client::ClientTls;
pub use error::TlsError;
pub use fingerprint::Fingerprint;
pub use server::{ClientCertificates, ServerTls, UnknownName};
pub use session::TlsSession;

/// What a writer may leave in a TLS session before it has to wait, as on a plain socket.
const BUFFER_LIMIT: usize = 64 << 10;

/// The one application protocol that leads to a WebSocket here.
const HTTP_1_1: &[u8] = b"http/1.1";

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

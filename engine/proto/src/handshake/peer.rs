//! What a server knows of a client before it has said anything.

use std::net::SocketAddr;

use bytes::Bytes;

/// What is known of the connection that a request came on. It stands in the request's
/// `http::Extensions`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Peer {
    /// The client's address: what a trusted proxy says, or that of the other end of the connection.
    /// Its port is 0 if the proxy does not tell it; `None` if the proxy hides the address.
    pub address: Option<SocketAddr>,
    /// Nobody between the client and us, or between it and a proxy that is trusted, can read along:
    /// the connection is TLS.
    pub secure: bool,
    /// The certificates that the client has shown, its own first, each in DER; all of them checked.
    /// Empty if it was not asked for any, or has none.
    pub certificates: Vec<Bytes>,
    /// The name of the server that the client asked for in TLS (RFC 6066 §3).
    pub server_name: Option<String>,
}

impl Peer {
    /// A client at this address, on a connection that is not TLS.
    #[must_use]
    pub fn at(address: SocketAddr) -> Self {
        Self {
            address: Some(address),
            ..Self::default()
        }
    }
}

//! What a handshake has led to.

use bytes::Bytes;
use tokio::net::TcpStream;
use tokio_rustls::TlsStream;
use tokio_rustls::rustls::{CommonState, HandshakeKind, ProtocolVersion};

/// A TLS session over TCP.
#[derive(Debug)]
pub struct TlsSession(pub(crate) TlsStream<TcpStream>);

impl TlsSession {
    /// The certificates that the peer has shown, in DER form, its own first. None for a client that
    /// showed none. In a [resumed](Self::is_resumed) session, those of the first.
    #[must_use]
    pub fn certificates(&self) -> Vec<Bytes> {
        let certificates = self.state().peer_certificates().unwrap_or_default();
        let copied = |der: &_| Bytes::copy_from_slice(AsRef::<[u8]>::as_ref(der));
        certificates.iter().map(copied).collect()
    }

    /// The name that the client has asked for (RFC 6066 §3), where we are the server.
    #[must_use]
    pub fn server_name(&self) -> Option<&str> {
        match &self.0 {
            TlsStream::Client(_) => None,
            TlsStream::Server(session) => session.get_ref().1.server_name(),
        }
    }

    /// Whether an earlier session was resumed: then the peer's certificate was checked at that time.
    #[must_use]
    pub fn is_resumed(&self) -> bool {
        self.state().handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// `1.2` or `1.3`.
    #[must_use]
    pub fn version(&self) -> &'static str {
        match self.state().protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => "1.2",
            _ => "1.3",
        }
    }

    pub(crate) fn tcp(&self) -> &TcpStream {
        self.0.get_ref().0
    }

    fn state(&self) -> &CommonState {
        self.0.get_ref().1
    }
}

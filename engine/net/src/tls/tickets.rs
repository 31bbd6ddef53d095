//! Resumption of sessions (RFC 8446 §4.6.1, RFC 5077): a server hands its client an encrypted ticket
//! and keeps nothing itself.

use std::sync::Arc;

use tokio_rustls::rustls;
use tokio_rustls::rustls::crypto::ring::Ticketer;
use tokio_rustls::rustls::server::ProducesTickets;

/// A larger session gets no ticket: a client's chain of certificates is part of it, and would go
/// over the wire with every handshake.
const LARGEST: usize = 8 << 10;

/// Tickets under keys of their own, which change every 6 hours and are known for 12.
#[derive(Debug)]
pub(super) struct Tickets(Arc<dyn ProducesTickets>);

impl Tickets {
    pub(super) fn new() -> Result<Self, rustls::Error> {
        Ticketer::new().map(Self)
    }
}

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        self.0.enabled()
    }

    fn lifetime(&self) -> u32 {
        self.0.lifetime()
    }

    fn encrypt(&self, session: &[u8]) -> Option<Vec<u8>> {
        if session.len() > LARGEST {
            return None;
        }
        self.0.encrypt(session)
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        self.0.decrypt(ticket)
    }
}

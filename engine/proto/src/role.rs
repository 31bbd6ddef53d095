//! Which end of the connection we are.

/// One of the two ends of a WebSocket connection (RFC 6455 §1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a connection has two ends")]
pub enum Role {
    /// The end that opened the connection. It masks every frame it sends.
    Client,
    /// The end that accepted the connection. It masks nothing and closes TCP first.
    Server,
}

impl Role {
    /// The other end.
    #[must_use]
    pub const fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

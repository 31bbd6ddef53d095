//! The application's answer to a request, and the 101 that carries it out.

use http::HeaderMap;

use super::Rejection;
use crate::http::{end_head, header_line, header_lines};

/// What an application answers to a request.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "the whole vocabulary of answers")]
pub enum Decision {
    /// Open the connection.
    Accept {
        /// The subprotocol to speak.
        protocol: Subprotocol,
        /// Headers for the 101, beside
        /// [`Received::response_headers`](super::Received::response_headers).
        headers: HeaderMap,
    },
    /// Do not.
    Reject(Rejection),
}

impl Decision {
    /// Opens the connection as the options say.
    #[must_use]
    pub fn accept() -> Self {
        Self::Accept {
            protocol: Subprotocol::Preferred,
            headers: HeaderMap::new(),
        }
    }
}

/// Which subprotocol to speak.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the whole choice there is")]
pub enum Subprotocol {
    /// The first of [`ServerOptions::protocols`](super::ServerOptions::protocols) that the client
    /// offers; none if there is none.
    #[default]
    Preferred,
    /// This one. The client must have offered it.
    Chosen(String),
    /// None.
    None,
}

/// The head of the 101 (RFC 6455 §4.2.2, item 5). It announces no content, not even of length 0
/// (RFC 9110 §8.6).
///
/// The values of our own headers are base64 and checked tokens.
pub(super) fn switching_protocols(
    accept: &str,
    protocol: Option<&str>,
    extensions: Option<&str>,
    others: &HeaderMap,
) -> Vec<u8> {
    let own = [
        ("Upgrade", Some("websocket")),
        ("Connection", Some("Upgrade")),
        ("Sec-WebSocket-Accept", Some(accept)),
        ("Sec-WebSocket-Protocol", protocol),
        ("Sec-WebSocket-Extensions", extensions),
    ];
    let mut head = b"HTTP/1.1 101 Switching Protocols\r\n".to_vec();
    for (name, value) in own {
        if let Some(value) = value {
            header_line(&mut head, name, value.as_bytes());
        }
    }
    header_lines(&mut head, others, |_| true);
    end_head(&mut head);
    head
}

//! The opening handshake (RFC 6455 §4), without I/O: octets and deadlines in, octets out.
//!
//! [`ServerHandshake`] reads a request, lets guards and the application look at it, and answers.
//! [`ClientHandshake`] writes a request and checks the answer. Both end in [`Opened`]: what was
//! said, the negotiated extensions, and the octets that came behind the head, which are frames.
//!
//! The loop around either of them is the same: write what `poll_transmit` holds and report it with
//! `handle_written`; look at `progress`; read, and pass it to `handle_input`; at `poll_timeout`, call
//! `handle_timeout`. Whatever `progress` says, octets that are left to transmit are to be sent before
//! the connection is closed: they are the reason why.

mod answer;
mod attempt;
mod authenticator;
mod client;
mod decision;
mod error;
mod forwarded;
mod guard;
mod key;
mod network;
mod opened;
mod options;
mod origin;
mod peer;
mod redirect;
mod rejection;
mod request;
mod response;
mod server;
mod validate;

pub use authenticator::{Authenticator, ResponseHandler};
pub use client::{ClientHandshake, ClientProgress, Retry};
pub use decision::{Decision, Subprotocol};
pub use error::{DecisionError, HandshakeError, RequestError};
pub use guard::{Check, Received, RequestGuard};
pub use key::{accept_key, is_client_key};
pub use network::{MalformedNetwork, Network, TrustedProxies};
pub use opened::{Handshake, Opened};
pub use options::ServerOptions;
pub use origin::OriginPolicy;
pub use peer::Peer;
pub use rejection::Rejection;
pub use request::ClientRequest;
pub use response::ResponseReader;
pub use server::{ServerHandshake, ServerProgress};

pub use crate::http::{
    HeadError, HeadLimits, MalformedExtensions, parse_extensions, percent_decode,
};

use http::HeaderName;
use http::header::{
    CONNECTION, CONTENT_LENGTH, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE,
};

/// Whether the handshake itself writes this header, so that nobody else may.
fn is_own_header(name: &HeaderName) -> bool {
    [
        CONNECTION,
        CONTENT_LENGTH,
        SEC_WEBSOCKET_ACCEPT,
        SEC_WEBSOCKET_EXTENSIONS,
        SEC_WEBSOCKET_KEY,
        SEC_WEBSOCKET_PROTOCOL,
        SEC_WEBSOCKET_VERSION,
        TRANSFER_ENCODING,
        UPGRADE,
    ]
    .contains(name)
}

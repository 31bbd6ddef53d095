//! What an opening handshake leaves behind.

use bytes::{Bytes, BytesMut};
use http::{Request, Response};

use crate::extension::Negotiated;

/// An opened connection, before its first frame.
#[derive(Debug)]
#[non_exhaustive]
pub struct Opened {
    /// What was said, for the application.
    pub handshake: Handshake,
    /// The agreed extensions, for the connection.
    pub extensions: Negotiated,
    /// What came behind the head: the beginning of the peer's frames. None of it may be lost.
    pub leftover: BytesMut,
}

/// What was said in an opening handshake.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Handshake {
    /// The request, with whatever guards left in its `http::Extensions`.
    pub request: Request<()>,
    /// The answer, a 101.
    pub response: Response<()>,
    /// The head of the request as it was on the wire.
    pub request_head: Bytes,
    /// The head of the answer as it was on the wire.
    pub response_head: Bytes,
    /// The subprotocol both ends speak from here on, if they agreed on one.
    pub protocol: Option<String>,
}

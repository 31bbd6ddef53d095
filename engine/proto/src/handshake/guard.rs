//! Looking at a request before it is answered.

use bytes::Bytes;
use http::{HeaderMap, Request};

use super::Rejection;
use crate::extension::Offer;

/// A well-formed request that waits for a decision.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Received {
    /// The request. Its `http::Extensions` are a place for what guards find out, such as the name
    /// of a user.
    pub request: Request<()>,
    /// Its head as it was on the wire: credentials may be over the target as written.
    pub head: Bytes,
    /// The subprotocols the client offers, its favourite first; no name twice.
    pub protocols: Vec<String>,
    /// The extensions the client offers, in its order.
    pub offers: Vec<Offer>,
    /// Headers that the 101 shall carry beside its own, such as cookies. Starts as
    /// [`ServerOptions::response_headers`](super::ServerOptions::response_headers).
    pub response_headers: HeaderMap,
    /// What answers the key; none if the request asks for no WebSocket.
    pub(super) accept: Option<String>,
}

impl Received {
    /// Whether the request asks for a WebSocket. Always so, unless
    /// [`ServerOptions::plain_http`](super::ServerOptions::plain_http) lets others through.
    #[must_use]
    pub const fn is_websocket(&self) -> bool {
        self.accept.is_some()
    }
}

/// Decides on a request before the application sees it.
///
/// Functions are guards:
///
/// ```
/// use cloverleaf_proto::handshake::{Received, Rejection, RequestGuard};
///
/// fn only_chat(received: &mut Received) -> Result<(), Rejection> {
///     match received.request.uri().path() {
///         "/chat" => Ok(()),
///         _ => Err(Rejection::not_found()),
///     }
/// }
/// let guard: &dyn RequestGuard = &only_chat;
/// ```
pub trait RequestGuard: Send + Sync {
    /// Lets the request pass, or answers it.
    ///
    /// # Errors
    ///
    /// The answer. After [`Rejection::unauthorized`] the client may try again on the same
    /// connection, three times in all.
    fn check(&self, received: &mut Received) -> Result<(), Rejection>;
}

impl<F> RequestGuard for F
where
    F: Fn(&mut Received) -> Result<(), Rejection> + Send + Sync,
{
    fn check(&self, received: &mut Received) -> Result<(), Rejection> {
        self(received)
    }
}

//! Looking at a request before it is answered.

use core::fmt;
use core::future::{Future, ready};
use core::pin::Pin;

use bytes::Bytes;
use http::{HeaderMap, Request};

use super::{Peer, Rejection};
use crate::extension::Offer;

/// A well-formed request that waits for a decision.
#[derive(Clone)]
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
    /// The byte stream is TLS as far as the options say.
    pub(super) tls: bool,
}

impl Received {
    /// Whether the request asks for a WebSocket. Always so, unless
    /// [`ServerOptions::plain_http`](super::ServerOptions::plain_http) lets others through.
    #[must_use]
    pub const fn is_websocket(&self) -> bool {
        self.accept.is_some()
    }

    /// What is known of the connection below.
    #[must_use]
    pub fn peer(&self) -> Option<&Peer> {
        self.request.extensions().get()
    }

    /// Whether nobody on the way can read the request: it came over TLS
    /// ([`ServerOptions::tls`](super::ServerOptions::tls), or what [`Peer::secure`] says).
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.tls || self.peer().is_some_and(|peer| peer.secure)
    }
}

/// Without the head, which may hold credentials; those in headers are marked as sensitive.
impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received")
            .field("request", &self.request)
            .field("protocols", &self.protocols)
            .field("offers", &self.offers)
            .finish_non_exhaustive()
    }
}

/// What a [`RequestGuard`] finds, now or later.
pub type Check<'a> = Pin<Box<dyn Future<Output = Result<(), Rejection>> + Send + 'a>>;

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
///
/// A guard that has to ask somebody, such as a database, answers later:
///
/// ```
/// # async fn is_member(user: String) -> bool { user == "Ada" }
/// use cloverleaf_proto::handshake::{Check, Received, Rejection, RequestGuard};
///
/// struct Members;
///
/// impl RequestGuard for Members {
///     fn check<'a>(&'a self, received: &'a mut Received) -> Check<'a> {
///         Box::pin(async move {
///             let user = received.request.uri().query().unwrap_or_default();
///             match is_member(user.to_owned()).await {
///                 true => Ok(()),
///                 false => Err(Rejection::forbidden("members only")),
///             }
///         })
///     }
/// }
/// ```
pub trait RequestGuard: Send + Sync {
    /// Lets the request pass, or answers it.
    ///
    /// # Errors
    ///
    /// The answer. After [`Rejection::unauthorized`] the client may try again on the same
    /// connection, three times in all.
    fn check<'a>(&'a self, received: &'a mut Received) -> Check<'a>;
}

impl<F> RequestGuard for F
where
    F: Fn(&mut Received) -> Result<(), Rejection> + Send + Sync,
{
    fn check<'a>(&'a self, received: &'a mut Received) -> Check<'a> {
        Box::pin(ready(self(received)))
    }
}

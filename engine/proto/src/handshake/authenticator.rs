//! What a client does about answers that ask for more.

use core::fmt;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};

use super::ClientRequest;

/// Looks at answers that are not a 101, and may know headers with which another attempt would
/// succeed: credentials that answer a challenge.
///
/// One handler sees all attempts at one opening, in their order.
pub trait ResponseHandler: fmt::Debug + Send {
    /// Headers for the first attempt, in place of those of the same names: credentials that are
    /// known to be asked for. Default: none.
    fn prepare(&mut self, request: &Request<()>) -> HeaderMap {
        let _ = request;
        HeaderMap::new()
    }

    /// The headers for another attempt, in place of those of the same names; `None` gives up.
    fn retry(&mut self, request: &Request<()>, response: &Response<Bytes>) -> Option<HeaderMap>;

    /// The answer is a 101: the place for a proof that the server knows the password too.
    /// Default: all is well.
    ///
    /// # Errors
    ///
    /// Why the connection is not to be used.
    fn opened(&mut self, request: &Request<()>, response: &Response<()>) -> Result<(), String> {
        let _ = (request, response);
        Ok(())
    }
}

/// Makes a [`ResponseHandler`] for each connection that is opened. What it learns from one, such as
/// the next nonce, it may use for another to the same origin.
pub trait Authenticator: fmt::Debug + Send + Sync {
    /// A handler for this request, and for no other origin than its own.
    fn begin(&self, request: &ClientRequest) -> Box<dyn ResponseHandler>;
}

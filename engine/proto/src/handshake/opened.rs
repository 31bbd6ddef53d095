//! What an opening handshake leaves behind.

use core::fmt;
use std::sync::Arc;

use bytes::BytesMut;
use http::header::HOST;
use http::uri::Authority;
use http::{HeaderValue, Request, Response, Uri};

use super::ClientRequest;
use crate::extension::Negotiated;
use crate::http::{HeadError, parse_request, parse_response};

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
///
/// It stays as long as its connection, and most connections are idle: so the octets are kept, a few
/// hundred, and [`request`](Self::request) and [`response`](Self::response) read them anew each time
/// that somebody asks.
#[derive(Clone)]
pub struct Handshake {
    /// The head of the request, that of the answer, and on a client what the target lacks to be a
    /// URI: the scheme and the authority.
    said: Box<[u8]>,
    /// Where in it the answer begins.
    response: u32,
    /// Where it ends.
    end: u32,
    protocol: Option<Box<str>>,
    extensions: Option<Arc<http::Extensions>>,
    /// The request as guards have left it, if that is not how it came.
    changed: Option<Box<Request<()>>>,
}

impl Handshake {
    fn new(request: &[u8], response: &[u8], origin: &str, protocol: Option<String>) -> Self {
        // Bounded by the limits for heads: far less than 4 GiB.
        let place = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self {
            said: [request, response, origin.as_bytes()].concat().into(),
            response: place(request.len()),
            end: place(request.len() + response.len()),
            protocol: protocol.map(Into::into),
            extensions: None,
            changed: None,
        }
    }

    /// What a client has said and heard.
    pub(super) fn of_client(
        asked: &ClientRequest,
        request: &[u8],
        response: &[u8],
        protocol: Option<String>,
    ) -> Self {
        let uri = asked.uri();
        let scheme = uri.scheme_str().unwrap_or_default();
        let authority = uri.authority().map_or("", Authority::as_str);
        let origin = format!("{scheme}://{authority}");
        Self::new(request, response, &origin, protocol)
    }

    /// What a server has heard and said. `passed`: the request, if guards or trusted proxies may have
    /// changed it.
    pub(super) fn of_server(
        request: &[u8],
        response: &[u8],
        protocol: Option<String>,
        context: &Arc<http::Extensions>,
        passed: Option<&Request<()>>,
    ) -> Self {
        let mut handshake = Self::new(request, response, "", protocol);
        let Some(passed) = passed else {
            handshake.extensions = (!context.is_empty()).then(|| Arc::clone(context));
            return handshake;
        };
        let extensions = passed.extensions();
        handshake.extensions = (!extensions.is_empty()).then(|| Arc::new(extensions.clone()));
        let came = handshake.request();
        let is_as_it_came = came.method() == passed.method()
            && came.uri() == passed.uri()
            && came.version() == passed.version()
            && came.headers() == passed.headers();
        if !is_as_it_came {
            let mut changed = passed.clone();
            *changed.extensions_mut() = http::Extensions::new();
            handshake.changed = Some(Box::new(changed));
        }
        handshake
    }

    /// The request, as the guards of a server have left it, with what they found out in its
    /// `http::Extensions`. On a client its URI is the whole one.
    ///
    /// # Panics
    ///
    /// Never: it has been read before.
    #[must_use]
    pub fn request(&self) -> Request<()> {
        let mut request = match &self.changed {
            Some(changed) => (**changed).clone(),
            None => self.read_request().expect("it has been read before"),
        };
        if let Some(extensions) = &self.extensions {
            *request.extensions_mut() = (**extensions).clone();
        }
        request
    }

    fn read_request(&self) -> Result<Request<()>, HeadError> {
        let head = self.request_head();
        let mut request = parse_request(head, headers(head))?;
        one_host(&mut request);
        if let Some(origin @ [_, ..]) = self.said.get(self.end as usize..) {
            let target = request.uri().to_string();
            let whole = [origin, target.as_bytes()].concat();
            if let Ok(whole) = Uri::try_from(whole) {
                *request.uri_mut() = whole;
            }
        }
        Ok(request)
    }

    /// The answer, a 101.
    ///
    /// # Panics
    ///
    /// Never: it has been read before.
    #[must_use]
    pub fn response(&self) -> Response<()> {
        let head = self.response_head();
        parse_response(head, headers(head)).expect("it has been read before")
    }

    /// The head of the request as it was on the wire.
    #[must_use]
    pub fn request_head(&self) -> &[u8] {
        &self.said[..self.response as usize]
    }

    /// The head of the answer as it was on the wire.
    #[must_use]
    pub fn response_head(&self) -> &[u8] {
        &self.said[self.response as usize..self.end as usize]
    }

    /// The subprotocol both ends speak from here on, if they agreed on one.
    #[must_use]
    pub fn protocol(&self) -> Option<&str> {
        self.protocol.as_deref()
    }

    /// What a server or one of its guards left of this type in the request's `http::Extensions`.
    #[must_use]
    pub fn extension<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.extensions.as_ref()?.get()
    }
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake")
            .field("request", &self.request())
            .field("response", &self.response())
            .field("protocol", &self.protocol)
            .finish_non_exhaustive()
    }
}

/// RFC 9112 §3.2.2: the host of the target counts, whatever `Host` says. From here on there is one
/// host only: guards, origins and the application see the same.
pub(super) fn one_host(request: &mut Request<()>) {
    let authority = request.uri().authority().map(Authority::as_str);
    if let Some(host) = authority.and_then(|host| HeaderValue::from_str(host).ok()) {
        request.headers_mut().insert(HOST, host);
    }
}

/// How many header lines a head has: all but its first line and the empty one.
fn headers(head: &[u8]) -> usize {
    let lines = head.iter().filter(|octet| **octet == b'\n').count();
    lines.saturating_sub(2)
}

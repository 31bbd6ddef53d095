//! What a client asks for.

use core::fmt;
use std::time::Duration;

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri};

use super::{RequestError, is_own_header};
use crate::http::{HeadLimits, HostPort, is_token};

/// What a client asks for: where to, and how.
///
/// ```
/// use cloverleaf_proto::handshake::ClientRequest;
///
/// let request = ClientRequest::new("wss://example.com/chat?room=1")?.protocol("chat.v2")?;
/// assert!(request.is_secure());
/// assert_eq!((request.host(), request.port()), ("example.com", 443));
/// # Ok::<(), cloverleaf_proto::handshake::RequestError>(())
/// ```
#[derive(Clone)]
pub struct ClientRequest {
    uri: Uri,
    secure: bool,
    port: u16,
    pub(super) userinfo: Option<String>,
    pub(super) headers: HeaderMap,
    pub(super) protocols: Vec<String>,
    pub(super) require_protocol: bool,
    pub(super) required_extensions: Vec<String>,
    pub(super) limits: HeadLimits,
    pub(super) open_timeout: Duration,
}

/// Without what may be a password.
impl fmt::Debug for ClientRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<&HeaderName> = self.headers.keys().collect();
        f.debug_struct("ClientRequest")
            .field("uri", &self.uri)
            .field("headers", &headers)
            .field("protocols", &self.protocols)
            .finish_non_exhaustive()
    }
}

impl ClientRequest {
    /// A request for this URI, `ws://host[:port]path[?query]` or `wss://…` (RFC 6455 §3). `http`
    /// and `https` are taken for the same.
    ///
    /// # Errors
    ///
    /// What is no such URI, or has a fragment.
    pub fn new(uri: &str) -> Result<Self, RequestError> {
        if uri.contains('#') {
            return Err(RequestError::Uri("a fragment; write %23 for a #"));
        }
        let uri = Uri::try_from(uri).map_err(|_| RequestError::Uri("it breaks RFC 3986"))?;
        Self::from_uri(&uri)
    }

    /// A request for this URI.
    ///
    /// # Errors
    ///
    /// What is no URI of a WebSocket.
    pub fn from_uri(uri: &Uri) -> Result<Self, RequestError> {
        let scheme = uri.scheme_str().unwrap_or_default().to_ascii_lowercase();
        let secure = match scheme.as_str() {
            "ws" | "http" => false,
            "wss" | "https" => true,
            _ => return Err(RequestError::Uri("it begins with neither ws:// nor wss://")),
        };
        let authority = uri.authority().map_or("", http::uri::Authority::as_str);
        // RFC 6455 §3 has no user in its URIs. It is for credentials and not sent.
        let (userinfo, host) = match authority.rsplit_once('@') {
            Some((userinfo, host)) => (Some(userinfo.to_owned()), host),
            None => (None, authority),
        };
        let port = HostPort::parse(host.as_bytes())
            .map(|host| host.port_or(if secure { 443 } else { 80 }))
            .ok_or(RequestError::Uri("its host is not one"))?;
        if port == 0 {
            return Err(RequestError::Uri("its port is 0"));
        }
        let target = uri
            .path_and_query()
            .map_or("/", http::uri::PathAndQuery::as_str);
        if !target.bytes().all(|octet| octet.is_ascii_graphic()) {
            return Err(RequestError::Uri("percent-encode what is not ASCII"));
        }
        let uri = Uri::builder()
            .scheme(if secure { "wss" } else { "ws" })
            .authority(host)
            .path_and_query(target)
            .build()
            .map_err(|_| RequestError::Uri("it breaks RFC 3986"))?;
        Ok(Self {
            uri,
            secure,
            port,
            userinfo,
            headers: HeaderMap::new(),
            protocols: Vec::new(),
            require_protocol: false,
            required_extensions: Vec::new(),
            limits: HeadLimits::default(),
            open_timeout: Duration::from_secs(10),
        })
    }

    /// The same for another place.
    pub(super) fn to(self, place: Self) -> Self {
        Self {
            uri: place.uri,
            secure: place.secure,
            port: place.port,
            userinfo: place.userinfo,
            ..self
        }
    }

    /// Adds a header, beside others of its name. `Host` and `Origin` may be set so too; they stand
    /// once, and the last one counts.
    ///
    /// # Errors
    ///
    /// A header that the handshake writes itself.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Result<Self, RequestError> {
        if is_own_header(&name) {
            return Err(RequestError::ReservedHeader(name));
        }
        if name == HOST || name == ORIGIN {
            self.headers.insert(name, value);
        } else {
            self.headers.append(name, value);
        }
        Ok(self)
    }

    /// Puts these headers in place of those of the same names.
    ///
    /// # Errors
    ///
    /// A header that the handshake writes itself. Then nothing has changed.
    pub fn replace_headers(&mut self, headers: &HeaderMap) -> Result<(), RequestError> {
        if let Some(name) = headers.keys().find(|name| is_own_header(name)) {
            return Err(RequestError::ReservedHeader(name.clone()));
        }
        for name in headers.keys() {
            self.headers.remove(name);
        }
        for (name, value) in headers {
            self.headers.append(name.clone(), value.clone());
        }
        Ok(())
    }

    /// The request that will be made, without the headers of the handshake: for a
    /// [`ResponseHandler`](super::ResponseHandler).
    #[must_use]
    pub fn to_http(&self) -> Request<()> {
        let mut request = Request::new(());
        *request.uri_mut() = self.uri.clone();
        request.headers_mut().clone_from(&self.headers);
        request
    }

    /// Offers a subprotocol, behind those that were offered before.
    ///
    /// # Errors
    ///
    /// A name that is no token or stands there already.
    pub fn protocol(mut self, name: &str) -> Result<Self, RequestError> {
        if !is_token(name.as_bytes()) || self.protocols.iter().any(|other| other == name) {
            return Err(RequestError::Protocol(name.to_owned()));
        }
        self.protocols.push(name.to_owned());
        Ok(self)
    }

    /// Fails the handshake if the server chooses none of the offered subprotocols, as browsers do.
    /// Default: no; RFC 6455 lets the connection go on without one.
    #[must_use]
    pub const fn require_protocol(mut self, required: bool) -> Self {
        self.require_protocol = required;
        self
    }

    /// Fails the handshake with 1010 if the server does not agree to this extension.
    #[must_use]
    pub fn require_extension(mut self, name: &str) -> Self {
        self.required_extensions.push(name.to_owned());
        self
    }

    /// Bounds the head of an answer; `max_request_line` bounds its status line.
    #[must_use]
    pub const fn limits(mut self, limits: HeadLimits) -> Self {
        self.limits = limits;
        self
    }

    /// The handshake must be over so long after its start. Default 10 s.
    #[must_use]
    pub const fn open_timeout(mut self, timeout: Duration) -> Self {
        self.open_timeout = timeout;
        self
    }

    /// The URI, without user and password.
    #[must_use]
    pub const fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Whether the byte stream must be TLS.
    #[must_use]
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// The host to connect to; an IPv6 address without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        let host = self.uri.host().unwrap_or_default();
        host.strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host)
    }

    /// The port to connect to.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The `user:password` of the URI, as written. For whoever answers challenges.
    #[must_use]
    pub fn userinfo(&self) -> Option<&str> {
        self.userinfo.as_deref()
    }

    /// The resource name (RFC 6455 §3).
    pub(super) fn target(&self) -> String {
        match self.uri.query() {
            Some(query) => format!("{}?{query}", self.uri.path()),
            None => self.uri.path().to_owned(),
        }
    }

    /// The value of `Host`: without the port if it is the scheme's default (RFC 6455 §4.1, item 4).
    pub(super) fn host_header(&self) -> String {
        let host = self.uri.host().unwrap_or_default();
        match (self.secure, self.port) {
            (false, 80) | (true, 443) => host.to_owned(),
            (_, port) => format!("{host}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_and_what_becomes_of_them() {
        for (uri, host, port, host_header, target) in [
            ("ws://a", "a", 80, "a", "/"),
            ("ws://a/", "a", 80, "a", "/"),
            ("WS://a:80/B/c", "a", 80, "a", "/B/c"),
            ("ws://a:443", "a", 443, "a:443", "/"),
            ("wss://a:443/?x=/y", "a", 443, "a", "/?x=/y"),
            ("wss://a:80?x", "a", 80, "a:80", "/?x"),
            ("https://a", "a", 443, "a", "/"),
            ("ws://[::1]:9001/", "::1", 9001, "[::1]:9001", "/"),
            (
                "ws://[2001:db8::1]",
                "2001:db8::1",
                80,
                "[2001:db8::1]",
                "/",
            ),
            ("ws://me:pw@a:81/%41", "a", 81, "a:81", "/%41"),
        ] {
            let request = ClientRequest::new(uri).expect(uri);
            assert_eq!(request.host(), host, "{uri}");
            assert_eq!(request.port(), port, "{uri}");
            assert_eq!(request.host_header(), host_header, "{uri}");
            assert_eq!(request.target(), target, "{uri}");
        }
    }

    #[test]
    fn a_user_is_kept_apart() {
        let request = ClientRequest::new("ws://me:p%40w@a/").expect("a URI");
        assert_eq!(request.userinfo(), Some("me:p%40w"));
        assert_eq!(request.uri(), "ws://a/");
        assert!(!format!("{request:?}").contains("p%40w"));
        assert!(!request.is_secure());
    }

    // C12.
    #[test]
    fn what_is_no_websocket_uri() {
        for uri in [
            "",
            "a",
            "/a",
            "a:80",
            "ftp://a/",
            "ws:///a",
            "ws://a b/",
            "ws://a/b c",
            "ws://a/#b",
            "ws://a:0/",
            "ws://a:65536/",
            "ws://a:x/",
            "ws://@/",
            "ws://[::1/",
            "ws://a%0d/",
            "ws://a/\r\nX: y",
            "ws://a/\u{e9}",
            "ws://\u{e9}/",
        ] {
            let error = ClientRequest::new(uri).expect_err(uri);
            assert!(matches!(error, RequestError::Uri(_)), "{uri}: {error}");
        }
    }

    #[test]
    fn headers_of_the_handshake_are_not_for_others_to_write() {
        for name in [
            "connection",
            "content-length",
            "sec-websocket-accept",
            "sec-websocket-extensions",
            "sec-websocket-key",
            "sec-websocket-protocol",
            "sec-websocket-version",
            "transfer-encoding",
            "upgrade",
        ] {
            let request = ClientRequest::new("ws://a").expect("a URI");
            let name = HeaderName::from_static(name);
            let error = request
                .header(name.clone(), HeaderValue::from_static("x"))
                .expect_err(name.as_str());
            assert_eq!(error, RequestError::ReservedHeader(name));
        }
    }

    #[test]
    fn a_subprotocol_is_a_token_and_offered_once() {
        let request = || ClientRequest::new("ws://a").expect("a URI");
        for name in ["", "a b", "a,b", "a\r\n", "\u{e9}"] {
            assert!(request().protocol(name).is_err(), "{name:?}");
        }
        assert!(
            request()
                .protocol("a")
                .and_then(|it| it.protocol("A"))
                .is_ok()
        );
        assert!(
            request()
                .protocol("a")
                .and_then(|it| it.protocol("a"))
                .is_err()
        );
    }
}

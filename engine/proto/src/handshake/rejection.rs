//! An answer that opens no connection.

use core::fmt;
use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, SEC_WEBSOCKET_VERSION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::is_own_header;
use crate::http::{HeadError, end_head, header_line, header_lines};

/// An answer that opens no connection: a status, headers and a short text.
///
/// `Content-Length` and `Connection` are written by the handshake; the headers here cannot set
/// them. Every rejection but a 401 ends the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection(Box<Parts>);

/// Behind a box, so that a `Result` with a rejection is small.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Parts {
    status: StatusCode,
    reason: Cow<'static, str>,
    headers: HeaderMap,
    body: Option<Bytes>,
    /// RFC 9110 §9.3.2: the answer to HEAD says how long its content would be, and has none.
    to_head: bool,
}

impl Rejection {
    /// An answer with this status. The reason is for a person: it is the content, unless
    /// [`with_body`](Self::with_body) brings another.
    #[must_use]
    pub fn new(status: StatusCode, reason: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Parts {
            status,
            reason: reason.into(),
            headers: HeaderMap::new(),
            body: None,
            to_head: false,
        }))
    }

    /// 400: the request breaks HTTP or RFC 6455.
    #[must_use]
    pub fn bad_request(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, reason)
    }

    /// 401: credentials are needed, with the value of `WWW-Authenticate`. The client may try again
    /// on the same connection.
    #[must_use]
    pub fn unauthorized(challenge: HeaderValue) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "credentials are needed")
            .with_header(WWW_AUTHENTICATE, challenge)
    }

    /// 403: this client may not.
    #[must_use]
    pub fn forbidden(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, reason)
    }

    /// 404: there is nothing at this path.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "there is nothing here")
    }

    /// 405: an opening handshake is a GET (RFC 6455 §4.1, item 2).
    #[must_use]
    pub fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "only GET is allowed")
            .with_header(ALLOW, HeaderValue::from_static("GET"))
    }

    /// 408: the request took too long.
    #[must_use]
    pub fn request_timeout() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "the request took too long")
    }

    /// 414: the request line is too long.
    #[must_use]
    pub fn uri_too_long() -> Self {
        Self::new(StatusCode::URI_TOO_LONG, "the request line is too long")
    }

    /// 426: this server speaks WebSocket, version 13 (RFC 6455 §4.4; RFC 9110 §15.5.22).
    #[must_use]
    pub fn upgrade_required(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UPGRADE_REQUIRED, reason)
            .with_header(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"))
    }

    /// 431: the header section is too large.
    #[must_use]
    pub fn headers_too_large(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, reason)
    }

    /// 500: our own fault.
    #[must_use]
    pub fn internal_error() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the server has failed")
    }

    /// 503: not now; perhaps after this time, in whole seconds.
    #[must_use]
    pub fn service_unavailable(retry_after: Option<Duration>) -> Self {
        let unavailable = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "the server is busy; try again later",
        );
        match retry_after {
            Some(time) => unavailable.with_header(RETRY_AFTER, time.as_secs().into()),
            None => unavailable,
        }
    }

    /// 505: only HTTP/1.1 is spoken here.
    #[must_use]
    pub fn version_not_supported() -> Self {
        Self::new(
            StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            "only HTTP/1.1 is spoken here",
        )
    }

    /// The connection cannot do without this extension.
    pub(super) fn missing_extension(status: StatusCode, name: &str) -> Self {
        let reason = format!("the extension {name} is needed here, and could not be agreed");
        match status {
            StatusCode::UPGRADE_REQUIRED => Self::upgrade_required(reason),
            _ => Self::new(status, reason),
        }
    }

    pub(super) fn of_head(error: HeadError) -> Self {
        match error {
            HeadError::LineTooLong => Self::uri_too_long(),
            HeadError::Malformed(what) => Self::bad_request(what),
            HeadError::TooLarge => Self::headers_too_large("the header section is too large"),
            HeadError::TooManyHeaders => Self::headers_too_large("there are too many header lines"),
            HeadError::Version => Self::version_not_supported(),
        }
    }

    /// Adds a header, beside others of its name.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.append(name, value);
        self
    }

    /// Brings content of this type instead of the reason.
    #[must_use]
    pub fn with_body(mut self, content_type: HeaderValue, body: Bytes) -> Self {
        self.0.headers.insert(CONTENT_TYPE, content_type);
        self.0.body = Some(body);
        self
    }

    /// Answers a HEAD request.
    pub(super) fn without_content(mut self) -> Self {
        self.0.to_head = true;
        self
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// What is wrong, for a person.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    /// The headers beside those the handshake writes.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// The whole answer. Without `keep_alive` it says that the connection ends.
    pub(super) fn encode(&self, keep_alive: bool) -> Vec<u8> {
        let mut out = format!(
            "HTTP/1.1 {} {}\r\n",
            self.0.status.as_str(),
            self.0.status.canonical_reason().unwrap_or_default()
        )
        .into_bytes();
        let upgrade = self.0.status == StatusCode::UPGRADE_REQUIRED;
        if upgrade {
            // RFC 9110 §7.8: who sends `Upgrade` lists it in `Connection`.
            header_line(&mut out, "Upgrade", b"websocket");
        }
        let connection: &[u8] = match (keep_alive, upgrade) {
            (true, _) => b"keep-alive",
            (false, true) => b"close, Upgrade",
            (false, false) => b"close",
        };
        header_line(&mut out, "Connection", connection);
        header_lines(&mut out, &self.0.headers, |name| {
            *name == SEC_WEBSOCKET_VERSION || !is_own_header(name)
        });
        let has_content = !matches!(
            self.0.status,
            StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
        );
        if !has_content {
            end_head(&mut out);
            return out;
        }
        let body = match &self.0.body {
            Some(body) => body.clone(),
            None => {
                if !self.0.headers.contains_key(CONTENT_TYPE) {
                    header_line(&mut out, "Content-Type", b"text/plain; charset=utf-8");
                }
                Bytes::from(format!("{}\n", self.0.reason))
            }
        };
        header_line(
            &mut out,
            "Content-Length",
            body.len().to_string().as_bytes(),
        );
        end_head(&mut out);
        if !self.0.to_head {
            out.extend_from_slice(&body);
        }
        out
    }
}

/// The status and the reason, the latter escaped: it may quote the peer.
impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.status, self.0.reason.escape_debug())
    }
}

impl core::error::Error for Rejection {}

#[cfg(test)]
mod tests {
    use http::header::{CONNECTION, UPGRADE};

    use super::*;

    fn text(rejection: &Rejection, keep_alive: bool) -> String {
        String::from_utf8(rejection.encode(keep_alive)).unwrap()
    }

    #[test]
    fn an_answer_to_the_octet() {
        assert_eq!(
            text(&Rejection::upgrade_required("speak WebSocket"), false),
            "HTTP/1.1 426 Upgrade Required\r\n\
             Upgrade: websocket\r\n\
             Connection: close, Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\
             Content-Length: 16\r\n\
             \r\n\
             speak WebSocket\n"
        );
        assert_eq!(
            text(
                &Rejection::unauthorized(HeaderValue::from_static("Basic realm=\"a\"")),
                true
            ),
            "HTTP/1.1 401 Unauthorized\r\n\
             Connection: keep-alive\r\n\
             WWW-Authenticate: Basic realm=\"a\"\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\
             Content-Length: 23\r\n\
             \r\n\
             credentials are needed\n"
        );
    }

    #[test]
    fn framing_and_connection_are_not_for_others_to_write() {
        let rejection = Rejection::forbidden("no")
            .with_header(CONNECTION, HeaderValue::from_static("keep-alive"))
            .with_header(UPGRADE, HeaderValue::from_static("h2c"))
            .with_header(http::header::CONTENT_LENGTH, HeaderValue::from_static("0"))
            .with_body(
                HeaderValue::from_static("a/b"),
                Bytes::from_static(b"Hello"),
            );
        assert_eq!(
            text(&rejection, false),
            "HTTP/1.1 403 Forbidden\r\n\
             Connection: close\r\n\
             Content-Type: a/b\r\n\
             Content-Length: 5\r\n\
             \r\n\
             Hello"
        );
    }

    #[test]
    fn an_answer_without_content_announces_none() {
        let empty = text(&Rejection::new(StatusCode::NO_CONTENT, "x"), false);
        assert_eq!(
            empty,
            "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
        );
    }

    #[test]
    fn the_answer_to_head_announces_content_and_has_none() {
        let whole = text(&Rejection::method_not_allowed(), false);
        let head = text(&Rejection::method_not_allowed().without_content(), false);
        assert_eq!(whole, format!("{head}only GET is allowed\n"));
    }

    #[test]
    fn a_busy_server_says_when_to_come_back() {
        let busy = Rejection::service_unavailable(Some(Duration::from_secs(30)));
        assert!(text(&busy, false).contains("\r\nRetry-After: 30\r\n"));
    }

    #[test]
    fn a_reason_is_not_printed_raw() {
        let rejection = Rejection::bad_request("a\u{1b}[2J\nb".to_owned());
        assert_eq!(rejection.to_string(), "400 Bad Request: a\\u{1b}[2J\\nb");
    }
}

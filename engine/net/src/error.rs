//! What can go wrong, told apart.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use bytes::Bytes;
use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::error::{ConnectionError, UsageError};
use cloverleaf_proto::event::Closed;
use cloverleaf_proto::handshake::Peer;
use http::{Response, StatusCode};

/// What went wrong. Ask [`kind`](Self::kind); [`source`](StdError::source) has the cause.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
    closed: Option<Closed>,
    response: Option<Response<Bytes>>,
    peer: Option<Peer>,
}

/// The kinds of [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The stream ended without a closing handshake (1006).
    Abnormal,
    /// The connection is closed or closing: nothing can be sent.
    Closed,
    /// An agreed extension could not decode or encode.
    Extension,
    /// The opening handshake failed.
    Handshake,
    /// The byte stream failed.
    Io,
    /// The peer exceeded a limit of ours.
    Limit,
    /// The peer broke the protocol.
    Protocol,
    /// There is no way through the proxy; the source is a [`ProxyError`](crate::ProxyError).
    Proxy,
    /// A deadline passed.
    Timeout,
    /// TLS failed: a certificate that is not trusted, a wrong name, no common version.
    Tls,
    /// A URL that cannot be connected to.
    Url,
    /// A call that makes no sense in this state or with this argument.
    Usage,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            source: None,
            closed: None,
            response: None,
            peer: None,
        }))
    }

    pub(crate) fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) fn with_response(mut self, response: Response<Bytes>) -> Self {
        self.0.response = Some(response);
        self
    }

    pub(crate) fn of_peer(mut self, peer: Option<Peer>) -> Self {
        self.0.peer = peer;
        self
    }

    /// The client whose request was refused.
    pub(crate) fn peer(&self) -> Option<&Peer> {
        self.0.peer.as_ref()
    }

    /// How a connection that did not close cleanly ended.
    pub(crate) fn from_closed(closed: Closed, io: Option<io::Error>) -> Self {
        let kind = match &closed.error {
            Some(ConnectionError::Deadline(_)) => ErrorKind::Timeout,
            Some(ConnectionError::Extension(_)) => ErrorKind::Extension,
            Some(ConnectionError::Limit(_)) => ErrorKind::Limit,
            Some(ConnectionError::Protocol(_)) => ErrorKind::Protocol,
            _ if io.is_some() => ErrorKind::Io,
            _ => ErrorKind::Abnormal,
        };
        let mut error = Self::new(kind, closed.to_string());
        error.0.closed = Some(closed);
        match io {
            Some(io) => error.caused_by(io),
            None => error,
        }
    }

    /// What kind of error this is.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// How the connection ended, if it had been open.
    #[must_use]
    pub fn closed(&self) -> Option<&Closed> {
        self.0.closed.as_ref()
    }

    /// The close code, if the connection had been open: the peer's, or 1006 without one.
    #[must_use]
    pub fn close_code(&self) -> Option<CloseCode> {
        self.closed().map(|closed| closed.code)
    }

    /// The HTTP status the server answered in place of 101.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.response().map(Response::status)
    }

    /// The HTTP answer in place of 101, with what there was of its body.
    #[must_use]
    pub fn response(&self) -> Option<&Response<Bytes>> {
        self.0.response.as_ref()
    }

    /// Whether a deadline passed.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.kind() == ErrorKind::Timeout
    }

    /// Whether the connection was closed already.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.kind() == ErrorKind::Closed
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

impl From<UsageError> for Error {
    fn from(error: UsageError) -> Self {
        let kind = match error {
            UsageError::Closed => ErrorKind::Closed,
            UsageError::Encode(_) => ErrorKind::Extension,
            _ => ErrorKind::Usage,
        };
        Self::new(kind, error.to_string()).caused_by(error)
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        #[cfg(feature = "rustls")]
        if let Some(error) = Self::within_tls(&error) {
            return error;
        }
        Self::new(ErrorKind::Io, error.to_string()).caused_by(error)
    }
}

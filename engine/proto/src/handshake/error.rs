//! How an opening handshake fails.

use core::fmt;

use bytes::Bytes;
use http::{HeaderName, Response};

use super::Rejection;
use crate::extension::{Dropped, Refused};
use crate::http::{HeadError, MalformedExtensions};

/// Why no connection was opened. The transport is to be closed, behind what is left to transmit.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum HandshakeError {
    /// Client: `Sec-WebSocket-Accept` is missing, repeated or not the answer to our key.
    BadAccept,
    /// Client: `Connection` does not list `upgrade`.
    ConnectionHeader,
    /// Client: the carrier has ended the channel before the server's answer.
    Dropped(Dropped),
    /// The byte stream ended first.
    Eof,
    /// Client: an extension of the answer was not offered, or cannot work.
    Extension(Refused),
    /// Client: the answer is no HTTP/1.1, or too large.
    Head(HeadError),
    /// Client: the `Sec-WebSocket-Extensions` of the answer breaks its grammar.
    MalformedExtensions(MalformedExtensions),
    /// Client: the server did not agree to these extensions, which the request demands. A close
    /// frame with 1010 and their names is left to transmit (RFC 6455 §7.4.1).
    MissingExtension(Vec<String>),
    /// Client: the server chose none of the subprotocols, and the request demands one.
    MissingProtocol,
    /// Server: the request was refused with this answer.
    Rejected(Rejection),
    /// Client: the answer is not a 101. Its content is there up to 64 KiB.
    Status(Box<Response<Bytes>>),
    /// Client: the deadline passed. On a server that is a [`Self::Rejected`] with 408.
    TimedOut,
    /// Client: more than ten interim answers.
    TooManyInterim,
    /// The handshake was given up before it ended.
    Unfinished,
    /// Client: the server chose a subprotocol that was not offered, or more than one.
    UnsolicitedProtocol,
    /// Client: `Upgrade` is not `websocket`.
    UpgradeHeader,
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadAccept => f.write_str(
                "Sec-WebSocket-Accept does not answer our key: this is no WebSocket server, or a \
                 cache stands in between",
            ),
            Self::ConnectionHeader => {
                f.write_str("the server's 101 does not say `Connection: Upgrade`")
            }
            Self::Dropped(dropped) => dropped.fmt(f),
            Self::Eof => f.write_str("the connection ended during the opening handshake"),
            Self::Extension(refused) => write!(f, "the server's extensions cannot be: {refused}"),
            Self::Head(error) => write!(f, "the server's answer is not acceptable: {error}"),
            Self::MalformedExtensions(error) => error.fmt(f),
            Self::MissingExtension(names) => write!(
                f,
                "the server does not speak a required extension: {}",
                names.join(", ")
            ),
            Self::MissingProtocol => {
                f.write_str("the server speaks none of the subprotocols that were offered")
            }
            Self::Rejected(rejection) => write!(f, "the request was refused: {rejection}"),
            Self::Status(response) => {
                let status = response.status();
                write!(f, "the server answered {status} instead of 101; ")?;
                f.write_str(match status.as_u16() {
                    300..=399 => "redirects are not followed",
                    401 | 407 => "it wants credentials",
                    404 => "check the path of the URI",
                    426 => "it wants another protocol or version",
                    500..=599 => "try again later",
                    _ => "see the content of the answer",
                })
            }
            Self::TimedOut => f.write_str("the opening handshake took too long"),
            Self::TooManyInterim => f.write_str("the server sent interim answers without end"),
            Self::Unfinished => f.write_str("the opening handshake was given up"),
            Self::UnsolicitedProtocol => {
                f.write_str("the server chose a subprotocol that was not offered")
            }
            Self::UpgradeHeader => {
                f.write_str("the server's 101 does not say `Upgrade: websocket`")
            }
        }
    }
}

impl core::error::Error for HandshakeError {}

impl From<HeadError> for HandshakeError {
    fn from(error: HeadError) -> Self {
        Self::Head(error)
    }
}

impl From<MalformedExtensions> for HandshakeError {
    fn from(error: MalformedExtensions) -> Self {
        Self::MalformedExtensions(error)
    }
}

impl From<Refused> for HandshakeError {
    fn from(refused: Refused) -> Self {
        Self::Extension(refused)
    }
}

/// A request that cannot be made. Nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestError {
    /// Offers of extensions that break the grammar of the header.
    Extension(String),
    /// An attempt with the key of the one before (RFC 6455 §4.1, item 7).
    NonceReused,
    /// The last answer allows no other attempt: there is none, it was no refusal, or this was the
    /// third attempt.
    NoRetry,
    /// A subprotocol that is no token, or stands twice (RFC 6455 §4.1, item 10).
    Protocol(String),
    /// The server sends us where we do not go; the text says why.
    Redirect(&'static str),
    /// A header that the handshake writes itself.
    ReservedHeader(HeaderName),
    /// The URI cannot be connected to; the text says why.
    Uri(&'static str),
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Extension(offers) => write!(
                f,
                "the offers {offers:?} cannot stand in a header: names and values must be tokens"
            ),
            Self::NonceReused => f.write_str("every attempt needs a fresh nonce"),
            Self::NoRetry => f.write_str("there is no answer that another attempt could follow"),
            Self::Protocol(name) => write!(
                f,
                "{name:?} cannot be offered as a subprotocol: it must be a token, and stand once"
            ),
            Self::Redirect(why) => write!(f, "the redirect is not followed: {why}"),
            Self::ReservedHeader(name) => {
                write!(
                    f,
                    "the header {name} belongs to the handshake; leave it out"
                )
            }
            Self::Uri(why) => write!(f, "no WebSocket URI: {why}"),
        }
    }
}

impl core::error::Error for RequestError {}

/// A decision that the handshake cannot carry out. The client has been answered with 500, except
/// after [`Self::NotAsked`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecisionError {
    /// An extension's answer that breaks the grammar of the header.
    ExtensionAnswer(String),
    /// There is no request to decide on.
    NotAsked,
    /// The request asks for no WebSocket; it can only be answered with a [`Rejection`].
    NotWebSocket,
    /// The client did not offer this subprotocol (RFC 6455 §4.2.2, item 5.5).
    ProtocolNotOffered(String),
    /// A header that the handshake writes itself.
    ReservedHeader(HeaderName),
    /// A status below 200 cannot end a request.
    Status(u16),
}

impl fmt::Display for DecisionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ExtensionAnswer(answer) => write!(
                f,
                "the answer {answer:?} cannot stand in a header: names and values must be tokens"
            ),
            Self::NotAsked => f.write_str("there is no request to decide on"),
            Self::NotWebSocket => {
                f.write_str("the request asks for no WebSocket; answer it with a rejection")
            }
            Self::ProtocolNotOffered(name) => write!(
                f,
                "the client did not offer the subprotocol {name:?}; choose one that it did"
            ),
            Self::ReservedHeader(name) => {
                write!(
                    f,
                    "the header {name} belongs to the handshake; leave it out"
                )
            }
            Self::Status(code) => write!(f, "a rejection cannot have the status {code}"),
        }
    }
}

impl core::error::Error for DecisionError {}

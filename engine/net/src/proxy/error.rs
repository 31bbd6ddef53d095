//! How a proxy stands in the way.

use std::fmt;
use std::io;

use bytes::Bytes;
use cloverleaf_proto::handshake::HandshakeError;
use http::header::PROXY_AUTHENTICATE;
use http::{Response, StatusCode};

/// Why there is no way through a proxy. It is the [`source`](std::error::Error::source) of an
/// [`Error`](crate::Error) of the kind [`Proxy`](crate::ErrorKind::Proxy).
#[derive(Debug)]
#[non_exhaustive]
pub enum ProxyError {
    /// Its answer to a CONNECT is no HTTP, or without bounds.
    Answer(HandshakeError),
    /// It wants credentials (407), and there are none, or none that answer its challenge.
    CredentialsWanted(Box<Response<Bytes>>),
    /// It does not take the credentials: 407 once more, or a refusal of name and password by SOCKS.
    CredentialsRefused,
    /// Its proof that it knows the password as well is wrong; the text says what the
    /// [`Authenticator`](cloverleaf_proto::handshake::Authenticator) found.
    Deceived(String),
    /// The connection to it ended before there was a tunnel.
    Eof,
    /// It did not accept a connection, or it broke off.
    Io(io::Error),
    /// The server's name could not be looked up here, as it must be for `socks5://`.
    Lookup(io::Error),
    /// It answered a CONNECT with another status than 2xx. Its content is there up to 64 KiB.
    Refused(Box<Response<Bytes>>),
    /// SOCKS: its answer has another version than 5.
    Version(u8),
    /// SOCKS: it accepts none of the ways to authenticate that there are credentials for, or picks one
    /// that was not offered.
    Method(u8),
    /// SOCKS: it could not, or would not, connect; the code of RFC 1928 §6.
    Reply(u8),
    /// SOCKS: its reply has an address of an unknown kind.
    AddressKind(u8),
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(error) => write!(
                f,
                "the proxy does not answer as an HTTP proxy does: {error}"
            ),
            Self::CredentialsWanted(response) if offers_only_others(response) => f.write_str(
                "the proxy wants credentials in a way other than Basic (407); \
                 set Proxy::authenticate",
            ),
            Self::CredentialsWanted(_) => f.write_str(
                "the proxy wants credentials (407); write them into its URL, as in \
                 http://user:password@proxy:3128, or set Proxy::authenticate",
            ),
            Self::CredentialsRefused => {
                f.write_str("the proxy does not take the credentials; check user and password")
            }
            Self::Deceived(why) => write!(f, "the proxy is not who it should be: {why}"),
            Self::Eof => f.write_str(
                "the proxy closed the connection without an answer; is it a proxy of this kind?",
            ),
            Self::Io(error) => write!(f, "the connection to the proxy failed: {error}"),
            Self::Lookup(error) => write!(
                f,
                "the server's name cannot be looked up: {error}; \
                 let the proxy do it with socks5h://"
            ),
            Self::Refused(response) => {
                let status = response.status();
                write!(f, "the proxy answered {status} to a CONNECT; ")?;
                f.write_str(refusal(status))
            }
            Self::Version(version) => write!(
                f,
                "the proxy does not answer as SOCKS 5 does (octet {version:#04x}); \
                 is it an HTTP proxy?"
            ),
            Self::Method(0xff) => f.write_str(
                "the proxy takes none of our ways to authenticate; write user and password into its \
                 URL, as in socks5://user:password@proxy:1080, or leave them out",
            ),
            Self::Method(method) => write!(
                f,
                "the proxy wants to authenticate in a way that was not offered ({method:#04x})"
            ),
            Self::Reply(code) => {
                write!(f, "the proxy could not connect: {} (SOCKS reply {code})", reply(*code))
            }
            Self::AddressKind(kind) => write!(
                f,
                "the proxy's reply breaks RFC 1928: address kind {kind:#04x}"
            ),
        }
    }
}

impl std::error::Error for ProxyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Answer(error) => Some(error),
            Self::Io(error) | Self::Lookup(error) => Some(error),
            _ => None,
        }
    }
}

/// Whether there are challenges, but none that user and password of a URL can answer.
fn offers_only_others(response: &Response<Bytes>) -> bool {
    let headers = response.headers();
    headers.contains_key(PROXY_AUTHENTICATE) && !super::connect::offers_basic(headers)
}

fn refusal(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 | 405 | 501 => "it knows no CONNECT",
        403 => {
            "it does not allow this host or port: ask who runs it, or let NO_PROXY name the host"
        }
        502..=504 => "it cannot reach the server; check host and port",
        _ => "ask who runs it",
    }
}

/// RFC 1928 §6.
const fn reply(code: u8) -> &'static str {
    match code {
        1 => "it failed",
        2 => "its rules do not allow it; ask who runs it",
        3 => "the network is unreachable",
        4 => "the host is unreachable; check its name, or let the proxy look it up with socks5h://",
        5 => "the server refused the connection; check host and port",
        6 => "the server did not answer in time",
        7 => "it knows no CONNECT",
        8 => "it does not know this kind of address; try socks5h://",
        _ => "it does not say why",
    }
}

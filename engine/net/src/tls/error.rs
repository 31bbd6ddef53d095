//! Why TLS failed, told apart.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use tokio_rustls::rustls::{self, AlertDescription, CertificateError, OtherError};

use super::fingerprint::Fingerprint;
use crate::error::{Error, ErrorKind};

/// Why TLS failed, and what to do about it. The cause of an [`Error`] of the kind
/// [`Tls`](ErrorKind::Tls) from a handshake: see [`Error::tls`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsError {
    /// The peer's certificate has expired.
    Expired,
    /// The peer's certificate is not valid yet.
    NotYetValid,
    /// No authority that is trusted here vouches for the peer's certificate.
    UnknownAuthority,
    /// The server's certificate is not for the name or the address that was asked for.
    WrongName {
        /// What was asked for.
        expected: String,
    },
    /// The server is not the one that was [pinned](crate::ClientTls::pinned).
    NotPinned {
        /// The key that it has.
        key: Fingerprint,
    },
    /// The client has shown no certificate, and one is required.
    NoCertificate,
    /// Something else is wrong with the peer's certificate.
    BadCertificate(String),
    /// The peer has ended the handshake with this alert (RFC 8446 §6.2).
    Alert(u8),
    /// The client wants an application protocol that is not spoken here, such as `h2` alone.
    NoCommonProtocol,
    /// No version, or no cipher, that both ends know.
    NoCommonVersion(String),
    /// No certificate here is for the name that the client asks for.
    UnknownName,
    /// What the peer says is no TLS.
    NotTls,
    /// The stream ended, or failed.
    Ended(io::ErrorKind),
    /// Anything else.
    Other(String),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired => f.write_str(
                "the peer's certificate has expired: it has to be renewed, \
                 or the clock of this machine is wrong",
            ),
            Self::NotYetValid => f.write_str(
                "the peer's certificate is not valid yet: \
                 the clock of this machine is wrong, or of the one that made it",
            ),
            Self::UnknownAuthority => f.write_str(
                "nobody who is trusted here vouches for the peer's certificate: trust the \
                 authority it comes from, if that is right, or have the peer send its whole chain",
            ),
            Self::WrongName { expected } => write!(
                f,
                "the server's certificate is not for {expected:?}: use a name it is for, \
                 or add this one to the certificate",
            ),
            Self::NotPinned { key } => write!(
                f,
                "the server is not one of those that are pinned; it has the {key}"
            ),
            Self::NoCertificate => {
                f.write_str("the client has shown no certificate, and one is required")
            }
            Self::BadCertificate(why) => write!(f, "the peer's certificate is refused: {why}"),
            Self::Alert(number) => alert(*number, f),
            Self::NoCommonProtocol => f.write_str(
                "the client does not offer http/1.1 (ALPN), and nothing else is spoken here",
            ),
            Self::NoCommonVersion(why) => write!(
                f,
                "the peer has no version of TLS, or no cipher, that is safe enough \
                 (TLS 1.2 or 1.3): {why}",
            ),
            Self::UnknownName => {
                f.write_str("the client asks for a name that no certificate here is for")
            }
            Self::NotTls => f.write_str(
                "what the peer says is no TLS: it may expect ws:// at this port, not wss://",
            ),
            Self::Ended(kind) => write!(f, "the connection ended in the handshake: {kind}"),
            Self::Other(why) => f.write_str(why),
        }
    }
}

impl StdError for TlsError {}

/// What an alert from the other end asks of us.
fn alert(number: u8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let advice = match AlertDescription::from(number) {
        AlertDescription::AccessDenied | AlertDescription::UnrecognisedName => {
            "it knows no server of this name, or does not let us in"
        }
        AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnsupportedCertificate => "it does not accept our certificate",
        AlertDescription::CertificateExpired => {
            "our certificate has expired: renew it, or the other clock is wrong"
        }
        AlertDescription::CertificateRequired => {
            "it wants a certificate from us: give the client one (ClientTls::certificate)"
        }
        AlertDescription::NoApplicationProtocol => "it does not speak http/1.1 at this port",
        AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure => {
            "it knows no version of TLS, or no cipher, that we know"
        }
        AlertDescription::UnknownCA => {
            "it does not trust the authority that our certificate comes from"
        }
        _ => "",
    };
    let separator = if advice.is_empty() { "" } else { ": " };
    write!(
        f,
        "the peer has ended TLS with alert {number}{separator}{advice}"
    )
}

impl From<&rustls::Error> for TlsError {
    fn from(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(error) => Self::from_certificate(error),
            rustls::Error::AlertReceived(alert) => Self::Alert(u8::from(*alert)),
            rustls::Error::NoCertificatesPresented => Self::NoCertificate,
            rustls::Error::NoApplicationProtocol => Self::NoCommonProtocol,
            rustls::Error::PeerIncompatible(why) => Self::NoCommonVersion(format!("{why:?}")),
            rustls::Error::InvalidMessage(_) => Self::NotTls,
            // What a resolver without a certificate comes to; its text is all there is to know it by.
            rustls::Error::General(text) if text == "no server certificate chain resolved" => {
                Self::UnknownName
            }
            other => Self::Other(other.to_string()),
        }
    }
}

impl TlsError {
    fn from_certificate(error: &CertificateError) -> Self {
        match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::NotYetValid
            }
            CertificateError::UnknownIssuer => Self::UnknownAuthority,
            CertificateError::NotValidForName => Self::WrongName {
                expected: String::new(),
            },
            CertificateError::NotValidForNameContext { expected, .. } => Self::WrongName {
                expected: expected.to_str().into_owned(),
            },
            CertificateError::Other(OtherError(other)) => match other.downcast_ref::<NotPinned>() {
                Some(NotPinned(key)) => Self::NotPinned { key: *key },
                None => Self::BadCertificate(printable(&other.to_string())),
            },
            other => Self::BadCertificate(printable(&other.to_string())),
        }
    }

    /// `None` for an error of the byte stream below.
    fn within(error: &io::Error) -> Option<Self> {
        let inner = error.get_ref()?.downcast_ref::<rustls::Error>()?;
        Some(Self::from(inner))
    }
}

impl Error {
    /// Why TLS failed, if that is what failed.
    #[must_use]
    pub fn tls(&self) -> Option<&TlsError> {
        self.source()?.downcast_ref()
    }

    /// An error of a TLS session behind its handshake: with TLS 1.3, a client only hears then that the
    /// server does not like its certificate.
    pub(crate) fn within_tls(error: &io::Error) -> Option<Self> {
        let why = TlsError::within(error)?;
        Some(Self::new(ErrorKind::Tls, format!("TLS failed: {why}")).caused_by(why))
    }
}

/// A handshake that failed.
pub(super) fn failed(what: &str, error: &io::Error) -> Error {
    let why = TlsError::within(error).unwrap_or_else(|| TlsError::Ended(error.kind()));
    Error::new(ErrorKind::Tls, format!("{what}: {why}")).caused_by(why)
}

/// Names in a certificate are the peer's to choose.
fn printable(text: &str) -> String {
    text.escape_default().take(300).collect()
}

/// How the verifier tells that a server is not the pinned one.
#[derive(Debug)]
pub(super) struct NotPinned(pub(super) Fingerprint);

impl fmt::Display for NotPinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not pinned: {}", self.0)
    }
}

impl StdError for NotPinned {}

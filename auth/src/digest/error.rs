//! Why a header of Digest is not understood.

use core::fmt;

use crate::header::HeaderError;

/// Why a challenge, credentials or an `Authentication-Info` are not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DigestError {
    /// The header is none of its kind.
    Header(HeaderError),
    /// It is of another scheme.
    Scheme,
    /// This parameter is missing.
    Missing(&'static str),
    /// The value of this parameter is not one that it can have.
    Invalid(&'static str),
    /// `username` and `username*` stand there both, or the latter with `userhash` (RFC 7616 §3.4).
    TwoNames,
    /// The algorithm is not known.
    Algorithm,
    /// No quality of protection that it offers is known.
    Qop,
}

impl fmt::Display for DigestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(error) => error.fmt(f),
            Self::Scheme => f.write_str("the scheme is not Digest"),
            Self::Missing(name) => write!(f, "{name} is missing"),
            Self::Invalid(name) => write!(f, "{name} has a value that it cannot have"),
            Self::TwoNames => f.write_str("username* stands beside username or userhash"),
            Self::Algorithm => f.write_str("the algorithm is not known"),
            Self::Qop => f.write_str("neither auth nor auth-int is offered"),
        }
    }
}

impl core::error::Error for DigestError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Header(error) => Some(error),
            _ => None,
        }
    }
}

impl From<HeaderError> for DigestError {
    fn from(error: HeaderError) -> Self {
        Self::Header(error)
    }
}

//! Who it is.

use core::fmt;

/// Who a client has proved to be. Behind a guard it stands in the request's `http::Extensions`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "who, and how that is known")]
pub struct Identity {
    /// The name of the user, or what a token or certificate was found to stand for.
    pub name: String,
    /// How that is known.
    pub scheme: Scheme,
}

/// How a client proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// By a password, shown (RFC 7617).
    Basic,
    /// By a password, not shown (RFC 7616).
    Digest,
    /// By a token (RFC 6750).
    Bearer,
    /// By a certificate in TLS.
    Certificate,
    /// By a ticket that the server has given out.
    Ticket,
}

impl Scheme {
    /// The name, which for those of HTTP is the one in their headers.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Basic => crate::basic::SCHEME,
            Self::Digest => crate::digest::SCHEME,
            Self::Bearer => "Bearer",
            Self::Certificate => "certificate",
            Self::Ticket => "ticket",
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

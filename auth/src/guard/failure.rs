//! What a log and a rate limit want to know.

use core::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use cloverleaf_proto::handshake::Received;

use crate::Scheme;

/// Credentials that were not taken. A request without any is no failure.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The address of the client, if it is known.
    pub address: Option<SocketAddr>,
    /// What it tried.
    pub scheme: Scheme,
    /// The user it claims to be. Its own words: print it escaped, as `Display` does here.
    pub user: Option<String>,
    /// What was wrong.
    pub reason: Reason,
}

/// Why credentials were not taken. It is for the server; the client learns no more than that
/// they were not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// They break their grammar, or stand there twice.
    Malformed,
    /// They came in the clear, where everybody can read them.
    Insecure,
    /// They use what the challenge did not offer.
    NotOffered,
    /// They are for another realm.
    Realm,
    /// They are for another target.
    Target,
    /// The nonce is not ours, or its key has been forgotten.
    ForgedNonce,
    /// There is no such user.
    UnknownUser,
    /// The password is wrong; with Basic, or there is no such user.
    WrongPassword,
    /// All is right, but the nonce is too old. An honest client tries again by itself.
    Expired,
    /// All is right, but the nonce has been used. An honest client tries again by itself.
    Replayed,
    /// The application does not take the token or the certificate.
    Refused,
    /// The store or the replay cache could not tell.
    Unavailable,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "they are malformed",
            Self::Insecure => "they came in the clear",
            Self::NotOffered => "they use what was not offered",
            Self::Realm => "they are for another realm",
            Self::Target => "they are for another target",
            Self::ForgedNonce => "the nonce is not ours",
            Self::UnknownUser => "there is no such user",
            Self::WrongPassword => "the password is wrong",
            Self::Expired => "the nonce has expired",
            Self::Replayed => "the nonce has been used",
            Self::Refused => "the application refuses them",
            Self::Unavailable => "the store of credentials could not tell",
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} credentials", self.scheme)?;
        if let Some(user) = &self.user {
            write!(f, " of \"{}\"", user.escape_debug())?;
        }
        if let Some(address) = self.address {
            write!(f, " from {address}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// Who wants to know.
#[derive(Clone, Default)]
pub(super) struct Listener(Option<Arc<Listen>>);

type Listen = dyn Fn(&Failure) + Send + Sync;

impl Listener {
    pub(super) fn new(listener: impl Fn(&Failure) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(listener)))
    }

    pub(super) fn tell(
        &self,
        received: &Received,
        scheme: Scheme,
        user: Option<&str>,
        reason: Reason,
    ) {
        if let Some(listener) = &self.0 {
            listener(&Failure {
                address: received.peer().and_then(|peer| peer.address),
                scheme,
                user: user.map(str::to_owned),
                reason,
            });
        }
    }
}

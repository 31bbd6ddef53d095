//! Where the server looks credentials up.
//!
//! | store | holds | Basic | Digest |
//! |---|---|---|---|
//! | [`Memory`] | users an application adds | yes | yes |
//! | [`Htdigest`] | a file of Apache's `htdigest`, with SHA-256 as well | yes | yes |
//! | [`Htpasswd`] | a file of Apache's `htpasswd`: bcrypt, argon2, `{SHA}` | yes | no |
//! | [`Reloading`] | one of the two files, loaded anew while serving | | |
//!
//! A database is a [`Store`] of one's own.

mod ha1;
mod htdigest;
mod htpasswd;
mod lines;
mod memory;
mod reload;
mod workers;

use core::fmt;
use core::future::{Future, ready};
use core::pin::Pin;

pub use htdigest::Htdigest;
pub use htpasswd::{Htpasswd, PasswordHash};
pub use lines::{BadLine, LineError, Loaded, Problem};
pub use memory::Memory;
pub use reload::{LoadError, Reloading};
pub use workers::Workers;

use crate::Secret;
use crate::digest::{Ha1, Hash};

/// What a store finds, now or later.
pub type Lookup<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Knows users and what proves who they are.
///
/// User names are compared octet by octet: a name in another normal form of Unicode is another name.
///
/// Who implements this must see to it that a user who is not known costs as much time as a wrong
/// password; the stores here do. The guards compare in constant time what [`ha1`](Self::ha1) finds,
/// and go through the same motions where it finds nothing.
pub trait Store: Send + Sync {
    /// For Digest: `H(user ":" realm ":" password)` (RFC 7616 §3.4.2).
    /// `None` if the user is not known in this realm, or not with this hash. The default knows
    /// nobody.
    ///
    /// # Errors
    ///
    /// The store cannot tell: the client is told 503.
    fn ha1<'a>(&'a self, user: &'a str, realm: &'a str, hash: Hash) -> Lookup<'a, Option<Ha1>> {
        let _ = (user, realm, hash);
        Box::pin(ready(Ok(None)))
    }

    /// For Digest with `userhash` (RFC 7616 §3.4.4): the user of whom `userhash` is
    /// `H(user ":" realm)` in lower-case hexadecimal. The default knows nobody.
    ///
    /// # Errors
    ///
    /// The store cannot tell: the client is told 503.
    fn user_of<'a>(
        &'a self,
        userhash: &'a str,
        realm: &'a str,
        hash: Hash,
    ) -> Lookup<'a, Option<String>> {
        let _ = (userhash, realm, hash);
        Box::pin(ready(Ok(None)))
    }

    /// For Basic: whether this is the user's password. The default asks [`ha1`](Self::ha1) for a
    /// SHA-256.
    ///
    /// # Errors
    ///
    /// The store cannot tell, or is too busy to: the client is told 503.
    fn verify<'a>(
        &'a self,
        user: &'a str,
        password: &'a Secret,
        realm: &'a str,
    ) -> Lookup<'a, bool> {
        Box::pin(async move {
            let found = self.ha1(user, realm, Hash::Sha256).await?;
            Ok(ha1::is_of(
                found.as_ref(),
                user,
                realm,
                password,
                Hash::Sha256,
            ))
        })
    }
}

/// A store that cannot tell.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError {
    /// Too much is being asked at once.
    Busy,
    /// Something else is wrong. For a log, not for the client.
    Failed(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str(
                "too many passwords wait to be checked; add workers, or choose a cheaper hash",
            ),
            Self::Failed(why) => write!(f, "the store of credentials has failed: {why}"),
        }
    }
}

impl core::error::Error for StoreError {}

/// Whether a name can stand in a file of users: not empty, no colon, no control character, and no `#`
/// in front, which would make a comment of the line.
fn can_be_stored(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('#') && is_field(name)
}

/// Whether a text can be a field of a line.
fn is_field(text: &str) -> bool {
    !text.contains(|c: char| c == ':' || c.is_control()) && text.trim() == text
}

//! Basic (RFC 7617).

use core::fmt;
use std::sync::Arc;

use cloverleaf_proto::handshake::{Check, Received, Rejection, RequestGuard};
use http::HeaderValue;

use super::failure::Listener;
use super::{Failure, Reason, shown};
use crate::basic::{challenge, decode};
use crate::header::Unwritable;
use crate::store::Store;
use crate::{Identity, Scheme};

/// Lets those pass who show a password that the store knows.
///
/// The password crosses the network as it is, so that this guard refuses all requests that do not
/// come over TLS, with 403 and without a challenge: a client must not be invited to send it.
///
/// ```
/// use std::sync::Arc;
///
/// use cloverleaf_auth::guard::Basic;
/// use cloverleaf_auth::store::Memory;
/// use cloverleaf_proto::handshake::ServerOptions;
///
/// let users = Memory::new().user("Aladdin", "cave", "open sesame");
/// let mut options = ServerOptions::default();
/// options.guards.push(Arc::new(Basic::new("cave", Arc::new(users))?));
/// # Ok::<(), cloverleaf_auth::header::Unwritable>(())
/// ```
pub struct Basic {
    realm: String,
    store: Arc<dyn Store>,
    challenge: HeaderValue,
    allow_insecure: bool,
    listener: Listener,
}

impl Basic {
    /// For the users of this store in this realm.
    ///
    /// # Errors
    ///
    /// A realm that cannot stand in a header.
    pub fn new(realm: &str, store: Arc<dyn Store>) -> Result<Self, Unwritable> {
        Ok(Self {
            realm: realm.to_owned(),
            store,
            challenge: challenge(realm)?.to_value(),
            allow_insecure: false,
            listener: Listener::default(),
        })
    }

    /// Takes passwords that come in the clear. Everybody between the client and the server can read
    /// them: for networks that nobody else is on.
    #[must_use]
    pub const fn allow_insecure_basic(mut self) -> Self {
        self.allow_insecure = true;
        self
    }

    /// Tells of credentials that are not taken. To slow a guesser down, put a guard in front that
    /// counts, such as with [`AllOf`](super::AllOf): it may wait.
    #[must_use]
    pub fn on_failure(mut self, listener: impl Fn(&Failure) + Send + Sync + 'static) -> Self {
        self.listener = Listener::new(listener);
        self
    }

    async fn decide(&self, received: &mut Received) -> Result<(), Rejection> {
        let tell = |received: &Received, user: Option<&str>, reason| {
            self.listener.tell(received, Scheme::Basic, user, reason);
        };
        let unauthorized = || Rejection::unauthorized(self.challenge.clone());
        let found = shown(
            received,
            Scheme::Basic,
            self.allow_insecure,
            "passwords are taken over TLS only",
            &self.challenge,
            &self.listener,
        )?;
        // What cannot be read counts as missing.
        let Some(shown) = found.as_ref().and_then(decode) else {
            tell(received, None, Reason::Malformed);
            return Err(unauthorized());
        };
        let verified = self.store.verify(&shown.user, &shown.password, &self.realm);
        match verified.await {
            Ok(true) => {
                received.request.extensions_mut().insert(Identity {
                    name: shown.user,
                    scheme: Scheme::Basic,
                });
                Ok(())
            }
            Ok(false) => {
                tell(received, Some(&shown.user), Reason::WrongPassword);
                Err(unauthorized())
            }
            Err(_) => {
                tell(received, Some(&shown.user), Reason::Unavailable);
                Err(Rejection::service_unavailable(None))
            }
        }
    }
}

impl RequestGuard for Basic {
    fn check<'a>(&'a self, received: &'a mut Received) -> Check<'a> {
        Box::pin(self.decide(received))
    }
}

impl fmt::Debug for Basic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Basic")
            .field("realm", &self.realm)
            .field("allow_insecure", &self.allow_insecure)
            .finish_non_exhaustive()
    }
}

//! Bearer (RFC 6750).

use core::fmt;
use core::future::{Future, ready};
use core::pin::Pin;

use cloverleaf_proto::handshake::{Check, Received, Rejection, RequestGuard};
use http::HeaderValue;
use http::header::WWW_AUTHENTICATE;

use super::failure::Listener;
use super::{Failure, Reason, shown};
use crate::header::{Challenge, Credentials, Params, Unwritable};
use crate::{Identity, Scheme, Secret};

const SCHEME: &str = "Bearer";

type Found = Pin<Box<dyn Future<Output = Result<String, Refused>> + Send>>;

/// Lets those pass who have a token that the application takes (RFC 6750).
///
/// Who has the token is taken for its owner, so that it is taken over TLS only, as a password is by
/// [`Basic`](super::Basic), and in the header `Authorization` only.
///
/// ```
/// use cloverleaf_auth::guard::{Bearer, Refused};
///
/// let guard = Bearer::new("chat", |token| match token.expose() {
///     b"mF_9.B5f-4.1JqM" => Ok("Ada".to_owned()),
///     _ => Err(Refused::InvalidToken),
/// })?;
/// # Ok::<(), cloverleaf_auth::header::Unwritable>(())
/// ```
pub struct Bearer {
    realm: String,
    challenges: Challenges,
    validate: Box<dyn Fn(Secret) -> Found + Send + Sync>,
    allow_insecure: bool,
    listener: Listener,
}

/// Made once.
struct Challenges {
    missing: HeaderValue,
    invalid_request: HeaderValue,
    invalid_token: HeaderValue,
    insufficient_scope: HeaderValue,
}

/// Why a token is not taken (RFC 6750 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// It is not known, has expired or was revoked: 401.
    InvalidToken,
    /// It is good, but not for this: 403.
    InsufficientScope,
    /// It cannot be looked at now: 503.
    Unavailable,
}

impl Bearer {
    /// For this realm, with a function that names who a token stands for. To compare tokens with
    /// what one knows, use constant time.
    ///
    /// # Errors
    ///
    /// A realm that cannot stand in a header.
    pub fn new(
        realm: &str,
        validate: impl Fn(Secret) -> Result<String, Refused> + Send + Sync + 'static,
    ) -> Result<Self, Unwritable> {
        Self::with(
            realm,
            Box::new(move |token| Box::pin(ready(validate(token)))),
        )
    }

    /// For this realm, with a function that has to ask somebody else.
    ///
    /// # Errors
    ///
    /// A realm that cannot stand in a header.
    pub fn asking<F>(
        realm: &str,
        validate: impl Fn(Secret) -> F + Send + Sync + 'static,
    ) -> Result<Self, Unwritable>
    where
        F: Future<Output = Result<String, Refused>> + Send + 'static,
    {
        Self::with(realm, Box::new(move |token| Box::pin(validate(token))))
    }

    fn with(
        realm: &str,
        validate: Box<dyn Fn(Secret) -> Found + Send + Sync>,
    ) -> Result<Self, Unwritable> {
        let plain = Params::new().quoted("realm", realm)?;
        let challenge = |error: &str| {
            let params = plain.clone().quoted("error", error)?;
            Ok::<_, Unwritable>(Challenge::new(SCHEME, params)?.to_value())
        };
        let challenges = Challenges {
            invalid_request: challenge("invalid_request")?,
            invalid_token: challenge("invalid_token")?,
            insufficient_scope: challenge("insufficient_scope")?,
            // RFC 6750 §3.1: without credentials, no error.
            missing: Challenge::new(SCHEME, plain.clone())?.to_value(),
        };
        Ok(Self {
            realm: realm.to_owned(),
            challenges,
            validate,
            allow_insecure: false,
            listener: Listener::default(),
        })
    }

    /// Takes tokens that come in the clear, where everybody can read them.
    #[must_use]
    pub const fn allow_insecure_bearer(mut self) -> Self {
        self.allow_insecure = true;
        self
    }

    /// Tells of tokens that are not taken.
    #[must_use]
    pub fn on_failure(mut self, listener: impl Fn(&Failure) + Send + Sync + 'static) -> Self {
        self.listener = Listener::new(listener);
        self
    }

    async fn decide(&self, received: &mut Received) -> Result<(), Rejection> {
        let tell = |received: &Received, reason| {
            self.listener.tell(received, Scheme::Bearer, None, reason);
        };
        let found = shown(
            received,
            Scheme::Bearer,
            self.allow_insecure,
            "tokens are taken over TLS only",
            &self.challenges.missing,
            &self.listener,
        )?;
        let Some(token) = found.as_ref().and_then(Credentials::token68) else {
            tell(received, Reason::Malformed);
            return Err(Rejection::bad_request("the token is not one")
                .with_header(WWW_AUTHENTICATE, self.challenges.invalid_request.clone()));
        };
        match (self.validate)(Secret::from(token)).await {
            Ok(name) => {
                received.request.extensions_mut().insert(Identity {
                    name,
                    scheme: Scheme::Bearer,
                });
                Ok(())
            }
            Err(Refused::InvalidToken) => {
                tell(received, Reason::Refused);
                Err(Rejection::unauthorized(
                    self.challenges.invalid_token.clone(),
                ))
            }
            Err(Refused::InsufficientScope) => {
                tell(received, Reason::Refused);
                Err(Rejection::forbidden("the token is not for this")
                    .with_header(WWW_AUTHENTICATE, self.challenges.insufficient_scope.clone()))
            }
            Err(Refused::Unavailable) => {
                tell(received, Reason::Unavailable);
                Err(Rejection::service_unavailable(None))
            }
        }
    }
}

impl RequestGuard for Bearer {
    fn check<'a>(&'a self, received: &'a mut Received) -> Check<'a> {
        Box::pin(self.decide(received))
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bearer")
            .field("realm", &self.realm)
            .field("allow_insecure", &self.allow_insecure)
            .finish_non_exhaustive()
    }
}

//! Digest (RFC 7616).

use core::fmt;
use std::sync::Arc;

use cloverleaf_proto::handshake::{Check, Received, Rejection, RequestGuard};
use http::{HeaderName, HeaderValue};

use super::failure::Listener;
use super::target::designates;
use super::{Failure, Reason, credentials, two_headers, unauthorized};
use crate::digest::{
    Age, Algorithm, Authorization, Challenge, DigestError, Ha1, Hash, Info, Nonces, Qop, Replay,
    ReplayCache, SCHEME, Usage, Username, matches,
};
use crate::header::{self, HeaderError, Unwritable};
use crate::store::Store;
use crate::{Identity, Scheme, Secret};

const AUTHENTICATION_INFO: HeaderName = HeaderName::from_static("authentication-info");

/// A value of credentials may be so long, but for `uri`.
const MAX_VALUE: usize = 1024;

/// Lets those pass who prove that they know a password, without showing it (RFC 7616).
///
/// It asks for SHA-256 and `qop=auth`, and takes nothing that it has not asked for. Each nonce is
/// good for one connection, of 300 s; the 101 proves that the server knows the password as well.
///
/// ```
/// use std::sync::Arc;
///
/// use cloverleaf_auth::digest::Nonces;
/// use cloverleaf_auth::guard::Digest;
/// use cloverleaf_auth::store::Memory;
/// use cloverleaf_proto::handshake::ServerOptions;
/// # use cloverleaf_proto::{Entropy, WallClock};
/// # fn serve(entropy: Arc<dyn Entropy>, clock: Arc<dyn WallClock>)
/// #     -> Result<(), Box<dyn std::error::Error>> {
///
/// let users = Memory::new().user("Mufasa", "ws@example.com", "Circle of Life");
/// let nonces = Nonces::new(entropy, clock);
/// let mut options = ServerOptions::default();
/// options.guards.push(Arc::new(Digest::new("ws@example.com", Arc::new(users), nonces)?));
/// # Ok(())
/// # }
/// ```
pub struct Digest {
    realm: String,
    store: Arc<dyn Store>,
    nonces: Arc<Nonces>,
    replay: Arc<dyn Replay>,
    sha512_256: bool,
    md5: bool,
    sessions: bool,
    auth_int: bool,
    userhash: bool,
    opaque: Option<String>,
    next_nonce: bool,
    listener: Listener,
    /// What stands in for the hash of a user who is not known; ready, as that of the others is.
    nobody: [Ha1; 3],
}

/// What is wrong with credentials, and whether a new nonce is all that is needed.
struct Denied {
    reason: Reason,
    answer: Answer,
}

enum Answer {
    /// 401; another password might do.
    Challenge,
    /// 401; the same password will do, with another nonce.
    Stale,
    /// Anything else.
    Other(Rejection),
}

impl Denied {
    const fn challenge(reason: Reason) -> Self {
        Self {
            reason,
            answer: Answer::Challenge,
        }
    }

    const fn stale(reason: Reason) -> Self {
        Self {
            reason,
            answer: Answer::Stale,
        }
    }

    const fn other(reason: Reason, rejection: Rejection) -> Self {
        Self {
            reason,
            answer: Answer::Other(rejection),
        }
    }

    fn unavailable() -> Self {
        Self::other(Reason::Unavailable, Rejection::service_unavailable(None))
    }
}

impl Digest {
    /// For the users of this store in this realm. `nonces` may be an `Arc`, so that one can
    /// rotate their key later.
    ///
    /// # Errors
    ///
    /// A realm that cannot stand in a header.
    pub fn new(
        realm: &str,
        store: Arc<dyn Store>,
        nonces: impl Into<Arc<Nonces>>,
    ) -> Result<Self, Unwritable> {
        let guard = Self {
            realm: realm.to_owned(),
            store,
            nonces: nonces.into(),
            replay: Arc::new(ReplayCache::new()),
            sha512_256: false,
            md5: false,
            sessions: false,
            auth_int: false,
            userhash: false,
            opaque: None,
            next_nonce: false,
            listener: Listener::default(),
            nobody: [Hash::Md5, Hash::Sha256, Hash::Sha512_256]
                .map(|hash| Ha1::new(hash, "", realm, &Secret::from(""))),
        };
        guard.challenges("", false)?;
        Ok(guard)
    }

    /// Where used nonces are remembered. Default: [`ReplayCache::new`], which lets each be used once.
    #[must_use]
    pub fn replay(mut self, replay: impl Replay + 'static) -> Self {
        self.replay = Arc::new(replay);
        self
    }

    /// Offers SHA-512-256 behind SHA-256. No browser knows it.
    #[must_use]
    pub const fn sha512_256(mut self) -> Self {
        self.sha512_256 = true;
        self
    }

    /// Offers MD5 behind the others, for clients that know nothing else. Whoever can change what
    /// passes on the network then makes all clients use it.
    #[must_use]
    pub const fn legacy_md5(mut self) -> Self {
        self.md5 = true;
        self
    }

    /// Offers each hash in its form `-sess` as well, behind the plain one. For one request, which a
    /// WebSocket is, there is no gain in it.
    #[must_use]
    pub const fn sessions(mut self) -> Self {
        self.sessions = true;
        self
    }

    /// Offers `auth-int` beside `auth`. The content of an opening handshake is empty, so that there
    /// is no gain in it.
    #[must_use]
    pub const fn auth_int(mut self) -> Self {
        self.auth_int = true;
        self
    }

    /// Lets clients hide their user's name (`userhash`), if the store has an index of those.
    #[must_use]
    pub const fn userhash(mut self) -> Self {
        self.userhash = true;
        self
    }

    /// What clients must repeat unchanged. Default: nothing; it adds no security.
    ///
    /// # Errors
    ///
    /// What cannot stand in a header.
    pub fn opaque(mut self, opaque: &str) -> Result<Self, Unwritable> {
        self.opaque = Some(opaque.to_owned());
        self.challenges("", false)?;
        Ok(self)
    }

    /// Hands the client a nonce for its next connection with the 101, which saves it a round trip
    /// then. Default: no; in 300 s few clients connect again.
    #[must_use]
    pub const fn next_nonce(mut self) -> Self {
        self.next_nonce = true;
        self
    }

    /// Tells of credentials that are not taken. To slow a guesser down, put a guard in front that
    /// counts, such as with [`AllOf`](super::AllOf): it may wait.
    #[must_use]
    pub fn on_failure(mut self, listener: impl Fn(&Failure) + Send + Sync + 'static) -> Self {
        self.listener = Listener::new(listener);
        self
    }

    /// The algorithms, the first the one to be preferred (RFC 7616 §3.7).
    fn offered(&self) -> impl Iterator<Item = Algorithm> {
        [
            (Hash::Sha256, true),
            (Hash::Sha512_256, self.sha512_256),
            (Hash::Md5, self.md5),
        ]
        .into_iter()
        .filter(|(_, offered)| *offered)
        .flat_map(|(hash, _)| [false, true].map(|session| Algorithm { hash, session }))
        .filter(|algorithm| self.sessions || !algorithm.session)
    }

    /// One header line for each algorithm: some clients do not understand several in one.
    fn challenges(&self, nonce: &str, stale: bool) -> Result<Vec<HeaderValue>, Unwritable> {
        self.offered()
            .map(|algorithm| {
                let mut challenge = Challenge::new(&self.realm, nonce, algorithm);
                if self.auth_int {
                    challenge.qop.push(Qop::AuthInt);
                }
                challenge.opaque.clone_from(&self.opaque);
                challenge.stale = stale;
                challenge.userhash = self.userhash;
                Ok(challenge.write()?.to_value())
            })
            .collect()
    }

    pub(super) fn unauthorized(&self, stale: bool) -> Rejection {
        let nonce = self.nonces.make(&self.realm);
        let challenges = self.challenges(&nonce, stale);
        unauthorized(challenges.unwrap_or_default()).unwrap_or_else(Rejection::internal_error)
    }

    async fn decide(&self, received: &mut Received) -> Result<(), Rejection> {
        let found = match credentials(received, SCHEME) {
            Ok(None) => return Err(self.unauthorized(false)),
            Ok(Some(found)) => read(&found),
            Err(error) => Err(malformed(DigestError::Header(error))),
        };
        let (user, denied) = match found {
            Err(denied) => (None, denied),
            Ok(shown) => match self.verify(received, &shown).await {
                Ok(()) => return Ok(()),
                Err(denied) => (Some(shown.username), denied),
            },
        };
        let user = user.as_ref().map(|user| match user {
            Username::Clear(name) | Username::Hashed(name) => &**name,
        });
        self.listener
            .tell(received, Scheme::Digest, user, denied.reason);
        Err(match denied.answer {
            Answer::Challenge => self.unauthorized(false),
            Answer::Stale => self.unauthorized(true),
            Answer::Other(rejection) => rejection,
        })
    }

    /// The order is that of what it costs and gives away: what anybody can see first, then what only
    /// we know of the nonce, then the password, and only then what is about honest clients.
    async fn verify(&self, received: &mut Received, shown: &Authorization) -> Result<(), Denied> {
        self.check_offered(shown)?;
        if shown.realm != self.realm {
            return Err(Denied::challenge(Reason::Realm));
        }
        // RFC 7616 §3.4.6: else credentials for one path would be good for all.
        if !designates(&shown.uri, received) {
            let rejection =
                Rejection::bad_request("the credentials are for another target than the request");
            return Err(Denied::other(Reason::Target, rejection));
        }
        let nonce = self
            .nonces
            .look_at(&shown.nonce, &self.realm)
            .ok_or(Denied::challenge(Reason::ForgedNonce))?;

        let (name, ha1) = self.find(shown).await?;
        let question = shown.question(received.request.method().as_str(), b"");
        // With somebody's hash for a user who is not known: it costs the same.
        let known = ha1.is_some();
        let Some(ha1) = ha1.or_else(|| self.nobody(shown.algorithm.hash)) else {
            return Err(Denied::challenge(Reason::NotOffered));
        };
        if !(matches(&ha1.response(&question), &shown.response) & known) {
            return Err(Denied::challenge(match known {
                true => Reason::WrongPassword,
                false => Reason::UnknownUser,
            }));
        }

        if nonce.age == Age::Expired {
            return Err(Denied::stale(Reason::Expired));
        }
        let usage = Usage::new(
            nonce.id,
            question.nc.number(),
            self.nonces.now(),
            self.nonces.expires(&nonce.id),
        );
        match self.replay.spend(usage).await {
            Ok(true) => {}
            Ok(false) => return Err(Denied::stale(Reason::Replayed)),
            Err(_) => return Err(Denied::unavailable()),
        }

        let info = Info {
            rspauth: Some(ha1.rspauth(&question)),
            qop: shown.qop,
            nc: shown.nc,
            cnonce: shown.cnonce.clone(),
            nextnonce: self.next_nonce.then(|| self.nonces.make(&self.realm)),
        };
        // The client's own words go back to it; what cannot stand in a header was not read either.
        if let Ok(value) = info.write() {
            received.response_headers.insert(AUTHENTICATION_INFO, value);
        }
        received.request.extensions_mut().insert(Identity {
            name,
            scheme: Scheme::Digest,
        });
        Ok(())
    }

    fn check_offered(&self, shown: &Authorization) -> Result<(), Denied> {
        let qop = match shown.qop {
            Some(Qop::Auth) => true,
            Some(Qop::AuthInt) => self.auth_int,
            // RFC 2069: what a challenge with a qop does not offer.
            None => false,
        };
        let is_offered = qop
            && self.offered().any(|algorithm| algorithm == shown.algorithm)
            && (self.userhash || matches!(shown.username, Username::Clear(_)))
            && (self.opaque.is_none() || self.opaque == shown.opaque);
        match is_offered {
            true => Ok(()),
            false => Err(Denied::challenge(Reason::NotOffered)),
        }
    }

    /// The name of the user, and what the store knows.
    async fn find(&self, shown: &Authorization) -> Result<(String, Option<Ha1>), Denied> {
        let hash = shown.algorithm.hash;
        let name = match &shown.username {
            Username::Clear(name) => Ok(Some(name.clone())),
            Username::Hashed(hidden) => self.store.user_of(hidden, &self.realm, hash).await,
        };
        let name = name.map_err(|_| Denied::unavailable())?;
        let is_known = name.is_some();
        // RFC 7616 §3.4.4: the hash of the password is over the name itself.
        let name = name.unwrap_or_default();
        let found = self.store.ha1(&name, &self.realm, hash).await;
        let found = found.map_err(|_| Denied::unavailable())?;
        Ok((name, found.filter(|ha1| is_known && ha1.hash() == hash)))
    }

    fn nobody(&self, hash: Hash) -> Option<Ha1> {
        self.nobody.iter().find(|ha1| ha1.hash() == hash).cloned()
    }
}

fn read(found: &header::Credentials) -> Result<Authorization, Denied> {
    let params = found.params().filter(|params| !params.is_empty());
    let is_too_long = |(name, value): (&str, &[u8])| name != "uri" && value.len() > MAX_VALUE;
    if params.is_none_or(|params| params.iter().any(is_too_long)) {
        return Err(Denied::challenge(Reason::Malformed));
    }
    Authorization::parse(found).map_err(malformed)
}

/// Who breaks the grammar has no credentials; who leaves something out, or writes what cannot be, is
/// told so (RFC 7616 §3.4).
fn malformed(error: DigestError) -> Denied {
    match error {
        DigestError::Header(HeaderError::TwoHeaders) => {
            Denied::other(Reason::Malformed, two_headers())
        }
        DigestError::Missing(_) | DigestError::Invalid(_) | DigestError::TwoNames => {
            Denied::other(Reason::Malformed, Rejection::bad_request(error.to_string()))
        }
        DigestError::Algorithm => Denied::challenge(Reason::NotOffered),
        _ => Denied::challenge(Reason::Malformed),
    }
}

impl RequestGuard for Digest {
    fn check<'a>(&'a self, received: &'a mut Received) -> Check<'a> {
        Box::pin(self.decide(received))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digest")
            .field("realm", &self.realm)
            .field("nonces", &self.nonces)
            .field("offered", &self.offered().collect::<Vec<_>>())
            .field("auth_int", &self.auth_int)
            .field("userhash", &self.userhash)
            .field("next_nonce", &self.next_nonce)
            .finish_non_exhaustive()
    }
}

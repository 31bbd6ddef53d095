//! Answering challenges.

use core::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use cloverleaf_proto::Entropy;
use cloverleaf_proto::handshake::{Authenticator, ClientRequest, Peer, ResponseHandler};
use http::header::{AUTHORIZATION, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};

use super::credentials::{Credentials, Kind};
use super::memory::{Known, Memory, Place};
use super::place::{Origin, folder, is_tunnel, target};
use super::policy::{Choice, Policy, qop_of};
use super::proof::Proof;
use crate::basic::{self, UserPass};
use crate::digest::{self, Authorization, NonceCount, Question, Username};
use crate::header::{self, parse_challenges};

/// Answers the challenges of servers and proxies with a client's [`Credentials`]: an
/// [`Authenticator`] for the engine.
///
/// One answer is sent to each challenge, and one more if it says that the nonce was too old
/// (`stale`); the same nonce again, or a second refusal, ends it. Credentials go to the origin of the
/// URL that is opened and to no other, and those for a proxy only with `CONNECT`.
///
/// What is sent unasked, with the first request: a token, where [`Policy`] allows it; Basic, below a
/// path where this origin has taken it (RFC 7617 §2.2); and Digest with the nonce that the server
/// has named for the next request (`nextnonce`).
#[derive(Clone, Debug)]
pub struct Responder(Arc<Shared>);

#[derive(Clone)]
struct Settings {
    entropy: Arc<dyn Entropy>,
    server: Option<Credentials>,
    policy: Policy,
    proxy: Option<(Credentials, Policy)>,
    reuse_nonces: bool,
    require_proof: bool,
}

struct Shared {
    settings: Settings,
    memory: Mutex<Memory>,
}

impl Responder {
    /// One that knows the user and password of the URL that is opened, if it has them. The octets of
    /// `entropy` become the client's nonces.
    #[must_use]
    pub fn new(entropy: Arc<dyn Entropy>) -> Self {
        let settings = Settings {
            entropy,
            server: None,
            policy: Policy::new(),
            proxy: None,
            reuse_nonces: false,
            require_proof: false,
        };
        Self::with(settings)
    }

    fn with(settings: Settings) -> Self {
        Self(Arc::new(Shared {
            settings,
            memory: Mutex::default(),
        }))
    }

    fn change(self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = self.0.settings.clone();
        change(&mut settings);
        Self::with(settings)
    }

    /// Shows these to a server whose URL has none.
    #[must_use]
    pub fn credentials(self, credentials: Credentials) -> Self {
        self.change(|it| it.server = Some(credentials))
    }

    /// Which challenges of servers are answered.
    #[must_use]
    pub fn policy(self, policy: Policy) -> Self {
        self.change(|it| it.policy = policy)
    }

    /// Shows these to a proxy that asks (407), as far as this policy allows. The way to it counts as
    /// clear unless the [`Peer`] in the extensions of the `CONNECT` request says that it is TLS.
    #[must_use]
    pub fn proxy(self, credentials: Credentials, policy: Policy) -> Self {
        self.change(|it| it.proxy = Some((credentials, policy)))
    }

    /// Sends the nonce of a challenge that was answered again, counted up, with the next opening
    /// handshake to the same origin. Default: no; a server of this project takes each nonce once
    /// unless told otherwise, and one more refusal would cost what it saves.
    #[must_use]
    pub fn reuse_nonces(self) -> Self {
        self.change(|it| it.reuse_nonces = true)
    }

    /// Refuses a server that took an answer to Digest and does not prove that it knows the password
    /// too (`rspauth`). Default: no; few servers do. A proof that is wrong is always refused.
    #[must_use]
    pub fn require_proof(self) -> Self {
        self.change(|it| it.require_proof = true)
    }
}

impl Authenticator for Responder {
    fn begin(&self, request: &ClientRequest) -> Box<dyn ResponseHandler> {
        let own = request
            .userinfo()
            .and_then(|userinfo| Credentials::from_userinfo(userinfo).ok());
        Box::new(Answers {
            origin: Origin::of(request),
            credentials: own.or_else(|| self.0.settings.server.clone()),
            shared: Arc::clone(&self.0),
            server: Dialogue::default(),
            proxy: Dialogue::default(),
        })
    }
}

/// The answers of one opening handshake.
#[derive(Debug)]
struct Answers {
    shared: Arc<Shared>,
    origin: Origin,
    credentials: Option<Credentials>,
    server: Dialogue,
    proxy: Dialogue,
}

/// What was said to one of the two who may ask.
#[derive(Debug, Default)]
struct Dialogue {
    /// The credentials in the last request.
    sent: Option<Sent>,
    /// A challenge of this opening handshake was answered.
    has_answered: bool,
    /// And then another, since the nonce of the first was too old.
    was_stale: bool,
}

#[derive(Debug)]
enum Sent {
    Digest(Box<Proof>),
    Basic,
    Bearer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Server,
    Proxy,
}

impl Side {
    /// Who is asked with this request.
    fn of(request: &Request<()>) -> Self {
        if is_tunnel(request) {
            Self::Proxy
        } else {
            Self::Server
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::Server => StatusCode::UNAUTHORIZED,
            Self::Proxy => StatusCode::PROXY_AUTHENTICATION_REQUIRED,
        }
    }

    const fn asks(self) -> HeaderName {
        match self {
            Self::Server => WWW_AUTHENTICATE,
            Self::Proxy => PROXY_AUTHENTICATE,
        }
    }

    const fn answers(self) -> HeaderName {
        match self {
            Self::Server => AUTHORIZATION,
            Self::Proxy => PROXY_AUTHORIZATION,
        }
    }

    const fn info(self) -> HeaderName {
        match self {
            Self::Server => HeaderName::from_static("authentication-info"),
            Self::Proxy => HeaderName::from_static("proxy-authentication-info"),
        }
    }
}

/// Who asks, and what may be shown there.
struct Asker {
    side: Side,
    place: Place,
    credentials: Credentials,
    policy: Policy,
    is_secure: bool,
}

impl Answers {
    /// `None` if nothing may be shown to whom this request goes.
    fn asker(&self, request: &Request<()>) -> Option<Asker> {
        let settings = &self.shared.settings;
        let side = Side::of(request);
        match side {
            Side::Server if self.origin.is_of(request) => Some(Asker {
                side,
                place: Place::Origin(self.origin.clone()),
                credentials: self.credentials.clone()?,
                policy: settings.policy,
                is_secure: self.origin.is_secure,
            }),
            Side::Server => None,
            Side::Proxy => {
                let (credentials, policy) = settings.proxy.clone()?;
                let peer = request.extensions().get::<Peer>();
                Some(Asker {
                    side,
                    place: Place::Proxy,
                    credentials,
                    policy,
                    is_secure: peer.is_some_and(|peer| peer.secure),
                })
            }
        }
    }

    const fn dialogue(&mut self, side: Side) -> &mut Dialogue {
        match side {
            Side::Server => &mut self.server,
            Side::Proxy => &mut self.proxy,
        }
    }

    /// What is known to be asked for.
    fn unasked(&self, asker: &Asker, request: &Request<()>) -> Option<(HeaderValue, Sent)> {
        match &asker.credentials.0 {
            Kind::Token(_) if asker.policy.takes_bearer(asker.is_secure) => {
                self.answer(asker, Choice::Bearer, NonceCount::FIRST, request)
            }
            Kind::Token(_) => None,
            Kind::Password(_) => {
                let sent_to = target(request);
                let mut memory = self.shared.memory();
                if memory.has_basic(&asker.place, &sent_to) {
                    drop(memory);
                    return self.answer(asker, Choice::Basic, NonceCount::FIRST, request);
                }
                let reuse = self.shared.settings.reuse_nonces;
                let (challenge, nc) = memory.take_digest(&asker.place, reuse, |challenge| {
                    // RFC 7616 §3.3: a proxy's domain does not count.
                    asker.side == Side::Proxy || self.origin.covers(&challenge.domain, &sent_to)
                })?;
                drop(memory);
                self.answer(asker, Choice::Digest(Box::new(challenge)), nc, request)
            }
        }
    }

    fn answer(
        &self,
        asker: &Asker,
        choice: Choice,
        nc: NonceCount,
        request: &Request<()>,
    ) -> Option<(HeaderValue, Sent)> {
        match (choice, &asker.credentials.0) {
            (Choice::Bearer, Kind::Token(token)) => {
                let token = core::str::from_utf8(token.expose()).ok()?;
                let credentials = header::Credentials::with_token68("Bearer", token).ok()?;
                Some((credentials.to_value(), Sent::Bearer))
            }
            (Choice::Basic, Kind::Password(pair)) => {
                let credentials = basic::encode(&pair.user, &pair.password).ok()?;
                Some((credentials.to_value(), Sent::Basic))
            }
            (Choice::Digest(challenge), Kind::Password(pair)) => {
                let mut random = [0; 16];
                self.shared.settings.entropy.fill(&mut random);
                let cnonce: String = random.iter().map(|octet| format!("{octet:02x}")).collect();
                let uri = target(request);
                let question = Question {
                    algorithm: challenge.algorithm,
                    realm: &challenge.realm,
                    nonce: &challenge.nonce,
                    cnonce: &cnonce,
                    nc,
                    qop: Some(qop_of(&challenge)),
                    method: request.method().as_str(),
                    uri: &uri,
                    content: b"",
                };
                let mut sent = Authorization::new(username(pair, &challenge), &question);
                // Without charset=UTF-8 the server may never have heard of the extended form.
                sent.extended = challenge.utf8 && !pair.user.is_ascii();
                sent.response = digest::response(&pair.user, &pair.password, &question);
                sent.opaque.clone_from(&challenge.opaque);
                let value = sent.write().ok()?.to_value();
                let proof = Proof::new(*challenge, sent, pair.clone());
                Some((value, Sent::Digest(Box::new(proof))))
            }
            _ => None,
        }
    }
}

/// RFC 7616 §3.4.4: a server that can find a name by its hash need not be told it.
fn username(pair: &UserPass, challenge: &digest::Challenge) -> Username {
    if challenge.userhash {
        let hash = challenge.algorithm.hash;
        Username::Hashed(digest::userhash(hash, &pair.user, &challenge.realm))
    } else {
        Username::Clear(pair.user.clone())
    }
}

impl Dialogue {
    /// Whether this is to be answered, after what was sent.
    fn goes_on(&self, choice: &Choice) -> bool {
        match (choice, &self.sent) {
            // They would be the same again.
            (Choice::Basic, Some(Sent::Basic)) | (Choice::Bearer, Some(Sent::Bearer)) => false,
            (Choice::Digest(challenge), Some(Sent::Digest(proof)))
                if challenge.nonce == proof.nonce() =>
            {
                false
            }
            // RFC 7616 §3.3: nothing but the nonce was wrong.
            (Choice::Digest(challenge), _) if self.has_answered => {
                challenge.stale && !self.was_stale
            }
            _ => !self.has_answered,
        }
    }
}

impl ResponseHandler for Answers {
    fn prepare(&mut self, request: &Request<()>) -> HeaderMap {
        let Some(asker) = self.asker(request) else {
            return HeaderMap::new();
        };
        // Whoever writes the header knows better.
        if request.headers().contains_key(asker.side.answers()) {
            return HeaderMap::new();
        }
        let Some((value, sent)) = self.unasked(&asker, request) else {
            return HeaderMap::new();
        };
        self.dialogue(asker.side).sent = Some(sent);
        HeaderMap::from_iter([(asker.side.answers(), value)])
    }

    fn retry(&mut self, request: &Request<()>, response: &Response<Bytes>) -> Option<HeaderMap> {
        let asker = self.asker(request)?;
        if response.status() != asker.side.status() {
            return None;
        }
        self.shared.memory().forget(&asker.place);
        let challenges = parse_challenges(response.headers().get_all(asker.side.asks()));
        let kind = &asker.credentials.0;
        let choice = asker.policy.choose(&challenges, kind, asker.is_secure)?;
        let dialogue = self.dialogue(asker.side);
        if !dialogue.goes_on(&choice) {
            return None;
        }
        dialogue.was_stale = dialogue.has_answered;
        dialogue.has_answered = true;
        let (value, sent) = self.answer(&asker, choice, NonceCount::FIRST, request)?;
        self.dialogue(asker.side).sent = Some(sent);
        Some(HeaderMap::from_iter([(asker.side.answers(), value)]))
    }

    fn opened(&mut self, request: &Request<()>, response: &Response<()>) -> Result<(), String> {
        let Some(asker) = self.asker(request) else {
            return Ok(());
        };
        let settings = &self.shared.settings;
        let dialogue = match asker.side {
            Side::Server => &self.server,
            Side::Proxy => &self.proxy,
        };
        let known = match &dialogue.sent {
            Some(Sent::Digest(proof)) => {
                let info = response.headers().get_all(asker.side.info());
                let next = proof.check(info, settings.require_proof)?;
                proof.next(next, settings.reuse_nonces)
            }
            Some(Sent::Basic) => {
                let below = match asker.side {
                    Side::Server => folder(request.uri().path()),
                    Side::Proxy => "",
                };
                Some(Known::Basic(below.to_owned()))
            }
            Some(Sent::Bearer) | None => None,
        };
        if let Some(known) = known {
            self.shared.memory().keep(asker.place, known);
        }
        Ok(())
    }
}

impl Shared {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        // What it holds is right after each of its methods.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("server", &self.settings.server)
            .field("policy", &self.settings.policy)
            .field("proxy", &self.settings.proxy)
            .field("reuse_nonces", &self.settings.reuse_nonces)
            .field("require_proof", &self.settings.require_proof)
            .finish_non_exhaustive()
    }
}

//! A server's guard (RFC 9110 §11, RFC 7617, RFC 7616), plainly: it remembers every nonce that it
//! gave out, and every count that was used.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use cloverleaf_judge::authentication::{
    Algorithm, Credentials, Element, Hash, Inputs, Login, elements,
};
use cloverleaf_judge::http::Head;
use cloverleaf_judge::random::Random;

use super::super::Faulty;
use super::super::fault::Kind;

const REALM: &str = "ws@example.com";
const OPAQUE: &str = "b3A=";

/// What a server knows of who may come in.
#[derive(Debug)]
pub struct Guard {
    login: Login,
    token: String,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    random: Random,
    given: HashSet<String>,
    used: HashSet<String>,
    last: String,
}

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::faulty) enum Refused {
    /// 401.
    Unknown,
    /// 401, and only the nonce was wrong.
    Stale,
    /// 400.
    Broken,
}

impl Guard {
    /// Lets in whoever has these.
    pub fn new(credentials: &Credentials) -> Self {
        Self {
            login: credentials.login.clone().unwrap_or_default(),
            token: credentials.token.clone().unwrap_or_default(),
            state: Mutex::new(State {
                random: Random::new(),
                given: HashSet::new(),
                used: HashSet::new(),
                last: String::new(),
            }),
        }
    }

    /// The values of `WWW-Authenticate` (RFC 9110 §11.6.1).
    pub(in crate::faulty) fn challenges(&self, stale: bool, faulty: Faulty) -> Vec<String> {
        if faulty.has(Kind::ChallengesNothing) {
            return Vec::new();
        }
        let nonce = self.nonce(faulty);
        let stale = stale && !faulty.has(Kind::RefusesReplaysForGood);
        let mut algorithms = vec![
            Algorithm::SHA_256,
            Algorithm::SHA_256_SESS,
            Algorithm::SHA_512_256,
            Algorithm::SHA_512_256_SESS,
            Algorithm::MD5,
            Algorithm::MD5_SESS,
        ];
        match faulty.0 {
            Some(Kind::OffersMd5First) => algorithms.rotate_right(2),
            Some(Kind::OffersAnAlgorithmTwice) => algorithms.insert(1, Algorithm::SHA_256),
            Some(Kind::TakesUnofferedAlgorithms) => algorithms.truncate(1),
            _ => {}
        }
        let mut lines: Vec<_> = algorithms
            .into_iter()
            .map(|algorithm| digest(algorithm, &nonce, stale, faulty))
            .collect();
        let realm = match faulty.has(Kind::ChallengesWithoutRealm) {
            true => "charset=\"UTF-8\"".to_owned(),
            false => format!("realm=\"{REALM}\""),
        };
        lines.push(format!("Basic {realm}"));
        lines.push(format!("Bearer {realm}"));
        lines
    }

    fn nonce(&self, faulty: Faulty) -> String {
        let mut state = self.state();
        if faulty.has(Kind::RepeatsNonces) && !state.last.is_empty() {
            return state.last.clone();
        }
        let mut nonce = format!(
            "{:016x}{:016x}",
            state.random.number(),
            state.random.number()
        );
        if faulty.has(Kind::GivesOutShortNonces) {
            nonce.truncate(8);
        }
        state.given.insert(nonce.clone());
        state.last.clone_from(&nonce);
        nonce
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a request may come in; with `Authentication-Info`, if there is something to say.
    pub(in crate::faulty) fn check(
        &self,
        head: &Head,
        faulty: Faulty,
    ) -> Result<Option<String>, Refused> {
        let values: Vec<_> = head.values("Authorization").collect();
        let value = match (&values[..], faulty.0) {
            ([], _) => return Err(Refused::Unknown),
            (_, Some(Kind::LetsInAnyCredentials)) => return Ok(None),
            ([value], _) => value,
            ([value, ..], Some(Kind::TakesTheFirstAuthorization)) => value,
            ([.., value], Some(Kind::TakesTheLastAuthorization)) => value,
            _ => return Err(Refused::Broken),
        };
        let Ok(element) = only(value, faulty) else {
            return Err(Refused::Broken);
        };
        let is = |scheme: &str| match faulty.has(Kind::ComparesSchemesByCase) {
            true => element.scheme == scheme,
            false => element.is(scheme),
        };
        if is("Digest") {
            self.digest(&element, head, faulty)
        } else if is("Basic") {
            self.basic(&element, faulty).map(|()| None)
        } else if is("Bearer") {
            let token = element.token68.as_deref().unwrap_or_default();
            same(token, &self.token, faulty).map(|()| None)
        } else {
            Err(Refused::Unknown)
        }
    }

    /// RFC 7617 §2
    fn basic(&self, element: &Element, faulty: Faulty) -> Result<(), Refused> {
        let token = element.token68.as_deref().ok_or(Refused::Broken)?;
        let octets = BASE64.decode(token).map_err(|_| Refused::Broken)?;
        let text = String::from_utf8(octets).map_err(|_| Refused::Broken)?;
        let (user, password) = text.split_once(':').ok_or(Refused::Broken)?;
        let user = match faulty.has(Kind::ReadsNamesToTheirNul) {
            true => user.split('\0').next().unwrap_or_default(),
            false => user,
        };
        if faulty.has(Kind::LetsInTheNameless) && user.is_empty() {
            return Ok(());
        }
        if user != self.login.user && !faulty.has(Kind::IgnoresTheName) {
            return Err(Refused::Unknown);
        }
        if password.is_empty() && faulty.has(Kind::LetsInEmptyPasswords) {
            return Ok(());
        }
        same(password, &self.login.password, faulty)
    }

    /// RFC 7616 §3.4
    fn digest(
        &self,
        element: &Element,
        head: &Head,
        faulty: Faulty,
    ) -> Result<Option<String>, Refused> {
        let has = |kind| faulty.has(kind);
        let value = |name| element.value(name);
        let needed = |name| value(name).ok_or(Refused::Broken);
        let target = head.target().unwrap_or_default();
        if has(Kind::TakesAnyResponse) {
            return Ok(None);
        }
        for name in ["qop", "nc", "algorithm"] {
            let quoted = element
                .parameter(name)
                .is_some_and(|parameter| parameter.quoted);
            if quoted && has(Kind::RefusesQuotedTokens) {
                return Err(Refused::Broken);
            }
        }
        let algorithm = match value("algorithm") {
            Some(name) => match Algorithm::named(name) {
                Some(algorithm) => algorithm,
                None if has(Kind::TakesUnknownAlgorithms) => Algorithm::SHA_256,
                None => return Err(Refused::Broken),
            },
            None => Algorithm::MD5,
        };
        let filled = |name, own: &str| match (value(name), has(Kind::FillsInWhatIsMissing)) {
            (Some(value), _) => Ok(value.to_owned()),
            (None, true) => Ok(own.to_owned()),
            (None, false) => Err(Refused::Broken),
        };
        let realm = filled("realm", REALM)?;
        if realm != REALM && !has(Kind::IgnoresTheRealm) {
            return Err(Refused::Unknown);
        }
        if value("opaque") != Some(OPAQUE) && !has(Kind::IgnoresOpaque) {
            return Err(Refused::Unknown);
        }
        let uri = filled("uri", target)?;
        let path = |text: &str| text.split('?').next().unwrap_or_default().to_owned();
        let right = match faulty.0 {
            Some(Kind::IgnoresTheUri) => true,
            Some(Kind::IgnoresTheQueryOfTheUri) => path(&uri) == path(target),
            _ => uri == target,
        };
        if !right {
            return Err(Refused::Broken);
        }
        let qop = match value("qop") {
            Some(qop) if matches!(qop, "auth" | "auth-int") => Some(qop.to_owned()),
            Some(qop) if has(Kind::TakesUnknownQop) => Some(qop.to_owned()),
            None if has(Kind::TakesTheWayOfRfc2069) => None,
            _ => return Err(Refused::Broken),
        };
        let (nc, cnonce) = match qop {
            Some(_) => (filled("nc", "00000001")?, needed("cnonce")?.to_owned()),
            None => (String::new(), String::new()),
        };
        let digits = nc.len() == 8 && nc.bytes().all(|octet| octet.is_ascii_hexdigit());
        let count = digits && nc != "00000000";
        if qop.is_some() && !count && !has(Kind::TakesAnyCount) {
            return Err(Refused::Broken);
        }
        let nonce = filled("nonce", &self.state().last.clone())?;
        let mut inputs = Inputs {
            algorithm,
            user: self.login.user.clone(),
            password: self.login.password.clone(),
            realm,
            nonce,
            method: "GET".to_owned(),
            uri,
            qop,
            nc,
            cnonce,
        };
        self.name(element, &inputs, faulty)?;
        match faulty.0 {
            Some(Kind::CutsSha512) if algorithm.hash == Hash::Sha512_256 => {
                inputs.algorithm.hash = Hash::CutSha512;
            }
            Some(Kind::ComputesSessionsAsPlain) => inputs.algorithm.session = false,
            _ => {}
        }
        let response = needed("response")?;
        let computed = match faulty.0 {
            Some(Kind::ComputesAuthIntAsAuth) => without_body(&inputs),
            _ => inputs.response(),
        };
        let posted = Inputs {
            method: "POST".to_owned(),
            ..inputs.clone()
        };
        let right = match faulty.0 {
            Some(Kind::ComparesTheBeginning) => computed.starts_with(response),
            Some(Kind::ComparesResponsesByCase) => computed == response,
            Some(Kind::IgnoresTheMethod) => response == computed || response == posted.response(),
            _ => computed.eq_ignore_ascii_case(response),
        };
        let mut state = self.state();
        let given = state.given.contains(&inputs.nonce) || has(Kind::TakesAnyNonce);
        if has(Kind::UsesNoncesUpByWrongResponses) && !right {
            state.given.remove(&inputs.nonce);
        }
        if !given {
            return Err(match has(Kind::SaysStaleForAnyNonce) {
                true => Refused::Stale,
                false => Refused::Unknown,
            });
        }
        // A nonce is for one connection.
        let used = state.used.contains(&inputs.nonce);
        if used && has(Kind::SaysStaleForWrongResponses) {
            return Err(Refused::Stale);
        }
        if !right {
            return Err(Refused::Unknown);
        }
        if used && !has(Kind::AcceptsReplays) {
            return Err(Refused::Stale);
        }
        state.used.insert(inputs.nonce.clone());
        Ok(Some(info(&inputs, faulty)))
    }

    /// Whether this is the name of who may come in.
    fn name(&self, element: &Element, inputs: &Inputs, faulty: Faulty) -> Result<(), Refused> {
        let user = &self.login.user;
        let extended = element.value("username*").map(|value| {
            let text = value
                .get(..7)
                .filter(|start| start.eq_ignore_ascii_case("UTF-8''"));
            decoded(text.map_or("", |_| &value[7..]))
        });
        let plain = element.value("username");
        let hashed = element.value("userhash") == Some("true");
        let name = match (plain, extended) {
            (Some(_), Some(_)) if !faulty.has(Kind::TakesTwoNames) => return Err(Refused::Broken),
            (None, Some(_)) if faulty.has(Kind::RefusesExtendedNames) => {
                return Err(Refused::Broken);
            }
            (Some(name), _) => name.to_owned(),
            (None, Some(name)) => name,
            (None, None) if faulty.has(Kind::FillsInWhatIsMissing) => user.clone(),
            (None, None) => return Err(Refused::Broken),
        };
        let right = match (hashed, faulty.0) {
            (_, Some(Kind::IgnoresTheName)) => true,
            (true, Some(Kind::RefusesUserhash)) => false,
            (true, Some(Kind::TakesAnyUserhash)) => true,
            (true, _) => name == inputs.userhash(),
            (false, _) => name == *user,
        };
        right.then_some(()).ok_or(Refused::Unknown)
    }
}

/// One challenge of Digest (RFC 7616 §3.3).
fn digest(algorithm: Algorithm, nonce: &str, stale: bool, faulty: Faulty) -> String {
    let mut list = vec![
        format!("realm=\"{REALM}\""),
        "qop=\"auth, auth-int\"".to_owned(),
        format!("algorithm={}", algorithm.name()),
        format!("nonce=\"{nonce}\""),
        format!("opaque=\"{OPAQUE}\""),
        "userhash=true".to_owned(),
    ];
    match faulty.0 {
        Some(Kind::ChallengesWithoutRealm) => drop(list.remove(0)),
        Some(Kind::ChallengesWithoutQop) => drop(list.remove(1)),
        Some(Kind::QuotesTheAlgorithm) => list[2] = format!("algorithm=\"{}\"", algorithm.name()),
        _ => {}
    }
    if stale || faulty.has(Kind::AlwaysSaysStale) {
        list.push("stale=true".to_owned());
    }
    format!("Digest {}", list.join(", "))
}

/// The only credentials in a field, read as the faults have it.
fn only(value: &str, faulty: Faulty) -> Result<Element, ()> {
    let spaced = value.contains('\t') || value.contains(" ,") || value.contains(" =");
    if spaced && faulty.has(Kind::SplitsAtCommaAndSpace) {
        return Err(());
    }
    if value.contains('\\') && faulty.has(Kind::RefusesEscapes) {
        return Err(());
    }
    if value.contains("x-new") && faulty.has(Kind::RefusesUnknownParameters) {
        return Err(());
    }
    if faulty.has(Kind::ComparesParametersByCase) && value.contains("REALM=") {
        return Err(());
    }
    let value = match faulty.0 {
        Some(Kind::TakesTheFirstOfTwins) => without_twins(value),
        Some(Kind::ReadsBase64ToItsPadding) if value.starts_with("Basic ") => value
            .split_inclusive('=')
            .next()
            .unwrap_or_default()
            .to_owned(),
        _ => value.to_owned(),
    };
    let mut all = elements(&value).map_err(|_| ())?;
    match (all.pop(), all.is_empty()) {
        (Some(element), true) => Ok(element),
        (Some(element), false) if faulty.has(Kind::TakesTheLastScheme) => Ok(element),
        _ => Err(()),
    }
}

/// Without parameters that have come before.
fn without_twins(value: &str) -> String {
    let mut seen = HashSet::new();
    let parts = value.split(", ");
    let kept: Vec<_> = parts
        .filter(|part| {
            let name = part.split('=').next().unwrap_or_default();
            seen.insert(name.rsplit(' ').next().unwrap_or_default())
        })
        .collect();
    kept.join(", ")
}

/// Whether two secrets are equal.
fn same(sent: &str, known: &str, faulty: Faulty) -> Result<(), Refused> {
    let same = match faulty.0 {
        Some(Kind::ComparesTheBeginning) => known.starts_with(sent),
        Some(Kind::ComparesPasswordsInAnyCase) => known.eq_ignore_ascii_case(sent),
        _ => known == sent,
    };
    same.then_some(()).ok_or(Refused::Unknown)
}

/// The response as if qop were auth, whatever it is.
fn without_body(inputs: &Inputs) -> String {
    let Inputs { algorithm, .. } = inputs;
    let hash = |text: String| algorithm.hash.of(&text);
    let mut a1 = hash(format!(
        "{}:{}:{}",
        inputs.user, inputs.realm, inputs.password
    ));
    if algorithm.session {
        a1 = hash(format!("{a1}:{}:{}", inputs.nonce, inputs.cnonce));
    }
    let a2 = hash(format!("{}:{}", inputs.method, inputs.uri));
    let Inputs {
        nonce, nc, cnonce, ..
    } = inputs;
    let qop = inputs.qop.as_deref().unwrap_or_default();
    hash(format!("{a1}:{nonce}:{nc}:{cnonce}:{qop}:{a2}"))
}

/// RFC 7616 §3.5
fn info(inputs: &Inputs, faulty: Faulty) -> String {
    let rspauth = match faulty.has(Kind::ProvesNothing) {
        true => inputs.response(),
        false => inputs.rspauth(),
    };
    let Inputs { nc, cnonce, .. } = inputs;
    let qop = inputs.qop.as_deref().unwrap_or("auth");
    format!("qop={qop}, rspauth=\"{rspauth}\", cnonce=\"{cnonce}\", nc={nc}")
}

/// Percent signs resolved (RFC 8187 §3.2.1).
fn decoded(text: &str) -> String {
    let mut octets = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, more @ ..] = rest {
        let hex = more.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let octet = hex.and_then(|two| u8::from_str_radix(two, 16).ok());
        match (first, octet) {
            (b'%', Some(octet)) => {
                octets.push(octet);
                rest = &more[2..];
            }
            _ => {
                octets.push(*first);
                rest = more;
            }
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}

//! A client that has credentials (RFC 7616 §3.4, RFC 7617 §2).

use cloverleaf_judge::authentication::{
    Algorithm, Credentials, Element, Hash, Inputs, Login, basic, elements, quoted,
};
use cloverleaf_judge::http::Head;

use super::super::Faulty;
use super::super::fault::Kind;

/// Tries at most, whatever the server says.
const TRIES: usize = 4;

/// A client on its way in.
#[derive(Debug)]
pub(in crate::faulty) struct Visitor {
    login: Login,
    tries: usize,
    asked: bool,
}

/// What a client does about a 401.
#[expect(clippy::large_enum_variant, reason = "there is one, for a moment")]
pub(in crate::faulty) enum Next {
    /// It asks again with these values of `Authorization`.
    Ask(Vec<String>, Option<Inputs>),
    /// It gives up.
    GiveUp,
}

impl Visitor {
    pub(in crate::faulty) fn new(credentials: &Credentials) -> Self {
        Self {
            login: credentials.login.clone().unwrap_or_default(),
            tries: 0,
            asked: false,
        }
    }

    /// Credentials before anybody has asked for them: none.
    pub(in crate::faulty) fn unasked(&self, faulty: Faulty) -> Vec<String> {
        match faulty.has(Kind::SendsBasicUnasked) {
            true => vec![basic(&self.login.user, &self.login.password)],
            false => Vec::new(),
        }
    }

    /// What to do about a refusal to a request for `target`.
    pub(in crate::faulty) fn refused(&mut self, head: &Head, target: &str, faulty: Faulty) -> Next {
        self.tries += 1;
        if self.tries > TRIES || faulty.has(Kind::GivesUpAtChallenges) {
            return Next::GiveUp;
        }
        let challenges = challenges(head, faulty);
        let first = !std::mem::replace(&mut self.asked, true);
        let best = best(&challenges, faulty);
        let Some((challenge, algorithm)) = best else {
            let wants_basic = challenges.iter().any(|challenge| challenge.is("Basic"));
            let value = basic(&self.login.user, &self.login.password);
            let basic = || twice(value.clone(), faulty);
            return match faulty.0 {
                Some(Kind::SendsBasicToAnyScheme) => Next::Ask(basic(), None),
                Some(Kind::FallsBackToBasic) if wants_basic => Next::Ask(basic(), None),
                _ if wants_basic && first => Next::Ask(basic(), None),
                _ => Next::GiveUp,
            };
        };
        if faulty.has(Kind::PrefersBasic) && challenges.iter().any(|other| other.is("Basic")) {
            return Next::Ask(vec![basic(&self.login.user, &self.login.password)], None);
        }
        // RFC 7616 §3.3: stale says that all but the nonce was right.
        let stale = challenge.parameter("stale").is_some_and(|stale| {
            let quoted = stale.quoted && faulty.has(Kind::ReadsQuotedStaleAsFalse);
            stale.value.eq_ignore_ascii_case("true") && !quoted
        });
        let again = stale && !faulty.has(Kind::IgnoresStale) && self.tries < TRIES;
        if !first && !again && !faulty.has(Kind::TriesWhatWasRefused) {
            return Next::GiveUp;
        }
        let inputs = self.inputs(challenge, algorithm, target, faulty);
        let value = written(challenge, &inputs, faulty);
        Next::Ask(twice(value, faulty), Some(inputs))
    }

    fn inputs(
        &self,
        challenge: &Element,
        algorithm: Algorithm,
        target: &str,
        faulty: Faulty,
    ) -> Inputs {
        let value = |name| challenge.value(name).unwrap_or_default().to_owned();
        let qop = match (
            challenge.lists("qop", "auth"),
            challenge.lists("qop", "auth-int"),
        ) {
            (false, true) => Some("auth-int".to_owned()),
            (false, false) => None,
            _ => Some("auth".to_owned()),
        };
        let uri = match faulty.has(Kind::SendsTheUriWithoutQuery) {
            true => target.split('?').next().unwrap_or_default().to_owned(),
            false => target.to_owned(),
        };
        let nc = match faulty.0 {
            Some(Kind::SendsTheCountAsOneDigit) => "1".to_owned(),
            Some(Kind::CountsFromZero) => "00000000".to_owned(),
            Some(Kind::CountsOnWithANewNonce) => format!("{:08x}", self.tries),
            _ => "00000001".to_owned(),
        };
        Inputs {
            algorithm,
            user: self.login.user.clone(),
            password: self.login.password.clone(),
            realm: value("realm"),
            nonce: value("nonce"),
            method: "GET".to_owned(),
            uri,
            qop,
            nc,
            cnonce: "0a4f113b".to_owned(),
        }
    }

    /// Whether a server that says that it knows the password does (§3.5).
    pub(in crate::faulty) fn trusts(head: &Head, inputs: Option<&Inputs>, faulty: Faulty) -> bool {
        let info = head.value("Authentication-Info");
        let (Some(info), Some(inputs)) = (info, inputs) else {
            return true;
        };
        let all = elements(&format!("Info {info}")).unwrap_or_default();
        let rspauth = all.first().and_then(|info| info.value("rspauth"));
        match (rspauth, faulty.0) {
            (_, Some(Kind::TrustsAnyProof)) => true,
            (_, Some(Kind::TrustsNoProof)) => false,
            (Some(rspauth), _) => rspauth == inputs.rspauth(),
            (None, _) => true,
        }
    }
}

/// The fields with this value: one, of course.
fn twice(value: String, faulty: Faulty) -> Vec<String> {
    match faulty.has(Kind::SendsAuthorizationTwice) {
        true => vec![value.clone(), value],
        false => vec![value],
    }
}

/// The challenges of a refusal. A line that is not grammar does not count.
fn challenges(head: &Head, faulty: Faulty) -> Vec<Element> {
    let lines = head.values("WWW-Authenticate");
    let count = match faulty.has(Kind::ReadsTheFirstLineOnly) {
        true => 1,
        false => usize::MAX,
    };
    let mut all = Vec::new();
    for line in lines.take(count) {
        let line = match faulty.has(Kind::AnswersTwins) {
            true => line.replace(", realm=\"x\"", ""),
            false => line.to_owned(),
        };
        let line = match faulty.has(Kind::AnswersUnendingQuotes) && !line.ends_with('"') {
            true if line.matches('"').count() % 2 == 1 => line + "\"",
            _ => line,
        };
        let line = match faulty.has(Kind::LosesOctetsThatAreNotAscii) {
            true => line.replace("\u{20ac}\u{20ac}=\"\u{20ac}\", ", ""),
            false => line,
        };
        let refused = faulty.has(Kind::SplitsAtEveryComma) && comma_in_quotes(&line)
            || faulty.has(Kind::RefusesUnknownParameters) && line.contains("x-new")
            || faulty.has(Kind::RefusesEscapes) && line.contains('\\')
            || faulty.has(Kind::SplitsAtCommaAndSpace) && line.contains('\t')
            || faulty.has(Kind::ComparesParametersByCase) && line.contains("REALM=");
        if refused {
            continue;
        }
        let mut found = elements(&line).unwrap_or_default();
        if faulty.has(Kind::ReadsTheFirstChallengeOfALine) {
            found.truncate(1);
        }
        all.extend(found);
    }
    all
}

fn comma_in_quotes(line: &str) -> bool {
    line.split('"')
        .skip(1)
        .step_by(2)
        .any(|text| text.contains(','))
}

/// The challenge of Digest that is answered, and its algorithm: the strongest.
fn best(challenges: &[Element], faulty: Faulty) -> Option<(&Element, Algorithm)> {
    let usable = |challenge: &&Element| {
        let scheme = match faulty.has(Kind::ComparesSchemesByCase) {
            true => challenge.scheme == "Digest",
            false => challenge.is("Digest"),
        };
        let unknown = challenge.value("qop").is_some_and(|qop| {
            qop.split(',')
                .any(|qop| !matches!(qop.trim(), "auth" | "auth-int"))
        });
        let whole = ["realm", "nonce"].iter().all(|name| {
            let empty = challenge.value(name) == Some("");
            challenge.value(name).is_some() && !(empty && faulty.has(Kind::RefusesEmptyRealms))
        });
        scheme
            && !(unknown && faulty.has(Kind::RefusesUnknownQop))
            && (whole || faulty.has(Kind::AnswersWithoutRealmOrNonce))
    };
    let algorithm = |challenge: &Element| {
        let parameter = challenge.parameter("algorithm");
        match parameter {
            Some(found) if found.quoted && faulty.has(Kind::RefusesQuotedTokens) => None,
            Some(found) if faulty.has(Kind::ComparesAlgorithmsByCase) => {
                Algorithm::named(&found.value).filter(|named| named.name() == found.value)
            }
            Some(found) => Algorithm::named(&found.value),
            None => Some(Algorithm::MD5),
        }
    };
    let mut known = challenges
        .iter()
        .filter(usable)
        .filter_map(|challenge| Some((challenge, algorithm(challenge)?)));
    if faulty.has(Kind::TakesTheFirstChallenge) {
        return known.next();
    }
    known.max_by_key(|(_, algorithm)| match algorithm.hash {
        Hash::Md5 => 0,
        Hash::Sha256 => 1,
        _ => 2,
    })
}

/// The value of `Authorization` (§3.4).
fn written(challenge: &Element, inputs: &Inputs, faulty: Faulty) -> String {
    let mut computed = inputs.clone();
    match faulty.0 {
        Some(Kind::CutsSha512) if inputs.algorithm.hash == Hash::Sha512_256 => {
            computed.algorithm.hash = Hash::CutSha512;
        }
        Some(Kind::ComputesSessionsAsPlain) => computed.algorithm.session = false,
        Some(Kind::ComputesAuthIntAsAuth) => computed.qop = Some("auth".to_owned()),
        _ => {}
    }
    // RFC 7616 §3.4.4
    let hashed = challenge.lists("userhash", "true") && !faulty.has(Kind::SendsNoUserhash);
    let name = match hashed {
        true => inputs.userhash(),
        false => inputs.user.clone(),
    };
    let mut list = vec![
        format!("username={}", quoted(&name)),
        format!("realm={}", quoted(&inputs.realm)),
        format!("nonce={}", quoted(&inputs.nonce)),
        format!("uri={}", quoted(&inputs.uri)),
        format!("response=\"{}\"", computed.response()),
    ];
    if let Some(algorithm) = challenge.value("algorithm") {
        list.push(format!("algorithm={algorithm}"));
    }
    if let Some(opaque) = challenge.value("opaque")
        && !faulty.has(Kind::SendsNoOpaque)
    {
        list.push(format!("opaque={}", quoted(opaque)));
    }
    if let Some(qop) = &inputs.qop {
        let nc = &inputs.nc;
        list.push(match faulty.has(Kind::QuotesTheCount) {
            true => format!("nc=\"{nc}\""),
            false => format!("nc={nc}"),
        });
        list.push(format!("qop={qop}"));
        list.push(format!("cnonce={}", quoted(&inputs.cnonce)));
    }
    if hashed {
        list.push("userhash=true".to_owned());
    }
    format!("Digest {}", list.join(", "))
}

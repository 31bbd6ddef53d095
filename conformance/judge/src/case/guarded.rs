//! A server that wants credentials: requests one after the other, on one connection or several,
//! and what each should come to.

use std::time::Duration;

use cloverleaf_reports::Verdict;

use crate::authentication::{Algorithm, Credentials, Element, Inputs, Login, quoted};
use crate::http::Head;

/// Visits to a server that asks for credentials. Before them the judge asks without any, and
/// learns the challenges.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Guarded {
    /// Without this the case is UNIMPLEMENTED.
    pub needs: Scheme,
    /// A look at the answer to the request without credentials, and at the connection behind it.
    pub challenged: Option<ChallengeCheck>,
    /// The visits in their order.
    pub visits: Vec<Visit>,
}

/// What the server must offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheme {
    /// Anything.
    Any,
    /// Basic, and the judge knows a name and a password.
    Basic,
    /// Digest with any algorithm that the judge knows; the first is taken.
    Digest,
    /// Digest with this algorithm.
    DigestWith(Algorithm),
    /// Digest with `auth-int` among the values of `qop`.
    DigestWithAuthInt,
    /// Digest with `userhash=true`.
    DigestWithUserhash,
    /// Bearer, and the judge knows a token.
    Bearer,
}

/// One request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Visit {
    /// On a connection of its own, even if there is one.
    pub fresh: bool,
    /// The values of `Authorization`.
    pub sends: Compose,
    /// What the server should answer.
    pub wants: Wants,
    /// The verdict if it answers otherwise.
    pub otherwise: Verdict,
    /// A further look at the answer.
    pub check: Option<AnswerCheck>,
}

/// Makes the values of `Authorization` of what is known.
pub type Compose = fn(&Known<'_>) -> Vec<String>;

/// A look at an answer and what was known when it was asked for.
pub type AnswerCheck = fn(&Known<'_>, &Head) -> Result<(), String>;

/// A look at the first answer; an error is a verdict and a sentence.
pub type ChallengeCheck = fn(&Challenged) -> Result<(), (Verdict, String)>;

/// What a server should answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wants {
    /// 101; if it is the last visit, messages go to and fro.
    Opens,
    /// 401 with challenges, or another error of the class 4xx.
    Refuses,
    /// 401 with challenges of which none says `stale=true`.
    RefusesForGood,
    /// 401 with a challenge of Digest that says `stale=true`; without is NON-STRICT.
    Stale,
    /// 101 or an error of the class 4xx.
    OpensOrRefuses,
}

/// The answer to a request without credentials, twice, and what followed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Challenged {
    /// The first answer.
    pub head: Head,
    /// The answer to the same on a connection of its own.
    pub again: Head,
    /// The challenges of the first answer.
    pub challenges: Vec<Element>,
    /// The challenges of the second.
    pub challenges_again: Vec<Element>,
    /// Whether TCP ended behind the answer.
    pub ended: bool,
}

/// What is known when a request is made.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "made by the judge only")]
pub struct Known<'a> {
    /// What the server was said to take.
    pub credentials: &'a Credentials,
    /// The challenge that the case is about.
    pub challenge: &'a Element,
    /// All challenges.
    pub challenges: &'a [Element],
    /// The target of the request.
    pub target: &'a str,
    /// The values of `Authorization` of the visits before.
    pub sent: &'a [Vec<String>],
}

impl Guarded {
    /// No visits yet.
    #[must_use]
    pub fn new(needs: Scheme) -> Self {
        Self {
            needs,
            challenged: None,
            visits: Vec::new(),
        }
    }

    /// With a look at the answer to the request without credentials.
    #[must_use]
    pub fn look(mut self, check: ChallengeCheck) -> Self {
        self.challenged = Some(check);
        self
    }

    /// With a visit on the connection there is.
    #[must_use]
    pub fn visit(self, sends: Compose, wants: Wants) -> Self {
        self.any_visit(false, sends, wants)
    }

    /// With a visit on a connection of its own.
    #[must_use]
    pub fn visit_anew(self, sends: Compose, wants: Wants) -> Self {
        self.any_visit(true, sends, wants)
    }

    /// With another verdict if the last visit is answered otherwise.
    #[must_use]
    pub fn otherwise(mut self, verdict: Verdict) -> Self {
        if let Some(visit) = self.visits.last_mut() {
            visit.otherwise = verdict;
        }
        self
    }

    /// With a further look at the answer to the last visit.
    #[must_use]
    pub fn check(mut self, check: AnswerCheck) -> Self {
        if let Some(visit) = self.visits.last_mut() {
            visit.check = Some(check);
        }
        self
    }

    fn any_visit(mut self, fresh: bool, sends: Compose, wants: Wants) -> Self {
        self.visits.push(Visit {
            fresh,
            sends,
            wants,
            otherwise: Verdict::Failed,
            check: None,
        });
        self
    }

    pub(super) fn time_limit(&self) -> Duration {
        Duration::from_secs(20)
    }
}

impl Known<'_> {
    /// Name and password; empty if there are none.
    pub fn login(&self) -> Login {
        self.credentials.login.clone().unwrap_or_default()
    }

    /// The algorithm of the challenge.
    pub fn algorithm(&self) -> Algorithm {
        let name = self.challenge.value("algorithm");
        name.and_then(Algorithm::named).unwrap_or(Algorithm::MD5)
    }

    /// What a right response is computed of.
    pub fn inputs(&self) -> Inputs {
        let Login { user, password } = self.login();
        let value = |name| self.challenge.value(name).unwrap_or_default().to_owned();
        let qops = ["auth", "auth-int"];
        let mut qops = qops.iter().filter(|qop| self.challenge.lists("qop", qop));
        Inputs {
            algorithm: self.algorithm(),
            user,
            password,
            realm: value("realm"),
            nonce: value("nonce"),
            method: "GET".to_owned(),
            uri: self.target.to_owned(),
            qop: qops.next().map(ToString::to_string),
            nc: "00000001".to_owned(),
            cnonce: "0a4f113b0c75ddec".to_owned(),
        }
    }

    /// Credentials of Digest with changes before the response is computed, and to the parameters
    /// as they are written.
    pub fn digest(
        &self,
        before: impl FnOnce(&mut Inputs),
        after: impl FnOnce(&mut Written, &Inputs),
    ) -> Vec<String> {
        let mut inputs = self.inputs();
        before(&mut inputs);
        let mut written = Written::new(&inputs);
        for name in ["opaque"] {
            if let Some(value) = self.challenge.value(name) {
                written.set(name, quoted(value));
            }
        }
        if let Some(algorithm) = self.challenge.value("algorithm") {
            written.set("algorithm", algorithm);
        }
        after(&mut written, &inputs);
        vec![written.to_string()]
    }
}

/// The parameters of credentials of Digest, in their order and as they are written.
#[derive(Clone, Debug)]
pub struct Written(Vec<(String, String)>);

impl Written {
    /// Those of RFC 7616 §3.4, but for `opaque` and `algorithm`.
    pub fn new(inputs: &Inputs) -> Self {
        let mut written = Self(Vec::new());
        written.set("username", quoted(&inputs.user));
        written.set("realm", quoted(&inputs.realm));
        written.set("nonce", quoted(&inputs.nonce));
        written.set("uri", quoted(&inputs.uri));
        if let Some(qop) = &inputs.qop {
            written.set("qop", qop.as_str());
            written.set("nc", inputs.nc.as_str());
            written.set("cnonce", quoted(&inputs.cnonce));
        }
        written.set("response", quoted(&inputs.response()));
        written
    }

    /// The parameter is written so, in its place or at the end.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        match self.0.iter_mut().find(|(other, _)| other == name) {
            Some((_, written)) => *written = value,
            None => self.add(name, value),
        }
    }

    /// A parameter more, even if there is one of this name.
    pub fn add(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((name.to_owned(), value.into()));
    }

    /// Without the parameter.
    pub fn without(&mut self, name: &str) {
        self.0.retain(|(other, _)| other != name);
    }

    /// The parameter by another name.
    pub fn rename(&mut self, name: &str, other: &str) {
        if let Some((found, _)) = self.0.iter_mut().find(|(found, _)| found == name) {
            other.clone_into(found);
        }
    }

    /// How the parameter is written.
    pub fn get(&self, name: &str) -> String {
        let mut all = self.0.iter();
        let found = all.find(|(other, _)| other == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }
}

impl std::fmt::Display for Written {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list: Vec<_> = self
            .0
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        write!(f, "Digest {}", list.join(", "))
    }
}

//! A client that is asked for credentials: what it is answered, and what it should make of that.

use std::time::Duration;

use cloverleaf_reports::Verdict;

use crate::authentication::{Algorithm, Inputs};

/// Answers to a client, one to a request; behind the last of them the connection opens.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Challenging {
    /// The refusals.
    pub turns: Vec<Turn>,
    /// Fields of the 101, made of what the right response was computed of.
    pub greeting: Option<Greeting>,
    /// Whether the client should take the connection for open. Otherwise it gives up; that it does
    /// not is NON-STRICT.
    pub opens: bool,
}

/// Makes fields of the 101.
pub type Greeting = fn(&Inputs) -> Vec<(String, String)>;

/// A refusal, and what should follow.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Turn {
    /// The values of `WWW-Authenticate`; `{nonce}` is replaced by a fresh one.
    pub challenges: Vec<String>,
    /// Whether the connection ends behind it.
    pub closes: bool,
    /// The body.
    pub body: String,
    /// What should follow.
    pub wants: Reply,
    /// The verdict on a client that gives up where it should reply.
    pub gives_up: Verdict,
}

/// What should follow a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply {
    /// Credentials of Basic.
    Basic,
    /// Credentials of Digest with this algorithm and `qop=auth`.
    Digest(Algorithm),
    /// The same with this `qop`; none stands for the way of RFC 2069.
    DigestWith(Algorithm, Option<&'static str>),
    /// The same as `Digest`, with the hash of the name in its place.
    Userhash(Algorithm),
    /// The same as `Digest`; another algorithm that was offered is NON-STRICT.
    Preferably(Algorithm),
    /// Nothing: the client gives up. Another try is NON-STRICT.
    Nothing,
    /// No password in the clear: Basic fails the case.
    NotBasic,
}

impl Challenging {
    /// No refusals yet, and an open connection in the end.
    #[must_use]
    pub fn new() -> Self {
        Self {
            turns: Vec::new(),
            greeting: None,
            opens: true,
        }
    }

    /// With a refusal that has these challenges.
    #[must_use]
    pub fn turn(mut self, challenges: &[&str], wants: Reply) -> Self {
        self.turns.push(Turn {
            challenges: challenges.iter().map(ToString::to_string).collect(),
            closes: false,
            body: "Who is it?\n".to_owned(),
            wants,
            gives_up: Verdict::Failed,
        });
        self
    }

    /// The connection ends behind the last refusal.
    #[must_use]
    pub fn closing(self) -> Self {
        self.last(|turn| turn.closes = true)
    }

    /// The last refusal has this body.
    #[must_use]
    pub fn body(self, body: impl Into<String>) -> Self {
        self.last(|turn| turn.body = body.into())
    }

    /// A client that gives up at the last refusal gets this verdict.
    #[must_use]
    pub fn or(self, verdict: Verdict) -> Self {
        self.last(|turn| turn.gives_up = verdict)
    }

    /// With these fields in the 101.
    #[must_use]
    pub fn greeting(mut self, fields: Greeting) -> Self {
        self.greeting = Some(fields);
        self
    }

    /// The client should not take the connection for open.
    #[must_use]
    pub fn mistrusted(mut self) -> Self {
        self.opens = false;
        self
    }

    fn last(mut self, change: impl FnOnce(&mut Turn)) -> Self {
        if let Some(turn) = self.turns.last_mut() {
            change(turn);
        }
        self
    }

    pub(super) fn time_limit(&self) -> Duration {
        Duration::from_secs(20)
    }
}

impl Default for Challenging {
    fn default() -> Self {
        Self::new()
    }
}

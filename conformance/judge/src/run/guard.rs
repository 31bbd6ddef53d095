//! The judge asks a server that wants credentials: request after request, each case anew.

use std::io;
use std::time::Duration;

use cloverleaf_reports::{CaseResult, CloseVerdict, Role, Verdict};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::time::Instant;

use super::agreement::Agreement;
use super::client::Place;
use super::wire::{ReadHead, Wire};
use super::{Report, carry_out};
use crate::authentication::{Algorithm, Credentials, Element, elements};
use crate::case::{Case, Challenged, Guarded, Judgement, Known, Scheme, Visit, Wants};
use crate::http::{self, Head};
use crate::opening::Request;
use crate::random::Random;
use crate::session::Options;

/// How long a server that said it closes may take to.
const CLOSING: Duration = Duration::from_millis(500);

/// How long a body may take whose length is not told.
const BODY: Duration = Duration::from_secs(1);

/// Opens connections to a server.
pub trait Dial: Sync {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send;

    /// Opens one.
    fn dial(&self) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

/// Runs one case against a server that takes these credentials. Also returns how the server names
/// itself, if it does.
pub async fn judge_guard<D: Dial>(
    dial: &D,
    case: &Case,
    plan: &Guarded,
    place: &Place,
    credentials: &Credentials,
    options: &Options,
    random: Random,
) -> (CaseResult, Option<String>) {
    let mut asker = Asker {
        dial,
        place,
        options,
        random: random.clone(),
        wire: None,
        usable: false,
        report: Report::new(),
        worst: Verdict::Ok,
    };
    let end = asker.visits(plan, credentials).await;
    let Asker {
        wire,
        mut report,
        worst,
        ..
    } = asker;
    let agent = report.agent.take();
    match (end, wire) {
        (Ok(true), Some(wire)) => {
            let agreement = Agreement::default();
            let carried = carry_out(wire, report, agreement, Role::Server, case, options, random);
            let (mut result, _) = carried.await;
            if result.verdict == Verdict::Ok {
                result.verdict = worst;
            }
            (result, agent)
        }
        (end, wire) => {
            if let Some(wire) = wire {
                wire.log.into_detail(&mut report.detail);
            }
            let judgement = match end {
                Ok(_) if worst == Verdict::Ok => judgement(worst, "All answers are right."),
                Ok(_) => judgement(worst, "The answers are tolerable; it can be done better."),
                Err((verdict, reason)) => judgement(verdict, &reason),
            };
            (report.finish(case, judgement), agent)
        }
    }
}

/// A verdict and a sentence.
type Wrong = (Verdict, String);

fn failed(reason: impl Into<String>) -> Wrong {
    (Verdict::Failed, reason.into())
}

pub(super) fn judgement(verdict: Verdict, result: &str) -> Judgement {
    Judgement {
        verdict,
        close_verdict: CloseVerdict::Ok,
        result: result.to_owned(),
        result_close: "The case is about the opening handshake.".to_owned(),
    }
}

struct Asker<'a, D: Dial> {
    dial: &'a D,
    place: &'a Place,
    options: &'a Options,
    random: Random,
    wire: Option<Wire<D::Stream>>,
    /// Whether the connection there is can take another request.
    usable: bool,
    report: Report,
    worst: Verdict,
}

impl<D: Dial> Asker<'_, D> {
    /// Makes all visits; returns whether the last one has opened a connection.
    async fn visits(&mut self, plan: &Guarded, credentials: &Credentials) -> Result<bool, Wrong> {
        let (_, head) = self.ask(true, &[]).await?;
        let head = head.ok_or_else(|| failed("the server ended TCP without an answer"))?;
        let mut challenges = refusal(&head)?;
        if let Some(look) = plan.challenged {
            let ended = self.ends().await;
            let (_, again) = self.ask(true, &[]).await?;
            let again = again.ok_or_else(|| failed("the second time there is no answer"))?;
            let challenges_again = refusal(&again)?;
            look(&Challenged {
                head,
                again,
                challenges: challenges.clone(),
                challenges_again,
                ended,
            })?;
        }
        let lacks = || {
            (
                Verdict::Unimplemented,
                "The server does not offer this.".to_owned(),
            )
        };
        let mut sent: Vec<Vec<String>> = Vec::new();
        let mut opened = false;
        for (number, visit) in plan.visits.iter().enumerate() {
            let challenge = pick(plan.needs, &challenges, credentials).ok_or_else(lacks)?;
            let known = Known {
                credentials,
                challenge,
                challenges: &challenges,
                target: &self.place.target,
                sent: &sent,
            };
            let values = (visit.sends)(&known);
            let (request, head) = self.ask(visit.fresh, &values).await?;
            opened = self.compare(visit, &request, head.as_ref())?;
            if let (Some(check), Some(head)) = (visit.check, &head) {
                check(&known, head).map_err(failed)?;
            }
            let last = number + 1 == plan.visits.len();
            if opened && !last {
                // What follows is about the next request.
                if let Some(mut wire) = self.wire.take() {
                    // The server may be gone already.
                    let _ = wire.stream.shutdown().await;
                }
            } else if let Some(head) = &head
                && head.status() == Some(401)
            {
                challenges = refusal(head)?;
            }
            sent.push(values);
        }
        if plan.visits.is_empty() {
            pick(plan.needs, &challenges, credentials).ok_or_else(lacks)?;
        }
        Ok(opened)
    }

    /// Sends a request with these values of `Authorization`; no head: TCP ended.
    async fn ask(
        &mut self,
        fresh: bool,
        values: &[String],
    ) -> Result<(Request, Option<Head>), Wrong> {
        let request = self.place.request(&mut self.random);
        let mut fields: Vec<(String, String)> = request
            .fields()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        fields.extend(
            values
                .iter()
                .map(|value| ("Authorization".to_owned(), value.clone())),
        );
        let text = http::write(&format!("GET {} HTTP/1.1", request.target), &fields);
        loop {
            let reused = self.usable && !fresh && self.wire.is_some();
            if !reused {
                let stream = self.dial.dial().await;
                let stream =
                    stream.map_err(|error| failed(format!("it cannot be reached: {error}")))?;
                self.wire = Some(Wire::new(stream, Vec::new()));
            }
            self.usable = false;
            let Some(wire) = &mut self.wire else {
                return Err(failed("there is no connection"));
            };
            wire.write(text.as_bytes(), None, Duration::ZERO).await;
            self.report.add_request(&text);
            let until = Instant::now() + self.options.opening_timeout;
            let mut read = wire.read_head(until).await;
            while matches!(&read, ReadHead::Whole(head) if head.status() == Some(100)) {
                read = wire.read_head(until).await;
            }
            match read {
                ReadHead::Whole(head) => {
                    self.report.add_response(&wire.text);
                    self.report.agent = head.value("Server").map(str::to_owned);
                    if head.status() != Some(101) {
                        self.usable = body(wire, &head).await;
                    }
                    return Ok((request, Some(head)));
                }
                // A connection that was kept may end at any time (RFC 9112 §9.3).
                ReadHead::End if reused => {}
                ReadHead::End => return Ok((request, None)),
                ReadHead::Late => return Err(failed("the server did not answer in time")),
                ReadHead::TooLong => return Err(failed("the server's head does not end")),
            }
        }
    }

    /// Whether TCP ends behind an answer.
    async fn ends(&mut self) -> bool {
        match &mut self.wire {
            Some(wire) => wire.read_to_end(Instant::now() + CLOSING).await,
            None => true,
        }
    }

    /// Compares an answer with what was wanted; returns whether the connection is open.
    fn compare(
        &mut self,
        visit: &Visit,
        request: &Request,
        head: Option<&Head>,
    ) -> Result<bool, Wrong> {
        let Some(head) = head else {
            if visit.wants == Wants::Opens {
                return Err(failed("the server ended TCP without an answer"));
            }
            // RFC 9110 §11.6.1: a refusal says what would help.
            self.worst = Verdict::NonStrict;
            return Ok(false);
        };
        let answers = format!("the server answers {:?}", head.start_line);
        match (visit.wants, head.status()) {
            (Wants::Opens | Wants::OpensOrRefuses, Some(101)) => {
                request.check(head).map_err(failed)?;
                Ok(true)
            }
            (_, Some(101)) => Err((
                visit.otherwise.clone(),
                "the server let the request in".to_owned(),
            )),
            (Wants::Opens, _) => Err((visit.otherwise.clone(), answers)),
            (wants, Some(400..=499)) => {
                let stale = match head.status() {
                    Some(401) => refusal(head)?.iter().any(|challenge| {
                        let stale = challenge.value("stale");
                        stale.is_some_and(|value| value.eq_ignore_ascii_case("true"))
                    }),
                    _ => false,
                };
                match (wants, stale) {
                    (Wants::RefusesForGood, true) => Err((
                        Verdict::NonStrict,
                        "the server says stale=true, as if all else were right".to_owned(),
                    )),
                    (Wants::Stale, false) => Err((
                        Verdict::NonStrict,
                        "the server does not say that only the nonce is stale".to_owned(),
                    )),
                    _ => Ok(false),
                }
            }
            _ => Err(failed(answers)),
        }
    }
}

/// Reads the body of a refusal; returns whether the connection can take another request
/// (RFC 9112 §6.3, §9.3).
async fn body<S: AsyncRead + AsyncWrite + Unpin>(wire: &mut Wire<S>, head: &Head) -> bool {
    let length = head
        .value("Content-Length")
        .and_then(|text| text.parse::<usize>().ok());
    let until = Instant::now() + BODY;
    let Some(length) = length else {
        wire.read_to_end(until).await;
        return false;
    };
    while wire.rest.len() < length {
        if wire.read_more(until).await != Some(true) {
            return false;
        }
    }
    wire.rest.drain(..length);
    head.start_line.starts_with("HTTP/1.1 ")
        && !head.lists("Connection", "close")
        && wire.rest.is_empty()
}

/// The challenges of a refusal with 401 (RFC 9110 §15.5.2); other errors have none.
fn refusal(head: &Head) -> Result<Vec<Element>, Wrong> {
    match head.status() {
        Some(101) => Err(failed("the server lets in whoever asks")),
        Some(401) => {
            let challenges = challenges(head).map_err(failed)?;
            match challenges.is_empty() {
                true => Err(failed(
                    "a 401 has at least one challenge, this one has none",
                )),
                false => Ok(challenges),
            }
        }
        _ => Err(failed(format!(
            "the server answers {:?}, not 401",
            head.start_line
        ))),
    }
}

fn challenges(head: &Head) -> Result<Vec<Element>, String> {
    let mut all = Vec::new();
    for value in head.values("WWW-Authenticate") {
        all.extend(elements(value)?);
    }
    Ok(all)
}

/// The challenge that a case is about.
fn pick<'a>(
    needs: Scheme,
    challenges: &'a [Element],
    credentials: &Credentials,
) -> Option<&'a Element> {
    let login = credentials.login.is_some();
    let algorithm = |challenge: &Element| match challenge.value("algorithm") {
        Some(name) => Algorithm::named(name),
        None => Some(Algorithm::MD5),
    };
    let mut challenges = challenges.iter();
    challenges.find(|challenge| {
        let digest = login && challenge.is("Digest");
        match needs {
            Scheme::Any => true,
            Scheme::Basic => login && challenge.is("Basic"),
            Scheme::Digest => digest && algorithm(challenge).is_some(),
            Scheme::DigestWith(wanted) => digest && algorithm(challenge) == Some(wanted),
            Scheme::DigestWithAuthInt => {
                digest && algorithm(challenge).is_some() && challenge.lists("qop", "auth-int")
            }
            Scheme::DigestWithUserhash => {
                digest && algorithm(challenge).is_some() && challenge.lists("userhash", "true")
            }
            Scheme::Bearer => credentials.token.is_some() && challenge.is("Bearer"),
        }
    })
}

/// The verdict on a case whose subject was given no credentials.
pub fn without_credentials(case: &Case) -> CaseResult {
    let reason = "It is not known which credentials this subject takes or has.";
    Report::new().finish(case, judgement(Verdict::Unimplemented, reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_the_first_that_the_case_can_be_about() {
        let challenges = elements(
            "Negotiate, Digest realm=\"r\", nonce=\"n\", algorithm=SHA-3, Digest realm=\"r\", \
             nonce=\"n\", algorithm=SHA-256, qop=\"auth\", Digest realm=\"r\", nonce=\"n\", \
             Basic realm=\"r\"",
        )
        .expect("right");
        let login = Credentials::login("a", "b");
        let at = |needs| {
            let picked = pick(needs, &challenges, &login)?;
            challenges.iter().position(|challenge| challenge == picked)
        };
        assert_eq!(at(Scheme::Any), Some(0));
        assert_eq!(at(Scheme::Digest), Some(2));
        assert_eq!(at(Scheme::DigestWith(Algorithm::MD5)), Some(3));
        assert_eq!(at(Scheme::DigestWith(Algorithm::MD5_SESS)), None);
        assert_eq!(at(Scheme::DigestWithAuthInt), None);
        assert_eq!(at(Scheme::Basic), Some(4));
        assert_eq!(at(Scheme::Bearer), None);
        assert_eq!(
            pick(Scheme::Digest, &challenges, &Credentials::default()),
            None
        );
    }
}

//! The judge as the server: a client is judged.

use std::time::Duration;

use cloverleaf_reports::{CaseResult, CloseVerdict, Role, Verdict};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::time::Instant;

use super::agreement::Agreement;
use super::wire::{ReadHead, Wire};
use super::{Report, carry_out, never_opened, pump, should_not_have_opened};
use crate::case::{Case, Judgement, Negotiation, Opening, Program, Reaction, ResponsePlan, apply};
use crate::deflate::{Agreed, Requirement, choose, original};
use crate::frame::{Frame, TEXT};
use crate::http::{self, Head};
use crate::opening;
use crate::random::Random;
use crate::session::{Compression, Options, Session};

/// How long a client may take to give a connection up.
const GIVING_UP: Duration = Duration::from_secs(3);

/// How long a connection may stay that runs no case.
const TALK: Duration = Duration::from_secs(3600);

/// A request head with what came behind it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Received {
    /// The head.
    pub head: Head,
    /// The head as it was on the wire.
    pub text: String,
    /// Octets behind it.
    pub rest: Vec<u8>,
}

/// Why there is no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadHeadError {
    /// TCP ended before the head was whole.
    End,
    /// The head did not come in time.
    Late,
    /// The head does not end.
    TooLong,
}

impl std::fmt::Display for ReadHeadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::End => "the client ended TCP before its request was whole",
            Self::Late => "the client's request did not come in time",
            Self::TooLong => "the head of the client's request does not end",
        })
    }
}

impl std::error::Error for ReadHeadError {}

/// Reads the head of a request.
///
/// # Errors
///
/// If it does not come whole, in time and in reasonable size.
pub async fn read_head<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    limit: Duration,
) -> Result<Received, ReadHeadError> {
    let mut wire = Wire::new(stream, Vec::new());
    match wire.read_head(Instant::now() + limit).await {
        ReadHead::Whole(head) => Ok(Received {
            head,
            text: wire.text,
            rest: wire.rest,
        }),
        ReadHead::End => Err(ReadHeadError::End),
        ReadHead::Late => Err(ReadHeadError::Late),
        ReadHead::TooLong => Err(ReadHeadError::TooLong),
    }
}

/// Runs one case with a client that has sent this request.
pub async fn judge_client<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    request: Received,
    case: &Case,
    versions: &[u8],
    options: &Options,
    random: Random,
) -> CaseResult {
    if case.needs_credentials() {
        return super::without_credentials(case);
    }
    let mut report = Report::new();
    let mut wire = Wire::new(stream, request.rest);
    report.detail.request = Some(request.text);
    let key = match opening::check_request(&request.head, versions) {
        Ok(key) => key.to_owned(),
        Err(refusal) => {
            let text = opening::refusal(&refusal);
            wire.write(text.as_bytes(), None, Duration::ZERO).await;
            // The client may be gone already.
            let _ = wire.stream.shutdown().await;
            report.detail.response = Some(text);
            wire.log.into_detail(&mut report.detail);
            return report.finish(case, never_opened(&refusal.1));
        }
    };
    let opened = match &case.opening {
        Opening::Response(plan) => {
            to_measure(&mut wire, &mut report, plan, &key, &request.head).await
        }
        Opening::Both(plans) => {
            to_measure(&mut wire, &mut report, &plans.1, &key, &request.head).await
        }
        Opening::Deflate(negotiation) => {
            ordinary(
                &mut wire,
                &mut report,
                &key,
                &request.head,
                Some(negotiation),
            )
            .await
        }
        Opening::Ordinary | Opening::Request(_) => {
            ordinary(&mut wire, &mut report, &key, &request.head, None).await
        }
    };
    let agreement = match opened {
        Ok(agreement) => agreement,
        Err(judgement) => {
            // The client may be gone already.
            let _ = wire.stream.shutdown().await;
            wire.log.into_detail(&mut report.detail);
            return report.finish(case, judgement);
        }
    };
    let (mut result, gave_up) =
        carry_out(wire, report, agreement, Role::Client, case, options, random).await;
    let Opening::Response(ResponsePlan { reaction, .. }) = case.opening else {
        return result;
    };
    match reaction {
        Reaction::OpensOrGivesUp | Reaction::ShouldOpen | Reaction::ShouldGiveUp if gave_up => {
            result.verdict = match reaction {
                Reaction::ShouldOpen => Verdict::NonStrict,
                _ => Verdict::Ok,
            };
            result.close_verdict = CloseVerdict::Ok;
            if let Some(detail) = &mut result.detail {
                detail.result = Some("The client gave the connection up.".to_owned());
            }
        }
        Reaction::ShouldGiveUp => should_not_have_opened(&mut result),
        _ => {}
    }
    result
}

/// Opens a connection that runs no case, and lets a program have it as soon as there is one.
pub async fn talk_to_client<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    request: Received,
    program: impl Future<Output = Box<dyn Program>>,
    versions: &[u8],
    options: &Options,
) {
    let mut wire = Wire::new(stream, request.rest);
    let key = match opening::check_request(&request.head, versions) {
        Ok(key) => key.to_owned(),
        Err(refusal) => {
            let text = opening::refusal(&refusal);
            wire.write(text.as_bytes(), None, Duration::ZERO).await;
            // The client may be gone already.
            let _ = wire.stream.shutdown().await;
            return;
        }
    };
    wire.write(
        opening::response(&key, None).as_bytes(),
        None,
        Duration::ZERO,
    )
    .await;
    let mut program = program.await;
    let begun = Instant::now();
    let mut session = Session::open(
        Role::Client,
        options.clone(),
        None,
        Random::new(),
        wire.log,
        Duration::ZERO,
    );
    session.log.set(false);
    program.on_open(&mut session);
    session.handle_leftover(&wire.rest);
    pump(wire.stream, &mut session, &mut *program, begun, TALK).await;
}

type Opened = Result<Agreement, Judgement>;

async fn ordinary<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    report: &mut Report,
    key: &str,
    request: &Head,
    negotiation: Option<&Negotiation>,
) -> Opened {
    let requirements: &[Requirement] =
        negotiation.map_or(&[], |negotiation| &negotiation.requirements);
    let lines: Vec<_> = request.values("Sec-WebSocket-Extensions").collect();
    let offers = match original::offers(&lines) {
        Ok(offers) => offers,
        Err(error) => {
            let text = opening::refusal(&(400, error.to_string()));
            wire.write(text.as_bytes(), None, Duration::ZERO).await;
            report.detail.response = Some(text);
            return Err(never_opened(&error.to_string()));
        }
    };
    let chosen = choose(&offers, requirements);
    let extensions = chosen.map(|(_, answer)| answer.to_string());
    let text = opening::response(key, extensions.as_deref());
    wire.write(text.as_bytes(), None, Duration::ZERO).await;
    report.detail.response = Some(text);
    let compression = chosen.and_then(|(index, answer)| {
        let agreed = Agreed::new(offers.get(index)?, &answer);
        Some(Compression::new(&agreed, Role::Client))
    });
    Ok(Agreement::compressed(compression))
}

async fn to_measure<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    report: &mut Report,
    plan: &ResponsePlan,
    key: &str,
    request: &Head,
) -> Opened {
    if let Some(check) = plan.check {
        check(request).map_err(|reason| {
            reaction(
                Verdict::Failed,
                format!("The request is not right: {reason}."),
            )
        })?;
    }
    let agreement = match extensions(plan, request) {
        Ok(agreement) => agreement,
        Err(judgement) => {
            let text = opening::refusal(&(400, judgement.result.clone()));
            wire.write(text.as_bytes(), None, Duration::ZERO).await;
            report.detail.response = Some(text);
            return Err(judgement);
        }
    };
    let accept = (plan.accept)(&opening::accept(key));
    let ordinary = opening::response(key, None);
    let (mut line, mut fields) = match Head::parse(ordinary.as_bytes()) {
        Some((head, _)) => (head.start_line, head.fields),
        None => (String::new(), Vec::new()),
    };
    for (name, value) in &mut fields {
        if name == "Sec-WebSocket-Accept" {
            "{accept}".clone_into(value);
        }
    }
    apply(&plan.edits, &mut line, &mut fields);
    let octets = plan
        .raw
        .clone()
        .unwrap_or_else(|| http::write(&line, &fields).into_bytes());
    let octets = super::client::filled(&octets, &[("{accept}", &accept), ("{key}", key)]);
    report.detail.response =
        Some(String::from_utf8_lossy(&octets[..octets.len().min(4096)]).into());
    wire.write(&octets, plan.chop, plan.pause).await;
    if plan.then_drop {
        // The client may be gone already.
        let _ = wire.stream.shutdown().await;
    }
    match plan.reaction {
        Reaction::Opens
        | Reaction::OpensOrGivesUp
        | Reaction::ShouldOpen
        | Reaction::ShouldGiveUp => Ok(agreement),
        Reaction::GivesUp | Reaction::GivesUpOrWaits => {
            // A client that takes the connection for open answers this.
            let frame = Frame::text("Is this connection open?").encode(None);
            wire.write(&frame, None, Duration::ZERO).await;
            wire.rest.clear();
            let ended = wire.read_to_end(Instant::now() + GIVING_UP).await;
            let echoed = wire.rest.first().is_some_and(|octet| octet & 0x0F == TEXT);
            Err(match (echoed, ended) {
                (true, _) => reaction(
                    Verdict::Failed,
                    "The client took the connection for open and answered.".to_owned(),
                ),
                (false, true) => {
                    reaction(Verdict::Ok, "The client gave the connection up.".to_owned())
                }
                (false, false) if plan.reaction == Reaction::GivesUpOrWaits => Judgement {
                    close_verdict: CloseVerdict::Informational,
                    ..reaction(
                        Verdict::Informational,
                        "The client waits for more: nothing forbids that.".to_owned(),
                    )
                },
                (false, false) => reaction(
                    Verdict::Failed,
                    format!("After {} s the client still waits.", GIVING_UP.as_secs()),
                ),
            })
        }
    }
}

/// What the plan's answer agrees on with this client; or why it does not suit the client's offers.
fn extensions(plan: &ResponsePlan, request: &Head) -> Result<Agreement, Judgement> {
    if let Some(Err(reason)) = plan.need.map(|need| need(request)) {
        return Err(reaction(
            Verdict::Unimplemented,
            format!("What this client offers is not what the case is about: {reason}."),
        ));
    }
    let Some(lines) = &plan.extensions else {
        return Ok(Agreement::default());
    };
    let offered: Vec<_> = request.values("Sec-WebSocket-Extensions").collect();
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    let agreed = Agreement::of_answer_to(&offered, plan.layer, &lines);
    match (agreed, plan.reaction) {
        // Nothing is missing in the client: it just does not ask for what is withheld here.
        (Ok(_), Reaction::GivesUp) => Err(Judgement {
            close_verdict: CloseVerdict::Informational,
            ..reaction(
                Verdict::Informational,
                "What this client offers allows the answer: there is nothing to judge.".to_owned(),
            )
        }),
        (Err(_), Reaction::GivesUp) => Ok(Agreement::default()),
        (Ok(agreement), _) => Ok(agreement),
        (Err(reason), _) => Err(reaction(
            Verdict::Unimplemented,
            format!("What this client offers does not allow the answer: {reason}."),
        )),
    }
}

fn reaction(verdict: Verdict, result: String) -> Judgement {
    Judgement {
        verdict,
        close_verdict: CloseVerdict::Ok,
        result,
        result_close: "The case is about the opening handshake.".to_owned(),
    }
}

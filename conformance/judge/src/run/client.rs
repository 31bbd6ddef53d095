//! The judge as the client: a server is judged.

use std::time::Duration;

use cloverleaf_reports::{CaseResult, CloseVerdict, Role, Verdict};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use super::agreement::{Agreement, Offered};
use super::wire::{ReadHead, Wire};
use super::{Report, carry_out, never_opened, should_not_have_opened};
use crate::case::{
    Answer, Case, HeadCheck, Judgement, Negotiation, Opening, Plan, RequestPlan, apply,
};
use crate::deflate::{Agreed, Offer, original};
use crate::http::{self, Head};
use crate::opening::{self, Request};
use crate::random::Random;
use crate::session::{Compression, Options};

/// How long a refusal is watched for a second answer.
const AFTER_REFUSAL: Duration = Duration::from_millis(500);

/// Where the server is, and what is asked of it in every case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// Host and port for the `Host` field.
    pub host: String,
    /// Path and query.
    pub target: String,
    /// `Origin`, if one is to be sent.
    pub origin: Option<String>,
    /// Subprotocols to offer.
    pub protocols: Vec<String>,
    /// `Sec-WebSocket-Version`; 0 stands for 13.
    pub version: u8,
}

impl Place {
    /// A server at `host` (with its port), asked for `target`.
    pub fn new(host: impl Into<String>, target: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            target: target.into(),
            ..Self::default()
        }
    }

    pub(super) fn request(&self, random: &mut Random) -> Request {
        let key = opening::key(random.handshake_key());
        let mut request = Request::new(&self.host, &self.target, key);
        request.origin.clone_from(&self.origin);
        request.protocols.clone_from(&self.protocols);
        request.version = self.version;
        request
    }
}

/// Runs one case against a server over a fresh connection. Also returns how the server names
/// itself, if it does.
pub async fn judge_server<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    case: &Case,
    place: &Place,
    options: &Options,
    mut random: Random,
) -> (CaseResult, Option<String>) {
    if case.needs_credentials() {
        return (super::without_credentials(case), None);
    }
    let mut report = Report::new();
    let mut wire = Wire::new(stream, Vec::new());
    let request = place.request(&mut random);
    // Autobahn's cases do not compare the answer with the offers.
    let strict = matches!(case.plan, Plan::Dialogue(_) | Plan::Multiplexed(_));
    let opened = match &case.opening {
        Opening::Request(plan) => to_measure(&mut wire, &mut report, plan, request, options).await,
        Opening::Both(plans) => {
            to_measure(&mut wire, &mut report, &plans.0, request, options).await
        }
        Opening::Deflate(negotiation) => {
            ordinary(
                &mut wire,
                &mut report,
                request,
                Some(negotiation),
                options,
                strict,
            )
            .await
        }
        Opening::Ordinary | Opening::Response(_) => {
            ordinary(&mut wire, &mut report, request, None, options, strict).await
        }
    };
    let agreement = match opened {
        Ok(agreement) => agreement,
        Err(judgement) => {
            wire.log.into_detail(&mut report.detail);
            let agent = report.agent.take();
            return (report.finish(case, judgement), agent);
        }
    };
    let agent = report.agent.take();
    let (mut result, _) =
        carry_out(wire, report, agreement, Role::Server, case, options, random).await;
    if let Opening::Request(RequestPlan {
        answer: Answer::ShouldRefuse,
        ..
    }) = case.opening
    {
        should_not_have_opened(&mut result);
    }
    (result, agent)
}

/// What the opening handshake came to: a connection with or without extensions, or a judgement.
type Opened = Result<Agreement, Judgement>;

async fn ordinary<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    report: &mut Report,
    mut request: Request,
    negotiation: Option<&Negotiation>,
    options: &Options,
    strict: bool,
) -> Opened {
    let offers = negotiation.map_or(&[][..], |negotiation| &negotiation.offers);
    request.extensions = offers.iter().map(ToString::to_string).collect();
    let text = request.to_text();
    let until = Instant::now() + options.opening_timeout;
    wire.write(text.as_bytes(), None, Duration::ZERO).await;
    report.detail.request = Some(text);
    let head = match wire.read_head(until).await {
        ReadHead::Whole(head) => head,
        other => return Err(never_opened(no_head(&other))),
    };
    take_response(wire, report, &head);
    request
        .check(&head)
        .map_err(|reason| never_opened(&reason))?;
    if strict {
        let lines: Vec<_> = head.values("Sec-WebSocket-Extensions").collect();
        let offered = Offered {
            deflate: offers,
            ..Offered::default()
        };
        Agreement::of_answer(Role::Server, offered, &lines)
    } else {
        agreed_as_in_the_original(&head, offers).map(Agreement::compressed)
    }
    .map_err(|reason| never_opened(&reason))
}

fn take_response<S>(wire: &Wire<S>, report: &mut Report, head: &Head) {
    report.detail.response = Some(wire.text.clone());
    report.agent = head.value("Server").map(str::to_owned);
}

fn no_head(read: &ReadHead) -> &'static str {
    match read {
        ReadHead::Whole(_) => "the head is whole",
        ReadHead::End => "the server ended TCP without an answer",
        ReadHead::Late => "the server did not answer in time",
        ReadHead::TooLong => "the server's head does not end",
    }
}

/// What was agreed on, read as the original suite reads it: the answer is not compared with the
/// offers.
fn agreed_as_in_the_original(head: &Head, offers: &[Offer]) -> Result<Option<Compression>, String> {
    let lines: Vec<_> = head.values("Sec-WebSocket-Extensions").collect();
    let answer = original::answer(&lines).map_err(|error| error.to_string())?;
    match (answer, offers.first()) {
        (None, _) => Ok(None),
        (Some(answer), Some(offer)) => Ok(Some(Compression::new(
            &Agreed::new(offer, &answer),
            Role::Server,
        ))),
        (Some(_), None) => Err("the server answers permessage-deflate unasked".to_owned()),
    }
}

async fn to_measure<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    report: &mut Report,
    plan: &RequestPlan,
    mut request: Request,
    options: &Options,
) -> Opened {
    let mut line = format!("GET {} HTTP/1.1", request.target);
    let mut fields: Vec<_> = request
        .fields()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    apply(&plan.edits, &mut line, &mut fields);
    let octets = plan
        .raw
        .clone()
        .unwrap_or_else(|| http::write(&line, &fields).into_bytes());
    let mut octets = filled(
        &octets,
        &[
            ("{host}", &request.host),
            ("{target}", &request.target),
            ("{key}", &request.key),
        ],
    );
    octets.truncate(plan.cut.unwrap_or(usize::MAX));
    let behind = really_sent(&octets, &mut request);
    report.detail.request = Some(String::from_utf8_lossy(&octets[..octets.len().min(4096)]).into());

    if let Answer::GivesUpWithin(time) | Answer::MayGiveUpWithin(time) = plan.answer {
        return Err(gives_up(wire, report, &octets, plan, time).await);
    }
    wire.write(&octets, plan.chop, plan.pause).await;
    let until = Instant::now() + options.opening_timeout;
    let mut read = wire.read_head(until).await;
    // RFC 9110 §15.2.1: an interim answer, not the answer.
    while matches!(&read, ReadHead::Whole(head) if head.status() == Some(100)) {
        read = wire.read_head(until).await;
    }
    let head = match &read {
        ReadHead::Whole(head) => Some(head),
        ReadHead::End => None,
        other => return Err(never_opened(no_head(other))),
    };
    if let Some(head) = head {
        take_response(wire, report, head);
    }
    let opened = head.is_some_and(|head| head.status() == Some(101));
    match (&plan.answer, head) {
        (answer, Some(head)) if opened && answer.may_open() => {
            request
                .check(head)
                .map_err(|reason| never_opened(&reason))?;
            if let Some(check) = plan.check {
                check(head).map_err(|reason| wrong_answer(&reason))?;
            }
            let lines: Vec<_> = head.values("Sec-WebSocket-Extensions").collect();
            let offered = Offered {
                deflate: &plan.offers,
                frames: &plan.frame_offers,
                layer: plan.layer,
                mux: plan.mux,
            };
            Agreement::of_answer(Role::Server, offered, &lines)
                .map_err(|reason| never_opened(&reason))
        }
        (Answer::Opens, Some(head)) => Err(never_opened(&format!(
            "the server answers {:?}",
            head.start_line
        ))),
        (Answer::Opens, None) => Err(never_opened(no_head(&read))),
        (Answer::GivesUpWithin(_) | Answer::MayGiveUpWithin(_), _) => unreachable!("handled above"),
        (_, Some(head)) if opened => Err(wrong_answer(&format!(
            "the server opened the connection ({:?}); it should have refused",
            head.start_line
        ))),
        (answer, head) => Err(refused(wire, answer, head, plan.check, behind).await),
    }
}

/// Takes over what the response depends on from the head as it is sent: the key and the
/// subprotocols on offer. Returns whether there are octets behind the head.
fn really_sent(octets: &[u8], request: &mut Request) -> bool {
    let Some((head, size)) = Head::parse(octets) else {
        return false;
    };
    if let Some(key) = head.value("Sec-WebSocket-Key") {
        key.clone_into(&mut request.key);
    }
    request.protocols = head
        .values("Sec-WebSocket-Protocol")
        .flat_map(|value| value.split(','))
        .map(|protocol| protocol.trim().to_owned())
        .collect();
    size < octets.len()
}

pub(super) fn filled(octets: &[u8], names: &[(&str, &str)]) -> Vec<u8> {
    let mut octets = octets.to_vec();
    for (name, value) in names {
        let mut from = 0;
        while let Some(at) = octets[from..]
            .windows(name.len())
            .position(|window| window == name.as_bytes())
        {
            let at = from + at;
            octets.splice(at..at + name.len(), value.bytes());
            from = at + value.len();
        }
    }
    octets
}

fn wrong_answer(reason: &str) -> Judgement {
    Judgement {
        verdict: Verdict::Failed,
        close_verdict: CloseVerdict::Ok,
        result: format!("The answer is not right: {reason}."),
        result_close: "The case is about the opening handshake.".to_owned(),
    }
}

fn right_answer(verdict: Verdict, result: String) -> Judgement {
    Judgement {
        verdict,
        close_verdict: CloseVerdict::Ok,
        result,
        result_close: "The case is about the opening handshake.".to_owned(),
    }
}

/// The judgement on a server that did not open the connection, and should not have.
async fn refused<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    answer: &Answer,
    head: Option<&Head>,
    check: Option<HeadCheck>,
    behind: bool,
) -> Judgement {
    let Some(head) = head else {
        let verdict = match answer {
            Answer::Refuses { .. } | Answer::ShouldOpen => Verdict::NonStrict,
            _ => Verdict::Ok,
        };
        return right_answer(
            verdict,
            "The server ended TCP without an answer.".to_owned(),
        );
    };
    let Some(status) = head.status() else {
        return wrong_answer(&format!("{:?} is no status line", head.start_line));
    };
    let mut verdict = Verdict::Ok;
    if let Answer::Refuses {
        statuses,
        tolerated,
        field,
    } = answer
    {
        if tolerated.contains(&status) {
            verdict = Verdict::NonStrict;
        } else if !statuses.contains(&status) {
            let mut listed: Vec<_> = statuses.iter().map(ToString::to_string).collect();
            listed.sort_unstable();
            return wrong_answer(&format!(
                "the status is {status}; it should be {}",
                listed.join(" or ")
            ));
        }
        if let Some((name, element)) = field
            && !head.lists(name, element)
        {
            return wrong_answer(&format!("the field {name} does not list {element}"));
        }
    } else if !(400..=599).contains(&status) {
        return wrong_answer(&format!("the status is {status}, not 4xx or 5xx"));
    }
    if *answer == Answer::ShouldOpen {
        verdict = Verdict::NonStrict;
    }
    if let Some(check) = check
        && let Err(reason) = check(head)
    {
        return wrong_answer(&reason);
    }
    // One request, one answer: behind the body nothing may come.
    wire.read_to_end(Instant::now() + AFTER_REFUSAL).await;
    let body = head
        .value("Content-Length")
        .and_then(|length| length.parse::<usize>().ok());
    // Octets behind the request may be another request, unless the server said that it closes
    // (RFC 9112 §9.6).
    let may_answer_again = behind && !head.lists("Connection", "close");
    if body.is_some_and(|length| wire.rest.len() > length) && !may_answer_again {
        return wrong_answer("behind the body of the refusal comes more");
    }
    right_answer(verdict, format!("The server refused with {status}."))
}

/// The judgement on a server that must not wait for ever.
async fn gives_up<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    report: &mut Report,
    octets: &[u8],
    plan: &RequestPlan,
    time: Duration,
) -> Judgement {
    let until = Instant::now() + time;
    let size = plan.chop.unwrap_or(octets.len()).max(1);
    let mut ended = false;
    for piece in octets.chunks(size) {
        wire.write(piece, None, Duration::ZERO).await;
        let next = until.min(Instant::now() + plan.pause);
        if wire.read_to_end(next).await {
            ended = true;
            break;
        }
        if Instant::now() >= until {
            break;
        }
    }
    let ended = ended || wire.read_to_end(until).await;
    if let Some((head, size)) = Head::parse(&wire.rest) {
        wire.text = String::from_utf8_lossy(&wire.rest[..size]).into_owned();
        take_response(wire, report, &head);
        if head.status() == Some(101) {
            return wrong_answer("the server opened the connection");
        }
    }
    if ended {
        right_answer(
            Verdict::Ok,
            "The server ended the connection by itself.".to_owned(),
        )
    } else if matches!(plan.answer, Answer::MayGiveUpWithin(_)) {
        Judgement {
            verdict: Verdict::Informational,
            close_verdict: CloseVerdict::Informational,
            ..right_answer(
                Verdict::Ok,
                format!(
                    "After {} s the server still waits: nothing forbids that, but whoever wants \
                     to can hold its connections.",
                    time.as_secs()
                ),
            )
        }
    } else {
        wrong_answer(&format!(
            "after {} s the server still waits",
            time.as_secs()
        ))
    }
}

//! The judge asks a client for credentials.

use std::time::Duration;

use cloverleaf_reports::{CaseResult, Role, Verdict};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, timeout};

use super::agreement::Agreement;
use super::guard::judgement;
use super::server::Received;
use super::wire::{ReadHead, Wire};
use super::{Report, carry_out};
use crate::authentication::{Algorithm, Credentials, Element, Inputs, basic, elements};
use crate::case::{Case, Challenging, Reply, Turn};
use crate::frame::{Frame, TEXT};
use crate::http::{self, Head};
use crate::opening;
use crate::random::Random;
use crate::session::Options;

/// How long a client may take for its next try.
const NEXT_TRY: Duration = Duration::from_secs(3);

/// The same, when it has ended TCP.
const RECONNECT: Duration = Duration::from_secs(1);

/// Further connections of a client for the same case, with their requests.
pub type Visits<S> = UnboundedReceiver<(S, Received)>;

/// Runs one case with a client that has sent this request, and has these credentials.
#[expect(
    clippy::too_many_arguments,
    reason = "what a case needs, and what this one needs"
)]
pub async fn judge_challenged<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    request: Received,
    visits: &mut Visits<S>,
    case: &Case,
    plan: &Challenging,
    credentials: &Credentials,
    versions: &[u8],
    options: &Options,
    mut random: Random,
) -> CaseResult {
    let mut report = Report::new();
    report.detail.request = Some(request.text.clone());
    let mut talk = Talk {
        wire: Wire::new(stream, request.rest),
        head: request.head,
        visits,
        report: &mut report,
        worst: Verdict::Ok,
        inputs: None,
    };
    let end = talk
        .turns(plan, credentials, versions, &mut random, options)
        .await;
    let Talk {
        mut wire,
        worst,
        head,
        inputs,
        ..
    } = talk;
    let (verdict, reason) = match end {
        Ok(true) => {
            let greeting = match (plan.greeting, &inputs) {
                (Some(fields), Some(inputs)) => fields(inputs),
                _ => Vec::new(),
            };
            let text = welcome(&head, greeting);
            wire.write(text.as_bytes(), None, Duration::ZERO).await;
            report.add_response(&text);
            if plan.opens {
                let agreement = Agreement::default();
                let role = Role::Client;
                let carried = carry_out(wire, report, agreement, role, case, options, random);
                let (mut result, _) = carried.await;
                if result.verdict == Verdict::Ok {
                    result.verdict = worst;
                }
                return result;
            }
            mistrust(&mut wire).await
        }
        Ok(false) => (worst, "The client gave up.".to_owned()),
        Err(wrong) => wrong,
    };
    // The client may be gone already.
    let _ = wire.stream.shutdown().await;
    wire.log.into_detail(&mut report.detail);
    report.finish(case, judgement(verdict, &reason))
}

type Wrong = (Verdict, String);

fn failed(reason: impl Into<String>) -> Wrong {
    (Verdict::Failed, reason.into())
}

struct Talk<'a, S> {
    wire: Wire<S>,
    /// The last request.
    head: Head,
    visits: &'a mut Visits<S>,
    report: &'a mut Report,
    worst: Verdict,
    /// What the last right response was computed of.
    inputs: Option<Inputs>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<'_, S> {
    /// Refuses as the plan has it; returns whether the connection is to open then.
    async fn turns(
        &mut self,
        plan: &Challenging,
        credentials: &Credentials,
        versions: &[u8],
        random: &mut Random,
        options: &Options,
    ) -> Result<bool, Wrong> {
        self.asked(versions)?;
        for turn in &plan.turns {
            if sends_basic(&self.head) && !matches!(turn.wants, Reply::Basic) {
                return Err(failed("the client sent its password in the clear unasked"));
            }
            let nonce = format!("{:016x}{:016x}", random.number(), random.number());
            let challenges: Vec<_> = turn
                .challenges
                .iter()
                .map(|line| line.replace("{nonce}", &nonce))
                .collect();
            self.refuse(turn, &challenges).await;
            let patience = NEXT_TRY.min(options.opening_timeout);
            if !self.next(patience).await {
                return match turn.wants {
                    Reply::Nothing | Reply::NotBasic => Ok(false),
                    _ => Err((
                        turn.gives_up.clone(),
                        "the client gave up, though it has what was asked for".to_owned(),
                    )),
                };
            }
            self.asked(versions)?;
            self.compare(turn, &challenges, credentials)?;
        }
        Ok(true)
    }

    fn asked(&self, versions: &[u8]) -> Result<(), Wrong> {
        match opening::check_request(&self.head, versions) {
            Ok(_) => Ok(()),
            Err((_, reason)) => Err(failed(format!("the request is not right: {reason}"))),
        }
    }

    async fn refuse(&mut self, turn: &Turn, challenges: &[String]) {
        let mut fields = vec![
            ("Server".to_owned(), opening::NAME.to_owned()),
            ("Content-Type".to_owned(), "text/plain".to_owned()),
            ("Content-Length".to_owned(), turn.body.len().to_string()),
        ];
        let lines = challenges.iter();
        fields.extend(lines.map(|line| ("WWW-Authenticate".to_owned(), line.clone())));
        if turn.closes {
            fields.push(("Connection".to_owned(), "close".to_owned()));
        }
        let text = http::write("HTTP/1.1 401 Unauthorized", &fields) + &turn.body;
        self.report.add_response(&text);
        self.wire.write(text.as_bytes(), None, Duration::ZERO).await;
        if turn.closes {
            // The client may be gone already.
            let _ = self.wire.stream.shutdown().await;
        }
    }

    /// Waits for the next request, on this connection or another; whether there is one.
    async fn next(&mut self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let (visit, text) = tokio::select! {
            read = self.wire.read_head(until) => match read {
                ReadHead::Whole(head) => {
                    self.head = head;
                    (None, self.wire.text.clone())
                }
                _ => match timeout(RECONNECT, self.visits.recv()).await {
                    Ok(Some((stream, received))) => {
                        let text = received.text.clone();
                        (Some((stream, received)), text)
                    }
                    _ => return false,
                },
            },
            Some((stream, received)) = self.visits.recv() => {
                let text = received.text.clone();
                (Some((stream, received)), text)
            }
        };
        if let Some((stream, received)) = visit {
            self.head = received.head;
            self.wire = Wire::new(stream, received.rest);
        }
        self.report.add_request(&text);
        true
    }

    /// Compares a request with what should follow a refusal.
    fn compare(
        &mut self,
        turn: &Turn,
        challenges: &[String],
        credentials: &Credentials,
    ) -> Result<(), Wrong> {
        let login = credentials.login.clone().unwrap_or_default();
        let values: Vec<_> = self.head.values("Authorization").collect();
        let value = match values[..] {
            [value] => value,
            [] if turn.wants == Reply::Nothing => {
                return Err((
                    Verdict::NonStrict,
                    "the client asks again, without anything new".to_owned(),
                ));
            }
            [] => return Err(failed("the client asks again without credentials")),
            _ => return Err(failed("Authorization comes more than once")),
        };
        let sends_basic = sends_basic(&self.head);
        let wanted = match turn.wants {
            Reply::Nothing => {
                return Err((
                    Verdict::NonStrict,
                    "the client tries again what was refused, or does not know".to_owned(),
                ));
            }
            Reply::NotBasic => {
                return Err(match sends_basic {
                    true => failed("the client sends its password in the clear"),
                    false => failed("the client sends what it was not asked for"),
                });
            }
            Reply::Basic => {
                let right = basic(&login.user, &login.password);
                let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
                if !scheme.eq_ignore_ascii_case("Basic") {
                    return Err(failed(format!("the client sends {scheme}, not Basic")));
                }
                if right != format!("Basic {}", token.trim()) {
                    return Err(failed("name or password are not right in base 64"));
                }
                return Ok(());
            }
            Reply::Digest(algorithm) | Reply::Preferably(algorithm) => {
                Wanted::of(algorithm, Some("auth"))
            }
            Reply::DigestWith(algorithm, qop) => Wanted::of(algorithm, qop),
            Reply::Userhash(algorithm) => Wanted {
                userhash: true,
                ..Wanted::of(algorithm, Some("auth"))
            },
        };
        if sends_basic {
            return Err(failed("Digest was offered, and the client sends Basic"));
        }
        let sent = one(value).map_err(failed)?;
        let chosen = algorithm_of(&sent).filter(|algorithm| *algorithm != wanted.algorithm);
        let wanted = match (turn.wants, chosen) {
            (Reply::Preferably(_), Some(other)) => {
                self.worst = Verdict::NonStrict;
                Wanted::of(other, Some("auth"))
            }
            // To hide one's name is left to the client.
            (Reply::Userhash(algorithm), None) if !sent.lists("userhash", "true") => {
                self.worst = Verdict::NonStrict;
                Wanted::of(algorithm, Some("auth"))
            }
            _ => wanted,
        };
        let inputs = wanted
            .check(&sent, challenges, &self.head, &login.user, &login.password)
            .map_err(failed)?;
        self.inputs = Some(inputs);
        Ok(())
    }
}

/// The only credentials in a value.
fn one(value: &str) -> Result<Element, String> {
    let mut all = elements(value)?;
    match (all.pop(), all.is_empty()) {
        (Some(element), true) => Ok(element),
        _ => Err("there are not exactly one scheme's credentials in Authorization".to_owned()),
    }
}

fn algorithm_of(element: &Element) -> Option<Algorithm> {
    match element.value("algorithm") {
        Some(name) => Algorithm::named(name),
        None => Some(Algorithm::MD5),
    }
}

fn sends_basic(head: &Head) -> bool {
    let mut values = head.values("Authorization");
    values.any(|value| value.to_ascii_lowercase().starts_with("basic"))
}

/// What credentials of Digest must be like.
struct Wanted {
    algorithm: Algorithm,
    qop: Option<&'static str>,
    userhash: bool,
}

impl Wanted {
    fn of(algorithm: Algorithm, qop: Option<&'static str>) -> Self {
        Self {
            algorithm,
            qop,
            userhash: false,
        }
    }

    /// RFC 7616 §3.4; returns what the response was computed of.
    fn check(
        &self,
        sent: &Element,
        challenges: &[String],
        head: &Head,
        user: &str,
        password: &str,
    ) -> Result<Inputs, String> {
        if !sent.is("Digest") {
            return Err(format!("the client sends {}, not Digest", sent.scheme));
        }
        let name = self.algorithm.name();
        if algorithm_of(sent) != Some(self.algorithm) {
            let other = sent.value("algorithm").unwrap_or("MD5");
            return Err(format!(
                "the client chose {other}; it should have chosen {name}"
            ));
        }
        let mut all = challenges
            .iter()
            .filter_map(|line| elements(line).ok())
            .flatten();
        let challenge = all.find(|challenge| {
            challenge.is("Digest") && algorithm_of(challenge) == Some(self.algorithm)
        });
        let challenge = challenge.ok_or("the case offers no such algorithm")?;
        // These were quoted or not from the beginning, and some servers insist.
        for name in [
            "username", "realm", "nonce", "uri", "response", "cnonce", "opaque",
        ] {
            if sent
                .parameter(name)
                .is_some_and(|parameter| !parameter.quoted)
            {
                return Err(format!("{name} must be quoted"));
            }
        }
        for name in ["algorithm", "qop", "nc"] {
            if sent
                .parameter(name)
                .is_some_and(|parameter| parameter.quoted)
            {
                return Err(format!("{name} must not be quoted"));
            }
        }
        for name in ["realm", "nonce", "opaque"] {
            if sent.value(name) != challenge.value(name) {
                return Err(format!(
                    "{name} is {:?}, in the challenge it is {:?}",
                    sent.value(name),
                    challenge.value(name)
                ));
            }
        }
        if sent.value("uri") != head.target() {
            return Err("uri is not the target of the request".to_owned());
        }
        if sent.value("qop") != self.qop {
            return Err(format!(
                "qop is {:?}, not {:?}",
                sent.value("qop"),
                self.qop
            ));
        }
        let value = |name| sent.value(name).unwrap_or_default().to_owned();
        if self.qop.is_some() {
            if sent.value("nc") != Some("00000001") {
                return Err(format!(
                    "nc is {:?}; a nonce is used for the first time with 00000001",
                    sent.value("nc")
                ));
            }
            if value("cnonce").is_empty() {
                return Err("there is no cnonce".to_owned());
            }
        }
        let inputs = Inputs {
            algorithm: self.algorithm,
            user: user.to_owned(),
            password: password.to_owned(),
            realm: value("realm"),
            nonce: value("nonce"),
            method: "GET".to_owned(),
            uri: value("uri"),
            qop: self.qop.map(str::to_owned),
            nc: value("nc"),
            cnonce: value("cnonce"),
        };
        let (named, hashed) = match self.userhash {
            true => (inputs.userhash(), Some("true")),
            false => (user.to_owned(), None),
        };
        if value("username") != named {
            return Err("username is not what it should be".to_owned());
        }
        if sent.value("userhash").filter(|value| *value != "false") != hashed {
            return Err(format!(
                "userhash is {:?}, not {hashed:?}",
                sent.value("userhash")
            ));
        }
        if value("response") != inputs.response() {
            return Err("response is not right".to_owned());
        }
        Ok(inputs)
    }
}

/// The 101, with more fields.
fn welcome(head: &Head, more: Vec<(String, String)>) -> String {
    let key = head.value("Sec-WebSocket-Key").unwrap_or_default();
    let text = opening::response(key, None);
    let end = text.len() - 2;
    let more: String = more
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    format!("{}{more}\r\n", &text[..end])
}

/// The verdict on a client that should not take the connection for open.
async fn mistrust<S: AsyncRead + AsyncWrite + Unpin>(wire: &mut Wire<S>) -> Wrong {
    let frame = Frame::text("Is this connection open?").encode(None);
    wire.write(&frame, None, Duration::ZERO).await;
    wire.rest.clear();
    let ended = wire.read_to_end(Instant::now() + NEXT_TRY).await;
    let echoed = wire.rest.first().is_some_and(|octet| octet & 0x0F == TEXT);
    match (echoed, ended) {
        (true, _) => (
            Verdict::NonStrict,
            "The client trusts a server that has not proved that it knows the password.".to_owned(),
        ),
        (false, true) => (Verdict::Ok, "The client gave the connection up.".to_owned()),
        (false, false) => failed("the client neither talks nor gives up"),
    }
}

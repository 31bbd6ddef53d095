//! Sending and expecting in turn: the cases that Autobahn does not have.

use std::collections::VecDeque;
use std::time::Duration;

use cloverleaf_reports::model::{Detail, Event as ReportedEvent};
use cloverleaf_reports::{Role, Verdict};

use super::judgement::{Closer, ExpectedEnd, Judgement};
use super::{Plan, Program};
use crate::frame::Frame;
use crate::session::{Event, Session, State, shown};

/// How long the judge waits for something that it expects, unless the case says otherwise.
const PATIENCE: Duration = Duration::from_secs(3);

/// Something that the subject should do next.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expect {
    /// A message with this content.
    Message {
        /// Its payload.
        payload: Vec<u8>,
        /// Binary or text.
        binary: bool,
    },
    /// A binary message of so many zeros.
    Zeros(usize),
    /// A pong with this payload.
    Pong(Vec<u8>),
    /// A close frame with one of these codes; `None` stands for a frame without one.
    Close(Vec<Option<u16>>),
    /// A close frame with one of these codes or none, or the end of TCP: it fails the connection.
    Fails(Vec<u16>),
    /// The end of TCP.
    End,
    /// That nothing happens within the time.
    Nothing,
    /// The first that fits decides the verdict.
    OneOf(Vec<(Verdict, Self)>),
}

impl Expect {
    /// A text message.
    pub fn text(payload: impl Into<Vec<u8>>) -> Self {
        Self::Message {
            payload: payload.into(),
            binary: false,
        }
    }

    /// A binary message.
    pub fn binary(payload: impl Into<Vec<u8>>) -> Self {
        Self::Message {
            payload: payload.into(),
            binary: true,
        }
    }

    /// The verdict if this is what happened.
    fn verdict(&self, happened: &Happened) -> Option<Verdict> {
        let fits = match (self, happened) {
            (Self::Message { payload, binary }, Happened::Message(seen, kind)) => {
                payload == seen && binary == kind
            }
            (Self::Zeros(length), Happened::Message(seen, true)) => {
                seen.len() == *length && seen.iter().all(|octet| *octet == 0)
            }
            (Self::Pong(payload), Happened::Pong(seen)) => payload == seen,
            (Self::Close(codes), Happened::Close(code)) => codes.contains(code),
            (Self::Fails(codes), Happened::Close(code)) => {
                code.is_none_or(|code| codes.contains(&code))
            }
            (Self::Fails(_) | Self::End, Happened::End) | (Self::Nothing, Happened::Nothing) => {
                true
            }
            (Self::OneOf(choices), _) => {
                return choices.iter().find_map(|(verdict, one)| {
                    Some(verdict.clone()).filter(|_| one.verdict(happened).is_some())
                });
            }
            _ => false,
        };
        fits.then_some(Verdict::Ok)
    }
}

/// One act of a dialogue.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Act {
    /// Sends a frame as it is.
    Send(Frame),
    /// Sends octets as they are.
    Octets(Vec<u8>),
    /// Sends a message, compressed if that was agreed, in fragments of so many octets.
    Message(Vec<u8>, bool, Option<usize>),
    /// Begins the closing handshake with this frame.
    Close(Frame),
    /// The subject should do this, within the given time.
    Expect(Expect, Duration),
    /// For this time the subject should do nothing.
    Quiet(Duration),
    /// Lets time pass; what happens meanwhile is expected later.
    Pause(Duration),
    /// Sends a frame so many times, until the subject ends the connection.
    Flood(Frame, u32),
    /// Pongs should come for some of these pings, in this order, up to that for the last: an
    /// endpoint need not answer each (RFC 6455 §5.5.3).
    Pongs(Vec<Vec<u8>>, Duration),
    /// Whatever comes, up to the subject's close frame or the end of TCP.
    UntilClosed(Duration),
    /// Drops TCP.
    Drop,
    /// Ends TCP in the direction of the subject.
    HalfClose,
    /// Looks at the connection; an error fails the case.
    Check(fn(&Session) -> Result<(), String>),
    /// Looks at the connection; an error comes with a verdict that need not be FAILED.
    Weigh(fn(&Session) -> Result<(), (Verdict, String)>),
    /// Looks at what was agreed on; with an error the case is UNIMPLEMENTED.
    Need(fn(&Session) -> Result<(), String>),
}

/// How a dialogue may end.
pub type End = ExpectedEnd;

/// Acts, one after the other. The first expectation that is not met fails the case.
///
/// When all is done the judge closes with 1000, unless the subject was to fail the connection, and
/// the end is judged as in Autobahn's cases.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Dialogue {
    /// What is done and expected.
    pub acts: Vec<Act>,
    /// How it may end.
    pub end: ExpectedEnd,
    /// Without permessage-deflate the case does not apply.
    pub needs_compression: bool,
    /// Whatever happens, the case only informs.
    pub informational: bool,
    /// As the server the judge reads on for so long after the closing handshake, to see what
    /// still comes.
    pub linger: Duration,
    /// The subject may refuse to go on at any time, by a close frame with one of these codes or
    /// none, or by dropping TCP; that is as right as going on. Empty: it may not.
    pub refusals: Vec<u16>,
    /// The acts answer the subject's close frame, or do not.
    pub answers_close: bool,
}

impl Default for Dialogue {
    fn default() -> Self {
        Self::new()
    }
}

impl Dialogue {
    /// A dialogue that only closes.
    #[must_use]
    pub fn new() -> Self {
        Self {
            acts: Vec::new(),
            end: ExpectedEnd::normal(),
            needs_compression: false,
            informational: false,
            linger: Duration::ZERO,
            refusals: Vec::new(),
            answers_close: false,
        }
    }

    /// Adds an act.
    #[must_use]
    pub fn act(mut self, act: Act) -> Self {
        self.acts.push(act);
        self
    }

    /// Sends a frame.
    #[must_use]
    pub fn send(self, frame: Frame) -> Self {
        self.act(Act::Send(frame))
    }

    /// Sends octets.
    #[must_use]
    pub fn octets(self, octets: impl Into<Vec<u8>>) -> Self {
        self.act(Act::Octets(octets.into()))
    }

    /// Sends a text message, compressed if that was agreed.
    #[must_use]
    pub fn text(self, payload: impl Into<Vec<u8>>) -> Self {
        self.act(Act::Message(payload.into(), false, None))
    }

    /// Sends a binary message, compressed if that was agreed.
    #[must_use]
    pub fn binary(self, payload: impl Into<Vec<u8>>) -> Self {
        self.act(Act::Message(payload.into(), true, None))
    }

    /// The subject should do this next.
    #[must_use]
    pub fn expect(self, expect: Expect) -> Self {
        self.act(Act::Expect(expect, PATIENCE))
    }

    /// The subject should do this within so many milliseconds.
    #[must_use]
    pub fn expect_within(self, ms: u64, expect: Expect) -> Self {
        self.act(Act::Expect(expect, Duration::from_millis(ms)))
    }

    /// Sends a text message and expects it back.
    #[must_use]
    pub fn echo(self, payload: impl Into<Vec<u8>>) -> Self {
        let payload = payload.into();
        self.text(payload.clone()).expect(Expect::text(payload))
    }

    /// Begins the closing handshake with this frame.
    #[must_use]
    pub fn close(self, frame: Frame) -> Self {
        self.act(Act::Close(frame))
    }

    /// The subject should fail the connection with one of these codes or none, or drop it.
    #[must_use]
    pub fn fails(mut self, codes: &[u16]) -> Self {
        self.end = ExpectedEnd::failed_by_subject(codes);
        self.expect(Expect::Fails(codes.to_vec()))
    }

    /// Nothing should happen for so many milliseconds.
    #[must_use]
    pub fn quiet(self, ms: u64) -> Self {
        self.act(Act::Quiet(Duration::from_millis(ms)))
    }

    /// Lets so many milliseconds pass.
    #[must_use]
    pub fn pause(self, ms: u64) -> Self {
        self.act(Act::Pause(Duration::from_millis(ms)))
    }

    /// Looks at the connection.
    #[must_use]
    pub fn check(self, check: fn(&Session) -> Result<(), String>) -> Self {
        self.act(Act::Check(check))
    }

    /// Without what this looks for in the agreement, the case is UNIMPLEMENTED.
    #[must_use]
    pub fn need(self, need: fn(&Session) -> Result<(), String>) -> Self {
        self.act(Act::Need(need))
    }

    /// Looks at the connection, with a verdict that need not be FAILED.
    #[must_use]
    pub fn weigh(self, look: fn(&Session) -> Result<(), (Verdict, String)>) -> Self {
        self.act(Act::Weigh(look))
    }

    /// Lets pass what comes within so many milliseconds, up to the subject's close frame or the
    /// end of TCP.
    #[must_use]
    pub fn until_closed(self, ms: u64) -> Self {
        self.act(Act::UntilClosed(Duration::from_millis(ms)))
    }

    /// The subject may refuse to go on at any time, with one of these codes, without a code or by
    /// dropping TCP.
    #[must_use]
    pub fn may_refuse(mut self, codes: &[u16]) -> Self {
        self.refusals = codes.to_vec();
        self.end = ExpectedEnd::normal_unless_refused(codes);
        self
    }

    /// The acts answer the subject's close frame (by [`close`](Self::close)), or do not.
    #[must_use]
    pub fn answers_close(mut self) -> Self {
        self.answers_close = true;
        self
    }

    /// How it may end.
    #[must_use]
    pub fn end(mut self, end: ExpectedEnd) -> Self {
        self.end = end;
        self
    }

    /// Without permessage-deflate the case is UNIMPLEMENTED.
    #[must_use]
    pub fn needs_compression(mut self) -> Self {
        self.needs_compression = true;
        self
    }

    /// Whatever happens, the case only informs.
    #[must_use]
    pub fn informational(mut self) -> Self {
        self.informational = true;
        self
    }

    /// As the server, reads on for so many milliseconds after the closing handshake.
    #[must_use]
    pub fn linger(mut self, ms: u64) -> Self {
        self.linger = Duration::from_millis(ms);
        self
    }

    pub(super) fn start(&self) -> Box<dyn Program> {
        Box::new(Run {
            dialogue: self.clone(),
            acts: self.acts.clone().into(),
            happened: VecDeque::new(),
            seen: Vec::new(),
            waiting: None,
            waits: 0,
            verdict: Verdict::Ok,
            note: None,
            result: None,
            ended: false,
        })
    }

    pub(super) fn time_limit(&self) -> Duration {
        let waits = self.acts.iter().map(|act| match act {
            Act::Expect(_, time)
            | Act::Pongs(_, time)
            | Act::UntilClosed(time)
            | Act::Quiet(time)
            | Act::Pause(time) => *time,
            _ => Duration::ZERO,
        });
        waits.sum::<Duration>() + self.linger + Duration::from_secs(10)
    }
}

impl From<Dialogue> for Plan {
    fn from(dialogue: Dialogue) -> Self {
        Self::Dialogue(dialogue)
    }
}

/// What the subject did, as far as it can be expected.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Happened {
    Message(Vec<u8>, bool),
    Pong(Vec<u8>),
    Close(Option<u16>),
    End,
    /// The time is up.
    Nothing,
}

impl Happened {
    fn in_words(&self) -> String {
        match self {
            Self::Message(payload, binary) => {
                let kind = if *binary { "binary" } else { "text" };
                format!(
                    "a {kind} message of {} octets ({:?})",
                    payload.len(),
                    shown(payload)
                )
            }
            Self::Pong(payload) => format!("a pong ({:?})", shown(payload)),
            Self::Close(Some(code)) => format!("a close frame with {code}"),
            Self::Close(None) => "a close frame without a code".to_owned(),
            Self::End => "the end of TCP".to_owned(),
            Self::Nothing => "nothing".to_owned(),
        }
    }
}

/// What an event means for the present act.
enum Step {
    /// The act is done.
    Done,
    /// More is to come.
    Again,
    /// The subject refuses to go on, as it may: the dialogue is over.
    Refused,
    /// Not what was expected.
    Wrong,
}

struct Run {
    dialogue: Dialogue,
    acts: VecDeque<Act>,
    happened: VecDeque<Happened>,
    seen: Vec<Happened>,
    /// The number of the timer that the present act waits with.
    waiting: Option<u32>,
    waits: u32,
    verdict: Verdict,
    /// Something to say in the result though the dialogue went on.
    note: Option<String>,
    /// Why the verdict is not OK; once it is set, the dialogue is over.
    result: Option<String>,
    /// The acts are over, and the end has begun.
    ended: bool,
}

impl Run {
    fn go_on(&mut self, session: &mut Session) {
        while self.result.is_none() {
            let Some(act) = self.acts.front() else {
                self.end(session);
                return;
            };
            match act {
                Act::Send(frame) => session.send(frame),
                Act::Octets(octets) => session.send_octets(octets.clone()),
                Act::Message(payload, binary, fragment) => {
                    session.send_message(payload, *binary, *fragment);
                }
                Act::Close(frame) => session.close_frame(frame),
                Act::Flood(frame, times) => {
                    for _ in 0..*times {
                        session.send(frame);
                    }
                }
                Act::Need(need) => {
                    if let Err(sentence) = need(session) {
                        self.unimplemented(session, sentence);
                        return;
                    }
                }
                Act::Drop => session.drop_connection(true),
                Act::HalfClose => session.half_close(),
                Act::Check(_) | Act::Weigh(_) => {
                    if let Err(sentence) = self.look(session) {
                        self.fail(session, sentence);
                        return;
                    }
                }
                Act::Expect(_, time) | Act::Pongs(_, time) | Act::UntilClosed(time) => {
                    let time = *time;
                    let Some(happened) = self.happened.pop_front() else {
                        self.wait(session, time);
                        return;
                    };
                    match self.meet(&happened) {
                        Step::Done => {}
                        Step::Again => continue,
                        Step::Refused => {
                            self.acts.clear();
                            continue;
                        }
                        Step::Wrong => {
                            let sentence = format!(
                                "Instead of what was expected came {}.",
                                happened.in_words()
                            );
                            self.fail(session, sentence);
                            return;
                        }
                    }
                }
                Act::Quiet(time) | Act::Pause(time) => {
                    let time = *time;
                    self.wait(session, time);
                    return;
                }
            }
            self.waiting = None;
            self.acts.pop_front();
        }
    }

    /// All is done: whoever is to close the connection gets to it.
    fn end(&mut self, session: &mut Session) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let refused = session.close_facts().subject_code.is_some();
        match self.dialogue.end.closer {
            Closer::Suite => session.close(self.dialogue.end.codes.first().copied()),
            Closer::Either if session.state() == State::Open && !refused => {
                session.close(self.dialogue.end.codes.first().copied());
            }
            Closer::Either | Closer::Subject => session.await_end(),
        }
    }

    /// Makes the look that is the present act; an error fails the case.
    fn look(&mut self, session: &Session) -> Result<(), String> {
        match self.acts.front() {
            Some(Act::Check(check)) => check(session),
            Some(Act::Weigh(look)) => match look(session) {
                Err((Verdict::Failed, sentence)) => Err(sentence),
                Err((verdict, sentence)) => {
                    self.take(verdict);
                    self.note = Some(sentence);
                    Ok(())
                }
                Ok(()) => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// A verdict on a part; the worst that was not OK stays.
    fn take(&mut self, verdict: Verdict) {
        if self.verdict != Verdict::NonStrict {
            self.verdict = match verdict {
                Verdict::Ok => self.verdict.clone(),
                other => other,
            };
        }
    }

    fn meet(&mut self, happened: &Happened) -> Step {
        let step = match self.acts.front_mut() {
            Some(Act::Expect(expect, _)) => match expect.verdict(happened) {
                Some(verdict) => {
                    self.take(verdict);
                    Step::Done
                }
                None => Step::Wrong,
            },
            Some(Act::Pongs(pings, _)) => {
                let at = match happened {
                    Happened::Pong(payload) => pings.iter().position(|ping| ping == payload),
                    _ => None,
                };
                match at {
                    Some(at) if at + 1 == pings.len() => Step::Done,
                    Some(at) => {
                        pings.drain(..=at);
                        Step::Again
                    }
                    None => Step::Wrong,
                }
            }
            Some(Act::UntilClosed(_)) => match happened {
                Happened::Close(_) | Happened::End => Step::Done,
                _ => Step::Again,
            },
            _ => Step::Done,
        };
        match (step, happened) {
            (Step::Wrong, Happened::Close(_) | Happened::End) if self.may_refuse(happened) => {
                self.note = Some(format!("The subject refused by {}.", happened.in_words()));
                Step::Refused
            }
            (step, _) => step,
        }
    }

    fn may_refuse(&self, happened: &Happened) -> bool {
        let refusals = &self.dialogue.refusals;
        !refusals.is_empty() && Expect::Fails(refusals.clone()).verdict(happened).is_some()
    }

    /// Sets the timer of the present act, unless it runs already.
    fn wait(&mut self, session: &mut Session, time: Duration) {
        if self.waiting.is_none() {
            self.waits += 1;
            self.waiting = Some(self.waits);
            session.wake_after(time, self.waits);
        }
    }

    fn fail(&mut self, session: &mut Session, sentence: impl Into<String>) {
        self.verdict = Verdict::Failed;
        self.result = Some(sentence.into());
        match session.state() {
            State::Open => session.close(Some(1000)),
            _ => session.await_end(),
        }
    }

    fn unimplemented(&mut self, session: &mut Session, sentence: impl Into<String>) {
        self.verdict = Verdict::Unimplemented;
        self.result = Some(sentence.into());
        // Nothing is asked of the subject any more, whatever the case would have asked for.
        self.dialogue.end = ExpectedEnd::normal();
        session.close(Some(1000));
    }

    fn happen(&mut self, session: &mut Session, happened: Happened) {
        if self.seen.len() < 1_000 {
            self.seen.push(happened.clone());
        }
        if let Some(Act::Quiet(_)) = self.acts.front()
            && self.waiting.is_some()
            && self.result.is_none()
        {
            if self.may_refuse(&happened) {
                self.acts.clear();
            } else {
                let sentence = format!("Nothing should have come; {} did.", happened.in_words());
                self.fail(session, sentence);
            }
        }
        self.happened.push_back(happened);
        self.go_on(session);
    }

    /// The time of the present act is up.
    fn time_is_up(&mut self, session: &mut Session) {
        self.waiting = None;
        let late = match self.acts.front() {
            Some(Act::Expect(expect, time)) if expect.verdict(&Happened::Nothing).is_none() => {
                Some((format!("{expect:?}"), *time))
            }
            Some(act @ (Act::Pongs(_, time) | Act::UntilClosed(time))) => {
                Some((in_words(act), *time))
            }
            _ => None,
        };
        if let Some((what, time)) = late {
            let sentence = format!("Within {} ms there was not: {what}", time.as_millis());
            self.fail(session, sentence);
            return;
        }
        // What takes part in nothing happening is met by it; a pause is simply over.
        let _: Step = self.meet(&Happened::Nothing);
        self.acts.pop_front();
        self.go_on(session);
    }

    /// TCP has ended: what is left to expect can only be that; looks that follow still count.
    fn conclude(&mut self, session: &Session) {
        // A server is to end TCP itself.
        let by_judge = session.close_facts().dropped_by_suite;
        let server_left_it = by_judge && session.subject() == Role::Server;
        let mut ended = server_left_it;
        // TCP that has ended stays ended: each act may meet it, once.
        let mut met_by = None;
        while self.result.is_none() {
            let failure = match self.acts.front() {
                None => break,
                Some(Act::Expect(..) | Act::Pongs(..) | Act::UntilClosed(_)) => {
                    let happened = self.happened.pop_front().or_else(|| {
                        let left = Some(self.acts.len());
                        let end = !server_left_it && std::mem::replace(&mut met_by, left) != left;
                        ended = true;
                        end.then_some(Happened::End)
                    });
                    match happened.as_ref().map(|happened| self.meet(happened)) {
                        Some(Step::Done) => None,
                        Some(Step::Again) => continue,
                        Some(Step::Refused) => break,
                        None if matches!(self.acts.front(), Some(Act::UntilClosed(_))) => None,
                        Some(Step::Wrong) | None => {
                            let act = self.acts.front();
                            Some(format!(
                                "TCP ended before: {}",
                                act.map_or_else(String::new, in_words)
                            ))
                        }
                    }
                }
                Some(Act::Check(_) | Act::Weigh(_)) => self.look(session).err(),
                Some(Act::Quiet(_)) if session.state() == State::Closed && !ended => {
                    if self.may_refuse(&Happened::End) {
                        break;
                    }
                    Some("Nothing should have happened; TCP ended.".to_owned())
                }
                Some(_) => None,
            };
            if let Some(sentence) = failure {
                self.verdict = Verdict::Failed;
                self.result = Some(sentence);
            }
            self.acts.pop_front();
        }
    }
}

/// What an act expects.
fn in_words(act: &Act) -> String {
    match act {
        Act::Expect(expect, _) => format!("{expect:?}"),
        Act::Pongs(pings, _) => format!("{} more pongs", pings.len()),
        _ => "a close frame".to_owned(),
    }
}

impl Program for Run {
    fn on_open(&mut self, session: &mut Session) {
        session.set_strict();
        session.set_linger(self.dialogue.linger);
        if self.dialogue.answers_close {
            session.leave_close_to_case();
        }
        if self.dialogue.needs_compression && !session.is_compressed() {
            self.unimplemented(session, "permessage-deflate was not agreed on.");
            return;
        }
        self.go_on(session);
    }

    fn on_event(&mut self, session: &mut Session, event: Event) {
        match event {
            Event::Message { payload, binary } => {
                self.happen(session, Happened::Message(payload, binary));
            }
            Event::Pong(payload) => self.happen(session, Happened::Pong(payload)),
            Event::CloseFrame => {
                let code = session.close_facts().subject_code;
                // The answer to our own closing is not part of the dialogue unless it waits for it.
                self.happen(session, Happened::Close(code));
            }
            Event::Wake(number) if self.waiting == Some(number) => self.time_is_up(session),
            Event::Wake(_) | Event::Ping(_) | Event::Continue(_) => {}
        }
    }

    fn judge(&mut self, session: &Session) -> Judgement {
        let close = session.close_facts();
        self.conclude(session);
        let note = self.note.take();
        let result = self.result.take().or(note).unwrap_or_else(|| {
            let sentence = match self.verdict {
                Verdict::Ok => "Everything came as expected.",
                Verdict::Informational => "What came is left open by the standard.",
                _ => "What came is tolerable, and not what is best.",
            };
            sentence.to_owned()
        });
        let verdict = self.verdict.clone();
        let open = self.dialogue.informational || verdict == Verdict::Informational;
        let mut judgement = self
            .dialogue
            .end
            .complete(session.subject(), close, verdict, result);
        if open {
            judgement.verdict = Verdict::Informational;
            judgement.close_verdict = cloverleaf_reports::CloseVerdict::Informational;
        }
        judgement
    }

    fn describe(&self, detail: &mut Detail) {
        detail.expected_close = Some(self.dialogue.end.to_model());
        detail.received = self
            .seen
            .iter()
            .filter_map(|happened| match happened {
                Happened::Message(payload, binary) => Some(ReportedEvent::Message {
                    payload: shown(payload),
                    binary: *binary,
                }),
                Happened::Pong(payload) => Some(ReportedEvent::Pong {
                    payload: shown(payload),
                }),
                Happened::Close(_) | Happened::End | Happened::Nothing => None,
            })
            .collect();
    }
}

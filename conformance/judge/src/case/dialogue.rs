//! Sending and expecting in turn: the cases that Autobahn does not have.

use std::collections::VecDeque;
use std::time::Duration;

use cloverleaf_reports::Verdict;
use cloverleaf_reports::model::{Detail, Event as ReportedEvent};

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
    /// A pong with this payload.
    Pong(Vec<u8>),
    /// A close frame with one of these codes; `None` stands for a frame without one.
    Close(Vec<Option<u16>>),
    /// A close frame with one of these codes or none, or the end of TCP: it fails the connection.
    Fails(Vec<u16>),
    /// The end of TCP.
    End,
    /// The first that fits decides the verdict.
    OneOf(Vec<(Verdict, Expect)>),
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
            (Self::Pong(payload), Happened::Pong(seen)) => payload == seen,
            (Self::Close(codes), Happened::Close(code)) => codes.contains(code),
            (Self::Fails(codes), Happened::Close(code)) => {
                code.is_none_or(|code| codes.contains(&code))
            }
            (Self::Fails(_) | Self::End, Happened::End) => true,
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
    /// Drops TCP.
    Drop,
    /// Looks at the connection; an error fails the case.
    Check(fn(&Session) -> Result<(), String>),
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
            result: None,
        })
    }

    pub(super) fn time_limit(&self) -> Duration {
        let waits = self.acts.iter().map(|act| match act {
            Act::Expect(_, time) | Act::Quiet(time) | Act::Pause(time) => *time,
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
        }
    }
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
    /// Why the verdict is not OK; once it is set, the dialogue is over.
    result: Option<String>,
}

impl Run {
    fn go_on(&mut self, session: &mut Session) {
        while self.result.is_none() {
            let Some(act) = self.acts.front() else {
                if self.dialogue.end.closer == Closer::Suite {
                    session.close(self.dialogue.end.codes.first().copied());
                }
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
                Act::Drop => session.drop_connection(true),
                Act::Check(check) => {
                    if let Err(sentence) = check(session) {
                        self.fail(session, sentence);
                        return;
                    }
                }
                Act::Expect(expect, time) => {
                    let Some(happened) = self.happened.pop_front() else {
                        let time = *time;
                        self.wait(session, time);
                        return;
                    };
                    match expect.verdict(&happened) {
                        Some(Verdict::Ok) => {}
                        Some(verdict) => {
                            self.verdict = verdict;
                            self.waiting = None;
                        }
                        None => {
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
        session.close(Some(1000));
    }

    fn happen(&mut self, session: &mut Session, happened: Happened) {
        if self.seen.len() < 1_000 {
            self.seen.push(happened.clone());
        }
        if let Some(Act::Quiet(_)) = self.acts.front() {
            if self.waiting.is_some() && self.result.is_none() {
                let sentence = format!("Nothing should have come; {} did.", happened.in_words());
                self.fail(session, sentence);
            }
        }
        self.happened.push_back(happened);
        self.go_on(session);
    }
}

impl Program for Run {
    fn on_open(&mut self, session: &mut Session) {
        session.set_linger(self.dialogue.linger);
        session.set_strict();
        if self.dialogue.needs_compression && !session.is_compressed() {
            self.verdict = Verdict::Unimplemented;
            self.result = Some("permessage-deflate was not agreed on.".to_owned());
            session.close(Some(1000));
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
            Event::Wake(number) if self.waiting == Some(number) => {
                self.waiting = None;
                match self.acts.front() {
                    Some(Act::Expect(expect, time)) => {
                        let sentence =
                            format!("Within {} ms there was not: {expect:?}", time.as_millis());
                        self.fail(session, sentence);
                    }
                    _ => {
                        self.acts.pop_front();
                        self.go_on(session);
                    }
                }
            }
            Event::Wake(_) | Event::Ping(_) | Event::Continue(_) => {}
        }
    }

    fn judge(&mut self, session: &Session) -> Judgement {
        let close = session.close_facts();
        // What is left to expect can only be the end of TCP, which has come; looks that follow
        // still count.
        let mut ended = false;
        while self.result.is_none() {
            match self.acts.pop_front() {
                None => break,
                Some(Act::Expect(expect, _)) => {
                    let happened = self.happened.pop_front().or_else(|| {
                        let end = !std::mem::replace(&mut ended, true);
                        end.then_some(Happened::End)
                    });
                    let verdict = happened.as_ref().and_then(|seen| expect.verdict(seen));
                    match verdict {
                        Some(Verdict::Ok) => {}
                        Some(other) => self.verdict = other,
                        None => {
                            self.verdict = Verdict::Failed;
                            self.result = Some(format!("TCP ended before: {expect:?}"));
                        }
                    }
                }
                Some(Act::Check(check)) => {
                    if let Err(sentence) = check(session) {
                        self.verdict = Verdict::Failed;
                        self.result = Some(sentence);
                    }
                }
                Some(Act::Quiet(_)) if session.state() == State::Closed && !ended => {
                    self.verdict = Verdict::Failed;
                    self.result = Some("Nothing should have happened; TCP ended.".to_owned());
                }
                Some(_) => {}
            }
        }
        let result = self.result.take().unwrap_or_else(|| match self.verdict {
            Verdict::Ok => "Everything came as expected.".to_owned(),
            _ => "What came is tolerable, and not what is best.".to_owned(),
        });
        let verdict = self.verdict.clone();
        let mut judgement = self
            .dialogue
            .end
            .complete(session.subject(), close, verdict, result);
        if self.dialogue.informational {
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
                Happened::Close(_) | Happened::End => None,
            })
            .collect();
    }
}

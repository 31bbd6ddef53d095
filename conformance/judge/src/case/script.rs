//! Frames and pauses, and lists of events of which one must be seen exactly: Autobahn's cases.

use std::collections::VecDeque;
use std::time::Duration;

use cloverleaf_reports::Verdict;
use cloverleaf_reports::model::{Detail, Event as ReportedEvent};

use super::judgement::{Closer, ExpectedEnd, Judgement};
use super::{Plan, Program};
use crate::frame::{Frame, Masking};
use crate::session::{Event, Session, State, shown};

/// One thing that the judge does.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Step {
    /// Sends a frame as it is.
    Send(Frame),
    /// Sends the octets of a frame that carry this part of its payload; the head goes with the
    /// first part.
    SendPart(Frame, std::ops::Range<usize>),
    /// Sends a text message in fragments of so many octets.
    SendFragmented(Vec<u8>, usize),
    /// Begins the closing handshake with this code and reason, valid or not.
    Close(Option<u16>, Vec<u8>),
    /// Waits. With a tag, the pause counts as an event if the connection is open at its end, and
    /// the script ends if it is not.
    Pause(Duration, Option<&'static str>),
    /// Fails the connection after this time.
    KillAfter(Duration),
    /// Begins the closing handshake after this time.
    CloseAfter(Duration),
}

/// An event that a script can expect.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "Autobahn has these")]
pub enum Seen {
    /// A message.
    Message {
        /// Its payload.
        payload: Vec<u8>,
        /// Binary or text.
        binary: bool,
    },
    /// A pong.
    Pong(Vec<u8>),
    /// The end of a pause with this tag.
    Timeout(&'static str),
}

/// A text message.
pub fn text(payload: impl Into<Vec<u8>>) -> Seen {
    Seen::Message {
        payload: payload.into(),
        binary: false,
    }
}

/// A binary message.
pub fn binary(payload: impl Into<Vec<u8>>) -> Seen {
    Seen::Message {
        payload: payload.into(),
        binary: true,
    }
}

/// A pong.
pub fn pong(payload: impl Into<Vec<u8>>) -> Seen {
    Seen::Pong(payload.into())
}

/// The end of a pause.
pub fn timeout(tag: &'static str) -> Seen {
    Seen::Timeout(tag)
}

/// A case in Autobahn's way.
///
/// Everything is sent at once, pauses apart. When what was seen equals what is expected, the judge
/// closes with 1000, if it is the one to close. One second later (unless the script says another
/// time) it fails what is left of the connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Script {
    /// What is done.
    pub steps: Vec<Step>,
    /// What may be seen, and what each is worth.
    pub outcomes: Vec<(Verdict, Vec<Seen>)>,
    /// How it may end.
    pub end: ExpectedEnd,
    /// The judge does not close by itself: a step does.
    pub closes_itself: bool,
    /// Whatever is seen, both verdicts are INFORMATIONAL.
    pub informational: bool,
    /// The judge must have sent so many first frames and so many continuations.
    pub frames_sent: Option<(u64, u64)>,
}

impl Default for Script {
    fn default() -> Self {
        Self::new()
    }
}

impl Script {
    /// A script that does nothing yet and ends normally.
    #[must_use]
    pub fn new() -> Self {
        Self {
            steps: Vec::new(),
            outcomes: Vec::new(),
            end: ExpectedEnd::normal(),
            closes_itself: false,
            informational: false,
            frames_sent: None,
        }
    }

    /// Adds a step.
    #[must_use]
    pub fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Sends a frame.
    #[must_use]
    pub fn send(self, frame: Frame) -> Self {
        self.step(Step::Send(frame))
    }

    /// Sends frames.
    #[must_use]
    pub fn send_all(mut self, frames: impl IntoIterator<Item = Frame>) -> Self {
        self.steps.extend(frames.into_iter().map(Step::Send));
        self
    }

    /// Begins the closing handshake with this code.
    #[must_use]
    pub fn close(self, code: u16) -> Self {
        self.step(Step::Close(Some(code), Vec::new()))
    }

    /// Waits so many milliseconds without counting it as an event.
    #[must_use]
    pub fn pause(self, ms: u64) -> Self {
        self.step(Step::Pause(Duration::from_millis(ms), None))
    }

    /// Waits so many milliseconds; that the subject let them pass is an event.
    #[must_use]
    pub fn pause_as(self, ms: u64, tag: &'static str) -> Self {
        self.step(Step::Pause(Duration::from_millis(ms), Some(tag)))
    }

    /// Fails the connection after so many milliseconds.
    #[must_use]
    pub fn kill_after(self, ms: u64) -> Self {
        self.step(Step::KillAfter(Duration::from_millis(ms)))
    }

    /// Begins the closing handshake after so many milliseconds.
    #[must_use]
    pub fn close_after(self, ms: u64) -> Self {
        self.step(Step::CloseAfter(Duration::from_millis(ms)))
    }

    /// Seeing exactly this is OK.
    #[must_use]
    pub fn ok(self, seen: impl IntoIterator<Item = Seen>) -> Self {
        self.outcome(Verdict::Ok, seen)
    }

    /// Seeing exactly this is NON-STRICT.
    #[must_use]
    pub fn non_strict(self, seen: impl IntoIterator<Item = Seen>) -> Self {
        self.outcome(Verdict::NonStrict, seen)
    }

    fn outcome(mut self, verdict: Verdict, seen: impl IntoIterator<Item = Seen>) -> Self {
        self.outcomes.push((verdict, seen.into_iter().collect()));
        self
    }

    /// The subject is to fail the connection with one of these codes, or none.
    #[must_use]
    pub fn subject_fails(mut self, codes: &[u16]) -> Self {
        self.end = ExpectedEnd::failed_by_subject(codes);
        self
    }

    /// How it may end.
    #[must_use]
    pub fn end(mut self, end: ExpectedEnd) -> Self {
        self.end = end;
        self
    }

    /// The judge does not close by itself when it has seen what it expects.
    #[must_use]
    pub fn closes_itself(mut self) -> Self {
        self.closes_itself = true;
        self
    }

    /// Whatever happens, the case only informs.
    #[must_use]
    pub fn informational(mut self) -> Self {
        self.informational = true;
        self
    }

    /// The judge must have sent so many first frames of text and so many continuations.
    #[must_use]
    pub fn frames_sent(mut self, first: u64, continuations: u64) -> Self {
        self.frames_sent = Some((first, continuations));
        self
    }

    pub(super) fn start(&self) -> Box<dyn Program> {
        Box::new(Run {
            script: self.clone(),
            steps: self.steps.clone().into(),
            seen: Vec::new(),
            paused: false,
        })
    }

    pub(super) fn time_limit(&self) -> Duration {
        let waits = self.steps.iter().map(|step| match step {
            Step::Pause(time, _) | Step::KillAfter(time) | Step::CloseAfter(time) => *time,
            _ => Duration::ZERO,
        });
        waits.sum::<Duration>() + Duration::from_secs(10)
    }
}

impl From<Script> for Plan {
    fn from(script: Script) -> Self {
        Self::Script(script)
    }
}

struct Run {
    script: Script,
    steps: VecDeque<Step>,
    seen: Vec<Seen>,
    paused: bool,
}

/// The key under which a frame is masked that is sent in parts.
const PART_KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

impl Run {
    fn go_on(&mut self, session: &mut Session) {
        while !self.paused {
            let Some(step) = self.steps.pop_front() else {
                return;
            };
            match step {
                Step::Send(frame) => session.send(&frame),
                Step::SendPart(frame, part) => {
                    let masking = match session.subject() {
                        cloverleaf_reports::Role::Server => Masking::With(PART_KEY),
                        cloverleaf_reports::Role::Client => Masking::Never,
                    };
                    let octets = frame.clone().masking(masking).encode(None);
                    let head = octets.len() - frame.payload.len();
                    let start = if part.start == 0 {
                        0
                    } else {
                        head + part.start
                    };
                    session.send_octets(octets[start..head + part.end].to_vec());
                }
                Step::SendFragmented(payload, size) => {
                    session.send_message(&payload, false, Some(size));
                }
                Step::Close(code, reason) => {
                    let reason = (!reason.is_empty()).then_some(&reason[..]);
                    session.close_raw(code, reason);
                }
                Step::Pause(time, tag) => {
                    self.paused = true;
                    session.continue_after(time, tag);
                }
                Step::KillAfter(time) => session.kill_after(time),
                Step::CloseAfter(time) => session.close_after(time),
            }
        }
    }

    /// As Autobahn does: the judge closes when what was seen equals every outcome that the case
    /// knows.
    fn close_when_done(&self, session: &mut Session) {
        let done = self
            .script
            .outcomes
            .iter()
            .all(|(_, expected)| *expected == self.seen);
        if done && self.script.end.closer == Closer::Suite && !self.script.closes_itself {
            session.close(self.script.end.codes.first().copied());
        }
    }
}

impl Program for Run {
    fn on_open(&mut self, session: &mut Session) {
        self.go_on(session);
    }

    fn on_event(&mut self, session: &mut Session, event: Event) {
        match event {
            Event::Message { payload, binary } => {
                self.seen.push(Seen::Message { payload, binary });
                self.close_when_done(session);
            }
            Event::Pong(payload) => {
                self.seen.push(Seen::Pong(payload));
                self.close_when_done(session);
            }
            Event::Continue(tag) => {
                if let Some(tag) = tag {
                    if session.state() != State::Open {
                        return;
                    }
                    self.seen.push(Seen::Timeout(tag));
                }
                self.paused = false;
                self.go_on(session);
            }
            Event::Ping(_) | Event::CloseFrame | Event::Wake(_) => {}
        }
    }

    fn judge(&mut self, session: &Session) -> Judgement {
        let matching = self
            .script
            .outcomes
            .iter()
            .find(|(_, seen)| *seen == self.seen);
        let (mut verdict, mut result) = match matching {
            Some((verdict, _)) => (
                verdict.clone(),
                "What was seen is what was expected.".to_owned(),
            ),
            None => (
                Verdict::Failed,
                "What was seen differs from all that is accepted.".to_owned(),
            ),
        };
        if let Some((first, continuations)) = self.script.frames_sent {
            let sent = (session.log.frames_sent(1), session.log.frames_sent(0));
            if sent != (first, continuations) {
                verdict = Verdict::Failed;
                result = format!(
                    "The suite sent {sent:?} frames, not {:?}.",
                    (first, continuations)
                );
            }
        }
        let close = session.close_facts();
        let mut judgement = self
            .script
            .end
            .complete(session.subject(), close, verdict, result);
        if self.script.informational {
            judgement.verdict = Verdict::Informational;
            judgement.close_verdict = cloverleaf_reports::CloseVerdict::Informational;
        }
        judgement
    }

    fn describe(&self, detail: &mut Detail) {
        for (verdict, seen) in &self.script.outcomes {
            let events = seen.iter().map(reported).collect();
            detail.expected.insert(verdict.as_str().to_owned(), events);
        }
        detail.received = self.seen.iter().map(reported).collect();
        detail.expected_close = Some(self.script.end.to_model());
    }
}

fn reported(seen: &Seen) -> ReportedEvent {
    match seen {
        Seen::Message { payload, binary } => ReportedEvent::Message {
            payload: shown(payload),
            binary: *binary,
        },
        Seen::Pong(payload) => ReportedEvent::Pong {
            payload: shown(payload),
        },
        Seen::Timeout(tag) => ReportedEvent::Timeout {
            tag: (*tag).to_owned(),
        },
    }
}

//! What is expected on a connection with channels, and what comes of it.

use std::mem;
use std::time::Duration;

use cloverleaf_reports::Verdict;

use super::run::{Run, Step};
use super::{Act, Hope, PATIENCE};
use crate::case::judgement::{Closer, ExpectedEnd};
use crate::mux::Happened;
use crate::session::{Session, State, shown};

impl Run {
    /// The act waits for something that does not happen by itself; unless the subject ends it all.
    pub(super) fn wait_or_fail_early(&mut self, session: &mut Session) -> Step {
        let over = |happened: &&Happened| {
            matches!(
                happened,
                Happened::AllDropped(_) | Happened::PhysicalClose(_) | Happened::End
            )
        };
        match self.happened.iter().find(over).cloned() {
            Some(happened) => self.unexpected(session, &happened),
            None => Step::Waits(PATIENCE),
        }
    }

    pub(super) fn meet(
        &mut self,
        session: &mut Session,
        hopes: &[(Verdict, Hope)],
        seen: &Happened,
    ) -> Step {
        let last = self.last();
        let met = hopes.iter().find(|(_, hope)| hope.is_met_by(seen, last));
        match met.map(|(verdict, _)| verdict.clone()) {
            Some(verdict) => {
                if verdict != Verdict::Ok {
                    self.note = Some(format!("What came is tolerable: {}.", in_words(seen)));
                }
                self.take(verdict);
                Step::Done
            }
            None => self.unexpected(session, seen),
        }
    }

    pub(super) fn unexpected(&mut self, session: &mut Session, happened: &Happened) -> Step {
        let sentence = format!("Instead of what was expected came {}.", in_words(happened));
        self.fail(session, sentence)
    }

    pub(super) fn wait_for_failure(
        &mut self,
        session: &mut Session,
        codes: &[u16],
        time: Duration,
    ) -> Step {
        while let Some(happened) = self.happened.pop_front() {
            match happened {
                Happened::AllDropped(code) => {
                    self.failing = true;
                    if !code.is_some_and(|code| codes.contains(&code)) {
                        self.tolerate(format!(
                            "The connection failed with the code {code:?}, not {codes:?}."
                        ));
                    }
                }
                Happened::PhysicalClose(_) | Happened::End => {
                    if !mem::replace(&mut self.failing, true) {
                        self.tolerate("The connection failed without a DropChannel.".to_owned());
                    }
                    // Nothing that follows can be done any more.
                    self.acts.clear();
                    self.waiting = None;
                    return Step::Anew;
                }
                // What was under way.
                Happened::Message { .. }
                | Happened::Pong(..)
                | Happened::Answered(..)
                | Happened::Requested(_) => {}
                other => return self.unexpected(session, &other),
            }
        }
        Step::Waits(time)
    }

    pub(super) fn tolerate(&mut self, note: String) {
        self.take(Verdict::NonStrict);
        self.note = Some(note);
    }

    /// A verdict on a part; the worst that was not OK stays.
    pub(super) fn take(&mut self, verdict: Verdict) {
        if self.verdict != Verdict::NonStrict && verdict != Verdict::Ok {
            self.verdict = verdict;
        }
    }

    pub(super) fn time_is_up(&mut self, session: &mut Session) {
        self.waiting = None;
        let sentence = match self.acts.front() {
            Some(Act::Expect(hopes, _)) => {
                let nothing = Happened::Nothing;
                match hopes.iter().find(|(_, hope)| hope.is_met_by(&nothing, 0)) {
                    Some((verdict, _)) => {
                        let verdict = verdict.clone();
                        if verdict == Verdict::NonStrict {
                            self.tolerate("Nothing came, which is tolerable.".to_owned());
                        }
                        None
                    }
                    None => Some(format!("There was not: {:?}", hopes[0].1)),
                }
            }
            Some(Act::ExpectAll(hopes)) => Some(format!("There was not: {:?}", hopes.first())),
            Some(Act::Frame(channel, ..) | Act::Fill(channel, _)) => Some(format!(
                "There was not enough quota for the channel with the index {channel}."
            )),
            Some(Act::OpenMany(..)) => Some("There was no slot.".to_owned()),
            Some(Act::Await(_, what)) => Some(format!("There was not: {what}.")),
            Some(Act::Survives) => {
                Some("The subject neither ends the connection nor answers.".to_owned())
            }
            Some(Act::Fails(_)) => Some("The subject did not fail the connection.".to_owned()),
            Some(Act::MayFail(..)) if self.failing => {
                Some("The subject said that the connection fails, and did not close it.".to_owned())
            }
            Some(Act::Load(_)) => match &mut self.load {
                Some(load) if load.is_pushing() => {
                    load.stop_pushing();
                    self.go_on(session);
                    return;
                }
                _ => Some("Not everything came back.".to_owned()),
            },
            _ => None,
        };
        match sentence {
            Some(sentence) => {
                self.fail(session, sentence);
            }
            None => {
                self.acts.pop_front();
                self.go_on(session);
            }
        }
    }

    pub(super) fn happen(
        &mut self,
        session: &mut Session,
        happened: impl IntoIterator<Item = Happened>,
    ) {
        for happened in happened {
            if self.seen.len() < 1_000 {
                self.seen.push(happened.clone());
            }
            self.happened.push_back(happened);
        }
        self.go_on(session);
    }

    pub(super) fn fail(&mut self, session: &mut Session, sentence: impl Into<String>) -> Step {
        self.verdict = Verdict::Failed;
        self.result = Some(sentence.into());
        match session.state() {
            State::Open => session.close(Some(1000)),
            _ => session.await_end(),
        }
        Step::Anew
    }

    pub(super) fn unimplemented(&mut self, session: &mut Session, sentence: impl Into<String>) {
        self.verdict = Verdict::Unimplemented;
        self.result = Some(sentence.into());
        self.plan.end = ExpectedEnd::normal();
        session.close(Some(1000));
    }

    pub(super) fn end(&mut self, session: &mut Session) {
        if mem::replace(&mut self.ended, true) {
            return;
        }
        let refused = session.close_facts().subject_code.is_some();
        match self.plan.end.closer {
            Closer::Suite => session.close(self.plan.end.codes.first().copied()),
            Closer::Either if session.state() == State::Open && !refused => {
                session.close(self.plan.end.codes.first().copied());
            }
            Closer::Either | Closer::Subject => session.await_end(),
        }
    }
}

impl Run {
    /// TCP has ended: what is left to expect can only be that.
    pub(super) fn conclude(&mut self) {
        let last = self.last();
        while self.result.is_none() {
            let sentence = match self.acts.front() {
                None => return,
                Some(Act::Fails(codes) | Act::MayFail(codes, _)) => {
                    let dropped = self.happened.iter().find_map(|happened| match happened {
                        Happened::AllDropped(code) => Some(*code),
                        _ => None,
                    });
                    if let Some(code) = dropped {
                        self.failing = true;
                        if !code.is_some_and(|code| codes.contains(&code)) {
                            self.tolerate(format!("The connection failed with {code:?}."));
                        }
                    }
                    if !self.failing {
                        self.tolerate("The connection failed without a DropChannel.".to_owned());
                    }
                    return;
                }
                Some(Act::HalfClose | Act::CloseAll(_) | Act::Pause(_)) => None,
                Some(Act::Look(look)) => match self.ledger.as_ref().map(look) {
                    Some(Err((Verdict::Failed, sentence))) => Some(sentence),
                    _ => None,
                },
                Some(Act::Churn(_) | Act::Survives | Act::Forget) => None,
                Some(Act::Expect(hopes, _)) => {
                    // TCP that has ended stays ended.
                    let seen = self.happened.pop_front().unwrap_or(Happened::End);
                    match hopes.iter().find(|(_, hope)| hope.is_met_by(&seen, last)) {
                        Some((verdict, _)) => {
                            let verdict = verdict.clone();
                            self.take(verdict);
                            None
                        }
                        None => Some(format!("TCP ended before: {:?}", hopes[0].1)),
                    }
                }
                Some(act) => Some(format!("TCP ended before: {act:?}")),
            };
            if let Some(sentence) = sentence {
                self.verdict = Verdict::Failed;
                self.result = Some(sentence.chars().take(400).collect());
            }
            self.acts.pop_front();
        }
    }
}

pub(super) fn in_words(happened: &Happened) -> String {
    let coded = |code: &Option<u16>| match code {
        Some(code) => format!("the code {code}"),
        None => "no code".to_owned(),
    };
    match happened {
        Happened::Message {
            channel,
            payload,
            binary,
        } => {
            let kind = if *binary { "binary" } else { "text" };
            let (length, payload) = (payload.len(), shown(payload));
            format!("a {kind} message of {length} octets ({payload:?}) on channel [{channel}]")
        }
        Happened::Pong(channel, payload) => {
            format!("a pong ({:?}) on channel [{channel}]", shown(payload))
        }
        Happened::Close(channel, code) => {
            format!("a close frame with {} on channel [{channel}]", coded(code))
        }
        Happened::Dropped(channel, code) => {
            format!("a DropChannel with {} for channel [{channel}]", coded(code))
        }
        Happened::AllDropped(code) => {
            format!("a DropChannel with {} for the connection", coded(code))
        }
        Happened::Answered(channel, accepted, status) => {
            let what = if *accepted { "acceptance" } else { "refusal" };
            format!("the {what} of channel [{channel}] with {status:?}")
        }
        Happened::Requested(channel) => format!("a request for channel [{channel}]"),
        Happened::Fallback => "a fallback".to_owned(),
        Happened::PhysicalPong(payload) => {
            format!("a pong of the connection ({:?})", shown(payload))
        }
        Happened::PhysicalClose(code) => {
            format!("a close frame of the connection with {}", coded(code))
        }
        Happened::End => "the end of TCP".to_owned(),
        Happened::Nothing => "nothing".to_owned(),
    }
}

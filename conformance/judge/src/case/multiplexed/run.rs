//! A run of a case with channels.

use std::collections::VecDeque;
use std::time::Duration;

use cloverleaf_reports::model::{Detail, Event as ReportedEvent};
use cloverleaf_reports::{CloseVerdict, Role, Verdict};

use super::expecting::in_words;
use super::load::{Churn, Load};
use super::{Act, Hope, Multiplexed, PATIENCE, REQUEST, request};
use crate::case::Program;
use crate::case::judgement::Judgement;
use crate::frame::Frame;
use crate::mux::{Happened, Ledger};
use crate::session::{Event, Session, shown};

/// A larger quota than this is not used up.
const LARGEST_FILL: u64 = 4 << 20;

pub(super) fn start(plan: &Multiplexed) -> Box<dyn Program> {
    Box::new(Run {
        plan: plan.clone(),
        acts: plan.acts.clone().into(),
        ledger: None,
        host: String::new(),
        target: String::new(),
        happened: VecDeque::new(),
        seen: Vec::new(),
        waiting: None,
        waits: 0,
        verdict: Verdict::Ok,
        note: None,
        result: None,
        ended: false,
        failing: false,
        pinged: false,
        load: None,
        churn: None,
    })
}

pub(super) struct Run {
    pub(super) plan: Multiplexed,
    pub(super) acts: VecDeque<Act>,
    pub(super) ledger: Option<Ledger>,
    pub(super) host: String,
    pub(super) target: String,
    pub(super) happened: VecDeque<Happened>,
    pub(super) seen: Vec<Happened>,
    /// The number of the timer that the present act waits with.
    pub(super) waiting: Option<u32>,
    pub(super) waits: u32,
    pub(super) verdict: Verdict,
    /// Something to say in the result though the acts went on.
    pub(super) note: Option<String>,
    /// Why the verdict is not OK; once it is set, the acts are over.
    pub(super) result: Option<String>,
    /// The acts are over, and the end has begun.
    pub(super) ended: bool,
    /// The subject has said that it fails the connection.
    pub(super) failing: bool,
    pub(super) pinged: bool,
    pub(super) load: Option<Load>,
    pub(super) churn: Option<Churn>,
}

/// What has become of an act.
pub(super) enum Step {
    Done,
    /// It waits, at most so long.
    Waits(Duration),
    /// The case is over, or the act has become others.
    Anew,
}

impl Run {
    pub(super) fn go_on(&mut self, session: &mut Session) {
        while self.result.is_none() {
            let Some(act) = self.acts.front().cloned() else {
                self.end(session);
                return;
            };
            match self.perform(session, act) {
                Step::Done => {
                    self.waiting = None;
                    self.acts.pop_front();
                }
                Step::Waits(time) => {
                    if self.waiting.is_none() {
                        self.waits += 1;
                        self.waiting = Some(self.waits);
                        session.wake_after(time, self.waits);
                    }
                    return;
                }
                Step::Anew => {}
            }
        }
    }

    pub(super) fn perform(&mut self, session: &mut Session, act: Act) -> Step {
        let Some(ledger) = &mut self.ledger else {
            return Step::Done;
        };
        match act {
            Act::Send(parts) => self.send(session, &parts),
            Act::Flood(parts, times) => {
                for _ in 0..times {
                    self.send(session, &parts);
                }
            }
            Act::Cut(parts, size) => {
                let message = self.message(&parts);
                self.count(&message);
                let chunks: Vec<_> = message.chunks(size).collect();
                for (at, chunk) in chunks.iter().enumerate() {
                    let mut frame = match at {
                        0 => Frame::binary(*chunk),
                        _ => Frame::continuation(*chunk),
                    };
                    frame.fin = at + 1 == chunks.len();
                    session.send(&frame);
                }
            }
            Act::Frame(channel, head, payload) => {
                let cost = crate::mux::cost(head, payload.len());
                let quota = ledger.channels.get(channel).map(|channel| channel.ours);
                if quota.is_none_or(|quota| quota < cost) {
                    return self.wait_or_fail_early(session);
                }
                self.send(session, &super::frame(channel, head, payload));
            }
            Act::Fill(channel, more) => {
                let quota = ledger
                    .channels
                    .get(channel)
                    .map_or(0, |channel| channel.ours);
                if quota == 0 {
                    return self.wait_or_fail_early(session);
                }
                if quota > LARGEST_FILL {
                    self.take(Verdict::Informational);
                    let note = "The subject grants more than the judge tries to use up.";
                    self.result = Some(note.to_owned());
                    session.close(Some(1000));
                    return Step::Anew;
                }
                let size = usize::try_from(quota - 1 + more).unwrap_or(0);
                self.send(session, &super::frame(channel, 0x82, vec![0; size]));
            }
            Act::Physical(frame) => session.send(&frame),
            Act::Open(quota) => return self.expand_open(session, quota),
            Act::OpenMany(count, quota) => return self.open_many(session, count, quota),
            Act::Expect(hopes, time) => {
                let Some(happened) = self.happened.pop_front() else {
                    return Step::Waits(time);
                };
                return self.meet(session, &hopes, &happened);
            }
            Act::ExpectAll(hopes) => {
                if hopes.is_empty() {
                    return Step::Done;
                }
                let Some(happened) = self.happened.pop_front() else {
                    return Step::Waits(PATIENCE);
                };
                let last = self.last();
                return match hopes
                    .iter()
                    .position(|hope| hope.is_met_by(&happened, last))
                {
                    Some(at) => {
                        if let Some(Act::ExpectAll(hopes)) = self.acts.front_mut() {
                            hopes.remove(at);
                        }
                        Step::Anew
                    }
                    None => self.unexpected(session, &happened),
                };
            }
            Act::Quiet(time) => {
                return match self.happened.pop_front() {
                    Some(happened) => {
                        let sentence =
                            format!("Nothing should have come; {} did.", in_words(&happened));
                        self.fail(session, sentence)
                    }
                    None => Step::Waits(time),
                };
            }
            Act::Pause(time) => return Step::Waits(time),
            Act::Fails(codes) => return self.wait_for_failure(session, &codes, PATIENCE),
            Act::MayFail(codes, time) => return self.wait_for_failure(session, &codes, time),
            Act::Branch(server, client) => {
                self.acts.pop_front();
                let acts = match session.subject() {
                    Role::Server => server,
                    Role::Client => client,
                };
                for act in acts.into_iter().rev() {
                    self.acts.push_front(act);
                }
                return Step::Anew;
            }
            Act::Await(is_so, _) => {
                if !is_so(ledger) {
                    return self.wait_or_fail_early(session);
                }
            }
            Act::Look(look) => {
                if let Err((verdict, sentence)) = look(ledger) {
                    if verdict == Verdict::Failed {
                        return self.fail(session, sentence);
                    }
                    self.take(verdict);
                    self.note = Some(sentence);
                }
            }
            Act::Need(need) => {
                if let Err(sentence) = need(ledger) {
                    self.unimplemented(session, sentence);
                    return Step::Anew;
                }
            }
            Act::Set(set) => set(ledger),
            Act::Load(octets) => return self.load(session, octets),
            Act::Churn(times) => return self.churn(session, times),
            Act::UnlessEnding(acts) => {
                self.acts.pop_front();
                if self.saw_the_end() {
                    self.acts.clear();
                    self.acts
                        .push_front(Act::Expect(vec![(Verdict::Ok, Hope::Ended)], PATIENCE));
                } else {
                    for act in acts.into_iter().rev() {
                        self.acts.push_front(act);
                    }
                }
                return Step::Anew;
            }
            Act::AskBeyond => {
                let parts = request(0, self.next_id(), REQUEST);
                self.send(session, &parts);
            }
            Act::Forget => self.happened.clear(),
            Act::Survives => return self.survives(session),
            Act::HalfClose => session.half_close(),
            Act::CloseAll(code) => session.close(Some(code)),
        }
        Step::Done
    }
}

impl Program for Run {
    fn on_open(&mut self, session: &mut Session) {
        session.set_strict();
        let subject = session.subject();
        let Some(agreed) = session.take_multiplexing() else {
            self.unimplemented(session, "mux was not agreed on.");
            return;
        };
        agreed
            .request
            .target()
            .unwrap_or("/")
            .clone_into(&mut self.target);
        agreed
            .request
            .value("Host")
            .unwrap_or_default()
            .clone_into(&mut self.host);
        self.ledger = Some(Ledger::new(subject, agreed));
        self.go_on(session);
    }

    fn on_event(&mut self, session: &mut Session, event: Event) {
        match event {
            Event::Message { payload, binary } => {
                let Some(ledger) = &mut self.ledger else {
                    return;
                };
                match ledger.receive(&payload, binary) {
                    Ok(happened) => {
                        self.send_outbox(session);
                        self.happen(session, happened);
                    }
                    Err(sentence) if self.result.is_none() => {
                        self.fail(session, sentence);
                    }
                    Err(_) => {}
                }
                session.recycle(payload);
            }
            Event::Pong(payload) => self.happen(session, [Happened::PhysicalPong(payload)]),
            Event::CloseFrame => {
                let code = session.close_facts().subject_code;
                self.happen(session, [Happened::PhysicalClose(code)]);
            }
            Event::Wake(number) if self.waiting == Some(number) => self.time_is_up(session),
            Event::Wake(_) | Event::Ping(_) | Event::Continue(_) => {}
        }
    }

    fn judge(&mut self, session: &Session) -> Judgement {
        self.conclude();
        let note = self.note.take();
        let result = self.result.take().or(note).unwrap_or_else(|| {
            let sentence = match self.verdict {
                Verdict::Ok => "Everything came as expected.",
                Verdict::Informational => "What came is left open.",
                _ => "What came is tolerable, and not what is best.",
            };
            sentence.to_owned()
        });
        let verdict = self.verdict.clone();
        let open = self.plan.informational || verdict == Verdict::Informational;
        let close = session.close_facts();
        let mut judgement = self
            .plan
            .end
            .complete(session.subject(), close, verdict, result);
        if open {
            judgement.verdict = Verdict::Informational;
            judgement.close_verdict = CloseVerdict::Informational;
        }
        judgement
    }

    fn describe(&self, detail: &mut Detail) {
        detail.expected_close = Some(self.plan.end.to_model());
        let reported = |happened: &Happened| match happened {
            Happened::Message {
                payload, binary, ..
            } => Some(ReportedEvent::Message {
                payload: shown(payload),
                binary: *binary,
            }),
            Happened::Pong(_, payload) | Happened::PhysicalPong(payload) => {
                Some(ReportedEvent::Pong {
                    payload: shown(payload),
                })
            }
            _ => None,
        };
        detail.received = self.seen.iter().filter_map(reported).collect();
    }
}

//! What the judge sends on a connection with channels.

use std::mem;
use std::time::Duration;

use cloverleaf_reports::{Role, Verdict};

use super::load::{Churn, Load};
use super::run::{Run, Step};
use super::{AMPLE, Act, Hope, PATIENCE, Part, REQUEST, grant, request};
use crate::frame::Frame;
use crate::mux::{Block, Happened, channel_id, number};
use crate::session::{Session, State};

impl Run {
    pub(super) fn message(&self, parts: &[Part]) -> Vec<u8> {
        let mut message = Vec::new();
        for part in parts {
            match part {
                Part::Octets(octets) => message.extend_from_slice(octets),
                Part::Id(at) => {
                    let ledger = self.ledger.as_ref();
                    let channel = ledger.and_then(|ledger| ledger.channels.get(*at));
                    message.extend(channel_id(channel.map_or(0, |channel| channel.id)));
                }
                Part::Head(head) => {
                    let head = head
                        .replace("{host}", &self.host)
                        .replace("{target}", &self.target);
                    message.extend(number(head.len() as u64));
                    message.extend_from_slice(head.as_bytes());
                }
            }
        }
        message
    }

    pub(super) fn count(&mut self, message: &[u8]) {
        if let Some(ledger) = &mut self.ledger {
            ledger.sent(message);
        }
    }

    pub(super) fn send(&mut self, session: &mut Session, parts: &[Part]) {
        let message = self.message(parts);
        self.count(&message);
        session.send(&Frame::binary(message));
    }

    pub(super) fn send_outbox(&mut self, session: &mut Session) {
        let Some(ledger) = &mut self.ledger else {
            return;
        };
        for message in mem::take(&mut ledger.outbox) {
            if session.state() == State::Open {
                session.send(&Frame::binary(message));
            }
        }
    }

    /// A number that no channel has had.
    pub(super) fn next_id(&self) -> u32 {
        let ids = self.ledger.iter().flat_map(|ledger| &ledger.channels);
        ids.map(|channel| channel.id).max().map_or(2, |id| id + 1)
    }

    /// `Act::Open` in terms of others.
    pub(super) fn expand_open(&mut self, session: &Session, quota: u64) -> Step {
        self.acts.pop_front();
        let channel = self
            .ledger
            .as_ref()
            .map_or(0, |ledger| ledger.channels.len());
        let acts = match session.subject() {
            Role::Server => {
                let mut parts = request(0, self.next_id(), REQUEST);
                let mut flow = vec![0x40];
                flow.extend(channel_id(self.next_id()));
                flow.extend(number(quota));
                parts.push(Part::Octets(flow));
                vec![
                    Act::Await(|ledger| !ledger.slots.is_empty(), "a slot"),
                    Act::Send(parts),
                    Act::Expect(
                        vec![(
                            Verdict::Ok,
                            Hope::This(Happened::Answered(channel, true, Some(101))),
                        )],
                        PATIENCE,
                    ),
                ]
            }
            Role::Client => vec![
                Act::Send(super::blocks(&[Block::slots(1, quota.min(AMPLE))])),
                Act::Expect(
                    vec![(Verdict::Ok, Hope::This(Happened::Requested(channel)))],
                    PATIENCE,
                ),
            ],
        };
        for act in acts.into_iter().rev() {
            self.acts.push_front(act);
        }
        Step::Anew
    }

    /// Asks for channels, or gives slots, when the act begins; then waits until all are open.
    pub(super) fn open_many(&mut self, session: &mut Session, count: usize, quota: u64) -> Step {
        let Some(ledger) = &self.ledger else {
            return Step::Done;
        };
        if session.subject() == Role::Server && ledger.slots.is_empty() {
            return self.wait_or_fail_early(session);
        }
        self.acts.pop_front();
        self.waiting = None;
        let first = ledger.channels.len();
        let count = match session.subject() {
            Role::Server => count.min(ledger.slots.len()),
            Role::Client => count,
        };
        let channels = first..first + count;
        let hopes = match session.subject() {
            Role::Server => {
                for _ in channels.clone() {
                    let parts = request(0, self.next_id(), REQUEST);
                    self.send(session, &parts);
                    if quota > 0 {
                        let channel = self
                            .ledger
                            .as_ref()
                            .map_or(0, |ledger| ledger.channels.len());
                        self.send(session, &grant(channel - 1, quota));
                    }
                }
                channels
                    .map(|at| Hope::This(Happened::Answered(at, true, Some(101))))
                    .collect()
            }
            Role::Client => {
                let slots = [Block::slots(count as u64, quota)];
                self.send(session, &super::blocks(&slots));
                channels
                    .map(|at| Hope::This(Happened::Requested(at)))
                    .collect()
            }
        };
        self.acts.push_front(Act::ExpectAll(hopes));
        Step::Anew
    }

    pub(super) fn load(&mut self, session: &mut Session, octets: usize) -> Step {
        let Some(ledger) = &mut self.ledger else {
            return Step::Done;
        };
        let load = self.load.get_or_insert_with(|| Load::new(ledger, octets));
        for happened in mem::take(&mut self.happened) {
            if let Err(sentence) = load.happen(&happened) {
                self.load = None;
                return self.fail(session, sentence);
            }
        }
        let messages = load.go_on(ledger);
        let (done, unfair) = (load.is_done(), load.unfair(ledger));
        if !messages.is_empty() {
            // The pause begins anew: the subject is to have everything before it may send.
            self.waiting = None;
        }
        for message in messages {
            session.send(&Frame::binary(message));
        }
        if let Some(sentence) = unfair {
            self.take(Verdict::NonStrict);
            self.note = Some(sentence);
        }
        match done {
            true => Step::Done,
            false if self.load.as_ref().is_some_and(Load::is_pushing) => {
                Step::Waits(Duration::from_millis(300))
            }
            false => Step::Waits(2 * PATIENCE),
        }
    }

    /// Waits for the pong of a ping, or the end, whatever comes before.
    pub(super) fn survives(&mut self, session: &mut Session) -> Step {
        if !mem::replace(&mut self.pinged, true) {
            session.send(&Frame::ping("alive?"));
        }
        while let Some(happened) = self.happened.pop_front() {
            match happened {
                Happened::PhysicalPong(payload) if payload == b"alive?" => return Step::Done,
                Happened::PhysicalClose(_) | Happened::End => return Step::Done,
                _ => {}
            }
        }
        Step::Waits(PATIENCE)
    }

    pub(super) fn last(&self) -> usize {
        let ledger = self.ledger.as_ref();
        ledger.map_or(0, |ledger| ledger.channels.len() - 1)
    }

    /// Whether the subject has said that it fails the connection.
    pub(super) fn saw_the_end(&self) -> bool {
        let seen = |happened: &Happened| matches!(happened, Happened::AllDropped(_));
        self.seen.iter().any(seen)
    }

    pub(super) fn churn(&mut self, session: &mut Session, times: u32) -> Step {
        let next = self.next_id();
        let head = self.message(&[Part::Head(REQUEST.to_owned())]);
        let Some(ledger) = &mut self.ledger else {
            return Step::Done;
        };
        let churn = self.churn.get_or_insert_with(|| Churn::new(times, next));
        for happened in mem::take(&mut self.happened) {
            if matches!(
                happened,
                Happened::AllDropped(_) | Happened::PhysicalClose(_) | Happened::End
            ) {
                // It has had enough.
                self.happened.push_back(happened);
                return Step::Done;
            }
        }
        for message in churn.go_on(ledger, &head) {
            session.send(&Frame::binary(message));
        }
        match churn.is_done() {
            true => Step::Done,
            // It gives no more slots: enough is enough.
            false => Step::Waits(Duration::from_millis(500)),
        }
    }
}

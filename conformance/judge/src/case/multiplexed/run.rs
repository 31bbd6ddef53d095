//! A run of a case with channels.

use std::collections::VecDeque;
use std::mem;
use std::time::Duration;

use cloverleaf_reports::model::{Detail, Event as ReportedEvent};
use cloverleaf_reports::{CloseVerdict, Role, Verdict};

use super::load::{Churn, Load};
use super::{AMPLE, Act, Hope, Multiplexed, PATIENCE, Part, REQUEST, grant, request};
use crate::case::Program;
use crate::case::judgement::{Closer, ExpectedEnd, Judgement};
use crate::frame::Frame;
use crate::mux::{Block, Happened, Ledger, channel_id, number};
use crate::session::{Event, Session, State, shown};

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

struct Run {
    plan: Multiplexed,
    acts: VecDeque<Act>,
    ledger: Option<Ledger>,
    host: String,
    target: String,
    happened: VecDeque<Happened>,
    seen: Vec<Happened>,
    /// The number of the timer that the present act waits with.
    waiting: Option<u32>,
    waits: u32,
    verdict: Verdict,
    /// Something to say in the result though the acts went on.
    note: Option<String>,
    /// Why the verdict is not OK; once it is set, the acts are over.
    result: Option<String>,
    /// The acts are over, and the end has begun.
    ended: bool,
    /// The subject has said that it fails the connection.
    failing: bool,
    pinged: bool,
    load: Option<Load>,
    churn: Option<Churn>,
}

/// What has become of an act.
enum Step {
    Done,
    /// It waits, at most so long.
    Waits(Duration),
    /// The case is over, or the act has become others.
    Anew,
}

impl Run {
    fn go_on(&mut self, session: &mut Session) {
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

    fn perform(&mut self, session: &mut Session, act: Act) -> Step {
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

    // --- sending ---------------------------------------------------------------------------------

    fn message(&self, parts: &[Part]) -> Vec<u8> {
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

    fn count(&mut self, message: &[u8]) {
        if let Some(ledger) = &mut self.ledger {
            ledger.sent(message);
        }
    }

    fn send(&mut self, session: &mut Session, parts: &[Part]) {
        let message = self.message(parts);
        self.count(&message);
        session.send(&Frame::binary(message));
    }

    fn send_outbox(&mut self, session: &mut Session) {
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
    fn next_id(&self) -> u32 {
        let ids = self.ledger.iter().flat_map(|ledger| &ledger.channels);
        ids.map(|channel| channel.id).max().map_or(2, |id| id + 1)
    }

    /// `Act::Open` in terms of others.
    fn expand_open(&mut self, session: &Session, quota: u64) -> Step {
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
    fn open_many(&mut self, session: &mut Session, count: usize, quota: u64) -> Step {
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

    fn load(&mut self, session: &mut Session, octets: usize) -> Step {
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
    fn survives(&mut self, session: &mut Session) -> Step {
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

    fn last(&self) -> usize {
        let ledger = self.ledger.as_ref();
        ledger.map_or(0, |ledger| ledger.channels.len() - 1)
    }

    /// Whether the subject has said that it fails the connection.
    fn saw_the_end(&self) -> bool {
        let seen = |happened: &Happened| matches!(happened, Happened::AllDropped(_));
        self.seen.iter().any(seen)
    }

    fn churn(&mut self, session: &mut Session, times: u32) -> Step {
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

    // --- expecting -------------------------------------------------------------------------------

    /// The act waits for something that does not happen by itself; unless the subject ends it all.
    fn wait_or_fail_early(&mut self, session: &mut Session) -> Step {
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

    fn meet(&mut self, session: &mut Session, hopes: &[(Verdict, Hope)], seen: &Happened) -> Step {
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

    fn unexpected(&mut self, session: &mut Session, happened: &Happened) -> Step {
        let sentence = format!("Instead of what was expected came {}.", in_words(happened));
        self.fail(session, sentence)
    }

    fn wait_for_failure(&mut self, session: &mut Session, codes: &[u16], time: Duration) -> Step {
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

    fn tolerate(&mut self, note: String) {
        self.take(Verdict::NonStrict);
        self.note = Some(note);
    }

    /// A verdict on a part; the worst that was not OK stays.
    fn take(&mut self, verdict: Verdict) {
        if self.verdict != Verdict::NonStrict && verdict != Verdict::Ok {
            self.verdict = verdict;
        }
    }

    fn time_is_up(&mut self, session: &mut Session) {
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

    fn happen(&mut self, session: &mut Session, happened: impl IntoIterator<Item = Happened>) {
        for happened in happened {
            if self.seen.len() < 1_000 {
                self.seen.push(happened.clone());
            }
            self.happened.push_back(happened);
        }
        self.go_on(session);
    }

    // --- ending ----------------------------------------------------------------------------------

    fn fail(&mut self, session: &mut Session, sentence: impl Into<String>) -> Step {
        self.verdict = Verdict::Failed;
        self.result = Some(sentence.into());
        match session.state() {
            State::Open => session.close(Some(1000)),
            _ => session.await_end(),
        }
        Step::Anew
    }

    fn unimplemented(&mut self, session: &mut Session, sentence: impl Into<String>) {
        self.verdict = Verdict::Unimplemented;
        self.result = Some(sentence.into());
        self.plan.end = ExpectedEnd::normal();
        session.close(Some(1000));
    }

    fn end(&mut self, session: &mut Session) {
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

fn in_words(happened: &Happened) -> String {
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

impl Run {
    /// TCP has ended: what is left to expect can only be that.
    fn conclude(&mut self) {
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

//! Two carriers, a wire between them, and schedules nobody would think of.
//!
//! Beside them stands a naive ledger that reads what goes over the wire and keeps the books: who was
//! granted what, who spent what, which channel has which number. Every channel has a serial, in the
//! target of its request, so that one number used twice is told apart.

use std::collections::{BTreeMap, VecDeque};

use cloverleaf_mux::Mux;
use cloverleaf_proto::extension::{Action, Carrier, ChannelId, EndsFor};
use cloverleaf_proto::frame::{Head, OpCode};
use cloverleaf_proto::message::Kind;

use crate::harness::Subject;

const CLIENT: usize = 0;
const SERVER: usize = 1;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// How one end sees a channel, as an engine would.
#[derive(Default)]
struct Live {
    serial: u64,
    open: bool,
    in_message: bool,
    /// A control frame that was begun, and how much of it has gone.
    in_control: Option<(Seen, usize)>,
    sent_close: bool,
    got_close: bool,
    /// Costs that the application has not consumed.
    waiting: VecDeque<usize>,
}

struct End {
    carrier: Box<dyn Carrier>,
    live: BTreeMap<u32, Live>,
    inbox: VecDeque<Vec<u8>>,
    /// What it may still spend, by channel.
    credit: BTreeMap<u32, u64>,
    /// What it granted and has not consumed, by channel.
    held: BTreeMap<u32, u64>,
}

impl End {
    fn new(carrier: Box<dyn Carrier>) -> Self {
        let first = Live {
            open: true,
            ..Live::default()
        };
        Self {
            carrier,
            live: BTreeMap::from([(1, first)]),
            inbox: VecDeque::new(),
            credit: BTreeMap::new(),
            held: BTreeMap::new(),
        }
    }
}

/// What the application of an end sees, in order: a data frame, or a whole control frame.
type Seen = (Head, Vec<u8>);

struct Pair {
    random: Random,
    ends: [End; 2],
    /// By sender and serial: sent and not seen by the other end.
    on_its_way: BTreeMap<(usize, u64), VecDeque<Seen>>,
    /// The slots that the client was given, by quota.
    slots: VecDeque<u64>,
    /// Those of requests on their way.
    asked_with: VecDeque<u64>,
    memory: u64,
    serials: u64,
    delivered: u64,
    /// Channels that both ends closed, and those that one dropped.
    closed: u64,
    dropped: u64,
}

/// Numbers and ids, read the slow way.
fn number(octets: &[u8], at: &mut usize) -> u64 {
    let (from, length) = match octets[*at] {
        126 => (*at + 1, 2),
        127 => (*at + 1, 8),
        _ => (*at, 1),
    };
    *at = from + length;
    octets[from..*at]
        .iter()
        .fold(0, |sum, octet| sum * 256 + u64::from(*octet))
}

fn id(octets: &[u8], at: &mut usize) -> u32 {
    // The schedules have few channels.
    assert!(octets[*at] < 0x80, "an id of one octet");
    *at += 1;
    u32::from(octets[*at - 1])
}

impl Pair {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let window = 128 + random.below(300) as u32;
        let channels = 1 + random.below(8) as u32;
        let memory = u64::from(channels + 1) * (256 + random.below(600) as u64);
        let mux = Mux::new()
            .window(window)
            .channels(channels)
            .memory(memory)
            .grant_after(random.below(101) as u8)
            .max_opens(random.below(20) as u32)
            .delta(random.one_in(2));
        let offered = (memory / 2 / u64::from(channels + 1)).clamp(128, u64::from(window));
        let client = End::new(Subject::new_client(&mux).carrier);
        let server = End::new(
            Subject::new_server(&mux, u32::try_from(offered).expect("a small quota")).carrier,
        );
        let mut pair = Self {
            random,
            ends: [client, server],
            on_its_way: BTreeMap::new(),
            slots: VecDeque::new(),
            asked_with: VecDeque::new(),
            memory,
            serials: 0,
            delivered: 0,
            closed: 0,
            dropped: 0,
        };
        pair.ends[CLIENT].credit.insert(1, 0);
        pair.ends[CLIENT].held.insert(1, offered);
        pair.ends[SERVER].credit.insert(1, offered);
        pair.ends[SERVER].held.insert(1, 0);
        let request = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Extensions: mux\r\n\r\n";
        let response = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
        for end in [CLIENT, SERVER] {
            pair.with(end, |carrier, actions| {
                carrier.start(request, response, actions);
            });
        }
        pair
    }

    /// Calls the carrier, and carries out what it wants.
    fn with(&mut self, end: usize, act: impl FnOnce(&mut dyn Carrier, &mut Vec<Action>)) {
        let mut actions = Vec::new();
        act(&mut *self.ends[end].carrier, &mut actions);
        self.carry_out(end, actions, &[]);
    }

    fn carry_out(&mut self, end: usize, actions: Vec<Action>, message: &[u8]) {
        for action in actions {
            match action {
                Action::Transmit(message) => self.put_on_the_wire(end, message),
                Action::Frame {
                    id,
                    head,
                    payload,
                    cost,
                } => {
                    self.sees(end, id.get(), (head, message[payload].to_vec()));
                    if let Some(live) = self.ends[end].live.get_mut(&id.get()) {
                        live.waiting.push_back(cost);
                    }
                }
                Action::Control {
                    id,
                    head,
                    payload,
                    cost,
                } => {
                    self.sees(end, id.get(), (head, payload.to_vec()));
                    if let Some(live) = self.ends[end].live.get_mut(&id.get()) {
                        live.waiting.push_back(cost);
                    }
                }
                Action::Requested(id, head) => {
                    assert_eq!(end, SERVER);
                    let head = String::from_utf8(head.to_vec()).expect("text");
                    let target = head.split(' ').nth(1).expect("a target");
                    assert!(
                        head.to_ascii_lowercase().contains("\r\nhost: a\r\n"),
                        "{head}"
                    );
                    let live = Live {
                        serial: target[1..].parse().expect("a serial"),
                        ..Live::default()
                    };
                    let before = self.ends[end].live.insert(id.get(), live);
                    assert!(before.is_none(), "{id} was in use");
                }
                Action::Answered { id, accepted, .. } => {
                    assert_eq!(end, CLIENT);
                    if accepted {
                        let live = self.ends[end].live.get_mut(&id.get());
                        live.expect("a channel that waits").open = true;
                    } else {
                        self.ends[end].live.remove(&id.get());
                    }
                }
                Action::Dropped(id, why) => {
                    let code = why.code.expect("our carriers say why");
                    assert!(matches!(code, 1000 | 3000 | 3007), "no mistakes: {why:?}");
                    self.dropped += 1;
                    self.ends[end].live.remove(&id.get()).expect("it lived");
                }
                Action::Room(_) | Action::Slots => {}
                other => panic!("{other:?}"),
            }
        }
        self.check_memory(end);
    }

    /// The application of an end sees a frame: it must be the next that the other one sent.
    fn sees(&mut self, end: usize, id: u32, seen: Seen) {
        let live = self.ends[end]
            .live
            .get_mut(&id)
            .expect("a channel that lives");
        let sent = self
            .on_its_way
            .get_mut(&(1 - end, live.serial))
            .and_then(VecDeque::pop_front);
        assert_eq!(Some(&seen), sent.as_ref(), "{id} of {}", live.serial);
        self.delivered += 1;
        live.got_close |= seen.0.opcode == OpCode::CLOSE;
        self.close_if_done(end, id);
    }

    fn close_if_done(&mut self, end: usize, id: u32) {
        let live = &self.ends[end].live[&id];
        if live.got_close && live.sent_close {
            let on_its_way = self.on_its_way.get(&(1 - end, live.serial));
            assert!(on_its_way.is_none_or(VecDeque::is_empty), "nothing is lost");
            self.ends[end].live.remove(&id);
            self.closed += 1;
            self.with(end, |carrier, actions| {
                carrier.closed(ChannelId::new(id), actions);
            });
        }
    }

    /// What goes out is booked: quota that is spent, memory that is promised.
    fn put_on_the_wire(&mut self, end: usize, message: Vec<u8>) {
        let at = &mut 0;
        let channel = id(&message, at);
        if channel == 0 {
            while *at < message.len() {
                let first = message[*at];
                *at += 1;
                match first >> 5 {
                    0 => {
                        let id = id(&message, at);
                        let quota = self.slots.pop_front().expect("a slot");
                        self.asked_with.push_back(quota);
                        self.ends[end].credit.insert(id, quota);
                        self.ends[end].held.insert(id, 0);
                        skip_octets(&message, at);
                    }
                    1 => {
                        let _ = id(&message, at);
                        skip_octets(&message, at);
                    }
                    2 => {
                        let id = id(&message, at);
                        let quota = number(&message, at);
                        *self.ends[end].held.entry(id).or_default() += quota;
                    }
                    3 => {
                        let _ = id(&message, at);
                        skip_octets(&message, at);
                    }
                    _ => {
                        let _ = (number(&message, at), number(&message, at));
                    }
                }
            }
        } else {
            let begins = u64::from(message[1] & 0x0f != 0);
            let cost = message.len() as u64 - 2 + begins;
            let credit = self.ends[end].credit.get_mut(&channel).expect("a channel");
            *credit = credit.checked_sub(cost).expect("no quota is exceeded");
        }
        self.ends[1 - end].inbox.push_back(message);
    }

    /// One message arrives.
    fn deliver(&mut self, end: usize) {
        let Some(message) = self.ends[end].inbox.pop_front() else {
            return;
        };
        let at = &mut 0;
        if id(&message, at) == 0 {
            while *at < message.len() {
                let first = message[*at];
                *at += 1;
                match first >> 5 {
                    0 => {
                        let id = id(&message, at);
                        let quota = self.asked_with.pop_front().expect("a slot");
                        self.ends[end].credit.insert(id, 0);
                        self.ends[end].held.insert(id, quota);
                        skip_octets(&message, at);
                    }
                    2 => {
                        let id = id(&message, at);
                        let quota = number(&message, at);
                        // For a channel that is gone here, it is lost with the next one's first.
                        *self.ends[end].credit.entry(id).or_default() += quota;
                    }
                    4 => {
                        let slots = number(&message, at);
                        let quota = number(&message, at);
                        self.slots.extend((0..slots).map(|_| quota));
                    }
                    _ => {
                        let _ = id(&message, at);
                        skip_octets(&message, at);
                    }
                }
            }
        }
        let mut actions = Vec::new();
        let carrier = &mut self.ends[end].carrier;
        let result = carrier.receive(Kind::Binary, &message, &mut actions);
        assert_eq!(result, Ok(()), "{message:02x?}");
        self.carry_out(end, actions, &message);
    }

    /// What an end has granted and not consumed is within its memory.
    fn check_memory(&self, end: usize) {
        let end = &self.ends[end];
        let held: u64 = end.live.keys().filter_map(|id| end.held.get(id)).sum();
        assert!(held <= self.memory, "{held} of {}", self.memory);
    }

    fn some_channel(&mut self, end: usize) -> Option<u32> {
        let ids: Vec<u32> = self.ends[end].live.keys().copied().collect();
        (!ids.is_empty()).then(|| ids[self.random.below(ids.len())])
    }

    /// Sends a frame, or a part of one, if there is room. `last`: only what ends things.
    fn send(&mut self, end: usize, last: bool) {
        let Some(id) = self.some_channel(end) else {
            return;
        };
        let random = &mut self.random;
        let End { carrier, live, .. } = &mut self.ends[end];
        let live = live.get_mut(&id).expect("just chosen");
        if !live.open || live.sent_close {
            return;
        }
        let id = ChannelId::new(id);
        let new_control = |opcode, length, random: &mut Random| {
            let payload = (0..length).map(|_| random.next() as u8).collect();
            Some(((Head::new(opcode), payload), 0))
        };
        let begun = live.in_control.take();
        let control = if begun.is_some() {
            begun.clone()
        } else if last || live.got_close || random.one_in(100) {
            new_control(OpCode::CLOSE, 2, random)
        } else if random.one_in(4) {
            let opcode = if random.one_in(2) {
                OpCode::PING
            } else {
                OpCode::PONG
            };
            new_control(opcode, random.below(126), random)
        } else {
            None
        };
        let opcode = match &control {
            Some(((head, _), _)) if begun.is_none() => head.opcode,
            None if !live.in_message => OpCode::BINARY,
            _ => OpCode::CONTINUATION,
        };
        let Some(room) = carrier.room(id, Head::new(opcode)) else {
            live.in_control = begun;
            return;
        };
        let (fin, payload, seen) = if let Some((whole, gone)) = control {
            let left = &whole.1[gone..];
            // Sometimes in more pieces than there need be.
            let most = left.len().min(room);
            let cut = if random.one_in(3) {
                random.below(most + 1)
            } else {
                most
            };
            let payload = left[..cut].to_vec();
            if cut == left.len() {
                live.sent_close = whole.0.opcode == OpCode::CLOSE;
                (true, payload, Some(whole))
            } else {
                live.in_control = Some((whole, gone + cut));
                (false, payload, None)
            }
        } else {
            let length = random.below(room.min(200) + 1);
            let payload: Vec<u8> = (0..length).map(|_| random.next() as u8).collect();
            let head = Head::new(opcode).with_fin(random.one_in(2));
            live.in_message = !head.fin;
            (head.fin, payload.clone(), Some((head, payload)))
        };
        let mut out = Vec::new();
        carrier.wrap(id, Head::new(opcode).with_fin(fin), payload.len(), &mut out);
        out.extend_from_slice(&payload);
        if let Some(seen) = seen {
            let way = self.on_its_way.entry((end, live.serial)).or_default();
            way.push_back(seen);
        }
        self.put_on_the_wire(end, out);
        self.close_if_done(end, id.get());
    }

    fn consume(&mut self, end: usize) {
        let Some(id) = self.some_channel(end) else {
            return;
        };
        let End { live, held, .. } = &mut self.ends[end];
        if let Some(cost) = live.get_mut(&id).and_then(|live| live.waiting.pop_front()) {
            *held.get_mut(&id).expect("booked") -= cost as u64;
            self.with(end, |carrier, actions| {
                carrier.consumed(ChannelId::new(id), cost, actions);
            });
        }
    }

    fn open(&mut self) {
        let serial = self.serials + 1;
        let head = format!("GET /{serial} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\r\n");
        let slots = self.ends[CLIENT].carrier.slots().expect("no fallback");
        assert!(slots <= self.slots.len());
        let mut actions = Vec::new();
        let id = self.ends[CLIENT]
            .carrier
            .open(head.as_bytes(), &mut actions);
        assert_eq!(id.is_some(), slots > 0);
        if let Some(id) = id {
            self.serials = serial;
            let live = Live {
                serial,
                ..Live::default()
            };
            let before = self.ends[CLIENT].live.insert(id.get(), live);
            assert!(before.is_none(), "{id} was in use");
        }
        self.carry_out(CLIENT, actions, &[]);
    }

    fn answer(&mut self) {
        let live = &mut self.ends[SERVER].live;
        let Some((id, live)) = live.iter_mut().find(|(_, live)| !live.open) else {
            return;
        };
        let id = *id;
        let accepted = !self.random.one_in(5);
        live.open = accepted;
        if !accepted {
            self.ends[SERVER].live.remove(&id);
        }
        let head = if accepted {
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n"
        } else {
            "HTTP/1.1 404 Not Found\r\n\r\n"
        };
        self.with(SERVER, |carrier, actions| {
            carrier.answer(ChannelId::new(id), accepted, head.as_bytes(), actions);
        });
    }

    fn drop_one(&mut self, end: usize) {
        if let Some(id) = self.some_channel(end) {
            self.ends[end].live.remove(&id);
            self.dropped += 1;
            self.with(end, |carrier, actions| {
                carrier.drop_channel(ChannelId::new(id), EndsFor::Normal, actions);
            });
        }
    }

    fn step(&mut self) {
        let end = self.random.below(2);
        match self.random.below(100) {
            0..35 => self.deliver(end),
            35..65 => self.send(end, false),
            65..85 => self.consume(end),
            85..91 => self.open(),
            91..97 => self.answer(),
            97 if self.random.one_in(4) => self.drop_one(end),
            _ => self.with(end, |carrier, actions| carrier.replenish(actions)),
        }
    }

    /// Everything arrives, everything is consumed, every channel is closed.
    fn finish(&mut self) {
        for _ in 0..100_000 {
            if self
                .ends
                .iter()
                .all(|end| end.live.is_empty() && end.inbox.is_empty())
            {
                return;
            }
            for end in [CLIENT, SERVER] {
                self.deliver(end);
                self.consume(end);
                self.send(end, true);
            }
            self.answer();
        }
        panic!("a channel does not end");
    }
}

fn skip_octets(octets: &[u8], at: &mut usize) {
    *at += number(octets, at) as usize;
}

#[test]
fn no_schedule_exceeds_a_quota_loses_a_frame_or_mixes_two_channels() {
    let (mut delivered, mut serials, mut closed, mut dropped) = (0, 0, 0, 0);
    for seed in 0..1000 {
        let mut pair = Pair::new(seed);
        for _ in 0..2000 {
            pair.step();
        }
        pair.finish();
        delivered += pair.delivered;
        serials += pair.serials;
        closed += pair.closed;
        dropped += pair.dropped;
    }
    // The schedules are worth something.
    let figures =
        format!("{delivered} frames, {serials} channels, {closed} closed, {dropped} dropped");
    println!("{figures}");
    assert!(delivered > 200_000, "{figures}");
    assert!(
        serials > 5_000 && closed > 5_000 && dropped > 1_000,
        "{figures}"
    );
}

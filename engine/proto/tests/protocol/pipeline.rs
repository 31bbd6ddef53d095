//! The pipeline and its naive twin: random stacks of extensions that answer at random, on both ways.
//!
//! The twin keeps no buffers: every link gets a vector and gives a vector.

use bytes::Bytes;
use cloverleaf_proto::connection::Transmit;
use cloverleaf_proto::error::{ConnectionError, UsageError};
use cloverleaf_proto::extension::{
    Claims, Decoded, Encoded, Extensions, Failure, Flow, Hints, Output, Placement, Stage,
};
use cloverleaf_proto::frame::{Head, OpCode, Rsv};
use cloverleaf_proto::message::Kind;
use cloverleaf_proto::{Config, Connection, Event, Message, Role};

use crate::subject::{ROLES, Random, at, config, connection};
use crate::toy::Toy;
use crate::wire::{self, frame};

/// So many octets of payload a frame takes that leaves.
const FRAGMENT: usize = 7;
const BEAT: OpCode = OpCode::new(0xB);
const NOTE: OpCode = OpCode::new(0x3);
const ENCODES: u64 = 1;
const DECODES: u64 = 2;

/// One extension of a stack. What it does follows from this and from what it sees.
#[derive(Clone, Copy, Debug)]
struct Link {
    name: &'static str,
    stage: Stage,
    bits: Rsv,
    placement: Placement,
    opcode: Option<OpCode>,
    seed: u64,
}

/// What a link does with a payload.
#[derive(Debug)]
enum Does {
    Nothing,
    Replaces(Vec<u8>, Rsv),
    Prefixes(Vec<u8>, Rsv),
    Strips(usize),
    Consumes,
    Answers(OpCode, Vec<u8>),
    Fails,
}

impl Link {
    fn claims(self) -> Claims {
        let claims = Claims::at(self.stage).rsv(self.bits, self.placement);
        match self.opcode {
            Some(opcode) => claims.opcode(opcode),
            None => claims,
        }
    }

    fn owns(self, opcode: OpCode) -> bool {
        self.opcode == Some(opcode)
    }

    /// The bits it may set on such a frame, and find there.
    fn bits_on(self, head: Head) -> Rsv {
        let anywhere = matches!(self.placement, Placement::DataFrames);
        if !head.opcode.is_control() && (head.starts_message() || anywhere) {
            self.bits
        } else {
            Rsv::NONE
        }
    }

    fn sees(self, opcode: OpCode) -> bool {
        match self.stage {
            Stage::Frame => true,
            _ if opcode.is_reserved() => self.owns(opcode),
            _ => !opcode.is_control(),
        }
    }

    /// The same for the same input: the pipeline and the twin ask it alike. With it, how often it
    /// notifies.
    fn does(self, way: u64, head: Head, payload: &[u8]) -> (usize, Does) {
        let mut random = Random(self.seed ^ way);
        let bits = [Rsv::RSV1, Rsv::RSV2, Rsv::RSV3].map(|bit| u8::from(head.rsv.contains(bit)));
        let seen = [u8::from(head.fin), head.opcode.number()];
        for octet in bits.iter().chain(&seen).chain(payload) {
            random.0 = random.next() ^ u64::from(*octet);
        }
        let notices = random.below(8) / 7;
        let set = [Rsv::NONE, Rsv::RSV1, Rsv::RSV2, Rsv::RSV3, Rsv::ALL][random.below(5)];
        let n = random.below(30);
        let does = match (random.below(12), way) {
            (0..4, _) => Does::Nothing,
            (4..7, _) => Does::Replaces(random.octets(n), set),
            (7..10, ENCODES) => Does::Prefixes(random.octets(n / 6), set),
            (7..10, _) => Does::Strips(random.below(payload.len() + 1)),
            (10, DECODES) => Does::Consumes,
            (11, DECODES) => Does::Answers([BEAT, NOTE][n % 2], random.octets(n)),
            _ if n == 0 => Does::Fails,
            _ => Does::Nothing,
        };
        match does {
            Does::Strips(_) if n == 29 => (notices, Does::Strips(payload.len() + 1)),
            does => (notices, does),
        }
    }

    fn toy(self) -> Toy {
        let act = move |way, head, payload: &[u8], out: &mut Output<'_>| {
            let (notices, does) = self.does(way, head, payload);
            (0..notices).for_each(|_| out.notify(told(way)));
            match &does {
                Does::Replaces(octets, _)
                | Does::Prefixes(octets, _)
                | Does::Answers(_, octets) => {
                    out.write(octets)?;
                }
                Does::Fails => return Err(failure()),
                _ => out.write(b"dropped")?,
            }
            Ok(does)
        };
        Toy::new(self.name, self.claims())
            .encoding(move |head, _, payload, out| {
                Ok(match act(ENCODES, head, payload, out)? {
                    Does::Replaces(_, bits) => Encoded::Replaced(bits),
                    Does::Prefixes(_, bits) => Encoded::Prefixed(bits),
                    _ => Encoded::Unchanged,
                })
            })
            .decoding(move |head, payload, out| {
                Ok(match act(DECODES, head, payload, out)? {
                    Does::Replaces(..) => Decoded::Replaced,
                    Does::Strips(n) => Decoded::Stripped(n),
                    Does::Consumes => Decoded::Consumed,
                    Does::Answers(opcode, _) => Decoded::Answered(opcode),
                    _ => Decoded::Unchanged,
                })
            })
    }
}

fn told(way: u64) -> &'static str {
    if way == ENCODES { "sent" } else { "came" }
}

fn failure() -> Failure {
    Failure::invalid_data("bad luck")
}

/// Up to five extensions: those of the message stage in front of those of the frame stage.
fn stack(random: &mut Random) -> Vec<Link> {
    let names = ["a", "b", "c", "d", "e"];
    let n = random.below(names.len() + 1);
    let messages = random.below(n + 1);
    let mut bits = vec![Rsv::RSV1, Rsv::RSV2, Rsv::RSV3];
    let mut opcodes = vec![BEAT, NOTE];
    let mut link = |(at, name)| Link {
        name,
        stage: if at < messages {
            Stage::Message
        } else {
            Stage::Frame
        },
        bits: match random.below(2) {
            0 => bits.pop().unwrap_or(Rsv::NONE),
            _ => Rsv::NONE,
        },
        placement: if at < messages || random.below(2) == 0 {
            Placement::MessageStart
        } else {
            Placement::DataFrames
        },
        opcode: match random.below(3) {
            0 => opcodes.pop(),
            _ => None,
        },
        seed: random.next(),
    };
    names
        .into_iter()
        .take(n)
        .enumerate()
        .map(&mut link)
        .collect()
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counted([u64; 4]);

impl Counted {
    fn count(&mut self, changed: bool, application: usize, wire: usize) {
        let more = [1, u64::from(changed), application as u64, wire as u64];
        for (sum, n) in self.0.iter_mut().zip(more) {
            *sum += n;
        }
    }
}

impl From<Flow> for Counted {
    fn from(flow: Flow) -> Self {
        Self([flow.frames, flow.changed, flow.application, flow.wire])
    }
}

/// What the pipeline should do, said as plainly as can be.
#[derive(Debug)]
struct Twin {
    links: Vec<Link>,
    sent: Vec<Counted>,
    received: Vec<Counted>,
    frames: Vec<(u8, Vec<u8>)>,
    /// Notices of encoders.
    told: Vec<Event>,
    events: Vec<Event>,
}

impl Twin {
    fn new(links: Vec<Link>) -> Self {
        let none = vec![Counted::default(); links.len()];
        Self {
            links,
            sent: none.clone(),
            received: none,
            frames: Vec::new(),
            told: Vec::new(),
            events: Vec::new(),
        }
    }

    fn encode(
        &mut self,
        stage: Stage,
        head: Head,
        mut payload: Vec<u8>,
    ) -> Result<(Rsv, Vec<u8>), Failure> {
        let owner = self.links.iter().position(|link| link.owns(head.opcode));
        let mut bits = Rsv::NONE;
        for (at, link) in self.links.iter().enumerate() {
            if link.stage != stage || owner.is_some_and(|owner| at <= owner) {
                continue;
            }
            let (notices, does) = link.does(ENCODES, head, &payload);
            let before = payload.len();
            let (changed, after, set) = match does {
                Does::Fails => return Err(failure()),
                Does::Replaces(octets, set) => (true, octets, set),
                Does::Prefixes(octets, set) => (true, [octets, payload].concat(), set),
                _ => (false, payload, Rsv::NONE),
            };
            payload = after;
            bits = bits | set & link.bits_on(head);
            self.sent[at].count(changed, before, payload.len());
            let notices = (0..notices).map(|_| notice(*link, ENCODES));
            self.told.extend(notices);
        }
        Ok((bits, payload))
    }

    fn leave(&mut self, head: Head, payload: Vec<u8>) -> Result<(), Failure> {
        let (bits, payload) = self.encode(Stage::Frame, head, payload)?;
        self.frames.push((octet(head, head.rsv | bits), payload));
        Ok(())
    }

    fn send(&mut self, payload: Vec<u8>) -> Result<(), Failure> {
        let head = Head::new(OpCode::BINARY);
        let (bits, payload) = self.encode(Stage::Message, head, payload)?;
        let mut pieces: Vec<&[u8]> = payload.chunks(FRAGMENT).collect();
        if pieces.is_empty() {
            pieces.push(&[]);
        }
        for (at, piece) in pieces.iter().enumerate() {
            let head = if at == 0 {
                head.with_rsv(bits)
            } else {
                Head::new(OpCode::CONTINUATION)
            };
            let head = head.with_fin(at + 1 == pieces.len());
            self.leave(head, piece.to_vec())?;
        }
        Ok(())
    }

    fn receive(&mut self, head: Head, mut payload: Vec<u8>) -> Result<(), Failure> {
        let mut rsv = head.rsv;
        for at in (0..self.links.len()).rev() {
            let link = self.links[at];
            if !link.sees(head.opcode) {
                continue;
            }
            let seen = head.with_rsv(rsv & link.bits);
            let (notices, does) = link.does(DECODES, seen, &payload);
            let before = payload.len();
            let owner = link.owns(head.opcode);
            let mut answer = None;
            let mut swallowed = false;
            let left = match does {
                Does::Fails => return Err(failure()),
                Does::Replaces(octets, _) => Some(octets),
                Does::Strips(n) if n > before => {
                    return Err(Failure::protocol("extension data beyond the payload"));
                }
                Does::Strips(n) => Some(payload[n..].to_vec()),
                Does::Consumes if owner => {
                    swallowed = true;
                    Some(Vec::new())
                }
                Does::Answers(opcode, octets) if owner && link.owns(opcode) => {
                    swallowed = true;
                    answer = Some((opcode, octets));
                    Some(Vec::new())
                }
                Does::Consumes | Does::Answers(..) | Does::Nothing | Does::Prefixes(..) => None,
            };
            let changed = left.is_some();
            payload = left.unwrap_or(payload);
            self.received[at].count(changed, payload.len(), before);
            let notices = (0..notices).map(|_| notice(link, DECODES));
            self.events.extend(notices);
            if let Some((opcode, octets)) = answer {
                return self.leave(Head::new(opcode), octets);
            }
            if swallowed {
                return Ok(());
            }
            rsv = rsv & !link.bits;
            if owner {
                break;
            }
        }
        self.deliver(head, payload)
    }

    fn deliver(&mut self, head: Head, payload: Vec<u8>) -> Result<(), Failure> {
        let octets = Bytes::from(payload.clone());
        match head.opcode {
            OpCode::PING => {
                self.events.push(Event::Ping(octets));
                return self.leave(Head::new(OpCode::PONG), payload);
            }
            OpCode::PONG => self.events.push(Event::Pong(octets)),
            OpCode::BINARY | OpCode::CONTINUATION => {
                if head.fin || !payload.is_empty() {
                    self.events.push(Event::Part {
                        kind: Kind::Binary,
                        payload: octets,
                        fin: head.fin,
                    });
                }
            }
            opcode => self.events.push(Event::Extension {
                opcode,
                payload: octets,
            }),
        }
        Ok(())
    }
}

fn notice(link: Link, way: u64) -> Event {
    Event::Notice {
        extension: link.name.into(),
        payload: told(way).into(),
    }
}

fn octet(head: Head, rsv: Rsv) -> u8 {
    let bits = [(Rsv::RSV1, 0x40), (Rsv::RSV2, 0x20), (Rsv::RSV3, 0x10)];
    let set = bits.into_iter().filter(|(bit, _)| rsv.contains(*bit));
    let set: u8 = set.map(|(_, octet)| octet).sum();
    u8::from(head.fin) << 7 | set | head.opcode.number()
}

/// What a connection did.
struct Seen {
    /// Notices of encoders; all else is in `events`.
    told: Vec<Event>,
    events: Vec<Event>,
    frames: Vec<(u8, Vec<u8>)>,
}

/// What it did since it was asked last.
fn watch(connection: &mut Connection) -> Seen {
    let mut written = Vec::new();
    let mut events = Vec::new();
    loop {
        events.extend(core::iter::from_fn(|| connection.poll_event()));
        match connection.poll_transmit() {
            Transmit::Write(front, back) => {
                written.extend([front, back].concat());
                let n = front.len() + back.len();
                connection.handle_written(at(0.0), n);
            }
            Transmit::Idle | Transmit::Shutdown => break,
        }
    }
    let sent = wire::read(&written).into_iter();
    let sent = sent.map(|frame| (frame.first, frame.payload)).collect();
    let is_told =
        |event: &Event| matches!(event, Event::Notice { payload, .. } if payload == "sent");
    let (told, events) = events.into_iter().partition(is_told);
    Seen {
        told,
        events,
        frames: sent,
    }
}

/// One of the frames that may come now.
fn coming(random: &mut Random, links: &[Link], inside: &mut bool) -> (Head, Vec<u8>) {
    let owned: Vec<OpCode> = links.iter().filter_map(|link| link.opcode).collect();
    let opcode = match random.below(10) {
        0 => OpCode::PING,
        1 => OpCode::PONG,
        n @ 2..5 => owned.get(n - 2).copied().unwrap_or(OpCode::PING),
        _ if *inside => OpCode::CONTINUATION,
        _ => OpCode::BINARY,
    };
    // A claimed data opcode is a message, and has no place in another.
    let opcode = if *inside && opcode == NOTE {
        OpCode::CONTINUATION
    } else {
        opcode
    };
    let data = matches!(opcode, OpCode::BINARY | OpCode::CONTINUATION);
    let head = Head::new(opcode).with_fin(!data || random.below(2) == 0);
    if data {
        *inside = !head.fin;
    }
    let bits = links.iter().filter(|_| random.below(2) == 0);
    let bits: Vec<Rsv> = bits.map(|link| link.bits_on(head)).collect();
    let rsv = bits.into_iter().fold(Rsv::NONE, |all, bit| all | bit);
    let n = random.below(40);
    (head.with_rsv(rsv), random.octets(n))
}

fn with(links: &[Link]) -> Config {
    config(|config| {
        config.limits.out_fragment = FRAGMENT;
        config.parts = true;
        config.extensions = links.iter().fold(Extensions::new(), |all, link| {
            all.with(link.toy()).expect("the stack is well-formed")
        });
    })
}

/// Whether the whole conversation went well; `false` if an extension has failed, as it should.
fn converse(role: Role, seed: u64) -> bool {
    let mut random = Random(seed);
    let links = stack(&mut random);
    let mut connection = connection(role, &with(&links));
    let mut twin = Twin::new(links.clone());
    let mut inside = false;
    for step in 0..12 {
        let context = || format!("{role:?}, seed {seed}, step {step}, {links:#?}");
        let mut expected = Ok(());
        let mut refused = false;
        if random.below(3) == 0 {
            let n = random.below(40);
            let payload = random.octets(n);
            expected = twin.send(payload.clone());
            let sent = connection.send(Message::binary(payload), Hints::new());
            if let Err(error) = sent {
                refused = true;
                let failure = expected.clone().expect_err("the twin refuses it, too");
                assert_eq!(error, UsageError::Encode(failure), "{}", context());
            }
        } else {
            let mut input = Vec::new();
            for _ in 0..=random.below(3) {
                let (head, payload) = coming(&mut random, &links, &mut inside);
                input.extend(frame(role, octet(head, head.rsv), &payload));
                expected = expected.and_then(|()| twin.receive(head, payload));
            }
            connection.handle_input(at(0.0), &mut input);
        }
        let Seen {
            told,
            events,
            frames,
        } = watch(&mut connection);
        if let Err(failure) = expected {
            // `send` reports what its own stage refuses; the rest fails the connection.
            let error = connection.closed().error;
            let failed = (!refused).then(|| ConnectionError::from(failure));
            assert_eq!(error, failed, "{}", context());
            return false;
        }
        assert_eq!(events, core::mem::take(&mut twin.events), "{}", context());
        assert_eq!(told, core::mem::take(&mut twin.told), "{}", context());
        assert_eq!(frames, core::mem::take(&mut twin.frames), "{}", context());
        for (at, one) in connection.statistics().into_iter().enumerate() {
            let counted = (one.sent.into(), one.received.into());
            assert_eq!(counted, (twin.sent[at], twin.received[at]), "{}", context());
        }
        if random.below(2) == 0 {
            connection.release();
        }
    }
    true
}

#[test]
fn a_stack_of_extensions_does_what_its_naive_twin_does() {
    for role in ROLES {
        let whole = (0..3000).filter(|seed| converse(role, *seed)).count();
        assert!(
            (1000..3000).contains(&whole),
            "some fail, most do not: {whole}"
        );
    }
}

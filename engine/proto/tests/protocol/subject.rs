//! One connection under test, and the proof that it does not matter how its input is cut.

use std::fmt::Debug;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::BufMut;
use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::connection::{Received, Transmit};
use cloverleaf_proto::endpoint::State;
use cloverleaf_proto::error::ConnectionError;
use cloverleaf_proto::event::Closed;
use cloverleaf_proto::extension::{Direction, Extensions, Negotiated, Offer, Tap, View, Watcher};
use cloverleaf_proto::frame::{Head, MaskSource};
use cloverleaf_proto::{Config, Connection, Event, Message, Role};

use crate::wire::{self, Sent};

/// Both ends.
pub(crate) const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// The key with which a client under test masks.
pub(crate) const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

#[derive(Debug)]
struct ConstantKey;

impl MaskSource for ConstantKey {
    fn mask_key(&self) -> [u8; 4] {
        KEY
    }
}

/// The moment `seconds` behind the start of every test.
pub(crate) fn at(seconds: f64) -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    #[expect(
        clippy::disallowed_methods,
        reason = "an Instant cannot be made in another way"
    )]
    let start = *START.get_or_init(Instant::now);
    start + Duration::from_secs_f64(seconds)
}

/// The defaults, changed.
pub(crate) fn config(change: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config::new(Arc::new(ConstantKey));
    change(&mut config);
    config
}

pub(crate) fn defaults() -> Config {
    config(|_| ())
}

/// The extensions of a config, all agreed, in their order.
pub(crate) fn negotiated(role: Role, extensions: &Extensions) -> Negotiated {
    let offers = Negotiated::offers(extensions);
    let accepted = Negotiated::accept(extensions, offers);
    assert_eq!(accepted.skipped(), [], "the test's own extensions agree");
    match role {
        Role::Server => accepted,
        Role::Client => {
            let answers = accepted
                .agreed()
                .iter()
                .map(|agreed| Offer::new(&*agreed.name, agreed.params.clone()))
                .collect();
            Negotiated::confirm(extensions, answers).expect("its own server's answer")
        }
    }
}

/// A connection behind its opening handshake, at the start of the test.
pub(crate) fn connection(role: Role, config: &Config) -> Connection {
    let negotiated = negotiated(role, &config.extensions);
    Connection::new(role, Arc::new(config.clone()), negotiated, at(0.0))
}

/// Everything that can be seen of a connection from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Pieces of messages are joined.
    pub(crate) events: Vec<Event>,
    pub(crate) sent: Vec<u8>,
    /// Whether the connection ended its side of the stream.
    pub(crate) shutdown: bool,
    pub(crate) state: State,
    pub(crate) closed: Closed,
    pub(crate) done: bool,
}

impl Outcome {
    pub(crate) fn frames(&self) -> Vec<Sent> {
        wire::read(&self.sent)
    }

    pub(crate) fn error(&self) -> Option<&ConnectionError> {
        self.closed.error.as_ref()
    }

    /// The code in the only close frame that was sent.
    pub(crate) fn close_code(&self) -> Option<u16> {
        let closes: Vec<Sent> = self
            .frames()
            .into_iter()
            .filter(|frame| frame.first == 0x88)
            .collect();
        assert!(closes.len() <= 1, "one close frame at most: {closes:?}");
        closes.first().and_then(|close| match close.payload[..] {
            [a, b, ..] => Some(u16::from_be_bytes([a, b])),
            _ => None,
        })
    }

    /// The messages that came.
    pub(crate) fn messages(&self) -> Vec<Message> {
        let message = |event: &Event| match event {
            Event::Message(message) => Some(message.clone()),
            _ => None,
        };
        self.events.iter().filter_map(message).collect()
    }

    /// Asserts that the input failed the connection with this error, and that the peer was told.
    #[track_caller]
    pub(crate) fn assert_failed(&self, error: impl Into<ConnectionError>) {
        let error = error.into();
        assert_eq!(self.error(), Some(&error));
        assert_eq!(self.state, State::Failing);
        assert_eq!(self.close_code(), error.close_code().map(CloseCode::number));
        assert!(
            self.shutdown,
            "our side of the stream ends behind the close frame"
        );
        assert!(!self.closed.clean);
    }

    /// Asserts that the connection is open and has sent nothing.
    #[track_caller]
    pub(crate) fn assert_quiet(&self) {
        assert_eq!(
            (self.state, self.error(), &self.sent[..]),
            (State::Open, None, &b""[..])
        );
        assert!(!self.shutdown && !self.done);
    }
}

/// How octets get into a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// `handle_input` and `poll_event`.
    Lent,
    /// `receive`, with what is left handed over again.
    Borrowed,
    /// `read_target` wherever there is one, else `handle_input`.
    Direct,
}

/// A connection with a record of what it did.
pub(crate) struct Subject {
    pub(crate) connection: Connection,
    way: Way,
    now: Instant,
    /// What the borrowed way has not used.
    left: Vec<u8>,
    events: Vec<Event>,
    sent: Vec<u8>,
    shutdown: bool,
}

impl Subject {
    pub(crate) fn new(role: Role, config: &Config) -> Self {
        Self::through(Way::Lent, role, config)
    }

    pub(crate) fn through(way: Way, role: Role, config: &Config) -> Self {
        Self {
            connection: connection(role, config),
            way,
            now: at(0.0),
            left: Vec::new(),
            events: Vec::new(),
            sent: Vec::new(),
            shutdown: false,
        }
    }

    pub(crate) fn role(&self) -> Role {
        self.connection.role()
    }

    /// Hands over what the network brings, then does what the connection asks for.
    pub(crate) fn input(&mut self, octets: &[u8]) -> &mut Self {
        match self.way {
            Way::Lent => self.lend(octets),
            Way::Borrowed => self.lend_and_look(octets),
            Way::Direct => self.read_directly(octets),
        }
        self.settle()
    }

    /// Hands over a frame from the peer.
    pub(crate) fn frame(&mut self, first: u8, payload: &[u8]) -> &mut Self {
        self.input(&wire::frame(self.role(), first, payload))
    }

    fn lend(&mut self, octets: &[u8]) {
        self.connection.handle_input(self.now, &mut octets.to_vec());
    }

    fn lend_and_look(&mut self, octets: &[u8]) {
        let mut input = core::mem::take(&mut self.left);
        input.extend_from_slice(octets);
        let mut used = 0;
        loop {
            let (n, received) = self.connection.receive(self.now, &mut input[used..]);
            used += n;
            match received {
                None => break,
                Some(Received::Message(message)) => {
                    push(&mut self.events, Event::Message(message.into()))
                }
                Some(Received::Event(event)) => push(&mut self.events, event),
            }
        }
        self.left = input.split_off(used);
    }

    fn read_directly(&mut self, mut octets: &[u8]) {
        while !octets.is_empty() {
            let Some(mut target) = self.connection.read_target() else {
                // The way in is chosen anew often, so that it changes inside frames.
                let (now, rest) = octets.split_at(octets.len().min(DIRECT_STEP));
                self.lend(now);
                self.settle();
                octets = rest;
                continue;
            };
            let (now, rest) = octets.split_at(octets.len().min(target.remaining_mut()));
            target.put_slice(now);
            self.connection.handle_filled(self.now);
            self.settle();
            octets = rest;
        }
    }

    /// The peer ends its side of the stream.
    pub(crate) fn eof(&mut self) -> &mut Self {
        self.connection.handle_eof(self.now);
        self.settle()
    }

    /// The clock goes on to `seconds`, with every timeout on its way.
    pub(crate) fn wait_until(&mut self, seconds: f64) -> &mut Self {
        let end = at(seconds);
        for _ in 0..1000 {
            match self.connection.poll_timeout() {
                Some(due) if due <= end => {
                    self.now = self.now.max(due);
                    self.connection.handle_timeout(self.now);
                    self.settle();
                }
                _ => {
                    self.now = end;
                    self.connection.handle_timeout(end);
                    return self.settle();
                }
            }
        }
        panic!("a timeout that is handled is not due again and again");
    }

    /// Takes the events and writes all there is to write.
    pub(crate) fn settle(&mut self) -> &mut Self {
        loop {
            // In this order: an event may be a reason to write, and the other way round.
            let event = self.connection.poll_event();
            let wrote = self.write();
            match event {
                Some(event) => push(&mut self.events, event),
                None if wrote => {}
                None => return self,
            }
        }
    }

    /// Writes all there is, and says whether there was something.
    fn write(&mut self) -> bool {
        let mut wrote = false;
        loop {
            match self.connection.poll_transmit() {
                Transmit::Idle => return wrote,
                Transmit::Write(front, back) => {
                    self.sent.extend_from_slice(front);
                    self.sent.extend_from_slice(back);
                    let n = front.len() + back.len();
                    self.connection.handle_written(self.now, n);
                }
                Transmit::Shutdown => {
                    assert!(!self.shutdown, "the stream ends once");
                    self.shutdown = true;
                    self.connection.handle_shutdown(self.now);
                }
            }
            wrote = true;
        }
    }

    /// The frames sent since the last call.
    pub(crate) fn sent(&mut self) -> Vec<Sent> {
        wire::read(&core::mem::take(&mut self.sent))
    }

    /// The events since the last call.
    pub(crate) fn events(&mut self) -> Vec<Event> {
        core::mem::take(&mut self.events)
    }

    pub(crate) fn outcome(&self) -> Outcome {
        Outcome {
            events: self.events.clone(),
            sent: self.sent.clone(),
            shutdown: self.shutdown,
            state: self.connection.state(),
            closed: self.connection.closed(),
            done: self.connection.is_done(),
        }
    }
}

/// How much goes the ordinary way before a direct one is looked for again.
const DIRECT_STEP: usize = 5000;

/// Adds an event; the pieces of a message are joined, since where they are cut is the input's doing.
fn push(events: &mut Vec<Event>, event: Event) {
    match (events.last_mut(), event) {
        (
            Some(Event::Part {
                payload,
                fin: ended @ false,
                ..
            }),
            Event::Part {
                payload: next, fin, ..
            },
        ) => {
            *payload = [&payload[..], &next[..]].concat().into();
            *ended = fin;
        }
        (_, event) => events.push(event),
    }
}

#[derive(Debug)]
struct Blind;

impl Tap for Blind {
    fn attach(&self, _role: Role) -> Box<dyn Watcher> {
        Box::new(Self)
    }
}

impl Watcher for Blind {
    fn frame(&mut self, _: View, _: Direction, _: Head, _: &[u8]) {}
}

/// Up to so many octets, an input is cut at every offset.
const EVERY_CUT: usize = 2048;

/// Feeds `input` to an endpoint in every way and in every cut, with and without a tap, and asserts
/// that what can be seen from outside is always the same.
#[track_caller]
pub(crate) fn feed(role: Role, config: &Config, input: &[u8]) -> Outcome {
    let expected = Subject::new(role, config).input(input).outcome();
    let mut tapped = config.clone();
    tapped.taps = vec![Arc::new(Blind)];
    for config in [config, &tapped] {
        for way in [Way::Lent, Way::Borrowed, Way::Direct] {
            let fed = |pieces: &mut dyn Iterator<Item = &[u8]>| {
                let mut subject = Subject::through(way, role, config);
                pieces.for_each(|piece| {
                    subject.input(piece);
                });
                subject.outcome()
            };
            let same = |outcome: Outcome, cut: &dyn Debug| {
                assert!(
                    outcome == expected,
                    "{role:?}, {way:?}, tap {}, cut {cut:?}\n found: {outcome:?}\n whole: {expected:?}",
                    !config.taps.is_empty(),
                );
            };
            same(fed(&mut [input].into_iter()), &"whole");
            // A direct read begins behind 16 KiB, where single octets would take long.
            if way != Way::Borrowed || input.len() < 10_000 {
                same(fed(&mut input.chunks(1)), &"octets");
            }
            if input.len() <= EVERY_CUT {
                for cut in 1..input.len() {
                    same(fed(&mut [&input[..cut], &input[cut..]].into_iter()), &cut);
                }
            }
            for seed in 0..4 {
                let mut random = Random(seed);
                let mut rest = input;
                let mut pieces = core::iter::from_fn(|| {
                    let most = if seed % 2 == 0 { 16 } else { 40_000 };
                    let n = (1 + random.below(most)).min(rest.len());
                    let (piece, behind) = rest.split_at(n);
                    rest = behind;
                    (n > 0).then_some(piece)
                });
                if seed % 2 == 0 && input.len() > 100_000 {
                    continue;
                }
                same(fed(&mut pieces), &("random", seed));
            }
        }
    }
    expected
}

/// The same for both roles; `input` is made for each.
#[track_caller]
pub(crate) fn feed_both(config: &Config, input: impl Fn(Role) -> Vec<u8>) -> [Outcome; 2] {
    ROLES.map(|role| feed(role, config, &input(role)))
}

/// Numbers that look random and are the same in every run.
#[derive(Clone, Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        // Splitmix: a counter, well stirred.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }

    /// A number under `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    pub(crate) fn octets(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| self.next() as u8).collect()
    }
}

/// The event of a text message.
pub(crate) fn text(text: &str) -> Event {
    Event::Message(Message::text(text))
}

/// The event of a binary message.
pub(crate) fn binary(payload: impl Into<Vec<u8>>) -> Event {
    Event::Message(Message::binary(payload.into()))
}

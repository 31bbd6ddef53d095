//! N14. Two engines, a pipe that chops, delays and breaks, a virtual clock, and applications that do
//! what comes to their mind.
//!
//! A seed decides everything. What must hold, whatever happens: messages arrive in order, unchanged
//! and once; nothing sent before a close is lost unless the pipe breaks; both ends come to an end;
//! nobody holds more than its limits allow.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes};
use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::connection::{Received, Transmit};
use cloverleaf_proto::endpoint::State;
use cloverleaf_proto::error::{ConnectionError, UsageError};
use cloverleaf_proto::event::Closed;
use cloverleaf_proto::extension::{Extensions, Hints, Stage};
use cloverleaf_proto::frame::Rsv;
use cloverleaf_proto::message::Kind;
use cloverleaf_proto::{Config, Connection, Event, Message};

use crate::subject::{ROLES, Random, at, config, connection};
use crate::toy::marker;

const SEEDS: u64 = 2000;

/// The largest message that an application sends here.
const LARGEST: usize = 40_000;

/// What is on its way to one end.
#[derive(Default)]
struct Pipe {
    octets: VecDeque<(Instant, Vec<u8>)>,
    held: usize,
    /// When the end of the stream arrives, behind all octets.
    eof: Option<Instant>,
    /// Whether it swallows what goes in.
    cut: bool,
}

/// One end: the engine, its application, and what is on its way to it.
struct End {
    connection: Connection,
    pipe: Pipe,
    /// What the borrowed way in has not used.
    left: Vec<u8>,
    sent: Vec<Message>,
    received: Vec<Message>,
    /// How many of those have been compared.
    known: usize,
    /// The message that goes out, or comes in, in parts.
    going: Option<(Kind, Vec<u8>)>,
    coming: Vec<u8>,
    /// Whether the application closed before it knew that the peer did.
    closed_first: bool,
    knows_eof: bool,
    shut: bool,
    end: Option<Closed>,
}

struct World {
    random: Random,
    now: Instant,
    ends: [End; 2],
    capacity: usize,
    delay: usize,
    /// Whether somebody could write and has to try again.
    again: bool,
    /// Whether the pipe has broken or stood still.
    faulty: bool,
}

fn any_config(random: &mut Random, extension: usize) -> Config {
    config(|config| {
        let limits = &mut config.limits;
        limits.out_fragment = 1 + random.below(5000);
        limits.write_high_water = random.below(5000);
        limits.max_write_buffer = 1 + random.below(50_000);
        limits.max_fragments = 1 << 20;
        config.parts = random.below(4) == 0;
        config.extensions = match extension {
            0 => Extensions::new().with(marker("x-a", Stage::Frame, Rsv::RSV1, b'a')),
            1 => Extensions::new()
                .with(marker("x-a", Stage::Frame, Rsv::RSV1, b'a'))
                .and_then(|all| all.with(marker("x-b", Stage::Frame, Rsv::RSV2, b'b'))),
            _ => Ok(Extensions::new()),
        }
        .expect("toys are well-formed");
    })
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let extension = random.below(6);
        let ends = ROLES.map(|role| End {
            connection: connection(role, &any_config(&mut random, extension)),
            pipe: Pipe::default(),
            left: Vec::new(),
            sent: Vec::new(),
            received: Vec::new(),
            known: 0,
            going: None,
            coming: Vec::new(),
            closed_first: false,
            knows_eof: false,
            shut: false,
            end: None,
        });
        Self {
            now: at(0.0),
            ends,
            capacity: 500 + random.below(20_000),
            delay: random.below(20),
            again: false,
            faulty: false,
            random,
        }
    }

    fn run(&mut self) {
        let faults = self.random.below(3) == 0;
        for _ in 0..20 + self.random.below(300) {
            let who = self.random.below(2);
            match self.random.below(24) {
                0..=4 => self.send(who),
                5..=7 => self.send_part(who),
                8 => {
                    let payload = self.random.below(126);
                    let _ = self.ends[who].connection.ping(&vec![b'?'; payload]);
                }
                9 if self.random.below(20) == 0 => self.close(who),
                10 if faults && self.random.below(20) == 0 => self.break_stream(who),
                11 if faults && self.random.below(20) == 0 => {
                    // Nothing moves for a while, but time does.
                    self.faulty = true;
                    self.now += Duration::from_secs(self.random.below(60) as u64);
                }
                _ => self.pass_time(),
            }
            self.settle();
        }
        let who = self.random.below(2);
        self.close(who);
        if self.random.below(3) == 0 {
            self.close(0);
            self.close(1);
        }
        self.settle();
        for _ in 0..200_000 {
            if self.ends.iter().all(|end| end.connection.is_done()) {
                self.settle();
                return;
            }
            self.pass_time();
            self.settle();
        }
        panic!("this does not end");
    }

    fn send(&mut self, who: usize) {
        let size = match self.random.below(8) {
            0 => 0,
            1..=5 => self.random.below(300),
            6 => self.random.below(5000),
            _ => self.random.below(LARGEST),
        };
        let message = if self.random.below(2) == 0 {
            Message::binary(self.random.octets(size))
        } else {
            Message::text("ä€😀!".repeat(size / 10))
        };
        let end = &mut self.ends[who];
        match end.connection.send(message.clone(), Hints::new()) {
            Ok(()) => end.sent.push(message),
            Err(UsageError::PartExpected) => assert!(end.going.is_some()),
            Err(UsageError::Closed) => assert_ne!(end.connection.state(), State::Open),
            Err(error) => assert_eq!(error, UsageError::WriteBufferFull),
        }
    }

    fn send_part(&mut self, who: usize) {
        let fin = self.random.below(3) == 0;
        let size = self.random.below(3000);
        let end = &mut self.ends[who];
        let (kind, mut all) = end.going.take().unwrap_or((Kind::Text, Vec::new()));
        let part = vec![b'p'; size];
        match end
            .connection
            .send_part(kind, Bytes::from(part.clone()), fin, Hints::new())
        {
            Ok(()) => all.extend(part),
            Err(UsageError::WriteBufferFull | UsageError::Closed) => {
                end.going = (!all.is_empty()).then_some((kind, all));
                return;
            }
            Err(error) => panic!("{error}"),
        }
        if fin {
            let text = String::from_utf8(all).expect("many times p");
            end.sent.push(Message::text(text));
        } else {
            end.going = Some((kind, all));
        }
    }

    fn close(&mut self, who: usize) {
        let end = &mut self.ends[who];
        end.closed_first |= end.connection.state() == State::Open;
        end.connection
            .close(CloseCode::new(4000 + who as u16), "done")
            .expect("the code may be sent");
    }

    fn break_stream(&mut self, who: usize) {
        self.faulty = true;
        if self.random.below(2) == 0 {
            // A reset, which both find out at once.
            for end in &mut self.ends {
                end.pipe = Pipe {
                    cut: true,
                    ..Pipe::default()
                };
                end.knows_eof = true;
                end.connection.handle_lost(self.now);
            }
        } else {
            // What is under way to one end is cut short.
            let pipe = &mut self.ends[who].pipe;
            let keep = self.random.below(pipe.octets.len() + 1);
            pipe.octets.truncate(keep);
            pipe.held = pipe.octets.iter().map(|(_, octets)| octets.len()).sum();
            pipe.eof = Some(self.now);
            pipe.cut = true;
        }
    }

    /// On to the next thing that happens.
    fn pass_time(&mut self) {
        let arrivals = self.ends.iter().flat_map(|end| {
            let first = end.pipe.octets.front().map(|(due, _)| *due);
            first.or_else(|| end.pipe.eof.filter(|_| !end.knows_eof))
        });
        let timeouts = self
            .ends
            .iter()
            .filter_map(|end| end.connection.poll_timeout());
        let again = self.again.then(|| self.now + Duration::from_millis(1));
        let Some(next) = arrivals.chain(timeouts).chain(again).min() else {
            let done = self.ends.iter().all(|end| end.connection.is_done());
            assert!(done, "both wait for ever");
            return;
        };
        self.now = self.now.max(next);
        for end in &mut self.ends {
            if end
                .connection
                .poll_timeout()
                .is_some_and(|due| due <= self.now)
            {
                end.connection.handle_timeout(self.now);
            }
            let due = end
                .pipe
                .octets
                .front()
                .is_some_and(|(due, _)| *due <= self.now);
            if due {
                let most = 1 + self.random.below(8000);
                let octets = end.pipe.take(most);
                // A stream that nobody holds any more swallows everything.
                if !end.connection.is_done() {
                    end.take(&octets, self.now, self.random.below(3));
                }
            } else if end.pipe.octets.is_empty() && end.pipe.eof.is_some_and(|due| due <= self.now)
            {
                end.pipe.eof = None;
                end.knows_eof = true;
                end.connection.handle_eof(self.now);
            }
        }
    }

    /// Both ends do what they are asked to, and what must always hold is looked at.
    fn settle(&mut self) {
        self.again = false;
        for who in 0..2 {
            let [a, b] = &mut self.ends;
            let (end, other) = if who == 0 { (a, b) } else { (b, a) };
            end.events();
            let due = self.now + Duration::from_millis(self.random.below(self.delay + 1) as u64);
            let due = other
                .pipe
                .octets
                .back()
                .map_or(due, |(last, _)| due.max(*last));
            loop {
                let room = self.capacity.saturating_sub(other.pipe.held);
                match end.connection.poll_transmit() {
                    Transmit::Idle => break,
                    Transmit::Write(front, back) => {
                        let n = self.random.below((front.len() + back.len()).min(room) + 1);
                        // A broken stream takes everything and brings nothing anywhere.
                        if n > 0 && !other.knows_eof && !other.pipe.cut {
                            let front = &front[..n.min(front.len())];
                            let octets = [front, &back[..n - front.len()]].concat();
                            other.pipe.held += n;
                            other.pipe.octets.push_back((due, octets));
                        }
                        end.connection.handle_written(self.now, n);
                        if n == 0 {
                            self.again |= room > 0;
                            break;
                        }
                    }
                    Transmit::Shutdown => {
                        assert!(!end.shut, "the stream ends once");
                        end.shut = true;
                        end.connection.handle_shutdown(self.now);
                        other.pipe.eof = other.pipe.eof.or(Some(due));
                    }
                }
            }
            end.events();
            if end.connection.is_done() && other.pipe.eof.is_none() {
                other.pipe.eof = Some(due);
            }
            let limits = end.connection.config().limits;
            let most = limits.max_write_buffer + LARGEST + 20_000;
            assert!(
                end.connection.buffered() <= most,
                "{}",
                end.connection.buffered()
            );
            let known = end.known..end.received.len();
            let expected = other.sent.get(known.clone());
            assert_eq!(
                Some(&end.received[known]),
                expected,
                "in order, unchanged and once"
            );
            end.known = end.received.len();
        }
    }

    /// What must hold in the end.
    fn judge(&self) {
        for (end, other) in [
            (&self.ends[0], &self.ends[1]),
            (&self.ends[1], &self.ends[0]),
        ] {
            let closed = end.end.as_ref().expect("the last event has come");
            if self.faulty {
                let fine = match &closed.error {
                    None | Some(ConnectionError::Lost | ConnectionError::Deadline(_)) => true,
                    Some(_) => false,
                };
                assert!(
                    fine,
                    "a fault of the network is nobody's mistake: {closed:?}"
                );
                continue;
            }
            assert_eq!((closed.clean, &closed.error), (true, &None));
            if !end.closed_first {
                assert_eq!(
                    end.received, other.sent,
                    "nothing sent before a close is lost"
                );
            }
        }
    }
}

impl Pipe {
    fn take(&mut self, most: usize) -> Vec<u8> {
        let Some((due, mut octets)) = self.octets.pop_front() else {
            return Vec::new();
        };
        if octets.len() > most {
            let rest = octets.split_off(most);
            self.octets.push_front((due, rest));
        }
        self.held -= octets.len();
        octets
    }
}

impl End {
    /// Octets from the pipe, by one of the ways in; they may be mixed.
    fn take(&mut self, octets: &[u8], now: Instant, way: usize) {
        let mut octets = [&core::mem::take(&mut self.left), octets].concat();
        if way == 0 {
            let mut used = 0;
            loop {
                let (n, received) = self.connection.receive(now, &mut octets[used..]);
                used += n;
                match received {
                    None => break,
                    Some(Received::Message(message)) => self.received.push(message.into()),
                    Some(Received::Event(event)) => self.event(event),
                }
            }
            self.left = octets.split_off(used);
            return;
        }
        let mut rest = &mut octets[..];
        if let Some(mut target) = self.connection.read_target().filter(|_| way == 1) {
            let n = rest.len().min(target.remaining_mut());
            target.put_slice(&rest[..n]);
            self.connection.handle_filled(now);
            self.events();
            rest = &mut rest[n..];
        }
        self.connection.handle_input(now, rest);
    }

    fn events(&mut self) {
        while let Some(event) = self.connection.poll_event() {
            self.event(event);
        }
    }

    fn event(&mut self, event: Event) {
        assert_eq!(self.end, None, "nothing comes behind the end: {event:?}");
        match event {
            Event::Message(message) => self.received.push(message),
            Event::Part { kind, payload, fin } => {
                self.coming.extend_from_slice(&payload);
                if fin {
                    let all = core::mem::take(&mut self.coming);
                    self.received.push(match kind {
                        Kind::Text => Message::text(String::from_utf8(all).expect("checked")),
                        Kind::Binary => Message::binary(all),
                    });
                }
            }
            Event::Ping(_) | Event::Pong(_) => {}
            Event::Closed(closed) => self.end = Some(closed),
            event => panic!("{event:?}"),
        }
    }
}

/// Says which seed it was.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the seed was {}", self.0);
        }
    }
}

#[test]
fn n14_whatever_two_applications_and_a_network_do_messages_arrive_in_order_and_all_ends_well() {
    let (mut messages, mut clean) = (0, 0);
    for number in 0..SEEDS {
        let seed = Seed(number);
        let mut world = World::new(seed.0);
        world.run();
        world.judge();
        messages += world
            .ends
            .iter()
            .map(|end| end.received.len())
            .sum::<usize>();
        clean += usize::from(!world.faulty);
    }
    // The simulation has to do something to prove something.
    assert!(messages > 5 * SEEDS as usize, "{messages} messages");
    assert!(clean > SEEDS as usize / 2, "{clean} without a fault");
    assert!(clean < SEEDS as usize, "none with a fault");
}

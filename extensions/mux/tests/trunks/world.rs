//! Two trunks with their applications, a pipe that cuts and holds back, and the ledger beside it.

use std::collections::{BTreeMap, VecDeque};

use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::connection::Transmit;
use cloverleaf_proto::event::Closed;
use cloverleaf_proto::extension::Hints;
use cloverleaf_proto::handshake::{Decision, Rejection};
use cloverleaf_proto::message::Kind;
use cloverleaf_proto::trunk::{Key, News};
use cloverleaf_proto::{Config, Event, Message, Trunk};

use crate::ledger::Ledger;
use crate::pair::{CLIENT, SERVER, at, request, trunks};
use crate::wire::Reader;

/// One direction of the pipe.
#[derive(Default)]
struct Pipe {
    octets: VecDeque<u8>,
    leaves: Reader,
    arrives: Reader,
    /// Nothing more comes behind what is in it.
    ended: bool,
    /// The end was delivered.
    told: bool,
    /// So many octets still arrive.
    breaks_after: Option<usize>,
    broken: bool,
}

/// How an application sees a channel.
#[derive(Default)]
pub(crate) struct Live {
    pub(crate) serial: u64,
    pub(crate) open: bool,
    /// It has begun to close it, or left it.
    pub(crate) leaves: bool,
    abandoned: bool,
    /// Of a message that is sent in parts.
    parts: Option<(Kind, Vec<u8>)>,
    /// Of one that comes in parts.
    coming: Vec<u8>,
    received: u64,
    pinged: VecDeque<Vec<u8>>,
}

#[derive(Default)]
pub(crate) struct App {
    pub(crate) live: BTreeMap<Key, Live>,
    /// Server: requests to be answered.
    pub(crate) asked: Vec<Key>,
    pub(crate) over: Option<Closed>,
}

pub(crate) struct World {
    pub(crate) trunks: [Trunk; 2],
    pub(crate) apps: [App; 2],
    /// By the end that sends.
    pipes: [Pipe; 2],
    pub(crate) ledger: Ledger,
    /// Sent and not received: by the end that receives, and serial.
    on_its_way: BTreeMap<(usize, u64), VecDeque<Message>>,
    milliseconds: u64,
    serials: u64,
    /// The pipe has broken: channels may end early.
    pub(crate) broken: bool,
    pub(crate) delivered: u64,
    pub(crate) pongs: u64,
    pub(crate) clean: u64,
}

impl World {
    /// `memory`: the most that each end may promise to hold.
    pub(crate) fn new(configs: [Config; 2], memory: [u64; 2]) -> Self {
        let (trunks, offered) = trunks(configs);
        let first = || Live {
            open: true,
            ..Live::default()
        };
        let app = || App {
            live: BTreeMap::from([(Key::FIRST, first())]),
            ..App::default()
        };
        Self {
            trunks,
            apps: [app(), app()],
            pipes: [Pipe::default(), Pipe::default()],
            ledger: Ledger::new(memory, offered),
            on_its_way: BTreeMap::new(),
            milliseconds: 0,
            serials: 0,
            broken: false,
            delivered: 0,
            pongs: 0,
            clean: 0,
        }
    }

    // The pipe.

    /// Up to `limit` octets leave an end. Whether any did.
    pub(crate) fn leave(&mut self, from: usize, mut limit: usize) -> bool {
        let now = at(self.milliseconds);
        let pipe = &mut self.pipes[from];
        let mut moved = false;
        while limit > 0 {
            let octets = match self.trunks[from].poll_transmit() {
                Transmit::Idle => return moved,
                Transmit::Shutdown => {
                    self.trunks[from].handle_shutdown(now);
                    pipe.ended = true;
                    return true;
                }
                Transmit::Write(front, back) => {
                    let octets = front.iter().chain(back).take(limit);
                    octets.copied().collect::<Vec<u8>>()
                }
            };
            if pipe.broken {
                self.trunks[from].handle_write_lost();
                return true;
            }
            limit -= octets.len();
            self.trunks[from].handle_written(now, octets.len());
            for said in pipe.leaves.read(&octets) {
                self.ledger.leaves(from, said);
            }
            pipe.octets.extend(octets);
            moved = true;
        }
        moved
    }

    /// Up to `limit` octets arrive at the other end. Whether any did.
    pub(crate) fn arrive(&mut self, from: usize, limit: usize) -> bool {
        let now = at(self.milliseconds);
        let to = 1 - from;
        let pipe = &mut self.pipes[from];
        let some = limit.min(pipe.octets.len());
        let some = some.min(pipe.breaks_after.unwrap_or(usize::MAX));
        let mut octets: Vec<u8> = pipe.octets.drain(..some).collect();
        if let Some(left) = &mut pipe.breaks_after {
            *left -= some;
            if *left == 0 {
                pipe.octets.clear();
                pipe.ended = true;
                pipe.broken = true;
                self.broken = true;
            }
        }
        if !octets.is_empty() {
            for said in pipe.arrives.read(&octets) {
                self.ledger.arrives(to, said);
            }
            self.trunks[to].handle_input(now, &mut octets);
            let abandoned = self.apps[to].live.values().filter(|live| live.abandoned);
            for live in abandoned {
                self.ledger.took(to, live.serial);
            }
        } else if pipe.ended && pipe.octets.is_empty() && !pipe.told {
            pipe.told = true;
            self.trunks[to].handle_eof(now);
        } else {
            return false;
        }
        true
    }

    /// Behind so many more octets, this direction of the pipe breaks.
    pub(crate) fn break_after(&mut self, from: usize, octets: usize) {
        self.pipes[from].breaks_after = Some(octets);
    }

    /// Both directions break at once, whatever is in them, and both ends see it.
    pub(crate) fn break_now(&mut self) {
        self.broken = true;
        for end in [CLIENT, SERVER] {
            self.pipes[end] = Pipe {
                broken: true,
                told: true,
                ..Pipe::default()
            };
            self.trunks[end].handle_lost(at(self.milliseconds));
        }
    }

    // The applications.

    pub(crate) fn open(&mut self) {
        let serial = self.serials + 1;
        let request = request(&serial.to_string());
        if let Ok(key) = self.trunks[CLIENT].open(request, [serial as u8; 16]) {
            self.serials = serial;
            let live = Live {
                serial,
                ..Live::default()
            };
            self.apps[CLIENT].live.insert(key, live);
        }
    }

    pub(crate) fn respond(&mut self, key: Key, accept: bool) {
        let decision = match accept {
            true => Decision::accept(),
            false => Decision::Reject(Rejection::not_found()),
        };
        // It may be gone.
        let _ = self.trunks[SERVER].respond(key, decision);
        self.apps[SERVER].asked.retain(|asked| *asked != key);
        if !accept {
            self.apps[SERVER].live.remove(&key);
        }
    }

    pub(crate) fn send(&mut self, end: usize, key: Key, message: Message) {
        let live = &self.apps[end].live[&key];
        if live.parts.is_some() {
            return;
        }
        let serial = live.serial;
        let sent = self.trunks[end].send(key, message.clone(), Hints::new());
        if sent.is_ok() {
            self.expect(end, serial, message);
        }
    }

    pub(crate) fn send_part(&mut self, end: usize, key: Key, part: &[u8], fin: bool) {
        let live = self.apps[end].live.get_mut(&key).expect("it is there");
        let serial = live.serial;
        let (kind, mut whole) = live.parts.take().unwrap_or((Kind::Binary, Vec::new()));
        let bytes = part.to_vec().into();
        let sent = self.trunks[end].send_part(key, kind, bytes, fin, Hints::new());
        if sent.is_ok() {
            whole.extend_from_slice(part);
        }
        if sent.is_ok() && fin {
            self.expect(end, serial, Message::binary(whole));
        } else {
            live.parts = Some((kind, whole));
        }
    }

    fn expect(&mut self, end: usize, serial: u64, message: Message) {
        let way = self.on_its_way.entry((1 - end, serial)).or_default();
        way.push_back(message);
    }

    pub(crate) fn ping(&mut self, end: usize, key: Key, payload: Vec<u8>) {
        if self.trunks[end].ping(key, &payload).is_ok() {
            let live = self.apps[end].live.get_mut(&key).expect("it is there");
            live.pinged.push_back(payload);
        }
    }

    pub(crate) fn close(&mut self, end: usize, key: Key) {
        let live = self.apps[end].live.get_mut(&key).expect("it is there");
        if self.trunks[end]
            .close(key, CloseCode::NORMAL, "bye")
            .is_ok()
        {
            live.leaves = true;
        }
    }

    pub(crate) fn abandon(&mut self, end: usize, key: Key) {
        let live = self.apps[end].live.get_mut(&key).expect("it is there");
        live.leaves = true;
        live.abandoned = true;
        self.apps[end].asked.retain(|asked| *asked != key);
        self.trunks[end].abandon(key, CloseCode::GOING_AWAY);
        let serial = self.apps[end].live[&key].serial;
        self.ledger.took(end, serial);
    }

    /// Takes the news of an end. Whether there was any.
    pub(crate) fn hear(&mut self, end: usize) -> bool {
        let mut moved = false;
        while let Some(news) = self.trunks[end].poll_news() {
            moved = true;
            let app = &mut self.apps[end];
            assert!(app.over.is_none(), "news behind the last: {news:?}");
            match news {
                News::Requested(key) => {
                    // Gone again, perhaps.
                    let Some(asked) = self.trunks[end].received(key) else {
                        continue;
                    };
                    let target = asked.request.uri().path().to_owned();
                    let live = Live {
                        serial: target[1..].parse().expect("a serial"),
                        ..Live::default()
                    };
                    app.live.insert(key, live);
                    app.asked.push(key);
                }
                News::Opened(key, _) => {
                    if let Some(live) = app.live.get_mut(&key) {
                        live.open = true;
                    }
                }
                News::Refused(key, _) => {
                    app.live.remove(&key).expect("it was asked for");
                }
                News::Closed(closed) => app.over = Some(*closed),
                _ => {}
            }
        }
        // Those that an application has left are forgotten without a word, and so are requests that
        // nobody has answered.
        let trunk = &self.trunks[end];
        self.apps[end].live.retain(|key, live| {
            let gone = (live.abandoned || !live.open) && trunk.channels().all(|one| one != *key);
            !gone
        });
        moved
    }

    /// Takes all that came on a channel. Whether there was anything.
    pub(crate) fn read(&mut self, end: usize, key: Key) -> bool {
        let mut moved = false;
        while let Some(event) = self.trunks[end].poll_channel(key) {
            moved = true;
            let live = self.apps[end].live.get_mut(&key).expect("it is there");
            match event {
                Event::Message(message) => self.received(end, key, &message),
                Event::Part { payload, fin, kind } => {
                    live.coming.extend_from_slice(&payload);
                    if fin {
                        let whole = core::mem::take(&mut live.coming);
                        let message = match kind {
                            Kind::Binary => Message::binary(whole),
                            Kind::Text => Message::text(String::from_utf8(whole).expect("UTF-8")),
                        };
                        self.received(end, key, &message);
                    }
                }
                // The other end's, of this channel: its serial is in it.
                Event::Ping(payload) => {
                    assert_eq!(payload[..8], live.serial.to_be_bytes());
                }
                Event::Pong(payload) => {
                    // Some were replaced by a later one before they left.
                    let found = live.pinged.iter().position(|ping| ping[..] == payload);
                    live.pinged.drain(..=found.expect("one that was asked for"));
                    self.pongs += 1;
                }
                Event::Closed(closed) => {
                    self.ended(end, key, &closed);
                    return true;
                }
                other => panic!("{other:?}"),
            }
        }
        if let Some(live) = self.apps[end].live.get(&key) {
            self.ledger.took(end, live.serial);
        }
        moved
    }

    fn received(&mut self, end: usize, key: Key, message: &Message) {
        let live = self.apps[end].live.get_mut(&key).expect("it is there");
        live.received += 1;
        self.delivered += 1;
        let expected = self
            .on_its_way
            .get_mut(&(end, live.serial))
            .and_then(VecDeque::pop_front);
        assert_eq!(
            Some(message),
            expected.as_ref(),
            "at {end} on {}",
            live.serial
        );
    }

    /// A channel has ended for an application.
    fn ended(&mut self, end: usize, key: Key, closed: &Closed) {
        let live = self.apps[end].live.remove(&key).expect("it is there");
        let left = self.on_its_way.remove(&(end, live.serial));
        if live.leaves {
            return;
        }
        let serial = live.serial;
        let whole = self.ledger.whole(end, serial);
        assert_eq!(live.received, whole, "at {end}: {serial} ends, {closed:?}");
        if closed.clean {
            let left = left.unwrap_or_default();
            assert!(left.is_empty(), "{serial} ends without {left:?}");
            self.clean += 1;
        } else {
            let dropped = self.ledger.dropped.contains_key(&serial);
            assert!(dropped || self.broken, "{serial} ends with {closed:?}");
            // Behind the other end's close frame, the end is no error.
            let said_bye = closed.code != CloseCode::ABNORMAL;
            assert!(closed.error.is_some() || said_bye, "{closed:?}");
        }
    }

    // All of it.

    /// Everything leaves and arrives, and everybody reads, until all is quiet.
    pub(crate) fn settle(&mut self) {
        let mut quiet = 0;
        while quiet < 2 {
            let mut moved = false;
            for end in [CLIENT, SERVER] {
                moved |= self.leave(end, usize::MAX);
                moved |= self.arrive(end, usize::MAX);
            }
            for end in [CLIENT, SERVER] {
                moved |= self.hear(end);
                for key in self.apps[end].asked.clone() {
                    self.respond(key, true);
                    moved = true;
                }
                let keys: Vec<Key> = self.apps[end].live.keys().copied().collect();
                for key in keys {
                    moved |= self.read(end, key);
                }
            }
            quiet = if moved { 0 } else { quiet + 1 };
        }
    }

    /// Time passes.
    pub(crate) fn wait(&mut self, milliseconds: u64) {
        self.milliseconds += milliseconds;
        for trunk in &mut self.trunks {
            trunk.handle_timeout(at(self.milliseconds));
        }
    }

    /// Nothing that was sent on an open channel waits any more.
    pub(crate) fn check_nothing_is_lost(&self) {
        for end in [CLIENT, SERVER] {
            for (key, live) in &self.apps[end].live {
                let left = self.on_its_way.get(&(end, live.serial));
                let left = left.map_or(0, VecDeque::len);
                let serial = live.serial;
                assert!(left == 0 || live.leaves, "{left} lost at {end} on {serial}");
                let whole = self.ledger.whole(end, serial);
                assert!(
                    live.leaves || live.received == whole,
                    "{} of {whole} are there",
                    live.received
                );
                assert_eq!(self.trunks[end].buffered(*key), 0);
            }
        }
    }

    /// Neither end, nor the octets, know of any channel.
    pub(crate) fn check_nothing_is_left(&self) {
        for end in [CLIENT, SERVER] {
            let keys: Vec<Key> = self.trunks[end].channels().collect();
            assert!(keys.is_empty(), "left at {end}: {keys:?}");
            assert!(self.apps[end].live.is_empty(), "never ended at {end}");
        }
    }
}

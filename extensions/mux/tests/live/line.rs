//! A [`Trunk`] on a TCP stream, without any runtime: it blocks, and what does not come fails.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cloverleaf_mux::Mux;
use cloverleaf_proto::connection::Transmit;
use cloverleaf_proto::event::Closed;
use cloverleaf_proto::extension::{Extensions, Hints};
use cloverleaf_proto::frame::MaskSource;
use cloverleaf_proto::handshake::{
    ClientHandshake, ClientProgress, ClientRequest, Decision, HandshakeError, Opened, OriginPolicy,
    ServerHandshake, ServerOptions, ServerProgress,
};
use cloverleaf_proto::trunk::{Key, News, Opening};
use cloverleaf_proto::{Config, Event, Message, Role, Trunk};

use crate::wire::{End, Wire};

/// So long something that is waited for may take.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug)]
struct Mask;

impl MaskSource for Mask {
    fn mask_key(&self) -> [u8; 4] {
        [0x37, 0xFA, 0x21, 0x3D]
    }
}

/// Multiplexing as this peer knows it.
pub(crate) fn mux() -> Mux {
    Mux::new().token(Mux::TOKEN_OF_PYWEBSOCKET)
}

pub(crate) fn only(mux: Mux) -> Extensions {
    Extensions::new().with(mux).expect("it is alone")
}

fn config(extensions: Extensions) -> Config {
    let mut config = Config::new(Arc::new(Mask));
    config.extensions = extensions;
    config
}

fn options() -> Arc<ServerOptions> {
    let mut options = ServerOptions::default();
    // Its client says that it comes from somewhere else.
    options.origin = OriginPolicy::Any;
    Arc::new(options)
}

/// What the other end is asked for.
pub(crate) fn request(port: u16, path: &str) -> ClientRequest {
    ClientRequest::new(&format!("ws://127.0.0.1:{port}{path}")).expect("it is one")
}

/// A trunk, its stream, and what has come of both.
pub(crate) struct Line {
    pub(crate) trunk: Trunk,
    pub(crate) wire: Wire,
    stream: TcpStream,
    port: u16,
    /// Which end is ours.
    end: End,
    /// So much later it is than the clock says.
    ahead: Duration,
    events: BTreeMap<Key, VecDeque<Event>>,
    pub(crate) opened: BTreeMap<Key, Opening>,
    pub(crate) refused: BTreeMap<Key, HandshakeError>,
    pub(crate) requested: VecDeque<Key>,
    pub(crate) over: Option<Closed>,
    /// Channels whose events nobody asks for.
    pub(crate) unread: BTreeSet<Key>,
}

/// Our client, connected; an error if no multiplexing was agreed, with what was.
pub(crate) fn connect(request: ClientRequest, extensions: Extensions) -> Result<Line, Vec<String>> {
    let port = request.port();
    let mut stream = stream(TcpStream::connect(("127.0.0.1", port)).expect("it listens"));
    let config = config(extensions);
    let mut wire = Wire::default();
    let shared = Arc::new(config.clone());
    let now = Instant::now();
    let mut handshake = ClientHandshake::new(request, [7; 16], shared, now).expect("a request");
    let head = handshake.poll_transmit().to_vec();
    stream.write_all(&head).expect("it reads");
    wire.pass(End::Client, &head);
    handshake.handle_written(head.len());
    let mut buffer = [0; 4096];
    while !matches!(handshake.progress(), ClientProgress::Opened) {
        let n = stream.read(&mut buffer).expect("an answer");
        assert_ne!(n, 0, "no answer");
        wire.pass(End::Server, &buffer[..n]);
        handshake.handle_input(Instant::now(), &buffer[..n]);
    }
    let opened = handshake.finish().expect("it is open");
    let mut line = Line::new(Role::Client, stream, port, &config, opened, wire)?;
    // What it says first comes soon after the head.
    line.until("slots", |it| (it.trunk.slots() != Some(0)).then_some(()));
    Ok(line)
}

/// Our server, behind the next handshake that comes.
pub(crate) fn accept(listener: &TcpListener, mux: Mux) -> Line {
    let (stream, _) = listener.accept().expect("somebody comes");
    let mut stream = self::stream(stream);
    let config = config(only(mux));
    let mut wire = Wire::default();
    let shared = Arc::new(config.clone());
    let mut handshake = ServerHandshake::new(options(), shared, Instant::now());
    let mut buffer = [0; 4096];
    while !matches!(handshake.progress(), ServerProgress::Deciding) {
        let n = stream.read(&mut buffer).expect("a request");
        assert_ne!(n, 0, "no request");
        wire.pass(End::Client, &buffer[..n]);
        handshake.handle_input(&buffer[..n]);
    }
    handshake.respond(Decision::accept()).expect("it can be");
    let head = handshake.poll_transmit().to_vec();
    stream.write_all(&head).expect("it reads");
    wire.pass(End::Server, &head);
    handshake.handle_written(head.len());
    let opened = handshake.finish().expect("it is open");
    Line::new(Role::Server, stream, 0, &config, opened, wire).expect("it offers mux")
}

fn stream(stream: TcpStream) -> TcpStream {
    stream.set_nodelay(true).expect("it is TCP");
    let patience = Some(PATIENCE);
    stream.set_read_timeout(patience).expect("it is not zero");
    stream.set_write_timeout(patience).expect("it is not zero");
    stream
}

impl Line {
    fn new(
        role: Role,
        stream: TcpStream,
        port: u16,
        config: &Config,
        opened: Opened,
        wire: Wire,
    ) -> Result<Self, Vec<String>> {
        let Opened {
            handshake,
            mut extensions,
            leftover,
            ..
        } = opened;
        let Some(carrier) = extensions.take_carrier() else {
            let agreed = extensions.agreed().iter();
            return Err(agreed
                .map(|it| format!("{}{}", it.name, it.params))
                .collect());
        };
        let now = Instant::now();
        let mut trunk = Trunk::new(
            role,
            config,
            options(),
            &handshake,
            extensions,
            carrier,
            now,
        );
        trunk.handle_input(now, &mut leftover.to_vec());
        Ok(Self {
            trunk,
            wire,
            stream,
            port,
            end: match role {
                Role::Client => End::Client,
                Role::Server => End::Server,
            },
            ahead: Duration::ZERO,
            events: BTreeMap::new(),
            opened: BTreeMap::new(),
            refused: BTreeMap::new(),
            requested: VecDeque::new(),
            over: None,
            unread: BTreeSet::new(),
        })
    }

    fn now(&self) -> Instant {
        Instant::now() + self.ahead
    }

    /// Lets time pass, without waiting for it.
    pub(crate) fn later(&mut self, time: Duration) {
        self.ahead += time;
        self.trunk.handle_timeout(self.now());
    }

    /// The peer has sent this, or as good as.
    pub(crate) fn as_if_it_came(&mut self, octets: &[u8]) {
        let other = match self.end {
            End::Client => End::Server,
            End::Server => End::Client,
        };
        self.wire.pass(other, octets);
        self.trunk.handle_input(self.now(), &mut octets.to_vec());
    }

    /// Asks the trunk for everything and writes it, until there is nothing more.
    pub(crate) fn settle(&mut self) {
        loop {
            let mut moved = false;
            while let Some(news) = self.trunk.poll_news() {
                moved = true;
                match news {
                    News::Requested(key) => self.requested.push_back(key),
                    News::Opened(key, opening) => drop(self.opened.insert(key, *opening)),
                    News::Refused(key, error) => drop(self.refused.insert(key, *error)),
                    News::Closed(closed) => self.over = Some(*closed),
                    _ => {}
                }
            }
            let keys: Vec<Key> = self.trunk.channels().collect();
            for key in keys {
                if self.unread.contains(&key) {
                    continue;
                }
                while let Some(event) = self.trunk.poll_channel(key) {
                    moved = true;
                    self.events.entry(key).or_default().push_back(event);
                }
            }
            moved |= self.write();
            if !moved {
                return;
            }
        }
    }

    fn write(&mut self) -> bool {
        let now = self.now();
        let mut moved = false;
        loop {
            match self.trunk.poll_transmit() {
                Transmit::Idle => return moved,
                Transmit::Write(front, back) => {
                    let octets = [front, back].concat();
                    if self.stream.write_all(&octets).is_err() {
                        self.trunk.handle_lost(now);
                        return true;
                    }
                    self.wire.pass(self.end, &octets);
                    self.trunk.handle_written(now, octets.len());
                }
                Transmit::Shutdown => {
                    // The peer may have been faster.
                    let _ = self.stream.shutdown(std::net::Shutdown::Write);
                    self.trunk.handle_shutdown(now);
                }
            }
            moved = true;
        }
    }

    fn read(&mut self, what: &str) {
        let mut buffer = [0; 64 << 10];
        match self.stream.read(&mut buffer) {
            Ok(0) => self.trunk.handle_eof(self.now()),
            Ok(n) => {
                let other = match self.end {
                    End::Client => End::Server,
                    End::Server => End::Client,
                };
                self.wire.pass(other, &buffer[..n]);
                self.trunk.handle_input(self.now(), &mut buffer[..n]);
            }
            // It may close before it has read all.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                self.trunk.handle_lost(self.now());
            }
            Err(error) => panic!("no {what}: {error}; {}", self.tail()),
        }
    }

    fn tail(&self) -> String {
        let seen = &self.wire.seen;
        let last = seen.iter().skip(seen.len().saturating_sub(20));
        let last = last.map(|it| format!("{it:?}").chars().take(200).collect());
        last.collect::<Vec<String>>().join("\n")
    }

    /// Reads and writes until there is what is wanted.
    pub(crate) fn until<T>(
        &mut self,
        what: &str,
        mut wanted: impl FnMut(&mut Self) -> Option<T>,
    ) -> T {
        loop {
            self.settle();
            if let Some(it) = wanted(self) {
                return it;
            }
            assert!(
                self.over.is_none(),
                "no {what}: {:?}; {}",
                self.over,
                self.tail()
            );
            self.read(what);
        }
    }

    /// Asks for a channel, which the server opens.
    pub(crate) fn open(&mut self, path: &str) -> Key {
        let key = self.ask(path);
        self.until("answer", |it| it.opened.contains_key(&key).then_some(()));
        key
    }

    pub(crate) fn ask(&mut self, path: &str) -> Key {
        let request = request(self.port, path);
        let asked = self.trunk.open(request, [8; 16]);
        asked.unwrap_or_else(|error| panic!("{error}; {}", self.tail()))
    }

    pub(crate) fn send(&mut self, key: Key, message: impl Into<Message>) {
        let sent = self.trunk.send(key, message.into(), Hints::new());
        sent.expect("it is open");
    }

    pub(crate) fn event(&mut self, key: Key) -> Event {
        self.until(&format!("event on {key:?}"), |it| {
            it.events.get_mut(&key)?.pop_front()
        })
    }

    /// The next event, if there is one already.
    pub(crate) fn next_event(&mut self, key: Key) -> Option<Event> {
        self.events.get_mut(&key)?.pop_front()
    }

    /// The next event of whichever channel has one.
    pub(crate) fn any_event(&mut self) -> Option<(Key, Event)> {
        let mut all = self.events.iter_mut();
        all.find_map(|(key, events)| Some((*key, events.pop_front()?)))
    }

    pub(crate) fn message(&mut self, key: Key) -> Message {
        match self.event(key) {
            Event::Message(message) => message,
            event => panic!("{event:?} on {key:?} and no message; {}", self.tail()),
        }
    }

    pub(crate) fn echoes(&mut self, key: Key, message: impl Into<Message>) {
        let message = message.into();
        self.send(key, message.clone());
        assert_eq!(self.message(key), message);
    }

    pub(crate) fn closed(&mut self, key: Key) -> Closed {
        match self.event(key) {
            Event::Closed(closed) => closed,
            event => panic!("{event:?} on {key:?} and no end; {}", self.tail()),
        }
    }

    /// The number of a channel on the wire.
    pub(crate) fn id(&self, key: Key) -> u32 {
        self.trunk.id(key).expect("it is there").get()
    }

    /// The end of all.
    pub(crate) fn end(&mut self) -> Closed {
        self.until("end", |it| it.over.clone())
    }
}

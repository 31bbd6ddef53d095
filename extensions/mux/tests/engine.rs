//! Two trunks of the engine, their channels, and this extension between them.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use cloverleaf_deflate::PermessageDeflate;
use cloverleaf_mux::Mux;
use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::connection::Transmit;
use cloverleaf_proto::extension::{Extensions, Hints};
use cloverleaf_proto::frame::MaskSource;
use cloverleaf_proto::handshake::{
    ClientHandshake, ClientRequest, Decision, Opened, ServerHandshake, ServerOptions,
};
use cloverleaf_proto::trunk::{Key, News, OpenError};
use cloverleaf_proto::{Config, Event, Message, Role, Trunk};

#[derive(Debug)]
struct Mask;

impl MaskSource for Mask {
    fn mask_key(&self) -> [u8; 4] {
        [0x37, 0xFA, 0x21, 0x3D]
    }
}

fn at(seconds: u64) -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    let start = *START.get_or_init(Instant::now);
    start + Duration::from_secs(seconds)
}

fn request() -> ClientRequest {
    ClientRequest::new("ws://example.com/chat").expect("it is one")
}

/// What a channel's opening handshake came to, at the client.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Opened(Key, Vec<String>),
    Refused(Key),
    Over,
}

struct Pair {
    client: Trunk,
    server: Trunk,
    now: Instant,
    /// Octets on the wire, both ways.
    wire: usize,
}

impl Pair {
    fn new(mux: Mux) -> Self {
        let now = at(0);
        let mut config = Config::new(Arc::new(Mask));
        let deflate = PermessageDeflate::new().threshold(0);
        let extensions = Extensions::new()
            .with(deflate)
            .and_then(|all| all.with(mux));
        config.extensions = extensions.expect("they fit");
        let shared = Arc::new(config.clone());
        let options = Arc::new(ServerOptions::default());
        let mut server = ServerHandshake::new(Arc::clone(&options), Arc::clone(&shared), now);
        let mut client = ClientHandshake::new(request(), [7; 16], shared, now).expect("a request");
        server.handle_input(client.poll_transmit());
        server.respond(Decision::accept()).expect("it is asked");
        client.handle_input(now, server.poll_transmit());
        let written = server.poll_transmit().len();
        server.handle_written(written);
        let trunk = |role, opened: Opened| {
            let Opened {
                handshake,
                mut extensions,
                ..
            } = opened;
            let carrier = extensions.take_carrier().expect("it was agreed");
            let options = Arc::clone(&options);
            Trunk::new(role, &config, options, &handshake, extensions, carrier, now)
        };
        let mut pair = Self {
            server: trunk(Role::Server, server.finish().expect("it is open")),
            client: trunk(Role::Client, client.finish().expect("it is open")),
            now,
            wire: 0,
        };
        pair.exchange();
        pair
    }

    fn carry(&mut self, from: Role) -> bool {
        let now = self.now;
        let (from, to) = match from {
            Role::Client => (&mut self.client, &mut self.server),
            Role::Server => (&mut self.server, &mut self.client),
        };
        let mut moved = false;
        loop {
            match from.poll_transmit() {
                Transmit::Idle => return moved,
                Transmit::Write(front, back) => {
                    let mut octets = [front, back].concat();
                    self.wire += octets.len();
                    from.handle_written(now, octets.len());
                    to.handle_input(now, &mut octets);
                }
                Transmit::Shutdown => {
                    from.handle_shutdown(now);
                    to.handle_eof(now);
                }
            }
            moved = true;
        }
    }

    /// Hands octets over until both ends are quiet. The server accepts every channel and echoes.
    fn exchange(&mut self) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        loop {
            let mut moved = self.carry(Role::Client) | self.carry(Role::Server);
            while let Some(news) = self.server.poll_news() {
                moved = true;
                match news {
                    News::Requested(key) => {
                        let accepted = self.server.respond(key, Decision::accept());
                        accepted.expect("it can be done");
                    }
                    News::Ready(key) | News::Room(key) => {
                        while let Some(event) = self.server.poll_channel(key) {
                            if let Event::Message(message) = event {
                                let sent = self.server.send(key, message, Hints::new());
                                sent.expect("the client reads");
                            }
                        }
                    }
                    _ => {}
                }
            }
            while let Some(news) = self.client.poll_news() {
                moved = true;
                match news {
                    News::Opened(key, opening) => {
                        let agreed = opening.agreed.iter().map(|one| one.name.to_string());
                        outcomes.push(Outcome::Opened(key, agreed.collect()));
                    }
                    News::Refused(key, _) => outcomes.push(Outcome::Refused(key)),
                    News::Closed(_) => outcomes.push(Outcome::Over),
                    _ => {}
                }
            }
            if !moved {
                return outcomes;
            }
        }
    }

    fn open(&mut self) -> Key {
        let key = self.client.open(request(), [8; 16]).expect("a slot");
        let opened = Outcome::Opened(key, vec!["permessage-deflate".to_owned()]);
        assert_eq!(self.exchange(), [opened]);
        key
    }

    fn events(&mut self, key: Key) -> Vec<Event> {
        core::iter::from_fn(|| self.client.poll_channel(key)).collect()
    }

    fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.client.handle_timeout(self.now);
        self.server.handle_timeout(self.now);
        self.exchange();
    }
}

/// Octets that do not compress, different for each channel.
fn noise(seed: usize, octets: usize) -> Message {
    let mut state = (seed as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let noise = (0..octets).map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    });
    Message::binary(noise.collect::<Vec<u8>>())
}

#[test]
fn sixty_five_channels_echo_messages_far_larger_than_their_quota() {
    for delta in [false, true] {
        let mut pair = Pair::new(Mux::new().memory(65 * 2 * 300).delta(delta));
        let mut keys = vec![Key::FIRST];
        keys.extend((0..64).map(|_| pair.open()));
        assert!(matches!(
            pair.client.open(request(), [9; 16]),
            Err(OpenError::NoSlot)
        ));
        for (n, key) in keys.iter().enumerate() {
            let sent = pair.client.send(*key, noise(n, 20_000), Hints::new());
            sent.expect("there is room");
        }
        let mut heard = vec![Vec::new(); keys.len()];
        for _ in 0..10_000 {
            pair.exchange();
            for (key, heard) in keys.iter().zip(&mut heard) {
                heard.extend(pair.events(*key));
            }
            if heard.iter().all(|events| !events.is_empty()) {
                break;
            }
        }
        for (n, events) in heard.iter().enumerate() {
            assert_eq!(
                events[..],
                [Event::Message(noise(n, 20_000))],
                "channel {n}"
            );
        }
    }
}

#[test]
fn a_request_that_is_a_difference_takes_fewer_octets() {
    let octets = |delta| {
        let mut pair = Pair::new(Mux::new().delta(delta));
        let before = pair.wire;
        pair.open();
        pair.wire - before
    };
    assert!(octets(true) + 50 < octets(false));
}

#[test]
fn channels_are_opened_and_closed_for_ever_a_hundred_in_ten_seconds() {
    let mut pair = Pair::new(Mux::new());
    for _ in 0..5 {
        for _ in 0..100 {
            let key = pair.open();
            let closed = pair.client.close(key, CloseCode::NORMAL, "");
            closed.expect("it is open");
            pair.exchange();
            let events = pair.events(key);
            let Some(Event::Closed(closed)) = events.last() else {
                panic!("{events:?}");
            };
            assert!(closed.clean);
        }
        // The slots of those that come too early are kept back; that ends no connection.
        assert!(matches!(
            pair.client.open(request(), [9; 16]),
            Err(OpenError::NoSlot)
        ));
        pair.wait(10);
        assert_eq!(pair.client.slots(), Some(64));
    }
}

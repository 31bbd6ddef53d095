//! Two trunks and the octets between them.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use cloverleaf_proto::connection::Transmit;
use cloverleaf_proto::extension::Extensions;
use cloverleaf_proto::frame::MaskSource;
use cloverleaf_proto::handshake::{
    ClientHandshake, ClientRequest, Decision, Opened, ServerHandshake, ServerOptions,
};
use cloverleaf_proto::trunk::{Key, News};
use cloverleaf_proto::{Config, Event, Message, Role, Trunk};

use crate::toy::{Settings, Toy};

#[derive(Debug)]
struct Mask;

impl MaskSource for Mask {
    fn mask_key(&self) -> [u8; 4] {
        [0x37, 0xFA, 0x21, 0x3D]
    }
}

pub(crate) fn at(seconds: f64) -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    #[expect(
        clippy::disallowed_methods,
        reason = "an Instant cannot be made in another way"
    )]
    let start = *START.get_or_init(Instant::now);
    start + Duration::from_secs_f64(seconds)
}

pub(crate) fn config(extensions: Extensions) -> Config {
    let mut config = Config::new(Arc::new(Mask));
    config.extensions = extensions;
    config
}

pub(crate) fn toy(settings: Settings) -> Config {
    let extensions = Extensions::new().with(Toy(settings));
    config(extensions.expect("there is one"))
}

pub(crate) fn request() -> ClientRequest {
    ClientRequest::new("ws://example.com/chat").expect("it is one")
}

pub(crate) struct Pair {
    pub(crate) client: Trunk,
    pub(crate) server: Trunk,
    /// What a server says to a request for a channel; `None`: nothing yet.
    pub(crate) decide: fn(&Trunk, Key) -> Option<Decision>,
    pub(crate) now: Instant,
    /// Octets are handed over in pieces of at most this.
    pub(crate) piece: usize,
}

impl Pair {
    pub(crate) fn new(settings: Settings) -> Self {
        Self::with(&toy(settings), ServerOptions::default())
    }

    /// Both ends behind the opening handshake of the physical connection.
    pub(crate) fn with(config: &Config, options: ServerOptions) -> Self {
        let now = at(0.0);
        let shared = Arc::new(config.clone());
        let options = Arc::new(options);
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
            Trunk::new(role, config, options, &handshake, extensions, carrier, now)
        };
        Self {
            server: trunk(Role::Server, server.finish().expect("it is open")),
            client: trunk(Role::Client, client.finish().expect("it is open")),
            decide: |_, _| Some(Decision::accept()),
            now,
            piece: usize::MAX,
        }
    }

    pub(crate) fn end(&mut self, role: Role) -> &mut Trunk {
        match role {
            Role::Client => &mut self.client,
            Role::Server => &mut self.server,
        }
    }

    /// Hands octets over until both ends are quiet. Nobody takes the events of channels.
    pub(crate) fn exchange(&mut self) -> Vec<(Role, News)> {
        let mut news = Vec::new();
        loop {
            let mut moved = false;
            for role in [Role::Client, Role::Server] {
                moved |= self.carry(role);
                while let Some(one) = self.end(role).poll_news() {
                    if let News::Requested(id) = one
                        && let Some(decision) = (self.decide)(&self.server, id)
                    {
                        self.server.respond(id, decision).expect("it can be done");
                        moved = true;
                    }
                    news.push((role, one));
                }
            }
            if !moved {
                return news;
            }
        }
    }

    /// What one end writes arrives at the other. Whether there was something.
    pub(crate) fn carry(&mut self, from: Role) -> bool {
        let (now, piece) = (self.now, self.piece);
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
                    from.handle_written(now, octets.len());
                    for piece in octets.chunks_mut(piece.min(1 << 20)) {
                        to.handle_input(now, piece);
                    }
                }
                Transmit::Shutdown => {
                    from.handle_shutdown(now);
                    to.handle_eof(now);
                }
            }
            moved = true;
        }
    }

    /// All events of a channel at one end.
    pub(crate) fn events(&mut self, role: Role, id: Key) -> Vec<Event> {
        let trunk = self.end(role);
        core::iter::from_fn(|| trunk.poll_channel(id)).collect()
    }

    /// Exchanges, and takes the events of these channels at both ends, until nothing moves.
    pub(crate) fn run(&mut self, ids: &[Key]) -> Vec<(Role, Key, Event)> {
        let mut heard = Vec::new();
        loop {
            let mut moved = !self.exchange().is_empty();
            for role in [Role::Client, Role::Server] {
                for id in ids {
                    for event in self.events(role, *id) {
                        heard.push((role, *id, event));
                        moved = true;
                    }
                }
            }
            if !moved {
                return heard;
            }
        }
    }

    /// Opens so many channels more, of which all are accepted.
    pub(crate) fn open(&mut self, count: usize) -> Vec<Key> {
        let opened = (0..count).map(|n| {
            self.client
                .open(request(), [n as u8 + 8; 16])
                .expect("there is a slot")
        });
        let opened = opened.collect();
        self.exchange();
        opened
    }
}

pub(crate) fn text(text: &str) -> Event {
    Event::Message(Message::text(text))
}

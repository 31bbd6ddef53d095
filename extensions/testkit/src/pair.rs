//! Two connections that talk to each other.

use core::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use bytes::Bytes;
use cloverleaf_proto::connection::Transmit;
use cloverleaf_proto::endpoint::State;
use cloverleaf_proto::error::ConnectionError;
use cloverleaf_proto::extension::{Extensions, Negotiated};
use cloverleaf_proto::frame::{MaskSource, OpCode};
use cloverleaf_proto::message::Kind;
use cloverleaf_proto::{Config, Connection, Event, Role};

use crate::random::Random;

/// Masking keys that are the same in every run, and different from frame to frame.
#[derive(Debug, Default)]
pub(crate) struct Keys(AtomicU32);

impl MaskSource for Keys {
    fn mask_key(&self) -> [u8; 4] {
        let n = self.0.fetch_add(0x9E37_79B9, Ordering::Relaxed);
        n.to_be_bytes()
    }
}

/// How the octets of one write come in at the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    Whole,
    /// One octet at a time.
    Octets,
    /// In two, behind so many octets.
    At(usize),
    /// Anyhow, in pieces of at most so many octets.
    Random {
        seed: u64,
        most: usize,
    },
}

impl Cut {
    /// Where `n` octets are cut: the lengths of the pieces.
    pub(crate) fn pieces(&self, n: usize) -> Vec<usize> {
        match *self {
            Self::Whole => vec![n],
            Self::Octets => vec![1; n],
            Self::At(k) => {
                let k = k.min(n);
                vec![k, n - k]
            }
            Self::Random { seed, most } => {
                let mut random = Random::new(seed ^ n as u64);
                let mut left = n;
                let mut pieces = Vec::new();
                while left > 0 {
                    let piece = (1 + random.below(most)).min(left);
                    pieces.push(piece);
                    left -= piece;
                }
                pieces
            }
        }
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => f.write_str("octets come as they were written"),
            Self::Octets => f.write_str("octets come one at a time"),
            Self::At(k) => write!(f, "each write comes in two, cut behind octet {k}"),
            Self::Random { seed, most } => {
                write!(f, "octets come in pieces of up to {most} (seed {seed})")
            }
        }
    }
}

/// What the other end's application was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) messages: Vec<(Kind, Bytes)>,
    pub(crate) pings: Vec<Bytes>,
    pub(crate) frames: Vec<(OpCode, Bytes)>,
}

/// One of the two.
pub(crate) struct End {
    pub(crate) connection: Connection,
    pub(crate) heard: Heard,
}

/// A client and a server, and the octets between them.
pub(crate) struct Pair {
    pub(crate) client: End,
    pub(crate) server: End,
    cut: Cut,
    /// A ping goes out behind so many more frames.
    pings: u8,
    now: Instant,
}

/// How both ends are configured beside their extensions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) out_fragment: usize,
    pub(crate) max_message_size: usize,
}

/// Above all that the kit sends.
const ROOM: usize = 1 << 26;

impl Default for Settings {
    fn default() -> Self {
        Self {
            out_fragment: ROOM,
            max_message_size: ROOM,
        }
    }
}

/// Two ends that answer each other this often are never finished.
const MOST_ROUNDS: usize = 1000;

impl Pair {
    pub(crate) fn new(negotiated: [Negotiated; 2], settings: Settings, cut: Cut) -> Self {
        let mut config = Config::new(Arc::new(Keys::default()));
        config.extensions = Extensions::new();
        config.timing.ping_interval = None;
        config.limits.out_fragment = settings.out_fragment;
        config.limits.max_message_size = settings.max_message_size;
        config.limits.max_frame_size = 2 * ROOM;
        config.limits.max_write_buffer = 2 * ROOM;
        // One frame at a time, so that control frames get between two fragments.
        config.limits.write_high_water = 1;
        let config = Arc::new(config);
        // No clock is read: a connection wants some moment, and it is always this one.
        let now = Instant::now();
        let end = |role, negotiated| End {
            connection: Connection::new(role, Arc::clone(&config), negotiated, now),
            heard: Heard::default(),
        };
        let [client, server] = negotiated;
        Self {
            client: end(Role::Client, client),
            server: end(Role::Server, server),
            cut,
            pings: 0,
            now,
        }
    }

    pub(crate) fn end(&mut self, role: Role) -> &mut End {
        match role {
            Role::Client => &mut self.client,
            Role::Server => &mut self.server,
        }
    }

    /// Sends what there is to send, to and fro, until neither has more. Behind each of the first
    /// `pings` frames of `from` a ping goes out.
    pub(crate) fn settle(&mut self, from: Role, pings: u8) -> Result<Vec<Bytes>, String> {
        let mut sent = Vec::new();
        self.pings = pings;
        for _ in 0..MOST_ROUNDS {
            let mut idle = true;
            for role in [from, from.peer()] {
                while let Some(octets) = self.write(role) {
                    idle = false;
                    self.deliver(role.peer(), &octets);
                    if role == from && self.pings > 0 {
                        self.pings -= 1;
                        let payload = [b'p', self.pings];
                        // Refused only by a connection that is not open, which is noticed anyway.
                        if self.end(role).connection.ping(&payload).is_ok() {
                            sent.push(Bytes::copy_from_slice(&payload));
                        }
                    }
                }
            }
            if idle {
                return Ok(sent);
            }
        }
        Err(format!(
            "the two ends answered each other {MOST_ROUNDS} times and did not stop"
        ))
    }

    /// One write of one end.
    fn write(&mut self, role: Role) -> Option<Vec<u8>> {
        let now = self.now;
        let connection = &mut self.end(role).connection;
        match connection.poll_transmit() {
            Transmit::Idle => None,
            Transmit::Write(front, back) => {
                let octets = [front, back].concat();
                connection.handle_written(now, octets.len());
                Some(octets)
            }
            Transmit::Shutdown => {
                connection.handle_shutdown(now);
                None
            }
        }
    }

    fn deliver(&mut self, to: Role, octets: &[u8]) {
        let (now, pieces) = (self.now, self.cut.pieces(octets.len()));
        let end = self.end(to);
        let mut rest = octets.to_vec();
        let mut start = 0;
        for piece in pieces {
            end.connection
                .handle_input(now, &mut rest[start..start + piece]);
            start += piece;
            while let Some(event) = end.connection.poll_event() {
                match event {
                    Event::Message(message) => {
                        end.heard
                            .messages
                            .push((message.kind(), message.into_payload()));
                    }
                    Event::Ping(payload) => end.heard.pings.push(payload),
                    Event::Extension { opcode, payload } => {
                        end.heard.frames.push((opcode, payload));
                    }
                    // Pongs, notices and the end, which the state shows.
                    _ => {}
                }
            }
        }
    }

    /// Whether one of the two was ended by its extension.
    pub(crate) fn failed_by_extension(&self) -> bool {
        [&self.client, &self.server].into_iter().any(|end| {
            matches!(
                end.connection.closed().error,
                Some(ConnectionError::Extension(_))
            )
        })
    }

    /// Octets that nobody has sent, as the rest of a frame or the next.
    pub(crate) fn garble(&mut self, to: Role, octets: &[u8]) {
        self.deliver(to, octets);
    }

    /// Why one of the two is not open any more.
    pub(crate) fn trouble(&self) -> Option<String> {
        let ends = [(Role::Client, &self.client), (Role::Server, &self.server)];
        // The one that failed says more than the one that was told.
        let failed = ends.iter().find_map(|(role, end)| {
            let error = end.connection.closed().error?;
            let code = error
                .close_code()
                .map(|code| format!(" ({code})"))
                .unwrap_or_default();
            Some(format!("the {} fails: {error}{code}", side(*role)))
        });
        let ended = || {
            let (role, end) = ends
                .iter()
                .find(|(_, end)| end.connection.state() != State::Open)?;
            let closed = end.connection.closed();
            Some(format!(
                "the {} is not open any more: {closed}",
                side(*role)
            ))
        };
        failed.or_else(ended)
    }
}

pub(crate) const fn side(role: Role) -> &'static str {
    match role {
        Role::Client => "client",
        Role::Server => "server",
    }
}

//! Two connections, two clocks, and a network between them that takes as long as the test says.

mod figures;
mod hostile;
mod neighbours;
mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cloverleaf_heartbeat::{Beats, Heartbeat, Resolution};
use cloverleaf_proto::connection::Transmit;
use cloverleaf_proto::extension::{Extensions, Negotiated, Offer};
use cloverleaf_proto::frame::MaskSource;
use cloverleaf_proto::{Config, Connection, Event, Role};

#[derive(Debug)]
struct NoMask;

impl MaskSource for NoMask {
    fn mask_key(&self) -> [u8; 4] {
        [0; 4]
    }
}

/// A clock that stands until it is set, in microseconds.
#[derive(Clone, Default)]
pub(crate) struct Clock(Arc<AtomicU64>);

impl Clock {
    pub(crate) fn set(&self, micros: u64) {
        self.0.store(micros, Ordering::Relaxed);
    }

    pub(crate) fn heartbeat(&self, resolution: Resolution) -> Heartbeat {
        let clock = Arc::clone(&self.0);
        Heartbeat::new(move || Duration::from_micros(clock.load(Ordering::Relaxed)))
            .resolution(resolution)
    }
}

pub(crate) fn config(extensions: Extensions) -> Arc<Config> {
    let mut config = Config::new(Arc::new(NoMask));
    config.extensions = extensions;
    Arc::new(config)
}

/// One end, and what it is told.
pub(crate) struct End {
    pub(crate) connection: Connection,
    pub(crate) clock: Clock,
    pub(crate) beats: Beats,
}

impl End {
    pub(crate) fn send_beat(&mut self) {
        let beat = self.beats.beat();
        self.connection
            .send_extension(Heartbeat::OPCODE, beat)
            .expect("it is agreed, and nothing waits");
    }

    pub(crate) fn input(&mut self, octets: &[u8]) -> Vec<Event> {
        let mut octets = octets.to_vec();
        self.connection.handle_input(Instant::now(), &mut octets);
        core::iter::from_fn(|| self.connection.poll_event()).collect()
    }

    pub(crate) fn output(&mut self) -> Vec<u8> {
        let mut octets = Vec::new();
        while let Transmit::Write(front, back) = self.connection.poll_transmit() {
            octets.extend_from_slice(front);
            octets.extend_from_slice(back);
            let n = front.len() + back.len();
            self.connection.handle_written(Instant::now(), n);
        }
        octets
    }
}

/// Both ends, with these extensions beside their heartbeats.
pub(crate) fn ends_with(
    resolutions: [Resolution; 2],
    register: impl Fn(Heartbeat) -> Extensions,
) -> [End; 2] {
    let clocks = [Clock::default(), Clock::default()];
    let heartbeats = [0, 1].map(|n| clocks[n].heartbeat(resolutions[n]));
    let [client, server] = [0, 1].map(|n| register(heartbeats[n].clone()));
    let accepted = Negotiated::accept(&server, Negotiated::offers(&client));
    assert_eq!(accepted.skipped(), []);
    let answers = accepted.agreed().iter();
    let answers = answers.map(|agreed| Offer::new(&*agreed.name, agreed.params.clone()));
    let confirmed =
        Negotiated::confirm(&client, answers.collect()).expect("the answer to its offer");
    let connections = [
        (Role::Client, client, confirmed),
        (Role::Server, server, accepted),
    ]
    .map(|(role, extensions, negotiated)| {
        Connection::new(role, config(extensions), negotiated, Instant::now())
    });
    let mut parts = connections.into_iter().zip(clocks).zip(heartbeats);
    let mut next = || {
        let ((connection, clock), heartbeat) = parts.next().expect("there are two");
        End {
            connection,
            clock,
            beats: heartbeat.beats(),
        }
    };
    [next(), next()]
}

pub(crate) fn ends(resolutions: [Resolution; 2]) -> [End; 2] {
    ends_with(resolutions, |heartbeat| {
        Extensions::new()
            .with(heartbeat)
            .expect("it is well-formed")
    })
}

/// Both ends with microseconds, the one that asks first: once the client, once the server.
pub(crate) fn both_ways(mut test: impl FnMut(Role, End, End)) {
    let [client, server] = ends([Resolution::Microseconds; 2]);
    test(Role::Client, client, server);
    let [client, server] = ends([Resolution::Microseconds; 2]);
    test(Role::Server, server, client);
}

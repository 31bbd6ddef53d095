//! Connections that are recorded, and the files read again.

mod conversation;
mod options;
mod reader;
mod sink;
mod wireshark;

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cloverleaf_capture::{Capture, Options};
use cloverleaf_proto::connection::Transmit;
use cloverleaf_proto::extension::{Extensions, Negotiated, Offer};
use cloverleaf_proto::frame::MaskSource;
use cloverleaf_proto::handshake::{
    ClientHandshake, ClientRequest, Decision, Handshake, ServerHandshake, ServerOptions,
};
use cloverleaf_proto::{Config, Connection, Event, Role};
use http::HeaderValue;
use http::header::AUTHORIZATION;

#[derive(Debug)]
struct Key;

impl MaskSource for Key {
    fn mask_key(&self) -> [u8; 4] {
        [0x37, 0xfa, 0x21, 0x3d]
    }
}

/// A sink that the test can look into, and that fails behind so many octets.
#[derive(Clone)]
pub(crate) struct Disk {
    octets: Arc<Mutex<Vec<u8>>>,
    size: usize,
}

impl Disk {
    pub(crate) fn of_size(size: usize) -> Self {
        Self {
            octets: Arc::default(),
            size,
        }
    }

    pub(crate) fn read(&self) -> Vec<u8> {
        self.octets.lock().expect("nobody panics here").clone()
    }
}

impl Write for Disk {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let mut held = self.octets.lock().expect("nobody panics here");
        let n = octets.len().min(self.size - held.len());
        if n == 0 && !octets.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        held.extend_from_slice(&octets[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// When every test begins: 1970, and so many microseconds. Every look takes another.
pub(crate) const BEGIN: u64 = 1_700_000_000_123_456;

pub(crate) fn capture_to(disk: &Disk, options: Options) -> Capture {
    let ticks = AtomicU64::new(BEGIN);
    let clock = move || Duration::from_micros(ticks.fetch_add(1, Ordering::Relaxed));
    Capture::to_writer(disk.clone(), clock, options)
}

pub(crate) fn capture(options: Options) -> (Capture, Disk) {
    let disk = Disk::of_size(usize::MAX);
    (capture_to(&disk, options), disk)
}

fn config(extensions: &Extensions, tap: Option<&Capture>) -> Arc<Config> {
    let mut config = Config::new(Arc::new(Key));
    config.extensions = extensions.clone();
    if let Some(tap) = tap {
        config.taps.push(Arc::new(tap.clone()));
    }
    Arc::new(config)
}

/// Both ends of a connection, of which the one with this role is recorded.
pub(crate) struct Pair {
    pub(crate) client: Connection,
    pub(crate) server: Connection,
}

pub(crate) const URL: &str = "ws://example.com/chat?token=secret-in-query";

impl Pair {
    /// Through an opening handshake, which is shown to the tap if `shown`.
    pub(crate) fn new(role: Role, capture: &Capture, extensions: &Extensions, shown: bool) -> Self {
        let tap = |end| (end == role).then_some(capture);
        let client_config = config(extensions, tap(Role::Client));
        let server_config = config(extensions, tap(Role::Server));
        let now = Instant::now();
        let secret = HeaderValue::from_static("Bearer secret-in-field");
        let request = ClientRequest::new(URL)
            .and_then(|request| request.header(AUTHORIZATION, secret))
            .expect("the request is well-formed");
        let mut client = ClientHandshake::new(request, [7; 16], Arc::clone(&client_config), now)
            .expect("the request is well-formed");
        let options = Arc::new(ServerOptions::default());
        let mut server = ServerHandshake::new(options, Arc::clone(&server_config), now);
        let head = client.poll_transmit().to_vec();
        client.handle_written(head.len());
        server.handle_input(&head);
        server
            .respond(Decision::accept())
            .expect("a request has come");
        let head = server.poll_transmit().to_vec();
        server.handle_written(head.len());
        client.handle_input(now, &head);
        let client = client.finish().expect("it is accepted");
        let server = server.finish().expect("it is accepted");
        let open = |role, config: Arc<Config>, agreed: Negotiated, said: &Handshake| {
            let mut connection = Connection::new(role, config, agreed, now);
            if shown {
                connection.show_opening(said);
            }
            connection
        };
        Self {
            client: open(
                Role::Client,
                client_config,
                client.extensions,
                &client.handshake,
            ),
            server: open(
                Role::Server,
                server_config,
                server.extensions,
                &server.handshake,
            ),
        }
    }

    /// Lets everything travel that there is, and returns what both ends were told.
    pub(crate) fn settle(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            let there = carry(&mut self.client, &mut self.server, &mut events);
            let back = carry(&mut self.server, &mut self.client, &mut events);
            if !there && !back {
                return events;
            }
        }
    }
}

fn carry(from: &mut Connection, to: &mut Connection, events: &mut Vec<Event>) -> bool {
    let mut moved = false;
    loop {
        match from.poll_transmit() {
            Transmit::Idle => break,
            Transmit::Shutdown => {
                from.handle_shutdown(Instant::now());
                to.handle_eof(Instant::now());
            }
            Transmit::Write(front, back) => {
                let mut octets = [front, back].concat();
                from.handle_written(Instant::now(), octets.len());
                to.handle_input(Instant::now(), &mut octets);
            }
        }
        moved = true;
    }
    events.extend(core::iter::from_fn(|| to.poll_event()));
    events.extend(core::iter::from_fn(|| from.poll_event()));
    moved
}

/// The extensions agreed with themselves, for an end without a peer.
pub(crate) fn alone(role: Role, capture: &Capture) -> Connection {
    let none: Vec<Offer> = Vec::new();
    let extensions = Extensions::new();
    let negotiated = Negotiated::accept(&extensions, none);
    let config = config(&extensions, Some(capture));
    Connection::new(role, config, negotiated, Instant::now())
}

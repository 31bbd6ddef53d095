//! The extension in its place: octets of the wire in, messages out.

use std::sync::Arc;
use std::time::Instant;

use cloverleaf_deflate::DeflateFrame;
use cloverleaf_proto::connection::Transmit;
use cloverleaf_proto::extension::{Extensions, Negotiated, Offer, Params};
use cloverleaf_proto::frame::MaskSource;
use cloverleaf_proto::{Config, Connection, Event, Role};

/// A mask that masks nothing, so that the wire can be read.
#[derive(Debug)]
struct ZeroKey;

impl MaskSource for ZeroKey {
    fn mask_key(&self) -> [u8; 4] {
        [0; 4]
    }
}

pub(crate) struct Peer {
    pub(crate) connection: Connection,
    now: Instant,
}

impl Peer {
    /// A peer that has agreed without parameters.
    pub(crate) fn new(role: Role, extension: DeflateFrame) -> Self {
        let extensions = Extensions::new().with(extension).expect("legal");
        let plain = vec![Offer::new("deflate-frame", Params::new())];
        let negotiated = match role {
            Role::Server => Negotiated::accept(&extensions, plain),
            Role::Client => Negotiated::confirm(&extensions, plain).expect("legal"),
        };
        assert_eq!(negotiated.agreed().len(), 1);
        Self::with(role, extensions, negotiated)
    }

    /// A peer that has agreed on nothing.
    pub(crate) fn plain(role: Role) -> Self {
        Self::with(role, Extensions::new(), Negotiated::default())
    }

    pub(crate) fn with(role: Role, extensions: Extensions, negotiated: Negotiated) -> Self {
        let mut config = Config::new(Arc::new(ZeroKey));
        config.extensions = extensions;
        let now = Instant::now();
        Self {
            connection: Connection::new(role, Arc::new(config), negotiated, now),
            now,
        }
    }

    /// Octets in, `chunk` at a time; events out.
    pub(crate) fn receive(&mut self, octets: &[u8], chunk: usize) -> Vec<Event> {
        let mut events = Vec::new();
        for chunk in octets.chunks(chunk) {
            self.connection.handle_input(self.now, &mut chunk.to_vec());
            events.extend(std::iter::from_fn(|| self.connection.poll_event()));
        }
        events
    }

    /// Everything it has to say.
    pub(crate) fn transmit(&mut self) -> Vec<u8> {
        let mut octets = Vec::new();
        while let Transmit::Write(a, b) = self.connection.poll_transmit() {
            let written = a.len() + b.len();
            octets.extend_from_slice(a);
            octets.extend_from_slice(b);
            self.connection.handle_written(self.now, written);
        }
        octets
    }

    /// The close code it has sent.
    pub(crate) fn close_code(&mut self) -> Option<u16> {
        let sent = self.transmit();
        let (_, payload) = frames(&sent)
            .into_iter()
            .find(|(first, _)| *first == 0x88)?;
        Some(u16::from_be_bytes([payload[0], payload[1]]))
    }
}

/// A frame as `role` receives it, masked with zeros if that is the server.
pub(crate) fn frame(to: Role, first: u8, payload: &[u8]) -> Vec<u8> {
    let mask: u8 = if to == Role::Server { 0x80 } else { 0 };
    let mut octets = vec![first];
    match payload.len() {
        length @ 0..=125 => octets.push(mask | length as u8),
        length @ 126..=0xFFFF => {
            octets.push(mask | 126);
            octets.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            octets.push(mask | 127);
            octets.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    if to == Role::Server {
        octets.extend_from_slice(&[0; 4]);
    }
    octets.extend_from_slice(payload);
    octets
}

/// The frames of the wire, masked with zeros or not: the first octet of each, and its payload.
pub(crate) fn frames(mut wire: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while let [first, length, rest @ ..] = wire {
        let (octets, rest) = match length & 0x7F {
            126 => rest.split_at(2),
            127 => rest.split_at(8),
            _ => (&[length & 0x7F][..], rest),
        };
        let size = octets
            .iter()
            .fold(0, |n, octet| n << 8 | usize::from(*octet));
        let rest = &rest[if length & 0x80 == 0 { 0 } else { 4 }..];
        let (payload, rest) = rest.split_at(size);
        frames.push((*first, payload.to_vec()));
        wire = rest;
    }
    frames
}

//! A trunk, and at the other end of its connection octets written by hand.

use std::collections::BTreeMap;

use cloverleaf_mux::Mux;
use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::connection::Transmit;
use cloverleaf_proto::event::Closed;
use cloverleaf_proto::extension::Hints;
use cloverleaf_proto::handshake::{Decision, HandshakeError};
use cloverleaf_proto::trunk::{Key, News};
use cloverleaf_proto::{Config, Event, Trunk};

use crate::pair::{CLIENT, SERVER, at, config, trunks};
use crate::testing::octets;
use crate::wire;

pub(crate) const REQUEST: &str =
    "'GET /2 HTTP/1.1' CRLF 'Host: a' CRLF 'Connection: Upgrade' CRLF CRLF";
/// Its length, as a number of the format.
pub(crate) const LENGTH: &str = "31";
pub(crate) const ACCEPTED: &str =
    "39 'HTTP/1.1 101 Switching Protocols' CRLF 'Connection: Upgrade' CRLF CRLF";

pub(crate) struct Hand {
    pub(crate) trunk: Trunk,
    role: usize,
    milliseconds: u64,
    second: Option<Key>,
    /// The application sends back what it receives.
    pub(crate) echoes: bool,
    /// It answers requests at all.
    pub(crate) answers: bool,
    /// It reads at all; else it only takes the news.
    pub(crate) reads: bool,
    pub(crate) closed: BTreeMap<Key, Closed>,
    pub(crate) refused: Vec<HandshakeError>,
    pub(crate) over: Option<Closed>,
    pub(crate) received: Vec<Event>,
}

/// As pywebsocket: a quota of 8192 for 64 slots.
pub(crate) fn like_pywebsocket() -> Mux {
    Mux::new().window(8192).memory(2 << 20)
}

impl Hand {
    pub(crate) fn new(role: usize, of_it: Config) -> Self {
        let configs = [of_it.clone(), of_it];
        let ([client, server], _) = trunks(configs);
        Self {
            trunk: if role == CLIENT { client } else { server },
            role,
            milliseconds: 0,
            second: None,
            echoes: true,
            answers: true,
            reads: true,
            closed: BTreeMap::new(),
            refused: Vec::new(),
            over: None,
            received: Vec::new(),
        }
    }

    /// A server that has said its first words.
    pub(crate) fn server() -> Self {
        let mut hand = Self::new(SERVER, config(like_pywebsocket()));
        let welcome = hand.heard();
        assert_eq!(welcome, said(&["82 00 40 01 7e 20 00 80 40 7e 20 00"]));
        hand
    }

    /// A client that was given 64 slots.
    pub(crate) fn client() -> Self {
        let mut hand = Self::new(CLIENT, config(like_pywebsocket()));
        hand.say("00 40 01 7e 20 00 80 40 7e 20 00");
        hand.heard();
        hand
    }

    /// Octets arrive, just as they are.
    pub(crate) fn raw(&mut self, octets: &[u8]) {
        let mut octets = octets.to_vec();
        self.trunk.handle_input(at(self.milliseconds), &mut octets);
    }

    /// A physical message arrives.
    pub(crate) fn say(&mut self, message: &str) {
        self.say_octets(&octets(message));
    }

    pub(crate) fn say_octets(&mut self, message: &[u8]) {
        let octets = self.physical(0x82, message);
        self.raw(&octets);
    }

    /// A physical frame with this first octet.
    pub(crate) fn physical(&self, first: u8, payload: &[u8]) -> Vec<u8> {
        let masked = if self.role == SERVER { 0x80 } else { 0 };
        let mut frame = vec![first];
        match payload.len() {
            small @ 0..126 => frame.push(masked | small as u8),
            medium @ 126..0x1_0000 => {
                frame.push(masked | 126);
                frame.extend((medium as u16).to_be_bytes());
            }
            large => {
                frame.push(masked | 127);
                frame.extend((large as u64).to_be_bytes());
            }
        }
        if self.role == SERVER {
            // A key that changes nothing.
            frame.extend([0; 4]);
        }
        frame.extend_from_slice(payload);
        frame
    }

    /// The application does all it can, and what goes out is read: of each physical frame its first
    /// octet and its payload.
    pub(crate) fn heard(&mut self) -> Vec<Vec<u8>> {
        let mut heard = Vec::new();
        loop {
            self.application();
            let written = self.written();
            if written.is_empty() {
                // To have nothing more to write may be the end.
                self.application();
                return heard;
            }
            heard.extend(written);
        }
    }

    /// What goes out, whatever the application does not know yet.
    pub(crate) fn written(&mut self) -> Vec<Vec<u8>> {
        let now = at(self.milliseconds);
        let mut octets = Vec::new();
        loop {
            match self.trunk.poll_transmit() {
                Transmit::Idle => break,
                Transmit::Shutdown => self.trunk.handle_shutdown(now),
                Transmit::Write(front, back) => {
                    octets.extend_from_slice(front);
                    octets.extend_from_slice(back);
                    let written = front.len() + back.len();
                    self.trunk.handle_written(now, written);
                }
            }
        }
        let mut written = Vec::new();
        let mut rest = &octets[..];
        while let Some((first, payload, length)) = wire::frame(rest) {
            written.push([&[first], &payload[..]].concat());
            rest = &rest[length..];
        }
        assert!(rest.is_empty());
        written
    }

    /// The application does what it does: it accepts every channel and reads all.
    pub(crate) fn application(&mut self) {
        while let Some(news) = self.trunk.poll_news() {
            match news {
                News::Requested(key) if self.answers => {
                    // Gone again, perhaps.
                    let _ = self.trunk.respond(key, Decision::accept());
                }
                News::Ready(key) if self.reads => self.read(key),
                News::Refused(_, why) => self.refused.push(*why),
                News::Closed(closed) => self.over = Some(*closed),
                _ => {}
            }
        }
    }

    pub(crate) fn read(&mut self, key: Key) {
        while let Some(event) = self.trunk.poll_channel(key) {
            match event {
                Event::Message(message) if self.echoes => {
                    // It is closing, perhaps, or the client does not read.
                    let _ = self.trunk.send(key, message, Hints::new());
                }
                Event::Closed(closed) => {
                    let before = self.closed.insert(key, closed);
                    assert!(before.is_none(), "one end each");
                }
                other => self.received.push(other),
            }
        }
    }

    /// The server accepts a channel that is asked for here.
    pub(crate) fn add(&mut self, id: &str) {
        self.say(&format!("00 00 {id} {LENGTH} {REQUEST} 40 {id} 7e 20 00"));
        let heard = self.heard();
        assert_eq!(heard, said(&[&format!("82 00 20 {id} {ACCEPTED}")]));
        let last = self.trunk.channels().last().expect("it is open");
        self.second.get_or_insert(last);
    }

    /// The client asks for a channel that is accepted here. Its number is `id`.
    pub(crate) fn accept(&mut self, id: &str) -> Key {
        let request = crate::pair::request("2");
        let key = self.trunk.open(request, [1; 16]).expect("a slot");
        self.heard();
        self.say(&format!("00 20 {id} {ACCEPTED}"));
        self.heard();
        assert!(self.trunk.state(key).is_some(), "it is open");
        self.second.get_or_insert(key);
        key
    }

    /// The channel behind the first.
    pub(crate) fn second(&self) -> Key {
        self.second.expect("it was opened")
    }

    pub(crate) fn wait(&mut self, milliseconds: u64) {
        self.milliseconds += milliseconds;
        self.trunk.handle_timeout(at(self.milliseconds));
    }

    /// What is to be written is tried, and nothing goes.
    pub(crate) fn stall(&mut self) {
        self.trunk.poll_transmit();
        self.trunk.handle_written(at(self.milliseconds), 0);
    }

    pub(crate) fn eof(&mut self) {
        self.trunk.handle_eof(at(self.milliseconds));
        self.heard();
    }

    pub(crate) fn lost(&mut self) {
        self.trunk.handle_lost(at(self.milliseconds));
        self.application();
    }

    pub(crate) fn abandon(&mut self, key: Key) {
        self.trunk.abandon(key, CloseCode::NORMAL);
    }
}

/// Physical frames, each as the first octet and the payload.
pub(crate) fn said(frames: &[&str]) -> Vec<Vec<u8>> {
    frames.iter().map(|frame| octets(frame)).collect()
}

//! A carrier, what it is told, and what it wants done, as text.
//!
//! Octets are written as in the format: hexadecimal, `'text'`, and `CRLF`. An action is one line;
//! `> octets` is a message to transmit.

use cloverleaf_mux::Mux;
use cloverleaf_proto::extension::{Action, Carrier, ChannelId, Extension, Params};
use cloverleaf_proto::frame::{Head, OpCode};
use cloverleaf_proto::message::Kind;

use crate::testing::octets;

pub(crate) const TEXT: Head = Head::new(OpCode::TEXT);
pub(crate) const REST: Head = Head::new(OpCode::CONTINUATION);
pub(crate) const CLOSE: Head = Head::new(OpCode::CLOSE);

pub(crate) const REQUEST: &str = "'GET /echo HTTP/1.1' CRLF CRLF";
pub(crate) const ACCEPTED: &str =
    "'HTTP/1.1 101 Switching Protocols' CRLF 'Connection: Upgrade' CRLF CRLF";
pub(crate) const REFUSED: &str = "'HTTP/1.1 400 Bad Request' CRLF CRLF";

fn hex(octets: &[u8]) -> String {
    let words: Vec<String> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    words.join(" ")
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

pub(crate) struct Subject {
    pub(crate) carrier: Box<dyn Carrier>,
}

/// As pywebsocket: a quota of 8192 for 64 slots, and a grant behind every frame.
pub(crate) fn like_pywebsocket() -> Mux {
    Mux::new()
        .window(8192)
        .memory(2 * 1024 * 1024)
        .grant_after(0)
}

impl Subject {
    /// A server before `start`, offered this quota.
    pub(crate) fn new_server(mux: &Mux, quota: u32) -> Self {
        let offer = Params::new().value("quota", quota);
        let agreement = mux.accept(&offer).expect("an offer");
        Self {
            carrier: agreement.into_carrier().expect("a carrier"),
        }
    }

    pub(crate) fn new_client(mux: &Mux) -> Self {
        let agreement = mux.confirm(&mux.offers(), &Params::new());
        Self {
            carrier: agreement
                .expect("an answer")
                .into_carrier()
                .expect("a carrier"),
        }
    }

    /// A server behind `start`, offered a quota of 20,000.
    pub(crate) fn server() -> Self {
        Self::server_of(&like_pywebsocket(), 20_000)
    }

    pub(crate) fn server_of(mux: &Mux, quota: u32) -> Self {
        let mut subject = Self::new_server(mux, quota);
        subject.start();
        subject
    }

    /// A client that was greeted as pywebsocket greets, and opened channel 2.
    pub(crate) fn client() -> Self {
        let mut subject = Self::greeted_client(&like_pywebsocket());
        subject.open(REQUEST);
        subject.told(&format!("00 20 02 39 {ACCEPTED}"));
        subject
    }

    pub(crate) fn greeted_client(mux: &Mux) -> Self {
        let mut subject = Self::new_client(mux);
        subject.start();
        subject.told("00 40 01 7e 20 00");
        subject.told("00 80 40 7e 20 00");
        subject
    }

    pub(crate) fn start(&mut self) -> Vec<String> {
        let request = octets(
            "'GET /echo HTTP/1.1' CRLF 'Host: server.example.com' CRLF 'Upgrade: websocket' CRLF \
             'Connection: Upgrade' CRLF 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' CRLF \
             'Sec-WebSocket-Version: 13' CRLF \
             'Sec-WebSocket-Extensions: permessage-deflate, mux; quota=20000' CRLF CRLF",
        );
        let response = octets(
            "'HTTP/1.1 101 Switching Protocols' CRLF 'Upgrade: websocket' CRLF \
             'Connection: Upgrade' CRLF 'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=' CRLF \
             'Sec-WebSocket-Extensions: permessage-deflate, mux' CRLF CRLF",
        );
        self.act(|carrier, actions| carrier.start(&request, &response, actions))
    }

    /// Does something with the carrier; what it wants done, a line each.
    pub(crate) fn act(
        &mut self,
        act: impl FnOnce(&mut dyn Carrier, &mut Vec<Action>),
    ) -> Vec<String> {
        let mut actions = Vec::new();
        act(&mut *self.carrier, &mut actions);
        actions.iter().map(|action| shown(action, &[])).collect()
    }

    /// Receives a binary message; the last line is `fails` if the physical connection fails.
    pub(crate) fn told(&mut self, message: &str) -> Vec<String> {
        self.told_as(Kind::Binary, &octets(message))
    }

    pub(crate) fn told_as(&mut self, kind: Kind, message: &[u8]) -> Vec<String> {
        let mut actions = Vec::new();
        let result = self.carrier.receive(kind, message, &mut actions);
        let mut lines: Vec<String> = actions
            .iter()
            .map(|action| shown(action, message))
            .collect();
        if result.is_err() {
            lines.push("fails".to_owned());
        }
        lines
    }

    /// Receives messages of a channel and consumes them at once; only what is transmitted, and
    /// `fails`.
    pub(crate) fn replies(&mut self, message: &str) -> Vec<String> {
        let message = octets(message);
        let mut actions = Vec::new();
        let result = self.carrier.receive(Kind::Binary, &message, &mut actions);
        let mut replies = Vec::new();
        for action in actions {
            match action {
                Action::Transmit(message) => replies.push(format!("> {}", hex(&message))),
                Action::Frame { id, cost, .. } | Action::Control { id, cost, .. } => {
                    replies
                        .extend(self.act(|carrier, actions| carrier.consumed(id, cost, actions)));
                }
                _ => {}
            }
        }
        if result.is_err() {
            replies.push("fails".to_owned());
        }
        replies
    }

    /// The code that the physical connection fails with, if the last thing said was that.
    pub(crate) fn physical(&mut self, message: &str) -> Option<u16> {
        self.physical_as(Kind::Binary, &octets(message))
    }

    pub(crate) fn physical_as(&mut self, kind: Kind, message: &[u8]) -> Option<u16> {
        let mut actions = Vec::new();
        let result = self.carrier.receive(kind, message, &mut actions);
        let Some(Action::Transmit(last)) = actions.last() else {
            return None;
        };
        match last[..] {
            // A length of one octet, and what it says.
            [0x00, 0x60, 0x00, length, high, low, ..]
                if result.is_err() && last.len() == 4 + usize::from(length) =>
            {
                Some(u16::from_be_bytes([high, low]))
            }
            _ => None,
        }
    }

    pub(crate) fn open(&mut self, head: &str) -> Vec<String> {
        let head = octets(head);
        self.act(|carrier, actions| {
            carrier.open(&head, actions);
        })
    }

    pub(crate) fn answer(&mut self, id: u32, accepted: bool, head: &str) -> Vec<String> {
        let head = octets(head);
        self.act(|carrier, actions| {
            carrier.answer(ChannelId::new(id), accepted, &head, actions);
        })
    }

    /// A client asks a server for this channel, and gets it.
    pub(crate) fn add(&mut self, id: u8) {
        self.told(&format!("00 01 {id:02x} 16 {REQUEST}"));
        let accepted = self.answer(u32::from(id), true, ACCEPTED);
        assert_eq!(
            accepted,
            transmits(&[&format!("00 20 {id:02x} 39 {ACCEPTED}")])
        );
    }

    pub(crate) fn room(&self, id: u32, head: Head) -> Option<usize> {
        self.carrier.room(ChannelId::new(id), head)
    }

    /// Sends a frame; the payload of the physical message in hexadecimal.
    pub(crate) fn wrap(&mut self, id: u32, head: Head, payload: &[u8]) -> String {
        let room = self.room(id, head).expect("room for the frame");
        assert!(payload.len() <= room, "{} octets of room", room);
        let mut out = Vec::new();
        self.carrier
            .wrap(ChannelId::new(id), head, payload.len(), &mut out);
        out.extend_from_slice(payload);
        hex(&out)
    }

    pub(crate) fn consumed(&mut self, id: u32, cost: usize) -> Vec<String> {
        self.act(|carrier, actions| carrier.consumed(ChannelId::new(id), cost, actions))
    }
}

/// The lines for messages that are transmitted.
pub(crate) fn transmits(messages: &[&str]) -> Vec<String> {
    messages
        .iter()
        .map(|message| format!("> {}", hex(&octets(message))))
        .collect()
}

fn shown(action: &Action, message: &[u8]) -> String {
    match action {
        Action::Transmit(message) => format!("> {}", hex(message)),
        Action::Frame {
            id,
            head,
            payload,
            cost,
        } => {
            let payload = text(&message[payload.clone()]);
            format!("{id}: {head} '{payload}' cost {cost}")
        }
        Action::Control {
            id,
            head,
            payload,
            cost,
        } => format!("{id}: {head} '{}' cost {cost}", text(payload)),
        Action::Requested(id, head) => format!("{id}: requested {:?}", text(head)),
        Action::Answered {
            id,
            accepted,
            response_head,
        } => {
            let verb = if *accepted { "accepted" } else { "refused" };
            format!("{id}: {verb} {:?}", text(response_head))
        }
        Action::Room(id) => format!("{id}: room"),
        Action::Slots => "slots".to_owned(),
        Action::Dropped(id, dropped) => format!("{id}: dropped {:?}", dropped.code),
        other => format!("{other:?}"),
    }
}

//! The extension in its place: octets of the wire in, messages out.

use std::sync::Arc;
use std::time::Instant;

use cloverleaf_deflate::PermessageDeflate;
use cloverleaf_proto::connection::Transmit;
use cloverleaf_proto::extension::{Extensions, Hints, Negotiated, Offer, Params};
use cloverleaf_proto::frame::MaskSource;
use cloverleaf_proto::message::Kind;
use cloverleaf_proto::{Config, Connection, Event, Message, Role};

/// A mask that masks nothing, so that the wire can be read.
#[derive(Debug)]
struct ZeroKey;

impl MaskSource for ZeroKey {
    fn mask_key(&self) -> [u8; 4] {
        [0; 4]
    }
}

struct Peer {
    connection: Connection,
    now: Instant,
}

impl Peer {
    fn new(role: Role, extension: PermessageDeflate) -> Self {
        let extensions = Extensions::new().with(extension).expect("legal");
        let name = "permessage-deflate";
        let negotiated = match role {
            Role::Server => Negotiated::accept(
                &extensions,
                vec![Offer::new(
                    name,
                    Params::new().flag("client_max_window_bits"),
                )],
            ),
            Role::Client => Negotiated::confirm(&extensions, vec![Offer::new(name, Params::new())])
                .expect("legal"),
        };
        assert_eq!(negotiated.agreed().len(), 1);
        Self::with(role, extensions, negotiated)
    }

    fn with(role: Role, extensions: Extensions, negotiated: Negotiated) -> Self {
        let mut config = Config::new(Arc::new(ZeroKey));
        config.extensions = extensions;
        let now = Instant::now();
        Self {
            connection: Connection::new(role, Arc::new(config), negotiated, now),
            now,
        }
    }

    /// Octets in, `chunk` at a time; events out.
    fn receive(&mut self, octets: &[u8], chunk: usize) -> Vec<Event> {
        let mut events = Vec::new();
        for chunk in octets.chunks(chunk) {
            self.connection.handle_input(self.now, &mut chunk.to_vec());
            events.extend(std::iter::from_fn(|| self.connection.poll_event()));
        }
        events
    }

    /// Everything it has to say.
    fn transmit(&mut self) -> Vec<u8> {
        let mut octets = Vec::new();
        while let Transmit::Write(a, b) = self.connection.poll_transmit() {
            let written = a.len() + b.len();
            octets.extend_from_slice(a);
            octets.extend_from_slice(b);
            self.connection.handle_written(self.now, written);
        }
        octets
    }
}

fn server() -> Peer {
    Peer::new(Role::Server, PermessageDeflate::new())
}

/// A client's frame of at most 125 octets, masked with zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = 0x80 | payload.len() as u8;
    [&[first, length, 0, 0, 0, 0], payload].concat()
}

#[test]
fn a_ping_may_stand_inside_a_compressed_message() {
    let octets = [
        frame(0x41, &[0xF2, 0x48, 0xCD]),
        frame(0x89, b"x"),
        frame(0x80, &[0xC9, 0xC9, 0x07, 0x00]),
    ]
    .concat();
    for chunk in 1..=octets.len() {
        let mut server = server();
        let events = server.receive(&octets, chunk);
        let expected = [
            Event::Ping(b"x"[..].into()),
            Event::Message(Message::text("Hello")),
        ];
        assert_eq!(events, expected, "{chunk}");
        assert_eq!(server.transmit(), b"\x8A\x01x");
    }
}

#[test]
fn what_a_peer_does_wrong_is_answered_with_its_close_code() {
    let table: &[(&[u8], &[u8], u16)] = &[
        // RSV1 on a continuation, and on control frames.
        (
            &frame(0x41, &[0xF2, 0x48, 0xCD]),
            &frame(0xC0, &[0xC9, 0xC9, 0x07, 0x00]),
            1002,
        ),
        (&frame(0xC9, b"abc"), &[], 1002),
        (&frame(0xCA, b""), &[], 1002),
        (&frame(0xC8, &[0x03, 0xE8]), &[], 1002),
        // A bit nobody has claimed.
        (&frame(0xE1, &[0x00]), &[], 1002),
        // No DEFLATE stream; and a stream that is cut short.
        (&frame(0xC2, &[0xFF, 0xFF, 0xFF]), &[], 1007),
        (&frame(0x42, &[0x00, 0x05]), &frame(0x80, &[]), 1007),
        // A text that is not UTF-8 once it is inflated, known before it ends.
        (
            &frame(0xC1, &[0x00, 0x02, 0x00, 0xFD, 0xFF, 0xFF, 0xFE, 0x00]),
            &[],
            1007,
        ),
        (
            &frame(0x41, &[0x00, 0x02, 0x00, 0xFD, 0xFF, 0xFF, 0xFE]),
            &[],
            1007,
        ),
    ];
    for (first, second, code) in table {
        for chunk in [1, 7, 1000] {
            let mut server = server();
            let events = server.receive(&[*first, *second].concat(), chunk);
            let messages = events.iter().filter(|e| matches!(e, Event::Message(_)));
            assert_eq!(messages.count(), 0, "{first:02x?}");
            let sent = server.transmit();
            assert_eq!(sent[0], 0x88, "{first:02x?}");
            assert_eq!(sent[2..4], code.to_be_bytes(), "{first:02x?} {second:02x?}");
        }
    }
}

#[test]
fn without_an_agreement_rsv1_is_answered_with_1002() {
    let mut server = Peer::with(Role::Server, Extensions::new(), Negotiated::default());
    server.receive(&frame(0xC1, &[0x00]), 1000);
    assert_eq!(server.transmit()[2..4], 1002_u16.to_be_bytes());
}

#[test]
fn a_bomb_is_answered_with_1009() {
    let mut client = Peer::new(Role::Client, PermessageDeflate::new().level(9));
    let zeros = Message::binary(vec![0; 16 << 20]);
    client.connection.send(zeros, Hints::new()).expect("open");
    let bomb = client.transmit();
    assert!(bomb.len() < 20_000, "{}", bomb.len());
    for chunk in [1000, bomb.len()] {
        let mut server = server();
        server.receive(&bomb, chunk);
        assert_eq!(server.transmit()[2..4], 1009_u16.to_be_bytes());
    }
}

#[test]
fn messages_large_and_small_whole_and_in_parts_cross_in_both_directions() {
    let takeover = || {
        PermessageDeflate::new()
            .server_no_context_takeover(false)
            .client_no_context_takeover(false)
    };
    for config in [PermessageDeflate::new, takeover] {
        let mut peers = [
            Peer::new(Role::Client, config().threshold(0)),
            Peer::new(Role::Server, config().threshold(0)),
        ];
        let text = "to be, or not to be; ".repeat(30_000);
        let whole = ["", "a", "to be, or not to be", &text];
        for _ in 0..2 {
            peers.swap(0, 1);
            let [from, to] = &mut peers;
            for message in whole {
                let sent = from.connection.send(Message::text(message), Hints::new());
                assert_eq!(sent, Ok(()));
            }
            for (part, fin) in [("to be, ", false), ("", false), (text.as_str(), true)] {
                let part = part.to_owned().into();
                let sent = from
                    .connection
                    .send_part(Kind::Text, part, fin, Hints::new());
                assert_eq!(sent, Ok(()));
            }
            let wire = from.transmit();
            assert!(wire.len() < text.len() / 20, "{}", wire.len());
            let events = to.receive(&wire, 1000);
            let parts = format!("to be, {text}");
            let expected = whole.into_iter().chain([parts.as_str()]);
            let expected: Vec<Event> = expected.map(|m| Event::Message(Message::text(m))).collect();
            assert!(events == expected, "{} events", events.len());
        }
    }
}

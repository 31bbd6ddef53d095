//! The extension in its place: handshakes, octets of the wire, messages; and what happens where the
//! other end lacks the dictionary.

use std::sync::Arc;
use std::time::Instant;

use cloverleaf_deflate::PermessageDeflate;
use cloverleaf_dictionary::{Dictionary, ZstdDictionary};
use cloverleaf_proto::connection::Transmit;
use cloverleaf_proto::extension::{Agreed, Extension, Extensions, Hints};
use cloverleaf_proto::frame::MaskSource;
use cloverleaf_proto::handshake::{
    ClientHandshake, ClientProgress, ClientRequest, Decision, Opened, ServerHandshake,
    ServerOptions, ServerProgress,
};
use cloverleaf_proto::message::Kind;
use cloverleaf_proto::{Config, Connection, Event, Message, Role};

use crate::halves::{PLAIN_ID, plain, sample, trained};

/// A mask that masks nothing, so that the wire can be read.
#[derive(Debug)]
struct ZeroKey;

impl MaskSource for ZeroKey {
    fn mask_key(&self) -> [u8; 4] {
        [0; 4]
    }
}

fn config(extensions: Extensions) -> Arc<Config> {
    let mut config = Config::new(Arc::new(ZeroKey));
    config.extensions = extensions;
    Arc::new(config)
}

/// A dictionary in front of permessage-deflate.
fn both(dictionary: Dictionary) -> Extensions {
    only(ZstdDictionary::new([dictionary]))
        .with(PermessageDeflate::new().threshold(0))
        .expect("alternatives may stand side by side")
}

fn only(extension: impl Extension + 'static) -> Extensions {
    Extensions::new().with(extension).expect("legal")
}

struct Peer {
    connection: Connection,
    now: Instant,
}

impl Peer {
    fn new(role: Role, config: Arc<Config>, opened: Opened, now: Instant) -> Self {
        Self {
            connection: Connection::new(role, config, opened.extensions, now),
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

/// A whole opening handshake: what was agreed, and the two ends, the client first.
fn open(client: Extensions, server: Extensions) -> (Vec<Agreed>, [Peer; 2]) {
    let (client, server) = (config(client), config(server));
    let now = Instant::now();
    let request = ClientRequest::new("ws://localhost/").expect("a URL");
    let mut asking = ClientHandshake::new(request, [0; 16], Arc::clone(&client), now)
        .expect("a complete request");
    let mut answering =
        ServerHandshake::new(Arc::new(ServerOptions::default()), Arc::clone(&server), now);
    let octets = asking.poll_transmit().to_vec();
    asking.handle_written(octets.len());
    answering.handle_input(&octets);
    answering
        .respond(Decision::accept())
        .expect("it may be accepted");
    assert_eq!(answering.progress(), ServerProgress::Accepted);
    let octets = answering.poll_transmit().to_vec();
    answering.handle_written(octets.len());
    asking.handle_input(now, &octets);
    assert_eq!(asking.progress(), ClientProgress::Opened);
    let (asked, answered) = (asking.finish(), answering.finish());
    let (asked, answered) = (asked.expect("opened"), answered.expect("opened"));
    let agreed = asked.extensions.agreed().to_vec();
    assert_eq!(answered.extensions.agreed(), agreed);
    let peers = [
        Peer::new(Role::Client, client, asked, now),
        Peer::new(Role::Server, server, answered, now),
    ];
    (agreed, peers)
}

/// A message, small and yet not too small for deflate.
fn records() -> String {
    (7..10).map(sample).collect()
}

/// Which extension two ends come to, and how many octets a small message then takes.
fn comes_to(client: Extensions, server: Extensions) -> (Option<String>, usize) {
    let (agreed, mut peers) = open(client, server);
    let mut sizes = Vec::new();
    for _ in 0..2 {
        let [from, to] = &mut peers;
        let message = Message::text(records());
        from.connection
            .send(message.clone(), Hints::new())
            .expect("open");
        let wire = from.transmit();
        assert_eq!(to.receive(&wire, 3), [Event::Message(message)]);
        for statistics in from.connection.statistics() {
            sizes.push(statistics.sent.wire as usize);
            assert_eq!(statistics.sent.application as usize, records().len());
        }
        if from.connection.statistics().is_empty() {
            sizes.push(records().len());
        }
        peers.swap(0, 1);
    }
    assert_eq!(sizes[0], sizes[1], "both directions alike");
    let names = agreed.into_iter().map(|agreed| agreed.name);
    (names.reduce(|a, b| a + ", " + &b), sizes[0])
}

#[test]
fn where_the_peer_has_the_dictionary_it_is_used_and_else_deflate_and_else_nothing() {
    let deflate = || only(PermessageDeflate::new().threshold(0));
    let zstd = || only(ZstdDictionary::new([trained()]));
    let (name, with_dictionary) = comes_to(both(trained()), both(trained()));
    assert_eq!(name.as_deref(), Some("x-zstd-dictionary"));
    // The peer has another one; has none; and has nothing.
    let (name, with_deflate) = comes_to(both(trained()), both(plain()));
    assert_eq!(name.as_deref(), Some("permessage-deflate"));
    assert_eq!(
        comes_to(both(trained()), deflate()),
        (name.clone(), with_deflate)
    );
    assert_eq!(comes_to(deflate(), both(trained())), (name, with_deflate));
    let (name, with_nothing) = comes_to(both(trained()), Extensions::new());
    assert_eq!(name, None);
    // Without deflate there is nothing to fall back to, and the connection opens all the same.
    assert_eq!(comes_to(zstd(), both(plain())), (None, with_nothing));
    assert_eq!(
        comes_to(Extensions::new(), both(plain())),
        (None, with_nothing)
    );
    assert!(
        with_dictionary * 2 < with_deflate,
        "{with_dictionary} {with_deflate}"
    );
    assert!(with_deflate < with_nothing);
}

#[test]
fn the_agreement_names_the_dictionary() {
    let (agreed, _) = open(both(plain()), both(plain()));
    assert_eq!(agreed.len(), 1, "permessage-deflate wants the same bit");
    assert_eq!(agreed[0].params.to_string(), format!("; id={PLAIN_ID}"));
}

/// A client's frame of at most 125 octets, masked with zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = 0x80 | payload.len() as u8;
    [&[first, length, 0, 0, 0, 0], payload].concat()
}

#[test]
fn a_ping_may_stand_inside_a_compressed_message() {
    let octets = [
        frame(0x41, b"\x20\x05\x29"),
        frame(0x89, b"x"),
        frame(0x00, b"\x00\x00Hel"),
        frame(0x80, b"lo"),
    ]
    .concat();
    for chunk in 1..=octets.len() {
        let (_, [_, mut server]) = open(both(plain()), both(plain()));
        let expected = [
            Event::Ping(b"x"[..].into()),
            Event::Message(Message::text("Hello")),
        ];
        assert_eq!(server.receive(&octets, chunk), expected, "{chunk}");
        assert_eq!(server.transmit(), b"\x8A\x01x");
    }
}

#[test]
fn what_a_peer_does_wrong_is_answered_with_its_close_code() {
    let bomb = [&b"\x00\x38"[..], &b"\x02\x00\x10x".repeat(30)].concat();
    let bombs = [frame(0x42, &bomb), frame(0x00, &bomb[2..]).repeat(100)].concat();
    let table: &[(&[u8], u16)] = &[
        // RSV1 on a continuation, and on control frames.
        (
            &[frame(0x41, b"\x20\x05"), frame(0xC0, b"\x29")].concat(),
            1002,
        ),
        (&frame(0xC9, b"abc"), 1002),
        // A bit nobody has claimed.
        (&frame(0xE1, b"\x20"), 1002),
        (&frame(0xC2, b"\x28\x00"), 1007),
        (&frame(0xC2, b"\x20\x05\x29\x00\x00Hell"), 1007),
        (&frame(0xC2, b"\x20\x05\x29\x00\x00Hello!"), 1007),
        // No UTF-8 once it is decompressed.
        (&frame(0xC1, b"\x20\x02\x11\x00\x00\xFF\xFE"), 1007),
        (&bombs, 1009),
    ];
    for (octets, code) in table {
        for chunk in [1, 7, 1 << 20] {
            let (_, [_, mut server]) = open(both(plain()), both(plain()));
            let events = server.receive(octets, chunk);
            let messages = events.iter().filter(|e| matches!(e, Event::Message(_)));
            assert_eq!(messages.count(), 0, "{code}");
            let sent = server.transmit();
            assert_eq!(sent[0], 0x88, "{code}");
            assert_eq!(sent[2..4], code.to_be_bytes(), "{octets:02x?}");
        }
    }
}

#[test]
fn messages_large_and_small_whole_and_in_parts_cross_in_both_directions() {
    let (_, mut peers) = open(both(trained()), both(trained()));
    let text = sample(9).repeat(10_000);
    for _ in 0..2 {
        let [from, to] = &mut peers;
        for message in ["", "a", &sample(8), &text] {
            let message = Message::text(message);
            from.connection
                .send(message.clone(), Hints::new())
                .expect("open");
            assert_eq!(
                to.receive(&from.transmit(), 1000),
                [Event::Message(message)]
            );
        }
        for (part, fin) in [("to be, ", false), ("", false), (text.as_str(), true)] {
            let part = part.to_owned().into();
            from.connection
                .send_part(Kind::Text, part, fin, Hints::new())
                .expect("open");
        }
        let expected = Event::Message(Message::text("to be, ".to_owned() + &text));
        assert_eq!(to.receive(&from.transmit(), 777), [expected]);
        peers.swap(0, 1);
    }
}

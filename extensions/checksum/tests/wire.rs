//! What is on the wire, octet by octet, and what is refused.

use std::sync::Arc;
use std::time::Instant;

use cloverleaf_checksum::Checksum;
use cloverleaf_proto::connection::Transmit;
use cloverleaf_proto::extension::{Extension, Extensions, Hints, Negotiated, Offer, Params};
use cloverleaf_proto::frame::MaskSource;
use cloverleaf_proto::message::Kind;
use cloverleaf_proto::{Config, Connection, Event, Message, Role};

#[derive(Debug)]
struct NoMask;

impl MaskSource for NoMask {
    fn mask_key(&self) -> [u8; 4] {
        [0; 4]
    }
}

/// A connection on which a checksum of so many octets is agreed. It takes frames without masks.
fn connection(role: Role, octets: u32) -> Connection {
    let extensions = Extensions::new()
        .with(Checksum::new().octets(octets))
        .expect("there is one");
    let params = Params::new().value("octets", octets);
    let offers = vec![Offer::new("x-checksum", params)];
    let negotiated = match role {
        Role::Server => Negotiated::accept(&extensions, offers),
        Role::Client => Negotiated::confirm(&extensions, offers).expect("it was offered"),
    };
    assert!(negotiated.has("x-checksum"));
    let mut config = Config::new(Arc::new(NoMask));
    config.extensions = extensions;
    config.accept_unmasked = true;
    Connection::new(role, Arc::new(config), negotiated, Instant::now())
}

fn read(role: Role, octets: u32, wire: &[u8]) -> (Vec<Event>, Option<u16>) {
    let mut connection = connection(role, octets);
    connection.handle_input(Instant::now(), &mut wire.to_vec());
    let events = core::iter::from_fn(|| connection.poll_event()).collect();
    let failed = connection.closed().error;
    let code = failed.and_then(|error| error.close_code());
    (events, code.map(|code| code.number()))
}

fn written(connection: &mut Connection) -> Vec<u8> {
    match connection.poll_transmit() {
        Transmit::Write(front, back) => [front, back].concat(),
        Transmit::Idle | Transmit::Shutdown => Vec::new(),
    }
}

#[test]
fn a_server_writes_the_checksum_in_front_of_every_data_frame_and_of_no_other() {
    let mut connection = connection(Role::Server, 4);
    let hints = Hints::new();
    connection.send(Message::text("Hello"), hints).unwrap();
    connection.ping(b"Hello").unwrap();
    connection
        .send_part(Kind::Text, "Hel".into(), false, hints)
        .unwrap();
    connection
        .send_part(Kind::Text, "lo".into(), true, hints)
        .unwrap();
    let expected = [
        &b"\xA1\x09\xF7\xD1\x89\x82Hello"[..],
        b"\x89\x05Hello",
        b"\x21\x07\xDD\x46\xB7\xFBHel",
        b"\xA0\x06\x55\x9C\x4A\x9Dlo",
    ];
    assert_eq!(written(&mut connection), expected.concat());
}

#[test]
fn fewer_octets_are_the_last_ones() {
    for (octets, expected) in [
        (1, &b"\xA1\x06\x82Hello"[..]),
        (2, b"\xA1\x07\x89\x82Hello"),
        (3, b"\xA1\x08\xD1\x89\x82Hello"),
    ] {
        let mut connection = connection(Role::Server, octets);
        connection
            .send(Message::text("Hello"), Hints::new())
            .unwrap();
        assert_eq!(written(&mut connection), expected);
    }
}

#[test]
fn what_is_whole_arrives_without_its_checksum() {
    for role in [Role::Client, Role::Server] {
        for (octets, wire, text) in [
            (4, &b"\xA1\x09\xF7\xD1\x89\x82Hello"[..], "Hello"),
            (1, b"\xA1\x06\x82Hello", "Hello"),
            (4, b"\xA1\x04\0\0\0\0", ""),
            (
                4,
                b"\x21\x07\xDD\x46\xB7\xFBHel\xA0\x06\x55\x9C\x4A\x9Dlo",
                "Hello",
            ),
        ] {
            let (events, code) = read(role, octets, wire);
            assert_eq!(events, [Event::Message(Message::text(text))]);
            assert_eq!(code, None);
        }
    }
}

#[test]
fn every_single_bit_that_is_turned_over_is_noticed() {
    let wire = b"\xA1\x09\xF7\xD1\x89\x82Hello";
    for role in [Role::Client, Role::Server] {
        for bit in 0..(wire.len() - 2) * 8 {
            let mut damaged = wire.to_vec();
            damaged[2 + bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read(role, 4, &damaged), (vec![], Some(1007)), "bit {bit}");
        }
    }
}

#[test]
fn a_frame_without_a_checksum_or_too_short_for_one_fails_with_1002() {
    for role in [Role::Client, Role::Server] {
        for wire in [
            &b"\x81\x09\xF7\xD1\x89\x82Hello"[..],
            b"\xA1\x03\xF7\xD1\x89",
            b"\xA1\x00",
            b"\xA9\x00",
        ] {
            assert_eq!(read(role, 4, wire), (vec![], Some(1002)), "{wire:x?}");
        }
    }
}

#[test]
fn a_server_declines_what_is_less_than_it_wants_and_a_client_what_it_did_not_offer() {
    let octets = |n: u32| Params::new().value("octets", n);
    for wanted in 1..=4 {
        let server = Checksum::new().octets(wanted);
        for offered in 1..=4 {
            let accepted = server.accept(&octets(offered));
            assert_eq!(accepted.is_ok(), offered >= wanted);
            let answer = server.confirm(&[octets(offered)], &octets(wanted));
            assert_eq!(answer.is_ok(), offered == wanted);
        }
    }
    assert_eq!(Checksum::new().octets(0).offers(), [octets(1)]);
    assert_eq!(Checksum::default().octets(9).offers(), [octets(4)]);
}

//! Beside permessage-deflate: both orders of offer, both roles, and what cannot be.

use std::sync::Arc;
use std::time::Instant;

use cloverleaf_checksum::Checksum;
use cloverleaf_deflate::{DeflateFrame, PermessageDeflate};
use cloverleaf_proto::connection::Transmit;
use cloverleaf_proto::extension::{
    Conflict, Extensions, Hints, Negotiated, Offer, Order, Params, Refused, Why,
};
use cloverleaf_proto::frame::MaskSource;
use cloverleaf_proto::handshake::parse_extensions;
use cloverleaf_proto::{Config, Connection, Event, Message, Role};

#[derive(Debug)]
struct Key;

impl MaskSource for Key {
    fn mask_key(&self) -> [u8; 4] {
        [0x37, 0xFA, 0x21, 0x3D]
    }
}

fn deflate_first() -> Extensions {
    Extensions::new()
        .with(PermessageDeflate::new().threshold(0))
        .and_then(|all| all.with(Checksum::new()))
        .expect("names differ")
}

fn checksum_first() -> Extensions {
    Extensions::new()
        .with(Checksum::new())
        .and_then(|all| all.with(PermessageDeflate::new().threshold(0)))
        .expect("names differ")
}

/// Negotiates through the words of the header, and opens both ends.
fn open(client: &Extensions, server: &Extensions) -> ([Connection; 2], Vec<String>) {
    let offers = Negotiated::offers(client);
    let offers: Vec<String> = offers.iter().map(ToString::to_string).collect();
    let offers = parse_extensions(offers.join(", ").as_bytes()).expect("our own offers");
    let accepted = Negotiated::accept(server, offers);
    let answer = accepted.answer().expect("something is agreed");
    let answers = parse_extensions(answer.as_bytes()).expect("our own answer");
    let agreed = accepted.agreed().iter().map(|agreed| agreed.name.clone());
    let agreed = agreed.collect();
    let confirmed = Negotiated::confirm(client, answers).expect("our own server's answer");
    let connection = |role, extensions: &Extensions, negotiated| {
        let mut config = Config::new(Arc::new(Key));
        config.extensions = extensions.clone();
        config.limits.out_fragment = 50;
        Connection::new(role, Arc::new(config), negotiated, Instant::now())
    };
    let ends = [
        connection(Role::Client, client, confirmed),
        connection(Role::Server, server, accepted),
    ];
    (ends, agreed)
}

/// What `from` has to write arrives at `to`. Returns what was on the wire.
fn carry(from: &mut Connection, to: &mut Connection) -> (Vec<u8>, Vec<Event>) {
    let now = Instant::now();
    let mut wire = Vec::new();
    while let Transmit::Write(front, back) = from.poll_transmit() {
        let n = front.len() + back.len();
        wire.extend([front, back].concat());
        from.handle_written(now, n);
    }
    to.handle_input(now, &mut wire.clone());
    let events = core::iter::from_fn(|| to.poll_event()).collect();
    (wire, events)
}

fn converse([mut client, mut server]: [Connection; 2], first: u8) {
    let long = "I have said it before and I say it again. ".repeat(40);
    for text in ["Hello", "", &long, "Hello"] {
        let message = Message::text(text);
        for _ in 0..2 {
            client
                .send(message.clone(), Hints::new())
                .expect("it is open");
            let (wire, events) = carry(&mut client, &mut server);
            assert_eq!(events, [Event::Message(message.clone())]);
            if text == long {
                assert_eq!(wire[0] & 0x70, first);
            }
            server
                .send(message.clone(), Hints::new())
                .expect("it is open");
            let (_, events) = carry(&mut server, &mut client);
            assert_eq!(events, [Event::Message(message.clone())]);
        }
    }
}

#[test]
fn compressed_and_then_checked_is_agreed_and_understood_in_both_directions() {
    for server in [deflate_first(), checksum_first()] {
        let (ends, agreed) = open(&deflate_first(), &server);
        assert_eq!(agreed, ["permessage-deflate", "x-checksum"]);
        converse(ends, 0x60);
    }
}

#[test]
fn offered_the_other_way_round_the_checksum_is_agreed_alone_and_understood() {
    for server in [deflate_first(), checksum_first()] {
        let (ends, agreed) = open(&checksum_first(), &server);
        assert_eq!(agreed, ["x-checksum"]);
        converse(ends, 0x20);
    }
}

#[test]
fn a_server_that_decides_the_order_agrees_both_whichever_way_they_are_offered() {
    let server = deflate_first().order(Order::Server);
    for client in [deflate_first(), checksum_first()] {
        let (ends, agreed) = open(&client, &server);
        assert_eq!(agreed, ["permessage-deflate", "x-checksum"]);
        converse(ends, 0x60);
    }
}

#[test]
fn an_impossible_order_is_refused_with_a_reason_on_either_side() {
    let offers = Negotiated::offers(&checksum_first());
    let negotiated = Negotiated::accept(&deflate_first(), offers);
    let [skipped] = negotiated.skipped() else {
        panic!("one offer is skipped");
    };
    assert_eq!(skipped.why, Why::Conflict(Conflict::Order));
    assert_eq!(
        skipped.to_string(),
        "permessage-deflate; client_max_window_bits: may not stand behind what is agreed already"
    );
    let octets = Params::new().value("octets", 4);
    let answers = vec![
        Offer::new("x-checksum", octets),
        Offer::new("permessage-deflate", Params::new()),
    ];
    let refused = Negotiated::confirm(&checksum_first(), answers).expect_err("it cannot be");
    let name = "permessage-deflate".to_owned();
    assert_eq!(refused, Refused::Conflict(name, Conflict::Order));
}

#[test]
fn of_two_compressors_one_is_agreed_and_the_checksum_stands_behind_either() {
    let client = Extensions::new()
        .with(DeflateFrame::new())
        .and_then(|all| all.with(PermessageDeflate::new()))
        .and_then(|all| all.with(Checksum::new()))
        .expect("names differ");
    let (ends, agreed) = open(&client, &client);
    assert_eq!(agreed, ["deflate-frame", "x-checksum"]);
    // Frames of 50 octets are below its threshold, or not: what counts is that they arrive.
    let [mut client, mut server] = ends;
    let message = Message::text("Hello, hello, hello. ".repeat(100));
    client
        .send(message.clone(), Hints::new())
        .expect("it is open");
    let (_, events) = carry(&mut client, &mut server);
    assert_eq!(events, [Event::Message(message)]);
}

//! ROT13 keeps the laws of extensions, and puts on the wire what its documentation says.

use std::sync::Arc;
use std::time::Instant;

use cloverleaf_examples::rot13::Rot13;
use cloverleaf_proto::connection::Transmit;
use cloverleaf_proto::extension::{Extensions, Hints, Negotiated};
use cloverleaf_proto::frame::MaskSource;
use cloverleaf_proto::handshake::parse_extensions;
use cloverleaf_proto::{Config, Connection, Event, Message, Role};
use cloverleaf_testkit::Kit;

#[test]
fn every_shift_keeps_the_laws() {
    for shift in 1..=25 {
        Kit::new(move || Rot13(shift)).require("shift").check();
    }
}

#[test]
fn a_server_keeps_the_laws_with_a_shift_that_is_not_its_own() {
    Kit::pair(|| Rot13(3), || Rot13(13))
        .require("shift")
        .check();
}

#[test]
fn text_is_shifted_and_binary_is_not() {
    let now = Instant::now();
    let extensions = Extensions::new().with(Rot13(1)).unwrap();
    let offers = parse_extensions(b"x-rot13; shift=3").unwrap();
    let negotiated = Negotiated::accept(&extensions, offers);
    assert_eq!(negotiated.answer().as_deref(), Some("x-rot13; shift=3"));
    let config = Arc::new(Config::new(Arc::new(NoMask)));
    let mut server = Connection::new(Role::Server, config, negotiated, now);

    server.send("Hello, xyz!".into(), Hints::new()).unwrap();
    server.send(b"Hello"[..].into(), Hints::new()).unwrap();
    let mut octets = Vec::new();
    while let Transmit::Write(front, back) = server.poll_transmit() {
        let written = front.len() + back.len();
        octets.extend_from_slice(front);
        octets.extend_from_slice(back);
        server.handle_written(now, written);
    }
    assert_eq!(octets, b"\x81\x0bKhoor, abc!\x82\x05Hello");

    // Masked with zeros, in two fragments.
    let mut answer = *b"\x01\x82\0\0\0\0Kh\x80\x83\0\0\0\0oor";
    server.handle_input(now, &mut answer);
    let Some(Event::Message(message)) = server.poll_event() else {
        panic!("no message");
    };
    assert_eq!(message, Message::text("Hello"));
}

#[derive(Debug)]
struct NoMask;

impl MaskSource for NoMask {
    fn mask_key(&self) -> [u8; 4] {
        [0; 4]
    }
}

//! How one channel ends, and that it ends no other.

use cloverleaf_proto::handshake::{Decision, HandshakeError, Rejection};
use cloverleaf_proto::trunk::{Key, News, OpenError};

use crate::hand::{Hand, LENGTH, REQUEST, said};
use crate::pair::{CLIENT, SERVER, config, request};
use crate::world::World;

#[test]
fn a_refusal_with_content_reaches_the_client_and_ends_nothing_else() {
    let mux = cloverleaf_mux::Mux::new();
    let configs = [config(mux.clone()), config(mux)];
    let mut world = World::new(configs, [1 << 20; 2]);
    world.settle();
    let key = world.trunks[CLIENT].open(request("1"), [1; 16]);
    let key = key.expect("a slot");
    world.leave(CLIENT, usize::MAX);
    world.arrive(CLIENT, usize::MAX);
    world.hear(SERVER);
    let asked = world.apps[SERVER].asked[0];
    // The content looks like a field that is left out of heads.
    let content = "Upgrade: not in this way\n";
    let rejection = Rejection::not_found()
        .with_body(http::HeaderValue::from_static("text/plain"), content.into());
    let answered = world.trunks[SERVER].respond(asked, Decision::Reject(rejection));
    answered.expect("it waits");
    world.leave(SERVER, usize::MAX);
    world.arrive(SERVER, usize::MAX);
    let refused =
        core::iter::from_fn(|| world.trunks[CLIENT].poll_news()).find_map(|news| match news {
            News::Refused(refused, why) if refused == key => Some(*why),
            _ => None,
        });
    let Some(HandshakeError::Status(response)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(response.status(), 404);
    assert_eq!(response.body(), content);
    assert!(world.trunks[CLIENT].state(Key::FIRST).is_some());
    assert_eq!(world.trunks[CLIENT].slots(), Some(64));
}

#[test]
fn a_request_over_16_kib_is_too_large_and_takes_no_slot() {
    let mut client = Hand::client();
    let long = |octets| {
        let value = http::HeaderValue::try_from("x".repeat(octets)).expect("letters");
        let request = request("2").header(http::HeaderName::from_static("x-long"), value);
        request.expect("it may be there")
    };
    let opened = client.trunk.open(long(16_400), [1; 16]);
    assert!(matches!(opened, Err(OpenError::TooLarge)), "{opened:?}");
    assert_eq!(client.trunk.slots(), Some(64));
    assert_eq!(client.heard(), said(&[]));
    client.trunk.open(long(16_000), [1; 16]).expect("it fits");
    assert_eq!(client.trunk.slots(), Some(63));
}

#[test]
fn to_leave_a_channel_that_is_over_does_not_end_the_next_one_of_its_number() {
    let mut server = Hand::server();
    server.add("02");
    let first = server.trunk.channels().last().expect("it is open");
    server.say("02 81 'Hello'");
    server.say("00 60 02 00");
    // Nobody has read it yet, and its number is used again.
    server.trunk.poll_news();
    server.say(&format!("00 00 02 {LENGTH} {REQUEST} 40 02 7e 20 00"));
    server.abandon(first);
    let heard = server.heard();
    assert_eq!(heard.len(), 3, "{heard:02x?}");
    server.say("02 81 'Hello'");
    assert_eq!(server.heard(), said(&["82 02 81 'Hello'"]));
}

#[test]
fn the_slot_of_a_closed_channel_comes_back_behind_its_close_frame() {
    let mut server = Hand::server();
    server.add("02");
    server.say("02 88 03 e8");
    server.application();
    // From here on, nobody asks for anything but octets.
    server.echoes = false;
    let close = said(&["82 02 88 03 e8", "82 00 80 01 7e 20 00"]);
    assert_eq!(server.written(), close);
}

#[test]
fn the_memory_of_a_channel_that_is_gone_is_there_for_the_next() {
    let mut server = Hand::new(SERVER, config(cloverleaf_mux::Mux::new()));
    server.echoes = false;
    server.heard();
    for n in 0..60 {
        server.say(&format!("00 00 02 {LENGTH} {REQUEST} 40 02 7e 20 00"));
        server.heard();
        let key = server.trunk.channels().last().expect("it is open");
        // All that it may be sent at first: it grows to its window.
        server.say_octets(&[&[2, 0x82][..], &[7; 8064]].concat());
        let grant = said(&["82 00 40 02 7f 00 00 00 00 00 01 00 00"]);
        assert_eq!(server.heard(), grant, "{n}");
        match n % 3 {
            0 => server.say("00 60 02 00"),
            1 => server.say("02 88 03 e8"),
            _ => {
                // A ping of 126 octets: the server ends it.
                server.say_octets(&[&[2, 0x89][..], &[7; 126]].concat());
            }
        }
        server.heard();
        assert!(server.closed.contains_key(&key), "{n}");
        if n % 30 == 29 {
            server.wait(10_000);
            server.heard();
        }
    }
}

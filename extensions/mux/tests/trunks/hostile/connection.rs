//! What leaves the rest in doubt ends the connection: a DropChannel for channel 0 with a code, a close
//! frame with 1011, and the end of every channel.

use allocation_counter::measure;
use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::error::ConnectionError;
use cloverleaf_proto::trunk::Key;

use crate::hand::{ACCEPTED, Hand, LENGTH, REQUEST};
use crate::testing::octets;

/// A server with channels 1 and 2.
fn server() -> Hand {
    let mut server = Hand::server();
    server.add("02");
    server
}

/// A client with channels 1 and 2, that has asked for 3.
fn client() -> Hand {
    let mut client = Hand::client();
    client.accept("02");
    let asked = client.trunk.open(crate::pair::request("3"), [1; 16]);
    asked.expect("a slot");
    client.heard();
    client
}

/// The connection ends with this code behind these frames, `first octet: payload` each.
fn ends_with(mut hand: Hand, frames: &[(u8, &str)], code: u16, what: &str) {
    for (first, payload) in frames {
        let frame = hand.physical(*first, &octets(payload));
        hand.raw(&frame);
    }
    let mut heard = hand.heard();
    let close = heard.pop().expect("a close frame");
    assert_eq!(close[..3], octets("88 03 f3"), "{what}");
    let drop = heard.pop().expect("a DropChannel");
    let [high, low] = code.to_be_bytes();
    assert_eq!(drop[..4], octets("82 00 60 00"), "{what}: {drop:02x?}");
    assert_eq!(drop[5..7], [high, low], "{what}: {drop:02x?}");
    assert_eq!(usize::from(drop[4]), drop.len() - 5, "{what}");
    // Nothing that comes now counts.
    hand.say("01 81 'Hello'");
    assert!(hand.heard().is_empty(), "{what}");
    hand.eof();
    let over = hand.over.as_ref().expect("it is over");
    assert!(
        matches!(over.error, None | Some(ConnectionError::Lost)),
        "{over:?}"
    );
    for key in [Key::FIRST, hand.second()] {
        let closed = &hand.closed[&key];
        assert_eq!(closed.code, CloseCode::ABNORMAL, "{what}");
        assert!(!closed.clean && closed.error.is_some(), "{what}");
    }
    assert_eq!(hand.trunk.channels().count(), 0, "{what}");
    assert!(hand.trunk.is_done(), "{what}");
}

/// A name, the physical frames, and the code.
type Mistake<'a> = (&'a str, &'a [(u8, &'a str)], u16);

/// What is wrong to either end.
const BOTH: &[Mistake<'_>] = &[
    ("an empty message", &[(0x82, "")], 2002),
    ("1 octet of an id of 2", &[(0x82, "80")], 2002),
    ("1 octet of an id of 3", &[(0x82, "c0")], 2002),
    ("2 octets of an id of 3", &[(0x82, "c0 40")], 2002),
    ("1 octet of an id of 4", &[(0x82, "e0")], 2002),
    ("2 octets of an id of 4", &[(0x82, "e0 20")], 2002),
    ("3 octets of an id of 4", &[(0x82, "e0 20 00")], 2002),
    ("an id of 2 that is too long", &[(0x82, "80 02 81")], 2002),
    (
        "an id of 3 that is too long",
        &[(0x82, "c0 00 02 81")],
        2002,
    ),
    (
        "an id of 4 that is too long",
        &[(0x82, "e0 00 00 02 81")],
        2002,
    ),
    ("no frame behind an id of 1", &[(0x82, "02")], 2003),
    ("no frame behind an id of 2", &[(0x82, "81 2c")], 2003),
    ("no frame behind an id of 3", &[(0x82, "c0 40 00")], 2003),
    ("no frame behind an id of 4", &[(0x82, "e0 20 00 00")], 2003),
    ("in pieces, no frame", &[(0x02, "81"), (0x80, "2c")], 2003),
    ("text", &[(0x81, "02 01 'Hello'")], 2001),
    (
        "text in pieces",
        &[(0x01, "02 01"), (0x80, "'Hello'")],
        2001,
    ),
    ("opcode 5", &[(0x82, "00 a0")], 2004),
    ("opcode 6", &[(0x82, "00 c0")], 2004),
    ("opcode 7", &[(0x82, "00 e0")], 2004),
    (
        "a reserved bit of FlowControl",
        &[(0x82, "00 41 02 01")],
        2005,
    ),
    (
        "a reserved bit of DropChannel",
        &[(0x82, "00 61 02 00")],
        2005,
    ),
    (
        "a number with its top bit set",
        &[(0x82, "00 40 02 80")],
        2005,
    ),
    (
        "a number that is too long",
        &[(0x82, "00 40 02 7e 00 7d")],
        2005,
    ),
    (
        "a number of 2^63",
        &[(0x82, "00 40 02 7f 80 00 00 00 00 00 00 00")],
        2005,
    ),
    (
        "a number that is cut off",
        &[(0x82, "00 40 02 7e 20")],
        2005,
    ),
    ("no number at all", &[(0x82, "00 40 02")], 2005),
    ("a reason of one octet", &[(0x82, "00 60 02 01 03")], 2005),
    (
        "a reason that is cut off",
        &[(0x82, "00 60 02 05 03 e8")],
        2005,
    ),
    (
        "a reason of 2^40 octets",
        &[(0x82, "00 60 02 7f 00 00 01 00 00 00 00 00 03 e8")],
        2005,
    ),
    ("no block at all", &[(0x82, "00")], 2005),
    (
        "a bad block behind a good one",
        &[(0x82, "00 40 02 01 a0")],
        2004,
    ),
];

#[test]
fn what_is_wrong_to_both_ends() {
    for (what, frames, code) in BOTH {
        ends_with(server(), frames, *code, what);
        ends_with(client(), frames, *code, what);
    }
}

#[test]
fn what_is_wrong_to_a_server() {
    let request = format!("{LENGTH} {REQUEST}");
    for (what, message, code) in [
        (
            "a request with a reserved bit",
            format!("00 04 03 {request}"),
            2005,
        ),
        (
            "a request that is cut off",
            format!("00 00 03 32 {REQUEST}"),
            2005,
        ),
        (
            "a request of 2^62 octets",
            format!("00 00 03 7f 40 00 00 00 00 00 00 00 {REQUEST}"),
            2005,
        ),
        ("a response", format!("00 20 02 {ACCEPTED}"), 2005),
        ("slots", "00 80 01 02".to_owned(), 2005),
        (
            "a request for channel 0",
            format!("00 00 00 {request}"),
            2006,
        ),
        (
            "a request for channel 1",
            format!("00 00 01 {request}"),
            2006,
        ),
        (
            "a request for a channel that is open",
            format!("00 00 02 {request}"),
            2006,
        ),
        (
            "a request in encoding 2",
            format!("00 02 03 {request}"),
            2010,
        ),
        (
            "a request in encoding 3",
            format!("00 03 03 {request}"),
            2010,
        ),
    ] {
        ends_with(server(), &[(0x82, &message)], code, what);
    }
    // One over 16 KiB.
    let long = "x".repeat(16_385 - 49 - 5);
    let head = REQUEST.replace("CRLF CRLF", &format!("CRLF 'a: {long}' CRLF CRLF"));
    let message = format!("00 00 03 7e 40 01 {head}");
    ends_with(
        server(),
        &[(0x82, &message)],
        2009,
        "a request of 16,385 octets",
    );
    let mut full = server();
    for id in 3..=65 {
        full.add(&format!("{id:02x}"));
    }
    let message = format!("00 00 42 {request}");
    ends_with(full, &[(0x82, &message)], 2007, "a request without a slot");
}

#[test]
fn what_is_wrong_to_a_client() {
    let most = "7f 7f ff ff ff ff ff ff ff";
    for (what, message, code) in [
        (
            "a response with a reserved bit",
            format!("00 24 03 {ACCEPTED}"),
            2005,
        ),
        (
            "a response that is cut off",
            "00 20 03 39 'HTTP/1.1 101'".to_owned(),
            2005,
        ),
        ("a request", format!("00 00 05 {LENGTH} {REQUEST}"), 2005),
        ("slots with a reserved bit", "00 82 01 02".to_owned(), 2005),
        (
            "a fallback that gives slots",
            "00 81 01 02".to_owned(),
            2005,
        ),
        (
            "more slots than can be counted",
            format!("00 80 {most} 01"),
            2008,
        ),
        (
            "a response in encoding 2",
            format!("00 22 03 {ACCEPTED}"),
            2012,
        ),
        (
            "a response in encoding 3",
            format!("00 23 03 {ACCEPTED}"),
            2012,
        ),
        (
            "a response that nobody asked for",
            format!("00 20 04 {ACCEPTED}"),
            2011,
        ),
        (
            "a response that cannot be read",
            "00 20 03 05 'HTTP/'".to_owned(),
            2011,
        ),
    ] {
        ends_with(client(), &[(0x82, &message)], code, what);
    }
    let kinds: Vec<String> = (1..=64).map(|kind| format!("80 01 {kind:02x}")).collect();
    let message = format!("00 {}", kinds.join(" "));
    ends_with(client(), &[(0x82, &message)], 2008, "65 kinds of slots");
    let long = "x".repeat(16_384);
    let message = format!("00 20 03 7e 40 1d 'HTTP/1.1 101' CRLF 'a: {long}' CRLF");
    let length = octets(&message).len() - 6;
    let message = message.replace(
        "40 1d",
        &format!("{:02x} {:02x}", length >> 8, length & 0xff),
    );
    ends_with(
        client(),
        &[(0x82, &message)],
        2011,
        "a response over 16 KiB",
    );
}

#[test]
fn what_breaks_rfc_6455_on_the_connection_itself_ends_all_channels_without_a_code_of_ours() {
    for (what, first, payload, close) in [
        ("a continuation of nothing", 0x80, "02 81", "88 03 ea"),
        ("a reserved bit", 0xc2, "02 81", "88 03 ea"),
        ("a reserved opcode", 0x83, "02 81", "88 03 ea"),
        ("a ping in pieces", 0x09, "", "88 03 ea"),
        ("a close code that may not be", 0x88, "03 ee", "88 03 ea"),
    ] {
        for mut hand in [server(), client()] {
            let frame = hand.physical(first, &octets(payload));
            hand.raw(&frame);
            let heard = hand.heard();
            assert_eq!(heard.len(), 1, "{what}: {heard:02x?}");
            assert_eq!(heard[0][..3], octets(close), "{what}");
            hand.eof();
            assert_eq!(hand.closed.len(), 2, "{what}");
            assert!(hand.trunk.is_done(), "{what}");
        }
    }
    // A message larger than any that is allowed is refused at its head, with 1009.
    for mut hand in [server(), client()] {
        let masked = hand.physical(0x82, b"")[1];
        hand.raw(&[0x82, masked | 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(hand.heard()[0][..3], octets("88 03 f1"));
    }
}

#[test]
fn a_peer_that_fails_the_connection_ends_all_and_is_not_answered_with_a_drop() {
    for message in [
        "00 60 00 00",
        "00 60 00 02 07 d0",
        "00 60 00 04 07 d0 ff fe",
    ] {
        for mut hand in [server(), client()] {
            hand.say(message);
            let heard = hand.heard();
            assert_eq!(heard.len(), 1, "{heard:02x?}");
            assert_eq!(heard[0][..3], octets("88 03 f3"));
            hand.eof();
            assert_eq!(hand.closed.len(), 2);
        }
    }
}

/// With `so many` channels beside the first.
fn with_channels(count: u8) -> (Hand, Hand) {
    let (mut server, mut client) = (Hand::server(), Hand::client());
    for id in 2..=count + 1 {
        server.add(&format!("{id:02x}"));
        client.accept(&format!("{id:02x}"));
    }
    (server, client)
}

#[test]
fn a_reset_ends_64_channels_with_1006_each() {
    for mut hand in <[Hand; 2]>::from(with_channels(64)) {
        hand.lost();
        assert_eq!(hand.closed.len(), 65);
        for closed in hand.closed.values() {
            assert_eq!(closed.code, CloseCode::ABNORMAL);
            assert_eq!(closed.error, Some(ConnectionError::Lost));
        }
        assert!(hand.over.is_some() && hand.trunk.is_done());
        assert_eq!(hand.trunk.channels().count(), 0);
    }
}

#[test]
fn behind_a_reset_with_64_channels_full_of_what_nobody_read_no_octet_is_left() {
    let life = || {
        for mut hand in <[Hand; 2]>::from(with_channels(64)) {
            let live = measure(|| {
                for id in 1..=65 {
                    hand.say_octets(&[&[id, 0x82][..], &[7; 4000]].concat());
                    // Half a message, and half a ping.
                    hand.say_octets(&[id, 0x02, 7, 7, 7]);
                    hand.say_octets(&[id, 0x09, 7, 7, 7]);
                }
            });
            assert!(live.bytes_current > 65 * 4000);
            let freed = measure(|| {
                hand.echoes = false;
                hand.lost();
                hand.received.clear();
            });
            assert!(freed.bytes_current < -65 * 4000, "{freed:?}");
            assert_eq!(hand.trunk.channels().count(), 0);
        }
    };
    life();
    let counted = measure(life);
    assert_eq!((counted.bytes_current, counted.count_current), (0, 0));
}

#[test]
fn a_close_frame_of_the_connection_ends_64_channels_and_only_the_connection_has_its_code() {
    for mut hand in <[Hand; 2]>::from(with_channels(64)) {
        let close = hand.physical(0x88, &octets("03 e9 'bye'"));
        hand.raw(&close);
        assert_eq!(hand.heard(), [octets("88 03 e9")]);
        hand.eof();
        assert_eq!(hand.closed.len(), 65);
        for closed in hand.closed.values() {
            assert_eq!(closed.code, CloseCode::ABNORMAL);
            assert!(!closed.clean);
        }
        let over = hand.over.expect("it is over");
        assert_eq!((over.code, over.clean), (CloseCode::GOING_AWAY, true));
    }
}

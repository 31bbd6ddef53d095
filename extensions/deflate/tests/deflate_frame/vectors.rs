//! Octets whose meaning is known: computed, and captured from Chrome 20 and pywebsocket.

use cloverleaf_deflate::DeflateFrame;
use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::{Event, Message, Role};

use crate::halves::with_takeover;
use crate::peer::{Peer, frame, frames};
use crate::walker::{Invalid, Walker};

fn hex(text: &str) -> Vec<u8> {
    let octets = text.split_whitespace();
    octets
        .map(|octet| u8::from_str_radix(octet, 16).expect("hexadecimal"))
        .collect()
}

/// Frames of one connection as a server sends them, and the texts they are.
const FROM_A_SERVER: &[(&[&str], &[&str])] = &[
    // One window through three messages.
    (
        &[
            "c1 07 f2 48 cd c9 c9 07 00",
            "c1 05 f2 00 11 00 00",
            "c1 04 02 13 00 00",
        ],
        &["Hello", "Hello", "Hello"],
    ),
    // Without a reference to what came before.
    (&["c1 07 0a c9 48 2d 4a 05 00"], &["There"]),
    (
        &["c1 07 f2 48 cd c9 c9 07 00", "c1 07 0a cf 2f ca 49 01 00"],
        &["Hello", "World"],
    ),
    (
        &[
            "c1 07 2a c9 cc 4d b5 02 00",
            "c1 05 2a 01 11 00 00",
            "c1 04 02 13 00 00",
        ],
        &["time:", "time:", "time:"],
    ),
    // Empty, compressed.
    (&["c1 01 00"], &[""]),
    // Stored; with BFINAL, the octet behind it, and without that octet; empty with BFINAL; two
    // blocks. Each on its own, and all of them on one connection.
    (&["c1 0b 00 05 00 fa ff 48 65 6c 6c 6f 00"], &["Hello"]),
    (&["c1 08 f3 48 cd c9 c9 07 00 00"], &["Hello"]),
    (&["c1 07 f3 48 cd c9 c9 07 00"], &["Hello"]),
    (
        &["c1 0c 0b 4f 4d 0a ce 4f ce 4e 2d 01 00 00"],
        &["WebSocket"],
    ),
    (&["c1 03 03 00 00"], &[""]),
    (
        &["c1 0d f2 48 05 00 00 00 ff ff ca c9 c9 07 00"],
        &["Hello"],
    ),
    (
        &[
            "c1 0b 00 05 00 fa ff 48 65 6c 6c 6f 00",
            "c1 08 f3 48 cd c9 c9 07 00 00",
            "c1 07 f3 48 cd c9 c9 07 00",
            "c1 0c 0b 4f 4d 0a ce 4f ce 4e 2d 01 00 00",
            "c1 03 03 00 00",
            "c1 0d f2 48 05 00 00 00 ff ff ca c9 c9 07 00",
        ],
        &["Hello", "Hello", "Hello", "WebSocket", "", "Hello"],
    ),
    // Fragments: both compressed, and RSV1 on the continuation too; the first one alone; the second
    // one alone, which refers to nothing in the first.
    (
        &[
            "41 09 f2 48 cd c9 c9 d7 51 00 00",
            "c0 08 2a cf 2f ca 49 51 04 00",
        ],
        &["Hello, world!"],
    ),
    (
        &[
            "41 09 f2 48 cd c9 c9 d7 51 00 00",
            "80 06 77 6f 72 6c 64 21",
        ],
        &["Hello, world!"],
    ),
    (
        &[
            "01 07 48 65 6c 6c 6f 2c 20",
            "c0 08 2a cf 2f ca 49 51 04 00",
        ],
        &["Hello, world!"],
    ),
    (
        &["c1 0f 2a 2e 49 4c ce ce 2f 4b 2d 4a cb c9 2f 07 00"],
        &["stackoverflow"],
    ),
    // Two empty messages behind one that is not.
    (
        &["c1 07 f2 48 cd c9 c9 07 00", "c1 01 00", "c1 01 00"],
        &["Hello", "", ""],
    ),
    // An uncompressed message is in nobody's way and in no window.
    (
        &[
            "c1 07 f2 48 cd c9 c9 07 00",
            "81 05 48 65 6c 6c 6f",
            "c1 05 f2 00 11 00 00",
        ],
        &["Hello", "Hello", "Hello"],
    ),
    // No octets at all, which no compressor makes: the inflater does not hear of it.
    (
        &[
            "c1 00",
            "c1 07 f2 48 cd c9 c9 07 00",
            "c1 00",
            "c1 05 f2 00 11 00 00",
        ],
        &["", "Hello", "", "Hello"],
    ),
    // A character whose octets are in two frames.
    (
        &["41 07 00 01 00 fe ff c3 00", "c0 07 00 01 00 fe ff a9 00"],
        &["é"],
    ),
];

/// The same as a client sends them, masked.
const FROM_A_CLIENT: &[(&[&str], &[&str])] = &[
    (&["c1 87 00 00 00 00 f2 48 cd c9 c9 07 00"], &["Hello"]),
    (&["c1 87 37 fa 21 3d c5 b2 ec f4 fe fd 21"], &["Hello"]),
    // Chrome 20.
    (&["c1 87 83 2b 5c 11 71 63 91 d8 4a 2c 5c"], &["Hello"]),
    (&["c1 87 ca 4d ef 7f 00 81 a4 b4 7d 4f ef"], &["info:"]),
    (
        &[
            "c1 87 7b 19 71 db 89 51 bc 12 b2 1e 71",
            "c1 87 59 ed c8 f4 53 24 80 d9 13 e8 c8",
        ],
        &["Hello", "There"],
    ),
    (
        &[
            "c1 87 82 46 74 24 a8 8f b8 69 37 44 74",
            "c1 85 3c fd a1 7f 16 fc b0 7f 3c",
        ],
        &["time:", "time:"],
    ),
    // pywebsocket's client.
    (
        &[
            "c1 87 6b 10 01 04 41 d9 cd 49 de 12 01",
            "c1 85 2a e3 ff 01 00 e2 ee 01 2a",
            "c1 84 35 55 8c aa 37 46 8c aa",
        ],
        &["time:", "time:", "time:"],
    ),
    (
        &[
            "c1 87 00 00 00 00 f2 48 cd c9 c9 07 00",
            "c1 87 00 00 00 00 0a c9 48 2d 4a 05 00",
        ],
        &["Hello", "There"],
    ),
];

fn assert_texts(role: Role, octets: &[u8], texts: &[&str]) {
    let expected: Vec<Event> = texts
        .iter()
        .map(|text| Event::Message(Message::text(*text)))
        .collect();
    for chunk in 1..=octets.len() {
        let mut peer = Peer::new(role, DeflateFrame::new());
        let events = peer.receive(octets, chunk);
        assert_eq!(events, expected, "{role:?} {octets:02x?} by {chunk}");
        assert_eq!(peer.transmit(), b"", "nothing to complain about");
    }
}

#[test]
fn a_client_understands_what_servers_send_under_every_chunking() {
    for (wire, texts) in FROM_A_SERVER {
        assert_texts(Role::Client, &hex(&wire.join(" ")), texts);
    }
}

#[test]
fn a_server_understands_the_same_from_a_client() {
    for (wire, texts) in FROM_A_SERVER {
        let masked: Vec<Vec<u8>> = frames(&hex(&wire.join(" ")))
            .into_iter()
            .map(|(first, payload)| frame(Role::Server, first, &payload))
            .collect();
        assert_texts(Role::Server, &masked.concat(), texts);
    }
}

#[test]
fn a_server_understands_what_clients_have_sent_in_life() {
    for (wire, texts) in FROM_A_CLIENT {
        assert_texts(Role::Server, &hex(&wire.join(" ")), texts);
    }
}

/// What is no DEFLATE stream, or only the beginning of one.
const INVALID: &[&str] = &[
    // Block type 3.
    "ff ff ff",
    "07",
    // Stored, and the two lengths disagree.
    "01 05 00 00 00 48 65 6c 6c 6f",
    // A reference to what never was.
    "f2 00 11 00 00",
    // Cut short inside a block: the tail happens to spell "h" and half a stored block.
    "f2 48 cd c9",
    // The first frame of a message that was compressed before it was cut.
    "f2 48 cd",
    // The tail, which should have been removed.
    "f2 48 cd c9 c9 07 00 00 00 ff ff",
];

#[test]
fn a_frame_that_is_no_deflate_stream_fails_with_1007_in_both_roles() {
    for wire in INVALID {
        let payload = hex(wire);
        assert_eq!(Walker::default().message(&payload), Err(Invalid), "{wire}");
        for takeover in [false, true] {
            let failure = with_takeover(takeover).inflate(&payload);
            let failure = failure.expect_err("invalid");
            assert_eq!(failure.close_code(), CloseCode::INVALID_PAYLOAD, "{wire}");
        }
        for role in [Role::Client, Role::Server] {
            for first in [0xC1, 0x41] {
                let octets = frame(role, first, &payload);
                for chunk in [1, octets.len()] {
                    let mut peer = Peer::new(role, DeflateFrame::new());
                    peer.receive(&octets, chunk);
                    assert_eq!(peer.close_code(), Some(1007), "{role:?} {wire}");
                }
            }
        }
    }
}

#[test]
fn nothing_may_refer_to_what_stood_before_a_final_block() {
    for last in ["f3 48 cd c9 c9 07 00 00", "f3 48 cd c9 c9 07 00"] {
        let octets = [
            frame(Role::Server, 0xC1, &hex(last)),
            frame(Role::Server, 0xC1, &hex("f2 00 11 00 00")),
        ]
        .concat();
        let mut server = Peer::new(Role::Server, DeflateFrame::new());
        let events = server.receive(&octets, octets.len());
        assert_eq!(events[0], Event::Message(Message::text("Hello")));
        assert_eq!(server.close_code(), Some(1007));
    }
}

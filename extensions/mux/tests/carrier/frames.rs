//! Frames of channels as they stand in physical messages (sections 16 and 17 of the format).

use cloverleaf_proto::extension::{Action, ChannelId};
use cloverleaf_proto::frame::{Head, OpCode, Rsv};
use cloverleaf_proto::message::Kind;

use crate::harness::{CLOSE, REST, Subject, TEXT};
use crate::testing::octets;

const PING: Head = Head::new(OpCode::PING);
const PONG: Head = Head::new(OpCode::PONG);
const BINARY: Head = Head::new(OpCode::BINARY);

const OPEN_TEXT: Head = TEXT.with_fin(false);
const OPEN_PING: Head = PING.with_fin(false);
const COMPRESSED: Head = TEXT.with_rsv(Rsv::RSV1);

/// In the order of the wire, so that fragments fit.
const FRAMES: &[(&str, u32, Head, &str)] = &[
    ("01 81 'Hello world'", 1, TEXT, "'Hello world'"),
    ("01 81 48 65 6c 6c 6f", 1, TEXT, "'Hello'"),
    ("02 81 'Hello'", 2, TEXT, "'Hello'"),
    ("01 01 'Hello'", 1, OPEN_TEXT, "'Hello'"),
    ("02 81 'bye'", 2, TEXT, "'bye'"),
    ("01 80 ' world'", 1, REST, "' world'"),
    ("02 01 48 65", 2, OPEN_TEXT, "'He'"),
    ("02 80 6c 6c 6f", 2, REST, "'llo'"),
    (
        "02 c1 f2 48 cd c9 c9 07 00",
        2,
        COMPRESSED,
        "f2 48 cd c9 c9 07 00",
    ),
    ("81 2c 82 01 02", 300, BINARY, "01 02"),
    ("02 81", 2, TEXT, ""),
    ("02 89 50 69 6e 67 21", 2, PING, "'Ping!'"),
    ("02 8a 50 69 6e 67 21", 2, PONG, "'Ping!'"),
    ("02 88 03 e8", 2, CLOSE, "03 e8"),
    ("02 88", 2, CLOSE, ""),
];

fn server_with_2_and_300() -> Subject {
    let mut server = Subject::server();
    for id in ["02", "81 2c"] {
        server.told(&format!(
            "00 01 {id} 16 'GET /echo HTTP/1.1' CRLF CRLF 40 {id} 7e ff ff"
        ));
    }
    server.answer(2, true, "");
    server.answer(300, true, "");
    server
}

#[test]
fn a_frame_that_is_sent_has_the_octets_of_the_format() {
    let mut server = server_with_2_and_300();
    for (wire, id, head, payload) in FRAMES {
        let mut out = Vec::new();
        let id = ChannelId::new(*id);
        let payload = octets(payload);
        server.carrier.wrap(id, *head, payload.len(), &mut out);
        out.extend_from_slice(&payload);
        assert_eq!(out, octets(wire), "{wire}");
    }
}

#[test]
fn a_frame_that_comes_is_what_was_sent_and_its_payload_is_not_copied() {
    let mut server = server_with_2_and_300();
    for (wire, id, head, payload) in FRAMES {
        let message = octets(wire);
        let payload = octets(payload);
        let mut actions = Vec::new();
        let result = server.carrier.receive(Kind::Binary, &message, &mut actions);
        assert_eq!(result, Ok(()));
        let begins = usize::from(head.opcode != OpCode::CONTINUATION);
        let expected = Action::Frame {
            id: ChannelId::new(*id),
            head: *head,
            payload: message.len() - payload.len()..message.len(),
            cost: payload.len() + begins,
        };
        assert_eq!(actions, [expected], "{wire}");
    }
}

#[test]
fn a_ping_in_pieces_inside_a_message_in_pieces() {
    let mut server = server_with_2_and_300();
    for (wire, expected) in [
        (
            "02 01 48 65 6c 6c 6f 20",
            &["channel 2: Text 'Hello ' cost 7"][..],
        ),
        ("02 09 50 69", &[]),
        ("02 80 6e 67 21", &["channel 2: Ping fin 'Ping!' cost 6"]),
        (
            "02 80 57 6f 72 6c 64 21",
            &["channel 2: Continuation fin 'World!' cost 6"],
        ),
    ] {
        assert_eq!(server.told(wire), expected, "{wire}");
    }
    // The same the other way.
    let sent = [
        (OPEN_TEXT, "'Hello '", "02 01 48 65 6c 6c 6f 20"),
        (OPEN_PING, "'Pi'", "02 09 50 69"),
        (REST, "'ng!'", "02 80 6e 67 21"),
        (REST, "'World!'", "02 80 57 6f 72 6c 64 21"),
    ];
    for (head, payload, expected) in sent {
        assert_eq!(server.wrap(2, head, &octets(payload)), expected);
    }
}

#[test]
fn every_head_goes_through_unchanged() {
    for octet in 0..=255_u8 {
        let mut server = server_with_2_and_300();
        if octet & 0x0f == 0 {
            server.told("02 01");
        }
        let message = [2, octet, b'x'];
        let mut actions = Vec::new();
        let result = server.carrier.receive(Kind::Binary, &message, &mut actions);
        assert_eq!(result, Ok(()));
        let head = match actions.as_slice() {
            [Action::Frame { head, .. }] => *head,
            // The beginning of a control frame is kept: bits and all, until its end.
            [] => {
                actions.clear();
                let result = server
                    .carrier
                    .receive(Kind::Binary, &[2, 0x80], &mut actions);
                assert_eq!(result, Ok(()));
                match actions.as_slice() {
                    [Action::Control { head, payload, .. }] => {
                        assert_eq!(payload, &b"x"[..]);
                        head.with_fin(false)
                    }
                    other => panic!("{octet:02x}: {other:?}"),
                }
            }
            other => panic!("{octet:02x}: {other:?}"),
        };
        let mut out = Vec::new();
        server.carrier.wrap(ChannelId::new(2), head, 1, &mut out);
        out.push(b'x');
        assert_eq!(out, message, "{octet:02x}");
    }
}

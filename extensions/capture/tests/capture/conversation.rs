//! What stands in the file of a connection.

use cloverleaf_capture::Options;
use cloverleaf_deflate::PermessageDeflate;
use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::extension::{Direction, Extensions, Hints, Tap, View};
use cloverleaf_proto::frame::{Head, OpCode};
use cloverleaf_proto::{Message, Role};

use crate::reader::{Frame, read};
use crate::{BEGIN, Pair, alone, capture};

pub(crate) const ROLES: [Role; 2] = [Role::Client, Role::Server];
const SYN: u8 = 2;
const ACK: u8 = 0x10;
const FIN: u8 = 1;
const RST: u8 = 4;

fn frame(first: u8, masked: bool, payload: impl Into<Vec<u8>>) -> Frame {
    Frame {
        first,
        masked,
        payload: payload.into(),
    }
}

/// A short conversation with an end, recorded by one of the two.
pub(crate) fn small(role: Role, options: Options) -> Vec<u8> {
    let (capture, disk) = capture(options);
    let mut pair = Pair::new(role, &capture, &Extensions::new(), true);
    let hints = Hints::new();
    pair.client
        .send(Message::text("hello"), hints)
        .expect("open");
    pair.settle();
    pair.server
        .send(Message::binary("\x00\x01"), hints)
        .expect("open");
    pair.server.ping(b"alive?").expect("open");
    pair.settle();
    pair.client.close(CloseCode::NORMAL, "bye").expect("open");
    pair.settle();
    disk.read()
}

#[test]
fn a_small_conversation_is_the_same_octet_by_octet() {
    let file = small(Role::Server, Options::new());
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/small.pcapng");
    if std::env::var_os("CLOVERLEAF_WRITE_GOLDEN").is_some() {
        std::fs::write(golden, &file).unwrap();
    }
    assert!(
        file == std::fs::read(golden).unwrap(),
        "write it anew and look"
    );
}

#[test]
fn every_frame_of_both_sides_is_there_in_order_between_a_beginning_and_an_end_of_tcp() {
    for role in ROLES {
        let read = read(&small(role, Options::new()));
        let [conversation] = &read.conversations.into_values().collect::<Vec<_>>()[..] else {
            panic!("there is one");
        };
        let (request, from_client) = conversation.parse(0);
        let (response, from_server) = conversation.parse(1);
        assert!(
            request.starts_with("GET /chat?[redacted] HTTP/1.1\r\n"),
            "{request}"
        );
        assert!(response.starts_with("HTTP/1.1 101 "), "{response}");
        assert_eq!(
            from_client,
            [
                frame(0x81, true, "hello"),
                frame(0x8A, true, "alive?"),
                frame(0x88, true, b"\x03\xe8bye"),
            ]
        );
        assert_eq!(
            from_server,
            [
                frame(0x82, false, [0, 1]),
                frame(0x89, false, "alive?"),
                frame(0x88, false, [3, 0xE8]),
            ]
        );
        assert_eq!(
            conversation.signals,
            [
                (0, SYN),
                (1, SYN | ACK),
                (0, ACK),
                (1, FIN | ACK),
                (0, FIN | ACK),
                (1, ACK)
            ]
        );
        // The reason is the peer's, and only the client gave one.
        let (end, reason) = match role {
            Role::Client => ("recorded at the client", ""),
            Role::Server => ("recorded at the server", " (bye)"),
        };
        let [about, closed] = &conversation.comments[..] else {
            panic!("{:?}", conversation.comments);
        };
        assert!(about.starts_with(end), "{about}");
        assert_eq!(*closed, format!("closed with code 1000{reason}"));
    }
}

#[test]
fn times_are_those_of_the_clock_one_for_all_packets_of_a_moment() {
    let read = read(&small(Role::Client, Options::new()));
    let times: Vec<u64> = read
        .packets
        .iter()
        .map(|packet| packet.micros - BEGIN)
        .collect();
    assert_eq!(times, [0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 7, 7]);
}

#[test]
fn the_opening_is_made_up_and_said_to_be_where_it_was_not_shown() {
    for role in ROLES {
        let (capture, disk) = capture(Options::new());
        let mut pair = Pair::new(role, &capture, &Extensions::new(), false);
        assert_eq!(
            read(&disk.read()).packets.len(),
            0,
            "nothing has happened yet"
        );
        pair.client.send(Message::text("x"), Hints::new()).unwrap();
        pair.settle();
        let read = read(&disk.read());
        let conversation = &read.conversations[&(2, 49152)];
        let made = "made up: the opening handshake was not shown";
        assert_eq!(conversation.comments[1..], [made, made]);
        assert_eq!(conversation.parse(0).1, [frame(0x81, true, "x")]);
        assert!(
            conversation
                .parse(1)
                .0
                .contains("Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=")
        );
    }
}

#[test]
fn every_length_passes_through_segments_unharmed() {
    for role in ROLES {
        let (capture, disk) = capture(Options::new());
        let mut pair = Pair::new(role, &capture, &Extensions::new(), true);
        let lengths = [
            0, 125, 126, 1450, 1452, 1456, 1457, 1460, 2916, 65_535, 65_536, 300_000,
        ];
        let message = |n: usize| {
            (0..n)
                .map(|at| (at * 7 + at / 251) as u8)
                .collect::<Vec<u8>>()
        };
        for length in lengths {
            let hints = Hints::new();
            pair.client
                .send(Message::binary(message(length)), hints)
                .unwrap();
            pair.settle();
            pair.server
                .send(Message::binary(message(length)), hints)
                .unwrap();
            pair.settle();
        }
        let read = read(&disk.read());
        for side in [0, 1] {
            // A message may have been cut into fragments, or seen in pieces.
            let mut messages: Vec<Vec<u8>> = Vec::new();
            for frame in read.conversations[&(2, 49152)].parse(side).1 {
                assert_eq!(frame.masked, side == 0);
                match frame.first & 0x0F {
                    2 => messages.push(frame.payload),
                    _ => messages
                        .last_mut()
                        .expect("one began")
                        .extend(frame.payload),
                }
            }
            assert_eq!(messages.len(), lengths.len());
            assert!(
                lengths
                    .iter()
                    .zip(&messages)
                    .all(|(n, found)| message(*n) == *found)
            );
        }
        let full = |packet: &&crate::reader::Packet| packet.length == 1514;
        assert!(read.packets.iter().filter(full).count() > 2 * 300_000 / 1461);
    }
}

#[test]
fn compressed_messages_stand_there_as_they_were_on_the_wire() {
    for role in ROLES {
        let (capture, disk) = capture(Options::new());
        let extensions = Extensions::new().with(PermessageDeflate::new()).unwrap();
        let mut pair = Pair::new(role, &capture, &extensions, true);
        let text = "again ".repeat(100);
        pair.client.send(Message::text(text), Hints::new()).unwrap();
        pair.settle();
        let read = read(&disk.read());
        let (head, frames) = read.conversations[&(2, 49152)].parse(0);
        assert!(head.contains("permessage-deflate"));
        assert_eq!(frames[0].first, 0xC1);
        assert!(frames[0].payload.len() < 100);
    }
}

#[test]
fn connections_are_told_apart_and_one_that_is_dropped_is_reset() {
    for role in ROLES {
        let (capture, disk) = capture(Options::new());
        let mut pairs = [0, 1, 2].map(|_| Pair::new(role, &capture, &Extensions::new(), true));
        for turn in 0..2 {
            for (n, pair) in pairs.iter_mut().enumerate() {
                let message = Message::text(format!("{n}, {turn}"));
                pair.client.send(message, Hints::new()).unwrap();
                pair.settle();
            }
        }
        drop(pairs);
        let read = read(&disk.read());
        assert_eq!(read.conversations.len(), 3);
        for (n, conversation) in read.conversations.into_values().enumerate() {
            let said = [0, 1].map(|turn| frame(0x81, true, format!("{n}, {turn}")));
            assert_eq!(conversation.parse(0).1, said);
            let side = usize::from(role == Role::Server);
            assert_eq!(conversation.signals.last(), Some(&(side, RST | ACK)));
            let comment = "the connection was dropped here, before its end";
            assert_eq!(conversation.comments.last().unwrap(), comment);
        }
    }
}

#[test]
fn a_connection_of_which_nothing_was_seen_leaves_nothing() {
    for role in ROLES {
        let (capture, disk) = capture(Options::new());
        drop(alone(role, &capture));
        assert_eq!(read(&disk.read()).packets.len(), 0);
    }
}

#[test]
fn behind_the_end_nothing_is_recorded() {
    for role in ROLES {
        let (capture, disk) = capture(Options::new());
        let closed = alone(role, &capture).closed();
        let mut watcher = capture.attach(role);
        let head = Head::new(OpCode::TEXT);
        watcher.frame(View::Wire, Direction::Incoming, head, b"before");
        watcher.closed(&closed);
        let ended = disk.read();
        watcher.frame(View::Wire, Direction::Incoming, head, b"behind");
        watcher.closed(&closed);
        drop(watcher);
        assert_eq!(disk.read(), ended);
    }
}

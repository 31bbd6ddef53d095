//! Messages that are not copied: borrowed from the input, or read to where they stay.

use bytes::BufMut;
use cloverleaf_proto::connection::{MessageRef, Received};
use cloverleaf_proto::error::ProtocolError;
use cloverleaf_proto::extension::{Claims, Extensions, Stage};
use cloverleaf_proto::{Event, Message};

use crate::subject::{ROLES, Random, Subject, Way, at, binary, config, connection, defaults, text};
use crate::toy::Toy;
use crate::wire::{frame, frames};

#[test]
fn with_nothing_negotiated_a_received_message_is_a_slice_of_the_input() {
    for role in ROLES {
        for (first, payload) in [(0x81, &b"hello"[..]), (0x82, &[9; 70_000]), (0x81, b"")] {
            let mut connection = connection(role, &defaults());
            let mut input = [frame(role, first, payload), frame(role, 0x81, b"next")].concat();
            let range = input.as_ptr_range();
            let (used, received) = connection.receive(at(0.0), &mut input);
            assert_eq!(used, frame(role, first, payload).len());
            let found = match received {
                Some(Received::Message(MessageRef::Text(text))) => text.as_bytes(),
                Some(Received::Message(MessageRef::Binary(octets))) => octets,
                other => panic!("{other:?}"),
            };
            assert_eq!(found, payload);
            assert!(range.contains(&found.as_ptr()) || found.is_empty());
        }
    }
}

#[test]
fn what_is_no_whole_message_on_the_wire_is_owned() {
    let inert = Extensions::new()
        .with(Toy::new("x-idle", Claims::at(Stage::Message)))
        .unwrap();
    let negotiated = config(|config| config.extensions = inert);
    for role in ROLES {
        for (config, octets, expected) in [
            (&negotiated, frame(role, 0x81, b"hello"), text("hello")),
            (
                &defaults(),
                frames(role, &[(0x01, b"hel"), (0x80, b"lo")]),
                text("hello"),
            ),
            (
                &defaults(),
                frame(role, 0x89, b"hello"),
                Event::Ping("hello".into()),
            ),
        ] {
            let mut connection = connection(role, config);
            let mut input = octets;
            let length = input.len();
            let (used, received) = connection.receive(at(0.0), &mut input);
            assert_eq!((used, received), (length, Some(Received::Event(expected))));
        }
    }
}

#[test]
fn an_unfinished_header_stays_unused_and_unfinished_payload_does_not() {
    for role in ROLES {
        let octets = frame(role, 0x82, &[5; 300]);
        let header = octets.len() - 300;
        for cut in 0..octets.len() {
            let mut connection = connection(role, &defaults());
            let mut front = octets[..cut].to_vec();
            let (used, received) = connection.receive(at(0.0), &mut front);
            assert_eq!(received, None);
            assert_eq!(used, if cut < header { 0 } else { cut }, "cut at {cut}");
            let mut rest = octets[used..].to_vec();
            let left = rest.len();
            let (behind, received) = connection.receive(at(0.0), &mut rest);
            assert_eq!(behind, left);
            let message = match received {
                Some(Received::Message(message)) => message.into(),
                Some(Received::Event(Event::Message(message))) => message,
                other => panic!("{other:?}"),
            };
            assert_eq!(message, Message::binary(vec![5; 300]));
        }
    }
}

#[test]
fn a_borrowed_text_is_checked() {
    for role in ROLES {
        let mut connection = connection(role, &defaults());
        let mut input = frames(role, &[(0x81, b"\xff"), (0x81, b"next")]);
        let (_, received) = connection.receive(at(0.0), &mut input);
        assert_eq!(received, None);
        assert_eq!(
            connection.closed().error,
            Some(ProtocolError::TextNotUtf8.into())
        );
    }
}

#[test]
fn there_is_a_target_for_direct_reads_only_inside_a_large_frame() {
    for role in ROLES {
        let mut connection = connection(role, &defaults());
        assert!(connection.read_target().is_none());
        let octets = frame(role, 0x82, &[1; 100_000]);
        let header = octets.len() - 100_000;
        connection.handle_input(at(0.0), &mut octets[..header + 1000].to_vec());
        assert!(connection.read_target().is_none(), "too little has come");
        connection.handle_input(
            at(0.0),
            &mut octets[header + 1000..header + 20_000].to_vec(),
        );
        let room = connection
            .read_target()
            .map(|target| target.remaining_mut());
        // As much again as has come, or a little more, and never more than the frame.
        assert!(
            room.is_some_and(|room| (16_384..=80_000).contains(&room)),
            "{room:?}"
        );
    }
}

#[test]
fn f03_the_room_for_direct_reads_follows_what_came_and_not_what_was_announced() {
    let config = config(|config| {
        config.limits.max_frame_size = 1 << 30;
        config.limits.max_message_size = 1 << 30;
    });
    for role in ROLES {
        let mut octets = crate::wire::long_header(role, 0x82, 1 << 30);
        octets.extend(vec![0; 20_000]);
        let mut connection = connection(role, &config);
        connection.handle_input(at(0.0), &mut octets);
        let room = connection.read_target().unwrap().remaining_mut();
        assert!(room <= 64 << 10, "{room}");
    }
}

#[test]
fn direct_reads_of_any_size_are_unmasked_and_checked_like_any_others() {
    let payload = "ä€😀x".repeat(15_000).into_bytes();
    for role in ROLES {
        let octets = [
            frame(role, 0x01, &payload),
            frame(role, 0x89, b"between"),
            frame(role, 0x80, &payload),
            frame(role, 0x81, b"behind"),
        ]
        .concat();
        let whole = String::from_utf8(payload.repeat(2)).unwrap();
        let expected = [Event::Ping("between".into()), text(&whole), text("behind")];
        for seed in 0..12 {
            let mut random = Random(seed);
            let mut subject = Subject::through(Way::Direct, role, &defaults());
            let mut rest = &octets[..];
            while !rest.is_empty() {
                let most = [100, 5000, 70_000][seed as usize % 3];
                let (now, behind) = rest.split_at((1 + random.below(most)).min(rest.len()));
                subject.input(now);
                rest = behind;
            }
            assert_eq!(subject.events(), expected, "{role:?}, seed {seed}");
        }
    }
}

#[test]
fn a_bad_octet_in_a_direct_read_fails_within_that_read() {
    for role in ROLES {
        let mut payload = vec![b'a'; 100_000];
        payload[50_000] = 0xFF;
        let octets = frame(role, 0x81, &payload);
        let end = octets.len() - 100_000 + 50_001;
        let mut subject = Subject::through(Way::Direct, role, &defaults());
        for piece in octets[..end - 1].chunks(999) {
            subject.input(piece);
        }
        subject.outcome().assert_quiet();
        subject
            .input(&octets[end - 1..end])
            .outcome()
            .assert_failed(ProtocolError::TextNotUtf8);
    }
}

#[test]
fn a_direct_read_of_nothing_is_nothing() {
    for role in ROLES {
        let octets = frame(role, 0x82, &[1; 40_000]);
        let mut connection = connection(role, &defaults());
        connection.handle_input(at(0.0), &mut octets[..30_000].to_vec());
        for _ in 0..3 {
            assert!(connection.read_target().is_some());
            connection.handle_filled(at(0.0));
        }
        connection.handle_input(at(0.0), &mut octets[30_000..].to_vec());
        assert_eq!(connection.poll_event(), Some(binary([1; 40_000])));
    }
}

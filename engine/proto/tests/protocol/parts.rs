//! Messages in parts, both ways.

use bytes::Bytes;
use cloverleaf_proto::error::UsageError;
use cloverleaf_proto::extension::Hints;
use cloverleaf_proto::message::Kind;
use cloverleaf_proto::{Event, Message};

use crate::subject::{ROLES, Subject, config, defaults, feed, feed_both, text};
use crate::wire::{frame, frames};

fn part(kind: Kind, payload: &'static str, fin: bool) -> Event {
    let payload = Bytes::from(payload);
    Event::Part { kind, payload, fin }
}

#[test]
fn a_message_sent_in_parts_is_a_fragmented_message() {
    for role in ROLES {
        let mut subject = Subject::new(role, &defaults());
        // Empty parts in front and in the middle say nothing and are not sent; a peer may count them
        // against us.
        let parts = [
            ("", false),
            ("He", false),
            ("", false),
            ("llo", false),
            ("", true),
        ];
        for (payload, fin) in parts {
            let sent = subject
                .connection
                .send_part(Kind::Text, payload.into(), fin, Hints::new());
            assert_eq!(sent, Ok(()));
        }
        let sent = subject.settle().outcome();
        let firsts: Vec<u8> = sent.frames().iter().map(|frame| frame.first).collect();
        assert_eq!(firsts, [0x01, 0x00, 0x80]);
        assert_eq!(
            feed(role.peer(), &defaults(), &sent.sent).events,
            [text("Hello")]
        );
    }
}

#[test]
fn a_message_sent_in_one_part_is_one_frame() {
    for role in ROLES {
        let mut subject = Subject::new(role, &defaults());
        subject
            .connection
            .send_part(Kind::Binary, "x".into(), true, Hints::new())
            .unwrap();
        assert_eq!(subject.settle().sent()[0].first, 0x82);
        subject
            .connection
            .send("next".into(), Hints::new())
            .unwrap();
    }
}

#[test]
fn nothing_but_its_own_parts_and_control_frames_goes_into_a_message_in_parts() {
    for role in ROLES {
        let mut subject = Subject::new(role, &defaults());
        let connection = &mut subject.connection;
        connection
            .send_part(Kind::Text, "a".into(), false, Hints::new())
            .unwrap();
        let other = connection.send_part(Kind::Binary, "b".into(), true, Hints::new());
        assert_eq!(other, Err(UsageError::PartExpected));
        let whole = connection.send("c".into(), Hints::new());
        assert_eq!(whole, Err(UsageError::PartExpected));
        connection.ping(b"").unwrap();
        connection
            .send_part(Kind::Text, "d".into(), true, Hints::new())
            .unwrap();
        connection.send("e".into(), Hints::new()).unwrap();
        let octets = subject.settle().outcome().sent;
        let events = feed(role.peer(), &defaults(), &octets).events;
        assert_eq!(events, [Event::Ping(Bytes::new()), text("ad"), text("e")]);
    }
}

#[test]
fn a_large_part_is_cut_like_a_message() {
    for role in ROLES {
        let mut subject = Subject::new(role, &defaults());
        let large = Bytes::from(vec![7; 100_000]);
        for fin in [false, true] {
            subject
                .connection
                .send_part(Kind::Binary, large.clone(), fin, Hints::new())
                .unwrap();
        }
        let octets = subject.settle().outcome().sent;
        let mut peer = Subject::new(role.peer(), &defaults());
        let events = peer.input(&octets).events();
        assert_eq!(events, [Event::Message(Message::binary(vec![7; 200_000]))]);
    }
}

#[test]
fn a_close_may_stand_in_a_message_in_parts() {
    use cloverleaf_proto::close::CloseCode;
    for role in ROLES {
        let mut subject = Subject::new(role, &defaults());
        subject
            .connection
            .send_part(Kind::Text, "a".into(), false, Hints::new())
            .unwrap();
        subject.connection.close(CloseCode::NORMAL, "").unwrap();
        let rest = subject
            .connection
            .send_part(Kind::Text, "b".into(), true, Hints::new());
        assert_eq!(rest, Err(UsageError::Closed));
        let firsts: Vec<u8> = subject
            .settle()
            .sent()
            .iter()
            .map(|frame| frame.first)
            .collect();
        assert_eq!(firsts, [0x01, 0x88]);
    }
}

#[test]
fn parts_are_delivered_as_they_come_and_together_are_the_message() {
    let config = config(|config| config.parts = true);
    // `feed` joins the parts, since where they are cut depends on the reads.
    for outcome in feed_both(&config, |to| {
        frames(
            to,
            &[
                (0x01, "gr\u{fc}".as_bytes()),
                (0x00, b""),
                (0x80, "ße".as_bytes()),
                (0x82, b""),
            ],
        )
    }) {
        assert_eq!(
            outcome.events,
            [
                part(Kind::Text, "grüße", true),
                part(Kind::Binary, "", true)
            ]
        );
    }
}

#[test]
fn a_part_is_delivered_before_its_frame_is_complete() {
    let config = config(|config| config.parts = true);
    for role in ROLES {
        let octets = frame(role, 0x81, b"abc");
        let (front, back) = octets.split_at(octets.len() - 2);
        let mut subject = Subject::new(role, &config);
        assert_eq!(
            subject.input(front).events(),
            [part(Kind::Text, "a", false)]
        );
        assert_eq!(subject.input(back).events(), [part(Kind::Text, "bc", true)]);
    }
}

#[test]
fn more_input_before_the_parts_are_taken_keeps_their_order() {
    use crate::subject::{at, connection};
    let config = config(|config| config.parts = true);
    for role in ROLES {
        let octets = frame(role, 0x82, b"abc\x82\x7d\x82\x7d\x82\x7d");
        let mut connection = connection(role, &config);
        let (front, back) = octets.split_at(octets.len() - 6);
        connection.handle_input(at(0.0), &mut front.to_vec());
        connection.handle_input(at(0.0), &mut back.to_vec());
        // What waits is the inside of a frame, whatever it looks like.
        assert!(connection.has_input());
        let mut all = Vec::new();
        while let Some(event) = connection.poll_event() {
            let Event::Part { payload, .. } = event else {
                panic!("{event:?}")
            };
            all.extend_from_slice(&payload);
            assert!(connection.has_input() || all.len() == 9);
        }
        assert_eq!(all, b"abc\x82\x7d\x82\x7d\x82\x7d");
    }
}

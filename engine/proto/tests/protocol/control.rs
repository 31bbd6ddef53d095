//! Control frames: RFC 6455 §5.5.

use bytes::Bytes;
use cloverleaf_proto::connection::Transmit;
use cloverleaf_proto::error::{ProtocolError, UsageError};
use cloverleaf_proto::extension::Hints;
use cloverleaf_proto::{Connection, Event, Message};

use crate::subject::{ROLES, Subject, at, config, connection, defaults, feed_both, text};
use crate::wire::{self, frame, frames};

const PING: u8 = 0x89;
const PONG: u8 = 0x8A;

/// What one call of `poll_transmit` has to write.
fn due(connection: &mut Connection) -> Vec<u8> {
    match connection.poll_transmit() {
        Transmit::Write(front, back) => [front, back].concat(),
        Transmit::Idle | Transmit::Shutdown => Vec::new(),
    }
}

/// Writes what is due and returns it.
fn written(connection: &mut Connection) -> Vec<u8> {
    let octets = due(connection);
    connection.handle_written(at(0.0), octets.len());
    octets
}

fn take_in(connection: &mut Connection, octets: &[u8]) -> usize {
    connection.handle_input(at(0.0), &mut octets.to_vec());
    core::iter::from_fn(|| connection.poll_event()).count()
}

#[test]
fn k01_a_control_frame_over_125_octets_fails_with_1002_on_its_second_octet() {
    for first in [0x88, PING, PONG] {
        for length in [126, 127] {
            for outcome in feed_both(&defaults(), |to| {
                vec![first, length | if to == ROLES[1] { 0x80 } else { 0 }]
            }) {
                outcome.assert_failed(ProtocolError::ControlFrameTooLong);
                assert_eq!(outcome.close_code(), Some(1002));
            }
        }
    }
}

#[test]
fn a_ping_is_answered_with_its_own_octets_up_to_the_longest() {
    for payload in [&b""[..], b"hello", &[0xFF; 125]] {
        for outcome in feed_both(&defaults(), |to| frame(to, PING, payload)) {
            assert_eq!(
                outcome.events,
                [Event::Ping(Bytes::copy_from_slice(payload))]
            );
            let sent = &outcome.frames()[0];
            assert_eq!((sent.first, &sent.payload[..]), (PONG, payload));
        }
    }
}

#[test]
fn every_ping_of_a_peer_that_reads_is_answered_in_order() {
    for outcome in feed_both(&defaults(), |to| {
        frames(
            to,
            &[(PING, b"1"), (PING, b"2"), (0x81, b"x"), (PING, b"3")],
        )
    }) {
        let sent: Vec<_> = outcome
            .frames()
            .into_iter()
            .map(|frame| frame.payload)
            .collect();
        assert_eq!(sent, [b"1", b"2", b"3"]);
    }
}

#[test]
fn k02_a_million_pings_to_a_peer_that_never_reads_cost_one_buffer_and_one_slot() {
    for role in ROLES {
        let mut connection = connection(role, &defaults());
        let pings = frame(role, PING, &[7; 125]).repeat(1000);
        for _ in 0..1000 {
            assert_eq!(take_in(&mut connection, &pings), 1000);
            assert!(
                connection.buffered() <= (64 << 10) + 131,
                "{}",
                connection.buffered()
            );
        }
        // K03: the last one is answered.
        take_in(&mut connection, &frame(role, PING, b"last"));
        let mut sent = Vec::new();
        loop {
            match written(&mut connection) {
                octets if octets.is_empty() => break,
                octets => sent.extend(octets),
            }
        }
        let sent = wire::read(&sent);
        assert!(sent.len() < 600, "{}", sent.len());
        assert_eq!(sent.last().unwrap().payload, b"last");
    }
}

#[test]
fn k04_pongs_nobody_asked_for_are_told_and_otherwise_ignored() {
    for outcome in feed_both(&defaults(), |to| frames(to, &[(PONG, b"a"), (PONG, b"")])) {
        outcome.assert_quiet();
        assert_eq!(
            outcome.events,
            [Event::Pong("a".into()), Event::Pong(Bytes::new())]
        );
    }
    for role in ROLES {
        let mut connection = connection(role, &defaults());
        let pongs = frame(role, PONG, &[7; 125]).repeat(1000);
        for _ in 0..100 {
            assert_eq!(take_in(&mut connection, &pongs), 1000);
        }
        assert_eq!(connection.buffered(), 0);
    }
}

#[test]
fn k09_a_pong_waits_for_one_fragment_of_a_large_message_and_not_for_all_of_it() {
    for role in ROLES {
        let mut connection = connection(role, &defaults());
        connection
            .send(Message::binary(vec![1; 10 << 20]), Hints::new())
            .unwrap();
        let mut sent = written(&mut connection);
        assert!(sent.len() <= (64 << 10) + 14);
        // The next fragment may be on its way already; the pong is behind that.
        take_in(&mut connection, &frame(role, PING, b"now"));
        sent.extend(written(&mut connection));
        sent.extend(written(&mut connection));
        let firsts: Vec<u8> = wire::read(&sent).iter().map(|frame| frame.first).collect();
        assert!(firsts[..3].contains(&PONG), "{firsts:x?}");
    }
}

#[test]
fn k10_with_a_full_write_buffer_a_pong_still_goes_before_the_messages_that_wait() {
    for role in ROLES {
        let mut connection = connection(role, &defaults());
        while connection
            .send(Message::binary(vec![1; 10_000]), Hints::new())
            .is_ok()
        {}
        take_in(&mut connection, &frame(role, PING, b"now"));
        let mut sent = Vec::new();
        while !connection.is_done() && sent.len() < 300_000 {
            sent.extend(written(&mut connection));
        }
        let sent = wire::read(&sent);
        let place = sent.iter().position(|frame| frame.first == PONG).unwrap();
        assert!(place <= 8, "behind {place} messages");
    }
}

#[test]
fn k11_a_pong_that_cannot_be_written_now_is_offered_until_it_is() {
    for role in ROLES {
        let mut connection = connection(role, &defaults());
        take_in(&mut connection, &frame(role, PING, b"?"));
        let whole = due(&mut connection);
        for left in (1..=whole.len()).rev() {
            // The stream takes nothing, then one octet.
            connection.handle_written(at(0.0), 0);
            assert_eq!(due(&mut connection), whole[whole.len() - left..]);
            connection.handle_written(at(0.0), 1);
        }
        assert_eq!(connection.poll_transmit(), Transmit::Idle);
    }
}

#[test]
fn a_ping_or_pong_of_ours_carries_at_most_125_octets() {
    for role in ROLES {
        let mut subject = Subject::new(role, &defaults());
        let connection = &mut subject.connection;
        assert_eq!(connection.ping(&[0; 126]), Err(UsageError::TooLong));
        assert_eq!(connection.pong(&[0; 126]), Err(UsageError::TooLong));
        connection.ping(&[0; 125]).unwrap();
        connection.pong(&[0; 125]).unwrap();
        let firsts: Vec<u8> = subject
            .settle()
            .sent()
            .iter()
            .map(|frame| frame.first)
            .collect();
        assert_eq!(firsts, [PING, PONG]);
    }
}

#[test]
fn control_frames_overtake_messages_between_two_frames() {
    let config = config(|config| {
        config.limits.out_fragment = 10;
        config.limits.write_high_water = 1;
    });
    for role in ROLES {
        let mut connection = connection(role, &config);
        connection
            .send(Message::text("0123456789abcdefghij!"), Hints::new())
            .unwrap();
        connection
            .send(Message::text("second"), Hints::new())
            .unwrap();
        connection.ping(b"?").unwrap();
        take_in(&mut connection, &frame(role, PING, b"!"));
        let mut sent = Vec::new();
        for _ in 0..10 {
            sent.extend(written(&mut connection));
        }
        let firsts: Vec<u8> = wire::read(&sent).iter().map(|frame| frame.first).collect();
        assert_eq!(firsts, [0x01, PONG, PING, 0x00, 0x80, 0x81]);
    }
}

#[test]
fn a_ping_of_an_application_that_the_peer_answers_is_an_event() {
    for role in ROLES {
        let mut subject = Subject::new(role, &defaults());
        subject.connection.ping(b"mine").unwrap();
        assert_eq!(subject.settle().sent()[0].payload, b"mine");
        let events = subject.frame(PONG, b"mine").frame(0x81, b"x").events();
        assert_eq!(events, [Event::Pong("mine".into()), text("x")]);
    }
}

//! The calls may come in any order and be given up anywhere: nothing is lost by it.

use cloverleaf_proto::connection::Transmit;
use cloverleaf_proto::extension::Hints;
use cloverleaf_proto::{Connection, Event, Message};

use crate::subject::{ROLES, at, connection, defaults, text};
use crate::wire::{self, frame, frames};

fn due(connection: &mut Connection) -> Vec<u8> {
    match connection.poll_transmit() {
        Transmit::Write(front, back) => [front, back].concat(),
        Transmit::Idle | Transmit::Shutdown => Vec::new(),
    }
}

#[test]
fn asking_again_what_to_write_gives_the_same_answer_until_it_is_written() {
    for role in ROLES {
        let mut connection = connection(role, &defaults());
        connection
            .send(Message::binary(vec![1; 20_000]), Hints::new())
            .unwrap();
        let mut all = Vec::new();
        loop {
            let octets = due(&mut connection);
            assert_eq!(due(&mut connection), octets);
            assert_eq!(connection.poll_timeout(), connection.poll_timeout());
            assert!(connection.buffered() >= octets.len());
            if octets.is_empty() {
                break;
            }
            // Only a part of it is taken.
            let n = octets.len().min(777);
            all.extend_from_slice(&octets[..n]);
            connection.handle_written(at(0.0), n);
        }
        assert_eq!(wire::read(&all)[0].payload, vec![1; 20_000]);
        assert_eq!(connection.poll_transmit(), Transmit::Idle);
    }
}

#[test]
fn more_may_be_reported_as_written_than_there_was_without_harm() {
    for role in ROLES {
        let mut connection = connection(role, &defaults());
        connection.send("a".into(), Hints::new()).unwrap();
        connection.handle_written(at(0.0), usize::MAX);
        assert_eq!(connection.buffered(), 0);
        connection.send("b".into(), Hints::new()).unwrap();
        assert_eq!(wire::read(&due(&mut connection))[0].payload, b"b");
    }
}

#[test]
fn input_may_pile_up_before_anybody_asks_for_events() {
    for role in ROLES {
        let octets = frames(
            role,
            &[
                (0x81, b"one"),
                (0x89, b"?"),
                (0x01, b"tw"),
                (0x80, b"o"),
                (0x81, b"three"),
            ],
        );
        let mut connection = connection(role, &defaults());
        for octet in octets.chunks(1) {
            connection.handle_input(at(0.0), &mut octet.to_vec());
        }
        connection.handle_eof(at(0.0));
        let expected = [
            text("one"),
            Event::Ping("?".into()),
            text("two"),
            text("three"),
        ];
        for event in expected {
            assert!(connection.has_input());
            assert_eq!(connection.poll_event(), Some(event));
        }
        // A peer that has ended its side may still read: the pong goes out before the end.
        assert_eq!(connection.poll_event(), None);
        let n = due(&mut connection).len();
        connection.handle_written(at(0.0), n);
        assert_eq!(connection.poll_transmit(), Transmit::Shutdown);
        connection.handle_shutdown(at(0.0));
        assert!(matches!(connection.poll_event(), Some(Event::Closed(_))));
        assert_eq!(connection.poll_event(), None);
    }
}

#[test]
fn events_may_be_left_while_other_things_are_done() {
    for role in ROLES {
        let mut connection = connection(role, &defaults());
        connection.handle_input(
            at(0.0),
            &mut frames(role, &[(0x81, b"one"), (0x81, b"two")]),
        );
        connection.send("out".into(), Hints::new()).unwrap();
        let n = due(&mut connection).len();
        connection.handle_written(at(0.0), n);
        connection.handle_timeout(at(1.0));
        assert_eq!(connection.poll_event(), Some(text("one")));
        connection.handle_input(at(2.0), &mut frame(role, 0x81, b"three"));
        assert_eq!(connection.poll_event(), Some(text("two")));
        assert_eq!(connection.poll_event(), Some(text("three")));
        assert_eq!(connection.poll_event(), None);
    }
}

#[test]
fn has_input_says_whether_a_whole_frame_waits() {
    for role in ROLES {
        let octets = frame(role, 0x89, b"ping");
        let mut connection = connection(role, &defaults());
        let (most, last) = octets.split_at(octets.len() - 1);
        connection.handle_input(at(0.0), &mut most.to_vec());
        assert!(!connection.has_input());
        assert_eq!(connection.poll_event(), None);
        connection.handle_input(at(0.0), &mut last.to_vec());
        assert!(connection.has_input());
        assert_eq!(connection.poll_event(), Some(Event::Ping("ping".into())));
        assert!(!connection.has_input());
    }
}

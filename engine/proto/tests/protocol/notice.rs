//! Notices: what an extension tells the application.

use std::sync::Arc;

use bytes::Bytes;
use cloverleaf_proto::connection::Received;
use cloverleaf_proto::extension::{
    Claims, Decoded, Encoded, Extensions, Failure, Hints, Output, Stage,
};
use cloverleaf_proto::frame::OpCode;
use cloverleaf_proto::{Config, Event, Message};

use crate::subject::{ROLES, Subject, at, config, connection, feed, text};
use crate::toy::Toy;
use crate::wire::frames;

fn with(toy: Toy) -> Config {
    config(|config| {
        config.extensions = Extensions::new().with(toy).expect("the toy is well-formed");
    })
}

/// Tells of every frame that comes, and, of those that begin with `n`, nothing.
fn gossip() -> Toy {
    Toy::new("x-gossip", Claims::at(Stage::Frame)).decoding(|_, payload, out| {
        if !payload.starts_with(b"n") {
            out.notify(Bytes::copy_from_slice(payload));
        }
        Ok(Decoded::Unchanged)
    })
}

fn notice(payload: &'static str) -> Event {
    Event::Notice {
        extension: Arc::from("x-gossip"),
        payload: payload.into(),
    }
}

#[test]
fn a_notice_comes_before_the_event_of_its_frame_however_the_input_is_cut() {
    for role in ROLES {
        let octets = frames(
            role,
            &[
                (0x01, b"a"),
                (0x89, b"b"),
                (0x80, b"c"),
                (0x81, b"no"),
                (0x81, b"d"),
                (0x88, b"\x03\xe8"),
            ],
        );
        let outcome = feed(role, &with(gossip()), &octets);
        assert_eq!(
            outcome.events[..8],
            [
                notice("a"),
                notice("b"),
                Event::Ping("b".into()),
                notice("c"),
                text("ac"),
                text("no"),
                notice("d"),
                text("d"),
            ]
        );
    }
}

#[test]
fn a_message_is_not_lent_past_a_notice_that_waits() {
    let twice = Toy::new("x-gossip", Claims::at(Stage::Frame)).decoding(|_, _, out| {
        out.notify("1");
        out.notify("2");
        Ok(Decoded::Unchanged)
    });
    for role in ROLES {
        let mut connection = connection(role, &with(twice.clone()));
        let mut input = frames(role, &[(0x81, b"a"), (0x81, b"b")]);
        let mut found = Vec::new();
        let mut used = 0;
        while let (n, Some(received)) = connection.receive(at(0.0), &mut input[used..]) {
            used += n;
            match received {
                Received::Event(event) => found.push(event),
                other => panic!("{other:?}"),
            }
        }
        let one = [notice("1"), notice("2")];
        assert_eq!(found[..2], one);
        assert_eq!(found[2], text("a"));
        assert_eq!(found[3..5], one);
        assert_eq!(found[5..], [text("b")]);
    }
}

#[test]
fn an_encoder_may_tell_something_too_and_who_never_asks_costs_a_bounded_amount() {
    let toy = Toy::new("x-gossip", Claims::at(Stage::Message)).encoding(|_, _, _, out| {
        out.notify("sent");
        Ok(Encoded::Unchanged)
    });
    for role in ROLES {
        let mut subject = Subject::new(role, &with(toy.clone()));
        for _ in 0..1000 {
            let hints = Hints::new();
            subject.connection.send(Message::text("x"), hints).unwrap();
        }
        let waiting = core::iter::from_fn(|| subject.connection.poll_event());
        let waiting: Vec<Event> = waiting.collect();
        assert!(waiting.len() <= 65, "{}", waiting.len());
        assert!(waiting.iter().all(|event| *event == notice("sent")));
    }
}

#[test]
fn what_the_encoder_tells_of_a_ping_comes_although_nothing_else_happens() {
    let toy = Toy::new("x-gossip", Claims::at(Stage::Frame)).encoding(|_, _, _, out| {
        out.notify("sent");
        Ok(Encoded::Unchanged)
    });
    for role in ROLES {
        let mut subject = Subject::new(role, &with(toy.clone()));
        subject.connection.ping(b"?").unwrap();
        subject.settle();
        assert_eq!(subject.events(), [notice("sent")]);
    }
}

/// Tells of every frame that leaves.
fn chatty() -> Toy {
    Toy::new("x-gossip", Claims::at(Stage::Frame)).encoding(|_, _, _, out| {
        out.notify("sent");
        Ok(Encoded::Unchanged)
    })
}

#[test]
fn what_an_encoder_tells_is_no_input_so_that_nobody_stops_reading_or_writing_for_it() {
    for role in ROLES {
        let mut subject = Subject::new(role, &with(chatty()));
        let connection = &mut subject.connection;
        connection
            .send(Message::text("x"), Hints::new())
            .expect("it is open");
        assert!(connection.has_notices() && !connection.has_input());
        assert!(connection.is_drained() && !connection.look_ahead());
        // What has come is given first.
        let mut input = frames(role, &[(0x81, b"a"), (0x81, b"b")]);
        connection.handle_input(at(0.0), &mut input);
        assert!(connection.look_ahead());
        let events: Vec<Event> = core::iter::from_fn(|| connection.poll_event()).collect();
        assert_eq!(events, [text("a"), text("b"), notice("sent")]);
        assert!(!connection.has_notices());
    }
}

#[test]
fn what_an_encoder_tells_of_an_answer_does_not_wait_for_more_input_and_comes_before_the_end() {
    for role in ROLES {
        let mut subject = Subject::new(role, &with(chatty()));
        let connection = &mut subject.connection;
        // The close frame is looked at, and answered, as the second event is asked for.
        let mut input = frames(role, &[(0x81, b"a"), (0x88, b"\x03\xe8")]);
        connection.handle_input(at(0.0), &mut input);
        connection.handle_eof(at(0.0));
        let events: Vec<Event> = core::iter::from_fn(|| connection.poll_event()).collect();
        assert_eq!(events, [text("a"), notice("sent")]);
        let end = subject.settle().events();
        assert!(matches!(end[..], [Event::Closed(_)]), "{end:?}");
    }
}

#[test]
fn who_receives_where_messages_lie_gets_what_an_encoder_tells_too() {
    for role in ROLES {
        let mut subject = Subject::new(role, &with(chatty()));
        let connection = &mut subject.connection;
        connection
            .send(Message::text("x"), Hints::new())
            .expect("it is open");
        let mut input = frames(role, &[(0x81, b"a")]);
        let all = input.len();
        let found = connection.receive(at(0.0), &mut input);
        assert_eq!(found, (all, Some(Received::Event(text("a")))));
        let found = connection.receive(at(0.0), &mut []);
        assert_eq!(found, (0, Some(Received::Event(notice("sent")))));
    }
}

#[test]
fn at_most_16_notices_come_of_one_call_and_none_of_one_that_fails() {
    let toy = Toy::new("x-gossip", Claims::at(Stage::Frame)).decoding(|_, payload, out| {
        (0..100).for_each(|_| out.notify("again"));
        match payload {
            b"bad" => Err(Failure::invalid_data("bad")),
            _ => Ok(Decoded::Unchanged),
        }
    });
    for role in ROLES {
        let octets = frames(role, &[(0x89, b""), (0x82, b"bad")]);
        let outcome = feed(role, &with(toy.clone()), &octets);
        let notices = outcome
            .events
            .iter()
            .filter(|event| **event == notice("again"));
        assert_eq!(notices.count(), 16);
    }
}

#[test]
fn an_owner_may_swallow_its_frame_and_tell_of_it() {
    let beat = OpCode::new(0xB);
    let toy = Toy::new("x-gossip", Claims::at(Stage::Frame).opcode(beat)).decoding(
        move |head, payload, out| {
            if head.opcode != beat {
                return Ok(Decoded::Unchanged);
            }
            out.notify(Bytes::copy_from_slice(payload));
            Ok(Decoded::Consumed)
        },
    );
    for role in ROLES {
        let octets = frames(role, &[(0x01, b"a"), (0x8B, b"5 ms"), (0x80, b"b")]);
        let outcome = feed(role, &with(toy.clone()), &octets);
        assert_eq!(outcome.events, [notice("5 ms"), text("ab")]);
    }
}

#[test]
fn an_output_of_its_own_has_a_place_for_notices_only_if_it_is_given_one() {
    let (mut buffer, mut notices) = (Vec::new(), vec![Bytes::from_static(b"old")]);
    Output::new(&mut buffer, 9).notify("lost");
    Output::new(&mut buffer, 9)
        .with_notices(&mut notices)
        .notify("kept");
    assert_eq!((buffer, notices), (Vec::new(), vec![Bytes::from("kept")]));
}

#[test]
fn looking_ahead_changes_nothing_of_the_order() {
    let twice = Toy::new("x-gossip", Claims::at(Stage::Frame)).decoding(|_, payload, out| {
        out.notify(Bytes::copy_from_slice(payload));
        out.notify("again");
        Ok(Decoded::Unchanged)
    });
    for role in ROLES {
        let mut connection = connection(role, &with(twice.clone()));
        let mut input = frames(role, &[(0x81, b"a"), (0x89, b"b"), (0x81, b"c")]);
        connection.handle_input(at(0.0), &mut input);
        let mut found = Vec::new();
        loop {
            assert_eq!(connection.look_ahead(), connection.look_ahead());
            let Some(event) = connection.poll_event() else {
                break;
            };
            found.push(event);
        }
        let expected = [
            notice("a"),
            notice("again"),
            text("a"),
            notice("b"),
            notice("again"),
            Event::Ping("b".into()),
            notice("c"),
            notice("again"),
            text("c"),
        ];
        assert_eq!(found, expected);
    }
}

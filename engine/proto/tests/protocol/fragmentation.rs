//! Fragmentation: RFC 6455 §5.4.

use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::endpoint::State;
use cloverleaf_proto::error::{ConnectionError, Deadline, LimitExceeded, ProtocolError};
use cloverleaf_proto::{Event, Message, Role};

use crate::subject::{ROLES, Subject, binary, config, defaults, feed, feed_both, text};
use crate::wire::{frame, frames};

#[test]
fn a_fragmented_message_arrives_as_one_wherever_it_is_cut() {
    for outcome in feed_both(&defaults(), |to| {
        frames(
            to,
            &[
                (0x01, b"He"),
                (0x00, b"l"),
                (0x00, b""),
                (0x80, b"lo"),
                (0x82, b"x"),
            ],
        )
    }) {
        assert_eq!(outcome.events, [text("Hello"), binary(*b"x")]);
    }
}

#[test]
fn g05_a_continuation_of_nothing_fails_with_1002() {
    for first in [0x80, 0x00] {
        for outcome in feed_both(&defaults(), |_| vec![first]) {
            outcome.assert_failed(ProtocolError::UnexpectedContinuation);
        }
    }
    for outcome in feed_both(&defaults(), |to| {
        frames(to, &[(0x01, b"a"), (0x80, b"b"), (0x80, b"c")])
    }) {
        outcome.assert_failed(ProtocolError::UnexpectedContinuation);
        assert_eq!(outcome.events, [text("ab")]);
    }
}

#[test]
fn g05_a_message_inside_a_message_fails_with_1002() {
    for second in [0x81, 0x01, 0x82, 0x02] {
        for outcome in feed_both(&defaults(), |to| {
            [frame(to, 0x01, b"a"), vec![second]].concat()
        }) {
            outcome.assert_failed(ProtocolError::MessageInsideMessage);
            assert_eq!(outcome.events, []);
        }
    }
}

#[test]
fn g05_an_empty_final_fragment_ends_a_message() {
    for outcome in feed_both(&defaults(), |to| frames(to, &[(0x02, b"ab"), (0x80, b"")])) {
        assert_eq!(outcome.events, [binary(*b"ab")]);
    }
    for outcome in feed_both(&defaults(), |to| frames(to, &[(0x01, b""), (0x80, b"")])) {
        assert_eq!(outcome.events, [text("")]);
    }
}

#[test]
fn g01_fragments_for_ever_fail_with_1009_at_the_message_limit() {
    let config = config(|config| config.limits.max_message_size = 1000);
    for role in ROLES {
        let mut subject = Subject::new(role, &config);
        subject.frame(0x01, b"x");
        for _ in 1..1000 {
            subject.frame(0x00, b"x").outcome().assert_quiet();
        }
        subject
            .frame(0x00, b"x")
            .outcome()
            .assert_failed(LimitExceeded::MessageSize);
        assert_eq!(subject.outcome().close_code(), Some(1009));
    }
}

#[test]
fn g01_a_hundred_and_thirty_one_thousand_fragments_make_a_message_and_one_more_is_too_many() {
    for role in ROLES {
        let mut octets = frame(role, 0x02, b"x");
        octets.extend(frame(role, 0x00, b"x").repeat(131_070));
        let mut subject = Subject::new(role, &defaults());
        subject.input(&octets).outcome().assert_quiet();
        assert_eq!(
            subject.frame(0x80, b"x").events(),
            [binary(vec![b'x'; 131_072])]
        );

        octets.extend(frame(role, 0x00, b"x"));
        let mut subject = Subject::new(role, &defaults());
        subject.input(&octets).outcome().assert_quiet();
        subject
            .frame(0x80, b"x")
            .outcome()
            .assert_failed(LimitExceeded::Fragments);
        assert_eq!(subject.outcome().close_code(), Some(1008));
    }
}

#[test]
fn g02_a_hundred_empty_fragments_are_borne_and_one_more_fails_with_1008() {
    let empties = |to, n| [frame(to, 0x01, b""), frame(to, 0x00, b"").repeat(n)].concat();
    for outcome in feed_both(&defaults(), |to| {
        [empties(to, 99), frame(to, 0x80, b"end")].concat()
    }) {
        assert_eq!(outcome.events, [text("end")]);
    }
    // An empty end is honest.
    for outcome in feed_both(&defaults(), |to| {
        [empties(to, 99), frame(to, 0x80, b"")].concat()
    }) {
        assert_eq!(outcome.events, [text("")]);
    }
    for outcome in feed_both(&defaults(), |to| empties(to, 100)) {
        outcome.assert_failed(LimitExceeded::EmptyFragments);
        assert_eq!(outcome.close_code(), Some(1008));
    }
}

#[test]
fn g02_empty_messages_are_no_empty_fragments() {
    for role in ROLES {
        let mut subject = Subject::new(role, &defaults());
        let events = subject.input(&frame(role, 0x81, b"").repeat(500)).events();
        assert_eq!(events, vec![text(""); 500]);
        for _ in 0..300 {
            let events = subject.frame(0x01, b"").frame(0x80, b"").events();
            assert_eq!(events, [text("")]);
        }
    }
}

#[test]
fn g03_the_header_that_crosses_the_message_limit_fails_with_1009_before_its_payload() {
    let config = config(|config| config.limits.max_message_size = 300);
    for outcome in feed_both(&config, |to| {
        let mut octets = frames(to, &[(0x02, &[1; 200]), (0x00, &[1; 100])]);
        let last = frame(to, 0x80, b"!");
        octets.extend(&last[..last.len() - 1]);
        octets
    }) {
        outcome.assert_failed(LimitExceeded::MessageSize);
        assert_eq!(outcome.close_code(), Some(1009));
    }
    for outcome in feed_both(&config, |to| {
        frames(to, &[(0x02, &[1; 200]), (0x80, &[1; 100])])
    }) {
        assert_eq!(outcome.events, [binary([1; 300])]);
    }
}

#[test]
fn g04_honest_messages_of_many_fragments_arrive() {
    for (count, size) in [(16_384, 64), (60_000, 16)] {
        for role in ROLES {
            let payload = vec![b'a'; size];
            let mut octets = frame(role, 0x01, &payload);
            octets.extend(frame(role, 0x00, &payload).repeat(count - 2));
            octets.extend(frame(role, 0x80, &payload));
            let mut subject = Subject::new(role, &defaults());
            for piece in octets.chunks(65_536) {
                subject.input(piece);
            }
            assert_eq!(subject.events(), [text(&"a".repeat(count * size))]);
        }
    }
}

#[test]
fn g06_the_pong_leaves_before_the_message_around_its_ping_is_complete() {
    for role in ROLES {
        let mut subject = Subject::new(role, &defaults());
        subject.frame(0x01, b"Hel");
        assert_eq!(
            subject.frame(0x89, b"now").events(),
            [Event::Ping("now".into())]
        );
        let sent = subject.sent();
        assert_eq!((sent[0].first, &sent[0].payload[..]), (0x8A, &b"now"[..]));
        assert_eq!(subject.frame(0x80, b"lo").events(), [text("Hello")]);
    }
}

#[test]
fn g06_control_frames_between_fragments_do_not_disturb_the_message() {
    for outcome in feed_both(&defaults(), |to| {
        frames(
            to,
            &[
                (0x01, b"a"),
                (0x89, b"p"),
                (0x00, b"b"),
                (0x8A, b"q"),
                (0x80, b"c"),
            ],
        )
    }) {
        assert_eq!(
            outcome.events,
            [
                Event::Ping("p".into()),
                Event::Pong("q".into()),
                text("abc")
            ]
        );
    }
}

#[test]
fn g07_a_control_frame_without_fin_fails_with_1002_on_its_first_octet() {
    for first in [0x08, 0x09, 0x0A] {
        for outcome in feed_both(&defaults(), |_| vec![first]) {
            outcome.assert_failed(ProtocolError::ControlFrameFragmented);
        }
    }
}

#[test]
fn g08_a_message_that_is_kept_unfinished_fails_with_1008_however_alive_its_sender_is() {
    let alone = |to| frame(to, 0x01, b"a");
    // The first fragment is not the last thing in its read.
    let with_pong = |to| frames(to, &[(0x01, b"a"), (0x8A, b"")]);
    let pong = |to| frame(to, 0x8A, b"alive");
    let fragment = |to| frame(to, 0x00, b"b");
    let both = |to| frames(to, &[(0x00, b"b"), (0x8A, b"")]);
    // K08: a frame that comes octet by octet.
    let begun = |to| frame(to, 0x82, &[0; 100])[..10].to_vec();
    let octet = |_| vec![0];
    type Octets = fn(Role) -> Vec<u8>;
    for (first, again) in [
        (alone as Octets, pong as Octets),
        (alone, fragment),
        (alone, both),
        (with_pong, pong),
        (with_pong, fragment),
        (with_pong, both),
        (begun, octet),
    ] {
        for role in ROLES {
            let mut subject = Subject::new(role, &defaults());
            subject.input(&first(role));
            for i in 1..8 {
                subject.wait_until(f64::from(i) * 16.0).input(&again(role));
                assert_eq!(
                    subject.connection.state(),
                    State::Open,
                    "after {i} times 16 s"
                );
            }
            subject.wait_until(119.9);
            assert_eq!(subject.connection.state(), State::Open);
            let outcome = subject.wait_until(120.0).outcome();
            outcome.assert_failed(ConnectionError::Deadline(Deadline::Message));
            assert_eq!(outcome.close_code(), Some(1008));
        }
    }
}

#[test]
fn g08_messages_that_end_in_time_never_run_into_the_deadline_however_many_there_are() {
    for role in ROLES {
        let mut subject = Subject::new(role, &defaults());
        // Every read ends in the middle of a message, as it may with a busy peer.
        subject.frame(0x01, b"a");
        for i in 1..60 {
            subject.wait_until(f64::from(i) * 10.0);
            subject.input(&frames(role, &[(0x80, b"b"), (0x01, b"a")]));
            assert_eq!(subject.events(), [text("ab")]);
        }
        // And in the middle of a header.
        let mut subject = Subject::new(role, &defaults());
        let ping = frame(role, 0x89, b"?");
        subject.input(&ping[..1]);
        for i in 1..60 {
            subject.wait_until(f64::from(i) * 10.0);
            subject.input(&[&ping[1..], &ping[..1]].concat());
            assert_eq!(subject.events(), [Event::Ping("?".into())]);
        }
    }
}

#[test]
fn g09_a_close_in_the_middle_of_a_message_is_answered_and_the_message_is_not_delivered() {
    for outcome in feed_both(&defaults(), |to| {
        frames(to, &[(0x01, b"unfinished"), (0x88, b"\x03\xe8")])
    }) {
        assert_eq!(outcome.state, State::Closed);
        assert_eq!(outcome.close_code(), Some(1000));
        assert_eq!(outcome.messages(), []);
        assert_eq!(
            (outcome.closed.code, outcome.closed.clean, outcome.error()),
            (CloseCode::NORMAL, true, None)
        );
    }
}

#[test]
fn an_outgoing_message_is_cut_at_the_fragment_size_and_not_below_it() {
    let config = config(|config| config.limits.out_fragment = 4);
    for role in ROLES {
        for (payload, expected) in [
            ("", &[(0x81, "")][..]),
            ("abcd", &[(0x81, "abcd")]),
            ("abcde", &[(0x01, "abcd"), (0x80, "e")]),
            ("abcdefghi", &[(0x01, "abcd"), (0x00, "efgh"), (0x80, "i")]),
        ] {
            let mut subject = Subject::new(role, &config);
            subject
                .connection
                .send(Message::text(payload), Default::default())
                .unwrap();
            let sent = subject.settle().sent();
            let sent: Vec<(u8, &str)> = sent
                .iter()
                .map(|frame| (frame.first, core::str::from_utf8(&frame.payload).unwrap()))
                .collect();
            assert_eq!(sent, expected);
        }
    }
}

#[test]
fn fragments_of_ours_are_understood_by_the_other_end() {
    let config = config(|config| config.limits.out_fragment = 1);
    for role in ROLES {
        let mut sender = Subject::new(role, &config);
        sender
            .connection
            .send(Message::text("grüße"), Default::default())
            .unwrap();
        let octets = sender.settle().outcome().sent;
        assert_eq!(feed(role.peer(), &config, &octets).events, [text("grüße")]);
    }
    assert_eq!(Role::Client.peer(), Role::Server);
}

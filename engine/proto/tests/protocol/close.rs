//! The closing handshake: RFC 6455 §5.5.1 and §7.

use std::time::Duration;

use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::connection::Transmit;
use cloverleaf_proto::endpoint::State;
use cloverleaf_proto::error::{ConnectionError, Deadline, ProtocolError, UsageError};
use cloverleaf_proto::event::Closed;
use cloverleaf_proto::extension::Hints;
use cloverleaf_proto::message::Kind;
use cloverleaf_proto::{Event, Message, Role};

use crate::subject::{
    Outcome, ROLES, Subject, at, config, connection, defaults, feed, feed_both, text,
};
use crate::wire::{frame, frames};

const CLOSE: u8 = 0x88;

fn payload(code: u16, reason: &[u8]) -> Vec<u8> {
    [&code.to_be_bytes(), reason].concat()
}

/// The last event, which must be the only one of its kind.
#[track_caller]
fn end(outcome: &Outcome) -> &Closed {
    let count = outcome
        .events
        .iter()
        .filter(|event| matches!(event, Event::Closed(_)))
        .count();
    assert_eq!(count, 1, "{:?}", outcome.events);
    let Some(Event::Closed(closed)) = outcome.events.last() else {
        panic!("nothing comes behind the end: {:?}", outcome.events);
    };
    closed
}

// The peer closes.

#[test]
fn l01_every_code_that_may_be_sent_is_echoed_and_reported() {
    let codes = (1000..=1003)
        .chain(1007..=1014)
        .chain([3000, 3999, 4000, 4999]);
    for code in codes {
        for outcome in feed_both(&defaults(), |to| frame(to, CLOSE, &payload(code, b"why"))) {
            assert_eq!(outcome.close_code(), Some(code));
            assert_eq!(
                outcome.frames()[0].payload.len(),
                2,
                "the reason is not echoed"
            );
            let closed = &outcome.closed;
            assert_eq!((closed.code.number(), &*closed.reason), (code, "why"));
            assert!(closed.clean);
            assert_eq!(outcome.state, State::Closed);
        }
    }
}

#[test]
fn l02_a_code_that_may_not_be_sent_fails_with_1002() {
    for code in [
        0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535,
    ] {
        for outcome in feed_both(&defaults(), |to| frame(to, CLOSE, &payload(code, b""))) {
            outcome.assert_failed(ProtocolError::InvalidCloseCode);
            assert_eq!(outcome.close_code(), Some(1002), "{code}");
        }
    }
}

#[test]
fn l03_an_empty_close_frame_is_answered_with_an_empty_one_and_counts_as_1005() {
    for outcome in feed_both(&defaults(), |to| frame(to, CLOSE, b"")) {
        assert_eq!(outcome.frames()[0].payload, b"");
        assert_eq!(outcome.closed.code, CloseCode::NO_STATUS);
        assert!(outcome.closed.clean);
    }
}

#[test]
fn l03_one_octet_is_no_code_and_124_octets_of_reason_are_too_many() {
    for outcome in feed_both(&defaults(), |to| frame(to, CLOSE, b"\x03")) {
        outcome.assert_failed(ProtocolError::CloseFrameTooShort);
    }
    for outcome in feed_both(&defaults(), |to| {
        frame(to, CLOSE, &payload(1000, &[b'x'; 123]))
    }) {
        assert_eq!(outcome.closed.reason.len(), 123);
    }
    for outcome in feed_both(&defaults(), |to| {
        frame(to, CLOSE, &payload(1000, &[b'x'; 124]))
    }) {
        outcome.assert_failed(ProtocolError::ControlFrameTooLong);
    }
}

#[test]
fn u05_a_reason_that_is_not_utf8_fails_with_1007() {
    for reason in [&b"\xff"[..], b"abc\xce", b"\xed\xa0\x80"] {
        for outcome in feed_both(&defaults(), |to| frame(to, CLOSE, &payload(1000, reason))) {
            outcome.assert_failed(ProtocolError::CloseReasonNotUtf8);
            assert_eq!(outcome.close_code(), Some(1007));
        }
    }
    for outcome in feed_both(&defaults(), |to| {
        frame(to, CLOSE, &payload(1000, "κ".as_bytes()))
    }) {
        assert_eq!(&*outcome.closed.reason, "κ");
    }
}

#[test]
fn l08_what_comes_behind_the_peers_close_frame_is_neither_delivered_nor_answered_nor_judged() {
    for behind in [
        &[(0x81, &b"text"[..])][..],
        &[(0x89, b"ping")],
        &[(0x88, b"\x03\xe9")],
        &[(0xFF, b"garbage")],
        &[(0x80, b"")],
    ] {
        for outcome in feed_both(&defaults(), |to| {
            [frame(to, CLOSE, b"\x03\xe8"), frames(to, behind)].concat()
        }) {
            assert_eq!(outcome.frames().len(), 1);
            assert_eq!(outcome.close_code(), Some(1000));
            assert!(
                !outcome
                    .events
                    .iter()
                    .any(|event| !matches!(event, Event::Closed(_)))
            );
            assert!(outcome.closed.clean);
        }
    }
}

#[test]
fn section_7_1_1_a_server_ends_tcp_at_once_and_a_client_waits_for_it() {
    let server = feed(
        Role::Server,
        &defaults(),
        &frame(Role::Server, CLOSE, b"\x03\xe8"),
    );
    assert!(server.shutdown && server.done);
    assert_eq!(end(&server).initiator, Some(Role::Client));

    let mut client = Subject::new(Role::Client, &defaults());
    let waiting = client.frame(CLOSE, b"\x03\xe8").outcome();
    assert_eq!(
        (waiting.state, waiting.shutdown, waiting.done),
        (State::Closed, false, false)
    );
    assert_eq!(waiting.events, []);
    let outcome = client.eof().outcome();
    assert!(outcome.shutdown && outcome.done);
    let closed = end(&outcome);
    assert_eq!((closed.clean, &closed.error), (true, &None));
    assert_eq!(closed.initiator, Some(Role::Server));
}

#[test]
fn l06_a_client_whose_server_never_ends_tcp_waits_10_s_and_is_clean_all_the_same() {
    let mut client = Subject::new(Role::Client, &defaults());
    client.frame(CLOSE, b"\x03\xe8");
    assert!(!client.wait_until(9.9).outcome().done);
    let outcome = client.wait_until(10.0).outcome();
    assert!(outcome.done);
    assert_eq!((end(&outcome).clean, &end(&outcome).error), (true, &None));
}

// We close.

#[test]
fn our_close_goes_behind_everything_sent_before_and_the_answer_ends_it() {
    for role in ROLES {
        let mut subject = Subject::new(role, &defaults());
        subject
            .connection
            .send(Message::binary(vec![0; 200_000]), Hints::new())
            .unwrap();
        subject
            .connection
            .close(CloseCode::new(4000), "enough")
            .unwrap();
        let sent = subject.settle().sent();
        let size: usize = sent.iter().map(|frame| frame.payload.len()).sum();
        assert_eq!(size, 200_000 + 8);
        let last = sent.last().unwrap();
        assert_eq!(
            (last.first, &last.payload[..]),
            (CLOSE, &b"\x0f\xa0enough"[..])
        );
        assert_eq!(subject.connection.state(), State::Closing);

        let outcome = subject.frame(CLOSE, b"\x0f\xa0").eof().outcome();
        assert_eq!(outcome.sent, b"", "our close frame was the last");
        let closed = end(&outcome);
        assert_eq!((closed.code.number(), closed.clean), (4000, true));
        assert_eq!(closed.initiator, Some(role));
        assert!(outcome.done && outcome.shutdown);
    }
}

#[test]
fn what_comes_before_the_answer_to_our_close_is_thrown_away_and_the_answer_counts() {
    for role in ROLES {
        let behind = frames(
            role,
            &[
                (0x81, &b"late"[..]),
                (0x89, b"ping"),
                (0x01, b"unfinished \xce"),
                (0x80, b"\xff and not UTF-8"),
                (0x02, &[0; 300]),
                (CLOSE, b"\x03\xe8bye"),
            ],
        );
        for size in [1, 5, 1000] {
            let mut subject = Subject::new(role, &defaults());
            subject.connection.close(CloseCode::NORMAL, "").unwrap();
            subject.settle().sent();
            for piece in behind.chunks(size) {
                subject.input(piece);
            }
            let outcome = subject.eof().outcome();
            assert_eq!(outcome.sent, b"", "no pong");
            assert_eq!(outcome.events.len(), 1);
            assert_eq!((end(&outcome).clean, &*end(&outcome).reason), (true, "bye"));
        }
    }
}

#[test]
fn a_peer_may_end_a_message_that_was_half_there_when_we_closed() {
    for role in ROLES {
        let octets = frames(role, &[(0x01, &[b'a'; 50]), (0x80, b"b"), (CLOSE, b"")]);
        for cut in 1..octets.len() - 3 {
            let mut subject = Subject::new(role, &defaults());
            subject.input(&octets[..cut]);
            subject.connection.close(CloseCode::NORMAL, "").unwrap();
            let outcome = subject.settle().input(&octets[cut..]).eof().outcome();
            assert_eq!(end(&outcome).code, CloseCode::NO_STATUS, "cut at {cut}");
            assert!(outcome.closed.clean);
        }
    }
}

#[test]
fn the_peer_may_still_break_the_protocol_while_we_wait_for_its_close() {
    for role in ROLES {
        let mut subject = Subject::new(role, &defaults());
        subject.connection.close(CloseCode::NORMAL, "").unwrap();
        subject.settle().sent();
        let outcome = subject.input(&[0xFF]).outcome();
        assert_eq!(outcome.error(), Some(&ProtocolError::ReservedBitSet.into()));
        assert_eq!(outcome.sent, b"", "one close frame is enough");
        assert!(outcome.shutdown);
    }
}

#[test]
fn l04_a_peer_that_never_answers_is_cut_off_after_10_s() {
    for role in ROLES {
        let mut subject = Subject::new(role, &defaults());
        subject.connection.close(CloseCode::NORMAL, "").unwrap();
        assert!(!subject.settle().wait_until(9.9).outcome().done);
        let outcome = subject.wait_until(10.0).outcome();
        assert!(outcome.done);
        let closed = end(&outcome);
        assert_eq!((closed.code, closed.clean), (CloseCode::ABNORMAL, false));
        assert_eq!(
            closed.error,
            Some(ConnectionError::Deadline(Deadline::Close))
        );
        assert_eq!(closed.initiator, Some(role));
    }
}

#[test]
fn l05_a_peer_that_goes_on_sending_instead_of_closing_is_cut_off_after_10_s() {
    for role in ROLES {
        let mut subject = Subject::new(role, &defaults());
        subject.connection.close(CloseCode::NORMAL, "").unwrap();
        subject.settle();
        for i in 0..100 {
            subject
                .wait_until(f64::from(i) / 10.0)
                .frame(0x82, &[0; 10_000]);
            assert!(!subject.connection.is_done());
        }
        let outcome = subject.wait_until(10.0).outcome();
        assert_eq!(
            end(&outcome).error,
            Some(ConnectionError::Deadline(Deadline::Close))
        );
        assert_eq!(outcome.messages(), []);
    }
}

#[test]
fn a_close_that_cannot_be_written_is_given_up_after_10_s() {
    for role in ROLES {
        let mut connection = connection(role, &defaults());
        connection
            .send(Message::binary(vec![0; 1 << 20]), Hints::new())
            .unwrap();
        connection.close(CloseCode::NORMAL, "").unwrap();
        connection.handle_timeout(at(0.0));
        assert!(matches!(connection.poll_transmit(), Transmit::Write(..)));
        assert_eq!(connection.poll_timeout(), Some(at(10.0)));
        connection.handle_timeout(at(10.0));
        assert!(connection.is_done());
        assert_eq!(connection.poll_transmit(), Transmit::Idle);
        assert_eq!(connection.poll_timeout(), None);
    }
}

#[test]
fn l07_both_may_close_at_the_same_moment_however_their_octets_cross() {
    for order in 0..64 {
        let mut ends = ROLES.map(|role| Subject::new(role, &defaults()));
        for (end, code) in ends.iter_mut().zip([4001, 4002]) {
            end.connection
                .send(Message::text("last words"), Hints::new())
                .unwrap();
            end.connection.close(CloseCode::new(code), "").unwrap();
            end.settle();
        }
        let octets = [ends[0].outcome().sent, ends[1].outcome().sent];
        let mut rest = [&octets[1][..], &octets[0][..]];
        // The bits of `order` say whose octets come next, eight at a time.
        let mut turn: u8 = order;
        while !(rest[0].is_empty() && rest[1].is_empty()) {
            let who = (turn & 1) as usize;
            let (now, behind) = rest[who].split_at(rest[who].len().min(8));
            ends[who].input(now);
            rest[who] = behind;
            turn = turn.rotate_right(1) ^ 0x15;
        }
        for (subject, code) in ends.iter_mut().zip([4002, 4001]) {
            let outcome = subject.eof().outcome();
            assert_eq!(
                end(&outcome).code.number(),
                code,
                "each hears the other's code"
            );
            assert!(outcome.closed.clean && outcome.done);
            assert_eq!(
                outcome.close_code(),
                Some(8003 - code),
                "exactly one close frame"
            );
        }
    }
}

// The API.

#[test]
fn l11_a_code_that_may_not_be_sent_is_refused_and_nothing_happens() {
    for role in ROLES {
        let mut subject = Subject::new(role, &defaults());
        for number in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535] {
            let code = CloseCode::new(number);
            let refused = subject.connection.close(code, "");
            assert_eq!(refused, Err(UsageError::CloseCode(code)));
        }
        subject.settle().outcome().assert_quiet();
    }
}

#[test]
fn l11_a_reason_over_123_octets_is_refused_and_nothing_happens() {
    for role in ROLES {
        let mut subject = Subject::new(role, &defaults());
        for reason in ["x".repeat(124), "κ".repeat(62)] {
            let refused = subject.connection.close(CloseCode::NORMAL, &reason);
            assert_eq!(refused, Err(UsageError::TooLong));
        }
        subject.settle().outcome().assert_quiet();
        subject
            .connection
            .close(CloseCode::NORMAL, &"x".repeat(123))
            .unwrap();
        assert_eq!(subject.settle().sent()[0].payload.len(), 125);
    }
}

#[test]
fn l11_closing_again_does_nothing_and_sending_behind_it_is_refused() {
    for role in ROLES {
        let mut subject = Subject::new(role, &defaults());
        subject
            .connection
            .close(CloseCode::NORMAL, "first")
            .unwrap();
        subject
            .connection
            .close(CloseCode::GOING_AWAY, "second")
            .unwrap();
        let connection = &mut subject.connection;
        assert_eq!(
            connection.send("x".into(), Hints::new()),
            Err(UsageError::Closed)
        );
        let part = connection.send_part(Kind::Text, "x".into(), true, Hints::new());
        assert_eq!(part, Err(UsageError::Closed));
        assert_eq!(connection.ping(b""), Err(UsageError::Closed));
        assert_eq!(connection.pong(b""), Err(UsageError::Closed));
        let sent = subject.settle().sent();
        assert_eq!(
            (sent.len(), &sent[0].payload[..]),
            (1, &b"\x03\xe8first"[..])
        );
        subject.frame(CLOSE, b"").eof();
        assert_eq!(subject.connection.close(CloseCode::NORMAL, ""), Ok(()));
        assert_eq!(
            subject.connection.send("x".into(), Hints::new()),
            Err(UsageError::Closed)
        );
        assert_eq!(subject.settle().sent(), []);
    }
}

#[test]
fn behind_a_close_the_answer_to_every_send_is_closed_and_no_other_error() {
    for role in ROLES {
        let mut connection = connection(role, &defaults());
        connection
            .send(Message::binary(vec![0; 5 << 20]), Hints::new())
            .unwrap();
        connection.close(CloseCode::NORMAL, "").unwrap();
        // Not "full", which would invite to wait and try again.
        assert_eq!(
            connection.send("x".into(), Hints::new()),
            Err(UsageError::Closed)
        );
    }
    for role in ROLES {
        let mut subject = Subject::new(role, &defaults());
        subject
            .connection
            .send_part(Kind::Text, "x".into(), false, Hints::new())
            .unwrap();
        subject.connection.close(CloseCode::NORMAL, "").unwrap();
        // Not "part expected", which could never be satisfied.
        assert_eq!(
            subject.connection.send("x".into(), Hints::new()),
            Err(UsageError::Closed)
        );
    }
}

#[test]
fn a_reason_of_an_error_is_cut_inside_no_character() {
    use cloverleaf_proto::extension::{Claims, Extensions, Failure, Stage};
    let toy = crate::toy::Toy::new("x-talks", Claims::at(Stage::Message))
        .decoding(|_, _, _| Err(Failure::protocol("€".repeat(100))));
    let config = config(|config| config.extensions = Extensions::new().with(toy).unwrap());
    for outcome in feed_both(&config, |to| frame(to, 0x81, b"x")) {
        let reason = &outcome.frames()[0].payload[2..];
        assert_eq!(core::str::from_utf8(reason), Ok(&*"€".repeat(41)));
    }
}

// The end of the stream.

#[test]
fn the_end_of_the_stream_in_every_state() {
    let closed_by_peer = |subject: &mut Subject| {
        subject.frame(CLOSE, b"\x03\xe9");
    };
    let closing = |subject: &mut Subject| {
        subject.connection.close(CloseCode::NORMAL, "").unwrap();
        subject.settle();
    };
    let failing = |subject: &mut Subject| {
        subject.input(&[0xFF]);
    };
    let open = |_: &mut Subject| ();
    type Step = dyn Fn(&mut Subject);
    for (name, step, code, clean, error) in [
        (
            "open",
            &open as &Step,
            1006,
            false,
            Some(ConnectionError::Lost),
        ),
        (
            "closing",
            &closing,
            1006,
            false,
            Some(ConnectionError::Lost),
        ),
        ("closed", &closed_by_peer, 1001, true, None),
        (
            "failing",
            &failing,
            1006,
            false,
            Some(ProtocolError::ReservedBitSet.into()),
        ),
    ] {
        for role in ROLES {
            for lost in [false, true] {
                let mut subject = Subject::new(role, &defaults());
                step(&mut subject);
                if lost {
                    subject.connection.handle_lost(at(0.0));
                    subject.settle();
                } else {
                    subject.eof();
                }
                let outcome = subject.outcome();
                assert!(outcome.done, "{name}");
                let closed = end(&outcome);
                let found = (closed.code.number(), closed.clean, closed.error.clone());
                assert_eq!(found, (code, clean, error.clone()), "{name}, {role:?}");
                assert_eq!(subject.connection.poll_timeout(), None);
                // And again: nothing more comes of it.
                let again = subject.eof().outcome();
                assert_eq!(again, outcome);
            }
        }
    }
}

#[test]
fn a_peer_that_ends_its_side_behind_its_close_frame_still_gets_our_answer() {
    for role in ROLES {
        let mut connection = connection(role, &defaults());
        connection
            .send(Message::text("before"), Hints::new())
            .unwrap();
        connection.handle_input(at(0.0), &mut frame(role, CLOSE, b"\x03\xe8"));
        connection.handle_eof(at(0.0));
        assert_eq!(connection.poll_event(), None);
        let mut subject_sent = Vec::new();
        while let Transmit::Write(front, back) = connection.poll_transmit() {
            subject_sent.extend([front, back].concat());
            let n = front.len() + back.len();
            connection.handle_written(at(0.0), n);
        }
        let sent = crate::wire::read(&subject_sent);
        assert_eq!((sent.len(), sent[1].first), (2, CLOSE));
        assert_eq!(connection.poll_transmit(), Transmit::Shutdown);
        connection.handle_shutdown(at(0.0));
        assert!(matches!(connection.poll_event(), Some(Event::Closed(closed)) if closed.clean));
    }
}

#[test]
fn a_broken_stream_is_not_written_to_but_what_came_before_is_delivered() {
    for role in ROLES {
        let mut connection = connection(role, &defaults());
        connection
            .send(Message::text("never arrives"), Hints::new())
            .unwrap();
        connection.handle_input(
            at(0.0),
            &mut frames(role, &[(0x81, b"one"), (0x81, b"two")]),
        );
        connection.handle_lost(at(0.0));
        assert_eq!(connection.poll_transmit(), Transmit::Idle);
        assert_eq!(connection.poll_event(), Some(text("one")));
        assert_eq!(connection.poll_event(), Some(text("two")));
        let Some(Event::Closed(closed)) = connection.poll_event() else {
            panic!("the end")
        };
        assert_eq!(closed.error, Some(ConnectionError::Lost));
        assert_eq!(connection.poll_event(), None);
        assert_eq!(connection.poll_transmit(), Transmit::Idle);
    }
}

// Failing.

#[test]
fn behind_the_close_frame_of_a_failure_we_linger_for_a_second() {
    for role in ROLES {
        let mut subject = Subject::new(role, &defaults());
        subject.wait_until(5.0).input(&[0xFF]);
        assert!(subject.outcome().shutdown);
        let due = subject.connection.poll_timeout().unwrap();
        assert_eq!(due - at(5.0), Duration::from_secs(1));
        subject.frame(0x81, b"still talking").wait_until(5.9);
        assert!(!subject.connection.is_done());
        let outcome = subject.wait_until(6.0).outcome();
        assert!(outcome.done);
        assert_eq!(
            end(&outcome).error,
            Some(ProtocolError::ReservedBitSet.into())
        );
        assert_eq!(outcome.messages(), []);
    }
}

#[test]
fn a_failure_drops_what_was_not_sent_yet_but_finishes_the_frame_that_is_half_out() {
    for role in ROLES {
        let mut connection = connection(role, &defaults());
        connection
            .send(Message::binary(vec![0; 300_000]), Hints::new())
            .unwrap();
        let Transmit::Write(..) = connection.poll_transmit() else {
            panic!("there is much to write")
        };
        connection.handle_written(at(0.0), 100);
        connection.handle_input(at(0.0), &mut [0xFF]);
        assert_eq!(connection.poll_event(), None);
        let mut left = Vec::new();
        while let Transmit::Write(front, back) = connection.poll_transmit() {
            left.extend([front, back].concat());
            let n = front.len() + back.len();
            connection.handle_written(at(0.0), n);
        }
        assert!(left.len() < 140_000, "{}", left.len());
        let tail = &left[left.len() - 60..];
        assert!(tail.contains(&CLOSE));
        assert_eq!(connection.poll_transmit(), Transmit::Shutdown);
    }
}

#[test]
fn who_sent_the_first_close_frame_is_remembered() {
    for role in ROLES {
        let failed = feed(role, &defaults(), &[0xFF]);
        assert_eq!(failed.closed.initiator, Some(role));
        let lost = Subject::new(role, &defaults()).eof().outcome();
        assert_eq!(lost.closed.initiator, None);
    }
}

#[test]
fn no_pong_is_owed_behind_the_peers_close_frame_or_behind_its_error() {
    for role in ROLES {
        for last in [frame(role, CLOSE, b"\x03\xe8"), vec![0xFF]] {
            let mut connection = connection(role, &defaults());
            // The buffer is full, so that the pong has to wait.
            connection
                .send(Message::binary(vec![0; 70_000]), Hints::new())
                .unwrap();
            let mut input = [frame(role, 0x89, b"?"), last].concat();
            connection.handle_input(at(0.0), &mut input);
            assert!(connection.poll_event().is_some());
            assert_eq!(connection.poll_event(), None);
            let mut sent = Vec::new();
            while let Transmit::Write(front, back) = connection.poll_transmit() {
                sent.extend([front, back].concat());
                let n = front.len() + back.len();
                connection.handle_written(at(0.0), n);
            }
            let firsts: Vec<u8> = crate::wire::read(&sent)
                .iter()
                .map(|frame| frame.first)
                .collect();
            assert!(!firsts.contains(&0x8A), "{firsts:x?}");
            assert_eq!(firsts.last(), Some(&CLOSE));
        }
    }
}

#[test]
fn lingering_ends_with_the_close_timeout_if_that_comes_first() {
    for role in ROLES {
        let mut subject = Subject::new(role, &defaults());
        subject.connection.close(CloseCode::NORMAL, "").unwrap();
        subject.settle().wait_until(9.5).input(&[0xFF]);
        assert!(!subject.wait_until(9.9).connection.is_done());
        assert!(subject.wait_until(10.0).connection.is_done());
    }
}

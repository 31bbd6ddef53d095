//! Time: pings, and how long what may last. All of it in virtual time.

use std::time::Duration;

use cloverleaf_proto::endpoint::State;
use cloverleaf_proto::error::{ConnectionError, Deadline};
use cloverleaf_proto::extension::Hints;
use cloverleaf_proto::{Config, Event, Message};

use crate::subject::{ROLES, Subject, at, config, connection, defaults};
use crate::wire::frame;

/// Pings after exactly 20 s: the key of the tests would move it a little.
fn every_20_s() -> (Config, f64) {
    let config = defaults();
    let due = connection(ROLES[0], &config)
        .poll_timeout()
        .expect("a ping is planned");
    (config, due.duration_since(at(0.0)).as_secs_f64())
}

#[test]
fn the_first_ping_is_due_after_20_s_give_or_take_a_tenth() {
    let (_, due) = every_20_s();
    assert!((18.0..=22.0).contains(&due), "{due}");
}

#[test]
fn k06_silence_is_pinged_after_20_s_and_ended_with_1011_after_20_more() {
    let (config, due) = every_20_s();
    for role in ROLES {
        let mut subject = Subject::new(role, &config);
        assert_eq!(subject.wait_until(due - 0.1).sent(), []);
        let pings = subject.wait_until(due).sent();
        assert_eq!((pings.len(), pings[0].first), (1, 0x89));
        assert_eq!(subject.wait_until(due + 19.9).sent(), [], "one ping");
        let outcome = subject.wait_until(due + 20.0).outcome();
        outcome.assert_failed(ConnectionError::Deadline(Deadline::Ping));
        assert_eq!(outcome.close_code(), Some(1011));
        // The peer is as silent as before: nothing to linger for beyond a second.
        let outcome = subject.wait_until(due + 21.1).outcome();
        assert!(outcome.done);
        assert!(matches!(outcome.events[..], [Event::Closed(_)]));
    }
}

#[test]
fn k05_any_octet_is_life_but_only_the_right_pong_is_a_round_trip() {
    let (config, due) = every_20_s();
    for role in ROLES {
        let mut subject = Subject::new(role, &config);
        let ping = subject.wait_until(due).sent().remove(0);
        subject
            .wait_until(due + 19.0)
            .frame(0x8A, b"something else");
        assert_eq!(subject.connection.round_trip(), None);
        subject.wait_until(due + 20.0);
        assert_eq!(subject.connection.state(), State::Open);
        subject.frame(0x8A, &ping.payload);
        assert_eq!(
            subject.connection.round_trip(),
            Some(Duration::from_secs(20))
        );
        // Half a header is life too.
        let mut subject = Subject::new(role, &config);
        subject
            .wait_until(due + 19.0)
            .input(&frame(role, 0x81, b"x")[..1]);
        subject.wait_until(due + 21.0);
        assert_eq!(subject.connection.state(), State::Open);
    }
}

#[test]
fn a_peer_that_talks_is_not_pinged() {
    for role in ROLES {
        let mut subject = Subject::new(role, &defaults());
        for i in 1..100 {
            subject.wait_until(f64::from(i) * 17.0).frame(0x81, b"x");
        }
        assert_eq!(subject.sent(), []);
    }
}

#[test]
fn k12_a_clock_that_jumps_an_hour_gives_one_ping_and_no_burst() {
    for role in ROLES {
        let mut connection = connection(role, &defaults());
        connection.handle_timeout(at(3600.0));
        connection.handle_timeout(at(3600.0));
        assert_eq!(connection.state(), State::Open);
        assert!(
            connection
                .poll_timeout()
                .is_some_and(|due| due > at(3600.0))
        );
        assert!(connection.buffered() < 20);
    }
}

#[test]
fn a_clock_that_goes_backwards_does_no_harm() {
    for role in ROLES {
        let mut subject = Subject::new(role, &defaults());
        subject.wait_until(30.0);
        subject.connection.handle_timeout(at(0.0));
        subject
            .connection
            .handle_input(at(1.0), &mut frame(role, 0x8A, &[0, 0, 0, 1]));
        subject.connection.handle_written(at(0.5), 0);
        subject.settle();
        assert_eq!(subject.connection.state(), State::Open);
        assert_eq!(subject.connection.round_trip(), Some(Duration::ZERO));
    }
}

#[test]
fn without_an_interval_nobody_is_pinged_and_nothing_is_due() {
    let config = config(|config| config.timing.ping_interval = None);
    for role in ROLES {
        let mut subject = Subject::new(role, &config);
        assert_eq!(subject.connection.poll_timeout(), None);
        assert_eq!(subject.wait_until(1e6).sent(), []);
        assert_eq!(subject.connection.state(), State::Open);
    }
}

#[test]
fn durations_without_end_mean_never_and_do_not_overflow() {
    let config = config(|config| {
        config.timing.ping_interval = Some(Duration::MAX);
        config.timing.ping_timeout = Duration::MAX;
        config.timing.message_timeout = Duration::MAX;
        config.timing.close_timeout = Duration::MAX;
        config.timing.close_linger = Duration::MAX;
        config.timing.write_stall_timeout = Duration::MAX;
    });
    for role in ROLES {
        let mut subject = Subject::new(role, &config);
        subject.frame(0x01, b"unfinished").wait_until(1e6);
        subject
            .connection
            .send(Message::binary("a"), Hints::new())
            .unwrap();
        subject.connection.handle_written(at(1e6), 0);
        subject.connection.handle_timeout(at(1e6 + 1.0));
        assert_eq!(subject.connection.state(), State::Open);
        subject.input(&[0xFF]).wait_until(2e6);
        assert!(
            !subject.connection.is_done(),
            "it lingers as it was told to"
        );
        assert!(subject.eof().connection.is_done());
    }
}

#[test]
fn a_peer_that_does_not_read_for_30_s_is_cut_off_and_one_that_reads_an_octet_is_not() {
    let config = config(|config| config.timing.ping_interval = None);
    for role in ROLES {
        for reads in [false, true] {
            let mut connection = connection(role, &config);
            connection
                .send(Message::binary(vec![1; 1000]), Hints::new())
                .unwrap();
            for i in 0..60 {
                let now = at(f64::from(i) * 10.0);
                connection.handle_timeout(now);
                let _ = connection.poll_transmit();
                connection.handle_written(now, usize::from(reads));
            }
            let expected = (!reads).then_some(ConnectionError::Deadline(Deadline::WriteStall));
            assert_eq!(connection.closed().error, expected);
            assert_eq!(connection.is_done(), !reads);
        }
    }
}

#[test]
fn nothing_waits_to_be_written_so_nothing_can_stall() {
    let config = config(|config| config.timing.ping_interval = None);
    for role in ROLES {
        let mut subject = Subject::new(role, &config);
        subject
            .connection
            .send(Message::binary("a"), Hints::new())
            .unwrap();
        subject.settle().wait_until(1e5);
        assert_eq!(subject.connection.state(), State::Open);
    }
}

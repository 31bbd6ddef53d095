//! What a hostile peer may try.

use cloverleaf_heartbeat::{Heartbeat, Resolution};
use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::error::ConnectionError;
use cloverleaf_proto::{Event, Role};

use crate::wire::frame;
use crate::{End, both_ways, ends};

const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// An end that has asked once at 1,000 microseconds, when it is 2,000; and the role of its peer.
fn victims(resolution: Resolution) -> [(End, Role); 2] {
    ROLES.map(|role| {
        let [client, server] = ends([resolution; 2]);
        let (mut victim, peer) = match role {
            Role::Client => (client, Role::Server),
            Role::Server => (server, Role::Client),
        };
        victim.clock.set(1000);
        victim.send_beat();
        victim.output();
        victim.clock.set(2000);
        (victim, peer)
    })
}

fn answer(sequence: u32, sent: u64, seen: u64) -> Vec<u8> {
    let mut octets = vec![1];
    octets.extend_from_slice(&sequence.to_be_bytes());
    octets.extend_from_slice(&sent.to_be_bytes());
    octets.extend_from_slice(&seen.to_be_bytes());
    octets
}

fn beat(sequence: u32, sent: u64) -> Vec<u8> {
    let mut octets = answer(sequence, sent, 0);
    octets[0] = 0;
    octets.truncate(13);
    octets
}

#[test]
fn what_has_another_form_fails_the_connection_with_1002() {
    let extended = |mut octets: Vec<u8>| {
        octets.push(0);
        octets
    };
    let mut table = vec![
        (Vec::new(), "heartbeat of a wrong length"),
        (vec![0], "heartbeat of a wrong length"),
        (vec![2], "heartbeat of an unknown kind"),
        (vec![0xFF; 125], "heartbeat of an unknown kind"),
        (extended(beat(0, 0)), "heartbeat of a wrong length"),
        (extended(answer(0, 1000, 0)), "heartbeat of a wrong length"),
        (beat(0, 1 << 63), "heartbeat with an impossible time"),
        (beat(0, u64::MAX), "heartbeat with an impossible time"),
        (
            answer(0, 1000, 1 << 63),
            "heartbeat with an impossible time",
        ),
        (answer(0, u64::MAX, 0), "heartbeat with an impossible time"),
    ];
    for n in 0..13 {
        let mut cut = beat(7, 7);
        cut.truncate(n);
        table.push((cut, "heartbeat of a wrong length"));
    }
    for n in 1..21 {
        let mut cut = answer(0, 1000, 7);
        cut.truncate(n);
        table.push((cut, "heartbeat of a wrong length"));
    }
    for (payload, reason) in table {
        for (mut victim, peer) in victims(Resolution::Microseconds) {
            assert_eq!(victim.input(&frame(peer, 0x8B, &payload)), []);
            let closed = victim.connection.closed();
            let error = closed.error.unwrap_or_else(|| panic!("{payload:?} passed"));
            assert_eq!(error.close_code(), Some(CloseCode::PROTOCOL_ERROR));
            let ConnectionError::Extension(failure) = error else {
                panic!("{error:?}");
            };
            assert_eq!(failure.reason(), reason);
        }
    }
}

#[test]
fn times_finer_than_was_said_fail_the_connection_with_1002() {
    for (payload, fine) in [
        (beat(0, 3000), false),
        (beat(0, 3001), true),
        (answer(0, 1000, 3000), false),
        (answer(0, 1000, 3999), true),
    ] {
        for (mut victim, peer) in victims(Resolution::Milliseconds) {
            victim.input(&frame(peer, 0x8B, &payload));
            assert_eq!(victim.connection.closed().error.is_some(), fine);
        }
    }
}

#[test]
fn an_answer_to_nothing_is_ignored_and_becomes_no_figure() {
    for payload in [
        answer(1, 1000, 0),
        answer(u32::MAX, 1000, 0),
        answer(0, 999, 0),
        answer(0, 1001, 0),
        answer(0, 0, 0),
        // From the future.
        answer(0, 2001, 0),
        answer(0, i64::MAX as u64, i64::MAX as u64),
    ] {
        for (mut victim, peer) in victims(Resolution::Microseconds) {
            for event in victim.input(&frame(peer, 0x8B, &payload)) {
                assert_eq!(victim.beats.measure(&event), None, "{payload:?}");
            }
            assert_eq!(victim.connection.closed().error, None);
            assert_eq!(
                (victim.beats.unanswered(), victim.beats.figures()),
                (1, None)
            );
        }
    }
}

#[test]
fn an_answer_counts_once() {
    for (mut victim, peer) in victims(Resolution::Microseconds) {
        let octets = frame(peer, 0x8B, &answer(0, 1000, 0));
        let events = victim.input(&octets);
        assert!(victim.beats.measure(&events[0]).is_some());
        assert_eq!(victim.beats.measure(&events[0]), None, "shown again");
        assert_eq!(victim.input(&octets), [], "sent again");
        assert_eq!(victim.input(&octets.repeat(1000)), [], "and again");
        assert_eq!(victim.connection.closed().error, None);
    }
}

#[test]
fn the_farthest_times_there_are_give_figures_that_fit() {
    let last = i64::MAX as u64;
    for (sent, seen, received, offset, error) in [
        (0, last, 0, i64::MAX, 0),
        (last, 0, last, -i64::MAX, 0),
        (0, 0, last, -(i64::MAX / 2) - 1, 1 << 62),
        (0, last, last, i64::MAX / 2, 1 << 62),
    ] {
        both_ways(|role, mut asker, mut other| {
            asker.clock.set(sent);
            other.clock.set(seen);
            asker.send_beat();
            other.input(&asker.output());
            asker.clock.set(received);
            let events = asker.input(&other.output());
            let latency = asker.beats.measure(&events[0]).expect("it is an answer");
            assert_eq!(latency.offset().micros(), offset, "{role:?}");
            assert_eq!(latency.offset().error().as_micros(), error);
            let figures = asker.beats.figures().expect("there is one");
            assert_eq!(figures.last.as_micros(), u128::from(received - sent));
            assert!(figures.to_string().contains("1 answers"), "{figures}");
        });
    }
}

#[test]
fn a_clock_beyond_the_last_time_stands_there() {
    let [mut client, mut server] = ends([Resolution::Microseconds; 2]);
    client.clock.set(u64::MAX);
    client.send_beat();
    server.input(&client.output());
    let events = client.input(&server.output());
    let latency = client.beats.measure(&events[0]).expect("it is an answer");
    assert!(latency.round_trip().is_zero());
}

#[test]
fn a_clock_of_ours_that_goes_back_ends_nothing_and_tells_nothing() {
    both_ways(|_, mut asker, mut other| {
        asker.clock.set(5000);
        asker.send_beat();
        other.input(&asker.output());
        asker.clock.set(4000);
        assert_eq!(asker.input(&other.output()), []);
        assert_eq!(asker.connection.closed().error, None);
    });
}

#[test]
fn a_flood_of_beats_is_answered_as_far_as_the_write_buffer_has_room() {
    for (mut victim, peer) in victims(Resolution::Microseconds) {
        // Read without ever writing: whatever is to be sent waits.
        for number in 0..20_000 {
            let octets = frame(peer, 0x8B, &beat(number, 0));
            assert_eq!(victim.input(&octets), []);
        }
        let waiting = victim.connection.buffered();
        // The write buffer up to its mark, the frame that crossed it, and the slot.
        assert!(waiting < (64 << 10) + 64, "{waiting} octets wait");
        assert_eq!(victim.connection.closed().error, None);
    }
}

#[test]
fn a_peer_that_never_answers_costs_16_beats() {
    both_ways(|_, mut asker, _| {
        for _ in 0..1000 {
            asker.send_beat();
            asker.output();
        }
        assert_eq!(asker.beats.unanswered(), 16);
    });
}

#[test]
fn a_notice_of_somebody_else_or_of_another_form_is_not_ours() {
    let [mut client, _] = ends([Resolution::Microseconds; 2]);
    client.beats.beat();
    for (name, payload) in [
        ("x-other", vec![0; 36]),
        (Heartbeat::NAME, vec![]),
        (Heartbeat::NAME, vec![0; 35]),
        (Heartbeat::NAME, vec![0; 37]),
        // A resolution of nothing.
        (Heartbeat::NAME, vec![0; 36]),
    ] {
        let event = Event::Notice {
            extension: name.into(),
            payload: payload.into(),
        };
        assert_eq!(client.beats.measure(&event), None);
    }
}

#[test]
fn garbage_never_panics_and_never_becomes_a_figure() {
    let mut state = 1_u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as u8
    };
    for _ in 0..2000 {
        for (mut victim, peer) in victims(Resolution::Microseconds) {
            let length = next() % 26;
            let mut payload: Vec<u8> = (0..length).map(|_| next()).collect();
            if let Some(first) = payload.first_mut() {
                *first %= 3;
            }
            for event in victim.input(&frame(peer, 0x8B, &payload)) {
                assert_eq!(victim.beats.measure(&event), None);
            }
        }
    }
}

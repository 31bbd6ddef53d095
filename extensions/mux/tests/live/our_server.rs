//! Our server, the mux client of its tests.
//!
//! It is far from complete, and says so. What had to be mended is beside each repair in
//! `pywebsocket_client.py`. Not mended: it ends at a ping of the connection.

use std::net::TcpListener;

use cloverleaf_mux::Mux;
use cloverleaf_proto::Event;
use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::event::Closed;
use cloverleaf_proto::handshake::{Decision, Rejection};
use cloverleaf_proto::trunk::Key;

use crate::line::{Line, accept, mux};
use crate::python::{Python, python};
use crate::wire::{End, Seen};

/// What came of a client: the line, how it ended, and how its channels did, in the order of that.
struct Outcome {
    line: Line,
    end: Closed,
    closed: Vec<(Key, Closed)>,
}

/// Serves its client to the end. `tolerates`: it is to break a quota, or to ask without a slot.
fn serve(python: &Python, mux: Mux, what: &str, tolerates: bool) -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let port = listener.local_addr().expect("it is bound").port();
    let client = python.client(port, what);
    let mut line = accept(&listener, mux);
    line.wire.tolerates = tolerates.then_some(End::Client);
    let mut closed = Vec::new();
    let end = line.until("end", |line| {
        while answer(line, &mut closed) {
            line.settle();
        }
        line.over.clone()
    });
    client.ends_well();
    Outcome { line, end, closed }
}

/// Accepts every channel for `/echo` and echoes, or does what it is told. Whether it did anything.
fn answer(line: &mut Line, closed: &mut Vec<(Key, Closed)>) -> bool {
    let mut answered = false;
    while let Some(key) = line.requested.pop_front() {
        answered = true;
        let received = line.trunk.received(key).expect("it waits");
        let decision = match received.request.uri().path() {
            "/echo" => Decision::accept(),
            _ => Decision::Reject(Rejection::not_found()),
        };
        line.trunk.respond(key, decision).expect("it can be done");
    }
    while let Some((key, event)) = line.any_event() {
        answered = true;
        match event {
            Event::Message(message) => match message.as_text() {
                Some("header x-room") => {
                    let request = line.opened[&key].handshake.request();
                    let room = request
                        .headers()
                        .get("x-room")
                        .map_or("none", |it| it.to_str().expect("it is"));
                    let room = room.to_owned();
                    line.send(key, room);
                }
                Some("close") => {
                    let closes = line.trunk.close(key, CloseCode::NORMAL, "");
                    closes.expect("it is open");
                }
                _ => line.send(key, message),
            },
            Event::Closed(how) => closed.push((key, how)),
            _ => {}
        }
    }
    answered
}

impl Outcome {
    /// The physical connection has ended as it should, and who began.
    fn ends_with(&self, code: CloseCode) -> &Self {
        assert_eq!(
            (self.end.code, self.end.clean),
            (code, true),
            "{:?}",
            self.end
        );
        self
    }

    fn of(&self, end: End) -> Vec<&Seen> {
        self.line.wire.of(end)
    }

    /// The DropChannel blocks, in order.
    fn drops(&self, end: End) -> Vec<(u32, Option<u16>)> {
        let drops = self.of(end).into_iter().filter_map(|seen| match seen {
            Seen::Drop(id, code) => Some((*id, *code)),
            _ => None,
        });
        drops.collect()
    }
}

#[test]
fn the_one_procedure_that_its_tests_have_for_it_passes() {
    let Some(python) = python() else { return };
    let outcome = serve(python, mux(), "its_own_test", false);
    let echoes: [&[(u8, &[u8])]; 4] = [
        &[],
        &[],
        &[(0x81, b"test"), (0x81, b"hello"), (0x88, b"")],
        &[(0x81, b"world"), (0x88, b"")],
    ];
    for (id, echoes) in echoes.into_iter().enumerate() {
        assert_eq!(outcome.line.wire.frames(End::Server, id as u32), echoes);
    }
    let last = outcome.of(End::Server).pop();
    assert_eq!(last, Some(&Seen::Physical(8, Vec::new())));
    assert_eq!(outcome.end.code, CloseCode::NO_STATUS);
}

#[test]
fn channels_of_every_number_open_by_whole_requests_and_by_differences_and_echo() {
    let Some(python) = python() else { return };
    let outcome = serve(python, mux(), "channels", false);
    outcome.ends_with(CloseCode::NORMAL);
    let numbers = [
        2,
        127,
        128,
        16_383,
        16_384,
        2_097_151,
        2_097_152,
        536_870_911,
    ];
    for number in numbers {
        let head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n";
        let answer = Seen::Response(number, false, head.to_owned());
        assert!(outcome.line.wire.has(End::Server, &answer), "{number}");
    }
}

#[test]
fn fragments_of_two_channels_and_control_frames_between_them_and_in_pieces() {
    let Some(python) = python() else { return };
    let outcome = serve(python, mux(), "fragments", false);
    outcome.ends_with(CloseCode::NORMAL);
    let sent = outcome.line.wire.frames(End::Client, 2).into_iter();
    let sent: Vec<u8> = sent.map(|it| it.0).collect();
    assert_eq!(sent, [0x01, 0x89, 0x00, 0x80, 0x09, 0x80]);
}

#[test]
fn differences_override_and_remove_and_a_whole_request_is_the_next_base() {
    let Some(python) = python() else { return };
    let outcome = serve(python, mux(), "deltas", false);
    outcome.ends_with(CloseCode::NORMAL);
    let requests = outcome.of(End::Client).into_iter();
    let whole = requests.filter(|it| matches!(it, Seen::Request(_, false, _)));
    assert_eq!(whole.count(), 1);
}

#[test]
fn messages_far_over_the_quota_go_through_it_on_several_channels_at_once() {
    let Some(python) = python() else { return };
    let outcome = serve(python, mux().window(1000), "flow", false);
    outcome.ends_with(CloseCode::NORMAL);
    let wire = &outcome.line.wire;
    for id in 2..5 {
        // Both have gone to the last octet; had one gone further, the wire had failed.
        let [ours, its] = [End::Server, End::Client].map(|end| wire.quota(end, id));
        assert_eq!((its.most, its.least), (1000, 0), "{id}");
        assert_eq!((ours.most, ours.least), (100, 0), "{id}");
    }
}

#[test]
fn a_quota_that_it_exceeds_by_one_ends_that_channel_alone() {
    let Some(python) = python() else { return };
    let outcome = serve(python, mux().window(1000), "violation", true);
    outcome.ends_with(CloseCode::NORMAL);
    assert_eq!(outcome.drops(End::Server), [(2, Some(3005))]);
    assert_eq!(outcome.closed[0].1.code, CloseCode::ABNORMAL);
}

#[test]
fn a_quota_that_it_grants_beyond_counting_ends_that_channel_alone() {
    let Some(python) = python() else { return };
    let outcome = serve(python, mux(), "overflow", false);
    outcome.ends_with(CloseCode::NORMAL);
    assert_eq!(outcome.drops(End::Server), [(2, Some(3006))]);
}

#[test]
fn channels_are_closed_by_either_end_and_their_numbers_and_slots_used_again() {
    let Some(python) = python() else { return };
    let outcome = serve(python, mux(), "closing", false);
    outcome.ends_with(CloseCode::NORMAL);
    let closed = outcome.closed.iter().filter(|(_, it)| it.clean);
    let codes: Vec<CloseCode> = closed.map(|(_, it)| it.code).collect();
    assert_eq!(codes, [CloseCode::NORMAL; 6]);
    assert_eq!(outcome.drops(End::Server), []);
    let slots = outcome
        .line
        .wire
        .seen
        .iter()
        .filter_map(|(_, seen)| match seen {
            Seen::Slots(slots, _) => Some(*slots),
            _ => None,
        });
    assert_eq!(slots.collect::<Vec<u64>>(), [64, 1, 1, 1, 1, 1, 1]);
}

#[test]
fn channels_are_dropped_by_either_end_and_their_numbers_used_again() {
    let Some(python) = python() else { return };
    let outcome = serve(python, mux(), "dropping", false);
    outcome.ends_with(CloseCode::NORMAL);
    let once = [(2, Some(3008)), (3, Some(3000))];
    assert_eq!(outcome.drops(End::Server), [once; 3].concat());
    let codes = outcome.closed.iter().map(|(_, it)| it.clean);
    // The first channel as well, with the connection.
    assert_eq!(codes.collect::<Vec<_>>(), [false; 7]);
}

#[test]
fn what_is_refused_is_answered_once_and_gives_its_slot_back() {
    let Some(python) = python() else { return };
    let outcome = serve(python, mux().channels(2), "refusals", false);
    outcome.ends_with(CloseCode::NORMAL);
    let answers = outcome.of(End::Server).into_iter();
    let refused = answers.filter_map(|it| match it {
        Seen::Response(id, true, _) => Some(*id),
        _ => None,
    });
    assert_eq!(refused.collect::<Vec<u32>>(), [2, 3, 4, 5]);
}

#[test]
fn a_request_without_a_slot_ends_the_connection() {
    let Some(python) = python() else { return };
    let outcome = serve(python, mux().channels(2), "slots", true);
    assert_eq!(outcome.drops(End::Server), [(0, Some(2007))]);
    let last = outcome.of(End::Server).pop();
    assert!(
        matches!(last, Some(Seen::Physical(8, body)) if body.starts_with(&[0x03, 0xF3])),
        "{last:?}"
    );
    assert_eq!(outcome.closed.len(), 3);
}

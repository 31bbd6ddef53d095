use cloverleaf_reports::Role;

use super::{Agreed, Block, Happened, Ledger, State};
use crate::http::Head;

const REQUEST: &[u8] = b"GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n";
const ACCEPTED: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n";

/// With so much quota of the server on channel 1.
fn ledger(subject: Role, quota: u64) -> Ledger {
    let (head, _) = Head::parse(REQUEST).expect("a head");
    let mut ledger = Ledger::new(subject, Agreed::new(head, quota, None));
    ledger.replenishes = false;
    ledger
}

/// A server with one further channel, 2, on which it may send so much.
fn opened(quota: u64) -> Ledger {
    let mut ledger = ledger(Role::Server, 0);
    let slots = Block::message(&[Block::slots(1, 7)]);
    ledger.receive(&slots, true).expect("a slot");
    ledger.sent(&Block::message(&[
        Block::request(2, REQUEST),
        Block::flow(2, quota),
    ]));
    let answer = Block::message(&[Block::response(2, false, ACCEPTED)]);
    let happened = ledger.receive(&answer, true);
    assert_eq!(happened, Ok(vec![Happened::Answered(1, true, Some(101))]));
    ledger
}

#[test]
fn a_slot_is_what_the_judge_may_send_and_a_flow_control_what_the_subject_may() {
    let ledger = opened(3);
    let channel = &ledger.channels[1];
    assert_eq!((channel.ours, channel.theirs), (7, 3));
    assert!(ledger.slots.is_empty());
}

#[test]
fn a_frame_beyond_the_quota_breaks_a_rule_and_one_within_it_does_not() {
    let mut ledger = opened(3);
    assert_eq!(ledger.receive(b"\x02\x01He", true), Ok(vec![]));
    assert!(ledger.receive(b"\x02\x00l", true).is_err());
    ledger.sent(&Block::message(&[Block::flow(2, 3)]));
    let message = Happened::Message {
        channel: 1,
        payload: b"Hello".to_vec(),
        binary: false,
    };
    assert_eq!(ledger.receive(b"\x02\x80llo", true), Ok(vec![message]));
}

#[test]
fn what_breaks_the_format_is_an_error_wherever_it_comes() {
    for (message, binary) in [
        (&b"\x02\x81Hi"[..], false),
        (b"", true),
        (b"\x80\x02\x81Hi", true),
        (b"\x02", true),
        (b"\x03\x81Hi", true),
        (b"\x02\x80Hi", true),
        (b"\x02\xc1Hi", true),
        (b"\x02\x83Hi", true),
        (b"\x02\x81\xff", true),
        (b"\x02\x88\x03", true),
        (b"\x00\x41\x02\x05", true),
        (b"\x00\x40\x03\x05", true),
        (b"\x00\x60\x03\x00", true),
        (b"\x00\x60\x02\x02\x0b\xc0", true),
        (b"\x00\x00\x04\x00", true),
        (b"\x00\x20\x03\x00", true),
    ] {
        let mut ledger = opened(1000);
        assert!(ledger.receive(message, binary).is_err(), "{message:02x?}");
    }
}

#[test]
fn a_drop_is_acknowledged_and_an_acknowledgement_is_not() {
    let mut ledger = opened(0);
    let dropped = ledger.receive(b"\x00\x60\x02\x02\x0b\xbd", true);
    assert_eq!(dropped, Ok(vec![Happened::Dropped(1, Some(3005))]));
    assert_eq!(ledger.outbox, [b"\x00\x60\x02\x02\x0b\xc0"]);
    let mut ledger = opened(0);
    ledger.sent(b"\x00\x60\x02\x00");
    assert_eq!(ledger.channels[1].state, State::DroppedByJudge);
    let acknowledged = ledger.receive(b"\x00\x60\x02\x02\x0b\xc0", true);
    assert_eq!(acknowledged, Ok(vec![Happened::Dropped(1, Some(3008))]));
    assert!(ledger.outbox.is_empty());
}

#[test]
fn a_client_asks_with_a_slot_and_not_without() {
    let ask = Block::message(&[Block::request(5, REQUEST)]);
    let mut client = ledger(Role::Client, 9);
    assert_eq!(client.channels[0].ours, 9);
    assert!(client.receive(&ask, true).is_err());
    client.sent(&Block::message(&[Block::slots(1, 4)]));
    assert_eq!(client.receive(&ask, true), Ok(vec![Happened::Requested(1)]));
    assert_eq!(client.channels[1].theirs, 4);
    assert_eq!(client.channels[1].state, State::Open);
    assert_eq!(client.outbox.len(), 1);
}

#[test]
fn both_close_frames_end_a_channel_and_what_comes_behind_them_breaks_a_rule() {
    let mut ledger = opened(100);
    let close = ledger.receive(b"\x02\x88\x03\xe8", true);
    assert_eq!(close, Ok(vec![Happened::Close(1, Some(1000))]));
    assert_eq!(ledger.outbox, [b"\x02\x88\x03\xe8"]);
    assert_eq!(ledger.channels[1].state, State::Closed);
    assert!(ledger.receive(b"\x02\x81Hi", true).is_err());
    assert_eq!(ledger.receive(b"\x00\x60\x02\x00", true), Ok(vec![]));
}

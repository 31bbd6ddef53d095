//! Beats beside compression and in the middle of messages.

use cloverleaf_deflate::PermessageDeflate;
use cloverleaf_heartbeat::{Heartbeat, Resolution};
use cloverleaf_proto::extension::{Extensions, Hints};
use cloverleaf_proto::message::Kind;
use cloverleaf_proto::{Event, Message};

use crate::{End, both_ways, ends_with};

fn with_deflate(first: bool) -> impl Fn(Heartbeat) -> Extensions {
    move |heartbeat| {
        let deflate = PermessageDeflate::new();
        let extensions = if first {
            Extensions::new()
                .with(deflate)
                .and_then(|all| all.with(heartbeat))
        } else {
            Extensions::new()
                .with(heartbeat)
                .and_then(|all| all.with(deflate))
        };
        extensions.expect("their names differ")
    }
}

/// What the first sends in parts, with beats of both ends between them, arrives whole.
fn converse(mut one: End, mut other: End, expect_compressed: bool) {
    let text = "the same again and again, ".repeat(40);
    let parts: Vec<&str> = vec![&text[..300], &text[300..700], &text[700..]];
    let (mut received, mut measured, mut wire) = (Vec::new(), [0, 0], 0);
    for (n, part) in parts.iter().enumerate() {
        one.send_beat();
        other.send_beat();
        let part = part.as_bytes().to_vec().into();
        let last = n == parts.len() - 1;
        one.connection
            .send_part(Kind::Text, part, last, Hints::new())
            .expect("it is open");
        for _ in 0..2 {
            let octets = one.output();
            wire += octets.len();
            for event in other.input(&octets) {
                match other.beats.measure(&event) {
                    Some(_) => measured[1] += 1,
                    None => received.push(event),
                }
            }
            for event in one.input(&other.output()) {
                assert!(one.beats.measure(&event).is_some(), "{event:?}");
                measured[0] += 1;
            }
        }
    }
    assert_eq!(received, [Event::Message(Message::text(text.clone()))]);
    assert_eq!(measured, [3, 3]);
    assert_eq!(wire < text.len(), expect_compressed);
}

#[test]
fn messages_in_parts_pass_between_beats_unharmed() {
    both_ways(|_, one, other| converse(one, other, false));
}

#[test]
fn permessage_deflate_stands_before_it_or_behind_it() {
    for first in [true, false] {
        let [client, server] = ends_with([Resolution::Microseconds; 2], with_deflate(first));
        converse(client, server, true);
        let [client, server] = ends_with([Resolution::Microseconds; 2], with_deflate(first));
        converse(server, client, true);
    }
}

#[test]
fn without_beats_messages_have_the_octets_they_have_without_it() {
    both_ways(|_, mut one, _| {
        one.connection
            .send(Message::text("hello"), Hints::new())
            .unwrap();
        assert!(one.output().ends_with(b"hello"));
        let statistics = one.connection.statistics();
        assert_eq!(statistics[0].name, Heartbeat::NAME);
        assert_eq!(statistics[0].sent.frames, 0, "it has no sending half");
    });
}

//! Fairness: who may send, and that nobody holds up another.

use std::collections::BTreeMap;

use cloverleaf_proto::Role;
use cloverleaf_proto::extension::Hints;
use cloverleaf_proto::trunk::Key;
use cloverleaf_proto::{Event, Message};

use crate::ends::Pair;
use crate::toy::Settings;

#[test]
fn channels_that_all_send_go_forward_together() {
    let settings = Settings {
        window: 64 << 10,
        ..Settings::default()
    };
    let mut pair = Pair::new(settings);
    let ids = pair.open(20);
    const EACH: usize = 1 << 20;
    for id in &ids {
        let part = Message::binary(vec![1; EACH]);
        pair.client.send(*id, part, Hints::new()).unwrap();
    }
    let mut left: BTreeMap<Key, usize> = BTreeMap::new();
    loop {
        let moved = pair.carry(Role::Client);
        for id in &ids {
            for event in pair.events(Role::Server, *id) {
                assert!(matches!(event, Event::Message(_)), "{event:?}");
            }
        }
        left.clear();
        left.extend(ids.iter().map(|id| (*id, pair.client.buffered(*id))));
        let progress = left.values().map(|left| EACH.saturating_sub(*left));
        let (least, most) = (progress.clone().min().unwrap(), progress.max().unwrap());
        // One turn is 8 KiB.
        assert!(
            most <= 2 * least + (8 << 10),
            "the first is at {most}, the last at {least}"
        );
        pair.carry(Role::Server);
        if !moved {
            break;
        }
    }
    assert!(left.values().all(|left| *left == 0));
}

#[test]
fn a_channel_that_nobody_reads_holds_up_no_other() {
    let mut pair = Pair::new(Settings::default());
    let ids = pair.open(2);
    let long = Message::binary(vec![1; 100_000]);
    pair.client.send(ids[0], long, Hints::new()).unwrap();
    for n in 0..100 {
        let message = Message::text(format!("{n}"));
        pair.client
            .send(ids[1], message.clone(), Hints::new())
            .unwrap();
        pair.exchange();
        let events = pair.events(Role::Server, ids[1]);
        assert_eq!(events, [Event::Message(message)], "{n}");
    }
    assert!(pair.client.buffered(ids[0]) > 90_000);
}

#[test]
fn a_ping_crosses_while_another_channel_sends_much() {
    let settings = Settings {
        window: 64 << 10,
        ..Settings::default()
    };
    let mut pair = Pair::new(settings);
    let ids = pair.open(2);
    let long = Message::binary(vec![1; 1_000_000]);
    pair.client.send(ids[0], long, Hints::new()).unwrap();
    pair.client.ping(ids[1], b"?").unwrap();
    pair.carry(Role::Client);
    assert_eq!(pair.events(Role::Server, ids[1]), [Event::Ping("?".into())]);
    assert!(pair.client.buffered(ids[0]) > 0);
    pair.exchange();
    assert_eq!(pair.events(Role::Client, ids[1]), [Event::Pong("?".into())]);
}

//! What goes over channels: messages, control frames, and the quota of both directions.

use std::time::Duration;

use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::trunk::Key;
use cloverleaf_proto::{Event, Message};

use super::{line, noise};
use crate::line::{Line, mux};
use crate::python::python;
use crate::wire::{End, Seen};

#[test]
fn messages_far_over_the_quota_go_through_it_on_several_channels_at_once() {
    let Some(python) = python() else { return };
    let server = python.serve();
    // What we grant: much, little, and the least there is.
    for (mux, granted) in [
        (mux(), 1 << 16),
        (mux().window(1000), 1000),
        (mux().window(128).memory(128 * 65), 128),
    ] {
        let length = if granted == 128 { 10_000 } else { 100_000 };
        let mut line = line(server.port, mux);
        let mut keys = vec![Key::FIRST];
        keys.extend((0..3).map(|_| line.open("/echo")));
        for (n, key) in keys.iter().enumerate() {
            line.send(*key, noise(length, n as u32));
            // A ping between them, which no channel holds up.
            line.trunk.ping(*key, b"Ping!").expect("it is open");
            line.send(*key, "x".repeat(length));
        }
        for (n, key) in keys.iter().enumerate() {
            let mut events: Vec<Event> = (0..3).map(|_| line.event(*key)).collect();
            let is_pong = |event: &Event| *event == Event::Pong(b"Ping!"[..].into());
            events.remove(events.iter().position(is_pong).expect("a pong"));
            let expected = [
                Message::binary(noise(length, n as u32)),
                Message::text("x".repeat(length)),
            ];
            assert_eq!(events, expected.map(Event::Message));
        }
        for id in 1..5 {
            let ours = line.wire.quota(End::Client, id);
            assert_eq!((ours.most, ours.least), (8192, 0), "{id}");
            let its = line.wire.quota(End::Server, id);
            if granted < 8065 {
                assert_eq!((its.most, its.least), (granted, 0), "{id}");
            }
            // A channel that reads is granted more than it has from the start.
            let grows = its.most > 8065 && its.most <= 1 << 16;
            assert_eq!(grows, granted > 8065, "{id}: {its:?}");
            // All that went, in however many frames: the messages and one of Ping and Pong.
            let frames = line.wire.frames(End::Server, id);
            let octets = |frames: Vec<(u8, &[u8])>| -> usize {
                frames.iter().map(|(_, payload)| payload.len()).sum()
            };
            assert_eq!(octets(frames), 2 * length + 5);
            assert_eq!(octets(line.wire.frames(End::Client, id)), 2 * length + 5);
        }
    }
}

#[test]
fn a_channel_that_nobody_reads_holds_up_no_other() {
    let Some(python) = python() else { return };
    let server = python.serve();
    let mut line = line(server.port, mux());
    let stalled = line.open("/command");
    line.unread.insert(stalled);
    line.send(stalled, "send 100000");
    let id = line.id(stalled);
    let exhausted = |it: &mut Line| {
        let frames = it.wire.frames(End::Server, id);
        (!frames.is_empty() && it.wire.quota(End::Server, id).left == 0).then_some(())
    };
    line.until("8064 octets", exhausted);
    for n in 0..20 {
        line.echoes(Key::FIRST, noise(10_000, n));
    }
    // It has sent what it was granted, and the octet that each message costs is one of it.
    let frames = line.wire.frames(End::Server, id);
    let sent: usize = frames.iter().map(|(_, payload)| payload.len()).sum();
    assert_eq!(sent, 8064);
    line.unread.clear();
    assert_eq!(line.message(stalled).payload().len(), 100_000);
}

#[test]
fn control_frames_are_cut_to_quota_in_both_directions_and_put_together_again() {
    let Some(python) = python() else { return };
    let server = python.serve();
    let mut line = line(server.port, mux().channels(200).window(128));
    let command = line.open("/command");
    // Behind a text of 60, 67 octets of our quota are left.
    line.unread.insert(command);
    line.send(command, "ping 60 125");
    line.until("piece of a ping", |it| {
        (it.wire.frames(End::Server, 2).last()?.0 == 0x09).then_some(())
    });
    line.unread.clear();
    assert_eq!(line.message(command), Message::text("x".repeat(60)));
    assert_eq!(line.event(command), Event::Ping(vec![b'p'; 125].into()));
    assert_eq!(line.message(command), Message::text("pong 125"));
    let frames = line.wire.frames(End::Server, 2);
    let shape: Vec<(u8, usize)> = frames.iter().map(|it| (it.0, it.1.len())).collect();
    assert_eq!(shape, [(0x81, 60), (0x09, 66), (0x80, 59), (0x81, 8)]);

    // Slots of three octets, behind the 64.
    line.send(command, "slots 2 3");
    line.until("slots", |it| (it.trunk.slots() > Some(64)).then_some(()));
    for _ in 0..63 {
        line.open("/echo");
    }
    let small = line.open("/echo");
    line.trunk.ping(small, b"Ping!").expect("it is open");
    assert_eq!(line.event(small), Event::Pong(b"Ping!"[..].into()));
    line.echoes(small, "Hello");
    line.trunk
        .close(small, CloseCode::NORMAL, "bye")
        .expect("it is open");
    assert!(line.closed(small).clean);
    let frames: Vec<(u8, &[u8])> = line.wire.frames(End::Client, 66);
    let expected: [(u8, &[u8]); 7] = [
        (0x09, b"Pi"),
        (0x80, b"ng!"),
        (0x01, b"He"),
        (0x80, b"llo"),
        (0x08, b"\x03\xe8"),
        (0x80, b"bye"),
        (0x00, b""),
    ];
    assert_eq!(frames, expected[..6]);
}

#[test]
fn pings_of_a_channel_and_of_the_connection_are_answered_each_where_it_came() {
    let Some(python) = python() else { return };
    let server = python.serve();
    let mut line = line(server.port, mux());
    let other = line.open("/echo");
    for key in [other, Key::FIRST] {
        line.trunk.ping(key, b"Ping!").expect("it is open");
        assert_eq!(line.event(key), Event::Pong(b"Ping!"[..].into()));
        let id = line.id(key);
        assert_eq!(line.wire.frames(End::Client, id), [(0x89, &b"Ping!"[..])]);
        assert_eq!(line.wire.frames(End::Server, id), [(0x8A, &b"Ping!"[..])]);
    }
    // Twenty seconds of silence, and a ping that is of no channel.
    for n in 1..4 {
        line.later(Duration::from_secs(25));
        let pongs = line.until("pong", |it| {
            let pongs = it.wire.of(End::Server).into_iter();
            let pongs: Vec<Seen> = pongs
                .filter(|it| matches!(it, Seen::Physical(10, _)))
                .cloned()
                .collect();
            (pongs.len() == n).then_some(pongs)
        });
        let pings = line.wire.of(End::Client).into_iter();
        let pings = pings.filter_map(|it| match it {
            Seen::Physical(9, payload) => Some(Seen::Physical(10, payload.clone())),
            _ => None,
        });
        assert_eq!(pings.collect::<Vec<_>>(), pongs);
    }
    line.echoes(other, "Hello");
}

#[test]
fn it_puts_no_empty_message_on_the_wire() {
    let Some(python) = python() else { return };
    let server = python.serve();
    let mut line = line(server.port, mux());
    let key = line.open("/echo");
    line.send(key, "");
    line.send(key, Vec::new());
    line.trunk.ping(key, b"").expect("it is open");
    line.echoes(key, "Hello");
    assert_eq!(line.wire.frames(End::Server, 2), [(0x81, &b"Hello"[..])]);
    let sent: Vec<u8> = line
        .wire
        .frames(End::Client, 2)
        .iter()
        .map(|it| it.0)
        .collect();
    assert_eq!(sent, [0x81, 0x82, 0x89, 0x81]);
    assert_eq!(line.wire.grants(End::Server, 2), [1, 1, 1, 6]);
}

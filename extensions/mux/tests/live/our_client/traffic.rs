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
            // Both have gone to the last octet, or to where it had to wait, and nobody further.
            let least = |end| line.wire.least[&(end, id)];
            let most = |end| line.wire.most[&(end, id)];
            assert_eq!(
                (most(End::Client), most(End::Server)),
                (8192, granted),
                "{id}"
            );
            assert!(
                length < 8192 || least(End::Client) == 0,
                "{id}: {}",
                least(End::Client)
            );
            assert!(granted == 1 << 16 || least(End::Server) == 0, "{id}");
            // It cuts nothing that fits, and nor do we.
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
    for n in 0..20 {
        line.echoes(Key::FIRST, noise(10_000, n));
    }
    // It has sent what it was granted, and the octet that each message costs is one of it.
    let id = line.id(stalled);
    let sent = |line: &Line| -> usize {
        let frames = line.wire.frames(End::Server, id);
        frames.iter().map(|(_, payload)| payload.len()).sum()
    };
    assert_eq!(
        (sent(&line), line.wire.least[&(End::Server, id)]),
        (8064, 0)
    );
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
    line.send(command, "ping 60 125");
    assert_eq!(line.message(command), Message::text("x".repeat(60)));
    assert_eq!(line.event(command), Event::Ping(vec![b'p'; 125].into()));
    assert_eq!(line.message(command), Message::text("pong 125"));
    let id = line.id(command);
    let frames = line.wire.frames(End::Server, id);
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
    // A ping goes first.
    assert_eq!(sent, [0x89, 0x81, 0x82, 0x81]);
    assert_eq!(line.wire.grants(End::Server, 2), [1, 1, 1, 6]);
}

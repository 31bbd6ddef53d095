//! How channels end, and the connection.

use std::time::Duration;

use cloverleaf_proto::Message;
use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::error::ConnectionError;
use cloverleaf_proto::trunk::Key;

use super::line;
use crate::line::mux;
use crate::python::python;
use crate::wire::{End, Seen};

#[test]
fn a_channel_closes_alone_and_the_last_one_ends_the_connection() {
    let Some(python) = python() else { return };
    let server = python.serve();
    let mut line = line(server.port, mux());
    let keys = [Key::FIRST, line.open("/echo"), line.open("/echo")];
    for (n, key) in keys.into_iter().enumerate() {
        line.trunk
            .close(key, CloseCode::NORMAL, "done")
            .expect("it is open");
        let closed = line.closed(key);
        assert_eq!((closed.code, closed.clean), (CloseCode::NORMAL, true));
        for others in &keys[n + 1..] {
            line.echoes(*others, "still there");
        }
    }
    for id in 1..4 {
        let frames = line.wire.frames(End::Client, id);
        assert_eq!(frames.last(), Some(&(0x88, &b"\x03\xe8done"[..])));
        let frames = line.wire.frames(End::Server, id);
        assert_eq!(frames.last(), Some(&(0x88, &b"\x03\xe8"[..])));
    }
    // It closes then, by itself; and nobody has dropped anything.
    let end = line.end();
    assert_eq!((end.code, end.clean), (CloseCode::NORMAL, true));
    let of_server = line.wire.of(End::Server);
    assert_eq!(
        of_server.last(),
        Some(&&Seen::Physical(8, vec![0x03, 0xE8]))
    );
    let is_drop = |(_, seen): &(End, Seen)| matches!(seen, Seen::Drop(..));
    assert!(!line.wire.seen.iter().any(is_drop));
}

#[test]
fn we_close_the_connection_and_every_channel_ends() {
    let Some(python) = python() else { return };
    let server = python.serve();
    let mut line = line(server.port, mux());
    let keys = [Key::FIRST, line.open("/echo"), line.open("/echo")];
    line.trunk
        .close_all(CloseCode::NORMAL, "enough")
        .expect("it is open");
    let end = line.end();
    assert_eq!((end.code, end.clean), (CloseCode::NORMAL, true));
    for key in keys {
        assert_eq!(line.closed(key).code, CloseCode::ABNORMAL);
    }
}

#[test]
fn its_handler_that_fails_drops_the_channel_which_we_acknowledge() {
    let Some(python) = python() else { return };
    let server = python.serve();
    let mut line = line(server.port, mux());
    for (id, (command, code)) in [("raise", 1000), ("fail 3000", 3000), ("fail 3007", 3007)]
        .into_iter()
        .enumerate()
    {
        let id = id as u32 + 2;
        let key = line.open("/command");
        line.send(key, command);
        let closed = line.closed(key);
        assert_eq!((closed.code, closed.clean), (CloseCode::ABNORMAL, false));
        let Some(ConnectionError::Dropped(dropped)) = closed.error else {
            panic!("{command}: {closed:?}")
        };
        assert_eq!(dropped.code, Some(code));
        assert!(
            line.wire.has(End::Server, &Seen::Drop(id, Some(code))),
            "{command}"
        );
        line.echoes(Key::FIRST, "still there");
        assert!(
            line.wire.has(End::Client, &Seen::Drop(id, Some(3008))),
            "{command}"
        );
    }
}

#[test]
fn its_handler_that_returns_says_nothing_so_that_we_drop_the_channel() {
    let Some(python) = python() else { return };
    let server = python.serve();
    let mut line = line(server.port, mux());
    let key = line.open("/command");
    line.send(key, "return");
    assert_eq!(line.message(key), Message::text("returns"));
    line.echoes(Key::FIRST, "Hello");
    // Open still, as far as anybody can know.
    assert_eq!(line.next_event(key), None);
    line.trunk
        .close(key, CloseCode::NORMAL, "")
        .expect("it is open");
    line.echoes(Key::FIRST, "Hello");
    assert_eq!(line.next_event(key), None);
    line.later(Duration::from_secs(11));
    let closed = line.closed(key);
    assert_eq!((closed.code, closed.clean), (CloseCode::ABNORMAL, false));
    line.echoes(Key::FIRST, "Hello");
    assert!(line.wire.has(End::Client, &Seen::Drop(2, Some(3000))));
    // It has forgotten the channel, and acknowledges nothing.
    assert_eq!(line.wire.frames(End::Server, 2), [(0x81, &b"returns"[..])]);
    let is_drop = |seen: &&&Seen| matches!(seen, Seen::Drop(..));
    assert_eq!(line.wire.of(End::Server).iter().find(is_drop), None);
}

#[test]
fn a_channel_that_nobody_waits_for_any_more_is_dropped_which_it_acknowledges() {
    let Some(python) = python() else { return };
    let server = python.serve();
    for delta in [false, true] {
        let mut line = line(server.port, mux().delta(delta));
        let left = line.ask("/echo");
        line.trunk.abandon(left, CloseCode::GOING_AWAY);
        line.until("acknowledgement", |it| {
            it.wire
                .has(End::Server, &Seen::Drop(2, Some(3008)))
                .then_some(())
        });
        assert!(line.wire.has(End::Client, &Seen::Drop(2, Some(1000))));
        // One that is open is closed instead.
        let left = line.open("/echo");
        line.trunk.abandon(left, CloseCode::GOING_AWAY);
        line.until("close frame", |it| {
            it.wire.frames(End::Server, 3).first().map(|_| ())
        });
        let close = [(0x88, &b"\x03\xe9"[..])];
        assert_eq!(line.wire.frames(End::Client, 3), close);
        let other = line.open("/echo");
        line.echoes(other, "Hello");
        let keys: Vec<Key> = line.trunk.channels().collect();
        assert_eq!(keys, [Key::FIRST, other]);
    }
}

#[test]
fn it_acknowledges_that_we_drop_a_channel() {
    let Some(python) = python() else { return };
    let server = python.serve();
    let mut line = line(server.port, mux());
    let key = line.open("/command");
    // Its handler waits for quota, and so does not see our close frame.
    line.unread.insert(key);
    line.send(key, "send 100000");
    line.until("8064 octets", |it| {
        let frames = it.wire.frames(End::Server, 2);
        (!frames.is_empty() && it.wire.quota(End::Server, 2).left == 0).then_some(())
    });
    line.trunk
        .close(key, CloseCode::NORMAL, "")
        .expect("it is open");
    line.echoes(Key::FIRST, "Hello");
    line.later(Duration::from_secs(11));
    line.until("acknowledgement", |it| {
        it.wire
            .has(End::Server, &Seen::Drop(2, Some(3008)))
            .then_some(())
    });
    assert!(line.wire.has(End::Client, &Seen::Drop(2, Some(3000))));
    line.unread.clear();
    let closed = line.closed(key);
    assert_eq!((closed.code, closed.clean), (CloseCode::ABNORMAL, false));
    line.echoes(Key::FIRST, "Hello");
}

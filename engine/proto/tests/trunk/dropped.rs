//! Channels that the peer drops, and peers that do not read.

use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::connection::Transmit;
use cloverleaf_proto::error::ConnectionError;
use cloverleaf_proto::extension::Dropped;
use cloverleaf_proto::handshake::HandshakeError;
use cloverleaf_proto::trunk::{Key, News};
use cloverleaf_proto::{Event, Role};

use crate::ends::{Pair, request};
use crate::toy::Settings;

/// A binary frame of a server, as short as this.
fn physical(payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).expect("it is short");
    [&[0x82, length], payload].concat()
}

#[test]
fn a_dropped_channel_ends_with_what_the_peer_said_of_it() {
    let mut pair = Pair::new(Settings::default());
    pair.client
        .handle_input(pair.now, &mut physical(b"\x01dwhy\n"));
    let Some(Event::Closed(closed)) = pair.events(Role::Client, Key::FIRST).pop() else {
        panic!("it is over");
    };
    assert_eq!(closed.code, CloseCode::ABNORMAL);
    let dropped = Dropped::new(None, "why\n");
    assert_eq!(closed.error, Some(ConnectionError::Dropped(dropped)));
    let said = closed.error.map(|error| error.to_string());
    assert_eq!(said.as_deref(), Some("the channel was dropped: why\\n"));
}

#[test]
fn a_request_whose_channel_is_dropped_is_refused_with_what_the_peer_said() {
    let mut pair = Pair::new(Settings::default());
    pair.decide = |_, _| None;
    let asked = pair.client.open(request(), [9; 16]).expect("a slot");
    pair.exchange();
    pair.client
        .handle_input(pair.now, &mut physical(b"\x02dfull"));
    let news = core::iter::from_fn(|| pair.client.poll_news()).last();
    let Some(News::Refused(key, error)) = news else {
        panic!("{news:?}");
    };
    assert_eq!(key, asked);
    assert!(matches!(*error, HandshakeError::Dropped(ref why) if why.reason == "full"));
}

#[test]
fn what_came_on_dropped_channels_and_is_not_asked_for_is_bounded_to_a_mebibyte() {
    let settings = Settings {
        window: 50_000,
        slots: 250,
    };
    let mut pair = Pair::new(settings);
    for n in 2..=200_u8 {
        let id = pair.open(1)[0];
        let mut frame = vec![0x82, 126, 0, 0, n, b'f', 0x82];
        frame.resize(7 + 40_000, n);
        frame[2..4].copy_from_slice(&40_003_u16.to_be_bytes());
        // From the client, so that it is masked, with a key of zeros.
        frame[1] |= 0x80;
        frame.splice(4..4, [0; 4]);
        pair.server.handle_input(pair.now, &mut frame);
        let mut drop = vec![0x82, 0x82, 0, 0, 0, 0, n, b'd'];
        pair.server.handle_input(pair.now, &mut drop);
        // Of the client's own end nobody wants to know.
        pair.client.abandon(id, CloseCode::NORMAL);
    }
    let mut messages = 0;
    let mut ends = 0;
    let channels: Vec<Key> = pair.server.channels().collect();
    for key in channels {
        for event in pair.events(Role::Server, key) {
            messages += usize::from(matches!(event, Event::Message(_)));
            ends += usize::from(matches!(event, Event::Closed(_)));
        }
    }
    assert_eq!((messages, ends), ((1 << 20) / 40_000, 199));
}

#[test]
fn a_peer_that_makes_us_answer_and_never_reads_is_failed_at_the_bound_of_the_write_buffer() {
    let mut pair = Pair::new(Settings::default());
    // Refused at once: it names no host.
    let head = b"GET / HTTP/1.1\r\n\r\n";
    let length = 0x80 | u8::try_from(2 + head.len()).expect("it is short");
    let request = [&[0x82, length, 0, 0, 0, 0, 7, b'r'], &head[..]].concat();
    for _ in 0..40_000 {
        pair.server.handle_input(pair.now, &mut request.clone());
    }
    let mut written = Vec::new();
    while let Transmit::Write(front, back) = pair.server.poll_transmit() {
        written.extend_from_slice(front);
        written.extend_from_slice(back);
        let octets = front.len() + back.len();
        pair.server.handle_written(pair.now, octets);
    }
    // Behind what channels may fill in.
    let bound = (64 << 10) + (1 << 20);
    assert!((bound..bound + 1000).contains(&written.len()));
    let end = b"\x88\x25\x03\xf3answers are asked for, and not read";
    let tail = &written[written.len() - 60..];
    assert!(tail.ends_with(end), "{}", tail.escape_ascii());
}

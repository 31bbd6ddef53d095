//! Which frames are compressed, and what the encoder remembers of those that are not.

use cloverleaf_deflate::DeflateFrame;
use cloverleaf_proto::extension::{Encoded, Failure, Hints};
use cloverleaf_proto::frame::{Head, OpCode, Rsv};

use crate::halves::{FRAGMENTS, Halves, WHOLE, both_roles, noise, server, with_takeover};

fn new() -> DeflateFrame {
    DeflateFrame::new()
}

#[test]
fn a_frame_below_the_threshold_goes_as_it_is() {
    for mut halves in both_roles(&new(), "") {
        assert_eq!(halves.compress(&[b'a'; 255]), None);
        assert!(halves.compress(&[b'a'; 256]).is_some());
        // A fragment is a frame like any other.
        for head in FRAGMENTS {
            assert_eq!(halves.compress_as(head, &[b'a'; 255]), None);
            assert!(halves.compress_as(head, &[b'a'; 256]).is_some());
        }
    }
    let mut halves = server(&new().threshold(1000), "");
    assert_eq!(halves.compress(&[b'a'; 999]), None);
    assert!(halves.compress(&[b'a'; 1000]).is_some());
}

#[test]
fn without_takeover_what_would_not_shrink_goes_as_it_is() {
    for size in [0, 1, 2, 300, 65_536] {
        let mut halves = with_takeover(false);
        assert_eq!(halves.compress(&noise(size)), None, "{size}");
        assert!(halves.compress(&[b'a'; 100]).is_some());
    }
}

#[test]
fn with_takeover_what_does_not_shrink_goes_compressed_and_grows_by_an_eighth_at_most() {
    for size in [0, 1, 300, 65_536] {
        let mut halves = with_takeover(true);
        let plain = noise(size);
        let wire = halves.compress(&plain).expect("always, with takeover");
        assert!(wire.len() <= size + size / 8 + 16, "{size}: {}", wire.len());
        assert_eq!(halves.inflate(&wire), Ok(plain));
    }
}

#[test]
fn an_empty_frame_that_is_compressed_is_one_octet() {
    let mut halves = with_takeover(true);
    for _ in 0..3 {
        assert_eq!(halves.compress(b"").as_deref(), Some(&[0x00][..]));
    }
}

#[test]
fn every_fragment_carries_rsv1_and_loses_its_tail() {
    for takeover in [false, true] {
        let mut halves = with_takeover(takeover);
        for (head, part) in FRAGMENTS.into_iter().zip(["Hello", "Hello", "Hello"]) {
            let part = part.repeat(10);
            let wire = halves.compress_as(head, part.as_bytes());
            let wire = wire.expect("compressible");
            assert!(!wire.ends_with(&[0x00, 0x00, 0xFF, 0xFF]), "{wire:02x?}");
            assert_eq!(halves.inflate(&wire).as_deref(), Ok(part.as_bytes()));
        }
    }
}

/// What is left alone must leave no trace: a twin that never saw it goes on just the same.
#[test]
fn a_frame_that_goes_as_it_is_enters_no_window() {
    let secret = b"a secret that nobody may compress, a secret that nobody may compress";
    let no = Hints::new().do_not_compress();
    let table: &[(Head, Hints, &[u8])] = &[
        (WHOLE, no, secret),
        (FRAGMENTS[0], no, secret),
        (FRAGMENTS[1], no, secret),
        (FRAGMENTS[2], no, secret),
        (WHOLE, Hints::new(), &secret[..19]),
        (FRAGMENTS[1], Hints::new(), &secret[..19]),
        (Head::new(OpCode::PING), Hints::new(), secret),
        (Head::new(OpCode::PONG), Hints::new(), secret),
        (Head::new(OpCode::CLOSE), Hints::new(), secret),
        // What other extensions have claimed is theirs.
        (Head::new(OpCode::new(3)), Hints::new(), secret),
        (Head::new(OpCode::new(11)), Hints::new(), secret),
    ];
    for takeover in [false, true] {
        let config = || new().threshold(20).context_takeover(takeover);
        let (mut told, mut twin) = (server(&config(), ""), server(&config(), ""));
        let before = b"before before before before";
        assert_eq!(told.compress(before), twin.compress(before));
        for (head, hints, payload) in table {
            let (encoded, _) = told.encode(*head, *hints, payload);
            assert_eq!(encoded, Encoded::Unchanged, "{head:?}");
            let after = told.compress(secret);
            assert!(after.is_some());
            assert_eq!(after, twin.compress(secret), "{head:?} {takeover}");
        }
    }
    // Tried, and found to be no smaller.
    let (mut told, mut twin) = (with_takeover(false), with_takeover(false));
    assert_eq!(told.compress(&noise(5000)), None);
    let after = noise(5000).repeat(2);
    assert_eq!(told.compress(&after), twin.compress(&after));
}

#[test]
fn what_is_not_compressed_is_not_inflated() {
    for takeover in [false, true] {
        let mut halves = with_takeover(takeover);
        let hello = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00];
        for head in [WHOLE, FRAGMENTS[0], FRAGMENTS[2], Head::new(OpCode::PING)] {
            assert_eq!(halves.decode(head, &hello), Ok(None));
        }
        // What carries no message is never compressed; the engine refuses the bit on control frames
        // before it comes to us.
        for opcode in [3, 9, 11] {
            let head = Head::new(OpCode::new(opcode)).with_rsv(Rsv::RSV1);
            assert!(halves.decode(head, &hello).is_err());
        }
        assert_eq!(halves.inflate(&hello).as_deref(), Ok(&b"Hello"[..]));
    }
}

#[test]
fn a_frame_that_was_refused_leaves_a_window_the_peer_can_follow() {
    for takeover in [false, true] {
        let mut halves = with_takeover(takeover);
        let plain = b"Hello, Hello, Hello";
        let wire = halves.compress(plain).expect("compressible");
        assert_eq!(halves.inflate(&wire).as_deref(), Ok(&plain[..]));
        let refused = halves.compress_within(10, &noise(50_000));
        assert_eq!(refused, Err(Failure::too_big()));
        let wire = halves.compress(plain).expect("compressible");
        assert_eq!(halves.inflate(&wire).as_deref(), Ok(&plain[..]));
    }
}

#[track_caller]
fn assert_pools(config: &DeflateFrame, compressors: &str, inflaters: &str) {
    let debug = format!("{config:?}");
    let compressors = format!("compressors: Pool {{ {compressors}");
    let inflaters = format!("inflaters: Pool {{ {inflaters}");
    assert!(debug.contains(&compressors), "{debug}");
    assert!(debug.contains(&inflaters), "{debug}");
}

#[test]
fn without_takeover_a_thousand_frames_take_one_context_between_all_connections() {
    let config = new().no_context_takeover(true);
    let mut connections: Vec<Halves> = (0..10).map(|_| server(&config, "")).collect();
    let plain = b"all work and no play makes a dull message; ".repeat(20);
    let first = connections[0].compress(&plain);
    for i in 0..1000 {
        let halves = &mut connections[i % 10];
        // Also in the middle of a message: no frame depends on another.
        let wire = halves.compress_as(FRAGMENTS[0], &plain);
        assert_eq!(wire, first);
        let wire = wire.expect("compressible");
        assert_eq!(halves.inflate(&wire).as_ref(), Ok(&plain));
    }
    assert_pools(&config, "idle: 1, lent: 0", "idle: 1, lent: 0");
    assert!(connections[0].inflate(&[0x07]).is_err());
    assert_pools(&config, "idle: 1, lent: 0", "idle: 1, lent: 0");
}

#[test]
fn when_there_is_no_compressor_to_borrow_a_frame_goes_uncompressed() {
    let mut halves = server(&new().max_pooled(0), "");
    assert_eq!(halves.compress(&[b'a'; 1000]), None);
    // One's own is not borrowed.
    let mut halves = server(&new().max_pooled(0).context_takeover(true), "");
    assert!(halves.compress(&[b'a'; 1000]).is_some());
}

#[test]
fn levels_do_what_they_say_and_those_out_of_range_are_the_nearest() {
    let words = noise(20_000).into_iter().map(|n| format!("word{n} "));
    let text = words.collect::<String>().into_bytes();
    let wire = |config: DeflateFrame| server(&config, "").compress(&text);
    assert_eq!(wire(new().level(0)), wire(new().level(1)));
    assert_eq!(wire(new().level(99)), wire(new().level(9)));
    let octets = |config| wire(config).map(|wire| wire.len());
    assert!(octets(new().level(6)) < octets(new().level(1)));
    let memory = |level| wire(new().level(6).memory_level(level));
    assert_eq!(memory(0), memory(1));
    assert_eq!(memory(99), memory(9));
    assert_ne!(memory(1), memory(9), "with less memory, blocks are shorter");
}

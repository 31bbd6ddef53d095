//! Which messages are compressed, and what the encoder remembers of those that are not.

use cloverleaf_deflate::PermessageDeflate;
use cloverleaf_proto::extension::{Decoded, Encoded, Extension, Failure, Hints, Params};
use cloverleaf_proto::frame::Rsv;

use crate::halves::{Halves, both_ways_to_remember, head, params, with_takeover};

fn from(config: &PermessageDeflate) -> Halves {
    config.accept(&Params::new()).expect("a plain offer").into()
}

/// Octets that no compressor makes smaller.
fn noise(size: usize) -> Vec<u8> {
    let mut random = 7_u64;
    let mut next = || {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (random >> 56) as u8
    };
    (0..size).map(|_| next()).collect()
}

#[test]
fn a_message_below_the_threshold_goes_as_it_is() {
    let mut halves = from(&PermessageDeflate::new());
    assert_eq!(halves.compress(&[b'a'; 255]), None);
    assert!(halves.compress(&[b'a'; 256]).is_some());

    let mut halves = from(&PermessageDeflate::new().threshold(1000));
    assert_eq!(halves.compress(&[b'a'; 999]), None);
    assert!(halves.compress(&[b'a'; 1000]).is_some());
}

#[test]
fn without_takeover_what_would_not_shrink_goes_as_it_is() {
    for size in [0, 1, 2, 300, 1 << 20] {
        let mut halves = with_takeover(PermessageDeflate::new(), false);
        assert_eq!(halves.compress(&noise(size)), None, "{size}");
        assert!(halves.compress(&[b'a'; 100]).is_some());
    }
}

#[test]
fn with_takeover_what_does_not_shrink_goes_compressed_and_grows_by_an_eighth_at_most() {
    for level in 1..=9 {
        let mut halves = with_takeover(PermessageDeflate::new().level(level), true);
        for size in [0, 1, 300, 100_000] {
            let message = noise(size);
            let wire = halves.compress(&message).expect("always, with takeover");
            assert!(
                wire.len() <= size + size / 8 + 16,
                "{level} {size}: {}",
                wire.len()
            );
            assert_eq!(halves.inflate(&wire), Ok(message));
        }
    }
}

#[test]
fn an_empty_message_is_one_octet() {
    let mut halves = with_takeover(PermessageDeflate::new(), true);
    for _ in 0..3 {
        assert_eq!(halves.compress(b"").as_deref(), Some(&[0x00][..]));
    }
}

#[test]
fn a_message_that_must_not_be_compressed_enters_no_window() {
    let secret = b"a secret that nobody may compress, a secret that nobody may compress";
    for takeover in [false, true] {
        let [mut told, mut twin] =
            [(); 2].map(|()| with_takeover(PermessageDeflate::new(), takeover));
        assert_eq!(
            told.compress(b"before before"),
            twin.compress(b"before before")
        );
        let hints = Hints::new().do_not_compress();
        let (encoded, _) = told.encode(head(0, 1), hints, secret);
        assert_eq!(encoded, Encoded::Unchanged);
        for i in 0..3 {
            let (encoded, _) = told.encode(head(i, 3), hints, secret);
            assert_eq!(encoded, Encoded::Unchanged);
        }
        let after = told.compress(secret);
        assert!(after.is_some());
        assert_eq!(after, twin.compress(secret), "{takeover}");
    }
}

#[test]
fn a_message_below_the_threshold_enters_no_window() {
    let config = || PermessageDeflate::new().server_no_context_takeover(false);
    let (mut one, mut twin) = (from(&config()), from(&config()));
    let long = noise(300);
    assert_eq!(one.compress(&long), twin.compress(&long));
    assert_eq!(one.compress(&long[..200]), None);
    assert_eq!(one.compress(&long), twin.compress(&long));
}

#[test]
fn parts_end_on_octets_and_only_the_last_loses_its_tail() {
    const TAIL: &[u8] = &[0x00, 0x00, 0xFF, 0xFF];
    for (takeover, mut halves) in both_ways_to_remember() {
        let (first, a) = halves.encode(head(0, 3), Hints::new(), b"Hel");
        let (second, b) = halves.encode(head(1, 3), Hints::new(), b"lo");
        let (third, c) = halves.encode(head(2, 3), Hints::new(), b"");
        assert_eq!(first, Encoded::Replaced(Rsv::RSV1));
        assert_eq!(second, Encoded::Replaced(Rsv::NONE));
        assert_eq!(third, Encoded::Replaced(Rsv::NONE));
        assert!(a.ends_with(TAIL) && b.ends_with(TAIL), "{a:02x?} {b:02x?}");
        // The end was discovered late.
        assert_eq!(c, [0x00]);
        let (message, result) = halves.feed(&[&a, &b, &c], 5);
        assert_eq!(
            (message.as_slice(), result),
            (&b"Hello"[..], Ok(())),
            "{takeover}"
        );
    }
}

#[test]
fn a_thousand_messages_without_takeover_take_one_context_and_each_decodes_alone() {
    let config = PermessageDeflate::new();
    let (mut sender, mut receiver) = (from(&config), from(&config));
    let message = b"all work and no play makes a dull message; ".repeat(20);
    let first = sender.compress(&message);
    for _ in 0..1000 {
        let wire = sender.compress(&message);
        assert_eq!(wire, first);
        let wire = wire.expect("compressible");
        assert_eq!(receiver.inflate(&wire).as_ref(), Ok(&message));
        assert_eq!(from(&config).inflate(&wire).as_ref(), Ok(&message));
    }
    assert_pools(
        &config,
        "Pool { idle: 1, lent: 0",
        "Pool { idle: 1, lent: 0",
    );
}

#[track_caller]
fn assert_pools(config: &PermessageDeflate, compressors: &str, inflaters: &str) {
    let debug = format!("{config:?}");
    assert!(
        debug.contains(&format!("compressors: {compressors}")),
        "{debug}"
    );
    assert!(
        debug.contains(&format!("inflaters: {inflaters}")),
        "{debug}"
    );
}

#[test]
fn when_every_compressor_is_busy_a_message_goes_uncompressed() {
    let config = PermessageDeflate::new().max_pooled(1);
    let (mut one, mut other) = (from(&config), from(&config));
    let message = [b'a'; 1000];
    one.encode(head(0, 2), Hints::new(), &message);
    assert_pools(
        &config,
        "Pool { idle: 0, lent: 1",
        "Pool { idle: 0, lent: 0",
    );
    assert_eq!(other.compress(&message), None);
    // What has begun uncompressed goes on so, even if a compressor is free by then.
    let (unchanged, _) = other.encode(head(0, 2), Hints::new(), &message);
    one.encode(head(1, 2), Hints::new(), &message);
    assert_eq!(unchanged, Encoded::Unchanged);
    let (unchanged, _) = other.encode(head(1, 2), Hints::new(), &message);
    assert_eq!(unchanged, Encoded::Unchanged);
    assert!(other.compress(&message).is_some());
}

#[test]
fn a_connection_that_ends_in_the_middle_of_a_message_gives_its_contexts_back() {
    let config = PermessageDeflate::new();
    let mut halves = from(&config);
    let (_, wire) = halves.encode(head(0, 2), Hints::new(), &[b'a'; 1000]);
    assert_eq!(halves.begin(&wire), Ok(Decoded::Replaced));
    assert_pools(
        &config,
        "Pool { idle: 0, lent: 1",
        "Pool { idle: 0, lent: 1",
    );
    drop(halves);
    assert_pools(
        &config,
        "Pool { idle: 1, lent: 0",
        "Pool { idle: 1, lent: 0",
    );
    // And the next user notices nothing.
    let mut halves = from(&config);
    let wire = halves.compress(&[b'b'; 1000]).expect("compressible");
    assert_eq!(halves.inflate(&wire), Ok(vec![b'b'; 1000]));
}

#[test]
fn a_message_that_was_refused_leaves_a_window_the_peer_can_follow() {
    for (_, mut halves) in both_ways_to_remember() {
        let wire = halves.compress(b"Hello, Hello").expect("compressible");
        assert_eq!(halves.inflate(&wire).as_deref(), Ok(&b"Hello, Hello"[..]));
        let refused = halves.compress_within(10, &noise(50_000));
        assert_eq!(refused, Err(Failure::too_big()));
        let wire = halves.compress(b"Hello, Hello").expect("compressible");
        assert_eq!(halves.inflate(&wire).as_deref(), Ok(&b"Hello, Hello"[..]));
    }
}

#[test]
fn a_connection_that_fails_gives_its_inflater_back_at_once() {
    let config = PermessageDeflate::new();
    let mut halves = from(&config);
    assert!(halves.begin(&[0x07]).is_err());
    assert_pools(
        &config,
        "Pool { idle: 0, lent: 0",
        "Pool { idle: 1, lent: 0",
    );
}

#[test]
fn a_pool_lends_no_compressor_with_a_window_of_another_size() {
    let config = PermessageDeflate::new().level(6);
    let message = noise(600).repeat(2);
    let mut large = from(&config);
    let mut small: Halves = config
        .accept(&params("server_max_window_bits=9"))
        .expect("legal")
        .into();
    // What repeats after 600 octets is within reach of the one alone.
    for _ in 0..2 {
        assert!(
            large
                .compress(&message)
                .is_some_and(|wire| wire.len() < 700)
        );
        assert_eq!(small.compress(&message), None);
    }
    assert_pools(
        &config,
        "Pool { idle: 2, lent: 0",
        "Pool { idle: 0, lent: 0",
    );
}

#[test]
fn levels_do_what_they_say_and_those_out_of_range_are_the_nearest() {
    let wire = |config: PermessageDeflate| from(&config).compress(&text());
    let new = PermessageDeflate::new;
    assert_eq!(wire(new().level(0)), wire(new().level(1)));
    assert_eq!(wire(new().level(99)), wire(new().level(9)));
    let octets = |config| wire(config).map(|wire| wire.len());
    assert!(octets(new().level(6)) < octets(new().level(1)));

    let memory = |level| wire(new().level(6).memory_level(level));
    assert_eq!(memory(0), memory(1));
    assert_eq!(memory(99), memory(9));
    assert_ne!(memory(1), memory(9), "with less memory, blocks are shorter");
}

/// 100,000 octets of words.
fn text() -> Vec<u8> {
    let words = noise(20_000).into_iter().map(|n| format!("word{n} "));
    words.collect::<String>().into_bytes()[..100_000].to_vec()
}

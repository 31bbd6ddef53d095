//! Which messages are compressed, and what is left behind by those that are not.

use cloverleaf_proto::extension::{Encoded, Failure, Hints};
use cloverleaf_proto::frame::Rsv;

use crate::halves::{connect, cuts, extension, head, plain, sample, trained, with};

/// Octets in which nothing repeats.
fn noise(size: usize) -> Vec<u8> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..size).map(|_| next()).collect()
}

#[test]
fn a_whole_message_goes_compressed_only_if_it_becomes_smaller() {
    let mut halves = with(plain());
    for (message, smaller) in [
        (&b""[..], false),
        (b"a", false),
        (b"nothing repeats", false),
        (&noise(10_000), false),
        (b"\"symbol\":\"ACME\",\"price\":100.00", true),
        (&[b'x'; 40], true),
    ] {
        let wire = halves.compress(message);
        assert_eq!(wire.is_some(), smaller, "{message:?}");
        if let Some(wire) = wire {
            assert!(wire.len() < message.len());
            assert_eq!(halves.decompress(&wire).as_deref(), Ok(message));
        }
    }
}

#[test]
fn a_whole_message_under_the_threshold_goes_as_it_is_and_a_part_does_not() {
    let mut halves = connect(&extension(plain()).threshold(48));
    assert_eq!(halves.compress(&[b'x'; 47]), None);
    assert!(halves.compress(&[b'x'; 48]).is_some());
    let wire = [halves.part(0, 2, b"x"), halves.part(1, 2, b"y")].concat();
    assert_eq!(halves.decompress(&wire), Ok(b"xy".to_vec()));
}

#[test]
fn what_must_not_be_compressed_is_not_whole_or_in_parts() {
    let mut halves = with(plain());
    let hints = Hints::new().do_not_compress();
    let message = b"secret secret secret secret secret secret";
    for (i, count) in [(0, 1), (0, 3), (1, 3), (2, 3)] {
        let (encoded, _) = halves.encode(head(i, count), hints, message);
        assert_eq!(encoded, Encoded::Unchanged);
    }
    assert!(halves.compress(message).is_some());
}

#[test]
fn no_message_leaves_a_trace_in_the_next() {
    let message = sample(77);
    let mut fresh = with(trained());
    let expected = fresh.compress(message.as_bytes()).expect("it repeats");
    let mut halves = with(trained());
    for before in [
        noise(100),
        sample(78).into_bytes(),
        noise(300_000),
        vec![b'x'; 1 << 20],
    ] {
        halves.compress(&before);
        assert_eq!(halves.compress(message.as_bytes()), Some(expected.clone()));
        // Given up half way: the next message begins anew.
        halves.part(0, 2, &before);
        assert_eq!(halves.compress(message.as_bytes()), Some(expected.clone()));
    }
    halves.pass(b"not compressed");
    let (_, begun) = halves.piece(0, 2, &expected[..5], 1000);
    assert_eq!(begun, Ok(()));
    assert_eq!(halves.decompress(&expected), Ok(message.into_bytes()));
}

#[test]
fn every_part_can_be_read_as_soon_as_it_has_come() {
    let long = sample(3).repeat(5000);
    let parts: [&[u8]; 6] = [b"", b"{\"event\"", b":", b"", long.as_bytes(), b""];
    for dictionary in [plain(), trained()] {
        let mut halves = with(dictionary);
        let mut whole = Vec::new();
        for (i, part) in parts.iter().enumerate() {
            let wire = halves.part(i, parts.len(), part);
            let (came, result) = halves.piece(i, parts.len(), &wire, usize::MAX);
            assert_eq!(result, Ok(()));
            assert!(came == *part, "part {i}");
            whole.extend(wire);
        }
        assert_eq!(halves.decompress(&whole).expect("a frame"), parts.concat());
    }
}

#[test]
fn a_message_in_parts_is_read_wherever_it_is_cut() {
    let mut halves = with(plain());
    let parts = [
        "{\"event\":\"trade\",",
        "\"symbol\":\"ACME\"",
        ",\"price\":1}",
    ];
    let wire: Vec<u8> = (0..3)
        .flat_map(|i| halves.part(i, 3, parts[i].as_bytes()))
        .collect();
    for pieces in cuts(&wire) {
        let expected = parts.concat().into_bytes();
        assert_eq!(halves.feed(&pieces, usize::MAX), (expected, Ok(())));
    }
}

#[test]
fn two_connections_with_a_message_in_parts_each_do_not_mix_them_up() {
    let shared = extension(plain());
    let mut all: Vec<_> = (0..40).map(|_| connect(&shared)).collect();
    for i in 0..3 {
        for (n, halves) in all.iter_mut().enumerate() {
            let part = format!("part {i} of connection {n}");
            let wire = halves.part(i, 3, part.as_bytes());
            let (came, result) = halves.piece(i, 3, &wire, 100);
            assert_eq!((came, result), (part.into_bytes(), Ok(())));
        }
    }
    let pool = "Pool(16 idle)";
    assert_eq!(format!("{shared:?}").matches(pool).count(), 2, "{shared:?}");
}

#[test]
fn a_message_too_large_for_the_output_is_refused_and_the_next_is_not() {
    let mut halves = with(plain());
    let message = b"{\"event\":\"trade\",\"symbol\":\"ACME\",\"price\":101.00}";
    let refused = halves.encode_within(5, head(0, 1), Hints::new(), message);
    assert_eq!(refused, Err(Failure::too_big()));
    let refused = halves.encode_within(5, head(0, 2), Hints::new(), message);
    assert_eq!(refused, Err(Failure::too_big()));
    let (encoded, _) = halves.encode(head(1, 2), Hints::new(), b"the rest");
    assert_eq!(encoded, Encoded::Unchanged);
    let wire = halves.compress(message).expect("it repeats");
    let exactly = halves.encode_within(wire.len(), head(0, 1), Hints::new(), message);
    assert_eq!(exactly, Ok((Encoded::Replaced(Rsv::RSV1), wire)));
}

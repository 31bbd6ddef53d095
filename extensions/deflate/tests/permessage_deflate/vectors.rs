//! Octets from RFC 7692 §7.2.3 and others whose meaning is known.

use cloverleaf_deflate::PermessageDeflate;
use cloverleaf_proto::close::CloseCode;

use crate::halves::{Halves, both_ways_to_remember, server, with_takeover};
use crate::walker::{Invalid, Walker};

const HELLO: &[u8] = &[0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00];
/// "Hello" again, as a reference to the first.
const HELLO_AGAIN: &[u8] = &[0xF2, 0x00, 0x11, 0x00, 0x00];
const HELLO_THIRD: &[u8] = &[0x02, 0x13, 0x00, 0x00];
const HELLO_FINAL: &[u8] = &[0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00];

/// Messages that stand on their own.
const ALONE: &[(&[u8], &[u8])] = &[
    (HELLO, b"Hello"),
    // Stored (§7.2.3.3).
    (b"\x00\x05\x00\xFA\xFFHello\x00", b"Hello"),
    // BFINAL and the padding octet (§7.2.3.4), and without it, as zlib's Z_FINISH leaves it.
    (HELLO_FINAL, b"Hello"),
    (&[0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00], b"Hello"),
    // Two blocks (§7.2.3.5).
    (
        &[
            0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00,
        ],
        b"Hello",
    ),
    // Empty (§7.2.3.6); with BFINAL; and no octets at all, which no sender can produce.
    (&[0x00], b""),
    (&[0x03, 0x00, 0x00], b""),
    (&[0x01, 0x00, 0x00, 0xFF, 0xFF], b""),
    (&[0x01], b""),
    (&[], b""),
    // Two BFINAL blocks in a row, then one that is none.
    (
        b"\x01\x02\x00\xFD\xFFHe\x01\x02\x00\xFD\xFFll\x00\x01\x00\xFE\xFFo\x00",
        b"Hello",
    ),
];

#[test]
fn every_vector_inflates_in_one_piece_and_octet_by_octet() {
    for (takeover, mut halves) in both_ways_to_remember() {
        for (wire, message) in ALONE {
            assert_eq!(Walker::default().message(wire).as_deref(), Ok(*message));
            let whole = halves.inflate(wire);
            assert_eq!(whole.as_deref(), Ok(*message), "{wire:02x?} {takeover}");
            let octets: Vec<&[u8]> = wire.chunks(1).collect();
            let (chopped, result) = halves.feed(&octets, usize::MAX);
            assert_eq!(
                (chopped.as_slice(), result),
                (*message, Ok(())),
                "{wire:02x?}"
            );
            // An empty fragment anywhere changes nothing.
            for i in 0..=wire.len() {
                let (a, b) = wire.split_at(i);
                let (gap, result) = halves.feed(&[a, &[], b, &[]], usize::MAX);
                assert_eq!(
                    (gap.as_slice(), result),
                    (*message, Ok(())),
                    "{wire:02x?} at {i}"
                );
            }
        }
    }
}

#[test]
fn with_takeover_a_message_may_refer_to_the_ones_before_it() {
    let mut halves = with_takeover(PermessageDeflate::new(), true);
    let mut walker = Walker::default();
    for wire in [HELLO, HELLO_AGAIN, HELLO_THIRD] {
        assert_eq!(walker.message(wire).as_deref(), Ok(&b"Hello"[..]));
        assert_eq!(halves.inflate(wire).as_deref(), Ok(&b"Hello"[..]));
        // Neither an uncompressed message nor an empty one is in the way.
        halves.pass(b"an uncompressed message");
        assert_eq!(halves.inflate(&[]).as_deref(), Ok(&b""[..]));
        assert_eq!(halves.inflate(&[0]).as_deref(), Ok(&b""[..]));
    }
}

#[test]
fn without_takeover_a_message_that_refers_to_the_one_before_it_fails_with_1007() {
    let mut halves = with_takeover(PermessageDeflate::new(), false);
    assert_eq!(halves.inflate(HELLO).as_deref(), Ok(&b"Hello"[..]));
    assert_fails(&mut halves, HELLO_AGAIN);
    // The pooled context that has failed is as good as new.
    assert_eq!(halves.inflate(HELLO).as_deref(), Ok(&b"Hello"[..]));
}

#[test]
fn nothing_may_refer_to_what_stood_before_a_bfinal_block() {
    let mut halves = with_takeover(PermessageDeflate::new(), true);
    assert_eq!(halves.inflate(HELLO_FINAL).as_deref(), Ok(&b"Hello"[..]));
    assert_fails(&mut halves, HELLO_AGAIN);

    let mut halves = with_takeover(PermessageDeflate::new(), true);
    assert_eq!(halves.inflate(HELLO_FINAL).as_deref(), Ok(&b"Hello"[..]));
    assert_eq!(halves.inflate(HELLO).as_deref(), Ok(&b"Hello"[..]));
    assert_eq!(halves.inflate(HELLO_AGAIN).as_deref(), Ok(&b"Hello"[..]));
}

/// What is no DEFLATE stream, or only the beginning of one.
const INVALID: &[&[u8]] = &[
    // Block type 3.
    &[0xFF, 0xFF, 0xFF],
    &[0x07],
    // Stored, and the two lengths disagree.
    b"\x01\x05\x00\x00\x00Hello",
    // A distance that reaches before the beginning.
    HELLO_AGAIN,
    // Dynamic, with a code for lengths that has too many codes of one bit.
    &[0x04, 0x00, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
    // Dynamic with 287 literals.
    &[0xFC, 0x00, 0x00],
    // Literal code 286 in a fixed block.
    &[0x1B, 0x03],
    // The tail of a sync flush, which should have been removed: it begins a block of 0xFF00 octets.
    &[
        0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00, 0x00, 0xFF, 0xFF,
    ],
    // Ends inside a stored block, its lengths, or a dynamic header.
    b"\x00\x05\x00\xFA\xFFHel",
    &[0x00, 0x05],
    &[0x00, 0x00, 0x00],
    &[0x05, 0xC0, 0x81],
    // Ends inside a fixed block: the tail happens to spell "h" and half a stored block.
    &[0xF2, 0x48, 0xCD, 0xC9],
    // Ends inside a BFINAL block, which the tail ends, but not where the tail ends.
    &[0x03],
    // Garbage behind a BFINAL block.
    &[0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0xFF],
    &[
        0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0xDE, 0xAD, 0xBE, 0xEF,
    ],
];

fn assert_fails(halves: &mut Halves, wire: &[u8]) {
    let failure = halves.inflate(wire).expect_err("invalid");
    assert_eq!(
        failure.close_code(),
        CloseCode::INVALID_PAYLOAD,
        "{wire:02x?}"
    );
}

#[test]
fn a_corrupt_or_truncated_stream_fails_with_1007_under_every_chunking() {
    for wire in INVALID {
        assert_eq!(Walker::default().message(wire), Err(Invalid), "{wire:02x?}");
        for (_, mut halves) in both_ways_to_remember() {
            assert_fails(&mut halves, wire);
        }
        for (_, mut halves) in both_ways_to_remember() {
            let octets: Vec<&[u8]> = wire.chunks(1).collect();
            let (_, result) = halves.feed(&octets, usize::MAX);
            let failure = result.expect_err("invalid");
            assert_eq!(
                failure.close_code(),
                CloseCode::INVALID_PAYLOAD,
                "{wire:02x?}"
            );
        }
    }
}

#[test]
fn a_distance_beyond_the_agreed_window_is_decoded_all_the_same() {
    // 64 b, 1024 a, 64 b: the last match reaches back 1,087 octets, with 9 bits agreed.
    const WIRE: &[u8] = &[
        0x4A, 0x4A, 0xA2, 0x0C, 0x24, 0x8E, 0x82, 0x51, 0x30, 0x0A, 0x46, 0x2C, 0xA0, 0xB0, 0xF8,
        0x48, 0x02, 0x00,
    ];
    let message = [[b'b'; 64].as_slice(), &[b'a'; 1024], &[b'b'; 64]].concat();
    let config = PermessageDeflate::new().client_max_window_bits(9);
    let mut halves = server(config, "client_max_window_bits");
    assert_eq!(halves.inflate(WIRE).as_deref(), Ok(&message[..]));
    let octets: Vec<&[u8]> = WIRE.chunks(1).collect();
    assert_eq!(halves.feed(&octets, usize::MAX), (message.clone(), Ok(())));

    let mut walker = Walker::default();
    assert_eq!(walker.message(WIRE), Ok(message));
    assert_eq!(walker.max_distance, 1087);
}

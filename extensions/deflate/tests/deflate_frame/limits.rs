//! What an attacker can do with a compressed frame, and what comes of it.

use cloverleaf_deflate::DeflateFrame;
use cloverleaf_proto::extension::{Failure, Hints};

use crate::halves::{WHOLE, server, with_takeover};

const MIB: usize = 1 << 20;

#[test]
fn a_bomb_ends_with_1009_before_it_passes_the_limit() {
    let bomb = server(&DeflateFrame::new().level(9), "").compress(&vec![0; 16 * MIB]);
    let bomb = bomb.expect("compressible");
    assert!(bomb.len() < 17_000, "{}", bomb.len());
    for takeover in [false, true] {
        let (written, result) = with_takeover(takeover).inflate_within(MIB, &bomb);
        assert_eq!(result, Err(Failure::too_big()));
        assert!(written <= MIB);
        assert!(written > MIB - (16 << 10), "noticed a step late at most");
    }
}

#[test]
fn the_limit_is_allowed_and_one_octet_more_is_not() {
    for size in [1, 5, 16_383, 16_384, 16_385, 32_768, 100_000] {
        let plain = vec![7; size];
        let (_, wire) = with_takeover(true).encode(WHOLE, Hints::new(), &plain);
        for takeover in [false, true] {
            let mut halves = with_takeover(takeover);
            assert_eq!(halves.inflate_within(size, &wire).1, Ok(plain.clone()));
            let (written, result) = halves.inflate_within(size - 1, &wire);
            assert_eq!(result, Err(Failure::too_big()), "{size}");
            assert!(written < size);
        }
    }
}

#[test]
fn blocks_without_content_yield_an_empty_frame_however_many_there_are() {
    let empty_blocks = [0x00, 0x00, 0x00, 0xFF, 0xFF].repeat(200_000);
    // Each of these ends the stream, so that the inflater begins anew 500,000 times.
    let empty_streams = [0x03, 0x00].repeat(500_000);
    for mut wire in [empty_blocks, empty_streams] {
        wire.push(0x00);
        assert_eq!(
            with_takeover(true).inflate_within(0, &wire).1,
            Ok(Vec::new())
        );
    }
}

#[test]
fn a_thousand_frames_without_octets_leave_the_inflater_alone() {
    let mut halves = with_takeover(true);
    let hello = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00];
    assert_eq!(halves.inflate(&hello).as_deref(), Ok(&b"Hello"[..]));
    for _ in 0..1000 {
        assert_eq!(halves.inflate(&[]).as_deref(), Ok(&b""[..]));
    }
    let again = [0xF2, 0x00, 0x11, 0x00, 0x00];
    assert_eq!(halves.inflate(&again).as_deref(), Ok(&b"Hello"[..]));
}

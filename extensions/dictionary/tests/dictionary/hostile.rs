//! What an attacker can do with a compressed message, and what comes of it.

use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::extension::{Extension, Failure};

use crate::halves::{Halves, PLAIN_ID, cuts, extension, params, plain, trained, with};

const MIB: usize = 1 << 20;

/// A frame of `blocks` blocks of 128 KiB, four octets each.
fn bomb(blocks: usize) -> Vec<u8> {
    let mut wire = b"\x00\x38".to_vec();
    wire.extend(b"\x02\x00\x10x".repeat(blocks));
    wire.extend(b"\x01\x00\x00");
    wire
}

const HELLO: &[u8] = b"\x20\x05\x29\x00\x00Hello";

fn still_works(halves: &mut Halves) {
    assert_eq!(halves.decompress(HELLO), Ok(b"Hello".to_vec()));
}

#[test]
fn what_is_no_frame_of_the_agreement_ends_with_1007_wherever_it_is_cut() {
    let wrong: &[(&str, &[u8])] = &[
        ("a reserved bit", b"\x28\x05\x29\x00\x00Hello"),
        (
            "the magic number",
            b"\x28\xB5\x2F\xFD\x20\x05\x29\x00\x00Hello",
        ),
        ("a reserved type of block", b"\x20\x05\x07\x00\x00"),
        ("a window of 256 KiB", b"\x00\x40\x29\x00\x00Hello"),
        ("a window of 144 KiB", b"\x00\x39\x29\x00\x00Hello"),
        ("a window of two TiB", b"\x00\xF8\x29\x00\x00Hello"),
        (
            "a window too large, and a size that is not",
            b"\x40\x40\x00\x00\x01\x00\x00",
        ),
        (
            "128 KiB and one octet at once",
            b"\xA0\x01\x00\x02\x00\x29\x00\x00Hello",
        ),
        ("a size that is too large", b"\x20\x06\x29\x00\x00Hello"),
        ("a size that is too small", b"\x20\x04\x29\x00\x00Hello"),
        ("another dictionary's id", b"\x21\x07\x05\x29\x00\x00Hello"),
        (
            "a block larger than the window",
            b"\x00\x00\x0A\x20\x00x\x01\x00\x00",
        ),
        (
            "garbage",
            b"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
        ),
        (
            "an octet behind the frame",
            b"\x20\x05\x29\x00\x00Hello\x00",
        ),
        (
            "a second frame",
            b"\x20\x05\x29\x00\x00Hello\x20\x05\x29\x00\x00Hello",
        ),
        (
            "a second frame with its magic number",
            b"\x20\x05\x29\x00\x00Hello\x28\xB5\x2F\xFD\x20\x05\x29\x00\x00Hello",
        ),
        ("a skippable frame", b"\x50\x2A\x4D\x18\x04\x00\x00\x00skip"),
        (
            "a skippable frame in the place of a header",
            b"\x53\x2A\x4D\x18\x00\x00\x00\x00",
        ),
        (
            "a skippable frame within a header",
            b"\xC3\x50\x2A\x4D\x18\x05\x00\x00\x00\x00\x00\x00\x00\x00",
        ),
        (
            "a skippable frame behind the frame",
            b"\x20\x05\x29\x00\x00Hello\x50\x2A\x4D\x18\x04\x00\x00\x00skip",
        ),
        (
            "a repeat of what never was",
            b"\x20\x05\x15\x00\x00\xFC\xFF",
        ),
        ("nothing", b""),
    ];
    let mut halves = with(plain());
    for (what, wire) in wrong {
        for pieces in cuts(wire).filter(|pieces| !pieces.is_empty()) {
            let (_, result) = halves.feed(&pieces, usize::MAX);
            let code = result.map_err(|failure| failure.close_code());
            assert_eq!(
                code,
                Err(CloseCode::INVALID_PAYLOAD),
                "{what}: {pieces:02x?}"
            );
            still_works(&mut halves);
        }
    }
}

#[test]
fn a_frame_that_is_cut_short_ends_with_1007_wherever_it_stops() {
    let mut sender = with(trained());
    let message = crate::halves::sample(1).repeat(3);
    let wire = sender.compress(message.as_bytes()).expect("it repeats");
    for end in 0..wire.len() {
        for pieces in cuts(&wire[..end]).filter(|pieces| !pieces.is_empty()) {
            let (_, result) = sender.feed(&pieces, usize::MAX);
            let reason = result.expect_err("it is cut short");
            assert_eq!(reason.reason(), "the zstd frame is cut short", "{end}");
        }
    }
    assert_eq!(sender.decompress(&wire), Ok(message.into_bytes()));
}

#[test]
fn an_octet_that_has_changed_is_an_error_or_another_message_but_never_a_panic() {
    let mut halves = with(trained());
    let message = crate::halves::sample(5).repeat(2);
    let wire = halves.compress(message.as_bytes()).expect("it repeats");
    for at in 0..wire.len() {
        for octet in 0..=255 {
            let mut changed = wire.clone();
            changed[at] = octet;
            let (came, result) = halves.feed(&[&changed], 4096);
            assert!(came.len() <= 4096);
            if octet == wire[at] {
                assert_eq!((came, result), (message.clone().into_bytes(), Ok(())));
            }
        }
    }
    still_works(&mut halves);
}

#[test]
fn an_agreed_window_is_the_bound_and_not_one_step_more() {
    for bits in 10..=23_u8 {
        let server = extension(plain()).max_window_bits(23);
        let offer = params(&format!("id={PLAIN_ID}; max_window_bits={bits}"));
        let mut halves = Halves::from(server.accept(&offer).expect("known"));
        let frame = |window: u8| [b"\x00", &[window][..], b"\x29\x00\x00Hello"].concat();
        let exponent = (bits - 10) << 3;
        assert_eq!(halves.decompress(&frame(exponent)), Ok(b"Hello".to_vec()));
        assert!(halves.decompress(&frame(exponent | 1)).is_err(), "{bits}");
    }
}

#[test]
fn a_bomb_ends_with_1009_before_it_passes_the_limit_whole_and_in_fragments() {
    let bomb = bomb(100_000);
    let fragments: Vec<&[u8]> = bomb.chunks(3).collect();
    let mut halves = with(plain());
    for pieces in [&[&bomb[..]][..], &fragments] {
        let (message, result) = halves.feed(pieces, MIB);
        assert_eq!(result, Err(Failure::too_big()));
        assert!(message.len() <= MIB);
        assert!(
            message.len() > MIB - (17 << 10),
            "noticed a step late at most"
        );
        still_works(&mut halves);
    }
}

#[test]
fn the_limit_is_allowed_and_one_octet_more_is_not() {
    let mut halves = with(plain());
    for size in [
        1, 5, 16_383, 16_384, 16_385, 32_768, 131_072, 131_073, 500_000,
    ] {
        let message = vec![7; size];
        let (_, wire) = {
            let first = halves.part(0, 2, &message);
            let last = halves.part(1, 2, b"");
            ((), [first, last].concat())
        };
        assert_eq!(halves.feed(&[&wire], size), (message, Ok(())), "{size}");
        let (less, result) = halves.feed(&[&wire], size - 1);
        assert_eq!(result, Err(Failure::too_big()), "{size}");
        assert!(less.len() < size);
    }
}

#[test]
fn blocks_without_content_yield_an_empty_message_however_many_there_are() {
    let mut wire = b"\x00\x38".to_vec();
    wire.extend(b"\x00\x00\x00".repeat(300_000));
    wire.extend(b"\x01\x00\x00");
    let mut halves = with(plain());
    assert_eq!(halves.feed(&[&wire], 0), (Vec::new(), Ok(())));
}

#[test]
fn behind_a_failure_the_rest_of_the_message_does_not_pass_for_plain_data() {
    let mut halves = with(plain());
    assert!(halves.piece(0, 3, b"\x28\x05\x29\x00\x00", 100).1.is_err());
    let (_, result) = halves.piece(2, 3, b"plain", 100);
    assert!(result.is_err());
    still_works(&mut halves);
}

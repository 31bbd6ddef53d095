//! What an attacker can do with a compressed message, and what comes of it.

use cloverleaf_deflate::PermessageDeflate;
use cloverleaf_proto::extension::Failure;

use crate::halves::{both_ways_to_remember, with_takeover};

const MIB: usize = 1 << 20;

/// 16 MiB of zeros in the fewest octets.
fn bomb() -> Vec<u8> {
    let mut sender = with_takeover(PermessageDeflate::new().level(9), false);
    let wire = sender.compress(&vec![0; 16 * MIB]).expect("compressible");
    assert!(wire.len() < 17_000, "{}", wire.len());
    wire
}

#[test]
fn a_bomb_ends_with_1009_before_it_passes_the_limit() {
    let bomb = bomb();
    for (_, mut halves) in both_ways_to_remember() {
        let (message, result) = halves.feed(&[&bomb], MIB);
        assert_eq!(result, Err(Failure::too_big()));
        assert!(message.len() <= MIB);
        assert!(
            message.len() > MIB - (16 << 10),
            "noticed a step late at most"
        );
    }
}

#[test]
fn a_bomb_in_fragments_ends_with_1009_in_the_fragment_that_passes_the_limit() {
    let bomb = bomb();
    let sixteenth: Vec<&[u8]> = bomb.chunks(bomb.len().div_ceil(16)).collect();
    for (_, mut halves) in both_ways_to_remember() {
        let (message, result) = halves.feed(&sixteenth, 3 * MIB);
        assert_eq!(result, Err(Failure::too_big()));
        assert!(message.len() <= 3 * MIB);
    }
}

#[test]
fn a_mebibyte_of_wire_that_holds_a_gibibyte_costs_no_more_than_the_limit() {
    // One MiB of zeros that refers to zeros before it, again and again.
    let mut sender = with_takeover(PermessageDeflate::new().level(9), true);
    let first = sender.compress(&vec![0; MIB]).expect("compressible");
    let again = sender.compress(&vec![0; MIB]).expect("compressible");
    let mut wire = first;
    while wire.len() < MIB {
        wire.extend_from_slice(&[0x00, 0x00, 0xFF, 0xFF]);
        wire.extend_from_slice(&again);
    }
    for (_, mut halves) in both_ways_to_remember() {
        let (message, result) = halves.feed(&[&wire], MIB);
        assert_eq!(result, Err(Failure::too_big()));
        assert!(message.len() <= MIB);
    }
}

#[test]
fn the_limit_is_allowed_and_one_octet_more_is_not() {
    let mut sender = with_takeover(PermessageDeflate::new(), false);
    // Around the size of a step, of the window, and of both together.
    for size in [1, 5, 16_383, 16_384, 16_385, 32_768, 65_536, 100_000] {
        let message = vec![7; size];
        let stored = {
            // The same as stored blocks, the last with BFINAL.
            let mut wire = Vec::new();
            let mut chunks = message.chunks(0xFFFF).peekable();
            while let Some(chunk) = chunks.next() {
                let length = chunk.len() as u16;
                wire.push(u8::from(chunks.peek().is_none()));
                wire.extend_from_slice(&length.to_le_bytes());
                wire.extend_from_slice(&(!length).to_le_bytes());
                wire.extend_from_slice(chunk);
            }
            wire
        };
        let (_, compressed) = sender.encode(
            crate::halves::head(0, 1),
            cloverleaf_proto::extension::Hints::new(),
            &message,
        );
        for wire in [compressed, stored] {
            for (_, mut halves) in both_ways_to_remember() {
                let exact = halves.feed(&[&wire], size);
                assert_eq!(exact, (message.clone(), Ok(())), "{size}");
                let (less, result) = halves.feed(&[&wire], size - 1);
                assert_eq!(result, Err(Failure::too_big()), "{size}");
                assert!(less.len() < size);
            }
        }
    }
}

#[test]
fn blocks_without_content_yield_an_empty_message_however_many_there_are() {
    let empty_blocks = [0x00, 0x00, 0x00, 0xFF, 0xFF].repeat(200_000);
    // Each of these ends the stream, so that the inflater begins anew 500,000 times.
    let empty_streams = [0x03, 0x00].repeat(500_000);
    for mut wire in [empty_blocks, empty_streams] {
        wire.push(0x00);
        for (_, mut halves) in both_ways_to_remember() {
            assert_eq!(halves.feed(&[&wire], 0), (Vec::new(), Ok(())));
        }
    }
}

//! What we send reaches no further back than the peer allows, in either role; what we receive may.

use cloverleaf_deflate::DeflateFrame;

use crate::halves::{both_roles, client, server};
use crate::walker::Walker;

/// Repeats at every distance: what came `distance` octets before, with a seam now and then.
fn echoes(distance: usize) -> Vec<u8> {
    let mut random = 1_u32;
    let mut plain: Vec<u8> = Vec::new();
    for i in 0..4 * distance + 600 {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let octet = match i.checked_sub(distance) {
            Some(before) if !i.is_multiple_of(61) => plain[before],
            _ => (random >> 24) as u8,
        };
        plain.push(octet);
    }
    plain
}

#[test]
fn no_match_reaches_beyond_the_window_that_the_peer_allows() {
    for bits in 8..=15 {
        let size = 1_usize << bits;
        let distances = [size / 2, size - 6, size - 1, size, size + 1];
        for level in [1, 6, 9] {
            let config = DeflateFrame::new()
                .level(level)
                .threshold(0)
                .context_takeover(true);
            for mut sender in both_roles(&config, &format!("max_window_bits={bits}")) {
                let mut walker = Walker::default();
                for distance in distances {
                    let plain = echoes(distance);
                    let wire = sender.compress(&plain).expect("always, with takeover");
                    assert_eq!(walker.message(&wire), Ok(plain), "{bits} {level}");
                }
                assert!(
                    walker.max_distance <= size,
                    "{bits} bits, level {level}: distance {}",
                    walker.max_distance
                );
            }
        }
    }
}

/// Octet i is ((i mod 300) * 37 + 11) mod 251: it pays to look back 300 octets, if one may.
fn period_of_300() -> Vec<u8> {
    (0..1200)
        .map(|i| ((i % 300 * 37 + 11) % 251) as u8)
        .collect()
}

#[test]
fn a_period_of_300_octets_is_out_of_reach_with_8_and_9_bits() {
    let plain = period_of_300();
    let config = DeflateFrame::new().level(6).threshold(0);
    for (bits, reaches) in [(8, false), (9, false), (10, true), (15, true)] {
        for mut sender in both_roles(&config, &format!("max_window_bits={bits}")) {
            let wire = sender.compress(&plain).expect("compressible");
            let mut walker = Walker::default();
            assert_eq!(walker.message(&wire).as_deref(), Ok(&plain[..]));
            let distance = walker.max_distance;
            assert_eq!(distance >= 300, reaches, "{bits}: {distance}");
        }
    }
}

#[test]
fn what_we_demand_of_the_peer_does_not_bind_our_own_compressor() {
    let plain = period_of_300();
    let config = DeflateFrame::new().level(6).threshold(0).max_window_bits(8);
    for mut sender in both_roles(&config, "") {
        let wire = sender.compress(&plain).expect("compressible");
        let mut walker = Walker::default();
        assert_eq!(walker.message(&wire).as_deref(), Ok(&plain[..]));
        assert!(walker.max_distance >= 300);
    }
}

#[test]
fn what_the_peer_demands_of_us_does_not_bind_its_own_compressor() {
    // 64 b, 1024 a, 64 b: the last match reaches back 1,087 octets.
    const WIRE: &[u8] = &[
        0x4A, 0x4A, 0xA2, 0x0C, 0x24, 0x8E, 0x82, 0x51, 0x30, 0x0A, 0x46, 0x2C, 0xA0, 0xB0, 0xF8,
        0x48, 0x02, 0x00,
    ];
    let plain = [[b'b'; 64].as_slice(), &[b'a'; 1024], &[b'b'; 64]].concat();
    let mut walker = Walker::default();
    assert_eq!(walker.message(WIRE).as_ref(), Ok(&plain));
    assert_eq!(walker.max_distance, 1087);
    for mut receiver in both_roles(&DeflateFrame::new(), "max_window_bits=8") {
        assert_eq!(receiver.inflate(WIRE).as_ref(), Ok(&plain));
    }
    // Nor do we hold a peer to what we demanded of its window.
    let demanding = DeflateFrame::new().max_window_bits(8);
    for mut receiver in [server(&demanding, ""), client(&demanding, "")] {
        assert_eq!(receiver.inflate(WIRE).as_ref(), Ok(&plain));
    }
}

#[test]
fn the_window_reaches_from_frame_to_frame_and_not_where_the_peer_forbids_it() {
    let plain = period_of_300();
    let config = DeflateFrame::new()
        .level(6)
        .threshold(0)
        .context_takeover(true);
    for (demands, alike) in [("", false), ("no_context_takeover", true)] {
        for mut sender in both_roles(&config, demands) {
            let first = sender.compress(&plain).expect("compressible");
            let second = sender.compress(&plain).expect("compressible");
            assert_eq!(first == second, alike, "{demands}");
        }
    }
}

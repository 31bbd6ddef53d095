//! What we send reaches no further back than was agreed (RFC 7692 §7.1.2).

use cloverleaf_deflate::PermessageDeflate;
use proptest::prelude::*;

use crate::halves::{params, server, with_takeover};
use crate::walker::Walker;
use cloverleaf_proto::extension::Extension;

/// Repeats at every distance: what came `distance` octets before, with a seam now and then.
fn echoes(distance: usize) -> Vec<u8> {
    let mut random = 1_u32;
    let mut message: Vec<u8> = Vec::new();
    for i in 0..4 * distance + 600 {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let octet = match i.checked_sub(distance) {
            Some(before) if !i.is_multiple_of(61) => message[before],
            _ => (random >> 24) as u8,
        };
        message.push(octet);
    }
    message
}

#[test]
fn no_match_reaches_beyond_the_agreed_window() {
    for bits in 8..=15 {
        let size = 1_usize << bits;
        // Just inside the window, just outside, and far outside.
        let distances = [
            size / 2,
            size.saturating_sub(300),
            size - 6,
            size - 1,
            size,
            size + 1,
            2 * size,
        ];
        for level in 1..=9 {
            let config = PermessageDeflate::new()
                .level(level)
                .server_no_context_takeover(false);
            let mut sender = server(config, &format!("server_max_window_bits={bits}"));
            let mut walker = Walker::default();
            for distance in distances.map(|d| d.min(70_000)) {
                if distance == 0 || bits > 12 && level > 3 && level < 9 {
                    continue;
                }
                let message = echoes(distance);
                let wire = sender.compress(&message).expect("always, with takeover");
                assert_eq!(
                    walker.message(&wire),
                    Ok(message),
                    "{bits} {level} {distance}"
                );
            }
            assert!(
                walker.max_distance <= size,
                "{bits} bits, level {level}: distance {}",
                walker.max_distance
            );
        }
    }
}

#[test]
fn the_walker_would_see_a_distance_that_is_too_large() {
    let mut sender = with_takeover(PermessageDeflate::new().level(6), true);
    let message = echoes(1000);
    let wire = sender.compress(&message).expect("always, with takeover");
    let mut walker = Walker::default();
    assert_eq!(walker.message(&wire), Ok(message));
    assert!(walker.max_distance >= 1000);
}

/// Octet i is ((i mod 300) * 37 + 11) mod 251: it pays to look back 300 octets, if one may.
#[test]
fn a_period_of_300_octets_is_out_of_reach_with_8_and_9_bits() {
    let message: Vec<u8> = (0..1200)
        .map(|i| ((i % 300 * 37 + 11) % 251) as u8)
        .collect();
    for (bits, reaches) in [(8, false), (9, false), (10, true), (15, true)] {
        // Our compressor as a server's, and as a client's.
        let config = PermessageDeflate::new().level(6).threshold(0);
        let halves = [
            config.accept(&params(&format!("server_max_window_bits={bits}"))),
            config.confirm(
                &config.offers(),
                &params(&format!("client_max_window_bits={bits}")),
            ),
        ];
        for agreement in halves {
            let mut sender = crate::halves::Halves::from(agreement.expect("legal"));
            let wire = sender.compress(&message).expect("compressible");
            let mut walker = Walker::default();
            assert_eq!(walker.message(&wire).as_deref(), Ok(&message[..]));
            assert_eq!(
                walker.max_distance >= 300,
                reaches,
                "{bits}: {}",
                walker.max_distance
            );
            assert!(walker.max_distance <= 1 << bits);
        }
    }
}

#[test]
fn a_client_keeps_to_its_own_bound_even_if_the_server_allows_more() {
    for answer in ["", "client_max_window_bits=12"] {
        let config = PermessageDeflate::new().level(6).client_max_window_bits(9);
        let agreement = config.confirm(&config.offers(), &params(answer));
        let mut sender = crate::halves::Halves::from(agreement.expect("legal"));
        let message = echoes(600);
        let wire = sender.compress(&message);
        // Nothing within 512 octets repeats, so that it may also stay as it is.
        if let Some(wire) = wire {
            let mut walker = Walker::default();
            assert_eq!(walker.message(&wire), Ok(message));
            assert!(
                walker.max_distance <= 512,
                "{answer}: {}",
                walker.max_distance
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn eight_bits_are_honoured_for_any_messages(
        messages in prop::collection::vec(prop::collection::vec(0_u8..4, 0..3000), 1..4),
        level in 1_u8..=9,
    ) {
        let config = PermessageDeflate::new().level(level).server_no_context_takeover(false);
        let mut sender = server(config, "server_max_window_bits=8");
        let mut walker = Walker::default();
        for message in messages {
            let wire = sender.compress(&message).expect("always, with takeover");
            prop_assert_eq!(walker.message(&wire), Ok(message));
            prop_assert!(walker.max_distance <= 256, "{}", walker.max_distance);
        }
    }
}

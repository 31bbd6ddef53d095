//! What one side compresses the other inflates, however it is cut; and what nobody compressed is
//! taken by the inflater and by a naive decoder alike, or by neither.

use cloverleaf_deflate::PermessageDeflate;
use cloverleaf_proto::extension::{Encoded, Extension, Hints};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::halves::{Halves, both_ways_to_remember, head, params};
use crate::walker::Walker;

/// Text that repeats itself, and noise.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let words = vec("[a-d]{1,6} ", 0..400).prop_map(|words| words.concat().into_bytes());
    let runs = vec((any::<u8>(), 1_usize..9000), 0..6).prop_map(|runs| {
        let runs = runs.into_iter().map(|(octet, length)| vec![octet; length]);
        runs.collect::<Vec<_>>().concat()
    });
    prop_oneof![4 => words, 2 => runs, 2 => vec(any::<u8>(), 0..5000), 1 => Just(Vec::new())]
}

/// `octets` cut at these places into at least one piece.
fn cut<'a>(octets: &'a [u8], places: &[Index]) -> Vec<&'a [u8]> {
    let mut ends: Vec<usize> = places.iter().map(|i| i.index(octets.len() + 1)).collect();
    ends.push(octets.len());
    ends.sort_unstable();
    let mut start = 0;
    ends.into_iter()
        .map(|end| &octets[core::mem::replace(&mut start, end)..end])
        .collect()
}

/// Messages, each with the places where the sender and the wire cut it.
fn traffic() -> impl Strategy<Value = Vec<(Vec<u8>, Vec<Index>, Vec<Index>)>> {
    let places = || vec(any::<Index>(), 0..5);
    vec((message(), places(), places()), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_message_survives_under_every_setting_and_every_cut(
        traffic in traffic(),
        takeover: bool,
        as_server: bool,
        bits in 8_u8..=15,
        level in 1_u8..=9,
        memory_level in 1_u8..=9,
        threshold in prop_oneof![Just(0_usize), Just(256)],
    ) {
        let config = || {
            PermessageDeflate::new()
                .level(level)
                .memory_level(memory_level)
                .threshold(threshold)
                .server_no_context_takeover(!takeover)
                .client_no_context_takeover(!takeover)
                .server_max_window_bits(bits)
                .client_max_window_bits(bits)
        };
        let (client, server) = (config(), config());
        let offers = client.offers();
        let accepted = server.accept(&offers[0]).expect("an own offer");
        let answer = params(&accepted.params().to_string());
        let confirmed = client.confirm(&offers, &answer).expect("an own answer");
        let (mut sender, mut receiver) = (Halves::from(accepted), Halves::from(confirmed));
        if !as_server {
            core::mem::swap(&mut sender, &mut receiver);
        }
        let mut walker = Walker::default();
        for (message, parts, pieces) in traffic {
            let parts = cut(&message, &parts);
            let mut wire = Vec::new();
            let mut compressed = None;
            for (i, part) in parts.iter().enumerate() {
                let (encoded, octets) = sender.encode(head(i, parts.len()), Hints::new(), part);
                let replaced = matches!(encoded, Encoded::Replaced(_));
                prop_assert_eq!(*compressed.get_or_insert(replaced), replaced);
                wire.extend_from_slice(&octets);
            }
            if compressed == Some(false) {
                receiver.pass(&message);
                continue;
            }
            let (inflated, result) = receiver.feed(&cut(&wire, &pieces), message.len());
            prop_assert_eq!(result, Ok(()));
            prop_assert_eq!(&inflated, &message);
            if !takeover {
                walker = Walker::default();
            }
            prop_assert_eq!(walker.message(&wire), Ok(message));
            prop_assert!(walker.max_distance <= 1 << bits);
        }
    }

    #[test]
    fn a_damaged_stream_is_decoded_alike_or_refused_alike_under_every_cut(
        message in message(),
        level in prop_oneof![Just(1_u8), Just(6)],
        damage in vec((any::<Index>(), any::<u8>()), 1..4),
        places in vec(any::<Index>(), 0..5),
    ) {
        let config = PermessageDeflate::new().level(level).threshold(0);
        let mut sender = Halves::from(config.accept(&params("")).expect("a plain offer"));
        let Some(mut wire) = sender.compress(&message) else {
            return Ok(());
        };
        for (place, octet) in damage {
            let place = place.index(wire.len());
            wire[place] = octet;
        }
        alike(&wire, &places)?;
    }

    #[test]
    fn garbage_is_decoded_alike_or_refused_alike_under_every_cut(
        wire in vec(prop_oneof![any::<u8>(), 0_u8..8], 0..60),
        places in vec(any::<Index>(), 0..5),
    ) {
        alike(&wire, &places)?;
    }
}

fn alike(wire: &[u8], places: &[Index]) -> Result<(), TestCaseError> {
    let naive = Walker::default().message(wire).ok();
    for (_, mut halves) in both_ways_to_remember() {
        let (message, result) = halves.feed(&cut(wire, places), usize::MAX);
        prop_assert_eq!(&result.ok().map(|()| message), &naive, "{:02x?}", wire);
    }
    Ok(())
}

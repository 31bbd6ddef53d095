//! What one side compresses the other decompresses, however it is cut; and garbage is garbage
//! wherever it is cut.

use cloverleaf_proto::extension::{Encoded, Extension, Hints};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::halves::{Halves, extension, head, plain, sample, trained, with};

/// Records, runs and noise.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let records = vec(any::<u32>(), 0..100).prop_map(|records| {
        let records = records.into_iter().map(|n| sample(n.into()));
        records.collect::<String>().into_bytes()
    });
    let runs = vec((any::<u8>(), 1_usize..90_000), 0..6).prop_map(|runs| {
        let runs = runs.into_iter().map(|(octet, length)| vec![octet; length]);
        runs.collect::<Vec<_>>().concat()
    });
    prop_oneof![4 => records, 2 => runs, 2 => vec(any::<u8>(), 0..5000), 1 => Just(Vec::new())]
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
    vec((message(), places(), places()), 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn every_message_survives_under_every_setting_and_every_cut(
        traffic in traffic(),
        as_server: bool,
        own_dictionary: bool,
        bits in 10_u8..=18,
        level in 1_u8..=7,
    ) {
        let dictionary = if own_dictionary { trained() } else { plain() };
        let config = || extension(dictionary.clone()).level(level).max_window_bits(bits);
        let (client, server) = (config(), config());
        let offers = client.offers();
        let accepted = server.accept(&offers[0]).expect("an own offer");
        let confirmed = client.confirm(&offers, accepted.params()).expect("an own answer");
        let (mut sender, mut receiver) = (Halves::from(accepted), Halves::from(confirmed));
        if !as_server {
            core::mem::swap(&mut sender, &mut receiver);
        }
        for (message, parts, pieces) in traffic {
            let parts = cut(&message, &parts);
            let mut wire = Vec::new();
            let mut compressed = None;
            for (i, part) in parts.iter().enumerate() {
                let (encoded, octets) = sender.encode(head(i, parts.len()), Hints::new(), part);
                let replaced = matches!(encoded, Encoded::Replaced(_));
                prop_assert_eq!(*compressed.get_or_insert(replaced), replaced);
                wire.extend(octets);
            }
            if compressed == Some(true) {
                let (came, result) = receiver.feed(&cut(&wire, &pieces), message.len());
                prop_assert_eq!(result, Ok(()));
                prop_assert!(came == message);
            } else {
                receiver.pass(&message);
            }
        }
    }

    #[test]
    fn garbage_means_the_same_wherever_it_is_cut(
        mut wire in prop_oneof![vec(any::<u8>(), 0..200), message().prop_map(|message| {
            with(plain()).compress(&message).unwrap_or(message)
        })],
        changes in vec((any::<Index>(), any::<u8>()), 0..3),
        pieces in vec(any::<Index>(), 0..5),
    ) {
        for (at, octet) in changes {
            if !wire.is_empty() {
                let at = at.index(wire.len());
                wire[at] = octet;
            }
        }
        let mut halves = with(plain());
        let whole = halves.feed(&[&wire], 1 << 20);
        let cut = halves.feed(&cut(&wire, &pieces), 1 << 20);
        prop_assert_eq!(&whole.1.is_ok(), &cut.1.is_ok(), "{:?} {:?}", whole.1, cut.1);
        if whole.1.is_ok() {
            prop_assert!(whole.0 == cut.0);
        }
    }
}

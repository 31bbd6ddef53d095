//! What is promised of all corpora: sizes, octets that never change, ratios, windows.

use std::io::Write;

use flate2::{Compression, write::DeflateEncoder};
use sha1::{Digest, Sha1};

use super::*;

fn compressed(octets: &[u8]) -> usize {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(6));
    encoder
        .write_all(octets)
        .expect("a Vec takes all that is written to it");
    encoder
        .finish()
        .expect("a Vec takes all that is written to it")
        .len()
}

#[test]
fn the_corpora_have_the_sizes_and_opcodes_of_the_suite() {
    let found = Kind::ALL.map(|kind| {
        let corpus = kind.corpus();
        (corpus.name(), corpus.octets().len(), corpus.is_text())
    });
    assert_eq!(
        found,
        [
            ("json", 194_056, true),
            ("bitmap", 263_222, false),
            ("prose", 222_218, false),
            ("html", 263_647, true),
            ("pdf", 1_042_328, false),
        ]
    );
}

/// Results of two runs compare only if both were sent the same octets: whoever changes a
/// generator changes a literal here.
#[test]
fn the_octets_are_the_same_on_every_machine() {
    let found = Kind::ALL.map(|kind| format!("{:x}", Sha1::digest(kind.corpus().octets())));
    assert_eq!(
        found,
        [
            "92e63920ba78e26aea9b3d4fb73c8cff5419b02f",
            "3e206e2ffad331a7367177551b62aa3eb038faf4",
            "9e9a93e1d0beb03503a589eed2f7305039189a8b",
            "5833944431f17e1a44ef8d6f7784db9ff4e52b82",
            "f4fd9c5887f4a5ce15e9d031d77d90b58f28aae7",
        ]
    );
}

#[test]
fn each_compresses_as_its_kind_does() {
    // In hundredths: at least, at most.
    let bounds = [
        (2000, 2500),
        (120, 200),
        (230, 320),
        (1600, 1900),
        (100, 130),
    ];
    for (kind, (least, most)) in Kind::ALL.into_iter().zip(bounds) {
        let octets = kind.corpus().octets();
        let ratio = octets.len() * 100 / compressed(octets);
        println!("{kind:?}: {ratio}");
        assert!((least..=most).contains(&ratio), "{kind:?}: {ratio}");
    }
}

#[test]
fn text_counts_code_points_and_binary_counts_octets() {
    for kind in Kind::ALL {
        let corpus = kind.corpus();
        let expected = if corpus.is_text() {
            std::str::from_utf8(corpus.octets())
                .expect("UTF-8")
                .chars()
                .count()
        } else {
            corpus.octets().len()
        };
        assert_eq!(corpus.total(), expected, "{kind:?}");
    }
    assert!(Kind::Html.corpus().total() < Kind::Html.corpus().octets().len());
}

/// The window by its definition: positions in a list, one by one.
fn naive(positions: &[&[u8]], from: usize, length: usize) -> (Vec<u8>, usize) {
    let total = positions.len();
    let window = (from..from + length)
        .flat_map(|at| positions[at % total].to_vec())
        .collect();
    (window, (from + length) % total)
}

fn positions(corpus: &Corpus) -> Vec<&[u8]> {
    if corpus.is_text() {
        let text = std::str::from_utf8(corpus.octets()).expect("UTF-8");
        text.char_indices()
            .map(|(at, c)| &corpus.octets()[at..at + c.len_utf8()])
            .collect()
    } else {
        corpus.octets().chunks(1).collect()
    }
}

#[test]
fn windows_are_those_of_the_naive_twin_round_and_round() {
    for kind in Kind::ALL {
        let corpus = kind.corpus();
        let positions = positions(corpus);
        for length in [16, 64, 1024, 8192, 65_536, 131_072] {
            let mut from = 0;
            for _ in 0..40 {
                let expected = naive(&positions, from, length);
                let (window, next) = corpus.window(from, length);
                assert!(
                    window == expected.0 && next == expected.1,
                    "{kind:?} {from} {length}"
                );
                from = next;
            }
        }
    }
}

#[test]
fn windows_of_small_text_are_those_of_the_naive_twin_at_every_position() {
    for text in ["a", "ä", "aäb", "🍀a–ü", "äöü🍀🍀–", "plain"] {
        let corpus = Corpus::text("", "", text.as_bytes().to_vec());
        let positions = positions(&corpus);
        for from in 0..corpus.total() {
            // A round of the whole is one length that the remainder cannot tell from none.
            for length in 0..=corpus.total() {
                let expected = naive(&positions, from, length);
                let (window, next) = corpus.window(from, length);
                assert_eq!(
                    (window.into_owned(), next),
                    expected,
                    "{text} {from} {length}"
                );
            }
        }
    }
}

#[test]
fn only_a_window_past_the_end_is_copied() {
    let corpus = Corpus::binary("", "", b"abcdef".to_vec());
    let cases: [(usize, usize, &[u8], usize, bool); 5] = [
        (0, 4, b"abcd", 4, false),
        (4, 2, b"ef", 0, false),
        (4, 3, b"efa", 1, true),
        (2, 6, b"cdefab", 2, true),
        (3, 0, b"", 3, false),
    ];
    for (from, length, octets, next, copied) in cases {
        let window = corpus.window(from, length);
        assert_eq!((&window.0[..], window.1), (octets, next));
        assert_eq!(matches!(window.0, Cow::Owned(_)), copied, "{from} {length}");
    }
}

#[test]
fn no_position_and_no_length_panics() {
    let corpus = Corpus::text("", "", "aä–🍀".as_bytes().to_vec());
    for from in 0..12 {
        for length in (0..12).chain([usize::MAX]) {
            let (window, next) = corpus.window(from, length);
            assert!(std::str::from_utf8(&window).is_ok());
            assert!(next < corpus.total());
        }
    }
}

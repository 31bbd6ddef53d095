//! Text is UTF-8: RFC 6455 §8.1, and it fails on the octet that decides.

use cloverleaf_proto::error::ProtocolError;
use cloverleaf_proto::message::Utf8Validator;
use cloverleaf_proto::{Config, Event, Role};

use crate::subject::{ROLES, Random, Subject, config, defaults, feed, feed_both, text};
use crate::wire::{frame, frames};

/// What is not UTF-8, with the offset of the octet that decides, counted from zero; a text that only
/// ends too early has none.
const INVALID: &[(&[u8], Option<usize>)] = &[
    (b"\x80", Some(0)),
    (b"\xbf", Some(0)),
    (b"a\x80", Some(1)),
    (b"\xfe", Some(0)),
    (b"\xff", Some(0)),
    (b"\xc0\x80", Some(0)),
    (b"\xc1\xbf", Some(0)),
    (b"\xe0\x80\x80", Some(1)),
    (b"\xe0\x9f\xbf", Some(1)),
    (b"\xf0\x80\x80\x80", Some(1)),
    (b"\xf0\x8f\xbf\xbf", Some(1)),
    (b"\xf8\x88\x80\x80\x80", Some(0)),
    (b"\xfc\x84\x80\x80\x80\x80", Some(0)),
    // Surrogates, single and in pairs.
    (b"\xed\xa0\x80", Some(1)),
    (b"\xed\xbf\xbf", Some(1)),
    (b"\xed\xa0\x80\xed\xb0\x80", Some(1)),
    // Behind U+10FFFF.
    (b"\xf4\x90\x80\x80", Some(1)),
    (b"\xf7\xbf\xbf\xbf", Some(0)),
    (b"\xf5\x80\x80\x80", Some(0)),
    // A scalar value cut short by something else.
    (b"\xc3(", Some(1)),
    (b"\xe2\x28\xa1", Some(1)),
    (b"\xe2\x82\x28", Some(2)),
    (b"\xf0\x90\x8c\x28", Some(3)),
    (
        b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited",
        Some(12),
    ),
    // Cut short by the end.
    (b"\xce", None),
    (b"\xce\xba\xe1\xbd", None),
    (b"\xf0\x9f\x98", None),
    (b"abc\xf4\x8f\xbf", None),
];

/// What is UTF-8, odd as some of it looks.
const VALID: &[&str] = &[
    "",
    "Hello-µ@ßöäüàá-UTF-8!!",
    "κόσμε",
    "\0",
    "\u{7f}\u{80}\u{7ff}\u{800}",
    "\u{fffe}\u{ffff}\u{1fffe}\u{10ffff}",
    "\u{d7ff}\u{e000}\u{fffd}",
    "\u{feff}bom",
];

/// The offset of the octet in a frame's wire form.
const fn header(to: Role) -> usize {
    match to {
        Role::Server => 6,
        Role::Client => 2,
    }
}

#[test]
fn u01_what_is_not_utf8_fails_with_1007_and_is_not_delivered() {
    for (octets, _) in INVALID {
        for outcome in feed_both(&defaults(), |to| frame(to, 0x81, octets)) {
            outcome.assert_failed(ProtocolError::TextNotUtf8);
            assert_eq!(outcome.close_code(), Some(1007), "{octets:02x?}");
            assert_eq!(outcome.messages(), []);
        }
    }
}

#[test]
fn u01_the_same_octets_are_welcome_in_a_binary_message() {
    for (octets, _) in INVALID {
        for outcome in feed_both(&defaults(), |to| frame(to, 0x82, octets)) {
            assert_eq!(outcome.events, [crate::subject::binary(*octets)]);
        }
    }
}

#[test]
fn u04_a_frame_fails_on_the_octet_that_decides_and_not_one_later() {
    for (octets, deciding) in INVALID {
        for role in ROLES {
            // More text is announced, so that only the octets can decide.
            let whole = frame(role, 0x81, &[octets, &b"more to come"[..]].concat());
            let mut subject = Subject::new(role, &defaults());
            for (i, octet) in whole.chunks(1).enumerate() {
                let before = subject.connection.closed().error.is_some();
                assert!(!before, "{octets:02x?} failed before octet {i}");
                subject.input(octet);
                let deciding = deciding.unwrap_or(octets.len());
                if i == header(role) + deciding {
                    subject.outcome().assert_failed(ProtocolError::TextNotUtf8);
                    break;
                }
            }
        }
    }
}

#[test]
fn u03_a_bad_octet_in_a_fragment_fails_within_that_read_although_the_message_goes_on() {
    for (octets, deciding) in INVALID {
        for outcome in feed_both(&defaults(), |to| frame(to, 0x01, octets)) {
            if deciding.is_some() {
                outcome.assert_failed(ProtocolError::TextNotUtf8);
            } else {
                outcome.assert_quiet();
            }
        }
    }
}

#[test]
fn u02_a_scalar_value_may_be_cut_by_fragments_anywhere_with_pings_between_them() {
    let whole = "a\u{10348}b";
    for cut in 0..=whole.len() {
        let (front, back) = whole.as_bytes().split_at(cut);
        for outcome in feed_both(&defaults(), |to| {
            frames(to, &[(0x01, front), (0x89, b"\xff"), (0x80, back)])
        }) {
            assert_eq!(
                outcome.events,
                [Event::Ping(b"\xff"[..].into()), text(whole)]
            );
        }
    }
    for outcome in feed_both(&defaults(), |to| {
        let octets: Vec<Vec<u8>> = "κόσμε\u{1f600}"
            .bytes()
            .zip(0..)
            .map(|(octet, i)| frame(to, if i == 0 { 0x01 } else { 0x00 }, &[octet]))
            .collect();
        [octets.concat(), frame(to, 0x80, b"")].concat()
    }) {
        assert_eq!(outcome.events, [text("κόσμε\u{1f600}")]);
    }
}

#[test]
fn u04_a_scalar_value_cut_by_the_end_of_the_message_fails() {
    for ending in [(0x80, &b""[..]), (0x80, b"x")] {
        for outcome in feed_both(&defaults(), |to| {
            frames(to, &[(0x01, b"\xf0\x9f\x98"), ending])
        }) {
            outcome.assert_failed(ProtocolError::TextNotUtf8);
        }
    }
}

#[test]
fn a_scalar_value_begun_in_one_message_is_not_ended_in_the_next() {
    for outcome in feed_both(&defaults(), |to| {
        frames(to, &[(0x01, b"\xce"), (0x80, b"\xba"), (0x81, b"\xba")])
    }) {
        outcome.assert_failed(ProtocolError::TextNotUtf8);
        assert_eq!(outcome.events, [text("κ")]);
    }
}

#[test]
fn u08_odd_but_valid_text_arrives() {
    for valid in VALID {
        for outcome in feed_both(&defaults(), |to| frame(to, 0x81, valid.as_bytes())) {
            assert_eq!(outcome.events, [text(valid)]);
        }
    }
}

#[test]
fn u01_large_texts_fail_wherever_the_bad_octet_is() {
    let good = "αβγδ-1234-".repeat(3000);
    for role in ROLES {
        let octets = frame(role, 0x81, good.as_bytes());
        let outcome = feed(role, &defaults(), &octets);
        assert_eq!(outcome.events, [text(&good)]);
        for place in [0, 1, 16_383, 16_384, 20_001, good.len() - 1] {
            let mut bad = good.clone().into_bytes();
            bad[place] = 0xFF;
            let outcome = few_cuts(role, &defaults(), &frame(role, 0x81, &bad));
            assert_eq!(outcome, Some(ProtocolError::TextNotUtf8), "{place}");
        }
    }
}

/// The error, for reads of a few sizes.
fn few_cuts(role: Role, config: &Config, octets: &[u8]) -> Option<ProtocolError> {
    let errors: Vec<_> = [octets.len(), 4096, 1021]
        .into_iter()
        .flat_map(|size| {
            use crate::subject::Way;
            [Way::Lent, Way::Direct, Way::Borrowed].map(|way| {
                let mut subject = Subject::through(way, role, config);
                for piece in octets.chunks(size) {
                    subject.input(piece);
                }
                subject.connection.closed().error
            })
        })
        .collect();
    assert!(errors.iter().all(|error| *error == errors[0]), "{errors:?}");
    match errors[0] {
        Some(cloverleaf_proto::error::ConnectionError::Protocol(error)) => Some(error),
        _ => None,
    }
}

#[test]
fn u07_the_validator_agrees_with_the_standard_library_on_structured_noise() {
    let atoms: &[&[u8]] = &[
        b"a",
        b"\x00",
        b"\xc3\xa9",
        b"\xe2\x82\xac",
        b"\xed\x9f\xbf",
        b"\xf0\x9f\x98\x80",
        b"\xf4\x8f\xbf\xbf",
        b"\xc3",
        b"\xe2\x82",
        b"\xf0\x9f",
        b"\x80",
        b"\xed\xa0",
        b"\xf4\x90",
        b"0123456789abcdefghijklmnopqrstuvwxyz",
    ];
    for seed in 0..20_000 {
        let mut random = Random(seed);
        let good = random.below(3) > 0;
        let mut octets = Vec::new();
        for _ in 0..random.below(12) {
            let last = if good { 7 } else { atoms.len() };
            octets.extend_from_slice(atoms[random.below(last)]);
        }
        let expected = core::str::from_utf8(&octets);
        let hopeless = matches!(expected, Err(error) if error.error_len().is_some());
        let mut validator = Utf8Validator::new();
        let mut rest = &octets[..];
        let mut failed = false;
        while !rest.is_empty() && !failed {
            let (piece, behind) = rest.split_at((1 + random.below(9)).min(rest.len()));
            failed = validator.feed(piece).is_err();
            rest = behind;
        }
        assert_eq!(failed, hopeless, "seed {seed}: {octets:02x?}");
        assert_eq!(
            !failed && validator.is_complete(),
            expected.is_ok(),
            "seed {seed}"
        );
    }
}

#[test]
fn text_in_parts_is_checked_too() {
    let config = config(|config| config.parts = true);
    for outcome in feed_both(&config, |to| frames(to, &[(0x01, b"ab\xce"), (0x80, b"x")])) {
        outcome.assert_failed(ProtocolError::TextNotUtf8);
    }
    for outcome in feed_both(&config, |to| frames(to, &[(0x01, b"ab"), (0x80, b"\xce")])) {
        outcome.assert_failed(ProtocolError::TextNotUtf8);
    }
}

//! 9: large messages and many of them. What comes back is measured by type and length only.

use crate::case::{Case, Content, Exchange};

pub(super) const SECTIONS: &[(&str, &str)] = &[
    ("9", "Large messages, and many"),
    ("9.1", "Large text messages"),
    ("9.2", "Large binary messages"),
    ("9.3", "A large text message in fragments of every size"),
    ("9.4", "A large binary message in fragments of every size"),
    ("9.5", "A large text message, written piece by piece"),
    ("9.6", "A large binary message, written piece by piece"),
    ("9.7", "Round trips of text messages"),
    ("9.8", "Round trips of binary messages"),
];

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

const TEXT: Content = Content::Repeated(b"BAsd7&jh23");
const OCTETS: Content = Content::Repeated(b"\x00\xFE\x23\xFA\xF0");
const STARS: Content = Content::Repeated(b"*");
const HIGH: Content = Content::Repeated(b"\xFE");

/// Sizes of 9.1 and 9.2, with the seconds that a text message and a binary one may take.
const LARGE: [(usize, u64, u64); 6] = [
    (64 * KIB, 10, 10),
    (256 * KIB, 10, 10),
    (MIB, 100, 10),
    (4 * MIB, 100, 10),
    (8 * MIB, 100, 100),
    (16 * MIB, 100, 100),
];

/// Sizes of 9.7 and 9.8, with the seconds that all round trips together may take.
const ROUND_TRIPS: [(usize, u64); 6] = [
    (0, 60),
    (16, 60),
    (64, 60),
    (256, 120),
    (1024, 240),
    (4096, 480),
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (section, binary) in [(1, false), (2, true)] {
        let (kind, content) = pick(binary, TEXT, OCTETS);
        for (item, (size, text_limit, binary_limit)) in (1..).zip(LARGE) {
            let limit = if binary { binary_limit } else { text_limit };
            cases.push(case(
                section,
                item,
                format!("A {kind} message of {} in one frame", amount(size)),
                Exchange::new(content, size, 1, binary, limit),
            ));
        }
    }
    for (section, binary) in [(3, false), (4, true)] {
        let (kind, _) = pick(binary, STARS, HIGH);
        for item in 1..=9 {
            // The original has other octets in the first case of 9.4 alone.
            let content = if (section, item) == (4, 1) {
                HIGH
            } else {
                STARS
            };
            let fragment = 64 << (2 * (item - 1));
            cases.push(case(
                section,
                item,
                format!(
                    "A {kind} message of 4 MiB in fragments of {}",
                    amount(fragment)
                ),
                Exchange::new(content, 4 * MIB, 1, binary, 100).fragmented(fragment),
            ));
        }
    }
    for (section, binary) in [(5, false), (6, true)] {
        let (kind, content) = pick(binary, TEXT, OCTETS);
        for item in 1..=6 {
            let chop = 64 << (item - 1);
            cases.push(case(
                section,
                item,
                format!(
                    "A {kind} message of 1 MiB in one frame, written in pieces of {chop} octets"
                ),
                Exchange::new(content, MIB, 1, binary, 1000).chopped(chop),
            ));
        }
    }
    for (section, binary) in [(7, false), (8, true)] {
        let (kind, content) = pick(binary, STARS, HIGH);
        for (item, (size, limit)) in (1..).zip(ROUND_TRIPS) {
            cases.push(case(
                section,
                item,
                format!("1000 {kind} messages of {size} octets, each sent when the last is back"),
                Exchange::new(content, size, 1000, binary, limit),
            ));
        }
    }
    cases
}

fn pick(binary: bool, text: Content, octets: Content) -> (&'static str, Content) {
    if binary {
        ("binary", octets)
    } else {
        ("text", text)
    }
}

fn case(section: u8, item: u32, title: String, exchange: Exchange) -> Case {
    let limit = exchange.limit.as_secs();
    let back = match exchange.count {
        1 => "The message comes back",
        _ => "Every message comes back",
    };
    Case::new(format!("9.{section}.{item}"), title, exchange)
        .expect(format!(
            "{back} with its type and length within {limit} s; then a clean close with 1000."
        ))
        .section("RFC 6455 §5.2, §5.4, §5.6")
}

fn amount(octets: usize) -> String {
    match octets {
        0..KIB => format!("{octets} octets"),
        KIB..MIB => format!("{} KiB", octets / KIB),
        _ => format!("{} MiB", octets / MIB),
    }
}

//! Octets to try a UTF-8 decoder with: 19 families after Markus Kuhn's "UTF-8 decoder capability
//! and stress test", made by rule.

use std::ops::RangeInclusive;

/// A Greek word of 11 octets: four characters of two octets and one of three.
pub(super) const GREEK: &str = "\u{3BA}\u{1F79}\u{3C3}\u{3BC}\u{3B5}";

/// The code points that take so many octets at least, one to six, by the rule that RFC 3629 cut
/// short at U+10FFFF.
const CODES: [RangeInclusive<u32>; 6] = [
    0..=0x7F,
    0x80..=0x7FF,
    0x800..=0xFFFF,
    0x1_0000..=0x1F_FFFF,
    0x20_0000..=0x3FF_FFFF,
    0x400_0000..=0x7FFF_FFFF,
];

/// One sequence of octets.
pub(super) struct Sequence {
    pub(super) octets: Vec<u8>,
    /// What it is, in words.
    pub(super) what: String,
}

impl Sequence {
    fn new(octets: impl Into<Vec<u8>>, what: impl Into<String>) -> Self {
        Self {
            octets: octets.into(),
            what: what.into(),
        }
    }

    /// A code point in its shortest form, be it one of Unicode or not.
    fn code(code: u32) -> Self {
        let length = 1 + CODES
            .iter()
            .position(|codes| codes.contains(&code))
            .expect("the tables hold codes of at most 31 bits");
        Self::new(form(code, length), format!("U+{code:04X}"))
    }

    /// A code point in more octets than it needs.
    fn overlong(code: u32, length: usize) -> Self {
        Self::new(
            form(code, length),
            format!("U+{code:04X} stretched to {length} octets"),
        )
    }

    /// Whether it is UTF-8.
    pub(super) fn is_valid(&self) -> bool {
        is_utf8(&self.octets)
    }
}

/// The families of 6.5 to 6.23, in that order.
pub(super) fn families() -> [Vec<Sequence>; 19] {
    let codes = |codes: &[u32]| codes.iter().map(|&code| Sequence::code(code)).collect();
    let overlong = |code: u32| (2..=6).map(move |length| Sequence::overlong(code, length));
    [
        valid_text(),
        prefixes(),
        firsts(1..=4),
        firsts(5..=6),
        // Unicode ends before the forms of four octets do.
        codes(&[0x7F, 0x7FF, 0xFFFF, 0x10_FFFF]),
        codes(&[0x1F_FFFF, 0x3FF_FFFF, 0x7FFF_FFFF]),
        codes(&[0xD7FF, 0xE000, 0xFFFD, 0x10_FFFF, 0x11_0000]),
        lone_continuations(),
        lone_leads(),
        cut_short(),
        vec![Sequence::new(
            cut_short()
                .into_iter()
                .flat_map(|sequence| sequence.octets)
                .collect::<Vec<_>>(),
            "all forms that are cut short, one after the other",
        )],
        [&b"\xFE"[..], b"\xFF", b"\xFE\xFE\xFF\xFF"]
            .map(|octets| Sequence::new(octets, "octets that UTF-8 never has"))
            .into(),
        overlong(0x2F).collect(),
        (2..=6)
            .map(|length| Sequence::overlong(*CODES[length - 2].end(), length))
            .collect(),
        overlong(0).collect(),
        codes(&[0xD800, 0xDB7F, 0xDB80, 0xDBFF, 0xDC00, 0xDF80, 0xDFFF]),
        surrogate_pairs(),
        (0..=16)
            .flat_map(|plane| [plane << 16 | 0xFFFE, plane << 16 | 0xFFFF])
            .map(Sequence::code)
            .collect(),
        (0xFFF9..=0xFFFF).map(Sequence::code).collect(),
    ]
}

/// Characters of every length among ASCII, and the Greek word.
fn valid_text() -> Vec<Sequence> {
    let mut sequences: Vec<_> = "\u{24}\u{A2}\u{20AC}\u{24B62}"
        .chars()
        .map(|middle| {
            let what = format!("U+{:04X} among ASCII", u32::from(middle));
            Sequence::new(format!("hello{middle}world"), what)
        })
        .collect();
    sequences.push(Sequence::new(GREEK, "a Greek word"));
    sequences
}

/// The Greek word, cut off after every octet. Some cuts fall between characters.
fn prefixes() -> Vec<Sequence> {
    (1..=GREEK.len())
        .map(|end| {
            let what = match end {
                1 => "the first octet of a Greek word".to_owned(),
                _ => format!("the first {end} octets of a Greek word"),
            };
            Sequence::new(&GREEK.as_bytes()[..end], what)
        })
        .collect()
}

/// The first code point that takes so many octets.
fn firsts(lengths: RangeInclusive<usize>) -> Vec<Sequence> {
    lengths
        .map(|length| Sequence::code(*CODES[length - 1].start()))
        .collect()
}

/// Continuation octets without a lead: one to six by turns, then all but the last.
fn lone_continuations() -> Vec<Sequence> {
    let turns = [0x80, 0xBF].into_iter().cycle();
    // The single octets come first: each of the two on its own.
    let mut runs = vec![vec![0x80], vec![0xBF]];
    runs.extend((2..=6).map(|length| turns.clone().take(length).collect()));
    // Kuhn's list ends with 0xBF; Autobahn's stops short of it.
    runs.push((0x80..0xBF).collect());
    let what = "continuation octets without a lead";
    runs.into_iter()
        .map(|octets| Sequence::new(octets, what))
        .collect()
}

/// The leads of every length, each followed by a space. As above, the last of each is left out.
fn lone_leads() -> Vec<Sequence> {
    [0xC0..0xDF, 0xE0..0xEF, 0xF0..0xF7, 0xF8..0xFB, 0xFC..0xFDu8]
        .into_iter()
        .zip(2..)
        .map(|(leads, length)| {
            let octets: Vec<_> = leads.flat_map(|lead| [lead, b' ']).collect();
            Sequence::new(
                octets,
                format!("leads of {length} octets, each before a space"),
            )
        })
        .collect()
}

/// The lowest and the highest form of every length, each without its last octet.
fn cut_short() -> Vec<Sequence> {
    let lowest = (2..=6).map(|length| (0, length));
    let highest = (2..=6).map(|length| (*CODES[length - 1].end(), length));
    lowest
        .chain(highest)
        .map(|(code, length)| {
            let mut octets = form(code, length);
            octets.pop();
            let what = format!("U+{code:04X} in {length} octets, without the last");
            Sequence::new(octets, what)
        })
        .collect()
}

/// UTF-16's way to write what is beyond U+FFFF, octet by octet: CESU-8, not UTF-8.
fn surrogate_pairs() -> Vec<Sequence> {
    let mut pairs = Vec::new();
    for high in [0xD800, 0xDB7F, 0xDB80, 0xDBFF] {
        for low in [0xDC00, 0xDFFF] {
            let octets = [form(high, 3), form(low, 3)].concat();
            pairs.push(Sequence::new(octets, format!("U+{high:04X} U+{low:04X}")));
        }
    }
    pairs
}

/// A code point in so many octets, enough or not (RFC 3629 §3, carried on to six octets).
fn form(code: u32, length: usize) -> Vec<u8> {
    const LEADS: [u8; 6] = [0x00, 0xC0, 0xE0, 0xF0, 0xF8, 0xFC];
    (0..length)
        .map(|at| {
            let bits = code >> (6 * (length - 1 - at));
            match at {
                0 => LEADS[length - 1] | bits as u8,
                _ => 0x80 | (bits & 0x3F) as u8,
            }
        })
        .collect()
}

/// Whether the octets are UTF-8 (RFC 3629 §3): every character in its shortest form, no
/// surrogates, nothing beyond U+10FFFF.
pub(super) fn is_utf8(mut octets: &[u8]) -> bool {
    while let Some(&lead) = octets.first() {
        let (length, bits) = match lead {
            0x00..=0x7F => (1, lead),
            0xC0..=0xDF => (2, lead & 0x1F),
            0xE0..=0xEF => (3, lead & 0x0F),
            0xF0..=0xF7 => (4, lead & 0x07),
            _ => return false,
        };
        let Some((character, rest)) = octets.split_at_checked(length) else {
            return false;
        };
        let mut code = u32::from(bits);
        for octet in &character[1..] {
            if octet & 0xC0 != 0x80 {
                return false;
            }
            code = code << 6 | u32::from(octet & 0x3F);
        }
        let surrogate = (0xD800..=0xDFFF).contains(&code);
        if !CODES[length - 1].contains(&code) || surrogate || code > 0x10_FFFF {
            return false;
        }
        octets = rest;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_rule_agrees_with_the_standard_library() {
        let ours: Vec<_> = families()
            .into_iter()
            .flatten()
            .map(|sequence| sequence.octets)
            .collect();
        for octets in &ours {
            assert_eq!(
                is_utf8(octets),
                std::str::from_utf8(octets).is_ok(),
                "{octets:02x?}"
            );
        }
        // Every pair of octets, alone and as the beginning of longer forms.
        for pair in 0..=u16::MAX {
            let [first, second] = pair.to_be_bytes();
            for octets in [
                &[first][..],
                &[first, second],
                &[first, second, 0x80],
                &[first, second, 0xBF, 0xBF],
                &[first, second, 0x80, b' '],
            ] {
                assert_eq!(
                    is_utf8(octets),
                    std::str::from_utf8(octets).is_ok(),
                    "{octets:02x?}"
                );
            }
        }
    }

    #[test]
    fn forms_are_utf8_where_they_are_shortest() {
        for character in [
            '\0',
            '\u{7F}',
            '\u{80}',
            '\u{7FF}',
            '\u{800}',
            '\u{FFFF}',
            '\u{10FFFF}',
        ] {
            let octets = Sequence::code(character.into()).octets;
            assert_eq!(octets, character.to_string().as_bytes());
        }
        for (code, length, octets) in [
            (0x110000, 4, &b"\xF4\x90\x80\x80"[..]),
            (0x200000, 5, b"\xF8\x88\x80\x80\x80"),
            (0x7FFF_FFFF, 6, b"\xFD\xBF\xBF\xBF\xBF\xBF"),
            (0x2F, 3, b"\xE0\x80\xAF"),
            (0xD800, 3, b"\xED\xA0\x80"),
        ] {
            assert_eq!(form(code, length), octets);
            assert!(!is_utf8(octets));
        }
    }

    #[test]
    fn so_many_sequences_of_each_family_are_valid() {
        let counts = families().map(|family| {
            let valid = family.iter().filter(|sequence| sequence.is_valid()).count();
            (family.len(), valid)
        });
        let expected = [
            (5, 5),
            (11, 5), // after 2, 5, 7, 9 and 11 octets
            (4, 4),
            (2, 0),
            (4, 4),
            (3, 0),
            (5, 4), // the fifth is U+110000
            (8, 0),
            (5, 0),
            (10, 0),
            (1, 0),
            (3, 0),
            (5, 0),
            (5, 0),
            (5, 0),
            (7, 0),
            (8, 0),
            (34, 34), // no characters, but UTF-8
            (7, 7),
        ];
        assert_eq!(counts, expected);
    }
}

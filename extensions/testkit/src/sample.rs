//! Payloads that have been trouble before, and how a story shows them.

use core::fmt;

use bytes::Bytes;
use cloverleaf_proto::message::Kind;

use crate::random::Random;

/// A message to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) kind: Kind,
    pub(crate) payload: Bytes,
}

impl Sample {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self {
            kind: Kind::Text,
            payload: text.into().into(),
        }
    }

    pub(crate) fn binary(payload: impl Into<Bytes>) -> Self {
        Self {
            kind: Kind::Binary,
            payload: payload.into(),
        }
    }

    /// A message of about `n` octets of one of several natures.
    pub(crate) fn random(random: &mut Random, n: usize) -> Self {
        match random.below(5) {
            0 => Self::text(prose(n)),
            1 => Self::text(wide(n)),
            2 => Self::binary(vec![0; n]),
            3 => Self::binary(random.octets(n)),
            _ => Self::binary(mixed(random, n)),
        }
    }

    /// The first half, or what characters allow of it.
    pub(crate) fn half(&self) -> Option<Self> {
        if self.payload.is_empty() {
            return None;
        }
        let mut n = self.payload.len() / 2;
        if self.kind == Kind::Text {
            while n > 0 && is_inside_character(&self.payload, n) {
                n -= 1;
            }
        }
        Some(Self {
            kind: self.kind,
            payload: self.payload.slice(..n),
        })
    }
}

fn is_inside_character(text: &[u8], at: usize) -> bool {
    text.get(at).is_some_and(|octet| octet & 0xC0 == 0x80)
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Text => "text",
            Kind::Binary => "binary",
        };
        write!(f, "{kind} {}", Octets(&self.payload))
    }
}

/// Octets in a story: all of a few, the beginning of many.
pub(crate) struct Octets<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Octets<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 24;
        let n = self.0.len();
        if n <= SHOWN {
            write!(f, "\"{}\"", self.0.escape_ascii())
        } else {
            write!(f, "\"{}…\" ({n} octets)", self.0[..SHOWN].escape_ascii())
        }
    }
}

/// Compressible text of exactly `n` octets.
pub(crate) fn prose(n: usize) -> String {
    let mut text = String::with_capacity(n + 48);
    for i in 0.. {
        if text.len() >= n {
            break;
        }
        text.push_str("{\"id\":");
        text.push_str(&i.to_string());
        text.push_str(",\"name\":\"clover\",\"leaves\":4}\n");
    }
    text.truncate(n);
    text
}

/// Text of characters of one to four octets, of at most `n` octets.
pub(crate) fn wide(n: usize) -> String {
    let mut text = String::with_capacity(n + 4);
    for character in "aé€🍀".chars().cycle() {
        if text.len() + character.len_utf8() > n {
            return text;
        }
        text.push(character);
    }
    text
}

/// Runs and noise in turns.
pub(crate) fn mixed(random: &mut Random, n: usize) -> Vec<u8> {
    let mut octets = Vec::with_capacity(n);
    while octets.len() < n {
        let run = (1 + random.below(200)).min(n - octets.len());
        if random.one_in(2) {
            octets.extend(random.octets(run));
        } else {
            octets.resize(octets.len() + run, random.next() as u8);
        }
    }
    octets
}

/// Short messages, from the shortest on.
pub(crate) fn short() -> Vec<Sample> {
    vec![
        Sample::text(""),
        Sample::binary(""),
        Sample::text("a"),
        Sample::binary(&[0][..]),
        Sample::binary(&[0xFF][..]),
        Sample::text("Hello"),
        Sample::text("aé€🍀"),
        Sample::text("Hello Hello Hello"),
        // What a sync flush looks like, and a deflate block.
        Sample::binary(&[0, 0, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF][..]),
        Sample::binary(&[0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00][..]),
        Sample::binary(vec![0; 40]),
    ]
}

/// Messages at the borders of the three forms of the length, and beyond those of buffers.
pub(crate) fn borders(random: &mut Random) -> Vec<Sample> {
    let mut all = Vec::new();
    for n in [125, 126, 127] {
        all.push(Sample::text(prose(n)));
        all.push(Sample::binary(random.octets(n)));
    }
    all.push(Sample::text(wide(300)));
    all.push(Sample::text(prose(1000)));
    all.push(Sample::binary(random.octets(5000)));
    all.push(Sample::text(prose(65_535)));
    all.push(Sample::binary(mixed(random, 65_536)));
    all.push(Sample::binary(random.octets(65_537)));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_have_the_length_that_was_asked_for_and_texts_are_texts() {
        let mut random = Random::new(1);
        for n in [0, 1, 2, 3, 31, 125, 1000] {
            assert_eq!(prose(n).len(), n);
            assert_eq!(mixed(&mut random, n).len(), n);
            assert!(wide(n).len() <= n && wide(n).len() + 4 > n);
        }
    }

    #[test]
    fn half_a_text_is_a_text() {
        let mut sample = Sample::text("a🍀🍀");
        let mut halves = Vec::new();
        while let Some(half) = sample.half() {
            halves.push(String::from_utf8(half.payload.to_vec()).expect("whole characters"));
            sample = half;
        }
        assert_eq!(halves, ["a", ""]);
    }

    #[test]
    fn a_story_shows_the_beginning_of_what_is_long() {
        assert_eq!(Octets(b"a\0").to_string(), r#""a\x00""#);
        let long = [b'x'; 30];
        assert_eq!(
            Octets(&long).to_string(),
            "\"xxxxxxxxxxxxxxxxxxxxxxxx…\" (30 octets)"
        );
    }
}

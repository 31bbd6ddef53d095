//! UTF-8 checked as it arrives, failing on the first octet that cannot become valid.

use core::fmt;

/// Checks a stream of octets for UTF-8 (RFC 3629), in pieces cut anywhere.
///
/// RFC 6455 §8.1 asks to fail the connection for text that is not UTF-8. This validator fails on
/// the first impossible octet, not at the end of the frame: `F4 90` is refused although a third
/// octet could still come, since none could make it valid.
#[derive(Clone, Copy, Debug, Default)]
pub struct Utf8Validator {
    /// The start of a scalar value whose end has not come yet.
    carry: [u8; 4],
    carried: u8,
}

/// The octets seen so far can never become UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Utf8Error;

impl fmt::Display for Utf8Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not UTF-8")
    }
}

impl core::error::Error for Utf8Error {}

impl Utf8Validator {
    /// A validator at the start of a text.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            carry: [0; 4],
            carried: 0,
        }
    }

    /// Checks the next octets.
    ///
    /// # Errors
    ///
    /// If no continuation could make the text valid. The validator is then of no further use.
    pub fn feed(&mut self, mut octets: &[u8]) -> Result<(), Utf8Error> {
        while self.carried > 0 {
            let [first, rest @ ..] = octets else {
                return Ok(());
            };
            octets = rest;
            let end = usize::from(self.carried) + 1;
            // A scalar value has at most four octets, and a fourth always decides.
            let Some(slot) = self.carry.get_mut(end - 1) else {
                return Err(Utf8Error);
            };
            *slot = *first;
            match core::str::from_utf8(&self.carry[..end]) {
                Ok(_) => self.carried = 0,
                Err(error) if error.error_len().is_none() => self.carried += 1,
                Err(_) => return Err(Utf8Error),
            }
        }
        let Err(error) = simdutf8::compat::from_utf8(octets) else {
            return Ok(());
        };
        if error.error_len().is_some() {
            return Err(Utf8Error);
        }
        // The text stops inside a scalar value: at most three octets, a valid beginning so far.
        let tail = octets.get(error.valid_up_to()..).unwrap_or_default();
        let Some(slots) = self.carry.get_mut(..tail.len()) else {
            return Err(Utf8Error);
        };
        slots.copy_from_slice(tail);
        self.carried = tail.len() as u8;
        Ok(())
    }

    /// Whether the text may end here, that is, not inside a scalar value.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.carried == 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The offset of the first octet that makes `text` hopeless, by trying every prefix.
    fn naive(text: &[u8]) -> Option<usize> {
        (1..=text.len()).find_map(|end| match core::str::from_utf8(&text[..end]) {
            Err(error) if error.error_len().is_some() => Some(end - 1),
            _ => None,
        })
    }

    fn fed_in_pieces(text: &[u8], size: usize) -> (Option<usize>, bool) {
        let mut validator = Utf8Validator::new();
        for (i, piece) in text.chunks(size).enumerate() {
            if validator.feed(piece).is_err() {
                return (Some(i * size), false);
            }
        }
        (None, validator.is_complete())
    }

    const TABLE: &[&[u8]] = &[
        b"",
        b"hello",
        "\u{3ba}\u{1f79}\u{3c3}\u{3bc}\u{3b5}".as_bytes(),
        b"\x00\xef\xbf\xbe\xef\xbf\xbf\xf4\x8f\xbf\xbf\xef\xbb\xbf",
        b"\xed\x9f\xbf\xee\x80\x80",
        b"\xed\xa0\x80",
        b"\xc0\x80",
        b"\xe0\x80\xaf",
        b"\xf0\x80\x80\xaf",
        b"\xf4\x90\x80\x80",
        b"\xf8\x88\x80\x80\x80",
        b"\xfe",
        b"\xff",
        b"\x80",
        b"abc\xce",
        b"\xf0\x9f\x98\x80\xf0\x9f\x98",
        b"0123456789012345678901234567890123456789012345678901234567890123\xce\xbaxyz\xff!",
    ];

    #[test]
    fn fails_on_the_very_octet_that_decides() {
        for text in TABLE {
            let expected = naive(text);
            let (found, complete) = fed_in_pieces(text, 1);
            assert_eq!(found, expected, "{text:x?}");
            assert_eq!(complete, core::str::from_utf8(text).is_ok(), "{text:x?}");
        }
        assert_eq!(naive(b"\xf4\x90\x80\x80"), Some(1));
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_verdict_of_the_standard_library(
            text in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..40),
                ".{0,60}".prop_map(String::into_bytes),
                proptest::collection::vec(
                    prop_oneof![Just(0xF0u8), Just(0x9F), Just(0x80), Just(0xED), Just(0xC3), Just(b'a')],
                    0..20,
                ),
            ],
            size in 1usize..17,
        ) {
            let (found, complete) = fed_in_pieces(&text, size);
            prop_assert_eq!(complete, core::str::from_utf8(&text).is_ok());
            prop_assert_eq!(found.is_some(), naive(&text).is_some());
            if let (Some(piece), Some(octet)) = (found, naive(&text)) {
                prop_assert_eq!(piece, octet / size * size);
            }
        }
    }
}

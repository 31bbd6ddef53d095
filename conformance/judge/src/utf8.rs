//! UTF-8 as it comes: invalid octets are noticed at once, not at the end (RFC 3629).

/// A validator for text that comes in pieces.
#[derive(Clone, Debug, Default)]
pub struct Validator {
    /// The beginning of a character whose end has not come yet.
    started: Vec<u8>,
    /// An octet came that no text can have there.
    broken: bool,
}

impl Validator {
    /// Takes the next piece; false as soon as no continuation could make the text valid, and for
    /// every piece that comes after.
    pub fn push(&mut self, octets: &[u8]) -> bool {
        let valid = octets.is_empty() || !self.broken && self.takes(octets);
        self.broken |= !valid;
        valid
    }

    fn takes(&mut self, mut octets: &[u8]) -> bool {
        while !self.started.is_empty() {
            let Some((&octet, rest)) = octets.split_first() else {
                return true;
            };
            self.started.push(octet);
            octets = rest;
            match std::str::from_utf8(&self.started) {
                Ok(_) => self.started.clear(),
                Err(error) if error.error_len().is_some() => return false,
                Err(_) => {}
            }
        }
        match std::str::from_utf8(octets) {
            Ok(_) => true,
            Err(error) if error.error_len().is_some() => false,
            Err(error) => {
                self.started = octets[error.valid_up_to()..].to_vec();
                true
            }
        }
    }

    /// Whether the text may end here.
    pub fn is_complete(&self) -> bool {
        self.started.is_empty() && !self.broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLES: &[&[u8]] = &[
        b"",
        b"plain",
        "κόσμε".as_bytes(),
        "𝄞 \u{10FFFF} \u{D7FF}\u{E000}".as_bytes(),
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xc0\xaf",
        b"ok\xff",
        b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited",
        b"\xf0\x9d\x84",
    ];

    #[test]
    fn every_cut_gives_what_the_whole_gives() {
        for text in SAMPLES {
            for first in 0..=text.len() {
                for second in first..=text.len() {
                    let mut validator = Validator::default();
                    let valid = validator.push(&text[..first])
                        && validator.push(&text[first..second])
                        && validator.push(&text[second..])
                        && validator.is_complete();
                    assert_eq!(
                        valid,
                        std::str::from_utf8(text).is_ok(),
                        "{text:x?} {first}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_very_octet_that_breaks_the_text_is_refused() {
        let text = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4\x90\x80\x80";
        let mut validator = Validator::default();
        assert!(validator.push(&text[..12]), "F4 can begin a character");
        assert!(!validator.push(&text[12..13]), "F4 90 cannot");
    }

    #[test]
    fn a_broken_text_stays_broken() {
        let mut validator = Validator::default();
        assert!(!validator.push(b"ok\xff"));
        assert!(validator.push(b""), "nothing came");
        assert!(!validator.push(b"ok"));
        assert!(!validator.is_complete());
    }
}

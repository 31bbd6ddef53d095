//! UTF-8, octet by octet (RFC 3629 §4), with the faults that checks of it have.

use super::Faulty;
use super::fault::Kind;

/// A check of text that comes in pieces.
#[derive(Clone, Debug)]
pub(super) struct Check {
    faulty: Faulty,
    /// How many octets the present character still needs.
    missing: u8,
    /// What the next of them may be.
    next: (u8, u8),
    /// The character so far.
    character: u32,
}

/// What any but the second octet of a character may be.
const CONTINUATION: (u8, u8) = (0x80, 0xBF);

impl Check {
    pub(super) fn new(faulty: Faulty) -> Self {
        Self {
            faulty,
            missing: 0,
            next: CONTINUATION,
            character: 0,
        }
    }

    /// Takes the next piece; false at the first octet that cannot be UTF-8.
    pub(super) fn push(&mut self, octets: &[u8]) -> bool {
        octets.iter().all(|&octet| self.octet(octet))
    }

    /// Whether the text may end here.
    pub(super) fn is_complete(&self) -> bool {
        self.missing == 0 || self.faulty.has(Kind::Utf8AcceptsUnfinished)
    }

    fn octet(&mut self, octet: u8) -> bool {
        if self.missing == 0 {
            return self.first(octet);
        }
        if octet < self.next.0 || octet > self.next.1 {
            return false;
        }
        self.missing -= 1;
        self.next = CONTINUATION;
        self.character = self.character << 6 | u32::from(octet & 0x3F);
        self.missing > 0
            || !self.faulty.has(Kind::Utf8RejectsNoncharacters)
            || !(self.character & 0xFFFE == 0xFFFE || (0xFDD0..=0xFDEF).contains(&self.character))
    }

    fn first(&mut self, octet: u8) -> bool {
        let overlong = self.faulty.has(Kind::Utf8AcceptsOverlong);
        let beyond = self.faulty.has(Kind::Utf8AcceptsBeyond10ffff);
        let surrogates = self.faulty.has(Kind::Utf8AcceptsSurrogates);
        let (missing, next) = match octet {
            0x00..=0x7F => (0, CONTINUATION),
            0xC0..=0xC1 if overlong => (1, CONTINUATION),
            0xC2..=0xDF if !self.faulty.has(Kind::Utf8RejectsTwoOctets) => (1, CONTINUATION),
            0xE0..=0xEF if self.faulty.has(Kind::Utf8RejectsThreeOctets) => return false,
            0xE0 if !overlong => (2, (0xA0, 0xBF)),
            0xED if !surrogates => (2, (0x80, 0x9F)),
            0xE0..=0xEF => (2, CONTINUATION),
            0xF0..=0xF4 if self.faulty.has(Kind::Utf8RejectsFourOctets) => return false,
            0xF0 if !overlong => (3, (0x90, 0xBF)),
            0xF4 if !beyond => (3, (0x80, 0x8F)),
            0xF0..=0xF4 => (3, CONTINUATION),
            0xF5..=0xF7 if beyond => (3, CONTINUATION),
            // The five and six octets of RFC 2279.
            0xF8 if overlong => (4, CONTINUATION),
            0xFC if overlong => (5, CONTINUATION),
            0xF8..=0xFB if beyond => (4, CONTINUATION),
            0xFC..=0xFD if beyond => (5, CONTINUATION),
            _ => return false,
        };
        (self.missing, self.next, self.character) = (missing, next, u32::from(octet));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(fault: Option<Kind>, text: &[u8]) -> bool {
        let mut check = Check::new(Faulty(fault));
        check.push(text) && check.is_complete()
    }

    #[test]
    fn without_a_fault_text_is_what_the_standard_library_takes_for_it() {
        // Every first three octets that matter, alone and with one more.
        let edges = [
            0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1,
            0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF8, 0xFC, 0xFF,
        ];
        for a in edges {
            for b in edges {
                for c in edges {
                    for d in edges {
                        for text in [&[a, b][..], &[a, b, c], &[a, b, c, d]] {
                            let twin = std::str::from_utf8(text).is_ok();
                            assert_eq!(takes(None, text), twin, "{text:x?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn each_fault_takes_or_refuses_what_it_says_and_nothing_else() {
        let samples: [(&[u8], Option<Kind>); 9] = [
            (b"\xed\xa0\x80", Some(Kind::Utf8AcceptsSurrogates)),
            (b"\xc0\xaf", Some(Kind::Utf8AcceptsOverlong)),
            (b"\xf0\x80\x80\xaf", Some(Kind::Utf8AcceptsOverlong)),
            (b"\xf4\x90\x80\x80", Some(Kind::Utf8AcceptsBeyond10ffff)),
            (b"\xe2\x82", Some(Kind::Utf8AcceptsUnfinished)),
            ("\u{FFFE}".as_bytes(), Some(Kind::Utf8RejectsNoncharacters)),
            ("é".as_bytes(), Some(Kind::Utf8RejectsTwoOctets)),
            ("𝄞".as_bytes(), Some(Kind::Utf8RejectsFourOctets)),
            (b"\xff", None),
        ];
        for (text, fault) in samples {
            let honest = takes(None, text);
            for (_, other) in samples {
                let changed = other.is_some() && other == fault;
                assert_eq!(takes(other, text), honest != changed, "{other:?} {text:x?}");
            }
        }
    }
}

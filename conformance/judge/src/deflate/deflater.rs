//! Deflates the messages the judge sends (RFC 7692 §7.2.1).

use super::bits::TAIL;
use flate2::{Compress, Compression, FlushCompress, Status};

/// Deflates the messages of one direction, one after the other.
#[derive(Debug)]
pub struct Deflater {
    compress: Compress,
    takeover: bool,
    scratch: Vec<u8>,
}

impl Deflater {
    /// A deflater that keeps to a window of `1 << window_bits` octets and, if `takeover`, refers
    /// back to earlier messages.
    ///
    /// 8 bits are served by a window of 9: zlib keeps its distances 262 short of the window, so
    /// they stay below 256.
    ///
    /// # Panics
    ///
    /// Unless `window_bits` is in `8..=15`.
    #[must_use]
    pub fn new(window_bits: u8, takeover: bool) -> Self {
        assert!(
            (8..=15).contains(&window_bits),
            "a window has 8 to 15 bits (RFC 7692 §7.1.2)"
        );
        Self {
            compress: Compress::new_with_window_bits(
                Compression::fast(),
                false,
                window_bits.max(9),
            ),
            takeover,
            scratch: Vec::new(),
        }
    }

    /// Deflates one message to the payload that goes into its frames.
    pub fn message(&mut self, plain: &[u8]) -> Vec<u8> {
        if plain.is_empty() {
            // RFC 7692 §7.2.3.6; a flush with nothing to flush would yield no octet at all.
            return vec![0];
        }
        if !self.takeover {
            self.compress.reset();
        }
        let out = &mut self.scratch;
        out.clear();
        let before = self.compress.total_in();
        loop {
            let read = (self.compress.total_in() - before) as usize;
            // Room for all of it at most once: 64 more than a stored message takes.
            if out.capacity() - out.len() < 64 {
                out.reserve(plain.len() - read + (plain.len() >> 10) + 64);
            }
            let status = self
                .compress
                .compress_vec(&plain[read..], out, FlushCompress::Sync)
                .expect("deflating has no bad input");
            let all_read = (self.compress.total_in() - before) as usize == plain.len();
            // The flush is complete once it leaves room (zlib.h, deflate).
            if status != Status::StreamEnd && all_read && out.len() < out.capacity() {
                break;
            }
        }
        debug_assert!(out.ends_with(&TAIL), "a flush ends in an empty block");
        out[..out.len() - TAIL.len()].to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::super::inflate::Inflater;
    use super::*;

    #[test]
    fn the_vectors_of_the_rfc_come_out() {
        let mut deflater = Deflater::new(15, true);
        assert_eq!(
            deflater.message(b"Hello"),
            [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]
        );
        // Like RFC 7692 §7.2.3.2, the second one refers to the first, here with all its octets.
        assert_eq!(deflater.message(b"Hello"), [0x02, 0x13, 0x00, 0x00]);
    }

    #[test]
    fn without_takeover_every_message_starts_anew() {
        let mut deflater = Deflater::new(15, false);
        let first = deflater.message(b"Hello");
        assert_eq!(deflater.message(b"Hello"), first);
    }

    #[test]
    fn an_empty_message_is_one_octet_and_leaves_the_window_alone() {
        let mut deflater = Deflater::new(15, true);
        let mut inflater = Inflater::new(15, true);
        let mut out = Vec::new();
        for plain in [&b""[..], b"Hello", b"", b"Hello", b""] {
            let payload = deflater.message(plain);
            if plain.is_empty() {
                assert_eq!(payload, [0]);
            }
            inflater
                .message(&payload, 5, &mut out)
                .expect("what was deflated inflates");
            assert_eq!(out, plain);
        }
    }

    /// Text that repeats itself at every distance up to 70 000.
    fn text(seed: u32, length: usize) -> Vec<u8> {
        let mut state = seed | 1;
        let mut text: Vec<u8> = Vec::with_capacity(length + 40);
        while text.len() < length {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let r = (state >> 8) as usize;
            if text.len() < 50 || r.is_multiple_of(3) {
                text.extend((0..r % 9).map(|i| b'a' + ((r >> i) % 26) as u8));
            } else {
                let back = 1 + r % text.len().min(70_000);
                let from = text.len() - back;
                let to = (from + 3 + r % 37).min(text.len());
                text.extend_from_within(from..to);
            }
        }
        text.truncate(length);
        text
    }

    #[test]
    fn every_window_is_kept_and_used_at_every_size_of_message() {
        for bits in 8..=15 {
            for takeover in [false, true] {
                let mut deflater = Deflater::new(bits, takeover);
                let mut inflater = Inflater::new(bits, takeover);
                let mut out = Vec::new();
                for (i, length) in [1, 16, 300, 4096, 65_536, 131_072, 5, 40_000]
                    .into_iter()
                    .enumerate()
                {
                    let plain = text(i as u32 * 77 + u32::from(bits), length);
                    let payload = deflater.message(&plain);
                    inflater
                        .message(&payload, length, &mut out)
                        .expect("what was deflated inflates");
                    assert_eq!(out, plain);
                }
                let largest = inflater.largest_distance();
                // zlib's own bound, which is what lets it serve 8 bits.
                let bound = (1 << bits.max(9)) - 262;
                assert!(
                    largest <= bound && largest > bound * 9 / 10,
                    "{bits} bits: largest distance {largest}"
                );
            }
        }
    }

    #[test]
    fn octets_without_pattern_still_come_through() {
        let plain: Vec<u8> = (0..200_000u32)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        let mut out = Vec::new();
        let payload = Deflater::new(15, true).message(&plain);
        Inflater::new(15, true)
            .message(&payload, plain.len(), &mut out)
            .expect("what was deflated inflates");
        assert_eq!(out, plain);
    }
}

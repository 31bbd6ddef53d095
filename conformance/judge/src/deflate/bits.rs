//! The bits of one message, least significant first (RFC 1951 §3.1.1).

/// What every sender cuts from the end of a message, and every receiver puts back
/// (RFC 7692 §7.2.1, §7.2.2): length and complement of an empty stored block.
pub const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// Reads the octets of a payload, then [`TAIL`], as one stream of bits.
///
/// Bits of the buffer above `count` are either zero or the true next bits of the stream, so that
/// refilling may put them there a second time.
#[derive(Clone, Copy, Debug)]
pub(super) struct BitReader<'a> {
    payload: &'a [u8],
    /// The octet to be loaded next; runs on into the tail.
    next: usize,
    bits: u64,
    count: u32,
}

impl<'a> BitReader<'a> {
    pub(super) const fn new(payload: &'a [u8]) -> Self {
        Self {
            payload,
            next: 0,
            bits: 0,
            count: 0,
        }
    }

    fn octet(&self, at: usize) -> Option<u8> {
        self.payload
            .get(at)
            .or_else(|| TAIL.get(at - self.payload.len()))
            .copied()
    }

    /// Loads octets one by one, until 57 bits or more are there or the stream is at its end.
    pub(super) fn refill(&mut self) {
        while self.count <= 56 {
            let Some(octet) = self.octet(self.next) else {
                return;
            };
            self.bits |= u64::from(octet) << self.count;
            self.count += 8;
            self.next += 1;
        }
    }

    /// Loads up to 56 bits or more at one stroke. False, and nothing done, within eight octets of
    /// the payload's end.
    #[inline(always)]
    pub(super) fn refill_at_once(&mut self) -> bool {
        let Some(octets) = self
            .payload
            .get(self.next..)
            .and_then(|rest| rest.first_chunk::<8>())
        else {
            return false;
        };
        self.bits |= u64::from_le_bytes(*octets) << self.count;
        self.next += (63 - self.count as usize) >> 3;
        self.count |= 56;
        true
    }

    /// Whether the payload has `n` octets more.
    #[inline(always)]
    pub(super) const fn has(&self, n: usize) -> bool {
        self.next + n <= self.payload.len()
    }

    /// The next bits, without taking them; zeros stand for what lies behind the end.
    #[inline(always)]
    pub(super) const fn peek(&self) -> u64 {
        self.bits
    }

    /// How many bits have been loaded.
    #[inline(always)]
    pub(super) const fn count(&self) -> u32 {
        self.count
    }

    /// Takes `n` bits that are known to be loaded.
    #[inline(always)]
    pub(super) const fn skip(&mut self, n: u32) {
        self.bits >>= n;
        self.count -= n;
    }

    /// Takes `n` bits (16 at most), or `None` where the stream ends before them.
    pub(super) fn take(&mut self, n: u32) -> Option<u16> {
        if self.count < n {
            self.refill();
            if self.count < n {
                return None;
            }
        }
        let value = (self.bits & ((1 << n) - 1)) as u16;
        self.skip(n);
        Some(value)
    }

    /// Drops what is left of the octet begun.
    pub(super) const fn align(&mut self) {
        self.skip(self.count & 7);
    }

    /// Copies octets into `target`; the reader must be aligned. False, with an unknown part of
    /// `target` written, where the stream ends before it is full.
    pub(super) fn octets(&mut self, target: &mut [u8]) -> bool {
        // Give the loaded octets back, and read on from the payload itself.
        self.next -= (self.count / 8) as usize;
        self.bits = 0;
        self.count = 0;
        let rest = self.payload.get(self.next..).unwrap_or_default();
        let from_payload = rest.len().min(target.len());
        let (head, foot) = target.split_at_mut(from_payload);
        head.copy_from_slice(&rest[..from_payload]);
        self.next += from_payload;
        for octet in foot {
            let Some(found) = self.octet(self.next) else {
                return false;
            };
            *octet = found;
            self.next += 1;
        }
        true
    }

    /// Whether every bit of payload and tail has been taken.
    pub(super) const fn is_at_end(&self) -> bool {
        self.count == 0 && self.next == self.payload.len() + TAIL.len()
    }
}

/// Writes bits, least significant first, for [`craft`](super::craft).
#[derive(Clone, Debug, Default)]
pub(super) struct BitWriter {
    octets: Vec<u8>,
    bits: u32,
    count: u32,
}

impl BitWriter {
    /// Appends the `n` (16 at most) low bits of `value`, the lowest first.
    pub(super) fn put(&mut self, value: u16, n: u32) {
        self.bits |= u32::from(value) << self.count;
        self.count += n;
        while self.count >= 8 {
            self.octets.push(self.bits as u8);
            self.bits >>= 8;
            self.count -= 8;
        }
    }

    /// Appends a Huffman code of `n` bits, which goes highest bit first (RFC 1951 §3.1.1).
    pub(super) fn put_code(&mut self, code: u16, n: u32) {
        self.put(code.reverse_bits() >> (16 - n), n);
    }

    /// Fills the octet begun with zeros.
    pub(super) fn align(&mut self) {
        if self.count > 0 {
            self.put(0, 8 - self.count);
        }
    }

    /// Appends whole octets; the writer must be aligned.
    pub(super) fn octets(&mut self, octets: &[u8]) {
        self.octets.extend_from_slice(octets);
    }

    /// Fills the last octet with zeros and hands over what was written.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.align();
        self.octets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_lowest_first_and_the_tail_follows_the_payload() {
        let mut reader = BitReader::new(&[0b1010_0110]);
        assert_eq!(reader.take(3), Some(0b110));
        assert_eq!(reader.take(5), Some(0b10100));
        assert_eq!(reader.take(16), Some(0));
        assert_eq!(reader.take(16), Some(0xffff));
        assert!(reader.is_at_end());
        assert_eq!(reader.take(1), None);
    }

    #[test]
    fn both_ways_of_refilling_read_the_same_bits() {
        let payload: Vec<u8> = (0..200u8).map(|i| i.wrapping_mul(151) ^ 0x5a).collect();
        for n in 1..=16 {
            let mut slow = BitReader::new(&payload);
            let mut quick = BitReader::new(&payload);
            loop {
                quick.refill_at_once();
                let expected = slow.take(n);
                assert_eq!(quick.take(n), expected, "{n} bits at a time");
                if expected.is_none() {
                    break;
                }
            }
        }
    }

    #[test]
    fn octets_can_be_copied_after_any_number_of_bits() {
        let payload: Vec<u8> = (0..40).collect();
        for bits in 0..=16 {
            for quick in [false, true] {
                let mut reader = BitReader::new(&payload);
                if quick {
                    reader.refill_at_once();
                }
                reader.take(bits);
                reader.align();
                let mut rest = vec![0; 44 - bits.div_ceil(8) as usize];
                assert!(reader.octets(&mut rest));
                let skipped = bits.div_ceil(8) as usize;
                assert_eq!(rest[..rest.len() - 4], payload[skipped..]);
                assert_eq!(rest[rest.len() - 4..], TAIL);
                assert!(reader.is_at_end());
                assert!(!reader.octets(&mut [0]));
            }
        }
    }

    #[test]
    fn a_reader_reads_what_a_writer_wrote() {
        let mut writer = BitWriter::default();
        for i in 0..1000u16 {
            let n = u32::from(i % 16) + 1;
            writer.put(i & ((1u32 << n) - 1) as u16, n);
        }
        writer.put_code(0b1_1000_0000, 9);
        let octets = writer.finish();
        let mut reader = BitReader::new(&octets);
        for i in 0..1000u16 {
            let n = u32::from(i % 16) + 1;
            assert_eq!(reader.take(n), Some(i & ((1u32 << n) - 1) as u16));
        }
        assert_eq!(reader.take(9), Some(0b0_0000_0011));
    }
}

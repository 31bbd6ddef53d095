//! Deflate streams made by hand, for what no compressor would send (RFC 1951).
//!
//! ```
//! use cloverleaf_judge::deflate::{Block, Stream, Symbol};
//!
//! let hello = Stream::new().block(Block::Stored(b"Hello")).flushed();
//! assert_eq!(hello, b"\x00\x05\x00\xfa\xffHello\x00");
//! ```

use super::bits::{BitWriter, TAIL};
use super::huffman::{DISTANCES, LENGTHS, fixed_literal_lengths};
use super::inflate::CODE_LENGTH_ORDER;

/// One element of a compressed block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 1951 §3.2.5 has these two")]
pub enum Symbol {
    /// An octet.
    Literal(u8),
    /// A back reference.
    Match {
        /// 3 to 258 octets.
        length: u16,
        /// 1 to 32 768 octets back.
        distance: u16,
    },
}

/// A block, right or wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Block<'a> {
    /// At most 65 535 octets as they are (RFC 1951 §3.2.4).
    Stored(&'a [u8]),
    /// The same with a length and a complement that need not match.
    StoredAs {
        /// The length to claim.
        length: u16,
        /// Its complement, or not.
        complement: u16,
        /// The octets that follow.
        octets: &'a [u8],
    },
    /// Symbols in the fixed codes (RFC 1951 §3.2.6).
    Fixed(&'a [Symbol]),
    /// The same without the code for the end of the block.
    FixedWithoutEnd(&'a [Symbol]),
    /// This many zeros in codes of one and two bits, about a thousandth of their number.
    Zeros(usize),
    /// The type that does not exist (RFC 1951 §3.2.3).
    Reserved,
}

/// Blocks on their way to a message's payload.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    bits: BitWriter,
}

impl Stream {
    /// A stream without blocks.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a block.
    ///
    /// # Panics
    ///
    /// If it has more octets than a stored block can, or a match out of its range.
    #[must_use]
    pub fn block(mut self, block: Block<'_>) -> Self {
        self.put(block, false);
        self
    }

    /// Appends a block with BFINAL set, and zeros up to the next octet (RFC 7692 §7.2.3.4).
    ///
    /// # Panics
    ///
    /// If it has more octets than a stored block can, or a match out of its range.
    #[must_use]
    pub fn final_block(mut self, block: Block<'_>) -> Self {
        self.put(block, true);
        self.bits.align();
        self
    }

    /// A payload as it should be: an empty stored block follows, whose last four octets are cut
    /// off (RFC 7692 §7.2.1).
    #[must_use]
    pub fn flushed(mut self) -> Vec<u8> {
        self.bits.put(0, 3);
        self.bits.finish()
    }

    /// A payload whose sender flushed, but forgot to cut off the four octets.
    #[must_use]
    pub fn flushed_uncut(self) -> Vec<u8> {
        let mut payload = self.flushed();
        payload.extend_from_slice(&TAIL);
        payload
    }

    /// A payload that just stops: zeros up to the next octet, and no empty block.
    #[must_use]
    pub fn unflushed(self) -> Vec<u8> {
        self.bits.finish()
    }

    fn put(&mut self, block: Block<'_>, last: bool) {
        self.bits.put(u16::from(last), 1);
        let kind = match block {
            Block::Stored(_) | Block::StoredAs { .. } => 0,
            Block::Fixed(_) | Block::FixedWithoutEnd(_) => 1,
            Block::Zeros(_) => 2,
            Block::Reserved => 3,
        };
        self.bits.put(kind, 2);
        match block {
            Block::Stored(octets) => {
                let length = u16::try_from(octets.len()).expect("65 535 octets at most");
                self.stored(length, !length, octets);
            }
            Block::StoredAs {
                length,
                complement,
                octets,
            } => self.stored(length, complement, octets),
            Block::Fixed(symbols) => {
                self.fixed(symbols);
                self.fixed_code(256);
            }
            Block::FixedWithoutEnd(symbols) => self.fixed(symbols),
            Block::Zeros(count) => self.zeros(count),
            Block::Reserved => {}
        }
    }

    fn stored(&mut self, length: u16, complement: u16, octets: &[u8]) {
        self.bits.align();
        self.bits.octets(&length.to_le_bytes());
        self.bits.octets(&complement.to_le_bytes());
        self.bits.octets(octets);
    }

    fn fixed(&mut self, symbols: &[Symbol]) {
        for &symbol in symbols {
            match symbol {
                Symbol::Literal(octet) => self.fixed_code(u16::from(octet)),
                Symbol::Match { length, distance } => {
                    assert!((3..=258).contains(&length), "a match has 3 to 258 octets");
                    assert!((1..=32_768).contains(&distance), "no further than 32 768");
                    let (code, extra, bits) = split(&LENGTHS, length);
                    self.fixed_code(257 + code);
                    self.bits.put(extra, bits);
                    let (code, extra, bits) = split(&DISTANCES, distance);
                    self.bits.put_code(code, 5);
                    self.bits.put(extra, bits);
                }
            }
        }
    }

    /// RFC 1951 §3.2.6
    fn fixed_code(&mut self, symbol: u16) {
        let length = u32::from(fixed_literal_lengths()[usize::from(symbol)]);
        let code = match symbol {
            0..=143 => 0b0011_0000 + symbol,
            144..=255 => 0b1_1001_0000 + symbol - 144,
            256..=279 => symbol - 256,
            _ => 0b1100_0000 + symbol - 280,
        };
        self.bits.put_code(code, length);
    }

    /// A dynamic block (RFC 1951 §3.2.7) with four codes: length 258 is `0`, octet 0 is `10`, the
    /// end is `11`, and distance 1 is `0`.
    fn zeros(&mut self, count: usize) {
        self.bits.put(286 - 257, 5);
        self.bits.put(0, 5);
        self.bits.put(18 - 4, 4);
        for symbol in &CODE_LENGTH_ORDER[..18] {
            let length = match symbol {
                18 => 1,
                1 | 2 => 2,
                _ => 0,
            };
            self.bits.put(length, 3);
        }
        let one = (0b10, 2);
        let two = (0b11, 2);
        let none = |writer: &mut BitWriter, times: u16| {
            writer.put_code(0, 1);
            writer.put(times - 11, 7);
        };
        self.bits.put_code(two.0, two.1);
        none(&mut self.bits, 138);
        none(&mut self.bits, 255 - 138);
        self.bits.put_code(two.0, two.1);
        none(&mut self.bits, 285 - 257);
        self.bits.put_code(one.0, one.1);
        self.bits.put_code(one.0, one.1);

        // A first octet, then whole matches, then the rest octet by octet.
        let matches = count.saturating_sub(1) / 258;
        let literals = count - matches * 258;
        if literals > 0 {
            self.bits.put_code(0b10, 2);
        }
        for _ in 0..matches {
            self.bits.put(0, 2);
        }
        for _ in 1..literals {
            self.bits.put_code(0b10, 2);
        }
        self.bits.put_code(0b11, 2);
    }
}

/// The code whose range `value` falls into, and the extra bits that say where.
fn split(bases: &[(u16, u8)], value: u16) -> (u16, u16, u32) {
    let code = bases.partition_point(|&(base, _)| base <= value) - 1;
    let (base, bits) = bases[code];
    (code as u16, value - base, u32::from(bits))
}

/// The message `plain` in one stored block, or in several where it has more than 65 535 octets.
#[must_use]
pub fn stored(plain: &[u8]) -> Vec<u8> {
    stored_by(plain, usize::from(u16::MAX))
}

/// The message `plain` in stored blocks of `size` octets, the last one shorter.
///
/// # Panics
///
/// Unless `size` is in `1..=65535`.
#[must_use]
pub fn stored_by(plain: &[u8], size: usize) -> Vec<u8> {
    plain
        .chunks(size)
        .fold(Stream::new(), |stream, octets| {
            stream.block(Block::Stored(octets))
        })
        .flushed()
}

/// The message that `symbols` spell, in one block of fixed codes.
///
/// # Panics
///
/// If a match is out of its range.
#[must_use]
pub fn fixed(symbols: &[Symbol]) -> Vec<u8> {
    Stream::new().block(Block::Fixed(symbols)).flushed()
}

/// A message of this many zeros, compressed about 1030 to 1.
#[must_use]
pub fn bomb(octets: usize) -> Vec<u8> {
    Stream::new().block(Block::Zeros(octets)).flushed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Decompress, FlushDecompress};

    /// What zlib makes of a payload.
    fn zlib(payload: &[u8]) -> Vec<u8> {
        let mut stream = payload.to_vec();
        stream.extend_from_slice(&TAIL);
        let mut out = Vec::with_capacity(1 << 21);
        Decompress::new(false)
            .decompress_vec(&stream, &mut out, FlushDecompress::Sync)
            .expect("a right stream");
        out
    }

    #[test]
    fn the_vectors_of_the_rfc_can_be_written() {
        let hello: Vec<Symbol> = b"Hello".map(Symbol::Literal).into();
        // RFC 7692 §7.2.3.1, .2, .3, .4, .5, .6
        assert_eq!(fixed(&hello), [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]);
        let again = [
            Symbol::Literal(b'H'),
            Symbol::Match {
                length: 4,
                distance: 5,
            },
        ];
        assert_eq!(fixed(&again), [0xf2, 0x00, 0x11, 0x00, 0x00]);
        assert_eq!(stored(b"Hello"), b"\x00\x05\x00\xfa\xffHello\x00");
        assert_eq!(
            Stream::new().final_block(Block::Fixed(&hello)).flushed(),
            [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00]
        );
        assert_eq!(
            Stream::new()
                .block(Block::Fixed(&hello[..2]))
                .block(Block::Stored(b""))
                .block(Block::Fixed(&hello[2..]))
                .flushed(),
            [
                0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00
            ]
        );
        assert_eq!(Stream::new().flushed(), [0]);
        assert_eq!(Stream::new().flushed_uncut(), [0, 0, 0, 0xff, 0xff]);
    }

    #[test]
    fn every_length_and_distance_is_written_as_zlib_reads_it() {
        let mut symbols: Vec<Symbol> = (0..=255).map(Symbol::Literal).collect();
        let mut plain: Vec<u8> = (0..=255).collect();
        let mut refer = |length: u16, distance: u16| {
            symbols.push(Symbol::Match { length, distance });
            for _ in 0..length {
                plain.push(plain[plain.len() - usize::from(distance)]);
            }
        };
        for length in 3..=258 {
            refer(length, length - 2);
        }
        for distance in (1..=32_768).step_by(7).chain([32_767, 32_768]) {
            refer(3 + distance % 250, distance);
        }
        assert_eq!(zlib(&fixed(&symbols)), plain);
    }

    #[test]
    fn stored_blocks_can_be_of_any_size() {
        let plain: Vec<u8> = (0..100_000u32)
            .map(|i| (i.wrapping_mul(i) >> 7) as u8)
            .collect();
        for size in [999, 65_535] {
            assert_eq!(zlib(&stored_by(&plain, size)), plain);
        }
    }

    #[test]
    fn a_bomb_is_a_thousandth_of_what_it_becomes() {
        for octets in [0, 1, 2, 257, 258, 259, 260, 517, 1_000_000] {
            assert_eq!(zlib(&bomb(octets)), vec![0; octets]);
        }
        assert!(bomb(1_000_000).len() < 1100);
    }
}

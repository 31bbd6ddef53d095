//! Huffman codes of deflate: from code lengths to a table that decodes (RFC 1951 §3.2.2).
//!
//! A table has two levels. The first `PRIMARY` bits choose an entry; where a code is longer, that
//! entry names a second table, chosen from by the bits that follow.

use super::bits::BitReader;
use super::error::InflateError;
use std::fmt;

/// The longest code (RFC 1951 §3.2.7).
const LONGEST: usize = 15;

/// Bits decoded at the first level of literals and lengths. The largest table that 288 codes can
/// ask for then has 1334 entries, which 2048 covers.
pub(super) const LITERAL_BITS: u32 = 10;
/// Bits decoded at the first level of distances: 402 entries at most, which 512 covers.
pub(super) const DISTANCE_BITS: u32 = 8;

/// The three alphabets of a dynamic block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 1951 has these three")]
pub enum Alphabet {
    /// Literals, the end of the block, and lengths.
    Literal,
    /// Distances.
    Distance,
    /// The lengths of the codes of the other two.
    CodeLength,
}

impl fmt::Display for Alphabet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Literal => "literals and lengths",
            Self::Distance => "distances",
            Self::CodeLength => "code lengths",
        })
    }
}

/// What some bits mean. From the low end: five bits, the number of bits of the code; four, the
/// number of extra bits that follow it; three flags; from bit 16 the value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry(u32);

impl Entry {
    const LITERAL: u32 = 1 << 15;
    /// Neither literal nor base: end of block, second table, or nothing.
    const SPECIAL: u32 = 1 << 14;
    const END: u32 = 1 << 13;
    const LINK: u32 = 1 << 12;

    /// Bits that no code begins with.
    const UNASSIGNED: Self = Self(Self::SPECIAL);

    const fn base(value: u16, extra: u8) -> Self {
        Self((value as u32) << 16 | (extra as u32) << 5)
    }

    const fn literal(octet: u8) -> Self {
        Self((octet as u32) << 16 | Self::LITERAL)
    }

    const fn link(start: usize, bits: u32) -> Self {
        Self((start as u32) << 16 | Self::SPECIAL | Self::LINK | bits << 5)
    }

    const fn with_code_bits(self, bits: usize) -> Self {
        Self(self.0 | bits as u32)
    }

    #[inline(always)]
    pub(super) const fn code_bits(self) -> u32 {
        self.0 & 0x1f
    }

    #[inline(always)]
    pub(super) const fn extra_bits(self) -> u32 {
        self.0 >> 5 & 0xf
    }

    #[inline(always)]
    pub(super) const fn is_literal(self) -> bool {
        self.0 & Self::LITERAL != 0
    }

    #[inline(always)]
    pub(super) const fn is_special(self) -> bool {
        self.0 & Self::SPECIAL != 0
    }

    #[inline(always)]
    pub(super) const fn is_link(self) -> bool {
        self.0 & Self::LINK != 0
    }

    #[inline(always)]
    pub(super) const fn is_end(self) -> bool {
        self.0 & Self::END != 0
    }

    /// The literal, the base of a length or distance, or where the second table starts.
    #[inline(always)]
    pub(super) const fn value(self) -> usize {
        (self.0 >> 16) as usize
    }

    /// The value, with the extra bits that follow the code in `bits` added.
    #[inline(always)]
    pub(super) const fn value_in(self, bits: u64) -> usize {
        let extra = bits >> self.code_bits() & ((1 << self.extra_bits()) - 1);
        self.value() + extra as usize
    }
}

/// Base and number of extra bits of the length codes 257..=285 (RFC 1951 §3.2.5).
pub(super) const LENGTHS: [(u16, u8); 29] = lengths();

const fn lengths() -> [(u16, u8); 29] {
    let mut table = [(0, 0); 29];
    let mut base = 3;
    let mut i = 0;
    while i < 28 {
        let extra = if i < 8 { 0 } else { i / 4 - 1 };
        table[i] = (base, extra as u8);
        base += 1 << extra;
        i += 1;
    }
    // 258 has a code of its own, although 284 reaches it too.
    table[28] = (258, 0);
    table
}

/// Base and number of extra bits of the distance codes 0..=29 (RFC 1951 §3.2.5).
pub(super) const DISTANCES: [(u16, u8); 30] = distances();

const fn distances() -> [(u16, u8); 30] {
    let mut table = [(0, 0); 30];
    let mut base: u16 = 1;
    let mut i = 0;
    while i < 30 {
        let extra = if i < 4 { 0 } else { i / 2 - 1 };
        table[i] = (base, extra as u8);
        base = base.wrapping_add(1 << extra);
        i += 1;
    }
    table
}

/// What the symbols of literals and lengths mean; 286 and 287 have codes but no meaning.
const LITERAL_ENTRIES: [Entry; 288] = {
    let mut entries = [Entry::UNASSIGNED; 288];
    let mut i = 0;
    while i < 256 {
        entries[i] = Entry::literal(i as u8);
        i += 1;
    }
    entries[256] = Entry(Entry::SPECIAL | Entry::END);
    i = 0;
    while i < 29 {
        entries[257 + i] = Entry::base(LENGTHS[i].0, LENGTHS[i].1);
        i += 1;
    }
    entries
};

/// What the distance symbols mean; 30 and 31 have codes but no meaning.
const DISTANCE_ENTRIES: [Entry; 32] = {
    let mut entries = [Entry::UNASSIGNED; 32];
    let mut i = 0;
    while i < 30 {
        entries[i] = Entry::base(DISTANCES[i].0, DISTANCES[i].1);
        i += 1;
    }
    entries
};

/// The code lengths stand for themselves.
const CODE_LENGTH_ENTRIES: [Entry; 19] = {
    let mut entries = [Entry::UNASSIGNED; 19];
    let mut i = 0;
    while i < 19 {
        entries[i] = Entry::base(i as u16, 0);
        i += 1;
    }
    entries
};

/// A table of `SIZE` entries, a power of two, the first `1 << PRIMARY` of them the first level.
#[derive(Clone, Debug)]
pub(super) struct Table<const SIZE: usize, const PRIMARY: u32> {
    entries: [Entry; SIZE],
}

/// Literals and lengths.
pub(super) type LiteralTable = Table<2048, LITERAL_BITS>;
/// Distances.
pub(super) type DistanceTable = Table<512, DISTANCE_BITS>;
/// Code lengths; no code is longer than seven bits.
pub(super) type CodeLengthTable = Table<128, 7>;

impl<const SIZE: usize, const PRIMARY: u32> Table<SIZE, PRIMARY> {
    pub(super) const fn new() -> Self {
        Self {
            entries: [Entry::UNASSIGNED; SIZE],
        }
    }

    /// The entry that `bits` begin with, and how many of them led to a second table.
    #[inline(always)]
    pub(super) fn look_up(&self, bits: u64) -> (Entry, u32) {
        // The mask spares the check of the index: it cannot be too large.
        let entry = self.entries[bits as usize & ((1 << PRIMARY) - 1) & (SIZE - 1)];
        if entry.is_link() {
            let index = (bits >> PRIMARY) as usize & ((1 << entry.extra_bits()) - 1);
            (self.entries[(entry.value() + index) & (SIZE - 1)], PRIMARY)
        } else {
            (entry, 0)
        }
    }

    /// The next entry of a reader that has bits enough; those that led to a second table are
    /// taken, its own are not.
    #[inline(always)]
    pub(super) fn next(&self, reader: &mut BitReader<'_>) -> Entry {
        let (entry, before) = self.look_up(reader.peek());
        reader.skip(before);
        entry
    }

    /// Assigns codes to the symbols by the lengths of their codes, 0 where a symbol has none.
    fn fill(
        &mut self,
        lengths: &[u8],
        meanings: &[Entry],
        alphabet: Alphabet,
    ) -> Result<(), InflateError> {
        let mut counts = [0usize; LONGEST + 1];
        for &length in lengths {
            counts[usize::from(length)] += 1;
        }
        let used = lengths.len() - counts[0];
        counts[0] = 0;
        check_counts(&counts, used, alphabet)?;
        // A lone code of one bit, or none: whatever is not assigned below leads nowhere.
        if used <= 1 {
            self.entries[..1 << PRIMARY].fill(Entry::UNASSIGNED);
        }

        // The symbols in the order of their codes: by length, then by number.
        let mut starts = [0usize; LONGEST + 2];
        for length in 1..=LONGEST {
            starts[length + 1] = starts[length] + counts[length];
        }
        let mut sorted = [0u16; 288];
        for (symbol, &length) in lengths.iter().enumerate() {
            if length != 0 {
                sorted[starts[usize::from(length)]] = symbol as u16;
                starts[usize::from(length)] += 1;
            }
        }
        let mut symbols = sorted[..used].iter().map(|&symbol| usize::from(symbol));

        // Codes are counted up in reversed bits, as they come from the stream.
        let primary = PRIMARY as usize;
        let mut code = 0usize;
        for (length, &count) in counts.iter().enumerate().take(primary + 1).skip(1) {
            for symbol in symbols.by_ref().take(count) {
                self.entries[code] = meanings[symbol].with_code_bits(length);
                code = next_reversed(code, length);
            }
            // The entries so far repeat whatever the next bit is.
            if length < primary && used > 1 {
                self.entries.copy_within(..1 << length, 1 << length);
            }
        }
        if used == 1 {
            // Only code 0 exists, of one bit: every even index begins with it.
            let lone = self.entries[0];
            for entry in self.entries[..1 << PRIMARY].iter_mut().step_by(2) {
                *entry = lone;
            }
        }

        let mut end = 1 << primary;
        let mut start = end;
        let mut prefix = usize::MAX;
        for length in primary + 1..=LONGEST {
            for already in 0..counts[length] {
                if code & ((1 << primary) - 1) != prefix {
                    prefix = code & ((1 << primary) - 1);
                    start = end;
                    // As many bits as it takes for the codes left to fill the second table.
                    let mut bits = length - primary;
                    let mut space = counts[length] - already;
                    while space < 1 << bits && primary + bits < LONGEST {
                        bits += 1;
                        space = (space << 1) + counts[primary + bits];
                    }
                    end = start + (1 << bits);
                    self.entries[prefix] = Entry::link(start, bits as u32);
                }
                let symbol = symbols.next().expect("as many as were counted");
                let entry = meanings[symbol].with_code_bits(length - primary);
                let step = 1 << (length - primary);
                for slot in self.entries[start + (code >> primary)..end]
                    .iter_mut()
                    .step_by(step)
                {
                    *slot = entry;
                }
                code = next_reversed(code, length);
            }
        }
        Ok(())
    }
}

/// Every code must be used up, and none twice; a lone code of one bit is allowed for literals
/// and distances, and no distance code at all (RFC 1951 §3.2.7).
fn check_counts(
    counts: &[usize; LONGEST + 1],
    used: usize,
    alphabet: Alphabet,
) -> Result<(), InflateError> {
    let mut left = 1isize;
    for &count in &counts[1..] {
        left = (left << 1) - count as isize;
        if left < 0 {
            return Err(InflateError::TooManyCodes { alphabet });
        }
    }
    let lone = used == 1 && counts[1] == 1 && alphabet != Alphabet::CodeLength;
    let none = used == 0 && alphabet == Alphabet::Distance;
    if left > 0 && !lone && !none {
        return Err(InflateError::UnusedCodes { alphabet });
    }
    Ok(())
}

/// The code after `code`, both with their bits reversed; 0 after the last one.
fn next_reversed(code: usize, length: usize) -> usize {
    let ones = (1 << length) - 1;
    let zeros = code ^ ones;
    if zeros == 0 {
        return 0;
    }
    let highest_zero = 1 << zeros.ilog2();
    code & (highest_zero - 1) | highest_zero
}

impl LiteralTable {
    /// The codes of a block's literals and lengths.
    pub(super) fn assign(&mut self, lengths: &[u8]) -> Result<(), InflateError> {
        self.fill(lengths, &LITERAL_ENTRIES, Alphabet::Literal)
    }
}

impl DistanceTable {
    /// The codes of a block's distances.
    pub(super) fn assign(&mut self, lengths: &[u8]) -> Result<(), InflateError> {
        self.fill(lengths, &DISTANCE_ENTRIES, Alphabet::Distance)
    }
}

impl CodeLengthTable {
    /// The codes that a dynamic block's code lengths are written in.
    pub(super) fn assign(&mut self, lengths: &[u8; 19]) -> Result<(), InflateError> {
        self.fill(lengths, &CODE_LENGTH_ENTRIES, Alphabet::CodeLength)
    }
}

/// How long the codes of a fixed block's literals and lengths are (RFC 1951 §3.2.6).
pub(super) const fn fixed_literal_lengths() -> [u8; 288] {
    let mut lengths = [8; 288];
    let mut i = 144;
    while i < 280 {
        lengths[i] = if i < 256 { 9 } else { 7 };
        i += 1;
    }
    lengths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bases_are_those_of_the_rfc() {
        let length = |code: usize| LENGTHS[code - 257];
        assert_eq!(length(257), (3, 0));
        assert_eq!(length(264), (10, 0));
        assert_eq!(length(265), (11, 1));
        assert_eq!(length(284), (227, 5));
        assert_eq!(length(285), (258, 0));
        assert_eq!(DISTANCES[3], (4, 0));
        assert_eq!(DISTANCES[4], (5, 1));
        assert_eq!(DISTANCES[29], (24577, 13));
    }

    /// Decodes by comparing with every code, as RFC 1951 §3.2.2 assigns them.
    fn naive(lengths: &[u8], bits: u64) -> Option<(usize, usize)> {
        let mut code = 0u64;
        for length in 1..=LONGEST {
            code <<= 1;
            for (symbol, &its) in lengths.iter().enumerate() {
                if usize::from(its) == length {
                    let reversed = code.reverse_bits() >> (64 - length);
                    if bits & ((1 << length) - 1) == reversed {
                        return Some((symbol, length));
                    }
                    code += 1;
                }
            }
        }
        None
    }

    fn compare_with_naive(lengths: &[u8]) {
        let mut table = LiteralTable::new();
        table.assign(lengths).expect("a complete code");
        for bits in 0..1u64 << LONGEST {
            let (entry, before) = table.look_up(bits);
            match naive(lengths, bits) {
                Some((symbol, length)) => {
                    assert_eq!(entry.code_bits() + before, length as u32);
                    assert_eq!(entry.is_literal(), symbol < 256);
                    assert_eq!(entry.is_end(), symbol == 256);
                    if symbol < 256 {
                        assert_eq!(entry.value(), symbol);
                    }
                }
                None => assert_eq!(entry, Entry::UNASSIGNED),
            }
        }
    }

    #[test]
    fn tables_of_every_shape_decode_as_the_naive_search_does() {
        compare_with_naive(&fixed_literal_lengths());
        compare_with_naive(&[1, 1]);
        compare_with_naive(&[0, 0, 1]);
        // A comb: one code of each length, two of the longest.
        let comb: Vec<u8> = (1..=15).chain([15]).collect();
        compare_with_naive(&comb);
        let upside_down: Vec<u8> = comb.iter().rev().copied().collect();
        compare_with_naive(&upside_down);
        // Many second tables of different sizes: one code takes half, 266 the other.
        let mut wide = vec![1; 1];
        wide.extend([9; 255]);
        wide.extend([10; 1]);
        wide.extend([11; 1]);
        wide.extend([12; 1]);
        wide.extend([15; 8]);
        compare_with_naive(&wide);
    }

    #[test]
    fn codes_that_overlap_or_leave_room_are_refused() {
        let mut table = LiteralTable::new();
        let alphabet = Alphabet::Literal;
        assert_eq!(
            table.assign(&[1, 1, 1]),
            Err(InflateError::TooManyCodes { alphabet })
        );
        for short in [&[2, 2, 2][..], &[2], &[0, 0]] {
            assert_eq!(
                table.assign(short),
                Err(InflateError::UnusedCodes { alphabet })
            );
        }
        let mut distances = DistanceTable::new();
        assert_eq!(distances.assign(&[0; 30]), Ok(()));
        assert_eq!(distances.look_up(0).0, Entry::UNASSIGNED);
        assert_eq!(distances.assign(&[0, 1]), Ok(()));
        assert_eq!(distances.look_up(0b10).0.value(), 2);
        assert_eq!(distances.look_up(0b01).0, Entry::UNASSIGNED);
        let mut lengths = [0; 19];
        lengths[3] = 1;
        assert!(CodeLengthTable::new().assign(&lengths).is_err());
    }
}

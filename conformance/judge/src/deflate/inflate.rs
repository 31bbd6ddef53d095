//! Inflates messages, and looks at every back reference (RFC 1951, RFC 7692 §7.2.2).

use super::bits::BitReader;
use super::error::InflateError;
use super::huffman::{
    Alphabet, CodeLengthTable, DistanceTable, Entry, LiteralTable, fixed_literal_lengths,
};
use std::sync::LazyLock;

/// The longest match.
const MATCH: usize = 258;
/// Room behind the position that the quick loop needs: a match, rounded up by its copying.
const ROOM: usize = MATCH + 2 + COPY;
/// Octets copied at once.
const COPY: usize = 16;
/// The history is moved to the front of the buffer when this much has piled up.
const MOVE_AT: usize = 1 << 17;
/// What a buffer starts with.
const FIRST_ROOM: usize = 4096;

/// The codes of a fixed block (RFC 1951 §3.2.6).
static FIXED: LazyLock<Codes> = LazyLock::new(|| {
    let mut codes = Codes::new();
    codes
        .literals
        .assign(&fixed_literal_lengths())
        .expect("288 codes that complete each other");
    codes
        .distances
        .assign(&[5; 32])
        .expect("32 codes of five bits");
    codes
});

/// The two codes of a block.
#[derive(Clone, Debug)]
struct Codes {
    literals: LiteralTable,
    distances: DistanceTable,
}

impl Codes {
    const fn new() -> Self {
        Self {
            literals: LiteralTable::new(),
            distances: DistanceTable::new(),
        }
    }
}

/// Inflates the messages of one direction, one after the other.
#[derive(Debug)]
pub struct Inflater {
    takeover: bool,
    contents: Contents,
    /// Of the last dynamic block; here so that they need not be made anew.
    dynamic: Box<Codes>,
    code_lengths: CodeLengthTable,
}

impl Inflater {
    /// An inflater of messages whose sender agreed to a window of `1 << window_bits` octets and,
    /// if `takeover`, may refer back to earlier messages.
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
            takeover,
            contents: Contents {
                octets: Vec::new(),
                position: 0,
                history_from: 0,
                limit: 0,
                limit_at: 0,
                window: 1 << window_bits,
                largest_distance: 0,
            },
            dynamic: Box::new(Codes::new()),
            code_lengths: CodeLengthTable::new(),
        }
    }

    /// The largest distance of a back reference so far, 0 before the first one.
    #[must_use]
    pub const fn largest_distance(&self) -> usize {
        self.contents.largest_distance
    }

    /// The size of the window in octets.
    #[must_use]
    pub const fn window(&self) -> usize {
        self.contents.window
    }

    /// Inflates one message: `compressed` is the payload of all its frames, without the four
    /// octets that the sender cut off. `out` is cleared, then filled.
    ///
    /// A block with BFINAL set ends at an octet boundary and empties the window
    /// (RFC 7692 §7.2.3.4, RFC 1951 §3.2.3); the blocks after it are read like any other.
    ///
    /// # Errors
    ///
    /// An [`InflateError`] where the message is not deflated as agreed, or has more than `limit`
    /// octets. `out` then holds what had been inflated by then, and so does the window of the
    /// next message.
    pub fn message(
        &mut self,
        compressed: &[u8],
        limit: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), InflateError> {
        out.clear();
        // RFC 7692 §7.2.3.6
        if compressed.is_empty() {
            return Err(InflateError::EmptyPayload);
        }
        self.contents.begin(self.takeover, limit);
        let start = self.contents.position;
        let result = self.blocks(&mut BitReader::new(compressed));
        let end = self.contents.position.min(self.contents.limit_at);
        out.extend_from_slice(&self.contents.octets[start..end]);
        result
    }

    fn blocks(&mut self, reader: &mut BitReader<'_>) -> Result<(), InflateError> {
        let mut after_empty_block = false;
        while !reader.is_at_end() {
            let last = take(reader, 1)? == 1;
            after_empty_block = false;
            match take(reader, 2)? {
                0 => after_empty_block = self.contents.stored(reader)? == 0,
                1 => self.contents.compressed(reader, &FIXED)?,
                2 => {
                    self.dynamic_codes(reader)?;
                    self.contents.compressed(reader, &self.dynamic)?;
                }
                _ => return Err(InflateError::ReservedBlockType),
            }
            if last {
                reader.align();
                self.contents.history_from = self.contents.position;
            }
        }
        if after_empty_block {
            Ok(())
        } else {
            Err(InflateError::NoEmptyBlockAtEnd)
        }
    }

    /// Reads the head of a dynamic block (RFC 1951 §3.2.7).
    fn dynamic_codes(&mut self, reader: &mut BitReader<'_>) -> Result<(), InflateError> {
        let literals = usize::from(take(reader, 5)?) + 257;
        let distances = usize::from(take(reader, 5)?) + 1;
        let code_lengths = usize::from(take(reader, 4)?) + 4;
        if literals > 286 || distances > 30 {
            return Err(InflateError::AlphabetTooLarge {
                literals,
                distances,
            });
        }
        let mut lengths = [0; 19];
        for &symbol in &CODE_LENGTH_ORDER[..code_lengths] {
            lengths[symbol] = take(reader, 3)? as u8;
        }
        self.code_lengths.assign(&lengths)?;

        // The lengths of both alphabets are one sequence: a repetition may run over from the
        // first to the second.
        let mut lengths = [0u8; 286 + 30];
        let all = literals + distances;
        let mut at = 0;
        while at < all {
            reader.refill();
            let (entry, _) = self.code_lengths.look_up(reader.peek());
            if entry.code_bits() > reader.count() {
                return Err(InflateError::Unfinished);
            }
            reader.skip(entry.code_bits());
            let symbol = entry.value();
            let (length, times) = match symbol {
                16 => {
                    let before = at.checked_sub(1).ok_or(InflateError::Repeat)?;
                    (lengths[before], 3 + take(reader, 2)?)
                }
                17 => (0, 3 + take(reader, 3)?),
                18 => (0, 11 + take(reader, 7)?),
                _ => (symbol as u8, 1),
            };
            let end = at + usize::from(times);
            if end > all {
                return Err(InflateError::Repeat);
            }
            lengths[at..end].fill(length);
            at = end;
        }
        if lengths[256] == 0 {
            return Err(InflateError::NoEndOfBlock);
        }
        self.dynamic.literals.assign(&lengths[..literals])?;
        self.dynamic.distances.assign(&lengths[literals..all])
    }
}

/// The order in which the lengths of the code length codes are sent (RFC 1951 §3.2.7).
pub(super) const CODE_LENGTH_ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

fn take(reader: &mut BitReader<'_>, n: u32) -> Result<u16, InflateError> {
    reader.take(n).ok_or(InflateError::Unfinished)
}

/// How the quick loop ended.
enum Pace {
    EndOfBlock,
    /// Too few octets to read, or too little room to write, for going on at this pace.
    Slower,
}

/// What has been inflated: the window, then the message so far.
#[derive(Debug)]
struct Contents {
    /// Written up to `position`; what lies behind is room.
    octets: Vec<u8>,
    position: usize,
    /// Where the octets that may be referred to begin.
    history_from: usize,
    /// How many octets the message may have, and where it then ends. It is overshot by
    /// two literals and a match at most before that is noticed.
    limit: usize,
    limit_at: usize,
    window: usize,
    largest_distance: usize,
}

impl Contents {
    /// Makes ready for the next message.
    fn begin(&mut self, takeover: bool, limit: usize) {
        // After a message that was too long.
        self.position = self.position.min(self.limit_at);
        if !takeover {
            self.position = 0;
            self.history_from = 0;
        } else if self.position > MOVE_AT {
            let keep = (self.position - self.history_from).min(self.window);
            self.octets
                .copy_within(self.position - keep..self.position, 0);
            self.position = keep;
            self.history_from = 0;
        }
        self.limit = limit;
        self.limit_at = self.position.saturating_add(limit);
    }

    /// Makes room for `n` octets more and the slack of the quick loop.
    fn make_room(&mut self, n: usize) {
        let needed = self.position + n + ROOM;
        if needed > self.octets.len() {
            let doubled = self.octets.len().saturating_mul(2).max(FIRST_ROOM);
            // No more than the message may need: the limit bounds the memory, too.
            let most = self.limit_at.saturating_add(ROOM);
            self.octets.resize(doubled.min(most).max(needed), 0);
        }
    }

    /// Reads a stored block (RFC 1951 §3.2.4) and returns its length.
    fn stored(&mut self, reader: &mut BitReader<'_>) -> Result<u16, InflateError> {
        reader.align();
        let length = take(reader, 16)?;
        let complement = take(reader, 16)?;
        if length != !complement {
            return Err(InflateError::StoredLengths { length, complement });
        }
        let n = usize::from(length);
        if n > self.limit_at - self.position {
            return Err(InflateError::TooLong { limit: self.limit });
        }
        self.make_room(n);
        if !reader.octets(&mut self.octets[self.position..self.position + n]) {
            return Err(InflateError::Unfinished);
        }
        self.position += n;
        Ok(length)
    }

    /// Reads the contents of a compressed block (RFC 1951 §3.2.3).
    fn compressed(
        &mut self,
        reader: &mut BitReader<'_>,
        codes: &Codes,
    ) -> Result<(), InflateError> {
        loop {
            let pace = self.quickly(reader, codes);
            // One check for both ways of reading: neither goes beyond what room there is.
            if self.position > self.limit_at {
                return Err(InflateError::TooLong { limit: self.limit });
            }
            match pace? {
                Pace::EndOfBlock => return Ok(()),
                Pace::Slower => {
                    self.make_room(MATCH);
                    if self.symbol(reader, codes)? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Reads symbols while there is plenty of everything, so that nothing need be asked twice.
    fn quickly(&mut self, outer: &mut BitReader<'_>, codes: &Codes) -> Result<Pace, InflateError> {
        let stop = self.octets.len().saturating_sub(ROOM).min(self.limit_at);
        let history_from = self.history_from;
        let window = self.window;
        let octets = self.octets.as_mut_slice();
        let mut position = self.position;
        let mut largest = self.largest_distance;
        let mut reader = *outer;
        let pace = loop {
            // Octets for both refills of a round.
            if position >= stop || !reader.has(16) {
                break Ok(Pace::Slower);
            }
            reader.refill_at_once();
            // 56 bits: two literals of 15 at most, and one code of 15 with 5 extra bits.
            let mut entry = codes.literals.next(&mut reader);
            if entry.is_literal() {
                reader.skip(entry.code_bits());
                octets[position] = entry.value() as u8;
                position += 1;
                entry = codes.literals.next(&mut reader);
                if entry.is_literal() {
                    reader.skip(entry.code_bits());
                    octets[position] = entry.value() as u8;
                    position += 1;
                    entry = codes.literals.next(&mut reader);
                    if entry.is_literal() {
                        reader.skip(entry.code_bits());
                        octets[position] = entry.value() as u8;
                        position += 1;
                        continue;
                    }
                }
            }
            if entry.is_special() {
                if entry.is_end() {
                    reader.skip(entry.code_bits());
                    break Ok(Pace::EndOfBlock);
                }
                break Err(UNASSIGNED_LITERAL);
            }
            let length = entry.value_in(reader.peek());
            reader.skip(entry.code_bits() + entry.extra_bits());

            reader.refill_at_once();
            let entry = codes.distances.next(&mut reader);
            if entry.is_special() {
                break Err(UNASSIGNED_DISTANCE);
            }
            let distance = entry.value_in(reader.peek());
            reader.skip(entry.code_bits() + entry.extra_bits());
            largest = largest.max(distance);
            if let Err(error) = check(distance, window, position - history_from) {
                break Err(error);
            }
            copy_roomily(octets, position, distance, length);
            position += length;
        };
        *outer = reader;
        self.position = position;
        self.largest_distance = largest;
        pace
    }

    /// Reads one symbol with all care, and the distance if it is a length; true at the end of the
    /// block.
    fn symbol(&mut self, reader: &mut BitReader<'_>, codes: &Codes) -> Result<bool, InflateError> {
        // Enough for a length and a distance, 48 bits, unless the stream ends before.
        reader.refill();
        let entry = whole(codes.literals.look_up(reader.peek()), reader)?;
        if entry.is_special() && !entry.is_end() {
            return Err(UNASSIGNED_LITERAL);
        }
        let value = entry.value_in(reader.peek());
        reader.skip(entry.code_bits() + entry.extra_bits());
        if entry.is_end() {
            return Ok(true);
        }
        if entry.is_literal() {
            self.octets[self.position] = value as u8;
            self.position += 1;
            return Ok(false);
        }

        let entry = whole(codes.distances.look_up(reader.peek()), reader)?;
        if entry.is_special() {
            return Err(UNASSIGNED_DISTANCE);
        }
        let distance = entry.value_in(reader.peek());
        reader.skip(entry.code_bits() + entry.extra_bits());
        self.largest_distance = self.largest_distance.max(distance);
        check(distance, self.window, self.position - self.history_from)?;
        copy_roomily(&mut self.octets, self.position, distance, value);
        self.position += value;
        Ok(false)
    }
}

const UNASSIGNED_LITERAL: InflateError = InflateError::UnassignedCode {
    alphabet: Alphabet::Literal,
};
const UNASSIGNED_DISTANCE: InflateError = InflateError::UnassignedCode {
    alphabet: Alphabet::Distance,
};

/// An entry, if all its bits are there; those that led to a second table are taken.
fn whole((entry, before): (Entry, u32), reader: &mut BitReader<'_>) -> Result<Entry, InflateError> {
    let needed = before + entry.code_bits() + entry.extra_bits();
    if needed.max(1) > reader.count() {
        return Err(InflateError::Unfinished);
    }
    reader.skip(before);
    Ok(entry)
}

/// A back reference must stay within the window, and within what there is.
#[inline(always)]
fn check(distance: usize, window: usize, history: usize) -> Result<(), InflateError> {
    if distance > window {
        return Err(InflateError::BeyondWindow { distance, window });
    }
    if distance > history {
        return Err(InflateError::BeyondHistory { distance, history });
    }
    Ok(())
}

/// Copies a match; up to [`COPY`] octets behind it are overwritten.
#[inline(always)]
fn copy_roomily(octets: &mut [u8], position: usize, distance: usize, length: usize) {
    let from = position - distance;
    if distance >= COPY {
        let octets = &mut octets[from..position + length.next_multiple_of(COPY)];
        let mut at = 0;
        while at < length {
            // The octets read were written before this round, as the distance is no shorter.
            octets.copy_within(at..at + COPY, at + distance);
            at += COPY;
        }
    } else if distance == 1 {
        let octet = octets[from];
        octets[position..position + length].fill(octet);
    } else {
        for at in from..from + length {
            octets[at + distance] = octets[at];
        }
    }
}

//! A naive DEFLATE decoder (RFC 1951): a map for every code, a bit at a time, no tables, no speed.
//!
//! It shares nothing with the library under test, and it sees what an inflater hides: how far back
//! each match reaches.

use std::collections::HashMap;

#[derive(Default)]
pub(crate) struct Walker {
    /// Everything since the stream began, across messages.
    history: Vec<u8>,
    /// The furthest any match has reached back.
    pub(crate) max_distance: usize,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Invalid;

/// The symbol of each code, by its length and value.
type Code = HashMap<(usize, u32), usize>;

struct Bits<'a> {
    octets: &'a [u8],
    position: usize,
}

impl Bits<'_> {
    fn bit(&mut self) -> Result<usize, Invalid> {
        let octet = *self.octets.get(self.position / 8).ok_or(Invalid)?;
        let bit = octet >> (self.position % 8) & 1;
        self.position += 1;
        Ok(bit.into())
    }

    fn number(&mut self, bits: usize) -> Result<usize, Invalid> {
        (0..bits).try_fold(0, |n, i| Ok(n | self.bit()? << i))
    }

    fn symbol(&mut self, code: &Code) -> Result<usize, Invalid> {
        let mut value = 0;
        for length in 1..=15 {
            value = value << 1 | self.bit()? as u32;
            if let Some(symbol) = code.get(&(length, value)) {
                return Ok(*symbol);
            }
        }
        Err(Invalid)
    }

    fn align(&mut self) {
        self.position = self.position.next_multiple_of(8);
    }
}

/// The canonical code of these lengths (RFC 1951 §3.2.2).
///
/// As zlib has it, a code must be complete; but one of lengths 0 and 1 only need not be, if it is
/// `lenient`.
fn code(lengths: &[usize], lenient: bool) -> Result<Code, Invalid> {
    let mut code = Code::new();
    let mut next = 0_u32;
    for length in 1..=15 {
        next <<= 1;
        for symbol in (0..lengths.len()).filter(|s| lengths[*s] == length) {
            if next >= 1 << length {
                return Err(Invalid);
            }
            code.insert((length, next), symbol);
            next += 1;
        }
    }
    let longest = lengths.iter().max().copied().unwrap_or(0);
    let complete = next == 1 << 15;
    if complete || longest == 0 || lenient && longest == 1 {
        Ok(code)
    } else {
        Err(Invalid)
    }
}

impl Walker {
    /// One whole message as PMCE sends it (RFC 7692 §7.2.2).
    pub(crate) fn message(&mut self, payload: &[u8]) -> Result<Vec<u8>, Invalid> {
        if payload.is_empty() {
            return Ok(Vec::new());
        }
        let octets = [payload, &[0x00, 0x00, 0xFF, 0xFF]].concat();
        let mut bits = Bits {
            octets: &octets,
            position: 0,
        };
        let mut message = Vec::new();
        loop {
            let start = self.history.len();
            let last = self.block(&mut bits)?;
            message.extend_from_slice(&self.history[start..]);
            if last {
                bits.align();
                self.history.clear();
            }
            let end = bits.position.div_ceil(8);
            if end == octets.len() || last && end == payload.len() {
                return Ok(message);
            }
            if last && end > payload.len() {
                return Err(Invalid);
            }
        }
    }

    /// One block (RFC 1951 §3.2.3). Returns BFINAL.
    fn block(&mut self, bits: &mut Bits<'_>) -> Result<bool, Invalid> {
        let last = bits.bit()? == 1;
        match bits.number(2)? {
            0 => self.stored(bits)?,
            1 => {
                let mut lengths = [8; 288];
                lengths[144..256].fill(9);
                lengths[256..280].fill(7);
                self.compressed(bits, &code(&lengths, false)?, &code(&[5; 32], false)?)?;
            }
            2 => {
                let (literals, distances) = dynamic(bits)?;
                self.compressed(bits, &literals, &distances)?;
            }
            _ => return Err(Invalid),
        }
        Ok(last)
    }

    fn stored(&mut self, bits: &mut Bits<'_>) -> Result<(), Invalid> {
        bits.align();
        let (length, check) = (bits.number(16)?, bits.number(16)?);
        if length != check ^ 0xFFFF {
            return Err(Invalid);
        }
        for _ in 0..length {
            self.history.push(bits.number(8)? as u8);
        }
        Ok(())
    }

    fn compressed(
        &mut self,
        bits: &mut Bits<'_>,
        literals: &Code,
        distances: &Code,
    ) -> Result<(), Invalid> {
        loop {
            let symbol = bits.symbol(literals)?;
            let length = match symbol {
                0..=255 => {
                    self.history.push(symbol as u8);
                    continue;
                }
                256 => return Ok(()),
                257..=264 => symbol - 254,
                265..=284 => {
                    // Four lengths share each number of extra bits, 1 to 5.
                    let extra = (symbol - 261) / 4;
                    let base = 3 + ((4 + (symbol - 261) % 4) << extra);
                    base + bits.number(extra)?
                }
                285 => 258,
                _ => return Err(Invalid),
            };
            let symbol = bits.symbol(distances)?;
            let distance = match symbol {
                0..=3 => symbol + 1,
                4..=29 => {
                    let extra = (symbol - 2) / 2;
                    let base = 1 + ((2 + symbol % 2) << extra);
                    base + bits.number(extra)?
                }
                _ => return Err(Invalid),
            };
            if distance > self.history.len() {
                return Err(Invalid);
            }
            self.max_distance = self.max_distance.max(distance);
            for _ in 0..length {
                self.history
                    .push(self.history[self.history.len() - distance]);
            }
        }
    }
}

/// The two codes of a dynamic block (RFC 1951 §3.2.7).
fn dynamic(bits: &mut Bits<'_>) -> Result<(Code, Code), Invalid> {
    const ORDER: [usize; 19] = [
        16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
    ];
    let literals = 257 + bits.number(5)?;
    let distances = 1 + bits.number(5)?;
    let count = 4 + bits.number(4)?;
    if literals > 286 || distances > 30 {
        return Err(Invalid);
    }
    let mut lengths = [0; 19];
    for place in &ORDER[..count] {
        lengths[*place] = bits.number(3)?;
    }
    // Even a code for lengths that has no symbols must not pass: there are lengths to read.
    let meta = code(&lengths, false)?;
    let mut lengths = Vec::new();
    while lengths.len() < literals + distances {
        let (value, times) = match bits.symbol(&meta)? {
            16 => (*lengths.last().ok_or(Invalid)?, 3 + bits.number(2)?),
            17 => (0, 3 + bits.number(3)?),
            18 => (0, 11 + bits.number(7)?),
            length => (length, 1),
        };
        lengths.extend(std::iter::repeat_n(value, times));
    }
    if lengths.len() > literals + distances || lengths[256] == 0 {
        return Err(Invalid);
    }
    let (literals, distances) = lengths.split_at(literals);
    Ok((code(literals, true)?, code(distances, true)?))
}

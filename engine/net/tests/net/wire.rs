//! Frames as octets, written and read in the plainest way.

/// The masking key of every frame that a client writes by hand here.
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

pub(crate) const TEXT: u8 = 0x81;
pub(crate) const BINARY: u8 = 0x82;
pub(crate) const CLOSE: u8 = 0x88;
pub(crate) const PING: u8 = 0x89;
pub(crate) const PONG: u8 = 0x8A;

/// A server's frame; `first` is FIN, reserved bits and opcode.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut octets = head(first, payload.len(), 0);
    octets.extend_from_slice(payload);
    octets
}

/// A client's frame.
pub(crate) fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut octets = masked_head(first, payload.len());
    octets.extend(payload.iter().zip(KEY.iter().cycle()).map(|(a, b)| a ^ b));
    octets
}

/// The header of a client's frame, without its payload.
pub(crate) fn masked_head(first: u8, length: usize) -> Vec<u8> {
    let mut octets = head(first, length, 0x80);
    octets.extend_from_slice(&KEY);
    octets
}

fn head(first: u8, length: usize, mask: u8) -> Vec<u8> {
    let mut octets = vec![first];
    match length {
        0..=125 => octets.push(mask | length as u8),
        126..=0xFFFF => {
            octets.push(mask | 126);
            octets.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            octets.push(mask | 127);
            octets.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    octets
}

/// The payload of a close frame.
pub(crate) fn closing(code: u16, reason: &str) -> Vec<u8> {
    [&code.to_be_bytes(), reason.as_bytes()].concat()
}

/// The frames in `octets`, unmasked, and how many octets of an unfinished one stand behind them.
pub(crate) fn frames(mut octets: &[u8]) -> (Vec<(u8, Vec<u8>)>, usize) {
    let mut found = Vec::new();
    while let Some((frame, rest)) = split_frame(octets) {
        found.push(frame);
        octets = rest;
    }
    (found, octets.len())
}

/// The frames in `octets`, which hold nothing else.
pub(crate) fn whole_frames(octets: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let (found, rest) = frames(octets);
    assert_eq!(rest, 0, "an unfinished frame at the end of {octets:02x?}");
    found
}

type Split<'a> = ((u8, Vec<u8>), &'a [u8]);

fn split_frame(octets: &[u8]) -> Option<Split<'_>> {
    let (&[first, second], rest) = octets.split_first_chunk()?;
    let (length, rest) = match second & 0x7F {
        126 => {
            let (length, rest) = rest.split_first_chunk()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        127 => {
            let (length, rest) = rest.split_first_chunk()?;
            (usize::try_from(u64::from_be_bytes(*length)).ok()?, rest)
        }
        short => (usize::from(short), rest),
    };
    let (key, rest) = if second & 0x80 == 0 {
        ([0; 4], rest)
    } else {
        let (key, rest) = rest.split_first_chunk()?;
        (*key, rest)
    };
    let (payload, rest) = rest.split_at_checked(length)?;
    let payload = payload.iter().zip(key.iter().cycle()).map(|(a, b)| a ^ b);
    Some(((first, payload.collect()), rest))
}

/// Random numbers that a seed repeats (xorshift64*).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `sides`.
    pub(crate) const fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % sides
    }
}

//! What goes through TCP: heads and frames, to be cut into segments.

use core::ops::Range;

use cloverleaf_proto::frame::{Head, OpCode, Rsv};

use crate::packet::Side;

/// Octets to be sent: a front, a back, and zeros behind them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Octets<'a> {
    pub(crate) front: &'a [u8],
    pub(crate) back: &'a [u8],
    pub(crate) zeros: usize,
}

impl Octets<'_> {
    pub(crate) const fn len(&self) -> usize {
        self.front.len() + self.back.len() + self.zeros
    }

    /// Appends some of them.
    pub(crate) fn write(&self, range: Range<usize>, out: &mut Vec<u8>) {
        let end = out.len() + range.len();
        let mut skip = range.start;
        for part in [self.front, self.back] {
            let rest = part.get(skip..).unwrap_or_default();
            let room = end - out.len();
            out.extend_from_slice(&rest[..rest.len().min(room)]);
            skip = skip.saturating_sub(part.len());
        }
        out.resize(end, 0);
    }
}

/// The header of a frame (RFC 6455 §5.2), in its shortest form; a client's with a masking key of
/// zeros, under which the payload is what it is.
pub(crate) fn header(from: Side, head: Head, length: usize) -> Vec<u8> {
    let bits = [(Rsv::RSV1, 0x40), (Rsv::RSV2, 0x20), (Rsv::RSV3, 0x10)];
    let bits = bits.into_iter().filter(|(rsv, _)| head.rsv.contains(*rsv));
    let first = bits.fold(head.opcode.number(), |octet, (_, bit)| octet | bit);
    let mask = if from == Side::Client { 0x80 } else { 0 };
    let mut out = vec![first | if head.fin { 0x80 } else { 0 }];
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ ..=125), _) => out.push(mask | short),
        (_, Ok(medium)) => {
            out.push(mask | 126);
            out.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            out.push(mask | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    if from == Side::Client {
        out.extend_from_slice(&[0; 4]);
    }
    out
}

/// How much of a payload is told even where payloads are left out: the code of a close frame.
pub(crate) fn told(head: Head, payload: &[u8]) -> &[u8] {
    let told = if head.opcode == OpCode::CLOSE { 2 } else { 0 };
    &payload[..payload.len().min(told)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_range_of_octets_is_what_it_would_be_if_they_were_joined() {
        let octets = Octets {
            front: b"abc",
            back: b"defgh",
            zeros: 3,
        };
        let joined = b"abcdefgh\0\0\0";
        assert_eq!(octets.len(), joined.len());
        for start in 0..=joined.len() {
            for end in start..=joined.len() {
                let mut out = b"before".to_vec();
                octets.write(start..end, &mut out);
                assert_eq!(out[6..], joined[start..end], "{start}..{end}");
            }
        }
    }
}

//! Control blocks: what the two ends say to each other on channel 0 (section 6 of the format).

use crate::channel_id;
use crate::code::{DropCode, Physical};
use crate::number;

/// How the head of a handshake is written in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// As it is.
    Identity,
    /// As the difference to an earlier one.
    Delta,
    /// Two of the four values nobody has given a meaning; what they fail with depends on the block.
    Unknown(u8),
}

impl Encoding {
    const fn from_bits(octet: u8) -> Self {
        match octet & 0b11 {
            0 => Self::Identity,
            1 => Self::Delta,
            bits => Self::Unknown(bits),
        }
    }

    const fn bits(self) -> u8 {
        match self {
            Self::Identity => 0,
            Self::Delta => 1,
            Self::Unknown(bits) => bits & 0b11,
        }
    }
}

/// One control block. What is of any length still stands in the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Block<'a> {
    AddChannelRequest {
        id: u32,
        encoding: Encoding,
        head: &'a [u8],
    },
    AddChannelResponse {
        id: u32,
        rejected: bool,
        encoding: Encoding,
        head: &'a [u8],
    },
    FlowControl {
        id: u32,
        quota: u64,
    },
    /// The reason is a code and a text, or missing.
    DropChannel {
        id: u32,
        reason: Option<(DropCode, &'a [u8])>,
    },
    NewChannelSlot {
        fallback: bool,
        slots: u64,
        quota: u64,
    },
}

const ADD_REQUEST: u8 = 0;
const ADD_RESPONSE: u8 = 1;
const FLOW_CONTROL: u8 = 2;
const DROP_CHANNEL: u8 = 3;
const NEW_SLOT: u8 = 4;

impl<'a> Block<'a> {
    /// Takes one block off the front of `octets`, which are not empty.
    pub(crate) fn take(octets: &mut &'a [u8], lenient: bool) -> Result<Self, Physical> {
        let Some((&first, mut rest)) = octets.split_first() else {
            return Err(Physical::block("no control block"));
        };
        let reserved = match first >> 5 {
            ADD_REQUEST => 0b0001_1100,
            ADD_RESPONSE => 0b0000_1100,
            FLOW_CONTROL | DROP_CHANNEL => 0b0001_1111,
            NEW_SLOT => 0b0001_1110,
            _ => {
                return Err(Physical::new(
                    DropCode::UNKNOWN_OPCODE,
                    "unknown control block",
                ));
            }
        };
        if first & reserved != 0 {
            return Err(Physical::block("reserved bit set"));
        }
        let encoding = Encoding::from_bits(first);
        let block = match first >> 5 {
            ADD_REQUEST => Self::AddChannelRequest {
                id: channel_id::take(&mut rest, lenient)?,
                encoding,
                head: take_octets(&mut rest)?,
            },
            ADD_RESPONSE => Self::AddChannelResponse {
                id: channel_id::take(&mut rest, lenient)?,
                rejected: first & 0b0001_0000 != 0,
                encoding,
                head: take_octets(&mut rest)?,
            },
            FLOW_CONTROL => Self::FlowControl {
                id: channel_id::take(&mut rest, lenient)?,
                quota: number::take(&mut rest)?,
            },
            DROP_CHANNEL => Self::DropChannel {
                id: channel_id::take(&mut rest, lenient)?,
                reason: match take_octets(&mut rest)? {
                    [] => None,
                    [_] => return Err(Physical::block("reason of one octet")),
                    [high, low, text @ ..] => {
                        Some((DropCode::new(u16::from_be_bytes([*high, *low])), text))
                    }
                },
            },
            _ => {
                let fallback = first & 1 != 0;
                let slots = number::take(&mut rest)?;
                let quota = number::take(&mut rest)?;
                if fallback && (slots, quota) != (0, 0) {
                    return Err(Physical::block("fallback together with slots"));
                }
                Self::NewChannelSlot {
                    fallback,
                    slots,
                    quota,
                }
            }
        };
        *octets = rest;
        Ok(block)
    }

    /// Appends the block.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        match *self {
            Self::AddChannelRequest { id, encoding, head } => {
                out.push(ADD_REQUEST << 5 | encoding.bits());
                channel_id::put(id, out);
                put_octets(head, out);
            }
            Self::AddChannelResponse {
                id,
                rejected,
                encoding,
                head,
            } => {
                out.push(ADD_RESPONSE << 5 | u8::from(rejected) << 4 | encoding.bits());
                channel_id::put(id, out);
                put_octets(head, out);
            }
            Self::FlowControl { id, quota } => {
                out.push(FLOW_CONTROL << 5);
                channel_id::put(id, out);
                number::put(quota, out);
            }
            Self::DropChannel { id, reason } => {
                out.push(DROP_CHANNEL << 5);
                channel_id::put(id, out);
                match reason {
                    None => number::put(0, out),
                    Some((code, text)) => {
                        number::put(text.len() as u64 + 2, out);
                        out.extend_from_slice(&code.get().to_be_bytes());
                        out.extend_from_slice(text);
                    }
                }
            }
            Self::NewChannelSlot {
                fallback,
                slots,
                quota,
            } => {
                out.push(NEW_SLOT << 5 | u8::from(fallback));
                number::put(slots, out);
                number::put(quota, out);
            }
        }
    }

    /// The payload of a physical message that carries these blocks.
    pub(crate) fn message(blocks: &[Self]) -> Vec<u8> {
        let mut out = Vec::new();
        channel_id::put(channel_id::CONTROL, &mut out);
        for block in blocks {
            block.put(&mut out);
        }
        out
    }
}

fn take_octets<'a>(octets: &mut &'a [u8]) -> Result<&'a [u8], Physical> {
    let length = number::take(octets)?;
    let (taken, rest) = usize::try_from(length)
        .ok()
        .and_then(|length| octets.split_at_checked(length))
        .ok_or(Physical::block("shorter than its length says"))?;
    *octets = rest;
    Ok(taken)
}

fn put_octets(octets: &[u8], out: &mut Vec<u8>) {
    number::put(octets.len() as u64, out);
    out.extend_from_slice(octets);
}

#[cfg(test)]
mod tests;

//! Control blocks: what the two ends say to each other on channel 0.

use super::{Wrong, channel_id, number, take_channel_id, take_number};

/// How a head is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the draft has two")]
pub enum Encoding {
    /// As it is.
    Identity,
    /// As the difference to an earlier one.
    Delta,
}

/// A control block.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the draft has five")]
pub enum Block {
    /// The client asks for a channel.
    AddChannelRequest {
        /// The channel.
        id: u32,
        /// How the head is written.
        encoding: Encoding,
        /// The head of the request.
        head: Vec<u8>,
    },
    /// The server answers.
    AddChannelResponse {
        /// The channel.
        id: u32,
        /// It is refused.
        rejected: bool,
        /// How the head is written.
        encoding: Encoding,
        /// The head of the response.
        head: Vec<u8>,
    },
    /// So many octets more may be sent.
    FlowControl {
        /// The channel.
        id: u32,
        /// How many.
        quota: u64,
    },
    /// A channel, or with 0 the connection, has ended.
    DropChannel {
        /// The channel.
        id: u32,
        /// Why: a code and a text.
        reason: Option<(u16, Vec<u8>)>,
    },
    /// The client may open more channels.
    NewChannelSlot {
        /// There will be no more here.
        fallback: bool,
        /// How many.
        slots: u64,
        /// What the client may send on each at first.
        quota: u64,
    },
}

impl Block {
    /// A whole request.
    pub fn request(id: u32, head: impl Into<Vec<u8>>) -> Self {
        Self::AddChannelRequest {
            id,
            encoding: Encoding::Identity,
            head: head.into(),
        }
    }

    /// A whole response.
    pub fn response(id: u32, rejected: bool, head: impl Into<Vec<u8>>) -> Self {
        Self::AddChannelResponse {
            id,
            rejected,
            encoding: Encoding::Identity,
            head: head.into(),
        }
    }

    /// So much more quota.
    pub fn flow(id: u32, quota: u64) -> Self {
        Self::FlowControl { id, quota }
    }

    /// The end of a channel, with a code or without.
    pub fn drop(id: u32, code: impl Into<Option<u16>>) -> Self {
        let reason = code.into().map(|code| (code, Vec::new()));
        Self::DropChannel { id, reason }
    }

    /// So many slots.
    pub fn slots(slots: u64, quota: u64) -> Self {
        Self::NewChannelSlot {
            fallback: false,
            slots,
            quota,
        }
    }

    /// Its octets.
    pub fn encode(&self) -> Vec<u8> {
        let encoded = |encoding: Encoding| match encoding {
            Encoding::Identity => 0,
            Encoding::Delta => 1,
        };
        match self {
            Self::AddChannelRequest { id, encoding, head } => [
                &[encoded(*encoding)],
                &channel_id(*id)[..],
                &number(head.len() as u64),
                head,
            ]
            .concat(),
            Self::AddChannelResponse {
                id,
                rejected,
                encoding,
                head,
            } => [
                &[0x20 | u8::from(*rejected) << 4 | encoded(*encoding)],
                &channel_id(*id)[..],
                &number(head.len() as u64),
                head,
            ]
            .concat(),
            Self::FlowControl { id, quota } => {
                [&[0x40], &channel_id(*id)[..], &number(*quota)].concat()
            }
            Self::DropChannel { id, reason } => {
                let reason = match reason {
                    Some((code, text)) => [&code.to_be_bytes(), &text[..]].concat(),
                    None => Vec::new(),
                };
                let length = number(reason.len() as u64);
                [&[0x60], &channel_id(*id)[..], &length, &reason].concat()
            }
            Self::NewChannelSlot {
                fallback,
                slots,
                quota,
            } => [
                &[0x80 | u8::from(*fallback)],
                &number(*slots)[..],
                &number(*quota),
            ]
            .concat(),
        }
    }

    /// A message of the control channel.
    pub fn message(blocks: &[Self]) -> Vec<u8> {
        let mut message = vec![0];
        message.extend(blocks.iter().flat_map(Self::encode));
        message
    }

    /// Reads a block.
    ///
    /// # Errors
    ///
    /// What is wrong with it: 2002, 2004, 2005, 2010 or 2012.
    pub fn take(octets: &mut &[u8]) -> Result<Self, Wrong> {
        const RESERVED: Wrong = Wrong::new(2005, "a reserved bit is set");
        let (first, rest) = octets
            .split_first()
            .ok_or(Wrong::new(2005, "there is no block"))?;
        *octets = rest;
        let low = first & 0x1F;
        match first >> 5 {
            0 if low & 0x1C != 0 => Err(RESERVED),
            0 => {
                let id = take_channel_id(octets)?;
                let encoding = encoding(low, 2010)?;
                let head = take_head(octets)?;
                Ok(Self::AddChannelRequest { id, encoding, head })
            }
            1 if low & 0x0C != 0 => Err(RESERVED),
            1 => {
                let id = take_channel_id(octets)?;
                let encoding = encoding(low, 2012)?;
                Ok(Self::AddChannelResponse {
                    id,
                    rejected: low & 0x10 != 0,
                    encoding,
                    head: take_head(octets)?,
                })
            }
            2 | 3 if low != 0 => Err(RESERVED),
            2 => Ok(Self::FlowControl {
                id: take_channel_id(octets)?,
                quota: take_number(octets)?,
            }),
            3 => {
                let id = take_channel_id(octets)?;
                let octets = take_head(octets)?;
                let reason = match octets.split_first_chunk() {
                    Some((code, text)) => Some((u16::from_be_bytes(*code), text.to_vec())),
                    None if octets.is_empty() => None,
                    None => return Err(Wrong::new(2005, "a reason has one octet")),
                };
                Ok(Self::DropChannel { id, reason })
            }
            4 if low & 0x1E != 0 => Err(RESERVED),
            4 => {
                let fallback = low & 1 != 0;
                let slots = take_number(octets)?;
                let quota = take_number(octets)?;
                if fallback && (slots, quota) != (0, 0) {
                    return Err(Wrong::new(2005, "a fallback gives slots"));
                }
                Ok(Self::NewChannelSlot {
                    fallback,
                    slots,
                    quota,
                })
            }
            _ => Err(Wrong::new(2004, "an unknown control block")),
        }
    }
}

fn encoding(low: u8, code: u16) -> Result<Encoding, Wrong> {
    match low & 3 {
        0 => Ok(Encoding::Identity),
        1 => Ok(Encoding::Delta),
        _ => Err(Wrong::new(code, "an unknown encoding of a head")),
    }
}

fn take_head(octets: &mut &[u8]) -> Result<Vec<u8>, Wrong> {
    let length = usize::try_from(take_number(octets)?).unwrap_or(usize::MAX);
    let (head, rest) = octets
        .split_at_checked(length)
        .ok_or(Wrong::new(2005, "a block is cut off"))?;
    *octets = rest;
    Ok(head.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_those_of_pywebsocket() {
        for (block, octets) in [
            (Block::slots(64, 8192), &b"\x80\x40\x7e\x20\x00"[..]),
            (
                Block::NewChannelSlot {
                    fallback: true,
                    slots: 0,
                    quota: 0,
                },
                b"\x81\x00\x00",
            ),
            (Block::flow(1, 8192), b"\x40\x01\x7e\x20\x00"),
            (
                Block::flow(300, 65_536),
                b"\x40\x81\x2c\x7f\x00\x00\x00\x00\x00\x01\x00\x00",
            ),
            (Block::drop(1, None), b"\x60\x01\x00"),
            (Block::drop(2, 3005), b"\x60\x02\x02\x0b\xbd"),
            (
                Block::DropChannel {
                    id: 2,
                    reason: Some((1000, b"Success".to_vec())),
                },
                b"\x60\x02\x09\x03\xe8Success",
            ),
            (
                Block::AddChannelRequest {
                    id: 3,
                    encoding: Encoding::Delta,
                    head: b"GET /echo HTTP/1.1\r\n\r\n".to_vec(),
                },
                b"\x01\x03\x16GET /echo HTTP/1.1\r\n\r\n",
            ),
            (
                Block::response(2, true, "HTTP/1.1 400 Bad Request\r\n\r\n"),
                b"\x30\x02\x1cHTTP/1.1 400 Bad Request\r\n\r\n",
            ),
        ] {
            assert_eq!(block.encode(), octets);
            let mut rest = octets;
            assert_eq!(Block::take(&mut rest), Ok(block));
            assert_eq!(rest, b"");
            for cut in 0..octets.len() {
                assert!(Block::take(&mut &octets[..cut]).is_err(), "{cut}");
            }
        }
    }

    #[test]
    fn blocks_that_break_a_rule_have_the_code_for_it() {
        for (octets, code) in [
            (&b"\x1c\x02\x00"[..], 2005),
            (b"\x04\x02\x00", 2005),
            (b"\x24\x02\x00", 2005),
            (b"\x41\x01\x02", 2005),
            (b"\x61\x01\x00", 2005),
            (b"\x82\x01\x02", 2005),
            (b"\x81\x01\x02", 2005),
            (b"\xa0", 2004),
            (b"\xe0", 2004),
            (b"\x60\x01\x01\x00", 2005),
            (b"\x40\x01\x80", 2005),
            (b"\x02\x02\x00", 2010),
            (b"\x23\x02\x00", 2012),
            (b"\x00\x02\x05abc", 2005),
            (b"\x40\x80\x01\x05", 2002),
        ] {
            let taken = Block::take(&mut &octets[..]);
            assert_eq!(
                taken.map_err(|wrong| wrong.code),
                Err(code),
                "{octets:02x?}"
            );
        }
    }
}

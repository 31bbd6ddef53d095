//! Why a channel, or all of them, came to an end without a closing handshake.

use core::fmt;

/// The code of a DropChannel block: 1000 to 1999 normal, 2000 to 2999 the physical connection failed,
/// 3000 to 3999 one channel failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DropCode(u16);

impl DropCode {
    /// Nobody wants the channel any more.
    pub const NORMAL: Self = Self(1000);
    /// The physical connection failed, for a reason without a code of its own.
    pub const PHYSICAL: Self = Self(2000);
    /// The encapsulating message is not a binary one.
    pub const INVALID_MESSAGE: Self = Self(2001);
    /// A channel id is cut off, or longer than it need be.
    pub const CHANNEL_ID: Self = Self(2002);
    /// A channel id without a frame behind it.
    pub const FRAME_TRUNCATED: Self = Self(2003);
    /// A control block of an unknown kind.
    pub const UNKNOWN_OPCODE: Self = Self(2004);
    /// A control block that breaks a rule: a reserved bit, a number, a length, the wrong direction.
    pub const INVALID_BLOCK: Self = Self(2005);
    /// A request for a channel that is there already.
    pub const CHANNEL_EXISTS: Self = Self(2006);
    /// A request for a channel without a slot.
    pub const SLOT_VIOLATION: Self = Self(2007);
    /// More slots than can be counted.
    pub const SLOT_OVERFLOW: Self = Self(2008);
    /// A request that cannot be read: longer than anybody may ask for.
    pub const BAD_REQUEST: Self = Self(2009);
    /// A request in an encoding that nobody knows.
    pub const REQUEST_ENCODING: Self = Self(2010);
    /// A response that cannot be read, or one that nobody asked for.
    pub const BAD_RESPONSE: Self = Self(2011);
    /// A response in an encoding that nobody knows.
    pub const RESPONSE_ENCODING: Self = Self(2012);
    /// The channel failed, for a reason without a code of its own.
    pub const LOGICAL: Self = Self(3000);
    /// More was sent than the quota allows.
    pub const QUOTA_VIOLATION: Self = Self(3005);
    /// More quota was granted than can be counted.
    pub const QUOTA_OVERFLOW: Self = Self(3006);
    /// Nothing came for too long.
    pub const IDLE: Self = Self(3007);
    /// The answer to a DropChannel, which is not answered itself.
    pub const ACK: Self = Self(3008);
    /// The fragments of a message do not fit together.
    pub const BAD_FRAGMENTATION: Self = Self(3009);

    /// The code of this number.
    #[must_use]
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// What it means, in a few words; `None` for a code that nobody has given a meaning.
    #[must_use]
    pub const fn meaning(self) -> Option<&'static str> {
        Some(match self {
            Self::NORMAL => "normal closure",
            Self::PHYSICAL => "the physical connection failed",
            Self::INVALID_MESSAGE => "invalid encapsulating message",
            Self::CHANNEL_ID => "bad channel id",
            Self::FRAME_TRUNCATED => "frame cut off",
            Self::UNKNOWN_OPCODE => "unknown control block",
            Self::INVALID_BLOCK => "invalid control block",
            Self::CHANNEL_EXISTS => "the channel exists already",
            Self::SLOT_VIOLATION => "no slot for the channel",
            Self::SLOT_OVERFLOW => "too many slots",
            Self::BAD_REQUEST => "bad request for a channel",
            Self::REQUEST_ENCODING => "unknown encoding of a request",
            Self::BAD_RESPONSE => "bad response for a channel",
            Self::RESPONSE_ENCODING => "unknown encoding of a response",
            Self::LOGICAL => "the channel failed",
            Self::QUOTA_VIOLATION => "quota exceeded",
            Self::QUOTA_OVERFLOW => "too much quota",
            Self::IDLE => "idle for too long",
            Self::ACK => "acknowledged",
            Self::BAD_FRAGMENTATION => "bad fragmentation",
            _ => return None,
        })
    }
}

/// The number, and what it means if that is known: `3005 (quota exceeded)`.
impl fmt::Display for DropCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.meaning() {
            Some(meaning) => write!(f, "{} ({meaning})", self.0),
            None => write!(f, "{}", self.0),
        }
    }
}

/// Why the physical connection fails: what our last DropChannel, for channel 0, says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Physical {
    pub(crate) code: DropCode,
    pub(crate) text: &'static str,
}

impl Physical {
    pub(crate) const fn new(code: DropCode, text: &'static str) -> Self {
        Self { code, text }
    }

    pub(crate) const fn block(text: &'static str) -> Self {
        Self::new(DropCode::INVALID_BLOCK, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_the_number_of_the_draft() {
        for (code, octets) in [
            (DropCode::NORMAL, [0x03, 0xe8]),
            (DropCode::PHYSICAL, [0x07, 0xd0]),
            (DropCode::INVALID_MESSAGE, [0x07, 0xd1]),
            (DropCode::CHANNEL_ID, [0x07, 0xd2]),
            (DropCode::FRAME_TRUNCATED, [0x07, 0xd3]),
            (DropCode::UNKNOWN_OPCODE, [0x07, 0xd4]),
            (DropCode::INVALID_BLOCK, [0x07, 0xd5]),
            (DropCode::CHANNEL_EXISTS, [0x07, 0xd6]),
            (DropCode::SLOT_VIOLATION, [0x07, 0xd7]),
            (DropCode::SLOT_OVERFLOW, [0x07, 0xd8]),
            (DropCode::BAD_REQUEST, [0x07, 0xd9]),
            (DropCode::REQUEST_ENCODING, [0x07, 0xda]),
            (DropCode::BAD_RESPONSE, [0x07, 0xdb]),
            (DropCode::RESPONSE_ENCODING, [0x07, 0xdc]),
            (DropCode::LOGICAL, [0x0b, 0xb8]),
            (DropCode::QUOTA_VIOLATION, [0x0b, 0xbd]),
            (DropCode::QUOTA_OVERFLOW, [0x0b, 0xbe]),
            (DropCode::IDLE, [0x0b, 0xbf]),
            (DropCode::ACK, [0x0b, 0xc0]),
            (DropCode::BAD_FRAGMENTATION, [0x0b, 0xc1]),
        ] {
            assert_eq!(code.get().to_be_bytes(), octets, "{code}");
            assert!(code.meaning().is_some(), "{code}");
        }
        assert_eq!(DropCode::new(3005).to_string(), "3005 (quota exceeded)");
        assert_eq!(DropCode::new(3001).to_string(), "3001");
    }
}

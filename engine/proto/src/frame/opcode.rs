//! What a frame is for.

use core::fmt;

/// The opcode of a frame, 0 to 15 (RFC 6455 §5.2, §11.8).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OpCode(u8);

impl OpCode {
    /// Continues a fragmented message.
    pub const CONTINUATION: Self = Self(0x0);
    /// Starts a text message.
    pub const TEXT: Self = Self(0x1);
    /// Starts a binary message.
    pub const BINARY: Self = Self(0x2);
    /// Closes the connection.
    pub const CLOSE: Self = Self(0x8);
    /// Asks for a pong.
    pub const PING: Self = Self(0x9);
    /// Answers a ping, or is a sign of life.
    pub const PONG: Self = Self(0xA);

    /// The opcode with this number.
    ///
    /// # Panics
    ///
    /// If `number` is over 15; in a `const`, that does not compile.
    #[must_use]
    pub const fn new(number: u8) -> Self {
        assert!(number <= 0xF, "an opcode has four bits");
        Self(number)
    }

    /// The opcode in the low four bits of the first octet of a frame.
    pub(crate) const fn from_octet(octet: u8) -> Self {
        Self(octet & 0xF)
    }

    /// The number, 0 to 15.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Whether this is a control frame: close, ping, pong, or one of the reserved B to F.
    #[must_use]
    pub const fn is_control(self) -> bool {
        self.0 >= 0x8
    }

    /// Whether RFC 6455 leaves this opcode to extensions: 3 to 7 and B to F.
    #[must_use]
    pub const fn is_reserved(self) -> bool {
        matches!(self.0, 0x3..=0x7 | 0xB..=0xF)
    }
}

impl fmt::Display for OpCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            0x0 => "Continuation",
            0x1 => "Text",
            0x2 => "Binary",
            0x8 => "Close",
            0x9 => "Ping",
            0xA => "Pong",
            number => return write!(f, "Opcode-{number:X}"),
        })
    }
}

impl fmt::Debug for OpCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_opcode_is_core_or_reserved_control_or_data() {
        for number in 0..16 {
            let opcode = OpCode::new(number);
            assert_eq!(opcode.is_control(), number >= 8);
            assert_eq!(opcode.is_reserved(), ![0, 1, 2, 8, 9, 10].contains(&number));
            assert_eq!(OpCode::from_octet(number | 0xF0), opcode);
        }
    }
}

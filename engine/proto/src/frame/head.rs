//! The part of a frame header that says what the frame is.

use core::fmt;

use super::{OpCode, Rsv};

/// FIN, reserved bits and opcode: what extensions see of a frame header (RFC 6455 §5.2).
///
/// Length and masking belong to the wire and are not here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Head {
    /// Whether this is the last fragment of its message.
    pub fin: bool,
    /// The reserved bits that are set.
    pub rsv: Rsv,
    /// What the frame is for.
    pub opcode: OpCode,
}

impl Head {
    /// The head of a final frame without reserved bits.
    #[must_use]
    pub const fn new(opcode: OpCode) -> Self {
        Self {
            fin: true,
            rsv: Rsv::NONE,
            opcode,
        }
    }

    /// The same head with this FIN bit.
    #[must_use]
    pub const fn with_fin(self, fin: bool) -> Self {
        Self { fin, ..self }
    }

    /// The same head with these reserved bits.
    #[must_use]
    pub const fn with_rsv(self, rsv: Rsv) -> Self {
        Self { rsv, ..self }
    }

    /// The same head with this opcode.
    #[must_use]
    pub const fn with_opcode(self, opcode: OpCode) -> Self {
        Self { opcode, ..self }
    }

    /// Whether the frame begins a data message, rather than continuing one or being control.
    #[must_use]
    pub const fn starts_message(self) -> bool {
        !self.opcode.is_control() && self.opcode.number() != 0
    }

    pub(crate) const fn from_octet(octet: u8) -> Self {
        Self {
            fin: octet & 0x80 != 0,
            rsv: Rsv::from_octet(octet),
            opcode: OpCode::from_octet(octet),
        }
    }

    pub(crate) const fn octet(self) -> u8 {
        (if self.fin { 0x80 } else { 0 }) | self.rsv.octet() | self.opcode.number()
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.opcode)?;
        if self.fin {
            f.write_str(" fin")?;
        }
        if !self.rsv.is_empty() {
            write!(f, " {}", self.rsv)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_first_octet_survives_a_round_trip() {
        for octet in 0..=255 {
            assert_eq!(Head::from_octet(octet).octet(), octet);
        }
    }
}

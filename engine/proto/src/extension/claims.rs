//! What an extension takes for itself, and when two cannot be agreed together.

use core::fmt;

use crate::frame::{OpCode, Rsv};

/// Where an extension stands in the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "the shape of the pipeline")]
pub enum Stage {
    /// Before the fragmenter: does not depend on where frames begin and end. The engine may hand it
    /// a large frame in pieces, as if they were fragments.
    Message,
    /// After the fragmenter: sees the frames of the wire, whole.
    Frame,
    /// Splits the connection into many. Nothing may follow it, and nothing of the frame stage may
    /// stand beside it.
    Carrier,
}

/// On which frames a claimed reserved bit may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "every extension in use fits one of the two"
)]
pub enum Placement {
    /// On the first frame of a data message only, as permessage-deflate.
    MessageStart,
    /// On any data frame, continuations too, as deflate-frame.
    DataFrames,
}

/// Everything an extension takes for itself. Build it in a `const`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims {
    stage: Stage,
    at_start: Rsv,
    on_data: Rsv,
    opcodes: u16,
}

impl Claims {
    /// Claims nothing but a place in the pipeline.
    #[must_use]
    pub const fn at(stage: Stage) -> Self {
        Self {
            stage,
            at_start: Rsv::NONE,
            on_data: Rsv::NONE,
            opcodes: 0,
        }
    }

    /// Claims reserved bits on these frames. The bit anywhere else is the peer's error (1002).
    #[must_use]
    pub const fn rsv(self, bits: Rsv, on: Placement) -> Self {
        match on {
            Placement::MessageStart => Self {
                at_start: self.at_start.union(bits),
                ..self
            },
            Placement::DataFrames => Self {
                on_data: self.on_data.union(bits),
                ..self
            },
        }
    }

    /// Claims an opcode that RFC 6455 leaves open: 3 to 7, or B to F.
    ///
    /// Frames of a claimed data opcode (3 to 7) are whole messages of one frame: FIN must be set.
    /// Those of B to F keep the rules of control frames.
    ///
    /// # Panics
    ///
    /// If RFC 6455 itself uses the opcode; in a `const`, that does not compile.
    #[must_use]
    pub const fn opcode(self, opcode: OpCode) -> Self {
        assert!(opcode.is_reserved(), "RFC 6455 uses this opcode itself");
        Self {
            opcodes: self.opcodes | 1 << opcode.number(),
            ..self
        }
    }

    /// The place in the pipeline.
    #[must_use]
    pub const fn stage(self) -> Stage {
        self.stage
    }

    /// All claimed bits, wherever they may stand.
    #[must_use]
    pub const fn bits(self) -> Rsv {
        self.at_start.union(self.on_data)
    }

    /// The claimed bits that a data frame may carry.
    pub(crate) const fn bits_on(self, starts_message: bool) -> Rsv {
        if starts_message {
            self.bits()
        } else {
            self.on_data
        }
    }

    /// Whether this is what splits connections.
    pub(crate) fn is_of_carrier(self) -> bool {
        self.stage == Stage::Carrier
    }

    /// Whether this opcode is claimed.
    #[must_use]
    pub const fn owns(self, opcode: OpCode) -> bool {
        self.opcodes & 1 << opcode.number() != 0
    }

    pub(crate) const fn opcodes(self) -> u16 {
        self.opcodes
    }

    /// Whether `later` may stand behind an agreed extension with these claims.
    pub(crate) fn conflict_with_later(self, later: Self) -> Option<Conflict> {
        let shared = self.bits() & later.bits();
        if !shared.is_empty() {
            return Some(Conflict::ReservedBit(shared));
        }
        if self.opcodes & later.opcodes != 0 {
            return Some(Conflict::OpCode);
        }
        // A frame-stage extension depends on frame boundaries, which everything of the message
        // stage and every carrier behind it would move.
        let in_order = matches!(
            (self.stage, later.stage),
            (Stage::Message, _) | (Stage::Frame, Stage::Frame)
        );
        if in_order {
            None
        } else {
            Some(Conflict::Order)
        }
    }
}

/// Why two extensions cannot both be agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Conflict {
    /// They have the same name.
    Name,
    /// Both claim an opcode.
    OpCode,
    /// The later one may not stand behind the earlier one.
    Order,
    /// Both claim these reserved bits.
    ReservedBit(Rsv),
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("agreed already under the same name"),
            Self::OpCode => f.write_str("an opcode is taken"),
            Self::Order => f.write_str("may not stand behind what is agreed already"),
            Self::ReservedBit(bits) => write!(f, "{bits} is taken"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PMD: Claims = Claims::at(Stage::Message).rsv(Rsv::RSV1, Placement::MessageStart);
    const FRAME: Claims = Claims::at(Stage::Frame).rsv(Rsv::RSV1, Placement::DataFrames);
    const SEAL: Claims = Claims::at(Stage::Frame).rsv(Rsv::RSV2, Placement::DataFrames);
    const MUX: Claims = Claims::at(Stage::Carrier);

    #[test]
    fn the_table_of_what_may_follow_what() {
        let bit = Some(Conflict::ReservedBit(Rsv::RSV1));
        for (first, later, expected) in [
            (PMD, SEAL, None),
            (SEAL, PMD, Some(Conflict::Order)),
            (PMD, FRAME, bit),
            (FRAME, PMD, bit),
            (PMD, MUX, None),
            (SEAL, MUX, Some(Conflict::Order)),
            (MUX, PMD, Some(Conflict::Order)),
            (MUX, MUX, Some(Conflict::Order)),
            (FRAME, SEAL, None),
        ] {
            assert_eq!(
                first.conflict_with_later(later),
                expected,
                "{first:?} then {later:?}"
            );
        }
        let a = Claims::at(Stage::Frame).opcode(OpCode::new(0xB));
        assert_eq!(a.conflict_with_later(a), Some(Conflict::OpCode));
    }

    #[test]
    fn a_bit_claimed_at_the_start_is_not_claimed_on_continuations() {
        assert_eq!(PMD.bits_on(true), Rsv::RSV1);
        assert_eq!(PMD.bits_on(false), Rsv::NONE);
        assert_eq!(SEAL.bits_on(false), Rsv::RSV2);
    }

    #[test]
    #[should_panic(expected = "RFC 6455 uses this opcode itself")]
    fn a_core_opcode_cannot_be_claimed() {
        let _ = Claims::at(Stage::Frame).opcode(OpCode::PING);
    }
}

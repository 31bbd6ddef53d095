//! What can be wrong with a compressed message.

use super::huffman::Alphabet;
use std::fmt;

/// Why a payload is no compressed message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InflateError {
    /// Not one octet: even the empty message has one (RFC 7692 §7.2.3.6).
    EmptyPayload,
    /// The octets end within a block.
    Unfinished,
    /// The octets that every receiver appends landed within a block with contents, so the sender
    /// cannot have cut them from an empty one (RFC 7692 §7.2.1).
    NoEmptyBlockAtEnd,
    /// A block of type 3 (RFC 1951 §3.2.3).
    ReservedBlockType,
    /// The two lengths of a stored block do not match (RFC 1951 §3.2.4).
    StoredLengths {
        /// The length.
        length: u16,
        /// What should be its complement.
        complement: u16,
    },
    /// More than 286 codes of literals and lengths, or more than 30 of distances.
    AlphabetTooLarge {
        /// Codes of literals and lengths.
        literals: usize,
        /// Codes of distances.
        distances: usize,
    },
    /// More codes of some length than there can be.
    TooManyCodes {
        /// The codes of what.
        alphabet: Alphabet,
    },
    /// Bits are left that no code begins with.
    UnusedCodes {
        /// The codes of what.
        alphabet: Alphabet,
    },
    /// A code length is to be repeated before there is one, or beyond the last one
    /// (RFC 1951 §3.2.7).
    Repeat,
    /// A dynamic block without a code for its end.
    NoEndOfBlock,
    /// Bits that are no code, or the code of a symbol without meaning.
    UnassignedCode {
        /// The codes of what.
        alphabet: Alphabet,
    },
    /// A back reference beyond the agreed window (RFC 7692 §7.1.2).
    BeyondWindow {
        /// How far back it goes, in octets.
        distance: usize,
        /// The size of the window, in octets.
        window: usize,
    },
    /// A back reference to before the first octet that may be referred to.
    BeyondHistory {
        /// How far back it goes, in octets.
        distance: usize,
        /// How many octets there were.
        history: usize,
    },
    /// More octets of contents than the caller allows.
    TooLong {
        /// What the caller allows.
        limit: usize,
    },
}

impl InflateError {
    /// Whether an inflater like zlib's notices while it reads this message. One that waits for
    /// octets to come takes a stream that stops short for one that is to be continued.
    #[must_use]
    pub const fn is_seen_while_reading(&self) -> bool {
        !matches!(
            self,
            Self::EmptyPayload | Self::Unfinished | Self::NoEmptyBlockAtEnd
        )
    }
}

impl fmt::Display for InflateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyPayload => {
                f.write_str("a compressed message of no octets; an empty one has one, 00")
            }
            Self::Unfinished => f.write_str("the compressed message ends within a block"),
            Self::NoEmptyBlockAtEnd => f.write_str(
                "the compressed message does not end in the header of an empty stored block",
            ),
            Self::ReservedBlockType => f.write_str("a block of the reserved type 3"),
            Self::StoredLengths { length, complement } => write!(
                f,
                "a stored block of length {length:04x} whose complement reads {complement:04x}"
            ),
            Self::AlphabetTooLarge {
                literals,
                distances,
            } => write!(
                f,
                "a block with {literals} codes of literals and lengths and {distances} of \
                 distances; 286 and 30 are the most"
            ),
            Self::TooManyCodes { alphabet } => {
                write!(f, "the codes of {alphabet} overlap")
            }
            Self::UnusedCodes { alphabet } => {
                write!(f, "the codes of {alphabet} are not complete")
            }
            Self::Repeat => f.write_str("a repeated code length with none before or no room after"),
            Self::NoEndOfBlock => f.write_str("a block without a code for its end"),
            Self::UnassignedCode { alphabet } => {
                write!(f, "bits that are no code of {alphabet}")
            }
            Self::BeyondWindow { distance, window } => write!(
                f,
                "a back reference of distance {distance} leaves the agreed window of {window}"
            ),
            Self::BeyondHistory { distance, history } => write!(
                f,
                "a back reference of distance {distance} where only {history} octets came before"
            ),
            Self::TooLong { limit } => {
                write!(f, "the message inflates to more than {limit} octets")
            }
        }
    }
}

impl std::error::Error for InflateError {}

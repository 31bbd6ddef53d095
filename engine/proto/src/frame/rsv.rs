//! The three reserved bits.

use core::fmt;
use core::ops::{BitAnd, BitOr, Not};

/// A set of the reserved bits RSV1, RSV2, RSV3 (RFC 6455 §5.2).
///
/// A bit means what the extension that owns it says; one that nobody owns fails the connection.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Rsv(u8);

impl Rsv {
    /// No bit.
    pub const NONE: Self = Self(0);
    /// The first reserved bit, 0x40 of the first octet.
    pub const RSV1: Self = Self(0x40);
    /// The second reserved bit, 0x20 of the first octet.
    pub const RSV2: Self = Self(0x20);
    /// The third reserved bit, 0x10 of the first octet.
    pub const RSV3: Self = Self(0x10);
    /// All three.
    pub const ALL: Self = Self(0x70);

    /// The bits set in the first octet of a frame.
    pub(crate) const fn from_octet(octet: u8) -> Self {
        Self(octet & Self::ALL.0)
    }

    /// The bits where they stand in the first octet of a frame.
    pub(crate) const fn octet(self) -> u8 {
        self.0
    }

    /// Whether no bit is set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether every bit of `other` is in this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The bits in either set. For `const`; elsewhere `|` does the same.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The bits in both sets. For `const`; elsewhere `&` does the same.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl BitOr for Rsv {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        self.union(other)
    }
}

impl BitAnd for Rsv {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        self.intersection(other)
    }
}

impl Not for Rsv {
    type Output = Self;
    fn not(self) -> Self {
        Self(!self.0 & Self::ALL.0)
    }
}

impl fmt::Display for Rsv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut space = "";
        for (bit, name) in [
            (Self::RSV1, "rsv1"),
            (Self::RSV2, "rsv2"),
            (Self::RSV3, "rsv3"),
        ] {
            if self.contains(bit) {
                write!(f, "{space}{name}")?;
                space = " ";
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Rsv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rsv({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_behave_like_sets() {
        let both = Rsv::RSV1 | Rsv::RSV3;
        assert!(both.contains(Rsv::RSV1) && both.contains(Rsv::RSV3));
        assert!(!both.contains(Rsv::RSV2) && !both.contains(Rsv::ALL));
        assert_eq!(!both, Rsv::RSV2);
        assert_eq!(both & Rsv::RSV3, Rsv::RSV3);
        assert!((both & Rsv::RSV2).is_empty());
        assert_eq!(Rsv::from_octet(0xFF), Rsv::ALL);
        assert_eq!(both.to_string(), "rsv1 rsv3");
    }
}

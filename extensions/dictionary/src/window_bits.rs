//! How far a compressor looks back, and how much a decompressor must keep.

use core::fmt;

/// The size of a window as its binary logarithm: 10 to 23, that is 1 KiB to 8 MiB.
///
/// 10 is the least there is; 8 MiB is what every decoder should be ready for (RFC 8878 §3.1.1.1.2),
/// and more than a connection should have to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WindowBits(u8);

impl WindowBits {
    pub(crate) const MIN: Self = Self(10);
    pub(crate) const MAX: Self = Self(23);
    /// What holds when nothing is said: 128 KiB.
    pub(crate) const DEFAULT: Self = Self(17);

    /// The nearest to this.
    pub(crate) fn clamped(bits: u32) -> Self {
        let bits = bits.clamp(Self::MIN.get().into(), Self::MAX.get().into());
        Self(bits as u8)
    }

    pub(crate) const fn get(self) -> u8 {
        self.0
    }
}

impl fmt::Display for WindowBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

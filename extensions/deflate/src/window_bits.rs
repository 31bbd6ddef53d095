//! The size of a window.

use core::fmt;

/// The base-2 logarithm of an LZ77 window's size: 8 to 15 (RFC 7692 §7.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WindowBits(u8);

impl WindowBits {
    /// 256 octets.
    const MIN: Self = Self(8);
    /// 32 KiB, which is what absence of the parameter means.
    pub(crate) const MAX: Self = Self(15);

    /// The nearest legal value.
    pub(crate) fn clamped(bits: u8) -> Self {
        Self(bits).clamp(Self::MIN, Self::MAX)
    }

    /// Decimal digits without a leading zero (RFC 7692 §7.1.2.1).
    pub(crate) fn parse(value: &str) -> Option<Self> {
        // "08" and "+8" would pass a number parser.
        let bits = match value {
            "8" => 8,
            "9" => 9,
            "10" => 10,
            "11" => 11,
            "12" => 12,
            "13" => 13,
            "14" => 14,
            "15" => 15,
            _ => return None,
        };
        Some(Self(bits))
    }

    pub(crate) const fn get(self) -> u8 {
        self.0
    }

    /// What a parameter has to say: nothing if the window is the largest.
    pub(crate) fn below_max(self) -> Option<Self> {
        (self < Self::MAX).then_some(self)
    }
}

impl fmt::Display for WindowBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_8_to_15_in_plain_decimal_are_window_bits() {
        let good: Vec<u8> = (0..=20)
            .filter_map(|n: u8| WindowBits::parse(&n.to_string()))
            .map(WindowBits::get)
            .collect();
        assert_eq!(good, [8, 9, 10, 11, 12, 13, 14, 15]);
        for bad in [
            "",
            "08",
            "+8",
            " 8",
            "8 ",
            "8.0",
            "0x8",
            "-9",
            "010",
            "1O",
            "٩",
            "99999999999",
        ] {
            assert_eq!(WindowBits::parse(bad), None, "{bad:?}");
        }
    }
}

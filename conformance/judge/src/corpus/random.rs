//! The one source of chance of the corpora: SplitMix64, which is nothing but integers.
//!
//! The same seed gives the same octets on every machine: no clock, no floating point.

use crate::random::Random as Numbers;

/// Choices that follow from a seed.
pub(super) struct Random(Numbers);

impl Random {
    /// A generator whose whole future is this seed.
    pub(super) fn new(seed: u64) -> Self {
        Self(Numbers::seeded(seed))
    }

    /// The next 64 bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.0.number()
    }

    /// A number below `bound`, all alike (to within the 2^-32 of a multiply and shift).
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        let wide = (self.bits() >> 32) * u64::from(bound);
        u32::try_from(wide >> 32).expect("a product of two 32-bit numbers, shifted by 32")
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high - low + 1)
    }

    /// Whether an event of this many percent comes to pass.
    pub(super) fn percent(&mut self, share: u32) -> bool {
        self.below(100) < share
    }

    /// One of these, all alike.
    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.index(from.len())]
    }

    /// One of these, the early ones far oftener, as with the words of a language.
    pub(super) fn pick_early<T: Copy>(&mut self, from: &[T]) -> T {
        let end = self.index(from.len()) + 1;
        from[self.index(end)]
    }

    fn index(&mut self, length: usize) -> usize {
        self.below(u32::try_from(length).expect("a vocabulary is short")) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_numbers_are_those_of_splitmix64() {
        let mut random = Random::new(1_234_567);
        assert_eq!(random.bits(), 6_457_827_717_110_365_317);
        assert_eq!(random.bits(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn a_number_between_two_bounds_reaches_both_and_leaves_neither() {
        let mut random = Random::new(1);
        let seen: std::collections::BTreeSet<u32> =
            (0..200).map(|_| random.between(3, 6)).collect();
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [3, 4, 5, 6]);
    }
}

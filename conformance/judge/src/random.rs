//! Randomness for masking keys and handshake keys: unpredictable enough to keep middleboxes from
//! guessing, seeded by hand in tests.

use std::hash::{BuildHasher as _, RandomState};

/// A SplitMix64 generator.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// With a seed of its own from the operating system.
    #[must_use]
    pub fn new() -> Self {
        Self(RandomState::new().hash_one(0))
    }

    /// The sequence of this seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    /// A masking key.
    pub fn masking_key(&mut self) -> [u8; 4] {
        (self.number() as u32).to_be_bytes()
    }

    /// The octets of a `Sec-WebSocket-Key`.
    pub fn handshake_key(&mut self) -> [u8; 16] {
        let mut octets = [0; 16];
        for half in octets.chunks_exact_mut(8) {
            half.copy_from_slice(&self.number().to_be_bytes());
        }
        octets
    }
}

impl Default for Random {
    fn default() -> Self {
        Self::new()
    }
}

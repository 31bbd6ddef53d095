//! Randomness from the operating system.

use std::cell::RefCell;

use std::sync::Arc;

use cloverleaf_proto::Entropy;
use cloverleaf_proto::frame::MaskSource;

/// One system call fills this many keys' worth of octets.
const POOL: usize = 4096;

struct Pool {
    octets: [u8; POOL],
    used: usize,
}

thread_local! {
    static RANDOM: RefCell<Pool> = const { RefCell::new(Pool { octets: [0; POOL], used: POOL }) };
}

/// `N` octets from the operating system's generator, which nobody else gets.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    RANDOM.with_borrow_mut(|pool| {
        let mut taken = [0; N];
        if POOL - pool.used < N {
            getrandom::fill(&mut pool.octets).expect("the operating system has randomness");
            pool.used = 0;
        }
        let fresh = &mut pool.octets[pool.used..pool.used + N];
        taken.copy_from_slice(fresh);
        // What was given out is not kept.
        fresh.fill(0);
        pool.used += N;
        taken
    })
}

/// Masking keys from the operating system's generator (RFC 6455 §5.3), a few thousand octets at a
/// time for each thread.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct OsMaskSource;

impl OsMaskSource {
    /// The source.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl MaskSource for OsMaskSource {
    fn mask_key(&self) -> [u8; 4] {
        random()
    }
}

/// Octets of the operating system's generator, for nonces and salts.
#[must_use]
pub fn entropy() -> Arc<dyn Entropy> {
    Arc::new(OsEntropy)
}

#[derive(Debug)]
struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, octets: &mut [u8]) {
        getrandom::fill(octets).expect("the operating system has randomness");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn keys_differ_and_their_octets_are_evenly_spread() {
        let keys: Vec<[u8; 4]> = (0..50_000).map(|_| random()).collect();
        let distinct: HashSet<_> = keys.iter().collect();
        // Of 50,000 draws out of 2^32, about 0.3 collide.
        assert!(distinct.len() > 49_980, "{}", distinct.len());
        let mut counts = [0f64; 256];
        for octet in keys.iter().flatten() {
            counts[usize::from(*octet)] += 1.0;
        }
        let expected = keys.len() as f64 * 4.0 / 256.0;
        let chi: f64 = counts
            .iter()
            .map(|n| (n - expected).powi(2) / expected)
            .sum();
        // 255 degrees of freedom: 380 is passed once in five million honest runs.
        assert!(chi < 380.0, "chi squared is {chi}");
    }
}

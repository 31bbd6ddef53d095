//! No nonce twice.

use core::fmt;
use core::future::{Future, ready};
use core::pin::Pin;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::nonce::NonceId;

/// So many nonces are remembered by default.
const CAPACITY: usize = 65_536;

/// Whether a use is the first, now or later.
pub type Spend<'a> = Pin<Box<dyn Future<Output = Result<bool, ReplayError>> + Send + 'a>>;

/// Remembers which nonces have been used.
///
/// It is asked last, when all else about the credentials is right: who cannot authenticate cannot
/// use up anybody's nonce.
///
/// Processes that share the key of their [`Nonces`](super::Nonces) must share this as well. If each
/// of them has a [`ReplayCache`] of its own, a header that one has accepted is accepted once more by
/// each of the others, until the nonce expires.
pub trait Replay: Send + Sync {
    /// Notes this use, if it is good: `true`. If it has been seen, or nobody knows any more: `false`;
    /// the client is told that its nonce is stale and tries again with another. Of two calls at the
    /// same time only one may be told `true`.
    ///
    /// # Errors
    ///
    /// Nobody can say: the client is told 503.
    fn spend(&self, usage: Usage) -> Spend<'_>;
}

impl<R: Replay + ?Sized> Replay for Arc<R> {
    fn spend(&self, usage: Usage) -> Spend<'_> {
        (**self).spend(usage)
    }
}

/// That a nonce has been used.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Usage {
    /// The nonce.
    pub nonce: NonceId,
    /// `nc`: how often the client says it has used the nonce, this time included. Never 0.
    pub count: u32,
    /// The time, since 1970.
    pub now: Duration,
    /// When the nonce expires, since 1970: so long it must be remembered.
    pub expires: Duration,
}

impl Usage {
    pub(crate) const fn new(nonce: NonceId, count: u32, now: Duration, expires: Duration) -> Self {
        Self {
            nonce,
            count,
            now,
            expires,
        }
    }
}

/// Nobody can say whether a nonce has been used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayError(String);

impl ReplayError {
    /// Why. For a log, not for the client.
    #[must_use]
    pub fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "whether a nonce was used before is not known: {}",
            self.0
        )
    }
}

impl core::error::Error for ReplayError {}

/// The memory of one process.
///
/// It is bounded: when it is full it forgets the nonce that was made first, and from then on takes
/// every nonce that was made before that one, or with it, for used. So who floods it makes others
/// ask for a second nonce, and never lets one be used twice.
///
/// ```
/// use cloverleaf_auth::digest::ReplayCache;
///
/// let strict = ReplayCache::new();
/// let for_clients_that_count = ReplayCache::new().reusable().capacity(1_000_000);
/// ```
pub struct ReplayCache {
    capacity: usize,
    reusable: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    used: BTreeMap<NonceId, Used>,
    /// Nothing up to here that is not in `used` is good.
    watermark: Option<NonceId>,
}

/// The counts of one nonce.
#[derive(Clone, Copy, Debug)]
struct Used {
    expires: Duration,
    highest: u32,
    /// Bit `i` stands for `highest - i`.
    seen: u64,
}

impl ReplayCache {
    /// Each nonce once. Remembers 65,536 of them.
    #[must_use]
    pub fn new() -> Self {
        Self {
            capacity: CAPACITY,
            reusable: false,
            state: Mutex::default(),
        }
    }

    /// Each nonce as often as one likes, but each count of it only once: a client saves a round
    /// trip on its next connection. Counts may come in another order than they were made in, as long
    /// as they are less than 64 behind the highest.
    #[must_use]
    pub const fn reusable(mut self) -> Self {
        self.reusable = true;
        self
    }

    /// Remembers at most so many nonces, at least one: about 100 octets each. Default 65,536, which
    /// is 218 new connections per second with nonces that live for 300 s; above that nonces live
    /// shorter.
    #[must_use]
    pub const fn capacity(mut self, capacity: usize) -> Self {
        self.capacity = if capacity == 0 { 1 } else { capacity };
        self
    }

    /// Takes every nonce for used that was made up to this second. For a key that outlives the
    /// process: what was used before the restart is not known any more. `now` is the time since 1970.
    #[must_use]
    pub fn since(self, now: Duration) -> Self {
        self.state().watermark = Some(NonceId::end_of(now));
        self
    }

    /// How many nonces are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state().used.len()
    }

    /// Whether none is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // Nothing that runs under the lock leaves a state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_first(&self, usage: &Usage) -> bool {
        let state = &mut *self.state();
        state.forget_expired(usage.now);
        if let Some(used) = state.used.get_mut(&usage.nonce) {
            return self.reusable && used.note(usage.count);
        }
        if state.watermark.is_some_and(|mark| usage.nonce <= mark) {
            return false;
        }
        let used = Used {
            expires: usage.expires,
            highest: usage.count,
            seen: 1,
        };
        state.used.insert(usage.nonce, used);
        if state.used.len() > self.capacity {
            state.forget_first();
        }
        true
    }
}

impl State {
    fn forget_first(&mut self) {
        if let Some((nonce, _)) = self.used.pop_first() {
            self.watermark = self.watermark.max(Some(nonce));
        }
    }

    /// At most two at a time: more than can come in, and nobody waits for long.
    fn forget_expired(&mut self, now: Duration) {
        for _ in 0..2 {
            // The first was made first. Under one lifetime it expires first, too.
            match self.used.first_key_value() {
                Some((_, used)) if used.expires < now => self.forget_first(),
                _ => break,
            }
        }
    }
}

impl Used {
    /// Whether this count has not been seen. Then it is.
    fn note(&mut self, count: u32) -> bool {
        if count > self.highest {
            let by = count - self.highest;
            self.seen = self.seen.checked_shl(by).unwrap_or(0) | 1;
            self.highest = count;
            return true;
        }
        let behind = self.highest - count;
        let Some(bit) = 1_u64.checked_shl(behind) else {
            return false;
        };
        let first = self.seen & bit == 0;
        self.seen |= bit;
        first
    }
}

impl Replay for ReplayCache {
    fn spend(&self, usage: Usage) -> Spend<'_> {
        Box::pin(ready(Ok(self.is_first(&usage))))
    }
}

impl Default for ReplayCache {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ReplayCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplayCache")
            .field("capacity", &self.capacity)
            .field("reusable", &self.reusable)
            .field("len", &self.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const LIFETIME: u64 = 300;

    fn nonce(made: u64, number: u16) -> NonceId {
        let mut seal = [0; 16];
        seal[..2].copy_from_slice(&number.to_be_bytes());
        NonceId::of(made, seal)
    }

    fn usage(nonce: NonceId, count: u32, now: u64) -> Usage {
        Usage {
            nonce,
            count,
            now: Duration::from_secs(now),
            expires: nonce.made() + Duration::from_secs(LIFETIME),
        }
    }

    fn counts(cache: &ReplayCache, counts: &[u32]) -> Vec<bool> {
        let uses = counts.iter();
        uses.map(|count| cache.is_first(&usage(nonce(100, 1), *count, 100)))
            .collect()
    }

    #[test]
    fn a07_a_nonce_is_used_once_whatever_its_count() {
        for order in [&[1, 3, 2, 3][..], &[5, 5], &[5, 4], &[u32::MAX, 0]] {
            let first = counts(&ReplayCache::new(), order);
            assert!(first[0]);
            assert!(first[1..].iter().all(|first| !first), "{order:?}");
        }
    }

    #[test]
    fn a07_a_reusable_nonce_takes_each_count_once_in_any_order_within_64() {
        for (order, expected) in [
            (&[1, 3, 2, 3][..], &[true, true, true, false][..]),
            (&[5, 5], &[true, false]),
            (&[5, 4, 4], &[true, true, false]),
            (&[100, 37, 37], &[true, true, false]),
            (&[100, 36], &[true, false]),
            (&[1, 65, 2, 1], &[true, true, true, false]),
            (&[1, 64, 1], &[true, true, false]),
            (&[1, 2000, 1999, 1], &[true, true, true, false]),
            (&[u32::MAX, u32::MAX, 0, 1], &[true, false, false, false]),
        ] {
            let cache = ReplayCache::new().reusable();
            assert_eq!(counts(&cache, order), expected, "{order:?}");
        }
    }

    #[test]
    fn a11_a_full_cache_forgets_the_oldest_and_revives_nothing() {
        let cache = ReplayCache::new().capacity(3);
        for number in [1, 2, 3, 4] {
            assert!(cache.is_first(&usage(nonce(100 + u64::from(number), number), 1, 110)));
        }
        assert_eq!(cache.len(), 3);
        for number in [1, 2, 3, 4] {
            let again = usage(nonce(100 + u64::from(number), number), 1, 110);
            assert!(!cache.is_first(&again), "{number}");
        }
        // Never used, and made before the one that was forgotten: nobody can tell.
        assert!(!cache.is_first(&usage(nonce(100, 9), 1, 110)));
        assert!(!cache.is_first(&usage(nonce(101, 0), 1, 110)));
        assert!(cache.is_first(&usage(nonce(101, 9), 1, 110)));
        // That one was the oldest then.
        assert!(!cache.is_first(&usage(nonce(101, 9), 1, 110)));
        assert_eq!(cache.len(), 3);
    }

    #[test]
    fn what_has_expired_is_forgotten_and_stays_dead_when_the_clock_goes_back() {
        let cache = ReplayCache::new();
        assert!(cache.is_first(&usage(nonce(100, 1), 1, 100)));
        assert!(cache.is_first(&usage(nonce(401, 1), 1, 401)));
        assert_eq!(cache.len(), 1);
        assert!(!cache.is_first(&usage(nonce(100, 1), 1, 100)));
        assert!(cache.is_first(&usage(nonce(101, 1), 1, 100)));
    }

    #[test]
    fn after_a_restart_nothing_from_before_is_taken() {
        let cache = ReplayCache::new().since(Duration::from_secs(100));
        assert!(!cache.is_first(&usage(nonce(99, 1), 1, 101)));
        assert!(!cache.is_first(&usage(nonce(100, 0xffff), 1, 101)));
        assert!(cache.is_first(&usage(nonce(101, 0), 1, 101)));
    }

    #[test]
    fn a11_a_hundred_thousand_uses_stay_within_65536_entries_of_less_than_a_hundred_octets() {
        let cache = ReplayCache::new();
        for number in 0..100_000_u64 {
            let mut seal = [0; 16];
            seal[8..].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
            let id = NonceId::of(1000 + number / 1000, seal);
            let once = usage(id, 1, 1100);
            cache.is_first(&once);
            assert!(!cache.is_first(&once));
            assert!(cache.len() <= CAPACITY);
        }
        assert_eq!(cache.len(), CAPACITY);
        // A node of a B-tree is at least half full: twice the size of an entry bounds it.
        assert!(2 * size_of::<(NonceId, Used)>() < 128);
    }

    #[test]
    fn of_two_threads_with_the_same_use_one_is_first() {
        let cache = ReplayCache::new();
        for number in 0..1000 {
            let once = usage(nonce(100, number), 1, 100);
            let together = std::sync::Barrier::new(2);
            let race = || {
                together.wait();
                cache.is_first(&once)
            };
            let (one, other) = std::thread::scope(|scope| {
                let other = scope.spawn(race);
                (race(), other.join().unwrap())
            });
            assert!(one != other, "{number}");
        }
    }

    /// Remembers everything for ever.
    #[derive(Default)]
    struct Naive(BTreeSet<(NonceId, u32)>);

    impl Naive {
        fn is_first(&mut self, usage: &Usage, reusable: bool) -> bool {
            let seen = |&(nonce, count): &(NonceId, u32)| {
                nonce == usage.nonce && (!reusable || count == usage.count)
            };
            let first = !self.0.iter().any(seen);
            self.0.insert((usage.nonce, usage.count));
            first
        }
    }

    fn uses() -> impl Strategy<Value = Vec<(u64, u16, u32, u64)>> {
        let one = (100_u64..110, 0_u16..4, 1_u32..150, 100_u64..800);
        proptest::collection::vec(one, 0..200)
    }

    proptest! {
        #[test]
        fn nothing_that_was_used_is_ever_first_again(
            uses in uses(), capacity in 0_usize..20, reusable: bool
        ) {
            let mut cache = ReplayCache::new().capacity(capacity);
            cache.reusable = reusable;
            let mut accepted = BTreeSet::new();
            for (made, number, count, now) in uses {
                let nonce = nonce(made, number);
                let count = if reusable { count } else { 1 };
                if cache.is_first(&usage(nonce, count, now)) {
                    prop_assert!(accepted.insert((nonce, count)));
                }
                prop_assert!(cache.len() <= capacity.max(1));
            }
        }

        #[test]
        fn with_room_and_time_it_is_the_naive_memory(uses in uses(), reusable: bool) {
            let mut cache = ReplayCache::new();
            cache.reusable = reusable;
            let mut naive = Naive::default();
            for (made, number, count, _) in uses {
                // Less than 64 apart, so that the window holds them all.
                let usage = usage(nonce(made, number), 1 + count % 64, 120);
                prop_assert_eq!(cache.is_first(&usage), naive.is_first(&usage, reusable));
            }
        }
    }
}

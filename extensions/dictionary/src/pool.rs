//! Contexts that nobody uses at the moment, for all connections of one dictionary.

use core::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// So many are kept. As a whole message needs a compressor for the time of one call only, no more
/// are busy at once than there are threads, but for messages in parts.
const KEEP: usize = 16;

/// A shelf of contexts. What is taken off it and not put back is simply freed.
pub(crate) struct Pool<T>(Mutex<Vec<T>>);

impl<T> Pool<T> {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// The one put back last that fits: it is warm.
    pub(crate) fn take(&self, fits: impl Fn(&T) -> bool) -> Option<T> {
        let mut shelf = self.shelf();
        let found = shelf.iter().rposition(fits)?;
        Some(shelf.remove(found))
    }

    /// Puts one back. If the shelf is full, the oldest goes: it may be one that nobody asks for any
    /// more.
    pub(crate) fn put(&self, context: T) {
        let mut shelf = self.shelf();
        let oldest = (shelf.len() >= KEEP).then(|| shelf.remove(0));
        shelf.push(context);
        drop(shelf);
        drop(oldest);
    }

    fn shelf(&self) -> MutexGuard<'_, Vec<T>> {
        // Nothing in here panics half way, so that a poisoned shelf is in order.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> fmt::Debug for Pool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pool({} idle)", self.shelf().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_youngest_that_fits_is_taken() {
        let pool = Pool::new();
        assert_eq!(pool.take(|_| true), None);
        for n in [1, 2, 3] {
            pool.put(n);
        }
        assert_eq!(pool.take(|n| *n != 3), Some(2));
        assert_eq!(pool.take(|_| true), Some(3));
        assert_eq!(pool.take(|n| *n == 9), None);
        assert_eq!(pool.take(|_| true), Some(1));
    }

    #[test]
    fn a_full_shelf_gives_its_oldest_away() {
        let pool = Pool::new();
        for n in 0..100 {
            pool.put(n);
        }
        assert_eq!(*pool.shelf(), (100 - KEEP..100).collect::<Vec<_>>());
    }
}

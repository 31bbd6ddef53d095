//! Contexts that many connections share.

use core::fmt;
use core::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Contexts that nobody uses at the moment, and a count of those somebody does.
pub(crate) struct Pool<T> {
    shelf: Mutex<Shelf<T>>,
    /// So many are kept when idle.
    keep: usize,
    /// So many are lent at once.
    lend: usize,
}

struct Shelf<T> {
    /// The last one was given back last, and is warm.
    idle: Vec<T>,
    lent: usize,
}

impl<T> Pool<T> {
    /// A pool that keeps `keep` idle contexts and lends `lend` at once.
    pub(crate) const fn new(keep: usize, lend: usize) -> Self {
        let shelf = Shelf {
            idle: Vec::new(),
            lent: 0,
        };
        Self {
            shelf: Mutex::new(shelf),
            keep,
            lend,
        }
    }

    /// Lends an idle context that fits, or a new one; `None` if too many are lent.
    ///
    /// The context is as its last user left it.
    pub(crate) fn take(
        self: &Arc<Self>,
        fits: impl Fn(&T) -> bool,
        make: impl FnOnce() -> T,
    ) -> Option<Lease<T>> {
        let mut shelf = self.shelf();
        if shelf.lent >= self.lend {
            return None;
        }
        shelf.lent += 1;
        let found = shelf.idle.iter().rposition(fits);
        let idle = found.map(|i| shelf.idle.remove(i));
        drop(shelf);
        // Made outside the lock: it allocates a third of a megabyte.
        let context = idle.unwrap_or_else(make);
        Some(Lease {
            context: Some(context),
            home: Some(Arc::clone(self)),
        })
    }

    fn give_back(&self, context: T) {
        let mut shelf = self.shelf();
        shelf.lent -= 1;
        let mut surplus = Some(context);
        if self.keep > 0 {
            // The oldest goes: it may be of a size that nobody asks for any more.
            let full = shelf.idle.len() >= self.keep;
            let oldest = full.then(|| shelf.idle.remove(0));
            shelf.idle.extend(surplus.take());
            surplus = oldest;
        }
        drop(shelf);
        drop(surplus);
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf<T>> {
        // Nothing in here panics half way, so that a poisoned shelf is in order.
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> fmt::Debug for Pool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shelf = self.shelf();
        f.debug_struct("Pool")
            .field("idle", &shelf.idle.len())
            .field("lent", &shelf.lent)
            .finish_non_exhaustive()
    }
}

/// A context on loan. Dropping it gives it back.
pub(crate) struct Lease<T> {
    /// `Some` until dropped.
    context: Option<T>,
    /// `None`: nobody else ever had it or will.
    home: Option<Arc<Pool<T>>>,
}

impl<T> Lease<T> {
    /// A context of one's own.
    pub(crate) const fn own(context: T) -> Self {
        Self {
            context: Some(context),
            home: None,
        }
    }
}

impl<T> Deref for Lease<T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.context.as_ref().expect("taken out by drop alone")
    }
}

impl<T> DerefMut for Lease<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.context.as_mut().expect("taken out by drop alone")
    }
}

impl<T> Drop for Lease<T> {
    fn drop(&mut self) {
        if let (Some(home), Some(context)) = (&self.home, self.context.take()) {
            home.give_back(context);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(keep: usize, lend: usize) -> Arc<Pool<u32>> {
        Arc::new(Pool::new(keep, lend))
    }

    #[test]
    fn a_context_given_back_is_lent_again_and_not_made_again() {
        let pool = pool(4, 4);
        for _ in 0..1000 {
            let lease = pool.take(|_| true, || 7).expect("nothing else is lent");
            assert_eq!(*lease, 7);
        }
        assert_eq!(pool.shelf().idle, [7]);
        let lease = pool.take(|_| true, || unreachable!("one is idle"));
        assert!(lease.is_some());
    }

    #[test]
    fn only_a_context_that_fits_is_lent() {
        let pool = pool(4, 4);
        drop(pool.take(|_| true, || 9));
        let other = pool
            .take(|n| *n == 15, || 15)
            .expect("nothing else is lent");
        assert_eq!(*other, 15);
        drop(other);
        assert_eq!(pool.shelf().idle, [9, 15]);
        assert_eq!(pool.take(|n| *n == 9, || 0).as_deref(), Some(&9));
    }

    #[test]
    fn beyond_its_bound_a_pool_lends_nothing_and_keeps_only_the_youngest() {
        let pool = pool(2, 3);
        let leases: Vec<_> = (0..5).map(|n| pool.take(|_| true, || n)).collect();
        let lent: Vec<bool> = leases.iter().map(Option::is_some).collect();
        assert_eq!(lent, [true, true, true, false, false]);
        drop(leases);
        assert_eq!(pool.shelf().idle, [1, 2]);
        assert_eq!(pool.shelf().lent, 0);
    }

    #[test]
    fn a_pool_that_keeps_nothing_still_lends() {
        let pool = pool(0, 1);
        drop(pool.take(|_| true, || 1));
        assert!(pool.shelf().idle.is_empty());
        assert_eq!(pool.take(|_| true, || 2).as_deref(), Some(&2));
    }

    #[test]
    fn a_context_of_ones_own_goes_to_no_pool() {
        let mut lease = Lease::own(1);
        *lease += 1;
        assert_eq!(*lease, 2);
    }
}

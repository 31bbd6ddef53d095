//! Where compressors and inflaters come from: the connection's own, or borrowed.

use std::sync::Arc;

use crate::codec::{Compressor, Inflater};
use crate::pool::{Lease, Pool};
use crate::window_bits::WindowBits;

/// At most so many of each kind: 24 MB of compressors and 3 MB of inflaters, if it comes to that.
const MAX_POOLED: usize = 64;

/// What an extension makes contexts from, and the pools its connections share.
pub(crate) struct Contexts {
    level: u8,
    memory_level: u8,
    pub(crate) compressors: Arc<Pool<Compressor>>,
    pub(crate) inflaters: Arc<Pool<Inflater>>,
}

impl Contexts {
    pub(crate) fn new() -> Self {
        Self {
            level: 1,
            memory_level: 8,
            compressors: Arc::new(Pool::new(MAX_POOLED, MAX_POOLED)),
            // An inflater is lent to whoever asks: not to inflate is no choice.
            inflaters: Arc::new(Pool::new(MAX_POOLED, usize::MAX)),
        }
    }

    pub(crate) const fn level(&self) -> u8 {
        self.level
    }

    pub(crate) fn set_level(&mut self, level: u8) {
        self.level = level.clamp(1, 9);
    }

    pub(crate) fn set_memory_level(&mut self, level: u8) {
        self.memory_level = level.clamp(1, 9);
    }

    pub(crate) fn set_max_pooled(&mut self, contexts: usize) {
        self.compressors = Arc::new(Pool::new(contexts, contexts));
        self.inflaters = Arc::new(Pool::new(contexts, usize::MAX));
    }

    /// The context of a sending half.
    pub(crate) fn sending(&self, window_bits: WindowBits, takeover: bool) -> SendingContext {
        SendingContext {
            level: self.level,
            memory_level: self.memory_level,
            window_bits,
            takeover,
            pool: Arc::clone(&self.compressors),
            compressor: None,
        }
    }

    /// The context of a receiving half.
    pub(crate) fn receiving(&self, takeover: bool) -> ReceivingContext {
        ReceivingContext {
            takeover,
            pool: Arc::clone(&self.inflaters),
            inflater: None,
        }
    }
}

/// The compressor of one connection.
pub(crate) struct SendingContext {
    level: u8,
    memory_level: u8,
    window_bits: WindowBits,
    takeover: bool,
    pool: Arc<Pool<Compressor>>,
    /// With takeover, from the first use on; without, between [`Self::begin`] and [`Self::end`].
    compressor: Option<Lease<Compressor>>,
}

impl SendingContext {
    /// Whether the window outlives what is compressed.
    pub(crate) const fn takes_over(&self) -> bool {
        self.takeover
    }

    /// The compressor for what begins now: with its window, or with an empty one. `None` if all are
    /// lent.
    pub(crate) fn begin(&mut self) -> Option<&mut Compressor> {
        let Self {
            level,
            memory_level,
            window_bits,
            ..
        } = *self;
        let make = || Compressor::new(level, memory_level, window_bits);
        if self.takeover {
            return Some(self.compressor.get_or_insert_with(|| Lease::own(make())));
        }
        self.compressor = None;
        self.compressor = self.pool.take(|c| c.window_bits() == window_bits, make);
        let compressor = self.compressor.as_deref_mut()?;
        compressor.restart();
        Some(compressor)
    }

    /// The compressor of what has begun.
    pub(crate) fn current(&mut self) -> Option<&mut Compressor> {
        self.compressor.as_deref_mut()
    }

    /// What has begun is complete: a borrowed compressor goes back.
    pub(crate) fn end(&mut self) {
        if !self.takeover {
            self.compressor = None;
        }
    }

    /// Nobody has received what the window holds. An empty one is always right.
    pub(crate) fn forget(&mut self) {
        self.compressor = None;
    }
}

/// The inflater of one connection.
pub(crate) struct ReceivingContext {
    takeover: bool,
    pool: Arc<Pool<Inflater>>,
    /// With takeover, from the first use on; without, until [`Self::end`].
    inflater: Option<Lease<Inflater>>,
}

impl ReceivingContext {
    /// The inflater, fetched if there is none.
    pub(crate) fn inflater(&mut self) -> &mut Inflater {
        let Self { takeover, pool, .. } = self;
        self.inflater.get_or_insert_with(|| {
            if *takeover {
                return Lease::own(Inflater::new());
            }
            let lease = pool.take(|_| true, Inflater::new);
            let mut lease = lease.expect("inflaters are lent without bound");
            lease.restart();
            lease
        })
    }

    /// The inflater, if octets have come that needed one.
    pub(crate) fn current(&mut self) -> Option<&mut Inflater> {
        self.inflater.as_deref_mut()
    }

    /// What has begun is complete: a borrowed inflater goes back.
    pub(crate) fn end(&mut self) {
        if !self.takeover {
            self.inflater = None;
        }
    }

    /// The inflater is of no use any more.
    pub(crate) fn forget(&mut self) {
        self.inflater = None;
    }
}

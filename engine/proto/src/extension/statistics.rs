//! What an extension has done on one connection.

use core::fmt;
use std::time::{Duration, Instant};

/// Tells the time to whoever measures extensions. The engine itself reads no clock.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The time. It never goes back.
    fn now(&self) -> Instant;
}

/// What one agreed extension has done so far.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// The extension's name.
    pub name: String,
    /// What its encoder has done.
    pub sent: Flow,
    /// What its decoder has done.
    pub received: Flow,
}

/// What one half of an extension has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Flow {
    /// Frames it has seen; at the message stage, messages or parts of them.
    pub frames: u64,
    /// Those of them that it has changed, swallowed or answered.
    pub changed: u64,
    /// Octets on its side towards the application, changed or not.
    pub application: u64,
    /// Octets on its side towards the wire, changed or not.
    pub wire: u64,
    /// The time it took; zero without a [`Config::clock`](crate::Config::clock).
    pub time: Duration,
}

impl Flow {
    /// Octets towards the wire for each towards the application: under 1 for a compressor that
    /// helps. `None` before the first octet.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        (self.application > 0).then(|| self.wire as f64 / self.application as f64)
    }

    /// Counts one frame.
    pub(super) fn count(&mut self, changed: bool, application: usize, wire: usize) {
        self.frames += 1;
        self.changed += u64::from(changed);
        self.application += application as u64;
        self.wire += wire as u64;
    }
}

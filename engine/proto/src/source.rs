//! What the engine and its plug-ins need from the world outside, and do not take themselves.

use core::fmt;
use std::time::Duration;

/// Octets that nobody can foresee, for nonces and salts.
pub trait Entropy: fmt::Debug + Send + Sync {
    /// Fills all of `octets`.
    fn fill(&self, octets: &mut [u8]);
}

/// The time of day.
pub trait WallClock: fmt::Debug + Send + Sync {
    /// The time since 1970-01-01T00:00:00Z. It may go back, when somebody sets the clock.
    fn unix_time(&self) -> Duration;
}

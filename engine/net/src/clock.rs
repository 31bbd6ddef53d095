//! The operating system's clock, for who measures extensions.

use std::time::Instant;

use cloverleaf_proto::extension::Clock;

/// Measures the time that extensions take, if it stands in
/// [`Config::clock`](cloverleaf_proto::Config::clock).
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct OsClock;

impl OsClock {
    /// The clock.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Clock for OsClock {
    fn now(&self) -> Instant {
        Instant::now()
    }
}

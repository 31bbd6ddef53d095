//! The operating system's clocks.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use cloverleaf_proto::WallClock;
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

/// The operating system's time of day, for what expires.
#[must_use]
pub fn wall_clock() -> Arc<dyn WallClock> {
    Arc::new(OsWallClock)
}

#[derive(Debug)]
struct OsWallClock;

impl WallClock for OsWallClock {
    fn unix_time(&self) -> Duration {
        // Before 1970 nothing has expired.
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()
    }
}

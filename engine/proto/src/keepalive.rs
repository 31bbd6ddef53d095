//! When to ping, and when silence means death: pure functions of `now`.

use std::time::{Duration, Instant};

use crate::config::Timing;

/// Longer than anybody waits, and short enough to be added to any moment.
const FOREVER: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// The moment `wait` behind `start`; settings may say `Duration::MAX` for "never".
pub(crate) fn after(start: Instant, wait: Duration) -> Instant {
    start + wait.min(FOREVER)
}

/// What the clock asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    /// A ping is due; its payload counts the pings.
    Ping(u32),
    /// The last ping was not answered in time.
    Dead,
}

/// The ping schedule of one connection.
///
/// A ping goes out after an interval of silence. Any octet counts as life, not only the pong: a pong
/// may wait behind a long upload that itself proves the peer alive.
#[derive(Debug)]
pub(crate) struct Keepalive {
    interval: Option<Duration>,
    timeout: Duration,
    recedes: bool,
    last_input: Instant,
    /// When the ping that waits for its answer was sent.
    asked: Option<Instant>,
    count: u32,
    /// The ping whose pong would give a round-trip time.
    timed: Option<(u32, Instant)>,
    round_trip: Option<Duration>,
}

impl Keepalive {
    /// `spread` is any number; it moves the interval by up to a tenth either way, so that many
    /// connections that open together do not ping together.
    pub(crate) fn new(timing: &Timing, spread: u32, now: Instant) -> Self {
        let interval = timing.ping_interval.map(|interval| {
            let factor = 0.9 + 0.2 * f64::from(spread) / f64::from(u32::MAX);
            interval.min(FOREVER).mul_f64(factor)
        });
        Self {
            interval,
            timeout: timing.ping_timeout,
            recedes: timing
                .ping_interval
                .is_none_or(|interval| timing.ping_timeout <= interval),
            last_input: now,
            asked: None,
            count: 0,
            timed: None,
            round_trip: None,
        }
    }

    pub(crate) const fn handle_input(&mut self, now: Instant) {
        self.last_input = now;
        self.asked = None;
    }

    pub(crate) fn handle_pong(&mut self, payload: &[u8], now: Instant) {
        if let Some((count, sent)) = self.timed
            && payload == count.to_be_bytes()
        {
            self.round_trip = Some(now.saturating_duration_since(sent));
            self.timed = None;
        }
    }

    /// The last measured time from a ping to its pong.
    pub(crate) const fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// Whether octets that come only ever move the deadline away, but for what the spread makes. With
    /// a timeout longer than the interval, an answer brings it nearer.
    #[inline]
    pub(crate) const fn recedes(&self) -> bool {
        self.recedes
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self.asked {
            Some(asked) => Some(after(asked, self.timeout)),
            None => Some(after(self.last_input, self.interval?)),
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Due {
        match self.deadline() {
            Some(deadline) if deadline <= now => {}
            _ => return Due::Nothing,
        }
        if self.asked.is_some() {
            return Due::Dead;
        }
        self.asked = Some(now);
        self.count = self.count.wrapping_add(1);
        self.timed = Some((self.count, now));
        Due::Ping(self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Some moment.
    fn start() -> Instant {
        #[expect(
            clippy::disallowed_methods,
            reason = "there is no other way to an Instant"
        )]
        Instant::now()
    }

    /// The middle of the spread: the interval as it is set.
    const MIDDLE: u32 = u32::MAX / 2;

    fn keepalive(now: Instant) -> Keepalive {
        let mut keepalive = Keepalive::new(&Timing::default(), MIDDLE, now);
        keepalive.interval = Some(s(20));
        keepalive
    }

    #[test]
    fn silence_is_a_ping_after_20_s_and_death_after_40() {
        let t0 = start();
        let mut keepalive = keepalive(t0);
        assert_eq!(keepalive.deadline(), Some(t0 + s(20)));
        assert_eq!(keepalive.handle_timeout(t0 + s(19)), Due::Nothing);
        assert_eq!(keepalive.handle_timeout(t0 + s(20)), Due::Ping(1));
        assert_eq!(keepalive.handle_timeout(t0 + s(39)), Due::Nothing);
        assert_eq!(keepalive.handle_timeout(t0 + s(40)), Due::Dead);
    }

    #[test]
    fn any_octet_is_life_and_only_the_right_pong_is_a_round_trip() {
        let t0 = start();
        let mut keepalive = keepalive(t0);
        assert_eq!(keepalive.handle_timeout(t0 + s(20)), Due::Ping(1));
        keepalive.handle_input(t0 + s(21));
        keepalive.handle_pong(b"other", t0 + s(21));
        assert_eq!(keepalive.round_trip(), None);
        assert_eq!(keepalive.deadline(), Some(t0 + s(41)));
        keepalive.handle_pong(&1u32.to_be_bytes(), t0 + s(22));
        assert_eq!(keepalive.round_trip(), Some(s(2)));
    }

    #[test]
    fn a_clock_that_jumps_an_hour_gives_one_ping_and_no_burst() {
        let t0 = start();
        let mut keepalive = keepalive(t0);
        let later = t0 + s(3600);
        assert_eq!(keepalive.handle_timeout(later), Due::Ping(1));
        assert_eq!(keepalive.handle_timeout(later), Due::Nothing);
    }

    #[test]
    fn the_spread_moves_the_interval_by_a_tenth_either_way() {
        let t0 = start();
        let first = Keepalive::new(&Timing::default(), 0, t0);
        let last = Keepalive::new(&Timing::default(), u32::MAX, t0);
        assert_eq!(first.deadline(), Some(t0 + s(18)));
        assert_eq!(last.deadline(), Some(t0 + s(22)));
        let never = Timing {
            ping_interval: None,
            ..Timing::default()
        };
        assert_eq!(Keepalive::new(&never, 0, t0).deadline(), None);
    }
}

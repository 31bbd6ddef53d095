//! What an answer says, and what several say together.

use core::fmt;
use std::collections::VecDeque;
use std::time::Duration;

use crate::wire::Notice;

/// Figures are made of so many answers, the last, so that they follow clocks that drift. As many as
/// the clock filter of NTP has (RFC 5905 §10).
const WINDOW: usize = 8;

/// What one answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latency {
    sequence: u32,
    /// Microseconds.
    round_trip: u64,
    offset: Offset,
}

impl Latency {
    /// `None` if our clock went back in between, or the notice was made up.
    pub(crate) fn new(sent: u64, notice: &Notice) -> Option<Self> {
        let round_trip = notice.received.checked_sub(sent)?;
        let hidden = notice.resolution.checked_sub(1)?;
        // When the beat came, our clock stood between `sent` and `received`, and the peer's between
        // `seen` and the next time that it could have said. All are under 2^63 and their
        // differences fit; the middle is of twice the numbers.
        let twice = 2 * i128::from(notice.answer.seen) + i128::from(hidden)
            - i128::from(sent)
            - i128::from(notice.received);
        let width = round_trip.saturating_add(hidden);
        Some(Self {
            sequence: notice.answer.beat.sequence,
            round_trip,
            offset: Offset {
                micros: i64::try_from(twice.div_euclid(2)).ok()?,
                error: width.div_ceil(2),
            },
        })
    }

    /// The number of the beat: 0 for the first of its [`Beats`](crate::Beats).
    #[must_use]
    pub const fn sequence(&self) -> u32 {
        self.sequence
    }

    /// From [`beat`](crate::Beats::beat) until the answer was decoded, by our clock alone.
    #[must_use]
    pub const fn round_trip(&self) -> Duration {
        Duration::from_micros(self.round_trip)
    }

    /// How far the peer's clock is ahead of ours.
    #[must_use]
    pub const fn offset(&self) -> Offset {
        self.offset
    }
}

/// How far the peer's clock is ahead of ours. Where the two begin to count is their own business:
/// only between clocks of the same beginning, such as the time of day, does it say which is right;
/// between others, how it changes is what matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offset {
    micros: i64,
    error: u64,
}

impl Offset {
    /// In microseconds; negative if the peer's clock is behind.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.micros
    }

    /// If the peer is honest, the truth is not further from it than this, however differently long
    /// the way there and the way back are: half of the round trip, and half of what the peer's
    /// resolution hides.
    #[must_use]
    pub const fn error(self) -> Duration {
        Duration::from_micros(self.error)
    }
}

/// `+12.345 ms ± 0.200 ms`.
impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.micros < 0 { '-' } else { '+' };
        let ahead = Millis(self.micros.unsigned_abs());
        write!(f, "{sign}{ahead} \u{b1} {}", Millis(self.error))
    }
}

/// What the last eight answers say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Figures {
    /// How many answers there were, eight at most.
    pub answers: usize,
    /// The round trip of the last.
    pub last: Duration,
    /// The shortest round trip: the way itself, with the least waiting.
    pub shortest: Duration,
    /// The longest.
    pub longest: Duration,
    /// By how much a round trip differs from the one before it, on average; zero if there is one.
    pub jitter: Duration,
    /// The offset that the shortest round trip gave: the surest of them.
    pub offset: Offset,
}

/// `round trip 1.250 ms (shortest 1.000 ms, longest 2.000 ms, jitter 0.500 ms, 8 answers), offset
/// +3.000 ms ± 0.500 ms`, in one line.
impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |time: Duration| Millis(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
        write!(
            f,
            "round trip {} (shortest {}, longest {}, jitter {}, {} answers), offset {}",
            millis(self.last),
            millis(self.shortest),
            millis(self.longest),
            millis(self.jitter),
            self.answers,
            self.offset
        )
    }
}

/// Microseconds, shown as milliseconds.
struct Millis(u64);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03} ms", self.0 / 1000, self.0 % 1000)
    }
}

/// The last answers, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Window(VecDeque<Latency>);

impl Window {
    pub(crate) fn push(&mut self, latency: Latency) {
        if self.0.len() == WINDOW {
            self.0.pop_front();
        }
        self.0.push_back(latency);
    }

    pub(crate) fn figures(&self) -> Option<Figures> {
        let last = self.0.back()?;
        // Among equals the youngest, since clocks drift.
        let shortest = self.0.iter().rev().min_by_key(|one| one.round_trip)?;
        let longest = self.0.iter().max_by_key(|one| one.round_trip)?;
        let pairs = self.0.iter().zip(self.0.iter().skip(1));
        let steps = pairs.map(|(one, next)| u128::from(one.round_trip.abs_diff(next.round_trip)));
        let jitter = steps.sum::<u128>() / (self.0.len() as u128 - 1).max(1);
        Some(Figures {
            answers: self.0.len(),
            last: last.round_trip(),
            shortest: shortest.round_trip(),
            longest: longest.round_trip(),
            // An average is not more than the largest of its terms.
            jitter: Duration::from_micros(u64::try_from(jitter).unwrap_or(u64::MAX)),
            offset: shortest.offset,
        })
    }
}

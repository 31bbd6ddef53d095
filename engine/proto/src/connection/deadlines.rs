//! The deadlines of a connection: pure functions of `now`.

use std::time::{Duration, Instant};

use super::Connection;
use crate::endpoint::State;
use crate::error::Deadline;
use crate::keepalive::{Due, after};

/// The moments at which patience ends, each set when its wait begins.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    /// The closing handshake, or what is left of a failed connection.
    close: Option<Instant>,
    /// The first octet of the message that is still coming in.
    message_started: Option<Instant>,
    /// Since when octets wait and none was written.
    stalled: Option<Instant>,
}

impl Deadlines {
    #[inline]
    pub(super) fn handle_written(&mut self, now: Instant, n: usize, waiting: bool) {
        if !waiting {
            self.stalled = None;
        } else if n > 0 || self.stalled.is_none() {
            self.stalled = Some(now);
        }
    }

    pub(super) fn start_close(&mut self, now: Instant, timeout: Duration) {
        self.close.get_or_insert_with(|| after(now, timeout));
    }

    pub(super) fn start_linger(&mut self, now: Instant, linger: Duration) {
        let end = after(now, linger);
        self.close = Some(self.close.map_or(end, |close| close.min(end)));
    }

    /// Whether the peer owes us the end of a message, or of a frame.
    #[inline]
    pub(super) fn handle_message(&mut self, now: Instant, inside: bool) {
        if !inside {
            self.message_started = None;
        } else if self.message_started.is_none() {
            self.message_started = Some(now);
        }
    }
}

impl Connection {
    /// When [`handle_timeout`](Self::handle_timeout) is to be called next, if nothing else happens.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.transport.done {
            return None;
        }
        let timing = &self.config().timing;
        let stalled = self
            .deadlines
            .stalled
            .map(|since| after(since, timing.write_stall_timeout));
        let others = if self.endpoint.state() == State::Open {
            let started = self.deadlines.message_started;
            [
                self.keepalive.deadline(),
                started.map(|started| after(started, timing.message_timeout)),
            ]
        } else {
            // Not yet set: the close began without a clock at hand. At once, then, to set it.
            [Some(self.deadlines.close.unwrap_or(self.now)), None]
        };
        others.into_iter().chain([stalled]).flatten().min()
    }

    /// The clock shows `now`. Harmless when nothing is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
        if self.transport.done {
            return;
        }
        let passed = |deadline: Option<Instant>| deadline.is_some_and(|deadline| deadline <= now);
        let timing = self.config().timing;
        if passed(
            self.deadlines
                .stalled
                .map(|since| after(since, timing.write_stall_timeout)),
        ) {
            self.endpoint.fail(crate::error::ConnectionError::Deadline(
                Deadline::WriteStall,
            ));
            self.transport.done = true;
        } else if self.endpoint.state() == State::Open {
            let started = self.deadlines.message_started;
            if passed(started.map(|started| after(started, timing.message_timeout))) {
                self.endpoint
                    .fail(crate::error::ConnectionError::Deadline(Deadline::Message));
            } else {
                self.keep_alive(now);
            }
        } else if passed(self.deadlines.close) {
            // Both close frames have crossed and only the end of the stream is missing, or the
            // error is known already: not another error then.
            if !matches!(self.endpoint.state(), State::Closed | State::Failing) {
                self.endpoint
                    .fail(crate::error::ConnectionError::Deadline(Deadline::Close));
            }
            self.transport.done = true;
        }
        self.settle(now);
    }

    /// Whether the ping schedule is all that is running: its next deadline moves away with every
    /// octet that comes, so that a timer set for it before still fires early enough.
    #[must_use]
    #[inline]
    pub fn is_quiet(&self) -> bool {
        self.keepalive.recedes()
            && self.deadlines.message_started.is_none()
            && self.deadlines.stalled.is_none()
            && self.endpoint.state() == State::Open
    }

    fn keep_alive(&mut self, now: Instant) {
        let due = self.keepalive.handle_timeout(now);
        if due != Due::Nothing {
            // Long silence: nothing is held for a message that may never come.
            self.write.release();
        }
        match due {
            Due::Nothing => {}
            // The connection is open, and four octets are not too long.
            Due::Ping(count) => {
                let _ = self.endpoint.ping(&count.to_be_bytes());
            }
            Due::Dead => {
                self.endpoint
                    .fail(crate::error::ConnectionError::Deadline(Deadline::Ping));
            }
        }
    }
}

//! Frames of the endpoint into octets for the caller to write.

use std::time::Instant;

use super::Connection;
use crate::endpoint::State;
use crate::role::Role;

/// What the caller is to do with the byte stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "all that can be done with a stream"
)]
pub enum Transmit<'a> {
    /// Nothing.
    Idle,
    /// Write these octets, the second slice behind the first, then call
    /// [`handle_written`](Connection::handle_written). The second is often empty; where it is not,
    /// a vectored write saves a copy.
    Write(&'a [u8], &'a [u8]),
    /// End the sending side, then call [`handle_shutdown`](Connection::handle_shutdown).
    Shutdown,
}

impl Connection {
    /// Whether [`poll_transmit`](Self::poll_transmit) has anything to say. A cheap question.
    #[must_use]
    #[inline]
    pub fn has_transmit(&self) -> bool {
        !self.write.is_empty() || self.endpoint.has_frames() || self.is_shutdown_due()
    }

    /// What is to be written.
    #[inline]
    pub fn poll_transmit(&mut self) -> Transmit<'_> {
        // Behind the end of our side, or on a broken stream, there is nothing to write to.
        if self.transport.shut {
            return Transmit::Idle;
        }
        self.fill();
        if !self.write.is_empty() {
            let (front, back) = self.write.slices();
            return Transmit::Write(front, back);
        }
        if self.is_shutdown_due() {
            return Transmit::Shutdown;
        }
        Transmit::Idle
    }

    /// `n` octets of the last [`poll_transmit`](Self::poll_transmit) are out; 0 if the stream takes
    /// none for now.
    #[inline]
    pub fn handle_written(&mut self, now: Instant, n: usize) {
        self.now = now;
        self.write.advance(n);
        self.deadlines
            .handle_written(now, n, !self.write.is_empty());
        self.settle(now);
    }

    /// The sending side has been ended.
    pub fn handle_shutdown(&mut self, now: Instant) {
        self.now = now;
        self.transport.shut = true;
        self.deadlines
            .start_linger(now, self.endpoint.config().timing.close_linger);
        self.settle(now);
    }

    /// Encodes frames as long as there is room.
    #[inline]
    pub(super) fn fill(&mut self) {
        if self.endpoint.has_frames() {
            self.encode_frames();
        }
    }

    fn encode_frames(&mut self) {
        // Nothing follows the end of our side.
        if self.transport.shut || self.transport.done {
            return;
        }
        // Whatever the setting, an empty buffer takes a frame.
        let high_water = self.endpoint.config().limits.write_high_water.max(1);
        while self.write.is_open() && self.write.len() < high_water {
            let Some(frame) = self.endpoint.poll_frame(usize::MAX) else {
                return;
            };
            let key = self.mask_key();
            self.write.push(frame, key);
        }
    }

    /// §5.3: a client's frame has a fresh key, a server's none.
    #[inline]
    pub(super) fn mask_key(&self) -> Option<[u8; 4]> {
        match self.endpoint.role() {
            Role::Client => Some(self.endpoint.config().mask_source.mask_key()),
            Role::Server => None,
        }
    }

    /// Whether our side of the stream is to end now: everything is written and nothing will follow.
    #[inline]
    fn is_shutdown_due(&self) -> bool {
        self.endpoint.state() != State::Open && self.is_shutdown_due_in_closing()
    }

    fn is_shutdown_due_in_closing(&self) -> bool {
        if self.transport.shut || self.transport.done || self.endpoint.has_frames() {
            return false;
        }
        match self.endpoint.state() {
            State::Failing => true,
            // §7.1.1: "the server MUST close the TCP connection first"; a client waits for that.
            State::Closed => self.endpoint.role() == Role::Server || self.transport.eof,
            State::Open | State::Closing | State::Replying => false,
        }
    }

    /// Draws the conclusions of whatever just changed.
    #[inline]
    pub(super) fn settle(&mut self, now: Instant) {
        if self.endpoint.state() != State::Open {
            self.settle_closing(now);
        }
    }

    fn settle_closing(&mut self, now: Instant) {
        self.deadlines
            .start_close(now, self.endpoint.config().timing.close_timeout);
        if self.endpoint.state() != State::Closing {
            self.input.clear();
        }
        let transport = &mut self.transport;
        if transport.shut {
            transport.done |= match self.endpoint.state() {
                // Behind the close frame of a failed connection we linger until the peer is gone, and
                // when writing has failed, its close frame may still come.
                State::Failing | State::Closing => transport.eof,
                _ => true,
            };
        }
        if transport.done {
            self.write.clear();
        }
    }
}

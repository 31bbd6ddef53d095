//! The beats of one connection: which wait for an answer, and what the answers say.

use core::fmt;
use std::collections::VecDeque;

use bytes::Bytes;
use cloverleaf_proto::Event;

use crate::Resolution;
use crate::extension::{Clock, Heartbeat};
use crate::latency::{Figures, Latency, Window};
use crate::wire::{Beat, Notice};

/// So many beats wait for their answers; the oldest is given up for the next.
const MAX_WAITING: usize = 16;

/// The beats of one connection. Make a new one with [`Heartbeat::beats`] for each.
pub struct Beats {
    clock: Clock,
    resolution: Resolution,
    next: u32,
    waiting: VecDeque<Waiting>,
    window: Window,
}

/// A beat that was sent, and when in truth.
struct Waiting {
    beat: Beat,
    sent: u64,
}

impl Beats {
    pub(crate) fn new(clock: Clock, resolution: Resolution) -> Self {
        Self {
            clock,
            resolution,
            next: 0,
            waiting: VecDeque::new(),
            window: Window::default(),
        }
    }

    /// The payload of the next beat, to be sent at once with [`Heartbeat::OPCODE`].
    ///
    /// Time that it waits in the application or behind other frames is part of the round trip.
    pub fn beat(&mut self) -> Bytes {
        let sent = self.clock.micros();
        let beat = Beat {
            sequence: self.next,
            sent: self.resolution.floor(sent),
        };
        self.next = self.next.wrapping_add(1);
        if self.waiting.len() == MAX_WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back(Waiting { beat, sent });
        Bytes::copy_from_slice(&beat.octets())
    }

    /// What an event says, if it is the answer to one of these beats. Show it every event, or the
    /// [`Event::Notice`]s alone.
    ///
    /// `None` for every other event, and for an answer to no beat that waits for one. Answers come
    /// in the order of their beats, so that those before the one answered are given up.
    pub fn measure(&mut self, event: &Event) -> Option<Latency> {
        let Event::Notice { extension, payload } = event else {
            return None;
        };
        if **extension != *Heartbeat::NAME {
            return None;
        }
        let notice = Notice::read(payload)?;
        // Exactly as it was sent: a number that was made up does not help without its time.
        let at = self
            .waiting
            .iter()
            .position(|waiting| waiting.beat == notice.answer.beat)?;
        let sent = self.waiting[at].sent;
        self.waiting.drain(..=at);
        let latency = Latency::new(sent, &notice)?;
        self.window.push(latency);
        Some(latency)
    }

    /// What the last answers say together; `None` before the first.
    #[must_use]
    pub fn figures(&self) -> Option<Figures> {
        self.window.figures()
    }

    /// How many beats wait for an answer, 16 at most. It grows while the peer is silent.
    #[must_use]
    pub fn unanswered(&self) -> usize {
        self.waiting.len()
    }
}

impl fmt::Debug for Beats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Beats")
            .field("next", &self.next)
            .field("unanswered", &self.unanswered())
            .field("figures", &self.figures())
            .finish_non_exhaustive()
    }
}

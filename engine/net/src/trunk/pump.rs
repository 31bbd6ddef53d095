//! The task of a connection that carries many: the only one that reads from the stream and waits for
//! the clock.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use cloverleaf_proto::Role;
use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::handshake::{Decision, Rejection};
use cloverleaf_proto::trunk::{Key, News, Opening};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::coop::has_budget_remaining;
use tokio::time::{Instant, Sleep};

use super::{Channel, Physical, State};
use crate::driver::Draining;
use crate::io::now;

pub(crate) struct Pump<S> {
    physical: Arc<Physical<S>>,
    timer: Option<Pin<Box<Sleep>>>,
    drain: Option<Draining>,
    /// Without channels for so long, the connection is closed.
    idle: Option<Duration>,
    empty_since: Option<Instant>,
    /// Every channel has been told that the server stops.
    told: bool,
    /// The end of everything has been asked for.
    ending: bool,
    /// The task that timer and drain will wake.
    parked: Option<Waker>,
}

/// A channel that the client has opened.
pub(crate) type Opened<S> = (Channel<S>, Box<Opening>);

impl<S: AsyncRead + AsyncWrite + Unpin> Pump<S> {
    pub(crate) fn new(
        physical: Arc<Physical<S>>,
        drain: Option<Draining>,
        idle: Option<Duration>,
    ) -> Self {
        Self {
            physical,
            timer: None,
            drain,
            idle,
            empty_since: None,
            told: false,
            ending: false,
            parked: None,
        }
    }

    /// Keeps the connection going, until a client opens a channel. `None` at the end.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Opened<S>>> {
        let physical = Arc::clone(&self.physical);
        loop {
            let mut state = physical.lock();
            if !state.pump.will_wake(cx.waker()) {
                state.pump = cx.waker().clone();
            }
            if state.trunk.has_checks() {
                state.trunk.poll_checks(cx);
            }
            while let Some(news) = state.trunk.poll_news() {
                match news {
                    News::Requested(key) => {
                        let stops = self.drain.as_ref().is_some_and(Draining::has_started);
                        let full = state.holders >= state.max_holders;
                        let decision = if stops || full {
                            Decision::Reject(Rejection::service_unavailable(None))
                        } else {
                            Decision::accept()
                        };
                        // What cannot be carried out has been answered with 500.
                        let _ = state.trunk.respond(key, decision);
                    }
                    News::Opened(key, opening) if state.trunk.role() == Role::Server => {
                        drop(state);
                        let channel = Channel::new(Arc::clone(&physical), key);
                        return Poll::Ready(Some((channel, opening)));
                    }
                    News::Slots => {
                        state.has_had_slots = true;
                        self.physical.slots.notify_waiters();
                    }
                    News::Closed(_) => {
                        state.over = true;
                        state.error = state.io.as_mut().and_then(|io| io.error.take());
                        self.physical.slots.notify_waiters();
                        state.wake_all();
                    }
                    news => state.tell(news),
                }
            }
            self.end_when_it_is_time(&mut state);
            let unflushed = state.io.as_ref().is_some_and(|io| io.unflushed);
            if unflushed || state.trunk.has_transmit() {
                state.write(cx);
                // Close frames have crossed, there is room again, or all is over.
                if state.trunk.has_news() || (state.trunk.is_done() && !state.is_over()) {
                    continue;
                }
            }
            if state.is_over() && state.trunk.is_done() {
                state.hang_up();
                return Poll::Ready(None);
            }
            let State { io, trunk, .. } = &mut *state;
            let Some(io) = io else {
                return Poll::Ready(None);
            };
            if io.poll_read(trunk, cx).is_ready() {
                continue;
            }
            if io.broken && !io.ended && has_budget_remaining() {
                // All that had come is read.
                io.ended = true;
                trunk.handle_lost(now());
                continue;
            }
            let deadline = state.trunk.poll_timeout();
            state.pump_deadline = deadline;
            let deadline = deadline.map(Instant::from_std);
            drop(state);
            if self.poll_clock(deadline, cx).is_pending() {
                return Poll::Pending;
            }
            physical.lock().trunk.handle_timeout(now());
        }
    }

    /// A server that stops says goodbye on every channel, and behind that on the connection
    /// (RFC 6455 §7.4.1: 1001). A connection that nobody holds, or uses, ends.
    fn end_when_it_is_time(&mut self, state: &mut State<S>) {
        let stops = self.drain.as_ref().is_some_and(Draining::has_started);
        let trunk = &mut state.trunk;
        if stops && !self.told {
            self.told = true;
            let channels: Vec<Key> = trunk.channels().collect();
            for key in channels {
                // Open or not; the code is allowed, the reason short.
                let _ = trunk.close(key, CloseCode::GOING_AWAY, "server stops");
            }
        }
        let is_empty = trunk.channels().next().is_none();
        if !is_empty {
            self.empty_since = None;
            return;
        }
        let since = *self.empty_since.get_or_insert_with(Instant::now);
        let is_idle = self.idle.is_some_and(|idle| since + idle <= Instant::now());
        let is_left = trunk.role() == Role::Client && state.holders == 0;
        if !self.ending && (stops || is_idle || is_left) {
            self.ending = true;
            let (code, reason) = if stops {
                (CloseCode::GOING_AWAY, "server stops")
            } else {
                (CloseCode::NORMAL, "")
            };
            // Allowed and short; closing already is as good.
            let _ = trunk.close_all(code, reason);
        }
    }

    /// Ready if there is something to look at. Else the task is woken when there is.
    fn poll_clock(&mut self, deadline: Option<Instant>, cx: &mut Context<'_>) -> Poll<()> {
        let moved = !self
            .parked
            .as_ref()
            .is_some_and(|waker| waker.will_wake(cx.waker()));
        if moved {
            self.parked = Some(cx.waker().clone());
            if let Some(drain) = &mut self.drain {
                drain.park(cx);
                if drain.has_started() && !self.told {
                    return Poll::Ready(());
                }
            }
        }
        let idle = match (self.idle, self.empty_since) {
            (Some(idle), Some(since)) if !self.ending => Some(since + idle),
            _ => None,
        };
        let deadline = match (deadline, idle) {
            (Some(one), Some(other)) => one.min(other),
            (one, other) => match one.or(other) {
                Some(deadline) => deadline,
                None => return Poll::Pending,
            },
        };
        let timer = match &mut self.timer {
            // One that fires too early finds nothing to do, and is set anew: most deadlines move away
            // with every octet.
            Some(timer) if timer.deadline() <= deadline && !timer.is_elapsed() => {
                if !moved {
                    return Poll::Pending;
                }
                timer
            }
            Some(timer) => {
                timer.as_mut().reset(deadline);
                timer
            }
            None => self
                .timer
                .insert(Box::pin(tokio::time::sleep_until(deadline))),
        };
        timer.as_mut().poll(cx)
    }
}

/// Nobody keeps the connection going any more, as when its runtime ends.
impl<S> Drop for Pump<S> {
    fn drop(&mut self) {
        let mut state = self.physical.lock();
        if !state.is_over() {
            state.trunk.handle_lost(now());
            while let Some(news) = state.trunk.poll_news() {
                match news {
                    News::Closed(_) => state.over = true,
                    news => state.tell(news),
                }
            }
            self.physical.slots.notify_waiters();
            state.wake_all();
        }
        state.hang_up();
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> State<S> {
    /// Writes what the stream takes, for whoever polls in place of the pump, and tells the pump of what
    /// it would not learn of else: a deadline that begins, a stream that breaks, an end.
    pub(crate) fn write_now(&mut self) {
        let pump = self.pump.clone();
        self.write(&mut Context::from_waker(&pump));
        let sooner = match self.pump_deadline {
            // It has only moved away.
            Some(_) if self.trunk.is_quiet() => false,
            known => match (self.trunk.poll_timeout(), known) {
                (Some(deadline), Some(known)) => deadline < known,
                (deadline, _) => deadline.is_some(),
            },
        };
        let broken = self.io.as_ref().is_some_and(|io| io.broken && !io.ended);
        if sooner || broken || self.trunk.has_news() {
            pump.wake();
        }
    }

    /// Writes, unless others that were woken have not come yet: they may have answers too, and the last
    /// of them, or the pump, writes for all.
    pub(super) fn write_in_turn(&mut self) {
        if self.woken == 0 && self.trunk.has_transmit() {
            self.write_now();
        } else {
            self.nudge();
        }
    }

    fn write(&mut self, cx: &mut Context<'_>) {
        let Self { io, trunk, .. } = self;
        if let Some(io) = io
            && io.poll_write(trunk, cx).is_ready()
            && !trunk.has_transmit()
        {
            // Only those that are done: others would come, write nothing, and wake each other for ever.
            let Self {
                flushers, trunk, ..
            } = self;
            flushers.retain(|(key, waker)| {
                let done = trunk.buffered(*key) == 0;
                if done {
                    waker.wake_by_ref();
                }
                !done
            });
        }
    }
}

impl<S> State<S> {
    /// Wakes whoever waits for this.
    fn tell(&mut self, news: News) {
        match news {
            News::Ready(key) => {
                if let Some(waiting) = self.waiting.get_mut(&key) {
                    if let Some(waker) = waiting.reader.take() {
                        waker.wake();
                        self.woken += usize::from(!waiting.woken);
                        waiting.woken = true;
                    }
                    if let Some(waker) = waiting.sender.take() {
                        waker.wake();
                    }
                }
                self.wake_flushers(|flusher| flusher == key);
            }
            News::Room(key) => {
                let waiting = self.waiting.get_mut(&key);
                if let Some(waker) = waiting.and_then(|waiting| waiting.sender.take()) {
                    waker.wake();
                }
            }
            News::Opened(key, opening) => self.answer(key, Ok(opening)),
            News::Refused(key, error) => self.answer(key, Err(error)),
            _ => {}
        }
    }

    fn answer(&mut self, key: Key, answer: super::Answer) {
        if let Some(asking) = self.asking.remove(&key) {
            // Who has asked may have gone, and then the channel is abandoned.
            let _ = asking.send(answer);
        }
    }

    fn wake_all(&mut self) {
        let keys: Vec<Key> = self.waiting.keys().copied().collect();
        for key in keys {
            self.tell(News::Ready(key));
        }
        self.wake_flushers(|_| true);
        // Who has asked for a channel learns that there is none.
        self.asking.clear();
    }
}

//! The pump between a byte stream and a [`Connection`] of one WebSocket.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker, ready};

use cloverleaf_proto::endpoint::State;
use cloverleaf_proto::{Connection, Event, close::CloseCode};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;
use tokio::task::coop::has_budget_remaining;
use tokio::time::{Instant, Sleep};

use crate::io::{Io, now};

/// A byte stream, a connection, and what the clock and a stopping server have to say.
pub(crate) struct Driver<S> {
    io: Io<S>,
    connection: Connection,
    timer: Option<Pin<Box<Sleep>>>,
    drain: Option<Draining>,
    /// The task that timer and drain will wake.
    parked: Option<Waker>,
}

/// Tells the connections of a server that it stops.
#[derive(Debug, Default)]
pub(crate) struct Drain {
    started: AtomicBool,
    notify: Arc<Notify>,
}

impl Drain {
    pub(crate) fn start(&self) {
        self.started.store(true, Ordering::Release);
        self.notify.notify_waiters();
    }

    pub(crate) fn has_started(&self) -> bool {
        self.started.load(Ordering::Acquire)
    }
}

/// Waits for a server to stop.
pub(crate) struct Draining {
    drain: Arc<Drain>,
    notified: Pin<Box<OwnedNotified>>,
}

impl Draining {
    pub(crate) fn new(drain: Arc<Drain>) -> Self {
        let notified = Box::pin(Arc::clone(&drain.notify).notified_owned());
        Self { drain, notified }
    }

    pub(crate) fn has_started(&self) -> bool {
        self.drain.has_started()
    }

    /// Only to be woken: whether it has started is another question.
    pub(crate) fn park(&mut self, cx: &mut Context<'_>) {
        let _ = self.notified.as_mut().poll(cx);
    }
}

impl<S> Driver<S> {
    pub(crate) fn new(stream: S, connection: Connection, drain: Option<Arc<Drain>>) -> Self {
        Self {
            io: Io::new(stream),
            connection,
            timer: None,
            drain: drain.map(Draining::new),
            parked: None,
        }
    }

    pub(crate) const fn stream(&self) -> &S {
        &self.io.stream
    }

    pub(crate) const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// For commands. What they produce is written by the next poll.
    pub(crate) const fn connection_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Whether nothing can be written any more.
    pub(crate) const fn is_broken(&self) -> bool {
        self.io.broken
    }

    /// The I/O error that broke the stream, once.
    pub(crate) const fn take_error(&mut self) -> Option<std::io::Error> {
        self.io.error.take()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Driver<S> {
    /// The next event. `None` behind [`Event::Closed`].
    ///
    /// Cancel-safe: everything is kept in the connection.
    pub(crate) fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        loop {
            if let Some(event) = self.connection.poll_event() {
                return Poll::Ready(Some(event));
            }
            if self.connection.is_done() {
                return Poll::Ready(None);
            }
            self.check_drain();
            // Everything that was asked for is decoded: what `send` has corked goes out now. If the
            // stream does not take it we read on, or two ends that both write would wait for ever.
            if self.io.unflushed || self.connection.has_transmit() {
                let _ = self.io.poll_write(&mut self.connection, cx);
                // Ending our side may have been the last thing to do, and an encoder may have told
                // something.
                if self.connection.is_done() || self.connection.has_notices() {
                    continue;
                }
            }
            // The clock only when there is nothing to read: what has arrived in time is not late.
            if self.io.poll_read(&mut self.connection, cx).is_pending() {
                if self.io.broken && !self.io.ended && has_budget_remaining() {
                    // All that had come is read.
                    self.io.ended = true;
                    self.connection.handle_lost(now());
                    continue;
                }
                self.connection.release();
                ready!(self.poll_clock(cx));
            }
        }
    }

    /// Writes what waits to be written, and reads on meanwhile.
    ///
    /// Ready once everything is out or nothing can be any more.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_until(cx, |_| false)
    }

    /// Ready once another message may be sent: little enough waits to be written.
    pub(crate) fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.check_drain();
        if !self.connection.is_write_buffer_high() {
            return Poll::Ready(());
        }
        self.poll_until(cx, |connection| !connection.is_write_buffer_high())
    }

    /// Writes what the stream takes without waiting.
    pub(crate) fn write_now(&mut self, cx: &mut Context<'_>) {
        let _ = self.io.poll_write(&mut self.connection, cx);
    }

    fn poll_until(
        &mut self,
        cx: &mut Context<'_>,
        enough: impl Fn(&Connection) -> bool,
    ) -> Poll<()> {
        loop {
            let ready =
                self.io.poll_write(&mut self.connection, cx).is_ready() || enough(&self.connection);
            if ready || self.connection.is_done() {
                return Poll::Ready(());
            }
            self.check_drain();
            // Once an event is ready for the application, more is not read on its behalf. A fragment
            // is none: two ends that send long messages to each other read them all the while.
            if !self.connection.look_ahead()
                && self.io.poll_read(&mut self.connection, cx).is_ready()
            {
                continue;
            }
            ready!(self.poll_clock(cx));
        }
    }

    /// Ready if a deadline has passed. Else the task is woken when the next one does.
    #[inline]
    fn poll_clock(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let moved = !self
            .parked
            .as_ref()
            .is_some_and(|waker| waker.will_wake(cx.waker()));
        if moved {
            self.parked = Some(cx.waker().clone());
            if let Some(draining) = &mut self.drain {
                draining.park(cx);
                if draining.has_started() && self.connection.state() == State::Open {
                    return Poll::Ready(());
                }
            }
        }
        // A deadline that moves away, as it does with every octet that comes, leaves the timer where
        // it is; when it fires, it is set anew.
        let armed = !moved && self.timer.as_ref().is_some_and(|timer| !timer.is_elapsed());
        if armed && self.connection.is_quiet() {
            return Poll::Pending;
        }
        let Some(deadline) = self.connection.poll_timeout().map(Instant::from_std) else {
            return Poll::Pending;
        };
        let timer = match &mut self.timer {
            Some(timer) => {
                if timer.deadline() > deadline {
                    timer.as_mut().reset(deadline);
                } else if armed {
                    return Poll::Pending;
                }
                timer
            }
            None => self
                .timer
                .insert(Box::pin(tokio::time::sleep_until(deadline))),
        };
        loop {
            ready!(timer.as_mut().poll(cx));
            if deadline <= Instant::now() {
                self.connection.handle_timeout(now());
                return Poll::Ready(());
            }
            timer.as_mut().reset(deadline);
        }
    }

    /// A stopping server says goodbye (RFC 6455 §7.4.1: 1001).
    #[inline]
    pub(crate) fn check_drain(&mut self) {
        if let Some(draining) = &self.drain
            && draining.has_started()
            && self.connection.state() == State::Open
        {
            // An open connection, an allowed code, a short reason.
            let _ = self.connection.close(CloseCode::GOING_AWAY, "server stops");
        }
    }
}

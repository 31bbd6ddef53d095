//! The pump between a byte stream and a [`Connection`]: the only file that calls `handle_*` and
//! `poll_*`.

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker, ready};

use bytes::BufMut;
use cloverleaf_proto::connection::Transmit;
use cloverleaf_proto::endpoint::State;
use cloverleaf_proto::{Connection, Event, close::CloseCode};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;
use tokio::task::coop::has_budget_remaining;
use tokio::time::{Instant, Sleep};

/// Octets in the one read buffer that every thread has. A waiting connection has none.
const READ_BUFFER: usize = 64 << 10;

thread_local! {
    /// Lent to whichever connection is being polled.
    static LENT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A byte stream, a connection, and what the clock and a stopping server have to say.
pub(crate) struct Driver<S> {
    stream: S,
    connection: Connection,
    timer: Option<Pin<Box<Sleep>>>,
    drain: Option<Draining>,
    /// The task that timer and drain will wake.
    parked: Option<Waker>,
    /// Octets were written since the stream was last flushed.
    unflushed: bool,
    /// The peer has ended its side: there is nothing more to read.
    ended: bool,
    /// Nothing can be written any more. What has come, the peer's reason perhaps, is still read.
    broken: bool,
    error: Option<io::Error>,
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

struct Draining {
    drain: Arc<Drain>,
    notified: Pin<Box<OwnedNotified>>,
}

fn now() -> std::time::Instant {
    Instant::now().into_std()
}

impl<S> Driver<S> {
    pub(crate) fn new(stream: S, connection: Connection, drain: Option<Arc<Drain>>) -> Self {
        let drain = drain.map(|drain| {
            let notified = Box::pin(Arc::clone(&drain.notify).notified_owned());
            Draining { drain, notified }
        });
        Self {
            stream,
            connection,
            timer: None,
            drain,
            parked: None,
            unflushed: false,
            ended: false,
            broken: false,
            error: None,
        }
    }

    pub(crate) const fn stream(&self) -> &S {
        &self.stream
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
        self.broken
    }

    /// The I/O error that broke the stream, once.
    pub(crate) const fn take_error(&mut self) -> Option<io::Error> {
        self.error.take()
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
            if self.unflushed || self.connection.has_transmit() {
                let _ = self.poll_write(cx);
                // Ending our side may have been the last thing to do, and an encoder may have told
                // something.
                if self.connection.is_done() || self.connection.has_notices() {
                    continue;
                }
            }
            // The clock only when there is nothing to read: what has arrived in time is not late.
            if self.poll_read(cx).is_pending() {
                if self.broken && !self.ended && has_budget_remaining() {
                    // All that had come is read.
                    self.ended = true;
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
        let _ = self.poll_write(cx);
    }

    fn poll_until(
        &mut self,
        cx: &mut Context<'_>,
        enough: impl Fn(&Connection) -> bool,
    ) -> Poll<()> {
        loop {
            let ready = self.poll_write(cx).is_ready() || enough(&self.connection);
            if ready || self.connection.is_done() {
                return Poll::Ready(());
            }
            self.check_drain();
            // Once an event is ready for the application, more is not read on its behalf. A fragment
            // is none: two ends that send long messages to each other read them all the while.
            if !self.connection.look_ahead() && self.poll_read(cx).is_ready() {
                continue;
            }
            ready!(self.poll_clock(cx));
        }
    }

    /// Ready once nothing waits to be written, or nothing can be any more.
    #[inline]
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let written = match self.connection.poll_transmit() {
                Transmit::Idle => break,
                Transmit::Write(front, []) => Pin::new(&mut self.stream).poll_write(cx, front),
                Transmit::Write(front, back) => {
                    let slices = [io::IoSlice::new(front), io::IoSlice::new(back)];
                    Pin::new(&mut self.stream).poll_write_vectored(cx, &slices)
                }
                Transmit::Shutdown => {
                    let result = ready!(Pin::new(&mut self.stream).poll_shutdown(cx));
                    match result {
                        Ok(()) => self.connection.handle_shutdown(now()),
                        Err(error) => self.lose(error),
                    }
                    continue;
                }
            };
            match written {
                Poll::Ready(Ok(0)) => self.lose(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(n)) => {
                    self.unflushed = true;
                    self.connection.handle_written(now(), n);
                    if !self.connection.has_transmit() {
                        break;
                    }
                }
                Poll::Ready(Err(error)) => self.stop_writing(error),
                Poll::Pending => {
                    self.connection.handle_written(now(), 0);
                    return Poll::Pending;
                }
            }
        }
        if self.unflushed {
            // TLS keeps records back; for a plain socket this does nothing.
            match ready!(Pin::new(&mut self.stream).poll_flush(cx)) {
                Ok(()) => self.unflushed = false,
                Err(error) => self.stop_writing(error),
            }
        }
        Poll::Ready(())
    }

    /// Reads once. Ready if anything changed.
    #[inline]
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // While our last octets wait to be written, the end would be found again and again.
        if self.ended {
            return Poll::Pending;
        }
        if let Some(mut target) = self.connection.read_target() {
            let room = target.remaining_mut();
            let read = pin!(self.stream.read_buf(&mut target)).poll(cx);
            match ready!(read) {
                Ok(0) if room > 0 => self.end(),
                Ok(_) => self.connection.handle_filled(now()),
                Err(error) => self.lose(error),
            }
            return Poll::Ready(());
        }
        let mut lent = LENT.take();
        if lent.len() < READ_BUFFER {
            // Filled with zeros once in the life of a thread.
            lent.resize(READ_BUFFER, 0);
        }
        let mut buffer = ReadBuf::new(&mut lent);
        let read = Pin::new(&mut self.stream).poll_read(cx, &mut buffer);
        if let Poll::Ready(result) = &read {
            match (result, buffer.filled_mut()) {
                (Ok(()), []) => self.end(),
                (Ok(()), input) => self.connection.handle_input(now(), input),
                (Err(_), _) => {}
            }
        }
        LENT.set(lent);
        read.map(|result| {
            if let Err(error) = result {
                self.lose(error);
            }
        })
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
                // Only to be woken: whether it has started is asked on the way in.
                let _ = draining.notified.as_mut().poll(cx);
                if draining.drain.has_started() && self.connection.state() == State::Open {
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
            && draining.drain.has_started()
            && self.connection.state() == State::Open
        {
            // An open connection, an allowed code, a short reason.
            let _ = self.connection.close(CloseCode::GOING_AWAY, "server stops");
        }
    }

    fn end(&mut self) {
        self.ended = true;
        self.connection.handle_eof(now());
    }

    /// A peer that has closed and gone breaks what we write, and its close frame may still be there to
    /// be read.
    fn stop_writing(&mut self, error: io::Error) {
        self.unflushed = false;
        self.broken = true;
        self.connection.handle_write_lost();
        self.error.get_or_insert(error);
    }

    fn lose(&mut self, error: io::Error) {
        self.ended = true;
        self.connection.handle_lost(now());
        self.error.get_or_insert(error);
    }
}

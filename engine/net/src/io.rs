//! The byte stream below an engine: what the engine has to write goes out, what comes goes in.

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::buf::Limit;
use bytes::{BufMut, BytesMut};
use cloverleaf_proto::connection::Transmit;
use cloverleaf_proto::{Connection, Trunk};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// Octets in the one read buffer that every thread has. A waiting connection has none.
const READ_BUFFER: usize = 64 << 10;

thread_local! {
    /// Lent to whichever connection is being polled.
    static LENT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The verbs that a stream needs: those of one connection, and of one that carries many.
pub(crate) trait Engine {
    fn poll_transmit(&mut self) -> Transmit<'_>;
    fn has_transmit(&self) -> bool;
    /// Where to read next, if not into the lent buffer.
    fn read_target(&mut self) -> Option<Limit<&mut BytesMut>> {
        None
    }
    fn handle_input(&mut self, now: std::time::Instant, input: &mut [u8]);
    /// What was read went there.
    fn handle_filled(&mut self, _: std::time::Instant) {}
    fn handle_written(&mut self, now: std::time::Instant, n: usize);
    fn handle_shutdown(&mut self, now: std::time::Instant);
    fn handle_eof(&mut self, now: std::time::Instant);
    fn handle_lost(&mut self, now: std::time::Instant);
    fn handle_write_lost(&mut self);
}

pub(crate) fn now() -> std::time::Instant {
    Instant::now().into_std()
}

pub(crate) struct Io<S> {
    pub(crate) stream: S,
    /// Octets were written since the stream was last flushed.
    pub(crate) unflushed: bool,
    /// The peer has ended its side: there is nothing more to read.
    pub(crate) ended: bool,
    /// Nothing can be written any more. What has come, the peer's reason perhaps, is still read.
    pub(crate) broken: bool,
    pub(crate) error: Option<io::Error>,
}

impl<S> Io<S> {
    pub(crate) const fn new(stream: S) -> Self {
        Self {
            stream,
            unflushed: false,
            ended: false,
            broken: false,
            error: None,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Io<S> {
    /// Ready once nothing waits to be written, or nothing can be any more.
    #[inline]
    pub(crate) fn poll_write(
        &mut self,
        engine: &mut impl Engine,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        loop {
            let written = match engine.poll_transmit() {
                Transmit::Idle => break,
                Transmit::Write(front, []) => Pin::new(&mut self.stream).poll_write(cx, front),
                Transmit::Write(front, back) => {
                    let slices = [io::IoSlice::new(front), io::IoSlice::new(back)];
                    Pin::new(&mut self.stream).poll_write_vectored(cx, &slices)
                }
                Transmit::Shutdown => {
                    let result = ready!(Pin::new(&mut self.stream).poll_shutdown(cx));
                    match result {
                        Ok(()) => engine.handle_shutdown(now()),
                        Err(error) => self.lose(engine, error),
                    }
                    continue;
                }
            };
            match written {
                Poll::Ready(Ok(0)) => self.lose(engine, io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(n)) => {
                    self.unflushed = true;
                    engine.handle_written(now(), n);
                    if !engine.has_transmit() {
                        break;
                    }
                }
                Poll::Ready(Err(error)) => self.stop_writing(engine, error),
                Poll::Pending => {
                    engine.handle_written(now(), 0);
                    return Poll::Pending;
                }
            }
        }
        if self.unflushed {
            // TLS keeps records back; for a plain socket this does nothing.
            match ready!(Pin::new(&mut self.stream).poll_flush(cx)) {
                Ok(()) => self.unflushed = false,
                Err(error) => self.stop_writing(engine, error),
            }
        }
        Poll::Ready(())
    }

    /// Reads once. Ready if anything changed.
    #[inline]
    pub(crate) fn poll_read(&mut self, engine: &mut impl Engine, cx: &mut Context<'_>) -> Poll<()> {
        // While our last octets wait to be written, the end would be found again and again.
        if self.ended {
            return Poll::Pending;
        }
        if let Some(mut target) = engine.read_target() {
            let room = target.remaining_mut();
            let read = pin!(self.stream.read_buf(&mut target)).poll(cx);
            match ready!(read) {
                Ok(0) if room > 0 => self.end(engine),
                Ok(_) => engine.handle_filled(now()),
                Err(error) => self.lose(engine, error),
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
                (Ok(()), []) => self.end(engine),
                (Ok(()), input) => engine.handle_input(now(), input),
                (Err(_), _) => {}
            }
        }
        LENT.set(lent);
        read.map(|result| {
            if let Err(error) = result {
                self.lose(engine, error);
            }
        })
    }

    fn end(&mut self, engine: &mut impl Engine) {
        self.ended = true;
        engine.handle_eof(now());
    }

    /// A peer that has closed and gone breaks what we write, and its close frame may still be there to
    /// be read.
    fn stop_writing(&mut self, engine: &mut impl Engine, error: io::Error) {
        self.unflushed = false;
        self.broken = true;
        engine.handle_write_lost();
        self.error.get_or_insert(error);
    }

    fn lose(&mut self, engine: &mut impl Engine, error: io::Error) {
        self.ended = true;
        engine.handle_lost(now());
        self.error.get_or_insert(error);
    }
}

impl Engine for Connection {
    #[inline]
    fn poll_transmit(&mut self) -> Transmit<'_> {
        self.poll_transmit()
    }
    #[inline]
    fn has_transmit(&self) -> bool {
        self.has_transmit()
    }
    #[inline]
    fn read_target(&mut self) -> Option<Limit<&mut BytesMut>> {
        self.read_target()
    }
    #[inline]
    fn handle_input(&mut self, now: std::time::Instant, input: &mut [u8]) {
        self.handle_input(now, input);
    }
    fn handle_filled(&mut self, now: std::time::Instant) {
        self.handle_filled(now);
    }
    #[inline]
    fn handle_written(&mut self, now: std::time::Instant, n: usize) {
        self.handle_written(now, n);
    }
    fn handle_shutdown(&mut self, now: std::time::Instant) {
        self.handle_shutdown(now);
    }
    fn handle_eof(&mut self, now: std::time::Instant) {
        self.handle_eof(now);
    }
    fn handle_lost(&mut self, now: std::time::Instant) {
        self.handle_lost(now);
    }
    fn handle_write_lost(&mut self) {
        self.handle_write_lost();
    }
}

/// The messages of a carrier are short: they have no target of their own.
impl Engine for Trunk {
    fn poll_transmit(&mut self) -> Transmit<'_> {
        self.poll_transmit()
    }
    fn has_transmit(&self) -> bool {
        self.has_transmit()
    }
    fn handle_input(&mut self, now: std::time::Instant, input: &mut [u8]) {
        self.handle_input(now, input);
    }
    fn handle_written(&mut self, now: std::time::Instant, n: usize) {
        self.handle_written(now, n);
    }
    fn handle_shutdown(&mut self, now: std::time::Instant) {
        self.handle_shutdown(now);
    }
    fn handle_eof(&mut self, now: std::time::Instant) {
        self.handle_eof(now);
    }
    fn handle_lost(&mut self, now: std::time::Instant) {
        self.handle_lost(now);
    }
    fn handle_write_lost(&mut self) {
        self.handle_write_lost();
    }
}

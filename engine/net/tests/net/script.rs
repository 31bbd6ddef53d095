//! A byte stream that does exactly what a test says.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What the next read of the stream finds. When the plan is used up, reads wait.
pub(crate) enum Read {
    Octets(Vec<u8>),
    /// Nothing just now; the task is woken at once.
    NotYet,
    Eof,
    Fail(io::ErrorKind),
}

/// The stream.
#[derive(Debug)]
pub(crate) struct Script(Hand);

/// The test's hand on the stream.
#[derive(Clone, Debug)]
pub(crate) struct Hand(Arc<Mutex<Plan>>);

#[derive(Default)]
struct Plan {
    reads: VecDeque<Read>,
    reader: Option<Waker>,
    read_calls: usize,
    ends_seen: usize,
    written: Vec<u8>,
    /// The octets that each write took.
    writes: Vec<usize>,
    vectored: usize,
    /// How many octets are taken before writes wait; `None`: all.
    room: Option<usize>,
    /// A single write takes no more than this.
    piece: Option<usize>,
    write_failure: Option<io::ErrorKind>,
    /// Every second write waits, and is woken at once.
    hesitant: Option<bool>,
    writer: Option<Waker>,
    flush_blocked: bool,
    flushes: usize,
    shut: bool,
    dropped: bool,
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan")
            .field("to_read", &self.reads.len())
            .field("written", &self.written.len())
            .field("room", &self.room)
            .finish_non_exhaustive()
    }
}

impl Script {
    pub(crate) fn new() -> (Self, Hand) {
        let hand = Hand(Arc::default());
        (Self(hand.clone()), hand)
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.0.lock().dropped = true;
    }
}

impl Hand {
    fn lock(&self) -> MutexGuard<'_, Plan> {
        // A test that fails in the middle of a read still drops its stream.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn then(&self, read: Read) {
        let mut plan = self.lock();
        plan.reads.push_back(read);
        if let Some(reader) = plan.reader.take() {
            drop(plan);
            reader.wake();
        }
    }

    pub(crate) fn send(&self, octets: &[u8]) {
        if octets.is_empty() {
            // Read, it would be the end.
            return;
        }
        self.then(Read::Octets(octets.to_vec()));
    }

    /// Sends every octet by itself, and lets the stream wait before each.
    pub(crate) fn drip(&self, octets: &[u8]) {
        for octet in octets {
            self.then(Read::NotYet);
            self.send(&[*octet]);
        }
    }

    pub(crate) fn end(&self) {
        self.then(Read::Eof);
    }

    /// What was written since the last call.
    pub(crate) fn take(&self) -> Vec<u8> {
        let mut plan = self.lock();
        plan.writes.clear();
        plan.vectored = 0;
        std::mem::take(&mut plan.written)
    }

    /// How many octets each write took since the last [`take`](Self::take).
    pub(crate) fn writes(&self) -> Vec<usize> {
        self.lock().writes.clone()
    }

    /// How many of these writes were vectored, of more than one slice.
    pub(crate) fn vectored(&self) -> usize {
        self.lock().vectored
    }

    pub(crate) fn flushes(&self) -> usize {
        self.lock().flushes
    }

    pub(crate) fn read_calls(&self) -> usize {
        self.lock().read_calls
    }

    pub(crate) fn is_shut(&self) -> bool {
        self.lock().shut
    }

    pub(crate) fn is_dropped(&self) -> bool {
        self.lock().dropped
    }

    /// So many octets more are taken; then writes wait. `None`: no bound.
    pub(crate) fn room(&self, room: Option<usize>) {
        let mut plan = self.lock();
        plan.room = room;
        if let Some(writer) = plan.writer.take() {
            drop(plan);
            writer.wake();
        }
    }

    /// A single write takes no more than this.
    pub(crate) fn piece(&self, most: usize) {
        self.lock().piece = Some(most);
    }

    /// Every second write waits, and is woken at once.
    pub(crate) fn hesitate(&self) {
        self.lock().hesitant = Some(false);
    }

    pub(crate) fn fail_writes(&self, kind: io::ErrorKind) {
        self.lock().write_failure = Some(kind);
    }

    pub(crate) fn block_flush(&self, blocked: bool) {
        self.lock().flush_blocked = blocked;
    }
}

impl Plan {
    fn write(&mut self, cx: &Context<'_>, slices: &[&[u8]]) -> Poll<io::Result<usize>> {
        assert!(!self.shut, "written behind the end");
        if let Some(kind) = self.write_failure {
            return Poll::Ready(Err(kind.into()));
        }
        if let Some(turn) = &mut self.hesitant {
            *turn = !*turn;
            if *turn {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
        let offered: usize = slices.iter().map(|slice| slice.len()).sum();
        let most = self.piece.unwrap_or(usize::MAX);
        let n = offered.min(most).min(self.room.unwrap_or(usize::MAX));
        if n == 0 && offered > 0 && most > 0 {
            self.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let octets = slices.concat();
        self.written.extend_from_slice(&octets[..n]);
        self.writes.push(n);
        if slices.iter().filter(|slice| !slice.is_empty()).count() > 1 {
            self.vectored += 1;
        }
        self.room = self.room.map(|room| room - n);
        Poll::Ready(Ok(n))
    }
}

impl AsyncRead for Script {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut plan = self.0.lock();
        plan.read_calls += 1;
        match plan.reads.pop_front() {
            None => {
                plan.reader = Some(cx.waker().clone());
                Poll::Pending
            }
            Some(Read::NotYet) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Some(Read::Octets(mut octets)) => {
                let rest = octets.split_off(octets.len().min(buffer.remaining()));
                buffer.put_slice(&octets);
                if !rest.is_empty() {
                    plan.reads.push_front(Read::Octets(rest));
                }
                Poll::Ready(Ok(()))
            }
            Some(Read::Eof) => {
                plan.reads.push_front(Read::Eof);
                plan.ends_seen += 1;
                assert!(plan.ends_seen < 100, "reads on and on behind the end");
                Poll::Ready(Ok(()))
            }
            Some(Read::Fail(kind)) => {
                plan.reads.push_front(Read::Fail(kind));
                Poll::Ready(Err(kind.into()))
            }
        }
    }
}

impl AsyncWrite for Script {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.lock().write(cx, &[octets])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let slices: Vec<&[u8]> = slices.iter().map(|slice| &**slice).collect();
        self.0.lock().write(cx, &slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut plan = self.0.lock();
        plan.flushes += 1;
        if plan.flush_blocked {
            plan.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.lock().shut = true;
        Poll::Ready(Ok(()))
    }
}

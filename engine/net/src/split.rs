//! Two halves for two tasks, each of which keeps the protocol going.

use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::event::Closed;
use cloverleaf_proto::extension::{Hints, Statistics};
use cloverleaf_proto::{Event, Message};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::error::Error;
use crate::socket::WebSocket;

/// The receiving half of a [`WebSocket`]. Pings and close frames are answered while it waits.
pub struct Receiver<S: AsyncRead + AsyncWrite + Unpin>(Arc<Shared<S>>);

/// The sending half of a [`WebSocket`]. Clone it for as many tasks as send: messages stay whole.
///
/// Unlike [`WebSocket::send`], it always writes at once. The connection closes when the receiver
/// and all senders are dropped.
pub struct Sender<S: AsyncRead + AsyncWrite + Unpin>(Arc<Shared<S>>);

struct Shared<S: AsyncRead + AsyncWrite + Unpin> {
    socket: Mutex<WebSocket<S>>,
    /// One sender at a time waits for room; the others wait for their turn, in order.
    turn: tokio::sync::Mutex<()>,
    tasks: Arc<Tasks>,
    /// Wakes both tasks. A byte stream remembers one waker for each direction, and both halves read
    /// and write.
    both: Waker,
}

#[derive(Default)]
struct Tasks {
    receiver: Mutex<Option<Waker>>,
    sender: Mutex<Option<Waker>>,
}

impl Wake for Tasks {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        wake(&self.receiver);
        wake(&self.sender);
    }
}

/// A panic while a lock was held has broken nothing that outlives it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wake(task: &Mutex<Option<Waker>>) {
    let waker = lock(task).clone();
    if let Some(waker) = waker {
        waker.wake();
    }
}

fn park(task: &Mutex<Option<Waker>>, cx: &Context<'_>) {
    let mut task = lock(task);
    if !task
        .as_ref()
        .is_some_and(|waker| waker.will_wake(cx.waker()))
    {
        *task = Some(cx.waker().clone());
    }
}

pub(crate) fn split<S: AsyncRead + AsyncWrite + Unpin>(
    socket: WebSocket<S>,
) -> (Sender<S>, Receiver<S>) {
    let tasks = Arc::new(Tasks::default());
    let both = Waker::from(Arc::clone(&tasks));
    let shared = Arc::new(Shared {
        socket: Mutex::new(socket),
        turn: tokio::sync::Mutex::new(()),
        tasks,
        both,
    });
    (Sender(Arc::clone(&shared)), Receiver(shared))
}

impl<S: AsyncRead + AsyncWrite + Unpin> Shared<S> {
    fn poll_receiver<T>(
        &self,
        cx: &Context<'_>,
        poll: impl FnOnce(&mut WebSocket<S>, &mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        park(&self.tasks.receiver, cx);
        poll(
            &mut lock(&self.socket),
            &mut Context::from_waker(&self.both),
        )
    }

    fn poll_sender<T>(
        &self,
        cx: &Context<'_>,
        poll: impl FnOnce(&mut WebSocket<S>, &mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        park(&self.tasks.sender, cx);
        let mut socket = lock(&self.socket);
        let result = poll(&mut socket, &mut Context::from_waker(&self.both));
        // While it waited, the sender may have read something that the receiver waits for, or an
        // encoder may have told something. And a closing handshake has a deadline, for which the
        // receiver must set its timer.
        let news = socket.line_mut().has_news();
        drop(socket);
        if news {
            wake(&self.tasks.receiver);
        }
        result
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Sender<S> {
    /// Sends a message, and waits until it has been handed to the stream; on a channel, as
    /// [`WebSocket::send`], for room only. Cancelled, it has either
    /// taken the message, which then leaves whole, or not touched it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`](crate::ErrorKind::Closed) if the connection is closed or closing.
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), Error> {
        self.send_with(message, Hints::new()).await
    }

    /// Sends a message with hints to the extensions.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub async fn send_with(&self, message: impl Into<Message>, hints: Hints) -> Result<(), Error> {
        let message = message.into();
        let _turn = self.0.turn.lock().await;
        let room = |cx: &mut Context<'_>| {
            self.0
                .poll_sender(cx, |socket, cx| socket.line_mut().poll_room(cx))
        };
        poll_fn(room).await;
        {
            let mut socket = lock(&self.0.socket);
            let line = socket.line_mut();
            line.send(message, hints)?;
            if line.is_shared() {
                line.cork();
                return Ok(());
            }
        }
        let flush = |cx: &mut Context<'_>| {
            self.0
                .poll_sender(cx, |socket, cx| socket.line_mut().poll_flush(cx))
        };
        poll_fn(flush).await;
        Ok(())
    }

    /// Starts the closing handshake and waits until our close frame is written. The receiver sees
    /// the end.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for a code that may not be sent or a reason
    /// over 123 octets.
    pub async fn close(&self, code: CloseCode, reason: &str) -> Result<(), Error> {
        let _turn = self.0.turn.lock().await;
        lock(&self.0.socket).line_mut().close(code, reason)?;
        let flush = |cx: &mut Context<'_>| {
            self.0
                .poll_sender(cx, |socket, cx| socket.line_mut().poll_flush(cx))
        };
        poll_fn(flush).await;
        Ok(())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Receiver<S> {
    /// The next message; `None` once the connection has closed without an error. Cancel-safe.
    ///
    /// # Errors
    ///
    /// How the connection ended, once; `None` from then on.
    pub async fn recv(&mut self) -> Result<Option<Message>, Error> {
        poll_fn(|cx| self.0.poll_receiver(cx, WebSocket::poll_recv)).await
    }

    /// The next event of any kind; `None` behind the end. Cancel-safe.
    pub async fn recv_event(&mut self) -> Option<Event> {
        poll_fn(|cx| self.0.poll_receiver(cx, WebSocket::poll_event)).await
    }

    /// What each agreed extension has done so far, in the order of the answer.
    #[must_use]
    pub fn statistics(&self) -> Vec<Statistics> {
        lock(&self.0.socket).statistics()
    }

    /// How the connection ended, once it has.
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        lock(&self.0.socket).closed().cloned()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Clone for Sender<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> fmt::Debug for Sender<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> fmt::Debug for Receiver<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}

//! The WebSocket that applications hold.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::endpoint::State;
use cloverleaf_proto::event::Closed;
use cloverleaf_proto::extension::{Agreed, ChannelId, Hints, Negotiated, Skipped, Statistics};
use cloverleaf_proto::frame::OpCode;
use cloverleaf_proto::handshake::Handshake;
use cloverleaf_proto::message::Kind;
use cloverleaf_proto::{Connection, Event, Message};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::driver::{Drain, Driver};
use crate::error::Error;
use crate::line::Line;
use crate::split::{self, Receiver, Sender};

/// One end of a WebSocket connection, over any byte stream.
///
/// ```no_run
/// # async fn echo(mut socket: cloverleaf::WebSocket<tokio::net::TcpStream>) -> Result<(), cloverleaf::Error> {
/// while let Some(message) = socket.recv().await? {
///     socket.send(message).await?;
/// }
/// # Ok(())
/// # }
/// ```
///
/// # When octets are written
///
/// [`send`](Self::send) writes at once, unless a frame that has already come in waits to be received:
/// then its octets leave together with those of the next answers, at the latest when
/// [`recv`](Self::recv) finds nothing more that has come, at 64 KiB, or at [`flush`](Self::flush).
/// So the plain loop above needs one system call for many messages. Whoever sends and then does
/// something long before the next `recv` calls `flush` in between.
///
/// # What goes on in the background
///
/// Pings are answered, silence is noticed, deadlines are kept and close frames are answered while
/// any of the asynchronous methods is waiting, `recv` above all: no task and no thread works behind
/// your back. A connection on which nothing is called makes no progress.
///
/// # Cancelling
///
/// Every method may be dropped half way, as by `select!` or a timeout. A cancelled `recv` loses
/// nothing. A cancelled `send` has either taken the message, which then leaves whole, or not
/// touched it.
///
/// # One of many
///
/// A channel of a connection that carries many, as [`Multiplexer::open`](crate::Multiplexer::open)
/// and a [`Server`](crate::Server) give them, is the same type and behaves the same, but for this:
/// the connection below has a task of its own, which reads, answers pings and keeps deadlines
/// whether a method waits or not; `send` waits for room, not until the stream has taken everything;
/// the keepalive is the connection's; and a sender that waits for room does not read on, so that two
/// ends which both send much before they receive wait for each other. Taps and guards of channels
/// must not use a socket of the same connection.
///
/// # Dropping
///
/// An open connection that is dropped sends what waits and a close frame, 1000 or in a panic 1011,
/// as far as the stream takes them without waiting. [`close`](Self::close) waits.
pub struct WebSocket<S: AsyncRead + AsyncWrite + Unpin> {
    line: Line<S>,
    opening: Box<Opening>,
    closed: Option<Box<Closed>>,
}

/// What came of the opening handshake.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Opening {
    /// What was said.
    pub handshake: Handshake,
    /// The extensions in use, in the order of the answer.
    pub agreed: Vec<Agreed>,
    /// The offers that led to nothing, and why. On a client: what the server did not answer.
    pub skipped: Vec<Skipped>,
}

impl Opening {
    pub(crate) fn new(handshake: Handshake, extensions: &Negotiated) -> Self {
        Self {
            handshake,
            agreed: extensions.agreed().to_vec(),
            skipped: extensions.skipped().to_vec(),
        }
    }

    /// That of a channel.
    pub(crate) fn of_channel(opening: cloverleaf_proto::trunk::Opening) -> Self {
        Self {
            handshake: opening.handshake,
            agreed: opening.agreed,
            skipped: opening.skipped,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    pub(crate) fn new(
        stream: S,
        connection: Connection,
        opening: Opening,
        drain: Option<Arc<Drain>>,
    ) -> Self {
        let driver = Driver::new(stream, connection, drain);
        Self::on(Line::Own(Box::new(driver)), opening)
    }

    pub(crate) fn on(line: Line<S>, opening: Opening) -> Self {
        Self {
            line,
            opening: Box::new(opening),
            closed: None,
        }
    }

    /// The next message; `None` once the connection has closed without an error. Cancel-safe.
    ///
    /// # Errors
    ///
    /// How the connection ended, once; `None` from then on.
    pub async fn recv(&mut self) -> Result<Option<Message>, Error> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// The next event of any kind, pings, pongs and the end included; `None` behind the end.
    /// Cancel-safe.
    pub async fn recv_event(&mut self) -> Option<Event> {
        poll_fn(|cx| self.poll_event(cx)).await
    }

    /// Sends a message, and waits while too much of what was sent before still waits.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`](crate::ErrorKind::Closed) if the connection is closed or closing.
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        self.send_with(message, Hints::new()).await
    }

    /// Sends a message with hints to the extensions, such as not to compress a secret.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub async fn send_with(
        &mut self,
        message: impl Into<Message>,
        hints: Hints,
    ) -> Result<(), Error> {
        let Some(message) = self.line.send_at_once(message.into(), hints)? else {
            return Ok(());
        };
        self.room().await;
        self.line.send(message, hints)?;
        self.cork().await;
        Ok(())
    }

    /// Sends a message part by part, `fin` with the last: for what is too large to hold, or not yet
    /// known.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send); [`ErrorKind::Usage`](crate::ErrorKind::Usage) if `kind` changes half
    /// way.
    pub async fn send_part(
        &mut self,
        kind: Kind,
        part: impl Into<Bytes>,
        fin: bool,
    ) -> Result<(), Error> {
        self.send_part_with(kind, part, fin, Hints::new()).await
    }

    /// Sends a message part by part, with hints to the extensions. Those of the first part count.
    ///
    /// # Errors
    ///
    /// As [`send_part`](Self::send_part).
    pub async fn send_part_with(
        &mut self,
        kind: Kind,
        part: impl Into<Bytes>,
        fin: bool,
        hints: Hints,
    ) -> Result<(), Error> {
        let part = part.into();
        self.room().await;
        self.line.send_part(kind, part, fin, hints)?;
        self.cork().await;
        Ok(())
    }

    /// Sends a frame of an opcode that an agreed extension owns.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send); [`ErrorKind::Usage`](crate::ErrorKind::Usage) if no extension owns
    /// it.
    pub async fn send_extension(
        &mut self,
        opcode: OpCode,
        payload: impl Into<Bytes>,
    ) -> Result<(), Error> {
        let payload = payload.into();
        self.room().await;
        self.line.send_extension(opcode, payload)?;
        self.cork().await;
        Ok(())
    }

    /// Sends a ping of at most 125 octets. The keepalive sends its own.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send); [`ErrorKind::Usage`](crate::ErrorKind::Usage) for a longer payload.
    pub async fn ping(&mut self, payload: &[u8]) -> Result<(), Error> {
        self.line.ping(payload)?;
        poll_fn(|cx| self.line.poll_flush(cx)).await;
        Ok(())
    }

    /// Waits until everything that was sent has been handed to the stream.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`](crate::ErrorKind::Closed) if that can no longer happen.
    pub async fn flush(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Closes the connection with 1000 and waits for the peer to agree, for `close_timeout` at the
    /// most. Messages that still come in are thrown away.
    ///
    /// # Errors
    ///
    /// How the connection ended, if not cleanly.
    pub async fn close(&mut self) -> Result<(), Error> {
        self.close_with(CloseCode::NORMAL, "").await
    }

    /// Closes with this code and reason. A connection that is closing already keeps its code.
    ///
    /// # Errors
    ///
    /// As [`close`](Self::close); [`ErrorKind::Usage`](crate::ErrorKind::Usage) for a code that may
    /// not be sent or a reason over 123 octets.
    pub async fn close_with(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.line.close(code, reason)?;
        poll_fn(|cx| self.poll_closed(cx)).await
    }

    /// Two halves for two tasks.
    #[must_use]
    pub fn split(self) -> (Sender<S>, Receiver<S>) {
        split::split(self)
    }

    /// The opening handshake: request, response, subprotocol, extensions.
    #[must_use]
    pub fn opening(&self) -> &Opening {
        &self.opening
    }

    /// The agreed subprotocol.
    #[must_use]
    pub fn protocol(&self) -> Option<&str> {
        self.opening.handshake.protocol()
    }

    /// How the connection ended, once it has.
    #[must_use]
    pub fn closed(&self) -> Option<&Closed> {
        self.closed.as_deref()
    }

    /// The last measured time from a keepalive ping to its pong.
    #[must_use]
    pub const fn round_trip(&self) -> Option<Duration> {
        self.line.round_trip()
    }

    /// What each agreed extension has done so far, in the order of the answer.
    #[must_use]
    pub fn statistics(&self) -> Vec<Statistics> {
        self.line.statistics()
    }

    /// Octets that wait to be written.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.line.buffered()
    }

    /// The number of this channel among those of its connection; `None` for a WebSocket with a
    /// connection of its own. Once it is closed, the number may be another's.
    #[must_use]
    pub const fn channel(&self) -> Option<ChannelId> {
        self.line.channel()
    }

    /// The byte stream below. Reading from it or writing to it breaks the connection. `None` for a
    /// channel, which has none of its own.
    #[must_use]
    pub const fn get_ref(&self) -> Option<&S> {
        self.line.stream()
    }

    /// Waits until another message may be sent.
    #[inline]
    async fn room(&mut self) {
        if self.line.is_high() {
            poll_fn(|cx| self.line.poll_room(cx)).await;
        }
    }

    /// Behind a command.
    #[inline]
    async fn cork(&mut self) {
        if self.line.cork() {
            poll_fn(|cx| self.line.poll_flush(cx)).await;
        }
    }

    pub(crate) const fn line_mut(&mut self) -> &mut Line<S> {
        &mut self.line
    }

    #[inline]
    pub(crate) fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        let event = ready!(self.line.poll_event(cx));
        if let Some(Event::Closed(closed)) = &event {
            self.closed = Some(Box::new(closed.clone()));
        }
        Poll::Ready(event)
    }

    #[inline]
    pub(crate) fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Message>, Error>> {
        loop {
            match ready!(self.line.poll_event(cx)) {
                Some(Event::Message(message)) => return Poll::Ready(Ok(Some(message))),
                Some(Event::Closed(closed)) => {
                    self.closed = Some(Box::new(closed.clone()));
                    return Poll::Ready(self.ended(closed).map(|()| None));
                }
                None => return Poll::Ready(Ok(None)),
                Some(_) => {}
            }
        }
    }

    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        ready!(self.line.poll_flush(cx));
        // What waited when a connection failed has been thrown away, and does not wait any more.
        let thrown_away = self.line.state() == State::Failing;
        Poll::Ready(if self.line.buffered() == 0 && !thrown_away {
            Ok(())
        } else {
            Err(cloverleaf_proto::error::UsageError::Closed.into())
        })
    }

    /// Drives a closing connection to its end.
    pub(crate) fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            match ready!(self.poll_event(cx)) {
                Some(Event::Closed(closed)) => return Poll::Ready(self.ended(closed)),
                Some(_) => {}
                None => return Poll::Ready(Ok(())),
            }
        }
    }

    fn ended(&mut self, closed: Closed) -> Result<(), Error> {
        let io = self.line.take_error();
        if closed.error.is_none() {
            Ok(())
        } else {
            Err(Error::from_closed(closed, io))
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Drop for WebSocket<S> {
    fn drop(&mut self) {
        let code = if std::thread::panicking() {
            CloseCode::INTERNAL_ERROR
        } else {
            CloseCode::NORMAL
        };
        self.line.abandon(code);
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> fmt::Debug for WebSocket<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocket")
            .field("role", &self.line.role())
            .field("state", &self.line.state())
            .finish_non_exhaustive()
    }
}

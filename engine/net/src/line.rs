//! What a [`WebSocket`](crate::WebSocket) speaks through: a connection of its own, or a channel of one
//! that carries many.

use std::io;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::endpoint::State;
use cloverleaf_proto::error::UsageError;
use cloverleaf_proto::extension::{ChannelId, Hints, Statistics};
use cloverleaf_proto::frame::OpCode;
use cloverleaf_proto::message::Kind;
use cloverleaf_proto::{Event, Message, Role};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::driver::Driver;
use crate::trunk::Channel;

pub(crate) enum Line<S: AsyncRead + AsyncWrite + Unpin> {
    /// Boxed: it is large, and a socket is moved about before it is used.
    Own(Box<Driver<S>>),
    Channel(Channel<S>),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<S> {
    /// The next event. `None` behind [`Event::Closed`].
    #[inline]
    pub(crate) fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        match self {
            Self::Own(driver) => driver.poll_event(cx),
            Self::Channel(channel) => channel.poll_event(cx),
        }
    }

    /// Ready once everything that was sent is out, or nothing can be any more.
    #[inline]
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Own(driver) => driver.poll_flush(cx),
            Self::Channel(channel) => channel.poll_flush(cx),
        }
    }

    /// Ready once another message may be sent.
    #[inline]
    pub(crate) fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Own(driver) => driver.poll_room(cx),
            Self::Channel(channel) => channel.poll_room(cx),
        }
    }

    /// Whether senders should wait. Who only sends never waits for an event, and must learn all the
    /// same that its server stops.
    #[inline]
    pub(crate) fn is_high(&mut self) -> bool {
        match self {
            Self::Own(driver) => {
                driver.check_drain();
                driver.connection().is_write_buffer_high()
            }
            Self::Channel(channel) => channel.is_high(),
        }
    }

    /// Behind a command: whether to flush. Not if a frame that came in waits for the application: its
    /// answer will most likely follow, and both go out together with the next event asked for. A
    /// channel writes what the stream takes at once, and waits for room only.
    #[inline]
    pub(crate) fn cork(&self) -> bool {
        match self {
            Self::Own(driver) => {
                let connection = driver.connection();
                !connection.has_input() || connection.is_write_buffer_high()
            }
            Self::Channel(channel) => {
                channel.cork();
                false
            }
        }
    }

    /// Whether others write to the same stream. Until all is out, they may have put more behind it.
    pub(crate) const fn is_shared(&self) -> bool {
        matches!(self, Self::Channel(_))
    }

    #[inline]
    pub(crate) fn send(&mut self, message: Message, hints: Hints) -> Result<(), UsageError> {
        match self {
            Self::Own(driver) => driver.connection_mut().send(message, hints),
            Self::Channel(channel) => channel.command(|trunk, key| trunk.send(key, message, hints)),
        }
    }

    /// On a channel: sends the message if there is room, and [`cork`](Self::cork)s. Else the message is
    /// given back.
    #[inline]
    pub(crate) fn send_at_once(
        &self,
        message: Message,
        hints: Hints,
    ) -> Result<Option<Message>, UsageError> {
        match self {
            Self::Own(_) => Ok(Some(message)),
            Self::Channel(channel) => channel.send_at_once(message, hints),
        }
    }

    pub(crate) fn send_part(
        &mut self,
        kind: Kind,
        part: Bytes,
        fin: bool,
        hints: Hints,
    ) -> Result<(), UsageError> {
        match self {
            Self::Own(driver) => driver.connection_mut().send_part(kind, part, fin, hints),
            Self::Channel(channel) => {
                channel.command(|trunk, key| trunk.send_part(key, kind, part, fin, hints))
            }
        }
    }

    pub(crate) fn send_extension(
        &mut self,
        opcode: OpCode,
        payload: Bytes,
    ) -> Result<(), UsageError> {
        match self {
            Self::Own(driver) => driver.connection_mut().send_extension(opcode, payload),
            Self::Channel(channel) => {
                channel.command(|trunk, key| trunk.send_extension(key, opcode, payload))
            }
        }
    }

    pub(crate) fn ping(&mut self, payload: &[u8]) -> Result<(), UsageError> {
        match self {
            Self::Own(driver) => driver.connection_mut().ping(payload),
            Self::Channel(channel) => channel.command(|trunk, key| trunk.ping(key, payload)),
        }
    }

    pub(crate) fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), UsageError> {
        match self {
            Self::Own(driver) => driver.connection_mut().close(code, reason),
            Self::Channel(channel) => channel.command(|trunk, key| trunk.close(key, code, reason)),
        }
    }

    /// Nobody holds the socket any more.
    pub(crate) fn abandon(&mut self, code: CloseCode) {
        match self {
            Self::Own(driver) => {
                let connection = driver.connection_mut();
                if connection.state() == State::Open && !connection.is_done() {
                    // The code is allowed and there is no reason.
                    let _ = connection.close(code, "");
                }
                driver.write_now(&mut Context::from_waker(Waker::noop()));
            }
            Self::Channel(channel) => channel.abandon(code),
        }
    }

    pub(crate) fn role(&self) -> Role {
        match self {
            Self::Own(driver) => driver.connection().role(),
            Self::Channel(channel) => channel.ask(|trunk, _| trunk.role()),
        }
    }

    pub(crate) fn state(&self) -> State {
        match self {
            Self::Own(driver) => driver.connection().state(),
            Self::Channel(channel) => {
                channel.ask(|trunk, key| trunk.state(key).unwrap_or(State::Closed))
            }
        }
    }

    pub(crate) fn buffered(&self) -> usize {
        match self {
            Self::Own(driver) => driver.connection().buffered(),
            Self::Channel(channel) => channel.ask(|trunk, key| trunk.buffered(key)),
        }
    }

    pub(crate) fn statistics(&self) -> Vec<Statistics> {
        match self {
            Self::Own(driver) => driver.connection().statistics(),
            Self::Channel(channel) => channel.ask(|trunk, key| trunk.statistics(key)),
        }
    }

    /// Channels leave the keepalive to their connection.
    pub(crate) const fn round_trip(&self) -> Option<Duration> {
        match self {
            Self::Own(driver) => driver.connection().round_trip(),
            Self::Channel(_) => None,
        }
    }

    pub(crate) const fn stream(&self) -> Option<&S> {
        match self {
            Self::Own(driver) => Some(driver.stream()),
            Self::Channel(_) => None,
        }
    }

    pub(crate) const fn channel(&self) -> Option<ChannelId> {
        match self {
            Self::Own(_) => None,
            Self::Channel(channel) => channel.id(),
        }
    }

    /// The I/O error that ended the connection.
    pub(crate) fn take_error(&mut self) -> Option<io::Error> {
        match self {
            Self::Own(driver) => driver.take_error(),
            Self::Channel(channel) => channel.error(),
        }
    }

    /// What a sender has found out by the way, and a receiver in another task must look at. A
    /// connection that carries many wakes the receivers of its channels itself.
    pub(crate) fn has_news(&self) -> bool {
        match self {
            Self::Own(driver) => {
                let connection = driver.connection();
                driver.is_broken()
                    || connection.has_notices()
                    || connection.has_input()
                    || connection.state() != State::Open
            }
            Self::Channel(_) => false,
        }
    }
}

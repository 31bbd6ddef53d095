//! A channel, as the socket that holds it sees it.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::error::UsageError;
use cloverleaf_proto::extension::{ChannelId, Hints};
use cloverleaf_proto::trunk::Key;
use cloverleaf_proto::{Event, Message, Trunk};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::coop;

use super::{Physical, State, park};

/// Ends its channel when it is dropped.
pub(crate) struct Channel<S> {
    physical: Arc<Physical<S>>,
    key: Key,
    /// Its number on the wire.
    id: Option<ChannelId>,
    /// The last event has been given out.
    done: bool,
    /// The trunk knows that nobody holds the channel any more.
    abandoned: bool,
}

impl<S> Channel<S> {
    pub(crate) fn new(physical: Arc<Physical<S>>, key: Key) -> Self {
        let id = {
            let mut state = physical.lock();
            state.holders += 1;
            state.trunk.id(key)
        };
        Self {
            physical,
            key,
            id,
            done: false,
            abandoned: false,
        }
    }

    pub(crate) fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.physical.lock();
        if !state.trunk.is_write_buffer_high(self.key) {
            return Poll::Ready(());
        }
        park(&mut state.waiting.entry(self.key).or_default().sender, cx);
        Poll::Pending
    }

    pub(crate) fn is_high(&self) -> bool {
        self.ask(|trunk, key| trunk.is_write_buffer_high(key))
    }

    pub(crate) const fn id(&self) -> Option<ChannelId> {
        self.id
    }

    /// Runs a command. What it leaves to write goes out with [`cork`](Self::cork), a flush, or when
    /// the socket waits.
    pub(crate) fn command(
        &self,
        run: impl FnOnce(&mut Trunk, Key) -> Result<(), UsageError>,
    ) -> Result<(), UsageError> {
        let mut state = self.physical.lock();
        run(&mut state.trunk, self.key)
    }

    pub(crate) fn ask<T>(&self, question: impl FnOnce(&Trunk, Key) -> T) -> T {
        question(&self.physical.lock().trunk, self.key)
    }

    pub(crate) fn error(&self) -> Option<io::Error> {
        self.physical.lock().error()
    }

    /// Nobody will ask for the events of this channel any more.
    pub(crate) fn abandon(&mut self, code: CloseCode) {
        if self.abandoned {
            return;
        }
        self.abandoned = true;
        let mut state = self.physical.lock();
        state.asking.remove(&self.key);
        state.has_come(self.key);
        state.waiting.remove(&self.key);
        state.trunk.abandon(self.key, code);
        state.pump.wake_by_ref();
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Channel<S> {
    pub(crate) fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        if self.done {
            return Poll::Ready(None);
        }
        // A channel that always has something must let others have their turn, as a stream would.
        let budget = std::task::ready!(coop::poll_proceed(cx));
        let mut state = self.physical.lock();
        state.has_come(self.key);
        let Some(event) = state.trunk.poll_channel(self.key) else {
            park(&mut state.waiting.entry(self.key).or_default().reader, cx);
            state.write_in_turn();
            return Poll::Pending;
        };
        state.nudge();
        budget.made_progress();
        if matches!(event, Event::Closed(_)) {
            self.done = true;
            state.has_come(self.key);
            state.waiting.remove(&self.key);
            // It may have been the last.
            state.pump.wake_by_ref();
        }
        Poll::Ready(Some(event))
    }

    /// Behind a message: writes, unless more has come to be answered, here or on another channel.
    pub(crate) fn cork(&self) {
        self.cork_locked(&mut self.physical.lock());
    }

    fn cork_locked(&self, state: &mut State<S>) {
        if state.trunk.has_input(self.key) {
            state.nudge();
        } else {
            state.write_in_turn();
        }
    }

    /// Whether there is room, the message and the cork, under one lock. Without room the message comes
    /// back.
    pub(crate) fn send_at_once(
        &self,
        message: Message,
        hints: Hints,
    ) -> Result<Option<Message>, UsageError> {
        let mut state = self.physical.lock();
        if state.trunk.is_write_buffer_high(self.key) {
            return Ok(Some(message));
        }
        state.trunk.send(self.key, message, hints)?;
        self.cork_locked(&mut state);
        Ok(None)
    }

    /// Ready once everything that was sent on this channel is out.
    pub(crate) fn poll_flush(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.physical.lock();
        // In the name of the pump: it is the one that the stream must wake.
        state.write_now();
        state.nudge();
        if state.trunk.buffered(self.key) == 0 && !state.trunk.has_transmit() {
            return Poll::Ready(());
        }
        if state.is_over() {
            return Poll::Ready(());
        }
        let key = self.key;
        state.flushers.retain(|(other, _)| *other != key);
        state.flushers.push((key, cx.waker().clone()));
        Poll::Pending
    }
}

impl<S> Drop for Channel<S> {
    fn drop(&mut self) {
        self.abandon(CloseCode::NORMAL);
        self.physical.let_go();
    }
}

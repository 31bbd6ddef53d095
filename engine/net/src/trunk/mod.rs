//! One connection that carries many: what its task and the holders of its channels share.
//!
//! ```text
//! WebSocket ─ Channel ─┐                        commands, events: under the lock, at once
//! WebSocket ─ Channel ─┼─ Physical { Trunk, stream }
//! Multiplexer ─────────┘        │
//!                             Pump              one task: reads, writes, deadlines; wakes the others
//! ```

mod channel;
mod pump;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use cloverleaf_proto::Trunk;
use cloverleaf_proto::handshake::HandshakeError;
use cloverleaf_proto::trunk::{Key, Opening};
use tokio::sync::{Notify, oneshot};

use crate::io::Io;

pub(crate) use channel::Channel;
pub(crate) use pump::Pump;

/// What came of the request for a channel.
pub(crate) type Answer = Result<Box<Opening>, Box<HandshakeError>>;

pub(crate) struct Physical<S> {
    state: Mutex<State<S>>,
    /// Slots have come, or the end.
    pub(crate) slots: Notify,
}

pub(crate) struct State<S> {
    /// As long as there is a pump: holders of channels keep no stream open.
    io: Option<Io<S>>,
    error: Option<io::Error>,
    pub(crate) trunk: Trunk,
    /// Wakes the pump. It is also what the stream will wake, whoever polls it.
    pump: Waker,
    /// When the clock will wake it.
    pump_deadline: Option<std::time::Instant>,
    /// The tasks that wait for something on a channel.
    waiting: BTreeMap<Key, Waiting>,
    /// So many of them have been woken to receive and have not come yet. The last writes for all.
    woken: usize,
    /// The tasks that wait until something is written.
    flushers: Vec<(Key, Waker)>,
    /// Client: who has asked for a channel.
    asking: HashMap<Key, oneshot::Sender<Answer>>,
    /// Those that hold a channel, or may open one. Without any, the connection ends.
    holders: usize,
    /// Server: with so many holders, no channel is accepted.
    pub(crate) max_holders: usize,
    /// Client: slots have come at least once.
    pub(crate) has_had_slots: bool,
    /// The physical connection has ended.
    over: bool,
}

#[derive(Default)]
struct Waiting {
    reader: Option<Waker>,
    /// It is one of those that were woken.
    woken: bool,
    sender: Option<Waker>,
}

impl<S> Physical<S> {
    pub(crate) fn new(stream: S, trunk: Trunk) -> Arc<Self> {
        let state = State {
            io: Some(Io::new(stream)),
            error: None,
            trunk,
            pump: Waker::noop().clone(),
            pump_deadline: None,
            waiting: BTreeMap::new(),
            woken: 0,
            flushers: Vec::new(),
            asking: HashMap::new(),
            holders: 0,
            max_holders: usize::MAX,
            has_had_slots: false,
            over: false,
        };
        Arc::new(Self {
            state: Mutex::new(state),
            slots: Notify::new(),
        })
    }

    /// A panic while the lock was held has broken nothing that outlives it.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State<S>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more that keeps the connection open.
    pub(crate) fn hold(&self) {
        self.lock().holders += 1;
    }

    /// One less.
    pub(crate) fn let_go(&self) {
        let mut state = self.lock();
        state.holders -= 1;
        if state.holders == 0 {
            state.pump.wake_by_ref();
        }
    }
}

impl<S> State<S> {
    /// Lets the pump write what a command has left to write, and tell of what it has led to.
    fn nudge(&self) {
        if self.trunk.has_transmit() || self.trunk.has_news() {
            self.pump.wake_by_ref();
        }
    }

    /// The task of a channel has come to receive, woken or not.
    fn has_come(&mut self, key: Key) {
        if let Some(waiting) = self.waiting.get_mut(&key)
            && core::mem::take(&mut waiting.woken)
        {
            self.woken -= 1;
        }
    }

    /// Whether the physical connection has ended.
    pub(crate) const fn is_over(&self) -> bool {
        self.over
    }

    /// Who asks for this channel wants to be told.
    pub(crate) fn expect(&mut self, key: Key) -> oneshot::Receiver<Answer> {
        let (sender, receiver) = oneshot::channel();
        self.asking.insert(key, sender);
        self.nudge();
        receiver
    }

    /// The pump ends, and the stream with it.
    fn hang_up(&mut self) {
        if let Some(mut io) = self.io.take() {
            self.error = self.error.take().or_else(|| io.error.take());
        }
    }

    /// The same error for each channel: an [`io::Error`] cannot be cloned.
    fn error(&self) -> Option<io::Error> {
        let error = self.error.as_ref()?;
        Some(io::Error::new(error.kind(), error.to_string()))
    }
}

impl<S> State<S> {
    /// Wakes those that wait until what they sent on such a channel is out.
    fn wake_flushers(&mut self, of: impl Fn(Key) -> bool) {
        self.flushers.retain(|(key, waker)| {
            let wakes = of(*key);
            if wakes {
                waker.wake_by_ref();
            }
            !wakes
        });
    }
}

/// Notes the task to be woken.
fn park(place: &mut Option<Waker>, cx: &Context<'_>) {
    match place {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *place = Some(cx.waker().clone()),
    }
}

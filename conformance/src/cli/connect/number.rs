//! What the socket over a channel does not tell, and a tap is told: its number, and which frames come.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use cloverleaf::proto::Role;
use cloverleaf::proto::extension::{ChannelId, Direction, Tap, View, Watcher};
use cloverleaf::proto::frame::Head;

/// What is known of one channel.
#[derive(Clone, Debug)]
pub(super) struct Noted {
    pub(super) number: u32,
    /// So many frames of messages have come.
    frames: Arc<AtomicU64>,
}

impl Noted {
    fn new(id: ChannelId) -> Self {
        Self {
            number: id.get(),
            frames: Arc::default(),
        }
    }

    pub(super) fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }
}

/// The channel that was opened last. They are opened one after the other.
#[derive(Clone, Debug)]
pub(super) struct Latest(Arc<Mutex<Noted>>);

impl Default for Latest {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Noted::new(ChannelId::FIRST))))
    }
}

impl Latest {
    pub(super) fn get(&self) -> Noted {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.clone()
    }
}

impl Tap for Latest {
    fn attach(&self, role: Role) -> Box<dyn Watcher> {
        self.attach_channel(role, ChannelId::FIRST)
    }

    fn attach_channel(&self, _: Role, id: ChannelId) -> Box<dyn Watcher> {
        let noted = Noted::new(id);
        let watcher = Counting(Arc::clone(&noted.frames));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = noted;
        Box::new(watcher)
    }
}

struct Counting(Arc<AtomicU64>);

impl Watcher for Counting {
    fn frame(&mut self, view: View, direction: Direction, head: Head, _: &[u8]) {
        let of_a_message = !head.opcode.is_control();
        if view == View::Wire && direction == Direction::Incoming && of_a_message {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

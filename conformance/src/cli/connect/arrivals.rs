//! Counts the frames of messages that come on each channel, whether they are shown or not.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use cloverleaf::proto::Role;
use cloverleaf::proto::extension::{Direction, Tap, View, Watcher};
use cloverleaf::proto::frame::Head;

/// So many frames of messages have come.
#[derive(Clone, Debug, Default)]
pub(super) struct Arrivals(Arc<AtomicU64>);

impl Arrivals {
    pub(super) fn frames(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Those of the channel that was opened last. They are opened one after the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Latest(Arc<Mutex<Arrivals>>);

impl Latest {
    pub(super) fn get(&self) -> Arrivals {
        let latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        latest.clone()
    }
}

impl Tap for Latest {
    fn attach(&self, _: Role) -> Box<dyn Watcher> {
        let arrivals = Arrivals::default();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = arrivals.clone();
        Box::new(Counting(arrivals))
    }
}

struct Counting(Arrivals);

impl Watcher for Counting {
    fn frame(&mut self, view: View, direction: Direction, head: Head, _: &[u8]) {
        let of_a_message = !head.opcode.is_control();
        if view == View::Wire && direction == Direction::Incoming && of_a_message {
            self.0.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

//! Clocks and entropy for tests.

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Wake;
use std::time::Duration;

use cloverleaf_proto::{Entropy, WallClock};

/// A clock that stands where it was set.
#[derive(Debug)]
pub(crate) struct SetClock(AtomicU64);

impl SetClock {
    pub(crate) fn at(seconds: u64) -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(seconds)))
    }

    pub(crate) fn set(&self, seconds: u64) {
        self.0.store(seconds, Ordering::Relaxed);
    }
}

impl WallClock for SetClock {
    fn unix_time(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }
}

/// The same octets again and again.
#[derive(Debug)]
pub(crate) struct FixedEntropy(Vec<u8>);

impl FixedEntropy {
    pub(crate) fn new(octets: impl Into<Vec<u8>>) -> Self {
        Self(octets.into())
    }
}

impl Entropy for FixedEntropy {
    fn fill(&self, octets: &mut [u8]) {
        for (octet, value) in octets.iter_mut().zip(self.0.iter().cycle()) {
            *octet = *value;
        }
    }
}

/// What a future has to say at once.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("it is not ready"),
    }
}

/// Waits for a future, whose work is done on another thread.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(std::thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(done) => return done,
            Poll::Pending => std::thread::park(),
        }
    }
}

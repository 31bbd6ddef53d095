//! Threads for hashes that are slow on purpose, so that they do not hold up everybody else.

use core::fmt;
use core::future::poll_fn;
use core::task::{Poll, Waker};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::StoreError;

type Job = Box<dyn FnOnce() + Send>;

/// A few threads, and a short queue in front of them. When it is full, more is refused
/// ([`StoreError::Busy`]): who floods a server with passwords makes it say 503 rather than fall over.
///
/// The threads end when the last one who holds this lets go.
#[derive(Clone)]
pub struct Workers {
    queue: SyncSender<Job>,
}

/// What a job has come to, and who waits for it.
struct Slot<T> {
    answer: Option<Result<T, StoreError>>,
    waiting: Option<Waker>,
}

impl Workers {
    /// So many threads, and so many passwords that wait for them; at least one of each. Two threads
    /// and 64 are a good start: each holds as much memory as its hash costs, and with bcrypt at cost
    /// 12 the last in the queue waits about 8 s, short of the 10 s that an opening handshake has.
    ///
    /// # Errors
    ///
    /// The system has no thread left.
    pub fn new(threads: usize, waiting: usize) -> std::io::Result<Self> {
        let (queue, jobs) = sync_channel(waiting.max(1));
        let jobs = Arc::new(Mutex::new(jobs));
        for _ in 0..threads.max(1) {
            let jobs = Arc::clone(&jobs);
            thread::Builder::new()
                .name("passwords".to_owned())
                .spawn(move || work(&jobs))?;
        }
        Ok(Self { queue })
    }

    /// Does this on one of the threads. If nobody waits for the answer any more when its turn
    /// comes, it is left undone.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let slot = Arc::new(Mutex::new(Slot {
            answer: None,
            waiting: None,
        }));
        let answer = Arc::downgrade(&slot);
        let job = Box::new(move || {
            if answer.strong_count() == 0 {
                return;
            }
            // A job that panics must not take its thread along, nor leave anybody waiting.
            let done = catch_unwind(AssertUnwindSafe(job))
                .map_err(|_| StoreError::Failed("checking a password has panicked".to_owned()));
            if let Some(slot) = answer.upgrade() {
                let waiting = {
                    let mut slot = locked(&slot);
                    slot.answer = Some(done);
                    slot.waiting.take()
                };
                if let Some(waker) = waiting {
                    waker.wake();
                }
            }
        });
        self.queue.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Busy,
            TrySendError::Disconnected(_) => StoreError::Failed("no worker is left".to_owned()),
        })?;
        poll_fn(|context| {
            let mut slot = locked(&slot);
            if let Some(answer) = slot.answer.take() {
                return Poll::Ready(answer);
            }
            slot.waiting = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    loop {
        // The lock is let go before the job is done.
        let next = locked(jobs).recv();
        match next {
            Ok(job) => job(),
            Err(_) => return,
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that can panic runs under these locks.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workers").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use core::pin::pin;
    use core::task::Context;
    use std::sync::mpsc::channel;

    use super::*;
    use crate::testing::wait;

    #[test]
    fn work_is_done_on_another_thread() {
        let workers = Workers::new(2, 4).unwrap();
        let here = thread::current().id();
        let there = wait(workers.run(|| thread::current().id())).unwrap();
        assert_ne!(here, there);
    }

    #[test]
    fn a_full_queue_refuses_and_takes_more_when_it_has_emptied() {
        let workers = Workers::new(1, 1).unwrap();
        let (started, has_started) = channel();
        let (go, may_go) = channel::<()>();
        let mut context = Context::from_waker(Waker::noop());
        let mut running = pin!(workers.run(move || {
            started.send(()).unwrap();
            may_go.recv().unwrap();
            1
        }));
        assert!(running.as_mut().poll(&mut context).is_pending());
        has_started.recv().unwrap();
        let mut queued = pin!(workers.run(|| 2));
        assert!(queued.as_mut().poll(&mut context).is_pending());
        assert_eq!(wait(workers.run(|| 3)), Err(StoreError::Busy));
        go.send(()).unwrap();
        assert_eq!(wait(running), Ok(1));
        assert_eq!(wait(queued), Ok(2));
        assert_eq!(wait(workers.run(|| 4)), Ok(4));
    }

    #[test]
    fn what_nobody_waits_for_is_not_done() {
        let workers = Workers::new(1, 2).unwrap();
        let (started, has_started) = channel();
        let (go, may_go) = channel::<()>();
        let (done, was_done) = channel();
        let mut context = Context::from_waker(Waker::noop());
        let mut running = pin!(workers.run(move || {
            started.send(()).unwrap();
            may_go.recv().unwrap();
        }));
        assert!(running.as_mut().poll(&mut context).is_pending());
        has_started.recv().unwrap();
        {
            let mut left = pin!(workers.run(move || done.send(()).unwrap()));
            assert!(left.as_mut().poll(&mut context).is_pending());
        }
        go.send(()).unwrap();
        assert_eq!(wait(running), Ok(()));
        assert_eq!(wait(workers.run(|| 2)), Ok(2));
        assert!(was_done.try_recv().is_err());
    }

    #[test]
    fn a_panic_is_an_error_and_the_thread_goes_on() {
        let workers = Workers::new(1, 1).unwrap();
        let failed = wait(workers.run(|| panic!("on purpose")));
        assert!(matches!(failed, Err(StoreError::Failed(_))), "{failed:?}");
        assert_eq!(wait(workers.run(|| 1)), Ok(1));
    }
}

//! Requests that have not ended and still owe a record.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Counts them, so that a log does not end before they do.
#[derive(Default)]
pub(super) struct InFlight {
    count: Mutex<u64>,
    ended: Condvar,
}

impl InFlight {
    fn count(&self) -> MutexGuard<'_, u64> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(&self) {
        *self.count() += 1;
    }

    pub(super) fn end(&self) {
        let mut count = self.count();
        *count = count.saturating_sub(1);
        if *count == 0 {
            self.ended.notify_all();
        }
    }

    /// Waits until none is left, for `grace` at most. Says how many are.
    pub(super) fn wait(&self, grace: Duration) -> u64 {
        let until = Instant::now() + grace;
        let mut count = self.count();
        while *count > 0 {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            count = self
                .ended
                .wait_timeout(count, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        *count
    }
}

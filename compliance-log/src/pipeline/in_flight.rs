//! Requests that have not ended and still owe a record.

use std::{
    sync::{Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::process::Process;

/// Counts them, so that a log does not end before they do.
pub(super) struct InFlight {
    process: Process,
    count: Mutex<u64>,
    ended: Condvar,
}

impl InFlight {
    pub(super) fn new(process: Process) -> Self {
        Self {
            process,
            count: Mutex::default(),
            ended: Condvar::new(),
        }
    }

    pub(super) fn begin(&self) {
        if let Some(mut count) = self.process.lock(&self.count) {
            *count += 1;
        }
    }

    pub(super) fn end(&self) {
        let Some(mut count) = self.process.lock(&self.count) else {
            return;
        };
        *count = count.saturating_sub(1);
        if *count == 0 {
            self.ended.notify_all();
        }
    }

    /// Waits until none is left, for `grace` at most. Says how many are.
    pub(super) fn wait(&self, grace: Duration) -> u64 {
        let until = Instant::now() + grace;
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
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

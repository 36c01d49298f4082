//! Records that requests owe and that are not queued yet.

use std::{
    collections::BTreeMap,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::event::Channel;

/// Counts them, so that a log does not end before they are, and by event, so that it can tell of
/// those that it does not wait for.
#[derive(Default)]
pub(super) struct InFlight {
    // What was owed once stays here with zero, so that a request costs no allocation.
    owed: Mutex<Owed>,
    ended: Condvar,
}

/// How many records of each event are owed.
pub(super) type Owed = BTreeMap<(&'static str, Channel), u64>;

impl InFlight {
    fn owed(&self) -> MutexGuard<'_, Owed> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(&self, event: &'static str, channel: Channel) {
        *self.owed().entry((event, channel)).or_default() += 1;
    }

    pub(super) fn end(&self, event: &'static str, channel: Channel) {
        let mut owed = self.owed();
        let count = owed.entry((event, channel)).or_default();
        *count = count.saturating_sub(1);
        if owed.values().all(|count| *count == 0) {
            self.ended.notify_all();
        }
    }

    /// Waits until none is left, for `grace` at most. Says which are.
    pub(super) fn wait(&self, grace: Duration) -> Owed {
        let until = Instant::now() + grace;
        let mut owed = self.owed();
        while owed.values().any(|count| *count > 0) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            owed = self
                .ended
                .wait_timeout(owed, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        owed.clone()
    }
}

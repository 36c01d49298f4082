//! Records that requests owe and that are not queued yet.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{event::Channel, process::Process};

/// Counts them, so that a log does not end before they are, and by event, so that it can tell of
/// those that it does not wait for.
pub(super) struct InFlight {
    process: Process,
    // What was owed once stays here with zero, so that a request costs no allocation.
    owed: Mutex<Owed>,
    ended: Condvar,
}

/// How many records of each event are owed.
pub(super) type Owed = BTreeMap<(&'static str, Channel), u64>;

/// A record that is owed; held until it is queued.
pub(crate) struct Owing {
    in_flight: Arc<InFlight>,
    event: &'static str,
    channel: Channel,
}

impl Owing {
    pub(super) fn new(in_flight: Arc<InFlight>, event: &'static str, channel: Channel) -> Self {
        in_flight.begin(event, channel);
        Self {
            in_flight,
            event,
            channel,
        }
    }
}

impl Drop for Owing {
    fn drop(&mut self) {
        self.in_flight.end(self.event, self.channel);
    }
}

impl fmt::Debug for Owing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Owing({})", self.event)
    }
}

impl InFlight {
    pub(super) fn new(process: Process) -> Self {
        Self {
            process,
            owed: Mutex::default(),
            ended: Condvar::new(),
        }
    }

    fn begin(&self, event: &'static str, channel: Channel) {
        if let Some(mut owed) = self.process.lock(&self.owed) {
            *owed.entry((event, channel)).or_default() += 1;
        }
    }

    fn end(&self, event: &'static str, channel: Channel) {
        let Some(mut owed) = self.process.lock(&self.owed) else {
            return;
        };
        let count = owed.entry((event, channel)).or_default();
        *count = count.saturating_sub(1);
        if owed.values().all(|count| *count == 0) {
            self.ended.notify_all();
        }
    }

    /// Waits until none is left, for `grace` at most. Says which are.
    pub(super) fn wait(&self, grace: Duration) -> Owed {
        let until = Instant::now() + grace;
        let mut owed = self.owed.lock().unwrap_or_else(PoisonError::into_inner);
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

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::{handle::Handle, health::Health, mode::Mode};
use crate::{process::Process, receipt::CommitErrorKind, store::BudgetLevel};

/// How a log is doing, figure by figure; made by [`Handle::vitals`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Vitals {
    /// Whether records can be stored.
    pub health: Health,
    /// What becomes of a request that cannot be recorded.
    pub mode: Mode,
    /// Why work that must be recorded would be refused now: `queue_full`, `store_unavailable`, `budget`,
    /// `store_removed`, `exposed`, `closed` or `forked`. `None` where it would not; in
    /// [`Mode::Observe`] it goes on all the same.
    pub refusal: Option<&'static str>,
    /// Bytes of records that wait for the writer.
    pub queue_bytes: u64,
    /// As many may wait.
    pub queue_bytes_max: u64,
    /// The room on the disk; `None` where records are only printed, and while there is no store.
    pub budget: Option<BudgetUse>,
    /// How long ago a stream was made durable last; `None` if none was so far.
    pub synced_ago: Option<Duration>,
    /// How long the oldest record that was written waits to become durable; `None` if none does.
    pub unsynced_for: Option<Duration>,
    /// How long the writer has worked on what it took last, for example because the disk does not answer;
    /// `None` if it waits for more.
    pub busy_for: Option<Duration>,
    /// For how long records may lie here that no quorum of [anchors](crate::Seal::anchor) covers; zero where
    /// they cover all there is, `None` where there are no anchors.
    pub exposure: Option<Duration>,
}

/// How much of its budget a log uses, as the writer knew it last.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct BudgetUse {
    /// How short it is.
    pub level: BudgetLevel,
    /// Bytes that count against it.
    pub used_bytes: u64,
    /// The budget.
    pub max_bytes: u64,
    /// When nothing is left of it or of the volume, whichever is sooner, at the rate of the last five
    /// minutes; `None` if nothing was written.
    pub full_in: Option<Duration>,
}

impl Handle {
    /// How the log is doing now. For probes and pages that people look at; it locks for a moment what the
    /// writer locks too.
    pub fn vitals(&self) -> Vitals {
        let seen = self.0.pulse.seen();
        let (queue_bytes, queue_bytes_max) = self.0.queue.fill();
        Vitals {
            health: self.health(),
            mode: self.0.mode,
            refusal: self.refusal(),
            queue_bytes,
            queue_bytes_max,
            budget: seen.budget,
            synced_ago: seen.synced_at.map(|at| at.elapsed()),
            unsynced_for: seen.unsynced_since.map(|since| since.elapsed()),
            busy_for: seen.busy_since.map(|since| since.elapsed()),
            exposure: seen.exposure,
        }
    }

    fn refusal(&self) -> Option<&'static str> {
        let error = self.admit().err()?;
        Some(match error.kind() {
            CommitErrorKind::Full => "queue_full",
            CommitErrorKind::Closed => "closed",
            CommitErrorKind::Forked => "forked",
            _ => self.0.condition.reason().as_str(),
        })
    }
}

/// What the writer shows of itself.
pub(super) struct Pulse {
    process: Process,
    seen: Mutex<Seen>,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Seen {
    pub(super) budget: Option<BudgetUse>,
    pub(super) synced_at: Option<Instant>,
    pub(super) unsynced_since: Option<Instant>,
    pub(super) busy_since: Option<Instant>,
    pub(super) exposure: Option<Duration>,
}

impl Pulse {
    pub(super) fn new(process: Process) -> Self {
        Self {
            process,
            seen: Mutex::default(),
        }
    }

    /// The writer begins with a batch.
    pub(super) fn begin(&self) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.busy_since = Some(Instant::now());
    }

    /// The writer is done with it.
    pub(super) fn show(&self, now: Seen) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    fn seen(&self) -> Seen {
        self.process
            .lock(&self.seen)
            .map_or_else(Seen::default, |seen| *seen)
    }
}

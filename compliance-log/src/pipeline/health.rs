use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU8, Ordering},
};

use super::site::Failure;
use crate::{
    loss::Reason,
    metric,
    process::Process,
    receipt::{CommitError, CommitErrorKind},
};

/// Whether records can be stored now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// Records are being stored. Whether they are sealed as well is told by the metrics
    /// `compliance_log_seal_errors` and `compliance_log_checkpoint_age_seconds`.
    Ready,
    /// The store cannot be written now; mending it is retried every second. Audited operations are
    /// refused, what cannot be refused is counted. Or no quorum of anchors has what was recorded within
    /// [`Seal::exposure_max`](crate::Seal::exposure_max), be it because they cannot be sealed: then what
    /// cannot be refused is stored.
    Degraded,
    /// The log was shut down.
    Closed,
}

const READY: u8 = 0;
const DEGRADED: u8 = 1;
const CLOSED: u8 = 2;

/// The log's health, as the writer thread saw it last, and why it is not better.
pub(super) struct Condition {
    process: Process,
    code: AtomicU8,
    cause: Mutex<Option<Cause>>,
}

struct Cause {
    why: Arc<str>,
    reason: Reason,
}

impl Condition {
    pub(super) fn new(process: Process) -> Self {
        Self {
            process,
            code: AtomicU8::new(READY),
            cause: Mutex::default(),
        }
    }

    pub(super) fn health(&self) -> Health {
        match self.code.load(Ordering::Relaxed) {
            READY => Health::Ready,
            DEGRADED => Health::Degraded,
            _ => Health::Closed,
        }
    }

    pub(super) fn is_degraded(&self) -> bool {
        self.health() == Health::Degraded
    }

    /// Whether what nobody waits for can be stored all the same.
    pub(super) fn refuses_commits_alone(&self) -> bool {
        self.reason() == Reason::Exposed
    }

    /// Why records could not be stored when the writer tried last.
    pub(super) fn why(&self) -> Option<Arc<str>> {
        let cause = self.process.lock(&self.cause)?;
        cause.as_ref().map(|cause| Arc::clone(&cause.why))
    }

    /// The reason by which records that find no store now are counted.
    pub(super) fn reason(&self) -> Reason {
        let cause = self.process.lock(&self.cause);
        let reason = cause.and_then(|cause| cause.as_ref().map(|cause| cause.reason));
        reason.unwrap_or(Reason::StoreUnavailable)
    }

    /// Set by the writer thread after each batch: why records cannot be stored, if they cannot.
    pub(super) fn set(&self, failure: Option<Failure<'_>>) {
        let is_degraded = failure.is_some();
        let code = if is_degraded { DEGRADED } else { READY };
        // Also while nothing changes, for an exporter that came later.
        let degraded = f64::from(u8::from(is_degraded));
        metric::report(|| metrics::gauge!("compliance_log_degraded").set(degraded));
        let before = self.code.load(Ordering::Relaxed);
        if before == code && !is_degraded {
            return;
        }
        let mut known = self.cause.lock().unwrap_or_else(PoisonError::into_inner);
        let same = known.as_ref().map(|cause| &*cause.why) == failure.as_ref().map(|f| &*f.why);
        if !same {
            *known = failure.map(|failure| Cause {
                why: failure.why.into(),
                reason: failure.reason,
            });
        }
        drop(known);
        if before != CLOSED {
            self.code.store(code, Ordering::Relaxed);
        }
    }

    /// The log has ended.
    pub(super) fn close(&self) {
        self.code.store(CLOSED, Ordering::Relaxed);
    }

    /// What whoever needs the store is told now.
    #[cold]
    pub(super) fn unavailable(&self) -> CommitError {
        let why = self
            .why()
            .unwrap_or_else(|| "the store cannot be written now".into());
        CommitError::new(
            CommitErrorKind::Unavailable,
            format!("{why}; the record is not stored"),
        )
    }
}

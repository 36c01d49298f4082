//! What callers hold.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

use arc_swap::ArcSwap;

use super::queue::{Push, Queue};
use crate::{
    clock::{Clock, Timestamp},
    encode::{Scratch, encode},
    event::{Category, Level},
    loss::{OnFailure, Reason},
    receipt::{Commit, CommitError, CommitErrorKind, Promise},
    redact::Policy,
    schema::{Event, Service},
};

/// Writes to a log without keeping it open: after the log is shut down, every handle answers
/// `Closed`. Cheap to clone.
#[derive(Clone)]
pub struct Handle(pub(super) Arc<Shared>);

pub(super) struct Shared {
    pub(super) queue: Queue,
    pub(super) policy: ArcSwap<Policy>,
    health: AtomicU8,
    service: Service,
    clock: Arc<dyn Clock>,
    app_level: Level,
}

/// Whether records can be stored now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// Records are being stored.
    Ready,
    /// The store cannot be written now; mending it is retried every second. Audited operations are
    /// refused, what cannot be refused is counted.
    Degraded,
    /// The log was shut down.
    Closed,
}

const READY: u8 = 0;
const DEGRADED: u8 = 1;
const CLOSED: u8 = 2;

/// What a handle needs to know of its log.
pub(crate) struct Plan {
    pub(crate) service: Service,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) policy: Arc<Policy>,
    pub(crate) queue_bytes_max: usize,
    pub(crate) app_level: Level,
}

impl Handle {
    pub(crate) fn new(plan: Plan) -> Self {
        Self(Arc::new(Shared {
            queue: Queue::new(plan.queue_bytes_max),
            policy: ArcSwap::new(plan.policy),
            health: AtomicU8::new(READY),
            service: plan.service,
            clock: plan.clock,
            app_level: plan.app_level,
        }))
    }

    /// Whether records can be stored now.
    pub fn health(&self) -> Health {
        match self.0.health.load(Ordering::Relaxed) {
            READY => Health::Ready,
            DEGRADED => Health::Degraded,
            _ => Health::Closed,
        }
    }

    /// The name of the service that writes.
    pub fn service(&self) -> &str {
        &self.0.service.name
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    #[cfg_attr(
        not(feature = "http"),
        expect(dead_code, reason = "used by `http` alone")
    )]
    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    #[cfg_attr(
        not(feature = "tracing"),
        expect(dead_code, reason = "used by `layer` alone")
    )]
    pub(crate) fn app_level(&self) -> Level {
        self.0.app_level
    }

    /// Queues a record and never waits.
    pub(crate) fn emit(&self, event: &Event<'_>) -> Result<(), CommitError> {
        self.submit(event, None, false)
    }

    /// Queues a record that a request owes since it was admitted, whatever the bound.
    #[cfg_attr(
        not(feature = "http"),
        expect(dead_code, reason = "used by `http` alone")
    )]
    pub(crate) fn emit_owed(&self, event: &Event<'_>) -> Result<(), CommitError> {
        self.submit(event, None, true)
    }

    /// Queues a record; the answer comes when it is durable.
    pub(crate) fn commit(&self, event: &Event<'_>) -> Commit {
        let (commit, promise) = Commit::pair();
        match self.submit(event, Some(promise), false) {
            Ok(()) => commit,
            Err(error) => Commit::refused(error),
        }
    }

    /// Waits until all that was queued before is durable, or counted as lost.
    pub(crate) fn flush(&self) -> Result<(), CommitError> {
        let (audit, audit_promise) = Commit::pair();
        let (app, app_promise) = Commit::pair();
        self.0.queue.push_barriers([audit_promise, app_promise])?;
        let (audit, app) = (audit.wait(), app.wait());
        audit.and(app).map(drop)
    }

    /// Lets the writer store what is queued and then end.
    pub(crate) fn close(&self) {
        self.0.queue.close();
    }

    fn submit(
        &self,
        event: &Event<'_>,
        promise: Option<Promise>,
        owed: bool,
    ) -> Result<(), CommitError> {
        let shared = &*self.0;
        // A caller that waits for its record wants to know that it was dropped.
        let on_failure = match OnFailure::of(event.category) {
            OnFailure::DropAndCount if promise.is_none() => OnFailure::DropAndCount,
            _ => OnFailure::FailOperation,
        };
        if !owed && self.health() == Health::Degraded {
            return match on_failure {
                OnFailure::FailOperation => Err(unavailable()),
                OnFailure::DropAndCount => {
                    let channel = event.category.channel();
                    shared.queue.count(
                        channel,
                        event.counted_as,
                        Reason::StoreUnavailable,
                        event.at,
                    );
                    Ok(())
                }
            };
        }
        let mut scratch = Scratch::take();
        let policy = shared.policy.load();
        let encoded = encode(&mut scratch, event, &policy, &shared.service);
        if encoded.violates_schema {
            count_violation(event.category);
        }
        shared.queue.push(Push {
            bytes: encoded.bytes,
            channel: encoded.category.channel(),
            counted_as: event.counted_as,
            at: event.at,
            on_failure,
            promise,
            owed,
        })
    }
}

#[cold]
fn count_violation(category: Category) {
    metrics::counter!("compliance_log_schema_violations", "category" => category.as_str())
        .increment(1);
}

#[cold]
fn unavailable() -> CommitError {
    let text = "the store cannot be written now; the record is not stored";
    CommitError::new(CommitErrorKind::Unavailable, text)
}

impl Shared {
    /// Set by the writer thread; a closed log stays closed.
    pub(super) fn set_health(&self, health: Health) {
        let code = match health {
            Health::Ready => READY,
            Health::Degraded => DEGRADED,
            Health::Closed => CLOSED,
        };
        if self.health.load(Ordering::Relaxed) != CLOSED {
            self.health.store(code, Ordering::Relaxed);
        }
        metrics::gauge!("compliance_log_degraded")
            .set(f64::from(u8::from(health == Health::Degraded)));
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("service", &self.service())
            .field("health", &self.health())
            .finish()
    }
}

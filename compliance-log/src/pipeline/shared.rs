//! What the handles of a log share with its writer.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use arc_swap::{ArcSwap, ArcSwapOption};

use super::{
    deadlines,
    health::Condition,
    in_flight::InFlight,
    mode::Mode,
    queue::Queue,
    selection::{OptOuts, Selection},
    tracer::Tracer,
    vitals::Pulse,
};
use crate::{
    clock::Clock,
    event::Level,
    loss::{OnFailures, Reason},
    process::Process,
    pseudonym::PseudonymKeys,
    receipt::CommitError,
    redact::Policy,
    schema::Service,
    volume::Rules,
};

/// What a handle needs to know of its log.
pub(crate) struct Plan {
    pub(crate) service: Service,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) policy: Arc<Policy>,
    pub(crate) pseudonym_keys: Option<Arc<dyn PseudonymKeys>>,
    pub(crate) queue_bytes_max: usize,
    pub(crate) app_level: Level,
    pub(crate) mode: Mode,
    pub(crate) rules: Rules,
    pub(crate) on_failure: OnFailures,
    pub(crate) tracer: Option<Tracer>,
}

pub(super) struct Shared {
    pub(super) process: Process,
    pub(super) queue: Queue,
    pub(super) policy: ArcSwap<Policy>,
    /// Until the log is shut down.
    pub(super) pseudonym_keys: ArcSwapOption<Arc<dyn PseudonymKeys>>,
    pub(super) condition: Condition,
    pub(super) pulse: Pulse,
    pub(super) in_flight: InFlight,
    /// Whether somebody keeps the deadlines of commits that wait; set by the first that may.
    deadlines: OnceLock<Deadlines>,
    pub(super) service: Service,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) app_level: Level,
    pub(super) mode: Mode,
    pub(super) selection: Selection,
    pub(super) on_failure: OnFailures,
    pub(super) tracer: Option<Tracer>,
}

/// Whether the thread that keeps deadlines could be started.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deadlines {
    Kept,
    /// Then nobody can wait.
    Unkept,
}

impl Shared {
    pub(super) fn new(plan: Plan) -> Self {
        let process = Process::current();
        let opt_outs = if plan.service.is_rehearsal() {
            OptOuts::Ignored
        } else {
            OptOuts::Honoured
        };
        Self {
            process,
            queue: Queue::new(plan.queue_bytes_max, Arc::clone(&plan.policy), process),
            policy: ArcSwap::new(plan.policy),
            pseudonym_keys: plan.pseudonym_keys.map(Arc::new).into(),
            condition: Condition::new(process),
            pulse: Pulse::new(process),
            in_flight: InFlight::new(process),
            deadlines: OnceLock::new(),
            service: plan.service,
            selection: Selection::new(plan.rules, opt_outs),
            clock: plan.clock,
            app_level: plan.app_level,
            mode: plan.mode,
            on_failure: plan.on_failure,
            tracer: plan.tracer,
        }
    }

    /// Whether this is the process that has the writer.
    pub(super) fn check_process(&self) -> Result<(), CommitError> {
        if self.process.is_current() {
            Ok(())
        } else {
            Err(CommitError::forked())
        }
    }

    /// Whether a commit that waits is answered in time.
    pub(super) fn keeps_deadlines(self: &Arc<Self>) -> bool {
        let kept = self.deadlines.get_or_init(|| match deadlines::keep(self) {
            Ok(()) => Deadlines::Kept,
            Err(_) => Deadlines::Unkept,
        });
        *kept == Deadlines::Kept
    }

    /// Why a record waits.
    pub(super) fn cause(&self) -> Reason {
        if self.condition.is_degraded() {
            self.condition.reason()
        } else {
            Reason::QueueFull
        }
    }

    /// What a commit is told that has waited so long in vain.
    pub(super) fn overdue(&self, deadline: Duration) -> CommitError {
        if self.condition.is_degraded() {
            self.condition.unavailable()
        } else {
            self.queue.full(Some(deadline))
        }
    }
}

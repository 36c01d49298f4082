//! What the handler of a request owes: one record of its event, however it ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{request_audit::RequestAudit, why::Why};
use crate::{
    encode::NO_FIELDS,
    event::{EventMeta, Outcome},
    metric,
    receipt::Commit,
    schema::{Event, Failed, Intent, Target},
};

/// One event that is owed since an `AuditCtx` of it was made.
#[derive(Debug)]
pub(super) struct Duty {
    meta: &'static EventMeta,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    settled: bool,
    /// The handler panicked, which something inside of the layer may have turned into a response.
    panicked: bool,
    /// What the handler said it is going to do, and the record that holds it.
    intent: Option<Begun>,
}

/// An action that was announced before it was done.
#[derive(Clone, Debug)]
pub(super) struct Begun {
    pub(super) target: String,
    /// `<stream>/<seq>` of the `audit.intent`, once that is durable.
    pub(super) record: Option<String>,
}

impl Duty {
    pub(super) fn new(meta: &'static EventMeta) -> Arc<Self> {
        Arc::new(Self {
            meta,
            state: Mutex::default(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The name of the event that is owed.
    pub(super) fn event(&self) -> &'static str {
        self.meta.name
    }

    /// Takes the duty over. Only the first one does.
    #[must_use]
    pub(super) fn take(&self) -> bool {
        !std::mem::replace(&mut self.state().settled, true)
    }

    pub(super) fn set_panicked(&self) {
        self.state().panicked = true;
    }

    pub(super) fn begin(&self, begun: Begun) {
        self.state().intent = Some(begun);
    }

    pub(super) fn begun(&self) -> Option<Begun> {
        self.state().intent.clone()
    }

    /// Queues the record of a failure and gives its answer; `None` if the duty was settled before.
    pub(super) fn fail(&self, audit: &RequestAudit, why: Why) -> Option<Commit> {
        self.failed(audit, why, |event| audit.handle().commit_owed(event))
    }

    /// Queues the record of a failure; nobody waits for it.
    pub(super) fn fail_unwatched(&self, audit: &RequestAudit, why: Why) {
        self.failed(audit, why, |event| audit.handle().emit_owed(event));
    }

    fn failed<R>(
        &self,
        audit: &RequestAudit,
        mut why: Why,
        write: impl FnOnce(&Event<'_>) -> R,
    ) -> Option<R> {
        if !self.take() {
            return None;
        }
        if self.state().panicked {
            why = Why::abandoned("PANIC");
        }
        let begun = self.begun();
        let target = begun
            .as_ref()
            .map_or_else(|| audit.target(), |begun| begun.target.clone());
        let record = begun.and_then(|begun| begun.record);
        let now = audit.handle().now();
        let mut event = Event::new(self.meta.name, self.meta.category, now, NO_FIELDS);
        event.version = Some(self.meta.version);
        event.context = Some(audit.context());
        event.outcome = Some(Outcome::Fail);
        event.detail = why.detail;
        event.target = Target::Text(&target);
        event.error = Some(Failed {
            code: &why.code,
            message: why
                .message
                .as_ref()
                .map(|message| message as &dyn std::fmt::Display),
        });
        event.intent = record.as_deref().map(Intent::Closes);
        Some(write(&event))
    }
}

/// Counts a record that was lost after its action was done.
pub(super) fn after_effect(event: &'static str) {
    metric::report(|| {
        metrics::counter!("compliance_log_after_effect_failures", "event" => event).increment(1);
    });
}

//! What the handler of a request owes: one record of its event, however it ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{request_audit::RequestAudit, why::Why};
use crate::{
    encode::NO_FIELDS,
    event::{EventMeta, Outcome},
    metric,
    pipeline::{Handle, Owing},
    receipt::Commit,
    schema::{Event, Failed, Intent, SpanOf, Target},
};

/// One event that is owed since an `AuditCtx` of it was made.
#[derive(Debug)]
pub(super) struct Duty {
    meta: &'static EventMeta,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// None once it is settled.
    owing: Option<Owing>,
    /// An `AuditCtx` can still settle it.
    held: bool,
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
    pub(super) fn new(meta: &'static EventMeta, handle: &Handle) -> Arc<Self> {
        Arc::new(Self {
            meta,
            state: Mutex::new(State {
                owing: Some(handle.owe(meta.name, meta.category.channel())),
                held: true,
                ..State::default()
            }),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The name of the event that is owed.
    pub(super) fn event(&self) -> &'static str {
        self.meta.name
    }

    /// Lets `write` queue the record, unless that was done. Where it panics, in code of the
    /// service's own, the duty stands.
    pub(super) fn discharge<R>(&self, write: impl FnOnce() -> R) -> Option<R> {
        let owing = self.state().owing.take()?;
        let mut taken = Taken {
            duty: self,
            owing: Some(owing),
        };
        let written = write();
        taken.owing = None;
        Some(written)
    }

    /// Nobody can settle it any more but the layer.
    pub(super) fn let_go(&self) {
        let mut state = self.state();
        state.held = false;
        state.panicked |= std::thread::panicking();
    }

    /// Whether an `AuditCtx` can still settle it.
    pub(super) fn is_held(&self) -> bool {
        self.state().held
    }

    /// The handler says what it is going to do.
    pub(super) fn begin(&self, target: String) {
        let record = None;
        self.state().intent = Some(Begun { target, record });
    }

    /// The announcement is durable, as this record.
    pub(super) fn begun_as(&self, record: String) {
        if let Some(begun) = &mut self.state().intent {
            begun.record = Some(record);
        }
    }

    pub(super) fn begun(&self) -> Option<Begun> {
        self.state().intent.clone()
    }

    /// Queues the record of a failure and gives its answer; `None` if the duty was settled before.
    pub(super) fn fail(&self, audit: &RequestAudit, why: Why, span: SpanOf) -> Option<Commit> {
        self.failed(audit, why, span, |event| audit.handle().commit_owed(event))
    }

    /// Queues the record of a failure; nobody waits for it.
    pub(super) fn fail_unwatched(&self, audit: &RequestAudit, why: Why) {
        let span = SpanOf::Context;
        self.failed(audit, why, span, |event| audit.handle().emit_owed(event));
    }

    fn failed<R>(
        &self,
        audit: &RequestAudit,
        mut why: Why,
        span: SpanOf,
        write: impl FnOnce(&Event<'_>) -> R,
    ) -> Option<R> {
        if self.state().panicked {
            why = Why::abandoned("PANIC");
        }
        let begun = self.begun();
        let target = begun
            .as_ref()
            .map_or_else(|| audit.target().into_owned(), |begun| begun.target.clone());
        let record = begun.and_then(|begun| begun.record);
        let now = audit.handle().now();
        let mut event = Event::new(self.meta.name, self.meta.category, now, NO_FIELDS);
        event.version = Some(self.meta.version);
        event.context = Some(audit.context());
        event.span = span;
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
        self.discharge(|| write(&event))
    }
}

/// A duty whose record is being written.
struct Taken<'d> {
    duty: &'d Duty,
    owing: Option<Owing>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if let Some(owing) = self.owing.take() {
            self.duty.state().owing = Some(owing);
        }
    }
}

/// Counts a record that was lost after its action was done.
pub(super) fn after_effect(event: &'static str) {
    metric::report(|| {
        metrics::counter!("compliance_log_after_effect_failures", "event" => event).increment(1);
    });
}

//! What callers hold.

use std::{
    fmt,
    sync::{Arc, mpsc},
    time::Duration,
};

use super::{
    health::Health,
    in_flight::{Account, Owing},
    mode::Mode,
    queue::Pushed,
    sealing::CheckpointReply,
    shared::{Plan, Shared},
    submit::Debt,
    tracer::ids_within,
    turn::Turn,
};
use crate::{
    clock::{Clock, Timestamp},
    context::{AuditContext, TraceIds},
    encode::{Scratch, encode},
    error::{Error, ErrorKind},
    event::{AuditEvent, Category, Channel, Level},
    lifecycle::is_event_name,
    loss::Reason,
    metric,
    pseudonym::Pseudonyms,
    receipt::{Commit, CommitError, CommitErrorKind},
    redact::Policy,
    schema::{Event, Target},
};

#[cfg(feature = "tracing")]
use crate::pseudonym::PseudonymKeys;

/// Writes to a log without keeping it open: after the log is shut down, every handle answers
/// `Closed`. Cheap to clone.
#[derive(Clone)]
pub struct Handle(pub(super) Arc<Shared>);

impl Handle {
    pub(crate) fn new(plan: Plan) -> Self {
        Self(Arc::new(Shared::new(plan)))
    }

    /// Whether records can be stored now.
    pub fn health(&self) -> Health {
        self.0.condition.health()
    }

    /// Why records cannot be stored now, with the path and the system's own words; `None` where they can.
    pub fn failure(&self) -> Option<Arc<str>> {
        match self.health() {
            Health::Degraded => self.0.condition.why(),
            Health::Ready | Health::Closed => None,
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

    /// The policy in force.
    #[cfg(feature = "tracing")]
    pub(crate) fn policy(&self) -> Policy {
        Policy::clone(&self.0.policy.load())
    }

    #[cfg(feature = "tracing")]
    pub(crate) fn pseudonym_keys(&self) -> Option<Arc<dyn PseudonymKeys>> {
        self.0.pseudonym_keys.load().as_deref().map(Arc::clone)
    }

    /// The span that the service's tracer is in.
    pub(crate) fn traced_span(&self) -> Option<TraceIds> {
        self.0.tracer.as_ref()?.ask()
    }

    /// The same, where it is in the context's trace.
    #[cfg_attr(
        not(feature = "http"),
        expect(dead_code, reason = "used by `http` alone")
    )]
    pub(crate) fn traced_span_of(&self, context: &AuditContext) -> Option<TraceIds> {
        let seen = self.traced_span()?;
        let ids = ids_within(Some(context), seen);
        (ids.trace_id == seen.trace_id).then_some(ids)
    }

    /// Whether the person behind `context` refused what a `tracing` event of this level would say.
    #[cfg(feature = "tracing")]
    pub(crate) fn suppresses(&self, context: &AuditContext, level: Level) -> bool {
        level < Level::Warn && self.0.selection.honours_refusal(context)
    }

    /// Queues a record and never waits.
    pub(crate) fn emit(&self, event: &Event<'_>) -> Result<(), CommitError> {
        self.0.submit(event, None, Debt::Free)
    }

    /// Queues a record that a request owes since it was admitted, whatever the bound; counted where
    /// the log was shut down before the request ended.
    #[cfg_attr(
        not(feature = "http"),
        expect(dead_code, reason = "used by `http` alone")
    )]
    pub(crate) fn emit_owed(&self, event: &Event<'_>) {
        if self.0.submit(event, None, Debt::Owed).is_err() {
            Reason::Closed.report();
        }
    }

    /// Queues the record of a request that found no room and was not let in for its sake. The room
    /// above the bound is for those that were, so it is counted where there is none below.
    #[cfg_attr(
        not(feature = "http"),
        expect(dead_code, reason = "used by `http` alone")
    )]
    pub(crate) fn emit_spare(&self, event: &Event<'_>) {
        let queued = self.0.submit(event, None, Debt::Free);
        let reason = match queued.map_err(|error| error.kind()) {
            Ok(()) => return,
            Err(CommitErrorKind::Full) => Reason::QueueFull,
            Err(CommitErrorKind::Closed) => return Reason::Closed.report(),
            Err(_) => self.0.condition.reason(),
        };
        let channel = event.category.channel();
        let (queue, counted_as) = (&self.0.queue, event.counted_as);
        let told = queue.count_many(channel, counted_as, reason, 1, event.at);
        told.unwrap_or_else(|_ended| Reason::Closed.report());
    }

    /// Queues a record that a request owes since it was admitted, whatever the bound; the answer
    /// comes when it is durable. Its loss is counted, since nobody can try again.
    #[cfg_attr(
        not(feature = "http"),
        expect(dead_code, reason = "used by `http` alone")
    )]
    pub(crate) fn commit_owed(&self, event: &Event<'_>) -> Commit {
        let (commit, queued) = self.promise(event, Debt::Owed);
        if queued.is_err_and(|kind| kind == CommitErrorKind::Closed) {
            Reason::Closed.report();
        }
        commit
    }

    /// Whether work that must be recorded may begin: the store can be written and the queue has room.
    pub(crate) fn admit(&self) -> Result<(), CommitError> {
        self.0.check_process()?;
        match self.health() {
            Health::Degraded => Err(self.0.condition.unavailable()),
            Health::Closed => Err(CommitError::closed()),
            Health::Ready => self.0.queue.check_room(),
        }
    }

    /// Whether the queue has no room for new work.
    #[cfg_attr(
        not(feature = "http"),
        expect(dead_code, reason = "used by `http` alone")
    )]
    pub(crate) fn is_crowded(&self) -> bool {
        self.0.queue.is_crowded()
    }

    /// Whether a defect of the service should be as loud as it can be.
    #[cfg_attr(
        not(feature = "http"),
        expect(dead_code, reason = "used by `http` alone")
    )]
    pub(crate) fn is_rehearsal(&self) -> bool {
        self.0.service.is_rehearsal()
    }

    /// What becomes of requests that cannot be recorded.
    #[cfg_attr(
        not(feature = "http"),
        expect(dead_code, reason = "used by `http` alone")
    )]
    pub(crate) fn mode(&self) -> Mode {
        self.0.mode
    }

    /// A typed event as a record of this log.
    pub(crate) fn typed<'a, E: AuditEvent>(
        &self,
        event: &'a E,
        context: Option<&'a AuditContext>,
    ) -> Event<'a> {
        const {
            assert!(
                is_event_name(E::META.name),
                "an event's name has two or more lower-case words with dots between them, and is none of compliance-log's own",
            );
        }
        let mut typed = Event::new(E::META.name, E::META.category, self.now(), event);
        typed.version = Some(E::META.version);
        typed.outcome = (E::META.category != Category::App).then_some(E::META.outcome);
        typed.context = context;
        typed.target = Target::OfFields;
        typed.declared = E::META.fields;
        typed
    }

    /// Queues a record; the answer comes when it is durable.
    pub(crate) fn commit(&self, event: &Event<'_>) -> Commit {
        self.promise(event, Debt::Free).0
    }

    /// An answer to come, and whether the record is queued.
    fn promise(&self, event: &Event<'_>, debt: Debt) -> (Commit, Result<(), CommitErrorKind>) {
        let refused = |error: CommitError| {
            let kind = error.kind();
            (Commit::refused(error), Err(kind))
        };
        if let Err(error) = self.0.check_process() {
            return refused(error);
        }
        let (commit, promise) = Commit::pair(self.0.process);
        match self.0.submit(event, Some(promise), debt) {
            Ok(()) => (commit, Ok(())),
            Err(error) => refused(error),
        }
    }

    /// Waits until all that was queued before is durable, or counted as lost.
    pub(crate) fn flush(&self) -> Result<(), CommitError> {
        self.0.check_process()?;
        let (audit, audit_promise) = Commit::pair(self.0.process);
        let (app, app_promise) = Commit::pair(self.0.process);
        self.0.queue.push_barriers([audit_promise, app_promise])?;
        let (audit, app) = (audit.wait(), app.wait());
        audit.and(app).map(drop)
    }

    /// Seals what is durable, and gives the newest checkpoint.
    pub(crate) fn checkpoint(&self) -> Result<String, Error> {
        self.ask_seal(Turn::Checkpoint)
    }

    /// Seals what is durable, and has other keys sign from then on.
    pub(crate) fn rotate_keys(&self) -> Result<String, Error> {
        self.ask_seal(Turn::RotateKeys)
    }

    fn ask_seal(&self, turn: impl FnOnce(CheckpointReply) -> Turn) -> Result<String, Error> {
        let refused = |error: CommitError| Error::new(ErrorKind::Seal, error.to_string());
        self.flush().map_err(refused)?;
        let (reply, answer) = mpsc::channel();
        let asked = self.0.queue.tell(turn(reply));
        asked.map_err(refused)?;
        let ended = |_gone| Error::new(ErrorKind::Seal, "the log or its seal thread ended");
        answer.recv().map_err(ended)?
    }

    /// Takes another policy into use.
    pub(crate) fn set_policy(&self, policy: Policy) -> Commit {
        if let Err(error) = self.0.check_process() {
            return Commit::refused(error);
        }
        let (commit, promise) = Commit::pair(self.0.process);
        let policy = Arc::new(policy);
        let put_in_force = |policy| self.0.policy.store(policy);
        match self.0.queue.change_policy(policy, promise, put_in_force) {
            Ok(()) => commit,
            Err(error) => Commit::refused(error),
        }
    }

    /// Says that a policy which was offered is not used, and why.
    pub(crate) fn refuse_policy(&self, why: String) {
        metric::count("compliance_log_policies_refused");
        // After the end of the log nobody offers one.
        self.0.queue.tell(Turn::RefusePolicy { why }).unwrap_or(());
    }

    /// Has the log itself say something in the audit stream, now or as soon as there is a store.
    #[cfg_attr(
        not(feature = "axum"),
        expect(dead_code, reason = "used by `http` alone")
    )]
    pub(crate) fn say(&self, event: &Event<'_>) {
        let mut scratch = Scratch::take();
        loop {
            let policy = self.0.policy.load();
            let none = Pseudonyms::NONE;
            let encoded = encode(&mut scratch, event, &policy, none, &self.0.service);
            match self.0.queue.say(encoded.bytes, &policy) {
                Ok(Pushed::Stale(_)) => (),
                // After the end of the log there is nothing to say it in.
                Ok(Pushed::Done) | Err(_) => return,
            }
        }
    }

    /// Announces a record of `event` that a request owes.
    #[cfg_attr(
        not(feature = "http"),
        expect(dead_code, reason = "used by `http` alone")
    )]
    pub(crate) fn owe(&self, event: &'static str, channel: Channel) -> Owing {
        Owing::new(self.account(event, channel))
    }

    /// Where records of `event` that requests owe are counted.
    pub(crate) fn account(&self, event: &'static str, channel: Channel) -> Arc<Account> {
        self.0.in_flight.account(event, channel)
    }

    /// Lets requests in flight end, for `grace` at most, and then the writer store what is queued.
    /// Says how many records they still owe, which are counted as lost.
    pub(crate) fn close(&self, grace: Duration) -> u64 {
        let owed = self.0.in_flight.wait(grace);
        for (&(event, channel), &count) in owed.iter().filter(|(_, count)| **count > 0) {
            let (reason, at) = (Reason::Unfinished, self.now());
            // A writer that panicked tells of nothing; the sum is returned all the same.
            let told = self.0.queue.count_many(channel, event, reason, count, at);
            told.unwrap_or(());
        }
        self.0.queue.close();
        self.0.pseudonym_keys.store(None);
        owed.values().sum()
    }

    /// Whether this is the process that has the writer.
    pub(crate) fn check_process(&self) -> Result<(), CommitError> {
        self.0.check_process()
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

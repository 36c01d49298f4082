//! From an event to bytes in the queue, or to why not.

use std::sync::Arc;

use super::{
    mode::Mode,
    queue::{Claim, Push, Pushed},
    shared::Shared,
    tracer::ids_within,
};
use crate::{
    encode::{Scratch, encode},
    event::Category,
    loss::OnFailure,
    metric,
    pseudonym::Pseudonyms,
    receipt::{CommitError, Promise},
    schema::{Event, SpanOf},
    volume::Decision,
};

/// Whether the room for a record was granted before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Debt {
    /// It finds room, or not.
    Free,
    /// A request owes it since it was admitted: it is queued whatever the bound, and counted where it
    /// is lost, since nobody can try again.
    Owed,
}

impl Shared {
    /// Queues a record, unless it is counted instead. The promise is kept by the queue, or dropped with
    /// the error that is returned.
    pub(super) fn submit(
        self: &Arc<Self>,
        event: &Event<'_>,
        promise: Option<Promise>,
        debt: Debt,
    ) -> Result<(), CommitError> {
        let told;
        let event = match self.traced(event) {
            Some(traced) => {
                told = traced;
                &told
            }
            None => event,
        };
        let awaited = promise.is_some();
        let (policy, monotonic) = (|| self.policy.load(), || self.clock.monotonic());
        match self.selection.decide(event, awaited, policy, monotonic) {
            Decision::Write => {}
            Decision::Counted => return Ok(()),
            Decision::CountedFirst => {
                self.queue.wake();
                return Ok(());
            }
        }
        let counted = debt == Debt::Owed
            || self.on_failure.counts(event.category)
            || (self.mode == Mode::Observe && !awaited);
        let degraded = self.condition.is_degraded();
        let claim = self.claim(event.category, awaited, degraded, debt);
        let is_storable = degraded && !awaited && self.condition.refuses_commits_alone();
        if degraded && !is_storable && claim == Claim::Room {
            return self.refuse(event, awaited, counted);
        }
        self.enqueue(event, promise, claim, counted)?;
        if let Some(context) = event.context
            && matches!(
                event.category,
                Category::Audit | Category::Security | Category::Admin
            )
        {
            context.set_audited();
        }
        Ok(())
    }

    /// The event with what the service's tracer says of it, if that has anything to say.
    fn traced<'e>(&self, event: &Event<'e>) -> Option<Event<'e>> {
        let tracer = self.tracer.as_ref()?;
        if event.span == SpanOf::Context {
            return None;
        }
        let ids = ids_within(event.context, tracer.ask()?);
        Some(Event {
            trace: Some(ids),
            ..*event
        })
    }

    /// Makes the record, again if the policy changes meanwhile, and queues it.
    fn enqueue(
        &self,
        event: &Event<'_>,
        mut promise: Option<Promise>,
        claim: Claim,
        counted: bool,
    ) -> Result<(), CommitError> {
        let mut scratch = Scratch::take();
        let keys = self.pseudonym_keys.load();
        let keys = keys.as_deref().map(|keys| &**keys);
        let pseudonyms = Pseudonyms::new(keys, event.context);
        loop {
            let policy = self.policy.load();
            let encoded = encode(&mut scratch, event, &policy, pseudonyms, &self.service);
            let violates_schema = encoded.violates_schema;
            let pushed = self.queue.push(Push {
                bytes: encoded.bytes,
                policy: &policy,
                channel: encoded.category.channel(),
                counted_as: event.counted_as,
                at: event.at,
                promise,
                claim,
                counted,
                is_redacted: encoded.is_redacted,
            })?;
            match pushed {
                Pushed::Stale(back) => promise = back,
                Pushed::Done => {
                    if violates_schema {
                        count_violation(event.category);
                    }
                    return Ok(());
                }
            }
        }
    }

    fn claim(
        self: &Arc<Self>,
        category: Category,
        awaited: bool,
        degraded: bool,
        debt: Debt,
    ) -> Claim {
        match self.on_failure.of(category) {
            _ if debt == Debt::Owed => Claim::Owed,
            OnFailure::Block { deadline } if awaited && self.keeps_deadlines() => {
                if degraded {
                    Claim::WaitForStore(deadline)
                } else {
                    Claim::Wait(deadline)
                }
            }
            _ => Claim::Room,
        }
    }

    /// There is no store now. A record that is counted and that nobody waits for is answered as if it
    /// were queued: its loss is told of.
    #[cold]
    fn refuse(&self, event: &Event<'_>, awaited: bool, counted: bool) -> Result<(), CommitError> {
        if counted {
            let channel = event.category.channel();
            let reason = self.condition.reason();
            let (counted_as, at) = (event.counted_as, event.at);
            self.queue.count_many(channel, counted_as, reason, 1, at)?;
        }
        if counted && !awaited {
            Ok(())
        } else {
            Err(self.condition.unavailable())
        }
    }
}

#[cold]
fn count_violation(category: Category) {
    metric::report(|| {
        metrics::counter!("compliance_log_schema_violations", "category" => category.as_str())
            .increment(1);
    });
}

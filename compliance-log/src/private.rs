//! What generated code calls; no part of the public interface.

pub use crate::event::{
    Action, AuditEvent, AuditField, Category, Class, Classified, EventMeta, FieldMeta, Fields,
    Kind, Outcome, PreAuth, Raw, Registered, Tenanted, Visit,
};
pub use core::fmt;
pub use inventory;

use crate::{
    current::{self, Scope},
    encode,
    lifecycle::is_event_name,
    receipt::{Commit, CommitError},
    schema::{Event, Target},
};

/// Writes a value as text, for a target.
///
/// # Errors
///
/// Only those of `out`.
pub fn write_raw(out: &mut dyn fmt::Write, raw: Raw<'_>) -> fmt::Result {
    encode::write_text(out, raw)
}

/// Queues a typed event in the log of the current scope, else the default one.
///
/// # Errors
///
/// [`CommitError`] if no log is there or it has no room.
pub fn emit<E: AuditEvent>(event: &E) -> Result<(), CommitError> {
    current::with(|scope| scope.handle.emit(&typed(scope, event)))
        .unwrap_or_else(|| Err(CommitError::no_log()))
}

/// Queues a typed event and gives a future of its receipt.
pub fn commit<E: AuditEvent>(event: &E) -> Commit {
    current::with(|scope| scope.handle.commit(&typed(scope, event)))
        .unwrap_or_else(|| Commit::refused(CommitError::no_log()))
}

fn typed<'a, E: AuditEvent>(scope: &'a Scope, event: &'a E) -> Event<'a> {
    const {
        assert!(
            is_event_name(E::META.name),
            "an event's name has two or more lower-case words with dots between them, and is none of compliance-log's own",
        );
    }
    let mut typed = Event::new(E::META.name, E::META.category, scope.handle.now(), event);
    typed.version = Some(E::META.version);
    typed.outcome = (E::META.category != Category::App).then_some(E::META.outcome);
    typed.context = scope.context.as_ref();
    typed.target = Target::OfFields;
    typed.declared = E::META.fields;
    typed
}

//! What generated code calls; no part of the public interface.

pub use crate::event::{
    Action, AuditEvent, AuditField, Category, Class, Classified, Element, EventMeta, FieldMeta,
    Fields, Kind, Outcome, PreAuth, Presence, Raw, Registered, Tenanted, Visit,
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

/// Writes a value as text, for a target; `none` where there is none.
///
/// # Errors
///
/// Only those of `out`.
pub fn show(out: &mut dyn fmt::Write, raw: Option<Raw<'_>>) -> fmt::Result {
    match raw {
        Some(raw) => encode::write_text(out, raw),
        None => out.write_str("none"),
    }
}

/// Gives a field to `out`, if it has a value.
pub fn give(out: &mut dyn Visit, meta: &FieldMeta, raw: Option<Raw<'_>>) {
    if let Some(raw) = raw {
        out.field(meta, raw);
    }
}

/// Fails the build where a target would show a value of this class.
#[track_caller]
pub const fn assert_shown(class: Class) {
    assert!(
        matches!(class, Class::Public | Class::Internal),
        "a target is read by everybody who reads records, and its type says that the value of this field is about a person or a card; name a field that says which one it was without saying who, such as an id"
    );
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

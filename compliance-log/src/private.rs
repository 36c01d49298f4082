//! What generated code calls; no part of the public interface.

pub use crate::event::{
    Action, AuditEvent, AuditField, Category, Class, Classified, EventMeta, FieldMeta, Fields,
    Kind, Outcome, PreAuth, Raw, Registered, Tenanted, Visit,
};
pub use core::fmt;
pub use inventory;

use crate::{
    current, encode,
    receipt::{Commit, CommitError},
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
    current::with(|scope| scope.handle.emit(&scope.typed(event)))
        .unwrap_or_else(|| Err(CommitError::no_log()))
}

/// Queues a typed event and gives a future of its receipt.
pub fn commit<E: AuditEvent>(event: &E) -> Commit {
    current::with(|scope| scope.handle.commit(&scope.typed(event)))
        .unwrap_or_else(|| Commit::refused(CommitError::no_log()))
}

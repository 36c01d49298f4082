//! What generated code calls; no part of the public interface.

pub use crate::event::{
    Action, AuditEvent, AuditField, Category, Class, EventMeta, FieldMeta, Fields, Outcome, Raw,
    Visit,
};
pub use core::fmt;

/// Writes a value as text, for a target.
///
/// # Errors
///
/// Only those of `out`.
pub fn write_raw(out: &mut dyn fmt::Write, raw: Raw<'_>) -> fmt::Result {
    match raw {
        Raw::Str(text) => out.write_str(text),
        Raw::U64(number) => write!(out, "{number}"),
        Raw::I64(number) => write!(out, "{number}"),
        Raw::F64(number) => write!(out, "{number}"),
        Raw::Bool(truth) => write!(out, "{truth}"),
        Raw::Id(value) | Raw::Display(value) => write!(out, "{value}"),
        Raw::Debug(value) => write!(out, "{value:?}"),
    }
}

// Stand-ins until the queue exists.

/// Why an event was not stored.
#[derive(Debug)]
#[non_exhaustive]
pub struct CommitError;

/// The answer to a commit.
#[derive(Debug)]
#[must_use]
#[non_exhaustive]
pub struct Commit;

/// Answers that there is no log.
pub fn emit<E: AuditEvent>(_event: &E) -> Result<(), CommitError> {
    Err(CommitError)
}

/// Answers nothing.
pub fn commit<E: AuditEvent>(_event: &E) -> Commit {
    Commit
}

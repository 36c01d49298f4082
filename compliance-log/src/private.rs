//! What generated code calls; no part of the public interface.

pub use crate::event::{
    Action, AuditEvent, AuditField, Category, Class, Classified, Element, EventMeta, FieldMeta,
    Fields, Kind, Outcome, PreAuth, Presence, Raw, Registered, Tenanted, Visit,
};
pub use core::fmt;
pub use inventory;

use std::marker::PhantomData;

use crate::{
    current, encode,
    receipt::{Commit, CommitError},
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

/// What is known of the class of a type: its own where it has one, else that of [`Unclassified`].
#[derive(Debug)]
pub struct ClassOf<T: ?Sized>(PhantomData<T>);

impl<T: Classified + ?Sized> ClassOf<T> {
    /// Found before the constant of the trait.
    pub const CLASS: Class = T::CLASS;
}

/// The class of whatever has none.
pub trait Unclassified {
    /// What a pseudonym is made of, where nobody says otherwise.
    const CLASS: Class = Class::Personal;
}

impl<T: ?Sized> Unclassified for ClassOf<T> {}

/// The class of a field that is pseudonymised; fails the build where its type holds what may not be
/// hashed.
#[track_caller]
pub const fn pseudonymised(of_type: Class) -> Class {
    assert!(
        !matches!(of_type, Class::Cardholder),
        "a card number is never pseudonymised, since its last four digits may stand elsewhere and the rest could then be tried; write `#[audit(mask = \"pan\")]` or `#[audit(drop)]`"
    );
    assert!(
        !matches!(of_type, Class::Secret),
        "a secret has no way to be logged; remove the field, or write `#[audit(skip)]`"
    );
    Class::Personal
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

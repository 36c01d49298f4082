//! The schema of a service's events as text that lies beside its code: what it was when somebody last
//! agreed to it, and what has changed since.
//!
//! Whoever reads records (a report, an alert, an archive, another service) relies on the fields of each
//! event. A [`SchemaLock`] states them, one line per event and per field, sorted, so that a change of the
//! schema is a change of a file under review:
//!
//! ```text
//! compliance-log schema lock 1
//!
//! event booking.created version=1 category=audit outcome=success
//!   field booking_id kind=integer presence=always class=internal action=keep
//!   field data.card kind=text presence=always class=cardholder action=mask
//!   field data.seats kind=integer presence=always class=public action=keep
//! ```
//!
//! A field is named by its path from the root of the record. `test_util::assert_schema_lock` keeps the
//! file of a service; `compliance-log schema diff` compares two of them.
//!
//! # What is compatible
//!
//! Records last. Those of one version of an event were written under the old schema and under the new
//! one, and a reader knows one of the two: a change is compatible if it can read them all.
//!
//! | change, while the version stays | |
//! |---|---|
//! | an event, or a version next to those there are, is added | compatible |
//! | an optional field is added | compatible |
//! | a class is more sensitive; an action takes away more (`keep`, then `mask` and `pseudonym`, then `drop`) | compatible: every reader must expect redaction |
//! | an event is removed, or its version lowered | breaking |
//! | category or outcome is another | breaking |
//! | a field that is always there is added | breaking: older records of that version lack it |
//! | a field is removed, moved between root and `data`, of another kind, optional where it was always there or the other way round | breaking |
//! | a class is less sensitive; an action takes away less, or `mask` and `pseudonym` are swapped | breaking |
//!
//! With a higher `version`, and the type of the old one gone, everything is allowed: readers tell
//! records of the two apart. A version that stays beside the new one is compared as before.
//!
//! # What it does not say
//!
//! A lock has neither the text of an event's target, which is for people, nor whether the event may
//! happen before anybody is known.

mod words;
mod lock;
mod text;
mod finding;
mod compare;

pub use finding::{Change, Finding, Impact};
pub use lock::{LockedEvent, LockedField, Place, SchemaLock};

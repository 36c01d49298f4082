//! The schema of a record as JSON Schema, for readers that know nothing of Rust.
//!
//! [`record`] makes one document, of draft 2020-12, that describes one line of a stream: every row of
//! record format v1 with its type, which rows may not be missing where, and the fields of the events of
//! a [`SchemaLock`](crate::schema_lock::SchemaLock).
//!
//! ```
//! use compliance_log::{audit_event, event::AuditEvent, json_schema, schema_lock::SchemaLock};
//!
//! #[audit_event(name = "invoice.paid", target = "invoice/{number}")]
//! struct InvoicePaid {
//!     number: u64,
//!     #[audit(mask = "pan")]
//!     card: String,
//! }
//!
//! # fn main() -> Result<(), compliance_log::Error> {
//! let schema = json_schema::record(&SchemaLock::of(&[InvoicePaid::META])?);
//! assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
//! assert!(schema["$defs"]["invoice.paid version 1"].is_object());
//! # Ok(())
//! # }
//! ```
//!
//! # What it allows
//!
//! - A row that is required may be missing where `schema_violations` names it: the record is stored and
//!   says what it lacks.
//! - A field that is always there may be missing where `redactions` names it, and where the action
//!   failed before the event existed: `outcome` is `fail`.
//! - A field that is masked or pseudonymised is text, whatever it was; so is a number that JSON cannot
//!   hold. One that is dropped must not be there.
//! - Unknown fields under `data`, which an optional field of a later release is. At the root there are
//!   none.
//!
//! # What it does not do
//!
//! It says nothing of hashes and links, of keys that stand twice or of the order of keys: `verify` and
//! the format do.

mod form;
mod rules;
mod event;
mod record;

pub use record::record;

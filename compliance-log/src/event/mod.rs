//! What was said: categories, outcomes, the values of an event and their classes.

mod category;
mod failure;
mod field;
mod field_types;
mod meta;
mod outcome;
mod registry;
mod scope;
mod value;

pub use category::{Category, Channel, Level};
#[cfg(feature = "macros")]
pub use compliance_log_macros::AuditField;
pub use failure::Failure;
pub use field::{AuditField, Classified, Element};
pub use meta::{Action, AuditEvent, Class, EventMeta, FieldMeta, Kind, Presence, TypeMeta};
pub use outcome::{Outcome, OutcomeDetail};
pub use registry::{Registered, registered};
pub use scope::{PreAuth, Scope, Tenanted};
pub use value::{Elements, Fields, Raw, Visit};

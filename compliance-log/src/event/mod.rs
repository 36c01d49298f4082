//! What was said: categories, outcomes, the values of an event and their classes.

mod category;
mod failure;
mod field;
mod meta;
mod outcome;
mod registry;
mod scope;
mod value;

pub use category::{Category, Channel, Level};
pub use failure::Failure;
pub use field::{AuditField, Classified};
pub use meta::{Action, AuditEvent, Class, EventMeta, FieldMeta, Kind, Presence};
pub use outcome::{Outcome, OutcomeDetail};
pub use registry::{Registered, registered};
pub use scope::{PreAuth, Scope, Tenanted};
pub use value::{Fields, Raw, Visit};

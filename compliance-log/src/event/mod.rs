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
/// Makes a newtype, or an enum without fields, a type of which fields of events are made.
///
/// It implements [`AuditField`](trait@AuditField), [`Classified`] and, where one value of the type can
/// be an element of a list, [`Element`].
///
/// ```
/// use compliance_log::event::{AuditField, Class, Classified, Kind};
///
/// #[derive(AuditField)]
/// #[audit(internal)]
/// struct BookingId(String);
///
/// #[derive(AuditField)]
/// #[audit(public, max_len = 80)]
/// struct Remark(String);
///
/// #[derive(AuditField)]
/// enum Payment {
///     Paid,
///     #[audit(rename = "part")]
///     PaidInPart,
/// }
///
/// assert_eq!(BookingId::CLASS, Class::Internal);
/// assert_eq!(Remark::BYTES_MAX, Some(80));
/// assert_eq!(<Payment as AuditField>::KIND, Kind::Id);
/// ```
///
/// # A newtype
///
/// A struct with one field, whose value is written. It takes the options that a field of an event has:
/// a class, which it needs, and `max_len`, which `public` text needs. A field of a `cardholder` type
/// still has to name its action.
///
/// # An enum without fields
///
/// Each variant is written as one word, `paid_in_part` or what `#[audit(rename = "...")]` on it says,
/// and not scanned for secrets, since the words are known when the program is built. The class is
/// `internal` where none is given.
#[cfg(feature = "macros")]
pub use compliance_log_macros::AuditField;
pub use failure::Failure;
pub use field::{AuditField, Classified, Element};
pub use meta::{Action, AuditEvent, Class, EventMeta, FieldMeta, Kind, Presence, TypeMeta};
pub use outcome::{Outcome, OutcomeDetail};
pub use registry::{Registered, registered};
pub use scope::{PreAuth, Scope, Tenanted};
pub use value::{Elements, Fields, Raw, Visit};

//! What was said: categories, outcomes, the values of an event and their classes.

use std::fmt;

/// Which rules a record obeys. A field of the record, not a file: see [`Channel`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the format freezes the five categories"
)]
pub enum Category {
    /// A business action that must be provable: a booking, a payment.
    Audit,
    /// Authentication, authorisation, keys, policy, and the log's own life cycle.
    Security,
    /// A privileged or administrative action.
    Admin,
    /// One request, message or connection.
    Access,
    /// Everything else: ordinary `tracing` events.
    App,
}

impl Category {
    /// The word in the record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Security => "security",
            Self::Admin => "admin",
            Self::Access => "access",
            Self::App => "app",
        }
    }

    /// The stream that carries it.
    pub const fn channel(self) -> Channel {
        match self {
            Self::App => Channel::App,
            _ => Channel::Audit,
        }
    }
}

/// A file of its own within a store, with a hash chain of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Channel {
    /// Categories audit, security, admin, access, and the life cycle.
    Audit,
    /// Category app.
    App,
}

impl Channel {
    /// Every channel that a writer opens.
    pub const ALL: [Self; 2] = [Self::Audit, Self::App];

    /// The folder's name, and the last part of the stream id.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::App => "app",
        }
    }

    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Audit => 0,
            Self::App => 1,
        }
    }
}

/// Severity, as `tracing` counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the format freezes the five levels"
)]
pub enum Level {
    /// Finest detail.
    Trace,
    /// For developers.
    Debug,
    /// Normal operation.
    Info,
    /// Loss, recovery, refusal.
    Warn,
    /// A failure that needs a person.
    Error,
}

impl Level {
    /// The word in the record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

/// How an action ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the format freezes the two outcomes"
)]
pub enum Outcome {
    /// It took effect.
    Success,
    /// It did not, or not wholly; see [`OutcomeDetail`].
    Fail,
}

impl Outcome {
    /// The word in the record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Fail => "fail",
        }
    }
}

/// More about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutcomeDetail {
    /// Refused for lack of identity or rights.
    Denied,
    /// The client left before there was an answer.
    Aborted,
    /// The answer was cut off while it was sent.
    Partial,
    /// Nobody said how it ended.
    Abandoned,
}

impl OutcomeDetail {
    /// The word in the record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Aborted => "aborted",
            Self::Partial => "partial",
            Self::Abandoned => "abandoned",
        }
    }
}

/// How sensitive a field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Class {
    /// May be shown to anybody.
    Public,
    /// For the company's own people.
    Internal,
    /// About a person.
    Personal,
    /// Cardholder data under PCI DSS.
    Cardholder,
    /// A credential; it has no way to be logged.
    Secret,
}

/// What becomes of a field before it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Written as it is, after the scan by value.
    Keep,
    /// Left out.
    Drop,
    /// A card number shortened to its last four digits, `****1111`.
    MaskPan,
    /// Replaced by a keyed pseudonym; left out where no key is configured.
    Pseudonym,
}

/// One field of an event type.
#[derive(Clone, Copy, Debug)]
pub struct FieldMeta {
    /// Its key in the record.
    pub name: &'static str,
    /// How sensitive it is.
    pub class: Class,
    /// What becomes of it.
    pub action: Action,
    /// Whether it stands at the root of the record instead of under `data`.
    pub root: bool,
}

/// An event type, as its derive states it.
#[derive(Clone, Copy, Debug)]
pub struct EventMeta {
    /// Dotted lower case, for example `booking.created`.
    pub name: &'static str,
    /// The version of its fields, from 1.
    pub version: u16,
    /// Which rules it obeys.
    pub category: Category,
    /// What the event says happened; failures of an action are usually written by the layer.
    pub outcome: Outcome,
    /// Its fields in the order of the struct.
    pub fields: &'static [FieldMeta],
}

/// A value on its way into a record, before anything was checked.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Raw<'v> {
    /// Text; scanned for secrets.
    Str(&'v str),
    /// A number; not scanned.
    U64(u64),
    /// A number; not scanned.
    I64(i64),
    /// A number; not scanned.
    F64(f64),
    /// A truth value; not scanned.
    Bool(bool),
    /// A typed identifier that cannot hold text and so no secret: a UUID, an address. Escaped, not
    /// scanned. An identifier that is a string inside is [`Raw::Str`].
    Id(&'v dyn fmt::Display),
    /// Text made on the spot; scanned for secrets.
    Display(&'v dyn fmt::Display),
    /// Text made on the spot; scanned for secrets.
    Debug(&'v dyn fmt::Debug),
}

impl fmt::Debug for Raw<'_> {
    /// Shows the kind and not the value, which may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Str(_) => "Raw::Str",
            Self::U64(_) => "Raw::U64",
            Self::I64(_) => "Raw::I64",
            Self::F64(_) => "Raw::F64",
            Self::Bool(_) => "Raw::Bool",
            Self::Id(_) => "Raw::Id",
            Self::Display(_) => "Raw::Display",
            Self::Debug(_) => "Raw::Debug",
        })
    }
}

/// Receives the fields of an event, in order.
pub trait Visit {
    /// Called once for each field that has a value.
    fn field(&mut self, meta: &FieldMeta, value: Raw<'_>);
}

/// The values of an event. May be asked more than once for one record and must answer the same.
pub trait Fields {
    /// Gives each field that has a value to `out`.
    fn visit(&self, out: &mut dyn Visit);

    /// Writes what the action was done to, for example `booking/b-17`.
    ///
    /// # Errors
    ///
    /// Only those of `out`.
    fn target(&self, _out: &mut dyn fmt::Write) -> fmt::Result {
        Ok(())
    }
}

/// No fields.
impl Fields for () {
    fn visit(&self, _out: &mut dyn Visit) {}
}

/// A typed event; derive it with `#[audit_event]`.
pub trait AuditEvent: Fields + Send + 'static {
    /// Name, version, category and fields.
    const META: &'static EventMeta;
}

/// A type that may be a field of an event.
///
/// ```
/// use compliance_log::event::{AuditField, Raw};
///
/// struct BookingId(String);
///
/// impl AuditField for BookingId {
///     fn raw(&self) -> Option<Raw<'_>> {
///         Some(Raw::Str(&self.0))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of an audit event",
    label = "not a loggable type",
    note = "implement `AuditField` for it: `Raw::Str` for text, `Raw::Id` only for a type that cannot hold text, such as a UUID"
)]
pub trait AuditField {
    /// The value, or `None` to leave the field out.
    fn raw(&self) -> Option<Raw<'_>>;
}

macro_rules! audit_field {
    ($($ty:ty => |$value:ident| $raw:expr;)*) => {$(
        impl AuditField for $ty {
            fn raw(&self) -> Option<Raw<'_>> {
                let $value = self;
                Some($raw)
            }
        }
    )*};
}

audit_field! {
    u8 => |v| Raw::U64(u64::from(*v));
    u16 => |v| Raw::U64(u64::from(*v));
    u32 => |v| Raw::U64(u64::from(*v));
    u64 => |v| Raw::U64(*v);
    i8 => |v| Raw::I64(i64::from(*v));
    i16 => |v| Raw::I64(i64::from(*v));
    i32 => |v| Raw::I64(i64::from(*v));
    i64 => |v| Raw::I64(*v);
    f32 => |v| Raw::F64(f64::from(*v));
    f64 => |v| Raw::F64(*v);
    bool => |v| Raw::Bool(*v);
    str => |v| Raw::Str(v);
    String => |v| Raw::Str(v);
    Box<str> => |v| Raw::Str(v);
    std::sync::Arc<str> => |v| Raw::Str(v);
    std::borrow::Cow<'_, str> => |v| Raw::Str(v);
    std::net::IpAddr => |v| Raw::Id(v);
}

impl<T: AuditField + ?Sized> AuditField for &T {
    fn raw(&self) -> Option<Raw<'_>> {
        (**self).raw()
    }
}

impl<T: AuditField> AuditField for Option<T> {
    fn raw(&self) -> Option<Raw<'_>> {
        self.as_ref().and_then(AuditField::raw)
    }
}

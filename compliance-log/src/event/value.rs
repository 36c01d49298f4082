use std::{fmt, ops::ControlFlow};

use super::meta::FieldMeta;
use crate::clock::Timestamp;

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
    /// An instant; written as RFC 3339 in UTC with microseconds.
    Time(Timestamp),
    /// Text made on the spot; scanned for secrets.
    Display(&'v dyn fmt::Display),
    /// Text made on the spot; scanned for secrets.
    Debug(&'v dyn fmt::Debug),
    /// Several values; each is treated as one that stands alone. A list inside a list becomes text.
    List(&'v dyn Elements),
}

/// The values of a list.
pub trait Elements {
    /// How many there are.
    fn count(&self) -> usize;

    /// Gives each value to `out` in order, until that says to break. May be called more than once
    /// for one record and must answer the same.
    fn each(&self, out: &mut dyn FnMut(Raw<'_>) -> ControlFlow<()>) -> ControlFlow<()>;
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
            Self::Time(_) => "Raw::Time",
            Self::Display(_) => "Raw::Display",
            Self::Debug(_) => "Raw::Debug",
            Self::List(_) => "Raw::List",
        })
    }
}

/// Receives the fields of an event, in order.
pub trait Visit {
    /// Called once for each field that has a value.
    fn field(&mut self, meta: &FieldMeta, value: Raw<'_>);

    /// The same for a field that was redacted when it was given: what is left of it, and which rule did
    /// what.
    #[doc(hidden)]
    fn redacted(
        &mut self,
        meta: &FieldMeta,
        left: Option<Raw<'_>>,
        _by: &[(Box<str>, &'static str)],
    ) {
        if let Some(value) = left {
            self.field(meta, value);
        }
    }
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

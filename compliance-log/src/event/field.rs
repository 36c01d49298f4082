use super::{
    meta::{Class, Kind, Presence},
    value::Raw,
};

/// A type that may be a field of an event.
///
/// ```
/// use compliance_log::event::{AuditField, Class, Classified, Raw};
///
/// struct BookingId(String);
///
/// impl AuditField for BookingId {
///     fn raw(&self) -> Option<Raw<'_>> {
///         Some(Raw::Str(&self.0))
///     }
/// }
///
/// // So that a field of this type needs no class of its own.
/// impl Classified for BookingId {
///     const CLASS: Class = Class::Internal;
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of an audit event",
    label = "not a loggable type",
    note = "implement `AuditField` for it: `Raw::Str` for text, `Raw::Id` only for a type that cannot hold text, such as a UUID"
)]
pub trait AuditField {
    /// What its value is in JSON.
    const KIND: Kind = Kind::Text;
    /// Whether [`AuditField::raw`] may give `None`.
    const PRESENCE: Presence = Presence::Always;

    /// The value, or `None` to leave the field out.
    fn raw(&self) -> Option<Raw<'_>>;
}

/// A type of which every value is equally sensitive, so that its fields need no class of their own.
///
/// Free text is none: what a `String` may hold, only its field can say.
#[diagnostic::on_unimplemented(
    message = "what `{Self}` may hold is not known, so its field has to say how sensitive it is",
    label = "needs a class",
    note = "write `#[audit(public)]`, `internal`, `personal`, `pseudonym`, `mask = \"pan\"` or `drop`",
    note = "or give the type itself a class: implement `Classified`"
)]
pub trait Classified: AuditField {
    /// How sensitive.
    const CLASS: Class;
}

macro_rules! audit_field {
    ($($ty:ty: $kind:ident => |$value:ident| $raw:expr;)*) => {$(
        impl AuditField for $ty {
            const KIND: Kind = Kind::$kind;

            fn raw(&self) -> Option<Raw<'_>> {
                let $value = self;
                Some($raw)
            }
        }
    )*};
}

macro_rules! internal {
    ($($ty:ty)*) => {$(
        impl Classified for $ty {
            const CLASS: Class = Class::Internal;
        }
    )*};
}

audit_field! {
    u8: Integer => |v| Raw::U64(u64::from(*v));
    u16: Integer => |v| Raw::U64(u64::from(*v));
    u32: Integer => |v| Raw::U64(u64::from(*v));
    u64: Integer => |v| Raw::U64(*v);
    i8: Integer => |v| Raw::I64(i64::from(*v));
    i16: Integer => |v| Raw::I64(i64::from(*v));
    i32: Integer => |v| Raw::I64(i64::from(*v));
    i64: Integer => |v| Raw::I64(*v);
    f32: Number => |v| Raw::F64(f64::from(*v));
    f64: Number => |v| Raw::F64(*v);
    bool: Bool => |v| Raw::Bool(*v);
    str: Text => |v| Raw::Str(v);
    String: Text => |v| Raw::Str(v);
    Box<str>: Text => |v| Raw::Str(v);
    std::sync::Arc<str>: Text => |v| Raw::Str(v);
    std::borrow::Cow<'_, str>: Text => |v| Raw::Str(v);
    std::net::IpAddr: Text => |v| Raw::Id(v);
}

internal!(u8 u16 u32 u64 i8 i16 i32 i64 f32 f64 bool std::net::IpAddr);

impl<T: AuditField + ?Sized> AuditField for &T {
    const KIND: Kind = T::KIND;
    const PRESENCE: Presence = T::PRESENCE;

    fn raw(&self) -> Option<Raw<'_>> {
        (**self).raw()
    }
}

impl<T: Classified + ?Sized> Classified for &T {
    const CLASS: Class = T::CLASS;
}

impl<T: AuditField> AuditField for Option<T> {
    const KIND: Kind = T::KIND;
    const PRESENCE: Presence = Presence::Optional;

    fn raw(&self) -> Option<Raw<'_>> {
        self.as_ref().and_then(AuditField::raw)
    }
}

impl<T: Classified> Classified for Option<T> {
    const CLASS: Class = T::CLASS;
}

use super::{
    meta::{Class, Kind, Presence, TypeMeta},
    value::Raw,
};

/// A type that may be a field of an event.
///
/// | type | in the record |
/// |---|---|
/// | integers and their `NonZero` forms | a number; a string beyond ±(2^53−1) |
/// | `f32`, `f64` | a number; a string where it is not finite |
/// | `bool` | `true` or `false` |
/// | `String`, `str` | a string, scanned for secrets |
/// | `char`, addresses of `std::net`, `TraceId`, `SpanId` | a string |
/// | `TenantId`, `UserId`, `ClientId` | a string, scanned for secrets |
/// | `Duration` | a number of milliseconds with up to three decimals |
/// | `SystemTime`, [`Timestamp`](crate::clock::Timestamp) | RFC 3339 in UTC with microseconds |
/// | `Option` | its value; left out where it is `None` |
/// | `Vec`, arrays, slices, `BTreeSet` | an array, see [`Element`] |
/// | `&`, `Box`, `Arc`, `Cow` | what they hold |
///
/// For a newtype, or an enum without fields, the derive of the same name does it. By hand:
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
    note = "a secret has no way to be logged; of a map, a JSON value or a struct, make each value that matters a field of its own",
    note = "for a newtype or an enum without fields, write `#[derive(AuditField)]` on it",
    note = "for another type, implement `AuditField`: `Raw::Str` for text, `Raw::Id` only for a type that cannot hold text, such as a UUID"
)]
pub trait AuditField {
    /// What its value is in JSON.
    const KIND: Kind = Kind::Text;
    /// Whether [`AuditField::raw`] may give `None`.
    const PRESENCE: Presence = Presence::Always;
    /// The most bytes that are written of its text, where a field does not say otherwise.
    const BYTES_MAX: Option<u32> = None;
    /// All of the above.
    #[doc(hidden)]
    const META: TypeMeta = TypeMeta {
        kind: Self::KIND,
        presence: Self::PRESENCE,
        bytes_max: Self::BYTES_MAX,
    };

    /// The value, or `None` to leave the field out.
    fn raw(&self) -> Option<Raw<'_>>;
}

/// A type of which every value is equally sensitive, so that its fields need no class of their own.
///
/// Free text is none: what a `String` may hold, only its field can say.
#[diagnostic::on_unimplemented(
    message = "what `{Self}` may hold is not known, so its field has to say how sensitive it is",
    label = "needs a class",
    note = "write `#[audit(internal)]`, `personal`, `pseudonym`, `mask = \"pan\"`, `drop`, or `public` with `max_len`",
    note = "or give the type itself a class: implement `Classified`"
)]
pub trait Classified: AuditField {
    /// How sensitive.
    const CLASS: Class;
}

/// A type of which several values may stand in one field, as an array.
///
/// At most 64 are written; then one string says how many there were, `…[70 elements]`. An element
/// without a value is left out. Bytes are no elements, and a list of lists is none either.
///
/// ```
/// use compliance_log::event::{AuditField, Element, Kind, Raw};
///
/// struct SeatNumber(u8);
///
/// impl AuditField for SeatNumber {
///     const KIND: Kind = Kind::Integer;
///
///     fn raw(&self) -> Option<Raw<'_>> {
///         Some(Raw::U64(self.0.into()))
///     }
/// }
///
/// impl Element for SeatNumber {}
/// ```
#[diagnostic::on_unimplemented(
    message = "a list of `{Self}` cannot be a field of an audit event",
    label = "not an element of a list",
    note = "a list holds neither lists nor options; bytes may be anything, so log their length or a digest",
    note = "a type of your own whose `AuditField` is written by hand needs `impl Element` too"
)]
pub trait Element: AuditField {}

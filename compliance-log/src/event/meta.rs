use super::{category::Category, outcome::Outcome, scope::Scope, value::Fields};

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

impl Class {
    /// The word in a schema.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Personal => "personal",
            Self::Cardholder => "cardholder",
            Self::Secret => "secret",
        }
    }
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
    /// Replaced by a keyed pseudonym; left out where the record's tenant has no key for the field.
    Pseudonym,
}

impl Action {
    /// The word in a schema.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Drop => "drop",
            Self::MaskPan => "mask",
            Self::Pseudonym => "pseudonym",
        }
    }
}

/// What a value is in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A string of which nobody knows what it holds; scanned for secrets.
    Text,
    /// A string that cannot hold text: an address, a UUID, an instant, a word of a fixed set.
    Id,
    /// A number without a fraction; a string beyond ±(2^53−1).
    Integer,
    /// A number; a string where it is not finite.
    Number,
    /// `true` or `false`.
    Bool,
    /// An array of one kind of values.
    List(&'static Self),
    /// Whatever was given: a field of an ordinary `tracing` event.
    Any,
}

impl Kind {
    /// The word in a schema.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Id => "id",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Bool => "bool",
            Self::List(Self::Text) => "list<text>",
            Self::List(Self::Id) => "list<id>",
            Self::List(Self::Integer) => "list<integer>",
            Self::List(Self::Number) => "list<number>",
            Self::List(Self::Bool) => "list<bool>",
            Self::List(Self::List(_) | Self::Any) => "list<any>",
            Self::Any => "any",
        }
    }

    const fn holds_text(self) -> bool {
        matches!(self, Self::Text | Self::List(Self::Text))
    }
}

/// Whether a value may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum Presence {
    /// In every record of its event, unless redaction takes it out.
    Always,
    /// Not where it is `None`.
    Optional,
}

/// What a type says of its values.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct TypeMeta {
    pub(super) kind: Kind,
    pub(super) presence: Presence,
    pub(super) bytes_max: Option<u32>,
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
    /// What its value is in JSON, before `action` is applied.
    pub kind: Kind,
    /// Whether it may be missing.
    pub presence: Presence,
    /// The most bytes that are written of its text, or of each text of its list, before the marker
    /// of a cut; `None` where only the bounds of every record hold.
    pub bytes_max: Option<u32>,
}

impl FieldMeta {
    /// A field of our own, under `data`.
    #[cfg_attr(
        not(any(feature = "http", feature = "tracing")),
        expect(dead_code, reason = "used by `http` and `layer` alone")
    )]
    pub(crate) const fn own(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            class: Class::Internal,
            action: Action::Keep,
            root: false,
            kind,
            presence: Presence::Optional,
            bytes_max: None,
        }
    }

    /// A field as a derive states it; what is wrong about it fails the build there.
    #[doc(hidden)]
    #[track_caller]
    pub const fn of(
        ty: TypeMeta,
        name: &'static str,
        class: Class,
        action: Action,
        root: bool,
        bytes_max: Option<u32>,
    ) -> Self {
        let kept = matches!(action, Action::Keep);
        assert!(
            !matches!(class, Class::Secret),
            "a secret has no way to be logged; remove the field, or write `#[audit(skip)]`"
        );
        assert!(
            !(kept && matches!(class, Class::Cardholder)),
            "a card number is never written whole; write `#[audit(mask = \"pan\")]` for its last four digits, or `#[audit(drop)]`"
        );
        assert!(
            bytes_max.is_none() || ty.kind.holds_text(),
            "`max_len` bounds text, and this type holds none; remove it"
        );
        assert!(
            !(root && matches!(ty.kind, Kind::List(_))),
            "a key at the root of the record holds one value, not a list; give the field another key with `#[audit(rename = \"...\")]`"
        );
        let bytes_max = match bytes_max {
            None => ty.bytes_max,
            bytes_max => bytes_max,
        };
        assert!(
            !(kept && matches!(class, Class::Public) && ty.kind.holds_text())
                || bytes_max.is_some(),
            "text that anybody may see needs a bound; write for example `#[audit(public, max_len = 200)]`"
        );
        Self {
            name,
            class,
            action,
            root,
            kind: ty.kind,
            presence: ty.presence,
            bytes_max,
        }
    }
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

/// A typed event; derive it with `#[audit_event]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an audit event",
    label = "not an audit event",
    note = "write `#[audit_event(name = \"booking.created\", target = \"booking\")]` on the struct"
)]
pub trait AuditEvent: Fields + Send + 'static {
    /// Whether it can happen before anybody is known.
    type Scope: Scope;

    /// Name, version, category and fields.
    const META: &'static EventMeta;
}

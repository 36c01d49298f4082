//! Typed events with any values under odd names, of each category.

use std::{collections::BTreeSet, fmt, ops::ControlFlow};

use arbitrary::{Result, Unstructured};
use compliance_log::{
    AuditEvent,
    clock::Timestamp,
    event::{
        Action, Category, Class, Elements, EventMeta, FieldMeta, Fields, Kind, Outcome, PreAuth,
        Presence, Raw, Visit,
    },
    private,
};

use crate::{input::text, record::Scanned};

/// What all of them are called.
const NAME: &str = "thing.happened";

/// Names of fields, some of which mean something to the log or to the policy.
const NAMES: [&str; 24] = [
    "note",
    "text",
    "password",
    "card_number",
    "apiKey",
    "prev_hash",
    "hash",
    "v",
    "seq",
    "stream",
    "event",
    "message",
    "data",
    "redactions",
    "a.b",
    "tenant_id",
    "",
    "\u{202e}",
    "\"\n\\",
    "\u{430}pi\u{200b}Key",
    "token_count",
    "n\u{0}",
    "user[password]",
    "x-request-id",
];

/// Those that a typed event may set at the root.
const ROOT: [&str; 5] = [
    "error_code",
    "error_message",
    "provider",
    "booking_id",
    "bytes_in",
];

/// A field's value.
pub(crate) enum Value {
    Text(String),
    Display(String),
    Debug(String),
    Id(String),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Bool(bool),
    Time(Timestamp),
    List(Items),
}

/// The values of a list.
pub(crate) struct Items(pub(crate) Vec<Value>);

impl Value {
    fn draw(input: &mut Unstructured<'_>, depth: usize) -> Result<Self> {
        Ok(match input.int_in_range(0..=10)? {
            0 | 1 => Self::Text(text(input)?),
            2 => Self::Display(text(input)?),
            3 => Self::Debug(text(input)?),
            4 => Self::Id(text(input)?),
            5 => Self::Unsigned(input.arbitrary()?),
            6 => Self::Signed(input.arbitrary()?),
            7 => Self::Float(input.arbitrary()?),
            8 => Self::Bool(input.arbitrary()?),
            9 if depth > 0 => {
                let count = input.int_in_range(0..=70)?;
                let items = (0..count).map(|_| Self::draw(input, depth - 1));
                Self::List(Items(items.collect::<Result<_>>()?))
            }
            _ => {
                let time = Timestamp::parse("2026-11-24T10:15:30.123456Z");
                Self::Time(time.expect("a time"))
            }
        })
    }

    fn raw(&self) -> Raw<'_> {
        match self {
            Self::Text(text) => Raw::Str(text),
            Self::Display(text) => Raw::Display(text),
            Self::Debug(text) => Raw::Debug(text),
            Self::Id(text) => Raw::Id(text),
            Self::Unsigned(number) => Raw::U64(*number),
            Self::Signed(number) => Raw::I64(*number),
            Self::Float(number) => Raw::F64(*number),
            Self::Bool(truth) => Raw::Bool(*truth),
            Self::Time(time) => Raw::Time(*time),
            Self::List(items) => Raw::List(items),
        }
    }

    fn scanned(&self) -> Scanned {
        match self {
            Self::Id(_) => Scanned::NotTyped,
            Self::Unsigned(number) if *number > INTEGER_MAX => Scanned::NotTyped,
            Self::Signed(number) if number.unsigned_abs() > INTEGER_MAX => Scanned::NotTyped,
            Self::List(items) => all_scanned(items.0.iter().map(Self::scanned)),
            _ => Scanned::All,
        }
    }
}

/// Larger numbers are texts in JSON.
pub(crate) const INTEGER_MAX: u64 = (1 << 53) - 1;

fn all_scanned(mut values: impl Iterator<Item = Scanned>) -> Scanned {
    values
        .find(|scanned| *scanned == Scanned::NotTyped)
        .unwrap_or(Scanned::All)
}

impl Elements for Items {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn each(&self, out: &mut dyn FnMut(Raw<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        self.0.iter().try_for_each(|value| out(value.raw()))
    }
}

/// The fields of an event and its target.
pub(crate) struct Made {
    fields: Vec<(FieldMeta, Value)>,
    target: String,
}

impl Made {
    /// One text field.
    pub(crate) fn of(value: Value) -> Self {
        let meta = FieldMeta {
            name: "note",
            ..FIELD
        };
        Self {
            fields: vec![(meta, value)],
            target: "thing".to_owned(),
        }
    }

    /// Queues it as an event of this category in the log of the scope.
    pub(crate) fn emit(self, category: usize) {
        let emitted = match category {
            0 => private::emit(&Event::<0>(self)),
            1 => private::emit(&Event::<1>(self)),
            2 => private::emit(&Event::<2>(self)),
            3 => private::emit(&Event::<3>(self)),
            _ => private::emit(&Event::<4>(self)),
        };
        emitted.expect("a queue that is emptied after each event has room");
    }

    pub(crate) fn scanned(&self) -> Scanned {
        all_scanned(self.fields.iter().map(|(_, value)| value.scanned()))
    }

    pub(crate) fn draw(input: &mut Unstructured<'_>) -> Result<Self> {
        let target = text(input)?;
        let mut fields = Vec::new();
        let mut names = BTreeSet::new();
        for _ in 0..input.int_in_range(0..=8)? {
            let root = input.ratio(1, 4)?;
            let name = *if root {
                input.choose(&ROOT)?
            } else {
                input.choose(&NAMES)?
            };
            let value = Value::draw(input, usize::from(!root))?;
            let action = match input.int_in_range(0..=5)? {
                0 => Action::MaskPan,
                1 => Action::Drop,
                2 => Action::Pseudonym,
                _ => Action::Keep,
            };
            let bytes_max = input.ratio(1, 4)?.then_some(input.int_in_range(0..=300)?);
            let meta = FieldMeta {
                name,
                action,
                root,
                bytes_max,
                ..FIELD
            };
            // A struct has no two fields of one name.
            if names.insert(name) {
                fields.push((meta, value));
            }
        }
        Ok(Self { fields, target })
    }
}

/// An event of one of the five categories.
struct Event<const CATEGORY: usize>(Made);

impl<const CATEGORY: usize> Fields for Event<CATEGORY> {
    fn visit(&self, out: &mut dyn Visit) {
        for (meta, value) in &self.0.fields {
            out.field(meta, value.raw());
        }
    }

    fn target(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        out.write_str(&self.0.target)
    }
}

const FIELD: FieldMeta = FieldMeta {
    name: "",
    class: Class::Internal,
    action: Action::Keep,
    root: false,
    kind: Kind::Any,
    presence: Presence::Optional,
    bytes_max: None,
};

const META: EventMeta = EventMeta {
    name: NAME,
    version: 1,
    category: Category::App,
    outcome: Outcome::Success,
    fields: &[],
};

const CATEGORIES: [Category; 5] = [
    Category::Audit,
    Category::Security,
    Category::Admin,
    Category::Access,
    Category::App,
];

impl<const CATEGORY: usize> AuditEvent for Event<CATEGORY> {
    type Scope = PreAuth;
    const META: &'static EventMeta = &EventMeta {
        category: CATEGORIES[CATEGORY],
        ..META
    };
}

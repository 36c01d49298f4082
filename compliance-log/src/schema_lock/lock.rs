use std::collections::BTreeMap;

use crate::{
    error::{Error, ErrorKind},
    event::{self, Action, Category, Class, EventMeta, FieldMeta, Kind, Outcome, Presence},
};

/// The schema of a set of events. Parses from the text of a lock and displays as it.
///
/// ```
/// use compliance_log::{audit_event, event::AuditEvent, schema_lock::SchemaLock};
///
/// #[audit_event(name = "invoice.sent", target = "invoice/{number}")]
/// struct InvoiceSent {
///     number: u64,
///     #[audit(personal)]
///     to: Option<String>,
/// }
///
/// # fn main() -> Result<(), compliance_log::Error> {
/// let lock = SchemaLock::of(&[InvoiceSent::META])?;
/// assert_eq!(
///     lock.to_string(),
///     "compliance-log schema lock 1
///
/// event invoice.sent version=1 category=audit outcome=success
///   field data.number kind=integer presence=always class=internal action=keep
///   field data.to kind=text presence=optional class=personal action=keep
/// "
/// );
/// assert_eq!(lock, lock.to_string().parse()?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SchemaLock {
    events: BTreeMap<(String, u16), LockedEvent>,
}

/// One version of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LockedEvent {
    /// Its name.
    pub name: String,
    /// The version of its fields.
    pub version: u16,
    /// Which rules it obeys.
    pub category: Category,
    /// What it says happened.
    pub outcome: Outcome,
    /// Its fields by their names.
    pub fields: BTreeMap<String, LockedField>,
}

/// One field of an event; its name is the key of [`LockedEvent::fields`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LockedField {
    /// Where it stands in the record.
    pub place: Place,
    /// What its value is in JSON, before `action` is applied.
    pub kind: Kind,
    /// Whether it may be missing.
    pub presence: Presence,
    /// How sensitive it is.
    pub class: Class,
    /// What becomes of it.
    pub action: Action,
}

/// Where a field stands in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the format knows no third place")]
pub enum Place {
    /// At the root.
    Root,
    /// Under `data`.
    Data,
}

impl SchemaLock {
    /// The schema of these events.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Name`] if two of them have one name and version: nobody could tell their records
    /// apart.
    pub fn of(events: &[&EventMeta]) -> Result<Self, Error> {
        let mut lock = Self::default();
        for meta in events {
            if !lock.add(LockedEvent::of(meta)) {
                return Err(Error::new(
                    ErrorKind::Name,
                    format!(
                        "two event types are {} version {}: give one another name or version",
                        meta.name, meta.version
                    ),
                ));
            }
        }
        Ok(lock)
    }

    /// The schema of every event type that is linked into the running program.
    ///
    /// # Errors
    ///
    /// As [`SchemaLock::of`].
    pub fn of_registered() -> Result<Self, Error> {
        Self::of(&event::registered())
    }

    /// Its events by name and version.
    pub fn events(&self) -> impl Iterator<Item = &LockedEvent> {
        self.events.values()
    }

    pub(super) fn event(&self, name: &str, version: u16) -> Option<&LockedEvent> {
        self.events.get(&(name.to_owned(), version))
    }

    /// The highest version of an event.
    pub(super) fn newest(&self, name: &str) -> Option<u16> {
        let all = (name.to_owned(), 0)..=(name.to_owned(), u16::MAX);
        self.events.range(all).next_back().map(|(key, _)| key.1)
    }

    /// Whether there was none of its name and version.
    pub(super) fn add(&mut self, event: LockedEvent) -> bool {
        let key = (event.name.clone(), event.version);
        self.events.insert(key, event).is_none()
    }
}

impl LockedEvent {
    fn of(meta: &EventMeta) -> Self {
        let field = |field: &FieldMeta| (field.name.to_owned(), LockedField::of(field));
        Self {
            name: meta.name.to_owned(),
            version: meta.version,
            category: meta.category,
            outcome: meta.outcome,
            fields: meta.fields.iter().map(field).collect(),
        }
    }
}

impl LockedField {
    fn of(meta: &FieldMeta) -> Self {
        Self {
            place: if meta.root { Place::Root } else { Place::Data },
            kind: meta.kind,
            presence: meta.presence,
            class: meta.class,
            action: meta.action,
        }
    }

    /// Its path from the root of the record.
    pub(crate) fn path(self, name: &str) -> String {
        match self.place {
            Place::Root => name.to_owned(),
            Place::Data => format!("data.{name}"),
        }
    }
}

use std::fmt;

use serde::{Serialize, Serializer};

/// One difference between two locks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// Whether it needs a higher version.
    pub impact: Impact,
    /// The event.
    pub event: String,
    /// The version that was changed; the old one where it was raised or lowered.
    pub version: u16,
    /// The field, by its path from the root in the old lock, or in the new one where it was added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What is another.
    pub change: Change,
    /// What it was, in the words of the lock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// What a difference means for a reader of the old schema or the new.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum Impact {
    /// It can read all records of that version.
    Compatible,
    /// It cannot: the version has to be raised.
    Breaking,
}

/// What is another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// The event, or this version of it next to others, was not there.
    EventAdded,
    /// The event is not there.
    EventRemoved,
    /// A higher version took the place of this one.
    VersionRaised,
    /// A lower version took the place of this one.
    VersionLowered,
    /// Its category.
    Category,
    /// What it says happened.
    Outcome,
    /// The field was not there; `to` says whether it always is now.
    FieldAdded,
    /// The field is not there.
    FieldRemoved,
    /// Where the field stands.
    Place,
    /// What the field's value is in JSON.
    Kind,
    /// Whether the field may be missing.
    Presence,
    /// How sensitive the field is.
    Class,
    /// What becomes of the field.
    Action,
}

impl Change {
    /// The word in a report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EventAdded => "event_added",
            Self::EventRemoved => "event_removed",
            Self::VersionRaised => "version_raised",
            Self::VersionLowered => "version_lowered",
            Self::Category => "category",
            Self::Outcome => "outcome",
            Self::FieldAdded => "field_added",
            Self::FieldRemoved => "field_removed",
            Self::Place => "place",
            Self::Kind => "kind",
            Self::Presence => "presence",
            Self::Class => "class",
            Self::Action => "action",
        }
    }
}

impl Serialize for Change {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl fmt::Display for Finding {
    /// `booking.created version 1, field data.card: class was cardholder, is internal`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} version {}", self.event, self.version)?;
        if let Some(field) = &self.field {
            write!(f, ", field {field}")?;
        }
        let from = self.from.as_deref().unwrap_or_default();
        let to = self.to.as_deref().unwrap_or_default();
        match self.change {
            Change::EventAdded => write!(f, ": added"),
            Change::EventRemoved | Change::FieldRemoved => write!(f, ": removed"),
            Change::FieldAdded => write!(f, ": added, presence is {to}"),
            Change::VersionRaised => write!(f, ": version was raised to {to}"),
            Change::VersionLowered => write!(f, ": version was lowered to {to}"),
            change => write!(f, ": {} was {from}, is {to}", change.as_str()),
        }
    }
}

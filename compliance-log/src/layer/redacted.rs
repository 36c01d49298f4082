//! The values of an event or a span, with what redaction leaves of them.

use std::{error::Error as StdError, fmt};

use tracing_core::{
    Metadata,
    field::{self, Field, Value, ValueSet, Visit},
};

use super::error_chain::{ErrorChain, chain};
use crate::{
    encode::{Left, Nets},
    event::Raw,
    pseudonym::Pseudonyms,
    redact::Policy,
};

/// What redaction says of a set of values.
pub(super) enum Found {
    /// They may be shown as they are.
    Nothing,
    /// These stand in their place.
    Redacted(Redacted),
    /// They do not belong to their metadata, so that nothing can be said of them.
    Foreign,
}

/// One place for each field of the metadata.
pub(super) struct Redacted(Vec<Option<Box<dyn Value>>>);

impl Found {
    /// Looks at every value once; a second time, to build them anew, only where something is suspicious.
    pub(super) fn of(
        metadata: &Metadata<'_>,
        policy: &Policy,
        pseudonyms: Pseudonyms<'_>,
        record: impl Fn(&mut dyn Visit),
    ) -> Self {
        let mut look = Look {
            nets: Nets::new(policy, pseudonyms),
            metadata,
            found: Self::Nothing,
        };
        record(&mut look);
        match look.found {
            Self::Nothing if !look.nets.suspicious() => return Self::Nothing,
            Self::Foreign => return Self::Foreign,
            Self::Nothing | Self::Redacted(_) => (),
        }
        let mut build = Build {
            nets: look.nets,
            values: metadata.fields().iter().map(|_| None).collect(),
        };
        record(&mut build);
        Self::Redacted(Redacted(build.values))
    }
}

impl Redacted {
    /// No value at all.
    pub(super) fn empty(metadata: &Metadata<'_>) -> Self {
        Self(metadata.fields().iter().map(|_| None).collect())
    }

    /// Runs `then` with the values as a layer takes them.
    pub(super) fn with<R>(
        &self,
        metadata: &Metadata<'_>,
        then: impl FnOnce(&ValueSet<'_>) -> R,
    ) -> R {
        let values: Vec<Option<&dyn Value>> = self
            .0
            .iter()
            .map(|value| Some(&**value.as_ref()?))
            .collect();
        then(&metadata.fields().value_set_all(&values))
    }
}

/// Whether a value belongs to a set of fields, and in which place.
fn place(metadata: &Metadata<'_>, field: &Field) -> Option<usize> {
    let known = field.callsite() == metadata.callsite() && field.index() < metadata.fields().len();
    known.then(|| field.index())
}

/// Gathers values up to the first that may not be shown.
struct Look<'a, 'p> {
    nets: Nets<'p>,
    metadata: &'a Metadata<'a>,
    found: Found,
}

impl Look<'_, '_> {
    fn look(&mut self, field: &Field, raw: Raw<'_>) {
        if !matches!(self.found, Found::Nothing) {
            return;
        }
        if place(self.metadata, field).is_none() {
            self.found = Found::Foreign;
        } else if !self.nets.gather(field.name(), raw) {
            self.found = Found::Redacted(Redacted(Vec::new()));
        }
    }
}

impl Visit for Look<'_, '_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.look(field, Raw::F64(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.look(field, Raw::I64(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.look(field, Raw::U64(value));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.look(field, Raw::Id(&value));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.look(field, Raw::Id(&value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.look(field, Raw::Bool(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.look(field, Raw::Str(value));
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.look(field, Raw::Str(&String::from_utf8_lossy(value)));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn StdError + 'static)) {
        self.look(field, Raw::Display(&ErrorChain(value)));
        self.look(field, Raw::Debug(&value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.look(field, Raw::Debug(value));
    }
}

/// Puts what is left of each value into its place, as the same kind of value.
struct Build<'p> {
    nets: Nets<'p>,
    values: Vec<Option<Box<dyn Value>>>,
}

impl Build<'_> {
    fn build(
        &mut self,
        field: &Field,
        raw: Raw<'_>,
        whole: impl FnOnce() -> Box<dyn Value>,
        text: impl FnOnce(&str) -> Box<dyn Value>,
    ) {
        let value = self
            .nets
            .clean(field.name(), raw, &mut |_| {}, |left| match left {
                Left::Whole => Some(whole()),
                Left::Text(clean) => Some(text(clean)),
                Left::Nothing => None,
            });
        if let Some(place) = self.values.get_mut(field.index()) {
            *place = value;
        }
    }

    /// A value that has no text unless redaction makes one of it.
    fn plain(&mut self, field: &Field, raw: Raw<'_>, value: impl Value + 'static) {
        self.build(field, raw, || Box::new(value), owned);
    }

    fn text(&mut self, name: &'static str, raw: Raw<'_>) -> Option<String> {
        self.nets.clean(name, raw, &mut |_| {}, |left| match left {
            Left::Text(text) => Some(text.to_owned()),
            Left::Whole | Left::Nothing => None,
        })
    }
}

fn owned(text: &str) -> Box<dyn Value> {
    Box::new(text.to_owned())
}

impl Visit for Build<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.plain(field, Raw::F64(value), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.plain(field, Raw::I64(value), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.plain(field, Raw::U64(value), value);
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.plain(field, Raw::Id(&value), value);
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.plain(field, Raw::Id(&value), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.plain(field, Raw::Bool(value), value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.build(field, Raw::Str(value), || owned(value), owned);
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        let text = String::from_utf8_lossy(value);
        let same = |clean: &str| -> Box<dyn Value> {
            if clean == text {
                Box::new(Box::<[u8]>::from(value))
            } else {
                owned(clean)
            }
        };
        self.build(field, Raw::Str(&text), || same(&text), same);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn StdError + 'static)) {
        let mut levels: Vec<_> = chain(value).collect();
        let mut clean = None;
        while let Some(error) = levels.pop() {
            let (Some(display), Some(debug)) = (
                self.text(field.name(), Raw::Display(&error)),
                self.text(field.name(), Raw::Debug(&error)),
            ) else {
                return;
            };
            clean = Some(Box::new(CleanError {
                display,
                debug,
                source: clean,
            }));
        }
        if let (Some(error), Some(place)) = (clean, self.values.get_mut(field.index())) {
            let error: Box<dyn StdError> = error;
            *place = Some(Box::new(error));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let formatted =
            |text: &str| -> Box<dyn Value> { Box::new(field::debug(Formatted(text.into()))) };
        self.build(field, Raw::Debug(value), || formatted(""), formatted);
    }
}

/// What `Debug` or `Display` wrote, redacted.
struct Formatted(Box<str>);

impl fmt::Debug for Formatted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An error that says what redaction left of another one.
struct CleanError {
    display: String,
    debug: String,
    source: Option<Box<Self>>,
}

impl fmt::Display for CleanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.display)
    }
}

impl fmt::Debug for CleanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.debug)
    }
}

impl StdError for CleanError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

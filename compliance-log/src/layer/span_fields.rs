//! What spans hand to the events inside them.

use std::fmt;

use tracing_core::field::{Field, Visit as TracingVisit};

use super::error_chain::ErrorChain;
use crate::{
    encode::{Left, Nets, shorten},
    event::{FieldMeta, Kind, Raw, Visit},
    pseudonym::Pseudonyms,
    redact::{Effect, Hit, Policy},
};

/// A longer text of one field is cut.
const TEXT_BYTES_MAX: usize = 1024;
/// Texts of one span beyond this are left out.
const SPAN_BYTES_MAX: usize = 4096;

/// The fields of a span, redacted when they were given, so that nothing else lives as long as the span.
#[derive(Default)]
pub(super) struct SpanFields(Vec<Kept>);

struct Kept {
    name: &'static str,
    left: Option<Plain>,
    /// Which rule did what.
    by: Vec<(Box<str>, &'static str)>,
}

enum Plain {
    U64(u64),
    I64(i64),
    F64(f64),
    Bool(bool),
    Text(Box<str>),
}

impl SpanFields {
    /// Redacts what `record` gives. Runs the `Debug` of a service's own types, so no lock may be held.
    pub(super) fn of(
        policy: &Policy,
        pseudonyms: Pseudonyms<'_>,
        record: impl FnOnce(&mut dyn TracingVisit),
    ) -> Self {
        let mut collect = Collect {
            nets: Nets::new(policy, pseudonyms),
            fields: Self::default(),
        };
        record(&mut collect);
        collect.fields
    }

    /// Takes over values that were given later. A new value replaces the one before.
    pub(super) fn merge(&mut self, later: Self) {
        for kept in later.0 {
            self.put(kept);
        }
    }

    fn put(&mut self, mut kept: Kept) {
        self.0.retain(|before| before.name != kept.name);
        let used: usize = self.0.iter().map(Kept::text_bytes).sum();
        if used + kept.text_bytes() > SPAN_BYTES_MAX {
            kept.left = None;
            kept.found("size", Effect::Drop.as_str());
        }
        self.0.push(kept);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|kept| kept.name == name)
    }

    /// Gives each field that `wanted` asks for to `out`.
    pub(super) fn visit(&self, out: &mut dyn Visit, wanted: impl Fn(&str) -> bool) {
        for kept in self.0.iter().filter(|kept| wanted(kept.name)) {
            let left = kept.left.as_ref().map(|plain| match plain {
                Plain::U64(value) => Raw::U64(*value),
                Plain::I64(value) => Raw::I64(*value),
                Plain::F64(value) => Raw::F64(*value),
                Plain::Bool(value) => Raw::Bool(*value),
                Plain::Text(text) => Raw::Str(text),
            });
            out.redacted(&FieldMeta::own(kept.name, Kind::Any), left, &kept.by);
        }
    }
}

impl Kept {
    fn text_bytes(&self) -> usize {
        match &self.left {
            Some(Plain::Text(text)) => text.len(),
            _ => 0,
        }
    }

    fn found(&mut self, rule: &str, action: &'static str) {
        if !self
            .by
            .iter()
            .any(|(known, what)| &**known == rule && *what == action)
        {
            self.by.push((rule.into(), action));
        }
    }
}

struct Collect<'p> {
    nets: Nets<'p>,
    fields: SpanFields,
}

impl Collect<'_> {
    fn field(&mut self, field: &Field, raw: Raw<'_>) {
        let mut kept = Kept {
            name: field.name(),
            left: None,
            by: Vec::new(),
        };
        let (mut found, mut cut) = (Vec::new(), false);
        let mut hits = |hit: Hit<'_>| found.push((Box::<str>::from(hit.rule), hit.action.as_str()));
        kept.left = self
            .nets
            .clean(field.name(), raw, &mut hits, |left| match (left, raw) {
                (Left::Text(text), _) => {
                    let short = shorten(text, TEXT_BYTES_MAX);
                    cut = short.is_some();
                    Some(Plain::Text(short.map_or_else(|| text.into(), Into::into)))
                }
                (Left::Whole, Raw::U64(value)) => Some(Plain::U64(value)),
                (Left::Whole, Raw::I64(value)) => Some(Plain::I64(value)),
                (Left::Whole, Raw::F64(value)) => Some(Plain::F64(value)),
                (Left::Whole, Raw::Bool(value)) => Some(Plain::Bool(value)),
                // No other kind is left whole.
                (Left::Whole | Left::Nothing, _) => None,
            });
        for (rule, action) in found {
            kept.found(&rule, action);
        }
        if cut {
            kept.found("size", "cut");
        }
        self.fields.put(kept);
    }
}

impl TracingVisit for Collect<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.field(field, Raw::F64(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.field(field, Raw::I64(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.field(field, Raw::U64(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.field(field, Raw::Bool(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.field(field, Raw::Str(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.field(field, Raw::Display(&ErrorChain(value)));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.field(field, Raw::Debug(value));
    }
}

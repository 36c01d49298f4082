//! One value on its way into a record, through the nets by type, name, value and size.

use std::{
    fmt,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
};

use super::{
    cut::{self, Bound, Written},
    json, list,
    record::{Kind, Pass, Scan},
    scratch::Value,
};
use crate::{
    event::{Action, Class, FieldMeta, Raw},
    redact::{Effect, Hit, LITERAL_BYTES_MIN, kind, mask_card},
};

/// By which rule a field had to go.
pub(super) type Dropped<'p> = (&'p str, Effect);

impl<'a> Pass<'a, '_> {
    /// Writes one value after its key, through the nets by type and name, or says by which rule it
    /// must go.
    pub(super) fn value(
        &mut self,
        path: &str,
        key: Range<usize>,
        meta: &FieldMeta,
        raw: Raw<'_>,
        bound: Bound,
    ) -> Result<(), Dropped<'a>> {
        let dropped = |rule| Err((rule, Effect::Drop));
        let bound = bound.and_text(meta.bytes_max);
        match (meta.class, meta.action) {
            (Class::Secret, _) | (_, Action::Drop) => dropped("type"),
            (_, Action::Pseudonym) => self.pseudonymised(path, key, meta.name, raw, "type", bound),
            (_, Action::MaskPan) | (Class::Cardholder, _) => {
                self.masked(path, key, raw, "pan", bound)
            }
            _ => match self.prohibited(meta.name) {
                None => {
                    self.allowed(path, key, raw, bound);
                    Ok(())
                }
                Some(Hit {
                    rule,
                    action: Effect::Mask,
                }) => self.masked(path, key, raw, rule, bound),
                Some(Hit {
                    rule,
                    action: Effect::Pseudonym,
                }) => self.pseudonymised(path, key, meta.name, raw, rule, bound),
                Some(Hit { rule, .. }) => dropped(rule),
            },
        }
    }

    /// The same for a value that was redacted before: what a rule by name masked stays.
    pub(super) fn value_again(
        &mut self,
        path: &str,
        key: Range<usize>,
        meta: &FieldMeta,
        raw: Raw<'_>,
        bound: Bound,
    ) -> Result<(), Dropped<'a>> {
        let hit = self.prohibited(meta.name);
        if let Some(hit) = hit.filter(|hit| hit.action == Effect::Drop) {
            return Err((hit.rule, hit.action));
        }
        self.allowed(path, key, raw, bound);
        Ok(())
    }

    /// What the net by name says of a field.
    fn prohibited(&mut self, name: &'static str) -> Option<Hit<'a>> {
        let policy = self.policy;
        if self.buffers.names.passes(name, || policy.passes(name)) {
            return None;
        }
        policy.name(name)
    }

    fn allowed(&mut self, path: &str, key: Range<usize>, raw: Raw<'_>, bound: Bound) {
        let body = &mut self.buffers.body;
        match raw {
            Raw::U64(value) => json::u64(body, value),
            Raw::I64(value) => json::i64(body, value),
            Raw::F64(value) => json::f64(body, value),
            Raw::Bool(value) => json::display(body, value),
            Raw::Str(text) => self.quoted(path, key, text, Kind::Free, bound),
            Raw::Time(at) => json::display(body, format_args!("\"{at}\"")),
            Raw::Id(_) => {
                self.made(raw, |pass, text| {
                    pass.quoted(path, key, text, Kind::Typed, bound);
                });
            }
            Raw::List(list) => self.list(path, key, list, bound, |pass, key, raw, bound| {
                pass.allowed(path, key, raw, bound);
                Ok(())
            }),
            Raw::Display(_) | Raw::Debug(_) => {
                self.made(raw, |pass, text| {
                    pass.quoted(path, key, text, Kind::Free, bound);
                });
            }
        }
    }

    /// Card numbers as their last four digits: one, or each of a list; anything else goes.
    fn masked(
        &mut self,
        path: &str,
        key: Range<usize>,
        raw: Raw<'_>,
        rule: &'a str,
        bound: Bound,
    ) -> Result<(), Dropped<'a>> {
        self.one_or_each(path, key, raw, bound, |pass, key, raw| {
            pass.card(path, key, raw, rule)
        })
    }

    /// A card number as its last four digits; anything else goes.
    fn card(
        &mut self,
        path: &str,
        key: Range<usize>,
        raw: Raw<'_>,
        rule: &'a str,
    ) -> Result<(), Dropped<'a>> {
        let mut clean = std::mem::take(&mut self.buffers.clean);
        clean.clear();
        let mut masked = false;
        self.made(raw, |_, text| masked = mask_card(text, &mut clean));
        if masked {
            json::string(&mut self.buffers.body, &clean);
            self.redacted_key(path, key, rule, Effect::Mask.as_str());
        }
        self.buffers.clean = clean;
        if masked {
            Ok(())
        } else {
            Err((rule, Effect::Drop))
        }
    }

    /// Runs `then` on the text of a value, whatever kind it is.
    pub(super) fn made(&mut self, raw: Raw<'_>, then: impl FnOnce(&mut Self, &str)) {
        let mut text = std::mem::take(&mut self.buffers.text);
        guarded(&mut text, |text| write_text(text, raw));
        then(self, &text);
        self.buffers.text = text;
    }

    /// A JSON string, through the nets by value and size.
    pub(super) fn quoted(
        &mut self,
        path: &str,
        key: Range<usize>,
        text: &str,
        kind: Kind,
        bound: Bound,
    ) {
        self.buffers.body.push(b'"');
        let start = self.buffers.body.len();
        // A value that may be cut is scanned whole: half a secret looks like none.
        let (policy, pseudonyms) = (self.policy, self.pseudonyms);
        let scan =
            kind == Kind::Free && (self.scan == Scan::EachValue || text.len() > bound.uncut() / 6);
        let mut clean = std::mem::take(&mut self.buffers.clean);
        clean.clear();
        let found = scan && {
            let mut hits = |hit: Hit<'_>| {
                self.redacted_key(path, key.clone(), hit.rule, hit.action.as_str());
            };
            policy.redact_for(pseudonyms, text, &mut clean, &mut hits)
        };
        let written = cut::write(
            &mut self.buffers.body,
            if found { &clean } else { text },
            bound,
        );
        self.buffers.clean = clean;
        let kinds = match written {
            Written::Whole(kinds) => kinds,
            Written::Cut => {
                self.redacted_key(path, key, "size", "cut");
                kind::ALL
            }
        };
        let end = self.buffers.body.len();
        if kind == Kind::Free && end - start >= LITERAL_BYTES_MIN {
            self.buffers.values.push(Value { start, end, kinds });
        }
        self.buffers.body.push(b'"');
    }
}

/// Runs what a service's own `Display` and `Debug` impls write. One that fails or panics leaves a note
/// instead of taking the service down. Says whether it was written.
pub(super) fn guarded(text: &mut String, write: impl FnOnce(&mut String) -> fmt::Result) -> bool {
    text.clear();
    let written = matches!(catch_unwind(AssertUnwindSafe(|| write(text))), Ok(Ok(())));
    if !written {
        text.clear();
        text.push_str("[could not be formatted]");
    }
    written
}

/// The text of a value that is kept until its record is written.
#[cfg(feature = "http")]
pub(crate) fn shown(value: &dyn fmt::Display) -> String {
    let mut text = String::new();
    guarded(&mut text, |text| write_text(text, Raw::Display(value)));
    text
}

/// Writes a value as plain text.
pub(crate) fn write_text(out: &mut dyn fmt::Write, raw: Raw<'_>) -> fmt::Result {
    match raw {
        Raw::Str(value) => out.write_str(value),
        Raw::U64(value) => write!(out, "{value}"),
        Raw::I64(value) => write!(out, "{value}"),
        Raw::F64(value) => write!(out, "{value:?}"),
        Raw::Bool(value) => write!(out, "{value}"),
        Raw::Time(value) => write!(out, "{value}"),
        Raw::Id(value) | Raw::Display(value) => write!(out, "{value}"),
        Raw::Debug(value) => write!(out, "{value:?}"),
        Raw::List(list) => list::write_text(out, list),
    }
}

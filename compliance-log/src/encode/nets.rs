//! The nets by name and by value for a field that is on no way into a record yet, or into none of ours.

use std::fmt::Write as _;

use super::{
    pseudonymised::{PAN, has_card},
    record::policy_id,
    scratch::{Buffers, Scratch, Value},
    value::{guarded, write_text},
};
use crate::{
    event::Raw,
    pseudonym::{NO_KEY, Pseudonyms},
    redact::{Effect, Hit, Policy, kind, mask_card},
};

/// The nets of one policy, with the thread's buffers.
pub(crate) struct Nets<'p> {
    policy: &'p Policy,
    pseudonyms: Pseudonyms<'p>,
    scratch: Scratch,
}

/// What is left of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left<'t> {
    /// All of it: a number, a truth value or a typed identifier.
    Whole,
    /// This text, with or without marks in it.
    Text(&'t str),
    /// Nothing.
    Nothing,
}

/// Whether a value may hold a secret.
fn is_text(raw: Raw<'_>) -> bool {
    match raw {
        Raw::Str(_) | Raw::Display(_) | Raw::Debug(_) | Raw::List(_) => true,
        Raw::U64(_) | Raw::I64(_) | Raw::F64(_) | Raw::Bool(_) | Raw::Id(_) | Raw::Time(_) => false,
    }
}

impl<'p> Nets<'p> {
    pub(crate) fn new(policy: &'p Policy, pseudonyms: Pseudonyms<'p>) -> Self {
        let mut scratch = Scratch::take();
        let buffers = scratch.buffers();
        buffers.names.under(policy_id(policy));
        buffers.body.clear();
        buffers.values.clear();
        Self {
            policy,
            pseudonyms,
            scratch,
        }
    }

    /// Takes a field in, to be looked at with others by [`Nets::suspicious`]. Says whether it may be
    /// shown as far as its name tells; a value that cannot be formatted may not.
    pub(crate) fn gather(&mut self, name: &'static str, raw: Raw<'_>) -> bool {
        if self.prohibited(name).is_some() {
            return false;
        }
        let text = is_text(raw);
        !text || {
            let mut body = std::mem::take(&mut self.scratch.buffers().body);
            let formatted = self.made(raw, |text, formatted, _| {
                body.extend_from_slice(text.as_bytes());
                formatted
            });
            let Buffers { values, .. } = self.scratch.buffers();
            let start = values.last().map_or(0, |value| value.end + 1);
            let (end, kinds) = (body.len(), kind::of(&body[start..]));
            values.push(Value { start, end, kinds });
            // So that no two values make one word.
            body.push(b'\n');
            self.scratch.buffers().body = body;
            formatted
        }
    }

    /// Whether any rule should look closer at what was gathered: one pass over all of it, and a cheap
    /// look at each.
    pub(crate) fn suspicious(&mut self) -> bool {
        let policy = self.policy;
        let Buffers { body, values, .. } = self.scratch.buffers();
        let kinds = values.iter().fold(0, |all, value| all | value.kinds);
        policy.suspicious(body, kind::marked(body, kinds))
            || values.iter().any(|Value { start, end, kinds }| {
                policy.suspicious_value(&body[*start..*end], *kinds)
            })
    }

    /// Gives what is left of the field to `then`, and each rule that found something in it to
    /// `found`.
    pub(crate) fn clean<R>(
        &mut self,
        name: &'static str,
        raw: Raw<'_>,
        found: &mut dyn FnMut(Hit<'_>),
        then: impl FnOnce(Left<'_>) -> R,
    ) -> R {
        match self.prohibited(name) {
            Some(hit) if hit.action == Effect::Drop => {
                found(hit);
                then(Left::Nothing)
            }
            Some(hit) if hit.action == Effect::Pseudonym => {
                self.pseudonymised(name, raw, hit, found, then)
            }
            Some(hit) => self.masked(raw, hit, found, then),
            None => self.by_value(raw, found, then),
        }
    }

    fn prohibited(&mut self, name: &'static str) -> Option<Hit<'p>> {
        let policy = self.policy;
        let names = &mut self.scratch.buffers().names;
        if names.passes(name, || policy.passes(name)) {
            return None;
        }
        policy.name(name)
    }

    fn masked<R>(
        &mut self,
        raw: Raw<'_>,
        hit: Hit<'_>,
        found: &mut dyn FnMut(Hit<'_>),
        then: impl FnOnce(Left<'_>) -> R,
    ) -> R {
        self.made(raw, |text, _, clean| {
            if mask_card(text, clean) {
                found(hit);
                then(Left::Text(clean))
            } else {
                found(Hit {
                    action: Effect::Drop,
                    ..hit
                });
                then(Left::Nothing)
            }
        })
    }

    /// As the field `data.<name>` of a record.
    fn pseudonymised<R>(
        &mut self,
        name: &str,
        raw: Raw<'_>,
        hit: Hit<'_>,
        found: &mut dyn FnMut(Hit<'_>),
        then: impl FnOnce(Left<'_>) -> R,
    ) -> R {
        let (policy, pseudonyms) = (self.policy, self.pseudonyms);
        self.made(raw, |text, formatted, clean| {
            let field = format!("data.{name}");
            let key = pseudonyms.key(&field);
            let rule = match key {
                Some(key) if formatted && !has_card(policy, text) => {
                    found(hit);
                    // Writing to a string cannot fail.
                    write!(clean, "{}", key.pseudonym(text)).unwrap_or(());
                    return then(Left::Text(clean));
                }
                Some(_) if formatted => PAN,
                Some(_) => hit.rule,
                None => NO_KEY,
            };
            let action = Effect::Drop;
            found(Hit { rule, action });
            then(Left::Nothing)
        })
    }

    fn by_value<R>(
        &mut self,
        raw: Raw<'_>,
        found: &mut dyn FnMut(Hit<'_>),
        then: impl FnOnce(Left<'_>) -> R,
    ) -> R {
        let (policy, pseudonyms) = (self.policy, self.pseudonyms);
        if !is_text(raw) {
            return then(Left::Whole);
        }
        self.made(raw, |text, _, clean| {
            let changed = policy.redact_for(pseudonyms, text, clean, found);
            then(Left::Text(if changed { clean } else { text }))
        })
    }

    /// Runs `then` with the text of a value, whether it is the value's own, and a buffer.
    fn made<R>(&mut self, raw: Raw<'_>, then: impl FnOnce(&str, bool, &mut String) -> R) -> R {
        let buffers = self.scratch.buffers();
        let mut clean = std::mem::take(&mut buffers.clean);
        let mut text = std::mem::take(&mut buffers.text);
        clean.clear();
        let result = if let Raw::Str(value) = raw {
            then(value, true, &mut clean)
        } else {
            let formatted = guarded(&mut text, |text| write_text(text, raw));
            then(&text, formatted, &mut clean)
        };
        let buffers = self.scratch.buffers();
        buffers.clean = clean;
        buffers.text = text;
        result
    }
}

//! Values that become pseudonyms.

use std::ops::Range;

use super::{
    cut::Bound,
    json,
    record::Pass,
    value::{Dropped, guarded, write_text},
};
use crate::{
    event::Raw,
    pseudonym::{FieldKey, NO_KEY, Pseudonym},
    redact::{Effect, Policy, holds_card},
};

/// The rule by which a value goes that holds a card number.
pub(super) const PAN: &str = "pan";

impl<'a> Pass<'a, '_> {
    /// Writes a pseudonym: of one value, or of each of a list. Without a key all of it goes.
    pub(super) fn pseudonymised(
        &mut self,
        path: &str,
        key: Range<usize>,
        name: &str,
        raw: Raw<'_>,
        rule: &'a str,
        bound: Bound,
    ) -> Result<(), Dropped<'a>> {
        let mut field = std::mem::take(&mut self.buffers.field);
        field.clear();
        field.push_str(path);
        field.push_str(name);
        let result = match self.pseudonyms.key(&field) {
            None => Err((NO_KEY, Effect::Drop)),
            Some(field_key) => self.one_or_each(path, key, raw, bound, |pass, key, raw| {
                pass.one_pseudonym(&field_key, path, key, raw, rule)
            }),
        };
        self.buffers.field = field;
        result
    }

    fn one_pseudonym(
        &mut self,
        field_key: &FieldKey<'_>,
        path: &str,
        key: Range<usize>,
        raw: Raw<'_>,
        rule: &'a str,
    ) -> Result<(), Dropped<'a>> {
        let mut text = std::mem::take(&mut self.buffers.text);
        let made = if !guarded(&mut text, |text| write_text(text, raw)) {
            // The note in its place is the same for everybody.
            Err((rule, Effect::Drop))
        } else if has_card(self.policy, &text) {
            Err((PAN, Effect::Drop))
        } else {
            Ok(field_key.pseudonym(&text))
        };
        self.buffers.text = text;
        let pseudonym = made?;
        json::display(&mut self.buffers.body, format_args!("\"{pseudonym}\""));
        self.redacted_key(path, key, rule, Effect::Pseudonym.as_str());
        Ok(())
    }

    /// What stands for a text of ours; else by which rule it goes.
    pub(super) fn pseudonym(&self, field: &str, text: &str) -> Result<Pseudonym, &'static str> {
        if has_card(self.policy, text) {
            return Err(PAN);
        }
        let key = self.pseudonyms.key(field).ok_or(NO_KEY)?;
        Ok(key.pseudonym(text))
    }
}

/// Whether a text holds a card number, by itself or in whatever form the policy finds one.
pub(super) fn has_card(policy: &Policy, text: &str) -> bool {
    let mut found = holds_card(text);
    let bytes = text.as_bytes();
    if !found && policy.suspicious_text(bytes) {
        policy.redact(text, &mut String::new(), &mut |hit| {
            // One that was wrapped is dropped, not masked.
            found |= policy.is_of_cards(hit.rule);
        });
    }
    found
}

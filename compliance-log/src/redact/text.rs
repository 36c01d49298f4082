//! A policy applied to texts that are no records: what other programs wrote, and what was stored before.

use std::ops::Range;

use super::{
    number,
    policy::Policy,
    rule::{Effect, Hit},
    value::is_mark,
};

/// A text without what a policy takes out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Redacted {
    /// What may be written.
    pub text: String,
    /// What was found, in the order in which it was.
    pub findings: Vec<Finding>,
}

/// Something that a rule found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The rule's id.
    pub rule: String,
    /// What was done: `drop`, `mask` or `pseudonym`, as in a record's `redactions`.
    pub action: &'static str,
    /// Which bytes of the text it was; `None` for what came to light only when something else was gone.
    pub span: Option<Range<usize>>,
}

impl Finding {
    fn of(hit: Hit<'_>, span: Option<Range<usize>>) -> Self {
        Self {
            rule: hit.rule.to_owned(),
            action: hit.action.as_str(),
            span,
        }
    }
}

impl Policy {
    /// Takes out of a text what a record's would lose; `None` if that is nothing.
    ///
    /// ```
    /// use compliance_log::Policy;
    ///
    /// let redacted = Policy::builtin().redact_text("paid with 4111 1111 1111 1111").unwrap();
    /// assert_eq!(redacted.text, "paid with ****1111");
    /// assert_eq!(redacted.findings[0].rule, "pan");
    /// ```
    pub fn redact_text(&self, text: &str) -> Option<Redacted> {
        let (mut clean, mut findings) = (String::new(), Vec::new());
        let mut spans = self.spans(text);
        self.redact(text, &mut clean, &mut |hit| {
            findings.push(Finding::of(hit, spans.next()));
        })
        .then_some(Redacted {
            text: clean,
            findings,
        })
    }

    /// Takes out of a field's value what a record's would lose: all of it, where the field's name is a
    /// prohibited one; a card number keeps its last four digits where the name's rule masks. `None` if
    /// that is nothing.
    ///
    /// ```
    /// use compliance_log::Policy;
    ///
    /// let redacted = Policy::builtin().redact_field("userPassword", "hunter2").unwrap();
    /// assert_eq!(redacted.text, "[redacted:credential-name]");
    /// ```
    pub fn redact_field(&self, name: &str, value: &str) -> Option<Redacted> {
        let Some(hit) = self.name(name) else {
            return self.redact_text(value);
        };
        if is_clean(value) {
            return None;
        }
        let mut text = String::new();
        if hit.action != Effect::Mask || !number::mask_card(value, &mut text) {
            text = format!("[redacted:{}]", hit.rule);
        }
        Some(Redacted {
            text,
            findings: vec![Finding::of(hit, Some(0..value.len()))],
        })
    }

    /// The id of the rule that does not let the value of a field of this name be written.
    pub fn prohibits(&self, name: &str) -> Option<&str> {
        self.name(name).map(|hit| hit.rule)
    }
}

/// Whether the value is what a redaction left. A type may have asked for a mask where a name would have had
/// the value dropped.
fn is_clean(value: &str) -> bool {
    let masked = |rest: &str| rest.len() == 4 && rest.bytes().all(|byte| byte.is_ascii_digit());
    is_mark(value) || value.strip_prefix("****").is_some_and(masked)
}

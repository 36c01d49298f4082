//! A policy applied to one line: of JSON, value by value, or of text.

use compliance_log::{Finding, Policy, Redacted};

use crate::json_line::{self, Kind, Place};

/// One thing found in one line.
#[derive(Debug)]
pub(crate) struct Found {
    /// The path of the field; `None` in a line of text.
    pub(crate) field: Option<String>,
    pub(crate) finding: Finding,
}

/// A line of JSON without its secrets; `None` if it is none.
pub(crate) fn json_line(policy: &Policy, line: &str, found: &mut Vec<Found>) -> Option<String> {
    json_line::rewrite(line, |place, text| {
        let redacted = redact(policy, place, text)?;
        let findings = redacted.findings.into_iter();
        found.extend(findings.map(|finding| Found {
            field: Some(place.path.clone()),
            finding,
        }));
        Some(redacted.text)
    })
}

/// A line of text without its secrets.
pub(crate) fn text_line(policy: &Policy, line: &str, found: &mut Vec<Found>) -> String {
    match policy.redact_text(line) {
        Some(redacted) => {
            let findings = redacted.findings.into_iter();
            found.extend(findings.map(|finding| Found {
                field: None,
                finding,
            }));
            redacted.text
        }
        None => line.to_owned(),
    }
}

fn redact(policy: &Policy, place: &Place<'_>, text: &str) -> Option<Redacted> {
    let prohibited = place
        .keys
        .iter()
        .find(|key| policy.prohibits(key).is_some());
    match (place.kind, prohibited) {
        (Kind::Text | Kind::Number, Some(key)) => policy.redact_field(key, text),
        (Kind::Text | Kind::Key, _) => policy.redact_text(text),
        (Kind::Number, None) => None,
    }
}

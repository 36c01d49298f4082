//! A policy applied to one line: of JSON, value by value, or of text.

use compliance_log::{Finding, Policy, Redacted};

use crate::json_line::{self, Kind, Place};

/// So much of a path is told of.
const PATH_BYTES_MAX: usize = 512;

/// One thing found in one line.
#[derive(Debug)]
pub(crate) struct Found {
    /// The path of the field; `None` in a line of text.
    pub(crate) field: Option<String>,
    pub(crate) finding: Finding,
}

/// A line of JSON without its secrets; `None` if it is none.
pub(crate) fn json_line(policy: &Policy, line: &str, found: &mut Vec<Found>) -> Option<String> {
    let prohibited = |key: &str| policy.prohibits(key).is_some();
    json_line::rewrite(line, prohibited, |place, text| {
        let redacted = redact(policy, place, text)?;
        let findings = redacted.findings.into_iter();
        found.extend(findings.map(|finding| Found {
            field: Some(shortened(place.path)),
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

/// A path as it is told of: a deep line has long ones, and many.
fn shortened(path: &str) -> String {
    let mut end = path.len().min(PATH_BYTES_MAX);
    while !path.is_char_boundary(end) {
        end -= 1;
    }
    let more = if end < path.len() { "…" } else { "" };
    format!("{}{more}", &path[..end])
}

fn redact(policy: &Policy, place: &Place<'_>, text: &str) -> Option<Redacted> {
    match (place.kind, place.under) {
        (Kind::Text | Kind::Number, Some(name)) => policy.redact_field(name, text),
        (Kind::Text | Kind::Key, _) => policy.redact_text(text),
        (Kind::Number, None) => None,
    }
}

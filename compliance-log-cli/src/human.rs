//! One record as one line for a person: time, level, category, event, outcome, who, what, how it
//! went, and the rest as `key=value`.

use std::{borrow::Cow, fmt::Write as _};

use anstyle::Style;
use serde_json::{Map, Value};

use crate::{
    printer::{BAD, BOLD, DIM, GOOD, NOTE, clean},
    record::{Stored, plain},
};

/// So much is shown of a line that is no record.
const UNREADABLE_CHARS_MAX: usize = 120;

/// The line, without its newline, cleaned.
pub(crate) fn record(stored: &Stored) -> String {
    let Some(fields) = &stored.fields else {
        return unreadable(&stored.raw, "");
    };
    let text = |key: &str| stored.text(key).map(clean);
    let mut line = Words::default();

    line.word(DIM, text("timestamp").unwrap_or("no timestamp".into()));
    let level = text("level").unwrap_or("-".into());
    line.word(level_style(&level), format!("{level:<5}"));
    line.plain(format!("{:<8}", text("category").unwrap_or("-".into())));
    line.word(BOLD, text("event").unwrap_or("-".into()));
    if let Some(outcome) = text("outcome") {
        let style = if outcome == "success" { GOOD } else { BAD };
        match text("outcome_detail") {
            Some(detail) => line.word(style, format!("{outcome}({detail})")),
            None => line.word(style, outcome),
        }
    }
    if let Some(who) = who(&text) {
        line.plain(who);
    }
    for key in ["target_resource", "status_code"] {
        if let Some(value) = fields.get(key) {
            line.plain(clean(&plain(value)));
        }
    }
    if let Some(latency) = fields.get("latency_ms") {
        line.plain(clean(&format!("{latency}ms")));
    }
    if let Some(message) = text("message") {
        line.plain(message);
    }
    for key in [
        "error_code",
        "error_message",
        "schema_violations",
        "audit_gap",
    ] {
        if let Some(value) = fields.get(key) {
            line.pair(BAD, key, value);
        }
    }
    for key in [
        "provider",
        "booking_id",
        "offer_id",
        "privileged_command",
        "on_behalf_of",
        "intent_of",
        "intent_ref",
    ] {
        if let Some(value) = fields.get(key) {
            line.pair(DIM, key, value);
        }
    }
    match fields.get("data") {
        Some(Value::Object(data)) => pairs(&mut line, "", data),
        Some(other) => line.pair(DIM, "data", other),
        None => {}
    }
    line.0
}

/// `tenant/user`, or the client where there is no user.
fn who<'t>(text: &impl Fn(&str) -> Option<Cow<'t, str>>) -> Option<String> {
    let actor = text("user_id").or_else(|| text("client_id"));
    match (text("tenant_id"), actor) {
        (Some(tenant), Some(actor)) => Some(format!("{tenant}/{actor}")),
        (Some(one), None) | (None, Some(one)) => Some(one.into_owned()),
        (None, None) => None,
    }
}

fn pairs(line: &mut Words, prefix: &str, data: &Map<String, Value>) {
    for (key, value) in data {
        let path = format!("{prefix}{key}");
        match value {
            Value::Object(inner) if !inner.is_empty() => pairs(line, &format!("{path}."), inner),
            _ => line.pair(DIM, &path, value),
        }
    }
}

fn level_style(level: &str) -> Style {
    match level {
        "ERROR" => BAD,
        "WARN" => NOTE,
        _ => DIM,
    }
}

/// A line that is no record; `place` says where it stands.
pub(crate) fn unreadable(raw: &[u8], place: &str) -> String {
    let text = String::from_utf8_lossy(raw);
    let shown: String = text.chars().take(UNREADABLE_CHARS_MAX).collect();
    let more = if shown.len() < text.len() { "…" } else { "" };
    format!(
        "{BAD}no record{BAD:#}{}, {} bytes: {}{more}",
        clean(place),
        raw.len(),
        clean(&shown)
    )
}

/// Words with a space between them.
#[derive(Default)]
struct Words(String);

impl Words {
    fn plain(&mut self, text: impl AsRef<str>) {
        if !self.0.is_empty() {
            self.0.push(' ');
        }
        self.0.push_str(text.as_ref());
    }

    fn word(&mut self, style: Style, text: impl AsRef<str>) {
        self.plain("");
        // Writing to a string cannot fail.
        write!(self.0, "{style}{}{style:#}", text.as_ref()).unwrap_or(());
    }

    /// `key=value`; text that could be taken for something else stands in quotes.
    fn pair(&mut self, style: Style, key: &str, value: &Value) {
        let shown = match value {
            Value::String(text) if !text.is_empty() && !text.contains([' ', '"', '=']) => {
                text.clone()
            }
            other => other.to_string(),
        };
        self.word(style, format!("{}=", clean(key)));
        self.0.push_str(&clean(&shown));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(json: &str) -> String {
        let stored = Stored::parse(json.into());
        anstream::adapter::strip_str(&record(&stored)).to_string()
    }

    #[test]
    fn every_part_has_its_place() {
        let json = r#"{"timestamp":"2026-11-24T03:20:07.000123Z","category":"access","level":"INFO","event":"http.request","outcome":"fail","outcome_detail":"denied","tenant_id":"acme","user_id":"u-81","target_resource":"GET /bookings","status_code":403,"latency_ms":1.250,"message":"not yours","privileged_command":"refund","audit_gap":true,"data":{"a":"b c","n":{"m":1}}}"#;
        assert_eq!(
            line(json),
            r#"2026-11-24T03:20:07.000123Z INFO  access   http.request fail(denied) acme/u-81 GET /bookings 403 1.25ms not yours audit_gap=true privileged_command=refund a="b c" n.m=1"#
        );
    }

    #[test]
    fn a_record_says_what_it_lacks() {
        let json = r#"{"event":"http.request","audit_gap":true,"schema_violations":["ip"]}"#;
        assert!(line(json).ends_with(r#"schema_violations=["ip"] audit_gap=true"#));
    }

    #[test]
    fn a_log_cannot_steer_the_terminal() {
        let shown =
            line(r#"{"event":"a\u001b[2J","message":"\u202egnp.exe","data":{"k\u0007":"\u200b"}}"#);
        assert!(
            !shown.contains(['\u{1b}', '\u{202e}', '\u{7}', '\u{200b}']),
            "{shown}"
        );
        assert!(shown.contains("a\\u001b[2J"), "{shown}");
    }
}

//! The value of one row.

use serde_json::{Value, json};

use crate::schema::{Form, ROWS, RowMeta};

const EVENT_NAME: &str = r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$";

/// Of a stream, without the channel's own name.
pub(super) const STREAM: &str = "^[A-Za-z0-9._-]{1,64}/[A-Za-z0-9._-]{1,64}/[0-9a-f]{16}/";

/// What a row holds, whichever record it stands in.
pub(super) fn of(row: &RowMeta) -> Value {
    match row.form {
        Form::Timestamp => {
            pattern(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$")
        }
        Form::Word(words) => json!({ "enum": words }),
        Form::EventName => json!({
            "type": "string", "pattern": EVENT_NAME, "maxLength": row.bytes_max,
        }),
        Form::Name => pattern("^[A-Za-z0-9._-]{1,64}$"),
        Form::Text => bounded(&json!("string"), row.bytes_max),
        Form::Given => bounded(
            &json!(["string", "integer", "number", "boolean"]),
            row.bytes_max,
        ),
        Form::Hex(digits) => hex(digits),
        Form::Integer => json!({ "type": "integer", "minimum": 0 }),
        Form::Count => json!({
            "type": ["integer", "string"], "minimum": 0, "pattern": "^[0-9]+$",
        }),
        Form::Millis => json!({ "type": "number", "minimum": 0 }),
        Form::Reference => pattern(&format!("{STREAM}[A-Za-z0-9._-]{{1,64}}/[0-9]+$")),
        Form::Rows => json!({
            "type": "array", "minItems": 1, "uniqueItems": true,
            "items": { "enum": ROWS.iter().map(|row| row.name).collect::<Vec<_>>() },
        }),
        Form::True => json!({ "const": true }),
        Form::Redactions => json!({
            "type": "array", "minItems": 1, "maxItems": 33,
            "items": {
                "type": "object",
                "properties": {
                    "field": { "type": "string" },
                    "rule": { "type": "string" },
                    "action": { "enum": ["drop", "mask", "pseudonym", "cut"] },
                },
                "required": ["field", "rule", "action"],
                "additionalProperties": false,
            },
        }),
        Form::Fields => json!({ "type": "object" }),
    }
}

pub(super) fn pattern(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": pattern })
}

pub(super) fn hex(digits: usize) -> Value {
    pattern(&format!("^[0-9a-f]{{{digits}}}$"))
}

/// Bytes bound characters too. A row that the table does not bound cannot vary in length by what
/// somebody wrote.
fn bounded(types: &Value, bytes_max: usize) -> Value {
    if bytes_max == 0 {
        json!({ "type": types })
    } else {
        json!({ "type": types, "maxLength": bytes_max })
    }
}

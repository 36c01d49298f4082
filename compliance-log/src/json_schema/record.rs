use serde_json::{Map, Value, json};

use super::{
    event,
    form::{self, STREAM, hex, pattern},
    rules,
};
use crate::{schema::ROWS, schema_lock::SchemaLock};

/// The JSON Schema of one record of format v1, with the fields of these events.
///
/// A record of an event or version that `events` does not have is held to the format alone.
pub fn record(events: &SchemaLock) -> Value {
    let mut definitions = Map::new();
    let mut rules = rules::all();
    for event in events.events() {
        let name = format!("{} version {}", event.name, event.version);
        rules.push(json!({ "$ref": format!("#/$defs/{}", name.replace(' ', "%20")) }));
        definitions.insert(name, event::of(event));
    }
    definitions.insert("expunged".into(), expunged());
    definitions.insert("record".into(), ordinary(&rules));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A record of compliance-log, format v1",
        "type": "object",
        "if": {
            "properties": { "event": { "const": "record.expunged" } },
            "required": ["event"],
        },
        "then": { "$ref": "#/$defs/expunged" },
        "else": { "$ref": "#/$defs/record" },
        "$defs": definitions,
    })
}

fn ordinary(rules: &[Value]) -> Value {
    let mut rows = frame();
    for row in &ROWS {
        rows.insert(row.name.into(), form::of(row));
    }
    json!({
        "properties": rows,
        "required": rules::always(),
        "additionalProperties": false,
        "allOf": rules,
    })
}

/// What is left of a record whose body was replaced.
fn expunged() -> Value {
    let mut rows = frame();
    rows.insert("event".into(), json!(true));
    rows.insert("ref".into(), json!({ "type": "string" }));
    json!({
        "properties": rows,
        "required": ["v", "stream", "seq", "event", "ref", "prev_hash", "hash"],
        "additionalProperties": false,
    })
}

/// The keys that place a record in its stream.
fn frame() -> Map<String, Value> {
    [
        ("v", json!({ "const": 1 })),
        ("stream", pattern(&format!("{STREAM}(audit|app|catalog)$"))),
        ("seq", json!({ "type": "integer", "minimum": 0 })),
        ("prev_hash", hex(64)),
        ("hash", hex(64)),
    ]
    .map(|(name, schema)| (name.to_owned(), schema))
    .into_iter()
    .collect()
}

//! The fields of one version of one event.

use serde_json::{Map, Value, json};

use super::form::pattern;
use crate::{
    event::{Action, Category, Class, Kind, Outcome, Presence},
    schema::Row,
    schema_lock::{LockedEvent, LockedField, Place},
};

/// What holds in a record of this event and version.
pub(super) fn of(event: &LockedEvent) -> Value {
    let mut root = Map::new();
    let mut data = Map::new();
    let mut present = Vec::new();
    for (name, field) in &event.fields {
        match field.place {
            Place::Root => root.insert(name.clone(), at_root(*field)),
            Place::Data => data.insert(name.clone(), in_data(*field)),
        };
        if field.presence == Presence::Always && !is_left_out(*field) {
            present.push(present_or_redacted(name, *field));
        }
    }
    root.insert(
        "category".into(),
        json!({ "const": event.category.as_str() }),
    );
    root.insert(Row::Data.meta().name.into(), json!({ "properties": data }));
    let mut schema = json!({
        "if": {
            "properties": {
                "event": { "const": event.name },
                "event_version": { "const": event.version },
            },
            "required": ["event", "event_version"],
        },
        "then": { "properties": root },
    });
    if let Some(rule) = complete(event, &present) {
        schema["then"]["allOf"] = json!([rule]);
    }
    schema
}

/// Where a record has all fields of the event. One that says that the action failed may have been
/// written for an event that came to nothing, so it shows no more than that.
fn complete(event: &LockedEvent, present: &[Value]) -> Option<Value> {
    let success = Outcome::Success.as_str();
    match (present.is_empty(), event.category, event.outcome) {
        (true, _, _) => None,
        (_, Category::App, _) => Some(json!({ "allOf": present })),
        (_, _, Outcome::Fail) => None,
        (_, _, Outcome::Success) => Some(json!({
            "if": { "properties": { Row::Outcome.meta().name: { "const": success } } },
            "then": { "allOf": present },
        })),
    }
}

fn is_left_out(field: LockedField) -> bool {
    field.action == Action::Drop || field.class == Class::Secret
}

fn present_or_redacted(name: &str, field: LockedField) -> Value {
    let data = Row::Data.meta().name;
    let redactions = Row::Redactions.meta().name;
    let present = match field.place {
        Place::Root => json!({ "required": [name] }),
        Place::Data => json!({
            "properties": { data: { "required": [name] } },
            "required": [data],
        }),
    };
    // `*` stands for those that the list had no room for.
    let named = json!({ "properties": { "field": { "enum": [field.path(name), "*"] } } });
    let redacted = json!({
        "properties": { redactions: { "contains": named } },
        "required": [redactions],
    });
    json!({ "anyOf": [present, redacted] })
}

/// A field under `data`, after its action.
fn in_data(field: LockedField) -> Value {
    if is_left_out(field) {
        return json!(false);
    }
    match field.kind {
        // The last element of a list that was cut says how many there were.
        Kind::List(kind) => json!({
            "type": "array",
            "items": { "anyOf": [one_in_data(field, *kind), pattern(r"^…\[[0-9]+ elements\]$")] },
        }),
        kind => one_in_data(field, kind),
    }
}

fn one_in_data(field: LockedField, kind: Kind) -> Value {
    match (field.class, field.action) {
        (Class::Cardholder, _) | (_, Action::MaskPan) => pattern(r"^\*{4}[0-9]{4}$"),
        (_, Action::Pseudonym) => pattern("^ps_[1-9][0-9]*_[0-9a-f]{32}$"),
        _ => match types(kind) {
            Some(types) => json!({ "type": types }),
            None => json!(true),
        },
    }
}

/// A field at the root. The context, or the error that ended the action, may give its row a text
/// instead.
fn at_root(field: LockedField) -> Value {
    match (field.action, types(field.kind)) {
        (Action::Keep, Some(types)) => {
            let mut all = types.to_vec();
            if !all.contains(&"string") {
                all.push("string");
            }
            json!({ "type": all })
        }
        (Action::Keep, None) => json!(true),
        _ => json!({ "type": "string" }),
    }
}

/// The types of a value that is kept. A number that JSON cannot hold is text.
fn types(kind: Kind) -> Option<&'static [&'static str]> {
    match kind {
        Kind::Text | Kind::Id => Some(&["string"]),
        Kind::Integer => Some(&["integer", "string"]),
        Kind::Number => Some(&["number", "string"]),
        Kind::Bool => Some(&["boolean"]),
        Kind::List(_) | Kind::Any => None,
    }
}

//! Which rows may not be missing, and which exclude each other.

use serde_json::{Value, json};

use crate::{
    event::{Category, Outcome},
    schema::{ACCOUNTABLE, ROWS, Required, Row},
};

/// Records of these names say only what the log itself does to a stream.
const STRUCTURAL: &str = r"^(chain|segment|seal|stream|anchor)\.|^log\.gap$";

/// Every rule that goes beyond one row.
pub(super) fn all() -> Vec<Value> {
    let mut owed: Vec<Value> = ROWS
        .iter()
        .filter_map(|meta| match meta.required {
            Required::In(categories) => Some(owed(meta.row, categories)),
            _ => None,
        })
        .collect();
    owed.push(actor());
    vec![
        json!({
            "if": { "properties": { "event": { "pattern": STRUCTURAL } } },
            "then": { "propertyNames": { "enum": structural() } },
            "else": { "allOf": owed },
        }),
        channel(),
        json!({ "dependentSchemas": { Row::OutcomeDetail.meta().name: failed() } }),
        json!({ "dependentRequired": together() }),
    ]
}

/// The rows of every record, in the order of the format.
pub(super) fn always() -> Vec<&'static str> {
    let rows = ROWS.iter().filter(|row| row.required == Required::Always);
    let names = rows.map(|row| row.name);
    ["v", "stream", "seq"]
        .into_iter()
        .chain(names)
        .chain(["prev_hash", "hash"])
        .collect()
}

fn structural() -> Vec<&'static str> {
    let mut rows = always();
    rows.push(Row::Data.meta().name);
    rows
}

fn failed() -> Value {
    json!({ "properties": { Row::Outcome.meta().name: { "const": Outcome::Fail.as_str() } } })
}

/// A row that records of these categories have, unless they say that they lack it.
fn owed(row: Row, categories: &[Category]) -> Value {
    let name = row.meta().name;
    let mut ways = vec![json!({ "required": [name] }), admitted(name)];
    if row == Row::Outcome {
        // An intent has no outcome yet.
        ways.push(json!({ "required": [Row::IntentOf.meta().name] }));
    }
    in_categories(categories, &ways)
}

/// A user, a client or both.
fn actor() -> Value {
    let [user, client] = [Row::UserId, Row::ClientId].map(|row| row.meta().name);
    let ways = [
        json!({ "required": [user] }),
        json!({ "required": [client] }),
        admitted(user),
    ];
    in_categories(ACCOUNTABLE, &ways)
}

fn in_categories(categories: &[Category], ways: &[Value]) -> Value {
    let words: Vec<&str> = categories
        .iter()
        .map(|category| category.as_str())
        .collect();
    json!({
        "if": { "properties": { "category": { "enum": words } } },
        "then": { "anyOf": ways },
    })
}

fn admitted(name: &str) -> Value {
    let violations = Row::SchemaViolations.meta().name;
    json!({
        "properties": { violations: { "contains": { "const": name } } },
        "required": [violations],
    })
}

/// Ordinary records go to one channel, all others to another.
fn channel() -> Value {
    json!({
        "if": { "properties": { "category": { "const": Category::App.as_str() } } },
        "then": { "properties": { "stream": { "pattern": "/app$" } } },
        "else": { "properties": { "stream": { "pattern": "/(audit|catalog)$" } } },
    })
}

/// Rows of one context stand together.
fn together() -> Value {
    let of = |required: Required| {
        let rows = ROWS.iter().filter(move |row| row.required == required);
        rows.map(|row| row.name).collect::<Vec<_>>()
    };
    let context = of(Required::InContext);
    let request = of(Required::InRequest);
    let named = context.iter().chain(&request).copied().map(|name| {
        let others: Vec<&str> = context
            .iter()
            .copied()
            .filter(|other| *other != name)
            .collect();
        (name.to_owned(), json!(others))
    });
    Value::Object(named.collect())
}

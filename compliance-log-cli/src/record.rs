//! One stored line, read tolerantly: what is no record is shown as such, never left out.

use serde_json::{Map, Value};

/// A line without its newline.
#[derive(Debug)]
pub(crate) struct Stored {
    /// As it stands in the file; the beginning only, if it is longer than a record can be.
    pub(crate) raw: Vec<u8>,
    /// Its fields, unless it is no JSON object.
    pub(crate) fields: Option<Map<String, Value>>,
}

impl Stored {
    pub(crate) fn parse(raw: Vec<u8>) -> Self {
        let fields = serde_json::from_slice(&raw).ok();
        Self { raw, fields }
    }

    /// The text of a root field.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.fields.as_ref()?.get(key)?.as_str()
    }

    /// The number in a root field.
    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        self.fields.as_ref()?.get(key)?.as_u64()
    }

    /// Its place in the stream.
    pub(crate) fn seq(&self) -> Option<u64> {
        self.number("seq")
    }

    /// The last part of the stream id.
    pub(crate) fn channel(&self) -> Option<&str> {
        self.text("stream")?.rsplit('/').next()
    }

    /// The segment and offset that this record, a segment's header, supersedes.
    pub(crate) fn supersedes(&self) -> Option<u64> {
        if !self.is_header() {
            return None;
        }
        let supersedes = self.fields.as_ref()?.get("data")?.get("supersedes")?;
        supersedes.get("offset")?.as_u64()
    }

    /// Whether this is the first record of a segment's writer.
    pub(crate) fn is_header(&self) -> bool {
        self.text("event") == Some("segment.header")
    }

    /// Every value at a dotted path; an array on the way stands for each of its elements.
    pub(crate) fn at(&self, path: &str) -> Vec<&Value> {
        let Some(fields) = &self.fields else {
            return Vec::new();
        };
        let mut parts = path.split('.');
        let mut found: Vec<&Value> = parts
            .next()
            .and_then(|first| fields.get(first))
            .into_iter()
            .collect();
        for part in parts {
            found = found
                .into_iter()
                .flat_map(elements)
                .filter_map(|value| value.get(part))
                .collect();
        }
        found.into_iter().flat_map(elements).collect()
    }
}

fn elements(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        other => vec![other],
    }
}

/// A value as one would type it: text without quotes, everything else as JSON.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_go_through_objects_and_arrays() {
        let line = br#"{"data":{"a":{"b":1}},"redactions":[{"rule":"pan"},{"rule":"jwt"}]}"#;
        let stored = Stored::parse(line.to_vec());
        let texts = |path| stored.at(path).into_iter().map(plain).collect::<Vec<_>>();
        assert_eq!(texts("data.a.b"), ["1"]);
        assert_eq!(texts("redactions.rule"), ["pan", "jwt"]);
        assert!(texts("data.a.c").is_empty());
    }

    #[test]
    fn what_is_no_object_has_no_fields() {
        for line in ["", "hello", "[1]", "{\"a\":1", "{\"a\":1}}"] {
            assert!(Stored::parse(line.into()).fields.is_none(), "{line}");
        }
    }
}

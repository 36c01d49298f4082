use std::ops::Deref;

use serde_json::Value;

/// A captured record. Each check panics, at the line of the test, with the whole record, and gives the
/// record back for the next.
///
/// It reads as the JSON value that it is: `found["tenant_id"]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Found(Value);

impl Found {
    pub(super) fn new(record: Value) -> Self {
        Self(record)
    }

    /// The record as JSON.
    pub fn into_value(self) -> Value {
        self.0
    }

    /// It says that the action took effect.
    ///
    /// # Panics
    ///
    /// If it says otherwise.
    #[track_caller]
    pub fn success(&self) -> &Self {
        self.row("outcome", "success")
    }

    /// It says that the action failed, under this code.
    ///
    /// # Panics
    ///
    /// If it says otherwise.
    #[track_caller]
    pub fn fail(&self, error_code: &str) -> &Self {
        self.row("outcome", "fail").row("error_code", error_code)
    }

    /// It happened for this tenant.
    ///
    /// # Panics
    ///
    /// If it names another, or none.
    #[track_caller]
    pub fn tenant(&self, tenant: &str) -> &Self {
        self.row("tenant_id", tenant)
    }

    /// This user did it.
    ///
    /// # Panics
    ///
    /// If it names another, or none.
    #[track_caller]
    pub fn user(&self, user: &str) -> &Self {
        self.row("user_id", user)
    }

    /// This is what it was done to.
    ///
    /// # Panics
    ///
    /// If it names something else, or nothing.
    #[track_caller]
    pub fn target(&self, target: &str) -> &Self {
        self.row("target_resource", target)
    }

    /// A field has this value, as it stands in the record: `field("seats", 2)`.
    ///
    /// The field is looked for at the root and then under `data`. A dotted path goes deeper, and one
    /// that begins with `data.` looks nowhere else.
    ///
    /// # Panics
    ///
    /// If it has another value, or is not there.
    #[track_caller]
    pub fn field(&self, path: &str, value: impl Into<Value>) -> &Self {
        let expected = value.into();
        let found = at(&self.0, path).or_else(|| at(&self.0["data"], path));
        assert!(
            found == Some(&expected),
            "`{path}` is {}, not {expected}, in\n  {self}",
            shown(found)
        );
        self
    }

    /// Redaction changed or removed the field at this path from the root, such as `data.card`.
    ///
    /// # Panics
    ///
    /// If `redactions` does not name it.
    #[track_caller]
    pub fn redacted(&self, path: &str) -> &Self {
        let redactions = self.0["redactions"].as_array();
        let named = |redaction: &Value| redaction["field"] == path;
        assert!(
            redactions.is_some_and(|list| list.iter().any(named)),
            "`{path}` was not redacted, in\n  {self}"
        );
        self
    }

    /// It belongs to the same trace as another record.
    ///
    /// # Panics
    ///
    /// If it does not, or belongs to none.
    #[track_caller]
    pub fn in_trace_of(&self, other: &Self) -> &Self {
        let trace = &self.0["trace_id"];
        assert!(
            trace.is_string() && *trace == other.0["trace_id"],
            "not of one trace:\n  {self}\n  {other}"
        );
        self
    }

    #[track_caller]
    fn row(&self, name: &str, expected: &str) -> &Self {
        let found = self.0.get(name);
        assert!(
            found.is_some_and(|found| found == expected),
            "`{name}` is {}, not \"{expected}\", in\n  {self}",
            shown(found)
        );
        self
    }
}

impl Deref for Found {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0
    }
}

impl std::fmt::Display for Found {
    /// The record on one line.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

fn shown(found: Option<&Value>) -> String {
    found.map_or_else(|| "missing".to_owned(), Value::to_string)
}

/// The value at a dotted path; keys may hold dots themselves.
fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    value.get(path).or_else(|| {
        path.match_indices('.')
            .find_map(|(dot, _)| at(value.get(&path[..dot])?, &path[dot + 1..]))
    })
}

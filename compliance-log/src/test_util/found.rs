use std::ops::Deref;

use serde_json::Value;

/// A captured record. Each check panics, at the line of the test, with the whole record, and gives the
/// record back for the next.
///
/// It reads as the JSON value that it is: `found["tenant_id"]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    record: Value,
    /// As it was written: its keys are in the order of the format.
    line: Box<str>,
}

impl Found {
    /// The record on one line, unless it is no JSON.
    pub(super) fn of_line(line: &str) -> Result<Self, serde_json::Error> {
        Ok(Self {
            record: serde_json::from_str(line)?,
            line: line.into(),
        })
    }

    /// The record as JSON.
    pub fn into_value(self) -> Value {
        self.record
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
        let found = at(&self.record, path).or_else(|| at(&self.record["data"], path));
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
        let redactions = self.record["redactions"].as_array();
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
        let trace = &self.record["trace_id"];
        assert!(
            trace.is_string() && *trace == other.record["trace_id"],
            "not of one trace:\n  {self}\n  {other}"
        );
        self
    }

    #[track_caller]
    fn row(&self, name: &str, expected: &str) -> &Self {
        let found = self.record.get(name);
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
        &self.record
    }
}

impl std::fmt::Display for Found {
    /// The line as it was written.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.line)
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

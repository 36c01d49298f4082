//! Why the command could not do its work: what, where, and what to do next.

use std::{fmt, io, path::Path};

use compliance_log::ErrorKind;

/// An error for a person at a terminal.
#[derive(Debug)]
pub(crate) struct Failure {
    text: String,
    hint: Option<String>,
    source: Option<io::Error>,
}

impl Failure {
    pub(crate) fn new(text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            hint: Some(hint.into()),
            source: None,
        }
    }

    /// What could not be done to `path`.
    pub(crate) fn io(what: &str, path: &Path, source: io::Error) -> Self {
        let hint = match source.kind() {
            io::ErrorKind::NotFound => {
                Some("give the folder of a store, or a folder of stores".into())
            }
            io::ErrorKind::PermissionDenied => {
                Some("read access is needed to the folder and the files in it, nothing more".into())
            }
            _ => None,
        };
        Self {
            text: format!("cannot {what} {}", path.display()),
            hint,
            source: Some(source),
        }
    }

    pub(crate) fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Whether whoever read our output has had enough.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        self.source
            .as_ref()
            .is_some_and(|source| source.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl From<io::Error> for Failure {
    /// Only writing to stdout fails without a path.
    fn from(source: io::Error) -> Self {
        Self {
            text: "cannot write to stdout".into(),
            hint: None,
            source: Some(source),
        }
    }
}

impl From<compliance_log::Error> for Failure {
    fn from(error: compliance_log::Error) -> Self {
        let hint = match error.kind() {
            ErrorKind::Io => "read access is needed to the store and the files in it, nothing more",
            ErrorKind::NewerFormat => "use a `compliance-log` as new as the service that wrote it",
            _ => "`compliance-log verify --help` says what it takes",
        };
        Self::new(error.to_string(), hint)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

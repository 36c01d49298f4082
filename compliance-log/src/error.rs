use std::{fmt, io};

/// What went wrong while opening, configuring or reading a log.
///
/// One word wide; its text reads from the outside in, for example
/// `cannot open store /var/log/audit/a-0123: cannot create lock: permission denied`.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    text: String,
    source: Option<io::Error>,
}

/// The few causes that a program may want to tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A name given in code is not allowed: a service, instance or environment name.
    Name,
    /// A configuration or policy file could not be read or understood.
    Config,
    /// The process already has a default log or a global `tracing` subscriber.
    Taken,
    /// The operating system refused; [`std::error::Error::source`] holds its error.
    Io,
    /// Another process holds the store's lock.
    Locked,
    /// The bytes of a store are not what this version writes.
    Damaged,
    /// The store was written by a later version.
    NewerFormat,
    /// A key, note, proof or certificate of the seal is not well formed, or does not show
    /// what it should.
    Seal,
}

impl Error {
    #[cold]
    pub(crate) fn new(kind: ErrorKind, text: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            text: text.into(),
            source: None,
        }))
    }

    #[cold]
    pub(crate) fn io(text: impl Into<String>, source: io::Error) -> Self {
        Self(Box::new(Inner {
            kind: ErrorKind::Io,
            text: text.into(),
            source: Some(source),
        }))
    }

    /// Puts an outer sentence in front: what we were doing when it went wrong.
    #[must_use]
    pub(crate) fn context(mut self, text: impl fmt::Display) -> Self {
        self.0.text = format!("{text}: {}", self.0.text);
        self
    }

    /// The same error for a second reader; an `io::Error` cannot be cloned.
    pub(crate) fn again(&self) -> Self {
        let source = self
            .0
            .source
            .as_ref()
            .map(|source| io::Error::new(source.kind(), source.to_string()));
        Self(Box::new(Inner {
            kind: self.0.kind,
            text: self.0.text.clone(),
            source,
        }))
    }

    /// The cause, for code that branches.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)?;
        match &self.0.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:?}: {self})", self.0.kind)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|source| source as _)
    }
}

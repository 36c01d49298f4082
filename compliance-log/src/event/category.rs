/// Which rules a record obeys. A field of the record, not a file: see [`Channel`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the format freezes the five categories"
)]
pub enum Category {
    /// A business action that must be provable: a booking, a payment.
    Audit,
    /// Authentication, authorisation, keys, policy, and the log's own life cycle.
    Security,
    /// A privileged or administrative action.
    Admin,
    /// One request, message or connection.
    Access,
    /// Everything else: ordinary `tracing` events.
    App,
}

impl Category {
    /// The word in the record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Security => "security",
            Self::Admin => "admin",
            Self::Access => "access",
            Self::App => "app",
        }
    }

    /// The stream that carries it.
    pub const fn channel(self) -> Channel {
        match self {
            Self::App => Channel::App,
            _ => Channel::Audit,
        }
    }
}

/// A file of its own within a store, with a hash chain of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Channel {
    /// Categories audit, security, admin, access, and the life cycle.
    Audit,
    /// Category app.
    App,
    /// What is signed: sizes and roots of the other two. Only a sealed store has it.
    Catalog,
}

impl Channel {
    /// The channels that hold what a service logs.
    pub const ALL: [Self; 2] = [Self::Audit, Self::App];
    /// Every channel that a store may have.
    pub(crate) const WITH_CATALOG: [Self; 3] = [Self::Audit, Self::App, Self::Catalog];

    /// The folder's name, and the last part of the stream id.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::App => "app",
            Self::Catalog => "catalog",
        }
    }

    /// Its place in [`Channel::WITH_CATALOG`].
    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Audit => 0,
            Self::App => 1,
            Self::Catalog => 2,
        }
    }
}

/// Severity, as `tracing` counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the format freezes the five levels"
)]
pub enum Level {
    /// Finest detail.
    Trace,
    /// For developers.
    Debug,
    /// Normal operation.
    Info,
    /// Loss, recovery, refusal.
    Warn,
    /// A failure that needs a person.
    Error,
}

impl Level {
    /// The word in the record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

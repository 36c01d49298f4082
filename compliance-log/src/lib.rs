//! Structured, redacted, tamper-evident audit logs for Rust services.
//!
//! Modules stand in the order in which data flows; each uses only those declared above it.

mod error;
pub use error::{Error, ErrorKind};
pub mod clock;
pub mod event;
#[doc(inline)]
pub use event::AuditEvent;
pub mod context;
pub mod chain;
#[doc(hidden)]
pub mod private;
#[doc(hidden)]
pub use private as __private;
#[doc(hidden)]
pub use private::{Commit, CommitError};

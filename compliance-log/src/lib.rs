//! Structured, redacted, tamper-evident audit logs for Rust services.
//!
//! Modules stand in the order in which data flows; each uses only those declared above it.

mod error;
pub use error::{Error, ErrorKind};
pub mod clock;
pub mod event;
pub mod context;
pub mod chain;
mod layout;
pub mod verify;

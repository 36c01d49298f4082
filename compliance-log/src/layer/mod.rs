//! `tracing`: ordinary events as `app` records, and the same redaction in front of other layers.

mod audit_tracing;
mod error_chain;
mod event_fields;
mod guard;
mod redacted;
mod span_fields;

pub use audit_tracing::AuditTracing;
pub use guard::{Guard, guard};

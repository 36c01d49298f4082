//! Who and where: plain data that follows a request, a message or a job.

mod random;
mod id;
mod trace;
mod identity;
mod builder;
mod audit_context;

pub use audit_context::AuditContext;
pub use builder::ContextBuilder;
pub use id::{SpanId, TraceFlags, TraceId};
pub use identity::{ClientId, Identity, Mismatch, TenantId, UserId};
pub(crate) use random::random;
pub(crate) use trace::Agreement;
pub use trace::TraceIds;

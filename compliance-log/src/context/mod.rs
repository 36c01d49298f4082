//! Who and where: plain data that follows a request, a message or a job.

mod random;
mod id;
mod trace;
mod identity;
mod request_id;
mod builder;
mod audit_context;

pub use audit_context::AuditContext;
pub use builder::ContextBuilder;
#[cfg(feature = "http")]
pub(crate) use builder::Known;
pub use id::{SpanId, TraceFlags, TraceId};
pub use identity::{ClientId, Identity, Mismatch, TenantId, UserId};
pub(crate) use random::random;
#[cfg(feature = "http")]
pub(crate) use request_id::RequestId;
pub(crate) use trace::Agreement;
#[cfg(feature = "http")]
pub(crate) use trace::Begun;
pub use trace::TraceIds;

//! What a context is made of, as it is collected.

use std::net::IpAddr;

use super::{
    audit_context::AuditContext,
    id::{TraceFlags, TraceId},
    identity::{Identity, TenantId, UserId},
    request_id::RequestId,
    trace::Begun,
};

/// Collects the parts of an [`AuditContext`].
#[derive(Clone, Debug)]
#[must_use = "nothing is in force until `build`"]
pub struct ContextBuilder {
    trace: Begun,
    known: Known,
    identity: Identity,
}

/// What is known from the beginning and does not change.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    pub(crate) tracestate: Option<Box<str>>,
    pub(crate) job: Option<Box<str>>,
    pub(crate) request_id: Option<RequestId>,
    pub(crate) ip: Option<IpAddr>,
    pub(crate) user_agent: Option<Box<str>>,
    pub(crate) service: Option<Box<str>>,
    pub(crate) offer_id: Option<Box<str>>,
    pub(crate) booking_id: Option<Box<str>>,
}

impl ContextBuilder {
    pub(super) fn new(job: Option<Box<str>>) -> Self {
        Self {
            trace: Begun::new(),
            known: Known {
                job,
                ..Known::default()
            },
            identity: Identity::new(),
        }
    }

    /// Continues a trace; the context keeps a span id of its own.
    pub fn trace(mut self, trace_id: TraceId, flags: TraceFlags) -> Self {
        self.trace = Begun::Continued { trace_id, flags };
        self
    }

    /// Other vendors' trace state, to be sent on unchanged.
    pub fn tracestate(mut self, tracestate: impl Into<Box<str>>) -> Self {
        self.known.tracestate = Some(tracestate.into());
        self
    }

    /// The id by which people ask about this request.
    pub fn request_id(mut self, id: impl Into<Box<str>>) -> Self {
        self.known.request_id = Some(RequestId::Given(id.into()));
        self
    }

    /// Where the request came from.
    pub fn ip(mut self, ip: IpAddr) -> Self {
        self.known.ip = Some(ip);
        self
    }

    /// What the client calls itself.
    pub fn user_agent(mut self, user_agent: impl Into<Box<str>>) -> Self {
        self.known.user_agent = Some(user_agent.into());
        self
    }

    /// The calling service.
    pub fn service(mut self, service: impl Into<Box<str>>) -> Self {
        self.known.service = Some(service.into());
        self
    }

    /// The offer that this work is about.
    pub fn offer_id(mut self, id: impl Into<Box<str>>) -> Self {
        self.known.offer_id = Some(id.into());
        self
    }

    /// The booking that this work is about.
    pub fn booking_id(mut self, id: impl Into<Box<str>>) -> Self {
        self.known.booking_id = Some(id.into());
        self
    }

    /// The tenant on whose data a job works.
    pub fn tenant(mut self, tenant: impl Into<TenantId>) -> Self {
        self.identity = self.identity.tenant(tenant);
        self
    }

    /// The person in whose name a job works.
    pub fn actor(mut self, user: impl Into<UserId>) -> Self {
        self.identity = self.identity.user(user);
        self
    }

    /// The finished context.
    pub fn build(self) -> AuditContext {
        AuditContext::new(self.trace, self.known, self.identity)
    }
}

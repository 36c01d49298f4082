//! The context that records of one request, message or job share.

use std::{
    net::IpAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{
    builder::{ContextBuilder, Known},
    id::{SpanId, TraceFlags, TraceId},
    identity::{Identity, Mismatch},
    request_id::RequestId,
    trace::{Agreement, Begun, Trace, TraceIds},
};

/// What every record written during one request, message or job has in common.
///
/// Cheap to clone; all clones share the identity, which is set at most once.
///
/// ```
/// use compliance_log::context::{AuditContext, Identity};
///
/// let context = AuditContext::job("nightly-settlement").tenant("acme").build();
/// assert_eq!(context.identity().unwrap().tenant.as_ref().unwrap().as_str(), "acme");
/// assert!(context.verified(Identity::new().tenant("other")).is_err());
/// ```
#[derive(Clone, Debug)]
pub struct AuditContext(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    trace: Trace,
    known: Known,
    identity: OnceLock<Identity>,
    /// Whether any event was recorded that somebody answers for.
    audited: AtomicBool,
    /// Whether the person behind it refused telemetry.
    telemetry_refused: AtomicBool,
}

impl AuditContext {
    /// The context of a request or message; starts a new trace until told otherwise.
    pub fn request() -> ContextBuilder {
        ContextBuilder::new(None)
    }

    /// The context of work that no request asked for. Without an actor its records name the
    /// service itself as `client_id`.
    pub fn job(name: impl Into<Box<str>>) -> ContextBuilder {
        ContextBuilder::new(Some(name.into()))
    }

    /// Sets who acts, once, from claims that were verified.
    ///
    /// # Errors
    ///
    /// [`Mismatch`] if a different identity was set before; the first one stands.
    pub fn verified(&self, claims: impl Into<Identity>) -> Result<(), Mismatch> {
        let identity = claims.into();
        let verified = self.0.identity.get_or_init(|| identity.clone());
        if *verified == identity {
            return Ok(());
        }
        Err(Mismatch {
            verified: Box::new(verified.clone()),
            refused: Box::new(identity),
        })
    }

    /// Who acts, if that was verified.
    pub fn identity(&self) -> Option<&Identity> {
        self.0.identity.get()
    }

    /// Says that the person behind this request, session or message refused telemetry: by a setting of the
    /// service, for `http::AuditLayer` reads `Sec-GPC: 1` and `DNT: 1` itself. It holds for all clones, and
    /// cannot be taken back.
    ///
    /// From then on `app` records of this context are counted instead of written, typed ones and those of
    /// `tracing` events; `volume.summary` tells how many. Still written are failures, `tracing` events of level
    /// WARN and ERROR, records that somebody waits for, and all other categories. In the environments `dev` and
    /// `test` all are.
    ///
    /// ```
    /// use compliance_log::context::AuditContext;
    ///
    /// let session = AuditContext::request().build();
    /// session.refuse_telemetry();
    /// assert!(session.telemetry_is_refused());
    /// ```
    pub fn refuse_telemetry(&self) {
        self.0.telemetry_refused.store(true, Ordering::Relaxed);
    }

    /// Whether the person behind it refused telemetry, for what the service measures on its own.
    pub fn telemetry_is_refused(&self) -> bool {
        self.0.telemetry_refused.load(Ordering::Relaxed)
    }

    /// Notes that an event was recorded that somebody answers for.
    pub(crate) fn set_audited(&self) {
        self.0.audited.store(true, Ordering::Relaxed);
    }

    /// Whether such an event was recorded so far.
    #[cfg_attr(
        not(feature = "http"),
        expect(dead_code, reason = "used by `http` alone")
    )]
    pub(crate) fn audited(&self) -> bool {
        self.0.audited.load(Ordering::Relaxed)
    }

    /// The trace that this work belongs to. From the first time that anybody is told it, by a record or
    /// by this, it stays the same.
    pub fn trace_id(&self) -> TraceId {
        self.trace_ids().trace_id
    }

    /// This request's span within the trace: the one that the service's tracer showed for it first, see
    /// [`Builder::trace_ids`](crate::Builder::trace_ids), else one of its own.
    pub fn span_id(&self) -> SpanId {
        self.trace_ids().span_id
    }

    /// The trace flags.
    pub fn flags(&self) -> TraceFlags {
        self.trace_ids().flags
    }

    /// Trace, span and flags; settles them.
    pub(crate) fn trace_ids(&self) -> TraceIds {
        self.0.trace.ids()
    }

    /// The service's tracer is in this span, for the whole of this work.
    #[cfg_attr(
        not(feature = "http"),
        expect(dead_code, reason = "used by `http` alone")
    )]
    pub(crate) fn meet(&self, seen: TraceIds) {
        self.0.trace.meet(seen);
    }

    /// The ids for code of this work that runs in this span; settles the trace.
    pub(crate) fn trace_ids_within(&self, seen: TraceIds) -> (TraceIds, Agreement) {
        self.0.trace.ids_within(seen)
    }

    /// Other vendors' trace state, to be sent on.
    pub fn tracestate(&self) -> Option<&str> {
        self.0.known.tracestate.as_deref()
    }

    /// The job's name, if this is not a request.
    pub fn job_name(&self) -> Option<&str> {
        self.0.known.job.as_deref()
    }

    /// The id by which people ask about this request.
    pub fn request_id(&self) -> Option<&str> {
        self.0.known.request_id.as_ref().map(RequestId::as_str)
    }

    /// Where the request came from.
    pub fn ip(&self) -> Option<IpAddr> {
        self.0.known.ip
    }

    /// What the client calls itself.
    pub fn user_agent(&self) -> Option<&str> {
        self.0.known.user_agent.as_deref()
    }

    /// The calling service.
    pub fn service(&self) -> Option<&str> {
        self.0.known.service.as_deref()
    }

    /// The offer that this work is about.
    pub fn offer_id(&self) -> Option<&str> {
        self.0.known.offer_id.as_deref()
    }

    /// The booking that this work is about.
    pub fn booking_id(&self) -> Option<&str> {
        self.0.known.booking_id.as_deref()
    }

    /// Of a request of which nobody knows yet who acts.
    #[cfg_attr(
        not(feature = "http"),
        expect(dead_code, reason = "used by `http` alone")
    )]
    pub(crate) fn of_request(trace: Begun, known: Known) -> Self {
        Self::new(trace, known, Identity::new())
    }

    pub(super) fn new(trace: Begun, known: Known, identity: Identity) -> Self {
        let is_known = identity != Identity::new();
        Self(Arc::new(Inner {
            trace: Trace::new(trace),
            known,
            identity: if is_known {
                OnceLock::from(identity)
            } else {
                OnceLock::new()
            },
            audited: AtomicBool::new(false),
            telemetry_refused: AtomicBool::new(false),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_identity_stands() {
        let context = AuditContext::request().build();
        let acme = Identity::new().tenant("acme").user("u-1");
        assert_eq!(context.identity(), None);
        assert_eq!(context.verified(acme.clone()), Ok(()));
        assert_eq!(
            context.clone().verified(acme.clone()),
            Ok(()),
            "the same claims again are fine"
        );
        let refused = context
            .verified(Identity::new().tenant("evil"))
            .unwrap_err();
        assert_eq!(*refused.verified, acme);
        assert_eq!(context.identity(), Some(&acme));
    }
}

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use http::Method;

use super::{duty::Duty, why::Why};
use crate::{
    context::{AuditContext, Identity, Mismatch},
    event::{
        Category, EventMeta, FieldMeta, Fields, Kind, Level, Outcome, OutcomeDetail, Raw, Visit,
    },
    lifecycle::name,
    pipeline::Handle,
    receipt::Commit,
    schema::{Event, Failed, SpanOf, Target},
};

/// One request's audit: what the [`AuditLayer`](super::AuditLayer) puts into the request's
/// extensions, so that whoever authenticates it can say who acts.
///
/// Cheap to clone; all clones speak of the same request. With the feature `axum` it is also an
/// extractor.
///
/// ```
/// use compliance_log::{
///     context::{Identity, Mismatch},
///     http::RequestAudit,
/// };
///
/// /// Called by the authentication once signature, issuer, audience and expiry are checked.
/// fn authenticated(request: &http::Extensions, sub: &str, tenant: &str) -> Result<(), Mismatch> {
///     if let Some(audit) = request.get::<RequestAudit>() {
///         audit.verified(Identity::new().tenant(tenant).user(sub))?;
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct RequestAudit(Arc<Inner>);

struct Inner {
    handle: Handle,
    context: AuditContext,
    method: Method,
    route: OnceLock<Box<str>>,
    /// What its handlers owe; more than one only where a handler takes more than one `AuditCtx`.
    duties: Mutex<Duties>,
    /// The route said that it has nothing to audit.
    unaudited: AtomicBool,
    /// It was refused before anything could happen.
    refused: AtomicBool,
    /// Why the request would have been refused, were it not for observe mode.
    would_refuse: OnceLock<&'static str>,
}

#[derive(Default)]
struct Duties {
    open: Vec<Arc<Duty>>,
    /// The request is over: whoever still holds a duty, or takes one on, is alone with it.
    over: bool,
}

impl RequestAudit {
    pub(super) fn new(handle: Handle, context: AuditContext, method: Method) -> Self {
        Self(Arc::new(Inner {
            handle,
            context,
            method,
            route: OnceLock::new(),
            duties: Mutex::default(),
            unaudited: AtomicBool::new(false),
            refused: AtomicBool::new(false),
            would_refuse: OnceLock::new(),
        }))
    }

    /// Says who acts, once, from claims that were verified. From then on every record of the
    /// request carries it, the access record too.
    ///
    /// # Errors
    ///
    /// [`Mismatch`] if a different identity was set before: the first one stands, and the attempt
    /// is written as `security.context_mismatch`. The request should be refused.
    pub fn verified(&self, identity: Identity) -> Result<(), Mismatch> {
        self.0.context.verified(identity).inspect_err(|mismatch| {
            let target = self.target();
            let refused = Refused(&mismatch.refused);
            let mut event = Event::new(
                name::MISMATCH,
                Category::Security,
                self.0.handle.now(),
                &refused,
            );
            event.version = Some(1);
            event.level = Level::Warn;
            event.context = Some(&self.0.context);
            event.outcome = Some(Outcome::Fail);
            event.detail = Some(OutcomeDetail::Denied);
            event.target = Target::Text(&target);
            event.error = Some(Failed {
                code: "CONTEXT_MISMATCH",
                message: None,
            });
            self.0.handle.emit_owed(&event);
        })
    }

    /// What all records of the request have in common.
    pub fn context(&self) -> &AuditContext {
        &self.0.context
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.0.handle
    }

    pub(super) fn method(&self) -> &Method {
        &self.0.method
    }

    /// Takes over the span that the service's tracer is in, as that of the request, unless it has one.
    pub(super) fn meet_tracer(&self) {
        if let Some(span) = self.0.handle.traced_span() {
            self.0.context.meet(span);
        }
    }

    /// Notes the matched route, unless it is known.
    pub(super) fn matched(&self, route: Option<&str>) {
        if let Some(route) = route {
            self.0.route.get_or_init(|| route.into());
        }
    }

    /// Method and matched route.
    pub(super) fn target(&self) -> String {
        let route = self.route().unwrap_or("unmatched");
        format!("{} {route}", self.0.method)
    }

    /// The matched route, as the service's author wrote it.
    pub(super) fn route(&self) -> Option<&str> {
        self.0.route.get().map(|route| &**route)
    }

    /// Takes on the duty to record one event.
    #[cfg_attr(
        not(feature = "axum"),
        expect(dead_code, reason = "only extractors make duties")
    )]
    pub(super) fn owe(&self, event: &'static EventMeta) -> Arc<Duty> {
        let duty = Duty::new(event, &self.0.handle);
        let mut duties = self.duties();
        if !duties.over {
            duties.open.push(Arc::clone(&duty));
        }
        drop(duties);
        duty
    }

    /// Takes note that an `AuditCtx` is gone. After the request, as in a task of its own, nobody else
    /// writes the record that it left open.
    #[cfg_attr(
        not(feature = "axum"),
        expect(dead_code, reason = "only extractors make duties")
    )]
    pub(super) fn let_go(&self, duty: &Duty) {
        duty.let_go();
        if self.duties().over {
            duty.fail_unwatched(self, Why::abandoned("ABANDONED"));
        }
    }

    fn duties(&self) -> MutexGuard<'_, Duties> {
        self.0.duties.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues the records that nobody wrote, and gives their answers.
    pub(super) fn settle(&self, why: impl Fn() -> Why) -> Vec<(&'static str, Commit)> {
        let duties = std::mem::take(&mut self.duties().open);
        let settle =
            |duty: &Arc<Duty>| Some((duty.event(), duty.fail(self, why(), SpanOf::Context)?));
        duties.iter().filter_map(settle).collect()
    }

    /// Queues the records that nobody wrote and nobody can write any more; nobody waits for them.
    pub(super) fn abandon(&self, code: &str) {
        let duties = {
            let mut duties = self.duties();
            duties.over = true;
            std::mem::take(&mut duties.open)
        };
        for duty in duties.iter().filter(|duty| !duty.is_held()) {
            duty.fail_unwatched(self, Why::abandoned(code));
        }
    }

    #[cfg(feature = "axum")]
    pub(super) fn set_unaudited(&self) {
        self.0.unaudited.store(true, Ordering::Relaxed);
    }

    /// Says that nothing could happen, for lack of room or of a store.
    pub(super) fn set_refused(&self) {
        self.0.refused.store(true, Ordering::Relaxed);
    }

    /// Whether its route has nothing to audit.
    pub(super) fn is_unaudited(&self) -> bool {
        self.0.unaudited.load(Ordering::Relaxed)
    }

    /// Whether the request reached a route and no event that somebody answers for tells of it.
    pub(super) fn is_gap(&self) -> bool {
        self.route().is_some()
            && !self.is_unaudited()
            && !self.0.refused.load(Ordering::Relaxed)
            && !self.0.context.audited()
    }

    #[cfg(feature = "axum")]
    pub(super) fn would_refuse(&self, why: &'static str) {
        self.0.would_refuse.get_or_init(|| why);
    }

    pub(super) fn would_be_refused(&self) -> Option<&'static str> {
        self.0.would_refuse.get().copied()
    }
}

impl fmt::Debug for RequestAudit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestAudit")
            .field("context", &self.0.context)
            .field("target", &self.target())
            .finish_non_exhaustive()
    }
}

/// The identity that was refused, as fields of the record.
struct Refused<'a>(&'a Identity);

const TENANT: FieldMeta = FieldMeta::own("refused_tenant_id", Kind::Text);
const USER: FieldMeta = FieldMeta::own("refused_user_id", Kind::Text);
const CLIENT: FieldMeta = FieldMeta::own("refused_client_id", Kind::Text);

impl Fields for Refused<'_> {
    fn visit(&self, out: &mut dyn Visit) {
        let Identity {
            tenant,
            user,
            client,
        } = self.0;
        if let Some(tenant) = tenant {
            out.field(&TENANT, Raw::Str(tenant.as_str()));
        }
        if let Some(user) = user {
            out.field(&USER, Raw::Str(user.as_str()));
        }
        if let Some(client) = client {
            out.field(&CLIENT, Raw::Str(client.as_str()));
        }
    }
}

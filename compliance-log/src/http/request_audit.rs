use std::{
    borrow::Cow,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use http::Method;

use super::{
    arrival::Noted,
    claim::{Claims, Unproven, Value},
    duty::Duty,
    layer::Settings,
    mismatch::Disbelieved,
    why::Why,
};
use crate::{
    context::{AuditContext, Identity, Mismatch},
    event::EventMeta,
    pipeline::Handle,
    receipt::Commit,
    schema::SpanOf,
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
    settings: Arc<Settings>,
    context: AuditContext,
    method: Method,
    matched: OnceLock<Matched>,
    /// Whether any handler owes something.
    indebted: AtomicBool,
    /// What its handlers owe; more than one only where a handler takes more than one `AuditCtx`.
    duties: Mutex<Duties>,
    /// The route said that it has nothing to audit.
    unaudited: AtomicBool,
    /// It was refused before anything could happen.
    refused: AtomicBool,
    /// Why the request would have been refused, were it not for observe mode.
    would_refuse: OnceLock<&'static str>,
    /// What its headers say of who acts.
    claims: Option<Box<Claims>>,
    noted: Noted,
    /// A record tells that it speaks for somebody else than was verified.
    disbelieved: AtomicBool,
}

/// What the request matched.
pub(super) struct Matched {
    /// The method, a space and the route.
    target: Box<str>,
    /// Where the route begins.
    at: usize,
}

#[derive(Default)]
struct Duties {
    open: Vec<Arc<Duty>>,
    /// The request is over: whoever still holds a duty, or takes one on, is alone with it.
    over: bool,
}

impl Matched {
    pub(super) fn new(method: &Method, route: &str) -> Self {
        Self {
            target: target(method, route).into(),
            at: method.as_str().len() + 1,
        }
    }
}

impl RequestAudit {
    pub(super) fn new(
        settings: Arc<Settings>,
        context: AuditContext,
        method: Method,
        matched: Option<Matched>,
        noted: Noted,
        claims: Option<Box<Claims>>,
    ) -> Self {
        Self(Arc::new(Inner {
            settings,
            context,
            method,
            matched: matched.map_or_else(OnceLock::new, OnceLock::from),
            indebted: AtomicBool::new(false),
            duties: Mutex::default(),
            unaudited: AtomicBool::new(false),
            refused: AtomicBool::new(false),
            would_refuse: OnceLock::new(),
            claims,
            noted,
            disbelieved: AtomicBool::new(false),
        }))
    }

    /// Says who acts, once, from claims that were verified: an [`Identity`], or what a token says, such
    /// as [`keycloak::VerifiedClaims`](crate::keycloak::VerifiedClaims). From then on every record of
    /// the request carries it, the access record too.
    ///
    /// # Errors
    ///
    /// [`Mismatch`] if a different identity was set before: the first one stands, and the attempt
    /// is written as `security.context_mismatch`. The request should be refused.
    pub fn verified(&self, claims: impl Into<Identity>) -> Result<(), Mismatch> {
        let verified = self.0.context.verified(claims);
        verified.inspect_err(|mismatch| self.disbelieve(Some(&mismatch.refused), None))
    }

    /// Checks a tenant that the request names without proof, in its path or query, against the verified
    /// one.
    ///
    /// ```
    /// use compliance_log::{context::Mismatch, http::RequestAudit};
    ///
    /// /// `GET /tenants/{tenant}/bookings`
    /// fn list(audit: &RequestAudit, tenant: &str) -> Result<(), Mismatch> {
    ///     audit.check_tenant(tenant)
    ///     // … and only then read their bookings.
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Mismatch`] if another tenant was verified, or none: what was verified stands, and the attempt
    /// is written as `security.context_mismatch`. The request should be refused; in an audited handler
    /// `?` answers 403.
    pub fn check_tenant(&self, tenant: &str) -> Result<(), Mismatch> {
        let verified = self.0.context.identity();
        let known = verified.and_then(|identity| identity.tenant.as_ref());
        if known.is_some_and(|known| known.as_str() == tenant) {
            return Ok(());
        }
        self.disbelieve(None, Some(&Value::new("request", tenant)));
        Err(Mismatch {
            verified: Box::new(verified.cloned().unwrap_or_default()),
            refused: Box::new(Identity::new().tenant(tenant)),
        })
    }

    /// Tells of claims in headers that are not what was verified. Not where nothing was done for
    /// whoever sent them: on routes without anything to audit, and for want of room.
    pub(super) fn compare_claims(&self) {
        let skipped = self.is_unaudited() || self.0.refused.load(Ordering::Relaxed);
        if !skipped && self.0.claims.is_some() {
            self.disbelieve(None, None);
        }
    }

    /// Writes what is not believed, once for each request, so that one that goes on and on about it
    /// fills no log.
    fn disbelieve(&self, refused: Option<&Identity>, named: Option<&Value>) {
        let claims = self.0.claims.as_deref();
        let mut claimed = claims.map_or_else(Unproven::default, |claims| {
            claims.against(self.0.context.identity())
        });
        claimed.tenant = named.or(claimed.tenant);
        if refused.is_none() && claimed.is_empty() {
            return;
        }
        if !self.0.disbelieved.swap(true, Ordering::Relaxed) {
            Disbelieved { refused, claimed }.write(self);
        }
    }

    /// What all records of the request have in common.
    pub fn context(&self) -> &AuditContext {
        &self.0.context
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.0.settings.handle
    }

    pub(super) fn noted(&self) -> &Noted {
        &self.0.noted
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(super) fn method(&self) -> &Method {
        &self.0.method
    }

    /// Takes over the span that the service's tracer is in, as that of the request, unless it has one.
    pub(super) fn meet_tracer(&self) {
        if let Some(span) = self.handle().traced_span() {
            self.0.context.meet(span);
        }
    }

    /// Notes the matched route, unless it is known.
    pub(super) fn matched(&self, route: Option<&str>) {
        if let Some(route) = route {
            let matched = || Matched::new(&self.0.method, route);
            self.0.matched.get_or_init(matched);
        }
    }

    /// Method and matched route.
    pub(super) fn target(&self) -> Cow<'_, str> {
        match self.0.matched.get() {
            Some(matched) => Cow::Borrowed(&*matched.target),
            None => Cow::Owned(target(&self.0.method, "unmatched")),
        }
    }

    /// The matched route, as the service's author wrote it.
    pub(super) fn route(&self) -> Option<&str> {
        let matched = self.0.matched.get()?;
        matched.target.get(matched.at..)
    }

    /// Takes on the duty to record one event.
    #[cfg_attr(
        not(feature = "axum"),
        expect(dead_code, reason = "only extractors make duties")
    )]
    pub(super) fn owe(&self, event: &'static EventMeta) -> Arc<Duty> {
        let duty = Duty::new(event, self.handle());
        self.0.indebted.store(true, Ordering::Release);
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
        if !self.0.indebted.load(Ordering::Acquire) {
            return Vec::new();
        }
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

fn target(method: &Method, route: &str) -> String {
    [method.as_str(), " ", route].concat()
}

impl fmt::Debug for RequestAudit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestAudit")
            .field("context", &self.0.context)
            .field("target", &self.target())
            .finish_non_exhaustive()
    }
}

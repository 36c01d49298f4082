use std::{fmt, marker::PhantomData, sync::Arc};

use axum::extract::FromRequestParts;
use http::{StatusCode, request::Parts};

use super::{
    audit_error::AuditError,
    duty::Duty,
    extract::NoAuditLayer,
    intent::Beginning,
    request_audit::RequestAudit,
    settling::{Effect, Settling},
    why::Why,
};
use crate::{
    context::{AuditContext, Identity},
    encode::NO_FIELDS,
    event::{AuditEvent, Failure, Scope},
    pipeline::Mode,
    receipt::Commit,
    schema::{Event, Intent as IntentRow, Target},
};

/// The first argument of a handler: which event it owes, and the way to settle that.
///
/// Extracting it asks whether the record could be stored. If not, the request is answered 503 with
/// `Retry-After`, before the handler runs. An event that is not `pre_auth` also needs a verified
/// tenant, else the answer is 401 and the event is recorded as `denied`.
///
/// From then on exactly one record of `E` is written: by the handler, with [`success`](Self::success),
/// [`success_as`](Self::success_as) or [`fail`](Self::fail); else by the
/// [`AuditLayer`](super::AuditLayer), with `outcome = fail`, whatever ended the request: an error
/// that was returned, another extractor that refused, a panic, a timeout, a client that left. Where
/// there is an answer, the record is durable before it.
///
/// | ended by | `error_code` | `outcome_detail` |
/// |---|---|---|
/// | an error that was returned | its own | `denied` for 401, 403, 407, 451 |
/// | another extractor, a timeout inside of the layer | `HTTP_400`, `HTTP_408` … | as above |
/// | no verified tenant | `NO_TENANT` | `denied` |
/// | a panic | `PANIC` | `abandoned` |
/// | a client that left, a timeout outside of the layer, an answer without a word | `ABANDONED` | `abandoned` |
///
/// Such a record has the method and the matched route as its target, or what
/// [`begin`](Self::begin) was told, because there is no `E` yet.
///
/// ```
/// use axum::Json;
/// use compliance_log::{audit_event, http::{AuditCtx, AuditResult, OrFail as _}};
///
/// #[audit_event(name = "rate.changed", category = "admin", target = "rate/{rate}")]
/// struct RateChanged {
///     rate: u32,
/// }
///
/// async fn change_rate(ctx: AuditCtx<RateChanged>, body: String) -> AuditResult<Json<u32>> {
///     let rate = body.parse().or_fail("BAD_RATE")?;
///     ctx.success(RateChanged { rate }).await?.respond(Json(rate))
/// }
/// ```
pub struct AuditCtx<E: AuditEvent> {
    audit: RequestAudit,
    duty: Watched,
    tenant: <E::Scope as Scope>::Tenant,
    event: PhantomData<fn() -> E>,
}

/// A duty that learns of a panic while it is held.
struct Watched(Arc<Duty>);

impl Drop for Watched {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.set_panicked();
        }
    }
}

/// The record of an action that is announced before it is done.
const INTENT: &str = "audit.intent";
const INTENT_VERSION: u16 = 1;

impl<E: AuditEvent> AuditCtx<E> {
    /// On whose data the request works: a `TenantId`, or for a `pre_auth` event an
    /// `Option<TenantId>`.
    ///
    /// In observe mode the tenant of a request without one is called `none`.
    pub fn tenant(&self) -> &<E::Scope as Scope>::Tenant {
        &self.tenant
    }

    /// Who acts, if that was verified.
    pub fn identity(&self) -> Option<&Identity> {
        self.audit.context().identity()
    }

    /// What all records of the request have in common.
    pub fn context(&self) -> &AuditContext {
        self.audit.context()
    }

    /// Records that the action succeeded.
    pub fn success(self, event: E) -> Settling {
        self.success_as(event)
    }

    /// Records that the action succeeded as another event than the one that is owed: updated instead
    /// of created.
    #[expect(clippy::needless_pass_by_value, reason = "an event is recorded once")]
    pub fn success_as<O: AuditEvent>(self, event: O) -> Settling {
        let effect = Effect::of(self.audit.method(), self.mode());
        self.settle(O::META.name, effect, |this, duty| {
            let begun = duty.begun();
            let record = begun.as_ref().and_then(|begun| begun.record.as_deref());
            let handle = this.audit.handle();
            let mut typed = handle.typed(&event, Some(this.audit.context()));
            typed.intent = record.map(IntentRow::Closes);
            duty.take().then(|| handle.commit_owed(&typed))
        })
    }

    /// Records that the action was refused or failed, for an answer that the handler makes itself.
    /// An error that becomes the answer is simply returned.
    #[expect(clippy::needless_pass_by_value, reason = "as `?` takes an error")]
    pub fn fail(self, why: impl Failure) -> Settling {
        let why = Why::of(&why);
        self.settle(E::META.name, Effect::Done, |this, duty| {
            duty.fail(&this.audit, why)
        })
    }

    /// Announces the action before it is done: writes a durable `audit.intent`, which names the
    /// event and `target`. The record that tells how it ended then refers to it, so that an action
    /// whose end nobody recorded, because the process died, can be found.
    ///
    /// For what cannot be undone.
    pub fn begin(self, target: impl fmt::Display) -> Beginning<E> {
        let target = target.to_string();
        let handle = self.audit.handle();
        let mut event = Event::new(INTENT, E::META.category, handle.now(), NO_FIELDS);
        event.version = Some(INTENT_VERSION);
        event.context = Some(self.audit.context());
        event.target = Target::Text(&target);
        event.intent = Some(IntentRow::Of(E::META.name));
        let commit = handle.commit(&event);
        Beginning::new(commit, target, self)
    }

    fn settle(
        self,
        event: &'static str,
        effect: Effect,
        write: impl FnOnce(&Self, &Duty) -> Option<Commit>,
    ) -> Settling {
        // Only who holds the context settles before the request ends, and settling consumes it.
        let commit = write(&self, &self.duty.0).unwrap_or_else(Commit::answered);
        Settling::new(commit, event, effect)
    }

    pub(super) fn duty(&self) -> &Duty {
        &self.duty.0
    }

    pub(super) fn mode(&self) -> Mode {
        self.audit.handle().mode()
    }

    pub(super) fn would_refuse(&self) {
        self.audit.would_refuse(UNAVAILABLE);
    }
}

const UNAVAILABLE: &str = "AUDIT_UNAVAILABLE";
const NO_TENANT: &str = "NO_TENANT";

impl<E: AuditEvent, S: Sync> FromRequestParts<S> for AuditCtx<E> {
    type Rejection = AuditError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuditError> {
        let audit = parts.extensions.get::<RequestAudit>().cloned();
        let audit = audit.ok_or_else(|| AuditError::new("NO_AUDIT_LAYER", NoAuditLayer))?;
        let mode = audit.handle().mode();
        if let Err(error) = audit.handle().admit() {
            match mode {
                Mode::Enforce => return Err(AuditError::unavailable(error)),
                Mode::Observe => audit.would_refuse(UNAVAILABLE),
            }
        }
        let duty = audit.owe(E::META);
        let known = E::Scope::tenant(audit.context().identity());
        let tenant = match (known, mode) {
            (Some(tenant), _) => Some(tenant),
            (None, Mode::Enforce) => None,
            (None, Mode::Observe) => {
                audit.would_refuse(NO_TENANT);
                E::Scope::tenant(Some(&Identity::new().tenant("none")))
            }
        };
        let tenant = tenant.ok_or_else(|| {
            AuditError::new(NO_TENANT, "no tenant was verified for this request")
                .status(StatusCode::UNAUTHORIZED)
        })?;
        Ok(Self {
            audit,
            duty: Watched(duty),
            tenant,
            event: PhantomData,
        })
    }
}

impl<E: AuditEvent> fmt::Debug for AuditCtx<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditCtx")
            .field("event", &E::META.name)
            .field("audit", &self.audit)
            .finish_non_exhaustive()
    }
}

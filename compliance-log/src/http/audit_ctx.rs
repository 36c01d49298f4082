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
    encode::{NO_FIELDS, shown},
    event::{AuditEvent, Failure, Scope},
    pipeline::Mode,
    receipt::Commit,
    schema::{Event, Intent as IntentRow, SpanOf, Target},
};

/// The first argument of a handler: which event it owes, and the way to settle that.
///
/// Extracting it asks whether the record could be stored. If not, the request is answered 503 with
/// `Retry-After`, before the handler runs. An event that is not `pre_auth` also needs a verified
/// tenant, else the answer is 401 and the event is recorded as `denied`. In
/// [`Mode::Observe`](crate::Mode) neither is refused, so this is no authentication: that is a layer of
/// the service's own.
///
/// The store was healthy when it was asked. The first request after it broke may find that out only when
/// its action is done; see [`Settling`](super::Settling), and [`begin`](Self::begin) for what must not
/// happen then.
///
/// From then on exactly one record of `E` is written: by the handler, with [`success`](Self::success),
/// [`success_as`](Self::success_as) or [`fail`](Self::fail); else by the
/// [`AuditLayer`](super::AuditLayer), with `outcome = fail`, whatever ended the request: an error
/// that was returned, another extractor that refused, a panic, a timeout, a client that left. Where
/// there is an answer, the record is durable before it. Where there is none and a task of its own
/// still holds the context, that task goes on to owe the record.
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
/// use axum::{Json, http::StatusCode};
/// use compliance_log::{audit_event, http::{AuditCtx, AuditResult, OrFail as _}};
///
/// #[audit_event(name = "rate.changed", category = "admin", target = "rate/{rate}")]
/// struct RateChanged {
///     rate: u32,
/// }
///
/// async fn change_rate(ctx: AuditCtx<RateChanged>, body: String) -> AuditResult<Json<u32>> {
///     let rate = body.parse().or_refuse("BAD_RATE", StatusCode::BAD_REQUEST)?;
///     ctx.success(RateChanged { rate }).await?.respond(Json(rate))
/// }
/// ```
pub struct AuditCtx<E: AuditEvent> {
    held: Held,
    tenant: <E::Scope as Scope>::Tenant,
    event: PhantomData<fn() -> E>,
}

/// A duty that learns when nobody holds it any more, and whether that was by a panic.
struct Held {
    audit: RequestAudit,
    duty: Arc<Duty>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.audit.let_go(&self.duty);
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
        self.held.audit.context().identity()
    }

    /// What all records of the request have in common.
    pub fn context(&self) -> &AuditContext {
        self.held.audit.context()
    }

    /// Records that the action succeeded.
    pub fn success(self, event: E) -> Settling {
        self.success_as(event)
    }

    /// Records that the action succeeded as another event than the one that is owed: updated instead
    /// of created.
    #[expect(clippy::needless_pass_by_value, reason = "an event is recorded once")]
    pub fn success_as<O: AuditEvent>(self, event: O) -> Settling {
        let effect = Effect::of(self.held.audit.method(), self.mode());
        self.settle(O::META.name, effect, |this, duty| {
            let begun = duty.begun();
            let record = begun.as_ref().and_then(|begun| begun.record.as_deref());
            let handle = this.held.audit.handle();
            let mut typed = handle.typed(&event, Some(this.held.audit.context()));
            typed.intent = record.map(IntentRow::Closes);
            duty.discharge(|| handle.commit_owed(&typed))
        })
    }

    /// Records that the action was refused or failed, for an answer that the handler makes itself.
    /// An error that becomes the answer is simply returned.
    #[expect(clippy::needless_pass_by_value, reason = "as `?` takes an error")]
    pub fn fail(self, why: impl Failure) -> Settling {
        let why = Why::of(&why);
        self.settle(E::META.name, Effect::Done, |this, duty| {
            duty.fail(&this.held.audit, why, SpanOf::Code)
        })
    }

    /// Announces the action before it is done: writes a durable `audit.intent`, which names the
    /// event and `target`. The record that tells how it ended then refers to it, so that an action
    /// whose end nobody recorded, because the process died, can be found.
    ///
    /// For what cannot be undone.
    pub fn begin(self, target: impl fmt::Display) -> Beginning<E> {
        let target = shown(&target);
        let handle = self.held.audit.handle();
        let mut event = Event::new(INTENT, E::META.category, handle.now(), NO_FIELDS);
        event.version = Some(INTENT_VERSION);
        event.context = Some(self.held.audit.context());
        event.target = Target::Text(&target);
        event.intent = Some(IntentRow::Of(E::META.name));
        let commit = handle.commit(&event);
        // Also where nobody waits for the announcement, or it fails.
        self.duty().begin(target);
        Beginning::new(commit, self)
    }

    fn settle(
        self,
        event: &'static str,
        effect: Effect,
        write: impl FnOnce(&Self, &Duty) -> Option<Commit>,
    ) -> Settling {
        // Only who holds the context settles before the request ends, and settling consumes it.
        let commit = write(&self, &self.held.duty).unwrap_or_else(Commit::answered);
        Settling::new(commit, event, effect)
    }

    pub(super) fn duty(&self) -> &Duty {
        &self.held.duty
    }

    pub(super) fn mode(&self) -> Mode {
        self.held.audit.handle().mode()
    }

    pub(super) fn would_refuse(&self) {
        self.held.audit.would_refuse(UNAVAILABLE);
    }
}

const UNAVAILABLE: &str = "AUDIT_UNAVAILABLE";
const NO_TENANT: &str = "NO_TENANT";

impl<E: AuditEvent, S: Sync> FromRequestParts<S> for AuditCtx<E> {
    type Rejection = AuditError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuditError> {
        let audit = parts.extensions.get::<RequestAudit>().cloned();
        let audit = audit.ok_or_else(|| AuditError::new("NO_AUDIT_LAYER", NoAuditLayer))?;
        audit.meet_tracer();
        let mode = audit.handle().mode();
        if let Err(error) = audit.handle().admit() {
            match mode {
                Mode::Enforce => {
                    audit.set_refused();
                    return Err(AuditError::unavailable(error));
                }
                Mode::Observe => audit.would_refuse(UNAVAILABLE),
            }
        }
        let held = Held {
            duty: audit.owe(E::META),
            audit: audit.clone(),
        };
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
                .with_status(StatusCode::UNAUTHORIZED)
        })?;
        Ok(Self {
            held,
            tenant,
            event: PhantomData,
        })
    }
}

impl<E: AuditEvent> fmt::Debug for AuditCtx<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditCtx")
            .field("event", &E::META.name)
            .field("audit", &self.held.audit)
            .finish_non_exhaustive()
    }
}

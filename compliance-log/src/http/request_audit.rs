use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use http::Method;

use crate::{
    context::{AuditContext, Identity, Mismatch},
    event::{Category, FieldMeta, Fields, Kind, Level, Outcome, OutcomeDetail, Raw, Visit},
    lifecycle::name,
    metric,
    pipeline::Handle,
    schema::{Event, Failed, Target},
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
}

impl RequestAudit {
    pub(super) fn new(handle: Handle, context: AuditContext, method: Method) -> Self {
        Self(Arc::new(Inner {
            handle,
            context,
            method,
            route: OnceLock::new(),
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
            self.write_owed(&event);
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

    /// Notes the matched route, unless it is known.
    pub(super) fn matched(&self, route: Option<&str>) {
        if let Some(route) = route {
            self.0.route.get_or_init(|| route.into());
        }
    }

    /// Method and matched route.
    pub(super) fn target(&self) -> String {
        let route = self.0.route.get().map_or("unmatched", |route| route);
        format!("{} {route}", self.0.method)
    }

    /// Queues a record that this request owes, or counts it where the log was shut down before the
    /// request ended.
    pub(super) fn write_owed(&self, event: &Event<'_>) {
        if self.0.handle.emit_owed(event).is_err() {
            metric::report(|| {
                metrics::counter!("compliance_log_lost", "reason" => "closed").increment(1);
            });
        }
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

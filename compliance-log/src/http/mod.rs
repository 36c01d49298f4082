//! One access record for each HTTP request, and the request's context for everything in it.
//!
//! [`AuditLayer`] goes around any tower service of HTTP requests, an axum `Router` among them. For
//! each request it makes an [`AuditContext`](crate::context::AuditContext), runs the service and
//! the body of its response within it, and writes exactly one record `http.request` when the
//! request is over, however it ends.
//!
//! An axum service that is to be complete takes an [`AuditRouter`], which has the layer within it and
//! whose routes are made by [`audited`] and [`unaudited`]. A handler's first argument, an [`AuditCtx`],
//! says which event it owes; its answer, an [`AuditResult`], is made of the record. Whoever
//! authenticates takes a [`RequestAudit`].
//!
//! # What an access record says
//!
//! | the request ended | `status_code` | `outcome` | `outcome_detail` | `error_code` |
//! |---|---|---|---|---|
//! | 1xx, 2xx, 3xx | as sent | `success` | | |
//! | 401, 403, 407, 451 | as sent | `fail` | `denied` | `HTTP_401` … |
//! | other 4xx, 5xx | as sent | `fail` | | `HTTP_404` … |
//! | the service returned an error | 500 | `fail` | | `SERVICE_ERROR` |
//! | a panic before the response, which goes on | 500 | `fail` | | `PANIC` |
//! | dropped before the response: client gone, timeout outside the layer | 499 | `fail` | `aborted` | `CLIENT_GONE` |
//! | the body failed | as sent | `fail` | `partial` | `BODY_ERROR` |
//! | a panic in the body | as sent | `fail` | `partial` | `PANIC` |
//! | dropped within the body | as sent | `fail` | `partial` | `CLIENT_GONE` |
//!
//! Where the status itself is a failure it says how the request ended, whatever befell the body.
//! `target_resource` is the method and the matched route, `GET /bookings/{id}`, or `GET unmatched`.
//! `data` holds the raw `path` and, if there is one, the raw `query`, both through redaction; `ip_of` is
//! `proxy` where a hop before the service hides the client, see [`TrustedProxies`]; `would_refuse`, in
//! [`Mode::Observe`](crate::Mode::Observe), is the code under which the request would have been refused.
//! The level is `ERROR` for failures of the service itself, `WARN` for what was denied, else `INFO`.
//!
//! How long each request took is reported as `http_server_request_duration_seconds`, by method, route and
//! status, to whatever exporter of the `metrics` crate the service has.
//!
//! # Who acts
//!
//! Tenant, user and client are what [`RequestAudit::verified`] was told, and nothing else. What a request
//! claims about them without proof, in the headers and members of `baggage` that [`Claim`] lists or, by
//! [`RequestAudit::check_tenant`], in its path, is compared with that. Where it differs, be it because
//! nobody was verified, the request leaves one record `security.context_mismatch`: with the verified
//! identity in its rows, and in `data` what was not believed, `claimed_tenant_id`, `claimed_user_id` and
//! where they stood, or `refused_tenant_id` and so on of a second identity.
//!
//! # Who refuses telemetry
//!
//! `Sec-GPC: 1` and `DNT: 1` are taken as
//! [`AuditContext::refuse_telemetry`](crate::context::AuditContext::refuse_telemetry): `app` records of the
//! request are counted instead of written, and nothing else changes.
//!
//! # What it does not do
//!
//! *Success* means that the service did its part, not that the client got the answer. A client that
//! leaves while the service does not read from it may go unnoticed. A request that the server
//! refuses before any service runs, such as one with a control character in a header, leaves no
//! record. Of headers, `user-agent` is recorded, what [`Trust`] and [`TrustedProxies`] let in (trace and
//! request ids, two members of `baggage`, the client's address), and what a [`Claim`] says that is not so.
//!
//! Panics are told from other endings only where they unwind.

mod access;
mod arrival;
mod body;
mod claim;
#[cfg_attr(
    not(feature = "axum"),
    expect(dead_code, reason = "only extractors make duties")
)]
mod duty;
mod duration;
mod future;
mod guard;
mod in_scope;
mod layer;
mod mismatch;
mod propagate;
mod proxies;
mod request_audit;
mod sent;
mod series;
mod service;
mod trust;
#[cfg_attr(
    not(feature = "axum"),
    expect(dead_code, reason = "only extractors make duties")
)]
mod why;

#[cfg(feature = "axum")]
mod audit_ctx;
#[cfg(feature = "axum")]
mod audit_error;
#[cfg(feature = "axum")]
pub mod audited;
#[cfg(feature = "axum")]
mod extract;
#[cfg(feature = "axum")]
pub mod health;
#[cfg(feature = "axum")]
mod intent;
#[cfg(feature = "axum")]
mod route;
#[cfg(feature = "axum")]
mod router;
#[cfg(feature = "axum")]
mod routes;
#[cfg(feature = "axum")]
mod settling;
#[cfg(feature = "axum")]
pub mod unaudited;

pub use body::AuditBody;
pub use claim::Claim;
pub use future::AuditFuture;
pub use layer::AuditLayer;
pub use propagate::{Propagate, PropagateLayer, propagate};
pub use proxies::TrustedProxies;
pub use request_audit::RequestAudit;
pub use service::AuditService;
pub use trust::Trust;

#[cfg(feature = "axum")]
pub use self::{
    audit_ctx::AuditCtx,
    audit_error::{AuditError, OrFail},
    audited::{AuditResult, Audited},
    extract::NoAuditLayer,
    intent::{Beginning, Intent},
    route::AuditedRoute,
    router::AuditRouter,
    settling::{Settled, Settling},
};

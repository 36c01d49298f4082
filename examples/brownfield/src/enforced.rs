//! After the third commit: every route audits or says why it does not, every record names who acts, and
//! what cannot be recorded is refused before it happens.

use axum::{
    Json, Router,
    extract::{Request, State},
    http::StatusCode,
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
};
use compliance_log::{
    Builder, ComplianceLog, Mode, audit_event,
    context::Identity,
    http::{AuditCtx, AuditResult, AuditRouter, RequestAudit, audited, unaudited},
};

pub use crate::guarded::subscriber;
use crate::{
    guarded::place,
    orders::{Order, Orders, health, user_of},
};

/// Somebody looked at all orders.
#[audit_event(name = "order.listed", target = "orders")]
#[derive(Debug)]
pub struct OrdersListed {
    /// How many there were.
    pub count: usize,
}

/// How the log differs from its defaults: `enforce` is one.
pub fn configure(builder: Builder) -> Builder {
    builder.mode(Mode::Enforce)
}

/// As before, and tells the log who acts. Whom to let in is still decided here, never by the log.
async fn authenticate(audit: RequestAudit, request: Request, next: Next) -> Response {
    match user_of(request.headers()) {
        Some(user) => {
            let identity = Identity::new().tenant(user.shop).user(user.id); // new
            if audit.verified(identity).is_err() {
                return StatusCode::FORBIDDEN.into_response();
            }
        }
        None if request.uri().path() == "/health" => (),
        None => return StatusCode::UNAUTHORIZED.into_response(),
    }
    next.run(request).await
}

/// `GET /orders`
async fn list(
    ctx: AuditCtx<OrdersListed>,
    State(orders): State<Orders>,
) -> AuditResult<Json<Vec<Order>>> {
    let orders = orders.all();
    let listed = OrdersListed {
        count: orders.len(),
    };
    ctx.success(listed).await?.respond(Json(orders))
}

/// The routes: no other than these compiles.
pub fn router(log: &ComplianceLog, orders: Orders) -> Router {
    AuditRouter::new(log)
        .route("/orders", audited::get(list).and(audited::post(place)))
        .route("/health", unaudited::get(health, "liveness probe"))
        .layer(from_fn(authenticate))
        .with_state(orders)
}

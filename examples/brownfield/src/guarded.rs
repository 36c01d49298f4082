//! After the second commit: nothing secret leaves by the old way either, and what matters most is a
//! typed event.
//!
//! Still `observe`: an access record with `would_refuse` tells of a request that enforcing would have
//! refused. Here that is every order, because nobody has told the log yet whose it is.

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, header::AUTHORIZATION},
    middleware::from_fn,
    routing::{MethodRouter, get},
};
use compliance_log::{
    ComplianceLog, audit_event, guard,
    http::{AuditCtx, AuditLayer, AuditResult, audited},
};
use tracing::Subscriber;
use tracing_subscriber::{
    fmt::{self, writer::BoxMakeWriter},
    layer::SubscriberExt as _,
    registry,
};

pub use crate::observed::configure;
use crate::orders::{NewOrder, Order, Orders, authenticate, health, list};

/// Somebody ordered.
#[audit_event(name = "order.placed", target = "order/{order}")]
#[derive(Debug)]
pub struct OrderPlaced {
    /// Its number.
    pub order: usize,
    /// The last four digits in the record.
    #[audit(mask = "pan")]
    pub card: String,
}

/// Where the lines of the service go.
pub fn subscriber(log: &ComplianceLog, out: BoxMakeWriter) -> impl Subscriber + Send + Sync {
    registry()
        .with(log.tracing_layer())
        .with(guard(fmt::layer().json().with_writer(out))) // new
}

/// `POST /orders`, which can no longer succeed without its record.
#[tracing::instrument(skip_all, fields(authorization = ?headers.get(AUTHORIZATION)))]
pub(crate) async fn place(
    ctx: AuditCtx<OrderPlaced>,
    State(orders): State<Orders>,
    headers: HeaderMap,
    Json(new): Json<NewOrder>,
) -> AuditResult<Json<Order>> {
    tracing::info!(?new, "order received"); // harmless now, as the span is
    let order = orders.add(new.item);
    let placed = OrderPlaced {
        order: order.id,
        card: new.card,
    };
    ctx.success(placed).await?.respond(Json(order))
}

/// The routes.
pub fn router(log: &ComplianceLog, orders: Orders) -> Router {
    let place: MethodRouter<Orders> = audited::post(place).into(); // new
    Router::new()
        .route("/orders", get(list).merge(place))
        .route("/health", get(health))
        .layer(from_fn(authenticate))
        .with_state(orders)
        .layer(AuditLayer::new(log))
}

//! The service as it was: `tracing`, written by `fmt` as JSON lines.

use axum::{Router, middleware::from_fn, routing::get};
use tracing::Subscriber;
use tracing_subscriber::{
    fmt::{self, writer::BoxMakeWriter},
    layer::SubscriberExt as _,
    registry,
};

use crate::orders::{Orders, authenticate, health, list, place};

/// Where the lines of the service go.
pub fn subscriber(out: BoxMakeWriter) -> impl Subscriber + Send + Sync {
    registry().with(fmt::layer().json().with_writer(out))
}

/// The routes.
pub fn router(orders: Orders) -> Router {
    Router::new()
        .route("/orders", get(list).post(place))
        .route("/health", get(health))
        .layer(from_fn(authenticate))
        .with_state(orders)
}

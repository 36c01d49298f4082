use std::net::SocketAddr;

use axum::{
    Router,
    extract::{ConnectInfo, State},
    http::header::CONTENT_TYPE,
    middleware::from_fn_with_state,
    response::IntoResponse,
};
use compliance_log::{
    ComplianceLog,
    http::{AuditLayer, AuditRouter, audited, health, unaudited},
};

use crate::{
    Service,
    auth::authenticate,
    handlers::{cancel, change, create, export, limit, read, session},
};

/// Every route of the service. A route that neither audits nor says why it does not, does not compile.
pub fn router(log: &ComplianceLog, service: Service) -> Router {
    // The client's address, from the connection itself.
    let layer = AuditLayer::new(log).peer_in::<ConnectInfo<SocketAddr>>();
    AuditRouter::with_layer(layer)
        .route("/sessions", audited::post(session::open))
        .route("/bookings", audited::post(create::create))
        .route(
            "/bookings/{id}",
            audited::get(read::read)
                .and(audited::patch(change::change))
                .and(audited::delete(cancel::cancel)),
        )
        .route("/bookings.csv", audited::get(export::export))
        .route("/seat-limit", audited::put(limit::set))
        .route("/health", health::live(log))
        .route("/ready", health::ready(log))
        .route(
            "/metrics",
            unaudited::get(metrics, "figures for Prometheus; touches no data"),
        )
        // Inside of the audit layer, which is put around everything at the end.
        .layer(from_fn_with_state(service.directory.clone(), authenticate))
        .with_state(service)
}

async fn metrics(State(service): State<Service>) -> impl IntoResponse {
    let format = [(CONTENT_TYPE, "text/plain; version=0.0.4")];
    (format, service.figures.render())
}

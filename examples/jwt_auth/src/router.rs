use axum::{Router, middleware::from_fn_with_state};
use compliance_log::{
    ComplianceLog,
    http::{AuditRouter, audited, unaudited},
};

use crate::{
    auth::authenticate,
    handlers::{list, refund},
    verifier::Verifier,
};

/// Every route of the service.
pub fn router(log: &ComplianceLog, verifier: Verifier) -> Router {
    AuditRouter::new(log)
        .route("/bookings", audited::get(list))
        .route("/tenants/{tenant}/bookings", audited::get(list))
        .route(
            "/tenants/{tenant}/bookings/{id}/refund",
            audited::post(refund),
        )
        .route(
            "/health",
            unaudited::get(async || "ok\n", "liveness probe; touches no data"),
        )
        // Inside of the audit layer, which is put around everything at the end.
        .layer(from_fn_with_state(verifier, authenticate))
        .into()
}

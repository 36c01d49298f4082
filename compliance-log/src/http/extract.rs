use std::fmt;

use axum::{
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use http::{StatusCode, request::Parts};

use super::request_audit::RequestAudit;

/// A handler asks for the request's audit and no [`AuditLayer`](super::AuditLayer) is around it.
///
/// As a response it is a bare 500: the service is put together wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoAuditLayer;

impl fmt::Display for NoAuditLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no `AuditLayer` is around this route: add it with `Router::layer`")
    }
}

impl std::error::Error for NoAuditLayer {}

impl IntoResponse for NoAuditLayer {
    fn into_response(self) -> Response {
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

impl<S: Sync> FromRequestParts<S> for RequestAudit {
    type Rejection = NoAuditLayer;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, NoAuditLayer> {
        let audit = parts.extensions.get::<Self>().ok_or(NoAuditLayer)?;
        audit.meet_tracer();
        Ok(audit.clone())
    }
}

use axum::{Json, extract::State};
use compliance_log::http::{AuditCtx, RequestAudit};
use serde::{Deserialize, Serialize};

use crate::{
    LoginMethod, Service,
    error::{ApiError, ApiResult},
    event::SessionOpened,
};

#[derive(Deserialize)]
pub(crate) struct Login {
    user: String,
    password: String,
}

#[derive(Serialize)]
pub(crate) struct Session {
    token: &'static str,
}

/// Nobody is known when this begins; from `verified` on, every record of the request says who it is.
pub(crate) async fn open(
    ctx: AuditCtx<SessionOpened>,
    audit: RequestAudit,
    State(service): State<Service>,
    Json(login): Json<Login>,
) -> ApiResult<Json<Session>> {
    let (claims, token) = service
        .directory
        .log_in(&login.user, &login.password)
        .ok_or(ApiError::BadCredentials)?;
    audit
        .verified(claims.identity())
        .map_err(ApiError::OtherIdentity)?;
    let opened = SessionOpened {
        method: LoginMethod::Password,
    };
    ctx.success(opened).await?.respond(Json(Session { token }))
}

use axum::{Json, extract::State};
use compliance_log::http::AuditCtx;
use serde::{Deserialize, Serialize};

use crate::{
    Service,
    auth::{Claims, Role},
    error::{ApiError, ApiResult},
    event::LimitChanged,
};

#[derive(Deserialize, Serialize)]
pub(crate) struct SeatLimit {
    seats: u8,
}

/// Only an administrator may; who else tries is recorded as `denied`.
pub(crate) async fn set(
    ctx: AuditCtx<LimitChanged>,
    claims: Claims,
    State(service): State<Service>,
    Json(SeatLimit { seats }): Json<SeatLimit>,
) -> ApiResult<Json<SeatLimit>> {
    if !claims.has(Role::Admin) {
        return Err(ApiError::Forbidden);
    }
    let changed = LimitChanged {
        privileged_command: format!("set-seat-limit {seats}"),
        seats_before: service.bookings.set_seat_limit(claims.tenant(), seats),
        seats,
    };
    ctx.success(changed)
        .await?
        .respond(Json(SeatLimit { seats }))
}

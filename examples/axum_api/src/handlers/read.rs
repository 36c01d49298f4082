use axum::{
    Json,
    extract::{Path, State},
};
use compliance_log::http::AuditCtx;

use crate::{Booking, BookingId, Service, auth::Claims, error::ApiResult, event::BookingRead};

/// What was read can still be withheld: if the record cannot be stored, `?` answers 503.
pub(crate) async fn read(
    ctx: AuditCtx<BookingRead>,
    claims: Claims,
    State(service): State<Service>,
    Path(booking_id): Path<BookingId>,
) -> ApiResult<Json<Booking>> {
    let booking = service.bookings.get(claims.tenant(), booking_id)?;
    let read = BookingRead { booking_id };
    ctx.success(read).await?.respond(Json(booking))
}

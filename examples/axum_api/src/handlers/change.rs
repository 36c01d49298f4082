use axum::{
    Json,
    extract::{Path, State},
};
use compliance_log::http::AuditCtx;
use serde::Deserialize;

use crate::{
    Booking, BookingId, Service,
    auth::Claims,
    error::{ApiError, ApiResult},
    event::BookingChanged,
};

#[derive(Deserialize)]
pub(crate) struct Change {
    seats: u8,
}

pub(crate) async fn change(
    ctx: AuditCtx<BookingChanged>,
    claims: Claims,
    State(service): State<Service>,
    Path(booking_id): Path<BookingId>,
    Json(Change { seats }): Json<Change>,
) -> ApiResult<Json<Booking>> {
    let tenant = claims.tenant();
    let limit = service.bookings.seat_limit(tenant);
    if !(1..=limit).contains(&seats) {
        return Err(ApiError::BadSeats { seats, limit });
    }
    let seats_before = service.bookings.set_seats(tenant, booking_id, seats)?;
    let booking = service.bookings.get(tenant, booking_id)?;
    let changed = BookingChanged {
        booking_id,
        seats_before,
        seats,
    };
    ctx.success(changed).await?.respond(Json(booking))
}

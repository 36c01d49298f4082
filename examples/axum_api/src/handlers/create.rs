use axum::{Json, extract::State};
use compliance_log::http::AuditCtx;

use crate::{
    Booking, CardNumber, Service,
    auth::Claims,
    booking::NewBooking,
    error::{ApiError, ApiResult},
    event::BookingCreated,
};

pub(crate) async fn create(
    ctx: AuditCtx<BookingCreated>,
    claims: Claims,
    State(service): State<Service>,
    Json(new): Json<NewBooking>,
) -> ApiResult<Json<Booking>> {
    let tenant = claims.tenant();
    let limit = service.bookings.seat_limit(tenant);
    if !(1..=limit).contains(&new.seats) {
        let seats = new.seats;
        return Err(ApiError::BadSeats { seats, limit });
    }
    if !new.card.as_ref().is_none_or(CardNumber::is_plausible) {
        return Err(ApiError::BadCard);
    }
    let card = new.card.clone();
    let booking = service.bookings.add(tenant, new);
    let created = BookingCreated {
        booking_id: booking.id,
        offer_id: booking.offer_id.clone(),
        seats: booking.seats,
        passenger: booking.passenger.clone(),
        card,
    };
    ctx.success(created).await?.respond(Json(booking))
}

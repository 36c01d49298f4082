use axum::{
    Json,
    extract::{Path, State},
};
use compliance_log::http::AuditCtx;
use serde::Deserialize;

use crate::{
    Booking, BookingId, CancelReason, Service, Status, auth::Claims, error::ApiResult,
    event::BookingCancelled,
};

/// What one seat costs here.
const SEAT_CENTS: u64 = 1_900;

#[derive(Deserialize)]
pub(crate) struct Cancel {
    reason: CancelReason,
}

/// Sends money back, which nobody can undo: so the intent is durable before, and names the booking
/// even if this process dies in the middle.
pub(crate) async fn cancel(
    ctx: AuditCtx<BookingCancelled>,
    claims: Claims,
    State(service): State<Service>,
    Path(booking_id): Path<BookingId>,
    Json(Cancel { reason }): Json<Cancel>,
) -> ApiResult<Json<Booking>> {
    let tenant = claims.tenant();
    let before = service.bookings.get(tenant, booking_id)?;
    before.check_active()?;

    let intent = ctx.begin(format!("booking/{booking_id}")).await?;

    // Of two who cancel at once, one gets an error here and refunds nothing.
    let (from, to) = (before.status, Status::Cancelled);
    let booking = service.bookings.set_status(tenant, booking_id, from, to)?;
    let refunded_cents = match from {
        Status::Paid => u64::from(booking.seats) * SEAT_CENTS,
        Status::Unpaid | Status::Cancelled | Status::Expired => 0,
    };
    if refunded_cents > 0 {
        service.payments.refund(refunded_cents);
    }
    let cancelled = BookingCancelled {
        booking_id,
        reason,
        refunded_cents,
    };
    intent.success(cancelled).await?.respond(Json(booking))
}

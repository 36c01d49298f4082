use axum::extract::Path;
use compliance_log::http::{AuditCtx, AuditResult};

use crate::{
    auth::Caller,
    event::{BookingRefunded, BookingsListed},
};

/// This service, as Keycloak calls it.
const CLIENT: &str = "booking-api";

/// Whose bookings these are is `ctx.tenant()`, which was verified, and not what the path says.
pub(crate) async fn list(ctx: AuditCtx<BookingsListed>, _: Caller) -> AuditResult<String> {
    let bookings = format!("the bookings of {}\n", ctx.tenant());
    ctx.success(BookingsListed { count: 1 })
        .await?
        .respond(bookings)
}

pub(crate) async fn refund(
    ctx: AuditCtx<BookingRefunded>,
    caller: Caller,
    Path((_, booking_id)): Path<(String, u32)>,
) -> AuditResult<&'static str> {
    caller.must_have(CLIENT, "refund")?;
    ctx.success(BookingRefunded { booking_id })
        .await?
        .respond("refunded\n")
}

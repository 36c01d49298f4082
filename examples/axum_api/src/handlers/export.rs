use std::convert::Infallible;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, header::CONTENT_TYPE},
    response::IntoResponse,
};
use compliance_log::http::AuditCtx;
use futures_util::stream;

use crate::{Booking, Service, auth::Claims, error::ApiResult, event::BookingsExported};

/// All bookings of the tenant, row by row.
///
/// The export is recorded before its first byte leaves. Whether the client got all of it is told by the
/// access record, which is written when the body ends: `partial` if the client left.
pub(crate) async fn export(
    ctx: AuditCtx<BookingsExported>,
    claims: Claims,
    State(service): State<Service>,
) -> ApiResult<impl IntoResponse> {
    let bookings = service.bookings.of(claims.tenant());
    let exported = BookingsExported {
        rows: bookings.len(),
    };
    let head = "booking_id,offer_id,seats\r\n".to_owned();
    let lines = std::iter::once(head).chain(bookings.into_iter().map(|booking| line(&booking)));
    let body = Body::from_stream(stream::iter(lines.map(Ok::<_, Infallible>)));
    let csv = HeaderValue::from_static("text/csv; charset=utf-8");
    ctx.success(exported)
        .await?
        .respond(([(CONTENT_TYPE, csv)], body))
}

/// RFC 4180; the apostrophe keeps a spreadsheet from running a text that a client chose.
fn line(booking: &Booking) -> String {
    let offer = booking.offer_id.0.replace('"', "\"\"");
    let guard = if offer.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        "'"
    } else {
        ""
    };
    let (id, seats) = (booking.id, booking.seats);
    format!("{id},\"{guard}{offer}\",{seats}\r\n")
}

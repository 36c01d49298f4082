use compliance_log::audit_event;
use compliance_log::http::{AuditCtx, audited};

#[audit_event(name = "booking.created", target = "booking/{booking_id}")]
struct BookingCreated {
    booking_id: u64,
}

async fn create(_ctx: AuditCtx<BookingCreated>) -> &'static str {
    "booked, and nobody knows"
}

fn main() {
    let _: axum::Router = axum::Router::new().route("/", audited::post(create).into());
}

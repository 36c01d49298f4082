use compliance_log::audit_event;
use compliance_log::http::{AuditCtx, AuditResult, audited};

#[audit_event(name = "booking.created", target = "booking/{booking_id}")]
struct BookingCreated {
    booking_id: u64,
}

async fn create(_body: axum::Extension<u8>, ctx: AuditCtx<BookingCreated>) -> AuditResult<()> {
    ctx.success(BookingCreated { booking_id: 17 }).await?.respond(())
}

fn main() {
    let _: axum::Router = axum::Router::new().route("/", audited::post(create).into());
}

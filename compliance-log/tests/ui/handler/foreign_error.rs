use compliance_log::audit_event;
use compliance_log::http::{AuditCtx, AuditResult, audited};

#[audit_event(name = "booking.created", target = "booking/{booking_id}")]
struct BookingCreated {
    booking_id: u64,
}

async fn create(ctx: AuditCtx<BookingCreated>) -> AuditResult<()> {
    let booking_id = std::fs::read_to_string("last")?.parse()?;
    ctx.success(BookingCreated { booking_id }).await?.respond(())
}

fn main() {
    let _: axum::Router = axum::Router::new().route("/", audited::post(create).into());
}

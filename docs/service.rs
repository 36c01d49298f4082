use axum::Json;
use compliance_log::{ComplianceLog, audit_event};
use compliance_log::http::{AuditCtx, AuditResult, AuditRouter, audited, unaudited};

#[audit_event(name = "booking.created", target = "booking/{booking_id}", pre_auth)]
struct BookingCreated { booking_id: u64, #[audit(mask = "pan")] card: String }

async fn create(ctx: AuditCtx<BookingCreated>, Json(card): Json<String>) -> AuditResult<Json<u64>> {
    let booking_id = 17; // what the service does; whatever fails from here on is recorded as well
    ctx.success(BookingCreated { booking_id, card }).await?.respond(Json(booking_id)) // on the disk first
}

fn app(log: &ComplianceLog) -> AuditRouter {
    AuditRouter::new(log)
        .route("/bookings", audited::post(create))
        .route("/health", unaudited::get(|| async { "ok" }, "liveness probe"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let log = ComplianceLog::builder("booking-api").env("prod").dir("/var/log/audit").init()?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    let stop = async { let _ = tokio::signal::ctrl_c().await; }; // a pod gets SIGTERM: wait for it, too
    axum::serve(listener, app(&log).into_make_service()).with_graceful_shutdown(stop).await?;
    log.shutdown()?; // says what was lost, if anything
    Ok(())
}

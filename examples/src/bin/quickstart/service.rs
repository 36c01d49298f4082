//! A small booking service, as any axum service is.

use std::{fmt, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::{ConnectInfo, Request, State},
    http::header,
    middleware::{Next, from_fn},
    response::Response,
};
use compliance_log::{
    ComplianceLog, audit_event,
    context::Identity,
    event,
    http::{AuditCtx, AuditLayer, AuditResult, AuditRouter, RequestAudit, audited, unaudited},
};
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};

use crate::Failure;

#[audit_event(name = "booking.created", version = 1, target = "booking/{booking_id}")]
struct BookingCreated {
    #[audit(internal)]
    booking_id: &'static str,
    seats: u8,
    #[audit(mask = "pan")]
    card: String,
    #[audit(pseudonym)]
    passenger: String,
    #[audit(internal)]
    note: String,
}

#[audit_event(name = "seats.changed", version = 1, target = "booking/{booking_id}")]
struct SeatsChanged {
    #[audit(internal)]
    booking_id: &'static str,
}

/// Why seats could not be had.
struct SoldOut;

impl fmt::Display for SoldOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("upstream said: Authorization: Bearer Zx81Kp93.quickstart.Bearer77")
    }
}

impl event::Failure for SoldOut {
    fn error_code(&self) -> &'static str {
        "SOLD_OUT"
    }

    fn status(&self) -> u16 {
        409
    }
}

/// Told by the slow handler that it has begun.
#[derive(Clone, Default)]
pub(crate) struct Slow(pub(crate) Arc<Notify>);

async fn create(ctx: AuditCtx<BookingCreated>) -> AuditResult<&'static str> {
    let event = BookingCreated {
        booking_id: "b-17",
        seats: 2,
        card: "4242 4242 4242 4242".to_owned(),
        passenger: "passenger-name-4711".to_owned(),
        note: "calls with password=hunter2-and-more, mail passenger@example.org".to_owned(),
    };
    // Durable before there is an answer.
    ctx.success(event).await?.respond("booked\n")
}

async fn change_seats(_ctx: AuditCtx<SeatsChanged>) -> AuditResult<&'static str> {
    tracing::warn!(attempt = 3, "{SoldOut}");
    Err(SoldOut.into())
}

#[expect(
    clippy::panic,
    reason = "the defect that this handler is there to have"
)]
async fn crash(_ctx: AuditCtx<BookingCreated>) -> AuditResult<&'static str> {
    panic!("a defect in a handler")
}

async fn slow(
    _ctx: AuditCtx<BookingCreated>,
    State(Slow(begun)): State<Slow>,
) -> AuditResult<&'static str> {
    begun.notify_one();
    std::future::pending().await
}

/// Stands for a real check of a token: identity comes from what was verified, never from a header.
async fn authenticate(audit: RequestAudit, request: Request, next: Next) -> Response {
    if request
        .headers()
        .get(header::AUTHORIZATION)
        .is_some_and(|token| token == "Bearer demo")
    {
        let claims = Identity::new().tenant("acme").user("u-1001").client("web");
        // A second, different identity would be refused and written down.
        audit.verified(claims).unwrap_or(());
    }
    next.run(request).await
}

/// A running service.
pub(crate) struct Server {
    stop: Arc<Notify>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Server {
    /// Lets open requests end.
    pub(crate) async fn stop(self) -> Result<(), Failure> {
        self.stop.notify_one();
        self.task.await??;
        Ok(())
    }
}

/// Starts on a free loopback port.
pub(crate) async fn start(log: &ComplianceLog) -> Result<(SocketAddr, Slow, Server), Failure> {
    let slow_begun = Slow::default();
    let layer = AuditLayer::new(log)
        .peer_of(|extensions| Some(extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip()));
    let app: Router = AuditRouter::with_layer(layer)
        .route("/bookings", audited::post(create))
        .route("/bookings/{id}/seats", audited::post(change_seats))
        .route("/offers", unaudited::get(async || "none\n", "public"))
        .route("/crash", audited::get(crash))
        .route("/slow", audited::get(slow))
        .layer(from_fn(authenticate))
        .with_state(slow_begun.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let stop = Arc::new(Notify::new());
    let stopped = Arc::clone(&stop);
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    let task = tokio::spawn(async move {
        axum::serve(listener, service)
            .with_graceful_shutdown(async move { stopped.notified().await })
            .await
    });
    Ok((address, slow_begun, Server { stop, task }))
}

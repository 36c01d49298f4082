//! A small booking service, as any axum service is.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::{ConnectInfo, Request, State},
    http::{StatusCode, header},
    middleware::{Next, from_fn},
    response::Response,
    routing::{get, post},
};
use compliance_log::{
    ComplianceLog, audit_event,
    context::Identity,
    http::{AuditLayer, RequestAudit},
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

#[audit_event(
    name = "booking.refused",
    version = 1,
    outcome = "fail",
    target = "booking/{booking_id}"
)]
struct BookingRefused {
    #[audit(internal)]
    booking_id: &'static str,
    #[audit(internal)]
    error_code: &'static str,
}

/// Told by the slow handler that it has begun.
#[derive(Clone, Default)]
pub(crate) struct Slow(pub(crate) Arc<Notify>);

async fn create() -> Result<&'static str, StatusCode> {
    let event = BookingCreated {
        booking_id: "b-17",
        seats: 2,
        card: "4111 1111 1111 1111".to_owned(),
        passenger: "passenger-name-4711".to_owned(),
        note: "calls with password=hunter2-and-more, mail passenger@example.org".to_owned(),
    };
    // Durable when this resolves; if it cannot be, the caller is told so.
    event
        .commit()
        .await
        .map_err(|_refused| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok("booked\n")
}

async fn refuse() -> Result<&'static str, StatusCode> {
    let event = BookingRefused {
        booking_id: "b-18",
        error_code: "SOLD_OUT",
    };
    tracing::warn!(
        attempt = 3,
        "upstream said: Authorization: Bearer Zx81Kp93.quickstart.Bearer77"
    );
    event
        .commit()
        .await
        .map_err(|_refused| StatusCode::SERVICE_UNAVAILABLE)?;
    Err(StatusCode::CONFLICT)
}

#[expect(
    clippy::panic,
    reason = "the defect that this handler is there to have"
)]
async fn crash() -> &'static str {
    panic!("a defect in a handler")
}

async fn slow(State(Slow(begun)): State<Slow>) -> &'static str {
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
    let app = Router::new()
        .route("/bookings", post(create))
        .route("/bookings/{id}/seats", post(refuse))
        .route("/offers", get(async || "none\n"))
        .route("/crash", get(crash))
        .route("/slow", get(slow))
        .with_state(slow_begun.clone())
        .layer(from_fn(authenticate))
        .layer(
            AuditLayer::new(log)
                .peer_of(|extensions| Some(extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip())),
        );
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

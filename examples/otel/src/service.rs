//! Bookings, and the rates that another such service is asked for.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
};
use compliance_log::{
    ComplianceLog, audit_event, carry, carry_fn,
    http::{AuditCtx, AuditResult, AuditRouter, OrFail as _, audited, propagate, unaudited},
};
use reqwest::{Client, Method, Request, Url};
use tower_http::trace::TraceLayer;
use tracing::{Instrument as _, info, info_span};

use crate::spans::server_span;

#[audit_event(name = "booking.created", target = "booking/{booking_id}", pre_auth)]
struct BookingCreated {
    booking_id: u64,
}

#[audit_event(name = "booking.confirmed", target = "booking/{booking_id}")]
struct BookingConfirmed {
    booking_id: u64,
}

#[derive(Clone)]
struct Rates {
    client: Client,
    at: Option<Arc<str>>,
}

/// The service, with the span of each request around its audit, so that the audit finds it.
pub(crate) fn app(log: &ComplianceLog, rates: Option<String>) -> Router {
    let rates = Rates {
        client: Client::new(),
        at: rates.map(Into::into),
    };
    let audited = AuditRouter::new(log)
        .route("/bookings/{id}", audited::post(create))
        .route("/rates/{id}", unaudited::get(rate, "public price list"))
        .with_state(rates);
    audited.layer(TraceLayer::new_for_http().make_span_with(server_span))
}

async fn create(
    ctx: AuditCtx<BookingCreated>,
    State(rates): State<Rates>,
    Path(booking_id): Path<u64>,
) -> AuditResult<Json<u64>> {
    if let Some(at) = &rates.at {
        let span = info_span!("ask for a rate", otel.kind = "client");
        let asked = ask(&rates.client, at, booking_id).instrument(span);
        asked.await.or_fail("NO_RATE")?;
    }
    // Another thread, which OpenTelemetry's context does not reach.
    let confirm = carry_fn(move || BookingConfirmed { booking_id }.emit());
    let confirmed = tokio::task::spawn_blocking(confirm);
    confirmed
        .await
        .or_fail("NOT_CONFIRMED")?
        .or_fail("NOT_CONFIRMED")?;
    // A task, which takes the span along with the audit's context.
    let span = info_span!("notify", otel.kind = "internal");
    let notified = tokio::spawn(carry(async { info!("partner notified") }).instrument(span));
    notified.await.or_fail("NOT_NOTIFIED")?;
    ctx.success(BookingCreated { booking_id })
        .await?
        .respond(Json(booking_id))
}

/// One call to another service: it carries the trace of the request, and the span that it is made in.
async fn ask(
    client: &Client,
    at: &str,
    booking_id: u64,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let url = Url::parse(&format!("{at}/rates/{booking_id}"))?;
    let mut request = Request::new(Method::GET, url);
    propagate(request.headers_mut());
    client.execute(request).await?.error_for_status()?;
    info!("rate asked for");
    Ok(())
}

async fn rate(Path(id): Path<u64>) -> Json<u64> {
    info!("rate told");
    Json(id * 3)
}

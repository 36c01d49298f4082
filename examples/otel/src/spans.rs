//! Spans: where they go, and which of a request's callers they have for a parent.

use std::{env, error::Error};

use axum::{
    extract::{MatchedPath, Request},
    http::HeaderValue,
};
use compliance_log::{ComplianceLog, wire};
use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TracerProvider as _},
};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing::{Span, field::Empty, info_span, level_filters::LevelFilter};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::{Layer as _, layer::SubscriberExt as _};

/// Sends spans to OpenTelemetry, where the environment names a receiver, and events to the log.
pub(crate) fn subscribe(log: &ComplianceLog) -> Result<Option<SdkTracerProvider>, Box<dyn Error>> {
    let provider = match env::var_os("OTEL_EXPORTER_OTLP_ENDPOINT") {
        Some(_) => Some(
            SdkTracerProvider::builder()
                .with_batch_exporter(SpanExporter::builder().with_http().build()?)
                .with_resource(Resource::builder().with_service_name("booking-api").build())
                .build(),
        ),
        None => None,
    };
    let level = env::var("SPANS").map_or(Ok(LevelFilter::INFO), |level| level.parse())?;
    let otel = provider.as_ref().map(|provider| {
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("booking-api"))
            .with_filter(level)
    });
    let subscriber = tracing_subscriber::registry()
        .with(otel)
        .with(log.tracing_layer());
    tracing::subscriber::set_global_default(subscriber)?;
    Ok(provider)
}

/// The span of a request that came in.
pub(crate) fn server_span(request: &Request) -> Span {
    let route = request.extensions().get::<MatchedPath>();
    let span = info_span!("request", otel.name = Empty, otel.kind = "server");
    let route = route.map_or("unmatched", MatchedPath::as_str);
    span.record("otel.name", format!("{} {route}", request.method()));
    // Refused where the span is filtered out, which has no parent then.
    span.set_parent(caller(request)).unwrap_or(());
    span
}

/// Who called, read as the log reads it, so that the two agree on what is no valid header.
fn caller(request: &Request) -> Context {
    let lines = |name| request.headers().get_all(name).iter();
    let lines = |name| lines(name).map(HeaderValue::as_bytes);
    let Some(parent) = wire::TraceParent::from_lines(lines("traceparent")) else {
        return Context::new();
    };
    let state = wire::tracestate(lines("tracestate")).and_then(|state| state.parse().ok());
    Context::new().with_remote_span_context(SpanContext::new(
        TraceId::from_bytes(*parent.trace_id.as_bytes()),
        SpanId::from_bytes(*parent.parent_id.as_bytes()),
        TraceFlags::new(parent.flags.as_byte()),
        true,
        state.unwrap_or_default(),
    ))
}

//! A service whose records have the ids of the OpenTelemetry spans that it exports: `otel [DIR]`.
//!
//! ```console
//! $ OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 cargo run -p otel
//! $ curl -X POST http://127.0.0.1:8080/bookings/17
//! ```
//!
//! | variable | meaning |
//! |---|---|
//! | `LISTEN` | where to serve; default `127.0.0.1:8080` |
//! | `RATES` | the address of another such service, which is asked for the rate of each booking |
//! | `SPANS` | the least severe level of spans that are exported; default `info` |
//! | `OTEL_*` | as OpenTelemetry has them; without `OTEL_EXPORTER_OTLP_ENDPOINT` there are no spans at all |

use std::{env, error::Error, path::PathBuf};

use compliance_log::{
    ComplianceLog,
    context::{SpanId, TraceFlags, TraceId, TraceIds},
};
use opentelemetry::{Context, trace::TraceContextExt as _};
use tokio::net::TcpListener;

mod service;
mod spans;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let dir = env::args_os().nth(1).map_or_else(
        || PathBuf::from("target/compliance-log-otel"),
        PathBuf::from,
    );
    let log = ComplianceLog::builder("booking-api")
        .env("test")
        .dir(dir)
        .trace_ids(current_span)
        .open()?;
    let exported = spans::subscribe(&log)?;

    let app = service::app(&log, env::var("RATES").ok());
    let listen = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(listen).await?;
    say(&format!("listening on http://{}", listener.local_addr()?));
    axum::serve(listener, app)
        .with_graceful_shutdown(async {
            // Without signals it ends with its process.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        })
        .await?;

    log.shutdown()?;
    if let Some(provider) = exported {
        provider.shutdown()?;
    }
    Ok(())
}

/// The span that the code runs in: all that a service has to tell its log of OpenTelemetry.
fn current_span() -> Option<TraceIds> {
    Context::map_current(|context| {
        let span = context.span();
        let ids = span.span_context();
        // A caller's span, without one of this service within it, is none of ours.
        (!ids.is_remote()).then_some(TraceIds {
            trace_id: TraceId::from_bytes(ids.trace_id().to_bytes())?,
            span_id: SpanId::from_bytes(ids.span_id().to_bytes())?,
            flags: TraceFlags::from_byte(ids.trace_flags().to_u8()),
        })
    })
}

#[expect(
    clippy::print_stdout,
    reason = "whoever started it reads where it listens"
)]
fn say(text: &str) {
    println!("{text}");
}

//! What `AuditLayer` adds to a request for a page that says hello, beside what `TraceLayer` adds.
//!
//! Everything is called in the process, without a socket. The services take turns in short slices, so
//! that whatever else the machine does weighs on all alike. The peer neither redacts, nor chains, nor
//! makes ids, nor sees the end of a body.

#![expect(clippy::expect_used, reason = "a bench that cannot run stops")]

use std::{fs::File, path::Path};

use axum::{Router, body::Body, routing::get};
use compliance_log::{ComplianceLog, OnFailure, Volume, event::Category, http::AuditLayer};
use compliance_log_benches::{median, thread_cpu};
use http_body_util::BodyExt;
use tower::ServiceExt;
use tower_http::trace::TraceLayer;
use tracing::Dispatch;
use tracing_subscriber::layer::SubscriberExt;

/// Requests of a slice: few enough that the queue never fills.
const SLICE: u32 = 1_000;

fn hello() -> Router {
    Router::new().route("/hello", get(|| async { "hello" }))
}

/// Nanoseconds of CPU per request, in one slice.
fn slice(router: &Router, dispatch: &Dispatch, runtime: &tokio::runtime::Runtime) -> f64 {
    let started = thread_cpu();
    tracing::dispatcher::with_default(dispatch, || {
        runtime.block_on(async {
            for _ in 0..SLICE {
                let request = http::Request::get("/hello")
                    .header("user-agent", "bench/1")
                    .body(Body::empty())
                    .expect("a request");
                let response = router.clone().oneshot(request).await.expect("an answer");
                response.into_body().collect().await.expect("a body");
            }
        });
    });
    thread_cpu().saturating_sub(started).as_secs_f64() * 1e9 / f64::from(SLICE)
}

fn open(dir: &Path, volume: Volume) -> ComplianceLog {
    ComplianceLog::builder("bench")
        .env("bench")
        .instance("one")
        .dir(dir)
        .volume("GET /hello", volume)
        .on_failure(Category::Access, OnFailure::DropAndCount)
        .open()
        .expect("a log")
}

/// A subscriber that wants everything and does nothing with it.
struct Nothing;

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Nothing {}

fn main() {
    let short = std::env::args().any(|word| word == "--short");
    let slices = if short { 3 } else { 200 };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let dir = tempfile::tempdir_in(".").expect("a folder on the disk");
    let [each, on_change] = [("each", Volume::Each), ("on-change", Volume::OnChange)]
        .map(|(name, volume)| open(&dir.path().join(name), volume));
    let file = File::create_new(dir.path().join("peer.json")).expect("a file");
    let (writer, _guard) = tracing_appender::non_blocking::NonBlockingBuilder::default()
        .lossy(false)
        .finish(file);
    let nothing = Dispatch::new(tracing_subscriber::registry().with(Nothing));
    let json = Dispatch::new(
        tracing_subscriber::registry()
            .with(tracing_subscriber::fmt::layer().json().with_writer(writer)),
    );
    // As `axum::serve` does, so that layers are put around the route once and not for each request.
    let bare = || hello().with_state(());
    let traced = || hello().layer(TraceLayer::new_for_http()).with_state(());
    let audited = |log: &ComplianceLog| hello().layer(AuditLayer::new(log)).with_state(());
    let services = [
        (bare(), Dispatch::none()),
        (audited(&each), Dispatch::none()),
        (traced(), json),
        (audited(&on_change), nothing.clone()),
        (traced(), nothing),
    ];
    let mut cpu: [Vec<f64>; 5] = Default::default();
    for _ in 0..slices {
        for ((router, dispatch), cpu) in services.iter().zip(&mut cpu) {
            cpu.push(slice(router, dispatch, &runtime));
            each.flush().expect("stored");
        }
    }
    let [bare, written, fmt, unwritten, traced] = cpu.map(median);
    compliance_log_benches::print(&[
        (
            "added, record written, ns",
            written - bare,
            fmt - bare,
            "0.25 x TraceLayer + fmt JSON",
        ),
        (
            "added, none written, ns",
            unwritten - bare,
            traced - bare,
            "0.5 x TraceLayer, nobody listens",
        ),
    ]);
    for log in [each, on_change] {
        log.shutdown().expect("nothing lost");
    }
}

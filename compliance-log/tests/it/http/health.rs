//! What probes are answered while the log is well, full, broken, and at its end.

use std::{fs, path::Path};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
    routing::get,
};
use compliance_log::{
    CommitErrorKind, ComplianceLog, Health, Mode, audit_event,
    http::{AuditLayer, AuditRouter, health},
    test_util::{Fault, Faults, within_sync},
};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::served::{access, named, read};
use crate::support::wait_until;

#[audit_event(name = "test.filler", category = "admin", target = "queue")]
struct Filler {
    #[audit(internal)]
    text: String,
}

fn filler() -> Filler {
    Filler {
        text: "x".repeat(2000),
    }
}

fn open(faults: &Faults, mode: Mode, dir: &Path) -> ComplianceLog {
    let builder = ComplianceLog::builder("booking-api")
        .env("test")
        .mode(mode)
        .max_bytes(1024 * 1024)
        .queue_bytes_max(64 * 1024);
    faults.under(builder.dir(dir)).open().unwrap()
}

fn app(log: &ComplianceLog) -> Router {
    AuditRouter::new(log)
        .route("/health", health::live(log))
        .route("/ready", health::ready(log))
        .into()
}

/// The same without an `AuditRouter`.
fn plain(log: &ComplianceLog, layer: impl FnOnce(AuditLayer) -> AuditLayer) -> Router {
    Router::new()
        .route("/health", health::live(log).into())
        .route("/ready", health::ready(log).into())
        .route("/other", get(|| async { "other" }))
        .layer(layer(AuditLayer::new(log)))
}

async fn ask(app: &Router, path: &str) -> (StatusCode, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await;
    (status, String::from_utf8(bytes.unwrap().to_vec()).unwrap())
}

/// The statuses of both probes, and what they say.
async fn probe(app: &Router) -> ((u16, u16), Value) {
    let (live, body) = ask(app, "/health").await;
    let (ready, again) = ask(app, "/ready").await;
    let body: Value = serde_json::from_str(&body).unwrap();
    let again: Value = serde_json::from_str(&again).unwrap();
    for key in ["status", "reason", "mode", "budget", "store_bytes_max"] {
        assert_eq!(body[key], again[key], "both say the same of {key}");
    }
    ((live.as_u16(), ready.as_u16()), body)
}

fn stall(log: &ComplianceLog, faults: &Faults) {
    faults.set(Fault::Stall);
    let emit = || within_sync(log, || filler().emit());
    emit().unwrap();
    wait_until("the writer is stalled", || faults.stalled() > 0);
    wait_until("the queue is full", || {
        emit().is_err_and(|error| error.kind() == CommitErrorKind::Full)
    });
}

#[tokio::test]
async fn a_log_that_is_well_shows_its_figures() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(&Faults::new(), Mode::Enforce, dir.path());
    within_sync(&log, || filler().commit().wait()).unwrap();
    let app = app(&log);
    wait_until("the writer has shown its figures", || {
        log.handle().vitals().synced_ago.is_some()
    });
    let (statuses, body) = probe(&app).await;
    assert_eq!(statuses, (200, 200));
    assert_eq!(body["status"], "ready");
    assert_eq!(body["mode"], "enforce");
    assert_eq!(body["budget"], "ample");
    assert_eq!(body["store_bytes_max"], 1024 * 1024);
    assert_eq!(body["queue_bytes_max"], 64 * 1024);
    assert!(body["store_bytes"].as_u64() > Some(2000), "{body}");
    assert!(body["synced_ms_ago"].as_u64() < Some(20_000), "{body}");
    assert!(body["queue_bytes"].is_u64(), "{body}");
    assert_eq!(body.get("reason"), None);

    let request = Request::head("/ready").body(Body::empty()).unwrap();
    let head = app.clone().oneshot(request).await.unwrap();
    assert_eq!(head.status(), 200);
    assert_eq!(head.headers()["content-type"], "application/json");
    assert_eq!(head.headers()["cache-control"], "no-store");
    log.shutdown().unwrap();
}

#[tokio::test]
async fn a_broken_disk_takes_readiness_and_not_life() {
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults::new();
    let log = open(&faults, Mode::Enforce, dir.path());
    let app = app(&log);
    faults.set(Fault::NoSpace);
    within_sync(&log, || filler().commit().wait()).unwrap_err();
    let (statuses, body) = probe(&app).await;
    assert_eq!(statuses, (200, 503));
    assert_eq!(body["status"], "degraded");
    assert_eq!(body["reason"], "store_unavailable");
    let why = log.failure().unwrap();
    assert!(why.contains(&*dir.path().to_string_lossy()));
    assert!(
        !body.to_string().contains('/'),
        "no path for strangers: {body}"
    );

    faults.clear();
    wait_until("the log is mended", || log.health() == Health::Ready);
    let (statuses, body) = probe(&app).await;
    assert_eq!((statuses, &body["status"]), ((200, 200), &"ready".into()));
    log.shutdown().unwrap();
}

#[tokio::test]
async fn a_degraded_start_is_alive_and_not_ready_until_it_is_mended() {
    let dir = tempfile::tempdir().unwrap();
    let taken = dir.path().join("log");
    fs::write(&taken, "a file where the folder should be").unwrap();
    let log = open(&Faults::new(), Mode::Enforce, &taken);
    let app = app(&log);
    let (statuses, body) = probe(&app).await;
    assert_eq!(statuses, (200, 503));
    assert_eq!(body["reason"], "store_unavailable");
    assert_eq!(body.get("budget"), None, "there is no store: {body}");

    fs::remove_file(&taken).unwrap();
    wait_until("the log is mended", || log.health() == Health::Ready);
    assert_eq!(probe(&app).await.0, (200, 200));
    log.shutdown().unwrap();
}

#[tokio::test]
async fn a_budget_that_is_used_up_is_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(&Faults::new(), Mode::Enforce, dir.path());
    while within_sync(&log, || filler().commit().wait()).is_ok() {}
    wait_until("the rate was taken", || {
        let budget = log.handle().vitals().budget;
        budget.is_some_and(|budget| budget.full_in.is_some())
    });
    let (statuses, body) = probe(&app(&log)).await;
    assert_eq!(statuses, (200, 503));
    assert_eq!(body["status"], "degraded");
    assert_eq!(body["reason"], "budget");
    assert_eq!(body["budget"], "used_up");
    assert!(body["disk_full_seconds"].is_u64(), "{body}");
    log.shutdown().unwrap();
}

#[tokio::test]
async fn a_full_queue_still_answers_probes() {
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults::new();
    let log = open(&faults, Mode::Enforce, dir.path());
    let routed = app(&log);
    let told = plain(&log, |layer| layer.never_refuse(["/health", "/ready"]));
    let untold = plain(&log, |layer| layer);
    stall(&log, &faults);
    for app in [&routed, &told] {
        let (statuses, body) = probe(app).await;
        assert_eq!(statuses, (200, 503));
        assert_eq!(body["status"], "crowded");
        assert_eq!(body["reason"], "queue_full");
        assert!(body["queue_bytes"].as_u64() > Some(32 * 1024), "{body}");
        assert!(body["writer_busy_ms"].is_u64(), "{body}");
    }
    for (app, path) in [(&told, "/other"), (&untold, "/health")] {
        let (status, body) = ask(app, path).await;
        assert_eq!((status.as_u16(), &*body), (503, ""), "{path}");
    }
    faults.clear();
    log.flush().unwrap();
    assert_eq!(probe(&untold).await.0, (200, 200));
    log.shutdown().unwrap();
}

#[tokio::test]
async fn observing_is_always_alive_and_ready() {
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults::new();
    let log = open(&faults, Mode::Observe, dir.path());
    let app = app(&log);
    faults.set(Fault::NoSpace);
    within_sync(&log, || filler().commit().wait()).unwrap_err();
    let (statuses, body) = probe(&app).await;
    assert_eq!(statuses, (200, 200));
    assert_eq!(body["status"], "degraded");
    assert_eq!(body["mode"], "observe");
    faults.clear();
    wait_until("the log is mended", || log.health() == Health::Ready);
    log.shutdown().unwrap();
    let (statuses, body) = probe(&app).await;
    assert_eq!((statuses, &body["status"]), ((200, 200), &"ended".into()));
}

#[tokio::test]
async fn a_service_without_its_log_is_to_be_restarted() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(&Faults::new(), Mode::Enforce, dir.path());
    let app = app(&log);
    log.shutdown().unwrap();
    let (statuses, body) = probe(&app).await;
    assert_eq!(statuses, (503, 503));
    assert_eq!(body["status"], "ended");
    assert_eq!(body["reason"], "closed");
}

#[tokio::test]
async fn probes_leave_one_record_until_their_answer_changes() {
    for routed in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let faults = Faults::new();
        let log = open(&faults, Mode::Enforce, dir.path());
        let app = if routed {
            app(&log)
        } else {
            plain(&log, |layer| layer)
        };
        for _ in 0..50 {
            assert_eq!(probe(&app).await.0, (200, 200));
        }
        log.shutdown().unwrap();
        let records = read(dir.path());
        let requests = access(&records);
        let targets: Vec<&Value> = requests
            .iter()
            .map(|record| &record["target_resource"])
            .collect();
        assert_eq!(targets, ["GET /health", "GET /ready"]);
        for record in &requests {
            assert_eq!(record.get("audit_gap"), None, "{record}");
        }
        let counted = |path: &str| json!({"event": "http.request", "target": path, "outcome": "success", "count": 49});
        assert_eq!(
            named(&records, "volume.summary")[0]["data"]["counted"],
            json!([counted("GET /health"), counted("GET /ready")])
        );
        if routed {
            assert_eq!(
                named(&records, "service.routes")[0]["data"]["routes"],
                json!([
                    {"method": "GET", "path": "/health", "unaudited": "liveness probe; touches no data"},
                    {"method": "GET", "path": "/ready", "unaudited": "readiness probe; touches no data"},
                ])
            );
        }
    }
}

//! Who refuses telemetry has none of it stored, all of it counted, and is audited like everybody else.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use axum::{Router, body::Body, http::Request, routing::get};
use compliance_log::{
    ComplianceLog, Volume, audit_event, carry, carry_fn,
    context::AuditContext,
    guard,
    http::{AuditLayer, RequestAudit},
    test_util::{Captured, capture_with, within_sync},
};
use serde_json::{Value, json};
use tower::ServiceExt;
use tracing_subscriber::layer::SubscriberExt;

use crate::figures::Figures;

#[audit_event(name = "page.viewed", category = "app", target = "page/{page}")]
struct PageViewed {
    #[audit(internal)]
    page: &'static str,
}

#[audit_event(name = "booking.read", target = "booking/{booking_id}")]
struct BookingRead {
    booking_id: u64,
}

#[audit_event(name = "file.read", category = "access", target = "file/{file}")]
struct FileRead {
    #[audit(internal)]
    file: String,
}

#[audit_event(name = "login.failed", category = "security", outcome = "fail")]
struct LoginFailed {}

#[audit_event(name = "role.granted", category = "admin", target = "role/1")]
struct RoleGranted {}

/// One of everything that a request may say.
async fn say_all() {
    tracing::info!(event = "page.clicked", where_ = "offer of Anna");
    PageViewed { page: "anna" }.emit().unwrap();
    tokio::spawn(carry(async { tracing::info!("in a task") }))
        .await
        .unwrap();
    // A thread has a subscriber of its own.
    let dispatch = tracing::dispatcher::get_default(Clone::clone);
    let job = carry_fn(move || {
        tracing::dispatcher::with_default(&dispatch, || tracing::info!("in a thread"));
    });
    tokio::task::spawn_blocking(job).await.unwrap();
    tracing::warn!("slow");
    tracing::error!("broken");
    PageViewed { page: "waited" }.commit().await.unwrap();
    BookingRead { booking_id: 17 }.emit().unwrap();
    LoginFailed {}.emit().unwrap();
    RoleGranted {}.emit().unwrap();
    FileRead { file: "1".into() }.emit().unwrap();
}

fn app(log: &ComplianceLog) -> Router {
    let refuses = async |audit: RequestAudit| {
        audit.context().refuse_telemetry();
        say_all().await;
    };
    Router::new()
        .route("/", get(say_all))
        .route("/refuses", get(refuses))
        .layer(AuditLayer::new(log))
}

async fn ask(app: &Router, path: &str, headers: &[(&str, &str)]) {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    app.clone().oneshot(request).await.unwrap();
}

fn ended(log: ComplianceLog, captured: &Captured) -> Vec<Value> {
    log.shutdown().unwrap();
    let text = captured.text();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// What one request stored, by event, category app apart.
fn stored(records: &[Value]) -> (Vec<String>, Vec<String>) {
    let told = |record: &&Value| record.get("request_id").is_some();
    let (app, others): (Vec<&Value>, Vec<&Value>) = records
        .iter()
        .filter(told)
        .partition(|record| record["category"] == "app");
    let app = app.iter().map(|record| {
        let message = record["message"].as_str().unwrap_or_default();
        let target = record["target_resource"].as_str().unwrap_or_default();
        let event = record["event"].as_str().unwrap();
        format!("{event} {message}{target}")
    });
    let others = others
        .iter()
        .map(|record| record["event"].as_str().unwrap().to_owned());
    (app.collect(), others.collect())
}

fn told(records: &[Value]) -> Vec<Value> {
    let summaries = records
        .iter()
        .filter(|record| record["event"] == "volume.summary");
    let rows = summaries.flat_map(|summary| summary["data"]["counted"].as_array().unwrap());
    rows.cloned().collect()
}

async fn one_request(env: &str, path: &str, headers: &[(&str, &str)]) -> (Vec<Value>, String) {
    // In `dev` a log has a folder where none is set.
    let dir = tempfile::tempdir().unwrap();
    let (log, captured) = capture_with(|builder| builder.env(env).dir(dir.path()).stdout(true));
    let subscriber = tracing_subscriber::registry().with(log.tracing_layer());
    let _entered = tracing::subscriber::set_default(subscriber);
    ask(&app(&log), path, headers).await;
    let records = ended(log, &captured);
    (records, captured.text())
}

const EVERYTHING: [&str; 7] = [
    "page.clicked ",
    "page.viewed page/anna",
    "log in a task",
    "log in a thread",
    "log slow",
    "log broken",
    "page.viewed page/waited",
];
const OTHERS: [&str; 5] = [
    "booking.read",
    "login.failed",
    "role.granted",
    "file.read",
    "http.request",
];

#[tokio::test]
async fn telemetry_of_who_refuses_it_is_counted_and_all_else_is_stored() {
    for (path, headers) in [
        ("/", &[("sec-gpc", "1")][..]),
        ("/", &[("dnt", "1")]),
        ("/", &[("dnt", "0"), ("sec-gpc", "1")]),
        ("/refuses", &[]),
        ("/refuses", &[("dnt", "0")]),
    ] {
        let (records, text) = one_request("prod", path, headers).await;
        let (app, others) = stored(&records);
        assert_eq!(app, EVERYTHING[4..], "{path} {headers:?}");
        assert_eq!(others, OTHERS, "{path} {headers:?}");
        let mut told = told(&records);
        told.sort_by_key(|row| row["event"].to_string());
        assert_eq!(
            told,
            [
                // `page.clicked` too: names that the service makes up could be as many as it likes.
                json!({"event": "log", "why": "opt_out", "count": 3}),
                json!({"event": "page.viewed", "why": "opt_out", "count": 1}),
            ],
            "{path} {headers:?}"
        );
        assert!(!text.to_lowercase().contains("anna"), "not even its target");
    }
}

#[tokio::test]
async fn who_says_nothing_or_something_else_is_measured() {
    for headers in [
        &[][..],
        &[("dnt", "0"), ("sec-gpc", "0")],
        &[("sec-gpc", "true")],
        &[("x-sec-gpc", "1")],
    ] {
        let (records, _) = one_request("prod", "/", headers).await;
        assert_eq!(stored(&records).0, EVERYTHING, "{headers:?}");
        assert!(told(&records).is_empty(), "{headers:?}");
    }
}

#[tokio::test]
async fn a_refusal_holds_wherever_somebody_is_served() {
    for (env, suppressed) in [
        ("dev", 0),
        ("test", 0),
        ("prod", 4),
        ("production", 4),
        ("stage", 4),
    ] {
        let (records, _) = one_request(env, "/", &[("sec-gpc", "1")]).await;
        assert_eq!(stored(&records).0.len(), 7 - suppressed, "{env}");
    }
}

#[tokio::test]
async fn a_refusal_is_of_one_request_alone() {
    let (log, captured) = capture_with(|builder| builder.env("prod"));
    let app = app(&log);
    for headers in [&[("dnt", "1")][..], &[], &[("dnt", "1")], &[]] {
        ask(&app, "/", headers).await;
    }
    let records = ended(log, &captured);
    let viewed = records
        .iter()
        .filter(|record| record["target_resource"] == "page/anna");
    assert_eq!(viewed.count(), 2);
    let row = json!({"event": "page.viewed", "why": "opt_out", "count": 2});
    assert_eq!(told(&records), [row]);
}

#[test]
fn there_is_always_a_place_to_count_a_refusal() {
    let (log, captured) = capture_with(|builder| {
        builder
            .env("prod")
            .volume("file.read", Volume::OnChange)
            .volume("page.viewed", Volume::Each)
    });
    let context = AuditContext::request().build();
    context.refuse_telemetry();
    let figures = Figures::default();
    within_sync(&log, || {
        for file in 0..2000 {
            let file = file.to_string();
            FileRead { file }.emit().unwrap();
        }
        let _recording = figures.record();
        context.scope_sync(|| {
            for _ in 0..10 {
                PageViewed { page: "anna" }.emit().unwrap();
            }
        });
    });
    let suppressed = figures.counts("compliance_log_telemetry_suppressed");
    assert_eq!(suppressed.values().sum::<u64>(), 10);
    let records = ended(log, &captured);
    let row = json!({"event": "page.viewed", "why": "opt_out", "count": 10});
    assert_eq!(told(&records), [row]);
    assert!(!captured.text().contains("page/anna"));
}

#[derive(Clone, Default)]
struct Out(Arc<Mutex<Vec<u8>>>);

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_guarded_layer_is_not_shown_what_was_refused() {
    for (env, refused, shown) in [
        ("prod", true, &["slow", "broken"][..]),
        ("prod", false, &["click", "slow", "broken"]),
        ("test", true, &["click", "slow", "broken"]),
    ] {
        let (log, _captured) = capture_with(|builder| builder.env(env));
        let out = Out::default();
        let writer = out.clone();
        let fmt = tracing_subscriber::fmt::layer()
            .with_writer(move || writer.clone())
            .without_time()
            .with_level(false)
            .with_target(false);
        let context = AuditContext::request().build();
        if refused {
            context.refuse_telemetry();
        }
        let figures = Figures::default();
        let recording = figures.record();
        let subscriber = tracing_subscriber::registry().with(guard(fmt));
        tracing::subscriber::with_default(subscriber, || {
            within_sync(&log, || {
                context.scope_sync(|| {
                    tracing::info!("click");
                    tracing::warn!("slow");
                    tracing::error!("broken");
                });
            });
        });
        let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().collect::<Vec<_>>(), shown, "{env} {refused}");
        drop(recording);
        let suppressed = figures.counts("compliance_log_guard_suppressed");
        assert_eq!(suppressed.values().sum::<u64>(), 3 - shown.len() as u64);
        log.shutdown().unwrap();
    }
}

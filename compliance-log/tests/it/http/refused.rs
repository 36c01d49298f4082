//! What cannot be recorded is refused before anything happens, and nothing afterwards.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Json, Router, body::Body, http::Request, http::StatusCode, response::Response};
use compliance_log::{
    CommitErrorKind, ComplianceLog, Health, Mode, audit_event,
    http::{AuditCtx, AuditResult, AuditRouter, audited, unaudited},
    test_util::{Fault, Faults, within_sync},
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::Notify;
use tower::ServiceExt as _;

use super::{
    owed::{BookingCreated, SoldOut, authenticate},
    served::{access, named, read},
};
use crate::support::wait_until;

/// How often a handler began to run.
#[derive(Clone, Default)]
struct Effects(Arc<AtomicUsize>);

impl Effects {
    fn happen(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

fn app(
    log: &ComplianceLog,
    effects: &Effects,
    during: impl Fn() + Clone + Send + Sync + 'static,
) -> Router {
    let act = move |effects: Effects| {
        let during = during.clone();
        move || {
            effects.happen();
            during();
        }
    };
    let (create, fail, read) = (
        act(effects.clone()),
        act(effects.clone()),
        act(effects.clone()),
    );
    AuditRouter::new(log)
        .route(
            "/bookings",
            audited::post(
                async move |ctx: AuditCtx<BookingCreated>| -> AuditResult<Json<bool>> {
                    create();
                    let settled = ctx.success(BookingCreated { booking_id: 17 }).await?;
                    let durable = settled.receipt().is_some();
                    settled.respond(Json(durable))
                },
            )
            .and(audited::get(
                async move |ctx: AuditCtx<BookingCreated>| -> AuditResult<()> {
                    read();
                    ctx.success(BookingCreated { booking_id: 17 })
                        .await?
                        .respond(())
                },
            ))
            .and(audited::delete(
                async move |_: AuditCtx<BookingCreated>| -> AuditResult<()> {
                    fail();
                    Err(SoldOut.into())
                },
            )),
        )
        .route(
            "/health",
            unaudited::get(|| async { "ok" }, "liveness probe"),
        )
        .layer(axum::middleware::from_fn(authenticate))
        .into()
}

async fn ask(app: &Router, method: &str, path: &str) -> Response {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("x-test-tenant", "acme")
        .body(Body::empty())
        .unwrap();
    app.clone().oneshot(request).await.unwrap()
}

async fn body(response: Response) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20)
        .await
        .unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

pub(super) fn open(faults: &Faults, mode: Mode) -> (ComplianceLog, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let builder = ComplianceLog::builder("booking-api")
        .env("test")
        .mode(mode)
        .queue_bytes_max(64 * 1024);
    let log = faults.under(builder.dir(dir.path())).open().unwrap();
    (log, dir)
}

#[audit_event(name = "test.filler", category = "admin", target = "queue")]
struct Filler {
    #[audit(internal)]
    text: String,
}

fn degrade(log: &ComplianceLog, faults: &Faults) {
    faults.set(Fault::NoSpace);
    let text = "x".to_owned();
    within_sync(log, || Filler { text }.commit().wait()).unwrap_err();
    assert_eq!(
        log.health(),
        Health::Degraded,
        "whoever hears of a failure finds it so"
    );
}

fn assert_refused(response: &Response) {
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()["retry-after"], "1");
}

#[tokio::test]
async fn a_store_that_cannot_be_written_refuses_before_any_effect() {
    let faults = Faults::new();
    let (log, dir) = open(&faults, Mode::Enforce);
    let effects = Effects::default();
    let app = app(&log, &effects, || ());
    degrade(&log, &faults);
    for method in ["POST", "GET", "DELETE"] {
        let response = ask(&app, method, "/bookings").await;
        assert_refused(&response);
        assert!(body(response).await.contains("AUDIT_UNAVAILABLE"));
    }
    assert_eq!(effects.count(), 0);
    assert_eq!(ask(&app, "GET", "/health").await.status(), StatusCode::OK);

    faults.clear();
    wait_until("the log is mended", || log.health() == Health::Ready);
    let answer = ask(&app, "POST", "/bookings").await.status();
    assert_eq!(answer, StatusCode::OK);
    assert_eq!(effects.count(), 1);
    log.shutdown().unwrap();
    let records = read(dir.path());
    assert_eq!(
        named(&records, "booking.created").len(),
        1,
        "nothing was begun"
    );
    assert_eq!(stored_and_lost(&records, "http.request"), 5);
}

/// Records of an event that are stored, and those that a gap counts.
pub(super) fn stored_and_lost(records: &[Value], event: &str) -> u64 {
    let gaps = named(records, "log.gap");
    let lost = gaps
        .iter()
        .flat_map(|gap| gap["data"]["lost"].as_array().unwrap())
        .filter(|lost| lost["event"] == event)
        .map(|lost| lost["count"].as_u64().unwrap());
    named(records, event).len() as u64 + lost.sum::<u64>()
}

#[tokio::test]
async fn a_handler_that_already_ran_keeps_its_answer() {
    for (method, answer, status) in [
        ("POST", "false", StatusCode::OK),
        ("DELETE", "SOLD_OUT", StatusCode::CONFLICT),
        // Nothing happened yet, and what was read can still be withheld.
        ("GET", "AUDIT_UNAVAILABLE", StatusCode::SERVICE_UNAVAILABLE),
    ] {
        let faults = Faults::new();
        let (log, dir) = open(&faults, Mode::Enforce);
        let effects = Effects::default();
        let breaks = faults.clone();
        let app = app(&log, &effects, move || breaks.set(Fault::NoSpace));
        let response = ask(&app, method, "/bookings").await;
        assert_eq!(response.status(), status, "{method}");
        let body = body(response).await;
        assert!(body.contains(answer), "{method}: {body}");
        assert_eq!(effects.count(), 1);

        faults.clear();
        wait_until("the log is mended", || log.health() == Health::Ready);
        log.shutdown().unwrap();
        let records = read(dir.path());
        assert_eq!(
            stored_and_lost(&records, "booking.created"),
            1,
            "{method}: counted once: {records:#?}"
        );
    }
}

/// Fills the queue while the disk answers nothing.
pub(super) fn fill(log: &ComplianceLog, faults: &Faults) {
    faults.set(Fault::Stall);
    let filler = || Filler {
        text: "x".repeat(2000),
    };
    let emit = || within_sync(log, || filler().emit());
    emit().unwrap();
    // What the writer has taken makes room no more.
    wait_until("the writer is stalled", || faults.stalled() > 0);
    wait_until("the queue is full", || {
        emit().is_err_and(|error| error.kind() == CommitErrorKind::Full)
    });
}

#[tokio::test]
async fn a_full_queue_refuses_before_any_effect() {
    let faults = Faults::new();
    let (log, dir) = open(&faults, Mode::Enforce);
    let effects = Effects::default();
    let app = app(&log, &effects, || ());
    fill(&log, &faults);
    for method in ["POST", "GET", "DELETE"] {
        assert_refused(&ask(&app, method, "/bookings").await);
    }
    assert_refused(&ask(&app, "GET", "/nowhere").await);
    assert_eq!(effects.count(), 0);
    let health = ask(&app, "GET", "/health").await.status();
    assert_eq!(
        health,
        StatusCode::OK,
        "a pod is not killed for a full queue"
    );

    faults.clear();
    log.flush().unwrap();
    assert_eq!(
        ask(&app, "POST", "/bookings").await.status(),
        StatusCode::OK
    );
    assert_eq!(effects.count(), 1);
    log.shutdown().unwrap();
    let records = access(&read(dir.path()));
    let refused: Vec<_> = records
        .iter()
        .filter(|record| record["status_code"] == 503)
        .collect();
    assert!(!refused.is_empty(), "there was room for some of them");
    for record in refused {
        assert_eq!(record.get("audit_gap"), None, "nothing happened: {record}");
    }
}

#[tokio::test]
async fn observing_refuses_nothing_and_says_what_it_would_have() {
    let faults = Faults::new();
    let (log, dir) = open(&faults, Mode::Observe);
    let effects = Effects::default();
    let app = app(&log, &effects, || ());
    let nobody = Request::post("/bookings").body(Body::empty()).unwrap();
    let answer = app.clone().oneshot(nobody).await.unwrap().status();
    assert_eq!(answer, StatusCode::OK, "no tenant");
    log.flush().unwrap();
    degrade(&log, &faults);
    for method in ["POST", "GET"] {
        assert_eq!(
            ask(&app, method, "/bookings").await.status(),
            StatusCode::OK
        );
    }
    assert_eq!(effects.count(), 3);
    faults.clear();
    wait_until("the log is mended", || log.health() == Health::Ready);
    assert_eq!(
        ask(&app, "POST", "/bookings").await.status(),
        StatusCode::OK
    );
    log.shutdown().unwrap();
    let records = read(dir.path());
    let mut said: Vec<_> = access(&records)
        .iter()
        .map(|record| {
            record["data"]["would_refuse"]
                .as_str()
                .unwrap_or("-")
                .to_owned()
        })
        .collect();
    said.sort();
    assert_eq!(said, ["-", "NO_TENANT"], "the other two found no store");
    assert_eq!(stored_and_lost(&records, "booking.created"), 4);
    assert_eq!(stored_and_lost(&records, "http.request"), 4);
}

#[tokio::test]
async fn observing_a_full_queue_counts_what_finds_no_room() {
    let faults = Faults::new();
    let (log, dir) = open(&faults, Mode::Observe);
    faults.set(Fault::Stall);
    let filler = Filler {
        text: "x".repeat(2000),
    };
    for _ in 0..100 {
        within_sync(&log, || filler.emit()).unwrap();
    }
    let app = app(&log, &Effects::default(), || ());
    let asked = tokio::spawn(async move { ask(&app, "POST", "/bookings").await.status() });
    faults.clear();
    assert_eq!(asked.await.unwrap(), StatusCode::OK);
    log.shutdown().unwrap();
    let records = read(dir.path());
    assert!(!named(&records, "log.gap").is_empty());
    assert_eq!(stored_and_lost(&records, "test.filler"), 100);
}

#[tokio::test]
async fn those_who_are_turned_away_leave_the_room_to_those_who_were_let_in() {
    let faults = Faults::new();
    let (log, dir) = open(&faults, Mode::Enforce);
    let [begun, go_on, recorded] = [(); 3].map(|()| Arc::new(Notify::new()));
    let (started, may_act, queued) = (
        Arc::clone(&begun),
        Arc::clone(&go_on),
        Arc::clone(&recorded),
    );
    let create = async move |ctx: AuditCtx<BookingCreated>| -> AuditResult<Json<bool>> {
        started.notify_one();
        may_act.notified().await;
        let settling = ctx.success(BookingCreated { booking_id: 17 });
        queued.notify_one();
        let settled = settling.await?;
        let durable = settled.receipt().is_some();
        settled.respond(Json(durable))
    };
    let not_ready = async || StatusCode::SERVICE_UNAVAILABLE;
    let app: Router = AuditRouter::new(&log)
        .route("/bookings", audited::post(create))
        .route("/ready", unaudited::get(not_ready, "readiness probe"))
        .layer(axum::middleware::from_fn(authenticate))
        .into();
    let under_way = {
        let app = app.clone();
        tokio::spawn(async move { ask(&app, "POST", "/bookings").await })
    };
    begun.notified().await;
    fill(&log, &faults);
    for _ in 0..150 {
        assert_refused(&ask(&app, "POST", "/bookings").await);
        let probe = ask(&app, "GET", "/ready").await;
        assert!(!probe.headers().contains_key("retry-after"), "not refused");
    }
    go_on.notify_one();
    recorded.notified().await;
    faults.clear();
    assert_eq!(body(under_way.await.unwrap()).await, "true");
    log.shutdown().unwrap();
    let records = read(dir.path());
    assert_eq!(named(&records, "booking.created").len(), 1);
    assert_eq!(stored_and_lost(&records, "http.request"), 301);
}

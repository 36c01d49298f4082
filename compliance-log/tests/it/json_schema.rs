//! The exported JSON Schema, judged by another's validator: every record that a log wrote is valid, and
//! what no log writes is not.

use std::{fs, io, path::Path};

use axum::{
    Router,
    body::Body,
    http::Request,
    middleware::{Next, from_fn},
    response::Response,
    routing::get,
};
use compliance_log::{
    ComplianceLog, audit_event,
    context::{AuditContext, Identity},
    event::AuditEvent as _,
    http::{AuditCtx, AuditLayer, AuditResult, AuditRouter, OrFail as _, RequestAudit, audited},
    json_schema,
    schema_lock::SchemaLock,
    test_util::{Fault, Faults, within_sync},
};
use http_body_util::BodyExt as _;
use jsonschema::Validator;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::support::{records, records_of, stores, wait_until};

#[audit_event(name = "trip.booked", version = 3, target = "trip/{trip}")]
struct TripBooked {
    trip: u64,
    booking_id: Option<u64>,
    #[audit(internal)]
    provider: String,
    price: f64,
    paid: bool,
    #[audit(mask = "pan")]
    card: String,
    #[audit(pseudonym)]
    traveller: String,
    #[audit(drop)]
    answer: String,
    #[audit(personal)]
    note: Option<String>,
    #[audit(internal)]
    stops: Vec<String>,
}

#[audit_event(name = "trip.refused", outcome = "fail", target = "trip/{trip}")]
struct TripRefused {
    trip: u64,
    #[audit(public, max_len = 64)]
    error_code: &'static str,
}

#[audit_event(name = "trip.viewed", category = "app")]
struct TripViewed {
    #[audit(public, max_len = 64)]
    place: String,
}

#[audit_event(name = "trip.lost")]
#[derive(Default)]
struct TripLost {
    #[audit(internal)]
    target_resource: Option<&'static str>,
}

fn booked(card: &str, note: Option<&str>) -> TripBooked {
    TripBooked {
        trip: u64::MAX,
        booking_id: note.map(|_| 17),
        provider: "rail".to_owned(),
        price: f64::NAN,
        paid: true,
        card: card.to_owned(),
        traveller: "Somebody".to_owned(),
        answer: "blue".to_owned(),
        note: note.map(str::to_owned),
        stops: vec!["Łódź".to_owned(); 300],
    }
}

fn schema() -> Value {
    let events = [
        TripBooked::META,
        TripRefused::META,
        TripViewed::META,
        TripLost::META,
    ];
    json_schema::record(&SchemaLock::of(&events).unwrap())
}

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema()).unwrap()
}

/// What is wrong with a record, and where.
fn mistakes(validator: &Validator, record: &Value) -> String {
    let each = validator.iter_errors(record);
    let said: Vec<String> = each
        .map(|error| format!("{error} at {}", error.instance_path()))
        .collect();
    said.join("\n")
}

fn all_valid(records: &[Value]) {
    let validator = validator();
    for record in records {
        let mistakes = mistakes(&validator, record);
        assert!(mistakes.is_empty(), "{mistakes}\nin {record}");
    }
}

/// Every record that was stored below `dir`.
fn stored(dir: &Path) -> Vec<Value> {
    let stores = stores(dir);
    let channels = ["audit", "app"];
    let each = stores
        .iter()
        .flat_map(|store| channels.map(|channel| records_of(store, channel)));
    each.flatten().collect()
}

async fn own(audit: RequestAudit, request: Request<Body>, next: Next) -> Response {
    audit
        .verified(Identity::new().tenant("acme").user("u-1"))
        .unwrap();
    next.run(request).await
}

/// Requests that owe an event: one fails, one begins with an intent.
async fn owed_requests(log: &ComplianceLog) {
    let fail = async |_: AuditCtx<TripBooked>| -> AuditResult<()> {
        Err(io::Error::other("full")).or_fail("FULL")
    };
    let begin = async |ctx: AuditCtx<TripBooked>| -> AuditResult<()> {
        let intent = ctx.begin("trip/7").await?;
        let booked = booked("4111111111111111", None);
        intent.success(booked).await?.respond(())
    };
    let app = AuditRouter::new(log)
        .route("/fail", audited::post(fail))
        .route("/begin", audited::post(begin))
        .layer(from_fn(own));
    let app = Router::from(app);
    for uri in ["/fail", "/begin"] {
        let request = Request::post(uri).body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        response.into_body().collect().await.unwrap();
    }
}

async fn requests(log: &ComplianceLog) {
    let book = |audit: RequestAudit| async move {
        let identity = Identity::new().tenant("acme").user("u-1").client("web");
        audit.verified(identity).unwrap();
        audit.verified(Identity::new().tenant("other")).unwrap_err();
        booked("4111 1111 1111 1111", None).emit().unwrap();
        "booked"
    };
    let app = Router::new()
        .route("/trips/{id}", get(book))
        .layer(AuditLayer::new(log));
    for uri in ["/trips/1?q=a%20b", "/none"] {
        let request = Request::get(uri).header("user-agent", "x".repeat(2000));
        let request = request.body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        response.into_body().collect().await.unwrap();
    }
    let aborted = Request::get("/trips/2").body(Body::empty()).unwrap();
    drop(app.oneshot(aborted).await.unwrap());
}

fn outside_of_requests(log: &ComplianceLog) {
    let subscriber = tracing_subscriber::registry().with(log.tracing_layer());
    let job = AuditContext::job("nightly").tenant("acme").build();
    let request = AuditContext::request()
        .request_id("r-1")
        .ip("2001:db8::7".parse().unwrap())
        .user_agent("curl/8")
        .booking_id("b-1")
        .offer_id("o-1")
        .build();
    let person = Identity::new().tenant("acme").user("someone@example.org");
    request.verified(person).unwrap();
    within_sync(log, || {
        job.scope_sync(|| booked("no card", Some("n")).emit().unwrap());
        request.scope_sync(|| {
            TripRefused {
                trip: 1,
                error_code: "FULL",
            }
            .emit()
            .unwrap();
            TripLost::default().emit().unwrap();
            booked("4111111111111111", None).emit().unwrap();
            let place = "é\u{202e}".repeat(9000);
            TripViewed { place }.emit().unwrap();
        });
        TripLost::default().emit().unwrap();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(
                event = "cache.cleared",
                n = 3,
                password = "hunter2",
                "token=abc"
            );
            tracing::error!(a = ?Some(1), b = 1.5, c = true, "failed");
            tracing::warn!(http.method = "GET", prev_hash = "x");
        });
    });
}

#[tokio::test]
async fn the_schema_is_one_and_every_kind_of_record_is_valid() {
    let schema = schema();
    if let Err(error) = jsonschema::draft202012::meta::validate(&schema) {
        panic!("{error} at {}", error.instance_path());
    }

    let dir = tempfile::tempdir().unwrap();
    let faults = Faults::new();
    let builder = ComplianceLog::builder("trip-api")
        .env("prod")
        .dir(dir.path())
        .cluster("c1")
        .segment_bytes_max(65_536);
    let log = faults.under(builder).open().unwrap();
    requests(&log).await;
    owed_requests(&log).await;
    outside_of_requests(&log);
    for _ in 0..80 {
        within_sync(&log, || {
            booked("4111111111111111", Some(&"long ".repeat(1000))).emit()
        })
        .unwrap();
        log.flush().unwrap();
    }
    // A failed sync makes a segment that supersedes another, a full disk a gap.
    faults.set(Fault::Sync { count: 1 });
    within_sync(&log, || booked("", None).commit().wait()).unwrap();
    faults.set(Fault::NoSpace);
    within_sync(&log, || booked("", None).commit().wait()).unwrap_err();
    let view = || {
        TripViewed {
            place: "here".to_owned(),
        }
        .emit()
    };
    within_sync(&log, view).unwrap();
    // What could not be written is counted by then.
    log.flush().unwrap_or(());
    faults.clear();
    wait_until("the log is whole again", || log.flush().is_ok());
    log.shutdown().unwrap();
    let continued = ComplianceLog::builder("trip-api")
        .env("prod")
        .dir(dir.path());
    continued.open().unwrap().shutdown().unwrap();

    let records = stored(dir.path());
    for event in [
        "chain.genesis",
        "segment.footer",
        "segment.header",
        "log.started",
        "log.stopped",
        "log.gap",
        "security.context_mismatch",
        "trip.booked",
        "trip.refused",
        "trip.viewed",
        "trip.lost",
        "http.request",
        "log",
        "cache.cleared",
    ] {
        assert!(
            records.iter().any(|record| record["event"] == event),
            "{event}"
        );
    }
    for row in [
        "intent_of",
        "intent_ref",
        "schema_violations",
        "redactions",
        "outcome_detail",
        "booking_id",
        "ip",
    ] {
        let some = records.iter().any(|record| record.get(row).is_some());
        assert!(some, "{row}");
    }
    all_valid(&records);
}

#[test]
fn every_record_of_stores_that_an_earlier_build_wrote_is_valid() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut count = 0;
    for entry in fs::read_dir(golden).unwrap() {
        let store = entry.unwrap().path();
        let records = [records(&store, "audit"), records(&store, "app")].concat();
        all_valid(&records);
        count += records.len();
    }
    assert!(count > 200, "{count}");
}

/// A record of `trip.booked` as a log writes it.
fn valid() -> Value {
    let digest = "0123456789abcdef".repeat(4);
    json!({
        "v": 1, "stream": "trip-api/pod-7/00112233445566ff/audit", "seq": 41,
        "timestamp": "2026-11-24T03:20:07.000123Z", "category": "audit", "level": "INFO",
        "event": "trip.booked", "event_version": 3, "outcome": "success",
        "service_name": "trip-api", "env": "prod", "tenant_id": "acme", "user_id": "u-1",
        "trace_id": &digest[..32], "span_id": &digest[..16], "request_id": "r-1",
        "target_resource": "trip/7", "provider": "rail",
        "data": {
            "trip": 7, "price": 1.5, "paid": true, "card": "****1111", "stops": ["Bern"],
        },
        "redactions": [
            { "field": "data.traveller", "rule": "no-key", "action": "drop" },
            { "field": "data.answer", "rule": "type", "action": "drop" },
            { "field": "data.card", "rule": "pan", "action": "mask" },
        ],
        "policy": "5e1c0d7a", "prev_hash": digest, "hash": digest,
    })
}

/// `valid()` with another value at a pointer; `null` takes it out.
fn with(pointer: &str, value: Value) -> Value {
    let mut record = valid();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = record.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    if value.is_null() {
        parent.remove(key).unwrap();
    } else {
        parent.insert(key.to_owned(), value);
    }
    record
}

#[test]
fn what_no_log_writes_is_refused() {
    let validator = validator();
    assert_eq!(mistakes(&validator, &valid()), "");
    for (pointer, value) in [
        ("/colour", json!("red")),
        ("/v", json!(2)),
        ("/seq", json!("41")),
        ("/stream", json!("trip-api/pod-7/audit")),
        ("/stream", json!("trip-api/pod-7/00112233445566ff/app")),
        ("/timestamp", json!("2026-11-24T03:20:07Z")),
        ("/category", json!("money")),
        ("/category", json!("access")),
        ("/level", json!("info")),
        ("/event", json!("Trip Booked")),
        ("/outcome", json!("maybe")),
        ("/outcome", Value::Null),
        ("/outcome_detail", json!("denied")),
        ("/env", json!("")),
        ("/policy", Value::Null),
        ("/tenant_id", Value::Null),
        ("/tenant_id", json!(7)),
        ("/user_id", Value::Null),
        ("/target_resource", Value::Null),
        ("/target_resource", json!("x".repeat(1025))),
        ("/trace_id", json!("0AF7651916CD43DD8448EB211C80319C")),
        ("/trace_id", Value::Null),
        ("/span_id", Value::Null),
        ("/payload_size", json!("many")),
        ("/provider", json!(1)),
        ("/audit_gap", json!(false)),
        ("/schema_violations", json!([])),
        ("/schema_violations", json!(["colour"])),
        ("/redactions", json!([])),
        (
            "/redactions",
            json!([{ "field": "data.card", "rule": "pan" }]),
        ),
        (
            "/redactions",
            json!([{ "field": "data.card", "rule": "pan", "action": "mask" }]),
        ),
        ("/hash", json!("00")),
        ("/data", json!("text")),
        ("/data", Value::Null),
        ("/data/trip", json!(true)),
        ("/data/trip", Value::Null),
        ("/data/paid", json!("yes")),
        ("/data/stops", json!("Bern")),
        ("/data/stops", json!([7])),
        ("/data/card", json!("4111111111111111")),
        ("/data/card", json!(4_111_111_111_111_111_u64)),
        ("/data/traveller", json!("Somebody")),
        ("/data/answer", json!("blue")),
    ] {
        let broken = with(pointer, value);
        assert_ne!(mistakes(&validator, &broken), "", "{pointer} in {broken}");
    }
    let gap = with("/event", json!("log.gap"));
    assert_ne!(
        mistakes(&validator, &gap),
        "",
        "a structural record has no tenant"
    );
}

#[test]
fn what_a_record_admits_and_what_a_later_release_adds_is_valid() {
    let validator = validator();
    let mut lacking = with("/target_resource", Value::Null);
    lacking["schema_violations"] = json!(["target_resource"]);
    let mut failed = with("/data", Value::Null);
    failed["outcome"] = json!("fail");
    failed["error_code"] = json!("ABANDONED");
    failed["outcome_detail"] = json!("abandoned");
    let mut intent = with("/outcome", Value::Null);
    intent["event"] = json!("audit.intent");
    intent["intent_of"] = json!("trip.booked");
    let mut expunged = valid();
    expunged
        .as_object_mut()
        .unwrap()
        .retain(|key, _| ["v", "stream", "seq", "prev_hash", "hash"].contains(&key.as_str()));
    expunged["event"] = json!("record.expunged");
    expunged["ref"] = json!("compliance-log/op/00112233445566ff/audit/9");
    for record in [
        lacking,
        failed,
        intent,
        expunged,
        with("/data/new", json!({ "deep": [1] })),
        with("/data/trip", json!("18446744073709551615")),
        with("/data/traveller", json!(format!("ps_1_{}", "0".repeat(32)))),
        with("/event_version", json!(4)),
        with("/booking_id", json!("b-1")),
        with("/booking_id", json!(17)),
        with("/client_id", json!("web")),
    ] {
        assert_eq!(mistakes(&validator, &record), "", "{record}");
    }
}

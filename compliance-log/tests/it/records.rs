//! What stands in a record.

use compliance_log::{
    audit_event,
    clock::Timestamp,
    context::{AuditContext, Identity},
    event::{AuditField, Raw},
    test_util::{capture, capture_with, within_sync},
};
use serde_json::{Value, json};
use tracing_subscriber::layer::SubscriberExt;

struct BookingId(String);

impl AuditField for BookingId {
    fn raw(&self) -> Option<Raw<'_>> {
        Some(Raw::Id(&self.0))
    }
}

#[audit_event(name = "booking.created", version = 3, target = "booking/{booking_id}")]
struct BookingCreated {
    #[audit(internal)]
    booking_id: BookingId,
    seats: u8,
    price: f64,
    reference: u64,
    #[audit(internal)]
    note: Option<String>,
    #[audit(pseudonym)]
    passenger: String,
    #[audit(mask = "pan")]
    card: String,
}

fn created() -> BookingCreated {
    BookingCreated {
        booking_id: BookingId("b-17".to_owned()),
        seats: 2,
        price: 129.5,
        reference: u64::MAX,
        note: None,
        passenger: "Somebody".to_owned(),
        card: "4111-1111 1111 1111".to_owned(),
    }
}

/// Everything of a record but what no test can know.
fn without_links(mut record: Value) -> Value {
    let rows = record.as_object_mut().unwrap();
    for row in [
        "timestamp",
        "prev_hash",
        "hash",
        "policy",
        "seq",
        "stream",
        "v",
        "trace_id",
        "span_id",
    ] {
        assert!(rows.remove(row).is_some(), "{row} is missing");
    }
    record
}

#[test]
fn a_typed_event_in_a_request_has_every_row_it_should() {
    let (log, captured) = capture();
    let context = AuditContext::request()
        .request_id("r-1")
        .ip("192.0.2.7".parse().unwrap())
        .user_agent("curl/8")
        .offer_id("o-9")
        .build();
    context
        .verified(Identity::new().tenant("acme").user("u-1").client("web"))
        .unwrap();
    within_sync(&log, || context.scope_sync(|| created().emit())).unwrap();
    let record = captured.assert_one_named("booking.created").into_value();
    assert_eq!(
        record["trace_id"].as_str().unwrap(),
        context.trace_id().to_string()
    );
    assert_eq!(
        without_links(record),
        json!({
            "category": "audit", "level": "INFO", "event": "booking.created", "event_version": 3,
            "outcome": "success", "service_name": "test-service", "env": "test",
            "tenant_id": "acme", "user_id": "u-1", "client_id": "web", "trace_flags": "02", "request_id": "r-1",
            "target_resource": "booking/b-17", "ip": "192.0.2.7", "user_agent": "curl/8",
            "booking_id": "b-17", "offer_id": "o-9",
            "data": {"seats": 2, "price": 129.5, "reference": "18446744073709551615", "card": "****1111"},
            "redactions": [
                {"field": "data.passenger", "rule": "no-key", "action": "drop"},
                {"field": "data.card", "rule": "pan", "action": "mask"},
            ],
        })
    );
}

#[test]
fn rows_stand_in_the_order_of_the_format() {
    let (log, captured) = capture();
    let context = AuditContext::request().request_id("r-1").build();
    within_sync(&log, || context.scope_sync(|| created().emit())).unwrap();
    log.flush().unwrap();
    let text = captured.text();
    let line = text
        .lines()
        .find(|line| line.contains("booking.created"))
        .unwrap();
    let rows = [
        "v",
        "stream",
        "seq",
        "timestamp",
        "category",
        "level",
        "event",
        "event_version",
        "outcome",
        "service_name",
        "env",
        "tenant_id",
        "user_id",
        "trace_id",
        "span_id",
        "trace_flags",
        "request_id",
        "target_resource",
        "booking_id",
        "data",
        "redactions",
        "policy",
        "prev_hash",
        "hash",
    ];
    let places: Vec<usize> = rows
        .iter()
        .map(|row| line.find(&format!("\"{row}\":")).unwrap())
        .collect();
    assert!(places.is_sorted(), "{line}");
}

#[test]
fn a_record_without_its_rows_is_stored_and_says_so() {
    #[audit_event(name = "role.granted", category = "admin")]
    struct RoleGranted {
        #[audit(internal)]
        target_resource: Option<&'static str>,
    }
    let (log, captured) = capture();
    let target_resource = None;
    within_sync(&log, || RoleGranted { target_resource }.emit()).unwrap();
    let record = captured.assert_one_named("role.granted").into_value();
    assert_eq!(record["schema_violations"], json!(["target_resource"]));
    assert_eq!(
        (&record["tenant_id"], &record["user_id"]),
        (&json!("none"), &json!("anonymous"))
    );
}

#[test]
fn a_job_without_an_actor_names_the_service() {
    let (log, captured) = capture();
    let job = AuditContext::job("nightly").tenant("acme").build();
    within_sync(&log, || job.scope_sync(|| created().emit())).unwrap();
    let record = captured.assert_one_named("booking.created").into_value();
    assert_eq!(record["client_id"], "test-service");
    assert_eq!(record["tenant_id"], "acme");
    assert!(record.get("user_id").is_none() && record.get("request_id").is_none());
    assert!(record.get("schema_violations").is_none(), "{record}");
}

#[test]
fn a_user_id_that_names_a_person_is_not_written() {
    let (log, captured) = capture();
    let context = AuditContext::job("import")
        .actor("someone@example.org")
        .build();
    within_sync(&log, || context.scope_sync(|| created().emit())).unwrap();
    let record = captured.assert_one_named("booking.created").into_value();
    assert_eq!(record["user_id"], "[redacted:no-key]");
    assert_eq!(
        record["redactions"][0],
        json!({"field": "user_id", "rule": "no-key", "action": "drop"})
    );
    assert!(!captured.text().contains("someone@example.org"));
}

#[test]
fn ordinary_events_become_app_records_with_the_same_context() {
    let (log, captured) = capture();
    let subscriber = tracing_subscriber::registry().with(log.tracing_layer());
    let context = AuditContext::request().request_id("r-2").build();
    within_sync(&log, || {
        context.scope_sync(|| {
            tracing::subscriber::with_default(subscriber, || {
                tracing::info!(offers = 3, event = "cache.cleared", "cleared {} offers", 3);
                tracing::warn!(event = "log.gap", target = "mine", "not ours to name");
                tracing::debug!("below the level");
            });
        });
    });
    let records = captured.records();
    let app: Vec<_> = records
        .iter()
        .filter(|record| record["category"] == "app" && record["seq"] != 0)
        .collect();
    assert_eq!(app.len(), 2, "{app:?}");
    assert_eq!(app[0]["event"], "cache.cleared");
    assert_eq!(app[0]["message"], "cleared 3 offers");
    assert_eq!(app[0]["request_id"], "r-2");
    assert_eq!(app[0]["data"]["offers"], 3);
    assert!(app[0]["data"]["line"].is_u64() && app[0]["data"].get("event").is_none());
    assert_eq!(
        (app[1]["event"].as_str(), app[1]["level"].as_str()),
        (Some("log"), Some("WARN"))
    );
    assert_eq!(app[1]["data"]["event"], "log.gap");
    assert_eq!(
        app[1]["data"]["target_"], "mine",
        "the module path keeps its key"
    );
}

#[test]
fn a_span_carries_the_scope_in_which_it_was_made() {
    let (log, captured) = capture();
    let subscriber = tracing_subscriber::registry().with(log.tracing_layer());
    let context = AuditContext::request().request_id("r-3").build();
    tracing::subscriber::with_default(subscriber, || {
        let span = within_sync(&log, || context.scope_sync(|| tracing::info_span!("work")));
        span.in_scope(|| tracing::info!("inside"));
    });
    assert_eq!(captured.named("log")[0]["request_id"], "r-3");
}

#[test]
fn values_that_break_lines_or_sizes_are_bounded() {
    #[audit_event(name = "text.stored", category = "app")]
    struct Text {
        #[audit(internal)]
        text: String,
    }
    let (log, captured) = capture();
    let nasty = "a\r\n\"}\n{\u{202e}\u{200b}\u{1b}[31m\0".to_owned();
    let long = "é".repeat(1 << 20);
    within_sync(&log, || {
        Text {
            text: nasty.clone(),
        }
        .emit()
        .unwrap();
        Text { text: long.clone() }.emit().unwrap();
    });
    let records = captured.named("text.stored");
    assert_eq!(records[0]["data"]["text"], nasty);
    let cut = records[1]["data"]["text"].as_str().unwrap();
    assert!(
        cut.contains(&format!("…[{} bytes, sha256:", long.len())),
        "{}",
        &cut[cut.len() - 120..]
    );
    assert_eq!(
        records[1]["redactions"],
        json!([{"field": "data.text", "rule": "size", "action": "cut"}])
    );
    for line in captured.text().lines() {
        assert!(line.len() < 15_360);
        assert!(
            !line
                .chars()
                .any(|c| c.is_control() || c == '\u{202e}' || c == '\u{200b}')
        );
    }
}

#[test]
fn fields_beyond_the_bound_of_a_record_are_left_out_and_told_of() {
    let (log, captured) = capture();
    let subscriber = tracing_subscriber::registry().with(log.tracing_layer());
    let big = "x".repeat(4000);
    within_sync(&log, || {
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(a = %big, b = %big, c = %big, d = %big, e = %big, f = %big, "many");
        });
    });
    let record = captured.assert_one_named("log").into_value();
    let dropped = record["redactions"].as_array().unwrap();
    assert!(
        dropped.iter().any(|redaction| redaction["rule"] == "size"),
        "{dropped:?}"
    );
    assert!(record["data"]["a"].as_str().unwrap().len() == 4000);
}

#[test]
fn time_is_taken_when_the_event_happens() {
    let clock = std::sync::Arc::new(compliance_log::test_util::ManualClock::new(
        Timestamp::from_micros(0),
    ));
    let (log, captured) = capture_with(|builder| builder.clock(clock));
    within_sync(&log, || created().emit()).unwrap();
    assert_eq!(
        captured.named("booking.created")[0]["timestamp"],
        "1970-01-01T00:00:00.000000Z"
    );
}

#[test]
fn a_value_whose_formatting_panics_does_not_reach_the_service() {
    struct Panics;
    impl std::fmt::Debug for Panics {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("in Debug")
        }
    }
    let (log, captured) = capture();
    let subscriber = tracing_subscriber::registry().with(log.tracing_layer());
    within_sync(&log, || {
        tracing::subscriber::with_default(
            subscriber,
            || tracing::info!(value = ?Panics, "still here"),
        );
    });
    assert_eq!(
        captured.named("log")[0]["data"]["value"],
        "[could not be formatted]"
    );
}

#[test]
fn keys_that_stand_twice_or_need_escapes_stay_valid_and_apart() {
    let (log, captured) = capture();
    let subscriber = tracing_subscriber::registry().with(log.tracing_layer());
    within_sync(&log, || {
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(
                "a\"b\n" = 1,
                "a\"b\n" = 2,
                "a\"b\n" = 3,
                "a\"b\n" = 4,
                prev_hash = 5,
                "keys"
            );
        });
    });
    let record = captured.assert_one_named("log").into_value();
    let data = &record["data"];
    assert_eq!(
        (&data["a\"b\n"], &data["a\"b\n_"], &data["a\"b\n__"]),
        (&1.into(), &2.into(), &3.into())
    );
    assert_eq!(data["prev_hash_"], 5);
    let dropped = record["redactions"][0].as_object().unwrap();
    assert_eq!(
        (&dropped["rule"], &dropped["action"]),
        (&"duplicate".into(), &"drop".into())
    );
    for line in captured.text().lines() {
        compliance_log::chain::check_line(line.as_bytes()).unwrap();
    }
}

/// A recorder that logs, as one that reports its own trouble would.
struct Logs;

impl metrics::Recorder for Logs {
    fn describe_counter(
        &self,
        _: metrics::KeyName,
        _: Option<metrics::Unit>,
        _: metrics::SharedString,
    ) {
    }
    fn describe_gauge(
        &self,
        _: metrics::KeyName,
        _: Option<metrics::Unit>,
        _: metrics::SharedString,
    ) {
    }
    fn describe_histogram(
        &self,
        _: metrics::KeyName,
        _: Option<metrics::Unit>,
        _: metrics::SharedString,
    ) {
    }

    fn register_counter(&self, key: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Counter {
        tracing::info!(name = key.name(), "a counter");
        metrics::Counter::noop()
    }

    fn register_gauge(&self, _: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Gauge {
        metrics::Gauge::noop()
    }

    fn register_histogram(
        &self,
        _: &metrics::Key,
        _: &metrics::Metadata<'_>,
    ) -> metrics::Histogram {
        metrics::Histogram::noop()
    }
}

#[test]
fn a_recorder_that_logs_does_not_lock_the_queue_against_itself() {
    let (log, captured) = capture_with(|builder| builder.queue_bytes_max(1));
    let subscriber = tracing_subscriber::registry().with(log.tracing_layer());
    let text = "x ".repeat(2000);
    within_sync(&log, || {
        tracing::subscriber::with_default(subscriber, || {
            metrics::with_local_recorder(&Logs, || {
                crate::support::wait_until("the queue is full", || {
                    (0..100).for_each(|_| tracing::info!(text, "fill"));
                    !captured.named("log.gap").is_empty()
                });
            });
        });
    });
    log.shutdown().unwrap();
}

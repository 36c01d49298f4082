//! Ordinary `tracing` events, and the spans around them.

use std::{error::Error as StdError, fmt};

use compliance_log::{
    ComplianceLog,
    event::Level,
    test_util::{Captured, capture, capture_with, within_sync},
};
use serde_json::{Value, json};
use tracing::{field::Empty, subscriber::with_default};
use tracing_subscriber::layer::SubscriberExt;

const AWS: &str = "AKIAIOSFODNN7EXAMPLE";

/// Runs `f` with a subscriber that stores events in `log`.
fn subscribed(log: &ComplianceLog, f: impl FnOnce()) {
    let subscriber = tracing_subscriber::registry().with(log.tracing_layer());
    with_default(subscriber, || within_sync(log, f));
}

/// The `data` of each stored event, without what says where it was made.
fn data(captured: &Captured) -> Vec<Value> {
    let records = captured.named("log").into_iter();
    records
        .map(|record| {
            let mut data = record.into_value()["data"].take();
            let fields = data.as_object_mut().unwrap();
            assert_eq!(fields.remove("target").unwrap(), module_path!());
            assert!(fields.remove("line").unwrap().is_u64());
            data
        })
        .collect()
}

#[test]
fn a_record_has_the_fields_of_the_spans_around_its_event() {
    let (log, captured) = capture();
    subscribed(&log, || {
        let outer = tracing::info_span!("outer", a = 1, b = "outer", c = 1.5, d = true, e = -2);
        let _outer = outer.enter();
        let inner = tracing::info_span!("inner", b = "inner", list = ?[1, 2]);
        let _inner = inner.enter();
        tracing::info!(a = "own", "one");
    });
    assert_eq!(
        data(&captured),
        [json!({"a": "own", "b": "inner", "list": "[1, 2]", "c": 1.5, "d": true, "e": -2})]
    );
}

#[test]
fn a_value_that_is_recorded_later_counts_from_then_on() {
    let (log, captured) = capture();
    subscribed(&log, || {
        let span = tracing::info_span!("span", state = "new", user = Empty);
        let _entered = span.enter();
        tracing::info!("before");
        span.record("state", "known").record("user", 7);
        tracing::info!("after");
    });
    assert_eq!(
        data(&captured),
        [
            json!({"state": "new"}),
            json!({"state": "known", "user": 7})
        ]
    );
}

#[test]
fn a_named_parent_is_the_one_that_counts() {
    let (log, captured) = capture();
    subscribed(&log, || {
        let named = tracing::info_span!("named", a = 1);
        let _current = tracing::info_span!("current", b = 2).entered();
        tracing::info!(parent: &named, "child of the named one");
        tracing::info!(parent: None, "child of none");
        tracing::info!("child of the current one");
    });
    assert_eq!(
        data(&captured),
        [json!({"a": 1}), json!({}), json!({"b": 2})]
    );
}

#[test]
fn what_a_span_holds_is_redacted_and_the_record_says_so() {
    let (log, captured) = capture();
    subscribed(&log, || {
        let span = tracing::info_span!(
            "span",
            key = AWS,
            password = "hunter2",
            card_number = "4111 1111 1111 1111",
            later = Empty
        );
        span.record("later", format!("password=hunter2 and {AWS}"));
        span.in_scope(|| tracing::info!("inside"));
    });
    let text = captured.text();
    assert!(!text.contains("hunter2") && !text.contains(AWS), "{text}");
    let record = captured.named("log").remove(0);
    assert_eq!(record["data"]["key"], "[redacted:aws-access-key]");
    assert_eq!(record["data"].get("password"), None);
    assert_eq!(record["data"]["card_number"], "****1111");
    let mut said: Vec<String> = record["redactions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|redaction| {
            let word = |key: &str| redaction[key].as_str().unwrap().to_owned();
            [word("field"), word("rule"), word("action")].join(" ")
        })
        .collect();
    said.sort();
    assert_eq!(
        said,
        [
            "data.card_number card-number-name mask",
            "data.key aws-access-key drop",
            "data.later aws-access-key drop",
            "data.later key-value drop",
            "data.password credential-name drop",
        ]
    );
}

#[test]
fn a_span_keeps_a_bounded_number_of_bytes() {
    let (log, captured) = capture();
    subscribed(&log, || {
        let long = "é".repeat(100_000);
        let span = tracing::info_span!(
            "span",
            a = long,
            b = long,
            c = long,
            d = long,
            e = long,
            f = 1
        );
        span.in_scope(|| tracing::info!("inside"));
    });
    let record = captured.named("log").remove(0);
    let a = record["data"]["a"].as_str().unwrap();
    assert!(
        a.len() <= 1024 && a.contains("…[200000 bytes, sha256:"),
        "{a}"
    );
    assert_eq!(record["data"].get("e"), None, "no room");
    assert_eq!(record["data"]["f"], 1);
    let last = record["redactions"].as_array().unwrap().last().unwrap();
    assert_eq!(
        *last,
        json!({"field": "data.e", "rule": "size", "action": "drop"})
    );
}

#[test]
fn spans_below_the_level_of_the_log_hand_on_nothing() {
    for (level, expected) in [(Level::Info, json!({})), (Level::Debug, json!({"a": 1}))] {
        let (log, captured) = capture_with(|builder| builder.app_level(level));
        subscribed(&log, || {
            let span = tracing::debug_span!("span", a = 1, b = Empty);
            span.in_scope(|| tracing::info!("inside"));
        });
        assert_eq!(data(&captured), [expected]);
    }
}

#[test]
fn a_debug_that_logs_in_its_own_span_stops_nothing() {
    struct Chatty;
    impl fmt::Debug for Chatty {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            tracing::info!("from within");
            f.write_str("chatty")
        }
    }
    let (log, captured) = capture();
    subscribed(&log, || {
        let span = tracing::info_span!("span", value = Empty);
        let _entered = span.enter();
        span.record("value", tracing::field::debug(Chatty));
        tracing::info!("after");
    });
    assert_eq!(data(&captured).last().unwrap()["value"], "chatty");
}

#[test]
fn an_error_in_a_span_has_its_causes() {
    let (log, captured) = capture();
    let error = std::io::Error::other("no room");
    let error: &(dyn StdError + 'static) = &error;
    subscribed(&log, || {
        let span = tracing::info_span!("span", error);
        span.in_scope(|| tracing::info!("inside"));
    });
    assert_eq!(data(&captured), [json!({"error": "no room"})]);
}

#[test]
fn two_logs_may_listen_to_one_subscriber() {
    let ((one, first), (two, second)) = (capture(), capture());
    let subscriber = tracing_subscriber::registry()
        .with(one.tracing_layer())
        .with(two.tracing_layer());
    with_default(subscriber, || {
        let span = tracing::info_span!("span", a = 1, later = Empty);
        let _entered = span.enter();
        span.record("later", AWS);
        tracing::info!("within");
    });
    for captured in [first, second] {
        let expected = json!({"a": 1, "later": "[redacted:aws-access-key]"});
        assert_eq!(data(&captured), [expected]);
    }
}

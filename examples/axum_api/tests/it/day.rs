//! One day on which everything happens that this service can do: each success is recorded, whole, and
//! with nothing in it that must not be there.

use std::time::{Duration, Instant};

use axum::http::{Method, StatusCode};
use axum_api::{event::*, expiry::expire_unpaid};
use compliance_log::test_util::{assert_schema_lock, within};
use serde_json::json;

use crate::api::{AMIR, ANNA, Api, NOBODY};

const SECRETS: [&str; 6] = [
    "4111 1111 1111 1111",
    "4111111111111111",
    "Pia Passenger",
    "demo-pass-anna",
    "demo-token-anna",
    "demo-token-amir",
];

#[tokio::test]
async fn everything_that_happens_is_recorded() {
    let api = Api::new();
    let login = json!({"user": "u-anna", "password": "demo-pass-anna"});
    let answer = api.ask(NOBODY, Method::POST, "/sessions", login).await;
    assert_eq!(answer.body["token"], ANNA);
    api.captured
        .assert_one::<SessionOpened>()
        .success()
        .tenant("acme")
        .user("u-anna")
        .field("category", "security")
        .field("method", "password");

    let booking = api.book(Some("4111 1111 1111 1111")).await;
    api.captured
        .assert_one::<BookingCreated>()
        .success()
        .tenant("acme")
        .user("u-anna")
        .target("booking/1")
        .field("client_id", "web")
        .field("booking_id", 1)
        .field("offer_id", "o-1")
        .field("card", "****1111")
        .redacted("data.card")
        .redacted("data.passenger");

    let answer = api.ask(ANNA, Method::GET, &booking, json!({})).await;
    assert_eq!(answer.body["passenger"], "Pia Passenger");
    api.captured.assert_one::<BookingRead>().success();

    let seats = json!({"seats": 3});
    let answer = api.ask(ANNA, Method::PATCH, &booking, seats).await;
    assert_eq!(answer.body["seats"], 3);
    api.captured
        .assert_one::<BookingChanged>()
        .success()
        .field("seats_before", 2)
        .field("seats", 3);

    let reason = json!({"reason": "passenger_wish"});
    let answer = api.ask(ANNA, Method::DELETE, &booking, reason).await;
    assert_eq!(answer.body["status"], "cancelled");
    assert_eq!(api.service.payments.refunds(), 1);
    let cancelled = api.captured.assert_one::<BookingCancelled>();
    cancelled
        .success()
        .field("refunded_cents", 5_700)
        .field("reason", "passenger_wish");
    let intent = api.captured.assert_one_named("audit.intent");
    intent
        .target("booking/1")
        .field("intent_of", "booking.cancelled")
        .in_trace_of(&cancelled);
    let place = format!("{}/{}", intent["stream"].as_str().unwrap(), intent["seq"]);
    cancelled.field("intent_ref", place);

    let answer = api.ask(ANNA, Method::GET, "/bookings.csv", json!({})).await;
    assert_eq!(answer.body, "booking_id,offer_id,seats\r\n1,\"o-1\",3\r\n");
    api.captured
        .assert_one::<BookingsExported>()
        .success()
        .field("rows", 1);

    let seats = json!({"seats": 4});
    let answer = api.ask(AMIR, Method::PUT, "/seat-limit", seats).await;
    assert_eq!(answer.status, StatusCode::OK);
    api.captured
        .assert_one::<LimitChanged>()
        .success()
        .user("u-amir")
        .field("category", "admin")
        .field("privileged_command", "set-seat-limit 4");

    api.book(None).await;
    let later = Instant::now() + Duration::from_secs(901);
    let expiry = expire_unpaid(&api.service.bookings, Duration::from_secs(900), later);
    within(&api.log, expiry).await.unwrap();
    api.captured.assert_one::<BookingExpired>().success();

    let answer = api.ask(NOBODY, Method::GET, "/health", json!({})).await;
    assert_eq!(answer.body["status"], "ready");

    let requests = api.captured.named("http.request");
    assert_eq!(requests.len(), 9, "one access record for each request");
    api.captured.assert_registered_events_all_emitted(&[]);
    api.captured.assert_complete();
    api.captured.assert_no_secrets(SECRETS);
    api.captured.assert_chain_valid();
}

#[test]
fn reviewers_can_read_which_routes_audit_and_why_others_do_not() {
    let api = Api::new();
    let routes = api.captured.assert_one_named("service.routes");
    let routes = routes["data"]["routes"].as_array().unwrap();
    let unaudited: Vec<_> = routes
        .iter()
        .filter_map(|route| route.get("unaudited"))
        .collect();
    assert_eq!(routes.len(), 10);
    assert_eq!(
        unaudited,
        [
            "liveness probe; touches no data",
            "readiness probe; touches no data",
            "figures for Prometheus; touches no data",
        ]
    );
}

#[test]
fn whoever_reads_the_records_is_not_surprised() {
    assert_schema_lock("audit-schema.lock");
}

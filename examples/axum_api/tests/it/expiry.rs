//! What happens without a request is recorded as well, for its tenant and by the service itself.

use std::time::{Duration, Instant};

use axum::http::Method;
use axum_api::{BookingId, Status, event::BookingExpired, expiry::expire_unpaid};
use compliance_log::test_util::within;
use serde_json::json;

use crate::api::{ANNA, Api};

const AGE: Duration = Duration::from_secs(900);

#[tokio::test]
async fn only_what_was_unpaid_for_long_expires() {
    let api = Api::new();
    api.book(Some("4111 1111 1111 1111")).await;
    let unpaid = api.book(None).await;
    let bookings = &api.service.bookings;

    let soon = Instant::now();
    let expired = within(&api.log, expire_unpaid(bookings, AGE, soon)).await;
    assert_eq!(expired.unwrap(), []);
    api.captured.assert_none::<BookingExpired>();

    let later = soon + AGE + Duration::from_secs(1);
    let expired = within(&api.log, expire_unpaid(bookings, AGE, later)).await;
    assert_eq!(expired.unwrap(), [BookingId(2)]);
    let record = api.captured.assert_one::<BookingExpired>();
    record
        .success()
        .tenant("acme")
        .target("booking/2")
        .field("client_id", "test-service");
    assert!(record["trace_id"].is_string(), "{record}");
    assert_eq!(record.get("request_id"), None, "no request asked for it");

    let answer = api.ask(ANNA, Method::GET, &unpaid, json!({})).await;
    assert_eq!(answer.body["status"], "expired");
    let statuses = bookings.of(&"acme".into());
    assert_eq!(statuses[0].status, Status::Paid);
    api.captured.assert_complete();
}

//! A disk that breaks or cannot keep up: what cannot be recorded does not happen.

use std::time::{Duration, Instant};

use axum::http::{Method, StatusCode};
use axum_api::{BookingId, Status, event::BookingExpired, expiry::expire_unpaid};
use compliance_log::{
    CommitErrorKind, Health,
    test_util::{Fault, Faults, capture_with, within, within_sync},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::api::{ANNA, Answer, Api};

/// The service with its store on a disk that fails on demand.
fn on(faults: &Faults) -> (Api, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let log = capture_with(|builder| {
        let builder = builder.dir(dir.path()).stdout(true);
        faults.under(builder.queue_bytes_max(64 * 1024))
    });
    (Api::over(log), dir)
}

fn wait_until(what: &str, mut met: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !met() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        std::thread::yield_now();
    }
}

/// Who waits for a record may learn that it failed a moment before everybody else does.
fn wait_until_degraded(api: &Api) {
    wait_until("the log is degraded", || {
        api.log.health() == Health::Degraded
    });
}

/// The disk works again, and the log has noticed.
fn mend(api: &Api, faults: &Faults) {
    wait_until_degraded(api);
    faults.clear();
    wait_until("the log is mended", || api.log.health() == Health::Ready);
}

fn new() -> Value {
    json!({"offer_id": "o-2", "seats": 1, "passenger": "Pia Passenger"})
}

fn assert_refused(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
}

#[tokio::test]
async fn a_full_disk_refuses_before_money_moves_and_before_anything_is_booked() {
    let faults = Faults::new();
    let (api, _dir) = on(&faults);
    let booking = api.book(Some("4111 1111 1111 1111")).await;
    let wish = json!({"reason": "passenger_wish"});

    // Nobody knows yet that the disk is full; the announcement of the refund finds out.
    faults.set(Fault::NoSpace);
    let answer = api.ask(ANNA, Method::DELETE, &booking, wish.clone()).await;
    assert_refused(&answer);
    assert_eq!(answer.body["code"], "AUDIT_UNAVAILABLE");
    assert_eq!(api.service.payments.refunds(), 0);

    // From here on everybody knows, and handlers do not even begin.
    wait_until_degraded(&api);
    assert_refused(&api.ask(ANNA, Method::POST, "/bookings", new()).await);
    assert_refused(&api.ask(ANNA, Method::GET, "/bookings.csv", json!({})).await);
    let bookings = api.service.bookings.of(&"acme".into());
    assert_eq!(bookings.len(), 1);
    assert_eq!(bookings[0].status, Status::Paid);
    let health = api.ask(ANNA, Method::GET, "/health", json!({})).await;
    assert_eq!(health.status, StatusCode::OK, "no pod is killed for it");

    mend(&api, &faults);
    let answer = api.ask(ANNA, Method::DELETE, &booking, wish).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(api.service.payments.refunds(), 1);
}

#[tokio::test]
async fn a_disk_that_does_not_answer_refuses_once_the_queue_is_full() {
    let faults = Faults::new();
    let (api, _dir) = on(&faults);
    faults.set(Fault::Stall);
    let event = BookingExpired {
        booking_id: BookingId(0),
    };
    let emit = || within_sync(&api.log, || event.emit());
    emit().unwrap();
    // What the writer has taken makes room no more.
    wait_until("the disk is stalled", || faults.stalled() > 0);
    wait_until("the queue is full", || {
        emit().is_err_and(|error| error.kind() == CommitErrorKind::Full)
    });
    assert_refused(&api.ask(ANNA, Method::POST, "/bookings", new()).await);
    assert_eq!(api.service.bookings.of(&"acme".into()).len(), 0);

    faults.clear();
    api.log.flush().unwrap();
    api.book(None).await;
    assert_eq!(api.service.bookings.of(&"acme".into()).len(), 1);
}

#[tokio::test]
async fn a_job_that_cannot_record_leaves_things_as_they_were() {
    let faults = Faults::new();
    let (api, _dir) = on(&faults);
    api.book(None).await;
    let age = Duration::from_secs(900);
    let later = Instant::now() + age + Duration::from_secs(1);
    let bookings = &api.service.bookings;

    faults.set(Fault::NoSpace);
    let refused = within(&api.log, expire_unpaid(bookings, age, later)).await;
    assert_eq!(refused.unwrap_err().kind(), CommitErrorKind::Unavailable);
    assert_eq!(bookings.of(&"acme".into())[0].status, Status::Unpaid);

    mend(&api, &faults);
    let expired = within(&api.log, expire_unpaid(bookings, age, later)).await;
    assert_eq!(expired.unwrap(), [BookingId(1)]);
}

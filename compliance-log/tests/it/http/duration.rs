//! How long requests took, in as many series as the service has routes.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{Request, StatusCode},
    routing::{any, get},
};
use compliance_log::{
    ComplianceLog,
    clock::{Clock, SystemClock},
    http::AuditLayer,
    test_util::ManualClock,
};
use http_body_util::{BodyExt as _, StreamBody};
use tower::ServiceExt as _;

use super::served::open;
use crate::figures::Figures;

const NAME: &str = "http_server_request_duration_seconds";

fn app(log: &ComplianceLog) -> Router {
    Router::new()
        .route(
            "/bookings/{id}",
            get(|| async { "one" }).post(|| async { StatusCode::CONFLICT }),
        )
        .route("/any", any(|| async { "any" }))
        .route("/gone", get(std::future::pending::<()>))
        .layer(AuditLayer::new(log))
}

async fn ask(app: &Router, method: &str, path: &str) {
    let request = Request::builder().method(method).uri(path);
    let request = request.body(Body::empty()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    response.into_body().collect().await.unwrap();
}

async fn counts(asked: impl AsyncFnOnce(&Router)) -> BTreeMap<String, u64> {
    let figures = Figures::default();
    let (log, _dir) = open();
    {
        let _recording = figures.record();
        asked(&app(&log)).await;
    }
    log.shutdown().unwrap();
    figures.counts(NAME)
}

fn series(labels: &str, count: u64) -> (String, u64) {
    (labels.to_owned(), count)
}

#[tokio::test]
async fn requests_are_told_apart_by_method_route_and_status() {
    let counts = counts(async |app| {
        for id in 0..100 {
            ask(app, "GET", &format!("/bookings/{id}?q={id}")).await;
        }
        ask(app, "POST", "/bookings/1").await;
        ask(app, "PUT", "/bookings/1").await;
        // The client leaves before there is an answer.
        let request = Request::get("/gone").body(Body::empty()).unwrap();
        let mut asked = Box::pin(app.clone().oneshot(request));
        assert!(futures_util::poll!(&mut asked).is_pending());
    })
    .await;
    let of = |method, route, status| {
        format!(
            "http_request_method={method} http_route={route} http_response_status_code={status}"
        )
    };
    let expected = [
        series(&of("GET", "/bookings/{id}", 200), 100),
        series(&of("POST", "/bookings/{id}", 409), 1),
        series(&of("PUT", "/bookings/{id}", 405), 1),
        series(&of("GET", "/gone", 499), 1),
    ];
    assert_eq!(counts, BTreeMap::from(expected));
}

#[tokio::test]
async fn a_flood_of_paths_and_methods_that_nobody_has_makes_no_series() {
    let counts = counts(async |app| {
        for number in 0..300 {
            ask(app, "GET", &format!("/nothing/{number}")).await;
            ask(app, &format!("X{number}"), "/any").await;
            ask(app, &format!("X{number}"), &format!("/nothing/{number}")).await;
        }
    })
    .await;
    let expected = [
        series("http_request_method=GET http_response_status_code=404", 300),
        series(
            "http_request_method=_OTHER http_response_status_code=404",
            300,
        ),
        series(
            "http_request_method=_OTHER http_route=/any http_response_status_code=200",
            300,
        ),
    ];
    assert_eq!(counts, BTreeMap::from(expected));
}

#[tokio::test]
async fn the_time_is_that_of_the_whole_request_its_body_included() {
    let clock = Arc::new(ManualClock::new(SystemClock::new().now()));
    let dir = tempfile::tempdir().unwrap();
    let log = ComplianceLog::builder("booking-api")
        .env("test")
        .dir(dir.path())
        .clock(Arc::<ManualClock>::clone(&clock))
        .open()
        .unwrap();
    let slow = Arc::clone(&clock);
    let handler = move || async move {
        slow.advance(Duration::from_secs(2));
        let rows = futures_util::stream::once(async move {
            slow.advance(Duration::from_secs(3));
            Ok::<_, std::convert::Infallible>(http_body::Frame::data(Bytes::from_static(b"row")))
        });
        Body::new(StreamBody::new(rows))
    };
    let app = Router::new()
        .route("/rows", get(handler))
        .layer(AuditLayer::new(&log));
    let figures = Figures::default();
    {
        let _recording = figures.record();
        ask(&app, "GET", "/rows").await;
    }
    log.shutdown().unwrap();
    assert!(
        (figures.sum(NAME) - 5.0).abs() < 1e-9,
        "{}",
        figures.sum(NAME)
    );
}

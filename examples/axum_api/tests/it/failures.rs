//! Each way to fail: what the client is told, and what the log learns.

use axum::http::Method;
use serde_json::{Value, json};

use crate::api::{AMIR, ANNA, Api, NOBODY};

struct Case {
    token: &'static str,
    method: Method,
    path: &'static str,
    body: Value,
    status: u16,
    event: &'static str,
    code: &'static str,
    detail: Option<&'static str>,
}

impl Case {
    fn new(token: &'static str, method: Method, path: &'static str, body: Value) -> Self {
        Self {
            token,
            method,
            path,
            body,
            status: 0,
            event: "",
            code: "",
            detail: None,
        }
    }

    fn fails(self, status: u16, event: &'static str, code: &'static str) -> Self {
        Self {
            status,
            event,
            code,
            ..self
        }
    }

    fn denied(self) -> Self {
        Self {
            detail: Some("denied"),
            ..self
        }
    }
}

fn booking(seats: u8, card: &str) -> Value {
    json!({"offer_id": "o-1", "seats": seats, "passenger": "Pia Passenger", "card": card})
}

fn cases() -> Vec<Case> {
    let login = |user, password| json!({"user": user, "password": password});
    let wish = json!({"reason": "passenger_wish"});
    vec![
        Case::new(
            ANNA,
            Method::POST,
            "/bookings",
            booking(10, "4111111111111111"),
        )
        .fails(422, "booking.created", "BAD_SEATS"),
        Case::new(ANNA, Method::POST, "/bookings", booking(2, "my card")).fails(
            422,
            "booking.created",
            "BAD_CARD",
        ),
        Case::new(ANNA, Method::POST, "/bookings", json!({"seats": "many"})).fails(
            422,
            "booking.created",
            "HTTP_422",
        ),
        Case::new(
            NOBODY,
            Method::POST,
            "/bookings",
            booking(2, "4111111111111111"),
        )
        .fails(401, "booking.created", "NO_TENANT")
        .denied(),
        Case::new(ANNA, Method::GET, "/bookings/7", json!({})).fails(
            404,
            "booking.read",
            "NO_SUCH_BOOKING",
        ),
        Case::new(ANNA, Method::GET, "/bookings/seven", json!({})).fails(
            400,
            "booking.read",
            "HTTP_400",
        ),
        Case::new(ANNA, Method::PATCH, "/bookings/1", json!({"seats": 0})).fails(
            422,
            "booking.changed",
            "BAD_SEATS",
        ),
        Case::new(ANNA, Method::PATCH, "/bookings/2", json!({"seats": 1})).fails(
            409,
            "booking.changed",
            "NOT_ACTIVE",
        ),
        Case::new(ANNA, Method::DELETE, "/bookings/2", wish).fails(
            409,
            "booking.cancelled",
            "NOT_ACTIVE",
        ),
        Case::new(
            ANNA,
            Method::DELETE,
            "/bookings/1",
            json!({"reason": "boredom"}),
        )
        .fails(422, "booking.cancelled", "HTTP_422"),
        Case::new(NOBODY, Method::GET, "/bookings.csv", json!({}))
            .fails(401, "booking.exported", "NO_TENANT")
            .denied(),
        Case::new(ANNA, Method::PUT, "/seat-limit", json!({"seats": 9}))
            .fails(403, "limit.changed", "FORBIDDEN")
            .denied(),
        Case::new(
            NOBODY,
            Method::POST,
            "/sessions",
            login("u-anna", "wrong-password"),
        )
        .fails(401, "session.opened", "BAD_CREDENTIALS")
        .denied(),
        Case::new(
            NOBODY,
            Method::POST,
            "/sessions",
            login("u-nobody", "wrong-password"),
        )
        .fails(401, "session.opened", "BAD_CREDENTIALS")
        .denied(),
        // The token says Amir, the password Anna.
        Case::new(
            AMIR,
            Method::POST,
            "/sessions",
            login("u-anna", "demo-pass-anna"),
        )
        .fails(403, "session.opened", "OTHER_IDENTITY")
        .denied(),
    ]
}

#[tokio::test]
async fn each_failure_is_answered_and_recorded_once_under_its_code() {
    let api = Api::new();
    api.book(Some("4111 1111 1111 1111")).await;
    let cancelled = api.book(Some("4111 1111 1111 1111")).await;
    let wish = json!({"reason": "passenger_wish"});
    api.ask(ANNA, Method::DELETE, &cancelled, wish).await;

    for case in cases() {
        let what = format!("{} {} {}", case.method, case.path, case.body);
        let before = api.captured.named(case.event).len();
        let answer = api.ask(case.token, case.method, case.path, case.body).await;
        assert_eq!(answer.status, case.status, "{what}: {answer:?}");
        let records = api.captured.named(case.event);
        assert_eq!(records.len(), before + 1, "{what}");
        let record = records.last().unwrap();
        record.fail(case.code);
        let detail = record.get("outcome_detail").and_then(Value::as_str);
        assert_eq!(detail, case.detail, "{what}");
        // Codes of our own are told to the client, too.
        if !case.code.starts_with("HTTP_") {
            assert_eq!(answer.body["code"], case.code, "{what}");
        }
    }
    assert_eq!(api.service.payments.refunds(), 1);
    api.captured.assert_one_named("security.context_mismatch");
    api.captured.assert_complete();
    api.captured.assert_no_secrets([
        "4111111111111111",
        "Pia Passenger",
        "wrong-password",
        "demo-pass-anna",
        "demo-token",
    ]);
}

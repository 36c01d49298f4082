//! What one tenant does, no other sees; and who tries is on record.

use axum::http::{Method, StatusCode};
use compliance_log::{Mode, test_util::capture_with};
use serde_json::json;

use crate::api::{ANNA, Api, GWEN, NOBODY};

#[tokio::test]
async fn the_booking_of_another_tenant_does_not_exist_and_asking_for_it_is_denied() {
    let api = Api::new();
    let booking = api.book(Some("4111 1111 1111 1111")).await;
    for (method, body, event) in [
        (Method::GET, json!({}), "booking.read"),
        (Method::PATCH, json!({"seats": 1}), "booking.changed"),
        (
            Method::DELETE,
            json!({"reason": "passenger_wish"}),
            "booking.cancelled",
        ),
    ] {
        let theirs = api.ask(GWEN, method.clone(), &booking, body.clone()).await;
        api.last(event)
            .fail("OTHER_TENANT")
            .tenant("globex")
            .user("u-gwen")
            .field("outcome_detail", "denied")
            .field("error_message", "booking 1 belongs to another tenant");

        let none = api.ask(GWEN, method, "/bookings/99", body).await;
        api.last(event).fail("NO_SUCH_BOOKING");
        assert_eq!(theirs.status, StatusCode::NOT_FOUND);
        assert_eq!(
            (theirs.status, theirs.body),
            (none.status, none.body),
            "a client cannot tell them apart"
        );
    }
    let answer = api.ask(ANNA, Method::GET, &booking, json!({})).await;
    assert_eq!(answer.body["seats"], 2, "nothing was changed");
    assert_eq!(api.service.payments.refunds(), 0);
    assert!(
        api.captured.named("audit.intent").is_empty(),
        "nothing was begun"
    );
}

#[tokio::test]
async fn who_has_no_token_is_turned_away_even_while_the_log_only_observes() {
    let api = Api::over(capture_with(|builder| builder.mode(Mode::Observe)));
    let answer = api
        .ask(NOBODY, Method::GET, "/bookings.csv", json!({}))
        .await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.body["code"], "NO_TOKEN");
    api.last("booking.exported")
        .fail("NO_TOKEN")
        .field("outcome_detail", "denied");
}

#[tokio::test]
async fn an_export_holds_the_bookings_of_its_tenant_alone() {
    let api = Api::new();
    api.book(None).await;
    let answer = api.ask(GWEN, Method::GET, "/bookings.csv", json!({})).await;
    assert_eq!(answer.body, "booking_id,offer_id,seats\r\n");
    api.last("booking.exported")
        .tenant("globex")
        .field("rows", 0);
}

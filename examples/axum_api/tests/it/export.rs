//! A download is on record before it begins, and how far it came once it ends.

use axum::http::{Method, StatusCode};
use axum_api::event::BookingsExported;
use http_body_util::BodyExt as _;
use serde_json::json;

use crate::api::{ANNA, Api};

#[tokio::test]
async fn a_client_that_leaves_during_the_download_has_an_export_on_record_all_the_same() {
    let api = Api::new();
    api.book(None).await;
    api.book(None).await;
    let response = api
        .open(ANNA, Method::GET, "/bookings.csv", json!({}))
        .await;
    assert_eq!(response.status(), StatusCode::OK);
    let export = api.captured.assert_one::<BookingsExported>();
    export.success().tenant("acme").field("rows", 2);

    let mut body = response.into_body();
    let head = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(head, "booking_id,offer_id,seats\r\n");
    drop(body);
    let access = api.last("http.request");
    access
        .fail("CLIENT_GONE")
        .user("u-anna")
        .target("GET /bookings.csv")
        .field("status_code", 200)
        .field("outcome_detail", "partial")
        .field("bytes_out", head.len())
        .in_trace_of(&export);
}

// What the service of the README records; a part of its test in the documentation.

pub mod check {
    use super::*;
    use axum::{Router, body::Body, http::Request};
    use compliance_log::test_util;
    use tower::ServiceExt as _;

    #[tokio::main]
    pub async fn main() {
        let (log, captured) = test_util::capture();
        let app = Router::from(app(&log));
        let request = Request::post("/bookings")
            .header("content-type", "application/json")
            .body(Body::from(r#""4111 1111 1111 1111""#))
            .unwrap();
        let answer = app.oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 200);
        axum::body::to_bytes(answer.into_body(), 64).await.unwrap();

        let booking = captured.assert_one::<BookingCreated>();
        booking
            .success()
            .target("booking/17")
            .field("booking_id", 17)
            .field("data.card", "****1111");
        captured
            .assert_one_named("http.request")
            .success()
            .in_trace_of(&booking)
            .field("target_resource", "POST /bookings");
        captured
            .assert_one_named("service.routes")
            .field(
                "data.routes",
                serde_json::json!([
                    {"method": "POST", "path": "/bookings", "event": "booking.created"},
                    {"method": "GET", "path": "/health", "unaudited": "liveness probe"},
                ]),
            );
        captured.assert_no_secrets(["4111 1111 1111 1111"]);
        captured.assert_complete();
    }
}

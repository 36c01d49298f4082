//! The service without a server, and what its log wrote.

use axum::{
    Router,
    body::Body,
    http::{Method, Request, StatusCode, header},
    response::Response,
};
use axum_api::{Service, router};
use compliance_log::{
    ComplianceLog,
    test_util::{Captured, Found, capture},
};
use serde_json::{Value, json};
use tower::ServiceExt as _;

pub(crate) const ANNA: &str = "demo-token-anna";
pub(crate) const AMIR: &str = "demo-token-amir";
pub(crate) const GWEN: &str = "demo-token-gwen";

/// A token that nobody has.
pub(crate) const NOBODY: &str = "demo-token-nobody";

pub(crate) struct Api {
    pub(crate) log: ComplianceLog,
    pub(crate) captured: Captured,
    pub(crate) service: Service,
    router: Router,
}

/// A body that was read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

impl Api {
    pub(crate) fn new() -> Self {
        Self::over(capture())
    }

    pub(crate) fn over((log, captured): (ComplianceLog, Captured)) -> Self {
        let service = Service::demo();
        let router = router(&log, service.clone());
        Self {
            log,
            captured,
            service,
            router,
        }
    }

    /// One request, of which the body is not read yet.
    pub(crate) async fn open(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Value,
    ) -> Response {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn ask(&self, token: &str, method: Method, path: &str, body: Value) -> Answer {
        let response = self.open(token, method, path, body).await;
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await;
        let text = String::from_utf8(bytes.unwrap().to_vec()).unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Answer { status, body }
    }

    /// Anna books two seats, paid or not; gives the path of the booking.
    pub(crate) async fn book(&self, card: Option<&str>) -> String {
        let new =
            json!({"offer_id": "o-1", "seats": 2, "passenger": "Pia Passenger", "card": card});
        let answer = self.ask(ANNA, Method::POST, "/bookings", new).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        format!("/bookings/{}", answer.body["booking_id"])
    }

    /// The newest record of an event.
    pub(crate) fn last(&self, event: &str) -> Found {
        let records = self.captured.named(event);
        records.last().unwrap().clone()
    }
}

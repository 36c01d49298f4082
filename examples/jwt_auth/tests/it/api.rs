//! The service without a server, and what its log wrote.

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use compliance_log::{
    ComplianceLog,
    test_util::{Captured, Found, capture},
};
use jwt_auth::{Verifier, router};
use tower::ServiceExt as _;

use crate::issuer::{AUDIENCE, ISSUER, KEYCLOAK};

pub(crate) const ACME: &str = "/tenants/acme/bookings";
pub(crate) const MISMATCH: &str = "security.context_mismatch";

pub(crate) struct Api {
    /// Keeps the log open.
    _log: ComplianceLog,
    pub(crate) captured: Captured,
    router: Router,
}

impl Api {
    pub(crate) fn new() -> Self {
        let (log, captured) = capture();
        let keys = serde_json::from_value(KEYCLOAK.jwks()).unwrap();
        let verifier = Verifier::new(&keys, ISSUER, AUDIENCE).unwrap();
        Self {
            router: router(&log, verifier),
            _log: log,
            captured,
        }
    }

    /// Status and body of a request with these headers, of which the whole is read.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> (StatusCode, String) {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    /// Status of `GET` with a token and these headers.
    pub(crate) async fn get(&self, path: &str, token: &str, headers: &[(&str, &str)]) -> u16 {
        let bearer = format!("Bearer {token}");
        let mut all = vec![("authorization", &*bearer)];
        all.extend_from_slice(headers);
        self.send("GET", path, &all).await.0.as_u16()
    }

    /// The only record of an event.
    #[track_caller]
    pub(crate) fn only(&self, event: &str) -> Found {
        let mut records = self.captured.named(event);
        assert_eq!(records.len(), 1, "{event}: {records:#?}");
        records.remove(0)
    }

    /// That every record of the service's requests says who acted: `tenant user client`.
    #[track_caller]
    pub(crate) fn assert_acted(&self, expected: &str) {
        let records = self.captured.records();
        let mut of_requests = records
            .iter()
            .filter(|record| record["request_id"].is_string());
        assert!(of_requests.clone().count() > 0, "{records:#?}");
        let acted = |record: &Found| {
            let rows = ["tenant_id", "user_id", "client_id"];
            rows.map(|row| record[row].as_str().unwrap_or("-").to_owned())
                .join(" ")
        };
        let other = of_requests.find(|record| acted(record) != expected);
        assert!(other.is_none(), "not by {expected}: {other:#?}");
        self.captured.assert_complete();
        self.captured.assert_chain_valid();
    }
}

//! The service that the test suite of W3C Trace Context speaks to.
//!
//! `POST /test` takes a list of calls, `[{"url": .., "arguments": [..]}]`, makes each with the headers
//! that the log's context gives it, and answers 200.

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use compliance_log::{ComplianceLog, http::AuditLayer};
use reqwest_middleware::ClientWithMiddleware;
use serde::Deserialize;
use serde_json::Value;

mod outgoing;

/// One call that the suite asks for.
#[derive(Debug, Deserialize)]
struct Call {
    url: String,
    arguments: Value,
}

/// The service, with `log` around it.
pub fn service(log: &ComplianceLog) -> Router {
    Router::new()
        .route("/test", post(test))
        .with_state(outgoing::client())
        .layer(AuditLayer::new(log))
}

async fn test(
    State(client): State<ClientWithMiddleware>,
    Json(calls): Json<Vec<Call>>,
) -> Result<Json<Value>, (StatusCode, String)> {
    for call in calls {
        let sent = client.post(&call.url).json(&call.arguments).send().await;
        sent.map_err(|error| (StatusCode::BAD_GATEWAY, format!("{}: {error}", call.url)))?;
    }
    Ok(Json(Value::Array(Vec::new())))
}

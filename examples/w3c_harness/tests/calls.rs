//! The calls that the service makes carry the trace of the request, each with an id of its own.

#![expect(clippy::unwrap_used, reason = "what cannot be set up ends the test")]

use std::sync::{Arc, Mutex};

use axum::{Json, Router, http::HeaderMap, routing::post};
use compliance_log::ComplianceLog;
use serde_json::{Value, json};
use tokio::net::TcpListener;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// Serves on a free port, and gives its address.
async fn serve(app: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}

/// What three calls bring along that one request with these headers leads to.
async fn calls(headers: &[(&str, &str)]) -> Vec<HeaderMap> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&seen);
    let back = move |headers: HeaderMap, Json(_): Json<Value>| {
        keep.lock().unwrap().push(headers);
        async { Json(json!([])) }
    };
    let back = serve(Router::new().route("/back", post(back))).await;
    let dir = tempfile::tempdir().unwrap();
    let log = ComplianceLog::builder("w3c-harness")
        .env("test")
        .dir(dir.path())
        .open()
        .unwrap();
    let service = serve(w3c_harness::service(&log)).await;
    let call = json!({"url": format!("{back}/back"), "arguments": []});
    let mut request = reqwest::Client::new().post(format!("{service}/test"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request
        .json(&json!([call, call, call]))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    log.shutdown().unwrap();
    let calls = seen.lock().unwrap().clone();
    assert_eq!(calls.len(), 3);
    calls
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    Some(headers.get(name)?.to_str().unwrap())
}

#[tokio::test]
async fn a_trace_goes_on_and_each_call_is_a_child_of_its_own() {
    let traceparent = format!("00-{TRACE}-{PARENT}-01");
    let sent = [
        ("traceparent", traceparent.as_str()),
        ("tracestate", "a=1"),
        ("tracestate", "b=2"),
    ];
    let calls = calls(&sent).await;
    let parents: Vec<&str> = calls
        .iter()
        .map(|headers| {
            assert_eq!(headers.get_all("traceparent").iter().count(), 1);
            assert_eq!(text(headers, "tracestate"), Some("a=1,b=2"));
            let parent = text(headers, "traceparent").unwrap();
            assert!(
                parent.starts_with(&format!("00-{TRACE}-")) && parent.ends_with("-01"),
                "{parent}"
            );
            &parent[36..52]
        })
        .collect();
    assert!(!parents.contains(&PARENT), "{parents:?}");
    assert!(
        parents[0] != parents[1] && parents[1] != parents[2],
        "{parents:?}"
    );
}

#[tokio::test]
async fn what_is_not_valid_begins_a_trace_without_a_state() {
    for wrong in [
        format!("00-{TRACE}-{PARENT}"),
        format!("ff-{TRACE}-{PARENT}-01"),
        format!("00-{TRACE}-{PARENT}-01-"),
        format!("00-{}-{PARENT}-01", TRACE.to_uppercase()),
        format!("00-{}-{PARENT}-01", "0".repeat(32)),
    ] {
        let calls = calls(&[("traceparent", &wrong), ("tracestate", "a=1")]).await;
        for headers in &calls {
            let parent = text(headers, "traceparent").unwrap();
            assert!(!parent.contains(TRACE), "{wrong}: {parent}");
            assert_eq!(text(headers, "tracestate"), None, "{wrong}");
        }
    }
}

//! Trace, request id, address and agent of a request.

use std::net::SocketAddr;

use axum::{Router, extract::ConnectInfo, routing::get};
use compliance_log::http::{AuditLayer, RequestAudit, Trust};
use serde_json::Value;

use super::served::{access, header, request, serve};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// Tells the handler's view of the context, and writes an access record for each of `headers`.
async fn send(trust: Trust, headers: &[&str]) -> (Vec<String>, Vec<Value>) {
    let handler = |audit: RequestAudit| async move {
        let context = audit.context();
        format!(
            "flags {} state {:?}",
            context.flags().as_byte(),
            context.tracestate()
        )
    };
    let app = Router::new().route("/", get(handler));
    let server = serve(|log| app.layer(AuditLayer::new(log).trust(trust))).await;
    let mut answers = Vec::new();
    for headers in headers {
        answers.push(server.send(&request("GET", "/", headers)).await);
    }
    let records = server.records(headers.len()).await;
    (answers, access(&records))
}

#[tokio::test]
async fn a_valid_trace_is_continued_with_a_span_of_our_own() {
    let headers =
        format!("traceparent: 00-{TRACE}-{PARENT}-03\r\ntracestate: a=1\r\ntracestate: b=2\r\n");
    let (answers, records) = send(Trust::default(), &[&headers, &headers]).await;
    for (answer, record) in answers.iter().zip(&records) {
        assert_eq!(record["trace_id"], TRACE);
        assert_ne!(record["span_id"], PARENT);
        assert!(
            answer.ends_with("flags 3 state Some(\"a=1,b=2\")"),
            "{answer}"
        );
    }
    assert_ne!(records[0]["span_id"], records[1]["span_id"]);
}

#[tokio::test]
async fn an_unsampled_trace_is_recorded() {
    let headers = format!("traceparent: 00-{TRACE}-{PARENT}-00\r\n");
    let (answers, records) = send(Trust::default(), &[&headers]).await;
    assert_eq!(records[0]["trace_id"], TRACE);
    assert!(answers[0].ends_with("flags 0 state None"), "{}", answers[0]);
}

#[tokio::test]
async fn anything_else_begins_a_new_trace() {
    let valid = format!("traceparent: 00-{TRACE}-{PARENT}-01\r\ntracestate: a=1\r\n");
    let twice = format!("traceparent: 00-{TRACE}-{PARENT}-01\r\n{valid}");
    let invalid = format!("traceparent: 00-{TRACE}-{PARENT}-01-\r\ntracestate: a=1\r\n");
    let state_only = "tracestate: a=1\r\n".to_owned();
    let not_ascii = format!("traceparent: 00-{TRACE}-{PARENT}-01\u{a0}\r\n");
    let mut runs = Vec::new();
    runs.push(
        send(
            Trust::default(),
            &[&twice, &invalid, &state_only, &not_ascii, ""],
        )
        .await,
    );
    runs.push(send(Trust::edge(), &[&valid]).await);
    for (answers, records) in runs {
        for (answer, record) in answers.iter().zip(&records) {
            assert_ne!(record["trace_id"], TRACE, "{answer}");
            assert_eq!(record["trace_id"].as_str().unwrap().len(), 32);
            assert!(answer.ends_with("flags 2 state None"), "{answer}");
        }
    }
}

#[tokio::test]
async fn a_request_id_is_taken_over_only_from_a_trusted_peer() {
    let theirs = "x-request-id: theirs-1\r\n";
    for trust in [Trust::default(), Trust::edge(), Trust::internal()] {
        let (answers, records) = send(trust, &[theirs, "x-request-id: no good\r\n", ""]).await;
        let ids: Vec<&str> = records
            .iter()
            .map(|r| r["request_id"].as_str().unwrap())
            .collect();
        for (answer, id) in answers.iter().zip(&ids) {
            assert_eq!(header(answer, "x-request-id"), Some(*id), "{answer}");
        }
        assert_eq!(
            ids[0] == "theirs-1",
            trust == Trust::internal(),
            "{trust:?}"
        );
        for id in &ids[1..] {
            assert_eq!(id.len(), 36, "{id}");
        }
        assert_ne!(ids[1], ids[2]);
    }
}

#[tokio::test]
async fn the_peers_address_and_the_agent_are_recorded_and_no_other_header() {
    let app = Router::new().route("/", get(|| async { "ok" }));
    let server = serve(|log| {
        app.layer(
            AuditLayer::new(log)
                .peer_of(|extensions| Some(extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip())),
        )
    })
    .await;
    let agent = "a".repeat(2000);
    let headers = format!(
        "user-agent: {agent}\r\nx-forwarded-for: 203.0.113.9\r\nauthorization: Bearer s3cr3t\r\ncookie: sid=s3cr3t\r\n"
    );
    server.send(&request("GET", "/", &headers)).await;
    let record = server.access().await;
    assert_eq!(record["ip"], "127.0.0.1");
    let recorded = record["user_agent"].as_str().unwrap();
    assert!(
        recorded.len() <= 512 && recorded.contains("[2000 bytes, sha256:"),
        "{recorded}"
    );
    let text = record.to_string();
    assert!(
        !text.contains("203.0.113.9") && !text.contains("s3cr3t"),
        "{text}"
    );
}

//! What Prometheus finds at `/metrics`, and probes at `/health` and `/ready`, over a socket.

use std::net::SocketAddr;

use axum_api::{Service, router};
use compliance_log::ComplianceLog;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

async fn get(address: SocketAddr, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    answer
}

/// The value of the only sample whose line begins so.
fn sample(text: &str, start: &str) -> f64 {
    let lines = text.lines().filter(|line| line.starts_with(start));
    let values: Vec<f64> = lines
        .map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
        .collect();
    assert_eq!(values.len(), 1, "{start}: {text}");
    values[0]
}

#[tokio::test]
async fn the_service_exports_its_figures_and_those_of_its_log() {
    let service = Service::demo();
    let dir = tempfile::tempdir().unwrap();
    let log = ComplianceLog::builder("booking-api")
        .env("test")
        .dir(dir.path())
        .open()
        .unwrap();
    let app = router(&log, service).into_make_service_with_connect_info::<SocketAddr>();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });

    let refused = get(address, "/bookings.csv").await;
    assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");
    for number in 0..20 {
        get(address, &format!("/nothing/{number}")).await;
    }
    for path in ["/health", "/ready"] {
        let answer = get(address, path).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        let body: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
        assert_eq!(body["status"], "ready", "{body}");
        assert_eq!(body["budget"], "ample", "{body}");
    }
    log.flush().unwrap();

    let answer = get(address, "/metrics").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(
        answer.contains("content-type: text/plain; version=0.0.4"),
        "{answer}"
    );
    // The service's other tests may share the process, and so the exporter.
    let labels = r#"http_request_method="GET",http_response_status_code="404""#;
    let lost = format!("http_server_request_duration_seconds_count{{{labels}}}");
    assert!(sample(&answer, &lost) >= 20.0, "{answer}");
    assert!(!answer.contains("/nothing"), "one series for all of them");
    let refused = r#"http_server_request_duration_seconds_bucket{http_request_method="GET",http_route="/bookings.csv",http_response_status_code="401",le="10"}"#;
    assert!(sample(&answer, refused) >= 1.0, "{answer}");
    let records = r#"compliance_log_records{channel="audit"}"#;
    assert!(sample(&answer, records) >= 21.0, "{answer}");
    for name in [
        "compliance_log_store_bytes_max",
        "compliance_log_commit_seconds_count",
    ] {
        assert!(sample(&answer, &format!("{name} ")) > 0.0, "{name}");
    }
    assert!(sample(&answer, "compliance_log_queue_bytes ") >= 0.0);
    assert!(answer.contains("\ncompliance_log_degraded 0\n"), "{answer}");
    assert_eq!(answer.matches("compliance_log_no_peer").count(), 0);

    server.abort();
    assert!(server.await.unwrap_err().is_cancelled());
    log.shutdown().unwrap();
}

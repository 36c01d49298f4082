//! Clients that want to hide: what they send before the truth, and in its place.

use std::net::SocketAddr;

use axum::{
    Extension, Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode},
    routing::get,
};
use compliance_log::{
    Volume, audit_event,
    http::{AuditLayer, AuditRouter, TrustedProxies, unaudited},
    test_util::{capture, capture_with},
};
use tower::ServiceExt as _;

#[audit_event(name = "cache.hit", category = "app", target = "cache")]
struct Hit {
    number: u64,
}

/// With one method for each place in which records are counted, a client would have every later one written.
#[tokio::test]
async fn invented_methods_do_not_end_the_counting() {
    let (log, captured) = capture_with(|builder| builder.volume("cache.hit", Volume::OnChange));
    let app: Router = AuditRouter::new(&log)
        .route("/health", unaudited::get(async || "ok", "liveness probe"))
        .route(
            "/hit",
            unaudited::get(async || Hit { number: 1 }.emit().unwrap(), "for the test"),
        )
        .into();
    let ask = async |method: &str, path: &str| {
        let request = Request::builder().method(method).uri(path);
        let request = request.body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        let status = response.status();
        to_bytes(response.into_body(), 64).await.unwrap();
        status
    };
    for number in 0..1100 {
        let status = ask(&format!("X{number}"), "/health").await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    }
    for _ in 0..10 {
        assert_eq!(ask("GET", "/health").await, StatusCode::OK);
        assert_eq!(ask("GET", "/hit").await, StatusCode::OK);
    }
    assert_eq!(captured.named("cache.hit").len(), 1);
    // Each refusal is told, and each answer that is always the same once.
    assert_eq!(captured.named("http.request").len(), 1100 + 2);
}

#[tokio::test]
async fn no_length_of_forged_hops_hides_where_a_client_is() {
    let forged = "6.6.6.6, ".repeat(10_000);
    let (log, captured) = capture();
    let peer: SocketAddr = "10.0.0.7:80".parse().unwrap();
    let nets = ["10.0.0.0/8"];
    for (name, value, proxies) in [
        (
            "x-forwarded-for",
            format!("{forged}203.0.113.9"),
            TrustedProxies::x_forwarded_for(nets),
        ),
        (
            "forwarded",
            format!("{}for=203.0.113.9", "for=6.6.6.6, ".repeat(10_000)),
            TrustedProxies::forwarded(nets),
        ),
    ] {
        let layer = AuditLayer::new(&log).proxies(proxies.unwrap());
        let app = Router::new()
            .route("/", get(|| async { "ok" }))
            .layer(layer)
            .layer(Extension(peer));
        let request = Request::get("/").header(name, value);
        let request = request.body(Body::empty()).unwrap();
        app.oneshot(request).await.unwrap();
    }
    let records = captured.named("http.request");
    assert_eq!(records.len(), 2);
    for record in records {
        assert_eq!(record["ip"], "203.0.113.9", "{record:#?}");
        assert_eq!(record["data"].get("ip_of"), None, "{record:#?}");
    }
}

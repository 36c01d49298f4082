//! Which route a request is counted under: what the author wrote, never what a client sent.

use std::collections::BTreeSet;

use axum::{
    Router,
    http::StatusCode,
    routing::{any, get, get_service},
};
use compliance_log::http::AuditLayer;

use super::{
    client::{Http2, Sent, VERSIONS, Version},
    served::{access, serve, verdict},
};

/// A router with every way to reach a handler.
fn app() -> Router {
    let handler = || async { "ok" };
    let not_found = || async { (StatusCode::NOT_FOUND, "no") };
    let inner = Router::new()
        .route("/{id}", get(handler))
        .route("/{id}/seats/{seat}", get(handler));
    let nested_twice = Router::new().nest("/{tenant}", inner.clone());
    Router::new()
        .route("/", get(handler))
        .route("/files/{*path}", get(handler))
        .route("/service", get_service(get(handler)))
        .route("/any", any(handler))
        .merge(Router::new().route("/merged/{id}", get(handler)))
        .nest("/bookings", inner.clone())
        .nest("/tenants", nested_twice)
        .nest(
            "/own-fallback",
            Router::new().route("/a", get(handler)).fallback(not_found),
        )
        .nest_service("/service/{name}/in", inner)
        .fallback(not_found)
}

#[tokio::test]
async fn routes_are_named_as_they_were_written_and_all_else_is_unmatched() {
    let server = serve(|log| app().layer(AuditLayer::new(log))).await;
    let cases = [
        ("GET", "/", "GET / | 200 | success | - | -"),
        ("POST", "/", "POST / | 405 | fail | - | HTTP_405"),
        (
            "GET",
            "/files/a/b/c",
            "GET /files/{*path} | 200 | success | - | -",
        ),
        ("GET", "/service", "GET /service | 200 | success | - | -"),
        ("PATCH", "/any", "PATCH /any | 200 | success | - | -"),
        (
            "GET",
            "/merged/17",
            "GET /merged/{id} | 200 | success | - | -",
        ),
        (
            "GET",
            "/bookings/17",
            "GET /bookings/{id} | 200 | success | - | -",
        ),
        (
            "GET",
            "/bookings/17/seats/4a",
            "GET /bookings/{id}/seats/{seat} | 200 | success | - | -",
        ),
        (
            "GET",
            "/tenants/acme/17",
            "GET /tenants/{tenant}/{id} | 200 | success | - | -",
        ),
        (
            "GET",
            "/own-fallback/a",
            "GET /own-fallback/a | 200 | success | - | -",
        ),
        (
            "GET",
            "/own-fallback/b",
            "GET unmatched | 404 | fail | - | HTTP_404",
        ),
        (
            "GET",
            "/service/x/in/17",
            "GET unmatched | 200 | success | - | -",
        ),
        (
            "GET",
            "/service/x/in/17/y",
            "GET unmatched | 404 | fail | - | HTTP_404",
        ),
        (
            "GET",
            "/bookings/17/seats",
            "GET unmatched | 404 | fail | - | HTTP_404",
        ),
        (
            "GET",
            "/nowhere",
            "GET unmatched | 404 | fail | - | HTTP_404",
        ),
    ];
    for (method, path, _) in cases {
        for version in VERSIONS {
            let sent = Sent::new(method, path);
            sent.over(version, server.addr).await.unwrap();
        }
    }
    let records = access(&server.records(2 * cases.len()).await);
    let each = cases.iter().flat_map(|case| [case; 2]);
    for ((_, path, expected), record) in each.zip(&records) {
        assert_eq!(verdict(record), *expected, "{path}");
        assert_eq!(record["data"]["path"], *path);
    }
}

#[tokio::test]
async fn a_flood_of_unknown_paths_is_one_target() {
    const REQUESTS: usize = 500;
    let server = serve(|log| app().layer(AuditLayer::new(log))).await;
    let mut connection = Http2::connect(server.addr).await;
    for number in 0..REQUESTS {
        let sent = Sent::get(format!("/nowhere/{number}/.env?{number}"));
        let answer = match number % 10 {
            0 => sent.over(Version::Http1, server.addr).await,
            _ => sent.on(&mut connection).await,
        };
        assert_eq!(answer.unwrap().status, 404);
    }
    connection.close().await;
    let records = access(&server.records(REQUESTS).await);
    let of = |key: &str| -> BTreeSet<String> {
        let values = records.iter().map(|record| record[key].to_string());
        values.collect()
    };
    assert_eq!(
        of("target_resource"),
        BTreeSet::from(["\"GET unmatched\"".to_owned()])
    );
    assert_eq!(of("event").len(), 1);
    assert_eq!(of("data").len(), REQUESTS, "each path is told");
}

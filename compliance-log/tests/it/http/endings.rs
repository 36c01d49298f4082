//! Exactly one access record for each request, however it ends.

use std::{convert::Infallible, io, sync::Arc, task::Poll, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use compliance_log::{audit_event, http::AuditLayer};
use futures_util::{Stream, StreamExt, stream};
use tokio::{io::AsyncReadExt, sync::Notify};
use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer};

use super::{
    client::{Http2, Sent, VERSIONS, Version},
    served::{named, request, serve, verdict},
};

#[audit_event(name = "test.seen", target = "{place}")]
struct Seen {
    #[audit(internal)]
    place: &'static str,
}

impl Seen {
    fn at(place: &'static str) {
        Self { place }.emit().unwrap();
    }
}

/// Writes an event when it is dropped.
struct OnDrop(&'static str);

impl Drop for OnDrop {
    fn drop(&mut self) {
        Seen::at(self.0);
    }
}

fn streamed<E>(chunks: impl Stream<Item = Result<Bytes, E>> + Send + 'static) -> Response
where
    E: Into<axum::BoxError> + 'static,
{
    Body::from_stream(chunks).into_response()
}

fn chunks(count: usize) -> impl Stream<Item = Result<Bytes, io::Error>> {
    stream::iter((0..count).map(|_| Ok(Bytes::from_static(&[b'x'; 1000]))))
}

fn never_ending() -> impl Stream<Item = Result<Bytes, io::Error>> {
    chunks(3).chain(stream::pending())
}

/// Reads all that `never_ending` has.
async fn read_3000(mut body: h2::RecvStream) {
    let mut read = 0;
    while read < 3000 {
        read += body.data().await.unwrap().unwrap().len();
    }
}

/// A case over either version.
fn both<T: Copy>(case: T) -> [(T, Version); 2] {
    VERSIONS.map(|version| (case, version))
}

async fn panics() -> &'static str {
    panic!("with a secret in it")
}

#[tokio::test]
async fn what_was_sent_says_how_it_ended() {
    for version in VERSIONS {
        what_was_sent_over(version).await;
    }
}

async fn what_was_sent_over(version: Version) {
    let app = Router::new()
        .route(
            "/bookings/{id}",
            get(|| async { "booked" }).post(|body: String| async { body }),
        )
        .route("/none", any(|| async { StatusCode::NO_CONTENT }))
        .route(
            "/same",
            get(|| async { (StatusCode::NOT_MODIFIED, [(header::ETAG, "\"a\"")]) }),
        )
        .route(
            "/moved",
            get(|| async { (StatusCode::FOUND, [(header::LOCATION, "/")], "there") }),
        )
        .route("/empty", get(|| async { "" }))
        .route(
            "/broken",
            get(|| async { (StatusCode::INTERNAL_SERVER_ERROR, "sorry") }),
        )
        .route("/denied", get(|| async { StatusCode::FORBIDDEN }))
        .route(
            "/login",
            get(|| async { (StatusCode::UNAUTHORIZED, "who?") }),
        )
        .route("/json", post(|_: axum::Json<u8>| async { "number" }))
        .nest(
            "/api",
            Router::new().route("/x/{id}", get(|| async { "nested" })),
        )
        .nest_service(
            "/files",
            Router::new().route("/{name}", get(|| async { "file" })),
        );
    let server = serve(|log| app.layer(AuditLayer::new(log))).await;
    let cases = [
        (
            "GET",
            "/bookings/17?seat=4a",
            "",
            "GET /bookings/{id} | 200 | success | - | -",
            (0, 6),
        ),
        (
            "HEAD",
            "/bookings/17",
            "",
            "HEAD /bookings/{id} | 200 | success | - | -",
            (0, 0),
        ),
        (
            "POST",
            "/bookings/17",
            "12345",
            "POST /bookings/{id} | 200 | success | - | -",
            (5, 5),
        ),
        (
            "DELETE",
            "/bookings/17",
            "",
            "DELETE /bookings/{id} | 405 | fail | - | HTTP_405",
            (0, 0),
        ),
        (
            "GET",
            "/none",
            "",
            "GET /none | 204 | success | - | -",
            (0, 0),
        ),
        (
            "HEAD",
            "/none",
            "",
            "HEAD /none | 204 | success | - | -",
            (0, 0),
        ),
        (
            "GET",
            "/same",
            "",
            "GET /same | 304 | success | - | -",
            (0, 0),
        ),
        (
            "GET",
            "/moved",
            "",
            "GET /moved | 302 | success | - | -",
            (0, 5),
        ),
        (
            "GET",
            "/empty",
            "",
            "GET /empty | 200 | success | - | -",
            (0, 0),
        ),
        (
            "GET",
            "/broken",
            "",
            "GET /broken | 500 | fail | - | HTTP_500",
            (0, 5),
        ),
        (
            "GET",
            "/denied",
            "",
            "GET /denied | 403 | fail | denied | HTTP_403",
            (0, 0),
        ),
        (
            "GET",
            "/login",
            "",
            "GET /login | 401 | fail | denied | HTTP_401",
            (0, 4),
        ),
        (
            "POST",
            "/json",
            "{",
            "POST /json | 415 | fail | - | HTTP_415",
            (1, 54),
        ),
        (
            "GET",
            "/api/x/1",
            "",
            "GET /api/x/{id} | 200 | success | - | -",
            (0, 6),
        ),
        (
            "GET",
            "/files/a",
            "",
            "GET unmatched | 200 | success | - | -",
            (0, 4),
        ),
        (
            "GET",
            "/no/%0d%0aFAKE",
            "",
            "GET unmatched | 404 | fail | - | HTTP_404",
            (0, 0),
        ),
        (
            "BREW",
            "/no",
            "",
            "BREW unmatched | 404 | fail | - | HTTP_404",
            (0, 0),
        ),
    ];
    for (method, path, body, ..) in cases {
        let sent = Sent::new(method, path).body(body);
        sent.over(version, server.addr).await.unwrap();
    }
    let records = server.records(cases.len()).await;
    let access = named(&records, "http.request");
    for ((_, path, _, expected, (bytes_in, bytes_out)), record) in cases.iter().zip(&access) {
        assert_eq!(verdict(record), *expected, "{record:#}");
        let sent = path.split('?').next().unwrap();
        assert_eq!(record["data"]["path"], sent, "{record:#}");
        assert_eq!(record["bytes_in"], *bytes_in, "{record:#}");
        assert_eq!(record["bytes_out"], *bytes_out, "{record:#}");
        assert_eq!(
            (&record["category"], &record["event_version"]),
            (&"access".into(), &1.into())
        );
        assert!(record["latency_ms"].as_f64().unwrap() >= 0.0);
    }
    assert_eq!(access[0]["data"]["query"], "seat=4a");
    assert_eq!(access[1]["data"].get("query"), None);
    assert_eq!(
        [0, 9, 10].map(|n| access[n]["level"].clone()),
        ["INFO", "ERROR", "WARN"]
    );
}

#[tokio::test]
async fn a_panic_is_500() {
    let app = || Router::new().route("/", get(panics));
    let places = [(false, "none"), (true, "inside"), (true, "outside")];
    for ((catch, place), version) in places.into_iter().flat_map(both) {
        let server = serve(|log| {
            let audit = AuditLayer::new(log);
            match place {
                "inside" => app().layer(CatchPanicLayer::new()).layer(audit),
                "outside" => app().layer(audit).layer(CatchPanicLayer::new()),
                _ => app().layer(audit),
            }
        })
        .await;
        let answer = Sent::get("/").over(version, server.addr).await;
        assert_eq!(
            answer.map(|answer| answer.status),
            catch.then_some(500),
            "{version:?} {place}"
        );
        let code = if place == "inside" {
            "HTTP_500"
        } else {
            "PANIC"
        };
        let record = server.access().await;
        assert_eq!(
            verdict(&record),
            format!("GET / | 500 | fail | - | {code}"),
            "{place}"
        );
        assert_eq!(record["level"], "ERROR");
        assert!(!record.to_string().contains("secret"), "{record:#}");
    }
}

#[tokio::test]
async fn a_client_that_leaves_the_handler_is_499() {
    for version in VERSIONS {
        leaves_the_handler(version).await;
    }
}

async fn leaves_the_handler(version: Version) {
    let entered = Arc::new(Notify::new());
    let inside = Arc::clone(&entered);
    let handler = move || async move {
        let _drop = OnDrop("handler");
        inside.notify_one();
        std::future::pending::<Infallible>().await;
    };
    let app = Router::new().route("/slow", get(handler));
    let server = serve(|log| app.layer(AuditLayer::new(log))).await;
    match version {
        Version::Http1 => {
            let socket = server.connect(&request("GET", "/slow", "")).await;
            entered.notified().await;
            drop(socket);
        }
        Version::Http2 => {
            let mut connection = Http2::connect(server.addr).await;
            let (_answer, _stream) = Sent::get("/slow").begin(&mut connection).await;
            entered.notified().await;
            connection.cut();
        }
    }
    let records = server.records(1).await;
    let access = &named(&records, "http.request")[0];
    assert_eq!(
        verdict(access),
        "GET /slow | 499 | fail | aborted | CLIENT_GONE"
    );
    assert_eq!(access.get("bytes_out"), None);
    let seen = &named(&records, "test.seen")[0];
    assert_eq!(seen["request_id"], access["request_id"]);
    assert!(
        seen["seq"].as_u64() < access["seq"].as_u64(),
        "what the handler wrote comes first"
    );
}

#[tokio::test]
async fn a_client_that_leaves_mid_stream_leaves_it_partial() {
    for version in VERSIONS {
        let app = Router::new().route("/stream", get(|| async { streamed(never_ending()) }));
        let server = serve(|log| app.layer(AuditLayer::new(log))).await;
        match version {
            Version::Http1 => {
                let mut socket = server.connect(&request("GET", "/stream", "")).await;
                let mut read = 0;
                while read < 3000 {
                    read += socket.read(&mut [0; 4096]).await.unwrap();
                }
            }
            Version::Http2 => {
                let mut connection = Http2::connect(server.addr).await;
                let (answer, _stream) = Sent::get("/stream").begin(&mut connection).await;
                read_3000(answer.await.unwrap().into_body()).await;
                connection.cut();
            }
        }
        let record = server.access().await;
        assert_eq!(
            verdict(&record),
            "GET /stream | 200 | fail | partial | CLIENT_GONE"
        );
        assert_eq!(record["bytes_out"], 3000);
    }
}

#[tokio::test]
async fn the_body_runs_to_its_end_within_the_request() {
    for version in VERSIONS {
        body_runs_over(version).await;
    }
}

async fn body_runs_over(version: Version) {
    let body = || {
        let drop = OnDrop("body's drop");
        chunks(4).map(move |chunk| {
            let _ = &drop;
            Seen::at("body");
            chunk
        })
    };
    let app = Router::new().route("/stream", get(move || async move { streamed(body()) }));
    let server = serve(|log| app.layer(AuditLayer::new(log))).await;
    let answer = Sent::get("/stream").over(version, server.addr).await;
    let body = answer.unwrap().body;
    match version {
        Version::Http1 => assert!(body.ends_with(b"0\r\n\r\n"), "{} bytes", body.len()),
        Version::Http2 => assert_eq!(body.len(), 4000),
    }
    let records = server.records(1).await;
    let access = &named(&records, "http.request")[0];
    assert_eq!(verdict(access), "GET /stream | 200 | success | - | -");
    assert_eq!(access["bytes_out"], 4000);
    let seen = named(&records, "test.seen");
    let places: Vec<_> = seen
        .iter()
        .map(|seen| seen["target_resource"].clone())
        .collect();
    assert_eq!(places, ["body", "body", "body", "body", "body's drop"]);
    for seen in seen {
        for key in ["trace_id", "span_id", "request_id", "tenant_id", "user_id"] {
            assert_eq!(seen[key], access[key], "{key}");
        }
    }
}

#[tokio::test]
async fn a_body_that_breaks_keeps_its_status() {
    for version in VERSIONS {
        breaks_over(version).await;
    }
}

async fn breaks_over(version: Version) {
    let errs = || chunks(2).chain(stream::iter([Err(io::Error::other("disk"))]));
    let panics = || {
        let mut polls = 0;
        stream::poll_fn(move |_| {
            polls += 1;
            assert!(polls < 3, "mid-stream");
            Poll::Ready(Some(Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 1000]))))
        })
    };
    let app = Router::new()
        .route("/errs", get(move || async move { streamed(errs()) }))
        .route("/panics", get(move || async move { streamed(panics()) }));
    let server = serve(|log| app.layer(AuditLayer::new(log))).await;
    for path in ["/errs", "/panics"] {
        // What is left of it, if anything, depends on the version.
        drop(Sent::get(path).over(version, server.addr).await);
    }
    let records = server.records(2).await;
    let access = named(&records, "http.request");
    assert_eq!(
        verdict(&access[0]),
        "GET /errs | 200 | fail | partial | BODY_ERROR"
    );
    assert_eq!(
        verdict(&access[1]),
        "GET /panics | 200 | fail | partial | PANIC"
    );
    for record in access {
        assert_eq!(
            (&record["bytes_out"], &record["level"]),
            (&2000.into(), &"ERROR".into())
        );
    }
}

#[tokio::test]
async fn a_stated_length_that_was_sent_is_the_end() {
    let stated = || async { ([(header::CONTENT_LENGTH, "3000")], streamed(never_ending())) };
    for version in VERSIONS {
        let app = Router::new().route("/", get(stated));
        let server = serve(|log| app.layer(AuditLayer::new(log))).await;
        match version {
            Version::Http1 => drop(server.get("/").await),
            // The stream stays open until the client, who has it all, leaves.
            Version::Http2 => {
                let mut connection = Http2::connect(server.addr).await;
                let (answer, _stream) = Sent::get("/").begin(&mut connection).await;
                read_3000(answer.await.unwrap().into_body()).await;
                connection.cut();
            }
        }
        let record = server.access().await;
        assert_eq!(verdict(&record), "GET / | 200 | success | - | -");
        assert_eq!(record["bytes_out"], 3000);
    }
}

#[tokio::test]
async fn a_timeout_inside_answers_and_one_outside_leaves() {
    let timeout =
        || TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, Duration::from_millis(20));
    let app = || Router::new().route("/", get(std::future::pending::<&str>));
    for version in VERSIONS {
        let inside = serve(|log| app().layer(timeout()).layer(AuditLayer::new(log))).await;
        let outside = serve(|log| app().layer(AuditLayer::new(log)).layer(timeout())).await;
        for server in [&inside, &outside] {
            let answer = Sent::get("/").over(version, server.addr).await;
            assert_eq!(answer.unwrap().status, 408);
        }
        assert_eq!(
            verdict(&inside.access().await),
            "GET / | 408 | fail | - | HTTP_408"
        );
        assert_eq!(
            verdict(&outside.access().await),
            "GET / | 499 | fail | aborted | CLIENT_GONE"
        );
    }
}

#[tokio::test]
async fn an_upgrade_is_a_success() {
    let app = Router::new().route("/ws", get(|| async { StatusCode::SWITCHING_PROTOCOLS }));
    let server = serve(|log| app.layer(AuditLayer::new(log))).await;
    let upgrade = "GET /ws HTTP/1.1\r\nhost: test\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n";
    let mut socket = server.connect(upgrade).await;
    let mut answer = [0; 12];
    socket.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 101");
    assert_eq!(
        verdict(&server.access().await),
        "GET /ws | 101 | success | - | -"
    );
}

#[tokio::test]
async fn streams_of_http_2_end_on_their_own() {
    let app = Router::new()
        .route("/ok", get(|| async { "ok" }))
        .route("/stream", get(|| async { streamed(never_ending()) }))
        .route("/slow", get(std::future::pending::<&str>));
    let server = serve(|log| app.layer(AuditLayer::new(log))).await;
    let socket = tokio::net::TcpStream::connect(server.addr).await.unwrap();
    let (client, connection) = h2::client::handshake(socket).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut client = client.ready().await.unwrap();
    let mut send = |path: &str| {
        let request = ::http::Request::get(format!("http://test{path}"))
            .body(())
            .unwrap();
        client.send_request(request, true).unwrap()
    };
    let (ok, _) = send("/ok");
    let mut body = ok.await.unwrap().into_body();
    assert_eq!(body.data().await.unwrap().unwrap(), "ok");
    let (stream, mut reset_stream) = send("/stream");
    read_3000(stream.await.unwrap().into_body()).await;
    let (_, mut reset_slow) = send("/slow");
    reset_slow.send_reset(h2::Reason::CANCEL);
    reset_stream.send_reset(h2::Reason::CANCEL);
    // The connection lives on: only the two streams were reset.
    assert_eq!(send("/ok").0.await.unwrap().status(), StatusCode::OK);
    let records = server.records(4).await;
    let mut verdicts: Vec<_> = named(&records, "http.request")
        .iter()
        .map(verdict)
        .collect();
    verdicts.sort();
    assert_eq!(
        verdicts,
        [
            "GET /ok | 200 | success | - | -",
            "GET /ok | 200 | success | - | -",
            "GET /slow | 499 | fail | aborted | CLIENT_GONE",
            "GET /stream | 200 | fail | partial | CLIENT_GONE",
        ]
    );
    connection.abort();
}

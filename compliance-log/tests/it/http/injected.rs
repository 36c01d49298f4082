//! What a client sends to break a line, a record or its bounds, in each place that is recorded.
//!
//! `Served::records` looks at every line of the store: one record, no raw control or bidi character,
//! and a whole chain.

use ::http::HeaderValue;
use axum::{Extension, Json, Router, body::Bytes, routing::post};
use compliance_log::{
    ComplianceLog, audit_event,
    http::{AuditLayer, Trust, TrustedProxies},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tower::Layer;

use super::{
    client::{Sent, VERSIONS, Version},
    served::{access, named, serve, serve_by},
};

#[audit_event(name = "test.said", target = "said")]
struct Said {
    #[audit(internal)]
    text: String,
}

impl Said {
    fn text(text: impl Into<String>) {
        Self { text: text.into() }.emit().unwrap();
    }
}

/// Believes its peers as far as a service can, so that as much as possible of what they send counts.
fn app(log: &ComplianceLog) -> Router {
    let proxies = TrustedProxies::x_forwarded_for(["127.0.0.0/8"]).unwrap();
    let layer = AuditLayer::new(log)
        .trust(Trust::internal())
        .proxies(proxies);
    Router::new()
        .route(
            "/json",
            post(
                |Json(body): Json<Value>| async move { Said::text(body["text"].as_str().unwrap()) },
            ),
        )
        .fallback(|body: Bytes| async move { Said::text(String::from_utf8_lossy(&body)) })
        .layer(layer)
}

const NASTY: &[&[u8]] = &[
    b"a\rb",
    b"a\nb",
    b"a\r\nx-request-id: b",
    b"a\0b",
    b"\x1b[31mred\x07",
    b"\x7f",
    "\u{202e}gpj.exe".as_bytes(),
    "\u{2066}a\u{2069}".as_bytes(),
    "\u{200b}\u{feff}".as_bytes(),
    "a\u{2028}b\u{2029}".as_bytes(),
    "\u{85}\u{9b}31m\u{9f}".as_bytes(),
    b"\x85\x9b31m",
    b"\xff\xfe\xc3",
    b"\"}\n{\"fake\":1",
    b"\"}{\"fake\":1,\"a\":\"",
    b"\\ud800\\u000a\\\"",
];

fn percent(bytes: &[u8]) -> String {
    let digits: Vec<_> = bytes.iter().map(|byte| format!("%{byte:02x}")).collect();
    digits.concat()
}

/// A request with these bytes wherever they can stand.
fn full_of(nasty: &[u8]) -> Sent {
    let encoded = percent(nasty);
    let mut sent = Sent::new("POST", format!("/{encoded}?q={encoded}"))
        .header(
            "baggage",
            format!("offer_id={encoded},booking_id={encoded}"),
        )
        .body(nasty);
    if HeaderValue::from_bytes(nasty).is_ok() {
        for name in [
            "user-agent",
            "x-request-id",
            "x-forwarded-for",
            "traceparent",
        ] {
            sent = sent.header(name, nasty);
        }
        sent = sent
            .header("tracestate", [b"a=", nasty].concat())
            .header("baggage", [b"offer_id=", nasty].concat());
    }
    sent
}

#[tokio::test]
async fn one_request_is_one_line_whatever_is_in_it() {
    let server = serve(app).await;
    for nasty in NASTY {
        for version in VERSIONS {
            let answer = full_of(nasty).over(version, server.addr).await.unwrap();
            assert_eq!(answer.status, 200, "{nasty:?}");
        }
    }
    let records = server.records(2 * NASTY.len()).await;
    let (access, said) = (access(&records), named(&records, "test.said"));
    assert_eq!(said.len(), access.len());
    let each = NASTY.iter().flat_map(|nasty| [nasty; 2]);
    for (nasty, (said, access)) in each.zip(said.iter().zip(&access)) {
        let text = String::from_utf8_lossy(nasty);
        assert_eq!(said["data"]["text"], *text);
        if HeaderValue::from_bytes(nasty).is_ok() {
            assert_eq!(access["user_agent"], *text);
        }
        for record in [said, access] {
            let id = record["request_id"].as_str().unwrap();
            assert_eq!(id.len(), 36, "none of theirs is valid: {id}");
            if let Some(id) = record.get("offer_id") {
                assert_eq!(*id, *text, "what is printable");
            }
        }
    }
}

#[tokio::test]
async fn escapes_in_json_are_one_line_and_half_a_surrogate_is_no_text() {
    let server = serve(app).await;
    let escapes = r"\r\n\u0000\u001b[31m\u202e\u2066\u200b\u2028\u0085\u009b\ud83d\ude00";
    for version in VERSIONS {
        for (text, status) in [(escapes, 200), (r"\ud800", 400), (r"\ude00\ud83d", 400)] {
            let sent = Sent::new("POST", "/json")
                .header("content-type", "application/json")
                .body(format!(r#"{{"text":"{text}"}}"#));
            let answer = sent.over(version, server.addr).await.unwrap();
            assert_eq!(answer.status, status, "{text}");
        }
    }
    let records = server.records(6).await;
    let said = named(&records, "test.said");
    let text: String = serde_json::from_str(&format!("\"{escapes}\"")).unwrap();
    assert_eq!(said.len(), 2);
    for record in said {
        assert_eq!(record["data"]["text"], text);
    }
}

/// What may stand in no header.
const FORBIDDEN: [&[u8]; 5] = [b"a\rb", b"a\nb", b"a\0b", b"\x1b[31m", b"\x7f"];

#[tokio::test]
async fn a_control_character_in_a_header_reaches_no_service_over_http_1() {
    let server = serve(app).await;
    for forbidden in FORBIDDEN {
        let sent = Sent::get("/").header("user-agent", forbidden);
        let answer = sent.over(Version::Http1, server.addr).await.unwrap();
        assert_eq!(answer.status, 400, "{forbidden:?}");
    }
    server.records(0).await;
}

fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    let mut frame = vec![0, 0, length, kind, flags, 0, 0, 0, stream];
    frame.extend_from_slice(payload);
    frame
}

/// A header as RFC 7541 writes it that puts it into no table.
fn literal(name: &str, value: &[u8]) -> Vec<u8> {
    let mut field = vec![0];
    for text in [name.as_bytes(), value] {
        field.push(u8::try_from(text.len()).unwrap());
        field.extend_from_slice(text);
    }
    field
}

/// The kinds of frames that the server sends, until it ends the stream or the connection.
async fn frames_of(socket: &mut TcpStream) -> Vec<u8> {
    const RST_STREAM: u8 = 3;
    const GOAWAY: u8 = 7;
    let mut kinds = Vec::new();
    while !kinds.ends_with(&[RST_STREAM]) && !kinds.ends_with(&[GOAWAY]) {
        let mut head = [0; 9];
        socket.read_exact(&mut head).await.unwrap();
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        socket.read_exact(&mut payload).await.unwrap();
        kinds.push(head[3]);
    }
    kinds
}

#[tokio::test]
async fn a_control_character_in_a_header_reaches_no_service_over_http_2() {
    const HEADERS: u8 = 1;
    const SETTINGS: u8 = 4;
    let server = serve(app).await;
    for forbidden in FORBIDDEN {
        // GET / over http, in the static table.
        let mut block = vec![0x82, 0x84, 0x86];
        block.extend(literal(":authority", b"test"));
        block.extend(literal("user-agent", forbidden));
        let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        bytes.extend(frame(SETTINGS, 0, 0, &[]));
        // Ends the stream and the headers.
        bytes.extend(frame(HEADERS, 5, 1, &block));
        let mut socket = TcpStream::connect(server.addr).await.unwrap();
        socket.write_all(&bytes).await.unwrap();
        let kinds = frames_of(&mut socket).await;
        assert!(!kinds.contains(&HEADERS), "{forbidden:?}: {kinds:?}");
    }
    server.records(0).await;
}

/// Lets through what servers refuse by default: 16 MiB of headers over HTTP/2, 4 MiB and 20,000 of
/// them over HTTP/1.1.
async fn roomy(listener: TcpListener, app: Router) {
    loop {
        let (socket, peer) = listener.accept().await.unwrap();
        let app = Extension(peer).layer(app.clone());
        tokio::spawn(async move {
            let mut server = Builder::new(TokioExecutor::new());
            server.http1().max_buf_size(4 << 20).max_headers(20_000);
            server.http2().max_header_list_size(16 << 20);
            let service = TowerToHyperService::new(app);
            server.serve_connection(TokioIo::new(socket), service).await
        });
    }
}

#[tokio::test]
async fn a_mebibyte_and_ten_thousand_headers_make_one_bounded_record() {
    const MEBIBYTE: usize = 1 << 20;
    let server = serve_by(app, roomy).await;
    let mut requests = vec![
        Sent::new(
            "POST",
            format!("/{}?{}", "%0a".repeat(10_000), "q".repeat(30_000)),
        ),
        Sent::new("POST", "/").body("\u{202e}\n".repeat(MEBIBYTE / 4)),
    ];
    for name in [
        "user-agent",
        "x-request-id",
        "x-forwarded-for",
        "baggage",
        "tracestate",
        "traceparent",
    ] {
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let mut long = Sent::get("/").header(name, "\u{2028}a=".repeat(MEBIBYTE / 5));
        let mut many = Sent::get("/");
        if name != "traceparent" {
            long = long.header("traceparent", trace);
            many = many.header("traceparent", trace);
        }
        for number in 0..10_000 {
            many = many.header(name, format!("a{number}=\u{202e}"));
        }
        requests.extend([long, many]);
    }
    requests.push((0..10_000).fold(Sent::get("/"), |sent, number| {
        sent.header(&format!("x-{number}"), "\u{202e}")
    }));
    for request in &requests {
        for version in VERSIONS {
            let answer = request.over(version, server.addr).await.unwrap();
            assert_eq!(answer.status, 200, "{version:?} {}", request.headers[0].0);
        }
    }
    let records = server.records(2 * requests.len()).await;
    assert_eq!(named(&records, "test.said").len(), 2 * requests.len());
}

#[tokio::test]
async fn a_server_that_refuses_by_the_head_leaves_no_record() {
    let server = serve(app).await;
    let mut sent = Sent::get("/");
    for number in 0..10_000 {
        sent = sent.header(&format!("x-{number}"), "a");
    }
    for version in VERSIONS {
        let answer = sent.over(version, server.addr).await;
        // Who is still sending when the connection is reset sees no answer.
        if let Some(answer) = answer {
            assert_eq!(answer.status, 431, "{version:?}");
        }
    }
    server.records(0).await;
}

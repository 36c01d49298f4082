//! Whose address is recorded, from the socket and from the proxies before it.

use std::net::SocketAddr;

use axum::{Extension, Router, body::Body, extract::ConnectInfo, http::Request, routing::get};
use compliance_log::{
    ComplianceLog,
    http::{AuditLayer, TrustedProxies},
};
use serde_json::Value;
use tower::ServiceExt as _;

use super::served::{access, open, read, request, serve};
use crate::figures::Figures;

/// What one request over a socket is recorded as: its `ip`, and whose.
async fn over_a_socket(trusted: &'static [&'static str], by: By, headers: &str) -> String {
    let layer = move |log: &ComplianceLog| {
        let proxies = match by {
            By::XForwardedFor => TrustedProxies::x_forwarded_for(trusted.iter().copied()),
            By::Forwarded => TrustedProxies::forwarded(trusted.iter().copied()),
        };
        AuditLayer::new(log)
            .peer_in::<ConnectInfo<SocketAddr>>()
            .proxies(proxies.unwrap())
    };
    let app = Router::new().route("/", get(|| async { "ok" }));
    let server = serve(|log| app.layer(layer(log))).await;
    server.send(&request("GET", "/", headers)).await;
    let record = server.access().await;
    let of = record["data"]["ip_of"].as_str().unwrap_or("client");
    format!("{} of the {of}", record["ip"].as_str().unwrap())
}

#[derive(Clone, Copy)]
enum By {
    XForwardedFor,
    Forwarded,
}

/// The test itself, and a proxy behind it.
const OURS: &[&str] = &["127.0.0.1", "10.0.0.0/8", "fd00::/8"];

#[tokio::test]
async fn x_forwarded_for_is_read_from_the_near_end_over_trusted_proxies() {
    for (headers, expected) in [
        ("", "127.0.0.1 of the client"),
        (
            "x-forwarded-for: 203.0.113.9\r\n",
            "203.0.113.9 of the client",
        ),
        (
            "x-forwarded-for: 6.6.6.6, 203.0.113.9\r\n",
            "203.0.113.9 of the client",
        ),
        (
            "x-forwarded-for: 6.6.6.6, 203.0.113.9, 10.0.0.7\r\n",
            "203.0.113.9 of the client",
        ),
        (
            "x-forwarded-for: 6.6.6.6\r\nx-forwarded-for: 203.0.113.9, 10.0.0.7\r\n",
            "203.0.113.9 of the client",
        ),
        (
            "x-forwarded-for: [2001:db8::9]:4711, [fd00::7]:80\r\n",
            "2001:db8::9 of the client",
        ),
        (
            "x-forwarded-for: ::ffff:203.0.113.9\r\n",
            "203.0.113.9 of the client",
        ),
        (
            "x-forwarded-for: fe80::9%eth0, fd00::7%eth1\r\n",
            "fe80::9 of the client",
        ),
        (
            "x-forwarded-for: 203.0.113.9, unknown\r\n",
            "127.0.0.1 of the proxy",
        ),
        (
            "x-forwarded-for: 203.0.113.9, _obf, 10.0.0.7\r\n",
            "10.0.0.7 of the proxy",
        ),
        (
            "x-forwarded-for: 203.0.113.9, %%%\r\n",
            "127.0.0.1 of the proxy",
        ),
        (
            "x-forwarded-for: 203.0.113.9\u{e9}\r\n",
            "127.0.0.1 of the proxy",
        ),
        // The one that was chosen counts, and nothing else.
        (
            "forwarded: for=6.6.6.6\r\nx-real-ip: 6.6.6.6\r\ntrue-client-ip: 6.6.6.6\r\n",
            "127.0.0.1 of the client",
        ),
        (
            "forwarded: for=6.6.6.6\r\nx-forwarded-for: 203.0.113.9\r\n",
            "203.0.113.9 of the client",
        ),
    ] {
        let ip = over_a_socket(OURS, By::XForwardedFor, headers).await;
        assert_eq!(ip, expected, "{headers}");
    }
}

#[tokio::test]
async fn forwarded_is_read_where_it_was_chosen() {
    for (headers, expected) in [
        (
            "forwarded: for=6.6.6.6, for=203.0.113.9;proto=https, for=10.0.0.7\r\n",
            "203.0.113.9 of the client",
        ),
        (
            "forwarded: for=6.6.6.6\r\nforwarded: For=\"[2001:db8::9]:4711\"\r\n",
            "2001:db8::9 of the client",
        ),
        (
            "forwarded: for=203.0.113.9, for=_obf\r\n",
            "127.0.0.1 of the proxy",
        ),
        (
            "forwarded: for=203.0.113.9, for=unknown, for=10.0.0.7\r\n",
            "10.0.0.7 of the proxy",
        ),
        (
            "forwarded: for=203.0.113.9\r\nforwarded: nonsense\r\n",
            "127.0.0.1 of the proxy",
        ),
        (
            "x-forwarded-for: 6.6.6.6\r\nforwarded: for=203.0.113.9\r\n",
            "203.0.113.9 of the client",
        ),
        ("x-forwarded-for: 6.6.6.6\r\n", "127.0.0.1 of the client"),
    ] {
        let ip = over_a_socket(OURS, By::Forwarded, headers).await;
        assert_eq!(ip, expected, "{headers}");
    }
}

#[tokio::test]
async fn whoever_is_no_proxy_of_ours_speaks_for_itself() {
    for (by, headers) in [
        (By::XForwardedFor, "x-forwarded-for: 203.0.113.9\r\n"),
        (By::Forwarded, "forwarded: for=203.0.113.9\r\n"),
    ] {
        let ip = over_a_socket(&["10.0.0.0/8"], by, headers).await;
        assert_eq!(ip, "127.0.0.1 of the client");
    }
}

/// The access record of a request to `app` without a socket, and how many had no address.
async fn without_a_socket(
    layer: impl FnOnce(AuditLayer) -> AuditLayer,
    peer: Option<SocketAddr>,
) -> (Value, u64) {
    let figures = Figures::default();
    let (log, dir) = open();
    let app = Router::new()
        .route("/", get(|| async { "ok" }))
        .layer(layer(AuditLayer::new(&log)));
    let app = match peer {
        Some(peer) => app.layer(Extension(peer)),
        None => app,
    };
    let request = Request::get("/").body(Body::empty()).unwrap();
    let response = {
        let _recording = figures.record();
        app.oneshot(request).await.unwrap()
    };
    drop(response);
    log.shutdown().unwrap();
    let record = access(&read(dir.path())).remove(0);
    (
        record,
        figures.counts("compliance_log_no_peer").values().sum(),
    )
}

#[tokio::test]
async fn an_address_among_the_extensions_is_found_and_its_absence_counted() {
    let peer: SocketAddr = "[::ffff:203.0.113.9]:4711".parse().unwrap();
    let (record, missing) = without_a_socket(|layer| layer, Some(peer)).await;
    assert_eq!((&record["ip"], missing), (&"203.0.113.9".into(), 0));
    let (record, missing) = without_a_socket(|layer| layer, None).await;
    assert_eq!((record.get("ip"), missing), (None, 1));
    let nowhere = |layer: AuditLayer| layer.peer_in::<ConnectInfo<SocketAddr>>();
    let (record, missing) = without_a_socket(nowhere, Some(peer)).await;
    assert_eq!(
        (record.get("ip"), missing),
        (None, 1),
        "not served with connect info"
    );
}

use std::{
    cell::Cell,
    convert::Infallible,
    net::{IpAddr, Ipv4Addr},
    pin::pin,
    sync::LazyLock,
    task::{Context, Poll, Waker},
};

use compliance_log::{
    ComplianceLog, Volume,
    http::{AuditLayer, RequestAudit, TrustedProxies},
    test_util, wire,
};
use http::{HeaderMap, HeaderValue, Request, Response};
use tower::{Layer, ServiceExt, service_fn};

use crate::input::lines;

/// Where our proxies are.
const PROXIES: [&str; 3] = ["10.0.0.0/8", "192.0.2.7", "2001:db8:77::/48"];
/// One of them, and a client that is none.
const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 1, 2, 3));
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));

/// How a header is read.
type Read = fn(&[&[u8]]) -> Vec<Option<IpAddr>>;
/// How proxies in these networks are trusted to append to it.
type Trust = fn([&'static str; 3]) -> Result<TrustedProxies, compliance_log::Error>;

/// Hops are bounded, and whatever a client wrote into the header of its request, it is that client's
/// address that counts: the one which our outermost proxy appended.
pub fn forwarded(input: &[u8]) {
    let given: Vec<HeaderValue> = lines(input)
        .into_iter()
        .filter_map(|line| HeaderValue::from_bytes(line).ok())
        .collect();
    let lines = || given.iter().map(HeaderValue::as_bytes);
    let headers: [(&'static str, Read, Trust, &str); 2] = [
        (
            "x-forwarded-for",
            |lines| wire::x_forwarded_for(lines.iter().copied()),
            |networks| TrustedProxies::x_forwarded_for(networks),
            "203.0.113.9, 10.9.9.9",
        ),
        (
            "forwarded",
            |lines| wire::forwarded(lines.iter().copied()),
            |networks| TrustedProxies::forwarded(networks),
            "for=203.0.113.9, for=10.9.9.9",
        ),
    ];
    for (name, read, trust, appended) in headers {
        let hops = read(&lines().collect::<Vec<_>>());
        assert!(hops.len() <= 64, "{} hops", hops.len());
        let mapped = |hop: &IpAddr| matches!(hop, IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some());
        assert!(!hops.iter().flatten().any(mapped), "{hops:?}");

        let trust = trust(PROXIES).unwrap();
        let client = |peer, lines: Vec<HeaderValue>| {
            let lines = lines.into_iter().map(|line| (name.parse().unwrap(), line));
            client(trust.clone(), peer, lines.collect())
        };
        let stranger = client(CLIENT, given.clone());
        assert_eq!(stranger, CLIENT, "nobody asks a stranger");
        let found = client(PROXY, given.clone());
        let theirs = found == PROXY || hops.contains(&Some(found));
        assert!(theirs, "{found} is nobody's");

        // A proxy appends a line, or appends to the last one.
        let mut line = given.clone();
        line.push(HeaderValue::from_static(appended));
        let mut part = given.clone();
        if let Some(last) = part.pop() {
            let whole = [last.as_bytes(), b", ", appended.as_bytes()].concat();
            part.push(HeaderValue::from_bytes(&whole).unwrap());
        }
        let bytes = |lines: &[HeaderValue]| lines.iter().map(HeaderValue::len).sum::<usize>();
        if bytes(&part).max(bytes(&line)) > 16 * 1024 {
            // Too much to be read: one hop that nobody knows.
            assert_eq!(client(PROXY, part), PROXY, "{name}");
            continue;
        }
        assert_eq!(client(PROXY, line), CLIENT, "{name}: {given:?}");
        let found = client(PROXY, part);
        // What a client wrote may spoil the line it stands in, and is not believed then.
        let spoilt = name == "forwarded" && found == PROXY;
        assert!(
            found == CLIENT || spoilt || given.is_empty(),
            "{name}: {given:?} is from {found}"
        );
    }
}

/// Whose request it is, as a handler is told.
fn client(proxies: TrustedProxies, peer: IpAddr, headers: HeaderMap) -> IpAddr {
    // Its records are not looked at: all are counted and not written.
    static LOG: LazyLock<ComplianceLog> = LazyLock::new(|| {
        test_util::capture_with(|builder| builder.volume("http.request", Volume::OnChange)).0
    });
    let found = Cell::new(None);
    let layer = AuditLayer::new(&LOG).proxies(proxies);
    let service = layer.layer(service_fn(|request: Request<String>| {
        let audit = request.extensions().get::<RequestAudit>();
        found.set(audit.and_then(|audit| audit.context().ip()));
        async { Ok::<_, Infallible>(Response::new(String::new())) }
    }));
    let mut request = Request::new(String::new());
    *request.headers_mut() = headers;
    request.extensions_mut().insert(peer);
    let mut answer = pin!(service.oneshot(request));
    let answer = answer
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(answer, Poll::Ready(Ok(_))));
    found.get().expect("a connection has an address")
}

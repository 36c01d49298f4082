//! What is known of a request when it comes in.

use std::{net::IpAddr, sync::Arc, time::Duration};

use http::{
    HeaderMap, HeaderValue,
    header::{CONTENT_LENGTH, DNT, HeaderName, USER_AGENT},
    request::Parts,
};
use http_body::Body;

use super::{
    claim::Claims,
    layer::Settings,
    proxies::IpOf,
    request_audit::{Matched, RequestAudit},
    sent::{Sent, Topic},
    trust::Source,
};
use crate::{
    clock::Timestamp,
    context::{AuditContext, Begun, Known, RequestId},
    metric,
    wire::{self, TraceParent},
};

pub(super) static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub(super) static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
pub(super) static TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
pub(super) static BAGGAGE: HeaderName = HeaderName::from_static("baggage");
/// In which a tracer of the service may read a trace, whole and in hexadecimal.
pub(super) static TRACE_CARRIERS: [HeaderName; 5] = [
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("b3"),
    HeaderName::from_static("x-b3-traceid"),
    HeaderName::from_static("uber-trace-id"),
    HeaderName::from_static("x-cloud-trace-context"),
];
pub(super) static SEC_GPC: HeaderName = HeaderName::from_static("sec-gpc");

/// The members of `baggage` that are read and sent: what a request is about.
pub(super) const OFFER_ID: &str = "offer_id";
pub(super) const BOOKING_ID: &str = "booking_id";

/// The longest text that is kept of a header; a record keeps less and says that it was cut.
const TEXT_BYTES_MAX: usize = 8 * 1024;

/// Whose request it is.
pub(super) enum Arrival {
    /// Another layer outside of this one writes its record.
    Seen,
    /// This layer's.
    New(RequestAudit),
}

/// What only the access record says of a request.
#[derive(Clone, Debug)]
pub(super) struct Noted {
    /// When it came.
    pub(super) at: Timestamp,
    /// The same, by the log's monotonic clock.
    pub(super) started: Duration,
    /// Copied, since a clone would keep the buffer that the server reads into.
    pub(super) path: Box<str>,
    pub(super) query: Option<Box<str>>,
    /// The length of its body, where that is known.
    pub(super) bytes_in: Option<u64>,
    pub(super) ip_of: IpOf,
}

/// Puts a [`RequestAudit`] into the request, unless it has one.
pub(super) fn receive<B: Body>(parts: &mut Parts, body: &B, settings: &Arc<Settings>) -> Arrival {
    let route = (settings.route_of)(parts);
    if let Some(audit) = parts.extensions.get::<RequestAudit>() {
        audit.matched(route);
        audit.meet_tracer();
        return Arrival::Seen;
    }
    let headers = &parts.headers;
    let sent = Sent::of(headers);
    let (at, started) = (settings.handle.now(), settings.handle.clock().monotonic());
    let (ip, ip_of) = client(parts, settings);
    let (trace, about) = match settings.trust.trace {
        Source::Header => continued(headers, sent),
        Source::New => (disbelieving(headers, sent), Known::default()),
    };
    let context = AuditContext::of_request(
        trace,
        Known {
            request_id: Some(request_id(headers, sent, at, settings)),
            ip,
            user_agent: headers.get(USER_AGENT).map(|agent| text(agent.as_bytes())),
            ..about
        },
    );
    if sent.has(Topic::Refusal)
        && wire::refuses_telemetry(lines(headers, &SEC_GPC), lines(headers, &DNT))
    {
        context.refuse_telemetry();
    }
    let noted = Noted {
        at,
        started,
        path: parts.uri.path().into(),
        query: parts.uri.query().map(Into::into),
        bytes_in: content_length(headers).or_else(|| body.size_hint().exact()),
        ip_of,
    };
    let claims = if sent.has(Topic::Claim) || sent.has(Topic::Baggage) {
        Claims::of(headers, &settings.ignored_claims)
    } else {
        None
    };
    let matched = route.map(|route| Matched::new(&parts.method, route));
    let method = parts.method.clone();
    let settings = Arc::clone(settings);
    let audit = RequestAudit::new(settings, context, method, matched, noted, claims);
    audit.meet_tracer();
    parts.extensions.insert(audit.clone());
    Arrival::New(audit)
}

/// From where the request came, as far as that is known.
fn client(parts: &Parts, settings: &Settings) -> (Option<IpAddr>, IpOf) {
    let Some(peer) = (settings.peer_of)(&parts.extensions) else {
        metric::report(|| metrics::counter!("compliance_log_no_peer").increment(1));
        return (None, IpOf::Client);
    };
    let (ip, ip_of) = match &settings.proxies {
        Some(proxies) => proxies.client(peer, &parts.headers),
        None => (peer.to_canonical(), IpOf::Client),
    };
    (Some(ip), ip_of)
}

fn request_id(headers: &HeaderMap, sent: Sent, at: Timestamp, settings: &Settings) -> RequestId {
    let theirs = match settings.trust.request_id {
        Source::Header if sent.has(Topic::RequestId) => {
            wire::request_id(lines(headers, &X_REQUEST_ID))
        }
        Source::Header | Source::New => None,
    };
    theirs.map_or_else(|| RequestId::new(at), |id| RequestId::Given(id.into()))
}

/// In the trace of the caller, about what the caller says.
fn continued(headers: &HeaderMap, sent: Sent) -> (Begun, Known) {
    let (mut trace, mut known) = (Begun::new(), Known::default());
    if sent.has(Topic::Trace)
        && let Some(parent) = TraceParent::from_lines(lines(headers, &TRACEPARENT))
    {
        trace = Begun::Continued {
            trace_id: parent.trace_id,
            flags: parent.flags,
        };
        known.tracestate = wire::tracestate(lines(headers, &TRACESTATE)).map(Into::into);
    }
    if sent.has(Topic::Baggage) {
        let member = |key| wire::baggage(lines(headers, &BAGGAGE), key).map(Into::into);
        known.offer_id = member(OFFER_ID);
        known.booking_id = member(BOOKING_ID);
    }
    (trace, known)
}

/// In a trace of its own, whatever the service's tracer makes of the headers.
fn disbelieving(headers: &HeaderMap, sent: Sent) -> Begun {
    let mut trace = Begun::new();
    if sent.has(Topic::Trace) {
        let carriers = TRACE_CARRIERS.iter();
        for line in carriers.flat_map(|name| lines(headers, name)) {
            trace.disbelieves(line);
        }
    }
    trace
}

pub(super) fn lines<'a>(
    headers: &'a HeaderMap,
    name: &'a HeaderName,
) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    headers.get_all(name).iter().map(HeaderValue::as_bytes)
}

fn text(bytes: &[u8]) -> Box<str> {
    String::from_utf8_lossy(&bytes[..bytes.len().min(TEXT_BYTES_MAX)]).into()
}

pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_our_own_is_one_that_is_taken_over() {
        let id = RequestId::new(Timestamp::from_micros(0));
        let id = id.as_str();
        assert_eq!(wire::request_id([id.as_bytes()]), Some(id));
    }

    #[test]
    fn long_texts_are_cut_and_invalid_ones_marked() {
        assert_eq!(text(&[b'a'; TEXT_BYTES_MAX + 1]).len(), TEXT_BYTES_MAX);
        assert_eq!(&*text(b"curl\xff"), "curl\u{fffd}");
    }
}

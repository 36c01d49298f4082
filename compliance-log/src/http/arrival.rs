//! What is known of a request when it comes in.

use std::sync::Arc;

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
    request_audit::RequestAudit,
    sent::{Sent, Topic},
    trust::Source,
};
use crate::{
    clock::Timestamp,
    context::{AuditContext, ContextBuilder, random},
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
    New(RequestAudit, Noted),
}

/// What only the access record says of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Noted {
    /// When it came.
    pub(super) at: Timestamp,
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
    let sent = Sent::of(&parts.headers);
    let at = settings.handle.now();
    let (context, ip_of) = context(parts, sent, at, settings);
    let claims = if sent.has(Topic::Claim) || sent.has(Topic::Baggage) {
        Claims::of(&parts.headers, &settings.ignored_claims)
    } else {
        None
    };
    let method = parts.method.clone();
    let audit = RequestAudit::new(Arc::clone(settings), context, method, claims);
    audit.matched(route);
    audit.meet_tracer();
    parts.extensions.insert(audit.clone());
    let bytes_in = content_length(&parts.headers).or_else(|| body.size_hint().exact());
    let noted = Noted {
        at,
        bytes_in,
        ip_of,
    };
    Arrival::New(audit, noted)
}

fn context(
    parts: &Parts,
    sent: Sent,
    at: Timestamp,
    settings: &Settings,
) -> (AuditContext, IpOf) {
    let mut context = match settings.trust.trace {
        Source::Header => continued(AuditContext::request(), &parts.headers, sent),
        Source::New => disbelieving(AuditContext::request(), &parts.headers, sent),
    };
    let theirs = match settings.trust.request_id {
        Source::Header if sent.has(Topic::RequestId) => {
            wire::request_id(lines(&parts.headers, &X_REQUEST_ID))
        }
        Source::Header | Source::New => None,
    };
    context = match theirs {
        Some(id) => context.request_id(id),
        None => context.request_id(new_request_id(at)),
    };
    let mut ip_of = IpOf::Client;
    if let Some(peer) = (settings.peer_of)(&parts.extensions) {
        let ip;
        (ip, ip_of) = match &settings.proxies {
            Some(proxies) => proxies.client(peer, &parts.headers),
            None => (peer.to_canonical(), IpOf::Client),
        };
        context = context.ip(ip);
    } else {
        metric::count("compliance_log_no_peer");
    }
    if let Some(agent) = parts.headers.get(USER_AGENT) {
        context = context.user_agent(text(agent.as_bytes()));
    }
    let context = context.build();
    if sent.has(Topic::Refusal)
        && wire::refuses_telemetry(lines(&parts.headers, &SEC_GPC), lines(&parts.headers, &DNT))
    {
        context.refuse_telemetry();
    }
    (context, ip_of)
}

/// In the trace of the caller, about what the caller says.
fn continued(mut context: ContextBuilder, headers: &HeaderMap, sent: Sent) -> ContextBuilder {
    if sent.has(Topic::Trace)
        && let Some(parent) = TraceParent::from_lines(lines(headers, &TRACEPARENT))
    {
        context = context.trace(parent.trace_id, parent.flags);
        if let Some(state) = wire::tracestate(lines(headers, &TRACESTATE)) {
            context = context.tracestate(state);
        }
    }
    if !sent.has(Topic::Baggage) {
        return context;
    }
    let member = |key| wire::baggage(lines(headers, &BAGGAGE), key);
    if let Some(id) = member(OFFER_ID) {
        context = context.offer_id(id);
    }
    if let Some(id) = member(BOOKING_ID) {
        context = context.booking_id(id);
    }
    context
}

/// In a trace of its own, whatever the service's tracer makes of the headers.
fn disbelieving(mut context: ContextBuilder, headers: &HeaderMap, sent: Sent) -> ContextBuilder {
    if !sent.has(Topic::Trace) {
        return context;
    }
    for name in &TRACE_CARRIERS {
        for line in lines(headers, name) {
            context = context.not_of(line);
        }
    }
    context
}

pub(super) fn lines<'a>(
    headers: &'a HeaderMap,
    name: &'a HeaderName,
) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    headers.get_all(name).iter().map(HeaderValue::as_bytes)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(TEXT_BYTES_MAX)]).into_owned()
}

pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// A UUID version 7 (RFC 9562): the time in milliseconds, then 74 random bits.
fn new_request_id(now: Timestamp) -> String {
    let mut bytes = [0; 16];
    let millis = u64::try_from(now.as_micros() / 1000).unwrap_or(0);
    bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    random(&mut bytes[6..]);
    bytes[6] = 0x70 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    let mut hex = [b'0'; 32];
    // The output is long enough, so this cannot fail.
    if faster_hex::hex_encode(&bytes, &mut hex).is_err() {
        hex.fill(b'0');
    }
    let mut id = String::with_capacity(36);
    let mut rest = std::str::from_utf8(&hex).unwrap_or_default();
    for digits in [8, 4, 4, 4] {
        let (group, others) = rest.split_at_checked(digits).unwrap_or_default();
        id.push_str(group);
        id.push('-');
        rest = others;
    }
    id.push_str(rest);
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_ids_are_uuids_of_version_7_in_the_order_of_time() {
        let at = |micros| new_request_id(Timestamp::from_micros(micros));
        let id = at(0x0192_f0c1_7c3e * 1000);
        assert!(id.starts_with("0192f0c1-7c3e-7"), "{id}");
        assert_eq!(id.len(), 36);
        assert!(
            matches!(id.as_bytes()[19], b'8' | b'9' | b'a' | b'b'),
            "{id}"
        );
        assert!(id < at(0x0192_f0c1_7c3f * 1000));
        assert!(at(-1).starts_with("00000000-0000-7"));
        assert_eq!(wire::request_id([id.as_bytes()]), Some(&*id));
    }

    #[test]
    fn long_texts_are_cut_and_invalid_ones_marked() {
        assert_eq!(text(&[b'a'; TEXT_BYTES_MAX + 1]).len(), TEXT_BYTES_MAX);
        assert_eq!(text(b"curl\xff"), "curl\u{fffd}");
    }
}

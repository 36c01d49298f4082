use std::task::{Context, Poll};

use http::{HeaderMap, HeaderValue, Request, header::HeaderName};
use tower_layer::Layer;
use tower_service::Service;

use super::arrival::{BAGGAGE, BOOKING_ID, OFFER_ID, TRACEPARENT, TRACESTATE, X_REQUEST_ID, lines};
use crate::{
    context::{AuditContext, SpanId, TraceIds},
    current,
    wire::{self, TraceParent},
};

/// Puts the context of the current request or job into the headers of a call to another service, as
/// [`AuditContext::propagate`] does. Gives the call's own id; `None`, and nothing is changed, where
/// there is no context.
///
/// ```
/// use compliance_log::{context::AuditContext, http::propagate};
///
/// let mut headers = http::HeaderMap::new();
/// let context = AuditContext::job("nightly-settlement").build();
/// # let dir = tempfile::tempdir().unwrap();
/// # let log = compliance_log::ComplianceLog::builder("svc").env("test").dir(dir.path()).open().unwrap();
/// # log.handle().scope_sync(|| {
/// context.scope_sync(|| propagate(&mut headers));
/// # });
/// let parent = headers["traceparent"].to_str().unwrap();
/// assert!(parent.starts_with(&format!("00-{}-", context.trace_id())));
/// ```
pub fn propagate(headers: &mut HeaderMap) -> Option<SpanId> {
    let context = current::get()?.context?;
    Some(context.propagate(headers))
}

impl AuditContext {
    /// Puts this context into the headers of one call to another service of your own: `traceparent`
    /// with the id of the call, which is returned, `tracestate`, `x-request-id`, and the members
    /// `offer_id` and `booking_id` of `baggage`.
    ///
    /// What these headers said before is replaced, never added to; other members of `baggage` stay.
    /// Who acts is not among them: the other service verifies that itself.
    ///
    /// The id is that of the span which [`Builder::trace_ids`](crate::Builder::trace_ids) gives, where that
    /// is in the context's trace: give each call a span. Else it is a new one. A call that is made again
    /// is another call: propagate again.
    pub fn propagate(&self, headers: &mut HeaderMap) -> SpanId {
        let traced = current::with(|scope| scope.handle.traced_span_of(self)).flatten();
        let ids = traced.unwrap_or_else(|| TraceIds {
            span_id: SpanId::random(),
            ..self.trace_ids()
        });
        let parent = TraceParent {
            trace_id: ids.trace_id,
            parent_id: ids.span_id,
            flags: ids.flags,
        };
        set(headers, &TRACEPARENT, Some(parent.to_string()));
        let state = self.tracestate().map(str::as_bytes);
        set(headers, &TRACESTATE, wire::tracestate(state));
        let id = self.request_id().map(str::as_bytes);
        set(
            headers,
            &X_REQUEST_ID,
            wire::request_id(id).map(str::to_owned),
        );
        let ours = [(OFFER_ID, self.offer_id()), (BOOKING_ID, self.booking_id())];
        let members = wire::replace_baggage(lines(headers, &BAGGAGE), &ours);
        set(headers, &BAGGAGE, members);
        parent.parent_id
    }
}

fn set(headers: &mut HeaderMap, name: &'static HeaderName, value: Option<String>) {
    match value.and_then(|value| HeaderValue::try_from(value).ok()) {
        Some(value) => drop(headers.insert(name, value)),
        None => drop(headers.remove(name)),
    }
}

/// [`propagate`]s each request that goes out through a tower client.
///
/// Make it the innermost layer, inside of retries, so that each attempt has an id of its own.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct PropagateLayer;

impl PropagateLayer {
    /// A layer for calls to services of your own.
    pub const fn new() -> Self {
        Self
    }
}

impl<S> Layer<S> for PropagateLayer {
    type Service = Propagate<S>;

    fn layer(&self, inner: S) -> Propagate<S> {
        Propagate { inner }
    }
}

/// The client that a [`PropagateLayer`] makes of another.
#[derive(Clone, Debug)]
pub struct Propagate<S> {
    inner: S,
}

impl<S, B> Service<Request<B>> for Propagate<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        propagate(request.headers_mut());
        self.inner.call(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::{TraceFlags, TraceId};

    fn sent(context: &AuditContext, before: &[(&'static str, &'static str)]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in before {
            headers.append(*name, HeaderValue::from_static(value));
        }
        let call = context.propagate(&mut headers);
        let parent = TraceParent::from_lines(lines(&headers, &TRACEPARENT)).unwrap();
        assert_eq!(parent.parent_id, call);
        assert_ne!(call, context.span_id());
        let mut sent: Vec<String> = headers
            .iter()
            .filter(|(name, _)| *name != "traceparent")
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        sent.sort();
        sent
    }

    #[test]
    fn headers_are_replaced_and_each_call_has_an_id_of_its_own() {
        let trace = TraceId::random();
        let context = AuditContext::request()
            .trace(trace, TraceFlags::from_byte(3))
            .tracestate("a=1,b=2")
            .request_id("r-1")
            .offer_id("o 1,;%")
            .booking_id("b-1")
            .build();
        let before = [
            (
                "traceparent",
                "00-11111111111111111111111111111111-2222222222222222-01",
            ),
            (
                "traceparent",
                "00-11111111111111111111111111111111-3333333333333333-01",
            ),
            ("tracestate", "old=1"),
            ("tracestate", "old=2"),
            ("x-request-id", "old"),
            ("baggage", "region=eu;p=1,booking_id=old"),
            ("baggage", "offer_id=old , other=2"),
            ("accept", "*/*"),
        ];
        let after = [
            "accept: */*",
            "baggage: region=eu;p=1,other=2,offer_id=o%201%2C%3B%25,booking_id=b-1",
            "tracestate: a=1,b=2",
            "x-request-id: r-1",
        ];
        assert_eq!(sent(&context, &before), after);
        let mut headers = HeaderMap::new();
        let calls = [(); 3].map(|()| context.propagate(&mut headers));
        assert!(calls[0] != calls[1] && calls[1] != calls[2]);
        assert_eq!(headers.get_all("traceparent").iter().count(), 1);
    }

    #[test]
    fn what_a_context_lacks_or_may_not_be_sent_is_not() {
        let bare = AuditContext::job("nightly").build();
        let before = [
            ("tracestate", "old=1"),
            ("x-request-id", "old"),
            ("baggage", "offer_id=old"),
        ];
        assert_eq!(sent(&bare, &before), [""; 0]);
        let hostile = AuditContext::request()
            .tracestate("a=1\r\nx: y")
            .request_id("a b\r\nx: y")
            .offer_id("\r\n\u{202e}")
            .build();
        assert_eq!(sent(&hostile, &[]), ["baggage: offer_id=%0D%0A%E2%80%AE"]);
    }
}

//! Which of the headers that are read a request has.

use http::HeaderMap;

/// What is read of a request's headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    /// A trace, whether a tracer reads it or the layer.
    Trace = 0b1,
    Baggage = 0b10,
    RequestId = 0b100,
    /// Who the request says that it is from.
    Claim = 0b1000,
    /// Of telemetry.
    Refusal = 0b1_0000,
}

/// The topics of one request's headers, found in one pass over their names: most requests have few
/// headers and none of these, for which it takes longer to look one by one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sent(u8);

impl Sent {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let topics = headers.keys().filter_map(|name| topic(name.as_str()));
        Self(topics.fold(0, |sent, topic| sent | topic as u8))
    }

    pub(super) fn has(self, topic: Topic) -> bool {
        self.0 & topic as u8 != 0
    }
}

fn topic(name: &str) -> Option<Topic> {
    Some(match name {
        "traceparent" | "b3" | "x-b3-traceid" | "uber-trace-id" | "x-cloud-trace-context" => {
            Topic::Trace
        }
        "baggage" => Topic::Baggage,
        "x-request-id" => Topic::RequestId,
        "x-tenant-id" | "x-tenant" | "x-user-id" | "x-user" => Topic::Claim,
        "sec-gpc" | "dnt" => Topic::Refusal,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue, header::DNT};

    use super::{
        super::{
            arrival::{BAGGAGE, SEC_GPC, TRACE_CARRIERS, TRACEPARENT, X_REQUEST_ID},
            claim::Claim,
        },
        *,
    };

    fn sent(names: &[&HeaderName]) -> Sent {
        let value = HeaderValue::from_static("x");
        let lines = names.iter().map(|name| ((*name).clone(), value.clone()));
        Sent::of(&lines.collect())
    }

    #[test]
    fn every_header_that_is_read_has_its_topic_and_no_other() {
        use Topic::{Baggage, Claim as Claimed, Refusal, RequestId, Trace};
        let traces = TRACE_CARRIERS.iter().chain([&TRACEPARENT]);
        let claims = [Claim::Tenant, Claim::User];
        let claims = claims.iter().flat_map(|claim| claim.headers());
        let all = (traces.map(|name| (name, Trace)))
            .chain(claims.map(|name| (name, Claimed)))
            .chain([
                (&BAGGAGE, Baggage),
                (&X_REQUEST_ID, RequestId),
                (&SEC_GPC, Refusal),
                (&DNT, Refusal),
            ]);
        for (name, expected) in all {
            for topic in [Trace, Baggage, RequestId, Claimed, Refusal] {
                let sent = sent(&[&http::header::ACCEPT, name]);
                assert_eq!(sent.has(topic), topic == expected, "{name}");
            }
        }
    }
}

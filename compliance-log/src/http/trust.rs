/// How far the senders of requests are believed about trace and request id. Never about who acts:
/// that comes only from [`RequestAudit::verified`](super::RequestAudit::verified).
///
/// | | `traceparent`, `tracestate`; `offer_id` and `booking_id` of `baggage` | `x-request-id` |
/// |---|---|---|
/// | [`Trust::default`] | continued | new |
/// | [`Trust::internal`] | continued | taken over |
/// | [`Trust::edge`] | new trace; not read | new |
///
/// The default suits a service behind a gateway: traces hold together, while nobody who gets past
/// the gateway's cleaning can give a request the id of another one, by which people search. What is
/// continued or taken over must be valid; anything else counts as not sent.
///
/// A trace that is continued keeps its flags, but records are written whatever they say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trust {
    pub(super) trace: Source,
    pub(super) request_id: Source,
}

/// Where an id comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The request's header, if it is valid.
    Header,
    /// The layer itself.
    New,
}

impl Trust {
    /// Every sender is a service of our own, or a gateway that sets these headers itself.
    pub const fn internal() -> Self {
        Self {
            trace: Source::Header,
            request_id: Source::Header,
        }
    }

    /// Anybody may send requests: nobody can join, or force the sampling of, a trace of ours.
    pub const fn edge() -> Self {
        Self {
            trace: Source::New,
            request_id: Source::New,
        }
    }
}

impl Default for Trust {
    fn default() -> Self {
        Self {
            trace: Source::Header,
            request_id: Source::New,
        }
    }
}

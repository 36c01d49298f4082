//! The access record: how a request ended, in the words of the schema.

use std::time::Duration;

use http::StatusCode;

use super::{
    duration, guard::Room, proxies::IpOf, request_audit::RequestAudit, series::Series,
    why::is_denied,
};
use crate::{
    clock::Timestamp,
    event::{Category, FieldMeta, Fields, Kind, Level, Outcome, OutcomeDetail, Raw, Visit},
    pipeline::Handle,
    schema::{self, Event, Failed, SpanOf, Target},
    volume::Volume,
};

pub(super) const NAME: &str = "http.request";
const VERSION: u16 = 1;

/// nginx's word for a client that left before there was an answer.
const CLIENT_CLOSED_REQUEST: u16 = 499;

/// What ended a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// All there was to send was handed over.
    Complete,
    /// The service answered with an error instead of a response.
    ServiceError,
    /// The body ended with an error.
    BodyError,
    /// The service or the body panicked.
    Panic,
    /// Nobody wants the rest.
    Gone,
}

/// One request, once it is over.
pub(super) struct Access {
    pub(super) ending: Ending,
    pub(super) status: Option<StatusCode>,
    pub(super) latency: Duration,
    pub(super) bytes_out: Option<u64>,
}

/// How the schema says that a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Verdict {
    status: u16,
    level: Level,
    detail: Option<OutcomeDetail>,
    failure: Option<Failure>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    /// The status says it.
    Status,
    /// This code says it.
    Code(&'static str),
}

/// As long as it took no longer than this, when a request ended is worked out of when it came: to
/// ask the clock takes longer than most of what a request costs. A step of the clock meanwhile is one
/// that might as well have come after the record.
const ASK_AFTER: Duration = Duration::from_secs(1);

impl Access {
    /// When the request ended.
    fn at(&self, came: Timestamp, handle: &Handle) -> Timestamp {
        match i64::try_from(self.latency.as_micros()) {
            Ok(micros) if self.latency < ASK_AFTER => {
                Timestamp::from_micros(came.as_micros().saturating_add(micros))
            }
            _ => handle.now(),
        }
    }

    /// Queues the record: whatever the bound, where there was room when the request was let in.
    pub(super) fn write(&self, audit: &RequestAudit, room: Room) {
        let (handle, noted) = (audit.handle(), audit.noted());
        let verdict = verdict(self.ending, self.status);
        duration::report(audit.method(), audit.route(), verdict.status, self.latency);
        let mut buffer = *b"HTTP_000";
        let code = verdict.failure.map(|failure| match failure {
            Failure::Status => status_code(&mut buffer, verdict.status),
            Failure::Code(code) => code,
        });
        let target = audit.target();
        let gap = audit.is_gap() && !(400..500).contains(&verdict.status);
        if gap {
            Series::Gap.count(audit.route(), |counter| counter.increment(1));
        }
        let fields = Details {
            path: &noted.path,
            query: noted.query.as_deref(),
            ip_of: noted.ip_of,
            would_refuse: audit.would_be_refused(),
        };
        let mut event = Event::new(NAME, Category::Access, self.at(noted.at, handle), &fields);
        event.version = Some(VERSION);
        event.level = if gap && handle.is_rehearsal() {
            Level::Error
        } else {
            verdict.level
        };
        event.audit_gap = gap;
        event.volume = if audit.is_unaudited() {
            Volume::OnChange
        } else {
            Volume::Each
        };
        event.context = Some(audit.context());
        event.span = SpanOf::Context;
        event.outcome = Some(match code {
            Some(_) => Outcome::Fail,
            None => Outcome::Success,
        });
        event.detail = verdict.detail;
        event.target = Target::Text(&target);
        event.access = Some(schema::Access {
            status: verdict.status,
            latency: self.latency,
            bytes_in: noted.bytes_in,
            bytes_out: self.bytes_out,
        });
        event.error = code.map(|code| Failed {
            code,
            message: None,
        });
        match room {
            Room::Enough => handle.emit_owed(&event),
            Room::None => handle.emit_spare(&event),
        }
    }
}

/// `HTTP_404` and so on.
fn status_code(buffer: &mut [u8; 8], status: u16) -> &str {
    buffer[5..].copy_from_slice(duration::digits(status).as_bytes());
    std::str::from_utf8(buffer).unwrap_or("HTTP")
}

fn verdict(ending: Ending, status: Option<StatusCode>) -> Verdict {
    use OutcomeDetail::{Aborted, Denied, Partial};
    let fail = |status: u16, level, detail, code| Verdict {
        status,
        level,
        detail,
        failure: Some(Failure::Code(code)),
    };
    let Some(status) = status else {
        return match ending {
            Ending::Panic => fail(500, Level::Error, None, "PANIC"),
            Ending::Gone => fail(
                CLIENT_CLOSED_REQUEST,
                Level::Info,
                Some(Aborted),
                "CLIENT_GONE",
            ),
            _ => fail(500, Level::Error, None, "SERVICE_ERROR"),
        };
    };
    let denied = is_denied(status);
    let failed = status.is_client_error() || status.is_server_error() || status.as_u16() > 599;
    let status_u16 = status.as_u16();
    if failed {
        return Verdict {
            status: status_u16,
            level: match status_u16 {
                500.. => Level::Error,
                _ if denied => Level::Warn,
                _ => Level::Info,
            },
            detail: denied.then_some(Denied),
            failure: Some(Failure::Status),
        };
    }
    match ending {
        Ending::Complete => Verdict {
            status: status_u16,
            level: Level::Info,
            detail: None,
            failure: None,
        },
        Ending::Gone => fail(status_u16, Level::Info, Some(Partial), "CLIENT_GONE"),
        Ending::Panic => fail(status_u16, Level::Error, Some(Partial), "PANIC"),
        Ending::BodyError | Ending::ServiceError => {
            fail(status_u16, Level::Error, Some(Partial), "BODY_ERROR")
        }
    }
}

const PATH: FieldMeta = FieldMeta::own("path", Kind::Text);
const QUERY: FieldMeta = FieldMeta::own("query", Kind::Text);
const IP_OF: FieldMeta = FieldMeta::own("ip_of", Kind::Text);
const WOULD_REFUSE: FieldMeta = FieldMeta::own("would_refuse", Kind::Text);

/// The fields of an access record.
struct Details<'a> {
    path: &'a str,
    query: Option<&'a str>,
    ip_of: IpOf,
    would_refuse: Option<&'static str>,
}

impl Fields for Details<'_> {
    fn visit(&self, out: &mut dyn Visit) {
        if !self.path.is_empty() {
            out.field(&PATH, Raw::Str(self.path));
        }
        if let Some(query) = self.query {
            out.field(&QUERY, Raw::Str(query));
        }
        if self.ip_of == IpOf::Proxy {
            out.field(&IP_OF, Raw::Str("proxy"));
        }
        if let Some(why) = self.would_refuse {
            out.field(&WOULD_REFUSE, Raw::Str(why));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_three_digits() {
        for (status, code) in [(404, "HTTP_404"), (500, "HTTP_500"), (999, "HTTP_999")] {
            assert_eq!(status_code(&mut { *b"HTTP_000" }, status), code);
        }
    }

    #[test]
    fn what_the_status_says_of_a_whole_answer() {
        use OutcomeDetail::Denied;
        for (status, level, detail, failed) in [
            (101, Level::Info, None, false),
            (200, Level::Info, None, false),
            (206, Level::Info, None, false),
            (304, Level::Info, None, false),
            (400, Level::Info, None, true),
            (401, Level::Warn, Some(Denied), true),
            (403, Level::Warn, Some(Denied), true),
            (404, Level::Info, None, true),
            (407, Level::Warn, Some(Denied), true),
            (408, Level::Info, None, true),
            (429, Level::Info, None, true),
            (451, Level::Warn, Some(Denied), true),
            (500, Level::Error, None, true),
            (503, Level::Error, None, true),
            (999, Level::Error, None, true),
        ] {
            let expected = Verdict {
                status,
                level,
                detail,
                failure: failed.then_some(Failure::Status),
            };
            let status = StatusCode::from_u16(status).ok();
            assert_eq!(verdict(Ending::Complete, status), expected);
            if failed {
                assert_eq!(
                    verdict(Ending::Gone, status),
                    expected,
                    "the status is the reason"
                );
            }
        }
    }
}

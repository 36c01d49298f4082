use std::mem;

use http::{HeaderValue, Method, Response, StatusCode};
use http_body::Body;

use super::{
    access::{Access, Ending},
    arrival::{X_REQUEST_ID, content_length},
    body::AuditBody,
    request_audit::RequestAudit,
    why::Why,
};
use crate::{current::Scope, pipeline::Mode, receipt::Commit};

/// Owes the access record of one request and writes it when it is dropped at the latest. It is held
/// by the future until there is a response, then by the response's body.
#[derive(Debug)]
pub(super) struct Guard {
    audit: RequestAudit,
    answer: Option<Answer>,
    phase: Phase,
    room: Room,
}

/// What the queue had for the record when the request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    Enough,
    None,
}

/// What was sent so far.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    bytes: u64,
    /// How much there is to be sent, where that is known.
    bytes_expected: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nobody runs.
    Waiting,
    /// The service or the body runs; to be dropped now means that it panicked.
    Running,
    /// The record is written.
    Settled,
}

impl Guard {
    pub(super) fn new(audit: RequestAudit) -> Self {
        // Keeps the log from ending before the record is queued.
        audit.settings().account.owe();
        Self {
            answer: None,
            phase: Phase::Waiting,
            room: if audit.handle().is_crowded() {
                Room::None
            } else {
                Room::Enough
            },
            audit,
        }
    }

    /// Whether the request comes while there is no room for what it would record.
    pub(super) fn is_refused(&self) -> bool {
        let exempt = || {
            self.audit
                .route()
                .is_some_and(|route| self.audit.settings().never_refused.contains(route))
        };
        let handle = self.audit.handle();
        let refused = handle.mode() == Mode::Enforce && self.room == Room::None && !exempt();
        if refused {
            self.audit.set_refused();
        }
        refused
    }

    pub(super) fn scope(&self) -> Scope {
        Scope {
            handle: self.audit.handle().clone(),
            context: Some(self.audit.context().clone()),
        }
    }

    /// Runs the service or the body, so that the guard knows of a panic there even where something
    /// outside catches it and drops the guard later.
    pub(super) fn watch<R>(guard: &mut Option<Self>, run: impl FnOnce() -> R) -> R {
        if let Some(guard) = guard {
            guard.phase = Phase::Running;
        }
        let result = run();
        if let Some(guard) = guard {
            guard.phase = Phase::Waiting;
        }
        result
    }

    /// Queues what the handler owed and did not write; the response waits for the answers.
    pub(super) fn settle_duties<B>(
        &self,
        response: &mut Response<B>,
    ) -> Vec<(&'static str, Commit)> {
        let error = response.extensions_mut().remove::<Why>();
        let status = response.status();
        self.audit.settle(|| Why::answered(status, error.clone()))
    }

    /// Hands the record over to the body, or writes it where nobody will poll that.
    pub(super) fn answer<B: Body>(
        self,
        mut response: Response<B>,
        scope: Option<Scope>,
    ) -> Response<AuditBody<B>> {
        // Now, since the body may take hours.
        self.audit.compare_claims();
        let body = response.body();
        let length = body.size_hint().exact();
        let nothing = body.is_end_stream();
        let guard = self.answered(&mut response, length, nothing);
        response.map(|body| AuditBody::new(body, scope, guard))
    }

    /// Answers in the place of the service, without a body.
    pub(super) fn refuse<B: Body>(self, mut response: Response<()>) -> Response<AuditBody<B>> {
        let guard = self.answered(&mut response, Some(0), true);
        response.map(|()| AuditBody::empty(guard))
    }

    /// Notes the head of the response; gives itself back where a body comes after it.
    fn answered<B>(
        mut self,
        response: &mut Response<B>,
        length: Option<u64>,
        nothing: bool,
    ) -> Option<Self> {
        let id = self.audit.context().request_id();
        if let Some(id) = id.and_then(|id| HeaderValue::from_str(id).ok()) {
            response.headers_mut().insert(&X_REQUEST_ID, id);
        }
        let status = response.status();
        let length = length.or_else(|| content_length(response.headers()));
        self.answer = Some(Answer {
            status,
            bytes: 0,
            bytes_expected: length,
        });
        let method = self.audit.method();
        let bodiless = *method == Method::HEAD
            || (*method == Method::CONNECT && status.is_success())
            || status.is_informational()
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
            || nothing;
        if bodiless {
            self.complete();
            return None;
        }
        Some(self)
    }

    /// Counts bytes of the body.
    pub(super) fn sent(&mut self, bytes: usize) {
        if let Some(answer) = &mut self.answer {
            let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
            answer.bytes = answer.bytes.saturating_add(bytes);
        }
    }

    /// Says that no more is to be sent than was.
    pub(super) fn all_sent(&mut self) {
        if let Some(answer) = &mut self.answer {
            answer.bytes_expected = Some(answer.bytes);
        }
    }

    /// Whether the service, the body or whoever drops them panicked.
    pub(super) fn panicked(&self) -> bool {
        self.phase == Phase::Running || std::thread::panicking()
    }

    /// There is nothing more to send.
    pub(super) fn complete(mut self) {
        self.settle(Ending::Complete);
    }

    /// The service answered with an error instead of a response.
    pub(super) fn service_error(mut self) {
        self.settle(Ending::ServiceError);
    }

    /// The body ended with an error.
    pub(super) fn body_error(mut self) {
        self.settle(Ending::BodyError);
    }

    fn settle(&mut self, ending: Ending) {
        if mem::replace(&mut self.phase, Phase::Settled) == Phase::Settled {
            return;
        }
        self.audit.abandon(match ending {
            Ending::Panic => "PANIC",
            _ => "ABANDONED",
        });
        self.audit.compare_claims();
        let handle = self.audit.handle();
        let access = Access {
            ending,
            status: self.answer.as_ref().map(|answer| answer.status),
            latency: (handle.clock().monotonic()).saturating_sub(self.audit.noted().started),
            bytes_out: self.answer.as_ref().map(|answer| answer.bytes),
        };
        access.write(&self.audit, self.room);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let whole = self
            .answer
            .as_ref()
            .is_some_and(|answer| answer.bytes_expected == Some(answer.bytes));
        let ending = if self.panicked() {
            Ending::Panic
        } else if whole {
            // Servers do not poll a body beyond the length that its header states.
            Ending::Complete
        } else {
            Ending::Gone
        };
        self.settle(ending);
        self.audit.settings().account.settle();
    }
}

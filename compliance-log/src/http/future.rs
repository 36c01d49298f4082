use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{HeaderValue, Response, StatusCode, header::RETRY_AFTER};
use http_body::Body;
use pin_project_lite::pin_project;

use super::{body::AuditBody, duty::after_effect, guard::Guard, in_scope::InScope};
use crate::{current::Scope, receipt::Commit};

pin_project! {
    #[project = Projection]
    /// The future of an [`AuditService`](super::AuditService).
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct AuditFuture<F, B> {
        // Before the guard, so that what the service writes while it is dropped comes first.
        #[pin]
        inner: InScope<F>,
        // The answer of the service, while records that its handler owed become durable.
        held: Option<Box<Held<B>>>,
        // None where another layer writes the record, and once there is a response.
        guard: Option<Guard>,
        entry: Entry,
    }
}

/// Whether a request was let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    Admitted,
    Refused,
}

#[derive(Debug)]
struct Held<B> {
    response: Response<B>,
    waiting: Vec<(&'static str, Commit)>,
}

impl<F, B> AuditFuture<F, B> {
    pub(super) fn new(inner: F, scope: Option<Scope>, guard: Guard) -> Self {
        Self {
            inner: InScope::new(inner, scope),
            held: None,
            guard: Some(guard),
            entry: Entry::Admitted,
        }
    }

    pub(super) fn seen(inner: F) -> Self {
        Self {
            inner: InScope::new(inner, None),
            held: None,
            guard: None,
            entry: Entry::Admitted,
        }
    }

    /// Answers 503 without asking the service.
    pub(super) fn refused(guard: Guard) -> Self {
        Self {
            inner: InScope::nothing(),
            held: None,
            guard: Some(guard),
            entry: Entry::Refused,
        }
    }
}

impl<F, B, E> Future for AuditFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<AuditBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if *this.entry == Entry::Refused {
            return this.guard.take().map_or(Poll::Pending, |guard| {
                Poll::Ready(Ok(guard.refuse(unavailable())))
            });
        }
        if this.held.is_none() {
            let polled = Guard::watch(this.guard, || {
                this.inner.as_mut().with(|inner| inner.poll(cx))
            });
            let Some(polled) = polled else {
                return Poll::Pending;
            };
            match ready!(polled) {
                Ok(mut response) => {
                    let waiting = this
                        .guard
                        .as_ref()
                        .map(|guard| guard.settle_duties(&mut response))
                        .unwrap_or_default();
                    if waiting.is_empty() {
                        return Poll::Ready(Ok(answer(this, response)));
                    }
                    *this.held = Some(Box::new(Held { response, waiting }));
                }
                Err(error) => {
                    if let Some(guard) = this.guard.take() {
                        guard.service_error();
                    }
                    return Poll::Ready(Err(error));
                }
            }
        }
        let Some(held) = this.held else {
            return Poll::Pending;
        };
        while let Some((event, commit)) = held.waiting.last_mut() {
            // The handler has ended: its answer stands, whatever becomes of the record.
            if ready!(Pin::new(commit).poll(cx)).is_err() {
                after_effect(event);
            }
            held.waiting.pop();
        }
        match this.held.take() {
            Some(held) => Poll::Ready(Ok(answer(this, held.response))),
            None => Poll::Pending,
        }
    }
}

/// The service has ended; what is left is the body.
fn answer<F, B: Body>(this: Projection<'_, F, B>, response: Response<B>) -> Response<AuditBody<B>> {
    let scope = this.inner.end();
    match this.guard.take() {
        Some(guard) => guard.answer(response, scope),
        None => response.map(AuditBody::seen),
    }
}

/// While the queue has no room.
fn unavailable() -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let seconds = HeaderValue::from_static("1");
    response.headers_mut().insert(RETRY_AFTER, seconds);
    response
}

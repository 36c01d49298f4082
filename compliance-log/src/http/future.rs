use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::{body::AuditBody, guard::Guard, in_scope::InScope};
use crate::current::Scope;

pin_project! {
    /// The future of an [`AuditService`](super::AuditService).
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct AuditFuture<F> {
        // Before the guard, so that what the service writes while it is dropped comes first.
        #[pin]
        inner: InScope<F>,
        // None where another layer writes the record, and once there is a response.
        guard: Option<Guard>,
    }
}

impl<F> AuditFuture<F> {
    pub(super) fn new(inner: F, scope: Scope, guard: Guard) -> Self {
        Self {
            inner: InScope::new(inner, Some(scope)),
            guard: Some(guard),
        }
    }

    pub(super) fn seen(inner: F) -> Self {
        Self {
            inner: InScope::new(inner, None),
            guard: None,
        }
    }
}

impl<F, B, E> Future for AuditFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<AuditBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let polled = Guard::watch(this.guard, || {
            this.inner.as_mut().with(|inner| inner.poll(cx))
        });
        let Some(polled) = polled else {
            return Poll::Pending;
        };
        let result = ready!(polled);
        let scope = this.inner.scope().cloned();
        Poll::Ready(match (result, this.guard.take()) {
            (Ok(response), Some(guard)) => Ok(guard.answer(response, scope)),
            (Ok(response), None) => Ok(response.map(AuditBody::seen)),
            (Err(error), guard) => {
                if let Some(guard) = guard {
                    guard.service_error();
                }
                Err(error)
            }
        })
    }
}

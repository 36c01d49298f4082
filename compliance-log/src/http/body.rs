use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::{guard::Guard, in_scope::InScope};
use crate::current::Scope;

pin_project! {
    /// The body of a response, which owes the access record until it ends.
    #[derive(Debug)]
    pub struct AuditBody<B: Body> {
        // Before the guard, so that what the body writes while it is dropped comes first.
        #[pin]
        inner: InScope<B>,
        guard: Option<Guard>,
    }

    impl<B: Body> PinnedDrop for AuditBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            // A body may learn of its end without being polled; its server then never polls it.
            if let Some(guard) = this.guard
                && !guard.panicked()
                && this.inner.get().is_some_and(Body::is_end_stream)
            {
                guard.all_sent();
            }
        }
    }
}

impl<B: Body> AuditBody<B> {
    pub(super) fn new(inner: B, scope: Option<Scope>, guard: Option<Guard>) -> Self {
        Self {
            inner: InScope::new(inner, scope),
            guard,
        }
    }

    /// The body of an answer that the layer gives itself.
    pub(super) fn empty(guard: Option<Guard>) -> Self {
        Self {
            inner: InScope::nothing(),
            guard,
        }
    }

    /// A body whose record another layer writes.
    pub(super) fn seen(inner: B) -> Self {
        Self::new(inner, None, None)
    }
}

impl<B: Body> Body for AuditBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let polled = Guard::watch(this.guard, || {
            this.inner.as_mut().with(|inner| inner.poll_frame(cx))
        });
        let Some(polled) = polled else {
            return Poll::Ready(None);
        };
        let frame = ready!(polled);
        match &frame {
            Some(Ok(frame)) => {
                if let (Some(guard), Some(data)) = (this.guard.as_mut(), frame.data_ref()) {
                    guard.sent(data.remaining());
                }
                // Servers do not poll again for an end that they have been told of.
                if this.inner.get().is_none_or(Body::is_end_stream)
                    && let Some(guard) = this.guard.take()
                {
                    guard.complete();
                }
            }
            Some(Err(_)) => {
                if let Some(guard) = this.guard.take() {
                    guard.body_error();
                }
            }
            None => {
                if let Some(guard) = this.guard.take() {
                    guard.complete();
                }
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.get().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner
            .get()
            .map_or_else(SizeHint::default, Body::size_hint)
    }
}

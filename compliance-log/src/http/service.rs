use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::{
    arrival::{self, Arrival},
    body::AuditBody,
    future::AuditFuture,
    guard::Guard,
    layer::Settings,
};

/// The service that an [`AuditLayer`](super::AuditLayer) makes of another.
#[derive(Clone)]
pub struct AuditService<S> {
    inner: S,
    settings: Arc<Settings>,
}

impl<S> AuditService<S> {
    pub(super) fn new(inner: S, settings: Arc<Settings>) -> Self {
        Self { inner, settings }
    }
}

impl<S, B, RB> Service<Request<B>> for AuditService<S>
where
    S: Service<Request<B>, Response = Response<RB>>,
    B: Body,
    RB: Body,
{
    type Response = Response<AuditBody<RB>>;
    type Error = S::Error;
    type Future = AuditFuture<S::Future, RB>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        match arrival::receive(&mut parts, &body, &self.settings) {
            Arrival::Seen => {
                let request = Request::from_parts(parts, body);
                AuditFuture::seen(self.inner.call(request))
            }
            Arrival::New(audit) => {
                // Owns the record from here on, also if `call` itself panics.
                let guard = Guard::new(audit);
                if guard.is_refused() {
                    return AuditFuture::refused(guard);
                }
                let request = Request::from_parts(parts, body);
                let mut scope = Some(guard.scope());
                let future = {
                    let _entered = crate::current::enter(&mut scope);
                    self.inner.call(request)
                };
                AuditFuture::new(future, scope, guard)
            }
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for AuditService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditService")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

//! Routes that have nothing to audit, and why: `unaudited::get(health, "liveness probe")`.
//!
//! The reason stands in the record `service.routes`, where reviewers read it. Requests to such a
//! route are never refused for the log's sake and leave no `audit_gap`. Their access records are written
//! when the answer changes, and counted otherwise: see [`Volume`](crate::Volume).

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use axum::{
    extract::Request,
    handler::Handler,
    routing::{MethodFilter, on},
};
use tower_layer::Layer;
use tower_service::Service;

use super::{
    request_audit::RequestAudit,
    route::{AuditedRoute, Owes},
};

macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident $filter:ident)*) => {$(
        $(#[$doc])*
        pub fn $name<H, T, S>(handler: H, reason: &'static str) -> AuditedRoute<S>
        where
            H: Handler<T, S>,
            T: 'static,
            S: Clone + Send + Sync + 'static,
        {
            let method = on(MethodFilter::$filter, handler).layer(Mark);
            AuditedRoute::new(stringify!($filter), Owes::Nothing(reason), method)
        }
    )*};
}

methods! {
    /// Routes `GET` and `HEAD` to a handler that has nothing to audit.
    get GET
    /// Routes `HEAD` to a handler that has nothing to audit.
    head HEAD
    /// Routes `OPTIONS` to a handler that has nothing to audit.
    options OPTIONS
    /// Routes `POST` to a handler that has nothing to audit.
    post POST
    /// Routes `PUT` to a handler that has nothing to audit.
    put PUT
    /// Routes `PATCH` to a handler that has nothing to audit.
    patch PATCH
    /// Routes `DELETE` to a handler that has nothing to audit.
    delete DELETE
}

/// Tells the request's audit that nothing is owed.
#[derive(Clone, Copy, Debug)]
struct Mark;

impl<S> Layer<S> for Mark {
    type Service = Marked<S>;

    fn layer(&self, inner: S) -> Marked<S> {
        Marked(inner)
    }
}

#[derive(Clone, Debug)]
struct Marked<S>(S);

impl<S: Service<Request, Error = Infallible>> Service<Request> for Marked<S> {
    type Response = S::Response;
    type Error = Infallible;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> S::Future {
        if let Some(audit) = request.extensions().get::<RequestAudit>() {
            audit.set_unaudited();
        }
        self.0.call(request)
    }
}

use std::{convert::Infallible, fmt};

use axum::{
    extract::Request,
    response::IntoResponse,
    routing::{MethodRouter, Route},
};
use tower_layer::Layer;
use tower_service::Service;

/// The handlers of one path, each with the event that it owes or the reason why it owes none.
///
/// Made by [`audited`](super::audited) and [`unaudited`](super::unaudited). An
/// [`AuditRouter`](super::AuditRouter) takes it as it is; for a plain `Router` it becomes a
/// [`MethodRouter`] with `.into()`.
#[must_use = "give it to a router"]
pub struct AuditedRoute<S = ()> {
    pub(super) methods: MethodRouter<S>,
    pub(super) listed: Vec<Listed>,
}

/// One handler, as `service.routes` lists it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listed {
    pub(super) method: &'static str,
    pub(super) owes: Owes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owes {
    Event(&'static str),
    /// With the reason.
    Nothing(&'static str),
}

impl<S: Clone + Send + Sync + 'static> AuditedRoute<S> {
    pub(super) fn new(method: &'static str, owes: Owes, methods: MethodRouter<S>) -> Self {
        Self {
            methods,
            listed: vec![Listed { method, owes }],
        }
    }

    /// Adds another method of the same path:
    /// `audited::get(read).and(audited::delete(cancel))`.
    ///
    /// # Panics
    ///
    /// If both have the same method, as [`MethodRouter::merge`] does.
    pub fn and(mut self, other: Self) -> Self {
        self.methods = self.methods.merge(other.methods);
        self.listed.extend(other.listed);
        self
    }

    /// Puts a layer around the handlers so far, as [`MethodRouter::layer`] does.
    pub fn layer<L>(self, layer: L) -> Self
    where
        L: Layer<Route<Infallible>> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        Self {
            methods: self.methods.layer(layer),
            listed: self.listed,
        }
    }
}

impl<S> From<AuditedRoute<S>> for MethodRouter<S> {
    fn from(route: AuditedRoute<S>) -> Self {
        route.methods
    }
}

impl<S> fmt::Debug for AuditedRoute<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AuditedRoute").field(&self.listed).finish()
    }
}

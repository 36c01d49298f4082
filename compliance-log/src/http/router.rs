use std::{convert::Infallible, fmt};

use axum::{
    Router,
    extract::Request,
    handler::Handler,
    response::IntoResponse,
    routing::{IntoMakeService, Route},
};
use tower_layer::Layer;
use tower_service::Service;

use super::{
    layer::AuditLayer,
    route::{AuditedRoute, Owes},
    routes::Routes,
};
use crate::log::ComplianceLog;

/// A router of which every route audits, or says why it does not.
///
/// It takes only [`AuditedRoute`]s, puts the [`AuditLayer`] around everything, and writes the list
/// of its routes as one record, `service.routes`, when it becomes a plain `Router`.
///
/// ```
/// use axum::{Json, Router};
/// use compliance_log::{
///     ComplianceLog, audit_event,
///     http::{AuditCtx, AuditResult, AuditRouter, audited, unaudited},
/// };
///
/// #[audit_event(name = "session.opened", category = "security", pre_auth)]
/// struct SessionOpened {}
///
/// async fn open(ctx: AuditCtx<SessionOpened>) -> AuditResult<Json<u32>> {
///     ctx.success(SessionOpened {}).await?.respond(Json(17))
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// # let dir = dir.path();
/// let log = ComplianceLog::builder("booking-api").env("test").dir(dir).open()?;
/// let app: Router = AuditRouter::new(&log)
///     .route("/sessions", audited::post(open))
///     .route("/health", unaudited::get(|| async { "ok" }, "liveness probe"))
///     .into();
/// # drop(app);
/// # log.shutdown()?;
/// # Ok(())
/// # }
/// ```
#[must_use = "serve it"]
pub struct AuditRouter<S = ()> {
    router: Router<S>,
    routes: Routes,
    layer: AuditLayer,
}

impl<S: Clone + Send + Sync + 'static> AuditRouter<S> {
    /// A router without routes that writes to `log`.
    pub fn new(log: &ComplianceLog) -> Self {
        Self::with_layer(AuditLayer::new(log))
    }

    /// A router without routes, with a layer that was told whom to trust or where to find addresses.
    pub fn with_layer(layer: AuditLayer) -> Self {
        Self {
            router: Router::new(),
            routes: Routes::default(),
            layer,
        }
    }

    /// Adds a path, as [`Router::route`] does.
    ///
    /// # Panics
    ///
    /// As [`Router::route`], for a path that is invalid or taken.
    pub fn route(mut self, path: &str, route: AuditedRoute<S>) -> Self {
        self.routes.add(path, &route.listed);
        self.router = self.router.route(path, route.methods);
        self
    }

    /// Puts the routes of `other` under `path`, as [`Router::nest`] does. The layer of `other` is
    /// not used.
    ///
    /// # Panics
    ///
    /// As [`Router::nest`].
    pub fn nest(mut self, path: &str, other: Self) -> Self {
        self.routes.nest(path, other.routes);
        self.router = self.router.nest(path, other.router);
        self
    }

    /// Adds the routes of `other`, as [`Router::merge`] does. The layer of `other` is not used.
    ///
    /// # Panics
    ///
    /// As [`Router::merge`].
    pub fn merge(mut self, other: Self) -> Self {
        self.routes.merge(other.routes);
        self.router = self.router.merge(other.router);
        self
    }

    /// Answers what matches no route, as [`Router::fallback`] does. Only the access record tells of
    /// such a request.
    pub fn fallback<H, T>(mut self, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        self.router = self.router.fallback(handler);
        self
    }

    /// Puts a layer around the routes so far, inside of the [`AuditLayer`], as [`Router::layer`]
    /// does: authentication, limits, timeouts.
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        self.router = self.router.layer(layer);
        self
    }

    /// Completes the router: writes `service.routes`, puts the [`AuditLayer`] around everything.
    pub fn with_state<S2>(self, state: S) -> Router<S2> {
        self.routes.record(&self.layer.0.handle);
        let unaudited = self.routes.paths(|owes| matches!(owes, Owes::Nothing(_)));
        let layer = self
            .layer
            .never_refuse(unaudited.iter().map(|path| &**path));
        self.router.layer(layer).with_state(state)
    }
}

impl AuditRouter {
    /// A service for `axum::serve`. Records then lack the client's address, `ip`: for that make the
    /// router [with a layer](Self::with_layer) that was told of it by [`AuditLayer::peer_in`], and serve
    /// `Router::from(..).into_make_service_with_connect_info`.
    pub fn into_make_service(self) -> IntoMakeService<Router> {
        Router::from(self).into_make_service()
    }
}

impl From<AuditRouter> for Router {
    fn from(router: AuditRouter) -> Self {
        router.with_state(())
    }
}

impl<S> fmt::Debug for AuditRouter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditRouter")
            .field("routes", &self.routes)
            .field("layer", &self.layer)
            .finish_non_exhaustive()
    }
}

use std::{
    collections::HashSet,
    fmt,
    net::{IpAddr, SocketAddr},
    ops::Deref,
    sync::Arc,
};

use http::{Extensions, request::Parts};
use tower_layer::Layer;

use super::{access, claim::Claim, proxies::TrustedProxies, service::AuditService, trust::Trust};
use crate::{
    event::Channel,
    log::ComplianceLog,
    pipeline::{Account, Handle},
};

/// Writes one access record for each request to the service inside.
///
/// Make it the outermost layer, with `Router::layer`: outside of authentication, timeouts, limits
/// and `CatchPanicLayer`, so that it sees how they answer. Only the layer that makes the server's span,
/// if there is one, goes outside of it: see [`Builder::trace_ids`](crate::Builder::trace_ids). Inside of another `AuditLayer` it only
/// tells that one the matched route.
///
/// While the log's queue is full, because its disk cannot keep up, new requests are answered 503 with
/// `Retry-After: 1` and an empty body. Requests that are under way go on.
///
/// ```
#[cfg_attr(feature = "axum", doc = "use axum::{Router, routing::get};")]
/// use compliance_log::{ComplianceLog, http::AuditLayer};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// # let dir = dir.path();
/// let log = ComplianceLog::builder("booking-api").env("test").dir(dir).open()?;
#[cfg_attr(
    feature = "axum",
    doc = r#"let app: Router = Router::new()
    .route("/bookings/{id}", get(|| async { "booked" }))
    .layer(AuditLayer::new(&log));"#
)]
#[cfg_attr(not(feature = "axum"), doc = "let layer = AuditLayer::new(&log);")]
/// // … serve; and only once no connection is left:
/// log.shutdown()?;
/// # Ok(())
/// # }
/// ```
///
/// With tower alone, `ServiceBuilder::new().layer(AuditLayer::new(&log)).service(inner)` serves any
/// `Service<http::Request<B>, Response = http::Response<RB>>`. Nothing is boxed and no runtime is
/// needed.
#[derive(Clone)]
pub struct AuditLayer(pub(super) Arc<Settings>);

/// What a layer was told. Shared, since services are cloned for each request.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) handle: Handle,
    /// Of the access records that requests owe.
    pub(super) account: Arc<Account>,
    pub(super) trust: Trust,
    pub(super) route_of: fn(&Parts) -> Option<&str>,
    pub(super) peer_of: fn(&Extensions) -> Option<IpAddr>,
    pub(super) proxies: Option<TrustedProxies>,
    pub(super) ignored_claims: Vec<Claim>,
    /// Routes that have nothing to audit, such as the probes by which a pod is kept alive.
    pub(super) never_refused: HashSet<Box<str>>,
}

impl AuditLayer {
    /// A layer that writes to `log` and keeps nothing open.
    pub fn new(log: &ComplianceLog) -> Self {
        let handle = log.handle();
        Self(Arc::new(Settings {
            account: handle.account(access::NAME, Channel::Audit),
            handle,
            trust: Trust::default(),
            route_of: matched_path,
            peer_of: peer_address,
            proxies: None,
            ignored_claims: Vec::new(),
            never_refused: HashSet::new(),
        }))
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// Whom to believe about trace and request id. Default: [`Trust::default`].
    #[must_use]
    pub fn trust(self, trust: Trust) -> Self {
        self.with(|settings| settings.trust = trust)
    }

    /// How to tell which route a request matches, as the service's author wrote it. Default: axum's
    /// `MatchedPath`, with the feature `axum`; else none.
    ///
    /// It must have few values, because people count records and time by it: never the path as it was sent.
    ///
    /// ```
    /// # use compliance_log::http::AuditLayer;
    /// # fn f(layer: AuditLayer) -> AuditLayer {
    /// // gRPC paths are names of methods; one that the service does not have is no route.
    /// const METHODS: [&str; 2] = ["/booking.v1.Bookings/Create", "/booking.v1.Bookings/Read"];
    /// layer.route_of(|parts| Some(parts.uri.path()).filter(|path| METHODS.contains(path)))
    /// # }
    /// ```
    #[must_use]
    pub fn route_of(self, route_of: fn(&Parts) -> Option<&str>) -> Self {
        self.with(|settings| settings.route_of = route_of)
    }

    /// In which extension of a request the address stands from which it came. An axum service needs this
    /// one line, and to be served with connect info:
    ///
    /// ```
    /// # use compliance_log::http::AuditLayer;
    /// # #[cfg(feature = "axum")]
    /// # fn f(app: axum::Router, layer: AuditLayer) {
    /// use axum::extract::ConnectInfo;
    /// use std::net::SocketAddr;
    ///
    /// let app = app.layer(layer.peer_in::<ConnectInfo<SocketAddr>>());
    /// let service = app.into_make_service_with_connect_info::<SocketAddr>();
    /// # drop(service);
    /// # }
    /// ```
    ///
    /// It is no default because axum has `ConnectInfo` only with its feature `tokio`, which this crate does
    /// not ask for. Requests without an address are counted as `compliance_log_no_peer`.
    #[must_use]
    pub fn peer_in<T>(self) -> Self
    where
        T: Deref<Target = SocketAddr> + Send + Sync + 'static,
    {
        self.peer_of(|extensions| Some(extensions.get::<T>()?.ip()))
    }

    /// How to tell from which address a request came, where [`AuditLayer::peer_in`] is not enough. Default: a
    /// `SocketAddr` or `IpAddr` among the extensions. It sees no headers, because anybody can write
    /// those.
    #[must_use]
    pub fn peer_of(self, peer_of: fn(&Extensions) -> Option<IpAddr>) -> Self {
        self.with(|settings| settings.peer_of = peer_of)
    }

    /// Routes, as the service's author wrote them, that are answered while the queue is full as well:
    /// `layer.never_refuse(["/health", "/ready", "/metrics"])`. A pod whose probe is refused is killed, which
    /// gives no queue more room. An `AuditRouter` knows its `unaudited` routes itself.
    #[must_use]
    pub fn never_refuse<'r>(self, routes: impl IntoIterator<Item = &'r str>) -> Self {
        let routes = routes.into_iter().map(Box::from);
        self.with(|settings| settings.never_refused.extend(routes))
    }

    /// Which proxies say whom a request is from. Default: none, and the record's `ip` is the address
    /// of the connection.
    #[must_use]
    pub fn proxies(self, proxies: TrustedProxies) -> Self {
        self.with(|settings| settings.proxies = Some(proxies))
    }

    /// Does not compare what headers and baggage say of this with what is verified. Default: whatever
    /// differs is told of in a record `security.context_mismatch`, one at most for each request.
    ///
    /// For services to which a gateway of their own sends something else under these names, such as a
    /// user name in `x-user-id` where tokens have a subject. Nothing that is claimed is ever believed,
    /// compared or not.
    #[must_use]
    pub fn ignore_claim(self, claim: Claim) -> Self {
        self.with(|settings| settings.ignored_claims.push(claim))
    }
}

#[cfg(feature = "axum")]
fn matched_path(parts: &Parts) -> Option<&str> {
    let path = parts.extensions.get::<axum::extract::MatchedPath>()?;
    Some(path.as_str())
}

#[cfg(not(feature = "axum"))]
fn matched_path(_: &Parts) -> Option<&str> {
    None
}

fn peer_address(extensions: &Extensions) -> Option<IpAddr> {
    let socket = extensions.get::<SocketAddr>();
    socket
        .map(SocketAddr::ip)
        .or_else(|| extensions.get::<IpAddr>().copied())
}

impl<S> Layer<S> for AuditLayer {
    type Service = AuditService<S>;

    fn layer(&self, inner: S) -> AuditService<S> {
        AuditService::new(inner, Arc::clone(&self.0))
    }
}

impl fmt::Debug for AuditLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditLayer")
            .field("handle", &self.0.handle)
            .field("trust", &self.0.trust)
            .finish_non_exhaustive()
    }
}

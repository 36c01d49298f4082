//! A `reqwest` client whose calls carry the context of the request that they are made for.

use axum::http::Extensions;
use compliance_log::http::propagate;
use reqwest::{Client, Request, Response};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next, Result};

/// The last step before a call goes out, so that each attempt of a retry has an id of its own.
struct Outgoing;

#[async_trait::async_trait]
impl Middleware for Outgoing {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        propagate(request.headers_mut());
        next.run(request, extensions).await
    }
}

pub(crate) fn client() -> ClientWithMiddleware {
    ClientBuilder::new(Client::new()).with(Outgoing).build()
}

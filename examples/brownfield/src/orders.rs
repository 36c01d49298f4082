//! What the service has done all along: handlers, a store, an authentication. With the habits of real
//! code: a span that carries a header, and `?new` where `new.item` was meant.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};

/// What a client orders.
#[derive(Clone, Debug, Deserialize)]
pub struct NewOrder {
    /// The article.
    pub item: String,
    /// How it is paid.
    pub card: String,
}

/// What was ordered.
#[derive(Clone, Debug, Serialize)]
pub struct Order {
    /// Its number.
    pub id: usize,
    /// The article.
    pub item: String,
}

/// All orders, in memory.
#[derive(Clone, Debug, Default)]
pub struct Orders(Arc<Mutex<Vec<Order>>>);

impl Orders {
    /// Adds one.
    pub fn add(&self, item: String) -> Order {
        let mut orders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let id = orders.len() + 1;
        let order = Order { id, item };
        orders.push(order.clone());
        order
    }

    /// Gives all.
    pub fn all(&self) -> Vec<Order> {
        let orders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        orders.clone()
    }
}

/// Who is logged in.
#[derive(Clone, Copy, Debug)]
pub struct User {
    /// The shop that employs them.
    pub shop: &'static str,
    /// Their opaque number.
    pub id: &'static str,
}

/// A stub of an authentication: it knows one token. A real one verifies a signature.
pub fn user_of(headers: &HeaderMap) -> Option<User> {
    let token = headers.get(AUTHORIZATION)?;
    (token == "Bearer demo-token-of-olga").then_some(User {
        shop: "shop-1",
        id: "u-olga",
    })
}

/// Lets in who has a token, and everybody who asks for the health.
pub async fn authenticate(request: Request, next: Next) -> Response {
    match user_of(request.headers()) {
        Some(_) => (),
        None if request.uri().path() == "/health" => (),
        None => return StatusCode::UNAUTHORIZED.into_response(),
    }
    next.run(request).await
}

/// `POST /orders`
#[tracing::instrument(skip_all, fields(authorization = ?headers.get(AUTHORIZATION)))]
pub async fn place(
    State(orders): State<Orders>,
    headers: HeaderMap,
    Json(new): Json<NewOrder>,
) -> Json<Order> {
    tracing::info!(?new, "order received");
    let order = orders.add(new.item);
    tracing::info!(order.id, "order placed");
    Json(order)
}

/// `GET /orders`
pub async fn list(State(orders): State<Orders>) -> Json<Vec<Order>> {
    let orders = orders.all();
    tracing::info!(count = orders.len(), "orders listed");
    Json(orders)
}

/// `GET /health`
pub async fn health() -> &'static str {
    "ok\n"
}

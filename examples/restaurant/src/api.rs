//! The routes. None of them asks whether the caller may: that was decided before the request came here.

use std::borrow::Cow;
use std::str::FromStr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, patch};
use axum::{Extension, Json, Router, middleware};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::environ::{Caller, name_caller};
use crate::kitchen::{Kitchen, MAX_ITEMS, Order, OrderRefused, Status};

/// The application, with an empty order book.
pub(crate) fn router() -> Router {
    let api = Router::new()
        .route("/api/menu", get(menu))
        .route("/api/menu/{id}", delete(remove_from_menu))
        .route("/api/orders", get(orders).post(place_order))
        .route("/api/orders/{id}/status", patch(set_status))
        .with_state(Arc::new(Kitchen::new()));
    api.route("/healthz", get(async || Json(json!({ "status": "ok" }))))
        .fallback(async || NOT_FOUND)
        .method_not_allowed_fallback(async || METHOD_NOT_ALLOWED)
        .layer(middleware::from_fn(name_caller))
}

const NOT_FOUND: Problem = Problem::fixed(StatusCode::NOT_FOUND, "Not found");
const METHOD_NOT_ALLOWED: Problem = Problem::fixed(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed");

type Shared = State<Arc<Kitchen>>;

async fn menu(State(kitchen): Shared, Extension(caller): Extension<Caller>) -> Json<Value> {
    Json(json!({ "items": kitchen.menu(), "viewer": caller.user_id }))
}

async fn remove_from_menu(State(kitchen): Shared, id: Path<String>) -> Result<Json<Value>, Problem> {
    let item = kitchen.remove_from_menu(number(&id)?).ok_or(NOT_FOUND)?;
    Ok(Json(json!({ "deleted": item })))
}

#[derive(Debug, Serialize)]
struct Orders {
    orders: Vec<Order>,
}

async fn orders(State(kitchen): Shared, Extension(caller): Extension<Caller>) -> Json<Orders> {
    let everyones = caller.sees_all_orders();
    let orders = kitchen.orders(|user_id| everyones || user_id == caller.user_id.as_deref());
    Json(Orders { orders })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewOrder {
    items: Vec<u32>,
}

async fn place_order(
    State(kitchen): Shared,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<(StatusCode, Json<Order>), Problem> {
    let NewOrder { items } = parse(&body)?;
    let order = kitchen.place(caller.user_id, items)?;
    Ok((StatusCode::CREATED, Json(order)))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewStatus {
    status: Status,
}

async fn set_status(State(kitchen): Shared, id: Path<String>, body: Bytes) -> Result<Json<Order>, Problem> {
    let NewStatus { status } = parse(&body)?;
    kitchen.set_status(number(&id)?, status).map(Json).ok_or(NOT_FOUND)
}

/// A request refused: the status, and a sentence for the body.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    error: Cow<'static, str>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, error: impl Into<Cow<'static, str>>) -> Self {
        Self { status, error: error.into() }
    }

    const fn fixed(status: StatusCode, error: &'static str) -> Self {
        Self { status, error: Cow::Borrowed(error) }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "error": self.error }))).into_response()
    }
}

impl From<OrderRefused> for Problem {
    fn from(refused: OrderRefused) -> Self {
        let error = match refused {
            OrderRefused::ItemCount => format!("items: an order has between 1 and {MAX_ITEMS} items"),
            OrderRefused::NotOnTheMenu(id) => format!("items: {id} is not on the menu"),
        };
        Self::new(StatusCode::BAD_REQUEST, error)
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error.to_string()))
}

/// An id that is not a number names nothing.
fn number<T: FromStr>(id: &str) -> Result<T, Problem> {
    id.parse().map_err(|_| NOT_FOUND)
}

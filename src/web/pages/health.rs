//! `/healthz`: whether the index answers, for those who watch over servers.

use axum::extract::State;
use axum::http::StatusCode;

use crate::web::app::App;

pub async fn page(State(app): State<App>) -> (StatusCode, &'static str) {
    match app.database().repositories().await {
        Ok(_) => (StatusCode::OK, "ok\n"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the index does not answer\n"),
    }
}

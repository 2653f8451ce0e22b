//! The pages, one file each, and where they are.

mod analytics;
mod code;
mod code_file;
mod commit;
mod commits;
mod health;
mod integrity;
mod members;
mod metrics;
mod overview;
mod policies;
mod record;
mod search;
mod session;
mod sessions;

use axum::Router;
use axum::routing::get;

use crate::index::Repository;
use crate::web::app::App;
use crate::web::page::NoPage;
use crate::web::table::Cell;

/// Every path there is.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/", get(overview::page))
        .route("/overview", get(overview::page))
        .route("/sessions", get(sessions::page))
        .route("/r/{repository}/sessions/{session}", get(session::page))
        .route("/commits", get(commits::page))
        .route("/r/{repository}/commits/{sha}", get(commit::page))
        .route("/r/{repository}/code", get(code::page))
        .route("/r/{repository}/code/", get(code::page))
        .route("/r/{repository}/code/{*path}", get(code::page))
        .route("/analytics", get(analytics::index))
        .route("/analytics/{question}", get(analytics::page))
        .route("/integrity", get(integrity::page))
        .route("/members", get(members::page))
        .route("/policies", get(policies::page))
        .route("/r/{repository}/chains/{chain}", get(integrity::chain))
        .route("/records/{record}", get(record::page))
        .route("/search", get(search::page))
        .route("/healthz", get(health::page))
        .route("/metrics", get(metrics::page))
        .fallback(nowhere)
}

async fn nowhere(uri: axum::http::Uri) -> NoPage {
    NoPage::NotFound(format!("there is no page {}", uri.path()))
}

/// A repository's verdict, as a word that looks like what it means.
fn verdict(repository: &Repository) -> Cell {
    let Some(verdict) = repository.verdict.as_deref() else { return Cell::none() };
    Cell::text(verdict).looks(match verdict {
        "pass" => "pass",
        "fail" => "fail",
        _ => "warn",
    })
}

/// The repository with this name.
async fn repository(app: &App, name: &str) -> Result<Repository, NoPage> {
    let found = app.database().repositories().await?.into_iter().find(|repository| repository.name == name);
    found.ok_or_else(|| NoPage::NotFound(format!("there is no repository {name:?}")))
}

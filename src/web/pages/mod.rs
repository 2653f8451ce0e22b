//! The pages, one file each, and where they are.

mod alerts;
mod analytics;
mod commit;
mod commits;
mod compliance;
mod exceptions;
mod health;
mod help;
mod hooks;
mod integrity;
mod keys;
mod members;
mod metrics;
mod openapi;
mod overview;
mod policies;
mod proof;
mod record;
mod retention;
mod search;
mod session;
mod sessions;

use axum::Router;
use axum::routing::{any, get};

use crate::compliance::Told;
use crate::index::Repository;
use crate::web::app::App;
use crate::web::ask::{Ask, ROWS};
use crate::web::page::NoPage;
use crate::web::table::{Cell, Table};

/// Every path there is.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/", get(overview::page))
        .route("/overview", get(overview::page))
        .route("/sessions", get(sessions::page))
        .route("/r/{repository}/sessions/{session}", get(session::page))
        .route("/commits", get(commits::page))
        .route("/r/{repository}/commits/{sha}", get(commit::page))
        .route("/analytics", get(analytics::index))
        .route("/analytics/{question}", get(analytics::page))
        .route("/integrity", get(integrity::page))
        .route("/alerts", get(alerts::page))
        .route("/alerts.atom", get(alerts::atom))
        .route("/members", get(members::page))
        .route("/policies", get(policies::page))
        .route("/compliance", get(compliance::page))
        .route("/retention", get(retention::page))
        .route("/retention/{part}", get(retention::part))
        .route("/exceptions", get(exceptions::decided))
        .route("/exceptions/{part}", get(exceptions::page))
        .route("/r/{repository}/chains/{chain}", get(integrity::chain))
        .route("/records/{record}", get(record::page))
        .route("/records/{record}/proof", get(proof::file))
        .route("/keys", get(keys::page))
        .route("/keys/{file}", get(keys::file))
        .route("/search", get(search::page))
        .route("/help", get(help::page))
        .route("/openapi.json", get(openapi::page))
        .route("/hooks/update", any(hooks::update))
        .route("/healthz", get(health::page))
        .route("/metrics", get(metrics::page))
        .fallback(nowhere)
}

async fn nowhere(uri: axum::http::Uri) -> NoPage {
    NoPage::NotFound(format!("there is no page {}", uri.path()))
}

/// A repository's verdict, as a word that looks like what it means.
fn verdict(repository: &Repository) -> Cell {
    repository.verdict.as_deref().map_or_else(Cell::none, verdict_word)
}

/// `pass`, `inconclusive` or `fail`, as it looks.
fn verdict_word(verdict: &str) -> Cell {
    Cell::text(verdict).looks(match verdict {
        "pass" => "pass",
        "fail" => "fail",
        _ => "warn",
    })
}

/// A part of rows that are all at hand; `after` is the number of those before it.
fn part(table: Table, rows: Vec<Vec<Cell>>, ask: &Ask, path: &str) -> Result<Table, NoPage> {
    let from = ask.after()?.map_or(0, |after| usize::try_from(after.time).unwrap_or_default());
    let (all, end) = (rows.len(), from.saturating_add(ROWS as usize));
    let mut table = table.rows(rows.into_iter().skip(from).take(ROWS as usize));
    table.next = (all > end).then(|| ask.next(path, i64::try_from(end).unwrap_or(i64::MAX), "0"));
    Ok(table)
}

/// A record of the policy chain, by its number.
fn policy_record(told: &Told) -> Cell {
    let cell = Cell::id(&told.id.to_string()).to(format!("/records/{}", told.id));
    Cell { text: format!("#{}", told.n), ..cell }
}

/// The repository with this name.
async fn repository(app: &App, name: &str) -> Result<Repository, NoPage> {
    let found = app.database().repositories().await?.into_iter().find(|repository| repository.name == name);
    found.ok_or_else(|| NoPage::NotFound(format!("there is no repository {name:?}")))
}

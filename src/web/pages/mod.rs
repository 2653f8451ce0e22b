//! The pages, one file each, and where they are.

mod alerts;
mod analytics;
mod audit;
mod code;
mod code_file;
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
mod story;
mod suggestions;

use axum::routing::{MethodRouter, any, get};
use axum::{Router, middleware};

use crate::compliance::Told;
use crate::index::Repository;
use crate::web::access::{self, Gate, Reader, Right};
use crate::web::app::App;
use crate::web::ask::Ask;
use crate::web::page::NoPage;
use crate::web::table::{Cell, Table};

/// A path, the right that it needs, and whether who reads it is noted.
struct Route {
    path: &'static str,
    gate: Gate,
    handler: MethodRouter<App>,
}

fn route(path: &'static str, right: Right, handler: MethodRouter<App>) -> Route {
    Route { path, gate: Gate { right, reads: false, takes: false }, handler }
}

/// A page that tells what was said in a session.
fn transcript(path: &'static str, handler: MethodRouter<App>) -> Route {
    Route { path, gate: Gate { right: Right::Traces, reads: true, takes: false }, handler }
}

/// A file for other programs.
fn file(path: &'static str, right: Right, handler: MethodRouter<App>) -> Route {
    Route { path, gate: Gate { right, reads: false, takes: true }, handler }
}

/// Every path there is, but those of signing in.
fn all() -> Vec<Route> {
    use Right::{AuditLog, Code, Compliance, Integrity, Members, Open, Policies, Traces};
    vec![
        route("/", Traces, get(overview::page)),
        route("/overview", Traces, get(overview::page)),
        route("/sessions", Traces, get(sessions::page)),
        transcript("/r/{repository}/sessions/{session}", get(session::page)),
        transcript("/r/{repository}/sessions/{session}/story", get(story::of_session)),
        transcript("/r/{repository}/story/{*path}", get(story::of_line)),
        route("/commits", Traces, get(commits::page)),
        route("/r/{repository}/commits/{sha}", Traces, get(commit::page)),
        route("/r/{repository}/code", Code, get(code::page)),
        route("/r/{repository}/code/", Code, get(code::page)),
        route("/r/{repository}/code/{*path}", Code, get(code::page)),
        route("/analytics", Traces, get(analytics::index)),
        route("/analytics/{question}", Traces, get(analytics::page)),
        route("/suggestions", Traces, get(suggestions::page)),
        route("/suggestions/{part}", Traces, get(suggestions::part)),
        transcript("/search", get(search::page)),
        route("/records/{record}", Traces, get(record::page)),
        file("/records/{record}/proof", Traces, get(proof::file)),
        route("/integrity", Integrity, get(integrity::page)),
        route("/r/{repository}/chains/{chain}", Integrity, get(integrity::chain)),
        route("/alerts", Integrity, get(alerts::page)),
        route("/alerts.atom", Integrity, get(alerts::atom)),
        route("/policies", Policies, get(policies::page)),
        route("/exceptions", Policies, get(exceptions::decided)),
        route("/exceptions/{part}", Policies, get(exceptions::page)),
        route("/compliance", Compliance, get(compliance::page)),
        route("/retention", Compliance, get(retention::page)),
        route("/retention/{part}", Compliance, get(retention::part)),
        route("/members", Members, get(members::page)),
        route("/keys", Members, get(keys::page)),
        file("/keys/{file}", Members, get(keys::file)),
        route("/audit", AuditLog, get(audit::page)),
        file("/audit/log", AuditLog, get(audit::log)),
        file("/audit/key.pub", AuditLog, get(audit::key)),
        route("/help", Open, get(help::page)),
        route("/openapi.json", Open, get(openapi::page)),
        route("/hooks/update", Open, any(hooks::update)),
        route("/healthz", Open, get(health::page)),
        route("/metrics", Open, get(metrics::page)),
    ]
}

/// The routes, each behind its gate.
pub fn routes(app: &App) -> Router<App> {
    let mut router = Router::new();
    for Route { path, gate, handler } in all() {
        let gate = middleware::from_fn_with_state((app.clone(), gate), access::admit);
        router = router.route(path, handler.layer(gate));
    }
    router.fallback(nowhere)
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
fn part(table: Table, rows: Vec<Vec<Cell>>, reader: &Reader, ask: &Ask, path: &str) -> Result<Table, NoPage> {
    let from = ask.after()?.map_or(0, |after| usize::try_from(after.time).unwrap_or_default());
    let (all, end) = (rows.len(), from.saturating_add(reader.rows));
    let mut table = table.rows(rows.into_iter().skip(from).take(reader.rows));
    table.next = (all > end).then(|| ask.next(path, i64::try_from(end).unwrap_or(i64::MAX), "0"));
    Ok(table)
}

/// A record of the policy chain, by its number.
fn policy_record(told: &Told) -> Cell {
    let cell = Cell::id(&told.id.to_string()).to(format!("/records/{}", told.id));
    Cell { text: format!("#{}", told.n), ..cell }
}

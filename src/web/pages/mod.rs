//! The pages, one file each, and where they are.

mod analytics;
mod audit;
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

use axum::routing::{MethodRouter, get};
use axum::{Router, middleware};

use crate::index::Repository;
use crate::web::access::{self, Gate, Right};
use crate::web::app::App;
use crate::web::page::NoPage;
use crate::web::table::Cell;

/// A path, the right that it needs, and whether who reads it is noted.
struct Route {
    path: &'static str,
    gate: Gate,
    handler: MethodRouter<App>,
}

fn route(path: &'static str, right: Right, handler: MethodRouter<App>) -> Route {
    Route { path, gate: Gate { right, reads: false }, handler }
}

/// A page that tells what was said in a session.
fn transcript(path: &'static str, handler: MethodRouter<App>) -> Route {
    Route { path, gate: Gate { right: Right::Traces, reads: true }, handler }
}

/// Every path there is, but those of signing in.
fn all() -> Vec<Route> {
    use Right::{AuditLog, Code, Integrity, Members, Open, Policies, Traces};
    vec![
        route("/", Traces, get(overview::page)),
        route("/overview", Traces, get(overview::page)),
        route("/sessions", Traces, get(sessions::page)),
        transcript("/r/{repository}/sessions/{session}", get(session::page)),
        route("/commits", Traces, get(commits::page)),
        route("/r/{repository}/commits/{sha}", Traces, get(commit::page)),
        route("/r/{repository}/code", Code, get(code::page)),
        route("/r/{repository}/code/", Code, get(code::page)),
        route("/r/{repository}/code/{*path}", Code, get(code::page)),
        route("/analytics", Traces, get(analytics::index)),
        route("/analytics/{question}", Traces, get(analytics::page)),
        transcript("/search", get(search::page)),
        route("/records/{record}", Traces, get(record::page)),
        route("/integrity", Integrity, get(integrity::page)),
        route("/r/{repository}/chains/{chain}", Integrity, get(integrity::chain)),
        route("/policies", Policies, get(policies::page)),
        route("/members", Members, get(members::page)),
        route("/audit", AuditLog, get(audit::page)),
        route("/audit/log", AuditLog, get(audit::log)),
        route("/audit/key.pub", AuditLog, get(audit::key)),
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
    let Some(verdict) = repository.verdict.as_deref() else { return Cell::none() };
    Cell::text(verdict).looks(match verdict {
        "pass" => "pass",
        "fail" => "fail",
        _ => "warn",
    })
}

//! `/metrics`: what a monitor watches, in the text format of Prometheus (version 0.0.4).

use std::fmt::Write;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use crate::digest::Digest;
use crate::index::Repository;
use crate::web::access::Visitor;
use crate::web::app::{App, Doing};
use crate::web::page::NoPage;

/// Names of repositories are told to this machine, to whom has the token, or to everybody where everything is.
fn may_read(app: &App, visitor: &Visitor, headers: &HeaderMap) -> bool {
    let shown = headers.get(header::AUTHORIZATION).and_then(|shown| shown.as_bytes().strip_prefix(b"Bearer "));
    // What a proxy of this machine passes on comes from elsewhere.
    let passed_on = ["x-forwarded-for", "forwarded"].iter().any(|name| headers.contains_key(*name));
    let is_local =
        !passed_on && visitor.peer.is_some_and(|peer| peer.is_loopback()) && app.door().origins.is_known(&visitor.host);
    // Hashes, since how long a comparison takes tells of what is compared.
    let same = |token: &String| shown.is_some_and(|shown| Digest::of(shown) == Digest::of(token.as_bytes()));
    app.door().public || is_local || app.door().metrics_token.as_ref().is_some_and(same)
}

pub async fn page(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
) -> Result<Response, NoPage> {
    if !may_read(&app, &visitor, &headers) {
        return Err(NoPage::Forbidden);
    }
    let repositories = app.database().repositories().await?;
    let mut out = String::new();
    let mut metric = |name: &str, help: &str, value: &dyn Fn(&Repository) -> Option<i64>| {
        let _ = writeln!(out, "# HELP tracevault_{name} {help}\n# TYPE tracevault_{name} gauge");
        for repository in &repositories {
            if let Some(value) = value(repository) {
                // A name has nothing that would have to be escaped.
                let _ = writeln!(out, "tracevault_{name}{{repository=\"{}\"}} {value}", repository.name);
            }
        }
    };
    metric("records", "Records of the ledger.", &|repository| Some(repository.records));
    metric("verdict", "0 pass, 1 fail, 2 could not tell, as verify exits.", &|repository| {
        repository.verdict.as_deref().map(|verdict| match verdict {
            "pass" => 0,
            "fail" => 1,
            _ => 2,
        })
    });
    metric("trouble", "1 where it could not be brought up to date.", &|repository| {
        Some(repository.trouble.is_some().into())
    });
    metric("fetched_seconds", "When it was last fetched, since 1970.", &|repository| repository.fetched);
    metric("verified_seconds", "When it was last verified, since 1970.", &|repository| repository.verified);
    metric("fully_verified_seconds", "When all of it was last verified anew.", &|repository| repository.fully_verified);
    metric("updating", "1 while it is brought up to date.", &|repository| {
        Some((app.doing(&repository.name) == Doing::Updating).into())
    });
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], out).into_response())
}

//! As of when a page tells: a day, a time, or a record of a policy chain, in the URL; such a page always says the same.

use axum::extract::Query;
use axum::http::Uri;

use crate::index::{AsOf, Database, Filter};
use crate::time::Time;
use crate::web::ask::{Ask, day, some};
use crate::web::page::{NoPage, Page};
use crate::web::routes::ROUTES;
use crate::web::show;

/// What was asked for; `None` for everything that is known now.
pub async fn of(ask: &Ask, index: &Database, readable: &Filter) -> Result<Option<AsOf>, NoPage> {
    let Some(text) = some(&ask.asof) else { return Ok(None) };
    if let Some(time) = Time::from_rfc3339(text) {
        return Ok(Some(AsOf { time: time.unix(), policy: None }));
    }
    let is_name = text.len() >= 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_name {
        // All of that day.
        return Ok(Some(AsOf { time: day(text)? + 86_399, policy: None }));
    }
    let found = index.records_named(readable, &text.to_lowercase(), 2).await?;
    let wrong = |why: &str| NoPage::Wrong(format!("{text:?} {why}"));
    match found.as_slice() {
        [record] if record.chain == "policy" => {
            let repositories = index.repositories().await?;
            let of = repositories.iter().find(|repository| repository.name == record.repository);
            let policy = of.map(|repository| (repository.id, record.seq));
            Ok(Some(AsOf { time: record.time, policy }))
        }
        [record] => Ok(Some(AsOf { time: record.time, policy: None })),
        [] => Err(wrong("is no day, no time and no record")),
        _ => Err(wrong("begins several records")),
    }
}

/// That a page does not say how things are now to somebody who asks how they were.
pub fn answered(path: &str, uri: &Uri) -> Result<(), NoPage> {
    let Ok(Query(ask)) = Query::<Ask>::try_from_uri(uri) else { return Ok(()) };
    let route = ROUTES.iter().find(|route| route.path == path);
    match some(&ask.asof) {
        Some(_) if route.is_none_or(|route| !route.query.contains(&"asof")) => Err(NoPage::Wrong(
            "This page tells what is known now, and not what was known at another time: asof= is for lists.".into(),
        )),
        _ => Ok(()),
    }
}

impl Page {
    /// Says as of when the page is, where it is not of now.
    pub fn dated(self, asof: Option<AsOf>) -> Self {
        let Some(asof) = asof else { return self };
        let upto = match asof.policy {
            Some((_, n)) => format!(", and up to policy record {}", show::count(n)),
            None => String::new(),
        };
        let time = show::time(asof.time);
        self.note("warn", format!("As of {time} UTC{upto}, by writers' clocks: what was recorded later is left out."))
    }
}

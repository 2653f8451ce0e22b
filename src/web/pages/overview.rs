//! `/`: whether all is well, and what was done lately.

use axum::extract::Query;

use crate::index::Repository;
use crate::web::access::Reader;
use crate::web::app::Doing;
use crate::web::ask::{Ask, link};
use crate::web::page::{Answer, Page, Section};
use crate::web::pages::{self, code, commits, sessions};
use crate::web::show;
use crate::web::table::{Cell, Table, numbers, words};

/// So many of the latest sessions and commits.
const LATEST: i64 = 8;

pub async fn page(reader: Reader, Query(_): Query<Ask>) -> Answer {
    let index = reader.index();
    let repositories = reader.repositories().await?;
    let mut page = Page::new("Overview", Section::Overview);
    page = match worst(&repositories) {
        "pass" => page.note("pass", "Every ledger holds: all records were verified and nothing was found."),
        "fail" => page.note("fail", "A ledger does not hold. Integrity has what was found."),
        "trouble" => page.note("warn", "A repository could not be brought up to date."),
        "none" => page.note("warn", "No repository has been verified yet."),
        _ => page.note("warn", "Something could not be told. Integrity has what was found."),
    };
    page = page.heading("repositories", "Repositories").table(table(&reader, &repositories));
    let latest = index.sessions(&reader.everything(), None, LATEST).await?;
    page = page.heading("sessions", "Latest sessions").table(sessions::table("The latest sessions", &latest).excerpt());
    let latest = index.commits(&reader.everything(), None, LATEST).await?;
    Ok(page.heading("commits", "Latest commits").table(commits::table("The latest commits", &latest).excerpt()))
}

/// The worst that is known of any repository.
fn worst(repositories: &[Repository]) -> &'static str {
    let has = |verdict: &str| repositories.iter().any(|repository| repository.verdict.as_deref() == Some(verdict));
    match () {
        () if has("fail") => "fail",
        () if has("inconclusive") => "inconclusive",
        () if repositories.iter().any(|repository| repository.trouble.is_some()) => "trouble",
        () if repositories.is_empty() || repositories.iter().any(|repository| repository.verdict.is_none()) => "none",
        () => "pass",
    }
}

fn table(reader: &Reader, repositories: &[Repository]) -> Table {
    let columns = [
        words("repository", "Repository"),
        words("verdict", "Verdict"),
        words("branch", "Code"),
        numbers("records", "Records"),
        words("verified", "Verified"),
        words("fully_verified", "All of it anew"),
        words("doing", "Now"),
        words("trouble", "Trouble"),
        words("ledger", "Ledger"),
    ];
    let row = |repository: &Repository| {
        let when = |time: Option<i64>| time.map_or_else(Cell::none, Cell::time);
        let name = Cell::text(&repository.name);
        vec![
            name.to(link("/sessions", [("repository", repository.name.as_str())])),
            pages::verdict(repository),
            repository
                .branch
                .as_deref()
                .map_or_else(Cell::none, |branch| Cell::text(branch).to(code::url(&repository.name, b"", ""))),
            Cell::count(repository.records),
            when(repository.verified),
            when(repository.fully_verified),
            Cell::text(match reader.doing(&repository.name) {
                Doing::Updating => "updating",
                Doing::Waiting => "waiting",
            }),
            repository.trouble.as_deref().map_or_else(Cell::none, |trouble| {
                Cell { text: show::line(trouble, 200), ..Cell::text(trouble) }.looks("fail")
            }),
            repository.ledger.as_deref().map_or_else(Cell::none, Cell::id),
        ]
    };
    Table::new("Repositories", &columns, "No repository is mirrored yet.").rows(repositories.iter().map(row))
}

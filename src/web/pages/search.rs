//! `/search`: one box for commits, sessions, records, files and what was said.

use axum::extract::{Query, State};

use crate::index::Hit;
use crate::web::app::App;
use crate::web::ask::Ask;
use crate::web::page::{Answer, Block, Page, Section};
use crate::web::pages::{code, commits, record, sessions};
use crate::web::show;
use crate::web::table::{Cell, Table, words};

/// So many of each kind are told.
const MOST: i64 = 30;

pub async fn page(State(app): State<App>, Query(ask): Query<Ask>) -> Answer {
    let index = app.database();
    let repositories = index.repositories().await?;
    let repository = ask.filter(&repositories)?.repository;
    let form = ask.form("/search", &["q", "repository"], &repositories);
    let mut page = Page::new("Search", Section::Search).block(Block::Fields(form));
    let asked = ask.q.trim();
    if asked.is_empty() {
        return Ok(page.note(
            "pass",
            "Search for a commit or a record by the beginning of its name, for a part of a file's path, or for words that were said.",
        ));
    }
    // The name of something, or at least its beginning.
    let is_name = asked.len() >= 4 && asked.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    if is_name {
        let name = asked.to_lowercase();
        let found = index.commits_named(repository, &name, MOST).await?;
        if !found.is_empty() {
            page = page.heading("commits", "Commits").table(commits::table("Commits with this name", &found));
        }
        let found = index.records_named(&name, MOST).await?;
        if !found.is_empty() {
            page = page.heading("records", "Records").table(record::table("Records with this name", &found));
        }
        let found = index.sessions_named(repository, &name, MOST).await?;
        if !found.is_empty() {
            page = page.heading("sessions", "Sessions").table(sessions::table("Sessions with this name", &found));
        }
    }
    let found = index.files_named(repository, asked, MOST).await?;
    if !found.is_empty() {
        page = page.heading("files", "Files").table(code::table("Files of the branches that are shown", &found));
    }
    let hits = index.search(asked, ask.repository.trim(), MOST).await?;
    Ok(page.heading("words", "What was said").table(table(&hits)))
}

fn table(hits: &[Hit]) -> Table {
    let columns = [
        words("title", "Asked"),
        words("found", "Where it was said"),
        words("member", "Member"),
        words("repository", "Repository"),
        words("ended", "Ended"),
        words("session", "Session"),
    ];
    let row = |hit: &Hit| {
        let path = sessions::path(&hit.repository, &hit.session);
        let found = hit.snippet.replace(['\u{2}', '\u{3}'], "");
        let title = if hit.title.is_empty() { Cell::none() } else { Cell::text(&hit.title) };
        vec![
            Cell { text: show::line(&title.text, 80), ..title }.to(path.clone()),
            Cell::text(&found),
            Cell::text(&hit.member),
            Cell::text(&hit.repository),
            Cell::time(hit.time),
            Cell::id(&hit.session).to(path),
        ]
    };
    Table::new("Sessions in which it was said", &columns, "Nobody said all of these words.").rows(hits.iter().map(row))
}

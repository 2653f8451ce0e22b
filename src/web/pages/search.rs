//! `/search`: one box for commits, sessions, records, members, files and what was said.

use axum::extract::Query;

use crate::index::{Filter, Hit, MemberRow};
use crate::web::access::{Reader, Right};
use crate::web::ask::{Ask, link};
use crate::web::page::{Answer, Block, Page, Section};
use crate::web::pages::{code, commits, record, sessions};
use crate::web::show;
use crate::web::table::{Cell, Table, words};

/// So many of each kind are told.
const MOST: i64 = 30;

pub async fn page(reader: Reader, Query(ask): Query<Ask>) -> Answer {
    let index = reader.index();
    let repositories = reader.repositories().await?;
    let filter = reader.filter(&ask, &repositories).await?;
    let form = ask.form("/search", &["q", "repository", "member", "agent", "since", "until"], &repositories);
    let mut page = Page::new("Search", Section::Search).block(Block::Fields(form));
    let asked = ask.q.trim();
    if asked.is_empty() {
        let page = page.note(
            "pass",
            "Search for a commit or a record by the beginning of its name, for a part of a file's path, or for words that were said.",
        );
        return Ok(Page { only_asks: true, ..page });
    }
    // The name of something, or at least its beginning.
    let is_name = asked.len() >= 4 && asked.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    if is_name {
        let name = asked.to_lowercase();
        let found = index.commits_named(&filter, &name, MOST).await?;
        if !found.is_empty() {
            page = page.heading("commits", "Commits").table(commits::table("Commits with this name", &found));
        }
        let found = index.records_named(&filter, &name, MOST).await?;
        if !found.is_empty() {
            page = page.heading("records", "Records").table(record::table("Records with this name", &found));
        }
        let found = index.sessions_named(&filter, &name, MOST).await?;
        if !found.is_empty() {
            page = page.heading("sessions", "Sessions").table(sessions::table("Sessions with this name", &found));
        }
    }
    let of_members = Filter { reach: reader.reach_of(Right::Members), ..filter.clone() };
    let found = members(&index.members(&of_members).await?, asked);
    if !found.rows.is_empty() {
        page = page.heading("members", "Members").table(found);
    }
    let code = reader.reach_of(Right::Code);
    let here: Vec<i64> = match filter.repository {
        Some(repository) => vec![repository],
        None => repositories.iter().map(|repository| repository.id).filter(|id| code.touches(*id)).collect(),
    };
    let found = index.files_named(&here, asked, MOST).await?;
    if !found.is_empty() {
        page = page.heading("files", "Files").table(code::table("Files of the branches that are shown", &found));
    }
    let hits = index.search(&filter, asked, MOST).await?;
    Ok(page.heading("words", "What was said").table(table(&hits)))
}

/// The members whose name or e-mail address has the text in it.
fn members(all: &[MemberRow], asked: &str) -> Table {
    let columns = [
        words("member", "Member"),
        words("name", "Name"),
        words("roles", "Roles"),
        words("repository", "Repository"),
        words("commits", "As an author"),
    ];
    let asked = asked.to_lowercase();
    let fits = |row: &&MemberRow| [&row.member, &row.name].iter().any(|text| text.to_lowercase().contains(&asked));
    let mut found: Vec<&MemberRow> = all.iter().filter(fits).collect();
    found.dedup_by(|a, b| (&a.repository, &a.member) == (&b.repository, &b.member));
    found.truncate(MOST as usize);
    let row = |row: &MemberRow| {
        let to = |path: &str, field: &'static str| {
            link(path, [("repository", row.repository.as_str()), (field, row.member.as_str())])
        };
        vec![
            Cell::text(&row.member).to(to("/sessions", "member")),
            Cell::text(&row.name),
            Cell::text(&row.roles),
            Cell::text(&row.repository),
            Cell::text("commits").to(to("/commits", "author")),
        ]
    };
    Table::new("Members with this name; each leads to their sessions", &columns, "").rows(found.into_iter().map(row))
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

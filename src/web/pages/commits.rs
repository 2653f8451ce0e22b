//! `/commits`: the commits of the branches that are shown, and what the ledger says of each.

use axum::extract::Query;

use crate::index::CommitRow;
use crate::web::access::Reader;
use crate::web::ask::{Ask, encoded};
use crate::web::page::{Answer, Block, Page, Section};
use crate::web::show;
use crate::web::table::{Cell, Column, Table, numbers, words};

const COLUMNS: [Column; 8] = [
    words("time", "Committed"),
    words("commit", "Commit"),
    words("subject", "Subject"),
    words("author", "Author"),
    words("repository", "Repository"),
    words("state", "State"),
    numbers("added", "Lines added"),
    numbers("agent_share", "By agents"),
];

pub async fn page(reader: Reader, Query(ask): Query<Ask>) -> Answer {
    let repositories = reader.repositories().await?;
    let filter = reader.filter(&ask, &repositories).await?;
    let commits = reader.index().commits(&filter, ask.after()?.as_ref(), reader.rows as i64 + 1).await?;
    let form = ask.form("/commits", &["repository", "author", "since", "until", "asof"], &repositories);
    let shown = &commits[..commits.len().min(reader.rows)];
    let mut table = table("Commits, the latest first", shown);
    let more = commits.len() > shown.len();
    table.next = shown.last().filter(|_| more).map(|last| ask.next("/commits", last.time, &last.sha));
    Ok(Page::new("Commits", Section::Commits).block(Block::Fields(form)).dated(filter.asof).table(table))
}

/// A table of commits.
pub fn table(caption: &str, commits: &[CommitRow]) -> Table {
    Table::new(caption, &COLUMNS, "No commit fits.").rows(commits.iter().map(row))
}

/// Where a commit's page is.
pub fn path(repository: &str, sha: &str) -> String {
    format!("/r/{}/commits/{}", encoded(repository), encoded(sha))
}

/// What the ledger says of a commit, as a word that looks like what it means.
pub fn state(commit: &CommitRow) -> Cell {
    let look = match commit.state() {
        "sealed" | "signed" => "pass",
        "linked" | "pending" => "warn",
        _ => "fail",
    };
    Cell::text(commit.state()).looks(look)
}

fn row(commit: &CommitRow) -> Vec<Cell> {
    let path = path(&commit.repository, &commit.sha);
    let subject = Cell { text: show::line(&commit.subject, 90), ..Cell::text(&commit.subject) };
    let (added, share) = match (commit.added, commit.agent) {
        (Some(added), Some(agent)) if commit.rank != Some(0) => (Cell::count(added), Cell::share(agent, added)),
        _ => (Cell::none(), Cell::none()),
    };
    vec![
        Cell::time(commit.time),
        Cell::id(&commit.sha).to(path.clone()),
        subject.to(path),
        Cell::text(&commit.author),
        Cell::text(&commit.repository),
        state(commit),
        added,
        share,
    ]
}

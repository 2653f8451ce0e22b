//! `/r/REPOSITORY/commits/SHA`: one commit: whose its lines are, which sessions it draws on, which record says so.

use axum::extract::{Path, State};

use crate::index::{CommitFileRow, CommitRow};
use crate::web::app::App;
use crate::web::page::{Answer, NoPage, Page, Section};
use crate::web::pages::{self, code, commits, sessions};
use crate::web::show;
use crate::web::table::{Cell, Table, numbers, words};

pub async fn page(State(app): State<App>, Path((name, sha)): Path<(String, String)>) -> Answer {
    let repository = pages::repository(&app, &name).await?;
    let index = app.database();
    let named = sha.len() >= 4 && sha.chars().all(|c| c.is_ascii_hexdigit());
    let found =
        if named { index.commits_named(Some(repository.id), &sha.to_lowercase(), 2).await? } else { Vec::new() };
    let commit = match found.as_slice() {
        [commit] => commit,
        [] => return Err(NoPage::NotFound(format!("{name} shows no commit {sha:?}"))),
        _ => return Err(NoPage::NotFound(format!("{name} has several commits that begin with {sha:?}"))),
    };
    let mut page = Page::new(commit.subject.clone(), Section::Commits).facts(facts(commit));
    page = match commit.state() {
        "missing" => page.note("fail", "No record speaks of this commit: who wrote it is not known."),
        "bad" => page.note("fail", "The record that speaks of this commit does not hold: it is believed in nothing."),
        "pending" => page.note("warn", "Its record was written with a key that nobody has enrolled yet."),
        "linked" => page.note("warn", "It was rewritten from a commit that has a record, which speaks for it."),
        _ => page,
    };
    let drawn = index.sessions_of_commit(repository.id, &commit.sha).await?;
    let mut rows = Vec::new();
    for session in drawn {
        if let Some(row) = index.session(repository.id, &session).await? {
            rows.push(row);
        }
    }
    let files = index.files_of_commit(repository.id, &commit.sha).await?;
    page = page.heading("files", "Whose its lines are").table(table(commit, &files));
    Ok(page.heading("sessions", "Sessions it draws on").table(sessions::table("Sessions it draws on", &rows)))
}

fn facts(commit: &CommitRow) -> Vec<(&'static str, Cell)> {
    let mut facts = vec![
        ("Commit", Cell { text: commit.sha.clone(), ..Cell::id(&commit.sha) }),
        ("Repository", Cell::text(&commit.repository)),
        ("Author", Cell::text(&format!("{} <{}>", commit.author, commit.email))),
        ("Committed", Cell::time(commit.time)),
        ("State", commits::state(commit)),
    ];
    if let Some(record) = &commit.record {
        facts.push(("Record", Cell { text: show::visible(record), ..Cell::id(record) }));
    }
    if let (Some(added), Some(agent), Some(human), Some(unattributed)) =
        (commit.added, commit.agent, commit.human, commit.unattributed)
    {
        facts.extend([
            ("Lines added", Cell::count(added)),
            (
                "By agents",
                Cell {
                    text: format!("{} ({})", show::count(agent), show::percent(agent, added)),
                    ..Cell::count(agent)
                },
            ),
            ("By people", Cell::count(human)),
            ("Unattributed", Cell::count(unattributed)),
        ]);
    }
    facts
}

fn table(commit: &CommitRow, files: &[CommitFileRow]) -> Table {
    let columns = [
        words("path", "File"),
        numbers("added", "Lines added"),
        numbers("agent", "By agents"),
        numbers("human", "By people"),
        numbers("unattributed", "Unattributed"),
        numbers("agent_share", "Share of agents"),
    ];
    let row = |file: &CommitFileRow| {
        let counts = [file.added, file.agent, file.human, file.unattributed];
        let mut cells = vec![code::cell(&commit.repository, &file.path, Some(&commit.sha))];
        cells.extend(counts.map(Cell::count));
        cells.push(Cell::share(file.agent, file.added));
        cells
    };
    Table::new("Lines that it adds, by file", &columns, "Its record tells of no file.").rows(files.iter().map(row))
}

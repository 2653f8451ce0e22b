//! `/r/REPOSITORY/commits/SHA`: one commit: whose its lines are, which sessions it draws on, which record says so.

use axum::extract::Path;

use crate::index::{CommitFileRow, CommitRow, Filter, Reach};
use crate::web::access::Reader;
use crate::web::page::{Answer, NoPage, Page, Section};
use crate::web::pages::{code, commits, sessions};
use crate::web::show;
use crate::web::table::{Cell, Table, numbers, words};

pub async fn page(reader: Reader, Path((name, sha)): Path<(String, String)>) -> Answer {
    let repository = reader.repository(&name).await?;
    let index = reader.index();
    let named = sha.len() >= 4 && sha.chars().all(|c| c.is_ascii_hexdigit());
    let wanted = Filter { reach: Reach::All, repository: Some(repository.id), ..Filter::default() };
    let mut found = if named { index.commits_named(&wanted, &sha.to_lowercase(), 2).await? } else { Vec::new() };
    if found.len() > 1 {
        return Err(NoPage::NotFound(format!("{name} has several commits that begin with {sha:?}")));
    }
    let none = format!("{name} shows no commit {sha:?}");
    let commit = reader.only(found.pop(), repository.id, |commit| commit.member.as_deref(), none)?;
    let commit = &commit;
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
        let row = index.session(repository.id, &session).await?;
        rows.extend(row.filter(|row| reader.may_read(repository.id, &row.member)));
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
        let whole = Cell { text: show::visible(record), ..Cell::id(record) };
        facts.push(("Record", whole.to(format!("/records/{record}"))));
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

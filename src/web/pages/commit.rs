//! `/r/REPOSITORY/commits/SHA`: one commit: whose its lines are, which sessions it draws on, what the rules said, which record says so.

use axum::extract::Path;

use crate::id::GitId;
use crate::index::{CheckRow, CommitFileRow, CommitRow, Filter, Reach};
use crate::record::body::{Broken, Check, Range};
use crate::web::access::Reader;
use crate::web::page::{Answer, NoPage, Page, Section};
use crate::web::pages::{self, code, commits, sessions};
use crate::web::show;
use crate::web::table::{Cell, Table, numbers, words};

/// So many checks are looked at that may be of a commit, and so many commits of one.
const CHECKS: i64 = 16;
const LONGEST: i64 = 1_000;

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
    page = page.facts(judged(&reader, repository.id, commit).await?);
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

/// What the rules said of it: the latest check whose range is made of this commit and those beside it on the branch.
async fn judged(reader: &Reader, repository: i64, commit: &CommitRow) -> Result<Vec<(&'static str, Cell)>, NoPage> {
    for CheckRow { record, body } in reader.index().checks_from(repository, commit.time, CHECKS).await? {
        let Ok(check) = serde_json::from_str::<Check>(&body) else { continue };
        let count = i64::try_from(check.range.commits).unwrap_or(i64::MAX).min(LONGEST);
        let mut range = reader.index().branch_up_to(repository, check.range.last.as_str(), count).await?;
        range.reverse();
        let range: Vec<GitId> = range.iter().filter_map(|sha| sha.parse().ok()).collect();
        // The check has a digest of the commits that it is of: where the branch is no line they are not known here.
        if Range::of(&range).as_ref() != Some(&check.range) || range.iter().all(|id| id.as_str() != commit.sha) {
            continue;
        }
        let of_it = |broken: &&Broken| broken.commit.as_ref().is_none_or(|id| id.as_str() == commit.sha);
        let mut broken: Vec<&str> = check.findings.iter().filter(of_it).map(|broken| broken.rule.as_str()).collect();
        broken.dedup();
        let verdict = pages::verdict_word(&check.verdict.to_string()).to(format!("/records/{record}"));
        let broken = if broken.is_empty() { Cell::none() } else { Cell::text(&broken.join(", ")) };
        return Ok(vec![("Rules, of all that was pushed with it", verdict), ("Rules that it did not keep", broken)]);
    }
    Ok(vec![("Rules", Cell { text: "no check of it is known".to_owned(), ..Cell::none() })])
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

//! `/exceptions`: what was excused or vouched for: decisions about findings, approvals, corrections, and what the rules said.

use std::collections::BTreeMap;

use axum::extract::{Path, Query};

use crate::compliance::{Account, Told};
use crate::index::{FindingRow, Repository, SaidRow};
use crate::record::body::{Adjudicate, Amend, Approve, Check, Decision};
use crate::web::access::Reader;
use crate::web::ask::{Ask, link};
use crate::web::page::{Answer, Block, Link, Links, NoPage, Page, Section};
use crate::web::pages::{self, commits, compliance, integrity};
use crate::web::table::{Cell, Table, numbers, words};

/// Findings that decisions are looked up in.
const FINDINGS: i64 = 5_000;

/// The parts, each a page of its own: where it is, its title, the type of its records.
const PARTS: [(&str, &str, &str); 4] = [
    ("/exceptions", "Decisions about findings", "adjudicate"),
    ("/exceptions/approvals", "Approvals", "approve"),
    ("/exceptions/corrections", "Corrections", "amend"),
    ("/exceptions/checks", "What the rules said", "check"),
];

/// `/exceptions`: decisions about findings.
pub async fn decided(reader: Reader, Query(ask): Query<Ask>) -> Answer {
    let index = reader.index();
    let repositories = reader.repositories().await?;
    let filter = reader.filter(&ask, &repositories).await?;
    let accounts = index.accounts(&filter).await?;
    let findings = index.findings(&filter, FINDINGS).await?;
    let (table, rows) = decisions(&accounts, &repositories, &findings);
    let table = pages::part(table, rows, &reader, &ask, "/exceptions")?;
    Ok(begun("/exceptions", &ask, &repositories).dated(filter.asof).table(table))
}

/// The other parts: what members said.
pub async fn page(reader: Reader, Path(part): Path<String>, Query(ask): Query<Ask>) -> Answer {
    let here = format!("/exceptions/{part}");
    let known = PARTS.iter().find(|(path, ..)| *path == here);
    let (path, _, kind) = known.ok_or_else(|| NoPage::NotFound(format!("there is no page {here}")))?;
    let index = reader.index();
    let repositories = reader.repositories().await?;
    let filter = reader.filter(&ask, &repositories).await?;
    let said = index.said(kind, &filter, ask.after()?.as_ref(), reader.rows as i64 + 1).await?;
    let shown = &said[..said.len().min(fitting(&said, reader.rows))];
    let mut table = match *kind {
        "approve" => approvals(shown),
        "amend" => corrections(shown),
        _ => checks(shown),
    };
    let more = said.len() > shown.len();
    table.next = shown.last().filter(|_| more).map(|last| ask.next(path, last.time, &last.record));
    Ok(begun(path, &ask, &repositories).dated(filter.asof).table(table))
}

/// How many of these are on a page: one approval may be of hundreds of commits.
fn fitting(said: &[SaidRow], most: usize) -> usize {
    let mut commits = 0;
    let fits = |row: &&SaidRow| {
        let fits = commits < most;
        commits += serde_json::from_str::<Approve>(&row.body).map_or(1, |approve| approve.commits.len());
        fits
    };
    said.iter().take(most).take_while(fits).count()
}

fn begun(path: &str, ask: &Ask, repositories: &[Repository]) -> Page {
    let to = |path: &str| link(path, ask.fields().into_iter().filter(|(field, _)| *field != "after"));
    let links = PARTS.map(|(other, text, _)| Link { href: to(other), text: text.into(), here: other == path });
    Page::new("Exceptions", Section::Compliance)
        .block(compliance::around("/exceptions"))
        .block(Block::Fields(ask.form(path, &["repository", "asof"], repositories)))
        .block(Block::Links(Links { label: "Exceptions", links: links.into() }))
}

fn decisions(
    accounts: &BTreeMap<i64, Account>,
    repositories: &[Repository],
    findings: &[FindingRow],
) -> (Table, Vec<Vec<Cell>>) {
    let columns = [
        words("time", "Decided"),
        words("decision", "Decision"),
        words("code", "Finding"),
        words("chain", "Chain"),
        numbers("seq", "Number"),
        words("right", "The right record"),
        words("by", "By"),
        words("repository", "Repository"),
        words("until", "Until"),
        words("covers", "Found now"),
        words("record", "Record"),
    ];
    let mut rows = Vec::new();
    for repository in repositories {
        let Some(account) = accounts.get(&repository.id) else { continue };
        for (told, decided, later) in account.decisions() {
            rows.push(decision(&repository.name, told, decided, later, findings));
        }
    }
    let empty = "Nothing was excused: nobody has decided about a finding.";
    (Table::new("Decisions about findings, the latest first", &columns, empty), rows)
}

fn decision(
    repository: &str,
    told: &Told,
    decided: &Adjudicate,
    later: Option<&Told>,
    findings: &[FindingRow],
) -> Vec<Cell> {
    let chain = decided.chain.to_string();
    let seq = decided.seq.map(|seq| i64::try_from(seq).unwrap_or(i64::MAX));
    let about = |finding: &&FindingRow| {
        let place = finding.chain.as_deref() == Some(&chain) && finding.seq == seq;
        finding.repository == repository && finding.code == decided.code && place
    };
    let found = findings.iter().find(about);
    vec![
        Cell::time(told.time.unix()),
        match decided.decision {
            Decision::Accepted => Cell::text("accepted").looks("warn"),
            Decision::Rejected => Cell::text("rejected").looks("fail"),
        },
        Cell::text(&decided.code),
        Cell::id(&chain).to(integrity::path(repository, &chain)),
        seq.map_or_else(Cell::none, Cell::count),
        decided.record.map_or_else(Cell::none, |id| Cell::id(&id.to_string()).to(format!("/records/{id}"))),
        Cell::text(&told.by.join(", ")),
        Cell::text(repository),
        later.map_or_else(|| Cell::text("decided otherwise"), |later| Cell::time(later.time.unix())),
        found.map_or_else(|| Cell::text("not found any more"), |found| Cell::text(&found.message)),
        pages::policy_record(told),
    ]
}

fn approvals(rows: &[SaidRow]) -> Table {
    let columns = [
        words("time", "Approved"),
        words("commit", "Commit"),
        words("member", "By"),
        words("repository", "Repository"),
        words("state", "State"),
        words("record", "Record"),
    ];
    let mut cells = Vec::new();
    for row in rows {
        let Ok(approve) = serde_json::from_str::<Approve>(&row.body) else { continue };
        for approved in &approve.commits {
            let sha = approved.commit.to_string();
            cells.push(vec![
                Cell::time(row.time),
                Cell::id(&sha).to(commits::path(&row.repository, &sha)),
                Cell::text(&row.member),
                Cell::text(&row.repository),
                state(row, "stands until it is taken back"),
                record(&row.record),
            ]);
        }
    }
    Table::new("Approvals, the latest first", &columns, "Nobody has approved a commit.").rows(cells)
}

fn corrections(rows: &[SaidRow]) -> Table {
    let columns = [
        words("time", "Corrected"),
        words("corrects", "What"),
        words("reason", "Why"),
        words("right", "Said right by"),
        words("member", "By"),
        words("repository", "Repository"),
        words("state", "State"),
        words("record", "Record"),
    ];
    let row = |row: &SaidRow| {
        let amend: Amend = serde_json::from_str(&row.body).ok()?;
        let reason = serde_json::to_value(amend.reason).ok()?;
        Some(vec![
            Cell::time(row.time),
            record(&amend.record.to_string()),
            Cell::text(reason.as_str().unwrap_or_default()),
            amend.correction.record.map_or_else(Cell::none, |id| record(&id.to_string())),
            Cell::text(&row.member),
            Cell::text(&row.repository),
            state(row, "stands"),
            record(&row.record),
        ])
    };
    Table::new("Corrections, the latest first", &columns, "No record was corrected.").rows(rows.iter().filter_map(row))
}

/// What the rules said of commits.
pub(super) fn checks(rows: &[SaidRow]) -> Table {
    let columns = [
        words("time", "Judged"),
        words("verdict", "Verdict"),
        words("last", "Up to commit"),
        numbers("commits", "Commits"),
        words("broken", "Rules not kept"),
        words("member", "By"),
        words("repository", "Repository"),
        numbers("policy", "By policy record"),
        words("record", "Record"),
    ];
    let row = |row: &SaidRow| {
        let check: Check = serde_json::from_str(&row.body).ok()?;
        let mut broken: Vec<&str> = check.findings.iter().map(|broken| broken.rule.as_str()).collect();
        broken.sort_unstable();
        broken.dedup();
        let last = check.range.last.to_string();
        let number = |number: u64| Cell::count(i64::try_from(number).unwrap_or(i64::MAX));
        Some(vec![
            Cell::time(row.time),
            pages::verdict_word(&check.verdict.to_string()),
            Cell::id(&last).to(commits::path(&row.repository, &last)),
            number(check.range.commits),
            if broken.is_empty() { Cell::none() } else { Cell::text(&broken.join(", ")) },
            Cell::text(&row.member),
            Cell::text(&row.repository),
            number(check.rules.n),
            record(&row.record),
        ])
    };
    Table::new("What the rules said, the latest first", &columns, "The rules have judged nothing.")
        .rows(rows.iter().filter_map(row))
}

fn state(row: &SaidRow, stands: &str) -> Cell {
    match &row.amended {
        None => Cell::text(stands).looks("pass"),
        Some(by) => Cell::text("taken back or corrected").looks("warn").to(format!("/records/{by}")),
    }
}

fn record(id: &str) -> Cell {
    Cell::id(id).to(format!("/records/{id}"))
}

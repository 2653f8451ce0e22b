//! `/retention`: how long payloads are kept, which expire when, which are held, and what was pruned by whose decision.

use std::collections::BTreeMap;

use axum::extract::{Path, Query};

use crate::compliance::{Account, Fate, Held, Told, length};
use crate::host::clock;
use crate::index::{Filter, Repository, ShelfRow};
use crate::record::body::{Body, PayloadClass, Shelf};
use crate::time::Time;
use crate::web::access::Reader;
use crate::web::ask::{Ask, link};
use crate::web::page::{Answer, Block, Link, Links, NoPage, Page, Section};
use crate::web::pages::{self, compliance, integrity};
use crate::web::show;
use crate::web::table::{Cell, Table, numbers, words};

/// So many holds and prunings are on the first page, the latest; a page stays small.
const LATEST: usize = 20;
/// Of so many repositories it is told at once how long they keep payloads.
const TOLD: usize = 20;

/// What is asked for, and what the policy chains say of it.
struct Asked {
    repositories: Vec<Repository>,
    accounts: BTreeMap<i64, Account>,
    filter: Filter,
}

impl Asked {
    async fn of(reader: &Reader, ask: &Ask) -> Result<Self, NoPage> {
        let repositories = reader.repositories().await?;
        let filter = reader.filter(ask, &repositories).await?;
        let accounts = reader.index().accounts(&filter).await?;
        Ok(Asked { repositories, accounts, filter })
    }

    fn page(&self, path: &str, ask: &Ask) -> Page {
        Page::new("Retention and holds", Section::Compliance)
            .block(compliance::around("/retention"))
            .block(Block::Fields(ask.form(path, &["repository", "asof"], &self.repositories)))
            .dated(self.filter.asof)
    }

    fn told(&self) -> impl Iterator<Item = (&Repository, &Account)> {
        self.repositories.iter().filter_map(|repository| Some((repository, self.accounts.get(&repository.id)?)))
    }
}

pub async fn page(reader: Reader, Query(ask): Query<Ask>) -> Answer {
    let asked = Asked::of(&reader, &ask).await?;
    let at = asked.filter.asof.map_or_else(clock::now, |asof| Time::from_unix(asof.time));
    let mut page = asked.page("/retention", &ask);
    for (repository, account) in asked.told().take(TOLD) {
        page = match account.keeping.retention() {
            Some(kept) => page.note("pass", said(repository, kept)),
            None => page.note(
                "warn",
                format!("{}: nobody has chosen how long payloads are kept; none is pruned.", repository.name),
            ),
        };
    }
    let shelves = reader.index().shelves(&asked.filter).await?;
    page = page.heading("payloads", "Payloads").table(payloads(&asked, &shelves, at, (&reader, &ask))?);
    let lead = |path: &str, label: &'static str, text: &str| {
        let href = link(path, ask.fields().into_iter().filter(|(name, _)| *name != "after"));
        Block::Links(Links { label, links: vec![Link { href, text: text.into(), here: false }] })
    };
    let (mut holds, mut prunings) = (hold_rows(&asked), pruning_rows(&asked));
    holds.truncate(LATEST);
    prunings.truncate(LATEST);
    page = page.heading("holds", "Holds").table(holds_table().rows(holds).excerpt());
    page = page.block(lead("/retention/holds", "Holds", "All holds, as a table"));
    page = page.heading("pruned", "What was pruned").table(pruned_table().rows(prunings).excerpt());
    Ok(page.block(lead("/retention/pruned", "Prunings", "All that was pruned, as a table")))
}

/// `/retention/holds` and `/retention/pruned`: all of them.
pub async fn part(reader: Reader, Path(part): Path<String>, Query(ask): Query<Ask>) -> Answer {
    let asked = Asked::of(&reader, &ask).await?;
    let path = format!("/retention/{part}");
    let (table, rows) = match part.as_str() {
        "holds" => (holds_table(), hold_rows(&asked)),
        "pruned" => (pruned_table(), pruning_rows(&asked)),
        _ => return Err(NoPage::NotFound(format!("there is no page {path}"))),
    };
    Ok(asked.page(&path, &ask).table(pages::part(table, rows, &reader, &ask, &path)?))
}

fn payloads(asked: &Asked, shelves: &[ShelfRow], at: Time, (reader, ask): (&Reader, &Ask)) -> Result<Table, NoPage> {
    let columns = [
        words("month", "Month"),
        words("class", "Payloads"),
        words("member", "Member"),
        words("chain", "Chain"),
        words("repository", "Repository"),
        numbers("pieces", "Pieces"),
        numbers("bytes", "Bytes"),
        words("state", "State"),
        words("expires", "May go from"),
    ];
    let month = at.month().to_string();
    let row = |row: &ShelfRow| {
        let repository = asked.repositories.iter().find(|repository| repository.id == row.repository)?;
        Some(shelf(row, repository, asked.accounts.get(&row.repository), at))
    };
    let rows = shelves.iter().filter(|row| row.month <= month).filter_map(row).collect();
    let table = Table::new("Payloads, the oldest first", &columns, "No payloads are stored.");
    pages::part(table, rows, reader, ask, "/retention")
}

fn said(repository: &Repository, kept: &crate::compliance::Retention) -> String {
    let names: Vec<&str> = kept.frameworks.iter().map(|chosen| chosen.framework.title()).collect();
    let (months, floor) = (length(kept.months()), length(kept.floor));
    let lowest = if kept.floor > 0 { format!(" No later choice may be under {floor}.") } else { String::new() };
    let (name, n) = (&repository.name, kept.n);
    format!(
        "{name}: payloads are kept for {months} after their month, for {}, by policy record {n}.{lowest}",
        names.join(", ")
    )
}

fn shelf(row: &ShelfRow, repository: &Repository, account: Option<&Account>, at: Time) -> Vec<Cell> {
    let (state, expires) = fate(row, account, at);
    let chain = Cell::id(&row.chain).to(integrity::path(&repository.name, &row.chain));
    vec![
        Cell::text(&row.month),
        Cell::text(&row.class),
        row.member.as_deref().map_or_else(Cell::none, Cell::text),
        chain,
        Cell::text(&repository.name),
        Cell::count(row.pieces),
        Cell::count(row.bytes),
        state,
        expires,
    ]
}

/// What may be done with a shelf, and from which month on it may go.
fn fate(row: &ShelfRow, account: Option<&Account>, at: Time) -> (Cell, Cell) {
    let shelf = || {
        let class = PayloadClass::parse(&row.class)?;
        Some(Shelf { chain: row.chain.parse().ok()?, class, month: row.month.parse().ok()? })
    };
    let (Some(shelf), Some(keeping)) = (shelf(), account.map(|account| &account.keeping)) else {
        return (Cell::text("unknown").looks("warn"), Cell::none());
    };
    let pieces = u64::try_from(row.pieces).unwrap_or(u64::MAX);
    let state = match keeping.fate(&shelf, at, |pruned| pruned.pieces >= pieces) {
        Fate::Pruned(_) => Cell::text("pruned"),
        Fate::Held(case) => Cell::text(&format!("held for {case}")).looks("pass"),
        Fate::Expired => Cell::text("expired").looks("warn"),
        Fate::Kept => Cell::text("kept").looks("pass"),
    };
    let expires = keeping.retention().map(|kept| kept.expires(&shelf.month).to_string());
    (state, expires.as_deref().map_or_else(Cell::none, Cell::text))
}

fn holds_table() -> Table {
    let columns = [
        words("case", "Case"),
        words("repository", "Repository"),
        words("since", "Held since"),
        words("by", "By"),
        words("why", "For what"),
        numbers("shelves", "Months of payloads"),
        words("released", "Released"),
        words("released_by", "Released by"),
        words("record", "Record"),
    ];
    Table::new("Legal holds, those in force first", &columns, "Nothing is or was held.")
}

fn hold_rows(asked: &Asked) -> Vec<Vec<Cell>> {
    let (mut open, mut over) = (Vec::new(), Vec::new());
    for (repository, account) in asked.told() {
        for held in account.holds() {
            let row = hold(&held, &repository.name);
            if held.released.is_none() { open.push(row) } else { over.push(row) }
        }
    }
    open.extend(over);
    open
}

fn hold(held: &Held<'_>, repository: &str) -> Vec<Cell> {
    let (mut records, mut commits, mut sessions) = (0, 0, 0);
    for told in &held.opened {
        if let Body::Hold(hold) = &told.body {
            records += hold.records.len();
            commits += hold.commits.len();
            sessions += hold.sessions.len();
        }
    }
    let named = [(sessions, "sessions"), (commits, "commits"), (records, "records")];
    let named: Vec<String> =
        named.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{what}: {count}")).collect();
    let why = if named.is_empty() { "whole months".to_owned() } else { named.join(", ") };
    let first = held.opened.first();
    vec![
        Cell::text(&held.case.to_string()).looks(if held.released.is_none() { "pass" } else { "" }),
        Cell::text(repository),
        first.map_or_else(Cell::none, |told| Cell::time(told.time.unix())),
        first.map_or_else(Cell::none, |told| Cell::text(&told.by.join(", "))),
        Cell::text(&why),
        Cell::count(i64::try_from(held.shelves.len()).unwrap_or(i64::MAX)),
        held.released.map_or_else(Cell::none, |told| Cell::time(told.time.unix())),
        held.released.map_or_else(Cell::none, |told| Cell::text(&told.by.join(", "))),
        first.map_or_else(Cell::none, |told| pages::policy_record(told)),
    ]
}

fn pruned_table() -> Table {
    let columns = [
        words("time", "Pruned"),
        words("repository", "Repository"),
        words("by", "Decided by"),
        numbers("shelves", "Months of payloads"),
        words("months", "Months"),
        numbers("pieces", "Pieces"),
        words("record", "Record"),
    ];
    Table::new("What was pruned, the latest first", &columns, "Nothing was pruned.")
}

fn pruning_rows(asked: &Asked) -> Vec<Vec<Cell>> {
    let of_one = |(repository, account): (&Repository, &Account)| {
        account.told.iter().rev().filter_map(|told| pruning(told, &repository.name)).collect::<Vec<_>>()
    };
    asked.told().flat_map(of_one).collect()
}

fn pruning(told: &Told, repository: &str) -> Option<Vec<Cell>> {
    let Body::Prune(prune) = &told.body else { return None };
    let months = prune.shelves.iter().map(|shelf| &shelf.month);
    let (first, last) = (months.clone().min()?, months.max()?);
    let months = if first == last { first.to_string() } else { format!("{first} to {last}") };
    let pieces: u64 = prune.shelves.iter().map(|shelf| shelf.pieces).sum();
    Some(vec![
        Cell::time(told.time.unix()),
        Cell::text(repository),
        Cell::text(&told.by.join(", ")),
        Cell::count(i64::try_from(prune.shelves.len()).unwrap_or(i64::MAX)),
        Cell { text: show::visible(&months), ..Cell::text(&months) },
        Cell::count(i64::try_from(pieces).unwrap_or(i64::MAX)),
        pages::policy_record(told),
    ])
}

//! `/retention`: how long payloads are kept, which expire when, which are held, and what was pruned by whose decision.

use std::collections::BTreeMap;

use axum::extract::{Query, State};

use crate::compliance::{Account, Fate, Held, Told, length};
use crate::host::clock;
use crate::index::{Repository, ShelfRow};
use crate::record::body::{Body, PayloadClass, Shelf};
use crate::time::Time;
use crate::web::app::App;
use crate::web::ask::Ask;
use crate::web::asof;
use crate::web::page::{Answer, Block, Page, Section};
use crate::web::pages::{self, compliance, integrity};
use crate::web::show;
use crate::web::table::{Cell, Table, numbers, words};

/// So many holds and prunings are listed, the latest; a page stays small.
const MOST: usize = 30;

pub async fn page(State(app): State<App>, Query(ask): Query<Ask>) -> Answer {
    let index = app.database();
    let repositories = index.repositories().await?;
    let wanted = ask.filter(&repositories)?.repository;
    let asof = asof::of(&ask, index).await?;
    let accounts = index.accounts(wanted, asof).await?;
    let at = asof.map_or_else(clock::now, |asof| Time::from_unix(asof.time));
    let form = ask.form("/retention", &["repository", "asof"], &repositories);
    let mut page = Page::new("Retention and holds", Section::Compliance)
        .block(compliance::around("/retention"))
        .block(Block::Fields(form))
        .dated(asof);
    let names: BTreeMap<i64, &Repository> = repositories.iter().map(|repository| (repository.id, repository)).collect();
    for (id, account) in &accounts {
        let Some(repository) = names.get(id) else { continue };
        page = match account.keeping.retention() {
            Some(kept) => page.note("pass", said(repository, kept)),
            None => page.note(
                "warn",
                format!("{}: nobody has chosen how long payloads are kept; none is pruned.", repository.name),
            ),
        };
    }
    let month = at.month().to_string();
    let shelves: Vec<ShelfRow> = index.shelves(wanted).await?.into_iter().filter(|row| row.month <= month).collect();
    let rows = shelves
        .iter()
        .filter_map(|row| Some(shelf(row, names.get(&row.repository)?, accounts.get(&row.repository), at)));
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
    let table = Table::new("Payloads, the oldest first", &columns, "No payloads are stored.");
    let table = pages::part(table, rows.collect(), &ask, "/retention")?;
    page = page.heading("payloads", "Payloads").table(table);
    page = page.heading("holds", "Holds").table(holds(&accounts, &names));
    Ok(page.heading("pruned", "What was pruned").table(pruned(&accounts, &names)))
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

/// The column of [`holds`] that says when a hold was released.
const RELEASED: usize = 6;

fn holds(accounts: &BTreeMap<i64, Account>, names: &BTreeMap<i64, &Repository>) -> Table {
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
    let mut rows = Vec::new();
    for (id, account) in accounts {
        let Some(repository) = names.get(id) else { continue };
        rows.extend(account.holds().iter().map(|held| hold(held, &repository.name)));
    }
    // What is held comes before what was.
    rows.sort_by_key(|row: &Vec<Cell>| row[RELEASED].look != "none");
    rows.truncate(MOST);
    Table::new("Legal holds, the latest first", &columns, "Nothing is or was held.").rows(rows)
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

fn pruned(accounts: &BTreeMap<i64, Account>, names: &BTreeMap<i64, &Repository>) -> Table {
    let columns = [
        words("time", "Pruned"),
        words("repository", "Repository"),
        words("by", "Decided by"),
        numbers("shelves", "Months of payloads"),
        words("months", "Months"),
        numbers("pieces", "Pieces"),
        words("record", "Record"),
    ];
    let mut rows = Vec::new();
    for (id, account) in accounts {
        let Some(repository) = names.get(id) else { continue };
        rows.extend(account.told.iter().rev().filter_map(|told| pruning(told, &repository.name)));
    }
    rows.truncate(MOST);
    Table::new("What was pruned, the latest first", &columns, "Nothing was pruned.").rows(rows)
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

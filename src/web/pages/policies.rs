//! `/policies`: the rules in force, every change of them, and what they said lately.

use axum::extract::Query;

use crate::roster::Rules;
use crate::web::access::Reader;
use crate::web::ask::{Ask, link};
use crate::web::page::{Answer, Block, Link, Links, Page, Section, Text};
use crate::web::pages::exceptions;
use crate::web::show;
use crate::web::table::{Cell, Table, numbers, words};

/// So many changes are listed.
const MOST: usize = 500;
/// And so many of the latest checks.
const LATEST: i64 = 20;

pub async fn page(reader: Reader, Query(ask): Query<Ask>) -> Answer {
    let repositories = reader.repositories().await?;
    let filter = reader.filter(&ask, &repositories).await?;
    let accounts = reader.index().accounts(&filter).await?;
    let form = ask.form("/policies", &["repository", "asof"], &repositories);
    let mut rows = Vec::new();
    for repository in &repositories {
        let Some(account) = accounts.get(&repository.id) else { continue };
        let sets = account.history.all_rules().iter().rev();
        rows.extend(sets.map(|set| row(&repository.name, set)));
    }
    rows.truncate(MOST);
    let mut page =
        Page::new("Policies", Section::Policies).block(Block::Fields(form)).dated(filter.asof).table(table(rows));
    let said = reader.index().said("check", &filter, None, LATEST).await?;
    page = page.heading("said", "What they said lately").table(exceptions::checks(&said).excerpt());
    let others = ask.fields().into_iter().filter(|(name, _)| ["repository", "asof"].contains(name));
    let all =
        Link { href: link("/exceptions/checks", others), text: "All that they said, as a table".into(), here: false };
    page = page.block(Block::Links(Links { label: "What rules said", links: vec![all] }));
    for repository in &repositories {
        let Some(set) = accounts.get(&repository.id).and_then(|account| account.history.rules()) else { continue };
        let label = format!("In force in {}", show::visible(&repository.name));
        page = page.heading("", label.clone()).block(Block::Text(Text { label, text: show::visible(&set.toml) }));
    }
    Ok(page)
}

fn row(repository: &str, set: &Rules) -> Vec<Cell> {
    let id = set.set.id.to_string();
    vec![
        Cell::time(set.time.unix()),
        Cell::text(repository),
        Cell::text(&set.by.join(", ")),
        Cell::count(i64::try_from(set.set.n).unwrap_or(i64::MAX)),
        Cell::id(&id).to(format!("/records/{id}")),
    ]
}

fn table(rows: Vec<Vec<Cell>>) -> Table {
    let columns = [
        words("time", "Set"),
        words("repository", "Repository"),
        words("signers", "Signed by"),
        numbers("n", "Policy record"),
        words("record", "Record"),
    ];
    let empty = "No rules are set: git tracevault policy edit begins them.";
    Table::new("Changes of the rules, the newest first", &columns, empty).rows(rows)
}

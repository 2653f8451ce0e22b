//! `/members`: who may do what, with which keys, and which keys there were.

use axum::extract::Query;

use crate::compliance::Account;
use crate::index::Repository;
use crate::record::body::Member;
use crate::roster::Roster;
use crate::web::access::Reader;
use crate::web::ask::{Ask, link};
use crate::web::page::{Answer, Block, Link, Links, NoPage, Page, Section};
use crate::web::pages::{self, integrity, keys};
use crate::web::table::{Cell, Table, numbers, words};

/// So many keys are listed here, the latest.
const LATEST: usize = 20;

pub async fn page(reader: Reader, Query(ask): Query<Ask>) -> Answer {
    let repositories = reader.repositories().await?;
    let filter = reader.filter(&ask, &repositories).await?;
    let form = ask.form("/members", &["repository", "asof"], &repositories);
    let accounts = reader.index().accounts(&filter).await?;
    let told = repositories.iter().filter_map(|repository| Some((repository, accounts.get(&repository.id)?)));
    let told: Vec<(&Repository, &Account)> = told.collect();
    let href = link("/keys", ask.fields().into_iter().filter(|(name, _)| *name != "after"));
    let all = Link { href, text: "All keys, as a table".into(), here: false };
    let page = Page::new("Members", Section::Members).block(Block::Fields(form)).dated(filter.asof);
    Ok(page
        .table(members(&told, &reader, &ask)?)
        .heading("together", "What needs several")
        .table(together(&told))
        .heading("keys", "Keys, past and present")
        .table(keys::table().rows(keys::rows(&told).into_iter().take(LATEST)).excerpt())
        .block(Block::Links(Links { label: "All of them", links: vec![all] })))
}

fn members(told: &[(&Repository, &Account)], reader: &Reader, ask: &Ask) -> Result<Table, NoPage> {
    let columns = [
        words("member", "Member"),
        words("name", "Name"),
        words("roles", "Roles"),
        words("repository", "Repository"),
        words("key", "Key"),
        words("public_key", "Public key"),
        numbers("from_seq", "Counts from record"),
        words("state", "State"),
    ];
    let mut rows = Vec::new();
    for (repository, account) in told {
        let Some(roster) = account.history.newest() else { continue };
        rows.extend(roster.members().flat_map(|member| of_one(repository, roster, member)));
    }
    pages::part(
        Table::new("Members and their keys", &columns, "No ledger has a member yet."),
        rows,
        reader,
        ask,
        "/members",
    )
}

/// A row a key; a member without a key has one without it.
fn of_one(repository: &Repository, roster: &Roster, member: &Member) -> Vec<Vec<Cell>> {
    let roles: Vec<&str> = member.roles.iter().map(|role| role.as_str()).collect();
    let row = |key: [Cell; 4]| {
        let about = [&member.id, &member.name, &roles.join(", "), &repository.name].map(|text| Cell::text(text));
        about.into_iter().chain(key).collect::<Vec<_>>()
    };
    let key = |key: &crate::record::body::EnrolledKey| {
        let chain = key.public_key.chain();
        let state = match roster.closure(chain) {
            None => Cell::text("enrolled").looks("pass"),
            Some(_) => Cell::text("closed").looks("warn"),
        };
        let name = chain.to_string();
        row([
            Cell::id(&name).to(integrity::path(&repository.name, &name)),
            Cell { look: "id", ..Cell::text(&key.public_key.to_string()) }.to(keys::path(&name)),
            Cell::count(i64::try_from(key.from_seq).unwrap_or(i64::MAX)),
            state,
        ])
    };
    let rows: Vec<_> = member.keys.iter().map(key).collect();
    if rows.is_empty() { vec![row([Cell::none(), Cell::none(), Cell::none(), Cell::none()])] } else { rows }
}

fn together(told: &[(&Repository, &Account)]) -> Table {
    let columns = [
        words("repository", "Repository"),
        numbers("owners", "Owners who must sign together"),
        numbers("witnesses", "Witnesses that make a record sealed"),
    ];
    let row = |(repository, account): &(&Repository, &Account)| {
        let roster = account.history.newest()?;
        let number = |number: u32| Cell::count(number.into());
        Some(vec![Cell::text(&repository.name), number(roster.threshold()), number(roster.witnesses())])
    };
    Table::new("What needs several", &columns, "No repository is mirrored yet.").rows(told.iter().filter_map(row))
}

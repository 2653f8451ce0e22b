//! `/members`: who may do what, and with which keys.

use axum::extract::Query;

use crate::index::{MemberRow, Repository};
use crate::web::access::Reader;
use crate::web::ask::Ask;
use crate::web::page::{Answer, Block, Page, Section};
use crate::web::pages::integrity;
use crate::web::table::{Cell, Table, numbers, words};

pub async fn page(reader: Reader, Query(ask): Query<Ask>) -> Answer {
    let repositories = reader.repositories().await?;
    let filter = reader.filter(&ask, &repositories)?;
    let wanted = filter.repository;
    let form = ask.form("/members", &["repository"], &repositories);
    let members = reader.index().members(&filter).await?;
    let shown: Vec<&Repository> =
        repositories.iter().filter(|repository| wanted.is_none_or(|wanted| repository.id == wanted)).collect();
    let page = Page::new("Members", Section::Members).block(Block::Fields(form)).table(table(&members));
    Ok(page.heading("together", "What needs several").table(together(&shown)))
}

fn table(members: &[MemberRow]) -> Table {
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
    let row = |member: &MemberRow| {
        let state = match (&member.chain, member.closed) {
            (None, _) => Cell::none(),
            (_, 0) => Cell::text("enrolled").looks("pass"),
            _ => Cell::text("closed").looks("warn"),
        };
        let chain = member.chain.as_deref();
        vec![
            Cell::text(&member.member),
            Cell::text(&member.name),
            Cell::text(&member.roles),
            Cell::text(&member.repository),
            chain.map_or_else(Cell::none, |chain| Cell::id(chain).to(integrity::path(&member.repository, chain))),
            member.public_key.as_deref().map_or_else(Cell::none, |key| Cell { look: "id", ..Cell::text(key) }),
            member.from_seq.map_or_else(Cell::none, Cell::count),
            state,
        ]
    };
    Table::new("Members and their keys", &columns, "No ledger has a member yet.").rows(members.iter().map(row))
}

fn together(repositories: &[&Repository]) -> Table {
    let columns = [
        words("repository", "Repository"),
        numbers("owners", "Owners who must sign together"),
        numbers("witnesses", "Witnesses that make a record sealed"),
    ];
    let row = |repository: &&Repository| {
        let number = |number: Option<i64>| number.map_or_else(Cell::none, Cell::count);
        vec![Cell::text(&repository.name), number(repository.threshold), number(repository.witnesses)]
    };
    Table::new("What needs several", &columns, "No repository is mirrored yet.").rows(repositories.iter().map(row))
}

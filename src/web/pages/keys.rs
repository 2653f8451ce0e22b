//! `/keys` and `/keys/CHAIN.pub`: every key there is and was, and one as minisign reads it.

use axum::extract::{Path, Query};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::compliance::{Account, Enrolled};
use crate::index::Repository;
use crate::web::access::Reader;
use crate::web::ask::Ask;
use crate::web::page::{Answer, Block, NoPage, Page, Section};
use crate::web::pages::{self, integrity};
use crate::web::table::{Cell, Table, words};

/// `/keys`: all of them.
pub async fn page(reader: Reader, Query(ask): Query<Ask>) -> Answer {
    let repositories = reader.repositories().await?;
    let filter = reader.filter(&ask, &repositories).await?;
    let accounts = reader.index().accounts(&filter).await?;
    let told = repositories.iter().filter_map(|repository| Some((repository, accounts.get(&repository.id)?)));
    let rows = rows(&told.collect::<Vec<_>>());
    let form = ask.form("/keys", &["repository", "asof"], &repositories);
    let page = Page::new("Keys, past and present", Section::Members).block(Block::Fields(form)).dated(filter.asof);
    Ok(page.table(pages::part(table(), rows, &reader, &ask, "/keys")?))
}

/// `/keys/CHAIN.pub`: one, as a file.
pub async fn file(reader: Reader, Path(name): Path<String>) -> Result<Response, NoPage> {
    let wanted = name.strip_suffix(".pub").unwrap_or_default();
    let accounts = reader.index().accounts(&reader.everything()).await?;
    let mut keys = accounts.values().flat_map(|account| account.keys()).map(|enrolled| enrolled.key);
    let key = keys.find(|key| !wanted.is_empty() && key.chain().to_string() == wanted);
    let key = key.ok_or_else(|| NoPage::NotFound(format!("no ledger has or had a key {name:?}")))?;
    let file = format!("attachment; filename=\"{}.pub\"", key.chain());
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, file)];
    Ok((headers, key.file()).into_response())
}

/// Where a chain's key is.
pub fn path(chain: &str) -> String {
    format!("/keys/{chain}.pub")
}

pub fn table() -> Table {
    let columns = [
        words("key", "Key"),
        words("member", "Member"),
        words("repository", "Repository"),
        words("since", "Enrolled"),
        words("by", "By record"),
        words("until", "Ended"),
        words("file", "File"),
    ];
    Table::new("Keys, the latest first", &columns, "No key was enrolled yet.")
}

pub fn rows(told: &[(&Repository, &Account)]) -> Vec<Vec<Cell>> {
    let mut rows = Vec::new();
    for (repository, account) in told {
        let row = |enrolled: &Enrolled<'_>| {
            let chain = enrolled.key.chain().to_string();
            vec![
                Cell::id(&chain).to(integrity::path(&repository.name, &chain)),
                Cell::text(enrolled.member),
                Cell::text(&repository.name),
                Cell::time(enrolled.since.time.unix()),
                pages::policy_record(enrolled.since),
                enrolled.until.map_or_else(Cell::none, |told| Cell::time(told.time.unix())),
                Cell::text("minisign").to(path(&chain)),
            ]
        };
        rows.extend(account.keys().iter().rev().map(row));
    }
    rows
}

//! `/integrity`: what the last verifications found, and every chain.

use axum::extract::Query;

use crate::index::{ChainRow, FindingRow, Repository};
use crate::mirror::bare;
use crate::web::access::Reader;
use crate::web::ask::{Ask, encoded};
use crate::web::page::{Answer, Block, Link, Links, Page, Section};
use crate::web::pages::{self, record};
use crate::web::show;
use crate::web::table::{Cell, Table, numbers, words};

/// So many findings are listed.
const MOST: i64 = 200;

pub async fn page(reader: Reader, Query(ask): Query<Ask>) -> Answer {
    let repositories = reader.repositories().await?;
    let filter = reader.filter(&ask, &repositories).await?;
    let wanted = filter.repository;
    let form = ask.form("/integrity", &["repository"], &repositories);
    let shown: Vec<&Repository> =
        repositories.iter().filter(|repository| wanted.is_none_or(|wanted| repository.id == wanted)).collect();
    let mut page = Page::new("Integrity", Section::Integrity).block(Block::Fields(form));
    let alerts = Link { href: "/alerts".into(), text: "Alerts: since when it is known".into(), here: false };
    page = page.block(Block::Links(Links { label: "Alerts", links: vec![alerts] }));
    for repository in shown {
        page = page.facts(facts(repository));
    }
    let findings = reader.index().findings(&filter, MOST).await?;
    page = page.heading("findings", "What was found").table(found(&findings));
    Ok(page.heading("chains", "Chains").table(chains(&reader.index().chains(&filter).await?)))
}

fn facts(repository: &Repository) -> Vec<(&'static str, Cell)> {
    let when = |time: Option<i64>| time.map_or_else(Cell::none, Cell::time);
    vec![
        ("Repository", Cell::text(&repository.name)),
        ("Verdict", pages::verdict(repository)),
        ("Records", Cell::count(repository.records)),
        ("Fetched", when(repository.fetched)),
        ("Verified", when(repository.verified)),
        ("All of it anew", when(repository.fully_verified)),
        ("Ledger", repository.ledger.as_deref().map_or_else(Cell::none, Cell::id)),
        ("From", Cell::text(&bare(&repository.url))),
    ]
}

fn found(findings: &[FindingRow]) -> Table {
    let columns = [
        words("severity", "Weight"),
        words("code", "Code"),
        words("message", "What"),
        words("repository", "Repository"),
        words("chain", "Chain"),
        numbers("seq", "Number"),
        words("decided", "Decided"),
    ];
    let row = |finding: &FindingRow| {
        let look = match finding.severity.as_str() {
            "error" => "fail",
            _ => "warn",
        };
        vec![
            Cell::text(&finding.severity).looks(look),
            Cell::text(&finding.code),
            Cell::text(&finding.message),
            Cell::text(&finding.repository),
            finding.chain.as_deref().map_or_else(Cell::none, Cell::id),
            finding.seq.map_or_else(Cell::none, Cell::count),
            finding.decided.as_deref().map_or_else(Cell::none, Cell::text),
        ]
    };
    Table::new("Findings, the worst first", &columns, "Nothing: every record holds.").rows(findings.iter().map(row))
}

fn chains(chains: &[ChainRow]) -> Table {
    let columns = [
        words("chain", "Chain"),
        words("member", "Member"),
        words("device", "Device"),
        words("kind", "Kind"),
        words("repository", "Repository"),
        numbers("records", "Records"),
        numbers("sealed", "Sealed"),
        words("first", "First"),
        words("last", "Last"),
    ];
    let row = |chain: &ChainRow| {
        let member = chain.member.as_deref().map_or_else(Cell::none, Cell::text);
        let kind = match chain.kind.as_str() {
            "seal" => "witness",
            "policy" => "policy",
            _ => "writer",
        };
        let when = |time: Option<i64>| time.map_or_else(Cell::none, Cell::time);
        let sealed = match chain.kind.as_str() {
            "seal" => Cell::none(),
            _ => Cell {
                text: format!("{} of {}", show::count(chain.sealed), show::count(chain.records)),
                ..Cell::count(chain.sealed)
            },
        };
        vec![
            Cell::id(&chain.chain).to(path(&chain.repository, &chain.chain)),
            if chain.pending != 0 {
                Cell { text: format!("{} (not enrolled)", member.text), ..member }.looks("warn")
            } else {
                member
            },
            chain.device.as_deref().map_or_else(Cell::none, Cell::text),
            Cell::text(kind),
            Cell::text(&chain.repository),
            Cell::count(chain.records),
            sealed,
            when(chain.first),
            when(chain.last),
        ]
    };
    Table::new("Chains", &columns, "No chain is here.").rows(chains.iter().map(row))
}

/// Where a chain's records are listed.
pub fn path(repository: &str, chain: &str) -> String {
    format!("/r/{}/chains/{}", encoded(repository), encoded(chain))
}

/// `/r/REPOSITORY/chains/CHAIN`: a chain's records, one after the other.
pub async fn chain(
    reader: Reader,
    axum::extract::Path((name, chain)): axum::extract::Path<(String, String)>,
    Query(ask): Query<Ask>,
) -> Answer {
    let repository = reader.repository(&name).await?;
    // A place in a chain is the number of its record.
    let from = ask.after()?.map_or(0, |after| after.time);
    let rows = reader.index().records_of(repository.id, &chain, from, reader.rows as i64 + 1).await?;
    if rows.is_empty() {
        return Err(crate::web::page::NoPage::NotFound(format!(
            "{name} has no chain {chain:?}, or not so many records"
        )));
    }
    let shown = &rows[..rows.len().min(reader.rows)];
    let mut table = record::table(&format!("Records of chain {}", show::short(&chain)), shown);
    let next = rows.get(shown.len());
    table.next = next.map(|next| ask.next(&path(&name, &chain), next.seq, "0"));
    Ok(Page::new(format!("Chain {}", show::short(&chain)), Section::Integrity).table(table))
}

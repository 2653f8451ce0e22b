//! `/policies`: the rules in force, and every change of them.

use std::collections::BTreeSet;

use axum::extract::Query;

use crate::index::RulesRow;
use crate::web::access::Reader;
use crate::web::ask::Ask;
use crate::web::page::{Answer, Block, Page, Section, Text};
use crate::web::show;
use crate::web::table::{Cell, Table, numbers, words};

/// So many changes are listed.
const MOST: i64 = 500;

pub async fn page(reader: Reader, Query(ask): Query<Ask>) -> Answer {
    let repositories = reader.repositories().await?;
    let filter = reader.filter(&ask, &repositories)?;
    let form = ask.form("/policies", &["repository"], &repositories);
    let rules = reader.index().rules(&filter, MOST).await?;
    let mut page = Page::new("Policies", Section::Policies).block(Block::Fields(form)).table(table(&rules));
    let mut seen = BTreeSet::new();
    for set in rules.iter().filter(|set| seen.insert(&set.repository)) {
        let label = format!("In force in {}", show::visible(&set.repository));
        page = page.heading("", label.clone()).block(Block::Text(Text { label, text: show::visible(&set.toml) }));
    }
    Ok(page)
}

fn table(rules: &[RulesRow]) -> Table {
    let columns = [
        words("time", "Set"),
        words("repository", "Repository"),
        words("signers", "Signed by"),
        numbers("n", "Policy record"),
        words("record", "Record"),
    ];
    let row = |set: &RulesRow| {
        vec![
            Cell::time(set.time),
            Cell::text(&set.repository),
            Cell::text(&set.signers),
            Cell::count(set.n),
            Cell::id(&set.record).to(format!("/records/{}", set.record)),
        ]
    };
    let empty = "No rules are set: git tracevault policy edit begins them.";
    Table::new("Changes of the rules, the newest first", &columns, empty).rows(rules.iter().map(row))
}

//! `/compliance`: what the frameworks in force ask for, what there is of it, and what no ledger can tell.

use std::collections::BTreeMap;

use axum::extract::Query;

use crate::compliance::{Account, Control, Evidence, controls, length};
use crate::index::Repository;
use crate::record::body::{Chosen, Framework};
use crate::web::access::Reader;
use crate::web::ask::{Ask, link, some};
use crate::web::page::{Answer, Block, Link, Links, NoPage, Page, Section};
use crate::web::table::{Cell, Column, Table, numbers, words};

const COLUMNS: [Column; 8] = [
    words("framework", "Framework"),
    words("control", "Where"),
    words("asks", "What it asks for"),
    words("repository", "Repository"),
    words("evidence", "Evidence"),
    numbers("records", "Records"),
    words("state", "State"),
    words("left", "Not covered"),
];

/// So many repositories are named.
const TOLD: usize = 20;

/// How many good records of each type a repository has.
type Counts = BTreeMap<(i64, String), i64>;

pub async fn page(reader: Reader, Query(ask): Query<Ask>) -> Answer {
    let index = reader.index();
    let repositories = reader.repositories().await?;
    let filter = reader.filter(&ask, &repositories).await?;
    let framework = some(&ask.framework).map(named).transpose()?;
    let accounts = index.accounts(&filter).await?;
    let counts = index.counts(&filter).await?;
    let form = ask.form("/compliance", &["repository", "asof"], &repositories);
    let mut page = Page::new("Compliance", Section::Compliance)
        .block(around("/compliance"))
        .block(Block::Fields(form))
        .dated(filter.asof);
    for repository in repositories.iter().filter(|repository| repository.verdict.as_deref() == Some("fail")) {
        page = page.note("fail", format!("{} does not hold: only what holds is counted.", repository.name));
    }
    let mut in_force = Vec::new();
    for framework in Framework::ALL {
        let is_chosen = |account: &Account| choice(account, framework).is_some();
        let chose = repositories.iter().filter(|repository| accounts.get(&repository.id).is_some_and(is_chosen));
        in_force.push((framework, chose.collect::<Vec<_>>()));
    }
    in_force.retain(|(_, repositories)| !repositories.is_empty());
    if in_force.is_empty() {
        let why = "No framework is in force: an owner or admin chooses one with git tracevault compliance set.";
        return Ok(page.note("warn", why));
    }
    page = page.block(Block::Links(frameworks(&ask, in_force.iter().map(|(framework, _)| *framework))));
    for (of, repositories) in in_force.iter().filter(|(of, _)| framework.is_none_or(|framework| framework == *of)) {
        page = page.heading(of.as_str(), of.title());
        let kept = repositories.iter().filter_map(|repository| {
            let months = choice(accounts.get(&repository.id)?, *of)?.months;
            Some(format!("{} for {}", repository.name, length(months)))
        });
        let kept: Vec<String> = kept.take(TOLD).collect();
        page = page.note("pass", format!("Payloads are kept, by repository: {}.", kept.join(", ")));
        page = page.table(table(*of, repositories, &counts, &ask));
    }
    Ok(page)
}

/// The pages about keeping and excusing.
pub fn around(here: &str) -> Block {
    let pages = [("/compliance", "Frameworks"), ("/retention", "Retention and holds"), ("/exceptions", "Exceptions")];
    let links = pages.map(|(href, text)| Link { href: href.into(), text: text.into(), here: href == here });
    Block::Links(Links { label: "Compliance", links: links.into() })
}

fn named(text: &str) -> Result<Framework, NoPage> {
    let found = Framework::ALL.into_iter().find(|framework| framework.as_str() == text);
    found.ok_or_else(|| NoPage::Wrong(format!("no framework is called {text:?}")))
}

fn choice(account: &Account, framework: Framework) -> Option<Chosen> {
    account.keeping.retention()?.frameworks.iter().find(|chosen| chosen.framework == framework).copied()
}

fn frameworks(ask: &Ask, all: impl Iterator<Item = Framework>) -> Links {
    let one = |framework: Framework| {
        let others = ask.fields().into_iter().filter(|(name, _)| *name != "framework");
        let href = link("/compliance", others.chain([("framework", framework.as_str())]));
        Link { href, text: framework.title().to_owned(), here: ask.framework == framework.as_str() }
    };
    Links { label: "Frameworks in force", links: all.map(one).collect() }
}

fn table(framework: Framework, repositories: &[&Repository], counts: &Counts, ask: &Ask) -> Table {
    let mut rows = Vec::new();
    for control in controls(framework) {
        rows.extend(
            control.evidence.iter().map(|evidence| row(framework, control, *evidence, repositories, counts, ask)),
        );
    }
    let caption = format!("What {} asks for, and what there is of it", framework.title());
    Table::new(caption, &COLUMNS, "Nothing is asked for.").rows(rows)
}

/// What there is of some evidence, of one repository or of all together.
fn row(
    framework: Framework,
    control: &Control,
    evidence: Evidence,
    repositories: &[&Repository],
    counts: &Counts,
    ask: &Ask,
) -> Vec<Cell> {
    let count = |repository: &&Repository| {
        let of = |kind: &&str| counts.get(&(repository.id, (*kind).to_owned())).copied().unwrap_or_default();
        evidence.kinds().iter().map(of).sum::<i64>()
    };
    let records: i64 = repositories.iter().map(count).sum();
    let without: Vec<&str> =
        repositories.iter().filter(|one| count(one) == 0).map(|one| one.name.as_str()).take(TOLD).collect();
    let fields = ask.fields().into_iter().filter(|(name, _)| ["repository", "asof"].contains(name));
    let state = match without.as_slice() {
        [] => Cell::text("there").looks("pass"),
        _ if records == 0 => Cell::text("none").looks("warn"),
        some => Cell::text(&format!("none in {}", some.join(", "))).looks("warn"),
    };
    let of = match repositories {
        [one] => one.name.clone(),
        several => format!("{} repositories", several.len()),
    };
    vec![
        Cell::text(framework.as_str()),
        Cell::text(control.id),
        Cell::text(control.asks),
        Cell::text(&of),
        Cell::text(evidence.title()).to(link(place(evidence), fields)),
        Cell::count(records),
        state,
        Cell::text(control.left),
    ]
}

/// The page that shows it.
fn place(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Sessions => "/sessions",
        Evidence::Models => "/analytics/models",
        Evidence::Commits => "/commits",
        Evidence::Checks => "/exceptions/checks",
        Evidence::Approvals => "/exceptions/approvals",
        Evidence::Corrections => "/exceptions/corrections",
        Evidence::Decisions => "/exceptions",
        Evidence::Rules => "/policies",
        Evidence::Members => "/members",
        Evidence::Seals | Evidence::Audits | Evidence::Readings => "/integrity",
        Evidence::Retention | Evidence::Holds => "/retention",
    }
}

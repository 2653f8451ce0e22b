//! `/help`: keys, words and filters.

use crate::web::page::{Answer, Page, Section};
use crate::web::routes::{Answers, PARAMETERS, ROUTES};
use crate::web::table::{Cell, Table, words};

const KEYS: [(&str, &str); 6] = [
    ("/", "goes to the search"),
    ("j, k", "go through rows and turns"),
    ("[", "goes back to the page before"),
    ("]", "goes to the rows after these"),
    ("?", "comes here"),
    ("Tab, Enter", "go through links, and follow one; nothing needs another key"),
];

/// What words on pages mean; docs/glossary.md has them all.
const WORDS: [(&str, &str); 19] = [
    (
        "record",
        "a signed statement: of a session, a commit, a decision; it is never rewritten, only corrected by a further one",
    ),
    ("chain", "the records of one writer's key, each naming the one before it"),
    ("policy chain", "the records of what owners and admins decide: members, rules, how long payloads are kept"),
    ("member", "a person or machine whose key an owner has enrolled"),
    ("witness", "a machine that verifies all of it and signs that it has seen it"),
    ("seal", "a witness's signed statement how far every chain was"),
    ("signed", "the writer's signature, place and right hold"),
    ("sealed", "and as many witnesses have sealed it as must"),
    ("pending", "the key that signed it is not enrolled: it may still be"),
    ("linked", "a rewritten commit, for which the record of the commit before it speaks"),
    ("missing", "no record speaks of it"),
    ("bad", "a record that does not hold: what it says is believed in nothing"),
    ("pass, inconclusive, fail", "the three answers: what cannot be told is no pass"),
    ("finding", "something that verifying found; its code says what"),
    (
        "payload",
        "what a record names and does not hold: what was said in a session; it may be encrypted, and may expire",
    ),
    ("unattributed", "lines of which nobody knows whose they are; that is not a person's"),
    ("unknown", "what has no price or was not told: never nothing"),
    ("hold", "payloads that a legal case needs, and that are not pruned until it is released"),
    ("accepted, rejected", "what was decided about a finding: explained and no harm, or harm; the finding stays"),
];

pub async fn page() -> Answer {
    let about = |(what, means): &(&str, &str)| vec![Cell::text(what), Cell::text(means)];
    let keys =
        Table::new("Keys", &[words("key", "Key"), words("does", "What it does")], "").rows(KEYS.iter().map(about));
    let meanings = Table::new("Words", &[words("word", "Word"), words("means", "What it means")], "")
        .rows(WORDS.iter().map(about));
    let is_asked = |name: &&(&str, &str)| ROUTES.iter().any(|route| route.query.contains(&name.0));
    let filters = Table::new("Filters", &[words("name", "In the address"), words("means", "What it means")], "")
        .rows(PARAMETERS.iter().filter(is_asked).map(about));
    let pages = ROUTES.iter().filter(|route| route.answers != Answers::Told);
    let page = |route: &crate::web::routes::Route| {
        let path = Cell::text(route.path);
        let path = if route.path.contains('{') { path } else { path.to(route.path) };
        vec![path, Cell::text(route.about)]
    };
    let paths =
        Table::new("Pages", &[words("path", "Path"), words("about", "What is there")], "").rows(pages.map(page));
    Ok(Page::new("Help", Section::Other)
        .heading("keys", "Keys")
        .table(keys)
        .heading("words", "Words")
        .table(meanings)
        .heading("filters", "Filters")
        .table(filters)
        .heading("pages", "Pages")
        .table(paths))
}

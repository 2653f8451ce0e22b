//! `/suggestions`: what teams use and where it pays, by repository first; persons only for those who may read their sessions.

use axum::extract::{Path, Query};

use crate::index::{By, Filter, HabitRow, UsageSum, UseRow};
use crate::web::access::Reader;
use crate::web::advice::{self, Sent, Took, advise};
use crate::web::ask::{Ask, link};
use crate::web::page::{Answer, Block, Link, Links, NoPage, Page, Section};
use crate::web::pages;
use crate::web::table::{Cell, Table, numbers, words};

/// More skills and MCP servers than these are not looked at.
const USES: i64 = 500;

/// The parts: what their page is called, and what is there.
const PARTS: [(&str, &str); 3] =
    [("uses", "Skills and MCP servers"), ("teams", "Teams and their caches"), ("members", "Members")];

/// What is asked for, and what the index says of it.
struct Asked {
    filter: Filter,
    page: Page,
}

impl Asked {
    async fn of(reader: &Reader, ask: &Ask, path: &str) -> Result<Self, NoPage> {
        let repositories = reader.repositories().await?;
        let filter = reader.filter(ask, &repositories).await?;
        let title = PARTS.iter().find(|(name, _)| path.ends_with(name)).map_or("Suggestions", |(_, title)| *title);
        let all = [("/suggestions".to_owned(), "Suggestions")].into_iter();
        let all = all.chain(PARTS.map(|(name, title)| (format!("/suggestions/{name}"), title)));
        let links = all.map(|(to, text)| {
            let href = link(&to, ask.fields().into_iter().filter(|(name, _)| *name != "after"));
            Link { href, text: text.to_owned(), here: to == path }
        });
        let page = Page::new(title, Section::Analytics)
            .block(Block::Links(Links { label: "Suggestions", links: links.collect() }))
            .block(Block::Fields(ask.form(path, &["repository", "since", "until"], &repositories)));
        Ok(Asked { filter, page })
    }
}

pub async fn page(reader: Reader, Query(ask): Query<Ask>) -> Answer {
    let Asked { filter, page } = Asked::of(&reader, &ask, "/suggestions").await?;
    let index = reader.index();
    let (uses, all) = (index.uses(&filter, USES).await?, index.habits_by_repository(&filter).await?);
    let sent: Vec<Sent> = index.usage(&filter, None, By::Repository).await?.iter().map(sent).collect();
    let columns = [words("repository", "Team"), words("what", "What"), words("about", "About"), words("why", "Why")];
    let rows = advise(&uses, &all, &sent).into_iter().map(|one| {
        let what = Cell::text(one.what).looks(if one.what == "try" { "pass" } else { "warn" });
        vec![Cell::text(&one.repository), what, Cell::text(&one.about), Cell::text(&one.why)]
    });
    let table = Table::new("Suggestions, by team", &columns, "The numbers suggest nothing.");
    let table = pages::part(table, rows.collect(), &reader, &ask, "/suggestions")?;
    let note = "A team is a repository. What sessions cost with something and without it is compared, which is no proof that it \
                is why; docs/indexer.md has the rules.";
    Ok(page.note("pass", note).table(table))
}

/// `/suggestions/PART`: the numbers behind.
pub async fn part(reader: Reader, Path(part): Path<String>, Query(ask): Query<Ask>) -> Answer {
    let path = format!("/suggestions/{part}");
    if PARTS.iter().all(|(name, _)| *name != part) {
        return Err(NoPage::NotFound(format!("there is no page {path}")));
    }
    let Asked { filter, page } = Asked::of(&reader, &ask, &path).await?;
    let index = reader.index();
    let table = match part.as_str() {
        "uses" => {
            let all = index.habits_by_repository(&filter).await?;
            let uses = index.uses(&filter, USES).await?;
            uses_table(&uses, &all)
        }
        "teams" => {
            let usage = index.usage(&filter, None, By::Repository).await?;
            habits_table("Team", &index.habits_by_repository(&filter).await?, &usage)
        }
        _ => {
            let usage = index.usage(&filter, None, By::Member).await?;
            habits_table("Member", &index.habits_by_member(&filter).await?, &usage)
        }
    };
    let rows = table.rows.clone();
    Ok(page.table(pages::part(Table { rows: Vec::new(), ..table }, rows, &reader, &ask, &path)?))
}

fn sent(sum: &UsageSum) -> Sent {
    let all = [sum.input, sum.cache_read, sum.cache_write].into_iter().fold(0, i64::saturating_add);
    Sent { repository: sum.of.clone(), read: sum.cache_read, all }
}

/// What a hundred lines cost, where there are any.
fn per_hundred(took: Took) -> Cell {
    took.per_hundred().map_or_else(Cell::none, |cost| Cell::cost(cost, 0))
}

fn uses_table(uses: &[UseRow], all: &[HabitRow]) -> Table {
    let columns = [
        words("repository", "Team"),
        words("kind", "Kind"),
        words("name", "Name"),
        numbers("sessions", "Sessions with it"),
        numbers("without", "Without"),
        numbers("calls", "Calls"),
        numbers("failed_share", "Share that failed"),
        numbers("cost_usd", "100 lines cost with it"),
        numbers("without_usd", "Without"),
    ];
    let row = |used: &UseRow| {
        let (with, without) = advice::with_and_without(used, all);
        vec![
            Cell::text(&used.repository),
            Cell::text(&used.kind),
            Cell::text(&used.name),
            Cell::count(with.sessions),
            Cell::count(without.sessions),
            Cell::count(used.calls),
            Cell::share(used.failed, used.calls),
            per_hundred(with),
            per_hundred(without),
        ]
    };
    Table::new("Skills and MCP servers, the most used first", &columns, "Nobody used any.").rows(uses.iter().map(row))
}

fn habits_table(of: &'static str, all: &[HabitRow], usage: &[UsageSum]) -> Table {
    let columns = [
        words("of", of),
        numbers("sessions", "Sessions"),
        numbers("calls", "Calls"),
        numbers("failed_share", "Share that failed"),
        numbers("cost_usd", "100 lines cost"),
        numbers("sent", "Tokens sent"),
        numbers("cached_share", "From caches"),
        numbers("cache_saved_usd", "Saved by caches"),
    ];
    let row = |row: &HabitRow| {
        let used = usage.iter().find(|used| used.of == row.of).cloned().unwrap_or_default();
        let sent = sent(&used);
        vec![
            Cell::text(&row.of),
            Cell::count(row.sessions),
            Cell::count(row.calls),
            Cell::share(row.failed, row.calls),
            per_hundred(Took { sessions: row.sessions, cost: row.cost, lines: row.lines }),
            Cell::count(sent.all),
            Cell::share(sent.read, sent.all),
            Cell::cost(used.saved, 0),
        ]
    };
    let caption = if of == "Team" { "Teams, and what they take" } else { "Members whose sessions you may read" };
    Table::new(caption, &columns, "No session fits.").rows(all.iter().map(row))
}

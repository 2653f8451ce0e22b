//! `/analytics` and `/analytics/QUESTION`: one question a page, each a chart with the same numbers as a table.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::{Path, Query};

use crate::index::{By, Database, Filter, IndexError};
use crate::time::Time;
use crate::web::access::Reader;
use crate::web::ask::{Ask, link};
use crate::web::chart::{Chart, Series};
use crate::web::page::{Answer, Block, Link, Links, NoPage, Page, Section};
use crate::web::show;
use crate::web::table::{Cell, Column, Table, numbers, words};

/// The questions: what their page is called, and what it answers.
const QUESTIONS: [(&str, &str); 8] = [
    ("tokens", "Tokens over time"),
    ("models", "Models"),
    ("cost", "Cost"),
    ("caches", "Saved by caches"),
    ("agents-share", "Lines by agents"),
    ("authors", "Authors"),
    ("tools", "Tools, MCP tools, skills and programs"),
    ("time", "Active time"),
];

/// More tools than these are not listed.
const TOOLS: i64 = 200;
/// Beyond so many years only months are told in which there was something.
const YEARS: i64 = 20;
/// Beyond so many days a bar is a month.
const DAYS: usize = 92;

pub async fn index() -> Answer {
    let links =
        QUESTIONS.map(|(name, title)| Link { href: format!("/analytics/{name}"), text: title.into(), here: false });
    let suggestions = Link { href: "/suggestions".to_owned(), text: "Suggestions".to_owned(), here: false };
    let links = links.into_iter().chain([suggestions]).collect();
    Ok(Page::new("Analytics", Section::Analytics).block(Block::Links(Links { label: "Questions", links })))
}

pub async fn page(reader: Reader, Path(question): Path<String>, Query(ask): Query<Ask>) -> Answer {
    let known = QUESTIONS.iter().find(|(name, _)| *name == question);
    let (name, title) = known.ok_or_else(|| NoPage::NotFound(format!("no question is called {question:?}")))?;
    let repositories = reader.repositories().await?;
    let filter = reader.filter(&ask, &repositories).await?;
    let fields: &[&'static str] = match *name {
        "agents-share" | "authors" => &["repository", "author", "since", "until", "asof"],
        "tools" | "time" => &["repository", "member", "agent", "since", "until", "asof"],
        _ => &["repository", "member", "agent", "model", "since", "until", "asof"],
    };
    let form = ask.form(&format!("/analytics/{name}"), fields, &repositories);
    let links = QUESTIONS.map(|(other, title)| {
        let href = link(&format!("/analytics/{other}"), ask.fields().into_iter().filter(|(name, _)| *name != "after"));
        Link { href, text: title.to_owned(), here: other == *name }
    });
    let mut page = Page::new(*title, Section::Analytics)
        .block(Block::Links(Links { label: "Questions", links: links.into() }))
        .block(Block::Fields(form))
        .dated(filter.asof);
    for block in answer(name, reader.index(), &filter, &ask).await? {
        page = page.block(block);
    }
    Ok(page)
}

async fn answer(name: &str, index: &Database, filter: &Filter, ask: &Ask) -> Result<Vec<Block>, IndexError> {
    match name {
        "tokens" => usage(index, filter, ask, By::Agent, "Tokens", |sum| sum.tokens(), show::count).await,
        "models" => usage(index, filter, ask, By::Model, "Tokens by model", |sum| sum.tokens(), show::count).await,
        "cost" => usage(index, filter, ask, By::Model, "Dollars by model", |sum| sum.cost, show::money).await,
        "caches" => {
            usage(index, filter, ask, By::Model, "Dollars that caches saved", |sum| sum.saved, show::money).await
        }
        "agents-share" => lines(index, filter, By::Repository).await,
        "authors" => lines(index, filter, By::Member).await,
        "tools" => tools(index, filter).await,
        _ => time(index, filter).await,
    }
}

/// Every day from the first to the last of these, or every month where that is too many days.
fn places(days: &BTreeSet<String>) -> (By, Vec<String>) {
    let seconds = |day: Option<&String>| Some(Time::from_rfc3339(&format!("{}T00:00:00Z", day?))?.unix());
    let (Some(first), Some(last)) = (seconds(days.first()), seconds(days.last())) else { return (By::Day, Vec::new()) };
    if last - first > YEARS * 366 * 86_400 {
        // A clock that is far off must not make a chart of every day between.
        let months: BTreeSet<String> = days.iter().filter_map(|day| day.get(..7)).map(str::to_owned).collect();
        return (By::Month, months.into_iter().collect());
    }
    let all: Vec<String> = (first..=last).step_by(86_400).map(|day| Time::from_unix(day).day()).collect();
    if all.len() <= DAYS {
        return (By::Day, all);
    }
    let months: BTreeSet<String> = all.iter().filter_map(|day| day.get(..7)).map(str::to_owned).collect();
    (By::Month, months.into_iter().collect())
}

/// Rows of a time and a thing, as series over the places.
fn series(places: &[String], rows: impl IntoIterator<Item = (String, String, i64)>) -> Vec<Series> {
    let at: BTreeMap<&str, usize> = places.iter().enumerate().map(|(at, place)| (place.as_str(), at)).collect();
    let mut all: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for (place, of, value) in rows {
        // A row of a day counts for its month where places are months.
        let found = at.get(place.as_str()).or_else(|| at.get(place.get(..7)?));
        if let Some(at) = found {
            all.entry(of).or_insert_with(|| vec![0; places.len()])[*at] += value;
        }
    }
    all.into_iter().map(|(name, values)| Series { name: show::visible(&name), values }).collect()
}

/// Where the sessions behind a bar are.
fn behind(places: &[String], ask: &Ask, at: usize) -> Option<String> {
    let place = places.get(at)?;
    let (since, until) = match place.len() {
        10 => (place.clone(), place.clone()),
        _ => (format!("{place}-01"), last_day(place)),
    };
    let fields =
        ask.fields().into_iter().filter(|(name, _)| !["since", "until", "after", "q", "author"].contains(name));
    Some(link("/sessions", fields.chain([("since", since.as_str()), ("until", until.as_str())])))
}

fn last_day(month: &str) -> String {
    let days = ["31", "30", "29", "28"].map(|day| format!("{month}-{day}"));
    let is_day = |day: &String| Time::from_rfc3339(&format!("{day}T00:00:00Z")).is_some();
    days.into_iter().find(is_day).unwrap_or_else(|| format!("{month}-28"))
}

async fn usage(
    index: &Database,
    filter: &Filter,
    ask: &Ask,
    by: By,
    title: &str,
    value: impl Fn(&crate::index::UsageSum) -> i64,
    shown: impl Fn(i64) -> String,
) -> Result<Vec<Block>, IndexError> {
    let rows = index.usage(filter, Some(By::Day), by).await?;
    let (_, places) = places(&rows.iter().map(|row| row.at.clone()).collect());
    let all = series(&places, rows.iter().map(|row| (row.at.clone(), row.of.clone(), value(row))));
    let over = chart_table(&places, &all, &shown);
    let chart =
        Chart::bars("over-time", title, &places, all, shown, |at| behind(&places, ask, at)).with(&over.0, over.1);
    let columns = [
        words("of", if by == By::Model { "Model" } else { "Agent" }),
        numbers("requests", "Requests"),
        numbers("input", "Input"),
        numbers("output", "Output"),
        numbers("cache_read", "Cache read"),
        numbers("cache_write", "Cache written"),
        numbers("tokens", "All tokens"),
        numbers("cost_usd", "Cost"),
        numbers("unknown_requests", "Requests without a price"),
        numbers("cache_saved_usd", "Saved by caches"),
    ];
    let row = |row: &crate::index::UsageSum| {
        let mut cells = vec![Cell::text(&row.of)];
        let counts = [row.requests, row.input, row.output, row.cache_read, row.cache_write, row.tokens()];
        cells.extend(counts.map(Cell::count));
        cells.extend([Cell::cost(row.cost, row.unknown), Cell::count(row.unknown), Cell::cost(row.saved, 0)]);
        cells
    };
    let sums = index.usage(filter, None, by).await?;
    let table = Table::new(title, &columns, "No tokens were used that fit.").rows(sums.iter().map(row));
    Ok(vec![Block::Table(table), Block::Chart(chart)])
}

/// A chart's numbers: a row a place, a column a series. Columns have no names of their own, so all are `value`.
fn chart_table(places: &[String], all: &[Series], shown: impl Fn(i64) -> String) -> (Vec<Column>, Vec<Vec<Cell>>) {
    let columns = vec![words("at", "When"), words("of", "What"), numbers("value", "How much")];
    let mut rows = Vec::new();
    for (at, place) in places.iter().enumerate() {
        for series in all.iter().filter(|series| series.values[at] != 0) {
            let value = series.values[at];
            let cell = Cell { text: shown(value), ..Cell::count(value) };
            rows.push(vec![Cell::text(place), Cell::text(&series.name), cell]);
        }
    }
    (columns, rows)
}

async fn lines(index: &Database, filter: &Filter, by: By) -> Result<Vec<Block>, IndexError> {
    let rows = index.lines(filter, Some(By::Day), By::Repository).await?;
    let (_, places) = places(&rows.iter().map(|row| row.at.clone()).collect());
    let parts = rows.iter().flat_map(|row| {
        let part = |name: &str, value| (row.at.clone(), name.to_owned(), value);
        [part("agents", row.agent), part("people", row.human), part("unattributed", row.unattributed)]
    });
    let all = series(&places, parts);
    let over = chart_table(&places, &all, show::count);
    let chart = Chart::bars("over-time", "Lines added, by whom", &places, all, show::count, |_| None);
    let columns = [
        words("of", if by == By::Member { "Author" } else { "Repository" }),
        numbers("commits", "Commits"),
        numbers("added", "Lines added"),
        numbers("agent", "By agents"),
        numbers("human", "By people"),
        numbers("unattributed", "Unattributed"),
        numbers("agent_share", "Share of agents"),
    ];
    let sums = index.lines(filter, None, by).await?;
    let row = |row: &crate::index::LinesSum| {
        let mut cells = vec![Cell::text(&row.of)];
        cells.extend([row.commits, row.added, row.agent, row.human, row.unattributed].map(Cell::count));
        cells.push(Cell::share(row.agent, row.added));
        cells
    };
    let table = Table::new("Lines that commits add", &columns, "No commit is recorded that fits.");
    Ok(vec![Block::Table(table.rows(sums.iter().map(row))), Block::Chart(chart.with(&over.0, over.1))])
}

async fn tools(index: &Database, filter: &Filter) -> Result<Vec<Block>, IndexError> {
    let rows = index.tools(filter, TOOLS).await?;
    let columns = [
        words("kind", "Kind"),
        words("name", "Name"),
        numbers("calls", "Calls"),
        numbers("failed", "Failed"),
        numbers("failed_share", "Share that failed"),
    ];
    let row = |row: &crate::index::ToolSum| {
        let (calls, failed) = (Cell::count(row.calls), Cell::count(row.failed));
        vec![Cell::text(&row.kind), Cell::text(&row.name), calls, failed, Cell::share(row.failed, row.calls)]
    };
    let table = Table::new("Tools, the most used first", &columns, "No tool was called.").rows(rows.iter().map(row));
    Ok(vec![Block::Table(table)])
}

async fn time(index: &Database, filter: &Filter) -> Result<Vec<Block>, IndexError> {
    let rows = index.work(filter, Some(By::Day), By::Agent).await?;
    let (_, places) = places(&rows.iter().map(|row| row.at.clone()).collect());
    let all = series(&places, rows.iter().map(|row| (row.at.clone(), row.of.clone(), row.active_seconds)));
    let over = chart_table(&places, &all, show::duration);
    let chart = Chart::bars("over-time", "Active time by agent", &places, all, show::duration, |_| None);
    let columns = [
        words("member", "Member"),
        numbers("segments", "Segments"),
        numbers("prompts", "Prompts"),
        numbers("active_seconds", "Active"),
    ];
    let sums = index.work(filter, None, By::Member).await?;
    let row = |row: &crate::index::WorkSum| {
        let (segments, prompts) = (Cell::count(row.segments), Cell::count(row.prompts));
        vec![Cell::text(&row.of), segments, prompts, Cell::seconds(row.active_seconds)]
    };
    let table = Table::new("Active time by member", &columns, "No session fits.").rows(sums.iter().map(row));
    Ok(vec![Block::Table(table), Block::Chart(chart.with(&over.0, over.1))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_days_become_months_and_a_bar_leads_to_its_sessions() {
        let few = BTreeSet::from(["2026-01-30".to_owned(), "2026-02-01".to_owned()]);
        assert_eq!(places(&few).1, ["2026-01-30", "2026-01-31", "2026-02-01"], "a day without anything is one, too");
        assert!(places(&BTreeSet::new()).1.is_empty());
        let far = BTreeSet::from(["2026-01-30".to_owned(), "9999-01-01".to_owned()]);
        assert_eq!(places(&far).1, ["2026-01", "9999-01"]);
        let days = (1..=12).flat_map(|month| (1..=28).map(move |day| format!("2026-{month:02}-{day:02}")));
        let many = days.collect();
        let (by, months) = places(&many);
        assert_eq!((by, months.len()), (By::Month, 12));
        let rows = many.iter().map(|day| (day.clone(), "m".to_owned(), 1));
        assert_eq!(series(&months, rows), [Series { name: "m".into(), values: vec![28; 12] }]);
        let ask = Ask { model: "m".into(), since: "2020-01-01".into(), ..Ask::default() };
        let to = behind(&months, &ask, 1).unwrap();
        assert_eq!(to, "/sessions?model=m&since=2026-02-01&until=2026-02-28");
        assert_eq!(last_day("2028-02"), "2028-02-29");
    }
}

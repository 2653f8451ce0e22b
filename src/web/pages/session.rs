//! `/r/REPOSITORY/sessions/SESSION`: one session, what it used and made, and its conversation turn by turn.

use axum::extract::{Path, Query};
use serde::Deserialize;

use crate::id::CallId;
use crate::index::{DrawnRow, FileRow, SessionRow, ToolRow, UsageRow};
use crate::mirror::Begin;
use crate::web::access::Reader;
use crate::web::ask::link;
use crate::web::page::{Answer, Block, Link, Links, NoPage, Page, Section};
use crate::web::pages::{code, commits, sessions};
use crate::web::show;
use crate::web::table::{Cell, Table, numbers, words};
use crate::web::turns::TurnBlock;

/// So much of a conversation is on a page, in bytes.
const WINDOW: usize = 24 << 10;

#[derive(Debug, Default, Deserialize)]
pub struct Where {
    /// The turn that the page begins with, counted from 0.
    #[serde(default)]
    from: usize,
    /// The call whose turn it begins with instead.
    call: Option<String>,
}

pub async fn page(
    reader: Reader,
    Path((name, session)): Path<(String, String)>,
    Query(wanted): Query<Where>,
) -> Answer {
    let repository = reader.repository(&name).await?;
    let index = reader.index();
    let found = index.session(repository.id, &session).await?;
    let none = format!("{name} has no record of session {session:?}");
    let row = reader.only(found, repository.id, |row| Some(&row.member), none)?;
    let title =
        row.title.as_deref().map_or_else(|| format!("Session {}", show::short(&session)), |t| show::line(t, 90));
    let mut page = Page::new(title, Section::Sessions).facts(facts(&row));
    let story =
        Link { href: format!("{}/story", sessions::path(&name, &session)), text: "Its story".into(), here: false };
    page = page.block(Block::Links(Links { label: "Story", links: vec![story] }));
    if row.gaps > 0 {
        page = page.note("warn", format!("{} things are known to be lost of this session.", show::count(row.gaps)));
    }
    page = conversation(page, &reader, repository.id, &row, wanted).await?;
    page = page.heading("models", "Models").table(usage(&index.usage_of(repository.id, &session).await?));
    page = page.heading("tools", "Tools").table(tools(&index.tools_of(repository.id, &session).await?));
    page =
        page.heading("files", "Files it changed").table(files(&name, &index.files_of(repository.id, &session).await?));
    // Lines that one writes of another's session are told with it.
    let drawn = index.commits_of(repository.id, &session).await?;
    Ok(page.heading("commits", "Commits that draw on it").table(drawn_on(&name, &drawn)))
}

fn facts(row: &SessionRow) -> Vec<(&'static str, Cell)> {
    vec![
        ("Session", Cell { text: row.session.clone(), ..Cell::id(&row.session) }),
        ("Member", Cell::text(&row.member)),
        ("Repository", Cell::text(&row.repository)),
        ("Agent", Cell::text(&format!("{} {}", row.agent, row.version))),
        ("Started", Cell::time(row.started)),
        ("Ended", Cell::time(row.ended)),
        ("Active", Cell::seconds(row.active_seconds)),
        ("Prompts", Cell::count(row.prompts)),
        ("Turns", Cell::count(row.turns)),
        ("Requests", Cell::count(row.requests)),
        ("Tokens", Cell::count(row.tokens)),
        ("Cost", Cell::cost(row.cost, row.unknown)),
        ("Calls", Cell::count(row.calls)),
        ("Calls that failed", Cell::count(row.failed)),
        ("Plans", Cell::count(row.plans)),
        ("Subagents", Cell::count(row.subagents)),
        ("Compactions", Cell::count(row.compactions)),
        ("Lines written", Cell::count(row.added)),
        ("Lines removed", Cell::count(row.removed)),
        ("Secrets redacted", Cell::count(row.redactions)),
        ("Records", Cell::count(row.segments)),
    ]
}

async fn conversation(
    page: Page,
    reader: &Reader,
    repository: i64,
    row: &SessionRow,
    wanted: Where,
) -> Result<Page, NoPage> {
    let page = page.heading("conversation", "Conversation");
    let Some(mirror) = reader.mirror(&row.repository).cloned() else {
        return Ok(page.note("warn", "This server does not mirror the repository: the conversation is not at hand."));
    };
    let spoken = reader.index().spoken(repository, &row.session, None).await?;
    let call = wanted.call.as_deref().map(CallId::from_agent);
    let begin = call.clone().map_or(Begin::Turn(wanted.from), Begin::Call);
    let whole = reader.may_read_all(repository);
    let read = tokio::task::spawn_blocking(move || {
        let shelves = if whole { mirror.shelves()? } else { mirror.closed_shelves()? };
        shelves.turns(&spoken, &begin, WINDOW)
    });
    let read = read.await;
    let window = read.map_err(|error| NoPage::Failed(error.to_string()))??;
    let from = window.turns.first().map_or(wanted.from, |told| told.place);
    let path = sessions::path(&row.repository, &row.session);
    let mut page = page;
    for why in &window.missing {
        page = page.note("warn", show::visible(why));
    }
    if window.redacted_again > 0 {
        let count = show::count(i64::try_from(window.redacted_again).unwrap_or(i64::MAX));
        page = page.note(
            "warn",
            format!("Secrets were taken out of {count} texts here that were stored before these rules were known."),
        );
    }
    if window.total == 0 {
        return Ok(page.note("warn", "No conversation was stored with this session."));
    }
    if let (Some(call), true) = (&call, window.turns.is_empty()) {
        let call = show::visible(call.as_str());
        page = page.note("warn", format!("What was stored of the conversation does not show the call {call}."));
    }
    let end = window.turns.last().map_or(from, |told| told.place + 1);
    for told in &window.turns {
        page = page.block(Block::Turn(Box::new(TurnBlock::of(told, call.as_ref()))));
    }
    let to = |text: String, from: usize| Link {
        href: format!("{}#conversation", link(&path, [("from", from.to_string().as_str())])),
        text,
        here: false,
    };
    let mut links = Vec::new();
    if from > 0 {
        links.push(to("First turns".to_owned(), 0));
    }
    if end < window.total {
        links.push(to(format!("Turns from {} of {}", end + 1, window.total), end));
    }
    if !links.is_empty() {
        page = page.block(Block::Links(Links { label: "Turns", links }));
    }
    Ok(page)
}

fn usage(rows: &[UsageRow]) -> Table {
    let columns = [
        words("model", "Model"),
        numbers("requests", "Requests"),
        numbers("input", "Input"),
        numbers("output", "Output"),
        numbers("cache_read", "Cache read"),
        numbers("cache_write", "Cache written"),
        numbers("cost_usd", "Cost"),
        numbers("cache_saved_usd", "Saved by caches"),
    ];
    let row = |row: &UsageRow| {
        let counts = [row.requests, row.input, row.output, row.cache_read, row.cache_write];
        let mut cells = vec![Cell::text(&row.model)];
        cells.extend(counts.map(Cell::count));
        cells.extend([Cell::cost(row.cost, row.unknown), Cell::cost(row.saved, 0)]);
        cells
    };
    Table::new("Tokens by model", &columns, "No model's tokens are recorded.").rows(rows.iter().map(row))
}

fn tools(rows: &[ToolRow]) -> Table {
    let columns =
        [words("kind", "Kind"), words("name", "Name"), numbers("calls", "Calls"), numbers("failed", "Failed")];
    let row = |row: &ToolRow| {
        vec![Cell::text(&row.kind), Cell::text(&row.name), Cell::count(row.calls), Cell::count(row.failed)]
    };
    Table::new("Tools, MCP tools, skills and programs", &columns, "It called no tool.").rows(rows.iter().map(row))
}

fn files(repository: &str, rows: &[FileRow]) -> Table {
    let columns =
        [words("path", "File"), numbers("edits", "Edits"), numbers("added", "Added"), numbers("removed", "Removed")];
    let row = |row: &FileRow| {
        vec![
            code::cell(repository, &row.path, None),
            Cell::count(row.edits),
            Cell::count(row.added),
            Cell::count(row.removed),
        ]
    };
    Table::new("Files it changed", &columns, "It changed no file.").rows(rows.iter().map(row))
}

fn drawn_on(repository: &str, rows: &[DrawnRow]) -> Table {
    let columns = [
        words("recorded", "Recorded"),
        words("commit", "Commit"),
        words("subject", "Subject"),
        numbers("added", "Lines added"),
        numbers("agent", "By agents"),
    ];
    let row = |row: &DrawnRow| {
        let subject = row.subject.as_deref().map_or_else(Cell::none, Cell::text);
        let sha = Cell::id(&row.sha).to(commits::path(repository, &row.sha));
        vec![Cell::time(row.time), sha, subject, Cell::count(row.added), Cell::count(row.agent)]
    };
    Table::new("Commits that draw on it", &columns, "No commit draws on it yet.").rows(rows.iter().map(row))
}

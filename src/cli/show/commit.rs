//! Showing a commit: its record, its sessions, and which lines of which file are whose.

use anstyle::Style;
use serde::Serialize;

use crate::attribution::labels::Origin;
use crate::attribution::trace::{TraceFile, TraceRange};
use crate::cli::format::{first_of, minute, model, money, one_line, share};
use crate::cli::log::{CommitLine, state_style};
use crate::cli::pager::paged;
use crate::cli::table::{COLUMN, Cell, Column, Table};
use crate::git::history::CommitInfo;
use crate::host::output::{self, Out};
use crate::id::{CallId, ChainId, GitId, RepoPath, SessionId};
use crate::ledger::Ledger;
use crate::ledger::commits::State;
use crate::ledger::query::{Book, Known};
use crate::record::body::{Body, LineAuthor, Lines};
use crate::time::Time;

#[derive(Serialize)]
struct Answer<'a> {
    kind: &'static str,
    #[serde(flatten)]
    line: CommitLine<'a>,
    chain: Option<ChainId>,
    seq: Option<u64>,
    recorded: Option<Time>,
    member: Option<&'a str>,
    /// The commit that the record is about, where it is another one.
    linked_from: Option<&'a GitId>,
    files: Vec<File<'a>>,
}

#[derive(Serialize)]
struct File<'a> {
    path: &'a RepoPath,
    #[serde(flatten)]
    lines: Lines,
    ranges: Vec<Range<'a>>,
}

#[derive(Serialize)]
struct Range<'a> {
    start: u32,
    end: u32,
    origin: &'static str,
    session: Option<SessionId>,
    call: Option<CallId>,
    model: Option<&'a str>,
}

impl<'a> File<'a> {
    fn of(file: &'a TraceFile) -> Self {
        let mut lines = Lines::default();
        let ranges = file.ranges.iter().map(|range| Range::of(range, &mut lines)).collect();
        File { path: &file.path, ranges, lines }
    }
}

impl<'a> Range<'a> {
    fn of(range: &'a TraceRange, lines: &mut Lines) -> Self {
        let len = u64::from(range.end - range.start) + 1;
        lines.added += len;
        let (origin, author) = match range.origin() {
            Origin::Agent(author) => {
                lines.agent += len;
                ("agent", Some(author))
            }
            Origin::Human => {
                lines.human += len;
                ("human", None)
            }
            Origin::Unattributed => {
                lines.unattributed += len;
                ("unattributed", None)
            }
        };
        let (session, call) = author.map(|LineAuthor { session, call }| (session, call)).unzip();
        Range { start: range.start, end: range.end, origin, session, call, model: range.model.as_deref() }
    }
}

pub fn show(info: &CommitInfo, ledger: &Ledger, book: &Book<'_>, json: bool, out: &mut Out) -> anyhow::Result<()> {
    let known = book.commit(&info.id);
    let trace = match (known.entry, known.body) {
        (Some(entry), Some(_)) => Some(ledger.trace(entry)?),
        _ => None,
    };
    let entry = known.entry;
    let about = entry.and_then(|entry| match &entry.body {
        Body::Commit(body) => Some(&body.commit),
        _ => None,
    });
    let chain = entry.and_then(|entry| book.report.chains.iter().find(|chain| chain.id == entry.chain));
    let answer = Answer {
        kind: "commit",
        line: CommitLine::new(info, &known),
        chain: entry.map(|entry| entry.chain),
        seq: entry.map(|entry| entry.seq),
        recorded: entry.filter(|entry| entry.good).map(|entry| entry.time),
        member: chain.and_then(|chain| chain.member.as_deref()),
        linked_from: about.filter(|commit| **commit != info.id),
        files: trace.iter().flat_map(|trace| &trace.files).map(File::of).collect(),
    };
    if json {
        return Ok(out.json(&answer)?);
    }
    paged(ledger, out, |out| print(info, &known, &answer, out))
}

fn print(info: &CommitInfo, known: &Known<'_>, answer: &Answer<'_>, out: &mut Out) -> anyhow::Result<()> {
    let (word, style) = state_style(known.state);
    out.line(format_args!("commit {}  {}", out.paint(output::ID, &info.id), out.paint(style, word)))?;
    out.line(format_args!("author {} <{}>", one_line(&info.author_name), one_line(&info.author_email)))?;
    out.line(format_args!("date   {} UTC", minute(Time::from_unix(info.time))))?;
    if let Some(entry) = known.entry {
        let member = answer.member.map(|member| format!("  {}", one_line(member))).unwrap_or_default();
        let place = format!("chain {} #{}{member}", entry.chain.short(), entry.seq);
        out.line(format_args!("record {}  {place}", out.paint(output::ID, entry.id)))?;
    }
    if let Some(old) = answer.linked_from {
        out.line(format_args!("       of commit {}, which this one was rewritten from", old.short()))?;
    }
    out.line(format_args!("\n    {}\n", one_line(&info.subject)))?;
    match (known.state, known.body) {
        (State::Missing, _) => out.line("No record speaks of this commit. (git tracevault fetch)")?,
        (State::Bad, _) => out.line("The record does not hold; what it says is not shown. (git tracevault verify)")?,
        (_, None) => out.line("The rewritten commit's lines are not those that the record is about.")?,
        (_, Some(body)) => print_lines(body.total, known, out)?,
    }
    print_sessions(known, out)?;
    answer.files.iter().try_for_each(|file| print_file(file, out))
}

fn print_lines(total: Lines, known: &Known<'_>, out: &mut Out) -> std::io::Result<()> {
    let agent = format!("{} agent ({})", total.agent, share(total.agent, total.added));
    let agent = if total.added == 0 { "0 agent".to_owned() } else { agent };
    let cost = if known.sessions.is_empty() { String::new() } else { format!("; cost {}", money(known.cost)) };
    out.line(format_args!(
        "{} added: {}, {}, {} unattributed{cost}",
        crate::cli::format::count(total.added, "line"),
        out.paint(output::AGENT, agent),
        out.paint(output::HUMAN, format!("{} human", total.human)),
        total.unattributed,
    ))
}

fn print_sessions(known: &Known<'_>, out: &mut Out) -> std::io::Result<()> {
    if known.sessions.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(&[COLUMN, COLUMN, COLUMN, Column { right: true, ..COLUMN }]).indented(2);
    for drawn in &known.sessions {
        table.row(vec![
            Cell::new(drawn.session.as_str(), output::AGENT),
            Cell::plain(drawn.agent.unwrap_or("not recorded here")),
            Cell::plain(first_of(drawn.models.iter().map(|name| model(name)))),
            Cell::plain(money(drawn.cost)),
        ]);
    }
    out.line("\nsessions")?;
    table.print(out)
}

fn print_file(file: &File<'_>, out: &mut Out) -> anyhow::Result<()> {
    let path = out.paint(output::HEAD, one_line(&file.path.to_string()));
    out.line(format_args!("\n{path}  +{}  {} agent", file.lines.added, share(file.lines.agent, file.lines.added)))?;
    let right = Column { right: true, ..COLUMN };
    let mut table = Table::new(&[right, COLUMN, COLUMN, COLUMN, COLUMN]).indented(2);
    for range in &file.ranges {
        let style = match range.origin {
            "agent" => output::AGENT,
            "human" => output::HUMAN,
            _ => Style::new(),
        };
        let lines =
            if range.start == range.end { range.start.to_string() } else { format!("{}-{}", range.start, range.end) };
        let name = range.model.unwrap_or_default();
        table.row(vec![
            Cell::plain(lines),
            Cell::new(range.origin, style),
            Cell::plain(range.session.as_ref().map_or("", |session| session.short())),
            Cell::plain(model(name.strip_prefix("anthropic/").unwrap_or(name))),
            Cell::new(range.call.as_ref().map_or("", |call| call.as_str()), output::DIM),
        ]);
    }
    Ok(table.print(out)?)
}

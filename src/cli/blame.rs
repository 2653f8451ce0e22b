//! `git tracevault blame`: who or what wrote each line of a file, by the record of the commit that added it.

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::Path;

use anstyle::Style;
use serde::Serialize;

use crate::attribution::labels::Origin;
use crate::attribution::lines;
use crate::cli::format::model;
use crate::cli::pager::paged;
use crate::cli::table::{COLUMN, Cell, Column, Table};
use crate::cli::{Code, read_book};
use crate::cost::PriceTable;
use crate::git::blame::{self, Asked, Blame, Line};
use crate::host::output::{self, Out};
use crate::id::{CallId, GitId, RecordId, SessionId};
use crate::ledger::Ledger;
use crate::ledger::origins::Origins;
use crate::ledger::query::Book;
use crate::ledger::traces::{Evidence, Found};
use crate::record::body::LineAuthor;
use crate::time::Time;

/// Show who or what wrote each line of a file
///
/// The commit that added a line is git's answer; whose the line is says that commit's record, if it has one that holds.
/// Lines that no record speaks of, and lines that are not committed yet, have the origin "-".
#[derive(clap::Args, Debug)]
#[command(override_usage = "git tracevault blame [OPTIONS] [REVISION] [--] FILE")]
pub struct Args {
    /// The file, after a revision to look at it there
    #[arg(value_name = "[REVISION] FILE", num_args = 1..=2, required_unless_present = "last")]
    names: Vec<OsString>,
    /// The file, after --
    #[arg(last = true, value_name = "FILE", id = "last", hide = true)]
    last: Option<OsString>,
    /// Only these lines, as git blame takes them (10,20 or 10,+5 or :function)
    #[arg(short = 'L', value_name = "RANGE")]
    ranges: Vec<String>,
    /// Print a JSON object a line
    #[arg(long)]
    json: bool,
}

impl Args {
    fn asked(&self) -> anyhow::Result<Asked> {
        let (revision, file) = match (self.names.as_slice(), &self.last) {
            ([file], None) => (None, file),
            ([revision, file], None) => (Some(revision), file),
            ([], Some(file)) => (None, file),
            ([revision], Some(file)) => (Some(revision), file),
            _ => anyhow::bail!("blame takes one file, and at most one revision before it"),
        };
        Ok(Asked { ranges: self.ranges.clone(), revision: revision.cloned(), file: file.clone() })
    }
}

#[derive(Serialize)]
struct BlamedLine<'a> {
    line: u32,
    text: Cow<'a, str>,
    commit: Option<&'a GitId>,
    origin: &'static str,
    evidence: Evidence,
    session: Option<&'a SessionId>,
    agent: Option<&'a str>,
    model: Option<&'a str>,
    call: Option<&'a CallId>,
    record: Option<RecordId>,
}

pub fn run(args: &Args, ledger: &Ledger, dir: &Path, out: &mut Out) -> anyhow::Result<Code> {
    let asked = args.asked()?;
    let blame = blame::blame(dir, &asked)?;
    if is_binary(&blame) {
        anyhow::bail!("{} is binary: it has no lines", asked.file.to_string_lossy());
    }
    let report = read_book(ledger)?;
    let book = Book::new(&report, PriceTable::embedded());
    let mut origins = Origins::new(ledger, &book);
    let mut table = Table::new(&COLUMNS);
    for line in &blame.lines {
        let found = line.source.as_ref().and_then(|source| origins.line(&source.commit, &source.path, source.line));
        let origin = found.as_ref().map(|found| found.range.origin());
        if args.json {
            out.json(&blamed(line, found.as_ref(), origin.as_ref(), &book))?;
        } else {
            table.row(row(line, found.as_ref(), origin.as_ref(), &blame));
        }
    }
    for trouble in origins.troubles() {
        output::say(format_args!("warning: {}", output::visible(&trouble.to_string())));
    }
    if !args.json {
        paged(ledger, out, |out| Ok(table.print(out)?))?;
    }
    Ok(0)
}

fn is_binary(blame: &Blame) -> bool {
    let mut head: Vec<u8> = Vec::new();
    for line in &blame.lines {
        head.extend_from_slice(&line.text);
        head.push(b'\n');
        if head.len() > 1 << 16 {
            break;
        }
    }
    lines::is_binary(&head)
}

fn author(origin: Option<&Origin<LineAuthor>>) -> Option<&LineAuthor> {
    match origin {
        Some(Origin::Agent(author)) => Some(author),
        _ => None,
    }
}

fn word(origin: Option<&Origin<LineAuthor>>) -> &'static str {
    match origin {
        Some(Origin::Agent(_)) => "agent",
        Some(Origin::Human) => "human",
        Some(Origin::Unattributed) | None => "unattributed",
    }
}

fn blamed<'a>(
    line: &'a Line,
    found: Option<&'a Found>,
    origin: Option<&'a Origin<LineAuthor>>,
    book: &'a Book<'_>,
) -> BlamedLine<'a> {
    let author = author(origin);
    BlamedLine {
        line: line.number,
        text: String::from_utf8_lossy(&line.text),
        commit: line.source.as_ref().map(|source| &source.commit),
        origin: word(origin),
        evidence: found.map_or(Evidence::None, |found| found.evidence),
        session: author.map(|author| &author.session),
        agent: author.and_then(|author| book.agent(&author.session)),
        model: found.and_then(|found| found.range.model.as_deref()),
        call: author.map(|author| &author.call),
        record: found.map(|found| found.record),
    }
}

const COLUMNS: [Column; 7] = [
    Column { head: "COMMIT", ..COLUMN },
    Column { head: "ORIGIN", ..COLUMN },
    Column { head: "SESSION", goes: 3, ..COLUMN },
    Column { head: "MODEL", most: 24, goes: 1, ..COLUMN },
    Column { head: "DATE", goes: 2, ..COLUMN },
    Column { head: "LINE", right: true, ..COLUMN },
    Column { head: "TEXT", whole: true, ..COLUMN },
];

fn row(line: &Line, found: Option<&Found>, origin: Option<&Origin<LineAuthor>>, blame: &Blame) -> Vec<Cell> {
    let commit = line.source.as_ref().map(|source| &source.commit);
    let time = commit.and_then(|commit| blame.times.get(commit));
    let (shown, style) = match origin {
        Some(Origin::Agent(_)) => (word(origin), output::AGENT),
        Some(Origin::Human) => (word(origin), output::HUMAN),
        Some(Origin::Unattributed) => (word(origin), Style::new()),
        None => ("-", output::DIM),
    };
    let name = found.and_then(|found| found.range.model.as_deref()).unwrap_or_default();
    vec![
        commit.map_or_else(|| Cell::new("not yet", output::DIM), |commit| Cell::new(commit.short(), output::ID)),
        Cell::new(shown, style),
        Cell::plain(author(origin).map_or("", |author| author.session.short())),
        Cell::plain(model(name.strip_prefix("anthropic/").unwrap_or(name))),
        Cell::new(time.map_or(String::new(), |time| Time::from_unix(*time).day()), output::DIM),
        Cell::new(line.number.to_string(), output::DIM),
        Cell::code(&String::from_utf8_lossy(&line.text)),
    ]
}

//! `git tracevault log`: what the records say of each commit, a line a commit.

use std::ffi::OsString;
use std::path::Path;

use anstyle::Style;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::cli::format::{first_of, model, money, share, usd};
use crate::cli::pager::paged;
use crate::cli::table::{COLUMN, Cell, Column, Table};
use crate::cli::{Code, read_book};
use crate::git::history::{self, Asked, CommitInfo};
use crate::host::output::{self, Out};
use crate::id::{GitId, RecordId, SessionId};
use crate::ledger::Ledger;
use crate::ledger::commits::State;
use crate::ledger::query::{Book, Known};
use crate::record::body::Lines;
use crate::time::Time;

/// List commits with who or what wrote their lines
///
/// A line a commit, in git's order: the lines it adds that an agent wrote, that a human wrote, and that nobody is known
/// to have written (A/H/-); the agent's share; the sessions, models and costs; and what the record is worth: signed,
/// linked (the record of the commit it was rewritten from), missing, or bad (it does not hold, and what it says is not
/// shown). A narrow terminal leaves out models, sessions, authors, costs and dates, in this order.
///
/// A commit's cost is that of its sessions since the commit before it that drew on them, so that the costs of a branch
/// add up to what its sessions cost until then; a rewritten commit takes over the cost of those it came from. "?" is
/// unknown. Times are UTC.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Commits, branches and ranges, as git log takes them (main, v1..v2)
    #[arg(value_name = "REVISION")]
    names: Vec<OsString>,
    /// Only commits that change these paths
    #[arg(last = true, value_name = "PATH")]
    paths: Vec<OsString>,
    /// At most so many commits
    #[arg(short = 'n', long, value_name = "N")]
    max_count: Option<u64>,
    /// Only commits after a date, as git log takes it
    #[arg(long, value_name = "DATE")]
    since: Option<String>,
    /// Only commits before a date
    #[arg(long, value_name = "DATE")]
    until: Option<String>,
    /// Only commits whose author's line matches
    #[arg(long, value_name = "PATTERN")]
    author: Option<String>,
    /// Commits of all branches
    #[arg(long)]
    all: bool,
    /// Follow only the first parent of merges
    #[arg(long)]
    first_parent: bool,
    /// Leave merges out
    #[arg(long)]
    no_merges: bool,
    /// Oldest first
    #[arg(long)]
    reverse: bool,
    /// Print a JSON object a line
    #[arg(long)]
    json: bool,
}

impl Args {
    fn asked(&self) -> Asked {
        let value = |name: &str, value: &Option<String>| value.as_ref().map(|value| format!("--{name}={value}"));
        let flag = |name: &str, on: bool| on.then(|| format!("--{name}"));
        let options = [
            self.max_count.map(|count| format!("--max-count={count}")),
            value("since", &self.since),
            value("until", &self.until),
            value("author", &self.author),
            flag("all", self.all),
            flag("first-parent", self.first_parent),
            flag("no-merges", self.no_merges),
            flag("reverse", self.reverse),
        ];
        Asked {
            options: options.into_iter().flatten().map(OsString::from).collect(),
            names: self.names.clone(),
            paths: self.paths.clone(),
        }
    }
}

/// A commit in JSON.
#[derive(Serialize)]
pub struct CommitLine<'a> {
    commit: &'a GitId,
    time: Time,
    author: Author<'a>,
    subject: &'a str,
    record: Option<RecordId>,
    state: State,
    added: Option<u64>,
    agent: Option<u64>,
    human: Option<u64>,
    unattributed: Option<u64>,
    sessions: Vec<SessionLine<'a>>,
    cost_usd: Option<Box<RawValue>>,
}

#[derive(Serialize)]
struct Author<'a> {
    name: &'a str,
    email: &'a str,
}

#[derive(Serialize)]
struct SessionLine<'a> {
    session: &'a SessionId,
    agent: Option<&'a str>,
    models: &'a [&'a str],
    cost_usd: Option<Box<RawValue>>,
}

impl<'a> CommitLine<'a> {
    pub fn new(info: &'a CommitInfo, known: &'a Known<'_>) -> Self {
        let total = known.body.map(|body| body.total);
        let session = |drawn: &'a crate::ledger::query::Drawn<'_>| SessionLine {
            session: drawn.session,
            agent: drawn.agent,
            models: &drawn.models,
            cost_usd: usd(drawn.cost),
        };
        CommitLine {
            commit: &info.id,
            time: Time::from_unix(info.time),
            author: Author { name: &info.author_name, email: &info.author_email },
            subject: &info.subject,
            record: known.entry.map(|entry| entry.id),
            state: known.state,
            added: total.map(|total| total.added),
            agent: total.map(|total| total.agent),
            human: total.map(|total| total.human),
            unattributed: total.map(|total| total.unattributed),
            sessions: known.sessions.iter().map(session).collect(),
            cost_usd: usd(known.cost),
        }
    }
}

pub fn run(args: &Args, ledger: &Ledger, dir: &Path, out: &mut Out) -> anyhow::Result<Code> {
    let commits = history::log(dir, &args.asked())?;
    let report = read_book(ledger)?;
    let prices = ledger.prices()?;
    let book = Book::new(&report, &prices);
    if args.json {
        for info in &commits {
            out.json(&CommitLine::new(info, &book.commit(&info.id)))?;
        }
        return Ok(0);
    }
    let mut table = Table::new(&COLUMNS);
    for info in &commits {
        table.row(row(info, &book.commit(&info.id)));
    }
    paged(ledger, out, |out| Ok(table.print(out)?))?;
    Ok(0)
}

const COLUMNS: [Column; 10] = [
    Column { head: "COMMIT", ..COLUMN },
    Column { head: "DATE", goes: 5, ..COLUMN },
    Column { head: "AUTHOR", most: 16, goes: 3, ..COLUMN },
    Column { head: "A/H/-", right: true, ..COLUMN },
    Column { head: "AGENT", right: true, ..COLUMN },
    Column { head: "SESSION", goes: 2, ..COLUMN },
    Column { head: "MODEL", most: 24, goes: 1, ..COLUMN },
    Column { head: "COST", right: true, goes: 4, ..COLUMN },
    Column { head: "STATE", ..COLUMN },
    Column { head: "SUBJECT", ..COLUMN },
];

fn row(info: &CommitInfo, known: &Known<'_>) -> Vec<Cell> {
    let total = known.body.map(|body| body.total);
    let mut models: Vec<&str> = known.sessions.iter().flat_map(|drawn| &drawn.models).map(|name| model(name)).collect();
    models.dedup();
    let costs = matches!(known.state, State::Sealed | State::Signed | State::Linked) && !known.sessions.is_empty();
    vec![
        Cell::new(info.id.short(), output::ID),
        Cell::plain(Time::from_unix(info.time).day()),
        Cell::plain(&info.author_name),
        total.map_or_else(|| Cell::plain(""), lines_cell),
        Cell::plain(total.map_or(String::new(), |total| share(total.agent, total.added))),
        Cell::plain(first_of(known.sessions.iter().map(|drawn| drawn.session.short()))),
        Cell::plain(first_of(models.into_iter())),
        Cell::plain(if costs { money(known.cost) } else { String::new() }),
        state_cell(known.state),
        Cell::plain(&info.subject),
    ]
}

/// The lines of an agent, of humans, and of nobody known.
fn lines_cell(total: Lines) -> Cell {
    let number = |n: u64, style| Cell::new(n.to_string(), if n == 0 { output::DIM } else { style });
    let slash = || Cell::new("/", output::DIM);
    Cell::joined([
        number(total.agent, output::AGENT),
        slash(),
        number(total.human, output::HUMAN),
        slash(),
        number(total.unattributed, Style::new()),
    ])
}

/// A state in its colour.
pub fn state_cell(state: State) -> Cell {
    let (word, style) = state_style(state);
    Cell::new(word, style)
}

pub fn state_style(state: State) -> (&'static str, Style) {
    match state {
        State::Sealed => ("sealed", output::GOOD),
        State::Signed => ("signed", output::GOOD),
        State::Linked => ("linked", output::GOOD),
        State::Missing => ("missing", output::WARN),
        State::Bad => ("bad", output::BAD),
    }
}

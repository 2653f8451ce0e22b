//! `stats --by`: today's lines, agents' share of them, and what became of what agents wrote.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::bail;
use serde::Serialize;

use super::Args;
use crate::attribution::labels::Origin;
use crate::cli::format::{self, number};
use crate::cli::pager::paged;
use crate::cli::table::{COLUMN, Cell, Column, Table};
use crate::cli::{COULD_NOT_TELL, Code, SHALLOW, read_book};
use crate::cost::PriceTable;
use crate::git::history;
use crate::git::locate::{path_to_bytes, resolve_parent};
use crate::host::output::{self, Out};
use crate::id::{GitId, RepoPath};
use crate::ledger::Ledger;
use crate::ledger::lines::tally::{self, Counter, Numbers, Tally, Wanted};
use crate::ledger::query::Book;
use crate::scope::language::Language;
use crate::scope::tally::Tally as ScopeTally;
use crate::scope::{Outcome, walk};

/// What lines are counted by.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Author,
    Model,
    Agent,
    Path,
    Scope,
    Day,
    /// What agents were told while they worked; no lines
    Nudge,
}

impl By {
    fn word(self) -> &'static str {
        match self {
            By::Author => "author",
            By::Model => "model",
            By::Agent => "agent",
            By::Path => "path",
            By::Scope => "scope",
            By::Day => "day",
            By::Nudge => "nudge",
        }
    }

    /// What the walk counts by; scopes are found in today's files.
    fn key(self) -> Option<tally::By> {
        match self {
            By::Author => Some(tally::By::Author),
            By::Model => Some(tally::By::Model),
            By::Agent => Some(tally::By::Agent),
            By::Path => Some(tally::By::Path),
            By::Day => Some(tally::By::Day),
            By::Scope | By::Nudge => None,
        }
    }

    /// Whether only agents' lines belong to such a thing: its share is of all lines then.
    fn is_of_agents(self) -> bool {
        matches!(self, By::Model | By::Agent)
    }
}

pub fn run(by: By, args: &Args, ledger: &Ledger, dir: &Path, out: &mut Out) -> anyhow::Result<Code> {
    if by == By::Scope && (args.range.is_some() || args.since.is_some() || args.until.is_some()) {
        bail!("--by scope is of today's files, without --range, --since and --until");
    }
    let (tip, commits) = match &args.range {
        Some(range) => {
            let tip = history::tip_of(&ledger.repo, range)?;
            (tip, Some(history::rev_list(&ledger.repo, &[range.as_str()])?.into_iter().collect()))
        }
        None => (history::resolve(&ledger.repo, "HEAD")?, None),
    };
    let paths = args.paths.iter().map(|path| repo_path(ledger, dir, Path::new(path)));
    let paths: Vec<Option<RepoPath>> = paths.collect::<anyhow::Result<_>>()?;
    // The whole work tree is no condition.
    let paths = if paths.contains(&None) { Vec::new() } else { paths.into_iter().flatten().collect() };

    let report = read_book(ledger)?;
    if report.ledger.is_none() {
        return Ok(COULD_NOT_TELL);
    }
    let book = Book::new(&report, PriceTable::embedded());
    let history = ledger.history(&book, &tip)?;
    let wanted = Wanted { commits, since: args.since, until: args.until, paths };
    let counter = Counter::new(&history, &book, wanted);
    let tally = counter.count(by.key());
    let scopes = if by == By::Scope { Some(scopes(ledger, &tip, &counter, &tally)?) } else { None };
    if args.json {
        let answer = Answer::new(by, &tip, &tally, scopes.as_deref());
        out.json(&Answer { shallow: ledger.repo.is_shallow(), ..answer })?;
    } else {
        paged(ledger, out, |out| Ok(print(by, &tip, &tally, scopes.as_deref(), out)?))?;
    }
    for trouble in &history.troubles {
        output::say(format_args!("warning: {}", output::visible(trouble)));
    }
    if ledger.repo.is_shallow() {
        output::say(SHALLOW);
    }
    Ok(0)
}

/// What a file or folder is called in the repository; `None` for all of it.
fn repo_path(ledger: &Ledger, dir: &Path, named: &Path) -> anyhow::Result<Option<RepoPath>> {
    let path = dir.join(named);
    // Of a file its own name counts, whatever it links to; a folder may be called `..`.
    let path = if path.is_dir() { path.canonicalize()? } else { resolve_parent(&path)? };
    let Some(within) = ledger.repo.work_tree().and_then(|top| path.strip_prefix(top).ok().map(Path::to_owned)) else {
        bail!("{} is not in the work tree", named.display());
    };
    match path_to_bytes(&within) {
        Some(bytes) if bytes.is_empty() => Ok(None),
        Some(bytes) => Ok(Some(RepoPath::from_bytes(&bytes)?)),
        None => bail!("{} is no path that git could have", named.display()),
    }
}

/// A scope with agents' lines.
#[derive(Serialize)]
struct Scope {
    path: String,
    scope: String,
    kind: &'static str,
    first: u32,
    last: u32,
    #[serde(flatten)]
    tally: ScopeTally,
    share: f64,
}

/// What stands for the lines outside of all scopes.
const OUTSIDE: &str = "-";

/// The scopes with agents' lines, of the files that have any.
fn scopes(ledger: &Ledger, tip: &GitId, counter: &Counter<'_>, tally: &Tally) -> anyhow::Result<Vec<Scope>> {
    let mut found = Vec::new();
    for path in &tally.paths {
        let mut origins: Vec<Origin<()>> = Vec::new();
        counter.lines(*path, |_, label, lines| {
            let origin = match label {
                Some(label) if label.who.is_some() => Origin::Agent(()),
                Some(_) => Origin::Human,
                None => Origin::Unattributed,
            };
            origins.extend(std::iter::repeat_n(origin, lines as usize));
        });
        let path = counter.path(*path);
        let bytes = history::file_at(&ledger.repo, tip, path)?.unwrap_or_default();
        let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let parsed = match Language::of(path.as_str(), first).map(|language| walk::scopes(language, &bytes)) {
            Some(Outcome::Found(parsed)) => parsed,
            // What cannot be parsed has no scopes; its lines are outside of all.
            _ => crate::scope::Scopes { lines: origins.len() as u32, ..Default::default() },
        };
        let tallies = parsed.tally(&origins);
        let row = |scope: &str, kind, first, last, tally: ScopeTally| Scope {
            path: path.to_string(),
            scope: scope.to_owned(),
            kind,
            first,
            last,
            tally,
            share: rounded(tally.agent as f64 / tally.lines.max(1) as f64),
        };
        let listed = parsed.list.iter().zip(&tallies.scopes);
        let rows =
            listed.map(|(scope, tally)| row(&scope.qualified, scope.kind.as_str(), scope.first, scope.last, *tally));
        let rows = rows.chain([row(OUTSIDE, OUTSIDE, 1, parsed.lines, tallies.outside)]);
        found.extend(rows.filter(|row| row.tally.agent > 0));
    }
    Ok(found)
}

/// To four digits: a share is for eyes, the numbers are exact.
fn rounded(share: f64) -> f64 {
    (share * 10_000.0).round() / 10_000.0
}

/// The answer as JSON.
#[derive(Serialize)]
struct Answer<'a> {
    commit: &'a GitId,
    files: u64,
    agent_files: u64,
    /// Whether history is cut off here.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    shallow: bool,
    total: Shared<'a>,
    #[serde(flatten)]
    rows: BTreeMap<String, Rows<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Rows<'a> {
    Named(BTreeMap<&'a str, Shared<'a>>),
    Scopes(&'a [Scope]),
}

#[derive(Serialize)]
struct Shared<'a> {
    #[serde(flatten)]
    numbers: &'a Numbers,
    share: f64,
}

impl<'a> Answer<'a> {
    fn new(by: By, commit: &'a GitId, tally: &'a Tally, scopes: Option<&'a [Scope]>) -> Self {
        let shared = |numbers: &'a Numbers| Shared { numbers, share: rounded(share(by, numbers, tally)) };
        let rows = match scopes {
            Some(scopes) => Rows::Scopes(scopes),
            None => Rows::Named(tally.rows.iter().map(|(name, numbers)| (name.as_str(), shared(numbers))).collect()),
        };
        Answer {
            commit,
            files: tally.files,
            agent_files: tally.agent_files,
            shallow: false,
            total: Shared { numbers: &tally.total, share: rounded(tally.total.share(tally.total.lines)) },
            rows: BTreeMap::from([(format!("by_{}", by.word()), rows)]),
        }
    }
}

/// Agents' lines of today among those that belong to the same, or among all where only agents' lines belong to it.
fn share(by: By, numbers: &Numbers, tally: &Tally) -> f64 {
    numbers.share(if by.is_of_agents() { tally.total.lines } else { numbers.lines })
}

fn print(by: By, tip: &GitId, tally: &Tally, scopes: Option<&[Scope]>, out: &mut Out) -> std::io::Result<()> {
    print_total(tip, tally, out)?;
    out.line("")?;
    match scopes {
        Some(scopes) => print_scopes(scopes, out),
        None => print_rows(by, tally, out),
    }
}

fn percent(part: u64, of: u64) -> String {
    let tenths = (u128::from(part) * 1000 + u128::from(of) / 2) / u128::from(of.max(1));
    format!("{}.{} %", tenths / 10, tenths % 10)
}

fn print_total(tip: &GitId, tally: &Tally, out: &mut Out) -> std::io::Result<()> {
    let n = &tally.total;
    let agent = out.paint(output::AGENT, format!("{} agent ({})", number(n.surviving), percent(n.surviving, n.lines)));
    let human = out.paint(output::HUMAN, format!("{} human", number(n.human)));
    let rows = [
        (
            "Today",
            format!(
                "{} in {} at {}: {agent}, {human}, {} unattributed",
                format::count(n.lines, "line"),
                format::count(tally.files, "text file"),
                tip.short(),
                number(n.unattributed)
            ),
        ),
        ("Evidence", format!("{} exact, {} linked, {} content", number(n.exact), number(n.linked), number(n.content))),
        (
            "Agents",
            format!(
                "{} added: {} still there ({}), {} changed by people ({}), {} by agents, {} left out by merges",
                number(n.added),
                number(n.surviving),
                percent(n.surviving, n.added),
                number(n.changed_by_people),
                percent(n.changed_by_people, n.added),
                number(n.changed_by_agents),
                number(n.dropped)
            ),
        ),
    ];
    rows.iter().try_for_each(|(name, text)| {
        out.line(format_args!("{} {text}", out.paint(output::HEAD, format!("{name:<10}"))))
    })
}

fn print_rows(by: By, tally: &Tally, out: &mut Out) -> std::io::Result<()> {
    let word = by.word();
    let name = format!("{}{}", word[..1].to_uppercase(), &word[1..]);
    let heads = [&*name, "added", "surviving", "by people", "by agents", "lines", "share"];
    let mut table = table(&heads, 1);
    let mut rows: Vec<(&String, &Numbers)> = tally.rows.iter().collect();
    // Thousands of files that agents had no hand in say nothing.
    rows.retain(|(_, numbers)| by != By::Path || numbers.added + numbers.surviving > 0);
    if by != By::Day {
        rows.sort_by_key(|(name, numbers)| (std::cmp::Reverse(numbers.surviving), *name));
    }
    if rows.is_empty() {
        return out.line("No agent's hand is known in it.");
    }
    for (name, n) in rows {
        let of = if by.is_of_agents() { tally.total.lines } else { n.lines };
        let counts = [n.added, n.surviving, n.changed_by_people, n.changed_by_agents, n.lines].map(number);
        let cells = counts.into_iter().chain([percent(n.surviving, of)]);
        table.row(std::iter::once(Cell::plain(name)).chain(cells.map(Cell::plain)).collect());
    }
    table.print(out)
}

fn print_scopes(scopes: &[Scope], out: &mut Out) -> std::io::Result<()> {
    if scopes.is_empty() {
        return out.line("No agent's hand is known in it.");
    }
    let mut table = table(&["Path", "scope", "kind", "lines", "agent", "human", "unattributed", "share"], 4);
    for Scope { path, scope, kind, first, last, tally, .. } in scopes {
        let counts = [tally.agent, tally.human, tally.unattributed].map(number);
        let mut cells = vec![Cell::plain(path), Cell::plain(scope), Cell::new(*kind, output::DIM)];
        cells.push(Cell::new(format!("{first}-{last}"), output::DIM));
        cells.extend(counts.into_iter().chain([percent(tally.agent, tally.lines)]).map(Cell::plain));
        table.row(cells);
    }
    table.print(out)
}

/// A table under its heads; numbers stand right, from a column on.
fn table(heads: &[&str], numbers: usize) -> Table {
    let columns: Vec<Column> = (0..heads.len()).map(|at| Column { right: at >= numbers, ..COLUMN }).collect();
    let mut table = Table::new(&columns);
    table.row(heads.iter().map(|head| Cell::new(head, output::HEAD)).collect());
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_to_a_tenth_of_a_percent() {
        for (part, of, expected) in [(0, 0, "0.0 %"), (1, 3, "33.3 %"), (2, 3, "66.7 %"), (5, 5, "100.0 %")] {
            assert_eq!(percent(part, of), expected);
        }
    }
}

//! How `blame` looks for eyes: the columns that git's flags ask for.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::Path;
use std::rc::Rc;

use anstyle::Style;

use super::asked::negations;
use super::{Known, evidence_word};
use crate::attribution::labels::Origin;
use crate::cli::format::model;
use crate::cli::table::{COLUMN, Cell, Column, Table};
use crate::git::blame::{self, Blame, Commit, Line};
use crate::git::locate::{path_to_bytes, resolve_parent};
use crate::host::output;
use crate::id::{GitId, RepoPath};
use crate::ledger::Ledger;
use crate::time::Time;

/// What is shown of a line.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "What is shown", args(negations(NEGATED)))]
pub struct View {
    /// Neither who nor when
    #[arg(short = 's')]
    short: bool,
    /// People's addresses instead of their names
    #[arg(short = 'e', long)]
    show_email: bool,
    /// Whole ids of commits
    #[arg(short = 'l')]
    long: bool,
    /// So many digits of the ids of commits
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "12")]
    abbrev: Option<usize>,
    #[arg(long, hide = true, overrides_with = "abbrev")]
    no_abbrev: bool,
    /// No ids of commits where git went no further
    #[arg(short = 'b')]
    blank: bool,
    /// Dates in one of git's formats: relative, iso, format:%Y, …
    #[arg(long, value_name = "FORMAT")]
    date: Option<String>,
    /// Dates as seconds since 1970
    #[arg(short = 't', conflicts_with = "date")]
    raw: bool,
    /// The lines' numbers where they come from
    #[arg(short = 'n', long)]
    show_number: bool,
    /// The files that the lines come from, also where it is the one at hand
    #[arg(short = 'f', long)]
    show_name: bool,
    /// As git annotate prints it, with tabs: commit (who, date, number) text
    #[arg(short = 'c')]
    pub annotate: bool,
}

/// What git's `--no-…` takes back, by the names of the fields here.
const NEGATED: &[(&str, &str)] =
    &[("no-show-email", "show_email"), ("no-show-number", "show_number"), ("no-show-name", "show_name")];

/// So many digits of a commit's id are shown.
const ABBREV: usize = 12;

impl View {
    pub fn table<'b>(
        &self,
        blame: &Blame<'_>,
        mut known: impl FnMut(&Line<'_>) -> Rc<Known<'b>>,
        file: &OsStr,
        ledger: &Ledger,
        dir: &Path,
    ) -> anyhow::Result<Table> {
        let name = self.show_name || any_from_elsewhere(blame, file, ledger, dir);
        let shown = Shown { view: self, name, dates: self.dates(blame, None, dir)? };
        let mut table = Table::new(&shown.columns());
        for line in &blame.lines {
            table.row(shown.row(line, &known(line), blame));
        }
        Ok(table)
    }

    /// The lines as git annotate prints them.
    pub fn annotated<'b>(
        &self,
        blame: &Blame<'_>,
        mut known: impl FnMut(&Line<'_>) -> Rc<Known<'b>>,
        dir: &Path,
    ) -> anyhow::Result<String> {
        let shown = Shown { view: self, name: false, dates: self.dates(blame, Some("iso"), dir)? };
        let line = |line: &Line<'_>| {
            let id = line.source.as_ref().map(|source| &source.commit);
            let commit = id.and_then(|id| blame.commits.get(id));
            let cells = [shown.commit(id, commit), shown.who(&known(line), commit), shown.date(id, commit)];
            let [id, who, date] = cells.map(|cell| cell.text());
            let text = Cell::code(&String::from_utf8_lossy(line.text)).text();
            format!("{id}\t({who:>10}\t{date:>10}\t{}){text}\n", line.number)
        };
        Ok(blame.lines.iter().map(line).collect())
    }

    /// The commits' dates in the format that is asked for, or in this one.
    fn dates(
        &self,
        blame: &Blame<'_>,
        usual: Option<&str>,
        dir: &Path,
    ) -> anyhow::Result<Option<HashMap<GitId, String>>> {
        let format = self.date.as_deref().or(self.raw.then_some("raw")).or(usual);
        let commits = blame.commits.keys().filter(|id| !id.is_null());
        Ok(format.map(|format| blame::dates(dir, format, commits)).transpose()?)
    }
}

/// Whether a line stood in a file of another name.
fn any_from_elsewhere(blame: &Blame<'_>, file: &OsStr, ledger: &Ledger, dir: &Path) -> bool {
    let path = match ledger.repo.work_tree() {
        Some(top) => resolve_parent(&dir.join(file)).ok().and_then(|path| path_to_bytes(path.strip_prefix(top).ok()?)),
        None => path_to_bytes(Path::new(file)),
    };
    let here = path.and_then(|path| RepoPath::from_bytes(&path).ok());
    let mut sources = blame.lines.iter().filter_map(|line| line.source.as_ref());
    here.is_none_or(|here| sources.any(|source| *source.path != here))
}

/// The columns that are shown, and what they need.
struct Shown<'v> {
    view: &'v View,
    name: bool,
    /// The commits' dates, where they are not to look as ours do.
    dates: Option<HashMap<GitId, String>>,
}

impl Shown<'_> {
    fn columns(&self) -> Vec<Column> {
        let when = |shown: bool, column: Column| shown.then_some(column);
        [
            Some(Column { head: "COMMIT", ..COLUMN }),
            when(self.name, Column { head: "FILE", most: 32, ..COLUMN }),
            when(self.view.show_number, Column { head: "THERE", right: true, ..COLUMN }),
            Some(Column { head: "ORIGIN", ..COLUMN }),
            when(!self.view.short, Column { head: "WHO", most: 32, goes: 4, ..COLUMN }),
            Some(Column { head: "SESSION", goes: 3, ..COLUMN }),
            Some(Column { head: "EVIDENCE", goes: 2, ..COLUMN }),
            when(!self.view.short, Column { head: "DATE", goes: 1, ..COLUMN }),
            Some(Column { head: "LINE", right: true, ..COLUMN }),
            Some(Column { head: "TEXT", whole: true, ..COLUMN }),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn row(&self, line: &Line<'_>, known: &Known<'_>, blame: &Blame<'_>) -> Vec<Cell> {
        let source = line.source.as_ref();
        let commit = source.and_then(|source| blame.commits.get(&source.commit));
        let path = || Cell::new(source.map_or("", |source| source.path.as_str()), output::DIM);
        let number = || Cell::new(source.map_or(String::new(), |source| source.line.to_string()), output::DIM);
        let evidence = match &known.found {
            Some(found) => Cell::plain(evidence_word(found.evidence)),
            None => Cell::new("-", output::DIM),
        };
        let when = |shown: bool, cell: &dyn Fn() -> Cell| shown.then(cell);
        [
            Some(self.commit(source.map(|source| &source.commit), commit)),
            when(self.name, &path),
            when(self.view.show_number, &number),
            Some(Cell::new(if known.found.is_some() { known.word() } else { "-" }, style(known))),
            when(!self.view.short, &|| self.who(known, commit)),
            Some(Cell::plain(known.author().map_or("", |author| author.session.short()))),
            Some(evidence),
            when(!self.view.short, &|| self.date(source.map(|source| &source.commit), commit)),
            Some(Cell::new(line.number.to_string(), output::DIM)),
            Some(Cell::code(&String::from_utf8_lossy(line.text))),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn commit(&self, id: Option<&GitId>, commit: Option<&Commit>) -> Cell {
        let Some(id) = id.map(GitId::as_str) else { return Cell::new("not yet", output::DIM) };
        let digits = match (self.view.long || self.view.no_abbrev, self.view.abbrev) {
            (true, _) => id.len(),
            (false, abbrev) => abbrev.unwrap_or(ABBREV).clamp(4, id.len()),
        };
        match commit.is_some_and(|commit| commit.boundary) {
            true if self.view.blank => Cell::plain(""),
            true => Cell::new(format!("^{}", &id[..digits - 1]), output::ID),
            false => Cell::new(&id[..digits], output::ID),
        }
    }

    /// The agent and its model, or the commit's author.
    fn who(&self, known: &Known<'_>, commit: Option<&Commit>) -> Cell {
        if known.author().is_some() {
            let name = known.model().unwrap_or_default();
            let name = model(name.strip_prefix("anthropic/").unwrap_or(name));
            let agent = Cell::new(known.agent.unwrap_or("?"), output::AGENT);
            return if name.is_empty() { agent } else { Cell::joined([agent, Cell::plain(format!(" {name}"))]) };
        }
        let name = commit.map(|commit| if self.view.show_email { &commit.email } else { &commit.author });
        let style = if known.found.is_some() { style(known) } else { output::DIM };
        Cell::new(name.map_or("", String::as_str), style)
    }

    fn date(&self, id: Option<&GitId>, commit: Option<&Commit>) -> Cell {
        let date = match (&self.dates, id, commit) {
            (Some(dates), Some(id), _) => dates.get(id).cloned().unwrap_or_default(),
            (None, Some(_), Some(commit)) => Time::from_unix(commit.time).day(),
            _ => String::new(),
        };
        Cell::new(date, output::DIM)
    }
}

fn style(known: &Known<'_>) -> Style {
    match known.origin {
        Some(Origin::Agent(_)) => output::AGENT,
        Some(Origin::Human) => output::HUMAN,
        Some(Origin::Unattributed) => Style::new(),
        None => output::DIM,
    }
}

//! `blame --by scope`: how many lines of each function, method, class and module are whose.

use anyhow::bail;
use serde::Serialize;

use crate::attribution::labels::Origin;
use crate::cli::table::{COLUMN, Cell, Column, Table};
use crate::git::blame::Blame;
use crate::host::output::{self, Out};
use crate::record::body::LineAuthor;
use crate::scope::language::Language;
use crate::scope::tally::Tally;
use crate::scope::{Outcome, walk};

const COLUMNS: [Column; 7] = [
    Column { head: "SCOPE", goes: 1, ..COLUMN },
    Column { head: "KIND", goes: 2, ..COLUMN },
    Column { head: "LINES", ..COLUMN },
    Column { head: "AGENT", right: true, ..COLUMN },
    Column { head: "HUMAN", right: true, ..COLUMN },
    Column { head: "UNATTRIBUTED", right: true, ..COLUMN },
    Column { head: "SHARE", right: true, ..COLUMN },
];

/// What stands for the lines outside of all scopes.
const OUTSIDE: &str = "-";

/// One scope, as JSON has it. Each line counts once, for the innermost scope it is in.
#[derive(Serialize)]
struct Row<'a> {
    scope: &'a str,
    kind: &'static str,
    first: u32,
    last: u32,
    #[serde(flatten)]
    tally: Tally,
}

impl Row<'_> {
    fn cells(&self) -> Vec<Cell> {
        let number = |n: u64| Cell::plain(n.to_string());
        let share = self.tally.agent * 100 / self.tally.lines.max(1);
        vec![
            Cell::plain(self.scope),
            Cell::new(self.kind, output::DIM),
            Cell::new(format!("{}-{}", self.first, self.last), output::DIM),
            Cell::new(self.tally.agent.to_string(), output::AGENT),
            number(self.tally.human),
            number(self.tally.unattributed),
            Cell::plain(format!("{share} %")),
        ]
    }
}

/// Prints a line a scope of a whole file.
pub fn print(
    blame: &Blame<'_>,
    origins: &[Option<Origin<LineAuthor>>],
    file: &str,
    json: bool,
    out: &mut Out,
) -> anyhow::Result<()> {
    let first = blame.lines.first().map(|line| line.text).unwrap_or_default();
    let Some(language) = Language::of(file, first) else {
        bail!("{file} is in no language whose scopes are known");
    };
    let source: Vec<u8> = blame.lines.iter().flat_map(|line| [line.text, b"\n"]).flatten().copied().collect();
    let scopes = match walk::scopes(language, &source) {
        Outcome::Found(scopes) => scopes,
        Outcome::TooLong => bail!("{file} has more than {} bytes: its scopes are not looked for", walk::LONGEST),
        Outcome::TooHard => bail!("{file} takes too long to parse: its scopes are not known"),
    };
    let origins: Vec<_> = origins.iter().map(|origin| origin.clone().unwrap_or(Origin::Unattributed)).collect();
    let tallies = scopes.tally(&origins);
    let mut table = Table::new(&COLUMNS);
    let listed = scopes.list.iter().zip(&tallies.scopes);
    let rows = listed.map(|(scope, tally)| Row {
        scope: &scope.qualified,
        kind: scope.kind.as_str(),
        first: scope.first,
        last: scope.last,
        tally: *tally,
    });
    let outside = Row { scope: OUTSIDE, kind: OUTSIDE, first: 1, last: scopes.lines, tally: tallies.outside };
    for row in rows.chain((outside.tally.lines > 0).then_some(outside)) {
        if json {
            out.json(&row)?;
        } else {
            table.row(row.cells());
        }
    }
    if scopes.errors {
        output::say(format_args!("note: not all of {} could be parsed", output::visible(file)));
    }
    if !json {
        table.print(out)?;
    }
    Ok(())
}

//! `stats --by nudge`: what agents were told in this clone, and what came of it.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context as _, bail};
use serde::Serialize;

use super::Args;
use crate::cli::Code;
use crate::cli::format::number;
use crate::cli::table::{COLUMN, Cell, Column, Table};
use crate::host::output::{self, Out};
use crate::journal::Journal;
use crate::journal::nudges::{Line, What};
use crate::ledger::Ledger;
use crate::nudge::{Outcome, Rule};
use crate::time::Time;

/// How often one rule spoke.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
struct Count {
    shown: u64,
    followed: u64,
    ignored: u64,
    /// Nobody knows yet, or ever.
    open: u64,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Answer {
    total: Count,
    by_nudge: BTreeMap<&'static str, Count>,
}

pub fn run(args: &Args, ledger: &Ledger, out: &mut Out) -> anyhow::Result<Code> {
    if args.range.is_some() || !args.paths.is_empty() {
        bail!("--by nudge is of sessions in this clone, without --range and paths");
    }
    let log = match Journal::open(&ledger.repo.common_dir()) {
        Some(journal) => journal.logged_nudges().context("cannot read what was said to agents")?,
        None => Vec::new(),
    };
    let within = |at: i64| {
        let at = Time::from_unix(at.div_euclid(1000));
        args.since.is_none_or(|since| at >= since) && args.until.is_none_or(|until| at <= until)
    };
    let answer = count(&log, within);
    if args.json {
        out.json(&answer)?
    } else {
        print(&answer, out)?
    }
    Ok(0)
}

/// Counts what was shown in a time, and what came of it, whenever that was known.
fn count(log: &[Line], within: impl Fn(i64) -> bool) -> Answer {
    // A nudge without a number was said where the session's state could not be had: nothing is known to come of it.
    let outcomes: HashMap<_, _> = log
        .iter()
        .filter_map(|line| match line.what {
            What::Outcome(outcome) => Some(((&line.session, line.n), outcome)),
            What::Shown { .. } => None,
        })
        .collect();
    let mut answer = Answer::default();
    for line in log.iter().filter(|line| within(line.at)) {
        let What::Shown { rule, .. } = line.what else { continue };
        for count in [&mut answer.total, answer.by_nudge.entry(rule.word()).or_default()] {
            count.shown += 1;
            match outcomes.get(&(&line.session, line.n)) {
                Some(Outcome::Followed) => count.followed += 1,
                Some(Outcome::Ignored) => count.ignored += 1,
                None => count.open += 1,
            }
        }
    }
    answer
}

fn print(answer: &Answer, out: &mut Out) -> std::io::Result<()> {
    if answer.total.shown == 0 {
        return out.line("Agents were told nothing.");
    }
    let columns: Vec<Column> = (0..6).map(|at| Column { right: at >= 2, ..COLUMN }).collect();
    let mut table = Table::new(&columns);
    let heads = ["Nudge", "kind", "shown", "followed", "ignored", "open"];
    table.row(heads.iter().map(|head| Cell::new(head, output::HEAD)).collect());
    for rule in Rule::ALL {
        let Some(count) = answer.by_nudge.get(rule.word()) else { continue };
        let mut cells = vec![Cell::plain(rule.word()), Cell::new(rule.kind().word(), output::DIM)];
        cells.extend([count.shown, count.followed, count.ignored, count.open].map(|n| Cell::plain(number(n))));
        table.row(cells);
    }
    table.print(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SessionId;
    use crate::nudge::Kind;

    #[test]
    fn each_nudge_is_counted_with_what_came_of_it() {
        let line = |session: &str, at, n, what| Line { at, session: SessionId::from_agent(session), n, what };
        let shown = |rule: Rule| What::Shown { rule, kind: Kind::Block, event: "Stop".to_owned(), text: String::new() };
        let log = [
            line("a", 1_000, 1, shown(Rule::Secret)),
            line("a", 2_000, 2, shown(Rule::Repeat)),
            line("b", 3_000, 1, shown(Rule::Secret)),
            line("b", 9_000, 1, What::Outcome(Outcome::Followed)),
            line("a", 9_000, 1, What::Outcome(Outcome::Ignored)),
        ];
        let answer = count(&log, |at| at < 4_000);
        let secret = Count { shown: 2, followed: 1, ignored: 1, open: 0 };
        let repeat = Count { shown: 1, open: 1, ..Count::default() };
        assert_eq!(answer.by_nudge, BTreeMap::from([("secret", secret), ("repeat", repeat)]));
        assert_eq!(answer.total, Count { shown: 3, followed: 1, ignored: 1, open: 1 });
        assert_eq!(count(&log, |at| at > 4_000), Answer::default(), "an outcome alone is no nudge");
    }
}

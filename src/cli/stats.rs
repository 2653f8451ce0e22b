//! `git tracevault stats`: tokens, money, tool calls and lines, by whom and what they belong to.

mod lines;
mod nudges;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use crate::cli::format::{self, number};
use crate::cli::pager::paged;
use crate::cli::table::{COLUMN, Cell, Column, Table};
use crate::cli::{COULD_NOT_TELL, Code, read_book};
use crate::git::history;
use crate::host::output::{self, Out};
use crate::ledger::Ledger;
use crate::ledger::stats::{Calls, Filter, Numbers, Stats, Usage};
use crate::record::body::Lines;
use crate::time::Time;

/// Count tokens, cost, tool calls and lines, by model, author, agent, tool and day; with --by, today's lines and agents' share
///
/// Only records that verify count. Cost is reckoned from a dated price table; a model without a price costs unknown and
/// is never charged at another's. `git config tracevault.prices FILE` puts a table of your own over it.
///
/// With --by every line of the repository counts, as `blame` would tell of it: what agents wrote, what of that still
/// stands, who changed the rest, and the agents' share today. --by nudge counts what agents were told in this clone
/// while they worked, and what came of it.
#[derive(clap::Args, Debug)]
#[command(
    override_usage = "git tracevault stats [OPTIONS]\n       git tracevault stats --by WHAT [OPTIONS] [-- PATH...]"
)]
pub struct Args {
    /// Only this session (its id, or the first characters of it), and the commits that draw on it
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// Only the commits of a range, as `git rev-list` takes it (main, v1..v2), and the sessions they draw on
    #[arg(long, value_name = "RANGE")]
    range: Option<String>,
    /// Only what ended or was recorded from then on: a day in UTC (2026-11-01) or a time (2026-11-01T08:00:00Z)
    #[arg(long, value_name = "DATE", value_parser = since)]
    since: Option<Time>,
    /// Only what ended or was recorded until then, the day or second included
    #[arg(long, value_name = "DATE", value_parser = until)]
    until: Option<Time>,
    /// Count today's lines and agents' lines by this, or what agents were told
    #[arg(long, value_name = "WHAT", conflicts_with = "session")]
    by: Option<lines::By>,
    /// Only the lines of these files and folders; with --by
    #[arg(last = true, value_name = "PATH", requires = "by")]
    paths: Vec<OsString>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

fn since(text: &str) -> Result<Time, String> {
    moment(text, "00:00:00")
}

fn until(text: &str) -> Result<Time, String> {
    moment(text, "23:59:59")
}

/// A moment, or that time of a day.
fn moment(text: &str, of_day: &str) -> Result<Time, String> {
    let day = || format!("{text}T{of_day}Z").parse().ok();
    Time::from_rfc3339(text)
        .or_else(day)
        .ok_or_else(|| "a day like 2026-11-01 or a time like 2026-11-01T08:00:00Z".to_owned())
}

pub fn run(args: &Args, ledger: &Ledger, dir: &Path, out: &mut Out) -> anyhow::Result<Code> {
    match args.by {
        Some(lines::By::Nudge) => return nudges::run(args, ledger, out),
        Some(by) => return lines::run(by, args, ledger, dir, out),
        None => {}
    }
    let prices = ledger.prices()?;
    let commits = match &args.range {
        Some(range) => Some(history::rev_list(&ledger.repo, &[range.as_str()])?.into_iter().collect()),
        None => None,
    };
    let report = read_book(ledger)?;
    if report.ledger.is_none() {
        return Ok(COULD_NOT_TELL);
    }
    let filter = Filter { session: args.session.clone(), commits, since: args.since, until: args.until };
    let stats = ledger.stats(&report, &filter, &prices)?;
    if args.json {
        out.json(&stats)?;
    } else {
        paged(ledger, out, |out| Ok(print(&stats, out)?))?;
    }
    if stats.untold > 0 {
        let segments = format::count(stats.untold, "segment");
        output::say(format_args!("note: {segments} of sessions used more tokens than could be counted"));
    }
    Ok(0)
}

fn print(stats: &Stats, out: &mut Out) -> std::io::Result<()> {
    if *stats == Stats::default() {
        return out.line("Nothing is recorded that could be counted.");
    }
    print_total(&stats.total, out)?;
    let usage_head = ["sessions", "requests", "input", "output", "cache read", "cache written", "cost", "saved"];
    print_table("Model", &usage_head, &stats.by_model, out, |n| [sessions(n), usage(n)].concat())?;
    let head = ["sessions", "requests", "cost", "added", "agent", "human", "unattributed"];
    print_table("Author", &head, &stats.by_author, out, |n| [sessions(n), cost(n), lines(n)].concat())?;
    let head = ["sessions", "requests", "cost", "calls", "failed"];
    print_table("Agent", &head, &stats.by_agent, out, |n| [sessions(n), cost(n), calls(n)].concat())?;
    print_table("Tool", &["sessions", "calls", "failed"], &stats.by_tool, out, |n| [sessions(n), calls(n)].concat())?;
    print_unknown(stats, out)
}

fn print_total(total: &Numbers, out: &mut Out) -> std::io::Result<()> {
    let Usage { requests, input, output, cache_read, cache_write_5m, cache_write_1h, .. } =
        total.usage.clone().unwrap_or_default();
    let Calls { calls, failed } = total.calls.unwrap_or_default();
    let Lines { added, agent, human, unattributed } = total.lines.unwrap_or_default();
    let [cost, saved] = money(total);
    let written = number(u128::from(cache_write_5m) + u128::from(cache_write_1h));
    let rows = [
        ("Sessions", number(total.sessions.len() as u64)),
        ("Requests", number(requests)),
        ("Tokens", format!("{} input, {} output", number(input), number(output))),
        ("Caches", format!("{} read, {written} written ({} for an hour)", number(cache_read), number(cache_write_1h))),
        ("Cost", format!("{cost} (caches saved {saved})")),
        ("Tool calls", format!("{}, {} failed", number(calls), number(failed))),
        (
            "Lines",
            format!(
                "{} added: {}, {}, {} unattributed",
                number(added),
                out.paint(output::AGENT, format!("{} agent", number(agent))),
                out.paint(output::HUMAN, format!("{} human", number(human))),
                number(unattributed)
            ),
        ),
    ];
    rows.iter().try_for_each(|(name, text)| {
        out.line(format_args!("{} {text}", out.paint(output::HEAD, format!("{name:<10}"))))
    })
}

fn print_table(
    name: &str,
    columns: &[&str],
    group: &BTreeMap<String, Numbers>,
    out: &mut Out,
    cells: impl Fn(&Numbers) -> Vec<String>,
) -> std::io::Result<()> {
    if group.is_empty() {
        return Ok(());
    }
    let heads: Vec<&str> = std::iter::once(name).chain(columns.iter().copied()).collect();
    let columns: Vec<Column> = heads.iter().enumerate().map(|(i, _)| Column { right: i > 0, ..COLUMN }).collect();
    let mut table = Table::new(&columns);
    table.row(heads.iter().map(|head| Cell::new(head, output::HEAD)).collect());
    for (name, numbers) in group {
        table.row(std::iter::once(Cell::plain(name)).chain(cells(numbers).iter().map(Cell::plain)).collect());
    }
    out.line("")?;
    table.print(out)
}

fn sessions(numbers: &Numbers) -> Vec<String> {
    vec![number(numbers.sessions.len() as u64)]
}

fn usage(numbers: &Numbers) -> Vec<String> {
    let usage = numbers.usage.clone().unwrap_or_default();
    let written = u128::from(usage.cache_write_5m) + u128::from(usage.cache_write_1h);
    let counts = [usage.requests, usage.input, usage.output, usage.cache_read].map(number);
    counts.into_iter().chain([number(written)]).chain(money(numbers)).collect()
}

fn cost(numbers: &Numbers) -> Vec<String> {
    let [cost, _] = money(numbers);
    vec![number(numbers.usage.as_ref().map_or(0, |usage| usage.requests)), cost]
}

fn calls(numbers: &Numbers) -> Vec<String> {
    let Calls { calls, failed } = numbers.calls.unwrap_or_default();
    [calls, failed].map(number).to_vec()
}

fn lines(numbers: &Numbers) -> Vec<String> {
    let Lines { added, agent, human, unattributed } = numbers.lines.unwrap_or_default();
    [added, agent, human, unattributed].map(number).to_vec()
}

/// What it cost and what caches saved; with a `+` where a part of it is unknown.
fn money(numbers: &Numbers) -> [String; 2] {
    let usage = numbers.usage.clone().unwrap_or_default();
    let unknown = usage.cost_unknown_requests;
    [usage.cost_usd, usage.cache_saved_usd].map(|money| match unknown {
        0 => format::money(Some(money)),
        _ if unknown == usage.requests => "unknown".to_owned(),
        _ => format!("{}+", format::money(Some(money))),
    })
}

/// Which models have no price.
fn print_unknown(stats: &Stats, out: &mut Out) -> std::io::Result<()> {
    let unknown = |numbers: &Numbers| numbers.usage.as_ref().map_or(0, |usage| usage.cost_unknown_requests);
    let models = stats.by_model.iter().filter(|(_, numbers)| unknown(numbers) > 0);
    let names: Vec<String> = models.map(|(name, _)| output::visible(name)).collect();
    if names.is_empty() {
        return Ok(());
    }
    let requests = match unknown(&stats.total) {
        1 => "1 request".to_owned(),
        n => format!("{} requests", number(n)),
    };
    out.line("")?;
    out.line(format_args!("+ {requests} without a price, of {}, not counted in it.", names.join(", ")))?;
    out.line("  (git config tracevault.prices FILE names a price table of your own)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_and_ends_in_utc_and_a_moment_is_itself() {
        assert_eq!(since("2026-11-01").unwrap().to_string(), "2026-11-01T00:00:00Z");
        assert_eq!(until("2026-11-01").unwrap().to_string(), "2026-11-01T23:59:59Z");
        for parse in [since, until] {
            assert_eq!(parse("2026-11-01T08:00:00+01:00").unwrap().to_string(), "2026-11-01T07:00:00Z");
            for odd in ["", "yesterday", "2026-13-01", "2026-11", "2026-11-01T08:00", "2026-02-30"] {
                assert!(parse(odd).is_err(), "{odd}");
            }
        }
    }
}

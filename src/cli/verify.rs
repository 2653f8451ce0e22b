//! `git tracevault verify`: checks everything that is here of the ledger, offline.

use std::collections::HashMap;

use serde::Serialize;

use crate::cli::{Code, NO_TRUST_ROOT, print_findings};
use crate::finding::{Code as FindingCode, Finding, Verdict, verdict};
use crate::git::history;
use crate::host::output::{self, Out};
use crate::id::{GitId, LedgerId};
use crate::ledger::verify::{Options, Report};
use crate::ledger::{Ledger, commits};

/// Verify the ledger: chains, signatures, payloads, and the commits they speak of
///
/// Needs no network and no trust in a server. The ledger must be the one that was pinned when this clone or this user
/// first met it, or the one given with --ledger (for CI: from outside the checkout).
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The ledger id that must be here
    #[arg(long, value_name = "ID")]
    ledger: Option<LedgerId>,
    /// Also demand a record for each commit of a range, as `git rev-list` takes it (main, v1..v2)
    #[arg(long, value_name = "RANGE")]
    range: Option<String>,
    /// Also demand a record for each of these commits
    #[arg(long, value_name = "COMMIT", num_args = 1..)]
    commits: Vec<String>,
    /// Check everything anew, whatever was verified before
    #[arg(long)]
    full: bool,
    /// Use so many threads
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    threads: usize,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Answer<'a> {
    verdict: Verdict,
    ledger: Option<LedgerId>,
    chains: Vec<ChainAnswer<'a>>,
    records: u64,
    findings: &'a [Finding],
    commits: Vec<CommitAnswer>,
}

#[derive(Serialize)]
struct ChainAnswer<'a> {
    chain: String,
    member: Option<&'a str>,
    state: &'static str,
    records: u64,
    head: Option<String>,
}

#[derive(Serialize)]
struct CommitAnswer {
    commit: GitId,
    state: commits::State,
}

pub fn run(args: &Args, ledger: &Ledger, out: &mut Out) -> anyhow::Result<Code> {
    let wanted = wanted_commits(args, ledger)?;
    let pinned = args.ledger.or(ledger.pinned()?);
    let options = Options { pinned, full: args.full, threads: args.threads, entries: !wanted.is_empty(), notes: true };
    let mut report = ledger.verify(&options)?;
    let states = judge(&mut report, &wanted);
    if args.range.is_some() && ledger.repo.is_shallow() {
        let message = "this clone is shallow: commits of the range may not be here (git fetch --unshallow)";
        report.findings.push(Finding::new(FindingCode::Missing, message));
    }
    let code = if pinned.is_none() { NO_TRUST_ROOT } else { report.verdict().exit_code() };
    if args.json {
        let answer = Answer {
            verdict: if pinned.is_none() { Verdict::Inconclusive } else { report.verdict() },
            ledger: report.ledger,
            chains: report.chains.iter().map(chain_answer).collect(),
            records: report.records,
            findings: &report.findings,
            commits: states.into_iter().map(|(commit, state)| CommitAnswer { commit, state }).collect(),
        };
        out.line(serde_json::to_string(&answer)?)?;
    } else {
        print(&report, &states, pinned, out)?;
    }
    Ok(code)
}

fn wanted_commits(args: &Args, ledger: &Ledger) -> anyhow::Result<Vec<GitId>> {
    let mut wanted = Vec::new();
    if let Some(range) = &args.range {
        wanted.extend(history::rev_list(&ledger.repo, &[range.as_str()])?);
    }
    for name in &args.commits {
        wanted.push(history::resolve(&ledger.repo, name)?);
    }
    Ok(wanted)
}

/// The state of each wanted commit; those without a good record are findings.
fn judge(report: &mut Report, wanted: &[GitId]) -> Vec<(GitId, commits::State)> {
    if wanted.is_empty() {
        return Vec::new();
    }
    let known: HashMap<GitId, commits::State> = commits::states(report);
    let mut states = Vec::new();
    for commit in wanted {
        let state = known.get(commit).copied().unwrap_or(commits::State::Missing);
        let finding = match state {
            commits::State::Missing => {
                let message = format!("commit {} has no record", commit.short());
                Some(Finding::new(FindingCode::Unrecorded, message))
            }
            commits::State::Bad => {
                Some(Finding::new(FindingCode::Commit, format!("the record of commit {} is bad", commit.short())))
            }
            _ => None,
        };
        report.findings.extend(finding);
        states.push((commit.clone(), state));
    }
    states
}

fn chain_answer(chain: &crate::ledger::verify::Chain) -> ChainAnswer<'_> {
    ChainAnswer {
        chain: chain.id.to_string(),
        member: chain.member.as_deref(),
        state: if chain.pending { "pending" } else { "open" },
        records: chain.records,
        head: chain.head.map(|head| head.id.to_string()),
    }
}

fn print(
    report: &Report,
    states: &[(GitId, commits::State)],
    pinned: Option<LedgerId>,
    out: &mut Out,
) -> anyhow::Result<()> {
    let Some(ledger) = report.ledger else {
        print_findings(out, &report.findings)?;
        out.line("There is no ledger here. (git tracevault fetch, or git tracevault init to found one)")?;
        return Ok(());
    };
    out.line(format_args!("ledger {}", out.paint(output::ID, ledger)))?;
    for chain in &report.chains {
        let member = output::visible(chain.member.as_deref().unwrap_or("unknown"));
        let pending = if chain.pending { out.paint(output::WARN, "  pending") } else { String::new() };
        let records = chain.records;
        let plural = if records == 1 { "" } else { "s" };
        out.line(format_args!("chain  {}  {records:>6} record{plural}  {member}{pending}", chain.id.short()))?;
    }
    if !states.is_empty() {
        let count = |state| states.iter().filter(|(_, s)| *s == state).count();
        out.line(format_args!(
            "commits {}: {} signed, {} linked, {} missing, {} bad",
            states.len(),
            count(commits::State::Signed),
            count(commits::State::Linked),
            count(commits::State::Missing),
            count(commits::State::Bad)
        ))?;
    }
    print_findings(out, &report.findings)?;
    if pinned.is_none() {
        out.line(format_args!(
            "{} nothing here says which ledger to trust; if it is this one: git tracevault verify --ledger {ledger}",
            out.paint(output::WARN, "no trust root:")
        ))?;
        return Ok(());
    }
    let (style, word) = match verdict(&report.findings) {
        Verdict::Pass => (output::GOOD, "pass"),
        Verdict::Inconclusive => (output::WARN, "inconclusive"),
        Verdict::Fail => (output::BAD, "fail"),
    };
    let records = report.records;
    out.line(format_args!("{}  {records} records in {} chains", out.paint(style, word), report.chains.len() + 1))?;
    Ok(())
}

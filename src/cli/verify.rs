//! `git tracevault verify`: checks everything that is here of the ledger, offline.

use std::collections::HashMap;

use serde::Serialize;

use crate::cli::{Code, NO_TRUST_ROOT, format, print_findings};
use crate::finding::{Code as FindingCode, Finding, Severity, Verdict, verdict};
use crate::git::repo::Repo;
use crate::git::{diff, history};
use crate::host::clock;
use crate::host::output::{self, Out};
use crate::id::{ChainId, GitId, LedgerId};
use crate::ledger::verify::{Chain, Options, Report};
use crate::ledger::{Ledger, commits};
use crate::record::body::Role;
use crate::time::Time;

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
    /// Demand that no record has been waiting for a seal for too long
    #[arg(long)]
    require_fresh: bool,
    /// How long a record may wait for a seal (90m, 36h, 2d)
    #[arg(long, value_name = "AGE", default_value = "2d", value_parser = age)]
    max_age: i64,
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
    /// How many of them are sealed.
    sealed: u64,
    /// Since when the others have been waiting for a seal.
    waiting_since: Option<Time>,
}

#[derive(Serialize)]
struct CommitAnswer {
    commit: GitId,
    state: commits::State,
    /// When its record was made, by witnesses' clocks.
    after: Option<Time>,
    before: Option<Time>,
}

pub fn run(args: &Args, ledger: &Ledger, out: &mut Out) -> anyhow::Result<Code> {
    let wanted = wanted_commits(args, ledger)?;
    let pinned = args.ledger.or(ledger.pinned()?);
    let (entries, full) = (!wanted.is_empty(), args.full);
    let options = Options { pinned, full, threads: args.threads, entries, notes: true, ..Options::default() };
    let mut report = ledger.verify(&options)?;
    let states = judge(&ledger.repo, &mut report, &wanted);
    let stale = stale(&report, clock::now(), args);
    report.findings.extend(stale);
    if args.range.is_some() && ledger.repo.is_shallow() {
        let message = "this clone is shallow: commits of the range may not be here (git fetch --unshallow)";
        report.findings.push(Finding::new(FindingCode::Missing, message));
    }
    let code = if pinned.is_none() { NO_TRUST_ROOT } else { report.verdict().exit_code() };
    if args.json {
        let answer = Answer {
            verdict: if pinned.is_none() { Verdict::Inconclusive } else { report.verdict() },
            ledger: report.ledger,
            chains: report.chains.iter().map(|chain| chain_answer(&report, chain)).collect(),
            records: report.records,
            findings: &report.findings,
            commits: commit_answers(&report, states),
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

/// The state of each wanted commit; those without a good record are findings, but for merges that add nothing.
fn judge(repo: &Repo, report: &mut Report, wanted: &[GitId]) -> Vec<(GitId, commits::State)> {
    if wanted.is_empty() {
        return Vec::new();
    }
    let known: HashMap<GitId, commits::State> = commits::states(report);
    let mut states = Vec::new();
    for commit in wanted {
        let state = known.get(commit).copied().unwrap_or(commits::State::Missing);
        let finding = match state {
            // What came together in it has records of its own.
            commits::State::Missing if diff::adds_nothing(repo, commit) => None,
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

/// A span of time as people write it: a number and `m`, `h` or `d`; in seconds.
fn age(text: &str) -> Result<i64, String> {
    let seconds = |unit| match unit {
        "m" => Some(60),
        "h" => Some(3600),
        "d" => Some(86_400),
        _ => None,
    };
    let split = text.len().saturating_sub(1);
    let parts = text.is_char_boundary(split).then(|| text.split_at(split));
    let age = parts.and_then(|(number, unit)| number.parse::<u32>().ok().zip(seconds(unit)));
    age.map(|(number, unit)| i64::from(number) * unit).ok_or_else(|| "a number and m, h or d, as in 36h".to_owned())
}

/// The chains whose records have been waiting for a seal for too long. Where there is no witness nobody promised one.
fn stale(report: &Report, now: Time, args: &Args) -> Vec<Finding> {
    let roster = report.history.newest();
    let promised = roster.is_some_and(|roster| roster.members().any(|member| member.roles.contains(&Role::Witness)));
    if !promised && !args.require_fresh {
        return Vec::new();
    }
    let tails = report.chains.iter().filter(|chain| chain.counts()).map(|chain| (chain.id, chain.tail));
    let tails = [(ChainId::Policy, report.policy_tail)].into_iter().chain(tails);
    let mut findings = Vec::new();
    for (chain, tail) in tails.filter_map(|(chain, tail)| Some((chain, tail?))) {
        let since = tail.since(report.newest_seal().map(|seal| seal.time), now);
        if now.unix() - since.unix() > args.max_age {
            let records = format::count(tail.records, "record");
            let message = format!("{records} from number {} on are not sealed, the first since {since}", tail.from);
            let mut finding = Finding::new(FindingCode::Stale, message).chain(chain).seq(tail.from);
            if args.require_fresh {
                finding.severity = Severity::Inconclusive;
            }
            findings.push(finding);
        }
    }
    findings
}

/// Each commit's state, and between which seals its record was made.
fn commit_answers(report: &Report, states: Vec<(GitId, commits::State)>) -> Vec<CommitAnswer> {
    let records = commits::records(report);
    let answer = |(commit, state): (GitId, commits::State)| {
        let good = records.get(&commit).filter(|entry| entry.good);
        let (after, before) = good.map_or((None, None), |entry| report.bracket(entry.chain, entry.seq, entry.seal));
        CommitAnswer { commit, state, after, before }
    };
    states.into_iter().map(answer).collect()
}

fn chain_answer<'r>(report: &Report, chain: &'r Chain) -> ChainAnswer<'r> {
    let newest = report.newest_seal().map(|seal| seal.time);
    ChainAnswer {
        chain: chain.id.to_string(),
        member: chain.member.as_deref(),
        state: match chain {
            Chain { refused: true, .. } => "refused",
            Chain { pending: true, .. } => "pending",
            _ => "open",
        },
        records: chain.records,
        head: chain.head.map(|head| head.id.to_string()),
        sealed: report.sealed(chain.id),
        waiting_since: chain.tail.map(|tail| tail.since(newest, clock::now())),
    }
}

/// What a line about a chain says of seals: of a witness's chain that it is one, of others what is not sealed, if anything is.
fn sealed_so_far(report: &Report, chain: &Chain) -> String {
    match chain.tail {
        _ if chain.seals => "  (witness)".into(),
        Some(tail) if !report.witnesses.is_empty() => {
            let newest = report.newest_seal().map(|seal| seal.time);
            format!("  {} not sealed, since {}", tail.records, tail.since(newest, clock::now()))
        }
        _ => String::new(),
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
        let standing = match chain {
            Chain { refused: true, .. } => "  refused".to_owned(),
            Chain { pending: true, .. } => out.paint(output::WARN, "  pending"),
            _ if report.history.has_let_go(chain.id) => "  removed".to_owned(),
            _ => String::new(),
        };
        let records = chain.records;
        let plural = if records == 1 { "" } else { "s" };
        let sealed = sealed_so_far(report, chain);
        out.line(format_args!("chain  {}  {records:>6} record{plural}  {member}{standing}{sealed}", chain.id.short()))?;
    }
    if !states.is_empty() {
        let count = |state| states.iter().filter(|(_, s)| *s == state).count();
        out.line(format_args!(
            "commits {}: {} sealed, {} signed, {} linked, {} missing, {} bad",
            states.len(),
            count(commits::State::Sealed),
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

//! `git tracevault check`: what the rules say of commits, in force or not yet.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Serialize;

use crate::cli::report::{self, junit, markdown, sarif};
use crate::cli::{COULD_NOT_TELL, Code, NO_TRUST_ROOT, format, policy};
use crate::finding::Verdict;
use crate::git::history;
use crate::host::output::{self, Out};
use crate::id::{GitId, RepoPath};
use crate::ledger::Ledger;
use crate::ledger::append::Writer;
use crate::ledger::rules::InForce;
use crate::policy::{Level, Outcome, Policy, Report};

/// Check commits against the rules in force
///
/// Without a range: the commits that are not pushed yet, or else HEAD. An ordinary push does the same before the code goes.
/// Works offline, with the records that are here. Exits with 0 if the rules let the commits go, with 1 if a rule that
/// blocks is broken, and with 2 if it cannot be told whether one is.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The commits, as `git rev-list` takes them (v1..v2)
    #[arg(long, value_name = "RANGE")]
    range: Option<String>,
    /// One commit, or a range
    #[arg(value_name = "COMMIT", conflicts_with = "range")]
    commit: Option<String>,
    /// Judge by the rules in this file instead
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Keep the answer as a signed record on this clone's chain, as a push does
    #[arg(long, conflicts_with = "policy")]
    record: bool,
    /// In which form to answer
    #[arg(long, value_enum, default_value = "text", value_name = "FORM")]
    format: Format,
    /// Print one JSON object, as --format json does
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

/// In which form an answer is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For eyes
    Text,
    /// One JSON object
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// JUnit's XML, for test reports
    Junit,
    /// Markdown, for a comment or a summary
    Markdown,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Answer<'a> {
    verdict: &'static str,
    rules: Vec<RuleAnswer<'a>>,
}

#[derive(Serialize)]
struct RuleAnswer<'a> {
    rule: &'a str,
    condition: &'a str,
    level: Level,
    outcome: Verdict,
    /// Empty where it passes.
    message: String,
    commits: BTreeSet<&'a GitId>,
    files: BTreeSet<&'a RepoPath>,
}

pub fn run(args: &Args, ledger: &Ledger, dir: &Path, out: &mut Out) -> anyhow::Result<Code> {
    let named = args.range.as_deref().map(|range| (range, true));
    let named = named.or_else(|| args.commit.as_deref().map(|commit| (commit, commit.contains(".."))));
    let file = args.policy.as_ref().map(|file| dir.join(file));
    let format = if args.json { Format::Json } else { args.format };
    judge(ledger, named, &Asked { file: file.as_deref(), record: args.record, format }, out)
}

/// How commits are to be judged.
pub struct Asked<'a> {
    /// By the rules in this file, instead of those in force.
    pub file: Option<&'a Path>,
    /// And the answer kept as a record.
    pub record: bool,
    pub format: Format,
}

/// Judges commits by the rules in a file, or by those in force.
pub fn judge(ledger: &Ledger, named: Option<(&str, bool)>, asked: &Asked<'_>, out: &mut Out) -> anyhow::Result<Code> {
    let (rules, in_force) = match asked.file {
        Some(file) => match policy::read(file)? {
            Ok((_, policy)) => (policy, None),
            Err(errors) => {
                policy::tell_errors(file, &errors);
                return Ok(COULD_NOT_TELL);
            }
        },
        None => match ledger.rules()? {
            InForce::Rules(rules) => (Policy::read(&rules.toml), Some(rules.set)),
            InForce::None => return none_in_force(asked.format, out),
            InForce::Untold(why) => anyhow::bail!("which rules are in force cannot be told: {why}"),
        },
    };
    if ledger.pinned()?.is_none() {
        output::say("no trust root: nothing here says which ledger to trust. (git tracevault verify)");
        match asked.format {
            Format::Text => {}
            Format::Json => out.json(&Answer { verdict: "block", rules: Vec::new() })?,
            _ => write(&report::no_trust_root(), asked.format, 0, out)?,
        }
        return Ok(NO_TRUST_ROOT);
    }
    let commits = commits(ledger, named)?;
    let report = ledger.judge(&rules, &commits)?;
    if let (true, Some(set)) = (asked.record, in_force) {
        Writer::open(ledger)?.record_check(&report, &commits, set)?;
    }
    match asked.format {
        Format::Text => tell(&report, commits.len(), out)?,
        Format::Json => out.json(&answer(&report))?,
        _ => {
            let mut told = report::Report::of_policy(&report);
            if let Some(head) = commits.last() {
                told.find_lines(&ledger.repo, head);
            }
            write(&told, asked.format, commits.len(), out)?;
        }
    }
    Ok(report.verdict.exit_code())
}

/// Prints a report in one of the forms that other programs read.
fn write(report: &report::Report, format: Format, commits: usize, out: &mut Out) -> anyhow::Result<()> {
    let text = match format {
        Format::Sarif => sarif::write(report),
        Format::Junit => junit::write(report),
        Format::Text | Format::Json | Format::Markdown => markdown::write(report, commits),
    };
    Ok(out.line(text.trim_end())?)
}

fn none_in_force(format: Format, out: &mut Out) -> anyhow::Result<Code> {
    match format {
        Format::Text => out.line("No rules are in force. (git tracevault policy edit)")?,
        Format::Json => out.json(&Answer { verdict: "pass", rules: Vec::new() })?,
        _ => write(&report::Report::clean(), format, 0, out)?,
    }
    Ok(0)
}

/// The commits that were named, oldest first; without a name those not pushed yet, or else HEAD.
fn commits(ledger: &Ledger, named: Option<(&str, bool)>) -> anyhow::Result<Vec<GitId>> {
    let repo = &ledger.repo;
    match named {
        Some((range, true)) => Ok(history::range(repo, range)?),
        Some((commit, false)) => Ok(vec![history::resolve(repo, commit)?]),
        None => {
            let head = history::resolve(repo, "HEAD")?;
            let unpushed = match super::remote_name(ledger, None) {
                Ok(remote) => history::unpushed(repo, std::slice::from_ref(&head), &remote, &[])?,
                Err(_) => Vec::new(),
            };
            Ok(if unpushed.is_empty() { vec![head] } else { unpushed })
        }
    }
}

/// `warn`: no rule stops the commits, and not all are kept.
fn word(report: &Report) -> &'static str {
    match report.verdict {
        Verdict::Fail | Verdict::Inconclusive => "block",
        Verdict::Pass if report.findings.is_empty() => "pass",
        Verdict::Pass => "warn",
    }
}

fn answer(report: &Report) -> Answer<'_> {
    let rules = report.rules.iter().map(|rule| {
        let about = || report.findings.iter().filter(|finding| finding.rule == rule.rule);
        let messages = about().map(|finding| format!("{}. To do: {}", finding.message, finding.advice));
        RuleAnswer {
            rule: &rule.rule,
            condition: &rule.condition,
            level: rule.level,
            outcome: rule.outcome,
            message: messages.collect::<Vec<_>>().join("\n"),
            commits: about().filter_map(|finding| finding.commit.as_ref()).collect(),
            files: about().filter_map(|finding| finding.path.as_ref()).collect(),
        }
    });
    Answer { verdict: word(report), rules: rules.collect() }
}

fn tell(report: &Report, commits: usize, out: &mut Out) -> anyhow::Result<()> {
    tell_findings(report, out)?;
    let (style, word) = match word(report) {
        "block" if report.verdict == Verdict::Inconclusive => (output::WARN, "block (cannot be told)"),
        "block" => (output::BAD, "block"),
        "warn" => (output::WARN, "warn"),
        word => (output::GOOD, word),
    };
    let (rules, commits) = (report.rules.len() as u64, commits as u64);
    let checked = format!("{} checked by {}", format::count(commits, "commit"), format::count(rules, "rule"));
    out.line(format_args!("{}  {checked}", out.paint(style, word)))?;
    Ok(())
}

/// Prints what is not kept, or may not be, and what to do about it.
pub fn tell_findings(report: &Report, out: &mut Out) -> std::io::Result<()> {
    for finding in &report.findings {
        let style = if finding.level == Level::Block { output::BAD } else { output::WARN };
        let word = match (finding.level, finding.outcome) {
            (Level::Block, Outcome::Violated) => "block",
            (Level::Block, Outcome::Inconclusive) => "block?",
            (Level::Warn, Outcome::Violated) => "warn",
            (Level::Warn, Outcome::Inconclusive) => "warn?",
        };
        out.line(format_args!("{} {}", out.paint(style, format!("{word:<6}")), format::one_line(&finding.message)))?;
        out.line(out.paint(output::DIM, format!("       to do: {}", format::one_line(&finding.advice))))?;
    }
    Ok(())
}

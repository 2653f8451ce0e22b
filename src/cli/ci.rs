//! `git tracevault ci`: what a job of continuous integration runs, everywhere the same.

mod event;
mod github;
mod judge;
mod machine;
mod range;
mod summary;

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::ValueEnum;

use crate::cli::report::{Report, junit, markdown, no_trust_root, sarif};
use crate::cli::{COULD_NOT_TELL, Code, NO_TRUST_ROOT, format, remote_name, told};
use crate::finding::{self, Verdict};
use crate::git::history::{self, Asked, CommitInfo};
use crate::host::env::{self, GitHub, GitLab};
use crate::host::output::{self, Out};
use crate::host::{files, random};
use crate::id::{GitId, LedgerId};
use crate::ledger::commits::State;
use crate::ledger::remote::Remote;
use crate::ledger::{Ledger, LedgerError};
use event::{Event, Fork, Job};
use judge::Judged;
use machine::Key;
use range::Range;

/// Verify and check, in CI, the commits that a job is about
///
/// On GitHub Actions and GitLab CI the commits of the push, pull request or merge queue are found by what the server says;
/// elsewhere they are named with --range. What a shallow clone lacks of them is fetched, and so is the ledger. Then the ledger is
/// verified, each commit must have a record (--level), and the rules in force are checked. Exits as verify and check do.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The ledger id that must be here: from outside the checkout, as in the workflow
    #[arg(long, value_name = "ID")]
    ledger: Option<LedgerId>,
    /// The commits, as `git rev-list` takes them (v1..v2)
    #[arg(long, value_name = "RANGE")]
    range: Option<String>,
    /// What must stand behind each commit
    #[arg(long, value_enum, default_value = "linked", value_name = "LEVEL")]
    level: Level,
    /// What to do
    #[arg(long, value_enum, default_value = "verify", value_name = "MODE")]
    mode: Mode,
    /// The machine's key, to seal or link with; without it, its text is in TRACEVAULT_CI_KEY
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Append the summary, in Markdown, to this file; on GitHub it is the step's without being asked
    #[arg(long, value_name = "FILE")]
    summary: Option<PathBuf>,
    /// Write what was found as SARIF
    #[arg(long, value_name = "FILE")]
    sarif: Option<PathBuf>,
    /// Write what was found as JUnit's XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// What must stand behind each commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// A record, or a link to a recorded commit that it repeats
    Linked,
    /// A record of its own
    Signed,
    /// A record of its own that witnesses have sealed
    Sealed,
}

impl Level {
    fn state(self) -> State {
        match self {
            Level::Linked => State::Linked,
            Level::Signed => State::Signed,
            Level::Sealed => State::Sealed,
        }
    }
}

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// Verify the ledger and check the commits
    Verify,
    /// Seal the ledger as a witness, and publish notes
    Seal,
    /// Link commits that a server rewrote, then verify
    Link,
}

/// Where this runs.
enum Server {
    GitHub(GitHub),
    GitLab(GitLab),
    None,
}

pub fn run(args: &Args, dir: &Path, out: &mut Out) -> anyhow::Result<Code> {
    let server = match (env::github(), env::gitlab()) {
        (Some(job), _) => Server::GitHub(job),
        (None, Some(job)) => Server::GitLab(job),
        (None, None) => Server::None,
    };
    let Server::GitHub(job) = &server else {
        return Ok(Run { args, dir, server: &server }.run(out)?.0);
    };
    // What is printed has texts of anybody's.
    let (silence, speak) = github::silence(&hex::encode(random::bytes32()));
    out.line(silence)?;
    out.flush()?;
    let done = Run { args, dir, server: &server }.run(out);
    out.line(speak)?;
    match done {
        Ok((code, report)) => {
            github::annotations(&report).iter().try_for_each(|line| out.line(line))?;
            Ok(code)
        }
        Err(error) => {
            let hint = error.downcast_ref::<LedgerError>().and_then(LedgerError::hint);
            let hint = hint.map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
            out.line(github::failure(&format!("{}{hint}", told(&error))))?;
            append(job.outputs.as_deref(), &github::output("verdict", &Verdict::Inconclusive.to_string()))?;
            Ok(COULD_NOT_TELL)
        }
    }
}

/// One run of a job.
struct Run<'a> {
    args: &'a Args,
    dir: &'a Path,
    server: &'a Server,
}

impl Run<'_> {
    /// The exit code, and what was found.
    fn run(&self, out: &mut Out) -> anyhow::Result<(Code, Report)> {
        let args = self.args;
        let ledger = Ledger::open(self.dir)?;
        let Some(pinned) = self.pin(&ledger)? else { return self.no_trust_root(&ledger, out) };
        let mut ledger = Ledger::open(self.dir)?;
        let remote = remote_name(&ledger, None)?;
        if args.mode == Mode::Seal {
            let key = Key::find(args.key.as_deref())?;
            let code = machine::seal(&ledger, &remote, &key, out)?;
            let (verdict, said) = match code {
                0 => (Verdict::Pass, "The ledger is sealed, and the notes are published."),
                1 => (Verdict::Fail, "Nothing was sealed: the ledger does not verify, or the remote did not take it."),
                _ => (Verdict::Inconclusive, "Nothing was sealed: the ledger could not be verified."),
            };
            self.files(&Report::clean(), &format!("{}{said}\n", markdown::heading(verdict, false)))?;
            self.outputs(&[("verdict", verdict.to_string())])?;
            return Ok((code, Report::clean()));
        }
        let (what, range, fork) = self.range(&ledger, &remote)?;
        let mut found = Remote::new(&ledger, &remote).fetch()?.findings;
        let mut notes = Vec::new();
        if let Some(fork) = &fork {
            notes.push(from_fork(&ledger, &remote, fork, &mut found));
        }
        // Commits, records and the policy may have come.
        ledger = Ledger::open(&ledger.repo.home())?;
        if args.mode == Mode::Link {
            let key = Key::find(args.key.as_deref())?;
            let links = machine::link(&mut ledger, &remote, &key, &range.commits)?;
            out.line(format_args!("Linked {}.", format::count(links.len() as u64, "commit")))?;
        }
        let judged = judge::judge(&ledger, &range, args.level, &found)?;
        self.tell(&ledger, &what, &range, pinned, &judged, &notes, out)?;
        Ok((judged.report.verdict.exit_code(), judged.report))
    }

    /// The ledger that is trusted before anything is fetched; this clone trusts it from now on.
    fn pin(&self, ledger: &Ledger) -> anyhow::Result<Option<LedgerId>> {
        match (self.args.ledger, ledger.pinned()?) {
            (Some(asked), Some(pinned)) if asked != pinned && ledger.config.pinned.is_some() => {
                bail!("this clone trusts ledger {pinned}, and the job names {asked}")
            }
            (Some(id), _) | (None, Some(id)) => {
                ledger.pin(id)?;
                Ok(Some(id))
            }
            (None, None) => Ok(None),
        }
    }

    /// Says which line the job lacks. What the checkout says of itself is no reason to trust it.
    fn no_trust_root(&self, ledger: &Ledger, out: &mut Out) -> anyhow::Result<(Code, Report)> {
        let claimed = ledger.config.committed.as_ref().map(|file| file.ledger.to_string());
        let id = claimed.clone().unwrap_or_else(|| "ID".into());
        let line = match self.server {
            Server::GitHub(_) => format!("with: {{ ledger: {id} }}"),
            Server::GitLab(_) => format!("variables: {{ TRACEVAULT_LEDGER: {id} }}"),
            Server::None => format!("git tracevault ci --ledger {id}"),
        };
        out.line("no trust root: nothing outside the checkout says which ledger to trust. Add to the job:")?;
        out.line(format_args!("  {line}"))?;
        let check = match claimed {
            Some(_) => "The id is the checkout's own word; compare it in a clone that you trust: git tracevault verify",
            None => "A clone that you trust says the id: git tracevault verify",
        };
        out.line(check)?;
        let report = no_trust_root();
        let mut page = markdown::write(&report, 0);
        page += &format!("Add to the job: {}\n\n{}.\n", markdown::code(&line), markdown::text(check));
        self.files(&report, &page)?;
        self.outputs(&[("verdict", Verdict::Inconclusive.to_string())])?;
        Ok((NO_TRUST_ROOT, report))
    }

    /// What happened, the commits that came, and the fork that they come from.
    fn range(&self, ledger: &Ledger, remote: &str) -> anyhow::Result<(String, Range, Option<Fork>)> {
        if let Some(range) = &self.args.range {
            return Ok(("named commits".into(), range::named(&ledger.repo, remote, range)?, None));
        }
        let dir = ledger.prefix.dir();
        let job = match self.server {
            Server::GitHub(job) => event::github(job, &payload(job)?, &dir)?,
            Server::GitLab(job) => event::gitlab(job, &dir)?,
            Server::None => bail!("this is no CI server that is known; name the commits with --range"),
        };
        match job {
            Job::Nothing(why) => Ok((why, Range::nothing(), None)),
            Job::Commits(event) => {
                let range = range::of_event(&ledger.repo, remote, &event)?;
                let Event { what, fork, .. } = event;
                Ok((what, range, fork))
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "what there is to tell")]
    fn tell(
        &self,
        ledger: &Ledger,
        what: &str,
        range: &Range,
        pinned: LedgerId,
        judged: &Judged,
        notes: &[String],
        out: &mut Out,
    ) -> anyhow::Result<()> {
        let infos = infos(ledger, judged)?;
        let page = summary::Page { what, range, ledger: pinned, infos: &infos, notes };
        self.files(&judged.report, &summary::write(&page, judged))?;
        print(what, range, judged, out)?;
        for note in notes {
            out.line(note)?;
        }
        let lines = judged.lines();
        self.outputs(&[
            ("verdict", judged.report.verdict.to_string()),
            ("range", range.shown.clone()),
            ("commits", judged.commits.len().to_string()),
            ("agent-share", format::share(lines.agent, lines.added)),
            ("sessions", judged.sessions().len().to_string()),
            ("cost-usd", judged.cost().map(|cost| cost.to_string()).unwrap_or_default()),
            ("findings", judged.report.findings.len().to_string()),
        ])
    }

    /// Writes what was asked for in files, and annotations where they are read.
    fn files(&self, report: &Report, page: &str) -> anyhow::Result<()> {
        let github = match self.server {
            Server::GitHub(job) => job.summary.as_deref(),
            Server::GitLab(_) | Server::None => None,
        };
        let asked = self.args.summary.as_ref().map(|file| self.dir.join(file));
        append(asked.as_deref().or(github), &summary::shown(page))?;
        let write = |file: &Option<PathBuf>, text: &dyn Fn() -> String| -> anyhow::Result<()> {
            let Some(path) = file.as_ref().map(|file| self.dir.join(file)) else { return Ok(()) };
            files::replace_keeping_mode(&path, text().as_bytes())
                .with_context(|| format!("cannot write {}", path.display()))
        };
        write(&self.args.sarif, &|| sarif::write(report))?;
        write(&self.args.junit, &|| junit::write(report))
    }

    fn outputs(&self, values: &[(&str, String)]) -> anyhow::Result<()> {
        let Server::GitHub(job) = self.server else { return Ok(()) };
        let text: String = values.iter().map(|(name, value)| github::output(name, value)).collect();
        append(job.outputs.as_deref(), &text)
    }
}

/// The payload of the event that a job on GitHub runs for.
fn payload(job: &GitHub) -> anyhow::Result<serde_json::Value> {
    let Some(path) = &job.payload else { return Ok(serde_json::Value::Null) };
    let read = || format!("cannot read the event {}", path.display());
    let bytes = files::read_small(path, MAX_PAYLOAD).with_context(read)?.with_context(read)?;
    serde_json::from_slice(&bytes).with_context(read)
}

/// GitHub's own limit of a payload.
const MAX_PAYLOAD: u64 = 25 << 20;

fn append(file: Option<&Path>, text: &str) -> anyhow::Result<()> {
    let Some(path) = file else { return Ok(()) };
    let write = || OpenOptions::new().create(true).append(true).open(path)?.write_all(text.as_bytes());
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// Brings the records of a fork here, and says how they come to the remote: without them the commits have no record there.
fn from_fork(ledger: &Ledger, remote: &str, fork: &Fork, found: &mut Vec<finding::Finding>) -> String {
    let Fork { name, url } = fork;
    let name = markdown::code(name);
    let fetched = url.as_ref().map(|url| Remote::new(ledger, url).fetch());
    if let (Some(url), Some(Ok(fetched))) = (url, fetched) {
        found.extend(fetched.findings);
        let all = format!("'{0}*:{0}*'", ledger.prefix.dir());
        let (fetch, push) = (format!("git fetch {url} {all}"), format!("git push {remote} {all}"));
        return format!(
            "The commits come from the fork {name}, and their records lie there. Before they are merged, somebody who may \
             push brings the records along: {}, then {}.",
            markdown::code(&fetch),
            markdown::code(&push)
        );
    }
    format!(
        "The commits come from the fork {name}, and its records cannot be fetched. Whoever made the commits pushes them there: \
         `git tracevault push`."
    )
}

/// What the commits of the page's table say of themselves.
fn infos(ledger: &Ledger, judged: &Judged) -> anyhow::Result<HashMap<GitId, CommitInfo>> {
    let shown = judged.commits.iter().rev().take(summary::MAX_COMMITS);
    let names: Vec<_> = shown.map(|row| row.commit.as_str().into()).collect();
    if names.is_empty() {
        return Ok(HashMap::new());
    }
    let asked = Asked { options: vec!["--no-walk".into()], names, ..Asked::default() };
    let infos = history::log(&ledger.repo.home(), &asked)?;
    Ok(infos.into_iter().map(|info| (info.id.clone(), info)).collect())
}

/// The same for the job's log.
fn print(what: &str, range: &Range, judged: &Judged, out: &mut Out) -> anyhow::Result<()> {
    let commits = format::count(judged.commits.len() as u64, "commit");
    out.line(format_args!("{}, {}: {commits}", format::one_line(what), format::one_line(&range.shown)))?;
    for row in &judged.commits {
        let share = row.lines.map_or("?".into(), |lines| format::share(lines.agent, lines.added));
        out.line(format_args!("  {}  {:<7}  {share:>4} by agents", row.commit.short(), row.state))?;
    }
    for finding in &judged.report.findings {
        out.line(format_args!("{:<6} {}: {}", finding.word(), finding.rule, format::one_line(&finding.told())))?;
    }
    let (style, word) = match judged.report.verdict {
        Verdict::Pass => (output::GOOD, "pass"),
        Verdict::Inconclusive => (output::WARN, "inconclusive"),
        Verdict::Fail => (output::BAD, "fail"),
    };
    let rules = judged.rules.map_or("no rules are in force".into(), |n| format!("the rules of policy record {n}"));
    let records = format::count(judged.records, "record");
    Ok(out.line(format_args!("{}  {records}, {rules}", out.paint(style, word)))?)
}

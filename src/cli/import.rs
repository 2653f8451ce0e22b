//! `git tracevault import`: what other programs claim of commits' lines, kept apart from the ledger.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use serde::Serialize;

use crate::attribution::interchange::claim::{self, Claim, Form};
use crate::attribution::interchange::git_ai;
use crate::attribution::trace::{Contributor, TraceRange};
use crate::cli::export::{Asked, Format};
use crate::cli::format::count;
use crate::cli::pager::paged;
use crate::cli::table::{COLUMN, Cell, Column, Table};
use crate::cli::{COULD_NOT_TELL, Code};
use crate::host::output::{self, Out};
use crate::id::{GitId, RepoPath};
use crate::ledger::Ledger;
use crate::ledger::claims::{Checked, Checker};
use crate::ledger::refs::{CLAIMS, GIT_AI_NOTES};
use crate::time::Time;

/// Keep what other tools claim of whose lines are whose
///
/// From files in the form of agent-trace: one trace, or one after the other as JSON lines are. From git-ai: the notes in
/// refs/notes/ai, of all commits or of a range.
///
/// What is imported is a claim, and is never taken for evidence: it is kept in refs/notes/tracevault-claims of this clone,
/// signed by nobody and pushed by nobody. Each claim must name a commit that is here, and files and lines that the commit
/// has. If anything in the files is wrong, nothing is stored; a wrong note keeps no other note out. A later claim of the
/// same tool about a commit takes the place of its earlier one. Transcripts, people's names, and texts in which a
/// secret is found are left out.
#[derive(clap::Args, Debug)]
#[command(override_usage = "git tracevault import FILE...\n       \
    git tracevault import --format git-ai [RANGE]\n       \
    git tracevault import --list [--json] [RANGE]")]
pub struct Args {
    /// Files with traces ("-" is standard input); for git-ai and --list a commit or range of commits
    #[arg(value_name = "FILE|RANGE")]
    names: Vec<OsString>,
    /// The form to read
    #[arg(long, value_enum, default_value_t = Format::AgentTrace, conflicts_with = "list")]
    format: Format,
    /// List the claims that are kept
    #[arg(long)]
    list: bool,
    /// Print a JSON object a claim
    #[arg(long, requires = "list")]
    json: bool,
}

/// The largest file that is read.
const MAX_FILE_BYTES: u64 = 64 << 20;

pub fn run(args: &Args, ledger: &Ledger, dir: &Path, out: &mut Out) -> anyhow::Result<Code> {
    match (args.list, args.format) {
        (true, _) => list(args, ledger, out),
        (false, Format::AgentTrace) => from_files(&args.names, ledger, dir, out),
        (false, Format::GitAi) => from_notes(args, ledger, out),
    }
}

fn from_files(files: &[OsString], ledger: &Ledger, dir: &Path, out: &mut Out) -> anyhow::Result<Code> {
    if files.is_empty() {
        bail!("name a file to import (git tracevault import --help)");
    }
    let mut checker = Checker::new(ledger)?;
    let mut claims = Vec::new();
    for file in files {
        let name = output::visible(&file.to_string_lossy());
        let bytes = read(file, dir).with_context(|| format!("cannot read {name}"))?;
        let failed = |line: usize, error: &dyn Display| anyhow!("{name}:{line}: {error}; nothing is imported");
        let traces = claim::read_traces(&bytes).map_err(|error| failed(error.line, &error.reason))?;
        if traces.is_empty() {
            bail!("{name} holds no trace; nothing is imported");
        }
        for (line, trace) in traces {
            claims.push(checker.check(Form::AgentTrace, trace).map_err(|error| failed(line, &error))?);
        }
    }
    store(&claims, ledger, out)?;
    Ok(0)
}

/// A file's bytes, or those of standard input.
fn read(file: &OsStr, dir: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = MAX_FILE_BYTES + 1;
    if file == "-" {
        std::io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    } else {
        fs::File::open(dir.join(file))?.take(most).read_to_end(&mut bytes)?;
    }
    if bytes.len() as u64 > MAX_FILE_BYTES {
        bail!("it has more than {} MiB", MAX_FILE_BYTES >> 20);
    }
    Ok(bytes)
}

fn from_notes(args: &Args, ledger: &Ledger, out: &mut Out) -> anyhow::Result<Code> {
    let wanted = range(args, ledger)?;
    let found = ledger.git_ai_claims(|commit| wanted.as_ref().is_none_or(|wanted| wanted.contains(commit)))?;
    let (mut claims, mut bad) = (Vec::new(), 0);
    for (commit, checked) in found {
        match checked {
            Ok(checked) => claims.push(checked),
            Err(error) => {
                bad += 1;
                let place = format!("{GIT_AI_NOTES}, the note on commit {}", commit.short());
                output::say(format_args!("warning: {place} is not imported: {}", output::visible(&error.to_string())));
            }
        }
    }
    store(&claims, ledger, out)?;
    Ok(if bad == 0 { 0 } else { COULD_NOT_TELL })
}

fn store(claims: &[Checked], ledger: &Ledger, out: &mut Out) -> anyhow::Result<()> {
    let stored = ledger.store_claims(claims)?;
    let mut told = vec![format!("{} kept in {CLAIMS}", count(stored.new as u64, "new claim"))];
    let mut tell = |n: usize, what: &str| told.extend((n > 0).then(|| format!("{n} {what}")));
    tell(stored.replaced, "in place of earlier ones");
    tell(stored.same, "there already");
    Ok(out.line(told.join(", "))?)
}

/// The commits of the range that is named, if one is.
fn range(args: &Args, ledger: &Ledger) -> anyhow::Result<Option<HashSet<GitId>>> {
    let name = match args.names.as_slice() {
        [] => return Ok(None),
        [name] => name.to_string_lossy(),
        _ => bail!("name one range at most"),
    };
    Ok(Some(Asked::of(&name, ledger)?.commits().iter().cloned().collect()))
}

/// A claim in JSON.
#[derive(Serialize)]
struct ClaimLine<'a> {
    commit: &'a GitId,
    form: Form,
    tool: Option<&'a str>,
    tool_version: Option<&'a str>,
    time: Option<Time>,
    files: Vec<File<'a>>,
}

#[derive(Serialize)]
struct File<'a> {
    path: &'a RepoPath,
    ranges: Vec<Range<'a>>,
}

#[derive(Serialize)]
struct Range<'a> {
    start: u32,
    end: u32,
    contributor: Contributor,
    agent: Option<String>,
    session: Option<String>,
    model: Option<&'a str>,
    url: Option<&'a str>,
    content_hash: Option<&'a str>,
}

impl<'a> ClaimLine<'a> {
    fn of(commit: &'a GitId, Claim { form, trace }: &'a Claim) -> Self {
        let range = |range: &'a TraceRange| {
            let (agent, session) = range.url.as_deref().and_then(git_ai::parse_session_uri).unzip();
            Range {
                start: range.start,
                end: range.end,
                contributor: range.contributor,
                agent,
                session,
                model: range.model.as_deref(),
                url: range.url.as_deref(),
                content_hash: range.content_hash.as_deref(),
            }
        };
        let files = trace.files.iter();
        ClaimLine {
            commit,
            form: *form,
            tool: trace.tool.as_deref(),
            tool_version: trace.tool_version.as_deref(),
            time: trace.time,
            files: files.map(|f| File { path: &f.path, ranges: f.ranges.iter().map(range).collect() }).collect(),
        }
    }
}

const COLUMNS: [Column; 6] = [
    Column { head: "COMMIT", ..COLUMN },
    Column { head: "FORM", goes: 1, ..COLUMN },
    Column { head: "TOOL", most: 32, ..COLUMN },
    Column { head: "FILES", right: true, ..COLUMN },
    Column { head: "AI", right: true, ..COLUMN },
    Column { head: "OTHER", right: true, ..COLUMN },
];

fn list(args: &Args, ledger: &Ledger, out: &mut Out) -> anyhow::Result<Code> {
    let wanted = range(args, ledger)?;
    let claims = match wanted {
        Some(wanted) => {
            let mut wanted: Vec<GitId> = wanted.into_iter().collect();
            wanted.sort();
            let claims = wanted.into_iter().map(|commit| Ok((commit.clone(), ledger.claims_of(&commit)?)));
            claims.collect::<anyhow::Result<Vec<_>>>()?
        }
        None => ledger.claims()?,
    };
    let mut table = Table::new(&COLUMNS);
    for (commit, claim) in claims.iter().flat_map(|(commit, claims)| claims.iter().map(move |claim| (commit, claim))) {
        match args.json {
            true => out.json(&ClaimLine::of(commit, claim))?,
            false => table.row(row(commit, claim)),
        }
    }
    if !args.json {
        paged(ledger, out, |out| Ok(table.print(out)?))?;
    }
    Ok(0)
}

fn row(commit: &GitId, Claim { form, trace }: &Claim) -> Vec<Cell> {
    let (mut ai, mut other) = (0, 0);
    for range in trace.files.iter().flat_map(|file| &file.ranges) {
        let lines = u64::from(range.end - range.start) + 1;
        *(if range.contributor == Contributor::Ai { &mut ai } else { &mut other }) += lines;
    }
    let tool = [trace.tool.as_deref(), trace.tool_version.as_deref()];
    vec![
        Cell::new(commit.short(), output::ID),
        Cell::plain(form.as_str()),
        Cell::plain(tool.into_iter().flatten().collect::<Vec<_>>().join(" ")),
        Cell::plain(trace.files.len().to_string()),
        Cell::plain(ai.to_string()),
        Cell::plain(other.to_string()),
    ]
}

//! `git tracevault export`: what the records say of commits' lines, and sessions as they were said, for other tools.

mod transcript;

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::attribution::interchange::claim::Form;
use crate::cli::access::LogAccess;
use crate::cli::format::{count, one_line};
use crate::cli::{Code, read_book};
use crate::git::history;
use crate::host::files;
use crate::host::output::{self, Out};
use crate::id::GitId;
use crate::ledger::Ledger;
use crate::ledger::origins::Origins;
use crate::ledger::query::Book;
use crate::ledger::refs::GIT_AI_NOTES;

/// Give other tools what the records say of whose lines are whose
///
/// As agent-trace (Agent Trace 0.1.0): the trace of a commit's record, byte for byte as it was recorded, so that its
/// SHA-256 is the one in the record; of a range a trace a line, the oldest commit first.
///
/// As git-ai (authorship/3.0.0): a note on each commit in refs/notes/ai, where editors and tools that know git-ai look for it.
/// A note that somebody else wrote stays. No part of a conversation is in a note.
///
/// Only records that hold are told. Commits of a range that have none are counted and left out.
///
/// With --session, a session instead: its transcript as it was recorded, redacted, line for line, the conversation's own
/// lines first, then its subagents'. Where any of it is missing, or encrypted to others, the command ends with 2, and no file
/// is written.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// A commit, or a range as git rev-list takes it (v1..v2)
    #[arg(value_name = "COMMIT|RANGE", default_value = "HEAD")]
    name: String,
    /// The form to write
    #[arg(long, value_enum, default_value_t = Format::AgentTrace)]
    format: Format,
    /// Where to write; "-" is standard output, which for git-ai takes one commit and writes no note
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write the transcript of this session; 4 characters or more of its id will do
    #[arg(long, value_name = "ID", conflicts_with_all = ["name", "format", "force"])]
    session: Option<String>,
    #[command(flatten)]
    log: LogAccess,
    /// Write over notes that somebody else wrote
    #[arg(long)]
    force: bool,
}

/// The forms of other tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    AgentTrace,
    GitAi,
}

impl From<Format> for Form {
    fn from(format: Format) -> Self {
        match format {
            Format::AgentTrace => Form::AgentTrace,
            Format::GitAi => Form::GitAi,
        }
    }
}

/// What is asked about.
pub enum Asked {
    Commit(GitId),
    /// The oldest first.
    Range(Vec<GitId>),
}

impl Asked {
    pub fn of(name: &str, ledger: &Ledger) -> anyhow::Result<Self> {
        if let Ok(commit) = history::resolve(&ledger.repo, name) {
            return Ok(Asked::Commit(commit));
        }
        let mut commits = history::rev_list(&ledger.repo, &[name])
            .map_err(|_| anyhow::anyhow!("{name} is neither a commit nor a range of commits that are here"))?;
        commits.reverse();
        Ok(Asked::Range(commits))
    }

    pub fn commits(&self) -> &[GitId] {
        match self {
            Asked::Commit(commit) => std::slice::from_ref(commit),
            Asked::Range(commits) => commits,
        }
    }
}

pub fn run(args: &Args, ledger: &Ledger, dir: &Path, out: &mut Out) -> anyhow::Result<Code> {
    if let Some(session) = &args.session {
        let (report, prices) = (read_book(ledger)?, ledger.prices()?);
        let mut sink = Sink::new(args.output.as_deref(), dir, out);
        transcript::write(session, &args.log, ledger, &Book::new(&report, &prices), &mut sink)?;
        sink.close()?;
        return Ok(0);
    }
    let asked = Asked::of(&args.name, ledger)?;
    let report = read_book(ledger)?;
    let prices = ledger.prices()?;
    let book = Book::new(&report, &prices);
    match args.format {
        Format::AgentTrace => agent_trace(args, &asked, ledger, &book, dir, out),
        Format::GitAi => git_ai(args, &asked, ledger, &book, dir, out),
    }?;
    Ok(0)
}

fn agent_trace(
    args: &Args,
    asked: &Asked,
    ledger: &Ledger,
    book: &Book<'_>,
    dir: &Path,
    out: &mut Out,
) -> anyhow::Result<()> {
    if args.force {
        bail!("--force is for notes (--format git-ai)");
    }
    let mut sink = Sink::new(args.output.as_deref(), dir, out);
    match asked {
        Asked::Commit(commit) => {
            let Some(entry) = book.record_of(commit) else { return Err(unrecorded(commit, book)) };
            sink.write(&ledger.trace_bytes(entry)?)?;
            sink.end_line()?;
        }
        Asked::Range(commits) => {
            let mut without = 0;
            for commit in commits {
                match book.record_of(commit) {
                    Some(entry) => {
                        sink.write(&ledger.trace_bytes(entry)?)?;
                        sink.write(b"\n")?;
                    }
                    None => without += 1,
                }
            }
            tell_without(without);
        }
    }
    sink.close()
}

/// Why there is no trace of a commit.
fn unrecorded(commit: &GitId, book: &Book<'_>) -> anyhow::Error {
    match book.linked_from(commit) {
        Some((entry, _)) => anyhow::anyhow!(
            "commit {} has no record of its own; it was rewritten from a commit that has: see git tracevault show {}",
            commit.short(),
            entry.id.short()
        ),
        None => anyhow::anyhow!("no record that holds speaks of commit {}", commit.short()),
    }
}

fn tell_without(commits: u64) {
    if commits > 0 {
        output::say(format_args!("note: {} left out: no record that holds", count(commits, "commit")));
    }
}

fn git_ai(
    args: &Args,
    asked: &Asked,
    ledger: &Ledger,
    book: &Book<'_>,
    dir: &Path,
    out: &mut Out,
) -> anyhow::Result<()> {
    if args.output.is_some() && matches!(asked, Asked::Range(_)) {
        bail!("notes of more than one commit go to {GIT_AI_NOTES}: leave -o out, or name one commit");
    }
    let mut origins = Origins::new(ledger, book);
    let (mut texts, mut without, mut bare) = (Vec::new(), 0, 0);
    for commit in asked.commits() {
        let Some(note) = ledger.git_ai_note(commit, book, &mut origins)? else {
            match asked {
                Asked::Commit(commit) => return Err(unrecorded(commit, book)),
                Asked::Range(_) => without += 1,
            }
            continue;
        };
        for path in note.unheld {
            let path = one_line(path.as_str());
            output::say(format_args!("note: {path} of commit {} left out: git-ai cannot name it", commit.short()));
        }
        match note.bytes {
            Some(bytes) => texts.push((note.commit, bytes)),
            None => bare += 1,
        }
    }
    for trouble in origins.troubles() {
        output::say(format_args!("warning: {}", output::visible(&trouble.to_string())));
    }
    if args.output.is_some() {
        let Some((_, text)) = texts.first() else { bail!("no line of the commit is known to be an agent's") };
        let mut sink = Sink::new(args.output.as_deref(), dir, out);
        sink.write(text)?;
        return sink.close();
    }
    let done = ledger.write_git_ai_notes(&texts, args.force)?;
    for commit in &done.others {
        output::say(format_args!(
            "note: the note on commit {} is somebody else's and stays (--force replaces it)",
            commit.short()
        ));
    }
    tell_without(without);
    let written = count(done.written.len() as u64, "note");
    let mut told = vec![format!("{written} written to {GIT_AI_NOTES}")];
    let mut tell = |n: usize, what: &str| told.extend((n > 0).then(|| format!("{n} {what}")));
    tell(done.same, "there already");
    tell(done.others.len(), "of somebody else kept");
    tell(bare, "not needed: no agent's lines");
    Ok(out.line(told.join(", "))?)
}

/// Where the bytes go: standard output, or a file that is written whole or not at all.
struct Sink<'a> {
    file: Option<PathBuf>,
    bytes: Vec<u8>,
    out: &'a mut Out,
}

impl<'a> Sink<'a> {
    fn new(output: Option<&Path>, dir: &Path, out: &'a mut Out) -> Self {
        let file = output.filter(|path| path.as_os_str() != OsStr::new("-")).map(|path| dir.join(path));
        Sink { file, bytes: Vec::new(), out }
    }

    fn write(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        match self.file {
            Some(_) => self.bytes.extend_from_slice(bytes),
            None => self.out.write_all(bytes)?,
        }
        Ok(())
    }

    /// Ends the line for a person; what a program reads stays byte for byte.
    fn end_line(&mut self) -> anyhow::Result<()> {
        if self.file.is_none() && self.out.is_terminal() {
            self.out.write_all(b"\n")?;
        }
        Ok(())
    }

    fn close(self) -> anyhow::Result<()> {
        let Some(file) = self.file else { return Ok(()) };
        files::replace_keeping_mode(&file, &self.bytes).with_context(|| format!("cannot write {}", file.display()))
    }
}

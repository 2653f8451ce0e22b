//! `git tracevault audit-log`: verifies the audit log of a server, and prints what was done with it.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::audit_log::{Action, Entry, Reading};
use crate::cli::Code;
use crate::digest::Digest;
use crate::host::output::{self, Out};
use crate::record::signature::PublicKey;
use crate::time::Time;

/// Verify the audit log of a server, and list what was done
///
/// The log is a file of the server's (audit/audit.log beneath its data) that its page gives to those who may read all of it. Every line must be
/// signed by the key and follow the line before it. A log that was cut short at its end holds all the same: give the head that you noted
/// earlier with --head, and it must be in the log. Exits 0 if it holds, 1 if it does not.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The log
    file: PathBuf,
    /// The server's public key, as a file in minisign's format or as its one line
    #[arg(long, value_name = "KEY|FILE")]
    key: String,
    /// The SHA-256 of an entry that the log had before
    #[arg(long, value_name = "SHA256")]
    head: Option<Digest>,
    /// Only what was done of this kind
    #[arg(long)]
    action: Option<Action>,
    /// Only what this member did
    #[arg(long, value_name = "MEMBER")]
    actor: Option<String>,
    /// Only what was done to this resource, or to one that begins so
    #[arg(long, value_name = "PATH")]
    resource: Option<String>,
    /// Only from this day or time on
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only before this time, or until the end of this day
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    /// Print no entries, only whether the log holds
    #[arg(long, short)]
    quiet: bool,
}

pub fn run(args: &Args, dir: &Path, out: &mut Out) -> anyhow::Result<Code> {
    let key = public_key(&args.key, dir)?;
    let wanted = Wanted::of(args)?;
    let path = dir.join(&args.file);
    let file = File::open(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut reading = Reading::new(&key);
    let mut met = args.head.is_none();
    for line in BufReader::new(file).lines() {
        let line = line.with_context(|| format!("cannot read {}", path.display()))?;
        let entry = match reading.line(&line) {
            Ok(entry) => entry,
            Err(error) => {
                output::say(format_args!("fail  {error}"));
                return Ok(1);
            }
        };
        met = met || reading.head().map(|head| head.id) == args.head;
        if !args.quiet && wanted.has(&entry) {
            print(out, &entry, args.json)?;
        }
    }
    if !met {
        output::say(
            "fail  the head that was noted earlier is not in the log: its end was cut off, or it is another log",
        );
        return Ok(1);
    }
    match reading.head() {
        Some(head) => output::say(format_args!("pass  {} entries; head {}", head.seq + 1, head.id)),
        None => output::say("pass  the log is empty"),
    }
    Ok(0)
}

/// A key as text, or in a file as minisign has it.
fn public_key(text: &str, dir: &Path) -> anyhow::Result<PublicKey> {
    if let Ok(key) = text.trim().parse() {
        return Ok(key);
    }
    let path = dir.join(text);
    let file =
        std::fs::read_to_string(&path).with_context(|| format!("{text:?} is neither a public key nor a file"))?;
    let line = file.lines().find(|line| !line.starts_with("untrusted comment:") && !line.trim().is_empty());
    let line = line.with_context(|| format!("{} has no public key", path.display()))?;
    line.trim().parse().with_context(|| format!("{} has no public key", path.display()))
}

/// Which entries are printed.
struct Wanted<'a> {
    args: &'a Args,
    since: Option<Time>,
    until: Option<Time>,
}

impl<'a> Wanted<'a> {
    fn of(args: &'a Args) -> anyhow::Result<Self> {
        let since = args.since.as_deref().map(|text| time(text, 0)).transpose()?;
        let until = args.until.as_deref().map(|text| time(text, 86_400)).transpose()?;
        Ok(Wanted { args, since, until })
    }

    fn has(&self, entry: &Entry) -> bool {
        let Args { action, actor, resource, .. } = self.args;
        action.is_none_or(|action| entry.action == action)
            && actor.as_ref().is_none_or(|actor| entry.actor.as_ref() == Some(actor))
            && resource.as_ref().is_none_or(|begin| entry.resource.as_ref().is_some_and(|path| path.starts_with(begin)))
            && self.since.is_none_or(|since| entry.time >= since)
            && self.until.is_none_or(|until| entry.time < until)
    }
}

/// A time, or a day with so many seconds added.
fn time(text: &str, added: i64) -> anyhow::Result<Time> {
    if let Some(day) = Time::from_rfc3339(&format!("{text}T00:00:00Z")) {
        return Ok(Time::from_unix(day.unix() + added));
    }
    match Time::from_rfc3339(text) {
        Some(time) => Ok(time),
        None => bail!("{text:?} is neither a day (2026-01-31) nor a time (2026-01-31T12:00:00Z)"),
    }
}

fn print(out: &mut Out, entry: &Entry, json: bool) -> anyhow::Result<()> {
    if json {
        out.json(entry)?;
        return Ok(());
    }
    let told = [&entry.actor, &entry.resource, &entry.repository, &entry.detail, &entry.peer, &entry.proof];
    let told: Vec<String> = told.iter().filter_map(|text| text.as_deref()).map(output::visible).collect();
    let action = out.paint(output::HEAD, format!("{:<9}", entry.action.as_str()));
    out.line(format_args!("{} {action} {}", entry.time, told.join("  ")))?;
    Ok(())
}

//! `git tracevault show`: all that the records say of one commit, one session or one record.

mod commit;
mod record;
pub mod session;

use std::ffi::OsString;
use std::path::Path;

use crate::cli::access::LogAccess;
use crate::cli::{Code, read_book};
use crate::git::history::{self, Asked, CommitInfo};
use crate::host::output::Out;
use crate::id::SessionId;
use crate::ledger::access::Purpose;
use crate::ledger::query::Book;
use crate::ledger::store::Stored;
use crate::ledger::verify::Entry;
use crate::ledger::{Ledger, LedgerError};

/// Show a commit's lines and their origin, a session turn by turn, or a record as it stands
///
/// A commit: its record, its sessions, and for each file which lines are whose. A session: what it used and changed, then
/// its prompts, reasoning, plans, answers, and tool calls with their outcome and diffs, read back from redacted payloads
/// whose digests are checked. A record: its bytes and what they are worth.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// A commit as git names it, a session's id or a record's id; 4 characters or more of an id will do
    #[arg(value_name = "COMMIT|SESSION|RECORD", default_value = "HEAD")]
    name: String,
    /// Print JSON: one object, for a session a further one for each turn, a line each
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    log: LogAccess,
}

/// What a name stands for.
enum What<'r> {
    Commit(CommitInfo),
    Session(&'r SessionId),
    Record(&'r Entry),
    /// A record of the policy chain.
    Policy(Box<Stored>),
}

/// So many characters of an id are enough to ask for it.
const LEAST_PREFIX: usize = 4;

pub fn run(args: &Args, ledger: &Ledger, dir: &Path, out: &mut Out) -> anyhow::Result<Code> {
    let report = read_book(ledger)?;
    let prices = ledger.prices()?;
    let book = Book::new(&report, &prices);
    match find(&args.name, ledger, dir, &book)? {
        What::Commit(info) => commit::show(&info, ledger, &book, args.json, out),
        What::Session(id) => {
            args.log.record(Purpose::Read, id, ledger, &book);
            session::show(id, ledger, &book, args.json, out)
        }
        What::Record(entry) => record::show(&record::About::entry(entry, ledger, &book)?, ledger, args.json, out),
        What::Policy(stored) => record::show(&record::About::policy(&stored, &book), ledger, args.json, out),
    }?;
    Ok(0)
}

fn find<'r>(name: &str, ledger: &Ledger, dir: &Path, book: &Book<'r>) -> anyhow::Result<What<'r>> {
    let (sessions, records) = match name.len() >= LEAST_PREFIX {
        true => (book.sessions_named(name), book.records_named(name)),
        false => (Vec::new(), Vec::new()),
    };
    // A whole id means what it names, whatever else begins like it.
    if let Some(session) = sessions.iter().find(|session| session.as_str() == name) {
        return Ok(What::Session(session));
    }
    let policy = if name.len() >= LEAST_PREFIX { record::policy_records_named(name, ledger)? } else { Vec::new() };
    let commit = history::resolve(&ledger.repo, name).ok();
    // So does the name of a branch or tag.
    let named = commit.as_ref().is_some_and(|commit| !commit.as_str().starts_with(name));
    let matches = sessions.len() + records.len() + policy.len() + usize::from(commit.is_some());
    if matches > 1 && !named {
        let kinds = commit.iter().map(|commit| format!("commit {}", commit.short()));
        let kinds = kinds.chain(sessions.iter().map(|session| format!("session {session}")));
        let kinds = kinds.chain(records.iter().map(|entry| format!("record {}", entry.id.short())));
        let kinds = kinds.chain(policy.iter().map(|stored| format!("record {}", stored.record.id().short())));
        let some: Vec<String> = kinds.take(8).collect();
        anyhow::bail!("{name} is not clear: {}; give more of the id", some.join(", "));
    }
    if let Some(commit) = commit {
        // A record is a commit too, on a ref of its own.
        if let Some(entry) = book.report.entries().find(|entry| entry.commit == commit) {
            return Ok(What::Record(entry));
        }
        let one = vec!["--max-count=1".into()];
        let asked = Asked { options: one, names: vec![OsString::from(commit.as_str())], paths: Vec::new() };
        let info = history::log(dir, &asked)?.pop();
        return info.map(What::Commit).ok_or_else(|| LedgerError::Unknown(name.to_owned()).into());
    }
    let session = sessions.first().map(|session| What::Session(session));
    let record = records.first().map(|entry| What::Record(entry));
    let policy = policy.into_iter().next().map(|stored| What::Policy(Box::new(stored)));
    session.or(record).or(policy).ok_or_else(|| LedgerError::Unknown(name.to_owned()).into())
}

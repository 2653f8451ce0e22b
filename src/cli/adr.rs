//! `git tracevault adr`: decisions that were made in sessions, as Markdown records in a folder of the repository.

mod folder;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;

use crate::cli::access::LogAccess;
use crate::cli::format::{count, one_line};
use crate::cli::{COULD_NOT_TELL, Code, read_book, turns};
use crate::host::files;
use crate::host::output::{self, Out};
use crate::id::SessionId;
use crate::ledger::Ledger;
use crate::ledger::access::Purpose;
use crate::ledger::query::Book;
use crate::ledger::story::decided::Looking;
use crate::redaction::Redactor;
use crate::story::madr::Document;
use folder::Folder;

/// Write down the decisions that were made in sessions
///
/// Looks in prompts, plans, reasoning and answers of the sessions that this branch's commits draw on for what was chosen, with
/// a reason or with what was not chosen, and writes each as a numbered Markdown record (MADR) with its sources. A record that is there
/// is brought up to date; one that a person has edited is theirs and stays as it is. Sessions whose words are encrypted are
/// left out unless you ask for them.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The folder; else the one that has decision records already, or docs/decisions
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Write nothing; exit with 1 if a record is missing or out of date
    #[arg(long, conflicts_with = "dry_run")]
    check: bool,
    /// Write nothing; tell what would be written
    #[arg(long)]
    dry_run: bool,
    /// Print a JSON object a record
    #[arg(long)]
    json: bool,
    /// Look through sessions, too, whose words are encrypted: what they decided is written in plain text
    #[arg(long)]
    include_encrypted: bool,
    #[command(flatten)]
    log: LogAccess,
}

/// What is to be done about a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Doing {
    /// It has no record yet.
    New,
    /// Its record says something else by now.
    Update,
    /// A person has edited its record.
    Kept,
    /// It has none, and there is one of the same title that does not say what it is about.
    Alike,
    Same,
}

#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    file: String,
    doing: Doing,
}

pub fn run(args: &Args, ledger: &Ledger, dir: &Path, out: &mut Out) -> anyhow::Result<Code> {
    let report = read_book(ledger)?;
    let prices = ledger.prices()?;
    let book = Book::new(&report, &prices);
    let top = ledger.repo.work_tree().context("a bare repository has no folder for records")?;
    let path = match &args.dir {
        Some(named) => dir.join(named),
        None => folder::usual(&top)?,
    };
    let writes = !args.check && !args.dry_run;
    // What is written into the work tree is committed and goes wherever the code goes.
    let purpose = if writes { Purpose::Export } else { Purpose::Read };
    let opening = |session: &SessionId| args.log.record(purpose, session, ledger, &book);
    let redactor = Redactor::new(ledger.config.redaction()?);
    let looking = Looking { redactor: &redactor, encrypted: args.include_encrypted };
    let decided = ledger.decision_records(&book, &looking, opening)?;
    let mut folder = Folder::read(&path)?;
    let (mut behind, mut kept) = (0, 0);
    for document in &decided.documents {
        let (file, doing) = folder.place(&path, document)?;
        behind += u64::from(matches!(doing, Doing::New | Doing::Update));
        kept += u64::from(matches!(doing, Doing::Kept | Doing::Alike));
        if writes && matches!(doing, Doing::New | Doing::Update) {
            write(&file, document)?;
        }
        let file = file.strip_prefix(&top).unwrap_or(&file).display().to_string();
        if args.json {
            out.json(&Line { id: &document.id, file, doing })?;
        } else if let Some(word) = word(doing, args) {
            out.line(format_args!("{word} {}", one_line(&file)))?;
        }
    }
    for why in &decided.missing {
        // Each line of JSON is a record.
        if args.json { output::say(format_args!("missing: {}", one_line(why))) } else { turns::lacking(out, why)? }
    }
    if decided.sealed > 0 {
        let sessions = count(decided.sealed as u64, "session");
        output::say(format_args!(
            "note: what {sessions} said is encrypted and was not looked through (--include-encrypted)"
        ));
    }
    if !args.json {
        let all = count(decided.documents.len() as u64, "decision");
        out.line(format_args!(
            "{all}: {behind} {}, {kept} edited by people",
            if args.check { "behind" } else { "to write" }
        ))?;
    }
    Ok(match (args.check, behind, decided.missing.is_empty()) {
        (true, 1.., _) => 1,
        (true, 0, false) => COULD_NOT_TELL,
        _ => 0,
    })
}

/// What is said of a record; nothing where there is nothing to do.
fn word(doing: Doing, args: &Args) -> Option<&'static str> {
    match (doing, args.check, args.dry_run) {
        (Doing::Same, ..) => None,
        (Doing::Kept, ..) => Some("kept as it was edited:"),
        (Doing::Alike, ..) => Some("not written, as this looks like it:"),
        (Doing::New, true, _) => Some("missing:"),
        (Doing::Update, true, _) => Some("out of date:"),
        (Doing::New, _, true) => Some("would be written:"),
        (Doing::Update, _, true) => Some("would be updated:"),
        (Doing::New, ..) => Some("written:"),
        (Doing::Update, ..) => Some("updated:"),
    }
}

fn write(file: &Path, document: &Document) -> anyhow::Result<()> {
    let failed = || format!("cannot write {}", file.display());
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).with_context(failed)?;
    }
    files::replace_keeping_mode(file, document.file().as_bytes()).with_context(failed)
}

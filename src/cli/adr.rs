//! `git tracevault adr`: decisions that were made in sessions, as Markdown records in a folder of the repository.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;

use crate::cli::access::LogAccess;
use crate::cli::format::{count, one_line};
use crate::cli::{COULD_NOT_TELL, Code, read_book, turns};
use crate::host::files;
use crate::host::output::Out;
use crate::id::SessionId;
use crate::ledger::Ledger;
use crate::ledger::access::Purpose;
use crate::ledger::query::Book;
use crate::story::madr::{self, Document, Known};

/// Write down the decisions that were made in sessions
///
/// Looks in prompts, plans, reasoning and answers of the sessions that this branch's commits draw on for what was chosen, with
/// a reason or with what was not chosen, and writes each as a numbered Markdown record (MADR) with its sources. A record that is there
/// is brought up to date; one that a person has edited is theirs and stays as it is.
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
    #[command(flatten)]
    log: LogAccess,
}

/// Where decision records mostly are.
const FOLDERS: [&str; 5] = ["docs/decisions", "docs/adr", "docs/adrs", "doc/adr", "docs/architecture/decisions"];
/// A record is never longer, in bytes.
const LONGEST: u64 = 1 << 20;

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
    Same,
}

#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    file: String,
    doing: Doing,
}

/// The records of a folder.
#[derive(Default)]
struct Folder {
    /// By decision: the file, its text, and what is known of it.
    known: BTreeMap<String, (PathBuf, String, Known)>,
    /// The highest number of any record.
    last: u32,
}

pub fn run(args: &Args, ledger: &Ledger, dir: &Path, out: &mut Out) -> anyhow::Result<Code> {
    let report = read_book(ledger)?;
    let prices = ledger.prices()?;
    let book = Book::new(&report, &prices);
    let top = ledger.repo.work_tree().context("a bare repository has no folder for records")?;
    let path = args.dir.as_ref().map_or_else(|| usual(&top), |named| dir.join(named));
    let opening = |session: &SessionId| args.log.record(Purpose::Read, session, ledger, &book);
    let decided = ledger.decision_records(&book, opening)?;
    let mut folder = Folder::read(&path)?;
    let (mut behind, mut kept) = (0, 0);
    for document in &decided.documents {
        let (file, doing) = folder.place(&path, document);
        behind += u64::from(matches!(doing, Doing::New | Doing::Update));
        kept += u64::from(doing == Doing::Kept);
        if !args.check && !args.dry_run && matches!(doing, Doing::New | Doing::Update) {
            write(&file, document)?;
        }
        let file = file.strip_prefix(&top).unwrap_or(&file).display().to_string();
        if args.json {
            out.json(&Line { id: &document.id, file, doing })?;
        } else if let Some(word) = word(doing, args) {
            out.line(format_args!("{word} {}", one_line(&file)))?;
        }
    }
    if !args.json {
        decided.missing.iter().try_for_each(|why| turns::missing(out, why))?;
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
        (Doing::New, true, _) => Some("missing:"),
        (Doing::Update, true, _) => Some("out of date:"),
        (Doing::New, _, true) => Some("would be written:"),
        (Doing::Update, _, true) => Some("would be updated:"),
        (Doing::New, ..) => Some("written:"),
        (Doing::Update, ..) => Some("updated:"),
    }
}

/// The folder that has decision records, or would.
fn usual(top: &Path) -> PathBuf {
    let found = FOLDERS.iter().map(|name| top.join(name)).find(|folder| folder.is_dir());
    found.unwrap_or_else(|| top.join(FOLDERS[0]))
}

fn write(file: &Path, document: &Document) -> anyhow::Result<()> {
    let failed = || format!("cannot write {}", file.display());
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).with_context(failed)?;
    }
    files::replace_keeping_mode(file, document.file().as_bytes()).with_context(failed)
}

impl Folder {
    /// Reads the records that are there; none where there is no such folder.
    fn read(path: &Path) -> anyhow::Result<Folder> {
        let mut folder = Folder::default();
        let entries = match std::fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(folder),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        for entry in entries {
            let file = entry.with_context(|| format!("cannot read {}", path.display()))?.path();
            let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let Some(number) = number(&name) else { continue };
            folder.last = folder.last.max(number);
            let text = files::read_small(&file, LONGEST).with_context(|| format!("cannot read {}", file.display()))?;
            let Some(text) = text.and_then(|bytes| String::from_utf8(bytes).ok()) else { continue };
            if let Some(known) = madr::read(&text) {
                folder.known.insert(known.id.clone(), (file, text, known));
            }
        }
        Ok(folder)
    }

    /// The file of a decision, and what is to be done about it. A new one takes the next number.
    fn place(&mut self, path: &Path, document: &Document) -> (PathBuf, Doing) {
        match self.known.get(&document.id) {
            Some((file, _, Known { edited: true, .. })) => (file.clone(), Doing::Kept),
            Some((file, text, _)) if text.replace("\r\n", "\n") == document.file() => (file.clone(), Doing::Same),
            Some((file, ..)) => (file.clone(), Doing::Update),
            None => {
                self.last += 1;
                (path.join(format!("{:04}-{}.md", self.last, document.slug)), Doing::New)
            }
        }
    }
}

/// The number that a record's name begins with: `0007-use-toml.md`.
fn number(name: &str) -> Option<u32> {
    let (number, _) = name.strip_suffix(".md")?.split_once('-')?;
    number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok())?
}

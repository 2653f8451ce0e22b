//! `git tracevault blame`: who or what wrote each line of a file, by the record of the commit that added it.

pub mod asked;
mod scopes;
mod view;

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write as _;
use std::path::Path;
use std::rc::Rc;

use serde::Serialize;

use crate::attribution::lines;
use crate::cli::pager::paged;
use crate::cli::{Code, SHALLOW, format, read_book};
use crate::cost::PriceTable;
use crate::git::blame::{self, Blame, Line, Printed, Source};
use crate::git::history;
use crate::host::output::{self, Out};
use crate::id::{CallId, GitId, RecordId, RepoPath, SessionId};
use crate::ledger::Ledger;
use crate::ledger::known::{Known, evidence_word};
use crate::ledger::origins::Origins;
use crate::ledger::query::Book;
use crate::ledger::traces::Evidence;
use crate::ledger::verify::Report;

/// Show who or what wrote each line of a file
///
/// The commit that added a line is git's answer, to the flags that git blame has; whose the line is says that commit's
/// record, if it has one that holds. Lines that no record speaks of, and lines that are not committed yet, have the
/// origin "-".
#[derive(clap::Args, Debug)]
#[command(override_usage = "git tracevault blame [OPTIONS] [REVISION...] [--] FILE", args(asked::negations(NEGATED)))]
pub struct Args {
    #[command(flatten)]
    asked: asked::Asked,
    #[command(flatten)]
    view: view::View,
    /// Count the lines of each function, method, class and module instead of listing them
    #[arg(long, value_name = "WHAT", conflicts_with_all = ["View", "porcelain", "line_porcelain"], help_heading = "Formats")]
    by: Option<By>,
    /// Print a JSON object a line
    #[arg(long, conflicts_with_all = ["View", "porcelain", "line_porcelain"], help_heading = "Formats")]
    json: bool,
    /// Print git's own porcelain format, each line with headers of ours: tracevault-origin, tracevault-evidence, …
    #[arg(short = 'p', long, help_heading = "Formats")]
    porcelain: bool,
    /// The same with all of git's headers on every line
    #[arg(long, help_heading = "Formats")]
    line_porcelain: bool,
    /// The encoding of names and subjects in git's own formats
    #[arg(long, value_name = "ENCODING", help_heading = "Formats")]
    encoding: Option<String>,
}

/// What git's `--no-…` takes back, by the names of the fields here.
const NEGATED: &[(&str, &str)] = &[("no-porcelain", "porcelain"), ("no-line-porcelain", "line_porcelain")];

/// What lines are counted by.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Scope,
}

#[derive(Serialize)]
pub struct BlamedLine<'a> {
    line: u32,
    text: Cow<'a, str>,
    commit: Option<&'a GitId>,
    origin: &'static str,
    evidence: Evidence,
    session: Option<&'a SessionId>,
    agent: Option<&'a str>,
    model: Option<&'a str>,
    call: Option<&'a CallId>,
    record: Option<RecordId>,
    state: Option<&'static str>,
}

pub fn run(args: &Args, ledger: &Ledger, dir: &Path, out: &mut Out) -> anyhow::Result<Code> {
    let mut asked = args.asked.to_git()?;
    // What is ours is printed in UTF-8.
    let encoding = if args.porcelain || args.line_porcelain { args.encoding.as_deref() } else { Some("UTF-8") };
    asked.options.extend(encoding.map(|encoding| format!("--encoding={encoding}").into()));
    let plain = asked.plain();
    let (printed, plain, report) = std::thread::scope(|scope| {
        let plain = scope.spawn(|| plain.map(|asked| blame::blame(dir, asked, false)).transpose());
        let read = read(asked, args.line_porcelain, ledger, dir);
        let plain = plain.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let (printed, report) = read?;
        anyhow::Ok((printed, plain?, report))
    })?;
    let blame = printed.parse();
    if is_binary(&blame) {
        anyhow::bail!("{} is binary: it has no lines", args.asked.file()?.to_string_lossy());
    }
    let book = Book::new(&report, PriceTable::embedded());
    let mut reader = Reader {
        origins: Origins::new(ledger, &book),
        book: &book,
        added: plain.as_ref().map(|printed| added(&printed.parse())),
        texts: args.asked.passes_over_commits().then(|| Texts::new(ledger)),
        last: None,
    };
    if args.by == Some(By::Scope) {
        args.asked.whole_file()?;
        let origins: Vec<_> = blame.lines.iter().map(|line| reader.line(line).origin.clone()).collect();
        scopes::print(&blame, &origins, &args.asked.file()?.to_string_lossy(), args.json, out)?;
    } else if args.json {
        blame.lines.iter().try_for_each(|line| out.json(&blamed(line, &reader.line(line))))?;
    } else if args.porcelain || args.line_porcelain {
        porcelain(&blame, &mut reader, out)?;
    } else if args.view.annotate {
        let lines = args.view.annotated(&blame, |line| reader.line(line), dir)?;
        paged(ledger, out, |out| Ok(out.write_all(lines.as_bytes())?))?;
    } else {
        let table = args.view.table(&blame, |line| reader.line(line), args.asked.file()?, ledger, dir)?;
        paged(ledger, out, |out| Ok(table.print(out)?))?;
    }
    tell(&reader.origins);
    tell_cut(&blame, ledger);
    Ok(0)
}

/// Tells what is known of one line after the other.
struct Reader<'b> {
    origins: Origins<'b>,
    book: &'b Book<'b>,
    /// Which commit added each line, where git looks further, for what it may be a copy of: who copies a line adds it.
    added: Option<HashMap<u32, Source>>,
    /// What to compare lines with, where git may say that they come from others.
    texts: Option<Texts<'b>>,
    /// The line before, and what is known of it.
    last: Option<(Source, Rc<Known<'b>>)>,
}

impl<'b> Reader<'b> {
    fn line(&mut self, line: &Line<'_>) -> Rc<Known<'b>> {
        let source = match &self.added {
            Some(added) => added.get(&line.number),
            None => line.source.as_ref(),
        };
        let Some(source) = source else { return Rc::default() };
        if let Some(texts) = &mut self.texts
            && !texts.stands(source, line.text)
        {
            return Rc::default();
        }
        if let Some((before, known)) = &self.last
            && known.covers(before, source)
        {
            return known.clone();
        }
        let known = Rc::new(Known::of(source, &mut self.origins, self.book));
        self.last = Some((source.clone(), known.clone()));
        known
    }
}

fn added(blame: &Blame<'_>) -> HashMap<u32, Source> {
    blame.lines.iter().filter_map(|line| Some((line.number, line.source.clone()?))).collect()
}

/// What git says of a file's lines, and all records, which are read meanwhile.
pub fn read(asked: blame::Asked, every_line: bool, ledger: &Ledger, dir: &Path) -> anyhow::Result<(Printed, Report)> {
    let (printed, report) = std::thread::scope(|scope| {
        let git = scope.spawn(|| blame::blame(dir, asked, every_line));
        let report = read_book(ledger);
        (git.join(), report)
    });
    let printed = printed.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    Ok((printed, report?))
}

/// Says which traces could not be read.
pub fn tell(origins: &Origins<'_>) {
    for trouble in origins.troubles() {
        output::say(format_args!("warning: {}", output::visible(&trouble.to_string())));
    }
}

/// Says so where lines seem to come from commits that only cut off what is older.
pub fn tell_cut(blame: &Blame<'_>, ledger: &Ledger) {
    let cut = ledger.repo.cut();
    if blame.commits.keys().any(|commit| cut.contains(commit.as_str())) {
        output::say(SHALLOW);
    }
}

pub fn is_binary(blame: &Blame<'_>) -> bool {
    let mut head: Vec<u8> = Vec::new();
    for line in &blame.lines {
        head.extend_from_slice(line.text);
        head.push(b'\n');
        if head.len() > 1 << 16 {
            break;
        }
    }
    lines::is_binary(&head)
}

pub fn blamed<'a>(line: &'a Line<'_>, known: &'a Known<'_>) -> BlamedLine<'a> {
    let author = known.author();
    BlamedLine {
        line: line.number,
        text: String::from_utf8_lossy(line.text),
        commit: line.source.as_ref().map(|source| &source.commit),
        origin: known.word(),
        evidence: known.evidence(),
        session: author.map(|author| &author.session),
        agent: known.agent,
        model: known.model(),
        call: author.map(|author| &author.call),
        record: known.found.as_ref().map(|found| found.record),
        state: known.state(),
    }
}

/// The lines as git has them, with headers of ours, each on a line of its own, behind git's.
fn porcelain(blame: &Blame<'_>, reader: &mut Reader<'_>, out: &mut Out) -> std::io::Result<()> {
    let (mut known, mut ours) = (Rc::default(), headers(&Known::default()));
    for line in &blame.lines {
        let next = reader.line(line);
        if !Rc::ptr_eq(&known, &next) {
            ours = headers(&next);
            known = next;
        }
        for part in [line.head, ours.as_bytes(), b"\t", line.text, b"\n"] {
            out.write_all(part)?;
        }
    }
    Ok(())
}

/// What is known of a line, as headers of git's format.
fn headers(known: &Known<'_>) -> String {
    let author = known.author();
    let headers = [
        ("origin", Some(known.word().to_owned())),
        ("evidence", Some(evidence_word(known.evidence()))),
        ("session", author.map(|author| author.session.to_string())),
        ("agent", known.agent.map(format::one_line)),
        ("model", known.model().map(format::one_line)),
        ("call", author.map(|author| format::one_line(author.call.as_str()))),
        ("record", known.found.as_ref().map(|found| found.record.to_string())),
        ("state", known.state().map(str::to_owned)),
    ];
    let told = headers.into_iter().filter_map(|(name, value)| Some(format!("tracevault-{name} {}\n", value?)));
    told.collect()
}

/// The files that lines are said to come from, where git passes over commits: it guesses then which line became which,
/// and nothing that others wrote must be told as the agent's.
struct Texts<'l> {
    ledger: &'l Ledger,
    files: HashMap<(GitId, Rc<RepoPath>), Vec<Vec<u8>>>,
}

impl<'l> Texts<'l> {
    fn new(ledger: &'l Ledger) -> Self {
        Texts { ledger, files: HashMap::new() }
    }

    /// Whether the line is the one that the commit has, white space aside.
    fn stands(&mut self, source: &Source, text: &[u8]) -> bool {
        let repo = &self.ledger.repo;
        let bare = |line: &[u8]| line.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect::<Vec<u8>>();
        let file = self.files.entry((source.commit.clone(), source.path.clone())).or_insert_with(|| {
            let bytes = history::file_at(repo, &source.commit, &source.path).ok().flatten().unwrap_or_default();
            lines::split(&bytes).map(bare).collect()
        });
        let at = (source.line as usize).saturating_sub(1);
        file.get(at).is_some_and(|line| *line == bare(text))
    }
}

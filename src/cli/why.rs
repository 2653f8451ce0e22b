//! `git tracevault why`: the turn of the session that wrote a line, and who changed the line.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use serde::Serialize;

use crate::attribution::labels::Origin;
use crate::cli::access::LogAccess;
use crate::cli::blame::{self, BlamedLine};
use crate::cli::format::{count, minute, model, one_line};
use crate::cli::log::state_style;
use crate::cli::pager::paged;
use crate::cli::show::session::print_record;
use crate::cli::turns::{self, TurnLine};
use crate::cli::{Code, table};
use crate::git::blame::{Change, Line, changes, line_number, named_line};
use crate::host::output::{self, Out};
use crate::id::{GitId, RepoPath};
use crate::ledger::Ledger;
use crate::ledger::access::Purpose;
use crate::ledger::commits::State;
use crate::ledger::known::{Known, evidence_word};
use crate::ledger::origins::Origins;
use crate::ledger::query::Book;
use crate::ledger::read_back::{Before, Place, find_call};
use crate::record::body::Body;
use crate::session::turns::{Call, Step, focused, led_by};
use crate::time::Time;

/// Show why a line is there: what was asked, thought and done when it was written
///
/// For an agent's line the turn of its session: the prompt, the reasoning, the tool call and its diff, and what was asked
/// before. For every line the commit that it comes from, and those that changed what stood there before.
#[derive(clap::Args, Debug)]
#[command(override_usage = "git tracevault why [OPTIONS] FILE:LINE [REVISION]\n       \
                            git tracevault why [OPTIONS] FILE LINE [REVISION]")]
pub struct Args {
    /// A line of a file, and the revision to look at it in
    #[arg(value_name = "FILE:LINE [REVISION]", num_args = 1..=3, required = true)]
    names: Vec<OsString>,
    /// The line, or the first of those that git blame takes this for (7, 7,+3, /regex/, :function); only the file stands
    /// before the revision then
    #[arg(short = 'L', value_name = "LINE", allow_hyphen_values = true)]
    line: Option<OsString>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    log: LogAccess,
}

/// So many commits that changed a line are told.
const CHANGES: usize = 5;
/// So many lines of a diff are shown, those around the line.
const DIFF_LINES: usize = 40;

#[derive(Serialize)]
struct Answer<'a> {
    file: String,
    #[serde(flatten)]
    line: BlamedLine<'a>,
    /// What the file and the line are called in the commit.
    path: Option<&'a RepoPath>,
    there: Option<u32>,
    before: Vec<PromptLine<'a>>,
    turn: Option<TurnLine<'a>>,
    missing: &'a [String],
    changes: Vec<ChangeLine<'a>>,
}

#[derive(Serialize)]
struct PromptLine<'a> {
    source: &'a str,
    number: usize,
    time: Option<Time>,
    text: &'a str,
    human: bool,
}

#[derive(Serialize)]
struct ChangeLine<'a> {
    commit: &'a GitId,
    time: Time,
    author: AuthorLine<'a>,
    subject: &'a str,
    state: State,
    reviewers: &'a [String],
}

#[derive(Serialize)]
struct AuthorLine<'a> {
    name: &'a str,
    email: &'a str,
}

/// All that is known of the line.
struct Story<'a> {
    line: &'a Line<'a>,
    known: &'a Known<'a>,
    place: Option<Place<'a>>,
    missing: Vec<String>,
    changes: Vec<Change>,
}

pub fn run(args: &Args, ledger: &Ledger, dir: &Path, out: &mut Out) -> anyhow::Result<Code> {
    let (file, range, revision) = args.asked(|name| dir.join(name).is_file())?;
    let mut option = OsString::from("-L");
    option.push(range);
    let asked = crate::git::blame::Asked {
        options: vec![option],
        revisions: revision.into_iter().collect(),
        file: file.clone(),
        ..Default::default()
    };
    let (printed, report) = blame::read(asked, false, ledger, dir)?;
    let parsed = printed.parse();
    let Some(line) = parsed.lines.first() else { anyhow::bail!("{} has no such line", file.to_string_lossy()) };
    if blame::is_binary(&parsed) {
        anyhow::bail!("{} is binary: it has no lines", file.to_string_lossy());
    }
    let prices = ledger.prices()?;
    let book = Book::new(&report, &prices);
    let mut origins = Origins::new(ledger, &book);
    let known = match &line.source {
        Some(source) => Known::of(source, &mut origins, &book),
        None => Known::default(),
    };
    blame::tell(&origins);
    blame::tell_cut(&parsed, ledger);
    let (place, missing) = match known.author() {
        Some(author) => {
            args.log.record(Purpose::Read, &author.session, ledger, &book);
            find_call(&ledger.repo, &report.payloads, &book.telling(&author.session), &author.call)
        }
        None => (None, Vec::new()),
    };
    let changes = match &line.source {
        Some(source) => changes(&ledger.repo.home(), source, CHANGES, None)?,
        None => Vec::new(),
    };
    let story = Story { line, known: &known, place, missing, changes };
    if args.json {
        out.json(&story.answer(&file, &book))?;
    } else {
        paged(ledger, out, |out| story.print(&file, &book, out))?;
    }
    Ok(0)
}

impl Args {
    /// The file, the line as a range of git's, and the revision. `is_file` says which names are files'.
    fn asked(&self, is_file: impl Fn(&Path) -> bool) -> anyhow::Result<(OsString, OsString, Option<OsString>)> {
        let usage = || anyhow::anyhow!("name a line as FILE:LINE or FILE LINE, and then at most a revision");
        let one = |line: u32| OsString::from(format!("{line},{line}"));
        let (file, range, rest) = match (self.names.as_slice(), &self.line) {
            // To git one number means all lines from there on.
            ([file, rest @ ..], Some(range)) => {
                (file.clone(), line_number(range.to_str()).map_or_else(|| range.clone(), one), rest)
            }
            ([first, rest @ ..], None) => match (named_line(first, is_file), rest) {
                (Some((file, line)), _) => (file, one(line), rest),
                (None, [line, rest @ ..]) => (first.clone(), one(line_number(line.to_str()).ok_or_else(usage)?), rest),
                (None, []) => return Err(usage()),
            },
            ([], _) => return Err(usage()),
        };
        match rest {
            [] => Ok((file, range, None)),
            [revision] => Ok((file, range, Some(revision.clone()))),
            _ => Err(usage()),
        }
    }
}

impl<'a> Story<'a> {
    fn answer<'s>(&'s self, file: &OsStr, book: &Book<'_>) -> Answer<'s> {
        let before = self.place.iter().flat_map(|place| &place.before);
        let prompt = |Before { source, number, time, asked }: &'s Before<'_>| PromptLine {
            source,
            number: *number,
            time: *time,
            text: &asked.text,
            human: asked.human,
        };
        let change = |change: &'s Change| ChangeLine {
            commit: &change.id,
            time: Time::from_unix(change.commit.time),
            author: AuthorLine { name: &change.commit.author, email: &change.commit.email },
            subject: &change.commit.subject,
            state: book.commit(&change.id).state,
            reviewers: &change.reviewers,
        };
        Answer {
            file: file.to_string_lossy().into_owned(),
            line: blame::blamed(self.line, self.known),
            path: self.line.source.as_ref().map(|source| &*source.path),
            there: self.line.source.as_ref().map(|source| source.line),
            before: before.map(prompt).collect(),
            turn: self.place.as_ref().map(|place| TurnLine::of(place.source, place.number, &place.turn)),
            missing: &self.missing,
            changes: self.changes.iter().map(change).collect(),
        }
    }

    fn print(&self, file: &OsStr, book: &Book<'_>, out: &mut Out) -> anyhow::Result<()> {
        let text = output::visible(&String::from_utf8_lossy(self.line.text));
        let place = format!("{}:{}", one_line(&file.to_string_lossy()), self.line.number);
        out.line(out.paint(output::HEAD, place))?;
        out.line(format_args!("    {text}"))?;
        self.print_origin(book, out)?;
        if let Some(author) = self.known.author() {
            match &self.place {
                Some(place) => self.print_turn(place, out)?,
                None => {
                    out.line("")?;
                    if self.missing.is_empty() && !book.segments(&author.session).is_empty() {
                        let call = one_line(author.call.as_str());
                        out.line(format_args!("The session's transcript does not show the call {call}."))?;
                    }
                    self.print_missing(out)?;
                    print_record(&author.session, book, out)?;
                }
            }
        }
        self.print_changes(book, out)
    }

    /// Whose the line is, and how that is known.
    fn print_origin(&self, book: &Book<'_>, out: &mut Out) -> anyhow::Result<()> {
        let Some(source) = &self.line.source else {
            return Ok(out.line("not committed yet: no record speaks of it")?);
        };
        let said = match (&self.known.origin, book.commit(&source.commit).state) {
            (Some(Origin::Agent(author)), _) => {
                let name = self.known.model().unwrap_or_default();
                let who = [self.known.agent.unwrap_or("an agent"), model(name), "in session", author.session.as_str()];
                let who = who.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
                out.paint(output::AGENT, one_line(&who))
            }
            (Some(Origin::Human), _) => out.paint(output::HUMAN, "a person, who has said so"),
            (Some(Origin::Unattributed), _) => "no agent is known to have written it".to_owned(),
            (None, State::Missing) => {
                "whose it is is not known: no record speaks of the commit (git tracevault fetch)".to_owned()
            }
            (None, State::Bad) => {
                "whose it is is not known: the commit's record does not hold (git tracevault verify)".to_owned()
            }
            (None, _) => "whose it is is not known: the commit's record does not speak of the line".to_owned(),
        };
        out.line(format_args!("{:<7} {said}", "by"))?;
        if let Some(found) = &self.known.found {
            let id = out.paint(output::ID, found.record);
            let evidence = evidence_word(found.evidence);
            let about =
                book.report.entries().find(|entry| entry.id == found.record).and_then(|entry| match &entry.body {
                    Body::Commit(body) if body.commit != source.commit => Some(&body.commit),
                    _ => None,
                });
            let about = about.map(|commit| format!(" of commit {}", commit.short())).unwrap_or_default();
            out.line(format_args!("record  {id}{about}  {evidence}"))?;
        }
        Ok(())
    }

    /// The prompts before, the prompt, what led to the call, and the call.
    fn print_turn(&self, place: &Place<'_>, out: &mut Out) -> anyhow::Result<()> {
        for before in &place.before {
            let who = if before.source == "main" { String::new() } else { format!("subagent {}  ", before.source) };
            let time = before.time.map(minute).unwrap_or_default();
            out.line("")?;
            let head = format!("── before: {who}turn {}  {time}", before.number);
            out.line(out.paint(output::DIM, one_line(head.trim_end())))?;
            turns::prompt(out, &before.asked)?;
        }
        turns::head(out, place.source, place.number, &place.turn)?;
        let steps = &place.turn.steps;
        let from = led_by(steps, place.step);
        turns::more(out, from)?;
        for step in &steps[from..place.step] {
            // Calls made at once are others' business.
            if !matches!(step, Step::Call(_)) {
                turns::step(out, step)?;
            }
        }
        if let Some(Step::Call(call)) = steps.get(place.step) {
            turns::step(out, &Step::Call(self.focused(call)))?;
        }
        turns::more(out, steps.len() - place.step - 1 + place.turn.omitted)?;
        Ok(self.print_missing(out)?)
    }

    /// The call with what it changed around the line.
    fn focused(&self, call: &Call) -> Call {
        let line = String::from_utf8_lossy(self.line.text);
        Call { diffs: focused(&call.diffs, &line, DIFF_LINES), ..call.clone() }
    }

    fn print_missing(&self, out: &mut Out) -> std::io::Result<()> {
        self.missing.iter().try_for_each(|why| turns::missing(out, why))
    }

    /// The commit that the line comes from, and those before it.
    fn print_changes(&self, book: &Book<'_>, out: &mut Out) -> anyhow::Result<()> {
        if self.changes.is_empty() {
            return Ok(());
        }
        out.line("")?;
        out.line(out.paint(output::HEAD, "── commits that changed the line, newest first"))?;
        let mut table = table::Table::new(&[table::COLUMN; 5]);
        for change in &self.changes {
            let state = book.commit(&change.id).state;
            let (word, style) = state_style(state);
            let reviewers = match change.reviewers.as_slice() {
                [] => String::new(),
                names => format!("  (reviewed by {})", names.join(", ")),
            };
            table.row(vec![
                table::Cell::new(change.id.short(), output::ID),
                table::Cell::new(Time::from_unix(change.commit.time).day(), output::DIM),
                table::Cell::plain(&change.commit.author),
                table::Cell::new(word, style),
                table::Cell::plain(format!("{}{reviewers}", change.commit.subject)),
            ]);
        }
        table.print(out)?;
        if self.changes.len() == CHANGES {
            out.line(out.paint(output::DIM, format!("at most {} are told", count(CHANGES as u64, "commit"))))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser, Debug)]
    struct Typed {
        #[command(flatten)]
        args: Args,
    }

    fn asked(line: &str) -> Result<String, String> {
        let words = ["why"].into_iter().chain(line.split(' '));
        let typed = Typed::try_parse_from(words).map_err(|error| error.to_string())?;
        let is_file = |name: &Path| name == Path::new("is:3");
        let (file, range, revision) = typed.args.asked(is_file).map_err(|error| error.to_string())?;
        let revision = revision.map(|name| format!(" {}", name.display())).unwrap_or_default();
        let range = range.display().to_string();
        let line = range.split_once(',').filter(|(first, last)| first == last).map_or(&*range, |(line, _)| line);
        Ok(format!("{} {line}{revision}", file.display()))
    }

    #[test]
    fn a_line_is_named_in_several_ways() {
        for (line, expected) in [
            ("a.rs:7", "a.rs 7"),
            ("a.rs:7:12", "a.rs 7"),
            ("a.rs:7 v1", "a.rs 7 v1"),
            ("a.rs 7", "a.rs 7"),
            ("a.rs 7 v1", "a.rs 7 v1"),
            ("a:b.rs:7", "a:b.rs 7"),
            ("a:b 7", "a:b 7"),
            ("-L 7 a.rs:9", "a.rs:9 7"),
            ("-L7 a.rs v1", "a.rs 7 v1"),
            ("a.rs:7 8", "a.rs 7 8"),
            ("is:3:7", "is:3 7"),
            ("is:3:7:9", "is:3 7"),
            ("is:3", "is 3"),
            ("-L 2,4 a", "a 2,4"),
            ("-L/x/ a v1", "a /x/ v1"),
            ("-L :main a", "a :main"),
        ] {
            assert_eq!(asked(line).as_deref(), Ok(expected), "{line}");
        }
        for line in ["a.rs", "a.rs:0", "a.rs b", "a.rs:7 v1 v2", ":7", "a.rs:7:", "-L1 a b c"] {
            assert!(asked(line).is_err(), "{line}");
        }
    }
}

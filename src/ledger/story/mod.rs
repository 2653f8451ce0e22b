//! What stories are told from: whose the lines are, what was said in the sessions around them, the commits.

pub mod asked;
pub mod commits;
pub mod decided;
pub mod scenes;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ffi::OsString;
use std::path::Path;

use crate::attribution::labels;
use crate::git::blame::{self, Blame, Line};
use crate::git::history;
use crate::id::{CallId, GitId, SessionId};
use crate::ledger::known::Known;
use crate::ledger::origins::Origins;
use crate::ledger::query::{Book, Segment};
use crate::ledger::{Ledger, LedgerError};
use crate::record::body::LineAuthor;
use crate::redaction::Redactor;
use crate::scope::language::Language;
use crate::scope::{Outcome, Scope, walk};
use crate::story::compose::compose;
use crate::story::material::{Material, Origin, Role, Writer};
use crate::story::{About, Story};
use asked::Asked;
use scenes::Reading;

/// So many sessions are read for a story, those of today's lines first.
const SESSIONS: usize = 6;
/// So many calls are told of as writers.
const WRITERS: usize = 8;
/// A session that ended so many seconds before another may be what that one goes on from.
const BEFORE: i64 = 24 * 3600;
/// So much of a symbol's text counts for what it is about, in bytes.
const MAX_TEXT: usize = 4 << 10;

/// What a story is told from, before the sessions are read.
struct Gathered {
    material: Material,
    /// The calls that wrote it.
    wanted: HashSet<CallId>,
    /// The sessions that are read for it, the nearest first.
    sessions: Vec<SessionId>,
}

impl Ledger {
    /// The story of something, composed from the records alone; paths are as seen from `dir`. `redactor` redacts what was said
    /// once more, `opening` hears of each session before it is read.
    pub fn story(
        &self,
        asked: &Asked,
        dir: &Path,
        book: &Book<'_>,
        redactor: &Redactor,
        opening: impl FnMut(&SessionId),
    ) -> Result<Story, LedgerError> {
        let mut gathered = self.gather(asked, dir, book)?;
        gathered.material.missing.extend(self.not_here(book));
        gathered.sessions.iter().for_each(opening);
        Ok(compose(&self.read_sessions(gathered, book, redactor)))
    }

    /// What is not in this clone that might tell more.
    fn not_here(&self, book: &Book<'_>) -> Vec<String> {
        let mut missing = Vec::new();
        if book.report.ledger.is_none() {
            missing.push("there is no ledger here (git tracevault fetch)".to_owned());
        }
        if self.repo.is_shallow() {
            missing.push("this clone is shallow: older commits are not here (git fetch --unshallow)".to_owned());
        }
        missing
    }

    /// Finds whose it is, and which sessions and commits have to do with it.
    fn gather(&self, asked: &Asked, dir: &Path, book: &Book<'_>) -> Result<Gathered, LedgerError> {
        match asked {
            Asked::Line { file, line, revision } => self.gather_line(file, *line, revision.as_ref(), dir, book),
            Asked::Symbol { file, name, revision } => self.gather_symbol(file, name, revision.as_ref(), dir, book),
            Asked::Commit(commit) => self.gather_commit(commit, dir, book),
            Asked::Session(session) => Ok(self.gather_session(session, dir, book)),
        }
    }

    /// Reads what was said in the sessions that were found.
    fn read_sessions(&self, gathered: Gathered, book: &Book<'_>, redactor: &Redactor) -> Material {
        let Gathered { mut material, wanted, sessions } = gathered;
        let reading = Reading { repo: &self.repo, store: &book.report.payloads, redactor, wanted: &wanted };
        for session in &sessions {
            let notes = book.telling_notes(session).into_iter().map(|note| format!("session {session}: {note}"));
            material.missing.extend(notes);
            let read = reading.session(&book.telling(session), session, &mut material.missing);
            material.scenes.extend(read);
        }
        scenes::order(&mut material.scenes);
        material
    }

    fn gather_line(
        &self,
        file: &OsString,
        number: u32,
        revision: Option<&GitId>,
        dir: &Path,
        book: &Book<'_>,
    ) -> Result<Gathered, LedgerError> {
        let asked = blamed(file, Some(format!("-L{number},{number}")), revision);
        let printed = blame::blame(dir, asked, false)?;
        let parsed = printed.parse();
        let shown = file.to_string_lossy();
        let Some(line) = parsed.lines.first() else {
            return Err(LedgerError::Refused(format!("{shown} has no line {number}")));
        };
        let Some(source) = &line.source else {
            return Err(LedgerError::Refused(format!(
                "line {number} of {shown} is not committed yet: it has no story"
            )));
        };
        let text = text_of(line);
        let about = About::Line { file: shown.into_owned(), line: number, text };
        let mut gathered = Gathered::new(about, String::new());
        let mut origins = Origins::new(self, book);
        gathered.take_lines(std::slice::from_ref(line), &mut origins, book);
        gathered.material.commits = commits::of_line(&self.repo, source, None)?;
        gathered.add_sessions(book);
        Ok(gathered)
    }

    fn gather_symbol(
        &self,
        file: &OsString,
        name: &str,
        revision: Option<&GitId>,
        dir: &Path,
        book: &Book<'_>,
    ) -> Result<Gathered, LedgerError> {
        let printed = blame::blame(dir, blamed(file, None, revision), false)?;
        let parsed = printed.parse();
        let shown = file.to_string_lossy().into_owned();
        let scope = symbol(&parsed, &shown, name).map_err(LedgerError::Refused)?;
        let inside = |line: &&Line<'_>| (scope.first..=scope.last).contains(&line.number);
        let lines: Vec<Line<'_>> = parsed.lines.iter().filter(inside).cloned().collect();
        let text = lines.iter().map(text_of).collect::<Vec<_>>().join("\n");
        let text = crate::session::turns::shortened_to(&text, MAX_TEXT);
        let about = About::Symbol { file: shown, name: scope.qualified, first: scope.first, last: scope.last };
        let mut gathered = Gathered::new(about, text);
        let mut origins = Origins::new(self, book);
        gathered.take_lines(&lines, &mut origins, book);
        gathered.material.commits = commits::of_lines(&self.repo, &lines, &parsed);
        gathered.add_sessions(book);
        Ok(gathered)
    }

    fn gather_commit(&self, commit: &GitId, dir: &Path, book: &Book<'_>) -> Result<Gathered, LedgerError> {
        let known = book.commit(commit);
        let subject = commits::one(dir, commit)?.map(|info| info.subject).unwrap_or_default();
        let mut gathered = Gathered::new(About::Commit { commit: commit.clone(), subject }, String::new());
        if let (Some(entry), Some(_)) = (known.entry, known.body) {
            let mut lines: BTreeMap<Author, u64> = BTreeMap::new();
            let trace = self.trace(entry)?;
            for file in &trace.files {
                gathered.material.files.push(file.path.to_string());
                for range in &file.ranges {
                    if let labels::Origin::Agent(author) = range.origin() {
                        let count = u64::from(range.end - range.start) + 1;
                        *lines.entry((author.session, author.call, range.model.clone())).or_default() += count;
                    }
                }
            }
            gathered.take_writers(lines, book);
        }
        if gathered.material.writers.is_empty() {
            let recorded = known.body.is_some();
            gathered.material.origin = if recorded { Origin::Unattributed } else { Origin::Unknown };
        }
        gathered.material.commits = commits::of_commit(dir, commit, &gathered.material.files)?;
        gathered.add_sessions(book);
        Ok(gathered)
    }

    fn gather_session(&self, session: &SessionId, dir: &Path, book: &Book<'_>) -> Gathered {
        let mut gathered = Gathered::new(About::Session { session: session.clone() }, String::new());
        let here = book.commits_of(session).into_iter().filter(|commit| self.repo.contains(commit));
        gathered.material.commits = commits::of_session(dir, here);
        gathered.sessions.push(session.clone());
        gathered
    }
}

/// Who wrote lines, and with which model.
type Author = (SessionId, CallId, Option<String>);

impl Gathered {
    fn new(about: About, text: String) -> Self {
        let material = Material { text, ..Material::about(about) };
        Gathered { material, wanted: HashSet::new(), sessions: Vec::new() }
    }

    /// Takes in whose some lines are, and the files that they come from.
    fn take_lines<'b>(&mut self, lines: &[Line<'_>], origins: &mut Origins<'b>, book: &'b Book<'b>) {
        let mut authors: BTreeMap<Author, u64> = BTreeMap::new();
        let (mut human, mut recorded) = (false, false);
        for source in lines.iter().filter_map(|line| line.source.as_ref()) {
            let file = source.path.to_string();
            if !self.material.files.contains(&file) {
                self.material.files.push(file);
            }
            let known = Known::of(source, origins, book);
            match &known.origin {
                Some(labels::Origin::Agent(LineAuthor { session, call })) => {
                    let author = (session.clone(), call.clone(), known.model().map(str::to_owned));
                    *authors.entry(author).or_default() += 1;
                }
                Some(labels::Origin::Human) => human = true,
                Some(labels::Origin::Unattributed) => recorded = true,
                None => {}
            }
        }
        self.material.missing.extend(origins.troubles().iter().map(ToString::to_string));
        self.take_writers(authors, book);
        if self.material.writers.is_empty() {
            self.material.origin = match (human, recorded) {
                (true, _) => Origin::Human,
                (false, true) => Origin::Unattributed,
                (false, false) => Origin::Unknown,
            };
        }
    }

    fn take_writers(&mut self, authors: BTreeMap<Author, u64>, book: &Book<'_>) {
        let mut authors: Vec<(Author, u64)> = authors.into_iter().collect();
        authors.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        for ((session, call, model), _) in authors.into_iter().take(WRITERS) {
            self.material.origin = Origin::Agent;
            self.wanted.insert(call.clone());
            if !self.sessions.contains(&session) && self.sessions.len() < SESSIONS {
                self.sessions.push(session.clone());
            }
            let agent = book.agent(&session).map(str::to_owned);
            self.material.writers.push(Writer { session, call, agent, model });
        }
    }

    /// Adds the sessions that its commits draw on, and the one before the one that wrote it: where a line was thought of need not
    /// be where it was written.
    fn add_sessions(&mut self, book: &Book<'_>) {
        let before = self.sessions.first().and_then(|session| session_before(session, book));
        let mut seen: BTreeSet<SessionId> = self.sessions.iter().cloned().collect();
        self.sessions.extend(before.filter(|before| seen.insert(before.clone())));
        for commit in &self.material.commits {
            if commit.role == Role::Later {
                continue;
            }
            for share in book.shares(&commit.id) {
                if self.sessions.len() < SESSIONS && seen.insert(share.session.clone()) {
                    self.sessions.push(share.session.clone());
                }
            }
        }
    }
}

/// The session of the same writer that ended last before this one began, if that was within [`BEFORE`]: plans are often made
/// in one session and carried out in the next.
fn session_before(session: &SessionId, book: &Book<'_>) -> Option<SessionId> {
    let first = book.segments(session).first()?;
    let (chain, began) = (first.entry.chain, first.body.started.unix());
    let ended = |segments: &[Segment<'_>]| {
        let own = segments.iter().filter(|segment| segment.entry.chain == chain);
        let last = own.map(|segment| segment.body.ended.unix()).max()?;
        (0..=BEFORE).contains(&(began - last)).then_some(last)
    };
    let ended = book.all_sessions().filter_map(|(name, segments)| Some((ended(segments)?, name)));
    ended.filter(|(_, name)| *name != session).max().map(|(_, name)| name.clone())
}

fn blamed(file: &OsString, range: Option<String>, revision: Option<&GitId>) -> blame::Asked {
    blame::Asked {
        options: range.into_iter().map(OsString::from).collect(),
        revisions: revision.iter().map(|commit| commit.as_str().into()).collect(),
        file: file.clone(),
        ..blame::Asked::default()
    }
}

fn text_of(line: &Line<'_>) -> String {
    String::from_utf8_lossy(line.text).into_owned()
}

/// The scope of a file that has this name: the whole of it, or its own.
fn symbol(blame: &Blame<'_>, file: &str, name: &str) -> Result<Scope, String> {
    let first = blame.lines.first().map(|line| line.text).unwrap_or_default();
    let language =
        Language::of(file, first).ok_or_else(|| format!("{file} is in no language whose symbols are known"))?;
    let source: Vec<u8> = blame.lines.iter().flat_map(|line| [line.text, b"\n"]).flatten().copied().collect();
    let Outcome::Found(scopes) = walk::scopes(language, &source) else {
        return Err(format!("{file} is too large or too hard to parse: its symbols are not known"));
    };
    let (whole, own): (Vec<Scope>, Vec<Scope>) = scopes
        .list
        .into_iter()
        .filter(|scope| scope.qualified == name || scope.name == name)
        .partition(|scope| scope.qualified == name);
    let mut found = if whole.is_empty() { own } else { whole };
    match found.len() {
        0 => Err(format!("{file} has no symbol {name}")),
        1 => Ok(found.remove(0)),
        _ => {
            let some = found.iter().take(8).map(|scope| format!("{} (line {})", scope.qualified, scope.first));
            Err(format!("{name} is not clear in {file}: {}", some.collect::<Vec<_>>().join(", ")))
        }
    }
}

/// A commit that is here, by its name.
fn resolved(ledger: &Ledger, name: &str) -> Option<GitId> {
    history::resolve(&ledger.repo, name).ok()
}

//! Recording commits: whose each added line is, which sessions it draws on, how a rewritten commit came to be.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::attribution::commit::{FileAttribution, total};
use crate::attribution::labels::Origin;
use crate::attribution::trace;
use crate::cost::PriceTable;
use crate::digest::Digest;
use crate::git::diff::{self, Begun, FileChange};
use crate::git::repo::{Kind, Repo, RepoError};
use crate::git::{history, tree_diff};
use crate::host::progress::Bar;
use crate::id::{GitId, RecordId, SessionId};
use crate::ledger::append::Writer;
use crate::ledger::attribute::attribute_commit;
use crate::ledger::commits;
use crate::ledger::cursor::Cursor;
use crate::ledger::edited::Edited;
use crate::ledger::local::{Changes, RECORDED};
use crate::ledger::query::Book;
use crate::ledger::verify::{self, Options};
use crate::ledger::{Ledger, LedgerError, fit};
use crate::record::body::{Body, Commit, LineAuthor, Link, SAME_COMMIT, SAME_LINES, SAME_PATCH, SessionRef};
use crate::session::edit::Known;

impl Writer<'_> {
    /// Records a commit whose diff has begun, with the sessions that it draws on; the record that speaks of it.
    pub fn record_commit(&mut self, diff: Begun) -> Result<RecordId, LedgerError> {
        let commit = &diff.commit().clone();
        if let Some(known) = self.local().recorded(commit)? {
            return Ok(known);
        }
        // What is known without it is read and sealed while git makes the diff.
        let repo = &self.ledger.repo;
        let before = history::first_parent(repo, commit).and_then(|parent| history::committed_at(repo, &parent));
        let since = before.map_or(0, |time| time.unix() * 1000);
        let mut edits = Edited::new(repo);
        edits.read(tree_diff::of_commit(repo, commit).unwrap_or_default().keys())?;
        let mut sealed = BTreeMap::new();
        self.seal_for(commit, edits.sessions_since(since), &mut sealed)?;
        let facts = CommitFacts::read(self.ledger, diff)?;
        edits.read(facts.changes.files.iter().flat_map(FileChange::names))?;
        let attribution = attribute_commit(&self.ledger.repo, commit, &facts.changes.files, &edits)?;
        let sessions = drawn_on(repo, &attribution, &facts.changes.files, &edits, since);
        self.seal_for(commit, sessions.clone(), &mut sealed)?;
        let sessions: BTreeMap<SessionId, RecordId> =
            sessions.into_iter().filter_map(|session| sealed.get(&session)?.map(|record| (session, record))).collect();
        let local = self.local();
        let mut cursors: BTreeMap<SessionId, Cursor> = BTreeMap::new();
        for session in sessions.keys() {
            cursors.insert(session.clone(), Cursor::load(&local, session)?);
        }
        let model = |author: &LineAuthor| cursors.get(&author.session).and_then(|cursor| cursor.model(&author.call));
        let trace_facts = trace::Facts { commit, time: facts.time, tool_version: env!("CARGO_PKG_VERSION") };
        let trace = trace::write(&trace_facts, &attribution, model)
            .map_err(|error| LedgerError::Refused(format!("agent-trace.json: {error}")))?;
        let body = facts.body(&attribution, sessions, &trace);
        let dir = self.ledger.dir();
        let line = |record: RecordId| {
            let mut changes = Changes::default();
            let text = format!("{commit} {record}\n");
            crate::ledger::local::Local::new(dir).append(&mut changes, RECORDED, text.as_bytes())?;
            Ok(changes)
        };
        let record = self.append(Body::Commit(Box::new(body.clone())), Some(&trace), &[], line)?;
        // A note is for readers; that it could not be written must not undo the record.
        if let Err(error) = self.ledger.note_commit(&body, record, &cursors) {
            crate::host::output::say(format_args!("tracevault: no note for {}: {error}", commit.short()));
        }
        Ok(record)
    }

    /// Seals those of these sessions that are not yet; their last records, if they have one.
    fn seal_for(
        &mut self,
        commit: &GitId,
        sessions: BTreeSet<SessionId>,
        sealed: &mut BTreeMap<SessionId, Option<RecordId>>,
    ) -> Result<(), LedgerError> {
        for session in sessions {
            if sealed.contains_key(&session) {
                continue;
            }
            let record = match self.seal(&session) {
                // What is wrong with one session's files must not keep the commit from being recorded.
                Err(error @ (LedgerError::Record { .. } | LedgerError::File { .. })) => {
                    let commit = commit.short();
                    crate::host::output::say(format_args!(
                        "tracevault: session {session} is not recorded with {commit}: {error}"
                    ));
                    None
                }
                other => other?,
            };
            sealed.insert(session, record);
        }
        Ok(())
    }

    /// Records that `new` is `old` rewritten, if the record of `old` is ours to speak for it.
    pub fn record_link(&mut self, old: &GitId, new: &GitId, found_by: &str) -> Result<(), LedgerError> {
        if old == new || self.local().recorded(old)?.is_none() {
            return Ok(());
        }
        let repo = &self.ledger.repo;
        let (was, is) = (diff::begin(repo, old), diff::begin(repo, new));
        let (Ok(was), Ok(is)) = (CommitFacts::read(self.ledger, was), CommitFacts::read(self.ledger, is)) else {
            return Ok(());
        };
        let same_patch = was.changes.patch_id.is_some() && was.changes.patch_id == is.changes.patch_id;
        let level = match () {
            () if was.tree == is.tree && was.parents == is.parents => SAME_COMMIT,
            () if was.tree == is.tree || same_patch => SAME_PATCH,
            () => SAME_LINES,
        };
        let found_by: String = found_by.chars().filter(char::is_ascii_graphic).take(40).collect();
        let body = Body::Link(Link { old: old.clone(), new: new.clone(), found_by, level });
        self.append(body, None, &[], |_| Ok(Changes::default())).map(drop)
    }

    /// Records those of these commits that no record speaks of, here or at a remote, and links them with the commits that
    /// they repeat; how many there were.
    ///
    /// What was committed before the ledger was founded is none of its business.
    pub fn catch_up(&mut self, commits: &[GitId]) -> Result<u64, LedgerError> {
        let local = self.local();
        let mut open = Vec::new();
        for commit in commits {
            if local.recorded(commit)?.is_none() {
                open.push(commit.clone());
            }
        }
        if open.is_empty() {
            return Ok(0);
        }
        let report = self.ledger.verify(&Options { pinned: self.ledger.id(), entries: true, ..Options::default() })?;
        let known: HashSet<GitId> =
            commits::records(&report).into_iter().filter(|(_, e)| e.good).map(|(id, _)| id).collect();
        let founded = self.ledger.founded()?;
        let mut late = Vec::new();
        for commit in open.into_iter().filter(|commit| !known.contains(commit)) {
            if CommitFacts::header(self.ledger, &commit)?.time >= founded {
                late.push(commit);
            }
        }
        // Before they have a record: what a commit repeats is asked only of those without.
        let agents = |entry: &verify::Entry| matches!(&entry.body, Body::Commit(body) if body.total.agent > 0);
        let links = match report.entries().any(|entry| entry.good && agents(entry)) {
            true => self.ledger.find_links(&Book::new(&report, PriceTable::embedded()), &late)?,
            false => Vec::new(),
        };
        let bar = Bar::new("commits", late.len() as u64);
        for commit in &late {
            bar.step(1);
            self.record_commit(diff::begin(&self.ledger.repo, commit))?;
        }
        self.record_links(&links, "catch-up")?;
        Ok(late.len() as u64)
    }
}

impl Ledger {
    /// When the ledger was founded, by its founder's clock.
    pub fn founded(&self) -> Result<crate::time::Time, LedgerError> {
        let name = self.prefix.chain(crate::id::ChainId::Policy);
        let mut next = self.repo.find_ref(&name)?;
        let mut time = crate::time::Time::default();
        while let Some(commit) = next {
            let stored = self.read(&name, &commit)?;
            time = stored.record.envelope().time;
            next = stored.parent;
        }
        Ok(time)
    }
}

/// What a commit says of itself, and what it changes.
pub struct CommitFacts {
    pub commit: GitId,
    sha256: Digest,
    pub tree: GitId,
    pub parents: Vec<GitId>,
    time: crate::time::Time,
    pub changes: diff::Changes,
}

impl CommitFacts {
    pub fn read(ledger: &Ledger, diff: Begun) -> Result<Self, LedgerError> {
        let mut facts = Self::header(ledger, diff.commit())?;
        facts.changes = diff::changes(&ledger.repo, diff).map_err(|error| LedgerError::Refused(error.to_string()))?;
        Ok(facts)
    }

    /// What the commit object itself says.
    pub fn header(ledger: &Ledger, commit: &GitId) -> Result<Self, LedgerError> {
        let bytes = ledger.repo.read_checked(commit, Kind::Commit)?;
        let text = String::from_utf8_lossy(&bytes);
        let head = text.split("\n\n").next().unwrap_or_default();
        let field = |name: &str| {
            head.lines()
                .filter_map(move |line| line.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned))
                .collect::<Vec<_>>()
        };
        let malformed =
            || RepoError::Object { id: commit.to_string(), reason: "not a commit of the usual form".into() };
        let tree = field("tree").first().and_then(|id| id.parse().ok()).ok_or_else(malformed)?;
        let parents = field("parent").iter().filter_map(|id| id.parse().ok()).collect();
        // `Name <mail> seconds zone`.
        let committer = field("committer");
        let seconds = committer.first().and_then(|line| line.rsplit(' ').nth(1)).and_then(|text| text.parse().ok());
        let time = crate::time::Time::from_unix(seconds.unwrap_or_default());
        let changes = diff::Changes::default();
        Ok(CommitFacts { commit: commit.clone(), sha256: Digest::of(&bytes), tree, parents, time, changes })
    }

    fn body(self, files: &[FileAttribution], sessions: BTreeMap<SessionId, RecordId>, trace: &[u8]) -> Commit {
        fit::commit(Commit {
            commit: self.commit,
            sha256: self.sha256,
            tree: self.tree,
            parents: self.parents,
            patch_id: self.changes.patch_id,
            patch_id_u0: self.changes.patch_id_u0,
            sessions: sessions.into_iter().map(|(session, record)| SessionRef { session, record }).collect(),
            files: files.iter().map(|file| file.lines.clone()).collect(),
            total: total(files),
            trace: Digest::of(trace),
            cut: Vec::new(),
        })
    }
}

/// The sessions that made lines of the commit, and those that changed its files since the commit before it (in
/// milliseconds since 1970).
fn drawn_on(
    repo: &Repo,
    attributions: &[FileAttribution],
    files: &[FileChange],
    edits: &Edited,
    since: i64,
) -> BTreeSet<SessionId> {
    let ranges = attributions.iter().flat_map(|file| &file.ranges);
    let mut sessions: BTreeSet<SessionId> = ranges
        .filter_map(|range| match &range.origin {
            Origin::Agent(author) => Some(author.session.clone()),
            _ => None,
        })
        .collect();
    for file in files.iter().filter(|file| edits.all_of(file).any(|edit| edit.at >= since)) {
        let had = before(repo, file);
        for edits in edits.by_tree(edits.all_of(file)) {
            // A commit's time is in whole seconds: what it has itself may seem to be younger.
            let until = edits.iter().rposition(|edit| Known::Is(edit.after) == had).map_or(0, |last| last + 1);
            let recent = edits[until..].iter().filter(|edit| edit.at >= since);
            sessions.extend(recent.map(|edit| edit.session.clone()));
        }
    }
    sessions
}

/// The file's bytes in the commit before.
fn before(repo: &Repo, file: &FileChange) -> Known {
    match file.blob_before.as_ref().map(|blob| repo.read(blob)) {
        None => Known::Is(None),
        Some(Ok((Kind::Blob, bytes))) => Known::Is(Some(Digest::of(&bytes))),
        Some(_) => Known::Unknown,
    }
}

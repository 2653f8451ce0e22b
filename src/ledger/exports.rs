//! What the records say, for other tools: a record's trace as it stands, and notes in the form of git-ai.

use std::collections::HashMap;
use std::rc::Rc;

use crate::attribution::interchange::git_ai::{self, SessionFacts};
use crate::attribution::trace::{Trace, TraceFile, TraceRange};
use crate::git::repo::Kind;
use crate::git::{diff, notes};
use crate::host::clock;
use crate::id::{GitId, RecordId, RepoPath, SessionId};
use crate::ledger::claims::MAX_NOTE_BYTES;
use crate::ledger::origins::Origins;
use crate::ledger::query::{Book, Segment};
use crate::ledger::refs::GIT_AI_NOTES;
use crate::ledger::verify::Entry;
use crate::ledger::{Ledger, LedgerError};
use crate::record::body::Body;

/// A note of git-ai's form about a commit.
pub struct Note {
    pub commit: GitId,
    /// None where no line is an agent's.
    pub bytes: Option<Vec<u8>>,
    /// Files that the form cannot hold.
    pub unheld: Vec<RepoPath>,
}

/// What became of notes that were written.
#[derive(Debug, Default)]
pub struct Written {
    pub written: Vec<GitId>,
    pub same: usize,
    /// Commits that have a note which somebody else wrote: it stays.
    pub others: Vec<GitId>,
}

impl Ledger {
    /// `agent-trace.json` of a commit record, byte for byte.
    pub fn trace_bytes(&self, entry: &Entry) -> Result<Vec<u8>, LedgerError> {
        let stored = self.read(&self.prefix.chain(entry.chain), &entry.commit)?;
        stored.trace.ok_or_else(|| LedgerError::Refused(format!("record {} has no trace", entry.id.short())))
    }

    /// What is known of a commit's lines as a note of git-ai's form; `None` where nothing is known. A commit without a record
    /// of its own is answered for as in `blame`, line by line.
    pub fn git_ai_note(
        &self,
        commit: &GitId,
        book: &Book<'_>,
        origins: &mut Origins<'_>,
    ) -> Result<Option<Note>, LedgerError> {
        let own = book.record_of(commit);
        let (record, trace) = match own {
            Some(entry) => (entry.id, self.trace(entry)?),
            None => match self.projected(commit, origins)? {
                Some(known) => known,
                None => return Ok(None),
            },
        };
        let (note, unheld) = git_ai::of_trace(&trace, commit, |session| session_facts(book, own, session));
        let bytes = note.map(|note| git_ai::write(&note, record, env!("CARGO_PKG_VERSION"))).transpose();
        let bytes = bytes.map_err(|error| LedgerError::Refused(format!("a note: {error}")))?;
        Ok(Some(Note { commit: commit.clone(), bytes, unheld }))
    }

    /// The lines that a commit without a record adds, as far as other records speak of them, and the first of these.
    fn projected(&self, commit: &GitId, origins: &mut Origins<'_>) -> Result<Option<(RecordId, Trace)>, LedgerError> {
        let changes = diff::changes(&self.repo, diff::begin(&self.repo, commit))
            .map_err(|error| LedgerError::Refused(format!("the changes of commit {}: {error}", commit.short())))?;
        let (mut record, mut files) = (None, Vec::new());
        for file in changes.files {
            let path = Rc::new(file.path);
            let mut ranges: Vec<TraceRange> = Vec::new();
            for line in file.added {
                let Some(found) = origins.line(commit, &path, line) else { continue };
                record.get_or_insert(found.record);
                match ranges.last_mut() {
                    Some(last) if last.end + 1 == line && last.url == found.range.url => last.end = line,
                    _ => ranges.push(TraceRange { start: line, end: line, content_hash: None, ..found.range }),
                }
            }
            files.push(TraceFile { path: Rc::unwrap_or_clone(path), ranges });
        }
        let trace = Trace { id: None, time: None, revision: None, tool: None, tool_version: None, files };
        Ok(record.map(|record| (record, trace)))
    }

    /// Writes notes to git-ai's ref. A note that somebody else wrote stays, unless that is forced.
    pub fn write_git_ai_notes(&self, texts: &[(GitId, Vec<u8>)], force: bool) -> Result<Written, LedgerError> {
        let mut done = Written::default();
        let who = self.own_chain().map_or_else(|| "reader".to_owned(), |chain| chain.to_string());
        notes::update(&self.repo, GIT_AI_NOTES, &who, clock::now().unix(), |tip| {
            let there: HashMap<GitId, GitId> = notes::all_at(&self.repo, tip)?.into_iter().collect();
            done = Written::default();
            let mut chosen = Vec::new();
            for (commit, text) in texts {
                if let Some(blob) = there.get(commit) {
                    // One that is too large or cannot be read is not ours.
                    let known = self.repo.read_at_most(blob, Kind::Blob, MAX_NOTE_BYTES).unwrap_or_default();
                    if known == *text {
                        done.same += 1;
                        continue;
                    }
                    if !force && !git_ai::is_ours(&known) {
                        done.others.push(commit.clone());
                        continue;
                    }
                }
                done.written.push(commit.clone());
                chosen.push((commit.clone(), text.clone()));
            }
            Ok::<_, LedgerError>(chosen)
        })?;
        Ok(done)
    }
}

/// What the records say of a session, up to the segment that a commit's record cites.
fn session_facts(book: &Book<'_>, record: Option<&Entry>, session: &SessionId) -> SessionFacts {
    let segments = book.segments(session);
    let cited = record.and_then(|entry| match &entry.body {
        Body::Commit(commit) => commit.sessions.iter().find(|reference| reference.session == *session),
        _ => None,
    });
    let last = cited.and_then(|cited| segments.iter().find(|segment| segment.entry.id == cited.record));
    let counts = |segment: &&Segment<'_>| {
        last.is_none_or(|last| segment.entry.chain != last.entry.chain || segment.body.segment <= last.body.segment)
    };
    let mut facts = SessionFacts { agent: book.agent(session).map(str::to_owned), ..SessionFacts::default() };
    for file in segments.iter().filter(counts).flat_map(|segment| &segment.body.files) {
        facts.added = facts.added.saturating_add(file.added);
        facts.removed = facts.removed.saturating_add(file.removed);
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::PriceTable;
    use crate::digest::Digest;
    use crate::ledger::testing::Fixture;
    use crate::record::body::Link;

    #[test]
    fn a_commit_without_a_record_is_answered_for_by_that_of_the_one_it_was_rewritten_from() {
        let fixture = Fixture::of_each_type();
        let (ledger, developer) = (&fixture.ledger, &fixture.people.developer);
        let old = fixture.code(None, "a.rs", "fn one() {}\nfn two() {}\n");
        fixture.record_commit(developer, &old);
        let (same, other) = (fixture.code(Some(&old), "z/a.rs", "x\n"), fixture.code(None, "a.rs", "fn other() {}\n"));
        // The same lines in a commit of its own.
        let raw = String::from_utf8(ledger.repo.read(&old).unwrap().1).unwrap();
        let new = ledger.repo.write(Kind::Commit, raw.replace("Write", "Rewrite").as_bytes()).unwrap();
        for new in [&new, &other] {
            let body = Link { old: old.clone(), new: new.clone(), found_by: "rebase".into(), level: 2 };
            fixture.append(developer.chain(), &[developer], Body::Link(body), None);
        }
        let report = ledger.read_all().unwrap();
        let book = Book::new(&report, PriceTable::embedded());
        let mut origins = Origins::new(ledger, &book);
        let mut lines = |commit: &GitId| {
            let bytes = ledger.git_ai_note(commit, &book, &mut origins).unwrap()?.bytes?;
            Some(String::from_utf8(bytes).unwrap().split("\n---\n").next().unwrap().to_owned())
        };
        let expected = lines(&old).unwrap();
        assert!(expected.starts_with("a.rs\n  ") && expected.ends_with(" 1-2"), "{expected}");
        assert_eq!(lines(&new), Some(expected));
        // Lines that are others, and a commit that nothing speaks of, are nobody's known.
        assert_eq!((lines(&other), lines(&same)), (None, None));
    }

    #[test]
    fn what_another_process_writes_meanwhile_is_not_written_over() {
        let fixture = Fixture::tiny();
        let repo = &fixture.ledger.repo;
        let commit = fixture.code(None, "a", "a\n");
        let mut rounds = 0;
        let written: Result<(), crate::git::repo::RepoError> = notes::update(repo, GIT_AI_NOTES, "x", 0, |tip| {
            rounds += 1;
            if rounds == 1 {
                notes::write(repo, GIT_AI_NOTES, &[(commit.clone(), b"theirs".to_vec())], "y", 0)?;
            }
            let there = notes::all_at(repo, tip)?;
            Ok(if there.is_empty() { vec![(commit.clone(), b"ours".to_vec())] } else { Vec::new() })
        });
        assert!(written.is_ok() && rounds == 2);
        let blob = notes::find(repo, GIT_AI_NOTES, &commit).unwrap().unwrap();
        assert_eq!(repo.read(&blob).unwrap().1, b"theirs");
    }

    #[test]
    fn a_note_is_found_among_few_and_many() {
        let fixture = Fixture::tiny();
        let repo = &fixture.ledger.repo;
        let id = |n: u32| Digest::of(&n.to_le_bytes()).to_string()[..40].parse().unwrap();
        let commits: Vec<GitId> = (0..600).map(id).collect();
        for count in [1, commits.len()] {
            let texts: Vec<_> = commits[..count].iter().map(|id| (id.clone(), id.to_string().into_bytes())).collect();
            notes::write(repo, GIT_AI_NOTES, &texts, "x", 0).unwrap();
            for commit in &commits[..count] {
                let blob = notes::find(repo, GIT_AI_NOTES, commit).unwrap().unwrap();
                assert_eq!(repo.read(&blob).unwrap().1, commit.as_str().as_bytes());
            }
            assert_eq!(notes::find(repo, GIT_AI_NOTES, &id(600)).unwrap(), None);
        }
    }
}

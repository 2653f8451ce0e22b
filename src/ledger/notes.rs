//! Notes: what a record says of a commit, for `git log --notes=tracevault`. Derived, rebuilt at will, never evidence.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use crate::digest::Digest;
use crate::finding::{Code, Finding};
use crate::git::notes;
use crate::git::repo::{Kind, Repo};
use crate::host::output::visible;
use crate::host::progress::Bar;
use crate::host::{clock, env};
use crate::id::{ChainId, GitId, PackedId, RecordId, SessionId};
use crate::ledger::commits;
use crate::ledger::copies::Walk;
use crate::ledger::cursor::Cursor;
use crate::ledger::refs::NOTES;
use crate::ledger::verify::Report;
use crate::ledger::workers::Workers;
use crate::ledger::{Ledger, LedgerError};
use crate::record::body::{Body, Commit, Session};

/// The line by which a note is told to be about a record.
const RECORD_LINE: &str = "Record: ";

/// A note of ours is never larger: a record is not.
const MAX_BYTES: usize = 1 << 20;
/// How often notes are pushed, where others push theirs.
const ATTEMPTS: u32 = 3;

/// What a note says of a session.
struct Who {
    agent: String,
    models: Vec<String>,
}

impl Ledger {
    /// Writes the note of a commit that was recorded just now.
    pub fn note_commit(
        &self,
        body: &Commit,
        record: RecordId,
        cursors: &BTreeMap<SessionId, Cursor>,
    ) -> Result<(), LedgerError> {
        let who = |session: &SessionId| {
            cursors
                .get(session)
                .map(|cursor| Who { agent: cursor.agent.clone(), models: cursor.model.iter().cloned().collect() })
        };
        self.write_notes(&[(body.commit.clone(), text(body, record, who).into_bytes())])
    }

    fn write_notes(&self, texts: &[(GitId, Vec<u8>)]) -> Result<(), LedgerError> {
        let who = self.own_chain().map_or_else(|| "reader".to_owned(), |chain: ChainId| chain.to_string());
        Ok(notes::write(&self.repo, NOTES, texts, &who, clock::now().unix())?)
    }

    /// Writes the notes that the records call for and that are not there yet; how many there were.
    pub fn rebuild_notes(&self, report: &Report) -> Result<usize, LedgerError> {
        let sessions = sessions(report);
        let there: HashMap<GitId, GitId> = notes::all(&self.repo, NOTES)?.into_iter().collect();
        let mut texts = Vec::new();
        for (commit, entry) in commits::records(report) {
            let Body::Commit(body) = &entry.body else { continue };
            if !entry.good || !self.repo.contains(&commit) {
                continue;
            }
            let who = |session: &SessionId| {
                sessions
                    .get(session)
                    .map(|session| Who { agent: session.agent.name.clone(), models: session.model_names() })
            };
            let text = text(body, entry.id, who).into_bytes();
            // A note about the same record is as good: its writer may have known more of the session.
            let known = there.get(&commit).and_then(|blob| read(&self.repo, blob));
            if known.is_none_or(|bytes| record_of(&bytes) != Some(entry.id)) {
                texts.push((commit, text));
            }
        }
        if !texts.is_empty() {
            texts.sort();
            self.write_notes(&texts)?;
        }
        Ok(texts.len())
    }

    /// Writes the notes that the records call for, on top of those that a remote has, and pushes them there; how many were
    /// written.
    pub fn publish_notes(&self, remote: &str, report: &Report) -> Result<usize, LedgerError> {
        let git = || self.repo.git().env(env::PUSHING, "1");
        let mut written = 0;
        for attempt in 1.. {
            // There may be none yet; what cannot be taken over cannot be pushed over either.
            let fetch = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", remote];
            git().args(fetch).arg(format!("{NOTES}:{NOTES}")).answer()?;
            written += self.rebuild_notes(report)?;
            if self.repo.find_ref(NOTES)?.is_none() {
                break;
            }
            match git().args(["push", "--quiet", "--no-verify", remote, NOTES]).run() {
                Ok(_) => break,
                // Somebody else's came first.
                Err(_) if attempt < ATTEMPTS => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(written)
    }

    /// Notes that do not say what the records say: of those at a tip, or of those that another tip, whose notes do, has not.
    pub fn check_notes(
        &self,
        report: &Report,
        walks: &BTreeMap<ChainId, Walk>,
        workers: &Workers,
        (tip, right): (&GitId, Option<&GitId>),
    ) -> Result<Vec<Finding>, LedgerError> {
        // What was right may have gone since.
        let changed = right.and_then(|right| notes::changed(&self.repo, right, tip).ok());
        let mut notes = match changed.map_or_else(|| notes::all_at(&self.repo, Some(tip)), Ok) {
            Ok(notes) => notes,
            // They are no evidence: what cannot be read of them is told, and that is all.
            Err(error) => return Ok(vec![Finding::new(Code::Note, format!("the notes cannot be read: {error}"))]),
        };
        for read_before in [false, true] {
            let about = if read_before { recorded_before(report, walks, workers) } else { recorded(report) };
            let bar = Bar::new("notes", notes.len() as u64);
            let wrong = workers.map(0..notes.len(), &bar, |repo, at| {
                let (commit, blob) = &notes[at];
                let record = || read(repo, blob).and_then(|bytes| record_of(&bytes));
                let is_about = |record| about.has(record, &PackedId::from(commit));
                repo.contains(blob) && !record().is_some_and(is_about)
            });
            notes = notes.into_iter().zip(wrong).filter_map(|(note, wrong)| wrong.then_some(note)).collect();
            if notes.is_empty() {
                break;
            }
        }
        let finding = |(commit, _): (GitId, GitId)| {
            Finding::new(Code::Note, format!("the note on commit {} names no record about it", commit.short()))
        };
        Ok(notes.into_iter().map(finding).collect())
    }
}

/// Which records speak of which commits: there may be millions of both, so each pair is 16 bytes of a digest of the two.
struct About(Vec<Pair>);

type Pair = [u8; 16];

fn pair(record: RecordId, commit: &PackedId) -> Pair {
    let mut pair = Pair::default();
    pair.copy_from_slice(&Digest::of_parts(&[record.0.as_bytes(), commit.as_bytes()]).as_bytes()[..16]);
    pair
}

impl About {
    fn of(mut pairs: Vec<Pair>) -> Self {
        pairs.sort_unstable();
        About(pairs)
    }

    fn has(&self, record: RecordId, commit: &PackedId) -> bool {
        self.0.binary_search(&pair(record, commit)).is_ok()
    }
}

/// The commits that the records speak of which were read now.
fn recorded(report: &Report) -> About {
    let kept = report.entries().filter_map(|entry| Some(pair(entry.id, &PackedId::from(&entry.as_commit()?.commit))));
    let others = report.chains.iter().flat_map(|chain| {
        chain.commits.iter().filter_map(|(commit, at)| Some(pair(*chain.ids.get(at - chain.first)?, &commit)))
    });
    About::of(kept.chain(others).collect())
}

/// Those that the records speak of which were verified before: all of these are read for it.
fn recorded_before(report: &Report, walks: &BTreeMap<ChainId, Walk>, workers: &Workers) -> About {
    let mut about = Vec::new();
    for chain in &report.chains {
        let Some(walk) = walks.get(&chain.id) else { continue };
        let bar = Bar::new("records", chain.first as u64);
        let read = workers.map(0..chain.first, &bar, |repo, at| {
            let record = walk.record(repo, at).ok()?.record;
            let Body::Commit(body) = record.body() else { return None };
            Some(pair(record.id(), &PackedId::from(&body.commit)))
        });
        about.extend(read.into_iter().flatten());
    }
    About::of(about)
}

/// The newest record of each session.
fn sessions(report: &Report) -> HashMap<&SessionId, &Session> {
    let mut sessions: HashMap<&SessionId, &Session> = HashMap::new();
    for entry in report.entries().filter(|entry| entry.good) {
        if let Body::Session(session) = &entry.body {
            let known = sessions.entry(&session.session).or_insert(session);
            if session.segment > known.segment || known.models.is_empty() {
                *known = session;
            }
        }
    }
    sessions
}

/// A note's bytes; `None` for what is none of ours.
fn read(repo: &Repo, blob: &GitId) -> Option<Vec<u8>> {
    repo.read_at_most(blob, Kind::Blob, MAX_BYTES).ok()
}

fn record_of(note: &[u8]) -> Option<RecordId> {
    let text = std::str::from_utf8(note).ok()?;
    text.lines().find_map(|line| line.strip_prefix(RECORD_LINE)?.parse().ok())
}

/// A note: one line a session, one for the lines, one for the record.
fn text(body: &Commit, record: RecordId, who: impl Fn(&SessionId) -> Option<Who>) -> String {
    let mut out = String::new();
    for reference in &body.sessions {
        let session = &reference.session;
        let line = match who(session) {
            Some(Who { agent, models }) if !models.is_empty() => {
                format!("Agent: {agent} ({}), session {session}", models.join(", "))
            }
            Some(Who { agent, .. }) => format!("Agent: {agent}, session {session}"),
            None => format!("Session: {session}"),
        };
        // A name is whatever its record says, and must not become a line of its own.
        let line = visible(&line).replace(['\n', '\t'], " ");
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{line}");
    }
    if body.sessions.is_empty() {
        out.push_str("Agent: none\n");
    }
    let total = &body.total;
    let _ = writeln!(
        out,
        "Lines: {} added, {} agent, {} human, {} unattributed",
        total.added, total.agent, total.human, total.unattributed
    );
    let _ = writeln!(out, "{RECORD_LINE}{record}");
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::digest::Digest;
    use crate::git::repo::RefUpdate;
    use crate::ledger::testing::Fixture;
    use crate::ledger::verify::Options;
    use crate::record::Record;

    /// The body of the commit record of `tests/vectors`.
    fn body() -> Commit {
        let record = Record::parse(include_bytes!("../../tests/vectors/developer/2/record.json").to_vec()).unwrap();
        let Body::Commit(body) = record.into_body() else { panic!("it is a commit record") };
        *body
    }

    proptest! {
        #[test]
        fn a_note_names_its_record_whatever_its_sessions_are_called(
            agent in any::<String>(),
            models in prop::collection::vec(any::<String>(), 0..3),
            forged in any::<bool>(),
        ) {
            let (record, other) = (RecordId(Digest::of(b"right")), RecordId(Digest::of(b"wrong")));
            let agent = if forged { format!("{agent}\n{RECORD_LINE}{other}\r\n{RECORD_LINE}{other}") } else { agent };
            let note = text(&body(), record, |_| Some(Who { agent: agent.clone(), models: models.clone() }));
            prop_assert_eq!(record_of(note.as_bytes()), Some(record));
            prop_assert_eq!(note.lines().count(), 2 + body().sessions.len());
        }

        #[test]
        fn any_bytes_are_a_note_that_names_a_record_or_none(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            line in "(Record: )?[0-9a-f]{60,68}",
        ) {
            let _ = record_of(&bytes);
            let told = record_of(line.as_bytes()).map(|record| format!("{RECORD_LINE}{record}"));
            prop_assert!(told.is_none_or(|told| told == line));
        }
    }

    #[test]
    fn notes_that_are_bent_or_endless_are_told_and_nothing_more() {
        let fixture = Fixture::of_each_type();
        let repo = &fixture.ledger.repo;
        let found = || {
            let options = Options { pinned: Some(fixture.id), notes: true, ..Options::default() };
            let found = fixture.verify(options).findings.into_iter().map(|finding| finding.code.as_str());
            found.collect::<Vec<_>>()
        };
        let report = fixture.ledger.read_all().unwrap();
        assert_eq!(fixture.ledger.rebuild_notes(&report).unwrap(), 1);
        assert_eq!(found(), Vec::<&str>::new());
        let (commit, blob) = notes::all(repo, NOTES).unwrap().remove(0);
        // The right line far behind the most that a note of ours can have.
        let (_, good) = repo.read(&blob).unwrap();
        let long = [vec![b'\n'; MAX_BYTES], good].concat();
        notes::write(repo, NOTES, &[(commit, long)], "x", 0).unwrap();
        assert_eq!(found(), ["W-NOTE"]);
        assert_eq!(fixture.ledger.rebuild_notes(&report).unwrap(), 1, "it is written anew");
        assert_eq!(found(), Vec::<&str>::new());
        // Something that is no folder of notes at all.
        let commit = format!("tree {blob}\nauthor x <x> 0 +0000\ncommitter x <x> 0 +0000\n\nx\n");
        let (new, expected) = (repo.write(Kind::Commit, commit.as_bytes()).unwrap(), repo.find_ref(NOTES).unwrap());
        repo.update_refs(&[RefUpdate { name: NOTES.into(), new: Some(new), expected }]).unwrap();
        assert_eq!(found(), ["W-NOTE"]);
    }

    #[test]
    fn notes_are_held_to_the_records_whenever_these_were_read() {
        let fixture = Fixture::new();
        let (repo, developer) = (&fixture.ledger.repo, &fixture.people.developer);
        let wrong = |full: bool| {
            let report = fixture.verify(Options { pinned: Some(fixture.id), full, notes: true, ..Options::default() });
            let notes = report.findings.iter().filter(|finding| finding.code == Code::Note);
            notes.map(|finding| finding.message.clone()).collect::<Vec<_>>()
        };
        let note = |commit: &GitId, text: &[u8]| {
            notes::write(repo, NOTES, &[(commit.clone(), text.to_vec())], "x", 0).unwrap();
        };
        let text = |commit: &GitId| repo.read(&notes::find(repo, NOTES, commit).unwrap().unwrap()).unwrap().1;
        let commits = ["one\n", "two\n"].map(|text| fixture.code(None, "x.rs", text));
        for commit in &commits {
            fixture.record_commit(developer, commit);
            fixture.ledger.rebuild_notes(&fixture.ledger.read_all().unwrap()).unwrap();
            assert_eq!((wrong(false), wrong(true)), (vec![], vec![]));
        }
        // One about a record that was verified long ago.
        note(&commits[0], &[b"Again.\n", &text(&commits[0])[..]].concat());
        assert_eq!((wrong(false), wrong(true)), (vec![], vec![]));
        note(&commits[0], &text(&commits[1]));
        let told = format!("the note on commit {} names no record about it", commits[0].short());
        for full in [false, true, false] {
            assert_eq!(wrong(full), [told.as_str()]);
        }
    }

    #[test]
    fn notes_that_were_there_before_are_not_read_again() {
        let fixture = Fixture::new();
        let repo = &fixture.ledger.repo;
        let id = |n: usize| crate::digest::Digest::of(&n.to_le_bytes()).to_string()[..40].parse::<GitId>().unwrap();
        let write = |numbers: std::ops::Range<usize>, text: &str| {
            let texts: Vec<_> = numbers.map(|n| (id(n), text.as_bytes().to_vec())).collect();
            notes::write(repo, NOTES, &texts, "x", 0).unwrap();
            repo.find_ref(NOTES).unwrap().unwrap()
        };
        let before = write(0..600, "a");
        let after = write(599..602, "b");
        let mut changed: Vec<_> =
            notes::changed(repo, &before, &after).unwrap().into_iter().map(|(id, _)| id).collect();
        changed.sort();
        let mut expected = [id(599), id(600), id(601)];
        expected.sort();
        assert_eq!(changed, expected);
    }
}

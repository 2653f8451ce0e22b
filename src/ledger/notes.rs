//! Notes: what a record says of a commit, for `git log --notes=tracevault`. Derived, rebuilt at will, never evidence.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use crate::finding::{Code, Finding};
use crate::git::notes;
use crate::git::repo::Kind;
use crate::host::clock;
use crate::host::progress::Bar;
use crate::id::{ChainId, GitId, RecordId, SessionId};
use crate::ledger::commits;
use crate::ledger::cursor::Cursor;
use crate::ledger::refs::NOTES;
use crate::ledger::verify::Report;
use crate::ledger::workers::Workers;
use crate::ledger::{Ledger, LedgerError};
use crate::record::body::{Body, Commit, Session};

/// The line by which a note is told to be about a record.
const RECORD_LINE: &str = "Record: ";

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
            let known = there.get(&commit).and_then(|blob| self.repo.read(blob).ok());
            if known.is_none_or(|(_, bytes)| record_of(&bytes) != Some(entry.id)) {
                texts.push((commit, text));
            }
        }
        if !texts.is_empty() {
            texts.sort();
            self.write_notes(&texts)?;
        }
        Ok(texts.len())
    }

    /// Notes that do not say what the records say.
    pub fn check_notes(&self, report: &Report, workers: &Workers) -> Result<Vec<Finding>, LedgerError> {
        let mut about: HashMap<RecordId, &GitId> = HashMap::new();
        for entry in report.entries() {
            if let Body::Commit(body) = &entry.body {
                about.insert(entry.id, &body.commit);
            }
        }
        let notes = notes::all(&self.repo, NOTES)?;
        let bar = Bar::new("notes", notes.len() as u64);
        let findings = workers.map(0..notes.len(), &bar, |repo, at| {
            let (commit, blob) = &notes[at];
            let Ok((Kind::Blob, bytes)) = repo.read(blob) else { return None };
            if record_of(&bytes).is_some_and(|record| about.get(&record) == Some(&commit)) {
                return None;
            }
            let message = format!("the note on commit {} names no record about it", commit.short());
            Some(Finding::new(Code::Note, message))
        });
        Ok(findings.into_iter().flatten().collect())
    }
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

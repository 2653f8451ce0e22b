//! The decisions in the sessions that a branch draws on, as documents in the order in which they were made.

use std::collections::{BTreeMap, HashSet};

use crate::git::history;
use crate::id::SessionId;
use crate::ledger::query::{Book, Segment};
use crate::ledger::story::scenes::Reading;
use crate::ledger::{Ledger, LedgerError};
use crate::record::body::PayloadClass;
use crate::redaction::Redactor;
use crate::story::decisions::{self, Decision};
use crate::story::madr::{self, Document};
use crate::time::Time;

/// What was found.
pub struct Decided {
    pub documents: Vec<Document>,
    /// What could not be read, so that there may be more.
    pub missing: Vec<String>,
    /// How many sessions were not looked through, as what they said is encrypted.
    pub sealed: usize,
}

/// How sessions are looked through.
pub struct Looking<'a> {
    /// Redacts once more what was said.
    pub redactor: &'a Redactor,
    /// Whether those are read whose words are encrypted.
    pub encrypted: bool,
}

/// A decision, whose session it was made in, and when the session's first record was written.
struct Found<'b> {
    decision: Decision,
    member: Option<&'b str>,
    began: Option<Time>,
}

impl Ledger {
    /// What was decided in the sessions that HEAD's commits draw on, up to where they do. `opening` hears of each session before
    /// it is read.
    pub fn decision_records(
        &self,
        book: &Book<'_>,
        looking: &Looking<'_>,
        mut opening: impl FnMut(&SessionId),
    ) -> Result<Decided, LedgerError> {
        let none = HashSet::new();
        let Looking { redactor, encrypted } = *looking;
        let reading = Reading { repo: &self.repo, store: &book.report.payloads, redactor, wanted: &none };
        let (mut found, mut missing, mut sealed) = (Vec::new(), self.not_here(book), 0);
        for (session, until) in self.drawn_on(book)? {
            let segments = book.telling(session);
            if !encrypted && is_encrypted(&segments) {
                sealed += 1;
                continue;
            }
            opening(session);
            let mut scenes = reading.session(&segments, session, &mut missing);
            scenes.retain(|scene| scene.time.is_none_or(|time| time <= until));
            // What stands behind a gap may have been said otherwise, or decided before.
            let (unsure, sure): (Vec<_>, Vec<_>) = decisions::of_session(&scenes).into_iter().partition(|one| one.gap);
            if !unsure.is_empty() {
                missing.push(format!("session {session}: decisions behind what is missing: {}", unsure.len()));
            }
            let chain = segments.first().map(|segment| segment.entry.chain);
            let member = chain.and_then(|chain| book.report.history.member(chain)).map(|member| member.id.as_str());
            let began = segments.first().map(|segment| segment.entry.time);
            found.extend(sure.into_iter().map(|decision| Found { decision, member, began }));
        }
        found.sort_by_key(|Found { decision, began, .. }| (decision.time, *began, decision.turn.number));
        // A session that was resumed repeats what was said before.
        let (mut said, mut ids) = (HashSet::new(), HashSet::new());
        found.retain(|Found { decision, .. }| {
            let chosen: Vec<String> = decision.chosen.iter().map(|chosen| chosen.text.clone()).collect();
            let need = decision.need.as_ref().map(|need| need.text.clone());
            said.insert((need, chosen)) && ids.insert(madr::id(decision))
        });
        let documents = found.iter().map(|Found { decision, member, .. }| Document::of(decision, *member)).collect();
        Ok(Decided { documents, missing, sealed })
    }

    /// The sessions that HEAD's commits draw on, and up to when.
    fn drawn_on<'b>(&self, book: &Book<'b>) -> Result<BTreeMap<&'b SessionId, Time>, LedgerError> {
        let mut until: BTreeMap<&SessionId, Time> = BTreeMap::new();
        for commit in history::rev_list(&self.repo, &["HEAD"])? {
            for share in book.shares(&commit) {
                if let Some(cited) = share.cited {
                    let ended = until.entry(share.session).or_insert(cited.body.ended);
                    *ended = (*ended).max(cited.body.ended);
                }
            }
        }
        Ok(until)
    }
}

/// Whether some of what was said is encrypted; what shells changed is not read here.
fn is_encrypted(segments: &[Segment<'_>]) -> bool {
    let said = segments.iter().flat_map(|segment| segment.payloads);
    said.filter(|payload| payload.class != PayloadClass::Edits).any(|payload| payload.encryption.is_some())
}

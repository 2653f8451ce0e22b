//! The decisions in the sessions that a branch draws on, as documents in the order in which they were made.

use std::collections::{BTreeMap, HashSet};

use crate::git::history;
use crate::id::SessionId;
use crate::ledger::query::Book;
use crate::ledger::story::scenes;
use crate::ledger::{Ledger, LedgerError};
use crate::story::decisions::{self, Decision};
use crate::story::madr::Document;
use crate::time::Time;

/// What was found.
pub struct Decided {
    pub documents: Vec<Document>,
    /// What could not be read, so that there may be more.
    pub missing: Vec<String>,
}

impl Ledger {
    /// What was decided in the sessions that HEAD's commits draw on, up to where they do. `opening` hears of each session before
    /// it is read.
    pub fn decision_records(
        &self,
        book: &Book<'_>,
        mut opening: impl FnMut(&SessionId),
    ) -> Result<Decided, LedgerError> {
        let mut until: BTreeMap<&SessionId, Time> = BTreeMap::new();
        for commit in history::rev_list(&self.repo, &["HEAD"])? {
            for share in book.shares(&commit) {
                if let Some(cited) = share.cited {
                    let ended = until.entry(share.session).or_insert(cited.body.ended);
                    *ended = (*ended).max(cited.body.ended);
                }
            }
        }
        let (mut found, mut missing): (Vec<(Decision, Option<&str>)>, Vec<String>) = Default::default();
        for (session, until) in until {
            opening(session);
            let segments = book.telling(session);
            let chain = segments.first().map(|segment| segment.entry.chain);
            let member = chain.and_then(|chain| book.report.history.member(chain)).map(|member| member.id.as_str());
            let store = &book.report.payloads;
            let mut scenes = scenes::read(&self.repo, store, &segments, session, &HashSet::new(), &mut missing);
            scenes.retain(|scene| scene.time.is_none_or(|time| time <= until));
            found.extend(decisions::of_session(&scenes).into_iter().map(|decision| (decision, member)));
        }
        found.sort_by_key(|(decision, _)| (decision.time, decision.turn.number));
        // A session that was resumed repeats what was said before.
        let mut seen = HashSet::new();
        found.retain(|(decision, _)| {
            let said: Vec<String> = decision.chosen.iter().map(|chosen| chosen.text.clone()).collect();
            seen.insert((decision.need.as_ref().map(|need| need.text.clone()), said))
        });
        let documents = found.iter().map(|(decision, member)| Document::of(decision, *member)).collect();
        Ok(Decided { documents, missing })
    }
}

//! What is known of one line of today's: whose it is, by which evidence, and what that evidence is worth.

use crate::attribution::labels::Origin;
use crate::git::blame::Source;
use crate::ledger::origins::Origins;
use crate::ledger::query::Book;
use crate::ledger::traces::{Evidence, Found};
use crate::record::body::LineAuthor;

/// What is known of a line.
#[derive(Default)]
pub struct Known<'b> {
    pub found: Option<Found>,
    pub origin: Option<Origin<LineAuthor>>,
    pub agent: Option<&'b str>,
    /// The writer of the record that speaks of it is not enrolled.
    pub pending: bool,
}

impl<'b> Known<'b> {
    /// What the records say of a line that a commit has.
    pub fn of(source: &Source, origins: &mut Origins<'b>, book: &Book<'b>) -> Self {
        let found = origins.line(&source.commit, &source.path, source.line);
        let origin = found.as_ref().map(|found| found.range.origin());
        // Of other commits only records of enrolled writers are evidence.
        let is_exact = found.as_ref().is_some_and(|found| found.evidence == Evidence::Exact);
        let pending = is_exact && book.record_of(&source.commit).is_some_and(|entry| book.is_pending(entry));
        let mut known = Known { found, origin, agent: None, pending };
        known.agent = known.author().and_then(|author| book.agent(&author.session));
        known
    }

    /// Whether what is known of one line is known of the other, too: the same range of the same commit's record.
    pub fn covers(&self, line: &Source, other: &Source) -> bool {
        // Of lines that the record says nothing of, others may.
        let told = |found: &Found| found.range.origin() != Origin::Unattributed;
        let within = |found: &Found| {
            found.evidence == Evidence::Exact
                && told(found)
                && (found.range.start..=found.range.end).contains(&other.line)
        };
        line.commit == other.commit && line.path == other.path && self.found.as_ref().is_some_and(within)
    }

    pub fn author(&self) -> Option<&LineAuthor> {
        match &self.origin {
            Some(Origin::Agent(author)) => Some(author),
            _ => None,
        }
    }

    /// `agent`, `human` or `unattributed`.
    pub fn word(&self) -> &'static str {
        match &self.origin {
            Some(Origin::Agent(_)) => "agent",
            Some(Origin::Human) => "human",
            Some(Origin::Unattributed) | None => "unattributed",
        }
    }

    pub fn evidence(&self) -> Evidence {
        self.found.as_ref().map_or(Evidence::None, |found| found.evidence)
    }

    /// `signed`, or `pending` where the writer of the record that speaks of the line is not enrolled.
    pub fn state(&self) -> Option<&'static str> {
        self.found.as_ref().map(|_| if self.pending { "pending" } else { "signed" })
    }

    /// The model of an agent's line, `provider/model`.
    pub fn model(&self) -> Option<&str> {
        self.found.as_ref().and_then(|found| found.range.model.as_deref())
    }
}

/// How strong the evidence is, in the word that JSON has for it.
pub fn evidence_word(evidence: Evidence) -> String {
    serde_json::to_value(evidence).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

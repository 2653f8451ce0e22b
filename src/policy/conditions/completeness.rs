//! `trace-completeness`: every commit has a valid record, or is linked to one that has.

use crate::policy::evaluate::{Findings, Place};
use crate::policy::evidence::{Evidence, RecordState};
use crate::policy::parse::Keys;
use crate::record::body::{SAME_COMMIT, SAME_LINES, SAME_PATCH};

#[derive(Debug, Clone)]
pub struct Completeness {
    /// A link counts from this level on.
    min_link_level: u32,
}

impl Completeness {
    pub fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        let level = keys.number("min_link_level", SAME_LINES.into()..=SAME_COMMIT.into());
        Some(Completeness { min_link_level: level.and_then(|level| level.try_into().ok()).unwrap_or(SAME_PATCH) })
    }

    pub fn judge(&self, evidence: &Evidence, findings: &mut Findings<'_>) {
        for commit in &evidence.commits {
            let place = Place::commit(commit);
            match &commit.record {
                RecordState::Valid { link: None, .. } | RecordState::Merge => {}
                RecordState::Valid { link: Some(level), .. } if *level >= self.min_link_level => {}
                RecordState::Valid { link: Some(level), .. } => findings.violated(
                    place,
                    format!("it is linked to a recorded commit at level {level}, and {} is asked for", self.min_link_level),
                    "have the commit recorded by the clone that made it, or keep its changes as they were when it was rewritten",
                ),
                RecordState::Missing => {
                    findings.violated(place, "it has no record", "push it from the clone that made it, with hooks installed \
                        (git tracevault doctor); if it was rewritten elsewhere, git tracevault link finds what it repeats");
                }
                RecordState::Invalid { why } => findings.violated(
                    place,
                    format!("its record does not hold: {why}"),
                    "git tracevault verify tells what is wrong with the record; the ledger's owners must look into it",
                ),
                RecordState::Pending { .. } => findings.unrecorded(commit, "whether its record is a member's"),
            }
        }
    }
}

//! What each record of a session has, noted while all of them are read, so that a page need not.

use std::collections::HashMap;

use crate::git::repo::Repo;
use crate::id::GitId;
use crate::index::{Held, Outline, Spoken};
use crate::ledger::payload::Payloads;
use crate::ledger::query::Segment;
use crate::ledger::read_back::{Source, shell_diffs};
use crate::mirror::transcript::{Window, size};
use crate::record::body::PayloadClass;
use crate::session::turns::{Step, Turn};

/// The records that were read, in their order, and whether anything was missing.
#[derive(Default)]
pub(super) struct Noted {
    records: Vec<(GitId, Outline)>,
    misses: bool,
}

impl Noted {
    pub(super) fn begin(&mut self, repo: &Repo, store: &Payloads, segments: &[Segment<'_>]) {
        for segment in segments {
            let mut outline = Outline::default();
            for payload in segment.payloads.iter().filter(|payload| payload.class != PayloadClass::Edits) {
                outline.part(&payload.source, payload.class);
            }
            let (_, missing) = shell_diffs(repo, store, std::slice::from_ref(segment), |call| {
                outline.edits.push(call.clone());
                false
            });
            self.misses |= !missing.is_empty();
            outline.edits.dedup();
            self.records.push((segment.entry.commit.clone(), outline));
        }
    }

    pub(super) fn add(&mut self, source: &Source<'_>, turn: &Turn) {
        self.misses |= turn.steps.iter().any(|step| matches!(step, Step::Missing(_)));
        if let Some((_, outline)) = self.records.get_mut(turn.part) {
            let part = outline.part(source.name, source.class);
            part.turns += 1;
            part.bytes += size(turn).max(1);
        }
    }

    /// What is known now of the session's records. Of what was encrypted others see less, and what is missing may come yet: then
    /// nothing is, and all of it is read each time.
    pub(super) fn of(self, spoken: &Spoken, window: &Window) -> Vec<Held> {
        let is_known = !self.misses && !window.opened && spoken.amendments.is_empty();
        let mut known: HashMap<GitId, Outline> = self.records.into_iter().collect();
        let note = |held: &Held| Held { outline: known.remove(&held.commit).filter(|_| is_known), ..held.clone() };
        spoken.records.iter().filter(|held| !held.has_nothing()).map(note).collect()
    }
}

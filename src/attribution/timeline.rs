//! One file's timeline: its known states in order, and whose each line is in each of them.

use std::collections::HashMap;

use super::carry::{Run, follow};
use super::doubt::{self, Doubt, FIRM_RUN};
use super::labels::{AuthorId, Labels, Origin};
use super::lines;
use super::recall::Past;
use crate::digest::Digest;
use crate::session::event::Reach;

/// How many states of a file's past are remembered, at most.
const MAX_STATES: usize = 1000;
const MAX_STATE_RUNS: usize = 1_000_000;

/// One tool call's change of the file.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    pub before: Before<'a>,
    /// The bytes the call left; `None` if it left no such file.
    pub after: Option<&'a [u8]>,
    pub author: AuthorId,
    /// `Named` for tools that write what they say; `Any` for shells, which also bring back what others wrote; `Brings`
    /// where they ran git to do so.
    pub reach: Reach,
}

/// The file before a call.
#[derive(Debug, Clone, Copy)]
pub enum Before<'a> {
    Bytes(&'a [u8]),
    NoFile,
    /// Nobody looked, or looked before another call's change that the bytes do not show: what was known last counts.
    Unknown,
}

/// The file as last known, and whose its lines are. Starts by knowing nothing.
///
/// A line that an edit inserts is its agent's. What appears while no agent's call is running is nobody's, unless it was
/// there before: states come back by undo, checkout and stash, and lines that come back are whose they were.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    state: Option<Vec<u8>>,
    labels: Labels,
    /// The labels of earlier states, by their digest.
    states: HashMap<Digest, Labels>,
    /// How many runs these labels have.
    state_runs: usize,
    lost: Past<Origin>,
}

impl Timeline {
    /// The next call.
    pub fn step(&mut self, step: &Step<'_>) {
        match step.before {
            Before::Bytes(bytes) => self.seen(bytes),
            Before::NoFile => self.seen(b""),
            Before::Unknown => {}
        }
        let after = step.after.unwrap_or_default();
        match step.reach {
            // Whose what it brought is nobody can tell, unless it stood here before.
            Reach::Brings => self.seen(after),
            reach => self.edited(after, Origin::Agent(step.author), reach),
        }
    }

    /// The file was seen like this; who made it so is not known.
    pub fn seen(&mut self, bytes: &[u8]) {
        self.advance(bytes, Origin::Unattributed, true);
    }

    /// `origin` left the file like this.
    pub fn edited(&mut self, bytes: &[u8], origin: Origin, reach: Reach) {
        self.advance(bytes, origin, reach == Reach::Any);
    }

    #[cfg(test)]
    /// Lines that this file has elsewhere, in another commit or branch: where a shell or a person brings them here they
    /// are what `labels` say.
    pub fn know(&mut self, bytes: &[u8], labels: &Labels) {
        let origins = labels.to_vec(lines::count(bytes)).into_iter().map(Some);
        self.lost.add(lines::split(bytes).zip(origins));
        self.remember(bytes, labels.clone());
    }

    /// The labels of other bytes of this file, as they would be if it became so now: of what is committed, while the
    /// file itself goes on.
    pub fn project(&self, bytes: &[u8]) -> Labels {
        match self.state.as_deref() {
            Some(state) => self.next(state, bytes, Origin::Unattributed, true).0,
            None => Labels::all(Origin::Unattributed, lines::count(bytes)),
        }
    }

    /// The labels of other bytes, as far as they hold where the file may have become them in another way; how doubtful that
    /// is, is asked only where it matters.
    pub fn project_in_doubt(&self, bytes: &[u8], doubt: impl FnOnce() -> Doubt) -> Labels {
        let projected = self.project(bytes);
        if self.states.contains_key(&Digest::of(bytes)) {
            return projected;
        }
        let had = self.state.as_deref().map_or(0, |state| doubt::words_of_agents(&self.labels, state));
        let kept = doubt::words_of_agents(&projected, bytes);
        if Doubt::Guess.lets_all_hold(kept, had) || doubt().lets_all_hold(kept, had) {
            projected
        } else {
            doubt::in_company(projected.iter(), bytes, FIRM_RUN)
        }
    }

    /// For each line of other bytes whose it was when this file lost it, if it did.
    pub fn lost_in(&self, bytes: &[u8]) -> Vec<Option<Origin>> {
        // Moved as a whole.
        if let Some(labels) = self.states.get(&Digest::of(bytes)) {
            return labels.iter().map(Some).collect();
        }
        let new: Vec<&[u8]> = lines::split(bytes).collect();
        let mut known = vec![None; new.len()];
        self.lost.recall(&new, &mut known, |_| true);
        known
    }

    fn advance(&mut self, bytes: &[u8], inserted: Origin, returns: bool) {
        let labels = match self.state.take() {
            // What was there before we looked is nobody's.
            None => Labels::all(Origin::Unattributed, lines::count(bytes)),
            Some(state) => {
                let (labels, gone) = self.next(&state, bytes, inserted, returns);
                gone.into_iter().for_each(|run| self.lost.add(run));
                labels
            }
        };
        self.remember(bytes, labels.clone());
        self.state = Some(bytes.to_vec());
        self.labels = labels;
    }

    /// The labels of the state after `state`, and what it has no more. `returns`: lines may come back from the past.
    fn next<'a>(&self, state: &'a [u8], bytes: &[u8], inserted: Origin, returns: bool) -> (Labels, Vec<Run<'a>>) {
        if state == bytes {
            return (self.labels.clone(), Vec::new());
        }
        let known = self.states.get(&Digest::of(bytes)).filter(|_| returns);
        let mut followed = follow(&self.labels, state, bytes);
        if returns && known.is_none() {
            self.lost.recall(&lines::split(bytes).collect::<Vec<_>>(), &mut followed.kept, |_| true);
        }
        let settled = || followed.kept.iter().map(|origin| origin.unwrap_or(inserted)).collect();
        (known.cloned().unwrap_or_else(settled), followed.gone)
    }

    fn remember(&mut self, bytes: &[u8], labels: Labels) {
        self.state_runs += labels.runs().len();
        if self.states.len() >= MAX_STATES || self.state_runs > MAX_STATE_RUNS {
            self.states.clear();
            self.state_runs = labels.runs().len();
        }
        self.states.insert(Digest::of(bytes), labels);
    }
}

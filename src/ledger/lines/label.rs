//! Labels: whose the lines are that commits bring, and how that is known.

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::attribution::labels::Origin;
use crate::id::{CallId, GitId, RepoPath, SessionId};
use crate::ledger::origins::Origins;
use crate::ledger::traces::Evidence;

/// Lines of a file, numbered from 0, that are known to be somebody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u32, u32, Option<u32>, Evidence)", into = "(u32, u32, Option<u32>, Evidence)")]
pub struct Label {
    pub start: u32,
    pub end: u32,
    /// The number of the agent's call; `None` for a person who has said so.
    pub who: Option<u32>,
    pub evidence: Evidence,
}

impl From<(u32, u32, Option<u32>, Evidence)> for Label {
    fn from((start, end, who, evidence): (u32, u32, Option<u32>, Evidence)) -> Self {
        Label { start, end, who, evidence }
    }
}

impl From<Label> for (u32, u32, Option<u32>, Evidence) {
    fn from(label: Label) -> Self {
        (label.start, label.end, label.who, label.evidence)
    }
}

/// An agent's call.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Who {
    pub session: SessionId,
    pub call: CallId,
    pub model: Option<String>,
}

/// Labels lines by the records.
pub struct Labeller<'b> {
    origins: Origins<'b>,
    numbers: HashMap<Who, u32>,
}

impl<'b> Labeller<'b> {
    /// `whos` have their numbers already.
    pub fn new(origins: Origins<'b>, whos: &[Who]) -> Self {
        let numbers = whos.iter().zip(0..).map(|(who, number)| (who.clone(), number)).collect();
        Labeller { origins, numbers }
    }

    /// Traces that could not be read.
    pub fn origins(&self) -> &Origins<'b> {
        &self.origins
    }

    /// Whose the lines are that a commit brought to a file.
    pub fn label(
        &mut self,
        commit: &GitId,
        path: &Rc<RepoPath>,
        lines: &[Range<u32>],
        whos: &mut Vec<Who>,
    ) -> Vec<Label> {
        let mut labels: Vec<Label> = Vec::new();
        for at in lines.iter().cloned().flatten() {
            let Some(found) = self.origins.line(commit, path, at + 1) else { continue };
            let who = match found.range.origin() {
                Origin::Unattributed => continue,
                Origin::Human => None,
                Origin::Agent(author) => {
                    let who = Who { session: author.session, call: author.call, model: found.range.model };
                    Some(*self.numbers.entry(who).or_insert_with_key(|who| {
                        whos.push(who.clone());
                        u32::try_from(whos.len() - 1).unwrap_or(u32::MAX)
                    }))
                }
            };
            let label = Label { start: at, end: at + 1, who, evidence: found.evidence };
            match labels.last_mut() {
                Some(last) if last.end == at && last.who == who && last.evidence == label.evidence => last.end += 1,
                _ => labels.push(label),
            }
        }
        self.origins.forget();
        labels
    }
}

/// The lines of a range, piece by piece, each with its label.
pub fn pieces(labels: &[Label], range: Range<u32>, mut each: impl FnMut(Range<u32>, Option<&Label>)) {
    let mut at = range.start;
    for label in &labels[labels.partition_point(|label| label.end <= range.start)..] {
        if label.start >= range.end {
            break;
        }
        if label.start > at {
            each(at..label.start, None);
            at = label.start;
        }
        let end = label.end.min(range.end);
        each(at..end, Some(label));
        at = end;
    }
    if at < range.end {
        each(at..range.end, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_falls_into_pieces_by_its_labels() {
        let label = |start, end, who| Label { start, end, who: Some(who), evidence: Evidence::Exact };
        let labels = [label(2, 4, 1), label(4, 5, 2), label(8, 9, 3)];
        for (range, expected) in
            [(0..10, "0-2:- 2-4:1 4-5:2 5-8:- 8-9:3 9-10:-"), (3..5, "3-4:1 4-5:2"), (5..8, "5-8:-"), (9..9, "")]
        {
            let mut shown = Vec::new();
            pieces(&labels, range, |lines, label| {
                let who = label.and_then(|label| label.who).map_or("-".to_owned(), |who| who.to_string());
                shown.push(format!("{}-{}:{who}", lines.start, lines.end));
            });
            assert_eq!(shown.join(" "), expected);
        }
    }
}

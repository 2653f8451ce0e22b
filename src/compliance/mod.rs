//! Compliance: how long payloads are kept, which are under hold and which were pruned, folded from the policy chain.
//!
//! Who may write such records the roster says; here is what they may say. Age is a matter of months: a payload that bears
//! a month may go when as many whole months have passed after it as the retention in force has.

mod account;
mod controls;
mod framework;

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::Decided;
use crate::id::{CaseId, ChainId};
use crate::record::Record;
use crate::record::body::{Adjudicate, Body, Chosen, Compliance, Decision, Prune, PrunedShelf, Shelf};
use crate::time::{Month, Time};

pub use account::{Account, Enrolled, Held, Told};
pub use controls::{Control, Evidence, controls};
pub use framework::{ChoiceError, choice, length};

/// What the policy chain says of keeping, as one of its records left it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keeping {
    retention: Option<Retention>,
    holds: BTreeMap<CaseId, BTreeSet<Shelf>>,
    pruned: Vec<PrunedShelf>,
    decisions: Vec<(u64, Adjudicate)>,
}

/// How long payloads are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// The number of the policy record that says so.
    pub n: u64,
    pub frameworks: Vec<Chosen>,
    /// No later choice may be shorter: the most that any framework ever chosen asks for.
    pub floor: u32,
}

impl Retention {
    /// The longest of the frameworks holds.
    pub fn months(&self) -> u32 {
        longest(&self.frameworks)
    }

    /// Whether payloads of a month may go at a time.
    pub fn has_expired(&self, month: &Month, at: Time) -> bool {
        at.month().index() > month.index() + i64::from(self.months())
    }

    /// The first month in which payloads of a month may go.
    pub fn expires(&self, month: &Month) -> Month {
        month.after(self.months().saturating_add(1))
    }
}

/// What may be done with a shelf's payloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate<'k> {
    /// A record says that they were pruned.
    Pruned(&'k PrunedShelf),
    Held(&'k CaseId),
    /// They may be pruned.
    Expired,
    Kept,
}

fn longest(frameworks: &[Chosen]) -> u32 {
    frameworks.iter().map(|chosen| chosen.months).max().unwrap_or_default()
}

/// Why a record about keeping does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeepingError {
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    #[error("its frameworks are not in order, each once")]
    Order,
    #[error("payloads have been kept for {} at least since a framework was chosen that asks for it, not {}", length(*.floor), length(*.months))]
    Lowered { floor: u32, months: u32 },
    #[error("nothing is held for case {0}")]
    NotHeld(CaseId),
    #[error("nothing says how long payloads are kept")]
    NoRetention,
    #[error("the {class} payloads of {month} of chain {chain} are kept for {months} after that month", class = .shelf.class, month = .shelf.month, chain = .shelf.chain.short(), months = length(*.months))]
    TooYoung { shelf: Shelf, months: u32 },
    #[error("the {class} payloads of {month} of chain {chain} are held for case {case}", class = .shelf.class, month = .shelf.month, chain = .shelf.chain.short())]
    Held { shelf: Shelf, case: CaseId },
    #[error("its shelves are not in order, each once, with pieces")]
    Shelves,
}

impl Keeping {
    /// Judges what the next policy record says of keeping.
    pub fn judge<State>(&self, record: &Record<State>) -> Result<(), KeepingError> {
        match record.body() {
            Body::Compliance(body) => self.may_retain(body),
            Body::Release(body) if !self.holds.contains_key(&body.case) => {
                Err(KeepingError::NotHeld(body.case.clone()))
            }
            Body::Prune(body) => self.may_prune(body, record.envelope().time),
            _ => Ok(()),
        }
    }

    /// Takes in a policy record that was judged.
    pub fn take<State>(&mut self, record: &Record<State>) {
        let n = record.envelope().seq;
        match record.body() {
            Body::Compliance(body) => {
                let minimums = body.frameworks.iter().filter_map(|chosen| chosen.framework.minimum());
                let floor = minimums.max().unwrap_or_default().max(self.floor());
                self.retention = Some(Retention { n, frameworks: body.frameworks.clone(), floor });
            }
            Body::Hold(body) => {
                self.holds.entry(body.case.clone()).or_default().extend(body.shelves.iter().cloned());
            }
            Body::Release(body) => drop(self.holds.remove(&body.case)),
            Body::Prune(body) => self.pruned.extend(body.shelves.iter().cloned()),
            Body::Adjudicate(body) => self.decisions.push((n, body.clone())),
            _ => {}
        }
    }

    fn floor(&self) -> u32 {
        self.retention.as_ref().map_or(0, |retention| retention.floor)
    }

    fn may_retain(&self, body: &Compliance) -> Result<(), KeepingError> {
        let frameworks = &body.frameworks;
        if frameworks.is_empty() || frameworks.windows(2).any(|pair| pair[0].framework >= pair[1].framework) {
            return Err(KeepingError::Order);
        }
        for chosen in frameworks {
            chosen.check()?;
        }
        let (months, floor) = (longest(frameworks), self.floor());
        if months < floor { Err(KeepingError::Lowered { floor, months }) } else { Ok(()) }
    }

    fn may_prune(&self, body: &Prune, at: Time) -> Result<(), KeepingError> {
        let retention = self.retention.as_ref().ok_or(KeepingError::NoRetention)?;
        let shelves: Vec<Shelf> = body.shelves.iter().map(PrunedShelf::shelf).collect();
        let empty = body.shelves.iter().any(|shelf| shelf.pieces == 0 || shelf.chain == ChainId::Policy);
        if shelves.is_empty() || empty || shelves.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(KeepingError::Shelves);
        }
        for shelf in shelves {
            if !retention.has_expired(&shelf.month, at) {
                return Err(KeepingError::TooYoung { shelf, months: retention.months() });
            }
            if let Some(case) = self.holder(&shelf).cloned() {
                return Err(KeepingError::Held { shelf, case });
            }
        }
        Ok(())
    }

    /// How long payloads are kept; `None` where nobody has said it, and nothing may be pruned.
    pub fn retention(&self) -> Option<&Retention> {
        self.retention.as_ref()
    }

    /// The cases for which something is held, and what.
    pub fn holds(&self) -> &BTreeMap<CaseId, BTreeSet<Shelf>> {
        &self.holds
    }

    /// A case that a shelf is held for.
    pub fn holder(&self, shelf: &Shelf) -> Option<&CaseId> {
        self.holds.iter().find(|(_, shelves)| shelves.contains(shelf)).map(|(case, _)| case)
    }

    /// What was pruned of a chain.
    pub fn pruned(&self, chain: ChainId) -> impl Iterator<Item = &PrunedShelf> {
        self.pruned.iter().filter(move |shelf| shelf.chain == chain)
    }

    /// What may be done with a shelf's payloads at a time; `is_all` tells of a record of its pruning whether it is of all of them.
    pub fn fate(&self, shelf: &Shelf, at: Time, is_all: impl Fn(&PrunedShelf) -> bool) -> Fate<'_> {
        let mut records = self.pruned(shelf.chain).filter(|pruned| pruned.shelf() == *shelf);
        if let Some(pruned) = records.find(|pruned| is_all(pruned)) {
            return Fate::Pruned(pruned);
        }
        match self.holder(shelf) {
            Some(case) => Fate::Held(case),
            None if self.retention().is_some_and(|kept| kept.has_expired(&shelf.month, at)) => Fate::Expired,
            None => Fate::Kept,
        }
    }

    /// The record by which a shelf's payloads may be deleted at a time, by the clock of whoever deletes: a prune record whose
    /// writer's clock runs ahead lets nobody else delete what is young.
    pub fn lets_go(&self, shelf: &Shelf, at: Time) -> Option<&PrunedShelf> {
        let old = self.retention.as_ref().is_some_and(|retention| retention.has_expired(&shelf.month, at));
        let mut records = self.pruned(shelf.chain).filter(|pruned| pruned.shelf() == *shelf);
        // The largest: what came to the shelf later may have been pruned later.
        let most = records.next().map(|first| records.fold(first, |a, b| if b.pieces > a.pieces { b } else { a }));
        most.filter(|_| old && self.holder(shelf).is_none())
    }

    /// The newest decision about a finding.
    pub fn decision(&self, code: &str, chain: &str, seq: Option<u64>) -> Option<Decided> {
        let about = |decided: &Adjudicate| decided.code == code && decided.chain.to_string() == chain;
        let (n, decided) = self.decisions.iter().rev().find(|(_, decided)| about(decided) && decided.seq == seq)?;
        let decision = match decided.decision {
            Decision::Accepted => "accepted",
            Decision::Rejected => "rejected",
        };
        Some(Decided { n: *n, decision: decision.to_owned(), record: decided.record.map(|id| id.to_string()) })
    }
}

#[cfg(test)]
mod tests;

//! Payloads that expire: which may go, which are held, and how both are written down and done.

use std::collections::{BTreeMap, BTreeSet};

use crate::compliance::Fate;
use crate::digest::Digest;
use crate::git::repo::RefUpdate;
use crate::host::clock;
use crate::id::{CaseId, ChainId, GitId, RecordId, SessionId};
use crate::ledger::copies::{self, Copies};
use crate::ledger::query::Book;
use crate::ledger::refs::{Holds, Prefix, SEEN};
use crate::ledger::verify::Report;
use crate::ledger::{Ledger, LedgerError, payload, pruned};
use crate::record::body::{Body, Hold, Payload, Prune, PrunedShelf, Shelf};
use crate::signing::Signer;
use crate::time::{Month, Time};

/// Shelves of one prune record; more would come near the size of a record.
const SHELVES: usize = 200;

/// A payload ref's contents, and what may be done with them.
pub struct Planned {
    pub shelf: Shelf,
    pub state: State,
    /// Pieces that the chain's records put there.
    pub pieces: u64,
}

/// What may be done with a shelf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It may be pruned.
    Expired(PrunedShelf),
    /// A record says that it was pruned, and it is still here.
    Pruned,
    Held(CaseId),
    Kept,
}

/// What is to be held.
#[derive(Debug, Default)]
pub struct Wanted {
    pub records: Vec<RecordId>,
    pub commits: Vec<GitId>,
    pub sessions: Vec<SessionId>,
    pub months: Vec<Month>,
    pub chains: Vec<ChainId>,
}

impl Ledger {
    /// The shelf that a payload ref of this clone, or one seen at a remote, holds.
    fn shelf_of(&self, name: &str) -> Option<Shelf> {
        let holds = match name.strip_prefix(SEEN) {
            Some(rest) => Prefix::seen_in(rest.trim_start_matches('/').split('/').next()?).read(name),
            None => self.prefix.read(name),
        };
        match holds {
            Some(Holds::Payload(class, month, chain)) => Some(Shelf { chain, class, month }),
            _ => None,
        }
    }

    /// All shelves that are here, and what may be done with each at a time.
    pub fn plan_pruning(&self, report: &Report, at: Time) -> Result<Vec<Planned>, LedgerError> {
        let copies = Copies::list(self)?;
        let here: BTreeSet<Shelf> = copies.payloads.iter().filter_map(|(name, _, _)| self.shelf_of(name)).collect();
        let mut named: BTreeMap<ChainId, BTreeMap<Shelf, Vec<Digest>>> = BTreeMap::new();
        let mut plan = Vec::new();
        for shelf in here {
            let Some(tips) = copies.chains.get(&shelf.chain) else { continue };
            let pieces = named.entry(shelf.chain).or_insert_with(|| {
                pruned::shelves(&self.repo, shelf.chain, &copies::walk(&self.repo, shelf.chain, tips, None))
            });
            let pieces = pieces.get(&shelf).map_or(&[][..], Vec::as_slice);
            let whole = pruned::prune(shelf.clone(), pieces);
            let state = match report.keeping.fate(&shelf, at, |known| *known == whole) {
                Fate::Pruned(_) => State::Pruned,
                Fate::Held(case) => State::Held(case.clone()),
                Fate::Expired if !pieces.is_empty() => State::Expired(whole.clone()),
                Fate::Expired | Fate::Kept => State::Kept,
            };
            plan.push(Planned { shelf, state, pieces: whole.pieces });
        }
        Ok(plan)
    }

    /// Writes down that shelves are pruned. Nothing is deleted yet.
    pub fn record_pruning(&self, signer: &Signer, shelves: &[PrunedShelf]) -> Result<(), LedgerError> {
        for shelves in shelves.chunks(SHELVES) {
            self.change_policy(signer, Body::Prune(Prune { shelves: shelves.to_vec() }))?;
        }
        Ok(())
    }

    /// Deletes from this clone what the policy chain that it has accepted says was pruned or released; how many refs.
    pub fn forget_expired(&self) -> Result<usize, LedgerError> {
        let decided = self.decided()?;
        if !decided.findings.is_empty() {
            return Ok(0);
        }
        let copies = Copies::list(self)?;
        let mut gone = Vec::new();
        for (name, _, tip) in &copies.payloads {
            let Some(shelf) = self.shelf_of(name) else { continue };
            let Some(pruned) = decided.keeping.lets_go(&shelf, clock::now()) else { continue };
            // What came to the shelf later was not pruned.
            if payload::shelf(&self.repo, tip)?.len() as u64 <= pruned.pieces {
                gone.push((name.clone(), tip.clone()));
            }
        }
        for (name, tip) in &copies.holds {
            let case = name.rsplit('/').next().and_then(|case| case.parse::<CaseId>().ok());
            if case.is_some_and(|case| !decided.keeping.holds().contains_key(&case)) {
                gone.push((name.clone(), tip.clone()));
            }
        }
        let updates: Vec<RefUpdate> =
            gone.into_iter().map(|(name, tip)| RefUpdate { name, new: None, expected: Some(tip) }).collect();
        self.repo.update_refs(&updates)?;
        Ok(updates.len())
    }

    /// What a hold for a case says, of what is wanted; an error where something wanted is not here.
    pub fn hold(&self, book: &Book<'_>, case: CaseId, wanted: Wanted) -> Result<Hold, LedgerError> {
        let mut shelves: BTreeSet<Shelf> = BTreeSet::new();
        let mut sessions: BTreeSet<&SessionId> = BTreeSet::new();
        for session in &wanted.sessions {
            let known = book.all_sessions().find(|(id, _)| *id == session);
            sessions.insert(known.ok_or_else(|| LedgerError::Unknown(session.to_string()))?.0);
        }
        for commit in &wanted.commits {
            let drawn = book.shares(commit);
            if drawn.is_empty() {
                return Err(LedgerError::Refused(format!(
                    "commit {} draws on no session that is here",
                    commit.short()
                )));
            }
            sessions.extend(drawn.iter().map(|share| share.session));
        }
        for id in &wanted.records {
            let entry = book.report.entries().find(|entry| entry.id == *id);
            let entry = entry.ok_or_else(|| LedgerError::Unknown(id.to_string()))?;
            shelves.extend(shelves_of(entry.chain, &entry.body));
            // Of a commit's record, what it draws on.
            if let Some(commit) = entry.as_commit() {
                sessions.extend(book.shares(&commit.commit).iter().map(|share| share.session));
            }
        }
        for segment in sessions.iter().flat_map(|session| book.segments(session)) {
            shelves.extend(shelves_of(segment.entry.chain, &segment.entry.body));
            // And what stands in the place of that.
            shelves.extend(segment.payloads.iter().map(|payload| shelf_of(segment.shelves_of, payload)));
        }
        let named = |shelf: &Shelf| {
            let month = wanted.months.is_empty() || wanted.months.contains(&shelf.month);
            month && (wanted.chains.is_empty() || wanted.chains.contains(&shelf.chain))
        };
        if !wanted.months.is_empty() || !wanted.chains.is_empty() {
            let all = book.report.entries().flat_map(|entry| shelves_of(entry.chain, &entry.body));
            shelves.extend(all.filter(named));
        }
        if shelves.is_empty() {
            return Err(LedgerError::Refused("there are no payloads of that: nothing can be held".into()));
        }
        let Wanted { records, commits, sessions, .. } = wanted;
        Ok(Hold { case, shelves: shelves.into_iter().collect(), records, commits, sessions })
    }

    /// Puts what a hold names under its ref, as far as it is here; how many pieces.
    pub fn keep_held(&self, hold: &Hold, report: &Report) -> Result<usize, LedgerError> {
        let mut blobs = BTreeMap::new();
        for entry in report.entries() {
            for payload in pruned::payloads(&entry.body) {
                let shelf = Shelf { chain: entry.chain, class: payload.class, month: payload.month.clone() };
                if hold.shelves.binary_search(&shelf).is_err() {
                    continue;
                }
                let found = payload.pieces.iter().filter_map(|piece| {
                    Some((piece.sha256, report.payloads.blob(entry.chain, &piece.sha256)?.clone()))
                });
                blobs.extend(found);
            }
        }
        let name = self.prefix.hold(&hold.case);
        let ours = self.repo.find_ref(&name)?;
        let seen =
            Copies::list(self)?.holds.into_iter().find(|(seen, _)| seen.ends_with(&format!("/hold/{}", hold.case)));
        let before = ours.clone().or(seen.map(|(_, tip)| tip));
        let blobs: Vec<_> = blobs.into_iter().collect();
        let tip = payload::extend(&self.repo, before.as_ref(), &blobs, "policy", clock::now().unix())?;
        self.repo.update_refs(&[RefUpdate { name, new: Some(tip), expected: ours }])?;
        Ok(blobs.len())
    }
}

fn shelves_of(chain: ChainId, body: &Body) -> impl Iterator<Item = Shelf> {
    pruned::payloads(body).iter().map(move |payload| shelf_of(chain, payload))
}

fn shelf_of(chain: ChainId, payload: &Payload) -> Shelf {
    Shelf { chain, class: payload.class, month: payload.month.clone() }
}

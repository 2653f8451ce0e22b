//! This clone's payloads on their way to a remote: only pieces that a record names go, on top of what the remote has.
//!
//! A process that was killed after it moved a payload ref and before it moved its chain leaves pieces that no record names. What
//! they say is read again and stored anew with its record; they themselves no amendment replaces and no rules have searched, so
//! they are taken off before a push. And a push that was cut off before it noted what it sent may have brought pieces to a remote
//! that were replaced here since: they stay there, and what is new goes on top of them.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::digest::Digest;
use crate::git::history;
use crate::git::repo::{RefUpdate, Repo};
use crate::host::clock;
use crate::id::{ChainId, GitId, PackedId};
use crate::ledger::copies::Copies;
use crate::ledger::refs::SEEN;
use crate::ledger::{Ledger, LedgerError, payload, pruned, store};
use crate::record::body::Shelf;

/// What became of pieces that were to go from this clone.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct TakenOff {
    /// How many are gone from this clone's refs.
    pub gone: usize,
    /// How many a remote has.
    pub pushed: usize,
}

/// What a remote is to get of one of this clone's refs.
#[derive(Debug, PartialEq, Eq)]
pub enum Goes {
    /// It is to stand here.
    To(GitId),
    Nothing,
    /// The remote has what is none of this clone's.
    Apart,
}

/// The payload refs of one push, while nobody writes to them.
pub struct Shelves<'l> {
    ledger: &'l Ledger,
    /// Listed when they are needed.
    copies: OnceCell<Copies>,
    named: BTreeMap<ChainId, Named>,
}

impl<'l> Shelves<'l> {
    pub fn new(ledger: &'l Ledger) -> Self {
        Shelves { ledger, copies: OnceCell::new(), named: BTreeMap::new() }
    }

    /// What goes to a remote that was seen to have `seen`, of the shelf that is `ours`. Takes off what no record names.
    pub fn goes(
        &mut self,
        name: &str,
        shelf: &Shelf,
        mut ours: GitId,
        seen: Option<&GitId>,
    ) -> Result<Goes, LedgerError> {
        let repo = &self.ledger.repo;
        let mut new = payload::added(repo, seen, &ours)?;
        let stray = self.unnamed(shelf.chain, &new)?;
        new.retain(|piece, _| !stray.contains(piece));
        let mut is_clean = stray.is_empty();
        if !is_clean {
            self.ledger.take_off(shelf, &stray, self.copies()?)?;
            let Some(tip) = repo.find_ref(name)? else { return Ok(Goes::Nothing) };
            ours = tip;
            // What another remote has stays here, and does not go to this one.
            is_clean = stray.is_disjoint(&payload::shelf(repo, &ours)?.into_keys().collect());
        }
        let goes_on = seen.is_none_or(|seen| history::is_ancestor(repo, seen, &ours));
        if let (Some(seen), false) = (seen, goes_on) {
            let more = payload::added(repo, Some(&ours), seen)?;
            if !self.unnamed(shelf.chain, &more)?.is_empty() {
                return Ok(Goes::Apart);
            }
        }
        match (goes_on && is_clean, new.is_empty()) {
            (true, _) if seen == Some(&ours) => Ok(Goes::Nothing),
            (true, _) => Ok(Goes::To(ours)),
            (false, true) => Ok(Goes::Nothing),
            (false, false) => {
                let (who, unix) = (shelf.chain.to_string(), clock::now().unix());
                let new: Vec<_> = new.into_iter().collect();
                Ok(Goes::To(payload::extend(repo, seen, &new, &who, unix)?))
            }
        }
    }

    fn copies(&self) -> Result<&Copies, LedgerError> {
        match self.copies.get() {
            Some(copies) => Ok(copies),
            None => {
                let copies = Copies::list(self.ledger)?;
                Ok(self.copies.get_or_init(|| copies))
            }
        }
    }

    /// Those of some pieces that no record of a chain names; none where that cannot be told.
    fn unnamed(&mut self, chain: ChainId, pieces: &HashMap<Digest, GitId>) -> Result<BTreeSet<Digest>, LedgerError> {
        if pieces.is_empty() {
            return Ok(BTreeSet::new());
        }
        if !self.named.contains_key(&chain) {
            let tips = self.copies()?.chains.get(&chain).map_or(&[][..], Vec::as_slice);
            // A chain that is not here names nothing that could be read: nothing of it is taken off.
            let named = Named { is_whole: !tips.is_empty(), ..Named::default() };
            let next = tips.iter().rev().map(|(_, tip)| tip.clone()).collect();
            self.named.insert(chain, Named { next, ..named });
        }
        let named = self.named.entry(chain).or_default();
        Ok(named.lacks(&self.ledger.repo, pieces.keys().copied().collect()))
    }
}

/// The pieces that the records of a chain name, in whichever copy of it, read from the newest on as far as it was asked for.
#[derive(Default)]
struct Named {
    /// Commits to read, the last first.
    next: Vec<GitId>,
    read: HashSet<PackedId>,
    pieces: HashSet<Digest>,
    /// Whether every record so far could be read.
    is_whole: bool,
}

impl Named {
    fn lacks(&mut self, repo: &Repo, mut pieces: BTreeSet<Digest>) -> BTreeSet<Digest> {
        pieces.retain(|piece| !self.pieces.contains(piece));
        while !pieces.is_empty()
            && let Some(commit) = self.next.pop()
        {
            if !self.read.insert(PackedId::from(&commit)) {
                continue;
            }
            let Ok(stored) = store::read(repo, &commit) else {
                self.is_whole = false;
                continue;
            };
            for piece in pruned::payloads(stored.record.body()).iter().flat_map(|payload| &payload.pieces) {
                pieces.remove(&piece.sha256);
                self.pieces.insert(piece.sha256);
            }
            self.next.extend(stored.parent);
        }
        if self.is_whole { pieces } else { BTreeSet::new() }
    }
}

impl Ledger {
    /// Takes pieces off this clone's copy of a shelf, while nobody writes to it. Those that a remote has stay: taking them off
    /// here would not take them away there.
    pub(super) fn take_off(
        &self,
        shelf: &Shelf,
        old: &BTreeSet<Digest>,
        copies: &Copies,
    ) -> Result<TakenOff, LedgerError> {
        let repo = &self.repo;
        let is_seen = |name: &str| name.starts_with(SEEN) && name.ends_with(&format!("/{shelf}"));
        let seen: Vec<&GitId> =
            copies.payloads.iter().filter(|(name, ..)| is_seen(name)).map(|(_, _, tip)| tip).collect();
        let mut there = HashSet::new();
        for tip in &seen {
            there.extend(payload::shelf(repo, tip)?.into_keys());
        }
        let pushed = old.iter().filter(|piece| there.contains(piece)).count();
        let name = self.prefix.payload(shelf.class, &shelf.month, shelf.chain);
        let Some(tip) = repo.find_ref(&name)? else { return Ok(TakenOff { gone: 0, pushed }) };
        let here = payload::shelf(repo, &tip)?;
        let goes = |piece: &&Digest| here.contains_key(piece) && !there.contains(piece);
        let gone: HashSet<Digest> = old.iter().filter(goes).copied().collect();
        if !gone.is_empty() {
            // Its parents would take along what is taken off: it goes on from what a remote has, else from nothing.
            let mut base = Some(tip.clone());
            while let Some(commit) = base.take_if(|commit| !seen.contains(&&*commit)) {
                base = history::parent_ids(repo, &commit).into_iter().next();
            }
            let (who, unix) = (shelf.chain.to_string(), clock::now().unix());
            let new = payload::without(repo, &tip, base.as_ref(), &gone, &who, unix)?;
            repo.update_refs(&[RefUpdate { name, new, expected: Some(tip) }])?;
        }
        Ok(TakenOff { gone: gone.len(), pushed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::repo::Kind;
    use crate::ledger::testing::Fixture;
    use crate::record::body::PayloadClass;

    /// A developer with a shelf: its name, and its tip.
    fn with_shelf() -> (Fixture, Shelf, String, GitId) {
        let fixture = Fixture::of_each_type();
        let chain = fixture.people.developer.chain();
        let shelf = Shelf { chain, class: PayloadClass::Transcript, month: "2026-01".parse().unwrap() };
        let name = fixture.ledger.prefix.payload(shelf.class, &shelf.month, chain);
        let tip = fixture.ledger.repo.find_ref(&name).unwrap().unwrap();
        (fixture, shelf, name, tip)
    }

    fn with_stray(repo: &Repo, tip: &GitId) -> GitId {
        let stray = (Digest::of(b"x"), repo.write(Kind::Blob, b"x").unwrap());
        payload::extend(repo, Some(tip), &[stray], "t", 0).unwrap()
    }

    fn goes(fixture: &Fixture, shelf: &Shelf, name: &str, ours: &GitId, seen: Option<&GitId>) -> Goes {
        fixture.set_ref(name, Some(ours.clone()));
        Shelves::new(&fixture.ledger).goes(name, shelf, ours.clone(), seen).unwrap()
    }

    #[test]
    fn what_no_record_names_is_taken_off_where_all_records_are_here() {
        let (fixture, shelf, name, tip) = with_shelf();
        let repo = &fixture.ledger.repo;
        let ours = with_stray(repo, &tip);
        let chain = fixture.tip(shelf.chain);
        fixture.set_tip(shelf.chain, None);
        assert_eq!(goes(&fixture, &shelf, &name, &ours, None), Goes::To(ours.clone()));
        fixture.set_tip(shelf.chain, chain);
        let Goes::To(clean) = goes(&fixture, &shelf, &name, &ours, None) else { panic!("it goes") };
        assert_eq!(payload::shelf(repo, &clean).unwrap(), payload::shelf(repo, &tip).unwrap());
        assert_eq!(repo.find_ref(&name).unwrap(), Some(clean));
        assert_eq!(goes(&fixture, &shelf, &name, &ours, Some(&tip)), Goes::Nothing);
    }

    #[test]
    fn what_a_remote_has_more_is_gone_on_from_if_it_is_the_writers_own() {
        let (fixture, shelf, name, tip) = with_shelf();
        let repo = &fixture.ledger.repo;
        let chain = fixture.people.developer.clone();
        fixture.session(&chain, 1, &["more\n".into()]);
        let both = repo.find_ref(&name).unwrap().unwrap();
        // Taken off here, and the remote has it.
        let more: HashSet<_> = payload::added(repo, Some(&tip), &both).unwrap().into_keys().collect();
        let old: HashSet<_> = payload::shelf(repo, &tip).unwrap().into_keys().collect();
        let ours = payload::without(repo, &both, None, &old, "t", 0).unwrap().unwrap();
        let Goes::To(built) = goes(&fixture, &shelf, &name, &ours, Some(&tip)) else { panic!("it goes") };
        assert!(history::is_ancestor(repo, &tip, &built));
        assert_eq!(payload::added(repo, Some(&tip), &built).unwrap().into_keys().collect::<HashSet<_>>(), more);
        assert_eq!(goes(&fixture, &shelf, &name, &ours, Some(&both)), Goes::Nothing);
        // What it has of nobody's.
        assert_eq!(goes(&fixture, &shelf, &name, &ours, Some(&with_stray(repo, &tip))), Goes::Apart);
    }
}

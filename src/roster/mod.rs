//! Roster: who may do what, folded from the policy chain.

mod history;
pub mod possession;

use std::collections::{BTreeMap, BTreeSet};

use crate::id::ChainId;
use crate::record::body::{CloseChain, EnrolledKey, Genesis, Member, Place, Role, Roster as Change};
use crate::record::recipient::Recipient;
use crate::record::signature::PublicKey;

pub use history::{History, Rules, Standing};

/// Who reads what others' sessions said.
const READERS: [Role; 4] = [Role::Owner, Role::Admin, Role::PolicyAdmin, Role::Auditor];

/// The members as one policy record left them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roster {
    threshold: u32,
    witnesses: u32,
    members: BTreeMap<String, Member>,
    /// Chains that were closed, and the last record of each that counts.
    closed: BTreeMap<ChainId, Option<Place>>,
}

/// Why a policy record is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RosterError {
    #[error("{have} of the {need} owners it needs have signed")]
    Threshold { have: usize, need: usize },
    #[error("none of its signers may write it")]
    Unauthorised,
    #[error("a {0} record may not stand here")]
    Misplaced(&'static str),
    #[error("the roster would be unusable: {0}")]
    Unusable(String),
}

fn unusable<T>(why: impl Into<String>) -> Result<T, RosterError> {
    Err(RosterError::Unusable(why.into()))
}

fn is_owner(member: &Member) -> bool {
    member.roles.contains(&Role::Owner)
}

impl Roster {
    /// The roster that a genesis record makes, if enough of its own owners signed it.
    pub fn found(genesis: &Genesis, signers: &[PublicKey]) -> Result<Self, RosterError> {
        let mut roster = Roster { threshold: genesis.threshold, witnesses: 1, ..Roster::default() };
        for member in &genesis.members {
            roster.members.insert(member.id.clone(), member.clone());
        }
        roster.usable()?;
        roster.require_owners(signers)?;
        Ok(roster)
    }

    /// The roster after a change, if those may make it who signed it: where an owner is touched or their threshold, as
    /// many owners as there must be before and after the change; one owner or admin otherwise.
    pub fn change(&self, change: &Change, signers: &[PublicKey]) -> Result<Self, RosterError> {
        let next = self.with(change)?;
        if self.touches_owners(change) {
            self.require_owners(signers)?;
            next.usable()?;
            next.require_owners(signers)?;
        } else {
            self.require_admin(signers)?;
            next.usable()?;
        }
        next.keeps_chains_of(self)?;
        Ok(next)
    }

    fn touches_owners(&self, change: &Change) -> bool {
        let was_owner = |id: &String| self.members.get(id).is_some_and(is_owner);
        change.threshold.is_some()
            || change.witnesses.is_some()
            || change.set.iter().any(|member| is_owner(member) || was_owner(&member.id))
            || change.remove.iter().any(was_owner)
    }

    fn with(&self, change: &Change) -> Result<Self, RosterError> {
        let mut next = self.clone();
        for id in &change.remove {
            if next.members.remove(id).is_none() || change.set.iter().any(|member| member.id == *id) {
                return unusable(format!("{id} is not there to be removed"));
            }
        }
        for member in &change.set {
            next.members.insert(member.id.clone(), member.clone());
        }
        next.threshold = change.threshold.unwrap_or(self.threshold);
        next.witnesses = change.witnesses.unwrap_or(self.witnesses);
        Ok(next)
    }

    /// The roster after a chain was closed, if those may close it who signed: of an owner's chain as many owners as there
    /// must be, one owner or admin otherwise. A chain can be closed again, at an earlier record.
    pub fn close(&self, close: &CloseChain, signers: &[PublicKey]) -> Result<Self, RosterError> {
        match self.enrolment(close.chain) {
            Some((member, _)) if is_owner(member) => self.require_owners(signers)?,
            _ => self.require_admin(signers)?,
        }
        if close.chain == ChainId::Policy {
            return unusable("the policy chain cannot be closed");
        }
        let end = |place: &Option<Place>| place.map_or(0, |place| place.seq + 1);
        if self.closed.get(&close.chain).is_some_and(|was| end(was) <= end(&close.last)) {
            return unusable(format!("chain {} was closed before", close.chain.short()));
        }
        let mut next = self.clone();
        next.closed.insert(close.chain, close.last);
        next.usable()?;
        Ok(next)
    }

    /// Whether those may set the rules who signed: one owner or policy-admin is enough.
    pub fn may_set_rules(&self, signers: &[PublicKey]) -> Result<(), RosterError> {
        self.require_owner_or(&[Role::PolicyAdmin], signers)
    }

    fn require_admin(&self, signers: &[PublicKey]) -> Result<(), RosterError> {
        self.require_owner_or(&[Role::Admin], signers)
    }

    fn require_owner_or(&self, roles: &[Role], signers: &[PublicKey]) -> Result<(), RosterError> {
        let may = |member: &Member| is_owner(member) || member.roles.iter().any(|role| roles.contains(role));
        match signers.iter().any(|key| self.member_of(key).is_some_and(may)) {
            true => Ok(()),
            false => Err(RosterError::Unauthorised),
        }
    }

    fn require_owners(&self, signers: &[PublicKey]) -> Result<(), RosterError> {
        // Two keys of one owner are one owner.
        let owners: BTreeSet<&str> = signers
            .iter()
            .filter_map(|key| self.member_of(key))
            .filter(|member| is_owner(member))
            .map(|member| member.id.as_str())
            .collect();
        let need = self.threshold as usize;
        if owners.len() < need { Err(RosterError::Threshold { have: owners.len(), need }) } else { Ok(()) }
    }

    /// A roster must keep owners enough to be changed again, and name each key once.
    fn usable(&self) -> Result<(), RosterError> {
        let can_sign = |member: &&Member| is_owner(member) && member.keys.iter().any(|key| self.is_open(key));
        let owners = self.members.values().filter(can_sign).count();
        if self.threshold == 0 || owners < self.threshold as usize {
            return unusable(format!("{owners} owners with keys, threshold {}", self.threshold));
        }
        if self.witnesses == 0 {
            return unusable("at least one witness must seal");
        }
        let mut seen = BTreeSet::new();
        for key in self.members.values().flat_map(|member| &member.keys) {
            if !seen.insert(key.public_key.chain()) {
                return unusable(format!("key {} is there twice", key.public_key));
            }
        }
        Ok(())
    }

    /// What a member wrote stays theirs: a key goes only after its chain was closed, to nobody else, and does not come
    /// back then.
    fn keeps_chains_of(&self, before: &Roster) -> Result<(), RosterError> {
        for (member, key) in before.keys() {
            let chain = key.public_key.chain();
            match self.enrolment(chain) {
                None if before.is_open(key) => {
                    return unusable(format!("chain {} of {} must be closed first", chain.short(), member.id));
                }
                Some((other, from)) if other.id != member.id || from != key.from_seq => {
                    return unusable(format!("chain {} is {}'s from {}", chain.short(), member.id, key.from_seq));
                }
                _ => {}
            }
        }
        let back = |key: &EnrolledKey| !self.is_open(key) && before.enrolment(key.public_key.chain()).is_none();
        match self.keys().find(|(_, key)| back(key)) {
            Some((_, key)) => unusable(format!("chain {} was closed", key.public_key.chain().short())),
            None => Ok(()),
        }
    }

    fn keys(&self) -> impl Iterator<Item = (&Member, &EnrolledKey)> {
        self.members.values().flat_map(|member| member.keys.iter().map(move |key| (member, key)))
    }

    fn is_open(&self, key: &EnrolledKey) -> bool {
        !self.closed.contains_key(&key.public_key.chain())
    }

    /// The keys that speak for members, those of closed chains left out.
    pub fn open_keys(&self) -> impl Iterator<Item = &PublicKey> {
        self.keys().filter(|(_, key)| self.is_open(key)).map(|(_, key)| &key.public_key)
    }

    /// To whom payloads are encrypted, whosever they are: those who may read everything.
    pub fn readers(&self) -> impl Iterator<Item = &Recipient> {
        let may = |member: &&Member| member.roles.iter().any(|role| READERS.contains(role));
        self.members.values().filter(may).flat_map(|member| self.recipients_of(member))
    }

    /// The recipients of a member's keys, those of closed chains left out.
    pub fn recipients_of<'m>(&self, member: &'m Member) -> impl Iterator<Item = &'m Recipient> {
        member.keys.iter().filter(|key| self.is_open(key)).filter_map(|key| key.recipient.as_ref())
    }

    /// The member that a key speaks for.
    pub fn member_of(&self, key: &PublicKey) -> Option<&Member> {
        self.keys().find(|(_, known)| known.public_key == *key && self.is_open(known)).map(|(member, _)| member)
    }

    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    pub fn member(&self, id: &str) -> Option<&Member> {
        self.members.get(id)
    }

    /// How many different owners must sign what only owners may do.
    pub fn threshold(&self) -> u32 {
        self.threshold
    }

    /// How many witnesses must have sealed a record, for it to be called sealed.
    pub fn witnesses(&self) -> u32 {
        self.witnesses
    }

    /// Whether a chain was closed, and which of its records is the last that counts.
    pub fn closure(&self, chain: ChainId) -> Option<Option<Place>> {
        self.closed.get(&chain).copied()
    }

    /// From which number on the records of a chain count, and for whom; `None` if its key is not enrolled.
    pub fn enrolment(&self, chain: ChainId) -> Option<(&Member, u64)> {
        let found = self.keys().find(|(_, key)| key.public_key.chain() == chain);
        found.map(|(member, key)| (member, key.from_seq))
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod properties;

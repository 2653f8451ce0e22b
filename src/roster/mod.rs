//! Roster: who may do what, folded from the policy chain.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{ChainId, RecordId};
use crate::record::body::{Body, Genesis, Member, Role, Roster as Change};
use crate::record::signature::PublicKey;
use crate::record::{Citation, Record};

/// The members as one policy record left them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roster {
    threshold: u32,
    members: BTreeMap<String, Member>,
}

/// Why a policy record is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RosterError {
    #[error("{have} of the {need} owners it needs have signed")]
    Threshold { have: usize, need: usize },
    #[error("none of its signers may change the roster")]
    Unauthorised,
    #[error("a {0} record may not stand here")]
    Misplaced(&'static str),
    #[error("the roster would be unusable: {0}")]
    Unusable(String),
}

impl Roster {
    /// The roster that a genesis record makes, if enough of its own owners signed it.
    pub fn found(genesis: &Genesis, signers: &[PublicKey]) -> Result<Self, RosterError> {
        let mut roster = Roster { threshold: genesis.threshold, members: BTreeMap::new() };
        for member in &genesis.members {
            roster.members.insert(member.id.clone(), member.clone());
        }
        roster.usable()?;
        roster.require_owners(signers)?;
        Ok(roster)
    }

    /// The roster after a change, if those may make it who signed it: owners at the threshold where an owner is
    /// touched, one owner or admin otherwise.
    pub fn change(&self, change: &Change, signers: &[PublicKey]) -> Result<Self, RosterError> {
        let is_owner = |member: &Member| member.roles.contains(&Role::Owner);
        let touches_owners =
            change.set.iter().any(|member| is_owner(member) || self.members.get(&member.id).is_some_and(is_owner));
        if touches_owners {
            self.require_owners(signers)?;
        } else if !signers.iter().any(|key| self.may(key, &[Role::Owner, Role::Admin])) {
            return Err(RosterError::Unauthorised);
        }
        let mut next = self.clone();
        for member in &change.set {
            next.members.insert(member.id.clone(), member.clone());
        }
        next.usable()?;
        Ok(next)
    }

    fn require_owners(&self, signers: &[PublicKey]) -> Result<(), RosterError> {
        // Two keys of one owner are one owner.
        let owners: BTreeSet<&str> = signers
            .iter()
            .filter_map(|key| self.member_of(key))
            .filter(|member| member.roles.contains(&Role::Owner))
            .map(|member| member.id.as_str())
            .collect();
        let need = self.threshold as usize;
        if owners.len() < need { Err(RosterError::Threshold { have: owners.len(), need }) } else { Ok(()) }
    }

    /// A roster must keep owners enough to be changed again, and name each key once.
    fn usable(&self) -> Result<(), RosterError> {
        let owners = self.members.values().filter(|m| m.roles.contains(&Role::Owner) && !m.keys.is_empty()).count();
        if self.threshold == 0 || owners < self.threshold as usize {
            return Err(RosterError::Unusable(format!("{owners} owners with keys, threshold {}", self.threshold)));
        }
        let mut seen = BTreeSet::new();
        for key in self.members.values().flat_map(|member| &member.keys) {
            if !seen.insert(key.public_key.chain()) {
                return Err(RosterError::Unusable(format!("key {} is there twice", key.public_key)));
            }
        }
        Ok(())
    }

    /// The member that a key speaks for.
    pub fn member_of(&self, key: &PublicKey) -> Option<&Member> {
        self.members.values().find(|member| member.keys.iter().any(|k| k.public_key == *key))
    }

    fn may(&self, key: &PublicKey, roles: &[Role]) -> bool {
        self.member_of(key).is_some_and(|member| member.roles.iter().any(|role| roles.contains(role)))
    }

    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    pub fn member(&self, id: &str) -> Option<&Member> {
        self.members.get(id)
    }

    /// From which number on the records of a chain count, and for whom; `None` if its key is not enrolled.
    pub fn enrolment(&self, chain: ChainId) -> Option<(&Member, u64)> {
        self.members.values().find_map(|member| {
            let key = member.keys.iter().find(|key| key.public_key.chain() == chain)?;
            Some((member, key.from_seq))
        })
    }
}

/// What a writer's record is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Its writer may write it.
    Authorised,
    /// Nobody has enrolled the key.
    Pending,
    /// Its writer may not write it, for this reason.
    Unauthorised(String),
    /// It cites a policy that is not there.
    UnknownPolicy,
}

/// The roster after each policy record, by the record's number.
#[derive(Debug, Clone, Default)]
pub struct History {
    versions: Vec<(RecordId, Roster)>,
}

impl History {
    /// Takes in the next policy record, whose signatures by `signers` have been checked.
    pub fn extend<State>(&mut self, record: &Record<State>, signers: &[PublicKey]) -> Result<(), RosterError> {
        let next = match (record.body(), self.versions.last()) {
            (Body::Genesis(genesis), None) => Roster::found(genesis, signers)?,
            (Body::Roster(change), Some((_, roster))) => roster.change(change, signers)?,
            (other, _) => return Err(RosterError::Misplaced(other.kind())),
        };
        self.versions.push((record.id(), next));
        Ok(())
    }

    /// The newest roster.
    pub fn newest(&self) -> Option<&Roster> {
        self.versions.last().map(|(_, roster)| roster)
    }

    /// The newest policy record, as records cite it.
    pub fn citation(&self) -> Option<Citation> {
        let (id, _) = self.versions.last()?;
        Some(Citation { n: self.versions.len() as u64 - 1, id: *id })
    }

    /// Whether there is such a policy record.
    pub fn has(&self, cited: Citation) -> bool {
        let at = usize::try_from(cited.n).unwrap_or(usize::MAX);
        self.versions.get(at).is_some_and(|(id, _)| *id == cited.id)
    }

    /// Judges a record of a writer's chain by the policy it cites. An enrolment counts for records that were
    /// written before it, from the number it names.
    pub fn standing(&self, chain: ChainId, seq: u64, cited: Option<Citation>, body: &Body) -> Standing {
        let Some(cited) = cited else { return Standing::UnknownPolicy };
        if !self.has(cited) {
            return Standing::UnknownPolicy;
        }
        let mut since = self.versions.iter().skip(usize::try_from(cited.n).unwrap_or(usize::MAX));
        let Some((member, from)) = since.find_map(|(_, roster)| roster.enrolment(chain)) else {
            return Standing::Pending;
        };
        if seq < from {
            return Standing::Unauthorised(format!("records of {} count from number {from} on", member.id));
        }
        let writers = [Role::Owner, Role::Admin, Role::Developer, Role::Ci];
        let may = match body {
            // Everybody with a key opens a chain with it.
            Body::Open(_) => true,
            Body::Session(_) | Body::Commit(_) | Body::Link(_) => {
                member.roles.iter().any(|role| writers.contains(role))
            }
            Body::Genesis(_) | Body::Roster(_) => false,
        };
        if may {
            Standing::Authorised
        } else {
            Standing::Unauthorised(format!("{} has no role that may write a {} record", member.id, body.kind()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::id::LedgerId;
    use crate::record::body::{Claim, EnrolledKey, Open};
    use crate::record::{Envelope, Unverified};
    use crate::time::Time;

    fn key(n: u8) -> PublicKey {
        let secret = ed25519_dalek::SigningKey::from_bytes(&[n; 32]);
        PublicKey::new([n; 8], secret.verifying_key().to_bytes()).unwrap()
    }

    fn member(id: &str, role: Role, keys: &[u8]) -> Member {
        let keys = keys.iter().map(|n| EnrolledKey { public_key: key(*n), from_seq: 0 }).collect();
        Member { id: id.into(), name: id.into(), roles: vec![role], keys }
    }

    fn policy(seq: u64, body: Body) -> Record<Unverified> {
        let envelope = Envelope {
            ledger: LedgerId(Digest::ZERO),
            chain: ChainId::Policy,
            seq,
            prev: Digest::ZERO,
            time: Time::from_unix(0),
            policy: None,
            seal: None,
        };
        Record::new(envelope, body).unwrap()
    }

    fn genesis(threshold: u32, members: Vec<Member>) -> Record<Unverified> {
        policy(0, Body::Genesis(Genesis { threshold, members, nonce: "00".repeat(16) }))
    }

    fn roster(set: Vec<Member>) -> Record<Unverified> {
        policy(1, Body::Roster(Change { set }))
    }

    #[test]
    fn two_keys_of_one_owner_are_one_owner() {
        let owners = vec![member("a", Role::Owner, &[1, 2]), member("b", Role::Owner, &[3])];
        let record = genesis(2, owners);
        let two = RosterError::Threshold { have: 1, need: 2 };
        assert_eq!(History::default().extend(&record, &[key(1)]), Err(two.clone()));
        assert_eq!(History::default().extend(&record, &[key(1), key(2)]), Err(two));
        assert_eq!(History::default().extend(&record, &[key(1), key(3)]), Ok(()));
    }

    #[test]
    fn admins_enrol_developers_and_only_owners_touch_owners() {
        let mut history = History::default();
        let first =
            vec![member("o", Role::Owner, &[1]), member("a", Role::Admin, &[2]), member("d", Role::Developer, &[3])];
        history.extend(&genesis(1, first), &[key(1)]).unwrap();
        let add_developer = roster(vec![member("e", Role::Developer, &[4])]);
        let add_owner = roster(vec![member("e", Role::Owner, &[4])]);
        let demote = roster(vec![member("o", Role::Developer, &[1])]);
        assert_eq!(history.clone().extend(&add_developer, &[key(2)]), Ok(()));
        assert_eq!(history.clone().extend(&add_developer, &[key(3)]), Err(RosterError::Unauthorised));
        assert!(matches!(history.clone().extend(&add_owner, &[key(2)]), Err(RosterError::Threshold { .. })));
        assert_eq!(history.clone().extend(&add_owner, &[key(1)]), Ok(()));
        assert!(matches!(history.clone().extend(&demote, &[key(1)]), Err(RosterError::Unusable(_))));
        let twice = roster(vec![member("e", Role::Developer, &[3])]);
        assert!(matches!(history.clone().extend(&twice, &[key(1)]), Err(RosterError::Unusable(_))));
    }

    #[test]
    fn a_key_is_pending_until_enrolled_and_then_counts_from_its_number() {
        let mut history = History::default();
        history.extend(&genesis(1, vec![member("o", Role::Owner, &[1])]), &[key(1)]).unwrap();
        let cited = history.citation();
        let claim = Claim { id: "d".into(), name: "d".into() };
        let open = Body::Open(Open { public_key: key(3), member: claim, device: "d".into(), tool: "t".into() });
        let chain = key(3).chain();
        assert_eq!(history.standing(chain, 5, cited, &open), Standing::Pending);
        assert_eq!(history.standing(chain, 5, None, &open), Standing::UnknownPolicy);

        let mut developer = member("d", Role::Developer, &[3]);
        developer.keys[0].from_seq = 5;
        history.extend(&roster(vec![developer]), &[key(1)]).unwrap();
        assert_eq!(history.standing(chain, 5, cited, &open), Standing::Authorised);
        assert!(matches!(history.standing(chain, 4, cited, &open), Standing::Unauthorised(_)));
        let forged = Citation { n: 0, id: RecordId(Digest::of(b"other")) };
        assert_eq!(history.standing(chain, 5, Some(forged), &open), Standing::UnknownPolicy);
    }
}

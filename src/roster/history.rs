//! The roster after each policy record, and what it makes of a writer's record.

use super::{Roster, RosterError};
use crate::id::{ChainId, RecordId};
use crate::record::body::{Body, Member, Place, Role};
use crate::record::signature::PublicKey;
use crate::record::{Citation, Record};
use crate::time::Time;

/// What a writer's record is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Its writer may write it.
    Authorised,
    /// Nobody has enrolled the key.
    Pending,
    /// Its writer may not write it, for this reason.
    Unauthorised(String),
    /// Another record was the last of the chain when it was closed.
    Replaced(RecordId),
    /// It cites a policy that is not there.
    UnknownPolicy,
}

/// The roster after each policy record, by the record's number.
#[derive(Debug, Clone, Default)]
pub struct History {
    versions: Vec<(RecordId, Roster)>,
    /// Who has signed each of them.
    signers: Vec<Vec<PublicKey>>,
    /// Ascending by number.
    rules: Vec<Rules>,
}

/// The rules that one policy record set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    pub set: Citation,
    /// By the clock of who set them.
    pub time: Time,
    /// The members who signed.
    pub by: Vec<String>,
    pub toml: String,
}

impl History {
    /// Takes in the next policy record, whose signatures by `signers` have been checked.
    #[cfg(test)]
    pub fn extend<State>(&mut self, record: &Record<State>, signers: &[PublicKey]) -> Result<(), RosterError> {
        let next = self.judge(record, signers)?;
        self.take(record, signers, next);
        Ok(())
    }

    /// The roster after the next policy record, if those may write it who signed.
    pub fn judge<State>(&self, record: &Record<State>, signers: &[PublicKey]) -> Result<Roster, RosterError> {
        Ok(match (record.body(), self.versions.last()) {
            (Body::Genesis(genesis), None) => Roster::found(genesis, signers)?,
            (Body::Roster(change), Some((_, roster))) => roster.change(change, signers)?,
            (Body::CloseChain(close), Some((_, roster))) => roster.close(close, signers)?,
            (Body::Policy(_), Some((_, roster))) => {
                roster.may_set_rules(signers)?;
                roster.clone()
            }
            // What they may say is judged where keeping is.
            (Body::Compliance(_) | Body::Release(_) | Body::Prune(_) | Body::Adjudicate(_), Some((_, roster))) => {
                roster.require_owner_or(&[Role::Admin], signers)?;
                roster.clone()
            }
            (Body::Hold(_) | Body::Audit(_), Some((_, roster))) => {
                roster.require_owner_or(&[Role::Admin, Role::Auditor], signers)?;
                roster.clone()
            }
            (other, _) => return Err(RosterError::Misplaced(other.kind())),
        })
    }

    /// Takes in a policy record that was judged: the roster is `next` from it on.
    pub fn take<State>(&mut self, record: &Record<State>, signers: &[PublicKey], next: Roster) {
        if let (Body::Policy(policy), Some((_, roster))) = (record.body(), self.versions.last()) {
            let by = signers.iter().filter_map(|key| roster.member_of(key)).map(|member| member.id.clone());
            self.rules.push(Rules {
                set: Citation { n: self.versions.len() as u64, id: record.id() },
                time: record.envelope().time,
                by: by.collect(),
                toml: policy.toml.clone(),
            });
        }
        self.versions.push((record.id(), next));
        self.signers.push(signers.to_vec());
    }

    /// The keys that have signed the policy record with this number.
    pub fn signers(&self, n: u64) -> &[PublicKey] {
        usize::try_from(n).ok().and_then(|n| self.signers.get(n)).map_or(&[], Vec::as_slice)
    }

    /// The members whose keys have signed the policy record with this number.
    pub fn signed_by(&self, n: u64) -> Vec<String> {
        // A change may enrol the key that it is signed with.
        let at = |n: usize| self.versions.get(n).map(|(_, roster)| roster);
        let own = usize::try_from(n).unwrap_or(usize::MAX);
        let rosters = [own.checked_sub(1).and_then(at), at(own)];
        let whose = |key: &PublicKey| rosters.iter().flatten().find_map(|roster| roster.member_of(key));
        self.signers(n).iter().filter_map(whose).map(|member| member.id.clone()).collect()
    }

    /// The newest roster.
    pub fn newest(&self) -> Option<&Roster> {
        self.versions.last().map(|(_, roster)| roster)
    }

    /// The rules in force, if any were ever set.
    pub fn rules(&self) -> Option<&Rules> {
        self.rules.last()
    }

    /// All rules that were ever in force, the first ones first.
    pub fn all_rules(&self) -> &[Rules] {
        &self.rules
    }

    /// The rules that were in force by the policy record with this number.
    pub fn rules_at(&self, n: u64) -> Option<&Rules> {
        self.rules.iter().rfind(|rules| rules.set.n <= n)
    }

    /// Whose a chain's key is; of one who left, whose it was last.
    pub fn member(&self, chain: ChainId) -> Option<&Member> {
        self.versions.iter().rev().find_map(|(_, roster)| roster.enrolment(chain)).map(|(member, _)| member)
    }

    /// Whether a chain was closed before anybody enrolled its key: it is nobody's, and can never be anybody's, so nothing that it
    /// says counts.
    pub fn has_refused(&self, chain: ChainId) -> bool {
        self.newest().is_some_and(|roster| roster.closure(chain).is_some()) && self.member(chain).is_none()
    }

    /// Whether a chain is of a member who was removed.
    pub fn has_let_go(&self, chain: ChainId) -> bool {
        self.newest().is_some_and(|roster| roster.enrolment(chain).is_none()) && self.member(chain).is_some()
    }

    /// The newest policy record, as records cite it.
    pub fn citation(&self) -> Option<Citation> {
        let (id, _) = self.versions.last()?;
        Some(Citation { n: self.versions.len() as u64 - 1, id: *id })
    }

    /// The ids of the policy records that hold, the first one first.
    pub fn ids(&self) -> Vec<RecordId> {
        self.versions.iter().map(|(id, _)| *id).collect()
    }

    /// What the member whose key a chain's is might do when the policy record with this number was the newest; of a
    /// key that was enrolled later, from then on.
    pub fn roles_at(&self, chain: ChainId, n: u64) -> &[Role] {
        let mut since = self.versions.iter().skip(usize::try_from(n).unwrap_or(usize::MAX));
        since.find_map(|(_, roster)| roster.enrolment(chain)).map_or(&[], |(member, _)| &member.roles)
    }

    /// Whether there is such a policy record.
    pub fn has(&self, cited: Citation) -> bool {
        let at = usize::try_from(cited.n).unwrap_or(usize::MAX);
        self.versions.get(at).is_some_and(|(id, _)| *id == cited.id)
    }

    /// Judges a record of a writer's chain by the policy it cites. An enrolment counts for records that were
    /// written before it, from the number it names; a closure for all, whatever they cite.
    pub fn standing(&self, chain: ChainId, place: Place, cited: Option<Citation>, body: &Body) -> Standing {
        let Some(cited) = cited else { return Standing::UnknownPolicy };
        if !self.has(cited) {
            return Standing::UnknownPolicy;
        }
        match self.newest().and_then(|roster| roster.closure(chain)) {
            Some(None) => return Standing::Unauthorised("its chain was closed, and none of its records counts".into()),
            Some(Some(last)) if place.seq > last.seq => {
                return Standing::Unauthorised(format!("its chain was closed after record {}", last.seq));
            }
            Some(Some(last)) if place.seq == last.seq && place.id != last.id => return Standing::Replaced(last.id),
            _ => {}
        }
        let mut since = self.versions.iter().skip(usize::try_from(cited.n).unwrap_or(usize::MAX));
        let Some((member, from)) = since.find_map(|(_, roster)| roster.enrolment(chain)) else {
            return Standing::Pending;
        };
        if place.seq < from {
            return Standing::Unauthorised(format!("records of {} count from number {from} on", member.id));
        }
        if may_write(&member.roles, body) {
            Standing::Authorised
        } else {
            Standing::Unauthorised(format!("{} has no role that may write a {} record", member.id, body.kind()))
        }
    }
}

/// Whether one of these roles may write such a record on its own chain.
fn may_write(roles: &[Role], body: &Body) -> bool {
    let any_of = |wanted: &[Role]| roles.iter().any(|role| wanted.contains(role));
    match body {
        // Everybody with a key opens a chain with it, and may end it.
        Body::Open(_) | Body::Close(_) => true,
        Body::Session(_) | Body::Commit(_) | Body::Link(_) | Body::Check(_) => any_of(&[Role::Developer, Role::Ci]),
        Body::Seal(_) => any_of(&[Role::Witness]),
        // A machine takes nobody's responsibility.
        Body::Approve(_) => any_of(&[Role::Owner, Role::Admin, Role::PolicyAdmin, Role::Developer, Role::Auditor]),
        // Everybody may correct what is their own; whose the record is, is known where all chains are.
        Body::Amend(_) => true,
        // What one has read is one's own to tell.
        Body::Access(_) | Body::Export(_) => true,
        Body::Genesis(_) | Body::Roster(_) | Body::CloseChain(_) | Body::Policy(_) | Body::Compliance(_) => false,
        Body::Hold(_) | Body::Release(_) | Body::Prune(_) | Body::Audit(_) | Body::Adjudicate(_) => false,
    }
}

//! The policy chain told record by record: who decided what and when, and what is in force after it.

use std::collections::BTreeSet;

use crate::compliance::Keeping;
use crate::id::{CaseId, RecordId};
use crate::record::body::{Adjudicate, Body, Shelf};
use crate::record::signature::PublicKey;
use crate::record::{Record, Unverified};
use crate::roster::{History, RosterError};
use crate::time::Time;

/// The policy chain up to one of its records.
#[derive(Debug, Default)]
pub struct Account {
    pub history: History,
    pub keeping: Keeping,
    /// Its records, the first one first.
    pub told: Vec<Told>,
}

/// A record of the policy chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub n: u64,
    pub id: RecordId,
    /// By the clock of who wrote it.
    pub time: Time,
    /// The members who signed.
    pub by: Vec<String>,
    pub body: Body,
}

/// A case that payloads are or were held for.
#[derive(Debug, PartialEq, Eq)]
pub struct Held<'a> {
    pub case: &'a CaseId,
    /// All that was held for it since it was opened.
    pub shelves: BTreeSet<&'a Shelf>,
    /// The records that say so, the first one first.
    pub opened: Vec<&'a Told>,
    /// The record that ended it.
    pub released: Option<&'a Told>,
}

/// A key that speaks or spoke for a member.
#[derive(Debug, PartialEq, Eq)]
pub struct Enrolled<'a> {
    pub member: &'a str,
    pub key: PublicKey,
    /// The first record of its chain that counts.
    pub from_seq: u64,
    /// The records that enrolled it, and that closed its chain or removed the member.
    pub since: &'a Told,
    pub until: Option<&'a Told>,
}

impl Account {
    /// Tells records that were verified before, each with the keys that have signed it, in their order.
    pub fn of(records: impl IntoIterator<Item = (Record<Unverified>, Vec<PublicKey>)>) -> Result<Self, RosterError> {
        let mut account = Account::default();
        for (record, signers) in records {
            let next = account.history.judge(&record, &signers)?;
            account.keeping.take(&record);
            account.history.take(&record, &signers, next);
            let (n, id, time) = (record.envelope().seq, record.id(), record.envelope().time);
            let by = account.history.signed_by(n);
            account.told.push(Told { n, id, time, by, body: record.into_body() });
        }
        Ok(account)
    }

    /// Every case, the latest first: those that are open and those that were released.
    pub fn holds(&self) -> Vec<Held<'_>> {
        let mut cases: Vec<Held<'_>> = Vec::new();
        for told in &self.told {
            match &told.body {
                Body::Hold(hold) => {
                    let open = cases.iter().position(|held| *held.case == hold.case && held.released.is_none());
                    let at = open.unwrap_or_else(|| {
                        let (shelves, opened) = (BTreeSet::new(), Vec::new());
                        cases.push(Held { case: &hold.case, shelves, opened, released: None });
                        cases.len() - 1
                    });
                    cases[at].shelves.extend(&hold.shelves);
                    cases[at].opened.push(told);
                }
                Body::Release(release) => {
                    let open = cases.iter_mut().find(|held| *held.case == release.case && held.released.is_none());
                    open.into_iter().for_each(|held| held.released = Some(told));
                }
                _ => {}
            }
        }
        cases.reverse();
        cases
    }

    /// Every key there is and was, as they were enrolled.
    pub fn keys(&self) -> Vec<Enrolled<'_>> {
        let mut keys: Vec<Enrolled<'_>> = Vec::new();
        for told in &self.told {
            let set = match &told.body {
                Body::Genesis(genesis) => &genesis.members[..],
                Body::Roster(change) => &change.set[..],
                _ => &[],
            };
            let is_over = |enrolled: &Enrolled<'_>| match &told.body {
                Body::CloseChain(close) => close.chain == enrolled.key.chain(),
                Body::Roster(change) => {
                    let now = set.iter().find(|member| member.id == enrolled.member);
                    let dropped = now.is_some_and(|now| now.keys.iter().all(|key| key.public_key != enrolled.key));
                    dropped || change.remove.iter().any(|gone| gone == enrolled.member)
                }
                _ => false,
            };
            keys.iter_mut().filter(|one| one.until.is_none() && is_over(one)).for_each(|one| one.until = Some(told));
            for (member, key) in set.iter().flat_map(|member| member.keys.iter().map(move |key| (member, key))) {
                let (of, key, from_seq) = (member.id.as_str(), key.public_key, key.from_seq);
                if !keys.iter().any(|one| one.key == key && one.member == of && one.until.is_none()) {
                    keys.push(Enrolled { member: of, key, from_seq, since: told, until: None });
                }
            }
        }
        keys
    }

    /// Every decision about a finding, the latest first, and the later one that took its place, if one did.
    pub fn decisions(&self) -> Vec<(&Told, &Adjudicate, Option<&Told>)> {
        let all = self.told.iter().filter_map(|told| match &told.body {
            Body::Adjudicate(decided) => Some((told, decided)),
            _ => None,
        });
        let all: Vec<_> = all.collect();
        let about = |decided: &Adjudicate| (decided.code.clone(), decided.chain, decided.seq);
        let later = |at: usize| all[at + 1..].iter().find(|(_, other)| about(other) == about(all[at].1));
        let decision = |at: usize| (all[at].0, all[at].1, later(at).map(|(told, _)| *told));
        (0..all.len()).rev().map(decision).collect()
    }
}

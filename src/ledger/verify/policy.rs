//! The policy chain: each record by the rights that the one before gave.

use crate::chain::{self, Head, Kind};
use crate::compliance::Keeping;
use crate::finding::{Code, Finding};
use crate::git::repo::Repo;
use crate::id::{ChainId, GitId, LedgerId};
use crate::ledger::store;
use crate::record::body::Body;
use crate::record::object::{SIGNATURE_FILE, policy_signature_file};
use crate::record::signature::PublicKey;
use crate::record::{Citation, Record, RecordError, Verified};
use crate::roster::{History, Roster};

/// The policy chain, verified in order: each record by the rights the one before gave.
pub struct PolicyChain {
    pub ledger: Option<LedgerId>,
    pub history: History,
    pub keeping: Keeping,
    pub findings: Vec<Finding>,
    /// How many records there are, those after a break too.
    pub records: u64,
}

impl PolicyChain {
    pub fn verify(repo: &Repo, commits: &[GitId]) -> Self {
        let (history, keeping) = (History::default(), Keeping::default());
        let records = commits.len() as u64;
        let mut chain = PolicyChain { ledger: None, history, keeping, findings: Vec::new(), records };
        let mut head = None;
        for commit in commits {
            match chain.next(repo, commit, head.as_ref()) {
                Ok(next) => head = Some(next.after(head.as_ref())),
                // Whoever breaks the policy chain freezes it: nothing after the break counts.
                Err(findings) => {
                    chain.findings.extend(findings);
                    break;
                }
            }
        }
        chain
    }

    fn next(&mut self, repo: &Repo, commit: &GitId, head: Option<&Head>) -> Result<Head, Vec<Finding>> {
        let stored = store::read(repo, commit)
            .map_err(|error| vec![Finding::new(error.code, error.message).chain(ChainId::Policy)])?;
        let record = &stored.record;
        let ledger = *self.ledger.get_or_insert_with(|| record.ledger());
        let findings = chain::follow(head, record, ledger, ChainId::Policy, Kind::Policy);
        if !findings.is_empty() {
            return Err(findings);
        }
        let place = |code, message: String| {
            vec![Finding::new(code, message).chain(ChainId::Policy).seq(record.envelope().seq).record(record.id())]
        };
        if record.envelope().policy != self.history.citation() {
            return Err(place(Code::Policy, "it does not cite the policy record before it".into()));
        }
        let (signers, verified) =
            policy_signers(&stored, self.history.newest()).map_err(|(code, why)| place(code, why))?;
        let Some(verified) = verified else {
            return Err(place(Code::Sig, "it has no signature".into()));
        };
        let next = self.history.judge(&verified, &signers).map_err(|error| {
            use crate::roster::RosterError::{Threshold, Unauthorised};
            let code = match error {
                Threshold { .. } => Code::PolicyThreshold,
                Unauthorised => Code::Unauth,
                _ => Code::Policy,
            };
            place(code, error.to_string())
        })?;
        self.keeping.judge(&verified).map_err(|error| place(Code::Policy, error.to_string()))?;
        self.keeping.take(&verified);
        self.history.take(&verified, &signers, next);
        Ok(Head::of(record))
    }
}

impl PolicyChain {
    /// What it means that a record cites a policy record which is not among the good ones.
    pub fn unknown(&self, cited: Option<Citation>) -> Option<Finding> {
        let good = self.history.citation().map_or(0, |newest| newest.n + 1);
        match cited {
            None => Some(Finding::new(Code::Policy, "it cites no policy record")),
            Some(cited) if cited.n < good => {
                Some(Finding::new(Code::Policy, format!("policy record {} is another than the one it cites", cited.n)))
            }
            // What is missing has been told, once.
            Some(_) if self.records == 0 || self.findings.iter().any(|f| f.code == Code::Missing) => None,
            Some(cited) if cited.n < self.records => {
                Some(Finding::new(Code::Policy, format!("it cites policy record {}, which does not hold", cited.n)))
            }
            Some(cited) => Some(Finding::new(
                Code::Rollback,
                format!("it cites policy record {}; now the policy chain has {} records", cited.n, self.records),
            )),
        }
    }
}

/// The keys that have signed a policy record, and the record, if there is one.
type Signed = (Vec<PublicKey>, Option<Record<Verified>>);

/// The members' keys that have signed a policy record, by its signature files. Each file must be a member's: one that
/// is not would be a place to hide something.
fn policy_signers(stored: &store::Stored, roster: Option<&Roster>) -> Result<Signed, (Code, String)> {
    // A record is signed by those whom it makes members, too: the genesis record by its owners, a change by new ones.
    let set = match stored.record.body() {
        Body::Genesis(genesis) => &genesis.members[..],
        Body::Roster(change) => &change.set[..],
        _ => &[],
    };
    let mut keys: Vec<PublicKey> = set.iter().flat_map(|m| &m.keys).map(|key| key.public_key).collect();
    keys.extend(roster.into_iter().flat_map(Roster::open_keys));
    keys.sort_unstable_by_key(PublicKey::chain);
    keys.dedup();
    let mut signers = Vec::new();
    let mut verified = None;
    for (name, signature) in &stored.signatures {
        if name == SIGNATURE_FILE {
            return Err((Code::Envelope, "there is a signature that names no key".into()));
        }
        let mut answer = Err((Code::Sig, format!("{name} is no member's signature")));
        for key in keys.iter().filter(|key| *name == policy_signature_file(&key.number())) {
            match stored.record.clone().verify(&key.verifier(), signature) {
                Ok(record) => answer = Ok((key, record)),
                // Two keys may have one number; a signature is then one of them's.
                Err(_) if answer.is_ok() => {}
                Err(rejected) => {
                    let error = RecordError::from(rejected.error);
                    answer = Err((error.code(), format!("{name}: {error}")));
                }
            }
        }
        let (key, record) = answer?;
        signers.push(*key);
        verified = Some(record);
    }
    Ok((signers, verified))
}

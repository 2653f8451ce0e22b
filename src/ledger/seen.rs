//! How far each chain was seen and verified: a chain never becomes shorter, and what was checked once need not be again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::chain::Head;
use crate::finding::{Code, Finding};
use crate::host::files;
use crate::id::{ChainId, GitId, LedgerId};
use crate::ledger::copies::Copies;
use crate::ledger::{Ledger, LedgerError};
use crate::record::signature::PublicKey;

/// The highest record of each chain that was ever seen here.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    chains: BTreeMap<ChainId, Mark>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    seq: u64,
    commit: GitId,
}

const SEEN: &str = "seen.json";

impl Seen {
    pub fn load(ledger: &Ledger) -> Result<Self, LedgerError> {
        Ok(load(ledger, SEEN)?.unwrap_or_default())
    }

    pub fn save(&self, ledger: &Ledger) -> Result<(), LedgerError> {
        if *self == Seen::load(ledger)? { Ok(()) } else { save(ledger, SEEN, self) }
    }

    /// What a chain's commits say about what was seen before.
    pub fn compare(&self, chain: ChainId, commits: &[GitId]) -> Option<Finding> {
        let mark = self.chains.get(&chain)?;
        let at = usize::try_from(mark.seq).unwrap_or(usize::MAX);
        match commits.get(at) {
            Some(commit) if *commit == mark.commit => None,
            Some(_) => {
                let message = format!("record {} was seen as {} before", mark.seq, mark.commit.short());
                Some(Finding::new(Code::Fork, message).chain(chain).seq(mark.seq))
            }
            None => {
                let message =
                    format!("record {} was seen before; now the chain has {} records", mark.seq, commits.len());
                Some(Finding::new(Code::Rollback, message).chain(chain).seq(mark.seq))
            }
        }
    }

    /// Chains that were seen before and are not there at all.
    pub fn lost(&self, walks: &BTreeMap<ChainId, Vec<GitId>>) -> Vec<Finding> {
        let gone = self.chains.iter().filter(|(chain, _)| !walks.contains_key(chain));
        gone.map(|(chain, mark)| {
            let message = format!("the chain was seen up to record {} before; now it is gone", mark.seq);
            Finding::new(Code::Rollback, message).chain(chain).seq(mark.seq)
        })
        .collect()
    }

    /// Raises the marks to what is here.
    pub fn advance(&mut self, copies: &Copies, walks: &BTreeMap<ChainId, Vec<GitId>>) {
        for (chain, commits) in walks {
            if let Some(commit) = commits.last() {
                self.chains.insert(*chain, Mark { seq: commits.len() as u64 - 1, commit: commit.clone() });
            }
        }
        self.chains.retain(|chain, _| copies.chains.contains_key(chain));
    }
}

/// Chains that were verified without a finding, and how far.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cache {
    ledger: Option<LedgerId>,
    pub chains: BTreeMap<ChainId, CachedChain>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CachedChain {
    pub tip: GitId,
    pub head: Head,
    pub key: Option<PublicKey>,
}

const VERIFIED: &str = "verified.json";

impl Cache {
    /// Reads the cache; one that cannot be read is no cache.
    pub fn load(ledger: &Ledger) -> Result<Self, LedgerError> {
        Ok(load(ledger, VERIFIED).unwrap_or_default().unwrap_or_default())
    }

    pub fn save(&self, ledger: &Ledger) -> Result<(), LedgerError> {
        if *self == Cache::load(ledger)? { Ok(()) } else { save(ledger, VERIFIED, self) }
    }

    /// Forgets what was verified for another ledger.
    pub fn keep_for(&mut self, ledger: LedgerId) {
        if self.ledger != Some(ledger) {
            *self = Cache { ledger: Some(ledger), chains: BTreeMap::new() };
        }
    }
}

fn load<T: serde::de::DeserializeOwned>(ledger: &Ledger, name: &str) -> Result<Option<T>, LedgerError> {
    let path = ledger.dir().join(name);
    let failed = |source| LedgerError::File { path: path.clone(), source };
    match files::read_if_exists(&path).map_err(failed)? {
        Some(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| failed(error.into())),
        None => Ok(None),
    }
}

fn save<T: Serialize>(ledger: &Ledger, name: &str, value: &T) -> Result<(), LedgerError> {
    let path = ledger.dir().join(name);
    let failed = |source| LedgerError::File { path: path.clone(), source };
    let bytes = serde_json::to_vec(value).map_err(|error| failed(error.into()))?;
    // A repository that only reads (a mirror, a read-only mount) verifies all the same, from the beginning each time.
    match files::create_private_dir(ledger.dir()).and_then(|()| files::replace_private(&path, &bytes)) {
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem
            ) =>
        {
            Ok(())
        }
        other => other.map_err(failed),
    }
}

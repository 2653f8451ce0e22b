//! How far each chain was seen and verified: a chain never becomes shorter, and what was checked once need not be again.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::chain::Head;
use crate::finding::{Code, Finding};
use crate::git::repo::{Repo, RepoError};
use crate::host::files;
use crate::id::{ChainId, GitId, LedgerId, RecordId};
use crate::ledger::copies::{Copies, Known, Walk};
use crate::ledger::payload::Payloads;
use crate::ledger::pruned::Gone;
use crate::ledger::references::Target;
use crate::ledger::replaced::Replacement;
use crate::ledger::seals::Covered;
use crate::ledger::{Ledger, LedgerError, payload};
use crate::record::Citation;
use crate::record::body::{Place, Shelf};
use crate::record::signature::PublicKey;
use crate::roster::History;
use crate::time::Time;

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
        // A file that a power failure emptied stops nothing; the remotes' refs that are here are seen all the same.
        Ok(load(ledger, SEEN).unwrap_or_default().unwrap_or_default())
    }

    pub fn save(&self, ledger: &Ledger) -> Result<(), LedgerError> {
        if *self == Seen::load(ledger)? { Ok(()) } else { save(ledger, SEEN, self) }
    }

    /// What a chain's commits say about what was seen before.
    pub fn compare(&self, repo: &Repo, chain: ChainId, walk: &Walk) -> Option<Finding> {
        let mark = self.chains.get(&chain)?;
        let at = usize::try_from(mark.seq).unwrap_or(usize::MAX);
        match walk.commit(repo, at) {
            Some(commit) if commit == mark.commit => None,
            Some(_) => {
                let message = format!("record {} was seen as {} before", mark.seq, mark.commit.short());
                Some(Finding::new(Code::Fork, message).chain(chain).seq(mark.seq))
            }
            // What is not here is told as such.
            None if at < walk.len() => None,
            None => {
                let message = format!("record {} was seen before; now the chain has {} records", mark.seq, walk.len());
                Some(Finding::new(Code::Rollback, message).chain(chain).seq(mark.seq))
            }
        }
    }

    /// Chains that were seen before and are not there at all; of those that were refused nobody misses anything.
    pub fn lost(&self, walks: &BTreeMap<ChainId, Walk>, history: &History) -> Vec<Finding> {
        let is_gone = |chain: &ChainId| !walks.contains_key(chain) && !history.has_refused(*chain);
        let gone = self.chains.iter().filter(|(chain, _)| is_gone(chain));
        gone.map(|(chain, mark)| {
            let message = format!("the chain was seen up to record {} before; now it is gone", mark.seq);
            Finding::new(Code::Rollback, message).chain(chain).seq(mark.seq)
        })
        .collect()
    }

    /// Raises the marks to what is here.
    pub fn advance(&mut self, copies: &Copies, walks: &BTreeMap<ChainId, Walk>) {
        for (chain, walk) in walks {
            if let Some(commit) = walk.tip() {
                self.chains.insert(*chain, Mark { seq: walk.len() as u64 - 1, commit });
            }
        }
        self.chains.retain(|chain, _| copies.chains.contains_key(chain));
    }
}

/// Chains that were verified without a finding, and how far.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cache {
    ledger: Option<LedgerId>,
    /// The newest policy record that the chains were judged by.
    policy: Option<Citation>,
    /// The payload refs whose pieces were checked with the chains.
    payloads: BTreeMap<String, GitId>,
    pub chains: BTreeMap<ChainId, CachedChain>,
    /// How much the commits of a link were found to have in common, by the link's record.
    #[serde(default)]
    pub links: BTreeMap<RecordId, u32>,
    /// The notes that were found to be right.
    #[serde(default)]
    pub notes: Option<GitId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CachedChain {
    pub tip: GitId,
    pub head: Head,
    pub key: Option<PublicKey>,
    /// The shelves of which pieces were pruned.
    pub pruned: BTreeSet<Shelf>,
    /// The records with payloads in plain text that should be encrypted.
    #[serde(default)]
    pub plain: Vec<Place>,
    /// Pieces that are not here because an amendment replaced them.
    #[serde(default)]
    pub replaced: Vec<Gone>,
    /// The amendments on it that replace payloads.
    #[serde(default)]
    pub replacements: Vec<Replacement>,
    /// The records that its own are about.
    pub targets: BTreeSet<Target>,
    /// Of a witness's chain, what it covers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covered: Option<Covered>,
    /// The number and the time of the first record that was not sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsealed: Option<(u64, Time)>,
}

impl CachedChain {
    /// Where it was verified up to. Of a chain without a finding the records' numbers are their places.
    pub fn place(&self) -> Known<'_> {
        (&self.tip, usize::try_from(self.head.seq).unwrap_or(usize::MAX))
    }
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

    /// Forgets what does not hold any more: all of it for another ledger or where the policy did not go on from what
    /// it was, and the chains whose payload refs lost or changed a piece. Notes what the next verification finds.
    pub fn keep_for(
        &mut self,
        repo: &Repo,
        ledger: LedgerId,
        history: &History,
        (copies, payloads): (&Copies, &Payloads),
        walks: &BTreeMap<ChainId, Walk>,
    ) {
        let sealing = |chains: &BTreeMap<ChainId, CachedChain>| {
            chains.iter().filter(|(_, known)| known.covered.is_some()).map(|(chain, _)| *chain).collect::<Vec<_>>()
        };
        let witnesses = sealing(&self.chains);
        if self.ledger != Some(ledger) || !self.policy.is_none_or(|cited| history.has(cited)) {
            self.chains.clear();
        }
        // What went on from another record than the last one was not verified at all.
        self.chains.retain(|chain, known| walks.get(chain).is_some_and(|walk| walk.position(&known.tip).is_some()));
        // A closure counts for what was written before it, too.
        let closed = |chain: &ChainId| history.newest().and_then(|roster| roster.closure(*chain));
        self.chains.retain(|chain, known| match closed(chain) {
            None => true,
            Some(last) => last.is_some_and(|last| {
                known.head.seq < last.seq || (known.head.seq == last.seq && known.head.id == last.id)
            }),
        });
        // What was pruned or replaced and is there again is looked at again; so is what is about a record that moved.
        let is_here = |shelf: &Shelf| copies.payloads.iter().any(|(name, _, _)| name.ends_with(&shelf.to_string()));
        let stands = |known: &CachedChain| known.targets.iter().all(|target| target.stands(walks));
        self.chains.retain(|_, known| !known.pruned.iter().any(is_here) && stands(known));
        self.chains.retain(|chain, known| {
            known.replaced.iter().flat_map(|gone| &gone.pieces).all(|piece| payloads.blob(*chain, piece).is_none())
        });
        let payloads = copies.payloads.iter().map(|(name, _, tip)| (name.clone(), tip.clone()));
        let now: BTreeMap<String, GitId> = payloads.chain(copies.holds.iter().cloned()).collect();
        for (name, old) in &self.payloads {
            if name.contains("/hold/") {
                // Whose pieces were found there is not known any more.
                if now.get(name) != Some(old) {
                    self.chains.clear();
                }
                continue;
            }
            let whole = now.get(name).is_some_and(|tip| tip == old || grew(repo, old, tip).unwrap_or_default());
            if let (false, Some(chain)) = (whole, name.rsplit('/').next().and_then(|chain| chain.parse().ok())) {
                self.chains.remove(&chain);
            }
        }
        // What a chain cites of seals was right by the seals that there were: none of them may be gone.
        let moved =
            self.chains.iter().any(|(chain, known)| known.covered.is_some() != copies.witnesses.contains(chain));
        if moved || !witnesses.iter().all(|chain| self.chains.contains_key(chain)) {
            self.chains.clear();
        }
        *self = Cache {
            ledger: Some(ledger),
            policy: history.citation(),
            payloads: now,
            chains: std::mem::take(&mut self.chains),
            links: std::mem::take(&mut self.links),
            notes: self.notes.take(),
        };
    }
}

/// Whether a payload ref has all the pieces that it had.
fn grew(repo: &Repo, old: &GitId, new: &GitId) -> Result<bool, RepoError> {
    let (old, new) = (payload::shelf(repo, old)?, payload::shelf(repo, new)?);
    Ok(old.iter().all(|(digest, blob)| new.get(digest) == Some(blob)))
}

/// Writes a file of this clone's, if it says something else than it did.
pub fn save_changed<T: Serialize + serde::de::DeserializeOwned + PartialEq>(
    ledger: &Ledger,
    name: &str,
    value: &T,
) -> Result<(), LedgerError> {
    if load(ledger, name).ok().flatten().as_ref() == Some(value) { Ok(()) } else { save(ledger, name, value) }
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

//! Records read back from a mirror: one as it is signed, and the proof that one was sealed.

use crate::digest::Digest;
use crate::id::GitId;
use crate::ledger::Ledger;
use crate::ledger::prove::Sealing;
use crate::mirror::{Mirror, MirrorError};
use crate::record::proof::Proof;
use crate::record::signature::PublicKey;

/// A record to be proven, and the seal that covers it.
pub struct Sealed {
    /// The git commits that hold the record and the seal.
    pub held: GitId,
    pub seal: GitId,
    /// The witness's.
    pub key: PublicKey,
    /// The record's number in the witness's tree, and the hashes beside its way to the root.
    pub index: u64,
    pub path: Vec<Digest>,
}

impl Mirror {
    /// The proof that a record was sealed.
    pub fn prove(&self, sealed: Sealed) -> Result<Proof, MirrorError> {
        let ledger = Ledger::of(self.open()?)?;
        let bytes = ledger.read("a record", &sealed.held)?.record.bytes().to_vec();
        let Sealed { seal, key, index, path, .. } = sealed;
        let seal = (ledger.prefix.seals(key.chain()), seal);
        Ok(ledger.prove_by(Sealing { seal, key, index, path }, bytes)?)
    }

    /// A record's text as it is signed, from the git commit that holds it; `None` where that was not fetched yet.
    pub fn record_text(&self, held: &GitId) -> Result<Option<String>, MirrorError> {
        let ledger = Ledger::of(self.open()?)?;
        if !ledger.repo.contains(held) {
            return Ok(None);
        }
        let stored = ledger.read("a record", held)?;
        Ok(Some(String::from_utf8_lossy(stored.record.bytes()).into_owned()))
    }
}

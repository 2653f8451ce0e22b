//! Records read back from a mirror: one as it is signed, and the proof that one was sealed.

use crate::id::{GitId, RecordId};
use crate::ledger::Ledger;
use crate::ledger::prove::Sealing;
use crate::mirror::{Mirror, MirrorError};
use crate::record::proof::Proof;
use crate::record::signature::PublicKey;

/// A record to be proven, and the seal that covers it.
pub struct Sealed {
    pub record: RecordId,
    /// The git commits that hold the record and the seal.
    pub held: GitId,
    pub seal: GitId,
    /// The witness's.
    pub key: PublicKey,
    pub leaves: Vec<RecordId>,
}

impl Mirror {
    /// The proof that a record was sealed.
    pub fn prove(&self, sealed: Sealed) -> Result<Proof, MirrorError> {
        let ledger = Ledger::of(self.open()?)?;
        let bytes = ledger.read("a record", &sealed.held)?.record.bytes().to_vec();
        let name = ledger.prefix.seals(sealed.key.chain());
        let sealing = Sealing { seal: (name, sealed.seal), key: sealed.key, leaves: sealed.leaves };
        Ok(ledger.prove_by(&sealing, sealed.record, bytes)?)
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

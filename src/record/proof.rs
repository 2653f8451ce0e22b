//! Proofs that a record was sealed, in C2SP's form (c2sp.org/tlog-proof): they verify without the repository.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::checkpoint::{self, Checkpoint, Note, NoteError};
use super::signature::PublicKey;
use super::{Record, RecordError, Unverified};
use crate::digest::Digest;
use crate::id::{ChainId, LedgerId};
use crate::merkle;

/// A proof is never larger: a record in base64, twice escaped, and a checkpoint.
pub const MAX_BYTES: usize = 512 * 1024;
const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";
/// No tree of 2^63 leaves is deeper.
const MAX_PATH: usize = 63;

/// An inclusion proof with its checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    pub extra: Extra,
    /// The number of the record among those that are sealed.
    pub index: u64,
    pub path: Vec<Digest>,
    /// The note, as it stands beside the seal.
    pub checkpoint: Vec<u8>,
}

/// What a reader needs beside the proof. It is not signed: what it says is compared with what is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extra {
    /// `record.json`, whose SHA-256 is the leaf.
    pub record: String,
    /// The key of the witness, whose name is in the checkpoint's origin.
    pub witness: PublicKey,
}

/// What a proof proves.
pub struct Proven {
    pub record: Record<Unverified>,
    pub ledger: LedgerId,
    pub witness: ChainId,
    pub checkpoint: Checkpoint,
}

/// Why bytes prove nothing.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    #[error("it is no proof: {0}")]
    Form(&'static str),
    #[error("its checkpoint: {0}")]
    Note(#[from] NoteError),
    #[error("its record: {0}")]
    Record(#[from] RecordError),
    #[error("{0}")]
    Wrong(&'static str),
}

impl Proof {
    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let extra = serde_json::to_vec(&self.extra).unwrap_or_default();
        let mut text = format!("{FIRST_LINE}\nextra {}\nindex {}\n", STANDARD.encode(extra), self.index);
        for hash in &self.path {
            text.push_str(&STANDARD.encode(hash.as_bytes()));
            text.push('\n');
        }
        text.push('\n');
        [text.as_bytes(), &self.checkpoint].concat()
    }

    pub fn parse(bytes: &[u8]) -> Result<Self, ProofError> {
        use ProofError::Form;
        if bytes.len() > MAX_BYTES {
            return Err(Form("it is too large"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| Form("it is not text"))?;
        let (head, checkpoint) = text.split_once("\n\n").ok_or(Form("it has no checkpoint"))?;
        let mut lines = head.split('\n');
        if lines.next() != Some(FIRST_LINE) {
            return Err(Form("its first line is another"));
        }
        let extra = lines.next().and_then(|line| line.strip_prefix("extra ")).ok_or(Form("it has no extra data"))?;
        let extra = STANDARD.decode(extra).map_err(|_| Form("its extra data is not base64"))?;
        let extra = serde_json::from_slice(&extra).map_err(|_| Form("its extra data is not a record and a key"))?;
        let number = lines.next().and_then(|line| line.strip_prefix("index ")).ok_or(Form("it has no index"))?;
        let index: u64 = number.parse().map_err(|_| Form("its index is no number"))?;
        if index.to_string() != number {
            return Err(Form("its index is spelled oddly"));
        }
        let path: Option<Vec<Digest>> = lines.map(checkpoint::hash).collect();
        let path = path.filter(|path| path.len() <= MAX_PATH).ok_or(Form("a line is no hash"))?;
        Ok(Proof { extra, index, path, checkpoint: checkpoint.as_bytes().to_vec() })
    }

    /// What it proves: that the witness, who may be anybody, has sealed the record.
    pub fn verify(&self) -> Result<Proven, ProofError> {
        use ProofError::Wrong;
        let note = Note::parse(&self.checkpoint)?;
        let origin = note.claims()?.origin;
        let (ledger, witness) = checkpoint::read_origin(&origin).ok_or(Wrong("its checkpoint is of no ledger"))?;
        if self.extra.witness.chain() != witness {
            return Err(Wrong("its key is not the one that its checkpoint names"));
        }
        let checkpoint = note.verify(&origin, &self.extra.witness.verifier())?;
        let record = Record::parse(self.extra.record.clone().into_bytes())?;
        if record.ledger() != ledger {
            return Err(Wrong("its record belongs to another ledger than its checkpoint"));
        }
        let leaf = record.id();
        if !merkle::includes(&checkpoint.root, checkpoint.size, self.index, leaf.0.as_bytes(), &self.path) {
            return Err(Wrong("its record is not in the tree that was sealed"));
        }
        Ok(Proven { record, ledger, witness, checkpoint })
    }
}

#[cfg(test)]
mod tests;

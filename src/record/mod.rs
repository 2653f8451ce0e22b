//! Records: their canonical form, their bodies, their signatures and the git objects they make.
//!
//! `docs/format.md` is the specification; `tests/vectors` holds it to this code, byte for byte.

pub mod body;
pub mod canonical;
pub mod checkpoint;
pub mod object;
pub mod proof;
pub mod recipient;
pub mod signature;
pub mod timestamp;

#[cfg(test)]
mod hostile;

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::digest::Digest;
use crate::finding::Code;
use crate::id::{ChainId, LedgerId, RecordId};
use crate::time::Time;
use body::Body;
use canonical::CanonError;
use signature::{SignatureError, Verifier};

/// The one version of the format.
pub const VERSION: u64 = 1;

/// What every record says of its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The ledger; 64 zeros in the genesis record, whose id it is.
    pub ledger: LedgerId,
    pub chain: ChainId,
    pub seq: u64,
    /// The predecessor's id; the ledger's id for the first of a writer's chain, 64 zeros in the genesis record.
    pub prev: Digest,
    pub time: Time,
    /// The newest policy record that the writer had verified; absent in the genesis record.
    pub policy: Option<Citation>,
    /// The newest seal that the writer had verified; absent before the first.
    pub seal: Option<Citation>,
}

/// A record of another chain, by number and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Citation {
    pub n: u64,
    pub id: RecordId,
}

/// `record.json` as it stands on disk.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File<'a, B> {
    v: u64,
    #[serde(rename = "type")]
    kind: std::borrow::Cow<'a, str>,
    ledger: LedgerId,
    chain: ChainId,
    seq: u64,
    prev: Digest,
    time: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<Citation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seal: Option<Citation>,
    body: B,
    /// Room for other programs' facts: kept, signed and never interpreted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ext: Option<serde_json::Map<String, serde_json::Value>>,
}

/// What must be known before the rest may be read.
#[derive(Deserialize)]
struct Probe<'a> {
    v: u64,
    #[serde(rename = "type", borrow)]
    kind: std::borrow::Cow<'a, str>,
}

/// The state of a record whose signature nobody has checked.
#[derive(Debug, Clone, Copy)]
pub struct Unverified;
/// The state of a record whose bytes were signed by the key they were checked against.
#[derive(Debug, Clone, Copy)]
pub struct Verified;

/// A record: its bytes, and what they say.
#[derive(Debug, Clone)]
pub struct Record<State> {
    bytes: Vec<u8>,
    id: RecordId,
    envelope: Envelope,
    body: Body,
    state: PhantomData<State>,
}

/// A record whose signature does not hold.
#[derive(Debug)]
pub struct Rejected {
    pub record: Record<Unverified>,
    pub error: SignatureError,
}

/// Why bytes are not a record, or not a signed one.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error(transparent)]
    Canon(#[from] CanonError),
    #[error("a field is missing, unknown or malformed: {0}")]
    Field(String),
    #[error("version {version}, type {kind:?}: this program knows version {VERSION} and its types only")]
    Version { version: u64, kind: String },
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

impl RecordError {
    /// The finding this makes.
    pub fn code(&self) -> Code {
        match self {
            RecordError::Canon(CanonError::TooLarge(_) | CanonError::TooDeep(_)) => Code::Limit,
            RecordError::Canon(CanonError::At { .. }) | RecordError::Field(_) => Code::Canon,
            RecordError::Version { .. } => Code::Version,
            RecordError::Signature(SignatureError::Format(_)) => Code::Format,
            RecordError::Signature(SignatureError::Wrong(_)) => Code::Sig,
        }
    }
}

impl<State> Record<State> {
    pub fn id(&self) -> RecordId {
        self.id
    }

    /// `record.json`, byte for byte.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    pub fn body(&self) -> &Body {
        &self.body
    }

    pub fn into_body(self) -> Body {
        self.body
    }

    /// The ledger it belongs to: for the genesis record, its own id.
    pub fn ledger(&self) -> LedgerId {
        match self.body {
            Body::Genesis(_) => LedgerId(self.id.0),
            _ => self.envelope.ledger,
        }
    }

    /// The trusted comment that its signature must carry.
    pub fn trusted_comment(&self) -> String {
        let envelope = &self.envelope;
        format!(
            "tracevault/v1 type={} ledger={} chain={} seq={} id={}",
            self.body.kind(),
            envelope.ledger.short(),
            envelope.chain,
            envelope.seq,
            self.id
        )
    }

    fn into_state<Other>(self) -> Record<Other> {
        Record { bytes: self.bytes, id: self.id, envelope: self.envelope, body: self.body, state: PhantomData }
    }
}

impl Record<Unverified> {
    /// Makes a record and its canonical bytes.
    pub fn new(envelope: Envelope, body: Body) -> Result<Self, CanonError> {
        let bytes = match &body {
            Body::Genesis(inner) => encode(&envelope, &body, inner),
            Body::Roster(inner) => encode(&envelope, &body, inner),
            Body::CloseChain(inner) => encode(&envelope, &body, inner),
            Body::Policy(inner) => encode(&envelope, &body, inner),
            Body::Open(inner) => encode(&envelope, &body, inner),
            Body::Session(inner) => encode(&envelope, &body, inner),
            Body::Commit(inner) => encode(&envelope, &body, inner),
            Body::Link(inner) => encode(&envelope, &body, inner),
            Body::Close(inner) => encode(&envelope, &body, inner),
            Body::Check(inner) => encode(&envelope, &body, inner),
            Body::Approve(inner) => encode(&envelope, &body, inner),
            Body::Amend(inner) => encode(&envelope, &body, inner),
            Body::Compliance(inner) => encode(&envelope, &body, inner),
            Body::Hold(inner) => encode(&envelope, &body, inner),
            Body::Release(inner) => encode(&envelope, &body, inner),
            Body::Prune(inner) => encode(&envelope, &body, inner),
            Body::Audit(inner) => encode(&envelope, &body, inner),
            Body::Adjudicate(inner) => encode(&envelope, &body, inner),
            Body::Seal(inner) => encode(&envelope, &body, inner),
            Body::Access(inner) | Body::Export(inner) => encode(&envelope, &body, inner),
        }?;
        Ok(Record { id: RecordId(Digest::of(&bytes)), bytes, envelope, body, state: PhantomData })
    }

    /// Reads `record.json`; bytes that are not canonical, or not of version 1, are refused.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, RecordError> {
        canonical::check(&bytes)?;
        let field = |error: serde_json::Error| RecordError::Field(error.to_string());
        let known = |v: u64, kind: &str| v == VERSION && Body::KINDS.contains(&kind);
        let file: File<'_, &RawValue> = match serde_json::from_slice::<File<'_, &RawValue>>(&bytes) {
            Ok(file) if known(file.v, &file.kind) => file,
            other => {
                // Of another version nothing may be expected but that it says so.
                let Probe { v, kind } = serde_json::from_slice(&bytes).map_err(field)?;
                return Err(match other {
                    Err(error) if known(v, &kind) => field(error),
                    _ => RecordError::Version { version: v, kind: kind.chars().take(40).collect() },
                });
            }
        };
        let body = Body::parse(&file.kind, file.body.get()).map_err(field)?;
        let envelope = Envelope {
            ledger: file.ledger,
            chain: file.chain,
            seq: file.seq,
            prev: file.prev,
            time: file.time,
            policy: file.policy,
            seal: file.seal,
        };
        Ok(Record { id: RecordId(Digest::of(&bytes)), envelope, body, bytes, state: PhantomData })
    }

    /// The only way to a verified record: its signature file checked with the key that must have made it.
    pub fn verify(self, key: &Verifier, signature: &[u8]) -> Result<Record<Verified>, Box<Rejected>> {
        match key.verify(&self.bytes, &self.trusted_comment(), signature) {
            Ok(()) => Ok(self.into_state()),
            Err(error) => Err(Box::new(Rejected { record: self, error })),
        }
    }
}

fn encode<B: Serialize>(envelope: &Envelope, body: &Body, inner: &B) -> Result<Vec<u8>, CanonError> {
    canonical::encode(&File {
        v: VERSION,
        kind: body.kind().into(),
        ledger: envelope.ledger,
        chain: envelope.chain,
        seq: envelope.seq,
        prev: envelope.prev,
        time: envelope.time,
        policy: envelope.policy,
        seal: envelope.seal,
        body: inner,
        ext: None,
    })
}

//! The body of a seal: which records a witness has seen since its last seal, and the tree over all that it has.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::id::{ChainId, RecordId};

/// A witness's signed statement of all heads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// The chains that went on since the last seal, each with its head now: the policy chain first, then by name.
    pub heads: Vec<Sealed>,
    /// How many records this seal and those before it cover: the number by which it is cited.
    pub size: u64,
    /// The root of the tree over their ids (RFC 6962), in the order in which seals cover them.
    pub root: Digest,
    /// How many findings the verification before it had: none of them an error, or there would be no seal.
    pub findings: u64,
}

/// A chain's head, as a seal names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    pub chain: ChainId,
    pub seq: u64,
    pub id: RecordId,
}

//! Who owns a ledger, who its members are, and with which keys: bodies of records on the policy chain.

use serde::{Deserialize, Serialize};

use super::{Place, Reason};
use crate::id::ChainId;
use crate::record::recipient::Recipient;
use crate::record::signature::PublicKey;
/// The first record of a ledger: who owns it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// How many different owners must sign what only owners may do.
    pub threshold: u32,
    /// The first members; those with the role `owner` are the owners.
    pub members: Vec<Member>,
    /// 32 random hex digits, so that two ledgers made by one person in one second differ.
    pub nonce: String,
}

/// A person or machine, and the keys that speak for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// What other records call the member: its e-mail address, or a machine's name.
    pub id: String,
    pub name: String,
    pub roles: Vec<Role>,
    pub keys: Vec<EnrolledKey>,
}

/// A key and from where in its chain it counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolledKey {
    /// The public key as minisign writes it: 56 characters of base64.
    pub public_key: PublicKey,
    /// Records of the key's chain count from this number on.
    pub from_seq: u64,
    /// To whom payloads are encrypted that the key's holder may read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Recipient>,
}

/// What a member may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    Owner,
    Admin,
    PolicyAdmin,
    Developer,
    Auditor,
    Ci,
    Witness,
}

impl Role {
    /// As records and people write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Owner => "owner",
            Role::Admin => "admin",
            Role::PolicyAdmin => "policy-admin",
            Role::Developer => "developer",
            Role::Auditor => "auditor",
            Role::Ci => "ci",
            Role::Witness => "witness",
        }
    }
}

/// A change of the roster, on the policy chain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Roster {
    /// Members as they are from now on; one that was there is replaced whole.
    pub set: Vec<Member>,
    /// The ids of those who are members no more.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "super::some")]
    pub remove: Vec<String>,
    /// How many different owners must sign from now on what only owners may do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<u32>,
    /// How many witnesses must have sealed a record from now on, for it to be called sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witnesses: Option<u32>,
}

/// The end of a writer's chain, on the policy chain: what stands after its last record counts for nothing, whatever date
/// it bears, and its key speaks for nobody any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloseChain {
    pub chain: ChainId,
    /// The last record that counts; without it none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Place>,
    pub reason: Reason,
}

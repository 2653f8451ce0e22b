//! Bodies of the records about keeping: what was checked, approved and corrected, how long payloads are kept, what was
//! pruned, and what verifying found.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Cut, Payload, PayloadClass, some};
use crate::digest::Digest;
use crate::finding::Verdict;
use crate::id::{CaseId, ChainId, GitId, RecordId, RepoPath, SessionId};
use crate::record::Citation;
use crate::time::Month;

/// What the rules in force said of commits, on a writer's chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    pub range: Range,
    /// The policy record that set the rules.
    pub rules: Citation,
    /// Of the rules that block.
    pub verdict: Verdict,
    pub findings: Vec<Broken>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "some")]
    pub cut: Vec<Cut>,
}

/// The commits that were judged, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    pub first: GitId,
    pub last: GitId,
    /// How many there are.
    pub commits: u64,
    /// SHA-256 of all their ids, each with a newline after it.
    pub sha256: Digest,
}

impl Range {
    /// The range of these commits; `None` if there are none.
    pub fn of(commits: &[GitId]) -> Option<Self> {
        let (first, last) = (commits.first()?.clone(), commits.last()?.clone());
        let text: String = commits.iter().map(|id| format!("{id}\n")).collect();
        Some(Range { first, last, commits: commits.len() as u64, sha256: Digest::of(text.as_bytes()) })
    }
}

/// One place where a rule was not kept, or may not have been.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Broken {
    /// The rule's name in the policy.
    pub rule: String,
    pub level: Level,
    pub outcome: Outcome,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<GitId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<RepoPath>,
}

/// What a rule that is not kept does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Warn,
    Block,
}

/// Whether a rule is known not to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It cannot be told.
    Inconclusive,
    Violated,
}

/// A member's word that commits are in order, on the member's own chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approve {
    #[serde(deserialize_with = "some")]
    pub commits: Vec<Approved>,
}

/// A commit exactly as it was when it was approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approved {
    pub commit: GitId,
    /// SHA-256 of the raw commit object.
    pub sha256: Digest,
}

/// The correction of an earlier record, on a writer's chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amend {
    pub record: RecordId,
    pub reason: AmendReason,
    pub correction: Correction,
}

/// Why a record is corrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AmendReason {
    /// What it says is not so.
    Wrong,
    /// It leaves out what it should say.
    Incomplete,
    /// Another record says the same.
    Duplicate,
    /// Its payload holds what should have been redacted.
    Secret,
}

/// What stands in the record's place. Empty: nothing does, the record is taken back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// The record that says it right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordId>,
    /// What stands in the place of its payloads.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "some")]
    pub payloads: Vec<Payload>,
}

/// How long payloads are kept, on the policy chain: from now on by these frameworks and no others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compliance {
    #[serde(deserialize_with = "some")]
    pub frameworks: Vec<Chosen>,
}

/// A framework, and how long payloads are kept for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chosen {
    pub framework: Framework,
    pub months: u32,
}

/// What asks for records to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Framework {
    #[serde(rename = "sox")]
    Sox,
    #[serde(rename = "pci-dss")]
    PciDss,
    #[serde(rename = "sr-11-7")]
    Sr117,
    #[serde(rename = "custom")]
    Custom,
}

/// The payloads of one class, month and chain: what one payload ref holds, and what is pruned as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shelf {
    pub chain: ChainId,
    pub class: PayloadClass,
    pub month: Month,
}

impl fmt::Display for Shelf {
    /// As in the name of its ref.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "payload/{}/{}/{}", self.class, self.month, self.chain)
    }
}

/// A legal hold, on the policy chain: these shelves are not pruned until the case is released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    pub case: CaseId,
    #[serde(deserialize_with = "some")]
    pub shelves: Vec<Shelf>,
    /// What was named to be held, where it was not whole shelves.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "some")]
    pub records: Vec<RecordId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "some")]
    pub commits: Vec<GitId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "some")]
    pub sessions: Vec<SessionId>,
}

/// The end of a legal hold, on the policy chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    pub case: CaseId,
}

/// Payloads that expired and are deleted, on the policy chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prune {
    #[serde(deserialize_with = "some")]
    pub shelves: Vec<PrunedShelf>,
}

/// A shelf that was pruned: the first so many pieces that the chain's records put there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrunedShelf {
    pub chain: ChainId,
    pub class: PayloadClass,
    pub month: Month,
    pub pieces: u64,
    /// The root of the RFC 6962 tree over the pieces' SHA-256, in the order in which records name them.
    pub root: Digest,
}

impl PrunedShelf {
    pub fn shelf(&self) -> Shelf {
        Shelf { chain: self.chain, class: self.class, month: self.month.clone() }
    }
}

/// What verifying found, on the policy chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    pub verdict: Verdict,
    /// How many records there were.
    pub records: u64,
    /// How many findings there were of each code.
    pub findings: Vec<CodeCount>,
    /// The last record of each writer's chain.
    pub heads: Vec<HeadOf>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "some")]
    pub cut: Vec<Cut>,
}

/// Findings of one code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeCount {
    pub code: String,
    pub count: u64,
}

/// A chain's last record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadOf {
    pub chain: ChainId,
    pub seq: u64,
    pub id: RecordId,
}

/// What was decided about a finding, on the policy chain. The finding stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adjudicate {
    /// The finding's code, `E-FORK`.
    pub code: String,
    pub chain: ChainId,
    /// The number that the finding names; left out where it is about the chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    pub decision: Decision,
    /// The record that is the right one, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordId>,
}

/// What a finding is held to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// It is explained, and no harm.
    Accepted,
    /// It is harm, and what it is about is not to be relied on.
    Rejected,
}

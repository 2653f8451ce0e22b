//! The bodies of records, one struct a type, exactly as they stand in `record.json`.
//!
//! Field order here is of no consequence: the canonical form sorts keys.

mod access;
mod keeping;
mod members;
mod seal;

use serde::{Deserialize, Deserializer, Serialize};

pub use access::Opened;
pub use seal::{Seal, Sealed};

use crate::digest::Digest;
use crate::id::{CallId, GitId, RecordId, RepoPath, SessionId};
use crate::record::recipient::Recipient;
use crate::record::signature::PublicKey;
use crate::time::{Month, Time};

pub use keeping::{
    Adjudicate, Amend, AmendReason, Approve, Approved, Audit, Broken, Check, Chosen, CodeCount, Compliance, Correction,
    Decision, Framework, HeadOf, Hold, Level, Outcome, Prune, PrunedShelf, Range, Release, Shelf,
};
pub use members::{CloseChain, EnrolledKey, Genesis, Member, Role, Roster};

/// A record's type and body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    Genesis(Genesis),
    Roster(Roster),
    CloseChain(CloseChain),
    Policy(Policy),
    Open(Open),
    Session(Box<Session>),
    Commit(Box<Commit>),
    Link(Link),
    Check(Check),
    Approve(Approve),
    Amend(Amend),
    Close(Close),
    Compliance(Compliance),
    Hold(Hold),
    Release(Release),
    Prune(Prune),
    Audit(Audit),
    Adjudicate(Adjudicate),
    Seal(Seal),
    Access(Opened),
    Export(Opened),
}

/// The rules, on the policy chain: from now on these and no others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The text as it was written, comments too.
    pub toml: String,
}

/// A record's place in a chain, and which record it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    pub seq: u64,
    pub id: RecordId,
}

/// Why a chain was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Nobody has the key any more.
    Lost,
    /// Somebody else may have the key.
    Stolen,
    /// The writer goes on with another key.
    Rotated,
    /// The writer is a member no more.
    Left,
}

/// The last record of a writer's chain, by the writer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Close {
    /// The key that the writer goes on with: a claim until a roster record enrols it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<PublicKey>,
}

/// The first record of a writer's chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Open {
    /// The key that signs the chain, as minisign writes it.
    pub public_key: PublicKey,
    /// Who says it is theirs: a claim until a roster record enrols it.
    pub member: Claim,
    /// What the writer calls the device and clone.
    pub device: String,
    /// The program and its version, `git-tracevault 0.1.0`.
    pub tool: String,
    /// To whom payloads are to be encrypted that the writer may read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Recipient>,
}

/// Who a writer says it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    pub id: String,
    pub name: String,
}

/// One segment of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    pub session: SessionId,
    /// 0 for the first segment of the session on this chain.
    pub segment: u64,
    pub agent: Agent,
    pub started: Time,
    pub ended: Time,
    /// Seconds in which the session was active; pauses count for five minutes at most.
    pub active_seconds: u64,
    pub prompts: u64,
    pub turns: u64,
    pub plans: u64,
    pub compactions: u64,
    pub subagents: u64,
    /// By model and size of the prompt, in this order.
    pub models: Vec<ModelUsage>,
    pub tools: Vec<ToolUsage>,
    pub mcp_servers: Vec<String>,
    pub skills: Vec<String>,
    pub programs: Vec<Program>,
    pub files: Vec<FileEdits>,
    pub redactions: Vec<Redaction>,
    /// The rules it was redacted by, as a hash of them: whether others would find more now can be told by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Digest>,
    pub gaps: Vec<GapCount>,
    pub payloads: Vec<Payload>,
    /// How many entries of a list were left out to stay within the record's size.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "some")]
    pub cut: Vec<Cut>,
}

impl Session {
    /// The models that were used, each once.
    pub fn model_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.models.iter().map(|usage| usage.model.clone()).collect();
        names.sort();
        names.dedup();
        names
    }
}

/// The program that ran the models.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    pub name: String,
    /// Empty where the agent did not say.
    pub version: String,
}

/// Tokens of one model in requests whose prompts are of one size class. A fact; money is derived when it is read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelUsage {
    pub model: String,
    /// The requests counted here had prompts larger than this many tokens, and not larger than the next class.
    pub prompt_over: PromptClass,
    pub requests: u64,
    pub input: u64,
    pub output: u64,
    pub cache_read: u64,
    pub cache_write_5m: u64,
    pub cache_write_1h: u64,
}

/// A size class of prompts: over so many tokens, and not over the next class. The prompt is all that one request sent:
/// input, cache reads and cache writes. These are the sizes beyond which some models cost more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct PromptClass(u64);

impl PromptClass {
    /// Every class there is, ascending.
    pub const ALL: [PromptClass; 4] =
        [PromptClass(0), PromptClass(100_000), PromptClass(200_000), PromptClass(272_000)];

    /// The class of a prompt of so many tokens.
    pub fn of(prompt: u64) -> Self {
        Self::ALL.into_iter().rfind(|class| prompt > class.0).unwrap_or_default()
    }

    /// The tokens that every prompt of this class has more than.
    pub fn over(self) -> u64 {
        self.0
    }
}

impl TryFrom<u64> for PromptClass {
    type Error = String;

    fn try_from(over: u64) -> Result<Self, String> {
        Self::ALL.into_iter().find(|class| class.0 == over).ok_or_else(|| {
            let known = Self::ALL.map(|class| class.0.to_string()).join(", ");
            format!("{over} is not a size class of prompts (they are {known})")
        })
    }
}

impl From<PromptClass> for u64 {
    fn from(class: PromptClass) -> u64 {
        class.0
    }
}

/// Calls of one tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolUsage {
    pub name: String,
    pub calls: u64,
    /// Those that failed, were denied, rejected or interrupted.
    pub failed: u64,
}

/// A program that shells ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    pub name: String,
    pub runs: u64,
}

/// A file that the session changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEdits {
    pub path: RepoPath,
    pub edits: u64,
    pub added: u64,
    pub removed: u64,
}

/// How often a redaction rule struck.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redaction {
    pub rule: String,
    pub count: u64,
}

/// Something known to be lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GapCount {
    pub kind: String,
    pub count: u64,
}

/// How much of a list stands only in the payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    pub list: String,
    pub count: u64,
}

/// A list that is left out where it is empty, so that one body has one spelling.
fn some<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<Vec<T>, D::Error> {
    let list = Vec::deserialize(d)?;
    if list.is_empty() { Err(serde::de::Error::custom("an empty list that should be left out")) } else { Ok(list) }
}

/// Bytes stored apart, in pieces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payload {
    pub class: PayloadClass,
    /// What it is a copy of: `main`, or a subagent's id.
    pub source: String,
    /// When it may expire: the ref it stands under.
    pub month: Month,
    pub lines: u64,
    pub pieces: Vec<Piece>,
    /// How its pieces are encrypted, if they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
}

/// How a piece is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encryption {
    /// Compressed as gzip does, then encrypted as age does.
    #[serde(rename = "gzip-age")]
    GzipAge,
}

/// What a payload is; part of its ref's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayloadClass {
    /// The redacted transcript, line for line.
    Transcript,
    /// The redacted journal, where there is no transcript.
    Events,
    /// Diffs of edits that no transcript shows (shells, MCP tools).
    Edits,
}

impl PayloadClass {
    const ALL: [PayloadClass; 3] = [PayloadClass::Transcript, PayloadClass::Events, PayloadClass::Edits];

    pub fn as_str(self) -> &'static str {
        match self {
            PayloadClass::Transcript => "transcript",
            PayloadClass::Events => "events",
            PayloadClass::Edits => "edits",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == text)
    }
}

impl std::fmt::Display for PayloadClass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One blob of a payload: a salt line, then at most 256 KiB; or so much, encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Piece {
    pub sha256: Digest,
    /// Bytes as stored, with the salt line, or encrypted.
    pub size: u64,
}

/// What a commit is and whose its lines are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Commit {
    pub commit: GitId,
    /// SHA-256 of the raw commit object, as `git cat-file commit` prints it.
    pub sha256: Digest,
    pub tree: GitId,
    pub parents: Vec<GitId>,
    /// `git diff-tree -p -M … | git patch-id --stable`, see docs/format.md; absent for merges and empty commits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch_id: Option<GitId>,
    /// The same over a diff without context lines (`-U0`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch_id_u0: Option<GitId>,
    /// The session segments it draws on: the newest record of each session when the commit was recorded.
    pub sessions: Vec<SessionRef>,
    pub files: Vec<FileLines>,
    pub total: Lines,
    /// SHA-256 of `agent-trace.json`.
    pub trace: Digest,
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "some")]
    pub cut: Vec<Cut>,
}

/// A session and the record that covers what the commit draws on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionRef {
    pub session: SessionId,
    pub record: RecordId,
}

/// The lines a commit adds, by origin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lines {
    pub added: u64,
    pub agent: u64,
    pub human: u64,
    pub unattributed: u64,
}

/// The same of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileLines {
    pub path: RepoPath,
    pub added: u64,
    pub agent: u64,
    pub human: u64,
    pub unattributed: u64,
}

/// What the two commits of a link have in common: tree and parents.
pub const SAME_COMMIT: u32 = 3;
/// The tree, or the patch.
pub const SAME_PATCH: u32 = 2;
/// Lines.
pub const SAME_LINES: u32 = 1;

/// A rewritten commit: the old one's record speaks for the new one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    pub old: GitId,
    pub new: GitId,
    /// How it was found: `amend`, `rebase`.
    pub found_by: String,
    /// 3 same tree and parents, 2 same patch-id, 1 same lines, 0 nothing in common.
    pub level: u32,
}

/// Who made a line: a session and the tool call in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineAuthor {
    pub session: SessionId,
    pub call: CallId,
}

impl Body {
    /// The types this version knows.
    pub const KINDS: &'static [&'static str] = &[
        "genesis",
        "roster",
        "close-chain",
        "policy",
        "open",
        "session",
        "commit",
        "link",
        "close",
        "seal",
        "check",
        "approve",
        "amend",
        "compliance",
        "hold",
        "release",
        "prune",
        "audit",
        "adjudicate",
        "access",
        "export",
    ];

    /// The record's `type`.
    pub fn kind(&self) -> &'static str {
        match self {
            Body::Genesis(_) => "genesis",
            Body::Roster(_) => "roster",
            Body::CloseChain(_) => "close-chain",
            Body::Policy(_) => "policy",
            Body::Open(_) => "open",
            Body::Session(_) => "session",
            Body::Commit(_) => "commit",
            Body::Link(_) => "link",
            Body::Close(_) => "close",
            Body::Check(_) => "check",
            Body::Approve(_) => "approve",
            Body::Amend(_) => "amend",
            Body::Compliance(_) => "compliance",
            Body::Hold(_) => "hold",
            Body::Release(_) => "release",
            Body::Prune(_) => "prune",
            Body::Audit(_) => "audit",
            Body::Adjudicate(_) => "adjudicate",
            Body::Seal(_) => "seal",
            Body::Access(_) => "access",
            Body::Export(_) => "export",
        }
    }

    /// Reads the body of a record of type `kind`, one of [`Body::KINDS`].
    pub fn parse(kind: &str, json: &str) -> Result<Self, serde_json::Error> {
        Ok(match kind {
            "genesis" => Body::Genesis(serde_json::from_str(json)?),
            "roster" => Body::Roster(serde_json::from_str(json)?),
            "close-chain" => Body::CloseChain(serde_json::from_str(json)?),
            "policy" => Body::Policy(serde_json::from_str(json)?),
            "open" => Body::Open(serde_json::from_str(json)?),
            "session" => Body::Session(serde_json::from_str(json)?),
            "commit" => Body::Commit(serde_json::from_str(json)?),
            "link" => Body::Link(serde_json::from_str(json)?),
            "close" => Body::Close(serde_json::from_str(json)?),
            "check" => Body::Check(serde_json::from_str(json)?),
            "approve" => Body::Approve(serde_json::from_str(json)?),
            "amend" => Body::Amend(serde_json::from_str(json)?),
            "compliance" => Body::Compliance(serde_json::from_str(json)?),
            "hold" => Body::Hold(serde_json::from_str(json)?),
            "release" => Body::Release(serde_json::from_str(json)?),
            "prune" => Body::Prune(serde_json::from_str(json)?),
            "audit" => Body::Audit(serde_json::from_str(json)?),
            "adjudicate" => Body::Adjudicate(serde_json::from_str(json)?),
            "seal" => Body::Seal(serde_json::from_str(json)?),
            "access" => Body::Access(serde_json::from_str(json)?),
            "export" => Body::Export(serde_json::from_str(json)?),
            other => return Err(serde::de::Error::custom(format!("unknown type {other}"))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_have_a_size_class() {
        for (prompt, over) in [
            (0, 0),
            (1, 0),
            (100_000, 0),
            (100_001, 100_000),
            (200_000, 100_000),
            (272_000, 200_000),
            (u64::MAX, 272_000),
        ] {
            assert_eq!(PromptClass::of(prompt).over(), over, "{prompt}");
        }
        let usage = |over: &str| {
            let counts = r#""requests":1,"input":2,"output":3,"cache_read":4,"cache_write_5m":5,"cache_write_1h":6"#;
            serde_json::from_str::<ModelUsage>(&format!(r#"{{"model":"m",{over}{counts}}}"#))
        };
        assert_eq!(usage(r#""prompt_over":200000,"#).unwrap().prompt_over, PromptClass::of(200_001));
        assert!(usage(r#""prompt_over":200001,"#).unwrap_err().to_string().contains("not a size class"));
        assert!(usage("").unwrap_err().to_string().contains("missing field"));
    }
}

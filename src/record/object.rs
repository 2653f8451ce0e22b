//! The git commit and tree that a record makes: a fixed function of its bytes, so that nothing can be smuggled in.

use super::Record;
use super::body::Body;
use crate::id::GitId;

/// The files of a record's tree.
pub const RECORD_FILE: &str = "record.json";
pub const SIGNATURE_FILE: &str = "record.json.minisig";
pub const TRACE_FILE: &str = "agent-trace.json";
pub const CHECKPOINT_FILE: &str = "checkpoint";
pub const TIMESTAMP_FILE: &str = "timestamp.tsr";

/// The name of a signature on the policy chain, where there may be several: the signer's key number in it.
pub fn policy_signature_file(key_number: &str) -> String {
    format!("record.json.{key_number}.minisig")
}

/// The raw commit object (without git's header) of a record.
pub fn commit<State>(record: &Record<State>, tree: &GitId, parent: Option<&GitId>) -> Vec<u8> {
    let envelope = record.envelope();
    let who = format!("tracevault <{}@tracevault> {} +0000", envelope.chain, envelope.time.unix());
    let parent = parent.map(|parent| format!("parent {parent}\n")).unwrap_or_default();
    let text = format!(
        "tree {tree}\n{parent}author {who}\ncommitter {who}\n\n{}\n\nrecord {}\n",
        subject(record.body(), envelope.seq),
        record.id()
    );
    text.into_bytes()
}

/// The first line of a record's commit message, for `git log --oneline`. It holds nothing but what the record holds.
fn subject(body: &Body, seq: u64) -> String {
    match body {
        Body::Commit(commit) => {
            let total = &commit.total;
            format!(
                "commit {}: {} agent, {} human, {} unattributed",
                commit.commit.short(),
                total.agent,
                total.human,
                total.unattributed
            )
        }
        Body::Session(session) => format!("session {} segment {}", session.session, session.segment),
        Body::Seal(seal) => format!("seal {}: {}", seal.size, seal.root.short()),
        Body::Link(link) => format!("link {} to {}", link.old.short(), link.new.short()),
        Body::Check(check) => {
            format!("check {}: {}, commits {}", check.range.last.short(), check.verdict, check.range.commits)
        }
        Body::Amend(amend) => format!("amend {}", amend.record.short()),
        Body::Hold(hold) => format!("hold {}", hold.case),
        Body::Release(release) => format!("release {}", release.case),
        other => format!("{} {seq}", other.kind()),
    }
}

/// The raw tree object (without git's header) of these files, all of mode 100644; `None` if an id is not hex.
pub fn tree(files: &[(&str, &GitId)]) -> Option<Vec<u8>> {
    let mut files: Vec<_> = files.iter().collect();
    files.sort_unstable_by_key(|(name, _)| name.as_bytes());
    let mut out = Vec::new();
    for (name, id) in files {
        out.extend_from_slice(b"100644 ");
        out.extend_from_slice(name.as_bytes());
        out.push(0);
        out.extend_from_slice(&hex::decode(id.as_str()).ok()?);
    }
    Some(out)
}

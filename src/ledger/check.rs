//! Checking one record: its wrapping, its signature, the payloads and the commit it names.

use crate::chain::Head;
use crate::digest::Digest;
use crate::finding::{Code, Finding};
use crate::git::repo::{Kind, Repo, RepoError};
use crate::id::{ChainId, GitId};
use crate::ledger::copies::Walk;
use crate::ledger::payload::{Payloads, PieceError};
use crate::ledger::store::{StoreError, Stored};
use crate::record::body::{Body, Commit, Payload};
use crate::record::object::SIGNATURE_FILE;
use crate::record::signature::{SignatureError, Verifier};
use crate::record::{Envelope, Record, RecordError, Rejected, Unverified, Verified};

/// What came of a record.
pub struct Checked {
    pub commit: GitId,
    /// What the next record must follow; `None` where the record could not be read at all.
    pub head: Option<Head>,
    /// The record, and whether its signature holds.
    pub record: Option<Result<Record<Verified>, Box<Record<Unverified>>>>,
    pub findings: Vec<Finding>,
}

impl Checked {
    /// What the record says of its place, whether its signature holds or not.
    pub fn envelope(&self) -> Option<&Envelope> {
        self.record.as_ref().map(|record| match record {
            Ok(record) => record.envelope(),
            Err(record) => record.envelope(),
        })
    }

    fn unreadable(commit: &GitId, chain: ChainId, error: StoreError) -> Self {
        let mut finding = Finding::new(error.code, format!("at {}: {}", commit.short(), error.message)).chain(chain);
        if let Some(record) = &error.record {
            finding = finding.seq(record.envelope().seq).record(record.id());
        }
        Checked {
            commit: commit.clone(),
            head: error.record.as_ref().map(|record| Head::of(record)),
            record: error.record.map(Err),
            findings: vec![finding],
        }
    }
}

/// Checks the record with the number `at` of a writer's chain with the chain's key.
pub fn writer_record(
    repo: &Repo,
    chain: ChainId,
    key: &Verifier,
    (walk, at): (&Walk, usize),
    payloads: &Payloads,
) -> Checked {
    let Stored { commit, record, signatures, .. } = match walk.record(repo, at) {
        Ok(stored) => stored,
        Err(error) => return Checked::unreadable(&walk.commits[at], chain, error),
    };
    let head = Head::of(&record);
    let place = |finding: Finding| finding.chain(chain).seq(head.seq).record(head.id);
    let mut findings = Vec::new();

    if signatures.iter().any(|(name, _)| name != SIGNATURE_FILE) {
        findings.push(place(Finding::new(Code::Envelope, "there is a signature that is no writer's")));
    }
    match record.body() {
        Body::Session(session) => {
            findings.extend(session.payloads.iter().flat_map(|p| payload(repo, chain, p, payloads)).map(place));
        }
        Body::Commit(body) => findings.extend(named_commit(repo, body).map(place)),
        _ => {}
    }
    let signature = signatures.iter().find(|(name, _)| name == SIGNATURE_FILE);
    let verified = match signature {
        Some((_, signature)) => record.verify(key, signature),
        None => Err(Box::new(Rejected { record, error: SignatureError::Wrong("it has no signature file") })),
    };
    let record = verified.map_err(|rejected| {
        let Rejected { record, error } = *rejected;
        let error = RecordError::from(error);
        findings.insert(0, place(Finding::new(error.code(), error.to_string())));
        Box::new(record)
    });
    Checked { commit, head: Some(head), record: Some(record), findings }
}

fn payload(repo: &Repo, chain: ChainId, payload: &Payload, payloads: &Payloads) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut missing = 0;
    for piece in &payload.pieces {
        match payloads.check(repo, chain, piece) {
            Ok(true) => {}
            Ok(false) => missing += 1,
            Err(error @ PieceError::Changed(_)) => {
                findings.push(Finding::new(Code::PayloadHash, error.to_string()));
            }
            Err(error @ PieceError::Repo(_)) => findings.push(Finding::new(Code::Object, error.to_string())),
        }
    }
    if missing > 0 {
        let of = payload.pieces.len();
        let what =
            format!("{missing} of {of} pieces of its {} payload ({}) are not here", payload.class, payload.month);
        findings.push(Finding::new(Code::Missing, what));
    }
    findings
}

/// Compares what a commit record says with the commit, where the commit is here.
fn named_commit(repo: &Repo, body: &Commit) -> Option<Finding> {
    if !repo.contains_now(&body.commit) {
        return None;
    }
    let bytes = match repo.read(&body.commit) {
        Ok((Kind::Commit, bytes)) => bytes,
        Ok(_) => return Some(Finding::new(Code::Commit, format!("{} is no commit", body.commit))),
        // Commits that were rewritten, or belong to branches that were not fetched, are no reproach.
        Err(RepoError::Missing(_)) => return None,
        Err(error) => return Some(Finding::new(Code::Object, error.to_string())),
    };
    let text = String::from_utf8_lossy(&bytes);
    let mut lines = text.lines();
    let tree = lines.next().and_then(|line| line.strip_prefix("tree "));
    let parents: Vec<&str> = lines.map_while(|line| line.strip_prefix("parent ")).collect();
    let same = Digest::of(&bytes) == body.sha256
        && tree == Some(body.tree.as_str())
        && parents.iter().copied().eq(body.parents.iter().map(GitId::as_str));
    (!same).then(|| Finding::new(Code::Commit, format!("commit {} is not as the record describes it", body.commit)))
}

//! Checking one record: its wrapping, its signature, the payloads and the commit it names.

use std::ops::Range;

use crate::chain::Head;
use crate::digest::Digest;
use crate::finding::{Code, Finding};
use crate::git::repo::{Kind, Repo, RepoError};
use crate::id::{ChainId, GitId};
use crate::ledger::copies::Walk;
use crate::ledger::payload::{Payloads, PieceError};
use crate::ledger::pruned::{self, Gone};
use crate::ledger::store::{self, StoreError, Stored};
use crate::record::body::{Approved, Body, Commit, Payload, Place, Seal, Shelf};
use crate::record::checkpoint::{self, Note};
use crate::record::object::SIGNATURE_FILE;
use crate::record::signature::{SignatureError, Verifier};
use crate::record::timestamp::Timestamp;
use crate::record::{Envelope, Record, RecordError, Rejected, Unverified, Verified};

/// What came of a record.
pub struct Checked {
    pub commit: GitId,
    /// What the next record must follow; `None` where the record could not be read at all.
    pub head: Option<Head>,
    /// The record, and whether its signature holds.
    pub record: Option<Result<Record<Verified>, Box<Record<Unverified>>>>,
    pub findings: Vec<Finding>,
    /// Pieces that it names and that are not here.
    pub gone: Vec<Gone>,
}

impl Checked {
    /// What the record says of its place, whether its signature holds or not.
    pub fn envelope(&self) -> Option<&Envelope> {
        self.record.as_ref().map(|record| match record {
            Ok(record) => record.envelope(),
            Err(record) => record.envelope(),
        })
    }

    fn unreadable(commit: GitId, chain: ChainId, error: StoreError) -> Self {
        let mut finding = Finding::new(error.code, format!("at {}: {}", commit.short(), error.message)).chain(chain);
        if let Some(record) = &error.record {
            finding = finding.seq(record.envelope().seq).record(record.id());
        }
        Checked {
            commit,
            head: error.record.as_ref().map(|record| Head::of(record)),
            record: error.record.map(Err),
            findings: vec![finding],
            gone: Vec::new(),
        }
    }
}

/// What is read before it is checked: a record may have a trace of many megabytes.
const TOGETHER_BYTES: usize = 1 << 20;

/// A writer's chain, and what its records are checked against.
pub struct Writer<'a> {
    pub chain: ChainId,
    pub key: Verifier,
    pub walk: &'a Walk,
    pub payloads: &'a Payloads,
}

impl Writer<'_> {
    /// Checks the records with these numbers. The same is done with all of them before the next thing is: what a
    /// processor has to know for reading, for parsing and for verifying does not fit into its cache together.
    pub fn check(&self, repo: &Repo, numbers: Range<usize>) -> Vec<Checked> {
        let mut checked = Vec::with_capacity(numbers.len());
        let mut at = numbers.start;
        while at < numbers.end {
            let (mut files, mut bytes) = (Vec::new(), 0);
            while at < numbers.end && bytes < TOGETHER_BYTES {
                let read = self.walk.files(repo, at);
                bytes += read.as_ref().map_or(0, store::Files::bytes);
                files.push((at, read));
                at += 1;
            }
            checked.extend(self.check_files(repo, files));
        }
        checked
    }

    fn check_files(&self, repo: &Repo, files: Vec<(usize, Result<store::Files, StoreError>)>) -> Vec<Checked> {
        let numbers: Vec<usize> = files.iter().map(|(at, _)| *at).collect();
        let stored: Vec<_> = files.into_iter().map(|(_, files)| files.and_then(store::Files::parse)).collect();
        let named: Vec<_> = stored
            .iter()
            .map(|stored| stored.as_ref().map_or_else(|_| Named::default(), |stored| self.named(repo, stored)))
            .collect();
        let verdict = |((at, stored), named)| match stored {
            Ok(stored) => self.verify(stored, named),
            Err(error) => Checked::unreadable(self.walk.commit_at(at), self.chain, error),
        };
        numbers.into_iter().zip(stored).zip(named).map(verdict).collect()
    }

    /// What is wrong with the payloads or the commit that a record names.
    fn named(&self, repo: &Repo, stored: &Stored) -> Named {
        let mut named = Named::default();
        for payload in pruned::payloads(stored.record.body()) {
            self.payload(repo, &Head::of(&stored.record), payload, &mut named);
        }
        match stored.record.body() {
            Body::Commit(body) => named.findings.extend(named_commit(repo, body)),
            Body::Approve(body) => {
                named.findings.extend(body.commits.iter().filter_map(|approved| approved_commit(repo, approved)));
            }
            Body::Seal(body) => {
                named.findings.extend(self.checkpoint(stored, body).into_iter().chain(timestamp(stored)));
            }
            _ => {}
        }
        named
    }

    fn payload(&self, repo: &Repo, head: &Head, payload: &Payload, named: &mut Named) {
        let mut pieces = Vec::new();
        for piece in &payload.pieces {
            match self.payloads.check(repo, self.chain, piece) {
                Ok(true) => {}
                Ok(false) => pieces.push(piece.sha256),
                Err(error @ PieceError::Changed(_)) => {
                    named.findings.push(Finding::new(Code::PayloadHash, error.to_string()));
                }
                Err(error @ PieceError::Repo(_)) => {
                    named.findings.push(Finding::new(Code::Object, error.to_string()));
                }
            }
        }
        if !pieces.is_empty() {
            let shelf = Shelf { chain: self.chain, class: payload.class, month: payload.month.clone() };
            let place = Place { seq: head.seq, id: head.id };
            named.gone.push(Gone { place, shelf, pieces, of: payload.pieces.len() });
        }
    }

    /// What is wrong with the checkpoint beside a seal: it says the same, signed by the same key.
    fn checkpoint(&self, stored: &Stored, seal: &Seal) -> Option<Finding> {
        let origin = checkpoint::origin(stored.record.ledger(), self.chain);
        let wrong = |why: String| Some(Finding::new(Code::Seal, format!("its checkpoint: {why}")));
        let Some(bytes) = &stored.checkpoint else { return wrong("there is none".into()) };
        match Note::parse(bytes).and_then(|note| note.verify(&origin, &self.key)) {
            Ok(said) if (said.size, said.root) == (seal.size, seal.root) => None,
            Ok(_) => wrong("it says another size or root than the seal".into()),
            Err(error) => wrong(error.to_string()),
        }
    }

    fn verify(&self, stored: Stored, named: Named) -> Checked {
        let Stored { commit, record, signatures, .. } = stored;
        let head = Head::of(&record);
        let mut findings = Vec::new();
        if signatures.iter().any(|(name, _)| name != SIGNATURE_FILE) {
            findings.push(Finding::new(Code::Envelope, "there is a signature that is no writer's"));
        }
        findings.extend(named.findings);
        let verified = match signatures.iter().find(|(name, _)| name == SIGNATURE_FILE) {
            Some((_, signature)) => record.verify(&self.key, signature),
            None => Err(Box::new(Rejected { record, error: SignatureError::Wrong("it has no signature file") })),
        };
        let record = verified.map_err(|rejected| {
            let Rejected { record, error } = *rejected;
            let error = RecordError::from(error);
            findings.insert(0, Finding::new(error.code(), error.to_string()));
            Box::new(record)
        });
        let place = |finding: Finding| finding.chain(self.chain).seq(head.seq).record(head.id);
        let findings = findings.into_iter().map(place).collect();
        Checked { commit, head: Some(head), record: Some(record), findings, gone: named.gone }
    }
}

/// What is wrong with the time stamp of a seal that has one: it is a token for this very record.
fn timestamp(stored: &Stored) -> Option<Finding> {
    let bytes = stored.timestamp.as_ref()?;
    let why = match Timestamp::parse(bytes) {
        Some(token) if token.digest == stored.record.id().0 => return None,
        Some(_) => "its time stamp is for something else",
        None => "its time stamp is none",
    };
    Some(Finding::new(Code::Time, why))
}

/// What is wrong with what a record names, and what of it is not here.
#[derive(Default)]
struct Named {
    findings: Vec<Finding>,
    gone: Vec<Gone>,
}

/// Compares a commit with what it was when it was approved, where it is here.
fn approved_commit(repo: &Repo, approved: &Approved) -> Option<Finding> {
    match repo.contains_now(&approved.commit).then(|| repo.read(&approved.commit)) {
        None | Some(Err(RepoError::Missing(_))) => None,
        Some(Ok((Kind::Commit, bytes))) if Digest::of(&bytes) == approved.sha256 => None,
        Some(Ok(_)) => {
            let what = format!("commit {} is not what was approved", approved.commit);
            Some(Finding::new(Code::Commit, what))
        }
        Some(Err(error)) => Some(Finding::new(Code::Object, error.to_string())),
    }
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

//! Reading records out of git: a commit becomes a record only if it is exactly the commit its record makes.

use crate::digest::Digest;
use crate::finding::Code;
use crate::git::repo::{self, Kind, Repo, RepoError};
use crate::id::GitId;
use crate::id::RecordId;
use crate::record::body::Body;
use crate::record::object::{self, CHECKPOINT_FILE, RECORD_FILE, TIMESTAMP_FILE, TRACE_FILE};
use crate::record::{Record, Unverified, canonical, checkpoint, signature, timestamp};

/// A record's commit and its tree are never larger, nor have other files more bytes.
pub const MAX_WRAPPING_BYTES: usize = 16 * 1024;
/// A trace file is never larger.
const MAX_TRACE_BYTES: usize = repo::SHARED_MAX_BYTES;

/// A record as git keeps it, its signatures not yet checked.
pub struct Stored {
    pub commit: GitId,
    pub parent: Option<GitId>,
    pub record: Record<Unverified>,
    /// Signature files by name.
    pub signatures: Vec<(String, Vec<u8>)>,
    /// `agent-trace.json`, of a commit record.
    pub trace: Option<Vec<u8>>,
    /// `checkpoint`, of a seal.
    pub checkpoint: Option<Vec<u8>>,
    /// `timestamp.tsr`, of a seal.
    pub timestamp: Option<Vec<u8>>,
}

/// Why a commit is not a record.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    pub code: Code,
    pub message: String,
    /// What the record says, where it could be read and only its wrapping is wrong.
    pub record: Option<Box<Record<Unverified>>>,
}

impl StoreError {
    /// What is not here.
    pub fn missing(message: String) -> Self {
        StoreError::new(Code::Missing, message)
    }

    fn new(code: Code, message: impl Into<String>) -> Self {
        StoreError { code, message: message.into(), record: None }
    }
}

impl From<RepoError> for StoreError {
    fn from(error: RepoError) -> Self {
        let code = match error {
            RepoError::Missing(_) => Code::Missing,
            RepoError::TooLarge { .. } => Code::Limit,
            _ => Code::Object,
        };
        StoreError::new(code, error.to_string())
    }
}

/// The tree and the parent that a commit object names in its first lines, and the digest of all its bytes.
#[derive(Clone)]
pub struct Header {
    pub tree: GitId,
    pub parent: Option<GitId>,
    pub digest: Digest,
}

/// Reads the first lines of a raw commit object.
pub fn header(commit: &[u8]) -> Result<Header, StoreError> {
    let mut lines = commit.split(|byte| *byte == b'\n').map(|line| std::str::from_utf8(line).unwrap_or_default());
    let id = |text: Option<&str>| text.and_then(|text| text.parse::<GitId>().ok());
    let tree = id(lines.next().and_then(|line| line.strip_prefix("tree ")))
        .ok_or_else(|| StoreError::new(Code::Envelope, "the commit does not begin with its tree"))?;
    let parent = id(lines.next().and_then(|line| line.strip_prefix("parent ")));
    Ok(Header { tree, parent, digest: Digest::of(commit) })
}

/// Reads the record at a commit: every object's id is computed anew, and the commit and its tree are rebuilt from
/// the record and compared.
pub fn read(repo: &Repo, commit: &GitId) -> Result<Stored, StoreError> {
    Files::read(repo, commit)?.parse()
}

/// The record under a commit that was verified before, which names all its files by their hashes: of those only the record is
/// read.
pub fn read_known(repo: &Repo, header: &Header) -> Result<Record<Unverified>, StoreError> {
    let tree = repo.read_at_most(&header.tree, Kind::Tree, MAX_WRAPPING_BYTES)?;
    let mut entries = repo.tree_entries(&tree)?.into_iter();
    let entry = entries.find(|entry| entry.name == RECORD_FILE.as_bytes());
    let entry = entry.ok_or_else(|| StoreError::new(Code::Envelope, "there is no record.json"))?;
    let record = Record::parse(repo.read_at_most(&entry.id, Kind::Blob, canonical::MAX_BYTES)?);
    record.map_err(|error| StoreError::new(error.code(), error.to_string()))
}

/// What lies at a commit that should be a record: files with the right names, nothing yet known of their contents.
pub struct Files {
    commit: GitId,
    header: Header,
    tree: Vec<u8>,
    names: Vec<(String, GitId)>,
    record: Vec<u8>,
    signatures: Vec<(String, Vec<u8>)>,
    trace: Option<Vec<u8>>,
    checkpoint: Option<Vec<u8>>,
    timestamp: Option<Vec<u8>>,
    odd: bool,
}

impl Files {
    pub fn read(repo: &Repo, commit: &GitId) -> Result<Self, StoreError> {
        let bytes = repo.read_at_most(commit, Kind::Commit, MAX_WRAPPING_BYTES)?;
        Self::read_under(repo, commit, &header(&bytes)?)
    }

    /// The same for a commit whose header has been read already.
    pub fn read_under(repo: &Repo, commit: &GitId, header: &Header) -> Result<Self, StoreError> {
        let envelope = |message: &str| StoreError::new(Code::Envelope, message);
        let tree = repo.read_at_most(&header.tree, Kind::Tree, MAX_WRAPPING_BYTES)?;
        let entries = repo.tree_entries(&tree)?;

        // One name twice would be a place to hide a file: readers differ in which they take.
        if entries.windows(2).any(|pair| pair[0].name == pair[1].name) {
            return Err(envelope("the tree has a name twice"));
        }
        let (mut record, mut signatures, mut trace, mut odd) = (None, Vec::new(), None, false);
        let (mut checkpoint, mut timestamp) = (None, None);
        let mut names = Vec::with_capacity(entries.len());
        for entry in entries {
            let name = String::from_utf8(entry.name).map_err(|_| envelope("a file's name is not text"))?;
            if entry.mode != 0o100_644 {
                odd = true;
                continue;
            }
            let read = |limit: usize| repo.read_at_most(&entry.id, Kind::Blob, limit);
            match name.as_str() {
                RECORD_FILE => record = Some(read(canonical::MAX_BYTES)?),
                TRACE_FILE => trace = Some(read(MAX_TRACE_BYTES)?),
                CHECKPOINT_FILE => checkpoint = Some(read(checkpoint::MAX_BYTES)?),
                TIMESTAMP_FILE => timestamp = Some(read(timestamp::MAX_BYTES)?),
                _ if name.starts_with("record.json.") && name.ends_with(".minisig") => {
                    signatures.push((name.clone(), read(signature::MAX_BYTES)?));
                }
                _ => odd = true,
            }
            names.push((name, entry.id));
        }
        let record = record.ok_or_else(|| envelope("there is no record.json"))?;
        let (commit, header) = (commit.clone(), header.clone());
        Ok(Files { commit, header, tree, names, record, signatures, trace, checkpoint, timestamp, odd })
    }

    /// The id of the record, whatever it is worth.
    pub fn id(&self) -> RecordId {
        RecordId(Digest::of(&self.record))
    }

    /// How much memory they take.
    pub fn bytes(&self) -> usize {
        self.record.len() + self.trace.as_ref().map_or(0, Vec::len)
    }

    /// The record, if the tree and the commit are exactly those that it makes.
    pub fn parse(self) -> Result<Stored, StoreError> {
        let Files { commit, header, tree, names, record, signatures, trace, checkpoint, timestamp, odd } = self;
        let envelope = |message: &str| StoreError::new(Code::Envelope, message);
        let record = Record::parse(record).map_err(|error| StoreError::new(error.code(), error.to_string()))?;
        let names: Vec<_> = names.iter().map(|(name, id)| (name.as_str(), id)).collect();
        let wrapping = if odd {
            Err(envelope("there is a file that is no part of a record"))
        } else if object::tree(&names).as_deref() != Some(&tree[..]) {
            Err(envelope("the tree is not the one its files make"))
        } else if Digest::of(&object::commit(&record, &header.tree, header.parent.as_ref())) != header.digest {
            Err(envelope("the commit is not the one its record makes"))
        } else if (checkpoint.is_some() || timestamp.is_some()) && !matches!(record.body(), Body::Seal(_)) {
            Err(envelope("only a seal has a checkpoint and a time stamp"))
        } else {
            check_trace(&record, trace.as_deref())
        };
        if let Err(error) = wrapping {
            return Err(StoreError { record: Some(Box::new(record)), ..error });
        }
        Ok(Stored { commit, parent: header.parent, record, signatures, trace, checkpoint, timestamp })
    }
}

/// Exactly commit records carry a trace, and it is the one they name.
fn check_trace(record: &Record<Unverified>, trace: Option<&[u8]>) -> Result<(), StoreError> {
    match (record.body(), trace) {
        (Body::Commit(commit), Some(trace)) if Digest::of(trace) == commit.trace => Ok(()),
        (Body::Commit(_), Some(_)) => {
            Err(StoreError::new(Code::PayloadHash, "agent-trace.json is not the one it names"))
        }
        (Body::Commit(_), None) => Err(StoreError::new(Code::Missing, "agent-trace.json is not there")),
        (_, Some(_)) => Err(StoreError::new(Code::Envelope, "only a commit record has an agent-trace.json")),
        (_, None) => Ok(()),
    }
}

/// Stores a signed record as a commit on `parent`; no ref moves.
pub fn write(
    repo: &Repo,
    record: &Record<Unverified>,
    signatures: &[(String, Vec<u8>)],
    trace: Option<&[u8]>,
    parent: Option<&GitId>,
) -> Result<GitId, RepoError> {
    let mut files = vec![(RECORD_FILE.to_owned(), repo.write(Kind::Blob, record.bytes())?)];
    for (name, bytes) in signatures {
        files.push((name.clone(), repo.write(Kind::Blob, bytes)?));
    }
    if let Some(trace) = trace {
        files.push((TRACE_FILE.to_owned(), repo.write(Kind::Blob, trace)?));
    }
    let names: Vec<_> = files.iter().map(|(name, id)| (name.as_str(), id)).collect();
    let malformed = || RepoError::Object { id: "tree".into(), reason: "an id is not hex".into() };
    let tree = repo.write(Kind::Tree, &object::tree(&names).ok_or_else(malformed)?)?;
    repo.write(Kind::Commit, &object::commit(record, &tree, parent))
}

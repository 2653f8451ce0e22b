//! Payloads: redacted bytes in salted pieces, as blobs named by SHA-256 under a ref that can expire.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::git::repo::{Kind, Repo, RepoError, TreeEntry};
use crate::id::GitId;
use crate::record::body::Piece;

/// Bytes of a piece at the most, without its salt line.
pub const PIECE_BYTES: usize = 256 * 1024;

/// Cuts what is written to it into pieces and stores them; memory holds one piece.
pub struct PieceWriter<'r> {
    repo: &'r Repo,
    salt: &'r dyn Fn() -> [u8; 32],
    buffer: Vec<u8>,
    pub pieces: Vec<Piece>,
    pub blobs: Vec<(Digest, GitId)>,
}

impl<'r> PieceWriter<'r> {
    /// `salt` gives 32 random bytes a call, so that a hash outliving its payload confirms no guess.
    pub fn new(repo: &'r Repo, salt: &'r dyn Fn() -> [u8; 32]) -> Self {
        PieceWriter { repo, salt, buffer: Vec::new(), pieces: Vec::new(), blobs: Vec::new() }
    }

    /// Takes in bytes; what fills a piece is stored.
    pub fn write(&mut self, mut bytes: &[u8]) -> Result<(), RepoError> {
        while !bytes.is_empty() {
            let room = PIECE_BYTES - self.buffer.len();
            let (now, rest) = bytes.split_at(room.min(bytes.len()));
            self.buffer.extend_from_slice(now);
            bytes = rest;
            if self.buffer.len() == PIECE_BYTES {
                self.store()?;
            }
        }
        Ok(())
    }

    /// Stores what is left.
    pub fn finish(&mut self) -> Result<(), RepoError> {
        if self.buffer.is_empty() { Ok(()) } else { self.store() }
    }

    fn store(&mut self) -> Result<(), RepoError> {
        let mut bytes = salt_line(&(self.salt)());
        bytes.append(&mut self.buffer);
        let digest = Digest::of(&bytes);
        let blob = self.repo.write(Kind::Blob, &bytes)?;
        self.pieces.push(Piece { sha256: digest, size: bytes.len() as u64 });
        self.blobs.push((digest, blob));
        Ok(())
    }
}

fn salt_line(salt: &[u8; 32]) -> Vec<u8> {
    format!("{{\"salt\":\"{}\"}}\n", hex::encode(salt)).into_bytes()
}

/// A piece's bytes without its salt line; `None` if it does not begin with one.
pub fn without_salt(piece: &[u8]) -> Option<&[u8]> {
    let end = piece.iter().position(|byte| *byte == b'\n')?;
    let salt = piece[..end].strip_prefix(b"{\"salt\":\"")?.strip_suffix(b"\"}")?;
    (salt.len() == 64).then(|| &piece[end + 1..])
}

/// Adds blobs to a payload ref's tree, a folder for each first two digits; the new commit.
pub fn extend(
    repo: &Repo,
    tip: Option<&GitId>,
    blobs: &[(Digest, GitId)],
    who: &str,
    unix: i64,
) -> Result<GitId, RepoError> {
    let mut root = match tip {
        Some(tip) => folder(repo, &root_tree(repo, tip)?)?,
        None => BTreeMap::new(),
    };
    let mut by_folder: BTreeMap<String, Vec<(String, &GitId)>> = BTreeMap::new();
    for (digest, blob) in blobs {
        let name = digest.to_string();
        by_folder.entry(name[..2].to_owned()).or_default().push((name[2..].to_owned(), blob));
    }
    for (name, added) in by_folder {
        let mut entries = match root.get(&name) {
            Some((_, id)) => folder(repo, id)?,
            None => BTreeMap::new(),
        };
        for (file, blob) in added {
            entries.insert(file, (0o100_644, blob.clone()));
        }
        root.insert(name, (0o040_000, write_folder(repo, &entries)?));
    }
    let tree = write_folder(repo, &root)?;
    let parent = tip.map(|tip| format!("parent {tip}\n")).unwrap_or_default();
    let who = format!("tracevault <{who}@tracevault> {unix} +0000");
    let commit = format!("tree {tree}\n{parent}author {who}\ncommitter {who}\n\npayload\n");
    repo.write(Kind::Commit, commit.as_bytes())
}

type Folder = BTreeMap<String, (u32, GitId)>;

fn root_tree(repo: &Repo, commit: &GitId) -> Result<GitId, RepoError> {
    let bytes = repo.read_checked(commit, Kind::Commit)?;
    super::store::header(&bytes)
        .map(|header| header.tree)
        .map_err(|error| RepoError::Object { id: commit.to_string(), reason: error.to_string() })
}

fn folder(repo: &Repo, tree: &GitId) -> Result<Folder, RepoError> {
    let entries = repo.tree_entries(&repo.read_checked(tree, Kind::Tree)?)?;
    let entry = |TreeEntry { mode, name, id }| (String::from_utf8_lossy(&name).into_owned(), (mode, id));
    Ok(entries.into_iter().map(entry).collect())
}

fn write_folder(repo: &Repo, entries: &Folder) -> Result<GitId, RepoError> {
    // Names are hex of one length, so that git's order of folders is the order of their names.
    let mut out = Vec::new();
    for (name, (mode, id)) in entries {
        out.extend_from_slice(format!("{mode:o} {name}\0").as_bytes());
        let id = hex::decode(id.as_str()).map_err(|_| RepoError::Missing(id.clone()))?;
        out.extend_from_slice(&id);
    }
    repo.write(Kind::Tree, &out)
}

/// The blobs of a payload ref by digest: what is claimed, not yet what is true.
#[derive(Debug, Default, Clone)]
pub struct Payloads {
    blobs: std::collections::HashMap<Digest, GitId>,
}

impl Payloads {
    /// Adds the blobs of the payload ref at `tip`.
    pub fn add(&mut self, repo: &Repo, tip: &GitId) -> Result<(), RepoError> {
        for (first, (_, tree)) in folder(repo, &root_tree(repo, tip)?)? {
            for (rest, (_, blob)) in folder(repo, &tree)? {
                if let Ok(digest) = format!("{first}{rest}").parse() {
                    self.blobs.insert(digest, blob);
                }
            }
        }
        Ok(())
    }

    /// Reads a piece and demands that its bytes have the digest: `Ok(None)` if there is none.
    pub fn read(&self, repo: &Repo, piece: &Piece) -> Result<Option<Vec<u8>>, PieceError> {
        let Some(blob) = self.blobs.get(&piece.sha256) else { return Ok(None) };
        let bytes = match repo.read(blob) {
            Ok((Kind::Blob, bytes)) => bytes,
            Ok(_) => return Err(PieceError::Changed(piece.sha256)),
            Err(RepoError::Missing(_)) => return Ok(None),
            Err(error) => return Err(PieceError::Repo(error)),
        };
        let same = Digest::of(&bytes) == piece.sha256 && bytes.len() as u64 == piece.size;
        if same { Ok(Some(bytes)) } else { Err(PieceError::Changed(piece.sha256)) }
    }
}

/// Why a piece cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum PieceError {
    #[error("payload piece {0} has other bytes than its record names")]
    Changed(Digest),
    #[error(transparent)]
    Repo(RepoError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_gives_back_its_bytes_without_the_salt() {
        let mut piece = salt_line(&[7; 32]);
        assert_eq!(piece.len(), 64 + 12);
        piece.extend_from_slice(b"{\"a\":1}\n");
        assert_eq!(without_salt(&piece), Some(&b"{\"a\":1}\n"[..]));
        assert_eq!(without_salt(b"{\"a\":1}\n"), None);
        assert_eq!(without_salt(b"no newline"), None);
    }
}

//! Payloads: redacted bytes in salted or encrypted pieces, as blobs named by SHA-256 under a ref that can expire.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::digest::Digest;
use crate::git::repo::{Kind, Repo, RepoError, TreeEntry};
use crate::id::{ChainId, GitId};
use crate::record::body::{Encryption, Payload, Piece};
use crate::record::recipient::Recipient;
use crate::signing::{self, Reader};

/// Bytes of a piece at the most, without its salt line.
pub const PIECE_BYTES: usize = 256 * 1024;
/// Bytes of a stored piece at the most, whatever its record says: a piece is read whole.
const MAX_STORED_BYTES: usize = 1024 * 1024;

/// How a piece is stored.
#[derive(Clone, Copy)]
pub enum Form<'r> {
    /// As it is, behind a salt of 32 random bytes, so that a hash outliving its payload confirms no guess.
    Salted(&'r dyn Fn() -> [u8; 32]),
    Encrypted(&'r [Recipient]),
}

impl Form<'_> {
    /// What a record says of it.
    pub fn encryption(self) -> Option<Encryption> {
        match self {
            Form::Salted(_) => None,
            Form::Encrypted(_) => Some(Encryption::GzipAge),
        }
    }

    fn stored(self, mut bytes: Vec<u8>) -> Result<Vec<u8>, RepoError> {
        match self {
            Form::Salted(salt) => {
                let mut stored = salt_line(&salt());
                stored.append(&mut bytes);
                Ok(stored)
            }
            Form::Encrypted(recipients) => {
                let stored = signing::encrypt(&bytes, recipients).map_err(|error| not_a_shelf(error.to_string()))?;
                match stored.len() {
                    0..=MAX_STORED_BYTES => Ok(stored),
                    _ => Err(not_a_shelf(format!("{} recipients are too many for a piece", recipients.len()))),
                }
            }
        }
    }
}

/// Cuts what is written to it into pieces and stores them; memory holds one piece.
pub struct PieceWriter<'r> {
    repo: &'r Repo,
    form: Form<'r>,
    buffer: Vec<u8>,
    pub pieces: Vec<Piece>,
    pub blobs: Vec<(Digest, GitId)>,
}

impl<'r> PieceWriter<'r> {
    pub fn new(repo: &'r Repo, form: Form<'r>) -> Self {
        PieceWriter { repo, form, buffer: Vec::new(), pieces: Vec::new(), blobs: Vec::new() }
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
        let bytes = self.form.stored(std::mem::take(&mut self.buffer))?;
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
    let root = match tip {
        Some(tip) => folder(repo, &root_tree(repo, tip)?)?,
        None => BTreeMap::new(),
    };
    let tree = filled(repo, root, blobs)?;
    commit(repo, &tree, tip, who, unix)
}

/// Takes pieces off the payload ref at `tip`; the new commit, or none where nothing is left. It goes on from `base`, as what
/// is taken off could be read in the commits between; all that stays is in it.
pub fn without(
    repo: &Repo,
    tip: &GitId,
    base: Option<&GitId>,
    gone: &HashSet<Digest>,
    who: &str,
    unix: i64,
) -> Result<Option<GitId>, RepoError> {
    let stays: Vec<_> = shelf(repo, tip)?.into_iter().filter(|(digest, _)| !gone.contains(digest)).collect();
    if stays.is_empty() && base.is_none() {
        return Ok(None);
    }
    let tree = filled(repo, Folder::new(), &stays)?;
    match base {
        Some(base) if root_tree(repo, base)? == tree => Ok(Some(base.clone())),
        _ => commit(repo, &tree, base, who, unix).map(Some),
    }
}

/// A tree with blobs added, each in the folder of its first two digits.
fn filled(repo: &Repo, mut root: Folder, blobs: &[(Digest, GitId)]) -> Result<GitId, RepoError> {
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
    write_folder(repo, &root)
}

fn commit(repo: &Repo, tree: &GitId, parent: Option<&GitId>, who: &str, unix: i64) -> Result<GitId, RepoError> {
    let parent = parent.map(|parent| format!("parent {parent}\n")).unwrap_or_default();
    let who = format!("tracevault <{who}@tracevault> {unix} +0000");
    let commit = format!("tree {tree}\n{parent}author {who}\ncommitter {who}\n\npayload\n");
    repo.write(Kind::Commit, commit.as_bytes())
}

type Folder = BTreeMap<String, (u32, GitId)>;

/// What a payload ref's tree is called in errors that say it is not in our form.
pub const SHELF: &str = "payload";
/// A commit or folder of a payload ref is never larger: a quarter of a million pieces in each of 256 folders.
const MAX_FOLDER_BYTES: usize = 32 * 1024 * 1024;

fn not_a_shelf(reason: impl Into<String>) -> RepoError {
    RepoError::Object { id: SHELF.into(), reason: reason.into() }
}

fn root_tree(repo: &Repo, commit: &GitId) -> Result<GitId, RepoError> {
    let bytes = repo.read_at_most(commit, Kind::Commit, super::store::MAX_WRAPPING_BYTES)?;
    super::store::header(&bytes).map(|header| header.tree).map_err(|error| not_a_shelf(error.to_string()))
}

fn folder(repo: &Repo, tree: &GitId) -> Result<Folder, RepoError> {
    let bytes = repo.read_at_most(tree, Kind::Tree, MAX_FOLDER_BYTES)?;
    let entries = repo.tree_entries(&bytes).map_err(|error| not_a_shelf(error.to_string()))?;
    let entry = |TreeEntry { mode, name, id }| (String::from_utf8_lossy(&name).into_owned(), (mode, id));
    let entries: Folder = entries.into_iter().map(entry).collect();
    if folder_bytes(&entries)? == bytes { Ok(entries) } else { Err(not_a_shelf("a folder in another form than ours")) }
}

fn folder_bytes(entries: &Folder) -> Result<Vec<u8>, RepoError> {
    // Names are hex of one length, so that git's order of folders is the order of their names.
    let mut out = Vec::new();
    for (name, (mode, id)) in entries {
        out.extend_from_slice(format!("{mode:o} {name}\0").as_bytes());
        let id = hex::decode(id.as_str()).map_err(|_| not_a_shelf("an id that is not hex"))?;
        out.extend_from_slice(&id);
    }
    Ok(out)
}

fn write_folder(repo: &Repo, entries: &Folder) -> Result<GitId, RepoError> {
    repo.write(Kind::Tree, &folder_bytes(entries)?)
}

/// The pieces of the payload ref at `tip`: what is claimed, not yet what is true.
pub fn shelf(repo: &Repo, tip: &GitId) -> Result<HashMap<Digest, GitId>, RepoError> {
    added(repo, None, tip)
}

/// Those of the pieces at `tip` that are not at `before`, or are another blob there.
pub fn added(repo: &Repo, before: Option<&GitId>, tip: &GitId) -> Result<HashMap<Digest, GitId>, RepoError> {
    let before = match before {
        Some(before) => folder(repo, &root_tree(repo, before)?)?,
        None => Folder::new(),
    };
    let mut blobs = HashMap::new();
    for (first, (mode, tree)) in folder(repo, &root_tree(repo, tip)?)? {
        if mode != 0o040_000 || first.len() != 2 {
            return Err(not_a_shelf("a file where a folder should be"));
        }
        let known = match before.get(&first) {
            Some((_, same)) if *same == tree => continue,
            Some((_, other)) => folder(repo, other)?,
            None => Folder::new(),
        };
        for (rest, (mode, blob)) in folder(repo, &tree)? {
            let digest = format!("{first}{rest}").parse().ok().filter(|_| mode == 0o100_644);
            let digest = digest.ok_or_else(|| not_a_shelf("something that is no piece"))?;
            if known.get(&rest).is_none_or(|(_, known)| *known != blob) {
                blobs.insert(digest, blob);
            }
        }
    }
    Ok(blobs)
}

/// Where the pieces of each writer's payloads are, in all copies of its payload refs.
#[derive(Debug, Default, Clone)]
pub struct Payloads {
    blobs: HashMap<Digest, Vec<(ChainId, GitId)>>,
    /// Who reads what is encrypted; nobody for those who only verify.
    reader: Reader,
}

impl Payloads {
    /// Adds the pieces of a payload ref of `chain` at `tip`.
    pub fn add(&mut self, repo: &Repo, chain: ChainId, tip: &GitId) -> Result<(), RepoError> {
        for (digest, blob) in shelf(repo, tip)? {
            let known = self.blobs.entry(digest).or_default();
            if !known.contains(&(chain, blob.clone())) {
                known.push((chain, blob));
            }
        }
        Ok(())
    }

    /// Adds the pieces that a hold keeps at `tip`, whosever they are.
    pub fn add_held(&mut self, repo: &Repo, tip: &GitId) -> Result<(), RepoError> {
        // The policy chain has no payloads of its own.
        self.add(repo, ChainId::Policy, tip)
    }

    /// The blobs that are said to hold a piece of a chain's.
    pub fn blob(&self, chain: ChainId, piece: &Digest) -> Option<&GitId> {
        self.blobs.get(piece)?.iter().find(|(owner, _)| *owner == chain).map(|(_, blob)| blob)
    }

    /// Reads what is encrypted with these identities from now on.
    pub fn read_as(&mut self, reader: Reader) {
        self.reader = reader;
    }

    /// What was cut into a piece: its bytes without the salt, or decrypted.
    pub fn text(&self, repo: &Repo, piece: &Piece, encryption: Option<Encryption>) -> Result<Vec<u8>, NoText> {
        let name = piece.sha256.short();
        let bytes = match self.read(repo, piece) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Err(NoText::Missing(format!("payload piece {name} is not here"))),
            Err(error) => return Err(NoText::Missing(error.to_string())),
        };
        match encryption {
            None => {
                let text = without_salt(&bytes).map(<[u8]>::to_vec);
                text.ok_or_else(|| NoText::Missing(format!("payload piece {name} does not begin with its salt")))
            }
            Some(Encryption::GzipAge) => match self.reader.decrypt(&bytes, PIECE_BYTES) {
                Ok(Some(text)) => Ok(text),
                Ok(None) => Err(NoText::Encrypted),
                Err(why) => Err(NoText::Missing(format!("payload piece {name} cannot be decrypted: {why}"))),
            },
        }
    }

    /// Whether a payload is encrypted and can be read here, by the first of its pieces that is here.
    pub fn opens(&self, repo: &Repo, payload: &Payload) -> bool {
        let text = |piece| match self.text(repo, piece, payload.encryption) {
            Err(NoText::Missing(_)) => None,
            text => Some(text.is_ok()),
        };
        payload.encryption.is_some() && payload.pieces.iter().find_map(text).unwrap_or_default()
    }

    /// The bytes of a piece, from whichever copy has those that its digest names; `Ok(None)` if there is none.
    pub fn read(&self, repo: &Repo, piece: &Piece) -> Result<Option<Vec<u8>>, PieceError> {
        let mut answer = Ok(None);
        for (_, blob) in self.blobs.get(&piece.sha256).into_iter().flatten() {
            match read_piece(repo, blob, piece) {
                Ok(None) => {}
                Ok(Some(bytes)) => return Ok(Some(bytes)),
                Err(error) => answer = Err(error),
            }
        }
        answer
    }

    /// Whether a piece is here; all copies that `chain` has of it must have the bytes that its digest names. Nobody
    /// else's refs are looked at, as what others put there is not this writer's doing, but for what a hold has kept.
    pub fn check(&self, repo: &Repo, chain: ChainId, piece: &Piece) -> Result<bool, PieceError> {
        let copies = |of: ChainId| {
            let all = self.blobs.get(&piece.sha256).into_iter().flatten();
            all.filter(move |(owner, _)| *owner == of).map(|(_, blob)| blob)
        };
        let mut here = false;
        for blob in copies(chain) {
            here |= read_piece(repo, blob, piece)?.is_some();
        }
        Ok(here || copies(ChainId::Policy).any(|blob| matches!(read_piece(repo, blob, piece), Ok(Some(_)))))
    }
}

fn read_piece(repo: &Repo, blob: &GitId, piece: &Piece) -> Result<Option<Vec<u8>>, PieceError> {
    let changed = || PieceError::Changed(piece.sha256);
    let limit = usize::try_from(piece.size).unwrap_or(usize::MAX).min(MAX_STORED_BYTES);
    match repo.read_at_most(blob, Kind::Blob, limit) {
        Ok(bytes) if Digest::of(&bytes) == piece.sha256 && bytes.len() as u64 == piece.size => Ok(Some(bytes)),
        Ok(_) | Err(RepoError::TooLarge { .. }) => Err(changed()),
        Err(RepoError::Missing(_)) => Ok(None),
        Err(error) => Err(PieceError::Repo(error)),
    }
}

/// Why the text of a piece cannot be had.
#[derive(Debug, PartialEq, Eq)]
pub enum NoText {
    /// It is encrypted to others.
    Encrypted,
    /// It is not here, or not what it should be, for this reason.
    Missing(String),
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

    #[test]
    fn what_was_added_is_told_from_what_was_there() {
        let folder = crate::git::testing::Repo::new();
        let repo = &Repo::discover(folder.path()).unwrap();
        let piece = |text: &str| (Digest::of(text.as_bytes()), repo.write(Kind::Blob, text.as_bytes()).unwrap());
        let pieces: Vec<_> = (0..300).map(|n| piece(&n.to_string())).collect();
        let first = extend(repo, None, &pieces[..299], "t", 0).unwrap();
        let second = extend(repo, Some(&first), &pieces[299..], "t", 0).unwrap();
        assert_eq!(added(repo, Some(&first), &second).unwrap(), HashMap::from([pieces[299].clone()]));
        assert_eq!(added(repo, Some(&second), &first).unwrap(), HashMap::new());
        assert_eq!(added(repo, None, &second).unwrap(), pieces.iter().cloned().collect());
        // Other bytes under a name are no less new.
        let other = (pieces[0].0, pieces[1].1.clone());
        let third = extend(repo, Some(&second), std::slice::from_ref(&other), "t", 0).unwrap();
        assert_eq!(added(repo, Some(&second), &third).unwrap(), HashMap::from([other]));
    }
}

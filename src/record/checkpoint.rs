//! Checkpoints: the note beside a seal, in C2SP's forms (c2sp.org/signed-note, c2sp.org/tlog-checkpoint), so that other
//! people's programs can verify it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::signature::{PublicKey, Verifier};
use crate::digest::Digest;
use crate::id::{ChainId, LedgerId};

/// A note is never larger: room for more than the sixteen signatures that every reader must accept.
pub const MAX_BYTES: usize = 64 * 1024;
/// C2SP's number for Ed25519 signatures of a note's text.
const ED25519: u8 = 1;

/// What a checkpoint says: the tree of a log at one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    pub origin: String,
    pub size: u64,
    pub root: Digest,
}

/// Why bytes are not a checkpoint, or not one signed by this key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    #[error("it is no checkpoint: {0}")]
    Form(&'static str),
    #[error("it is not signed by {0}")]
    Unsigned(String),
    #[error("the signature of {0} does not hold")]
    Wrong(String),
}

/// The name of a witness's log: fixed by ledger and chain, so that no two seals of different ledgers can be confused.
pub fn origin(ledger: LedgerId, chain: ChainId) -> String {
    format!("tracevault/{ledger}/{chain}")
}

/// The ledger and chain that an origin names.
pub fn read_origin(text: &str) -> Option<(LedgerId, ChainId)> {
    let (ledger, chain) = text.strip_prefix("tracevault/")?.split_once('/')?;
    Some((ledger.parse().ok()?, chain.parse().ok().filter(|chain| *chain != ChainId::Policy)?))
}

impl Checkpoint {
    /// The text that is signed.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root.as_bytes()))
    }

    fn parse(text: &str) -> Result<Self, NoteError> {
        let mut lines = text.split_terminator('\n');
        let mut line = |what| lines.next().filter(|line| !line.is_empty()).ok_or(NoteError::Form(what));
        let origin = line("it names no log")?.to_owned();
        let size = line("it has no size")?;
        let root = line("it has no root")?;
        if lines.next().is_some() {
            return Err(NoteError::Form("it has more than three lines"));
        }
        let number: u64 = size.parse().map_err(|_| NoteError::Form("its size is no number"))?;
        if number.to_string() != size {
            return Err(NoteError::Form("its size is spelled oddly"));
        }
        let root = hash(root).ok_or(NoteError::Form("its root is no hash"))?;
        Ok(Checkpoint { origin, size: number, root })
    }
}

/// A SHA-256 hash in base64, as checkpoints and proofs have it.
pub fn hash(text: &str) -> Option<Digest> {
    let bytes: [u8; 32] = STANDARD.decode(text).ok()?.try_into().ok()?;
    Some(Digest::from_bytes(bytes))
}

/// The note of a checkpoint whose text has been signed.
pub fn note(checkpoint: &Checkpoint, key: &PublicKey, signature: &[u8; 64]) -> String {
    let signed = STANDARD.encode([&key_id(&checkpoint.origin, key.bytes())[..], signature].concat());
    format!("{}\n\u{2014} {} {signed}\n", checkpoint.text(), checkpoint.origin)
}

/// What a note calls the key of this name.
fn key_id(name: &str, key: &[u8; 32]) -> [u8; 4] {
    let digest = Digest::of_parts(&[name.as_bytes(), b"\n", &[ED25519], key]);
    let [a, b, c, d, ..] = *digest.as_bytes();
    [a, b, c, d]
}

/// A signed note, read but not checked.
pub struct Note<'a> {
    /// Ends in a newline.
    text: &'a str,
    /// Name, key id and signature.
    signatures: Vec<(&'a str, [u8; 4], Vec<u8>)>,
}

impl<'a> Note<'a> {
    pub fn parse(bytes: &'a [u8]) -> Result<Self, NoteError> {
        use NoteError::Form;
        if bytes.len() > MAX_BYTES {
            return Err(Form("it is too large"));
        }
        let note = std::str::from_utf8(bytes).map_err(|_| Form("it is not text"))?;
        if note.bytes().any(|byte| byte < b' ' && byte != b'\n') {
            return Err(Form("it has control characters"));
        }
        let end = note.rfind("\n\n").ok_or(Form("it has no signatures"))?;
        let (text, lines) = (&note[..=end], &note[end + 2..]);
        let lines = lines.strip_suffix('\n').ok_or(Form("its last line does not end"))?;
        let signatures: Option<Vec<_>> = lines.split('\n').map(signature).collect();
        Ok(Note { text, signatures: signatures.ok_or(Form("a line is no signature"))? })
    }

    /// The checkpoint, if it is of this log and the log's key has signed it. Signatures of other keys say nothing.
    pub fn verify(&self, origin: &str, key: &Verifier) -> Result<Checkpoint, NoteError> {
        let checkpoint = Checkpoint::parse(self.text)?;
        if checkpoint.origin != origin {
            return Err(NoteError::Form("it is of another log"));
        }
        let id = key_id(origin, key.bytes());
        let mut own = self.signatures.iter().filter(|(name, of, _)| *name == origin && *of == id).peekable();
        if own.peek().is_none() {
            return Err(NoteError::Unsigned(origin.to_owned()));
        }
        match own.all(|(_, _, signature)| key.verify_text(self.text, signature)) {
            true => Ok(checkpoint),
            false => Err(NoteError::Wrong(origin.to_owned())),
        }
    }

    /// The checkpoint, whoever signed it.
    pub fn claims(&self) -> Result<Checkpoint, NoteError> {
        Checkpoint::parse(self.text)
    }
}

fn signature(line: &str) -> Option<(&str, [u8; 4], Vec<u8>)> {
    let (name, text) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    let bytes = STANDARD.decode(text).ok()?;
    let odd = |c: char| c.is_whitespace() || c == '+';
    match bytes.split_first_chunk::<4>() {
        Some((id, rest)) if !name.is_empty() && !name.contains(odd) && !rest.is_empty() => {
            Some((name, *id, rest.to_vec()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;

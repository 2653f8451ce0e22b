//! The names of things: ids, refs and paths, each a type that only a well-formed text becomes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::{Digest, hex_into};

/// A text that is not a name of the kind asked for.
#[derive(Debug, thiserror::Error)]
#[error("{text:?} is not {expected}")]
pub struct ParseIdError {
    text: String,
    expected: &'static str,
}

impl ParseIdError {
    fn new(text: &str, expected: &'static str) -> Self {
        ParseIdError { text: text.chars().take(80).collect(), expected }
    }
}

/// Text form, serde by text, for a type with `Display` and `FromStr`.
macro_rules! serde_by_text {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                crate::digest::by_text(d)
            }
        }
    };
}

/// A newtype over [`Digest`] with its own meaning.
macro_rules! digest_id {
    ($name:ident, $doc:literal) => {
        #[doc = $doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Digest);

        impl $name {
            /// The first 12 hex digits, for people.
            pub fn short(&self) -> String {
                self.0.short()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = crate::digest::ParseDigestError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map($name)
            }
        }
    };
}

digest_id!(RecordId, "A record's id: the SHA-256 of its `record.json`.");
digest_id!(LedgerId, "A ledger's id: the id of its genesis record.");

/// A chain's name: `policy`, or the first 32 hex digits of the SHA-256 of its writer's public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChainId {
    /// The chain of owners and admins, which has no one key.
    Policy,
    /// A writer's chain.
    Writer([u8; 16]),
}

impl ChainId {
    /// The chain of the writer with this Ed25519 public key (32 bytes).
    pub fn of_key(public_key: &[u8; 32]) -> Self {
        let digest = Digest::of(public_key);
        let mut id = [0; 16];
        id.copy_from_slice(&digest.as_bytes()[..16]);
        ChainId::Writer(id)
    }

    /// The first 8 characters, for people.
    pub fn short(&self) -> String {
        self.to_string().chars().take(8).collect()
    }
}

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChainId::Policy => f.write_str("policy"),
            ChainId::Writer(id) => f.write_str(hex_into(id, &mut [0; 32])),
        }
    }
}

impl FromStr for ChainId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "policy" {
            return Ok(ChainId::Policy);
        }
        let mut id = [0; 16];
        match hex::decode_to_slice(text, &mut id) {
            Ok(()) if hex::encode(id) == text => Ok(ChainId::Writer(id)),
            _ => Err(ParseIdError::new(text, "a chain (policy, or 32 lower-case hex digits)")),
        }
    }
}

serde_by_text!(ChainId);

/// The id of a git object: 40 (SHA-1) or 64 (SHA-256) lower-case hex digits. A locator, never evidence.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GitId(String);

impl GitId {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 12 hex digits, for people.
    pub fn short(&self) -> &str {
        &self.0[..12]
    }

    /// Whether it is all zeros, which git writes for "no object".
    pub fn is_null(&self) -> bool {
        self.0.bytes().all(|b| b == b'0')
    }
}

impl fmt::Display for GitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for GitId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hex = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if hex && matches!(text.len(), 40 | 64) {
            Ok(GitId(text.to_owned()))
        } else {
            Err(ParseIdError::new(text, "a git object id (40 or 64 lower-case hex digits)"))
        }
    }
}

serde_by_text!(GitId);

/// A git id in as few bytes as it needs, for where there are millions of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackedId {
    bytes: [u8; 32],
    /// How many of the bytes there are: 20 or 32.
    length: u8,
}

impl PackedId {
    /// The id as a text again.
    pub fn unpacked(&self) -> GitId {
        let bytes = self.as_bytes();
        GitId(hex_into(bytes, &mut [0; 64][..2 * bytes.len()]).to_owned())
    }

    /// The bytes that there are: 20 or 32.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// Of an id's bytes, which are as many.
    pub fn of_bytes(of: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes[..of.len()].copy_from_slice(of);
        PackedId { bytes, length: of.len() as u8 }
    }
}

impl From<&GitId> for PackedId {
    fn from(id: &GitId) -> Self {
        let (mut bytes, length) = ([0; 32], id.0.len() / 2);
        // It cannot fail: a git id is hex of one of the two lengths.
        let _ = hex::decode_to_slice(&id.0, &mut bytes[..length]);
        PackedId { bytes, length: length as u8 }
    }
}

/// A conversation's id, safe as a file name and in a record: 1 to 64 of `A-Z a-z 0-9 _ -`.
///
/// Agents mostly use UUIDs. Whatever else an agent sends becomes `x-` and 32 hex digits of its SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(String);

impl SessionId {
    /// From what an agent calls its session, however hostile.
    pub fn from_agent(text: &str) -> Self {
        text.parse().unwrap_or_else(|_| SessionId(format!("x-{}", &Digest::of(text.as_bytes()).to_string()[..32])))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 8 characters, for people.
    pub fn short(&self) -> &str {
        &self.0[..self.0.len().min(8)]
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for SessionId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let safe = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if safe && (1..=64).contains(&text.len()) && !text.starts_with('-') {
            Ok(SessionId(text.to_owned()))
        } else {
            Err(ParseIdError::new(text, "a session id (1 to 64 letters, digits, _ or -)"))
        }
    }
}

serde_by_text!(SessionId);

/// A legal case's name, part of its hold's ref: 1 to 64 of `A-Z a-z 0-9 _ -`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CaseId(String);

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for CaseId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse::<SessionId>() {
            Ok(SessionId(text)) => Ok(CaseId(text)),
            Err(_) => Err(ParseIdError::new(text, "a case's name (1 to 64 letters, digits, _ or -)")),
        }
    }
}

serde_by_text!(CaseId);

/// A tool call's id as its agent gave it, cut to 128 characters, without control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallId(String);

impl CallId {
    pub fn from_agent(text: &str) -> Self {
        CallId(text.chars().filter(|c| !c.is_control()).take(128).collect())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A file's path inside its repository: relative, `/` between parts, no `.` or `..`, never inside `.git`.
///
/// A path that is not UTF-8 or holds control characters is kept as git prints it: quoted in the C manner.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepoPath(String);

impl RepoPath {
    /// From the bytes git has for a path.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ParseIdError> {
        let bad_part = |part: &[u8]| matches!(part, b"" | b"." | b"..") || part.eq_ignore_ascii_case(b".git");
        if bytes.split(|b| *b == b'/').any(bad_part) || bytes.contains(&0) || bytes.len() > 4096 {
            return Err(ParseIdError::new(&String::from_utf8_lossy(bytes), "a path inside the repository"));
        }
        Ok(RepoPath(match std::str::from_utf8(bytes) {
            Ok(text) if !text.starts_with('"') && !text.chars().any(char::is_control) => text.to_owned(),
            _ => c_quote(bytes),
        }))
    }

    /// From what git prints for a path: quoted in the C manner where it has to be.
    pub fn from_git(printed: &[u8]) -> Result<Self, ParseIdError> {
        match printed.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) {
            Some(quoted) => Self::from_bytes(&c_unquote(quoted)),
            None => Self::from_bytes(printed),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The bytes git has for the path.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self.0.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(quoted) => c_unquote(quoted.as_bytes()),
            None => self.0.clone().into_bytes(),
        }
    }
}

/// Quotes like git's `quote_c_style`: octal escapes for what is not printable ASCII.
fn c_quote(bytes: &[u8]) -> String {
    let mut out = String::from("\"");
    for &b in bytes {
        match b {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(b as char);
            }
            b' '..=b'~' => out.push(b as char),
            _ => out.push_str(&format!("\\{b:03o}")),
        }
    }
    out.push('"');
    out
}

/// The reverse of [`c_quote`], accepting git's letter escapes too.
fn c_unquote(quoted: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(quoted.len());
    let mut bytes = quoted.iter().copied();
    while let Some(b) = bytes.next() {
        if b != b'\\' {
            out.push(b);
            continue;
        }
        match bytes.next() {
            Some(b'n') => out.push(b'\n'),
            Some(b't') => out.push(b'\t'),
            Some(b'r') => out.push(b'\r'),
            Some(b'a') => out.push(7),
            Some(b'b') => out.push(8),
            Some(b'f') => out.push(12),
            Some(b'v') => out.push(11),
            Some(d @ b'0'..=b'3') => {
                let mut digit = || u32::from(bytes.next().unwrap_or(b'0').wrapping_sub(b'0') & 7);
                out.push((u32::from(d - b'0') * 64 + digit() * 8 + digit()) as u8);
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RepoPath {
    type Err = ParseIdError;

    /// From the text a record holds: plain, or quoted where it must be. One path, one spelling.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let path = RepoPath::from_bytes(&RepoPath(text.to_owned()).to_bytes())?;
        if path.0 == text { Ok(path) } else { Err(ParseIdError::new(text, "a path as this program spells it")) }
    }
}

serde_by_text!(RepoPath);

/// What tells a file from all others of its file system, whatever it is called: its inode, and when that was made
/// (nanoseconds since 1970), for inodes are used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileId(pub u64, pub u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_session_ids_become_harmless() {
        assert_eq!(SessionId::from_agent("f094b288-af5c").as_str(), "f094b288-af5c");
        for odd in ["../../x", "", "a/b", "a b", "-rf", "é", &"a".repeat(65)] {
            let id = SessionId::from_agent(odd);
            assert!(id.as_str().starts_with("x-") && id.as_str().len() == 34, "{odd} -> {id}");
            assert_eq!(id.to_string().parse::<SessionId>().unwrap(), id);
        }
        assert_ne!(SessionId::from_agent("../a"), SessionId::from_agent("../b"));
    }

    #[test]
    fn packed_ids_come_back() {
        for length in [40, 64] {
            let id: GitId = "0123456789abcdef".repeat(4)[..length].parse().unwrap();
            assert_eq!(PackedId::from(&id).unpacked(), id);
        }
    }

    #[test]
    fn paths_stay_inside_the_repository() {
        for ok in ["a", "a/b.rs", "ünï/日本 x", ".gitignore", ".github/x", "a..b"] {
            let path = RepoPath::from_bytes(ok.as_bytes()).unwrap();
            assert_eq!(path.as_str(), ok);
            assert_eq!(path.to_bytes(), ok.as_bytes());
        }
        for bad in ["", "/etc/passwd", "../x", "a/../b", "a//b", "./a", ".git/config", "x/.GIT/y", "a/"] {
            assert!(RepoPath::from_bytes(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn paths_that_are_not_text_survive_quoted() {
        for bytes in [&b"caf\xe9"[..], b"a\nb", b"\"q\"", b"back\\slash\x01"] {
            let path = RepoPath::from_bytes(bytes).unwrap();
            assert_eq!(path.to_bytes(), bytes);
            assert_eq!(path.as_str().parse::<RepoPath>().unwrap(), path);
        }
        assert_eq!(RepoPath::from_bytes(b"caf\xe9").unwrap().as_str(), "\"caf\\351\"");
        for printed in ["\"caf\\303\\251\\t.rs\"", "\"caf\u{e9}\\011.rs\""] {
            let path = RepoPath::from_git(printed.as_bytes()).unwrap();
            assert_eq!(
                (path.to_bytes(), path),
                ("caf\u{e9}\t.rs".into(), RepoPath::from_bytes("caf\u{e9}\t.rs".as_bytes()).unwrap())
            );
        }
        for odd in ["\"..\"", "\"plain\"", "\"caf\\303\\251\"", "\"a\\tb\"", "a\u{1}b", "\""] {
            assert!(odd.parse::<RepoPath>().is_err(), "{odd}");
        }
    }

    #[test]
    fn chains_are_named_after_keys() {
        let chain = ChainId::of_key(&[7; 32]);
        assert_eq!(chain.to_string(), Digest::of(&[7; 32]).to_string()[..32]);
        assert_eq!(chain.to_string().parse::<ChainId>().unwrap(), chain);
        assert_eq!("policy".parse::<ChainId>().unwrap(), ChainId::Policy);
        assert!(chain.to_string().to_uppercase().parse::<ChainId>().is_err());
    }

    #[test]
    fn git_ids_are_sha1_or_sha256() {
        assert!("a".repeat(40).parse::<GitId>().is_ok());
        assert!("0".repeat(64).parse::<GitId>().unwrap().is_null());
        for bad in ["A".repeat(40), "a".repeat(41), "--all".into()] {
            assert!(bad.parse::<GitId>().is_err());
        }
    }
}

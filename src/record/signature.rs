//! Signatures in minisign's format (jedisct1.github.io/minisign, "Signature format"), checked with `verify_strict`.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blake2::{Blake2b512, Digest as _};
use ed25519_dalek::{Signature as Ed25519, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::ChainId;

/// The one untrusted comment of our signature files: it is not signed, so it may say nothing.
pub const UNTRUSTED_COMMENT: &str = "untrusted comment: tracevault";
const TRUSTED_PREFIX: &str = "trusted comment: ";
/// A signature file is never larger.
pub const MAX_BYTES: usize = 1024;

/// A public key as minisign writes it: algorithm `Ed`, an 8-byte key number (a hint) and the Ed25519 key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey {
    number: [u8; 8],
    key: [u8; 32],
    /// Computed once: a roster is searched by it for every record.
    chain: ChainId,
}

/// Why a key is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("{0:?} is not a minisign public key (56 characters of base64, beginning with RW)")]
    Form(String),
    #[error("the public key is weak: it would verify signatures that nobody made")]
    Weak,
}

impl PublicKey {
    /// From its parts; weak and malformed keys are refused.
    pub fn new(number: [u8; 8], key: [u8; 32]) -> Result<Self, KeyError> {
        match VerifyingKey::from_bytes(&key) {
            Ok(point) if !point.is_weak() => Ok(PublicKey { number, key, chain: ChainId::of_key(&key) }),
            Ok(_) => Err(KeyError::Weak),
            Err(_) => Err(KeyError::Form(hex::encode(key))),
        }
    }

    /// The chain that this key, and no other, may write.
    pub fn chain(&self) -> ChainId {
        self.chain
    }

    /// The 32 bytes of the Ed25519 key.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.key
    }

    /// The key's file as minisign writes it.
    pub fn file(&self) -> String {
        format!("untrusted comment: minisign public key {}\n{self}\n", self.number())
    }

    /// The key number as minisign prints it: 16 upper-case hex digits.
    pub fn number(&self) -> String {
        shown(&self.number)
    }

    /// The key, ready to verify with.
    pub fn verifier(&self) -> Verifier {
        // `new` has seen that these bytes are a point.
        Verifier { number: self.number, point: VerifyingKey::from_bytes(&self.key).unwrap_or_default() }
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let form = || KeyError::Form(text.chars().take(80).collect());
        let bytes: [u8; 42] = STANDARD.decode(text).ok().and_then(|b| b.try_into().ok()).ok_or_else(form)?;
        if &bytes[..2] != b"Ed" {
            return Err(form());
        }
        let (mut number, mut key) = ([0; 8], [0; 32]);
        number.copy_from_slice(&bytes[2..10]);
        key.copy_from_slice(&bytes[10..]);
        PublicKey::new(number, key)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode([&b"Ed"[..], &self.number, &self.key].concat()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        crate::digest::by_text(d)
    }
}

/// Why a signature is not one.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The file is not what minisign writes, or not our form of it.
    #[error("the signature file is not in minisign's format: {0}")]
    Format(&'static str),
    /// The file is well-formed and does not verify.
    #[error("the signature does not verify: {0}")]
    Wrong(&'static str),
}

/// A signature file, read but not checked.
pub struct Signature<'a> {
    number: [u8; 8],
    signature: Ed25519,
    trusted_comment: &'a str,
    global: Ed25519,
}

impl<'a> Signature<'a> {
    /// The number of the key that it says it was made with, as minisign shows it.
    pub fn number(&self) -> String {
        shown(&self.number)
    }

    /// Reads the four lines of a `.minisig` file; only the prehashed algorithm `ED` is accepted.
    pub fn parse(file: &'a [u8]) -> Result<Self, SignatureError> {
        use SignatureError::Format;
        if file.len() > MAX_BYTES {
            return Err(Format("it is too large"));
        }
        let text = std::str::from_utf8(file).map_err(|_| Format("it is not text"))?;
        let mut lines = text.strip_suffix('\n').ok_or(Format("its last line does not end"))?.split('\n');
        let mut line = || lines.next().ok_or(Format("it has fewer than four lines"));
        let (untrusted, signature, trusted, global) = (line()?, line()?, line()?, line()?);
        if lines.next().is_some() {
            return Err(Format("it has more than four lines"));
        }
        if untrusted != UNTRUSTED_COMMENT {
            return Err(Format("its untrusted comment is not the fixed one"));
        }
        let trusted_comment = trusted.strip_prefix(TRUSTED_PREFIX).ok_or(Format("it has no trusted comment"))?;
        let bytes: [u8; 74] = decode(signature).ok_or(Format("its signature is not 74 bytes of base64"))?;
        match &bytes[..2] {
            b"ED" => {}
            b"Ed" => return Err(Format("the legacy algorithm Ed, which does not hash first, is refused")),
            _ => return Err(Format("its algorithm is unknown")),
        }
        let (mut number, mut raw) = ([0; 8], [0; 64]);
        number.copy_from_slice(&bytes[2..10]);
        raw.copy_from_slice(&bytes[10..]);
        let global: [u8; 64] = decode(global).ok_or(Format("its global signature is not 64 bytes of base64"))?;
        let (signature, global) = (Ed25519::from_bytes(&raw), Ed25519::from_bytes(&global));
        Ok(Signature { number, signature, trusted_comment, global })
    }
}

/// A key number as minisign shows it: the other way round, in upper-case hex digits.
fn shown(number: &[u8; 8]) -> String {
    hex::encode_upper(number.iter().rev().copied().collect::<Vec<_>>())
}

fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

/// A public key that has been unpacked, to verify many signatures with.
#[derive(Clone)]
pub struct Verifier {
    number: [u8; 8],
    point: VerifyingKey,
}

impl Verifier {
    /// The 32 bytes of the Ed25519 key.
    pub fn bytes(&self) -> &[u8; 32] {
        self.point.as_bytes()
    }

    /// Checks a plain Ed25519 signature of a text, as a checkpoint has it.
    pub fn verify_text(&self, text: &str, signature: &[u8]) -> bool {
        Ed25519::from_slice(signature)
            .is_ok_and(|signature| self.point.verify_strict(text.as_bytes(), &signature).is_ok())
    }

    /// Checks both signatures of the file, and that the trusted comment is the expected one.
    pub fn verify(&self, message: &[u8], comment: &str, file: &[u8]) -> Result<(), SignatureError> {
        use SignatureError::Wrong;
        let signature = Signature::parse(file)?;
        // It proves nothing, but it is not signed, and other tools refuse a wrong one.
        if signature.number != self.number {
            return Err(Wrong("it names another key's number"));
        }
        if signature.trusted_comment != comment {
            return Err(Wrong("its trusted comment is not the one this record has"));
        }
        let hash = Blake2b512::digest(message);
        let strict = |message: &[u8], of: &Ed25519| self.point.verify_strict(message, of);
        strict(&hash, &signature.signature).map_err(|_| Wrong("the bytes were not signed by this key"))?;
        let signed = [&signature.signature.to_bytes()[..], comment.as_bytes()].concat();
        strict(&signed, &signature.global).map_err(|_| Wrong("the trusted comment was not signed by this key"))
    }
}

/// Writes a `.minisig` file around two finished signatures.
///
/// `signature` is over BLAKE2b-512 of the message; `global` over `signature` and the trusted comment.
pub fn format(key: &PublicKey, signature: &[u8; 64], comment: &str, global: &[u8; 64]) -> String {
    let first = STANDARD.encode([&b"ED"[..], &key.number, signature].concat());
    format!("{UNTRUSTED_COMMENT}\n{first}\n{TRUSTED_PREFIX}{comment}\n{}\n", STANDARD.encode(global))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signer as _, SigningKey};

    fn key() -> (SigningKey, PublicKey) {
        let secret = SigningKey::from_bytes(&[3; 32]);
        let public = PublicKey::new(*b"12345678", secret.verifying_key().to_bytes()).unwrap();
        (secret, public)
    }

    fn sign(message: &[u8], comment: &str) -> String {
        let (secret, public) = key();
        let signature = secret.sign(&Blake2b512::digest(message)).to_bytes();
        let global = secret.sign(&[&signature[..], comment.as_bytes()].concat()).to_bytes();
        format(&public, &signature, comment, &global)
    }

    #[test]
    fn a_signature_verifies_and_every_flipped_bit_is_noticed() {
        let (_, public) = key();
        let file = sign(b"message", "comment");
        let verifier = public.verifier();
        verifier.verify(b"message", "comment", file.as_bytes()).unwrap();
        assert!(matches!(verifier.verify(b"Message", "comment", file.as_bytes()), Err(SignatureError::Wrong(_))));
        assert!(matches!(verifier.verify(b"message", "Comment", file.as_bytes()), Err(SignatureError::Wrong(_))));
        for at in 0..file.len() {
            let mut bytes = file.clone().into_bytes();
            bytes[at] ^= 1;
            assert!(verifier.verify(b"message", "comment", &bytes).is_err(), "byte {at}");
        }
    }

    #[test]
    fn files_in_another_form_are_refused() {
        let file = sign(b"m", "c");
        let lines: Vec<&str> = file.lines().collect();
        let legacy = STANDARD.encode([&b"Ed"[..], &[0; 72]].concat());
        let unknown = STANDARD.encode([&b"XX"[..], &[0; 72]].concat());
        for bad in [
            String::new(),
            file.replace('\n', "\r\n"),
            file.trim_end().to_owned(),
            format!("{file}\n"),
            file.replace(UNTRUSTED_COMMENT, "untrusted comment: hello"),
            file.replace(lines[1], &legacy),
            file.replace(lines[1], &unknown),
            file.replace(lines[1], &lines[1][..40]),
            file.replace(lines[2], "comment: c"),
            lines[..3].join("\n") + "\n",
            "x".repeat(MAX_BYTES + 1),
        ] {
            assert!(matches!(Signature::parse(bad.as_bytes()), Err(SignatureError::Format(_))), "{bad}");
        }
    }

    #[test]
    fn keys_read_back_and_weak_ones_are_refused() {
        let (_, public) = key();
        assert_eq!(public.to_string().len(), 56);
        assert_eq!(public.to_string().parse::<PublicKey>().unwrap(), public);
        assert_eq!(public.number(), "3837363534333231");
        let mut identity = [0; 32];
        identity[0] = 1;
        assert!(matches!(PublicKey::new([0; 8], identity), Err(KeyError::Weak)));
        assert!("RWQ".parse::<PublicKey>().is_err());
    }
}

//! Signing: this clone's key, in minisign's format (jedisct1.github.io/minisign, "Secret key format"), and its identity to
//! read with.

mod reading;

use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blake2::{Blake2b512, Digest as _};
use ed25519_dalek::{Signer as _, SigningKey};
use zeroize::Zeroizing;

use crate::host::files;
use crate::id::ChainId;
use crate::record::checkpoint::{self, Checkpoint};
use crate::record::signature::{self, KeyError, PublicKey};
use crate::record::{Record, Unverified};

pub use reading::{Identity, Reader, encrypt};

/// What can be wrong with a key file.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    #[error("cannot read the key {}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write the key {}", .path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} is not an unencrypted minisign secret key", .0.display())]
    Malformed(PathBuf),
    #[error("{} is not an age identity: {why}", .path.display())]
    Identity { path: PathBuf, why: &'static str },
    #[error("{} can be read by others; make it mode 0600", .0.display())]
    Exposed(PathBuf),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("the key could not be used: {0}")]
    Use(String),
}

/// A secret key that signs records.
pub struct Signer {
    secret: minisign::SecretKey,
    key: SigningKey,
    public: PublicKey,
}

/// Bytes of a minisign secret key: algorithms, salt, limits, then key number, Ed25519 key pair and checksum.
const SECRET_BYTES: usize = 158;
const NUMBER: std::ops::Range<usize> = 54..62;
const PAIR: std::ops::Range<usize> = 62..126;

impl Signer {
    /// A new key of this machine's randomness.
    pub fn generate() -> Result<Self, SigningError> {
        let pair =
            minisign::KeyPair::generate_unencrypted_keypair().map_err(|error| SigningError::Use(error.to_string()))?;
        Self::from_secret(pair.sk)
    }

    fn from_secret(secret: minisign::SecretKey) -> Result<Self, SigningError> {
        let bytes = Zeroizing::new(secret.to_bytes());
        let (mut number, mut pair) = ([0; 8], Zeroizing::new([0; 64]));
        match (bytes.get(NUMBER), bytes.get(PAIR)) {
            (Some(n), Some(p)) if bytes.len() == SECRET_BYTES => {
                number.copy_from_slice(n);
                pair.copy_from_slice(p);
            }
            _ => return Err(SigningError::Use("its length is wrong".into())),
        }
        // A pair whose halves do not belong together would sign what nobody can verify, and give the secret away.
        let key = SigningKey::from_keypair_bytes(&pair)
            .map_err(|_| SigningError::Use("its secret and its public half do not belong together".into()))?;
        let public = PublicKey::new(number, key.verifying_key().to_bytes())?;
        Ok(Signer { secret, key, public })
    }

    /// Reads a secret key file as minisign writes it without a password (`minisign -G -W`).
    pub fn load(path: &Path) -> Result<Self, SigningError> {
        let read = |source| SigningError::Read { path: path.to_owned(), source };
        refuse_exposed(path).map_err(read)?.map_or(Ok(()), Err)?;
        let text = Zeroizing::new(std::fs::read_to_string(path).map_err(read)?);
        let malformed = || SigningError::Malformed(path.to_owned());
        let line = text.lines().nth(1).ok_or_else(malformed)?;
        let bytes = Zeroizing::new(STANDARD.decode(line.trim()).map_err(|_| malformed())?);
        // An encrypted key's bytes mean nothing without its password; its third pair says "Sc" instead of zeros.
        if bytes.len() != SECRET_BYTES || &bytes[2..4] == b"Sc" {
            return Err(malformed());
        }
        // `from_bytes` and not `into_unencrypted_secret_key`: the tool's own keys carry no checksum.
        Self::from_secret(minisign::SecretKey::from_bytes(&bytes).map_err(|_| malformed())?)
    }

    /// Writes the key pair into a folder of the user's, `<chain>.key` (mode 0600) and `<chain>.pub`; the key's path.
    pub fn save(&self, dir: &Path) -> Result<PathBuf, SigningError> {
        let chain = self.chain();
        let path = dir.join(format!("{chain}.key"));
        let failed = |source| SigningError::Write { path: path.clone(), source };
        files::create_private_dir(dir).map_err(failed)?;
        let secret = Zeroizing::new(STANDARD.encode(self.secret.to_bytes()));
        let text = Zeroizing::new(format!("untrusted comment: git-tracevault secret key\n{}\n", secret.as_str()));
        files::replace_private(&path, text.as_bytes()).map_err(failed)?;
        let text = format!("untrusted comment: minisign public key {}\n{}\n", self.public.number(), self.public);
        files::replace_private(&dir.join(format!("{chain}.pub")), text.as_bytes()).map_err(failed)?;
        Ok(path)
    }

    pub fn public_key(&self) -> PublicKey {
        self.public
    }

    /// The chain that this key writes.
    pub fn chain(&self) -> ChainId {
        self.public.chain()
    }

    /// A checkpoint as a note, with this key's signature.
    pub fn sign_checkpoint(&self, checkpoint: &Checkpoint) -> Vec<u8> {
        let signature = self.sign_text(&checkpoint.text());
        checkpoint::note(checkpoint, &self.public, &signature).into_bytes()
    }

    /// The plain Ed25519 signature of a text that is no record.
    pub fn sign_text(&self, text: &str) -> [u8; 64] {
        self.key.sign(text.as_bytes()).to_bytes()
    }

    /// The record's signature file, as the minisign crate would make it, at a sixth of its time.
    pub fn sign(&self, record: &Record<Unverified>) -> Vec<u8> {
        let comment = record.trusted_comment();
        let signature = self.key.sign(&Blake2b512::digest(record.bytes())).to_bytes();
        let global = self.key.sign(&[&signature[..], comment.as_bytes()].concat()).to_bytes();
        signature::format(&self.public, &signature, &comment, &global).into_bytes()
    }
}

/// A secret key that others may read is no secret.
#[cfg(unix)]
fn refuse_exposed(path: &Path) -> io::Result<Option<SigningError>> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path)?.permissions().mode();
    Ok((mode & 0o077 != 0).then(|| SigningError::Exposed(path.to_owned())))
}

#[cfg(not(unix))]
fn refuse_exposed(_: &Path) -> io::Result<Option<SigningError>> {
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::id::LedgerId;
    use crate::record::Envelope;
    use crate::record::body::{Body, Claim, Open};
    use crate::time::Time;

    fn record(signer: &Signer) -> Record<Unverified> {
        let envelope = Envelope {
            ledger: LedgerId(Digest::of(b"ledger")),
            chain: signer.chain(),
            seq: 0,
            prev: Digest::of(b"ledger"),
            time: Time::from_unix(0),
            policy: None,
            seal: None,
        };
        let member = Claim { id: "dev@example.com".into(), name: "Dev".into() };
        let open =
            Open { public_key: signer.public_key(), member, device: "d".into(), tool: "t".into(), recipient: None };
        Record::new(envelope, Body::Open(open)).unwrap()
    }

    #[test]
    fn a_key_that_was_saved_signs_what_its_public_key_verifies() {
        let dir = tempfile::tempdir().unwrap();
        let made = Signer::generate().unwrap();
        let path = made.save(dir.path()).unwrap();
        let signer = Signer::load(&path).unwrap();
        assert_eq!(signer.public_key(), made.public_key());
        let record = record(&signer);
        let signature = signer.sign(&record);
        record.clone().verify(&signer.public_key().verifier(), &signature).unwrap();
        let other = Signer::generate().unwrap();
        assert!(record.verify(&other.public_key().verifier(), &signature).is_err());
    }

    #[test]
    fn the_minisign_crate_takes_our_signature_for_its_own() {
        let signer = Signer::generate().unwrap();
        let record = record(&signer);
        let ours = String::from_utf8(signer.sign(&record)).unwrap();
        let public = minisign::PublicKey::from_base64(&signer.public_key().to_string()).unwrap();
        let check = |bytes: &[u8]| {
            let signature = minisign::SignatureBox::from_string(&ours).unwrap();
            assert_eq!(signature.trusted_comment().unwrap(), record.trusted_comment());
            minisign::verify(&public, &signature, std::io::Cursor::new(bytes), true, false, false)
        };
        check(record.bytes()).unwrap();
        assert!(check(b"other bytes").is_err());
    }

    #[test]
    fn a_key_whose_halves_do_not_belong_together_is_refused() {
        let (one, other) = (Signer::generate().unwrap(), Signer::generate().unwrap());
        let mut bytes = one.secret.to_bytes();
        bytes[94..126].copy_from_slice(&other.secret.to_bytes()[94..126]);
        let mixed = minisign::SecretKey::from_bytes(&bytes).unwrap();
        assert!(matches!(Signer::from_secret(mixed), Err(SigningError::Use(_))));
    }

    #[test]
    #[cfg(unix)]
    fn a_key_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = Signer::generate().unwrap().save(dir.path()).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(Signer::load(&path), Err(SigningError::Exposed(_))));
        std::fs::write(&path, "untrusted comment: x\nnot base64\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(Signer::load(&path), Err(SigningError::Malformed(_))));
    }
}

//! Reading and writing what only some may read: this clone's age identities, and bytes encrypted to recipients.
//!
//! What is encrypted is gzip first, then age, so that `age -d -i FILE | gunzip` reads it, too.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use age::secrecy::ExposeSecret as _;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use zeroize::Zeroizing;

use super::{SigningError, refuse_exposed};
use crate::host::files;
use crate::record::recipient::Recipient;

/// How an identity is called in a key's folder: the key's name, and this.
const EXTENSION: &str = "age";
/// An identity file is never larger.
const MAX_BYTES: u64 = 64 << 10;

/// The secret half of a recipient.
#[derive(Clone)]
pub struct Identity(age::x25519::Identity);

impl Identity {
    /// A new identity of this machine's randomness.
    pub fn generate() -> Self {
        Identity(age::x25519::Identity::generate())
    }

    /// Where the identity of a clone with this key is.
    pub fn path_beside(key: &Path) -> PathBuf {
        key.with_extension(EXTENSION)
    }

    /// The identity that goes with a key; it is made where there is none yet.
    pub fn beside(key: &Path) -> Result<Self, SigningError> {
        let path = Self::path_beside(key);
        match Self::load(&path)? {
            Some(identity) => Ok(identity),
            None => {
                let identity = Self::generate();
                identity.save(&path)?;
                Ok(identity)
            }
        }
    }

    /// Reads an identity file as age-keygen writes it, if there is one.
    fn load(path: &Path) -> Result<Option<Self>, SigningError> {
        let read = |source| SigningError::Read { path: path.to_owned(), source };
        let Some(bytes) = files::read_small(path, MAX_BYTES).map_err(read)? else { return Ok(None) };
        let bytes = Zeroizing::new(bytes);
        refuse_exposed(path).map_err(read)?.map_or(Ok(()), Err)?;
        let text = std::str::from_utf8(&bytes).unwrap_or_default();
        let line = text.lines().find(|line| !line.is_empty() && !line.starts_with('#')).unwrap_or_default();
        let identity = line.parse().map_err(|why| SigningError::Identity { path: path.to_owned(), why })?;
        Ok(Some(Identity(identity)))
    }

    fn save(&self, path: &Path) -> Result<(), SigningError> {
        let secret = self.0.to_string();
        let text = format!("# public key: {}\n{}\n", self.0.to_public(), secret.expose_secret());
        files::replace_private(path, Zeroizing::new(text).as_bytes())
            .map_err(|source| SigningError::Write { path: path.to_owned(), source })
    }

    /// To whom bytes are encrypted that this identity is to read.
    pub fn recipient(&self) -> Result<Recipient, SigningError> {
        self.0.to_public().to_string().parse().map_err(|error| SigningError::Use(format!("{error}")))
    }
}

/// Who may read here: this clone's identity and those of the user's other keys, of this clone before and of other clones.
#[derive(Clone, Default)]
pub struct Reader(Vec<Identity>);

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} identities", self.0.len())
    }
}

impl Reader {
    /// The identities beside a key, its own first. What cannot be read of them reads nothing.
    pub fn beside(key: &Path) -> Self {
        let own = Identity::path_beside(key);
        let folder = key.parent().and_then(|dir| std::fs::read_dir(dir).ok());
        let others = folder.into_iter().flatten().flatten().map(|entry| entry.path());
        let mut others: Vec<PathBuf> =
            others.filter(|path| *path != own && path.extension().is_some_and(|end| end == EXTENSION)).collect();
        others.sort();
        let paths = std::iter::once(own).chain(others);
        Reader(paths.filter_map(|path| Identity::load(&path).ok().flatten()).collect())
    }

    /// The identity in a file, as age-keygen writes it.
    pub fn from_file(path: &Path) -> Result<Self, SigningError> {
        let missing = || SigningError::Read { path: path.to_owned(), source: io::ErrorKind::NotFound.into() };
        Ok(Reader(vec![Identity::load(path)?.ok_or_else(missing)?]))
    }

    /// The recipients that these identities are.
    pub fn names(&self) -> String {
        self.0.iter().map(|identity| format!("{}\n", identity.0.to_public())).collect()
    }

    #[cfg(test)]
    pub fn of(identity: Identity) -> Self {
        Reader(vec![identity])
    }

    /// What was encrypted, if one of these identities may read it; not more than so many bytes.
    pub fn decrypt(&self, bytes: &[u8], limit: usize) -> Result<Option<Vec<u8>>, String> {
        let told = |error: io::Error| error.to_string();
        let identities = self.0.iter().map(|identity| &identity.0 as &dyn age::Identity);
        let decryptor = age::Decryptor::new_buffered(bytes).map_err(|error| error.to_string())?;
        let text = match decryptor.decrypt(identities) {
            Ok(text) => text,
            Err(age::DecryptError::NoMatchingKeys) => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        let mut plain = Vec::new();
        GzDecoder::new(text).take(limit as u64 + 1).read_to_end(&mut plain).map_err(told)?;
        if plain.len() > limit { Err(format!("it has more than {limit} bytes")) } else { Ok(Some(plain)) }
    }
}

/// Compresses bytes and encrypts them, so that these recipients may read them and nobody else.
pub fn encrypt(bytes: &[u8], recipients: &[Recipient]) -> io::Result<Vec<u8>> {
    let keys: Vec<age::x25519::Recipient> = recipients.iter().filter_map(Recipient::key).collect();
    let keys = keys.iter().map(|key| key as &dyn age::Recipient);
    let encryptor = age::Encryptor::with_recipients(keys).map_err(io::Error::other)?;
    let mut out = GzEncoder::new(encryptor.wrap_output(Vec::new())?, Compression::default());
    out.write_all(bytes)?;
    out.finish()?.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    #[test]
    fn only_recipients_read_what_was_encrypted() {
        let dir = tempfile::tempdir().unwrap();
        let identity = |name: &str| Identity::beside(&dir.path().join(name).join("a.key"));
        for name in ["ada", "bob", "cleo"] {
            std::fs::create_dir(dir.path().join(name)).unwrap();
        }
        let (ada, bob, cleo) = (identity("ada").unwrap(), identity("bob").unwrap(), identity("cleo").unwrap());
        let text = b"one line\n".repeat(20_000);
        let stored = encrypt(&text, &[ada.recipient().unwrap(), bob.recipient().unwrap()]).unwrap();
        assert!(stored.starts_with(b"age-encryption.org/v1\n") && stored.len() < 5000, "{}", stored.len());
        let read = |who: &Identity, limit| Reader::of(who.clone()).decrypt(&stored, limit);
        assert_eq!(read(&ada, text.len()).unwrap().unwrap(), text);
        assert_eq!(read(&bob, text.len()).unwrap().unwrap(), text);
        assert_eq!(read(&cleo, text.len()).unwrap(), None);
        assert!(
            read(&ada, text.len() - 1).unwrap_err().contains("more than"),
            "what unpacks to more is not read whole"
        );
        assert_eq!(Reader::default().decrypt(&stored, text.len()).unwrap(), None);
        let mut flipped = stored.clone();
        *flipped.last_mut().unwrap() ^= 1;
        Reader::of(ada.clone()).decrypt(&flipped, text.len()).unwrap_err();
        Reader::of(ada).decrypt(b"plain", text.len()).unwrap_err();
        assert!(encrypt(&text, &[]).is_err(), "to nobody");
    }

    /// `tests/vectors/encryption.json`: pieces as they are stored, and who reads them.
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Vectors {
        identities: Vec<IdentityVector>,
        pieces: Vec<PieceVector>,
    }

    #[derive(serde::Serialize, serde::Deserialize)]
    struct IdentityVector {
        secret: String,
        recipient: Recipient,
    }

    #[derive(serde::Serialize, serde::Deserialize)]
    struct PieceVector {
        text: String,
        sha256: Digest,
        stored: String,
    }

    #[test]
    #[ignore = "writes the vectors anew, which are others each time: only where the format changes on purpose"]
    fn write_the_vectors_of_encryption() {
        let identities: Vec<Identity> = (0..2).map(|_| Identity::generate()).collect();
        let recipients: Vec<Recipient> = identities.iter().map(|identity| identity.recipient().unwrap()).collect();
        let piece = |text: String| {
            let stored = encrypt(text.as_bytes(), &recipients).unwrap();
            PieceVector { text, sha256: Digest::of(&stored), stored: hex::encode(stored) }
        };
        let told = |identity: &Identity| IdentityVector {
            secret: identity.0.to_string().expose_secret().to_owned(),
            recipient: identity.recipient().unwrap(),
        };
        let pieces = vec![piece("{\"role\":\"user\",\"text\":\"Grüße\"}\n".to_owned()), piece("{}\n".repeat(300))];
        let vectors = Vectors { identities: identities.iter().map(told).collect(), pieces };
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/encryption.json");
        std::fs::write(path, serde_json::to_vec_pretty(&vectors).unwrap()).unwrap();
    }

    #[test]
    fn the_vectors_of_encryption_read_back() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/encryption.json");
        let vectors: Vectors = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        assert_eq!((vectors.identities.len(), vectors.pieces.len()), (2, 2));
        for PieceVector { text, sha256, stored } in &vectors.pieces {
            let stored = hex::decode(stored).unwrap();
            assert_eq!(Digest::of(&stored), *sha256);
            for IdentityVector { secret, recipient } in &vectors.identities {
                let identity = Identity(secret.parse().unwrap());
                assert_eq!(identity.recipient().unwrap(), *recipient);
                let read = Reader::of(identity).decrypt(&stored, text.len()).unwrap();
                assert_eq!(read.as_deref(), Some(text.as_bytes()));
            }
        }
    }

    #[test]
    fn an_identity_stays_and_is_its_users_alone() {
        let dir = tempfile::tempdir().unwrap();
        let key = dir.path().join("0123.key");
        let made = Identity::beside(&key).unwrap().recipient().unwrap();
        assert_eq!(Identity::beside(&key).unwrap().recipient().unwrap(), made);
        let path = dir.path().join("0123.age");
        assert!(files::mode(&path).is_none_or(|mode| mode & 0o777 == 0o600));
        // An older key's identity in the same folder still reads.
        let stored = encrypt(b"old", &[made]).unwrap();
        let reader = Reader::beside(&dir.path().join("4567.key"));
        assert_eq!(reader.decrypt(&stored, 10).unwrap(), Some(b"old".to_vec()));
        assert_eq!(format!("{reader:?}"), "1 identities");
        std::fs::write(&path, "# nothing\n").unwrap();
        let error = Identity::beside(&key).err().unwrap().to_string();
        assert!(error.contains("0123.age") && error.contains("age identity"), "{error}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
            assert!(matches!(Identity::beside(&key), Err(SigningError::Exposed(_))));
        }
    }
}

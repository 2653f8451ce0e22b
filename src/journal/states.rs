//! File states: bytes that files had, kept by their SHA-256 in `states/<2 hex>/<62 hex>`.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::digest::Digest;
use crate::git::locate::path_to_bytes;
use crate::host::files;
use crate::session::event::GapKind;

/// A larger file has no state kept.
pub const FILE_LIMIT: u64 = 5 << 20;

/// The store of one repository.
#[derive(Debug, Clone)]
pub struct States {
    dir: PathBuf,
}

impl States {
    pub(super) fn in_dir(dir: PathBuf) -> States {
        States { dir }
    }

    fn file(&self, digest: &Digest) -> PathBuf {
        let hex = digest.to_string();
        self.dir.join(&hex[..2]).join(&hex[2..])
    }

    /// Keeps `bytes`; what is kept already is not written again.
    pub fn keep(&self, bytes: &[u8]) -> io::Result<Digest> {
        let digest = Digest::of(bytes);
        let file = self.file(&digest);
        if fs::symlink_metadata(&file).is_ok_and(|meta| meta.len() == bytes.len() as u64) {
            return Ok(digest);
        }
        match files::replace_private(&file, bytes) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                files::create_private_dir(file.parent().unwrap_or(&self.dir))?;
                files::replace_private(&file, bytes)?;
            }
            other => other?,
        }
        Ok(digest)
    }

    /// The bytes of a state; `None` if it is not here. Bytes that are not what their name says are an error.
    pub fn load(&self, digest: &Digest) -> io::Result<Option<Vec<u8>>> {
        let file = self.file(digest);
        match files::read_if_exists(&file)? {
            Some(bytes) if Digest::of(&bytes) != *digest => {
                Err(io::Error::new(io::ErrorKind::InvalidData, format!("{} is damaged", file.display())))
            }
            other => Ok(other),
        }
    }

    /// When a state was first kept, by the file system's clock.
    pub fn kept_at(&self, digest: &Digest) -> Option<SystemTime> {
        fs::symlink_metadata(self.file(digest)).ok()?.modified().ok()
    }

    /// Keeps what a file holds now: its bytes, or, of a symbolic link, where it points, as git does. `None` if there is
    /// no such file.
    pub fn keep_file(&self, path: &Path) -> Result<Option<Digest>, Missed> {
        let meta = match fs::symlink_metadata(path) {
            Ok(meta) => meta,
            // A file above it, where a folder would be, means that there is none either.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(_) => return Err(Missed::Unreadable),
        };
        let bytes = if meta.is_symlink() {
            fs::read_link(path).ok().and_then(|target| path_to_bytes(&target)).ok_or(Missed::Unreadable)?
        } else if meta.is_file() {
            // A pipe or a device is no file: reading it might never end.
            read_limited(path, meta.len())?
        } else {
            return Err(Missed::Unreadable);
        };
        self.keep(&bytes).map(Some).map_err(Missed::NotKept)
    }
}

fn read_limited(path: &Path, expected: u64) -> Result<Vec<u8>, Missed> {
    if expected > FILE_LIMIT {
        return Err(Missed::Oversize);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or(0));
    let file = fs::File::open(path).map_err(|_| Missed::Unreadable)?;
    // It may be growing while we read it.
    file.take(FILE_LIMIT + 1).read_to_end(&mut bytes).map_err(|_| Missed::Unreadable)?;
    if bytes.len() as u64 > FILE_LIMIT { Err(Missed::Oversize) } else { Ok(bytes) }
}

/// Why a file has no state.
#[derive(Debug, thiserror::Error)]
pub enum Missed {
    #[error("the file is too large")]
    Oversize,
    #[error("the file cannot be read")]
    Unreadable,
    #[error("the file's bytes cannot be kept")]
    NotKept(#[source] io::Error),
}

impl Missed {
    /// The gap that it is.
    pub fn gap(&self) -> GapKind {
        match self {
            Missed::Oversize => GapKind::FileOversize,
            Missed::Unreadable | Missed::NotKept(_) => GapKind::FileUnreadable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_kept_once_and_found_again() {
        let dir = tempfile::tempdir().unwrap();
        let states = States::in_dir(dir.path().join("states"));
        let digest = states.keep(b"hello").unwrap();
        assert_eq!(digest, Digest::of(b"hello"));
        assert_eq!(states.keep(b"hello").unwrap(), digest);
        assert_eq!(states.load(&digest).unwrap().unwrap(), b"hello");
        assert_eq!(states.load(&Digest::of(b"other")).unwrap(), None);
        let file = states.file(&digest);
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "no temporary file stays");

        // A file that a crash left short is written again; one that was changed is not believed.
        fs::write(&file, b"hel").unwrap();
        assert!(states.load(&digest).is_err());
        states.keep(b"hello").unwrap();
        assert_eq!(states.load(&digest).unwrap().unwrap(), b"hello");
    }

    #[test]
    fn what_is_no_file_of_sensible_size_is_missed() {
        let dir = tempfile::tempdir().unwrap();
        let states = States::in_dir(dir.path().join("states"));
        let at = |name: &str| dir.path().join(name);
        let large = fs::File::create(at("large")).unwrap();
        large.set_len(FILE_LIMIT).unwrap();
        assert!(states.keep_file(&at("large")).is_ok());
        large.set_len(FILE_LIMIT + 1).unwrap();
        assert!(matches!(states.keep_file(&at("large")), Err(Missed::Oversize)));
        assert!(matches!(states.keep_file(dir.path()), Err(Missed::Unreadable)));
        assert_eq!(states.keep_file(&at("none")).unwrap(), None);
        assert_eq!(states.keep_file(&at("large/none")).unwrap(), None);
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("large", at("link")).unwrap();
            assert_eq!(states.keep_file(&at("link")).unwrap(), Some(Digest::of(b"large")));
            // A pipe that nobody writes to would hold us for ever.
            let made = std::os::unix::net::UnixListener::bind(at("socket"));
            assert!(made.is_ok() && matches!(states.keep_file(&at("socket")), Err(Missed::Unreadable)));
        }
    }
}

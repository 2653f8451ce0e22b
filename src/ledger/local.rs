//! What this clone remembers beside its refs, changed together with a ref or not at all.
//!
//! A change is written down first (`pending.json`), then the ref moves, then the change is made and the note
//! removed. Whoever takes the lock next finds the note: if the ref's tip is the record it names, the change is
//! made now; if not, the ref never moved and the note is dropped. Both are safe to do twice.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::host::files;
use crate::id::{GitId, RecordId};
use crate::ledger::LedgerError;

/// Files of this clone to change, relative to `<common>/tracevault`.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub struct Changes {
    /// Files to replace: path, base64 of the bytes.
    replace: Vec<(PathBuf, String)>,
    /// Files to append to: path, the length they have now, base64 of the bytes.
    append: Vec<(PathBuf, u64, String)>,
}

#[derive(Serialize, Deserialize)]
struct Pending {
    record: RecordId,
    changes: Changes,
}

/// The folder `<common>/tracevault`.
pub struct Local<'a> {
    dir: &'a Path,
}

/// Commits that this clone has recorded, a line each: commit id, space, record id.
pub const RECORDED: &str = "recorded";
const PENDING: &str = "pending.json";

impl Changes {
    /// Replaces a file.
    pub fn replace(&mut self, path: impl Into<PathBuf>, bytes: &[u8]) {
        self.replace.push((path.into(), STANDARD.encode(bytes)));
    }
}

impl<'a> Local<'a> {
    pub fn new(dir: &'a Path) -> Self {
        Local { dir }
    }

    fn failed(&self, path: &Path, source: std::io::Error) -> LedgerError {
        LedgerError::File { path: self.dir.join(path), source }
    }

    /// Notes an append to a file in `changes`.
    pub fn append(&self, changes: &mut Changes, path: impl Into<PathBuf>, bytes: &[u8]) -> Result<(), LedgerError> {
        let path = path.into();
        let length = match std::fs::metadata(self.dir.join(&path)) {
            Ok(meta) => meta.len(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
            Err(error) => return Err(self.failed(&path, error)),
        };
        changes.append.push((path, length, STANDARD.encode(bytes)));
        Ok(())
    }

    /// Writes down what is to be changed when `record` is the chain's tip.
    pub fn prepare(&self, record: RecordId, changes: Changes) -> Result<(), LedgerError> {
        let failed = |error| self.failed(Path::new(PENDING), error);
        let bytes = serde_json::to_vec(&Pending { record, changes }).map_err(|error| failed(error.into()))?;
        files::replace_private(&self.dir.join(PENDING), &bytes).map_err(failed)
    }

    /// Makes the change that was written down, if `tip` is the record it goes with; forgets it in any case.
    pub fn settle(&self, tip: Option<RecordId>) -> Result<(), LedgerError> {
        let failed = |error| self.failed(Path::new(PENDING), error);
        let Some(bytes) = files::read_if_exists(&self.dir.join(PENDING)).map_err(failed)? else { return Ok(()) };
        // The note is replaced whole, so only a power failure leaves one that cannot be read. The chain is sound
        // without it, and must go on: at worst some events are recorded a second time.
        if let Ok(pending) = serde_json::from_slice::<Pending>(&bytes)
            && tip == Some(pending.record)
        {
            self.apply(&pending.changes)?;
        }
        std::fs::remove_file(self.dir.join(PENDING)).map_err(failed)
    }

    fn apply(&self, changes: &Changes) -> Result<(), LedgerError> {
        let decode = |path: &Path, text: &str| {
            STANDARD.decode(text).map_err(|error| self.failed(path, std::io::Error::other(error)))
        };
        for (path, text) in &changes.replace {
            let bytes = decode(path, text)?;
            self.make_folder(path)?;
            files::replace_private(&self.dir.join(path), &bytes).map_err(|error| self.failed(path, error))?;
        }
        for (path, length, text) in &changes.append {
            let bytes = decode(path, text)?;
            self.make_folder(path)?;
            let write = || -> std::io::Result<()> {
                let mut file =
                    files::private_options().write(true).create(true).truncate(false).open(self.dir.join(path))?;
                file.set_len(*length)?;
                file.seek(SeekFrom::Start(*length))?;
                file.write_all(&bytes)
            };
            write().map_err(|error| self.failed(path, error))?;
        }
        Ok(())
    }

    fn make_folder(&self, path: &Path) -> Result<(), LedgerError> {
        match self.dir.join(path).parent() {
            Some(dir) => files::create_private_dir(dir).map_err(|error| self.failed(path, error)),
            None => Ok(()),
        }
    }

    /// Whether there is a change that was written down and may not be made yet.
    pub fn is_pending(&self) -> bool {
        self.dir.join(PENDING).exists()
    }

    /// Reads a file of this clone's, if it is there.
    pub fn read(&self, path: impl AsRef<Path>) -> Result<Option<Vec<u8>>, LedgerError> {
        let path = path.as_ref();
        files::read_if_exists(&self.dir.join(path)).map_err(|error| self.failed(path, error))
    }

    /// The record that this clone has made of a commit.
    pub fn recorded(&self, commit: &GitId) -> Result<Option<RecordId>, LedgerError> {
        let text = self.read(RECORDED)?.unwrap_or_default();
        let wanted = commit.as_str().as_bytes();
        // Newest last, and it is mostly the newest that is asked for.
        let found = text.rsplit(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(wanted)?.strip_prefix(b" "));
        Ok(found.and_then(|id| std::str::from_utf8(id).ok()).and_then(|id| id.parse().ok()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    fn id(text: &str) -> RecordId {
        RecordId(Digest::of(text.as_bytes()))
    }

    #[test]
    fn a_change_is_made_with_its_record_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let local = Local::new(dir.path());
        let prepare = |record: &str, cursor: &[u8], line: &[u8]| {
            let mut changes = Changes::default();
            changes.replace("sessions/a/cursor", cursor);
            local.append(&mut changes, "log", line).unwrap();
            local.prepare(id(record), changes).unwrap();
        };
        let seen = || (local.read("sessions/a/cursor").unwrap(), local.read("log").unwrap());

        prepare("one", b"1", b"one\n");
        local.settle(Some(id("another"))).unwrap();
        assert_eq!(seen(), (None, None));

        prepare("one", b"1", b"one\n");
        local.settle(Some(id("one"))).unwrap();
        assert_eq!(seen(), (Some(b"1".to_vec()), Some(b"one\n".to_vec())));
        local.settle(Some(id("one"))).unwrap();

        // Killed in the middle of the change: doing it again gives the same.
        prepare("two", b"2", b"two\n");
        let note = std::fs::read(dir.path().join(PENDING)).unwrap();
        local.settle(Some(id("two"))).unwrap();
        std::fs::write(dir.path().join(PENDING), note).unwrap();
        local.settle(Some(id("two"))).unwrap();
        assert_eq!(seen(), (Some(b"2".to_vec()), Some(b"one\ntwo\n".to_vec())));
    }

    #[test]
    fn a_note_that_a_power_failure_cut_short_stops_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let local = Local::new(dir.path());
        std::fs::write(dir.path().join(PENDING), b"{\"record\":").unwrap();
        local.settle(Some(id("one"))).unwrap();
        assert_eq!(local.read(PENDING).unwrap(), None);
    }

    #[test]
    fn recorded_commits_are_found_by_their_whole_id() {
        let dir = tempfile::tempdir().unwrap();
        let local = Local::new(dir.path());
        let (a, b): (GitId, GitId) = ("a".repeat(40).parse().unwrap(), "b".repeat(40).parse().unwrap());
        assert_eq!(local.recorded(&a).unwrap(), None);
        std::fs::write(dir.path().join(RECORDED), format!("{a} {}\n", id("x"))).unwrap();
        assert_eq!(local.recorded(&a).unwrap(), Some(id("x")));
        assert_eq!(local.recorded(&b).unwrap(), None);
    }
}

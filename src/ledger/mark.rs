//! How far a key has written, kept beside the key and so outside of every repository: a copy of a clone, or one that a
//! backup brought back, must not write the same number twice.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::chain::Head;
use crate::host::files;
use crate::id::RecordId;

/// No mark is longer.
const MAX_BYTES: u64 = 1024;

/// The last record that was written with a key on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub seq: u64,
    pub id: RecordId,
}

impl Mark {
    /// The mark of the key in this file; `None` if it has written nothing, or none could be kept.
    pub fn read(key: &Path) -> Option<Mark> {
        let bytes = files::read_small(&file(key), MAX_BYTES).ok().flatten()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Keeps it in the place of the one before. That it cannot be (a key that lies in a folder that is not ours to write)
    /// costs a warning that nobody else gives, no record.
    pub fn keep(self, key: &Path) {
        let written = || -> io::Result<()> {
            let mut options = files::private_options();
            let mut file = options.create(true).write(true).truncate(true).open(file(key))?;
            file.write_all(&serde_json::to_vec(&self)?)
        };
        drop(written());
    }

    /// Whether a chain with this head has all that the key wrote.
    pub fn is_in(self, head: Option<&Head>) -> bool {
        head.is_some_and(|head| self.seq < head.seq || (self.seq == head.seq && self.id == head.id))
    }
}

fn file(key: &Path) -> PathBuf {
    key.with_extension("head")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    fn head(seq: u64, id: &str) -> Head {
        let id = RecordId(Digest::of(id.as_bytes()));
        Head { seq, id, time: crate::time::Time::default(), policy: None, seal: None, closed: false }
    }

    #[test]
    fn a_chain_that_lacks_what_its_key_wrote_is_told() {
        let mark = Mark { seq: 3, id: head(3, "three").id };
        assert!(mark.is_in(Some(&head(3, "three"))) && mark.is_in(Some(&head(4, "four"))));
        assert!(!mark.is_in(Some(&head(3, "another"))) && !mark.is_in(Some(&head(2, "two"))) && !mark.is_in(None));
    }

    #[test]
    fn marks_are_kept_beside_the_key() {
        let dir = tempfile::tempdir().unwrap();
        let key = dir.path().join("ab.key");
        assert_eq!(Mark::read(&key), None);
        let marks = [Mark { seq: 10, id: head(10, "x").id }, Mark { seq: 3, id: head(3, "y").id }];
        for mark in marks {
            mark.keep(&key);
            assert_eq!(Mark::read(&key), Some(mark));
        }
        std::fs::write(dir.path().join("ab.head"), "{\"seq\":1").unwrap();
        assert_eq!(Mark::read(&key), None, "a crash cut it short");
        marks[0].keep(&dir.path().join("none/ab.key"));
    }
}

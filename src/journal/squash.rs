//! The branch that was last squashed into the files here: of a commit's parents it is none, and git forgets it.

use std::io;
use std::path::PathBuf;

use super::Journal;
use crate::host::files;
use crate::id::GitId;

const MAX_BYTES: u64 = 1 << 10;

/// A `merge --squash` that went through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Squash {
    /// When it was done, in milliseconds since 1970.
    pub at: i64,
    /// The commit that it was done on.
    pub head: GitId,
    /// The last commit of the branch.
    pub tip: GitId,
}

impl Journal {
    pub(super) fn squash_file(&self) -> PathBuf {
        self.dir.join("squash")
    }

    /// Notes a squash in place of the one before it.
    pub fn note_squash(&self, squash: &Squash) -> io::Result<()> {
        let Squash { at, head, tip } = squash;
        files::replace_private(&self.squash_file(), format!("{at} {head} {tip}\n").as_bytes())
    }

    /// The last squash; none where what is noted cannot be read.
    pub fn squash(&self) -> Option<Squash> {
        let bytes = files::read_small(&self.squash_file(), MAX_BYTES).ok()??;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let mut fields = text.split_whitespace();
        let at = fields.next()?.parse().ok()?;
        Some(Squash { at, head: fields.next()?.parse().ok()?, tip: fields.next()?.parse().ok()? })
    }
}

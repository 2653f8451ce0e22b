//! The lines that a commit's files lose: some of them may stand in its other files now.

use std::collections::{BTreeSet, HashMap};

use crate::attribution::lines;
use crate::git::diff::FileChange;
use crate::git::repo::Repo;
use crate::ledger::attribute::before_bytes;
use crate::ledger::edited::Edited;

/// Which files of a commit had which telling lines before it, of those that were edited and lose any.
pub struct Lost {
    by_line: HashMap<Vec<u8>, Vec<usize>>,
}

impl Lost {
    pub fn of(repo: &Repo, files: &[FileChange], edits: &Edited) -> Self {
        let mut by_line: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
        let loses = |file: &FileChange| file.removed > 0 || file.blob.is_none();
        let edited = |file: &FileChange| edits.all_of(file).next().is_some();
        for (at, file) in files.iter().enumerate().filter(|(_, file)| loses(file) && edited(file)) {
            for line in lines::split(&before_bytes(repo, file)).filter(|line| lines::is_telling(line)) {
                let had = by_line.entry(lines::trimmed(line)).or_default();
                if had.last() != Some(&at) {
                    had.push(at);
                }
            }
        }
        Lost { by_line }
    }

    /// The files that had one of these lines, in their order.
    pub fn by<'a>(&self, lines: impl Iterator<Item = &'a [u8]>) -> BTreeSet<usize> {
        lines.filter_map(|line| self.by_line.get(line.trim_ascii())).flatten().copied().collect()
    }
}

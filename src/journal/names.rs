//! The names that files had before: of a file that was renamed, the edits under its old name count too.

use std::io;
use std::path::PathBuf;

use super::Journal;
use super::reader::Reader;
use crate::digest::Digest;
use crate::host::files;
use crate::id::RepoPath;
use crate::session::edit::Edit;

/// How many names back to go, and how large a list of names may be.
const MAX_NAMES: usize = 16;
const MAX_BYTES: u64 = 1 << 20;

impl Journal {
    fn names_file(&self, path: &RepoPath) -> PathBuf {
        let name = Digest::of(path.as_str().as_bytes()).to_string();
        self.dir.join("files").join(&name[..2]).join(format!("{}.names", &name[2..32]))
    }

    /// Notes that a file had another name until `at` (milliseconds since 1970), if anything is known under that name.
    pub fn renamed(&self, from: &RepoPath, to: &RepoPath, at: i64) -> io::Result<()> {
        if !self.file_events(from).exists() && !self.names_file(from).exists() {
            return Ok(());
        }
        let file = self.names_file(to);
        file.parent().map_or(Ok(()), files::create_private_dir)?;
        files::append_private(&file, format!("{at} {from}\n").as_bytes())
    }

    /// The edits of a file under all names it had, the oldest first.
    pub fn edits(&self, path: &RepoPath) -> io::Result<Vec<Edit>> {
        let mut edits = self.edits_under(path)?;
        let mut open = vec![(path.clone(), i64::MAX)];
        let mut seen = 0;
        while let Some((path, until)) = open.pop() {
            for (at, former) in self.former_names(&path)? {
                seen += 1;
                if seen > MAX_NAMES {
                    break;
                }
                // What was done to the old name later was done to another file.
                let until = at.min(until);
                edits.extend(self.edits_under(&former)?.into_iter().filter(|edit| edit.at <= until));
                open.push((former, until));
            }
        }
        edits.sort_by_key(|edit| edit.at);
        edits.dedup();
        Ok(edits)
    }

    /// The files that were edited last, the newest first, at most so many.
    pub fn recent_files(&self, most: usize) -> io::Result<Vec<RepoPath>> {
        let mut files = Vec::new();
        for folder in std::fs::read_dir(self.dir.join("files"))?.flatten() {
            for file in std::fs::read_dir(folder.path())?.flatten() {
                if file.path().extension().is_some_and(|extension| extension == "jsonl") {
                    files.push((file.metadata()?.modified()?, file.path()));
                }
            }
        }
        files.sort_unstable_by(|a, b| b.cmp(a));
        let mut paths = Vec::new();
        for (_, file) in files.into_iter().take(most) {
            let mut events = Reader::open(&file, 0)?.filter_map(|(_, event)| event.ok());
            let state = events.find_map(|event| event.files.into_iter().chain(event.before).next());
            paths.extend(state.map(|state| state.path));
        }
        Ok(paths)
    }

    fn former_names(&self, path: &RepoPath) -> io::Result<Vec<(i64, RepoPath)>> {
        let bytes = files::read_small(&self.names_file(path), MAX_BYTES)?.unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let name = |line: &str| {
            let (at, name) = line.split_once(' ')?;
            Some((at.parse().ok()?, name.parse().ok()?))
        };
        Ok(text.lines().filter_map(name).collect())
    }
}

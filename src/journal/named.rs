//! Where a file is that a tool call names: in which repository and under which path.

use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::git::locate::{Location, path_to_bytes, resolve_parent};
use crate::id::RepoPath;

/// A file in a work tree. It need not exist, nor need the folders above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedFile {
    pub location: Location,
    pub path: RepoPath,
    /// Its real path on disk.
    pub file: PathBuf,
}

impl NamedFile {
    /// The file that `path`, absolute, names; none if that is in no work tree.
    pub fn at(path: &Path) -> Option<NamedFile> {
        // A tool that finds no folder before `..` goes by the text alone.
        let file = resolve_parent(path).or_else(|_| resolve_parent(&without_dots(path))).ok()?;
        let location = Location::of_file(&file)?;
        let inside = file.strip_prefix(location.work_tree.as_ref()?).ok()?;
        let path = RepoPath::from_bytes(&path_to_bytes(inside)?).ok()?;
        Some(NamedFile { location, path, file })
    }

    /// The file that a symbolic link leads to, which is what a tool changes that writes to the link.
    pub fn behind(path: &Path) -> Option<PathBuf> {
        if fs::symlink_metadata(path).ok()?.is_symlink() { fs::canonicalize(path).ok() } else { None }
    }
}

/// A path without `.` and `..`, whatever is on disk.
fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            // Above the root is the root.
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_taken_out_of_paths() {
        for (path, plain) in [("/a/none/../b", "/a/b"), ("/../a/./b/..", "/a"), ("/", "/")] {
            assert_eq!(without_dots(Path::new(path)), Path::new(plain));
        }
    }
}

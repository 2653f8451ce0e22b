//! Where a file is that a tool call names: in which repository and under which path.

use std::fs;
use std::path::{Path, PathBuf};

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
        let file = resolve_parent(path).ok()?;
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

//! For tests: a real repository in a temporary folder, apart from the machine's own git configuration.
#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};

use crate::git::command::Git;

/// A repository that is removed when dropped, with a folder beside it that is in no repository.
pub struct Repo {
    _dir: tempfile::TempDir,
    root: PathBuf,
    work_tree: PathBuf,
}

impl Repo {
    pub fn new() -> Repo {
        let dir = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(dir.path()).unwrap();
        let work_tree = root.join("repo");
        fs::create_dir(&work_tree).unwrap();
        let repo = Repo { _dir: dir, root, work_tree };
        repo.git(&["init", "-q", "-b", "main"]);
        repo.git(&["config", "user.name", "Tess"]);
        repo.git(&["config", "user.email", "tess@example.com"]);
        repo
    }

    /// The work tree.
    pub fn path(&self) -> &Path {
        &self.work_tree
    }

    /// The folder that holds the work tree: in no repository.
    pub fn outside(&self) -> &Path {
        &self.root
    }

    /// The work tree's own name.
    pub fn name(&self) -> &str {
        "repo"
    }

    /// Runs git in the work tree.
    pub fn git(&self, args: &[&str]) -> String {
        self.git_in(&self.work_tree, args)
    }

    /// Runs git somewhere else.
    pub fn git_in(&self, dir: &Path, args: &[&str]) -> String {
        Git::in_dir(dir)
            .without_hook_env()
            .env("HOME", &self.root)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .args(args)
            .run()
            .unwrap()
            .text()
    }

    /// Writes a file in the work tree, with the folders above it.
    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let file = self.work_tree.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        file
    }

    /// Writes a file and commits it.
    pub fn commit(&self, path: &str, text: impl AsRef<[u8]>) {
        self.write(path, text);
        self.git(&["add", "-f", "--", path]);
        self.git(&["commit", "-q", "-m", &format!("change {path}")]);
    }
}

//! Where a repository's hooks are, and whose folder that is.

use std::path::{Path, PathBuf};

use crate::git::command::{Git, GitError};

/// A repository's folders that setup looks at, all absolute.
#[derive(Debug)]
pub struct Place {
    /// The work tree's top (the repository itself if it is bare).
    pub top: PathBuf,
    /// Git's folder that all work trees share.
    pub common: PathBuf,
    /// Where git looks for hooks: `core.hooksPath`, or `hooks` in its own folder.
    pub hooks: PathBuf,
}

/// Whose the hooks folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location {
    /// Git's own folder: this clone's alone.
    Private,
    /// The work tree: it may be committed.
    Worktree,
    /// Somewhere else: other repositories may use it too.
    Outside,
}

impl Place {
    /// The place of the repository that `dir` is in.
    pub fn find(dir: &Path) -> Result<Place, GitError> {
        Place::find_with(dir, Git::in_dir)
    }

    /// The same with a git of the caller's making.
    pub fn find_with(dir: &Path, git: impl Fn(&Path) -> Git) -> Result<Place, GitError> {
        let top = git(dir).args(["rev-parse", "--show-toplevel"]).answer()?;
        let top = match top.code {
            Some(0) => top.text(),
            _ => git(dir).args(["rev-parse", "--absolute-git-dir"]).run()?.text(),
        };
        let top = PathBuf::from(top);
        let ask = |args: &[&str]| Ok(top.join(git(&top).arg("rev-parse").args(args).run()?.text()));
        let common = ask(&["--git-common-dir"])?;
        let hooks = ask(&["--git-path", "hooks"])?;
        Ok(Place { top, common, hooks })
    }

    pub fn location(&self) -> Location {
        let hooks = resolved(&self.hooks);
        if hooks.starts_with(resolved(&self.common)) {
            Location::Private
        } else if hooks.starts_with(resolved(&self.top)) {
            Location::Worktree
        } else {
            Location::Outside
        }
    }
}

/// The path without links, also of what is not there yet.
fn resolved(path: &Path) -> PathBuf {
    match (path.canonicalize(), path.parent(), path.file_name()) {
        (Ok(path), ..) => path,
        (Err(_), Some(parent), Some(name)) => resolved(parent).join(name),
        _ => path.to_owned(),
    }
}

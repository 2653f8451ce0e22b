//! Setup: puts hooks into git, takes them out again, tells what is missing. (Agents have theirs: `agent`.)

pub mod doctor;
mod git_hooks;
mod managers;
mod place;

use std::io;
use std::path::{Path, PathBuf};

use crate::git::command::GitError;
use crate::setup::git_hooks::Script;
use crate::setup::managers::Manager;
use crate::setup::place::{Location, Place};

/// A git hook of ours in a clone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hook {
    PostCommit,
    PostMerge,
    PostRewrite,
    PrePush,
}

impl Hook {
    pub const ALL: [Hook; 4] = [Hook::PostCommit, Hook::PostMerge, Hook::PostRewrite, Hook::PrePush];

    /// The name git calls it by.
    pub fn name(self) -> &'static str {
        match self {
            Hook::PostCommit => "post-commit",
            Hook::PostMerge => "post-merge",
            Hook::PostRewrite => "post-rewrite",
            Hook::PrePush => "pre-push",
        }
    }
}

/// What there is of a hook of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookState {
    /// Git calls it, and it is the one we would install.
    Current,
    /// It is another version's, calls another program, or cannot be run.
    Outdated,
    Missing,
}

/// What was done, and what is left for the user to do.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Files that were made, changed, moved or removed.
    pub changed: Vec<PathBuf>,
    /// Sentences (with lines to copy) on what we must not do ourselves.
    pub advice: Vec<String>,
}

/// Hooks that could not be put in or taken out.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("cannot tell where this repository's hooks are")]
    Git(#[from] GitError),
    #[error("cannot change {}", path.display())]
    File { path: PathBuf, source: io::Error },
}

impl SetupError {
    fn file(path: &Path) -> impl FnOnce(io::Error) -> SetupError {
        |source| SetupError::File { path: path.to_owned(), source }
    }
}

/// Puts our hooks into the repository that `dir` is in, to call `program`. A second time changes nothing.
pub fn install(dir: &Path, program: &Path) -> Result<Report, SetupError> {
    install_at(&Place::find(dir)?, program)
}

/// Takes out what [`install`] put in.
pub fn uninstall(dir: &Path) -> Result<Report, SetupError> {
    uninstall_at(&Place::find(dir)?)
}

/// Puts the gate into the repository that `dir` is in, or into the `folder` where its host looks for hooks.
pub fn install_gate(dir: &Path, folder: Option<&Path>, program: &Path) -> Result<Report, SetupError> {
    let mut report = Report::default();
    git_hooks::install(&gate_folder(dir, folder)?, &Script::gate(program), &mut report)?;
    Ok(report)
}

/// Takes out what [`install_gate`] put in.
pub fn uninstall_gate(dir: &Path, folder: Option<&Path>) -> Result<Report, SetupError> {
    let mut report = Report::default();
    git_hooks::uninstall(&gate_folder(dir, folder)?, git_hooks::GATE, &mut report)?;
    Ok(report)
}

/// Where the gate goes: some hosts (Gitea, Forgejo) write hooks of their own anew, which run what is in a folder beside them.
fn gate_folder(dir: &Path, folder: Option<&Path>) -> Result<PathBuf, SetupError> {
    if let Some(folder) = folder {
        return Ok(folder.to_owned());
    }
    let hooks = Place::find(dir)?.hooks;
    let beside = hooks.join("pre-receive.d");
    Ok(if beside.is_dir() { beside } else { hooks })
}

fn install_at(place: &Place, program: &Path) -> Result<Report, SetupError> {
    let mut report = Report::default();
    let manager = managers::detect(place);
    match (&manager, place.location()) {
        (Some(Manager::Husky { scripts }), _) => {
            for hook in Hook::ALL {
                managers::add_block(scripts, hook, &mut report)?;
            }
        }
        (_, Location::Outside) => report.advice.push(managers::shared_folder_advice(&place.hooks)),
        (_, location) => {
            for hook in Hook::ALL {
                // What stands in the work tree may be committed: no path of this machine goes into it.
                let program = (location == Location::Private).then_some(program);
                git_hooks::install(&place.hooks, &Script::of(hook, program), &mut report)?;
            }
        }
    }
    report.advice.extend(manager.and_then(|manager| managers::advice(&manager, place)));
    Ok(report)
}

fn uninstall_at(place: &Place) -> Result<Report, SetupError> {
    let mut report = Report::default();
    if let Some(Manager::Husky { scripts }) = managers::detect(place) {
        for hook in Hook::ALL {
            managers::remove_block(&scripts, hook, &mut report)?;
        }
    }
    // Also where hooks of ours stand that git does not call now, as husky came later.
    let mut folders = vec![place.common.join("hooks")];
    if place.location() == Location::Worktree {
        folders.push(place.hooks.clone());
    }
    for folder in folders {
        for hook in Hook::ALL {
            git_hooks::uninstall(&folder, hook.name(), &mut report)?;
        }
    }
    Ok(report)
}

fn state_at(place: &Place, program: &Path, hook: Hook) -> HookState {
    match (managers::detect(place), place.location()) {
        (Some(Manager::Husky { scripts }), _) => managers::block_state(&scripts, hook),
        (_, Location::Outside) => managers::mention_state(&place.hooks, hook),
        (_, location) => {
            let program = (location == Location::Private).then_some(program);
            git_hooks::state(&place.hooks, &Script::of(hook, program))
        }
    }
}

#[cfg(test)]
mod tests;

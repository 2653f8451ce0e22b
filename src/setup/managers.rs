//! Programs that manage git hooks: husky, lefthook, pre-commit. What each does to hooks it finds, and what that asks of us.
//!
//! husky (9) points `core.hooksPath` at `.husky/_`, which it writes anew, and runs `.husky/<hook>` with `sh -e`; before
//! version 9 `core.hooksPath` was `.husky` itself. lefthook writes the hooks its configuration names and puts others' aside as
//! `<hook>.old`, which nobody calls. pre-commit puts them aside as `<hook>.legacy` and calls them first.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::host::files;
use crate::setup::place::{Location, Place};
use crate::setup::{Hook, HookState, Report, SetupError};

/// A hook manager that this repository uses.
#[derive(Debug, PartialEq, Eq)]
pub enum Manager {
    /// With the folder that holds the user's scripts.
    Husky {
        scripts: PathBuf,
    },
    /// With its configuration file.
    Lefthook {
        config: PathBuf,
    },
    PreCommit,
}

/// The manager this repository uses, if any.
pub fn detect(place: &Place) -> Option<Manager> {
    let is = |dir: &Path, file: &str| dir.join(file).is_file();
    if place.location() == Location::Outside {
        return None;
    }
    if place.hooks.ends_with("_") && (is(&place.hooks, "h") || is(&place.hooks, "husky.sh")) {
        let scripts = place.hooks.parent()?.to_owned();
        return Some(Manager::Husky { scripts });
    }
    if place.hooks.ends_with(".husky") || is(&place.hooks, "_/husky.sh") {
        return Some(Manager::Husky { scripts: place.hooks.clone() });
    }
    let names = ["lefthook", ".lefthook", ".config/lefthook"];
    let endings = ["yml", "yaml", "toml", "json", "jsonc"];
    let configs = names.iter().flat_map(|name| endings.map(|ending| format!("{name}.{ending}")));
    if let Some(config) = configs.map(|name| place.top.join(name)).find(|file| file.is_file()) {
        return Some(Manager::Lefthook { config });
    }
    is(&place.top, ".pre-commit-config.yaml").then_some(Manager::PreCommit)
}

const BLOCK: &str = include_str!("../../hooks/husky-block.sh");
const OPEN: &str = "# >>> git-tracevault: `git tracevault init --uninstall` takes this out";
/// The same in a file that we made.
const OPEN_MADE: &str = "# >>> git-tracevault: `git tracevault init --uninstall` takes this file out";
const CLOSE: &str = "# <<< git-tracevault";
const SHEBANG: &str = "#!/bin/sh\n";

fn block(open: &str, hook: Hook) -> String {
    format!("{open}\n{}{CLOSE}", BLOCK.replace("@HOOK@", hook.name()))
}

/// Our block in a script: from the first byte of its first line to the last of its last, without the newline.
struct Found {
    at: Range<usize>,
    open: &'static str,
}

/// Scripts are bytes: a comment of the user's need not be UTF-8.
fn find_block(script: &[u8]) -> Option<Found> {
    let find = |part: &str, from: usize| {
        let found = script[from..].windows(part.len()).position(|window| window == part.as_bytes());
        found.map(|at| from + at)
    };
    let (start, open) = [OPEN, OPEN_MADE].into_iter().find_map(|open| Some((find(open, 0)?, open)))?;
    Some(Found { at: start..find(CLOSE, start)? + CLOSE.len(), open })
}

/// Adds our block at the end of husky's script for a hook, making the script if there is none.
pub fn add_block(scripts: &Path, hook: Hook, report: &mut Report) -> Result<(), SetupError> {
    let path = scripts.join(hook.name());
    let script = files::read_if_exists(&path).map_err(SetupError::file(&path))?;
    let written = match script {
        None => files::replace_program(&path, format!("{SHEBANG}{}\n", block(OPEN_MADE, hook)).as_bytes()),
        Some(script) => match find_block(&script) {
            Some(Found { at, open }) => {
                let current = block(open, hook);
                if &script[at.clone()] == current.as_bytes() {
                    return Ok(());
                }
                let new = [&script[..at.start], current.as_bytes(), &script[at.end..]].concat();
                files::replace_keeping_mode(&path, &new)
            }
            None => {
                report.advice.extend(unreachable_end(&path, &script));
                // A script without a newline at its end gets our block without one: that is how it is told apart.
                let block = block(OPEN, hook);
                let ends = script.is_empty() || script.ends_with(b"\n");
                let new = if ends { format!("{block}\n") } else { format!("\n{block}") };
                files::replace_keeping_mode(&path, &[&script, new.as_bytes()].concat())
            }
        },
    };
    written.map_err(SetupError::file(&path))?;
    report.changed.push(path);
    Ok(())
}

/// What to say of a script that ends before our block would run.
fn unreachable_end(path: &Path, script: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(script);
    let last = text.lines().rfind(|line| !line.trim().is_empty())?.trim();
    let leaves = ["exit", "exec"].contains(&last.split_whitespace().next()?);
    leaves.then(|| format!("{} ends with `{last}`: move our lines above it, else they do not run", path.display()))
}

/// Takes our block out of husky's script, and the script if we made it and nothing was added.
pub fn remove_block(scripts: &Path, hook: Hook, report: &mut Report) -> Result<(), SetupError> {
    let path = scripts.join(hook.name());
    let script = files::read_if_exists(&path).map_err(SetupError::file(&path))?.unwrap_or_default();
    let Some(Found { at, open }) = find_block(&script) else { return Ok(()) };
    let rest = match script[at.end..].strip_prefix(b"\n") {
        Some(after) => [&script[..at.start], after].concat(),
        None => [script[..at.start].strip_suffix(b"\n").unwrap_or(&script[..at.start]), &script[at.end..]].concat(),
    };
    if open == OPEN_MADE && rest == SHEBANG.as_bytes() {
        fs::remove_file(&path).map_err(SetupError::file(&path))?;
    } else {
        files::replace_keeping_mode(&path, &rest).map_err(SetupError::file(&path))?;
    }
    report.changed.push(path);
    Ok(())
}

/// What there is of our block.
pub fn block_state(scripts: &Path, hook: Hook) -> HookState {
    let script = fs::read(scripts.join(hook.name())).unwrap_or_default();
    match find_block(&script) {
        None => mention_state(scripts, hook),
        Some(Found { at, open }) if &script[at.clone()] == block(open, hook).as_bytes() => HookState::Current,
        Some(_) => HookState::Outdated,
    }
}

/// Whether a script that is the user's calls us.
pub fn mention_state(folder: &Path, hook: Hook) -> HookState {
    let text = fs::read(folder.join(hook.name())).unwrap_or_default();
    let called = String::from_utf8_lossy(&text).contains(&format!("git-tracevault hook {}", hook.name()));
    if called { HookState::Current } else { HookState::Missing }
}

/// What to add to hooks in a folder that is not this repository's alone.
pub fn shared_folder_advice(folder: &Path) -> String {
    let lines: Vec<_> =
        Hook::ALL.iter().map(|hook| format!("  {0}: git-tracevault hook {0} \"$@\"", hook.name())).collect();
    format!(
        "core.hooksPath is {}, outside this repository, so other repositories may use it: nothing was changed there. \
         Add these lines to its hooks (outside enrolled repositories they do nothing):\n{}",
        folder.display(),
        lines.join("\n")
    )
}

/// What the user should do so that the manager's next run keeps our hooks.
pub fn advice(manager: &Manager, place: &Place) -> Option<String> {
    match manager {
        Manager::Husky { .. } => None,
        Manager::Lefthook { config } => {
            let text = fs::read_to_string(config).unwrap_or_default();
            if Hook::ALL.iter().all(|hook| text.contains(&format!("git-tracevault hook {}", hook.name()))) {
                return None;
            }
            let name = config.strip_prefix(&place.top).unwrap_or(config).display();
            Some(format!(
                "lefthook replaces the hooks that {name} names. So that it keeps ours, add (here as YAML):\n{}",
                Hook::ALL.map(lefthook_entry).concat().trim_end()
            ))
        }
        Manager::PreCommit => Some(
            "pre-commit keeps our hooks and runs them first; only after `pre-commit install --overwrite`, or after \
             installing its post-rewrite hook, run `git tracevault init` again. .pre-commit-config.yaml needs nothing."
                .to_owned(),
        ),
    }
}

fn lefthook_entry(hook: Hook) -> String {
    let name = hook.name();
    let (arguments, input) = match hook {
        Hook::PostCommit => ("", ""),
        Hook::PostMerge => (" {0}", ""),
        Hook::PostRewrite | Hook::PrePush => (" {0}", "      use_stdin: true\n"),
    };
    format!("{name}:\n  commands:\n    git-tracevault:\n      run: git-tracevault hook {name}{arguments}\n{input}")
}

//! Which of git's commands may put lines into files that stood elsewhere before.

/// Those that do: out of stashes, commits, the index, patches.
pub(super) const BRINGING: [&str; 13] = [
    "am",
    "apply",
    "checkout",
    "checkout-index",
    "cherry-pick",
    "merge",
    "pull",
    "read-tree",
    "rebase",
    "reset",
    "restore",
    "revert",
    "stash",
];

/// Those that do not. What is neither, an alias, may do anything.
const HARMLESS: [&str; 61] = [
    "add",
    "annotate",
    "archive",
    "blame",
    "branch",
    "bundle",
    "cat-file",
    "check-ignore",
    "clean",
    "clone",
    "commit",
    "commit-tree",
    "config",
    "count-objects",
    "describe",
    "diff",
    "diff-files",
    "diff-index",
    "diff-tree",
    "fetch",
    "for-each-ref",
    "format-patch",
    "fsck",
    "gc",
    "grep",
    "hash-object",
    "help",
    "init",
    "log",
    "ls-files",
    "ls-remote",
    "ls-tree",
    "maintenance",
    "merge-base",
    "mv",
    "name-rev",
    "notes",
    "prune",
    "push",
    "range-diff",
    "reflog",
    "remote",
    "repack",
    "rev-list",
    "rev-parse",
    "rm",
    "shortlog",
    "show",
    "show-ref",
    "status",
    "submodule",
    // It moves HEAD, and who looks at that knows what came with it.
    "switch",
    "symbolic-ref",
    "tag",
    "tracevault",
    "update-index",
    "update-ref",
    "var",
    "version",
    "whatchanged",
    "worktree",
];

/// Options before the command that take a word more.
const WITH_WORD: [&str; 5] = ["-C", "-c", "--git-dir", "--work-tree", "--namespace"];

/// Whether git does so with these arguments.
pub(super) fn brings<'a>(mut arguments: impl Iterator<Item = &'a str>) -> bool {
    while let Some(argument) = arguments.next() {
        if WITH_WORD.contains(&argument) {
            arguments.next();
        } else if !argument.starts_with('-') {
            return match argument {
                "checkout" => !arguments.any(makes_branch),
                _ => !HARMLESS.contains(&argument),
            };
        }
    }
    false
}

/// Whether `git checkout` with this option begins a branch where it stands: `-b`, also among others, as `-qb`.
fn makes_branch(option: &str) -> bool {
    let short = option.strip_prefix('-').filter(|letters| !letters.starts_with('-'));
    option == "--orphan" || short.is_some_and(|letters| letters.contains(['b', 'B']))
}

//! What git's commands do to the files of a work tree, by their arguments.

use super::Does::{self, Brings, Prints, Reads, Writes};
use When::{Always, First, Has, Is, OwnText};

/// When a row of the table holds.
enum When {
    Always,
    /// The first argument that is no option is one of these.
    First(&'static [&'static str]),
    /// One of these options is there.
    Has(&'static [&'static str]),
    Is(fn(&[&str]) -> bool),
    /// What it reads stands in the command itself.
    OwnText,
}

/// With these, commands that tell of changes print the changed lines.
const PATCH: &[&str] =
    &["-p", "-u", "-U", "-L", "-c", "--cc", "--patch", "--patch-with-stat", "--patch-with-raw", "--unified"];

/// With these and none of the above, those that print changed lines do not.
const TERSE: &[&str] = &[
    "-s",
    "--check",
    "--dirstat",
    "--name-only",
    "--name-status",
    "--no-patch",
    "--numstat",
    "--quiet",
    "--raw",
    "--shortstat",
    "--stat",
    "--summary",
];

/// The first row that holds counts. What is in none, an alias, may do anything.
const TABLE: &[(&[&str], When, Does)] = &[
    // Lines out of stashes, commits, the index, patches.
    (&["stash"], First(&["list", "clear", "create", "drop", "store"]), Reads),
    (&["stash"], First(&["show"]), Prints),
    (&["apply"], Has(&["--apply"]), Brings),
    (&["apply"], Has(&["--check", "--numstat", "--stat", "--summary"]), Reads),
    (&["apply"], OwnText, Writes),
    (&["am", "rebase"], Has(&["--show-current-patch"]), Prints),
    (&["rebase"], Has(&["--edit-todo"]), Reads),
    (&["reset"], Is(resets_the_index_alone), Reads),
    (&["restore"], Is(restores_the_index_alone), Reads),
    (&["checkout"], Is(makes_branch), Writes),
    (&["bisect"], First(&["log", "terms", "view", "visualize"]), Reads),
    (&["rerere"], First(&["clear", "diff", "forget", "gc", "remaining", "status"]), Reads),
    (&["sparse-checkout"], First(&["list"]), Reads),
    (&["lfs"], First(&["env", "locks", "logs", "ls-files", "status", "version"]), Reads),
    (&["lfs"], First(&["install", "track", "uninstall", "untrack"]), Writes),
    (&["am", "apply", "checkout", "checkout-index", "cherry-pick", "merge", "pull", "read-tree"], Always, Brings),
    (&["rebase", "reset", "restore", "revert", "stash"], Always, Brings),
    (&["bisect", "lfs", "rerere", "sparse-checkout"], Always, Brings),
    // Printed, they go where the output goes.
    (&["diff", "show"], Has(PATCH), Prints),
    (&["diff", "show"], Has(TERSE), Reads),
    (&["diff-files", "diff-index", "diff-tree", "log", "reflog", "whatchanged"], Has(PATCH), Prints),
    (&["diff-files", "diff-index", "diff-tree", "log", "reflog", "whatchanged"], Always, Reads),
    (&["cat-file"], Has(&["-e", "-s", "-t", "--batch-check"]), Reads),
    (&["archive"], Has(&["-l", "--list"]), Reads),
    (&["archive"], Has(&["-o"]), Brings),
    (&["format-patch"], Has(&["--stdout"]), Prints),
    (&["format-patch"], Always, Brings),
    (&["annotate", "archive", "blame", "cat-file", "diff", "show"], Always, Prints),
    // Files that come, go or move, and what comes with HEAD: who looks at that knows what came with it.
    (&["config"], Has(&["-f", "--file"]), Writes),
    (&["interpret-trailers"], Has(&["--in-place"]), Writes),
    (&["submodule"], First(&["status", "summary"]), Reads),
    (&["worktree"], First(&["list", "lock", "prune", "unlock"]), Reads),
    (&["bundle", "clean", "clone", "commit", "init", "mv", "rm", "submodule", "switch"], Always, Writes),
    (&["tracevault", "worktree"], Always, Writes),
    // The work tree is left as it is.
    (&["add", "branch", "config", "fetch", "notes", "push", "remote", "tag"], Always, Reads),
    (&["check-attr", "check-ignore", "check-mailmap", "check-ref-format", "cherry", "column"], Always, Reads),
    (&["commit-graph", "commit-tree", "count-objects", "describe", "fmt-merge-msg", "for-each-ref"], Always, Reads),
    (&["credential", "credential-cache", "credential-store", "fsck", "gc", "grep", "hash-object"], Always, Reads),
    (&["help", "interpret-trailers", "ls-files", "ls-remote", "ls-tree", "maintenance", "merge-base"], Always, Reads),
    (&["merge-tree", "mktag", "mktree", "multi-pack-index", "name-rev", "pack-refs", "patch-id"], Always, Reads),
    (&["prune", "range-diff", "repack", "request-pull", "rev-list", "rev-parse", "shortlog"], Always, Reads),
    (&["show-branch", "show-index", "show-ref", "status", "stripspace", "symbolic-ref"], Always, Reads),
    (&["update-index", "update-ref", "var", "version", "write-tree"], Always, Reads),
    (&["verify-commit", "verify-pack", "verify-tag"], Always, Reads),
];

/// Options before the command that take a word more.
const WITH_WORD: [&str; 5] = ["-C", "-c", "--git-dir", "--work-tree", "--namespace"];

/// What git does with these arguments. `own_text`: what it reads stands in the command itself.
pub(super) fn does(mut arguments: &[&str], own_text: bool) -> Does {
    while let Some((first, rest)) = arguments.split_first() {
        if !first.starts_with('-') {
            return commanded(first, rest, own_text);
        }
        arguments = rest.get(usize::from(WITH_WORD.contains(first))..).unwrap_or_default();
    }
    Reads
}

fn commanded(command: &str, arguments: &[&str], own_text: bool) -> Does {
    let holds = |when: &When| match when {
        Always => true,
        First(words) => arguments.iter().find(|a| !a.starts_with('-')).is_some_and(|first| words.contains(first)),
        Has(options) => arguments.iter().any(|argument| options.iter().any(|option| is_option(argument, option))),
        Is(so) => so(arguments),
        OwnText => own_text && arguments.iter().all(|argument| argument.starts_with('-')),
    };
    let row = TABLE.iter().find(|(commands, when, _)| commands.contains(&command) && holds(when));
    match row.map_or(Brings, |(_, _, does)| *does) {
        // Into a file, whatever the command is.
        Reads | Prints if arguments.iter().any(|argument| is_option(argument, "--output")) => Brings,
        does => does,
    }
}

/// Whether some use of a command brings lines, and whether some use prints them.
pub(super) fn may(command: &str) -> (bool, bool) {
    let any = |wanted: Does| TABLE.iter().any(|(commands, _, does)| commands.contains(&command) && *does == wanted);
    (any(Brings), any(Prints))
}

/// Whether an argument is an option, with or without a value: `--stat=80`, `-U5`.
fn is_option(argument: &str, option: &str) -> bool {
    argument.strip_prefix(option).is_some_and(|value| {
        let short = !option.starts_with("--");
        value.is_empty() || short || value.starts_with('=')
    })
}

/// `git reset` that moves no HEAD and touches no file: to where it stands, or of some paths.
fn resets_the_index_alone(arguments: &[&str]) -> bool {
    let paths = arguments.iter().position(|argument| *argument == "--").is_some_and(|at| at + 1 < arguments.len());
    let to = arguments.iter().find(|argument| !argument.starts_with('-'));
    let mixed = !arguments.iter().any(|argument| ["--soft", "--hard", "--merge", "--keep"].contains(argument));
    mixed && (paths || to.is_none_or(|to| ["HEAD", "@"].contains(to)))
}

/// `git restore --staged`, without `--worktree`.
fn restores_the_index_alone(arguments: &[&str]) -> bool {
    let has = |long: &str, letter: char| {
        let letters = |option: &str| option.chars().all(|c| "SWqp".contains(c)) && option.contains(letter);
        arguments.iter().any(|argument| *argument == long || argument.strip_prefix('-').is_some_and(letters))
    };
    has("--staged", 'S') && !has("--worktree", 'W')
}

/// `git checkout` that begins a branch where it stands: `-b`, also among others, as `-qb`.
fn makes_branch(arguments: &[&str]) -> bool {
    arguments.iter().any(|option| {
        let short = option.strip_prefix('-').filter(|letters| !letters.starts_with('-'));
        *option == "--orphan" || short.is_some_and(|letters| letters.contains(['b', 'B']))
    })
}

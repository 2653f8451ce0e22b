//! What git knows about the files of a work tree: which differ from HEAD, how HEAD moved, what blobs hold.

use std::path::Path;

use crate::git::command::{Git, GitError};
use crate::host::clock::Deadline;
use crate::id::{GitId, RepoPath};

/// The files of a work tree that differ from HEAD, ignored ones left out.
#[derive(Debug, Default)]
pub struct Status {
    /// None where nothing is committed yet.
    pub head: Option<GitId>,
    pub files: Vec<Dirty>,
}

/// A file that is not as in HEAD.
#[derive(Debug, PartialEq, Eq)]
pub struct Dirty {
    pub path: RepoPath,
    /// The file's blob in HEAD; none if it is not there.
    pub in_head: Option<GitId>,
}

/// A file that differs between two trees.
#[derive(Debug, PartialEq, Eq)]
pub struct Changed {
    pub path: RepoPath,
    /// Its blob in the first; none if it is not there.
    pub old: Option<GitId>,
}

fn git(work_tree: &Path, deadline: &Deadline) -> Git {
    Git::in_dir(work_tree).without_hook_env().within(deadline)
}

/// The files that differ from HEAD. Nothing is written, not even git's index.
pub fn status(work_tree: &Path, deadline: &Deadline) -> Result<Status, GitError> {
    let answer = git(work_tree, deadline)
        .args(["-c", "status.relativePaths=false", "status", "--porcelain=v2", "-z", "--branch", "--no-ahead-behind"])
        .args(["--untracked-files=all", "--no-renames", "--ignore-submodules=all"])
        .run()?;
    Ok(parse_status(&answer.stdout))
}

fn parse_status(output: &[u8]) -> Status {
    let mut status = Status::default();
    for line in output.split(|b| *b == 0) {
        // The number of fields before the path, and which of them is the blob in HEAD (of a conflict, our side's).
        let (fields, in_head) = match line.first() {
            Some(b'1') => (8, Some(6)),
            Some(b'u') => (10, Some(8)),
            Some(b'?') => (1, None),
            Some(b'#') => {
                status.head = status.head.or(line.strip_prefix(b"# branch.oid ").and_then(git_id));
                continue;
            }
            _ => continue,
        };
        let parts: Vec<&[u8]> = line.splitn(fields + 1, |b| *b == b' ').collect();
        let Some(path) = parts.get(fields).and_then(|path| RepoPath::from_bytes(path).ok()) else { continue };
        // A submodule is a repository of its own.
        if fields > 1 && parts[2].starts_with(b"S") {
            continue;
        }
        // A file that was only taken out of the index comes twice, first with what it is in HEAD.
        if in_head.is_none() && status.files.iter().rev().any(|file| file.path == path && file.in_head.is_some()) {
            continue;
        }
        status.files.push(Dirty { path, in_head: in_head.and_then(|at: usize| git_id(parts[at])) });
    }
    status
}

/// An object's id, unless it is git's way of saying that there is none.
fn git_id(hex: &[u8]) -> Option<GitId> {
    std::str::from_utf8(hex).ok()?.parse::<GitId>().ok().filter(|id| !id.is_null())
}

/// The files that differ between the trees of two commits.
pub fn changed(
    work_tree: &Path,
    old: Option<&GitId>,
    new: Option<&GitId>,
    deadline: &Deadline,
) -> Result<Vec<Changed>, GitError> {
    // The empty tree needs no object: git knows it by its id, of which there is one for each hash.
    let empty = match old.or(new).map_or(40, |id| id.as_str().len()) {
        64 => "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
        _ => "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    };
    let tree = |id: Option<&GitId>| id.map_or(empty, GitId::as_str).to_owned();
    let answer = git(work_tree, deadline)
        .args(["diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", "--ignore-submodules=all"])
        .args([tree(old), tree(new)])
        .run()?;
    Ok(parse_raw_diff(&answer.stdout))
}

fn parse_raw_diff(output: &[u8]) -> Vec<Changed> {
    let mut found = Vec::new();
    let mut parts = output.split(|b| *b == 0);
    while let (Some(meta), Some(path)) = (parts.next(), parts.next()) {
        let fields: Vec<&[u8]> = meta.split(|b| *b == b' ').collect();
        let submodule = meta.starts_with(b":160000") || fields.get(1) == Some(&&b"160000"[..]);
        if let (false, Some(old), Ok(path)) = (submodule, fields.get(2), RepoPath::from_bytes(path)) {
            found.push(Changed { path, old: git_id(old) });
        }
    }
    found
}

/// A step that HEAD made.
#[derive(Debug, PartialEq, Eq)]
pub struct Move {
    pub to: GitId,
    /// Whether it made a commit of what was in the work tree, rather than bringing in what others had made
    /// (`pull`, `checkout`, `merge`, `rebase`, `cherry-pick`, `reset`, …).
    pub own: bool,
}

/// The last steps of HEAD, the newest first; none where git keeps no log of them.
pub fn head_moves(work_tree: &Path, deadline: &Deadline) -> Result<Vec<Move>, GitError> {
    let answer = git(work_tree, deadline)
        .args(["-c", "log.showSignature=false", "log", "--walk-reflogs", "--max-count=100"])
        .args(["--no-patch", "--no-color", "--format=%H %gs", "HEAD"])
        .run()?;
    let own = |what: &str| ["commit: ", "commit (initial): ", "commit (amend): "].iter().any(|x| what.starts_with(x));
    let text = String::from_utf8_lossy(&answer.stdout);
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    Ok(lines.filter_map(|(id, what)| Some(Move { to: id.parse().ok()?, own: own(what) })).collect())
}

/// What blobs hold, in the order of `ids`; `None` for those that are larger than `limit` or not there.
pub fn blobs(
    work_tree: &Path,
    ids: &[&GitId],
    limit: u64,
    deadline: &Deadline,
) -> Result<Vec<Option<Vec<u8>>>, GitError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ask = |format: &str, ids: &[&GitId]| {
        let input: String = ids.iter().map(|id| format!("{id}\n")).collect();
        git(work_tree, deadline).args(["cat-file", format]).input(input.into_bytes()).run()
    };
    let sizes = ask("--batch-check=%(objecttype) %(objectsize)", ids)?.text();
    let small: Vec<bool> = sizes
        .lines()
        .map(|line| {
            line.strip_prefix("blob ").and_then(|size| size.parse().ok()).is_some_and(|size: u64| size <= limit)
        })
        .collect();
    let wanted: Vec<&GitId> = ids.iter().zip(&small).filter_map(|(id, small)| small.then_some(*id)).collect();
    let answer = ask("--batch=%(objectsize)", &wanted)?;
    let mut rest = &answer.stdout[..];
    let mut next = || {
        let end = rest.iter().position(|b| *b == b'\n')?;
        let size: usize = std::str::from_utf8(&rest[..end]).ok()?.parse().ok()?;
        let blob = rest.get(end + 1..end + 1 + size)?.to_vec();
        rest = rest.get(end + 2 + size..)?;
        Some(blob)
    };
    Ok((0..ids.len()).map(|i| if small.get(i) == Some(&true) { next() } else { None }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::Repo;
    use std::time::Duration;

    fn paths(files: &[Dirty]) -> Vec<(&str, bool)> {
        let mut paths: Vec<_> = files.iter().map(|file| (file.path.as_str(), file.in_head.is_some())).collect();
        paths.sort();
        paths
    }

    #[test]
    fn status_lists_all_but_ignored_files() {
        let repo = Repo::new();
        let soon = Deadline::after(Duration::from_secs(20));
        assert_eq!(status(repo.path(), &soon).unwrap().head, None);
        repo.commit(".gitignore", "ignored\n");
        repo.commit("sub/with space", "1\n");
        repo.commit("gone", "1\n");
        repo.commit("unlisted", "1\n");
        repo.write("sub/with space", "2\n");
        repo.write("ignored", "x");
        repo.write("new/a\nb", "x");
        repo.write("staged", "x");
        std::fs::remove_file(repo.path().join("gone")).unwrap();
        repo.git(&["rm", "-q", "--cached", "unlisted"]);
        repo.git(&["add", "staged"]);
        let found = status(&repo.path().join("sub"), &soon).unwrap();
        let expected = [
            ("\"new/a\\012b\"", false),
            ("gone", true),
            ("staged", false),
            ("sub/with space", true),
            ("unlisted", true),
        ];
        assert_eq!(paths(&found.files), expected);
        assert_eq!(found.head.unwrap().as_str(), repo.git(&["rev-parse", "HEAD"]));
    }

    #[test]
    fn a_conflict_is_known_by_our_side() {
        let repo = Repo::new();
        let soon = Deadline::after(Duration::from_secs(20));
        repo.commit("f", "base\n");
        repo.git(&["checkout", "-q", "-b", "other"]);
        repo.commit("f", "theirs\n");
        repo.git(&["checkout", "-q", "main"]);
        repo.commit("f", "ours\n");
        let ours = repo.git(&["rev-parse", "HEAD:f"]);
        Git::in_dir(repo.path()).args(["merge", "-q", "other"]).answer().unwrap();
        let found = status(repo.path(), &soon).unwrap();
        assert_eq!(found.files, [Dirty { path: "f".parse().unwrap(), in_head: Some(ours.parse().unwrap()) }]);
    }

    #[test]
    fn blobs_come_in_order_and_large_ones_not_at_all() {
        let repo = Repo::new();
        let soon = Deadline::after(Duration::from_secs(20));
        repo.commit("a", "one\n\ntwo");
        repo.commit("b", vec![b'x'; 100]);
        repo.commit("c", "");
        let id = |name: &str| repo.git(&["rev-parse", name]).parse::<GitId>().unwrap();
        let missing: GitId = "a".repeat(40).parse().unwrap();
        let (a, b, c, tree) = (id("HEAD:a"), id("HEAD:b"), id("HEAD:c"), id("HEAD^{tree}"));
        let found = blobs(repo.path(), &[&a, &missing, &b, &tree, &c], 50, &soon).unwrap();
        assert_eq!(found, [Some(b"one\n\ntwo".to_vec()), None, None, None, Some(Vec::new())]);
        assert!(blobs(repo.path(), &[], 50, &soon).unwrap().is_empty());
    }

    #[test]
    fn moves_tell_commits_from_what_came_from_elsewhere() {
        let repo = Repo::new();
        let soon = Deadline::after(Duration::from_secs(20));
        assert!(head_moves(repo.path(), &soon).is_err(), "nothing is committed yet");
        repo.commit("f", "1\n");
        let first: GitId = repo.git(&["rev-parse", "HEAD"]).parse().unwrap();
        repo.git(&["checkout", "-q", "-b", "other"]);
        repo.commit("g", "1\n");
        repo.git(&["commit", "-q", "--amend", "-m", "again"]);
        let last: GitId = repo.git(&["rev-parse", "HEAD"]).parse().unwrap();
        repo.git(&["checkout", "-q", "main"]);
        let moves = head_moves(repo.path(), &soon).unwrap();
        assert_eq!(moves.iter().map(|step| step.own).collect::<Vec<_>>(), [false, true, true, false, true]);
        assert_eq!((&moves[0].to, &moves[1].to), (&first, &last));

        let found = changed(repo.path(), Some(&first), Some(&last), &soon).unwrap();
        assert_eq!(found, [Changed { path: "g".parse().unwrap(), old: None }]);
        assert_eq!(changed(repo.path(), None, Some(&last), &soon).unwrap().len(), 2);
        let back = changed(repo.path(), Some(&last), Some(&first), &soon).unwrap();
        assert!(back[0].old.is_some());
    }

    proptest::proptest! {
        #[test]
        fn whatever_git_prints_is_read(output: Vec<u8>, kind in "[1u?#:]", fields in proptest::collection::vec("[0-9a-fS. ]{0,42}", 0..12)) {
            let line = format!("{kind} {}\0path\0", fields.join(" "));
            for output in [&output[..], line.as_bytes()] {
                let _ = parse_raw_diff(output);
                let _ = parse_status(output);
            }
        }
    }
}

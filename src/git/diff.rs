//! What a commit changes, as git's own diff says, read from one call of `git diff-tree`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::thread::JoinHandle;

use crate::git::command::GitError;
use crate::git::history;
use crate::git::patch_id::PatchId;
use crate::git::repo::{Repo, RepoError};
use crate::id::{GitId, RepoPath};

/// A file that a commit changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    pub path: RepoPath,
    /// Where it was before, if it was renamed.
    pub from: Option<RepoPath>,
    /// The file's object in the first parent; `None` where it was not there.
    pub blob_before: Option<GitId>,
    /// The file's object after the commit; `None` where the commit deletes it.
    pub blob: Option<GitId>,
    /// Numbers of the lines that the commit adds, in the new file, from 1.
    pub added: BTreeSet<u32>,
    /// How many lines it removes.
    pub removed: u64,
    /// Whether git takes it for binary: then it has no lines.
    pub binary: bool,
}

impl FileChange {
    /// Its name, and the one it had before, if that was another.
    pub fn names(&self) -> impl Iterator<Item = &RepoPath> {
        [Some(&self.path), self.from.as_ref()].into_iter().flatten()
    }
}

/// What a commit changes against its parents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    pub files: Vec<FileChange>,
    /// `git patch-id --stable` of the diff; `None` for merges and for commits that change nothing.
    pub patch_id: Option<GitId>,
    /// The same of the diff without context lines.
    pub patch_id_u0: Option<GitId>,
}

/// Why a diff cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum DiffError {
    #[error(transparent)]
    Git(#[from] GitError),
    #[error(transparent)]
    Repo(#[from] RepoError),
    #[error("git diff-tree printed something unexpected: {0:?}")]
    Unexpected(String),
}

/// The options that make `git diff-tree` print the same for everybody.
pub const OPTIONS: [&str; 13] = [
    "diff-tree",
    "--root",
    "-r",
    "-m",
    "-M",
    "-p",
    "-U3",
    "--raw",
    "-z",
    "--full-index",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
];

/// A diff that git makes meanwhile.
pub struct Begun {
    commit: GitId,
    /// What it changes against each parent, but those of which git says nothing.
    by_parent: JoinHandle<Result<Vec<Changes>, DiffError>>,
}

impl Begun {
    pub fn commit(&self) -> &GitId {
        &self.commit
    }
}

/// Lets git begin to say what `commit` changes.
pub fn begin(repo: &Repo, commit: &GitId) -> Begun {
    let git = repo
        .git()
        .args(["-c", "diff.algorithm=myers", "-c", "diff.noprefix=false", "-c", "diff.mnemonicPrefix=false"])
        .args(OPTIONS)
        .arg(commit.as_str())
        // It would be read whole, for nothing: no index is part of this.
        .env("GIT_INDEX_FILE", repo.common_dir().join("tracevault").join("no-index"));
    let (commit, kind) = (commit.clone(), repo.gix().object_hash());
    let of = commit.clone();
    let by_parent = std::thread::spawn(move || {
        let answer = git.run()?;
        split_parents(&answer.stdout, &of).into_iter().map(|section| read(section, kind)).collect()
    });
    Begun { commit, by_parent }
}

/// Reads what a commit changes. For a merge the added lines are those that none of its parents has.
pub fn changes(repo: &Repo, begun: Begun) -> Result<Changes, DiffError> {
    let Begun { commit, by_parent } = begun;
    let by_parent = by_parent.join().map_err(|_| DiffError::Unexpected("a panic".to_owned()))??;
    // Of a parent that has the same tree git says nothing: against that one nothing is added.
    if by_parent.len() < history::parents(repo, &commit) {
        return Ok(Changes::default());
    }
    Ok(by_parent.into_iter().reduce(merge).unwrap_or_default())
}

/// Whether a commit is the merge of two parents that git makes of them by itself: nobody added to it, nor took anything away.
/// Not, where that cannot be told (git before 2.38).
pub fn adds_nothing(repo: &Repo, commit: &GitId) -> bool {
    let [ours, theirs] = &history::parent_ids(repo, commit)[..] else { return false };
    let merged = repo.git().args(["merge-tree", "--write-tree", ours.as_str(), theirs.as_str()]).answer();
    let merged = merged.ok().filter(|answer| answer.code == Some(0)).map(|answer| answer.text());
    merged.is_some() && merged == history::tree(repo, commit)
}

/// The paths that commits change, without looking for renames; for a merge those in which it is like none of its parents.
/// One call of git for all: commits that are not here are left out.
pub fn changed_paths(repo: &Repo, commits: &[GitId]) -> Result<HashMap<GitId, Vec<RepoPath>>, DiffError> {
    let here = commits.iter().filter(|commit| repo.contains(commit));
    let input = here.map(|commit| format!("{commit}\n")).collect::<String>().into_bytes();
    let git =
        repo.git().args(["diff-tree", "--stdin", "-r", "--root", "-c", "--always", "--raw", "--no-renames", "-z"]);
    let answer = git.input(input).run()?;
    let mut paths: HashMap<GitId, Vec<RepoPath>> = HashMap::new();
    let mut of: Option<&mut Vec<RepoPath>> = None;
    let unexpected = |field: &[u8]| DiffError::Unexpected(String::from_utf8_lossy(field).into());
    let mut fields = answer.stdout.split(|byte| *byte == 0).filter(|field| !field.is_empty());
    while let Some(field) = fields.next() {
        if field.starts_with(b":") {
            let path = fields.next().and_then(|path| RepoPath::from_bytes(path).ok());
            of.as_mut().zip(path).map(|(of, path)| of.push(path)).ok_or_else(|| unexpected(field))?;
        } else {
            let commit = std::str::from_utf8(field).ok().and_then(|id| id.parse::<GitId>().ok());
            of = Some(paths.entry(commit.ok_or_else(|| unexpected(field))?).or_default());
        }
    }
    Ok(paths)
}

/// The output for each parent: git prints the commit's id before each.
fn split_parents<'a>(output: &'a [u8], commit: &GitId) -> Vec<&'a [u8]> {
    let mark = commit.as_str().as_bytes();
    let mut rest = match output.strip_prefix(mark) {
        Some(rest) => rest.get(1..).unwrap_or_default(),
        None => return Vec::new(),
    };
    let mut sections = Vec::new();
    // A section ends where the id stands again at the beginning of a line or after a NUL, followed by a NUL.
    let pattern = [mark, b"\0"].concat();
    let mut from = 0;
    while let Some(at) = find(&rest[from..], &pattern).map(|at| at + from) {
        if at > 0 && matches!(rest[at - 1], b'\n' | 0) && rest.get(at + pattern.len()) == Some(&b':') {
            sections.push(&rest[..at]);
            rest = &rest[at + pattern.len()..];
            from = 0;
        } else {
            from = at + 1;
        }
    }
    sections.push(rest);
    sections
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    gix::bstr::ByteSlice::find(haystack, needle)
}

/// What two parents agree on: files changed against both, lines added against both.
fn merge(a: Changes, b: Changes) -> Changes {
    let mut others: BTreeMap<RepoPath, FileChange> =
        b.files.into_iter().map(|file| (file.path.clone(), file)).collect();
    let files = a.files.into_iter().filter_map(|file| {
        let other = others.remove(&file.path)?;
        let added = file.added.intersection(&other.added).copied().collect();
        Some(FileChange { added, ..file })
    });
    Changes { files: files.collect(), patch_id: None, patch_id_u0: None }
}

struct RawEntry {
    change: FileChange,
    before: String,
    after: String,
    /// A file that becomes a link, or the other way round, has two parts in the patch.
    type_change: bool,
}

/// Reads the raw entries, then the patch, whose files stand in the same order.
fn read(section: &[u8], kind: gix::hash::Kind) -> Result<Changes, DiffError> {
    let unexpected =
        |bytes: &[u8]| DiffError::Unexpected(String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into());
    let mut rest = section;
    let mut entries = Vec::new();
    while rest.first() == Some(&b':') {
        let mut next = || -> Option<&[u8]> {
            let end = rest.iter().position(|byte| *byte == 0)?;
            let field = &rest[..end];
            rest = &rest[end + 1..];
            Some(field)
        };
        let entry = raw_entry(&mut next).ok_or_else(|| unexpected(section))?;
        entries.push(entry);
    }
    // An empty field stands between the entries and the patch.
    let patch = rest.strip_prefix(b"\0").unwrap_or(rest);
    let (mut full, mut bare) = (PatchId::new(kind, true), PatchId::new(kind, false));
    read_patch(patch, &mut entries, &mut full, &mut bare);
    let id = |patch_id: PatchId| patch_id.finish().and_then(|text| text.parse().ok());
    Ok(Changes {
        files: entries.into_iter().map(|entry| entry.change).collect(),
        patch_id: id(full),
        patch_id_u0: id(bare),
    })
}

/// One entry: `:<mode> <mode> <id> <id> <status>`, the path, and the new path where it was renamed.
fn raw_entry<'a>(next: &mut impl FnMut() -> Option<&'a [u8]>) -> Option<RawEntry> {
    let head = std::str::from_utf8(next()?).ok()?;
    let mut fields = head.strip_prefix(':')?.split(' ').skip(2);
    let (before, after, status) = (fields.next()?, fields.next()?, fields.next()?);
    let first = RepoPath::from_bytes(next()?).ok()?;
    let (path, from) = match status.as_bytes().first()? {
        b'R' | b'C' => (RepoPath::from_bytes(next()?).ok()?, Some(first)),
        _ => (first, None),
    };
    let blob = |id: &str| id.parse::<GitId>().ok().filter(|id| !id.is_null());
    let (blob_before, blob) = (blob(before), blob(after));
    Some(RawEntry {
        change: FileChange { path, from, blob_before, blob, added: BTreeSet::new(), removed: 0, binary: false },
        before: before.into(),
        after: after.into(),
        type_change: status == "T",
    })
}

fn read_patch(patch: &[u8], entries: &mut [RawEntry], full: &mut PatchId, bare: &mut PatchId) {
    let mut current: Option<usize> = None;
    let mut parts_left = 0;
    // Lines of the current hunk still to come, before and after; `None` in a file's header.
    let mut hunk: Option<(u64, u64)> = None;
    let mut line_number = 0;
    for line in patch.split_inclusive(|byte| *byte == b'\n') {
        let in_hunk = hunk.is_some_and(|(before, after)| before + after > 0);
        if line.starts_with(b"\\ ") {
            continue;
        }
        if !in_hunk && line.starts_with(b"diff ") {
            if parts_left == 0 {
                current = Some(current.map_or(0, |index| index + 1));
                parts_left = if current.and_then(|i| entries.get(i)).is_some_and(|e| e.type_change) { 2 } else { 1 };
            }
            parts_left -= 1;
            hunk = None;
            full.file();
            bare.file();
        }
        let Some(entry) = current.and_then(|index| entries.get_mut(index)) else { continue };
        if !in_hunk {
            if line.starts_with(b"Binary files ") || line.starts_with(b"GIT binary patch") {
                entry.change.binary = true;
                full.binary(&entry.before, &entry.after);
                bare.binary(&entry.before, &entry.after);
                continue;
            }
            if let Some((before, start, after)) = hunk_header(line) {
                hunk = Some((before, after));
                line_number = start;
                continue;
            }
            if line.starts_with(b"index ") {
                continue;
            }
        } else if let Some((before, after)) = &mut hunk {
            match line.first() {
                Some(b'+') => {
                    entry.change.added.insert(line_number);
                    line_number += 1;
                    *after = after.saturating_sub(1);
                }
                Some(b'-') => {
                    entry.change.removed += 1;
                    *before = before.saturating_sub(1);
                }
                _ => {
                    line_number += 1;
                    *before = before.saturating_sub(1);
                    *after = after.saturating_sub(1);
                }
            }
        }
        full.line(line);
        bare.line(line);
    }
}

/// `@@ -<start>[,<lines>] +<start>[,<lines>] @@`: lines before, first line after, lines after.
fn hunk_header(line: &[u8]) -> Option<(u64, u32, u64)> {
    let text = std::str::from_utf8(line.get(..line.len().min(80))?).ok().or_else(|| {
        // The function's name after the numbers need not be UTF-8.
        let end = find(&line[2..], b"@@")? + 2;
        std::str::from_utf8(&line[..end]).ok()
    })?;
    let mut fields = text.strip_prefix("@@ -")?.split(' ');
    let (before, after) = (fields.next()?, fields.next()?.strip_prefix('+')?);
    let count = |field: &str| field.split_once(',').map_or(Some(1), |(_, count)| count.parse().ok());
    let start = after.split(',').next()?.parse().ok()?;
    Some((count(before)?, start, count(after)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::command::Git;

    #[test]
    fn hunk_headers_are_read_as_git_writes_them() {
        assert_eq!(hunk_header(b"@@ -1,3 +2,4 @@ fn x()\n"), Some((3, 2, 4)));
        assert_eq!(hunk_header(b"@@ -0,0 +1 @@\n"), Some((0, 1, 1)));
        assert_eq!(hunk_header(b"@@ -5 +5 @@ caf\xe9\n"), Some((1, 5, 1)));
        assert_eq!(hunk_header(b"+@@ -5 +5 @@\n"), None);
    }

    /// Runs git without the user's or the machine's configuration.
    fn git(dir: &std::path::Path, args: &[&str]) -> Git {
        let identity = ["-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"];
        Git::in_dir(dir)
            .args(identity)
            .args(args)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .without_env("GIT_DIR")
    }

    fn commit(dir: &std::path::Path) -> (Repo, GitId) {
        git(dir, &["add", "-A"]).run().unwrap();
        git(dir, &["commit", "-q", "--allow-empty", "-m", "x"]).run().unwrap();
        let id = git(dir, &["rev-parse", "HEAD"]).run().unwrap().text().parse().unwrap();
        (Repo::discover(dir).unwrap(), id)
    }

    /// What the tool itself says of the same diff.
    fn patch_id_of_git(dir: &std::path::Path, commit: &GitId, context: &str) -> Option<String> {
        let options = ["--no-commit-id", "--root", "-r", "-p", "-M", "-z", "--full-index", context];
        let diff = git(dir, &["diff-tree"]).args(options).arg(commit.as_str()).run().unwrap();
        let answer = git(dir, &["patch-id", "--stable"]).input(diff.stdout).run().unwrap();
        answer.text().split(' ').next().filter(|id| !id.is_empty()).map(str::to_owned)
    }

    #[test]
    fn patch_ids_and_added_lines_are_those_of_git() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path();
        let write = |name: &str, bytes: &[u8]| std::fs::write(dir.join(name), bytes).unwrap();
        git(dir, &["init", "-q"]).run().unwrap();
        let numbers = |skip: u32| (1..60).filter(|n| *n != skip).map(|n| format!("line {n}\n")).collect::<String>();
        let steps: Vec<Box<dyn Fn()>> = vec![
            Box::new(|| write("a b", b"one\ntwo\n")),
            Box::new(|| write("n", numbers(0).as_bytes())),
            Box::new(|| {
                write("n", numbers(30).replace("line 5\n", "line five\n--- not a header\n+++ nor this\n").as_bytes());
                write("a b", b"one\ntwo");
            }),
            Box::new(|| write("bin", b"\0\x01\x02")),
            Box::new(|| write("bin", b"\0\x01\x03")),
            Box::new(|| std::fs::rename(dir.join("n"), dir.join("moved")).unwrap()),
            Box::new(|| write("\u{e9}\"q\t", b"@@ -1 +1 @@\ndiff --git a/x b/x\n")),
            Box::new(|| std::fs::remove_file(dir.join("a b")).unwrap()),
            Box::new(|| write("latin", b"caf\xe9\r\nnul\n")),
            Box::new(|| ()),
        ];
        for (index, step) in steps.iter().enumerate() {
            step();
            let (repo, id) = commit(dir);
            let changes = changes(&repo, begin(&repo, &id)).unwrap();
            let ours = |id: &Option<GitId>| id.as_ref().map(GitId::to_string);
            assert_eq!(ours(&changes.patch_id), patch_id_of_git(dir, &id, "-U3"), "step {index}");
            assert_eq!(ours(&changes.patch_id_u0), patch_id_of_git(dir, &id, "-U0"), "step {index} without context");
            let numstat = git(dir, &["diff-tree", "--root", "--no-commit-id", "-r", "-M", "--numstat", id.as_str()]);
            let added: Vec<String> =
                numstat.run().unwrap().text().lines().map(|l| l.split('\t').next().unwrap().into()).collect();
            let count = |file: &FileChange| if file.binary { "-".into() } else { file.added.len().to_string() };
            assert_eq!(changes.files.iter().map(count).collect::<Vec<_>>(), added, "step {index}");
        }
    }

    #[test]
    fn a_merge_adds_only_what_no_parent_has() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path();
        let write = |name: &str, text: &str| std::fs::write(dir.join(name), text).unwrap();
        git(dir, &["init", "-q"]).run().unwrap();
        write("f", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
        commit(dir);
        git(dir, &["checkout", "-q", "-b", "side"]).run().unwrap();
        write("f", "side\n1\n2\n3\n4\n5\n6\n7\n8\n9\n");
        commit(dir);
        git(dir, &["checkout", "-q", "main"]).run().unwrap();
        write("f", "1\n2\n3\n4\n5\n6\n7\n8\n9\nmain\n");
        commit(dir);
        git(dir, &["merge", "-q", "--no-commit", "side"]).run().unwrap();
        write("f", "side\n1\n2\n3\n4\nevil\n5\n6\n7\n8\n9\nmain\n");
        let (repo, id) = commit(dir);
        let changes = changes(&repo, begin(&repo, &id)).unwrap();
        assert_eq!(changes.files.len(), 1);
        assert_eq!(changes.files[0].added, BTreeSet::from([6]));
        assert_eq!((changes.patch_id, changes.patch_id_u0), (None, None));

        // One that is as one of its parents is, whichever it is, adds nothing.
        let adds = |revision: &str| {
            let id = git(dir, &["rev-parse", revision]).run().unwrap().text().parse().unwrap();
            super::changes(&repo, begin(&repo, &id)).unwrap()
        };
        write("f", "no more\n");
        commit(dir);
        git(dir, &["checkout", "-q", "-b", "on", "main~1"]).run().unwrap();
        git(dir, &["merge", "-q", "--no-ff", "-m", "x", "main"]).run().unwrap();
        assert_eq!(adds("HEAD"), Changes::default());
        git(dir, &["checkout", "-q", "-b", "other", "main~1"]).run().unwrap();
        write("g", "1\n");
        commit(dir);
        git(dir, &["merge", "-q", "-s", "ours", "-m", "x", "main"]).run().unwrap();
        assert_eq!(adds("HEAD"), Changes::default());
        assert_eq!(adds("HEAD~1").files.len(), 1);
    }
}

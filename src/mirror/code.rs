//! The code of a mirror as pages show it: what stands at a path of a commit. Only branches are shown, never the ledger.

use std::time::Duration;

use crate::git::history;
use crate::git::repo::{Kind, Repo, RepoError, TreeEntry};
use crate::git::tree_diff;
use crate::host::clock::Deadline;
use crate::id::{GitId, RepoPath};
use crate::ledger::Ledger;
use crate::mirror::{Mirror, MirrorError, ORIGIN};

/// The largest file that is shown, in bytes.
const LARGEST: usize = 1 << 20;
/// So much of a link's target is read.
const LONGEST_LINK: usize = 4096;

const KIND: u32 = 0o170_000;

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stands {
    /// Its entries, in git's order.
    Folder(Vec<TreeEntry>),
    File(Vec<u8>),
    /// A file of so many bytes, more than are shown.
    TooLarge(u64),
    /// A symbolic link, with what it says.
    Link(Vec<u8>),
    /// A commit of another repository.
    Submodule(GitId),
}

/// What there is of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    Here(Stands),
    /// Nothing; with the nearest folder above it that there is.
    Nothing(Vec<u8>),
}

/// What an entry of a folder is, in a word.
pub fn kind_of(entry: &TreeEntry) -> &'static str {
    match entry.mode & KIND {
        0o040_000 => "folder",
        0o120_000 => "link",
        0o160_000 => "submodule",
        _ => "file",
    }
}

impl Mirror {
    /// The commit that somebody names: a branch, or a commit that a branch has by the beginning of its id. Commits that hold
    /// the ledger are none, whatever refs the host keeps them in. Git may take so long.
    pub fn revision(&self, name: &str, patience: Duration) -> Result<Option<GitId>, MirrorError> {
        let deadline = Deadline::after(patience);
        let repo = self.open()?;
        let prefix = Ledger::of(self.open()?)?.prefix.dir();
        let ours = format!("refs/remotes/{ORIGIN}/");
        let ledger = prefix.strip_prefix("refs/heads/").map(|rest| format!("{ours}{rest}"));
        let is_code = |name: &str| {
            let is_ledger = ledger.as_ref().is_some_and(|ledger| name.starts_with(ledger));
            name.starts_with(&ours) && !is_ledger && !name.ends_with("/HEAD")
        };
        let branch = format!("{ours}{name}");
        if is_code(&branch)
            && let Ok(Some(tip)) = repo.find_ref(&branch)
        {
            return Ok(Some(tip));
        }
        if !(4..=64).contains(&name.len()) || !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let Ok(commit) = history::resolve(&repo, name) else { return Ok(None) };
        let contains = format!("--contains={commit}");
        let git = repo.git().args(["for-each-ref", "--format=%(refname)", &contains, &ours]);
        let listed = git.within(&deadline).run()?.text();
        Ok(listed.lines().any(is_code).then_some(commit))
    }

    /// What a commit has at a path, given as git's bytes; the top where it is empty.
    pub fn at(&self, commit: &GitId, path: &[u8]) -> Result<Found, MirrorError> {
        Ok(at(&self.open()?, commit, path)?)
    }
}

fn at(repo: &Repo, commit: &GitId, path: &[u8]) -> Result<Found, RepoError> {
    let folder = |tree: &GitId| repo.tree_entries(&repo.read_checked(tree, Kind::Tree)?);
    let mut entries = folder(&tree_diff::tree_of(repo, commit)?)?;
    if path.is_empty() {
        return Ok(Found::Here(Stands::Folder(entries)));
    }
    if RepoPath::from_bytes(path).is_err() {
        return Ok(Found::Nothing(Vec::new()));
    }
    let parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
    for (depth, part) in parts.iter().enumerate() {
        let found = entries.iter().find(|entry| entry.name == *part).map(|entry| (entry.id.clone(), kind_of(entry)));
        match found {
            Some((tree, "folder")) => entries = folder(&tree)?,
            Some((id, kind)) if depth + 1 == parts.len() => return stands(repo, &id, kind).map(Found::Here),
            _ => return Ok(Found::Nothing(parts[..depth].join(&b'/'))),
        }
    }
    Ok(Found::Here(Stands::Folder(entries)))
}

fn stands(repo: &Repo, id: &GitId, kind: &str) -> Result<Stands, RepoError> {
    match kind {
        "submodule" => Ok(Stands::Submodule(id.clone())),
        "link" => Ok(match repo.read_at_most(id, Kind::Blob, LONGEST_LINK) {
            Err(RepoError::TooLarge { size, .. }) => Stands::TooLarge(size),
            read => Stands::Link(read?),
        }),
        _ => Ok(match repo.read_at_most(id, Kind::Blob, LARGEST) {
            Err(RepoError::TooLarge { size, .. }) => Stands::TooLarge(size),
            read => Stands::File(read?),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing;

    #[test]
    fn paths_lead_to_what_stands_there_and_never_out_of_the_commit() {
        let folder = testing::Repo::new();
        folder.write("src/deep/a.rs", "fn a() {}\n");
        folder.write("large", vec![b'x'; LARGEST + 1]);
        #[cfg(unix)]
        std::os::unix::fs::symlink("../../etc/passwd", folder.path().join("link")).unwrap();
        folder.git(&["add", "-A"]);
        let commit = "a".repeat(40);
        folder.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},module")]);
        folder.git(&["commit", "-q", "-m", "all"]);
        let repo = Repo::discover(folder.path()).unwrap();
        let head: GitId = folder.git(&["rev-parse", "HEAD"]).parse().unwrap();
        let look = |path: &str| at(&repo, &head, path.as_bytes()).unwrap();
        let Found::Here(Stands::Folder(entries)) = look("") else { panic!() };
        let listed: Vec<(&str, &[u8])> = entries.iter().map(|entry| (kind_of(entry), &*entry.name)).collect();
        assert_eq!(listed, [("file", &b"large"[..]), ("link", b"link"), ("submodule", b"module"), ("folder", b"src")]);
        assert_eq!(look("src/deep/a.rs"), Found::Here(Stands::File(b"fn a() {}\n".to_vec())));
        assert_eq!(look("large"), Found::Here(Stands::TooLarge(LARGEST as u64 + 1)));
        assert_eq!(look("link"), Found::Here(Stands::Link(b"../../etc/passwd".to_vec())));
        assert_eq!(look("module"), Found::Here(Stands::Submodule(commit.parse().unwrap())));
        assert!(matches!(look("src/deep"), Found::Here(Stands::Folder(entries)) if entries.len() == 1));
        for (path, nearest) in [
            ("src/deep/b.rs", "src/deep"),
            ("src/none/b.rs", "src"),
            ("src/deep/a.rs/x", "src/deep"),
            ("link/passwd", ""),
            ("module/x", ""),
            ("..", ""),
            ("src/../large", ""),
            ("src//deep", ""),
            ("/etc/passwd", ""),
            ("src/", ""),
        ] {
            assert_eq!(look(path), Found::Nothing(nearest.as_bytes().to_vec()), "{path}");
        }
    }
}

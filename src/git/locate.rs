//! Finding the repository of a folder, without starting git, reading its configuration or opening an object.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// Where a repository's parts are. All paths are absolute and free of symbolic links.
///
/// `core.worktree` and `GIT_DIR` are not looked at: a folder belongs to the repository that it lies in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The folder with the files; none in a bare repository and inside a git folder.
    pub work_tree: Option<PathBuf>,
    /// The folder of this work tree: `HEAD`, the index.
    pub git_dir: PathBuf,
    /// The folder that all work trees share: objects, refs, our own state. Mostly the same as `git_dir`.
    pub common_dir: PathBuf,
}

impl Location {
    /// The repository that `from`, a folder, lies in: its own `.git`, that of a folder above, or a bare repository.
    /// A folder that has been removed lies where it lay.
    pub fn of(from: &Path) -> Option<Location> {
        let from = from.ancestors().find_map(|dir| fs::canonicalize(dir).ok())?;
        from.ancestors().find_map(Location::at)
    }

    /// The repository that a file lies in; `file` must be free of symbolic links, but it and folders above it need not
    /// exist.
    pub fn of_file(file: &Path) -> Option<Location> {
        file.parent()?.ancestors().find_map(Location::at)
    }

    /// The repository whose work tree or git folder is exactly `dir`.
    fn at(dir: &Path) -> Option<Location> {
        let dot_git = dir.join(".git");
        let git_dir = match fs::metadata(&dot_git) {
            Ok(meta) if meta.is_dir() => Some(dot_git),
            Ok(meta) if meta.is_file() => read_link_file(&dot_git, "gitdir: ").and_then(|path| resolve(dir, &path)),
            _ => None,
        };
        // A link such as `.git -> elsewhere` is followed, so that one repository has one name.
        let git_dir = git_dir.and_then(|path| fs::canonicalize(path).ok());
        let found = |work_tree, git_dir: PathBuf| {
            common_dir(&git_dir).map(|common_dir| Location { work_tree, git_dir, common_dir })
        };
        git_dir.and_then(|git_dir| found(Some(dir.to_owned()), git_dir)).or_else(|| found(None, dir.to_owned()))
    }

    /// The name of a linked work tree (`git worktree add`); none for the main one.
    pub fn linked_name(&self) -> Option<String> {
        let name = self.git_dir.strip_prefix(self.common_dir.join("worktrees")).ok()?;
        Some(name.to_string_lossy().into_owned())
    }
}

/// The common folder of `git_dir`, if that is a git folder at all.
fn common_dir(git_dir: &Path) -> Option<PathBuf> {
    fs::symlink_metadata(git_dir.join("HEAD")).ok()?;
    let common = match read_link_file(&git_dir.join("commondir"), "") {
        Some(path) => resolve(git_dir, &path)?,
        None => git_dir.to_owned(),
    };
    (common.join("objects").is_dir() && common.join("refs").is_dir()).then_some(common)
}

/// What a one-line file of git's says, without `prefix` and the newline.
fn read_link_file(file: &Path, prefix: &str) -> Option<PathBuf> {
    let mut bytes = Vec::new();
    fs::File::open(file).ok()?.take(16 << 10).read_to_end(&mut bytes).ok()?;
    let line = bytes.strip_prefix(prefix.as_bytes())?;
    let end = line.iter().rposition(|b| !matches!(b, b'\n' | b'\r'))? + 1;
    path_from_bytes(&line[..end])
}

fn resolve(base: &Path, path: &Path) -> Option<PathBuf> {
    fs::canonicalize(base.join(path)).ok()
}

/// A path from the bytes git has for it.
#[cfg(unix)]
pub fn path_from_bytes(bytes: &[u8]) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;
    Some(PathBuf::from(std::ffi::OsStr::from_bytes(bytes)))
}

/// A path from the bytes git has for it.
#[cfg(not(unix))]
pub fn path_from_bytes(bytes: &[u8]) -> Option<PathBuf> {
    std::str::from_utf8(bytes).ok().map(PathBuf::from)
}

/// The bytes git has for a path: `/` between parts.
#[cfg(unix)]
pub fn path_to_bytes(path: &Path) -> Option<Vec<u8>> {
    use std::os::unix::ffi::OsStrExt as _;
    Some(path.as_os_str().as_bytes().to_vec())
}

/// The bytes git has for a path: `/` between parts.
#[cfg(not(unix))]
pub fn path_to_bytes(path: &Path) -> Option<Vec<u8>> {
    path.to_str().map(|text| text.replace('\\', "/").into_bytes())
}

/// `path` with the folder it stands in free of symbolic links; its last part is left as it is, and need not exist,
/// nor need the folders that lead to it.
pub fn resolve_parent(path: &Path) -> io::Result<PathBuf> {
    use std::path::Component;
    let (parent, name) = match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => (parent, name),
        _ => return Err(io::ErrorKind::InvalidInput.into()),
    };
    let mut missing = vec![name];
    let mut there = parent;
    loop {
        match fs::canonicalize(there) {
            Ok(mut real) => {
                real.extend(missing.iter().rev());
                return Ok(real);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        // Where the folder is missing, `..` has no meaning.
        match (there.components().next_back(), there.parent()) {
            (Some(Component::Normal(part)), Some(parent)) => {
                missing.push(part);
                there = parent;
            }
            _ => return Err(io::ErrorKind::InvalidInput.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::Repo;

    #[test]
    fn from_the_root_a_subdirectory_and_through_a_link() {
        let repo = Repo::new();
        let deep = repo.path().join("a/b");
        fs::create_dir_all(&deep).unwrap();
        let expected = Location {
            work_tree: Some(repo.path().to_owned()),
            git_dir: repo.path().join(".git"),
            common_dir: repo.path().join(".git"),
        };
        assert_eq!(Location::of(repo.path()).unwrap(), expected);
        assert_eq!(Location::of(&deep).unwrap(), expected);
        assert_eq!(expected.linked_name(), None);
        #[cfg(unix)]
        {
            let link = repo.outside().join("link");
            std::os::unix::fs::symlink(&deep, &link).unwrap();
            assert_eq!(Location::of(&link).unwrap(), expected);
        }
        assert_eq!(Location::of(repo.outside()), None);
        assert_eq!(Location::of(&repo.path().join("removed/folder")).unwrap(), expected);
        // Inside the git folder there is a repository, but no work tree.
        let inside = Location::of(&repo.path().join(".git/hooks/..")).unwrap();
        assert_eq!((inside.work_tree, &inside.common_dir), (None, &expected.common_dir));
    }

    #[test]
    fn a_linked_work_tree_shares_the_common_folder() {
        let repo = Repo::new();
        repo.commit("f", "1\n");
        let linked = repo.outside().join("linked");
        repo.git(&["worktree", "add", "-q", linked.to_str().unwrap()]);
        let found = Location::of(&linked).unwrap();
        assert_eq!(found.work_tree.as_deref(), Some(&*linked));
        assert_eq!(found.common_dir, repo.path().join(".git"));
        assert_eq!(found.git_dir, repo.path().join(".git/worktrees/linked"));
        assert_eq!(found.linked_name().as_deref(), Some("linked"));
        // As a git hook is told: by its git folder.
        // Git can write the link file relative, too.
        fs::write(linked.join(".git"), format!("gitdir: ../{}/.git/worktrees/linked\r\n", repo.name())).unwrap();
        assert_eq!(Location::of(&linked), Some(found));
    }

    #[test]
    fn a_bare_repository_has_no_work_tree() {
        let repo = Repo::new();
        let bare = repo.outside().join("bare.git");
        repo.git(&["init", "-q", "--bare", bare.to_str().unwrap()]);
        let found = Location::of(&bare.join("hooks")).unwrap();
        assert_eq!(found, Location { work_tree: None, git_dir: bare.clone(), common_dir: bare });
    }

    #[test]
    fn what_only_looks_like_a_repository_is_passed_by() {
        let repo = Repo::new();
        let odd = repo.path().join("odd");
        fs::create_dir_all(odd.join(".git")).unwrap();
        assert_eq!(Location::of(&odd).unwrap().work_tree.as_deref(), Some(repo.path()));
        fs::remove_dir(odd.join(".git")).unwrap();
        for text in ["", "gitdir: ", "gitdir: /nowhere\n", "nonsense"] {
            fs::write(odd.join(".git"), text).unwrap();
            assert_eq!(Location::of(&odd).unwrap().work_tree.as_deref(), Some(repo.path()), "{text:?}");
        }
    }

    #[test]
    fn parents_are_resolved_whether_or_not_they_exist() {
        let repo = Repo::new();
        let root = repo.path();
        assert_eq!(resolve_parent(&root.join("new/deep/f")).unwrap(), root.join("new/deep/f"));
        assert_eq!(resolve_parent(&root.join("f")).unwrap(), root.join("f"));
        assert_eq!(resolve_parent(&root.join("../x")).unwrap(), repo.outside().join("x"));
        for odd in [root.join("new/../../x"), PathBuf::from("/"), root.join("..")] {
            assert!(resolve_parent(&odd).is_err(), "{odd:?}");
        }
    }
}

//! Whether git ignores a file, found without starting git (but where a pattern says yes, git is asked if the file
//! is tracked all the same).

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use gix::bstr::{BStr, ByteSlice as _};
use gix::glob::pattern::Case;
use gix::ignore::Search;
use gix::ignore::search::Ignore;

use crate::git::command::{Git, GitError};
use crate::git::locate::{Location, path_from_bytes};
use crate::host::env;
use crate::id::RepoPath;

/// Larger files of patterns are read so far.
const PATTERNS_LIMIT: u64 = 1 << 20;

/// Whether git ignores the file at `path`, there or not, in the work tree of `location`. A tracked file is never
/// ignored.
pub fn is_ignored(location: &Location, path: &RepoPath) -> Result<bool, GitError> {
    let bytes = path.to_bytes();
    let (Some(work_tree), Some(name)) = (&location.work_tree, path_from_bytes(&bytes)) else { return Ok(false) };
    if !matches_pattern(location, work_tree, bytes.as_bstr()) {
        return Ok(false);
    }
    let list = ["--literal-pathspecs", "ls-files", "--cached", "-z", "--"];
    let tracked = Git::in_dir(work_tree).without_hook_env().args(list).arg(name).run()?;
    Ok(tracked.stdout.is_empty())
}

/// Whether the patterns alone ignore the path, or a folder that it lies in: what is below an ignored folder cannot be
/// taken back in.
fn matches_pattern(location: &Location, work_tree: &Path, path: &BStr) -> bool {
    // Least important first: the user's, the repository's own, then each folder's on the way down.
    let mut search = Search::default();
    if let Some(file) = excludes_file(location, work_tree) {
        add_patterns(&mut search, file, None);
    }
    add_patterns(&mut search, location.common_dir.join("info/exclude"), None);
    add_patterns(&mut search, work_tree.join(".gitignore"), Some(work_tree));
    for end in path.find_iter("/") {
        let folder = &path[..end];
        if decides(&search, folder, true) == Some(true) {
            return true;
        }
        if let Some(dir) = path_from_bytes(folder) {
            add_patterns(&mut search, work_tree.join(dir).join(".gitignore"), Some(work_tree));
        }
    }
    decides(&search, path, false) == Some(true)
}

/// Adds the patterns of a file, which need not be there, as more important than those before.
fn add_patterns(search: &mut Search, file: PathBuf, root: Option<&Path>) {
    let mut bytes = Vec::with_capacity(4096);
    if fs::File::open(&file).and_then(|open| open.take(PATTERNS_LIMIT).read_to_end(&mut bytes)).is_ok() {
        // It fails only for a file that is not below `root`.
        drop(search.add_patterns_buffer(&bytes, file, root, Ignore::default()));
    }
}

/// What the last pattern that matches says, if any does.
fn decides(search: &Search, path: &BStr, is_dir: bool) -> Option<bool> {
    // Git's own default of `core.ignoreCase` on these systems.
    let case = if cfg!(any(windows, target_os = "macos")) { Case::Fold } else { Case::Sensitive };
    search.pattern_matching_relative_path(path, Some(is_dir), case).map(|found| !found.pattern.is_negative())
}

/// The user's own file of patterns: `core.excludesFile`, else git's default.
fn excludes_file(location: &Location, work_tree: &Path) -> Option<PathBuf> {
    let mut files = env::git_config_files();
    files.push(location.common_dir.join("config"));
    // Parsing would cost more than all else here, and mostly finds nothing.
    let configured =
        if files.iter().any(|file| may_name_excludes(file)) { configured_excludes(files, location) } else { None };
    configured.map(|file| work_tree.join(file)).or_else(|| env::git_user_dir().map(|dir| dir.join("ignore")))
}

fn may_name_excludes(file: &Path) -> bool {
    let Ok(bytes) = fs::read(file) else { return false };
    let has = |word: &str| bytes.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()));
    has("excludesfile") || has("[include")
}

fn configured_excludes(files: Vec<PathBuf>, location: &Location) -> Option<PathBuf> {
    use gix::config::file::{Metadata, includes, init};
    let home = env::home();
    let interpolate = gix::config::path::interpolate::Context { home_dir: home.as_deref(), ..Default::default() };
    let conditional = includes::conditional::Context { git_dir: Some(&location.git_dir), branch_name: None };
    let options = init::Options {
        includes: includes::Options::follow(interpolate, conditional),
        lossy: true,
        ignore_io_errors: true,
    };
    let sources = files.into_iter().map(|file| Metadata::from(gix::config::Source::User).at(file));
    let config = gix::config::File::from_paths_metadata_buf(&mut sources.into_iter(), &mut Vec::new(), false, options);
    let path = config.ok()??.path("core.excludesFile")?;
    path.interpolate(interpolate).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::Repo;

    #[test]
    fn says_what_git_says() {
        let repo = Repo::new();
        repo.commit("tracked.log", "kept\n");
        repo.write(
            ".gitignore",
            "*.log\n/target/\nbuild/\n!keep.log\nsecret*\n# c\n\\#odd\n**/deep/*.x\n[a-c].txt\nsp\\ ace\n",
        );
        repo.write("sub/.gitignore", "!again.log\n*.tmp\n/only-here\nkeep.log\n");
        repo.write("target/.gitignore", "!kept\n");
        repo.write(".git/info/exclude", "mine\nfolder/inner\n");
        repo.write("sub/excl", "user-wide\n!mine\n");
        repo.git(&["config", "core.excludesFile", repo.path().join("sub/excl").to_str().unwrap()]);
        let location = Location::of(repo.path()).unwrap();

        let paths = [
            "a.log",
            "tracked.log",
            "keep.log",
            "sub/keep.log",
            "sub/again.log",
            "sub/deeper/again.log",
            "x.tmp",
            "sub/x.tmp",
            "target/kept",
            "target/a/b",
            "sub/target/a",
            "build/x",
            "sub/build/x",
            "build",
            "secret",
            "sub/secret.env",
            "#odd",
            "q/deep/1.x",
            "deep/1.x",
            "deep/d/1.x",
            "a.txt",
            "sub/c.txt",
            "d.txt",
            "sp ace",
            "mine",
            "sub/mine",
            "folder/inner",
            "sub/folder/inner",
            "only-here",
            "sub/only-here",
            "sub/d/only-here",
            "user-wide",
            "sub/user-wide/x",
            "plain",
            "new/folder/file.rs",
            "new/folder/file.log",
        ];
        let mut ignored = 0;
        for path in paths {
            let git =
                Git::in_dir(repo.path()).without_hook_env().args(["check-ignore", "-q", "--", path]).answer().unwrap();
            let ours = is_ignored(&location, &path.parse().unwrap()).unwrap();
            assert_eq!(ours, git.code == Some(0), "{path}");
            ignored += usize::from(ours);
        }
        assert!((15..paths.len() - 10).contains(&ignored), "{ignored}: both answers occur");
    }

    #[test]
    fn a_configured_file_is_found_through_an_include() {
        let repo = Repo::new();
        repo.write("more", "[core]\n\texcludesfile = ours\n");
        repo.write("ours", "hidden\n");
        repo.git(&["config", "include.path", "../more"]);
        let location = Location::of(repo.path()).unwrap();
        assert!(is_ignored(&location, &"hidden".parse().unwrap()).unwrap());
        assert!(!is_ignored(&location, &"shown".parse().unwrap()).unwrap());
    }
}

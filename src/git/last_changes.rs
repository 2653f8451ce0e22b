//! The commit that changed each of many files last, from one call of `git log` that is read while git works.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead as _, BufReader};

use crate::git::command::GitError;
use crate::git::repo::Repo;
use crate::host::clock::Deadline;
use crate::id::{GitId, RepoPath};

/// Of merges only what none of their parents has is told: all else somebody changed before.
const OPTIONS: [&str; 9] =
    ["log", "-z", "--raw", "-c", "--no-renames", "--no-abbrev", "--no-color", "--no-show-signature", "--format=%H"];

/// For each of the files the newest commit that changed it, among those that `tip` has and `before` has not; those that
/// are not found until the time is over have none.
pub fn last_changes(
    repo: &Repo,
    tip: &GitId,
    before: Option<&GitId>,
    mut wanted: HashSet<RepoPath>,
    deadline: &Deadline,
) -> Result<HashMap<RepoPath, GitId>, GitError> {
    let git = repo.git().args(OPTIONS).arg(tip.as_str()).args(before.map(|before| format!("^{before}"))).arg("--");
    let mut stream = git.stream()?;
    let mut found = HashMap::new();
    let Some(output) = stream.output() else { return Ok(found) };
    let (mut commit, mut is_path) = (None, false);
    for token in BufReader::new(output).split(0) {
        // Git is stopped where nothing is left to ask.
        let Ok(token) = token else { break };
        if wanted.is_empty() || deadline.passed() {
            return Ok(found);
        }
        let token = token.strip_prefix(b"\n").filter(|_| !is_path).unwrap_or(&token);
        if std::mem::take(&mut is_path) {
            if let (Some(commit), Ok(path)) = (&commit, RepoPath::from_bytes(token))
                && wanted.remove(&path)
            {
                found.insert(path, GitId::clone(commit));
            }
        } else if token.starts_with(b":") {
            is_path = true;
        } else if !token.is_empty() {
            commit = std::str::from_utf8(token).ok().and_then(|id| id.parse().ok());
        }
    }
    stream.finish()?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::git::testing;

    #[test]
    fn each_file_has_the_commit_that_changed_it_last() {
        let folder = testing::Repo::new();
        let git = |args: &[&str]| folder.git(args);
        let commit = |file: &str, text: &str| -> GitId {
            std::fs::write(folder.path().join(file), text).unwrap();
            git(&["add", "-A"]);
            git(&["commit", "--quiet", "-m", file]);
            git(&["rev-parse", "HEAD"]).trim().parse().unwrap()
        };
        // A name that looks like a commit's, and one with a line end before it.
        let hex = "a".repeat(40);
        let first = commit(&hex, "1");
        let second = commit("\nb", "1");
        git(&["checkout", "--quiet", "-b", "side"]);
        let side = commit("c", "1");
        git(&["checkout", "--quiet", "-"]);
        let third = commit(&hex, "2");
        git(&["merge", "--quiet", "--no-edit", "side"]);
        let tip: GitId = git(&["rev-parse", "HEAD"]).trim().parse().unwrap();
        let repo = Repo::discover(folder.path()).unwrap();
        let path = |name: &str| RepoPath::from_bytes(name.as_bytes()).unwrap();
        let names = [hex.as_str(), "\nb", "c", "gone"];
        let ask = |before: Option<&GitId>, seconds: u64| {
            let deadline = Deadline::after(Duration::from_secs(seconds));
            let found = last_changes(&repo, &tip, before, names.map(path).into(), &deadline).unwrap();
            names.map(|name| found.get(&path(name)).cloned())
        };
        assert_eq!(ask(None, 60), [Some(third.clone()), Some(second.clone()), Some(side.clone()), None]);
        assert_eq!(ask(Some(&second), 60), [Some(third), None, Some(side), None]);
        assert_eq!(ask(Some(&tip), 60), [None, None, None, None]);
        assert_eq!(ask(None, 0), [None, None, None, None], "no time");
        assert_ne!(first, second);
    }
}

//! Bringing history here that a clone was made without: what a shallow clone (`git clone --depth`) lacks of a range.

use crate::git::command::{Git, GitError};
use crate::git::repo::Repo;
use crate::id::GitId;

/// How much of a commit's history comes along first where a clone is shallow, and by how much it is deepened then.
const FIRST: &str = "--depth=64";
const FURTHER: [&str; 2] = ["--deepen=512", "--deepen=4096"];

/// A fetch that writes nothing but what it is asked for.
fn fetch(repo: &Repo, options: &[&str], remote: &str) -> Git {
    let quiet = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"];
    repo.git().args(quiet).arg("--no-auto-maintenance").args(options).arg(remote)
}

/// Brings a commit here, by its id or one of the remote's refs that lead to it; whether it is here then.
pub fn bring(repo: &Repo, remote: &str, commit: &GitId, refs: &[String]) -> Result<bool, GitError> {
    let depth: &[&str] = if is_shallow(repo) { &[FIRST] } else { &[] };
    let refs = refs.iter().filter(|name| name.starts_with("refs/"));
    for wanted in [commit.to_string()].iter().chain(refs) {
        if repo.contains(commit) {
            break;
        }
        // A server need not give what is asked for by its id.
        fetch(repo, depth, remote).arg(wanted).answer()?;
    }
    Ok(repo.contains(commit))
}

/// Brings a branch of a remote here, as it is there now; not, where the remote has none of that name.
pub fn bring_branch(repo: &Repo, remote: &str, branch: &str) -> Result<Option<GitId>, GitError> {
    let depth: &[&str] = if is_shallow(repo) { &[FIRST] } else { &[] };
    let name = format!("refs/remotes/{remote}/{branch}");
    let answer = fetch(repo, depth, remote).arg(format!("+refs/heads/{branch}:{name}")).answer()?;
    if answer.code != Some(0) {
        return Ok(None);
    }
    Ok(repo.git().args(["rev-parse", "--verify", "--quiet", &name]).answer()?.text().parse().ok())
}

/// Deepens a shallow clone until the commits between `head` and each of the others are all here; of all of history where
/// there are no others. Whether they are.
pub fn deepen(repo: &Repo, remote: &str, head: &GitId, others: &[GitId]) -> Result<bool, GitError> {
    let wanted = || [head].into_iter().chain(others).map(GitId::as_str);
    for step in FURTHER {
        if is_whole(repo, head, others)? {
            return Ok(true);
        }
        fetch(repo, &[step], remote).args(wanted()).answer()?;
    }
    if !is_whole(repo, head, others)? {
        fetch(repo, &["--unshallow"], remote).args(wanted()).answer()?;
    }
    if !is_whole(repo, head, others)? {
        fetch(repo, &["--unshallow"], remote).answer()?;
    }
    is_whole(repo, head, others)
}

/// Brings all tags of a remote.
pub fn bring_tags(repo: &Repo, remote: &str) -> Result<(), GitError> {
    let git = repo.git().args(["fetch", "--quiet", "--no-write-fetch-head", "--no-recurse-submodules"]);
    // A tag that is another one here is none of the range's concern.
    git.args(["--no-auto-maintenance", remote, "refs/tags/*:refs/tags/*"]).answer().map(drop)
}

/// Whether no commit between `head` and the others is one at which history was cut.
fn is_whole(repo: &Repo, head: &GitId, others: &[GitId]) -> Result<bool, GitError> {
    let cut = repo.cut();
    if cut.is_empty() {
        return Ok(true);
    }
    let ranges = match others {
        [] => vec![head.to_string()],
        others => others.iter().map(|other| format!("{head}...{other}")).collect(),
    };
    for range in ranges {
        let between = repo.git().args(["rev-list", &range, "--"]).run()?;
        if between.text().lines().any(|id| cut.contains(id)) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_shallow(repo: &Repo) -> bool {
    !repo.cut().is_empty()
}

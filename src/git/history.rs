//! Commits: which there are in a range, and what they say of themselves.

use crate::git::command::{Git, GitError};
use crate::git::repo::Repo;
use crate::id::GitId;

/// A commit, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitInfo {
    pub id: GitId,
    /// Committer time, seconds since 1970.
    pub time: i64,
    pub author_name: String,
    pub author_email: String,
    pub subject: String,
}

/// The commits that `git rev-list` lists for these arguments, newest first.
pub fn rev_list(repo: &Repo, args: &[&str]) -> Result<Vec<GitId>, GitError> {
    let answer = Git::in_dir(&repo.home()).args(["rev-list", "--end-of-options"]).args(args).arg("--").run()?;
    Ok(answer.text().lines().filter_map(|line| line.parse().ok()).collect())
}

/// The commits of a push to `remote` that it does not have yet: reachable from `tips` and not from its branches,
/// oldest first.
pub fn unpushed(repo: &Repo, tips: &[GitId], remote: &str, excluded: &[GitId]) -> Result<Vec<GitId>, GitError> {
    // A push may be of more refs than a command line takes.
    let lines = tips.iter().map(|id| format!("{id}\n")).chain(excluded.iter().map(|id| format!("^{id}\n")));
    let input = lines.collect::<String>().into_bytes();
    let not = ["--stdin".to_owned(), "--not".to_owned(), format!("--remotes={remote}")];
    let git = Git::in_dir(&repo.home()).args(["rev-list", "--reverse", "--topo-order"]).args(not);
    let answer = git.input(input).run()?;
    Ok(answer.text().lines().filter_map(|line| line.parse().ok()).collect())
}

/// Whether a commit is none of those that a remote was seen to have.
pub fn is_unpushed(repo: &Repo, commit: &GitId) -> Result<bool, GitError> {
    let git =
        Git::in_dir(&repo.home()).args(["rev-list", "--max-count=1", commit.as_str(), "--not", "--remotes", "--"]);
    Ok(!git.run()?.stdout.is_empty())
}

/// Whether `old` is `new` or one of its ancestors; not, where that cannot be told.
pub fn is_ancestor(repo: &Repo, old: &GitId, new: &GitId) -> bool {
    let git = Git::in_dir(&repo.home()).args(["merge-base", "--is-ancestor", old.as_str(), new.as_str()]);
    git.answer().is_ok_and(|answer| answer.code == Some(0))
}

/// The commit that a name stands for.
pub fn resolve(repo: &Repo, name: &str) -> Result<GitId, GitError> {
    let commit = format!("{name}^{{commit}}");
    let answer = Git::in_dir(&repo.home()).args(["rev-parse", "--verify", "--quiet", "--end-of-options", &commit]);
    let answer = answer.answer()?;
    answer.text().parse().map_err(|_| GitError::Failed {
        command: "rev-parse".into(),
        status: "no such commit".into(),
        code: answer.code,
        stderr: name.to_owned(),
    })
}

/// What commits say of themselves, in the order that `git log` gives for these arguments.
pub fn log(repo: &Repo, args: &[String]) -> Result<Vec<CommitInfo>, GitError> {
    let format = "--format=%H%x00%ct%x00%an%x00%ae%x00%s%x00";
    let answer = Git::in_dir(&repo.home()).args(["log", "--no-color", "--no-show-signature", "-z", format]);
    let answer = answer.arg("--end-of-options").args(args).run()?;
    let text = String::from_utf8_lossy(&answer.stdout).into_owned();
    let fields: Vec<&str> = text.split('\0').collect();
    // Five fields, then the empty one between a commit and the next.
    Ok(fields.chunks(6).filter_map(|chunk| info(chunk)).collect())
}

fn info(fields: &[&str]) -> Option<CommitInfo> {
    let [id, time, name, email, subject, ..] = fields else { return None };
    Some(CommitInfo {
        id: id.trim_start_matches('\n').parse().ok()?,
        time: time.parse().ok()?,
        author_name: (*name).to_owned(),
        author_email: (*email).to_owned(),
        subject: (*subject).to_owned(),
    })
}

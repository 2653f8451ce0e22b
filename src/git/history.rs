//! Commits: which there are in a range, and what they say of themselves.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;
use std::rc::Rc;

use crate::git::command::{Git, GitError};
use crate::git::repo::{Kind, Repo, RepoError, object_id};
use crate::id::{GitId, RepoPath};
use crate::time::Time;

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
    let answer = repo.git().args(["rev-list", "--end-of-options"]).args(args).arg("--").relay()?;
    Ok(answer.text().lines().filter_map(|line| line.parse().ok()).collect())
}

/// The same of one range, oldest first.
pub fn range(repo: &Repo, range: &str) -> Result<Vec<GitId>, GitError> {
    let git = repo.git().args(["rev-list", "--reverse", "--topo-order", "--end-of-options", range, "--"]);
    Ok(git.run()?.text().lines().filter_map(|line| line.parse().ok()).collect())
}

/// The commits of a push to `remote` that it does not have yet: reachable from `tips` and not from its branches,
/// oldest first.
pub fn unpushed(repo: &Repo, tips: &[GitId], remote: &str, excluded: &[GitId]) -> Result<Vec<GitId>, GitError> {
    listed(repo.git(), tips, excluded, &["--not".to_owned(), format!("--remotes={remote}")])
}

/// The commits that are reachable from `tips` and from none of `excluded`, oldest first. All must be here.
pub fn not_in(repo: &Repo, tips: &[GitId], excluded: &[GitId]) -> Result<Vec<GitId>, GitError> {
    listed(repo.git(), tips, excluded, &[])
}

fn listed(git: Git, tips: &[GitId], excluded: &[GitId], more: &[String]) -> Result<Vec<GitId>, GitError> {
    // A push may be of more refs than a command line takes.
    let lines = tips.iter().map(|id| format!("{id}\n")).chain(excluded.iter().map(|id| format!("^{id}\n")));
    let git = git.args(["rev-list", "--reverse", "--topo-order", "--stdin"]).args(more);
    let answer = git.input(lines.collect::<String>().into_bytes()).run()?;
    Ok(answer.text().lines().filter_map(|line| line.parse().ok()).collect())
}

/// Whether a commit is none of those that a remote was seen to have.
pub fn is_unpushed(repo: &Repo, commit: &GitId) -> Result<bool, GitError> {
    let git = repo.git().args(["rev-list", "--max-count=1", commit.as_str(), "--not", "--remotes", "--"]);
    Ok(!git.run()?.stdout.is_empty())
}

/// Whether `old` is `new` or one of its ancestors; not, where that cannot be told.
pub fn is_ancestor(repo: &Repo, old: &GitId, new: &GitId) -> bool {
    let git = repo.git().args(["merge-base", "--is-ancestor", old.as_str(), new.as_str()]);
    git.answer().is_ok_and(|answer| answer.code == Some(0))
}

/// The commit that two branches parted at; `None` where there is none or that cannot be told.
pub fn merge_base(repo: &Repo, one: &GitId, other: &GitId) -> Option<GitId> {
    repo.git().args(["merge-base", one.as_str(), other.as_str()]).run().ok()?.text().trim().parse().ok()
}

/// The last commit of the branch that `merge --squash` is bringing, until that is committed.
pub fn squashed_tip(repo: &Repo) -> Option<GitId> {
    let text = std::fs::read(repo.gix().git_dir().join("SQUASH_MSG")).ok()?;
    String::from_utf8_lossy(&text).lines().find_map(|line| line.strip_prefix("commit ")?.parse().ok())
}

/// The commit that a name stands for.
pub fn resolve(repo: &Repo, name: &str) -> Result<GitId, GitError> {
    let commit = format!("{name}^{{commit}}");
    let answer = repo.git().args(["rev-parse", "--verify", "--quiet", "--end-of-options", &commit]);
    let answer = answer.answer()?;
    answer.text().parse().map_err(|_| GitError::Refused { said: format!("no commit that is here is named {name}") })
}

/// The e-mail address of a commit's author, as it stands there; `None` where the commit is not here.
pub fn author_email(repo: &Repo, commit: &GitId) -> Option<String> {
    let author = field(repo, commit, b"author ")?;
    let (_, rest) = author.split_once('<')?;
    Some(rest.rsplit_once('>')?.0.trim().to_owned())
}

/// The first parent of a commit, if both are here.
pub fn first_parent(repo: &Repo, commit: &GitId) -> Option<GitId> {
    field(repo, commit, b"parent ")?.parse().ok()
}

/// The tree of a commit, if the commit is here.
pub fn tree(repo: &Repo, commit: &GitId) -> Option<String> {
    field(repo, commit, b"tree ")
}

/// The parents of a commit; none where it is not here.
pub fn parent_ids(repo: &Repo, commit: &GitId) -> Vec<GitId> {
    fields(repo, commit, b"parent ").iter().filter_map(|id| id.parse().ok()).collect()
}

/// How many parents a commit has; none where it is not here.
pub fn parents(repo: &Repo, commit: &GitId) -> usize {
    fields(repo, commit, b"parent ").len()
}

/// How many times HEAD moved, at most, since a commit was made that is asked about.
const MAX_MOVES: usize = 1000;

/// How HEAD came to a commit, as git's log of it says: from which commit, and by what command.
fn came_to(repo: &Repo, commit: &GitId) -> Option<(Option<GitId>, String)> {
    let commit = object_id(commit).ok()?;
    let head = repo.gix().head().ok()?;
    let mut log = head.log_iter();
    let mut moves = log.rev().ok()??.filter_map(Result::ok).take(MAX_MOVES);
    let line = moves.find(|line| line.new_oid == commit)?;
    let from = (!line.previous_oid.is_null()).then(|| line.previous_oid.to_string().parse().ok()).flatten();
    let how = String::from_utf8_lossy(&line.message).into_owned();
    Some((from, how.split_once(": ").map_or(&*how, |(how, _)| how).to_owned()))
}

/// Whether git's log of HEAD says that a commit repeats or takes back another: a rebase, a cherry-pick, a revert made it;
/// or its message does, of a revert that stopped at a conflict, which git's log does not tell from any commit.
pub fn repeats_another(repo: &Repo, commit: &GitId) -> bool {
    let names = ["rebase", "cherry-pick", "revert", "pull --rebase", "pull -r"];
    came_to(repo, commit).is_some_and(|(_, how)| names.iter().any(|name| how.contains(name))) || reverts(repo, commit)
}

/// Whether a commit's message names one that it takes back and that is here, as `git revert` writes it.
fn reverts(repo: &Repo, commit: &GitId) -> bool {
    let Ok((Kind::Commit, bytes)) = repo.read(commit) else { return false };
    let named = bytes.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"This reverts commit "));
    let id =
        named.and_then(|rest| std::str::from_utf8(rest.split(|byte| b".,".contains(byte)).next()?).ok()?.parse().ok());
    id.is_some_and(|id: GitId| repo.contains(&id))
}

/// Where HEAD was when a commit was made: at its first parent or, where it amends a commit, at that one.
pub fn made_at(repo: &Repo, commit: &GitId) -> Option<GitId> {
    came_to(repo, commit)?.0
}

/// When HEAD last went to another commit by a checkout, or anywhere by a reset, in milliseconds since 1970: what lay in
/// the work tree before may not lie there any more. `None` where git's log of HEAD says nothing of it.
pub fn left_at(repo: &Repo) -> Option<i64> {
    let head = repo.gix().head().ok()?;
    let mut log = head.log_iter();
    let moves = log.rev().ok()??.filter_map(Result::ok).take(MAX_MOVES);
    let left = moves.into_iter().find(|line| {
        line.message.starts_with(b"reset: ")
            || (line.message.starts_with(b"checkout: ") && line.previous_oid != line.new_oid)
    })?;
    // Git's log knows seconds.
    Some(left.signature.time.seconds * 1000 + 999)
}

/// When a commit was made, by its committer's clock; `None` where the commit is not here.
pub fn committed_at(repo: &Repo, commit: &GitId) -> Option<Time> {
    // `Name <mail> seconds zone`.
    let committer = field(repo, commit, b"committer ")?;
    committer.rsplit(' ').nth(1)?.parse().ok().map(Time::from_unix)
}

/// The first line of a commit's head that begins so, without that beginning.
fn field(repo: &Repo, commit: &GitId, name: &[u8]) -> Option<String> {
    fields(repo, commit, name).into_iter().next()
}

/// All lines of a commit's head that begin so.
fn fields(repo: &Repo, commit: &GitId, name: &[u8]) -> Vec<String> {
    let Ok((Kind::Commit, bytes)) = repo.read(commit) else { return Vec::new() };
    let head = bytes.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
    let found = head.filter_map(|line| line.strip_prefix(name));
    found.map(|line| String::from_utf8_lossy(line).into_owned()).collect()
}

/// A commit among those before another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub id: GitId,
    pub parents: Vec<GitId>,
    pub author_email: String,
    /// When its author made it, in seconds since 1970.
    pub authored: i64,
}

/// A commit and all before it, each after its parents.
pub fn ancestry(repo: &Repo, tip: &GitId) -> Result<Vec<Step>, GitError> {
    let format = "--format=%H%x00%P%x00%at%x00%ae%x00";
    let options = ["log", "--no-color", "--no-show-signature", "--encoding=UTF-8", "--topo-order", "--reverse", "-z"];
    let git = repo.git().args(options).arg("--no-patch").arg(format).arg(tip.as_str()).arg("--");
    let text = String::from_utf8_lossy(&git.run()?.stdout).into_owned();
    let fields: Vec<&str> = text.split('\0').collect();
    let step = |fields: &[&str]| {
        let [id, parents, authored, email, ..] = fields else { return None };
        Some(Step {
            id: id.trim_start_matches('\n').parse().ok()?,
            parents: parents.split(' ').filter_map(|id| id.parse().ok()).collect(),
            author_email: (*email).to_owned(),
            authored: authored.parse().ok()?,
        })
    };
    Ok(fields.chunks(5).filter_map(step).collect())
}

/// The one commit that a range ends with, as in `v1..v2`.
pub fn tip_of(repo: &Repo, range: &str) -> Result<GitId, GitError> {
    let git = repo.git().args(["rev-parse", "--revs-only", "--end-of-options", range]);
    let text = git.relay()?.text();
    let tips: Vec<&str> = text.lines().filter(|line| !line.starts_with('^')).collect();
    match tips.as_slice() {
        [tip] => resolve(repo, tip),
        _ => Err(GitError::Refused { said: format!("{range} does not end with one commit") }),
    }
}

/// Which commits `git log` is asked for, in its own words.
#[derive(Debug, Default)]
pub struct Asked {
    /// Options that choose and order commits; nothing that prints.
    pub options: Vec<OsString>,
    /// Commits, branches, ranges; git itself tells them from paths where `paths` are none.
    pub names: Vec<OsString>,
    pub paths: Vec<OsString>,
}

/// What commits say of themselves, in the order that `git log` run in `dir` gives them.
pub fn log(dir: &Path, asked: &Asked) -> Result<Vec<CommitInfo>, GitError> {
    let format = "--format=%H%x00%ct%x00%an%x00%ae%x00%s%x00";
    let git = Git::in_dir(dir).args(["log", "--no-color", "--no-show-signature", "--encoding=UTF-8", "-z", format]);
    let mut git = git.args(&asked.options).arg("--end-of-options").args(&asked.names);
    if !asked.paths.is_empty() {
        git = git.arg("--").args(&asked.paths);
    }
    let text = String::from_utf8_lossy(&git.relay()?.stdout).into_owned();
    let fields: Vec<&str> = text.split('\0').collect();
    // Five fields, then the empty one between a commit and the next.
    Ok(fields.chunks(6).filter_map(info).collect())
}

/// The bytes of a file as a commit has it; `None` if it has no such file.
pub fn file_at(repo: &Repo, commit: &GitId, path: &RepoPath) -> Result<Option<Vec<u8>>, RepoError> {
    blob_at(repo, commit, path)?.map(|blob| repo.read_checked(&blob, Kind::Blob)).transpose()
}

/// The object of a file as a commit has it; `None` if it has no such file.
pub fn blob_at(repo: &Repo, commit: &GitId, path: &RepoPath) -> Result<Option<GitId>, RepoError> {
    let bytes = repo.read_checked(commit, Kind::Commit)?;
    let tree = bytes.split(|byte| *byte == b'\n').next().and_then(|line| line.strip_prefix(b"tree "));
    let mut at = tree.and_then(|id| std::str::from_utf8(id).ok()?.parse::<GitId>().ok());
    let path = path.to_bytes();
    let mut parts = path.split(|byte| *byte == b'/');
    while let (Some(tree), Some(part)) = (&at, parts.next()) {
        let entries = repo.tree_entries(&repo.read_checked(tree, Kind::Tree)?)?;
        at = entries.into_iter().find(|entry| entry.name == part).map(|entry| entry.id);
    }
    Ok(at)
}

/// The trees of many commits, of which neighbours share most: each is read once.
#[derive(Default)]
pub struct Trees {
    folders: HashMap<GitId, Rc<HashMap<Vec<u8>, GitId>>>,
}

/// So many folders are remembered at once.
const MAX_FOLDERS: usize = 1 << 14;

impl Trees {
    /// What a commit, whose tree is `tree`, has of this name; `None` also where that cannot be told.
    pub fn find(&mut self, repo: &Repo, tree: &GitId, path: &RepoPath) -> Option<GitId> {
        let path = path.to_bytes();
        path.split(|byte| *byte == b'/').try_fold(tree.clone(), |at, part| self.folder(repo, &at)?.get(part).cloned())
    }

    fn folder(&mut self, repo: &Repo, tree: &GitId) -> Option<Rc<HashMap<Vec<u8>, GitId>>> {
        if let Some(known) = self.folders.get(tree) {
            return Some(known.clone());
        }
        let entries = repo.tree_entries(&repo.read_checked(tree, Kind::Tree).ok()?).ok()?;
        let folder: Rc<HashMap<_, _>> = Rc::new(entries.into_iter().map(|entry| (entry.name, entry.id)).collect());
        if self.folders.len() >= MAX_FOLDERS {
            self.folders.clear();
        }
        self.folders.insert(tree.clone(), folder.clone());
        Some(folder)
    }
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

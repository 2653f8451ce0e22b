//! The commits of a story: what brought it, what it changed, what came later.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use crate::git::blame::{self, Blame, Line, Source};
use crate::git::command::GitError;
use crate::git::history::{self, CommitInfo};
use crate::git::repo::Repo;
use crate::id::GitId;
use crate::story::material::{Commit, Role};
use crate::time::Time;

/// So many commits are told of a line, and of anything larger.
const OF_A_LINE: usize = 4;
const MOST: usize = 8;
/// So many later commits to the same files are told, and so many files are looked at for them.
const LATER: usize = 3;
const FILES: usize = 20;

/// The commit that a line comes from, and those that changed what stood there before, the newest first.
///
/// `within` is how long git may look for them.
pub fn of_line(repo: &Repo, source: &Source, within: Option<Duration>) -> Result<Vec<Commit>, GitError> {
    let cut = repo.cut();
    let mut commits: Vec<Commit> = Vec::new();
    for change in blame::changes(&repo.home(), source, OF_A_LINE, within)? {
        commits.push(Commit {
            role: match commits.is_empty() {
                _ if cut.contains(change.id.as_str()) => Role::Begins,
                true => Role::Brought,
                false => Role::Before,
            },
            time: Time::from_unix(change.commit.time),
            author: change.commit.author,
            subject: change.commit.subject,
            reviewers: change.reviewers,
            id: change.id,
        });
    }
    Ok(commits)
}

/// The commits that lines come from, those with the most lines first.
pub fn of_lines(repo: &Repo, lines: &[Line<'_>], blame: &Blame<'_>) -> Vec<Commit> {
    let cut = repo.cut();
    let mut counted: Vec<(&GitId, usize)> = Vec::new();
    for source in lines.iter().filter_map(|line| line.source.as_ref()) {
        match counted.iter_mut().find(|(commit, _)| **commit == source.commit) {
            Some((_, count)) => *count += 1,
            None => counted.push((&source.commit, 1)),
        }
    }
    counted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let role = |commit: &GitId| if cut.contains(commit.as_str()) { Role::Begins } else { Role::Brought };
    counted.into_iter().take(MOST).filter_map(|(commit, _)| told(commit, role(commit), blame)).collect()
}

fn told(commit: &GitId, role: Role, blame: &Blame<'_>) -> Option<Commit> {
    let known = blame.commits.get(commit)?;
    Some(Commit {
        id: commit.clone(),
        role,
        time: Time::from_unix(known.time),
        author: known.author.clone(),
        subject: known.subject.clone(),
        reviewers: Vec::new(),
    })
}

/// What a commit says of itself; `None` where it is not here.
pub fn one(dir: &Path, commit: &GitId) -> Result<Option<CommitInfo>, GitError> {
    let asked = history::Asked {
        options: vec!["--max-count=1".into()],
        names: vec![OsString::from(commit.as_str())],
        paths: Vec::new(),
    };
    Ok(history::log(dir, &asked)?.pop())
}

/// A commit, and the first later ones to the same files.
pub fn of_commit(dir: &Path, commit: &GitId, files: &[String]) -> Result<Vec<Commit>, GitError> {
    let told = |info: CommitInfo, role| Commit {
        id: info.id,
        role,
        time: Time::from_unix(info.time),
        author: info.author_name,
        subject: info.subject,
        reviewers: Vec::new(),
    };
    let mut commits: Vec<Commit> = one(dir, commit)?.into_iter().map(|info| told(info, Role::Brought)).collect();
    if files.is_empty() {
        return Ok(commits);
    }
    let top = files.iter().take(FILES).map(|file| OsString::from(format!(":(top,literal){file}")));
    let asked = history::Asked {
        options: vec!["--reverse".into()],
        names: vec![OsString::from(format!("{commit}..HEAD"))],
        paths: top.collect(),
    };
    // A commit of another branch has nothing after it here.
    let later = history::log(dir, &asked).unwrap_or_default();
    commits.extend(later.into_iter().take(LATER).map(|info| told(info, Role::Later)));
    Ok(commits)
}

/// The commits that draw on a session, as many as are here.
pub fn of_session<'c>(dir: &Path, commits: impl Iterator<Item = &'c GitId>) -> Vec<Commit> {
    let names: Vec<OsString> = commits.take(MOST).map(|commit| OsString::from(commit.as_str())).collect();
    if names.is_empty() {
        return Vec::new();
    }
    let asked = history::Asked { options: vec!["--no-walk=unsorted".into()], names, paths: Vec::new() };
    let mut seen = HashSet::new();
    let infos = history::log(dir, &asked).unwrap_or_default().into_iter().filter(|info| seen.insert(info.id.clone()));
    let told = infos.map(|info| Commit {
        id: info.id,
        role: Role::Brought,
        time: Time::from_unix(info.time),
        author: info.author_name,
        subject: info.subject,
        reviewers: Vec::new(),
    });
    told.collect()
}

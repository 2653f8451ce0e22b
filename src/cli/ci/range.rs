//! The commits of a job: found in the repository, with what is missing of it brought from the remote.

use anyhow::bail;

use super::event::{Event, Since};
use crate::config::COMMITTED;
use crate::git::command::GitError;
use crate::git::repo::Repo;
use crate::git::{deepen, history};
use crate::id::GitId;

/// Commits to look at.
#[derive(Debug)]
pub struct Range {
    /// The oldest first.
    pub commits: Vec<GitId>,
    /// The commit that they lead to; none where nothing is looked at.
    pub head: Option<GitId>,
    /// As a person may type it.
    pub shown: String,
}

impl Range {
    pub fn nothing() -> Self {
        Range { commits: Vec::new(), head: None, shown: "none".into() }
    }
}

/// The commits that an event is about.
pub fn of_event(repo: &Repo, remote: &str, event: &Event) -> anyhow::Result<Range> {
    if !deepen::bring(repo, remote, &event.head, &event.refs)? {
        bail!("{}: commit {} is not here, and {remote} does not give it", event.what, event.head.short());
    }
    let onto = match &event.onto {
        Some(branch) => deepen::bring_branch(repo, remote, branch)?,
        None => None,
    };
    let mut before: Vec<GitId> = onto.into_iter().collect();
    match &event.since {
        // After a forced push the commit may be gone for good.
        Since::Commit(id) if deepen::bring(repo, remote, id, &[])? => before.insert(0, id.clone()),
        Since::Commit(_) | Since::Beginning | Since::Tag => {}
    }
    whole(repo, remote, &event.head, &before)?;
    if before.is_empty() && event.since == Since::Tag {
        deepen::bring_tags(repo, remote)?;
        before = last_tag(repo, &event.head)?.into_iter().collect();
    }
    if before.is_empty() {
        before = founding(repo, &event.head)?;
    }
    let commits = history::not_in(repo, std::slice::from_ref(&event.head), &before)?;
    let shown = match before.first() {
        Some(before) => format!("{}..{}", before.short(), event.head.short()),
        None => event.head.short().to_owned(),
    };
    Ok(Range { commits, head: Some(event.head.clone()), shown })
}

/// The commits that somebody named.
pub fn named(repo: &Repo, remote: &str, range: &str) -> anyhow::Result<Range> {
    let tip = match history::tip_of(repo, range) {
        Ok(tip) => tip,
        Err(error) if !repo.is_shallow() => return Err(error.into()),
        Err(_) => {
            // What is named may lie in what was cut off.
            whole(repo, remote, &history::resolve(repo, "HEAD")?, &[])?;
            history::tip_of(repo, range)?
        }
    };
    whole(repo, remote, &tip, &[])?;
    Ok(Range { commits: history::range(repo, range)?, head: Some(tip), shown: range.to_owned() })
}

fn whole(repo: &Repo, remote: &str, head: &GitId, others: &[GitId]) -> anyhow::Result<()> {
    if !deepen::deepen(repo, remote, head, others)? {
        bail!(
            "this clone is shallow, and {remote} does not give the rest of its history (check out with fetch-depth: 0, \
             GIT_DEPTH: 0 or git fetch --unshallow)"
        );
    }
    Ok(())
}

/// The commit of the last tag before `head`.
fn last_tag(repo: &Repo, head: &GitId) -> Result<Option<GitId>, GitError> {
    let parent = format!("{head}^");
    let answer = repo.git().args(["describe", "--tags", "--abbrev=0", &parent]).answer()?;
    if answer.code != Some(0) {
        return Ok(None);
    }
    history::resolve(repo, &format!("refs/tags/{}", answer.text())).map(Some)
}

/// What was there before the first commit that has the ledger's file: the ledger knows nothing of it.
fn founding(repo: &Repo, head: &GitId) -> Result<Vec<GitId>, GitError> {
    let format = "--format=%H %P";
    let options = ["log", "--no-color", "--no-show-signature", "--topo-order", "--reverse", "--diff-filter=A", format];
    let answer = repo.git().args(options).args([head.as_str(), "--", COMMITTED]).run()?;
    let text = answer.text();
    let first = text.lines().next().unwrap_or_default();
    Ok(first.split(' ').skip(1).filter_map(|id| id.parse().ok()).collect())
}

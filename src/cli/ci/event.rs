//! What a CI server says of a job: which commits it is about.

use anyhow::Context as _;
use serde_json::Value;

use crate::host::env::{GitHub, GitLab};
use crate::id::GitId;

/// What a job is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Job {
    /// No commits, for this reason.
    Nothing(String),
    Commits(Event),
}

/// The commits that a job is about, as far as its server says which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What happened, for people.
    pub what: String,
    pub head: GitId,
    pub since: Since,
    /// The branch whose commits were looked at when they came to it.
    pub onto: Option<String>,
    /// Refs of the remote that lead to the head.
    pub refs: Vec<String>,
    pub fork: Option<Fork>,
}

/// Where the commits begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Since {
    /// After this commit; where it is not to be had any more, as for [`Since::Beginning`].
    Commit(GitId),
    /// With the first that `onto` has not; without one, with the commit that brought the ledger's file.
    Beginning,
    /// After the last tag before the head; without one, with the commit that brought the ledger's file.
    Tag,
}

/// The other repository that a change comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fork {
    pub name: String,
    /// Where it can be fetched from; not, where it is gone.
    pub url: Option<String>,
}

/// What GitHub says. `payload` is the event's, as GitHub documents it under "Webhook events and payloads". `ledger` is how
/// the names of the ledger's refs begin.
pub fn github(job: &GitHub, payload: &Value, ledger: &str) -> anyhow::Result<Job> {
    match job.event.as_str() {
        "push" => {
            let name = text(payload, "/ref")?;
            if payload["deleted"] == true {
                return Ok(Job::Nothing(format!("{name} was deleted")));
            }
            let default = payload.pointer("/repository/default_branch").and_then(Value::as_str);
            push(&name, id(payload, "/before")?, id(payload, "/after")?, default, ledger)
        }
        "pull_request" | "pull_request_target" | "pull_request_review" => {
            let number = payload.pointer("/pull_request/number").and_then(Value::as_u64).unwrap_or_default();
            Ok(Job::Commits(Event {
                what: format!("pull request #{number}"),
                // Never the merge that GitHub makes to try it: nobody signs that.
                head: id(payload, "/pull_request/head/sha")?,
                since: Since::Commit(id(payload, "/pull_request/base/sha")?),
                onto: Some(text(payload, "/pull_request/base/ref")?),
                refs: vec![format!("refs/pull/{number}/head")],
                fork: github_fork(job, payload),
            }))
        }
        "merge_group" => {
            let base = text(payload, "/merge_group/base_ref")?;
            let onto = base.strip_prefix("refs/heads/").unwrap_or(&base).to_owned();
            Ok(Job::Commits(Event {
                what: format!("merge queue of {onto}"),
                head: id(payload, "/merge_group/head_sha")?,
                since: Since::Commit(id(payload, "/merge_group/base_sha")?),
                onto: Some(onto),
                refs: vec![text(payload, "/merge_group/head_ref")?],
                fork: None,
            }))
        }
        other => {
            let head = job.sha.parse().context("GITHUB_SHA is no commit; name the commits with --range")?;
            Ok(Job::Commits(by_hand(other, head)))
        }
    }
}

/// The fork that a pull request comes from, if it is one. Fetched is only from the server that the job runs for.
fn github_fork(job: &GitHub, payload: &Value) -> Option<Fork> {
    let name = |side: &str| payload.pointer(&format!("/pull_request/{side}/repo/full_name")).and_then(Value::as_str);
    let (head, base) = (name("head"), name("base"));
    if head == base {
        return None;
    }
    let url = payload.pointer("/pull_request/head/repo/clone_url").and_then(Value::as_str);
    Some(Fork { name: head.unwrap_or("a repository that is gone").to_owned(), url: on_server(url, &job.server) })
}

/// What GitLab says, in its "Predefined CI/CD variables".
pub fn gitlab(job: &GitLab, ledger: &str) -> anyhow::Result<Job> {
    let commit = |name: &str, value: &str| -> anyhow::Result<GitId> {
        value.parse().with_context(|| format!("{name} is no commit; name the commits with --range"))
    };
    let head = commit("CI_COMMIT_SHA", &job.commit_sha)?;
    match job.pipeline_source.as_str() {
        "merge_request_event" => {
            let iid = &job.merge_request_iid;
            // In pipelines of merged results CI_COMMIT_SHA is a merge that GitLab makes to try it.
            let source = job.merge_request_source_branch_sha.as_deref();
            let head = source.map_or(Ok(head), |sha| commit("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", sha))?;
            let base = commit("CI_MERGE_REQUEST_DIFF_BASE_SHA", &job.merge_request_diff_base_sha)?;
            Ok(Job::Commits(Event {
                what: format!("merge request !{iid}"),
                head,
                since: Since::Commit(base),
                onto: Some(job.merge_request_target_branch_name.clone()),
                refs: vec![format!("refs/merge-requests/{iid}/head")],
                fork: gitlab_fork(job),
            }))
        }
        "push" => {
            let before = commit("CI_COMMIT_BEFORE_SHA", &job.commit_before_sha)?;
            let name = match (&job.commit_tag, &job.commit_branch) {
                (Some(tag), _) => format!("refs/tags/{tag}"),
                (None, branch) => format!("refs/heads/{}", branch.as_deref().unwrap_or_default()),
            };
            push(&name, before, head, Some(&job.default_branch), ledger)
        }
        other => Ok(Job::Commits(by_hand(other, head))),
    }
}

fn gitlab_fork(job: &GitLab) -> Option<Fork> {
    let (from, to) = (&job.merge_request_source_project_url, &job.merge_request_project_url);
    if from == to {
        return None;
    }
    let url = (!from.is_empty()).then(|| format!("{from}.git"));
    Some(Fork { name: from.clone(), url: on_server(url.as_deref(), &job.server_url) })
}

/// A URL of the job's own server. It will be typed in a shell, and has nothing that one would heed.
fn on_server(url: Option<&str>, server: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/%+".contains(c);
    let is_there =
        |url: &&str| !server.is_empty() && url.starts_with(&format!("{server}/")) && url.chars().all(is_plain);
    url.filter(is_there).map(str::to_owned)
}

/// A push of a branch or tag that went from `before` (nothing, where it is new) to `after`.
fn push(name: &str, before: GitId, after: GitId, default: Option<&str>, ledger: &str) -> anyhow::Result<Job> {
    let short = name.strip_prefix("refs/heads/").unwrap_or(name);
    if after.is_null() {
        return Ok(Job::Nothing(format!("{name} was deleted")));
    }
    if name.starts_with(ledger) {
        return Ok(Job::Nothing(format!("{name} is the ledger's own")));
    }
    // What the default branch has was looked at when it came there.
    let onto = default.filter(|default| !default.is_empty() && format!("refs/heads/{default}") != name);
    Ok(Job::Commits(Event {
        what: format!("push to {short}"),
        head: after,
        since: if before.is_null() { Since::Beginning } else { Since::Commit(before) },
        onto: onto.map(str::to_owned),
        refs: vec![name.to_owned()],
        fork: None,
    }))
}

/// A run that no change began: somebody's wish, or the clock.
fn by_hand(what: &str, head: GitId) -> Event {
    let what = if what.is_empty() { "a run by hand" } else { what }.to_owned();
    Event { what, head, since: Since::Tag, onto: None, refs: Vec::new(), fork: None }
}

fn text(payload: &Value, at: &str) -> anyhow::Result<String> {
    let value = payload.pointer(at).and_then(Value::as_str);
    value.map(str::to_owned).with_context(|| format!("the event has no {at}; name the commits with --range"))
}

fn id(payload: &Value, at: &str) -> anyhow::Result<GitId> {
    text(payload, at)?.parse().with_context(|| format!("{at} of the event is no commit"))
}

#[cfg(test)]
mod tests;

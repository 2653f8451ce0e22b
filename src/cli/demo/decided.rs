//! What the demo's leads decide when the months are over: approvals, holds, what goes, and what is made of a key that nobody enrolled.

use anyhow::Context as _;
use serde::Deserialize;

use super::organisation::Play;
use crate::time::Time;

/// What `approve --json` tells, as far as it is read here.
#[derive(Deserialize)]
struct Approved {
    records: Vec<String>,
}

impl Play<'_> {
    pub(super) fn decide(&self, at: Time) -> anyhow::Result<()> {
        let (lead, others) = self.repository.people.split_first().context("somebody must decide")?;
        let vault = |args: &[&str]| self.git(lead, at, &[&["tracevault"], args].concat());
        self.git(lead, at, &["fetch", "--quiet"])?;
        vault(&["fetch"])?;
        let author = format!("--author={}@", others.first().context("somebody else")?);
        let commits = self.told(lead, at, &["log", "origin/main", "-2", "--format=%H", &author])?;
        let mut commits = commits.lines();
        let (commit, other) = (commits.next().context("a commit")?, commits.next().context("two commits")?);
        vault(&["approve", commit])?;
        // The second one by mistake: it is taken back.
        let approved = self.told(lead, at, &["tracevault", "approve", "--json", other])?;
        let approved: Approved = serde_json::from_str(&approved).context("the approval")?;
        vault(&["amend", approved.records.first().context("a record")?, "--reason", "wrong"])?;
        vault(&["hold", "case-31", "--commit", commit, "--yes"])?;
        vault(&["hold", "case-12", "--commit", other, "--yes"])?;
        vault(&["push"])?;
        vault(&["release", "case-12", "--yes"])?;
        if self.repository.keep.is_some() {
            vault(&["prune", "--yes"])?;
        }
        if let Some(stranger) = &self.repository.stranger {
            self.explain(lead, stranger, at)?;
        }
        self.git("witness", Time::from_unix(at.unix() + 60), &["tracevault", "seal"])
    }

    /// Somebody writes with a key of their own, and the lead says why.
    fn explain(&self, lead: &str, stranger: &str, at: Time) -> anyhow::Result<()> {
        let remote = self.remote.display().to_string();
        self.git(stranger, at, &["clone", "--quiet", &remote, &self.work(stranger).display().to_string()])?;
        for command in ["init", "push"] {
            self.git(stranger, at, &["tracevault", command])?;
        }
        let chains = self.told(stranger, at, &["for-each-ref", "--format=%(refname)", "refs/tracevault/log/"])?;
        let chain = chains.lines().next().and_then(|name| name.rsplit('/').next()).context("a chain")?;
        self.git(lead, at, &["tracevault", "fetch"])?;
        let decision = ["tracevault", "adjudicate", "E-PENDING", chain, "--decision", "accepted", "--yes"];
        self.git(lead, at, &decision)?;
        self.git(lead, at, &["tracevault", "push"])
    }
}

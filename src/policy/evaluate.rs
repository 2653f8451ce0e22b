//! The engine: a policy and evidence in, a verdict with findings out.

use serde::Serialize;

use super::evidence::{Commit, Evidence};
use super::rule::{Condition, Level, Policy, Rule};
use crate::finding::Verdict;
use crate::id::{GitId, RepoPath};
pub use crate::record::body::Outcome;

/// What a policy says of a range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Of the rules that block.
    pub verdict: Verdict,
    /// Every rule, in the order of the policy.
    pub rules: Vec<RuleOutcome>,
    /// By rule in the order of the policy, then by commit in the order of the range, then by path.
    pub findings: Vec<Finding>,
}

/// How one rule came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleOutcome {
    pub rule: String,
    pub condition: String,
    pub level: Level,
    pub outcome: Verdict,
}

/// One place where a rule is not kept, or may not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub rule: String,
    pub level: Level,
    pub outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<GitId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<RepoPath>,
    /// What was found, where, and what the rule asks for.
    pub message: String,
    /// What to do.
    pub advice: String,
}

/// Judges a range by a policy.
pub fn evaluate(policy: &Policy, evidence: &Evidence) -> Report {
    let (mut rules, mut all) = (Vec::new(), Vec::new());
    for rule in &policy.rules {
        let mut findings = Findings { rule, list: Vec::new() };
        match &rule.condition {
            Condition::TraceCompleteness(condition) => condition.judge(evidence, &mut findings),
            Condition::AiPercentage(condition) => condition.judge(evidence, &mut findings),
            Condition::ModelAllowlist(condition) => condition.judge(evidence, &mut findings),
            Condition::SensitivePaths(condition) => condition.judge(evidence, &mut findings),
            Condition::RequiredTool(condition) | Condition::ConditionalTool(condition) => {
                condition.judge(evidence, &mut findings);
            }
            Condition::TokenBudget(condition) => condition.judge(evidence, &mut findings),
            Condition::Unknown { why, .. } => findings.add(
                Outcome::Inconclusive,
                Place::default(),
                format!("this version does not understand the rule: {why}"),
                "update git-tracevault, or have a policy-admin correct the rule",
            ),
        }
        let outcome = verdict(findings.list.iter());
        let condition = rule.condition.kind().to_owned();
        rules.push(RuleOutcome { rule: rule.name.clone(), condition, level: rule.level, outcome });
        all.extend(findings.list);
    }
    let blocking = all.iter().filter(|finding| finding.level == Level::Block);
    Report { verdict: verdict(blocking), rules, findings: all }
}

fn verdict<'f>(findings: impl Iterator<Item = &'f Finding>) -> Verdict {
    match findings.map(|finding| finding.outcome).max() {
        Some(Outcome::Violated) => Verdict::Fail,
        Some(Outcome::Inconclusive) => Verdict::Inconclusive,
        None => Verdict::Pass,
    }
}

/// What a finding is about; nothing where it is about the range.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place<'e> {
    pub commit: Option<&'e Commit>,
    pub path: Option<&'e RepoPath>,
}

impl<'e> Place<'e> {
    pub fn commit(commit: &'e Commit) -> Self {
        Place { commit: Some(commit), path: None }
    }

    pub fn path(path: &'e RepoPath) -> Self {
        Place { commit: None, path: Some(path) }
    }

    pub fn file(commit: &'e Commit, path: &'e RepoPath) -> Self {
        Place { commit: Some(commit), path: Some(path) }
    }
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.commit, self.path) {
            (Some(commit), Some(path)) => write!(f, "commit {}, {path}", commit.id.short()),
            (Some(commit), None) => write!(f, "commit {}", commit.id.short()),
            (None, Some(path)) => path.fmt(f),
            (None, None) => f.write_str("the range"),
        }
    }
}

/// What one rule found.
pub struct Findings<'r> {
    rule: &'r Rule,
    list: Vec<Finding>,
}

impl Findings<'_> {
    pub fn add(&mut self, outcome: Outcome, place: Place<'_>, what: impl std::fmt::Display, advice: &str) {
        self.list.push(Finding {
            rule: self.rule.name.clone(),
            level: self.rule.level,
            outcome,
            commit: place.commit.map(|commit| commit.id.clone()),
            path: place.path.cloned(),
            message: format!("{place}: {what} (rule {})", self.rule.name),
            // The rule's own message says what to do where it is broken, not how to find out whether it is.
            advice: match (&self.rule.message, outcome) {
                (Some(message), Outcome::Violated) => message.clone(),
                _ => advice.to_owned(),
            },
        });
    }

    pub fn violated(&mut self, place: Place<'_>, what: impl std::fmt::Display, advice: &str) {
        self.add(Outcome::Violated, place, what, advice);
    }

    /// The rule cannot be judged here. The advice tells how it can.
    pub fn unknown(&mut self, place: Place<'_>, what: impl std::fmt::Display, advice: &str) {
        self.add(Outcome::Inconclusive, place, what, advice);
    }

    /// The rule cannot be judged for a commit without a valid record.
    pub fn unrecorded(&mut self, commit: &Commit, open: &str) {
        let Some(why) = commit.unknown() else { return };
        self.unknown(Place::commit(commit), format!("{open} cannot be told: {why}"), RECORD_IT);
    }
}

/// How a commit comes by a valid record.
pub const RECORD_IT: &str = "fetch the ledger (git tracevault fetch); if the record is not there, push it from the \
    clone that made the commit, and have an admin enrol its key";

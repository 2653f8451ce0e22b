//! `sensitive-paths`: files in which an agent's lines are not wanted, or must be reviewed by someone with a role.

use super::{agent_lines, count, hides_agent_lines, unattributed_is_agent};
use crate::id::RepoPath;
use crate::policy::evaluate::{Findings, Place};
use crate::policy::evidence::{Commit, Evidence, File};
use crate::policy::foresee::{Answer, Plan, Sayings};
use crate::policy::globs::PathGlobs;
use crate::policy::parse::Keys;
use crate::record::body::Role;

#[derive(Debug, Clone)]
pub struct Sensitive {
    paths: PathGlobs,
    /// Whose approval makes an agent's lines fine.
    reviewer: Option<(&'static str, Role)>,
    unattributed: bool,
}

const ROLES: &[(&str, Role)] = &[
    ("owner", Role::Owner),
    ("admin", Role::Admin),
    ("policy-admin", Role::PolicyAdmin),
    ("developer", Role::Developer),
    ("auditor", Role::Auditor),
];

const FETCH: &str = "have the whole record, with the lines of every file (git tracevault fetch)";

/// Whether a review that a rule asks for has been given.
enum Review {
    Given,
    Open,
    Unknown,
}

impl Sensitive {
    pub fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        let paths = keys.required("paths", "patterns of the files it is about", |keys, key| keys.paths(key));
        let named = ROLES.iter().map(|role| (role.0, *role)).collect::<Vec<_>>();
        let reviewer = keys.choice("reviewer", &named);
        let unattributed = unattributed_is_agent(keys);
        Some(Sensitive { paths: paths?, reviewer, unattributed })
    }

    pub fn foresee(&self, plan: &Plan, sayings: &mut Sayings<'_>) {
        let held: Vec<RepoPath> = plan.paths.iter().filter(|path| self.paths.matches(path)).cloned().collect();
        match (held.is_empty(), self.reviewer) {
            (true, _) if plan.paths.is_empty() => {
                sayings.add(Answer::Unknown, "some paths are sensitive; name those that will be changed", held);
            }
            (true, _) => {}
            (false, Some((role, _))) => {
                let message =
                    format!("an agent's lines in these files need the approval of somebody else with the role {role}");
                sayings.add(Answer::Asks, message, held);
            }
            (false, None) => sayings.add(Answer::Refuses, "no line of these files may be an agent's", held),
        }
    }

    /// Whether this file is one of those that the rule is about.
    pub fn holds(&self, path: &RepoPath) -> bool {
        self.paths.matches(path)
    }

    /// The role whose approval makes an agent's lines fine; `None`: no approval does.
    pub fn reviewer(&self) -> Option<&'static str> {
        self.reviewer.map(|(role, _)| role)
    }

    pub fn judge(&self, evidence: &Evidence, findings: &mut Findings<'_>) {
        for commit in &evidence.commits {
            let mut files: Vec<&File> =
                commit.files.known.iter().filter(|file| self.paths.matches(&file.path)).collect();
            if files.is_empty() && commit.files.whole {
                continue;
            }
            let review = self.review(evidence, commit);
            if matches!(review, Review::Given) {
                continue;
            }
            files.sort_by_key(|file| &file.path);
            for file in files {
                self.judge_file(commit, file, &review, findings);
            }
            if !commit.files.whole && hides_agent_lines(commit, self.unattributed) {
                let what = "not all of its files are known, and agents may have written lines of sensitive ones";
                findings.unknown(Place::commit(commit), what, FETCH);
            }
        }
    }

    fn judge_file(&self, commit: &Commit, file: &File, review: &Review, findings: &mut Findings<'_>) {
        let place = Place::file(commit, &file.path);
        let Some(lines) = commit.lines_of(file) else {
            let why = commit.unknown().unwrap_or_else(|| "no record says it".to_owned());
            let what = format!("whether an agent wrote lines of this sensitive file cannot be told: {why}");
            return findings.unknown(place, what, crate::policy::evaluate::RECORD_IT);
        };
        let agent = agent_lines(&lines, self.unattributed);
        if agent == 0 {
            return;
        }
        let of = if self.unattributed { "an agent's or nobody's known" } else { "an agent's" };
        let found = format!("{} of {of}, in a sensitive file", count(agent, "line"));
        match (self.reviewer, review) {
            (Some((role, _)), Review::Unknown) => {
                let what = format!("{found}; whether someone with the role {role} approved is not known");
                findings.unknown(place, what, "fetch the ledger with its approvals (git tracevault fetch)");
            }
            (Some((role, _)), _) => {
                let advice = format!("ask someone else with the role {role} to review the commit and approve it");
                findings.violated(place, format!("{found}, which no other {role} has approved"), &advice);
            }
            (None, _) => {
                let advice = "have a person write these lines, or ask a policy-admin about the rule";
                findings.violated(place, format!("{found}; 0 are allowed"), advice);
            }
        }
    }

    /// Nobody reviews what is their own.
    fn review(&self, evidence: &Evidence, commit: &Commit) -> Review {
        let Some((_, role)) = self.reviewer else { return Review::Open };
        let own = |member: &str| {
            member.eq_ignore_ascii_case(&commit.author)
                || commit.member().is_some_and(|recorder| recorder.eq_ignore_ascii_case(member))
        };
        let given =
            evidence.approvals.known.iter().any(|approval| {
                approval.commit == commit.id && approval.roles.contains(&role) && !own(&approval.member)
            });
        match (given, evidence.approvals.whole) {
            (true, _) => Review::Given,
            (false, true) => Review::Open,
            (false, false) => Review::Unknown,
        }
    }
}

//! `ai-percentage`: how large a share of the added lines agents may have written.

use std::collections::HashMap;

use super::{agent_lines, count, unattributed_is_agent};
use crate::id::RepoPath;
use crate::policy::evaluate::{Findings, Outcome, Place};
use crate::policy::evidence::{Commit, Evidence, File};
use crate::policy::foresee::{Answer, Plan, Sayings};
use crate::policy::globs::PathGlobs;
use crate::policy::parse::Keys;
use crate::record::body::Lines;

#[derive(Debug, Clone)]
pub struct Percentage {
    max_percent: u64,
    per: Per,
    paths: Option<PathGlobs>,
    unattributed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Per {
    Push,
    Commit,
    Path,
}

const ADVICE: &str = "rewrite or drop part of what the agent wrote, or ask a policy-admin for a higher limit";
const FETCH: &str = "have the whole record, with the lines of every file (git tracevault fetch)";

/// Added lines: those known to be an agent's and known not to be, and those of which it is not known whether they count.
#[derive(Debug, Clone, Copy, Default)]
struct Share {
    agent: u64,
    others: u64,
    open_agent: u64,
    open_others: u64,
    /// There may be any number more.
    boundless: bool,
}

impl Share {
    fn of(lines: &Lines, unattributed: bool) -> Self {
        let agent = agent_lines(lines, unattributed);
        Share { agent, others: lines.added.saturating_sub(agent), ..Share::default() }
    }

    fn boundless() -> Self {
        Share { boundless: true, ..Share::default() }
    }

    fn opened(self) -> Self {
        Share { agent: 0, others: 0, open_agent: self.agent, open_others: self.others, boundless: self.boundless }
    }

    fn add(&mut self, more: Share) {
        self.agent = self.agent.saturating_add(more.agent);
        self.others = self.others.saturating_add(more.others);
        self.open_agent = self.open_agent.saturating_add(more.open_agent);
        self.open_others = self.open_others.saturating_add(more.open_others);
        self.boundless |= more.boundless;
    }
}

impl Percentage {
    pub fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        let max_percent = keys.required("max_percent", "a whole number from 0 to 100", |k, key| k.number(key, 0..=100));
        let per = keys.choice("per", &[("push", Per::Push), ("commit", Per::Commit), ("path", Per::Path)]);
        let paths = keys.paths("paths");
        let unattributed = unattributed_is_agent(keys);
        Some(Percentage { max_percent: max_percent?, per: per.unwrap_or(Per::Push), paths, unattributed })
    }

    pub fn foresee(&self, plan: &Plan, sayings: &mut Sayings<'_>) {
        let held: Vec<RepoPath> = plan
            .paths
            .iter()
            .filter(|path| self.paths.as_ref().is_some_and(|globs| globs.matches(path)))
            .cloned()
            .collect();
        let is_elsewhere = self.paths.is_some() && held.is_empty() && !plan.paths.is_empty();
        if self.max_percent == 100 || is_elsewhere {
            return;
        }
        let of = match self.per {
            Per::Push => "of the lines that a push adds",
            Per::Commit => "of the lines that a commit adds",
            Per::Path => "of the lines added to each file",
        };
        let message = format!("agents may have written at most {} % {of}", self.max_percent);
        sayings.add(Answer::Asks, message, held);
    }

    pub fn judge(&self, evidence: &Evidence, findings: &mut Findings<'_>) {
        if self.max_percent == 100 {
            return;
        }
        match self.per {
            Per::Push => {
                let shares: Vec<Share> = evidence.commits.iter().map(|commit| self.share(commit)).collect();
                let mut sum = Share::default();
                shares.iter().for_each(|share| sum.add(*share));
                if let Some((outcome, what)) = self.weigh(sum) {
                    tell(outcome, Place::default(), &what, findings);
                }
                for (commit, _) in evidence.commits.iter().zip(&shares).filter(|(_, share)| share.boundless) {
                    open(commit, findings);
                }
            }
            Per::Commit => {
                for commit in &evidence.commits {
                    let share = self.share(commit);
                    if let Some((outcome, what)) = self.weigh(share) {
                        tell(outcome, Place::commit(commit), &what, findings);
                    }
                    if share.boundless {
                        open(commit, findings);
                    }
                }
            }
            Per::Path => self.judge_paths(evidence, findings),
        }
    }

    fn judge_paths(&self, evidence: &Evidence, findings: &mut Findings<'_>) {
        let mut by_path: HashMap<&RepoPath, Share> = HashMap::new();
        for commit in &evidence.commits {
            for file in commit.files.known.iter().filter(|file| self.holds(file)) {
                by_path.entry(&file.path).or_default().add(self.share_of(commit, file));
            }
            // What is not named may be of any path.
            if commit.files.whole || self.rest(commit).is_some_and(|rest| rest.added == 0) {
                continue;
            }
            open(commit, findings);
        }
        let found = by_path.into_iter().filter_map(|(path, share)| Some((path, self.weigh(share)?)));
        let mut found: Vec<_> = found.collect();
        found.sort();
        for (path, (outcome, what)) in found {
            tell(outcome, Place::path(path), &what, findings);
        }
    }

    fn holds(&self, file: &File) -> bool {
        self.paths.as_ref().is_none_or(|paths| paths.matches(&file.path))
    }

    fn share_of(&self, commit: &Commit, file: &File) -> Share {
        commit.lines_of(file).map_or(Share::boundless(), |lines| Share::of(&lines, self.unattributed))
    }

    /// The lines of the files that are not named.
    fn rest(&self, commit: &Commit) -> Option<Lines> {
        let mut rest = commit.total()?;
        for lines in commit.files.known.iter().map(|file| commit.lines_of(file)) {
            let lines = lines?;
            rest.added = rest.added.saturating_sub(lines.added);
            rest.agent = rest.agent.saturating_sub(lines.agent);
            rest.human = rest.human.saturating_sub(lines.human);
            rest.unattributed = rest.unattributed.saturating_sub(lines.unattributed);
        }
        Some(rest)
    }

    /// The share of a commit.
    fn share(&self, commit: &Commit) -> Share {
        if self.paths.is_none()
            && let Some(total) = commit.total()
        {
            return Share::of(&total, self.unattributed);
        }
        let mut sum = Share::default();
        for file in commit.files.known.iter().filter(|file| self.holds(file)) {
            sum.add(self.share_of(commit, file));
        }
        if !commit.files.whole {
            let rest = self.rest(commit);
            sum.add(rest.map_or(Share::boundless(), |rest| Share::of(&rest, self.unattributed).opened()));
        }
        sum
    }

    fn weigh(&self, share: Share) -> Option<(Outcome, String)> {
        let limit = self.max_percent;
        let (agent, others) = (u128::from(share.agent), u128::from(share.others));
        let exceeds = |agent: u128, others: u128| agent * 100 > (agent + others) * u128::from(limit);
        let least = exceeds(agent, others + u128::from(share.open_others));
        let most = exceeds(agent + u128::from(share.open_agent), others);
        // Any number of others' lines may come to it, but where none may be an agent's, one is too many.
        if least && (!share.boundless || limit == 0) {
            let all = share.agent.saturating_add(share.others);
            let of = if self.unattributed { "agents' or nobody's known" } else { "agents'" };
            let what = format!(
                "{} of {} are {of} ({}), and at most {limit} % may be",
                share.agent,
                count(all, "added line"),
                percent(share.agent, all),
            );
            Some((Outcome::Violated, what))
        } else if most || share.boundless {
            let what = format!("whose its lines are is not all known, and at most {limit} % may be agents'");
            Some((Outcome::Inconclusive, what))
        } else {
            None
        }
    }
}

fn tell(outcome: Outcome, place: Place<'_>, what: &str, findings: &mut Findings<'_>) {
    let advice = if outcome == Outcome::Violated { ADVICE } else { FETCH };
    findings.add(outcome, place, what, advice);
}

/// Says why a commit's lines are not known.
fn open(commit: &Commit, findings: &mut Findings<'_>) {
    match commit.unknown() {
        Some(_) => findings.unrecorded(commit, "whose its lines are"),
        None => findings.unknown(Place::commit(commit), "no record says whose all of its lines are", FETCH),
    }
}

/// `80 %`, `33.3 %`.
fn percent(part: u64, all: u64) -> String {
    let tenths = u128::from(part) * 1000 / u128::from(all.max(1));
    match tenths % 10 {
        0 => format!("{} %", tenths / 10),
        rest => format!("{}.{rest} %", tenths / 10),
    }
}

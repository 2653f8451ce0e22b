//! Reports: what was found of commits, in the forms that other programs read.

pub mod junit;
pub mod markdown;
pub mod sarif;

use std::collections::HashMap;

use crate::finding::{self, Severity, Verdict};
use crate::git::blame::{self, Asked};
use crate::git::repo::Repo;
use crate::id::{GitId, RepoPath};
use crate::policy::{self, Level, Outcome};

/// What was found, by the rules or by verifying the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub verdict: Verdict,
    /// What was asked; what a finding is about is always among them.
    pub rules: Vec<Rule>,
    pub findings: Vec<Finding>,
}

/// What was asked of the commits: a rule of the policy, or a code of the verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub id: String,
    pub about: String,
    pub level: Level,
}

/// One place where something is not as it should be, or may not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The id of its rule.
    pub rule: String,
    pub level: Level,
    pub outcome: Outcome,
    pub commit: Option<GitId>,
    pub path: Option<RepoPath>,
    pub line: Option<u32>,
    /// The place in the ledger, where it is about a record.
    pub record: Option<String>,
    pub message: String,
    /// What to do; empty where the message says it.
    pub advice: String,
}

impl Report {
    /// The report of what was asked and turned out as it should.
    pub fn clean() -> Self {
        Report { verdict: Verdict::Pass, rules: Vec::new(), findings: Vec::new() }
    }

    /// What the rules said.
    pub fn of_policy(report: &policy::Report) -> Self {
        let rule = |rule: &policy::RuleOutcome| Rule {
            id: rule.rule.clone(),
            about: rule.condition.clone(),
            level: rule.level,
        };
        let findings = report.findings.iter().map(|found| Finding {
            rule: found.rule.clone(),
            level: found.level,
            outcome: found.outcome,
            commit: found.commit.clone(),
            path: found.path.clone(),
            line: None,
            record: None,
            message: found.message.clone(),
            advice: found.advice.clone(),
        });
        let findings = findings.collect();
        Report { verdict: report.verdict, rules: report.rules.iter().map(rule).collect(), findings }
    }

    /// Adds a finding, and the rule that it is about unless that is there.
    pub fn add(&mut self, about: &str, finding: Finding) {
        if !self.rules.iter().any(|rule| rule.id == finding.rule) {
            let rule = Rule { id: finding.rule.clone(), about: about.to_owned(), level: finding.level };
            self.rules.push(rule);
        }
        if finding.level == Level::Block {
            self.verdict = self.verdict.max(match finding.outcome {
                Outcome::Violated => Verdict::Fail,
                Outcome::Inconclusive => Verdict::Inconclusive,
            });
        }
        self.findings.push(finding);
    }

    /// Adds what verifying the ledger found.
    pub fn add_ledger(&mut self, found: &finding::Finding) {
        let (level, outcome) = match found.severity {
            Severity::Error => (Level::Block, Outcome::Violated),
            Severity::Inconclusive => (Level::Block, Outcome::Inconclusive),
            Severity::Warning => (Level::Warn, Outcome::Violated),
        };
        let chain = found.chain.as_ref().map(|chain| match found.seq {
            Some(seq) => format!("{chain} #{seq}"),
            None => chain.clone(),
        });
        let message = match &chain {
            Some(place) => format!("{place}: {}", found.message),
            None => found.message.clone(),
        };
        let finding = Finding::new(found.code.as_str(), outcome);
        self.add(found.code.meaning(), Finding { level, record: chain, message, ..finding });
    }

    /// The findings that are about a rule.
    pub fn about<'r>(&'r self, rule: &'r Rule) -> impl Iterator<Item = &'r Finding> {
        self.findings.iter().filter(|finding| finding.rule == rule.id)
    }

    /// Looks up where in its file each finding is that names a commit and a file: the first line, as the file is at `head`,
    /// that the commit brought.
    pub fn find_lines(&mut self, repo: &Repo, head: &GitId) {
        let mut known: HashMap<RepoPath, HashMap<GitId, u32>> = HashMap::new();
        for finding in &mut self.findings {
            let (Some(commit), Some(path)) = (&finding.commit, &finding.path) else { continue };
            if !known.contains_key(path) && known.len() == MAX_FILES {
                continue;
            }
            let lines = known.entry(path.clone()).or_insert_with(|| first_lines(repo, head, path));
            finding.line = lines.get(commit).copied();
        }
    }
}

/// The report where nothing says which ledger to trust: nothing was looked at.
pub fn no_trust_root() -> Report {
    let mut report = Report::clean();
    let message = "nothing here says which ledger to trust".to_owned();
    let advice = "name it from outside the checkout: git tracevault ci --ledger ID".to_owned();
    let finding = Finding { message, advice, ..Finding::new("trust-root", Outcome::Inconclusive) };
    report.add("the ledger is pinned", finding);
    report
}

/// Lines are looked up in so many files; further findings name the file alone.
const MAX_FILES: usize = 50;

/// The first line of each commit in a file.
fn first_lines(repo: &Repo, head: &GitId, path: &RepoPath) -> HashMap<GitId, u32> {
    let revisions = vec![head.as_str().into()];
    let Ok(file) = String::from_utf8(path.to_bytes()) else { return HashMap::new() };
    let asked = Asked { revisions, file: file.into(), ..Asked::default() };
    let Ok(printed) = blame::blame(&repo.home(), asked, false) else { return HashMap::new() };
    let mut first = HashMap::new();
    for line in printed.parse().lines {
        if let Some(source) = line.source {
            first.entry(source.commit).or_insert(line.number);
        }
    }
    first
}

impl Finding {
    /// One that blocks, of which nothing is told yet.
    pub fn new(rule: &str, outcome: Outcome) -> Self {
        let (commit, path, line, record, message) = (None, None, None, None, String::new());
        let (rule, advice) = (rule.to_owned(), String::new());
        Finding { rule, level: Level::Block, outcome, commit, path, line, record, message, advice }
    }

    /// `block`, `warn`; with a question mark where it cannot be told.
    pub fn word(&self) -> &'static str {
        match (self.level, self.outcome) {
            (Level::Block, Outcome::Violated) => "block",
            (Level::Block, Outcome::Inconclusive) => "block?",
            (Level::Warn, Outcome::Violated) => "warn",
            (Level::Warn, Outcome::Inconclusive) => "warn?",
        }
    }

    /// What it says, and what to do.
    pub fn told(&self) -> String {
        match self.advice.as_str() {
            "" => self.message.clone(),
            advice => format!("{}. To do: {advice}", self.message),
        }
    }
}

#[cfg(test)]
mod samples {
    use super::*;

    /// Text that means something in each of the forms.
    pub const HOSTILE: &str =
        "a|b`c <img src=x> & \"q\" 'x' ]]> *b* _i_ [l](http://x) @me\n::error::\u{1b}[31m\u{202e}\u{fffe}%0A";

    /// A report with a finding of every kind.
    pub fn report() -> Report {
        let mut report = Report::clean();
        report.rules.push(Rule { id: "kept".into(), about: "ai-percentage".into(), level: Level::Block });
        let finding = |rule: &str, level, outcome| Finding {
            level,
            commit: Some("c".repeat(40).parse().unwrap()),
            message: "m".into(),
            advice: "a".into(),
            ..Finding::new(rule, outcome)
        };
        let path = RepoPath::from_bytes(b"src/a b/\xff,:|%.rs").ok();
        let sensitive = Finding { path, line: Some(3), ..finding("hands off", Level::Block, Outcome::Violated) };
        report.add("sensitive-paths", sensitive.clone());
        report.add("sensitive-paths", Finding { message: HOSTILE.into(), advice: HOSTILE.into(), ..sensitive });
        report.add("token-budget", finding(HOSTILE, Level::Warn, Outcome::Inconclusive));
        report.add("token-budget", finding("budget", Level::Block, Outcome::Inconclusive));
        let missing = finding::Finding::new(finding::Code::Sig, HOSTILE).chain("policy").seq(3);
        report.add_ledger(&missing);
        report
    }

    #[test]
    fn the_verdict_is_the_worst_of_what_blocks() {
        assert_eq!(Report::clean().verdict, Verdict::Pass);
        assert_eq!(report().verdict, Verdict::Fail);
        let mut mild = Report::clean();
        for finding in report().findings.into_iter().filter(|finding| finding.outcome == Outcome::Inconclusive) {
            mild.add("", finding);
        }
        assert_eq!((mild.verdict, mild.rules.len()), (Verdict::Inconclusive, 2));
    }
}

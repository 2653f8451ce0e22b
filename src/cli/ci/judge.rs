//! What CI says of commits: the ledger verified, each commit's state, and the rules in force, from one reading of all records.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::cli::ci::Level as Wanted;
use crate::cli::ci::range::Range;
use crate::cli::report::{Finding, Report};
use crate::cost::Money;
use crate::finding::{self, Code, Severity};
use crate::id::{GitId, SessionId};
use crate::ledger::Ledger;
use crate::ledger::commits::State;
use crate::ledger::query::Known;
use crate::ledger::rules::InForce;
use crate::policy::{Commit, Level, Outcome, Policy, RecordState, evaluate};
use crate::record::body::Lines;

/// The condition that asks for records, as every job does by itself.
const COMPLETENESS: &str = "trace-completeness";

/// What came of it.
pub struct Judged {
    pub report: Report,
    /// The commits, oldest first.
    pub commits: Vec<Row>,
    /// How many records the ledger has.
    pub records: u64,
    /// The number of the policy record with the rules in force.
    pub rules: Option<u64>,
}

/// A commit, and what is known of it.
pub struct Row {
    pub commit: GitId,
    pub state: &'static str,
    /// `None` where nobody says whose its lines are.
    pub lines: Option<Lines>,
    pub sessions: Vec<(SessionId, Vec<String>)>,
    pub cost: Option<Money>,
}

impl Judged {
    /// All lines of which somebody says whose they are.
    pub fn lines(&self) -> Lines {
        let mut total = Lines::default();
        for lines in self.commits.iter().filter_map(|row| row.lines) {
            total.added += lines.added;
            total.agent += lines.agent;
            total.human += lines.human;
            total.unattributed += lines.unattributed;
        }
        total
    }

    /// The sessions that the commits draw on.
    pub fn sessions(&self) -> BTreeSet<&SessionId> {
        self.commits.iter().flat_map(|row| &row.sessions).map(|(session, _)| session).collect()
    }

    /// What all of them cost; `None` if that of any is not known.
    pub fn cost(&self) -> Option<Money> {
        let mut total = Money::default();
        for row in &self.commits {
            total += row.cost?;
        }
        Some(total)
    }
}

/// Judges commits. `before`: what was found when the ledger was fetched.
pub fn judge(ledger: &Ledger, range: &Range, wanted: Wanted, before: &[finding::Finding]) -> anyhow::Result<Judged> {
    let (read, prices) = (ledger.read_all()?, ledger.prices()?);
    let mut report = Report::clean();
    for found in before.iter().filter(|found| !read.findings.contains(found)).chain(&read.findings) {
        let mut found = found.clone();
        if found.code == Code::Pending {
            // Who is not enrolled may write; it counts for the commits that they alone recorded, and is told there.
            found.severity = Severity::Warning;
        }
        report.add_ledger(&found);
    }
    let (policy, rules) = match ledger.rules()? {
        InForce::Rules(rules) => (Policy::read(&rules.toml), Some(rules.set.n)),
        InForce::None => (Policy::read(""), None),
        InForce::Untold(why) => {
            report.add("the rules in force", untold(why));
            (Policy::read(""), None)
        }
    };
    let book = ledger.book_for(&read, &prices, &range.commits)?;
    let evidence = ledger.evidence_for(&policy, &book, &range.commits);
    let judged = evaluate(&policy, &evidence);
    let mut by_rules = Report::of_policy(&judged);
    let told = unrecorded_by_rules(&mut by_rules, &evidence.commits);
    let mut commits = Vec::new();
    for commit in &evidence.commits {
        let known = book.commit(&commit.id);
        if let Some((about, finding)) = below(commit, &known, wanted)
            && !told.contains(&commit.id)
        {
            report.add(about, finding);
        }
        commits.push(row(commit, &known));
    }
    merge(&mut report, by_rules);
    if let Some(head) = &range.head {
        report.find_lines(&ledger.repo, head);
    }
    Ok(Judged { report, commits, records: read.records, rules })
}

fn untold(why: String) -> Finding {
    let advice = "push the ledger (git tracevault push), or see what is wrong with it: git tracevault verify".into();
    let message = format!("which rules are in force cannot be told: {why}");
    Finding { message, advice, ..Finding::new("rules", Outcome::Inconclusive) }
}

fn merge(report: &mut Report, rules: Report) {
    report.verdict = report.verdict.max(rules.verdict);
    report.rules.extend(rules.rules);
    report.findings.extend(rules.findings);
}

/// The commits without a good record of which a rule that blocks tells, each once. What a rule that only warns says of such
/// commits is left out: they are told of anyhow. So is a rule of which nothing is left, for it is not kept.
fn unrecorded_by_rules(by_rules: &mut Report, commits: &[Commit]) -> HashSet<GitId> {
    let is_bad = |commit: &&Commit| !matches!(commit.record, RecordState::Valid { .. } | RecordState::Merge);
    let bad: HashSet<&GitId> = commits.iter().filter(is_bad).map(|commit| &commit.id).collect();
    let complete = by_rules.rules.iter().filter(|rule| rule.about == COMPLETENESS);
    let complete: HashMap<&str, Level> = complete.map(|rule| (rule.id.as_str(), rule.level)).collect();
    let (mut told, mut broken) = (HashSet::new(), HashSet::new());
    by_rules.findings.retain(|finding| match (complete.get(finding.rule.as_str()), &finding.commit) {
        (Some(level), Some(commit)) if bad.contains(commit) => {
            broken.insert(finding.rule.clone());
            *level == Level::Block && told.insert(commit.clone())
        }
        _ => true,
    });
    let left: HashSet<&str> = by_rules.findings.iter().map(|finding| finding.rule.as_str()).collect();
    by_rules.rules.retain(|rule| !broken.contains(&rule.id) || left.contains(rule.id.as_str()));
    told
}

/// What is wrong with a commit whose record is less than what is asked for.
fn below(commit: &Commit, known: &Known<'_>, wanted: Wanted) -> Option<(&'static str, Finding)> {
    let short = commit.id.short();
    let finding = |code: Code, outcome, message: String, advice: &str| {
        let found = Finding { message, advice: advice.to_owned(), ..Finding::new(code.as_str(), outcome) };
        Some((code.meaning(), Finding { commit: Some(commit.id.clone()), ..found }))
    };
    match &commit.record {
        RecordState::Merge => None,
        RecordState::Missing => finding(
            Code::Unrecorded,
            Outcome::Violated,
            format!("commit {short} has no record"),
            "push the ledger from the clone that made the commit: git tracevault push",
        ),
        RecordState::Invalid { why } => finding(
            Code::Commit,
            Outcome::Violated,
            format!("the record of commit {short} does not hold ({why})"),
            "see what is wrong with it: git tracevault verify",
        ),
        RecordState::Pending { chain } => finding(
            Code::Pending,
            Outcome::Inconclusive,
            format!("the key that recorded commit {short} (chain {}) is not enrolled", chain.short()),
            &format!(
                "an owner or admin enrols it: git tracevault fetch && git tracevault member add {}",
                chain.short()
            ),
        ),
        RecordState::Valid { .. } if known.state < wanted.state() => {
            let message = format!("commit {short} is {}; {} is asked for", word(known.state), word(wanted.state()));
            let advice = match wanted {
                Wanted::Sealed => "let a witness seal the ledger first: git tracevault seal",
                Wanted::Linked | Wanted::Signed => "record the commit in the clone that made it: git tracevault push",
            };
            let found = Finding { message, advice: advice.into(), ..Finding::new("level", Outcome::Violated) };
            Some(("how much stands behind each commit", Finding { commit: Some(commit.id.clone()), ..found }))
        }
        RecordState::Valid { .. } => None,
    }
}

fn row(commit: &Commit, known: &Known<'_>) -> Row {
    let state = match &commit.record {
        RecordState::Merge => "merge",
        RecordState::Pending { .. } => "pending",
        RecordState::Valid { .. } | RecordState::Missing | RecordState::Invalid { .. } => word(known.state),
    };
    let is_merge = matches!(commit.record, RecordState::Merge);
    let names = |models: &[&str]| models.iter().map(|model| (*model).to_owned()).collect();
    let sessions = known.sessions.iter().map(|drawn| (drawn.session.clone(), names(&drawn.models))).collect();
    let cost = if is_merge { Some(Money::default()) } else { known.cost };
    Row { commit: commit.id.clone(), state, lines: commit.total(), sessions, cost }
}

fn word(state: State) -> &'static str {
    crate::cli::log::state_style(state).0
}

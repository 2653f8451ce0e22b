//! What a policy will ask of work that is only planned: rule by rule, before a line is written.
//!
//! It says what can be known beforehand. Whether a rule is kept says [`evaluate`](super::evaluate()), when there are commits.

use serde::Serialize;

use super::evidence::Model;
use super::rule::{Condition, Level, Policy, Rule};
use crate::cost::Money;
use crate::id::RepoPath;

/// What somebody means to do.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The files that will be changed.
    pub paths: Vec<RepoPath>,
    /// Tools, skills, MCP tools (`server/tool`) and programs that will be run.
    pub tools: Vec<String>,
    /// The models that will write.
    pub models: Vec<Model>,
}

/// What a rule says of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Foreseen {
    pub rule: String,
    pub condition: String,
    pub level: Level,
    pub answer: Answer,
    pub message: String,
    /// The paths of the plan that the rule is about, where it is about some.
    pub paths: Vec<RepoPath>,
}

/// In a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Nothing stands against it, and nothing is asked.
    Fine,
    /// It may be done, and something more must be.
    Asks,
    /// Whether it may be done cannot be told from the plan.
    Unknown,
    /// It would break the rule.
    Refuses,
}

/// A limit on what is used.
#[derive(Debug, Clone)]
pub struct Limit<'p> {
    pub rule: &'p Rule,
    /// `session`, `commit`, `push` or `author-day`.
    pub per: &'static str,
    pub max_tokens: Option<u64>,
    pub max_cost: Option<Money>,
}

/// What one rule has to say.
pub struct Sayings<'r> {
    rule: &'r Rule,
    list: Vec<Foreseen>,
}

impl Sayings<'_> {
    pub fn add(&mut self, answer: Answer, message: impl Into<String>, paths: Vec<RepoPath>) {
        let own = self.rule.message.as_ref().filter(|_| matches!(answer, Answer::Asks | Answer::Refuses));
        let message = message.into();
        let message = own.map_or(message.clone(), |own| format!("{message} ({own})"));
        self.list.push(Foreseen {
            rule: self.rule.name.clone(),
            condition: self.rule.condition.kind().to_owned(),
            level: self.rule.level,
            answer,
            message,
            paths,
        });
    }
}

/// What each rule says of a plan, in the order of the policy; a rule that has nothing to do with it says so.
pub fn foresee(policy: &Policy, plan: &Plan) -> Vec<Foreseen> {
    let mut all = Vec::new();
    for rule in &policy.rules {
        let mut sayings = Sayings { rule, list: Vec::new() };
        match &rule.condition {
            Condition::TraceCompleteness(_) => sayings.add(
                Answer::Asks,
                "every commit needs its record: commit in a clone where git-tracevault's hooks are installed",
                Vec::new(),
            ),
            Condition::AiPercentage(condition) => condition.foresee(plan, &mut sayings),
            Condition::ModelAllowlist(condition) => condition.foresee(plan, &mut sayings),
            Condition::SensitivePaths(condition) => condition.foresee(plan, &mut sayings),
            Condition::RequiredTool(condition) | Condition::ConditionalTool(condition) => {
                condition.foresee(plan, &mut sayings);
            }
            Condition::TokenBudget(condition) => condition.foresee(&mut sayings),
            Condition::Unknown { why, .. } => {
                sayings.add(Answer::Unknown, format!("this version does not understand the rule: {why}"), Vec::new());
            }
        }
        if sayings.list.is_empty() {
            sayings.add(Answer::Fine, "the rule asks nothing of this plan", Vec::new());
        }
        all.extend(sayings.list);
    }
    all
}

/// The budgets of a policy.
pub fn limits(policy: &Policy) -> Vec<Limit<'_>> {
    let limit = |rule| match rule {
        rule @ &Rule { condition: Condition::TokenBudget(ref budget), .. } => {
            let (per, max_tokens, max_cost) = budget.limit();
            Some(Limit { rule, per, max_tokens, max_cost })
        }
        _ => None,
    };
    policy.rules.iter().filter_map(limit).collect()
}

//! Policies and rules, as they are once they were read.

use std::fmt;

use super::conditions::{Budget, Calls, Completeness, Models, Percentage, Sensitive};
use super::globs::RefGlobs;
pub use crate::record::body::Level;

/// The rules in force.
#[derive(Debug, Clone)]
pub struct Policy {
    pub rules: Vec<Rule>,
    pub encrypt: Encrypt,
    pub branches: Branches,
}

/// The branches whose pushes the rules judge.
#[derive(Debug, Clone, Default)]
pub enum Branches {
    /// All of them, and tags; also where it cannot be told which.
    #[default]
    All,
    Named(RefGlobs),
}

impl Branches {
    /// Whether what is pushed to the ref with this full name is judged.
    pub fn have(&self, name: &str) -> bool {
        match self {
            Branches::All => true,
            Branches::Named(globs) => globs.matches(name),
        }
    }
}

/// Which payloads are encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encrypt {
    /// None.
    No,
    /// All that sessions said: transcripts, and what stands beside them or in their place.
    Transcripts,
    /// It cannot be told, for this reason.
    Unknown(String),
}

/// A condition, and what it weighs.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Unique in its policy.
    pub name: String,
    pub level: Level,
    /// What people are told to do where it is not kept; the condition's own advice if there is none.
    pub message: Option<String>,
    pub condition: Condition,
}

/// What a rule asks for.
#[derive(Debug, Clone)]
pub enum Condition {
    TraceCompleteness(Completeness),
    AiPercentage(Percentage),
    ModelAllowlist(Models),
    SensitivePaths(Sensitive),
    RequiredTool(Calls),
    ConditionalTool(Calls),
    TokenBudget(Budget),
    /// A newer program's, which this one cannot judge.
    Unknown {
        condition: String,
        why: String,
    },
}

impl Condition {
    /// The name that the policy calls it.
    pub fn kind(&self) -> &str {
        match self {
            Condition::TraceCompleteness(_) => "trace-completeness",
            Condition::AiPercentage(_) => "ai-percentage",
            Condition::ModelAllowlist(_) => "model-allowlist",
            Condition::SensitivePaths(_) => "sensitive-paths",
            Condition::RequiredTool(_) => "required-tool",
            Condition::ConditionalTool(_) => "conditional-tool",
            Condition::TokenBudget(_) => "token-budget",
            Condition::Unknown { condition, .. } => condition,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Level::Warn => "warn",
            Level::Block => "block",
        })
    }
}

//! Policy: the rules a ledger's members signed, and what they say of a range of commits.
//!
//! A pure function of (policy, evidence of a range) gives a verdict with findings, so that a push, a server, CI and a
//! rehearsal on history judge alike. `docs/policy.md` is how rules are written.
//!
//! Unknown is not a pass: where the evidence leaves open whether a rule is kept, the rule is inconclusive, and that
//! blocks where the rule blocks. Sums of which part is known are used for what they prove: a budget that the known part
//! exceeds is exceeded.

mod conditions;
mod evaluate;
mod evidence;
mod foresee;
mod globs;
mod parse;
mod rule;
#[cfg(test)]
mod tests;

pub use evaluate::{Outcome, Report, RuleOutcome, evaluate};
pub use evidence::{
    AgentLines, Approval, Commit, Draw, Earlier, Evidence, File, LastEdit, Model, ModelUse, Partly, RecordState,
    Session, Spending, Use,
};
pub use foresee::{Answer, Foreseen, Limit, Plan, foresee, limits};
pub use globs::could_hold;
pub use parse::PolicyError;
#[cfg(test)]
pub use parse::{MAX_BYTES, MAX_RULES};
pub use rule::{Branches, Condition, Encrypt, Level, Policy, Rule};

//! The conditions, one file each: the keys it has, and what it says of a range.

mod budget;
mod calls;
mod completeness;
mod models;
mod percentage;
mod sensitive;

pub use budget::Budget;
pub use calls::Calls;
pub use completeness::Completeness;
pub use models::Models;
pub use percentage::Percentage;
pub use sensitive::Sensitive;

use super::evidence::Commit;
use super::parse::Keys;
use crate::record::body::Lines;

/// The key `unattributed`: whether lines of which nobody knows the origin count as an agent's.
fn unattributed_is_agent(keys: &mut Keys<'_, '_>) -> bool {
    keys.choice("unattributed", &[("ignore", false), ("agent", true)]).unwrap_or(false)
}

/// The lines that count as an agent's.
fn agent_lines(lines: &Lines, unattributed_too: bool) -> u64 {
    let more = if unattributed_too { lines.unattributed } else { 0 };
    lines.agent.saturating_add(more)
}

/// Whether files that are not named may have an agent's lines.
fn hides_agent_lines(commit: &Commit, unattributed_too: bool) -> bool {
    let named = commit.files.known.iter().try_fold(0u64, |sum, file| {
        let lines = commit.lines_of(file)?;
        Some(sum.saturating_add(agent_lines(&lines, unattributed_too)))
    });
    match (commit.total(), named) {
        (Some(total), Some(named)) => agent_lines(&total, unattributed_too) > named,
        _ => true,
    }
}

/// `1 line`, `2 lines`.
fn count(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

//! `git tracevault mcp`: the ledger as tools and resources for agents.

use std::path::Path;

use crate::cli::Code;

/// Serve the ledger to an agent, as tools and resources of the Model Context Protocol
///
/// Speaks the protocol on standard input and output, until the agent closes them: why a line is there, what was said in earlier
/// sessions, which calls failed alike and what made them pass, what the policy will ask, what is left of a budget, whether the
/// ledger holds. It reads as you may read, changes nothing in the repository, and notes each call in tracevault/mcp.jsonl of git's
/// folder; with tracevault.logAccess a record says of each session that it was read. docs/mcp.md says how to tell agents of it.
#[derive(clap::Args, Debug)]
pub struct Args {}

pub fn run(_: &Args, dir: &Path) -> anyhow::Result<Code> {
    crate::mcp::serve(dir)?;
    Ok(0)
}

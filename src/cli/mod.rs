//! The command line: one file a command.

use std::process::ExitCode;

use crate::agent::Kind;
use crate::host::env;

mod hook_agent;

/// Runs the command that the arguments name.
pub fn main() -> ExitCode {
    // An agent waits for its hooks: they are found before the arguments are parsed.
    let mut args = env::args().skip(1);
    if args.next().is_some_and(|arg| arg == "hook")
        && let Some(agent) = args.next().as_deref().and_then(|name| name.to_str()).and_then(Kind::from_name)
    {
        return hook_agent::run(agent);
    }
    ExitCode::SUCCESS
}

//! `git tracevault hook`: what git and agents call. Nobody types it.

use std::path::Path;

use crate::cli::{Code, hook_git};
use crate::setup::Hook;

/// Called by git's and agents' hooks
#[derive(clap::Args, Debug)]
pub struct Args {
    /// post-commit, post-merge, post-rewrite, pre-push, or an agent's name
    name: String,
    /// What git gives the hook
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

pub fn run(args: &Args, dir: &Path) -> anyhow::Result<Code> {
    match Hook::ALL.into_iter().find(|hook| hook.name() == args.name) {
        Some(hook) => Ok(hook_git::run(hook, &args.rest, dir)),
        None => anyhow::bail!("there is no hook {:?}", args.name),
    }
}

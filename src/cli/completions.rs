//! `git tracevault completions`: what a shell needs to complete our commands.

use crate::cli::Code;
use crate::host::output::Out;

/// Print completions for a shell
///
/// For bash: git tracevault completions bash > ~/.local/share/bash-completion/completions/git-tracevault
#[derive(clap::Args, Debug)]
pub struct Args {
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

pub fn run(args: &Args, out: &mut Out) -> anyhow::Result<Code> {
    clap_complete::generate(args.shell, &mut super::command(), "git-tracevault", out);
    Ok(0)
}

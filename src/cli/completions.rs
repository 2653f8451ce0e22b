//! `git tracevault completions`: what a shell needs to complete our commands.

use std::io::Write as _;

use clap_complete::{Shell, generate};

use crate::cli::Code;
use crate::host::output::Out;

/// Print completions for a shell
///
/// For bash: git tracevault completions bash > ~/.local/share/bash-completion/completions/git-tracevault
#[derive(clap::Args, Debug)]
pub struct Args {
    #[arg(value_enum)]
    shell: Shell,
}

/// git's own completion asks a function of this name about `git tracevault`, as zsh and fish do about ours.
const UNDER_GIT: &str = r#"
_git_tracevault() {
    local before=${__git_cmd_idx:-1} ours
    ours=("${COMP_WORDS[@]:before+1}")
    local COMP_WORDS=(git-tracevault "${ours[@]}") COMP_CWORD=$((COMP_CWORD - before))
    _tracevault git-tracevault "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
}
"#;

pub fn run(args: &Args, out: &mut Out) -> anyhow::Result<Code> {
    match args.shell {
        Shell::Bash => out.write_all(bash().as_bytes())?,
        shell => generate(shell, &mut super::command(), "git-tracevault", out),
    }
    Ok(0)
}

/// For bash the functions are named without `git-`: clap_complete does not find its own in a program with a `-` in its name.
fn bash() -> String {
    let mut text = Vec::new();
    generate(Shell::Bash, &mut super::command(), "tracevault", &mut text);
    let text = String::from_utf8_lossy(&text);
    text.replace("-o default tracevault\n", "-o default git-tracevault\n") + UNDER_GIT
}

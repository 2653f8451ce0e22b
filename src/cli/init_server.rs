//! `git tracevault init --server`: puts the gate before a repository that takes pushes.

use std::path::PathBuf;

use crate::cli::Code;
use crate::config;
use crate::host::env;
use crate::host::output::{self, Out};
use crate::id::LedgerId;
use crate::ledger::Ledger;
use crate::ledger::receive::founded;
use crate::setup;

/// What was asked of the gate.
#[derive(clap::Args, Debug)]
pub struct Gate {
    /// Put a pre-receive hook into this repository, which takes pushes: the ledger only grows, code comes with its records
    #[arg(long, conflicts_with_all = ["global", "device", "new_key"])]
    pub server: bool,
    /// With --server: the ledger that must be pushed; else the one that is here, or the first that comes
    #[arg(long, value_name = "ID", requires = "server", conflicts_with = "uninstall")]
    ledger: Option<LedgerId>,
    /// With --server: where hooks are, if the host looks elsewhere than git (GitLab: custom_hooks)
    #[arg(long, value_name = "DIR", requires = "server")]
    hooks_dir: Option<PathBuf>,
}

pub fn run(args: &Gate, ledger: &Ledger, uninstall: bool, out: &mut Out) -> anyhow::Result<Code> {
    if let Some(work_tree) = ledger.repo.work_tree() {
        anyhow::bail!("{} is a work tree; --server is for the bare repository that takes pushes", work_tree.display());
    }
    let home = ledger.repo.home();
    let folder = args.hooks_dir.as_ref().map(|dir| home.join(dir));
    let report = match uninstall {
        true => setup::uninstall_gate(&home, folder.as_deref())?,
        false => setup::install_gate(&home, folder.as_deref(), &env::current_exe()?)?,
    };
    super::init::tell(&report, out)?;
    if uninstall {
        out.line("Pushes are no longer judged here. The ledger stays as it is.")?;
        return Ok(0);
    }
    let here = founded(ledger)?;
    if let (Some(asked), Some(here)) = (args.ledger.or(ledger.config.pinned), here)
        && asked != here
    {
        anyhow::bail!("the ledger here is {here}, not {asked}");
    }
    match args.ledger.or(here).or(ledger.config.pinned) {
        Some(id) => {
            ledger.repo.git().args(["config", "--local", config::LEDGER, &id.to_string()]).run()?;
            out.line(format_args!("ledger {}", out.paint(output::ID, id)))?;
        }
        None => out.line("The first ledger that is pushed is the one that stays. (To name it now: --ledger ID)")?,
    }
    Ok(0)
}

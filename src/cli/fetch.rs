//! `git tracevault fetch`: brings a remote's ledger here.

use crate::cli::{Code, print_findings, remote_name};
use crate::finding::verdict;
use crate::host::output::Out;
use crate::ledger::Ledger;
use crate::ledger::remote::Remote;

/// Fetch the ledger from a remote
///
/// Nothing is ever forced: what the remote has rewound or rewritten stays here as it was seen, and is reported.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The remote; origin, or the only one, if none is named
    remote: Option<String>,
}

pub fn run(args: &Args, ledger: &Ledger, out: &mut Out) -> anyhow::Result<Code> {
    fetch(&remote_name(ledger, args.remote.as_deref())?, ledger, out)
}

/// Fetches and tells what came.
pub fn fetch(name: &str, ledger: &Ledger, out: &mut Out) -> anyhow::Result<Code> {
    let fetched = Remote::new(ledger, name).fetch()?;
    print_findings(out, &fetched.findings)?;
    // What is trusted may have changed with what came.
    let ledger = Ledger::of(crate::git::repo::Repo::discover(&ledger.repo.home())?)?;
    if ledger.policy()?.is_none() {
        out.line(format_args!("{name} has no ledger."))?;
        return Ok(verdict(&fetched.findings).exit_code());
    }
    let notes = ledger.rebuild_notes()?;
    let refs = fetched.refs;
    let plural = if refs == 1 { "" } else { "s" };
    match refs {
        0 => out.line(format_args!("The ledger of {name} is up to date."))?,
        _ => out.line(format_args!(
            "Fetched {refs} ref{plural} of the ledger from {name}; {notes} commits have new notes."
        ))?,
    }
    Ok(verdict(&fetched.findings).exit_code())
}

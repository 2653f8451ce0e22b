//! `git tracevault fetch`: brings a remote's ledger here.

use crate::cli::{self, print_findings, push, remote_name};
use crate::finding::{Code, verdict};
use crate::host::output::Out;
use crate::ledger::Ledger;
use crate::ledger::remote::Remote;
use crate::ledger::verify::Options;

/// Fetch the ledger from a remote
///
/// Nothing is ever forced: what the remote has rewound or rewritten stays here as it was seen, and is reported.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The remote; origin, or the only one, if none is named
    remote: Option<String>,
}

pub fn run(args: &Args, ledger: &Ledger, out: &mut Out) -> anyhow::Result<cli::Code> {
    fetch(&remote_name(ledger, args.remote.as_deref())?, ledger, out)
}

/// Fetches and tells what came.
pub fn fetch(name: &str, ledger: &Ledger, out: &mut Out) -> anyhow::Result<cli::Code> {
    let fetched = Remote::new(ledger, name).fetch()?;
    print_findings(out, &fetched.findings)?;
    push::tell_replaced(name, fetched.replaced);
    // What is trusted may have changed with what came.
    let ledger = Ledger::of(crate::git::repo::Repo::discover(&ledger.repo.home())?)?;
    if ledger.policy()?.is_none() {
        out.line(format_args!("{name} has no ledger."))?;
        return Ok(verdict(&fetched.findings).exit_code());
    }
    let report = ledger.verify(&Options { pinned: ledger.id(), entries: true, ..Options::default() })?;
    ledger.keep_used(&report);
    let notes = ledger.rebuild_notes(&report)?;
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    match fetched.refs {
        // What was reported says it.
        _ if !fetched.findings.is_empty() => {}
        0 => out.line(format_args!("The ledger of {name} is up to date."))?,
        refs => out.line(format_args!(
            "Fetched {} of the ledger from {name}; {} written.",
            count(refs, "ref"),
            count(notes, "note")
        ))?,
    }
    // Somebody waits for an owner, who need not run `verify` to learn of it.
    let pending: Vec<_> = report.findings.into_iter().filter(|finding| finding.code == Code::Pending).collect();
    print_findings(out, &pending)?;
    Ok(verdict(&fetched.findings).exit_code())
}

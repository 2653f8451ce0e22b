//! `git tracevault receive`: lets a push in, or not; what a server's `pre-receive` hook runs.

use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;

use crate::cli::{Code, check, print_findings};
use crate::finding::Verdict;
use crate::git::incoming::{Incoming, Move};
use crate::host::env;
use crate::host::output::{self, Out};
use crate::ledger::receive::{Push, Refusal};
use crate::ledger::{Ledger, LedgerError};
use crate::policy::RuleOutcome;

/// Let a push in, or not: what a server's pre-receive hook runs
///
/// Reads from standard input what git tells the hook, a line a ref. The ledger only grows and must hold; branches take only
/// commits that come with their records and keep to the rules in force. What cannot be told is not let in. `git tracevault
/// init --server` installs the hook in a bare repository.
#[derive(clap::Args, Debug)]
pub struct Args {}

/// Git is told 0 or 1: whatever goes wrong, the push stays out.
pub fn run(dir: &Path) -> anyhow::Result<Code> {
    match receive(dir) {
        Ok(refusals) if refusals.is_empty() => return Ok(0),
        Ok(refusals) => refusals.iter().try_for_each(tell)?,
        Err(error) => {
            output::say(format_args!("tracevault: {}", output::visible(&super::told(&error))));
            if let Some(hint) = error.downcast_ref::<LedgerError>().and_then(LedgerError::hint) {
                output::say(format_args!("hint: {hint}"));
            }
        }
    }
    output::say("tracevault: the push is not let in.");
    Ok(1)
}

fn receive(dir: &Path) -> anyhow::Result<Vec<Refusal>> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("cannot read what is pushed")?;
    let moves = Move::parse_all(&text)?;
    let here = Ledger::open(dir)?;
    let incoming = Incoming::of(&here.repo, &moves)?;
    let mut after = Ledger::of(incoming.repo()?)?;
    Ok(Push { here: &here, after: &mut after, moves: &moves }.judge()?)
}

/// Says at the pusher's terminal what is wrong, and what mends it.
fn tell(refusal: &Refusal) -> std::io::Result<()> {
    let mut out = Out::to(Box::new(std::io::stderr()), output::stderr_is_terminal() && !env::no_color());
    match refusal {
        Refusal::Ref { name, why, hint } => {
            output::say(format_args!("tracevault: {} {why}.", output::visible(name)));
            output::say(format_args!("hint: {hint}"));
        }
        Refusal::Ledger(finding) => {
            print_findings(&mut out, std::slice::from_ref(finding)).map_err(std::io::Error::other)?;
        }
        Refusal::Code(report) => {
            check::tell_findings(report, &mut out)?;
            let unrecorded =
                |rule: &RuleOutcome| rule.condition == "trace-completeness" && rule.outcome != Verdict::Pass;
            if report.rules.iter().any(unrecorded) {
                output::say(
                    "hint: if only the ledger stayed behind (--no-verify): git tracevault push, then push again",
                );
            }
        }
    }
    Ok(())
}

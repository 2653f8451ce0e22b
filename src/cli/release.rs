//! `git tracevault release`: the end of a legal hold.

use crate::cli::Code;
use crate::cli::decide::How;
use crate::host::output::{self, Out};
use crate::id::CaseId;
use crate::ledger::Ledger;
use crate::ledger::remote::Remote;
use crate::record::body::{Body, Release};

/// End a legal hold: what was held for the case may expire again
///
/// Owners and admins may. What is old enough can be pruned from then on, which cannot be undone.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The case's name
    case: CaseId,
    #[command(flatten)]
    how: How,
}

pub fn run(args: &Args, ledger: &Ledger, out: &mut Out) -> anyhow::Result<Code> {
    let Args { case, how } = args;
    how.confirm(&format!("Release what is held for case {case}, so that it may be pruned?"), out)?;
    let body = Body::Release(Release { case: case.clone() });
    let code = how.decide(ledger, body, &format!("Released case {case}."), out)?;
    if !how.is_proposal() {
        // Where the remote cannot be reached its copies stay for now: the next prune deletes them.
        if let Ok(name) = super::remote_name(ledger, None)
            && let Err(error) = super::prune::send(&Remote::new(ledger, &name), out)
        {
            output::say(format_args!("note: {}", output::visible(&super::told(&error))));
        }
        ledger.forget_expired()?;
    }
    Ok(code)
}

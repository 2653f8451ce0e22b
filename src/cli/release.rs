//! `git tracevault release`: the end of a legal hold.

use crate::cli::decide::{self, How};
use crate::cli::{Code, prune};
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
    if how.is_proposal() {
        return how.decide(ledger, body, "", out);
    }
    decide::sign(ledger, body)?;
    let code = match super::remote_name(ledger, None) {
        Ok(name) => send(&name, case, ledger, out)?,
        Err(_) => {
            out.line(format_args!("Released case {case}."))?;
            0
        }
    };
    ledger.forget_expired()?;
    Ok(code)
}

/// Takes the release to the remote, and what was held out of it; tells how far that came.
fn send(name: &str, case: &CaseId, ledger: &Ledger, out: &mut Out) -> anyhow::Result<Code> {
    let sent = prune::send(&Remote::new(ledger, name), out);
    let shown = output::visible(name);
    match &sent {
        Ok(0) => out.line(format_args!("Released case {case}, and told {shown}."))?,
        Ok(_) => out.line(format_args!("Released case {case}; {shown} does not have it yet (git tracevault push)."))?,
        // Its copies stay for now: the next prune deletes them.
        Err(error) => {
            output::say(format_args!("note: {}", output::visible(&super::told(error))));
            out.line(format_args!("Released case {case}. Push it with: git tracevault push"))?;
        }
    }
    Ok(sent.unwrap_or_default())
}

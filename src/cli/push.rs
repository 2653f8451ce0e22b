//! `git tracevault push`: takes this clone's part of the ledger to a remote.

use crate::cli::{Code, print_findings, remote_name};
use crate::finding::verdict;
use crate::host::output::{self, Out};
use crate::ledger::Ledger;
use crate::ledger::append::Writer;
use crate::ledger::remote::{Pushed, Remote};

/// Push this clone's records to a remote
///
/// An ordinary `git push` does this by itself. Only refs of this clone go, each only from where it was last seen.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The remote; origin, or the only one, if none is named
    remote: Option<String>,
}

pub fn run(args: &Args, ledger: &Ledger, out: &mut Out) -> anyhow::Result<Code> {
    push(&remote_name(ledger, args.remote.as_deref())?, ledger, out)
}

/// Seals what is open, pushes and tells what went.
pub fn push(name: &str, ledger: &Ledger, out: &mut Out) -> anyhow::Result<Code> {
    if ledger.is_enrolled() {
        Writer::open(ledger)?.seal_all()?;
    }
    let pushed = Remote::new(ledger, name).push()?;
    print_findings(out, &pushed.findings)?;
    tell_unsearched(&pushed);
    tell_replaced(name, pushed.replaced);
    match (pushed.refs, pushed.records) {
        _ if !pushed.findings.is_empty() => {}
        (0, _) => out.line(format_args!("{name} has all of this clone's records."))?,
        (_, 1) => out.line(format_args!("Pushed 1 record to {name}."))?,
        (_, records) => out.line(format_args!("Pushed {records} records to {name}."))?,
    }
    Ok(verdict(&pushed.findings).exit_code())
}

/// Says what today's rules could not search; it goes all the same.
pub fn tell_unsearched(pushed: &Pushed) {
    for unsearched in &pushed.unsearched {
        output::say(format_args!("tracevault: {}", output::visible(&unsearched.to_string())));
    }
}

/// Says that a remote has secrets that this clone took off, for nobody had noted that they were sent.
pub fn tell_replaced(name: &str, pieces: usize) {
    if pieces > 0 {
        let (name, what) = (output::visible(name), if pieces == 1 { "piece" } else { "pieces" });
        output::say(format_args!(
            "tracevault: {name} has {pieces} {what} with secrets that were replaced here: a push that was cut off took \
             them there, and there they stay: replace the secrets"
        ));
    }
}

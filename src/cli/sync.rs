//! `git tracevault sync`: fetch, then push, of the ledger alone.

use crate::cli::{Code, fetch, push, remote_name};
use crate::host::output::Out;
use crate::ledger::Ledger;

/// Fetch the ledger from a remote, then push this clone's records to it
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The remote; origin, or the only one, if none is named
    remote: Option<String>,
}

pub fn run(args: &Args, ledger: &Ledger, out: &mut Out) -> anyhow::Result<Code> {
    let name = remote_name(ledger, args.remote.as_deref())?;
    match fetch::fetch(&name, ledger, out)? {
        0 => push::push(&name, ledger, out),
        code => Ok(code),
    }
}

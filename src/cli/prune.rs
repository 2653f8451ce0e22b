//! `git tracevault prune`: deletes payloads that expired, here and at the remote, with a signed record of it.

use serde::Serialize;

use crate::cli::decide::How;
use crate::cli::{COULD_NOT_TELL, Code, format, print_findings, remote_name};
use crate::compliance::length;
use crate::finding::Verdict;
use crate::host::clock;
use crate::host::output::{self, Out};
use crate::ledger::Ledger;
use crate::ledger::expiry::{Planned, State};
use crate::ledger::remote::Remote;
use crate::ledger::verify::Options;
use crate::record::body::{Role, Shelf};

/// Delete payloads that are older than they must be kept
///
/// Records stay, and every chain verifies afterwards: what was pruned is told as W-PRUNED. Whole months of a writer's payloads
/// go at once, and only by the retention in force (git tracevault compliance); what is held for a case stays. A signed record
/// on the policy chain names what was pruned; it is pushed first, then the refs are deleted at the remote, then here. Other
/// clones delete theirs when they fetch it. Look with --dry-run first: this cannot be undone.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Only tell what would be pruned
    #[arg(long)]
    dry_run: bool,
    /// The remote; origin, or the only one there is
    #[arg(value_name = "REMOTE")]
    remote: Option<String>,
    /// Print a JSON object a month, class and chain, with --dry-run
    #[arg(long, requires = "dry_run")]
    json: bool,
    #[command(flatten)]
    how: How,
}

#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    shelf: &'a Shelf,
    /// `expired`, `held`, `kept`, or `pruned` (a record says so, and they are still here).
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    case: Option<String>,
    pieces: u64,
}

pub fn run(args: &Args, ledger: &Ledger, out: &mut Out) -> anyhow::Result<Code> {
    let report = ledger.verify(&Options { pinned: ledger.pinned()?, entries: true, ..Options::default() })?;
    if report.verdict() == Verdict::Fail {
        print_findings(out, &report.findings)?;
        anyhow::bail!("the ledger does not verify; nothing is pruned");
    }
    let Some(retention) = report.keeping.retention() else {
        output::say("Nobody has chosen how long payloads are kept: nothing is pruned. (git tracevault compliance set)");
        return Ok(COULD_NOT_TELL);
    };
    let plan = ledger.plan_pruning(&report, clock::now())?;
    for planned in &plan {
        tell(planned, args.json, out)?;
    }
    let expired: Vec<_> = plan
        .iter()
        .filter_map(|planned| match &planned.state {
            State::Expired(shelf) => Some(shelf.clone()),
            _ => None,
        })
        .collect();
    let left = plan.iter().any(|planned| planned.state == State::Pruned);
    if args.dry_run || (expired.is_empty() && !left) {
        if !args.json {
            let kept = length(retention.months());
            let count = format::count(expired.len() as u64, "month");
            out.line(format_args!("{count} of a writer's payloads may be pruned; they are kept for {kept}."))?;
        }
        // What a release left at a remote that could not be reached then.
        if let (false, Ok(name)) = (args.dry_run, remote_name(ledger, args.remote.as_deref())) {
            Remote::new(ledger, &name).delete_expired()?;
        }
        return Ok(0);
    }
    ledger.require_role(&[Role::Owner, Role::Admin], "prune")?;
    let question = format!("Delete {} of writers' payloads for good?", format::count(expired.len() as u64, "month"));
    args.how.confirm(&question, out)?;
    if args.how.is_proposal() {
        let body = crate::record::body::Body::Prune(crate::record::body::Prune { shelves: expired });
        return args.how.decide(ledger, body, "", out);
    }
    ledger.record_pruning(&ledger.signer()?, &expired)?;
    if let Ok(name) = remote_name(ledger, args.remote.as_deref()) {
        let code = send(&Remote::new(ledger, &name), out)?;
        if code != 0 {
            return Ok(code);
        }
    }
    let refs = ledger.forget_expired()?;
    out.line(format_args!("Pruned {}.", format::count(refs as u64, "ref")))?;
    Ok(0)
}

fn tell(planned: &Planned, json: bool, out: &mut Out) -> anyhow::Result<()> {
    let (state, case) = match &planned.state {
        State::Expired(_) => ("expired", None),
        State::Pruned => ("pruned", None),
        State::Held(case) => ("held", Some(case.to_string())),
        State::Kept => ("kept", None),
    };
    let row = Row { shelf: &planned.shelf, state, case, pieces: planned.pieces };
    if json {
        return Ok(out.json(&row)?);
    }
    let Shelf { chain, class, month } = row.shelf;
    let pieces = format::count(row.pieces, "piece");
    let case = row.case.map(|case| format!(" for case {case}")).unwrap_or_default();
    out.line(format_args!("{month}  {class:<10}  {}  {pieces:>10}  {state}{case}", chain.short()))?;
    Ok(())
}

/// Pushes the ledger, and then deletes at the remote what it says was pruned or released.
pub fn send(remote: &Remote<'_>, out: &mut Out) -> anyhow::Result<Code> {
    let pushed = remote.push()?;
    if !pushed.findings.is_empty() {
        print_findings(out, &pushed.findings)?;
        return Ok(Verdict::Fail.exit_code());
    }
    let gone = remote.delete_expired()?;
    if gone > 0 {
        let refs = format::count(gone as u64, "ref");
        out.line(format_args!("Deleted {refs} at {}.", output::visible(remote.url())))?;
    }
    Ok(0)
}

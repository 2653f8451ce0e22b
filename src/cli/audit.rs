//! `git tracevault audit`: verifies the ledger and signs the result onto the policy chain.

use std::collections::BTreeMap;

use crate::cli::decide::How;
use crate::cli::{Code, NO_TRUST_ROOT, print_findings};
use crate::host::output::{self, Out};
use crate::ledger::verify::{Options, Report};
use crate::ledger::{Ledger, fit};
use crate::record::body::{Audit, Body, CodeCount, HeadOf, Role};

/// Verify the whole ledger, and keep the result as a signed record
///
/// For a scheduled job: what was found, how many findings of each code, and the last record of every chain go to the policy
/// chain. Owners, admins and auditors may. Exits as verify does.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Print one JSON object: the body of the record
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    how: How,
}

pub fn run(args: &Args, ledger: &Ledger, out: &mut Out) -> anyhow::Result<Code> {
    let Some(pinned) = ledger.pinned()? else {
        output::say("no trust root: nothing here says which ledger to trust. (git tracevault verify)");
        return Ok(NO_TRUST_ROOT);
    };
    ledger.require_role(&[Role::Owner, Role::Admin, Role::Auditor], "audit")?;
    let report = ledger.verify(&Options { pinned: Some(pinned), full: true, notes: true, ..Options::default() })?;
    let verdict = report.verdict();
    let body = body(&report);
    if args.json {
        out.json(&body)?;
    } else {
        print_findings(out, &report.findings)?;
    }
    let done = format!("Audited {} records: {verdict}.", report.records);
    // Standard output has the answer alone.
    let mut told = if args.json { Out::to(Box::new(std::io::stderr()), false) } else { Out::stdout() };
    args.how.decide(ledger, Body::Audit(body), &done, &mut told)?;
    Ok(verdict.exit_code())
}

fn body(report: &Report) -> Audit {
    let mut codes: BTreeMap<&str, u64> = BTreeMap::new();
    for finding in &report.findings {
        *codes.entry(finding.code.as_str()).or_default() += 1;
    }
    let findings = codes.into_iter().map(|(code, count)| CodeCount { code: code.to_owned(), count }).collect();
    let head = |chain: &crate::ledger::verify::Chain| {
        chain.head.map(|head| HeadOf { chain: chain.id, seq: head.seq, id: head.id })
    };
    let heads = report.chains.iter().filter_map(head).collect();
    fit::audit(Audit { verdict: report.verdict(), records: report.records, findings, heads, cut: Vec::new() })
}

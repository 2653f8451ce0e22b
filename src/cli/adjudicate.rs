//! `git tracevault adjudicate`: what was decided about a finding.

use std::collections::BTreeMap;

use crate::cli::decide::How;
use crate::cli::{Code, chains};
use crate::host::output::{self, Out};
use crate::id::{ChainId, RecordId};
use crate::ledger::Ledger;
use crate::ledger::verify::{Options, Report};
use crate::record::body::{Adjudicate, Body, Decision};

/// Decide about a finding: what it is held to be, and which record is the right one
///
/// For forks, gaps and what else verify finds and nobody can undo. verify shows the decision beside the finding; the finding
/// stays, and so does the verdict. Owners and admins decide; a later decision takes the place of an earlier one.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The finding's code, as verify prints it (E-FORK)
    code: String,
    /// The chain that the finding is about: its name, or 4 of its first characters or more
    chain: String,
    /// The number that the finding names
    #[arg(value_name = "SEQ")]
    seq: Option<u64>,
    /// accepted: it is explained, and no harm; rejected: it is harm
    #[arg(long, value_parser = decision)]
    decision: Decision,
    /// The record that is the right one, where there are several
    #[arg(long, value_name = "RECORD")]
    record: Option<RecordId>,
    #[command(flatten)]
    how: How,
}

fn decision(text: &str) -> Result<Decision, String> {
    serde_json::from_value(text.into()).map_err(|_| "one of accepted, rejected".to_owned())
}

pub fn run(args: &Args, ledger: &Ledger, out: &mut Out) -> anyhow::Result<Code> {
    let Args { code, seq, decision, record, how, .. } = args;
    let report = ledger.verify(&Options { pinned: ledger.pinned()?, ..Options::default() })?;
    let chain = named(&report, &args.chain)?;
    let name = chain.to_string();
    let about = |finding: &&crate::finding::Finding| {
        finding.code.as_str() == code && finding.chain.as_ref() == Some(&name) && finding.seq == *seq
    };
    if report.findings.iter().filter(about).count() == 0 {
        anyhow::bail!("verify finds no {} there; name code, chain and number as it prints them", output::visible(code));
    }
    let body = Adjudicate { code: code.clone(), chain, seq: *seq, decision: *decision, record: *record };
    how.decide(ledger, Body::Adjudicate(body), "Decided.", out)
}

/// The chain that is meant, of those that are here and those that are not where something was found.
fn named(report: &Report, who: &str) -> anyhow::Result<ChainId> {
    let found = report.findings.iter().filter_map(|finding| finding.chain.as_ref()?.parse().ok());
    let mut candidates: BTreeMap<ChainId, Option<&str>> = found.map(|chain| (chain, None)).collect();
    candidates.insert(ChainId::Policy, None);
    candidates.extend(chains::candidates(report));
    chains::find(who, "chain", candidates)
}

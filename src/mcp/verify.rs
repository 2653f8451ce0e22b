//! `verify`: whether the records that are here hold.

use std::sync::Arc;

use rmcp::schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::host::clock;
use crate::index::FindingRow;
use crate::ledger::verify::Options;
use crate::mcp::desk::{Desk, Need};
use crate::mcp::refusal::Refusal;
use crate::time::Time;

/// So many findings are told, the worst first, and so many counted.
const FINDINGS: usize = 20;
const MOST: i64 = 1000;

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
#[serde(deny_unknown_fields)]
pub struct Asked {}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub struct Verified {
    /// pass, fail, or inconclusive where something cannot be told.
    verdict: String,
    /// When that was found; no ref of the ledger has moved since.
    verified: String,
    /// The ledger's name.
    ledger: Option<String>,
    /// Whether this is the ledger that is pinned here; false where nothing is pinned.
    pinned: bool,
    records: u64,
    chains: u64,
    /// The worst first.
    findings: Vec<Finding>,
    /// How many more findings there are; 980 stands for so many or more.
    more: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Finding {
    code: String,
    /// error, inconclusive or warning.
    severity: String,
    chain: Option<String>,
    seq: Option<i64>,
    message: String,
    /// What a member with that right has decided about it.
    decided: Option<String>,
}

pub fn verify(desk: &Arc<Desk>, _: Asked) -> Result<Verified, Refusal> {
    // What the index is made of was verified. As long as no ref has moved there is nothing new to verify.
    if desk.ready(Need::Records)?.complete { known(desk) } else { anew(desk) }
}

/// What was found when the index took in what is here.
fn known(desk: &Arc<Desk>) -> Result<Verified, Refusal> {
    let (number, pinned) = (desk.local.number()?, desk.ledger()?.pinned()?);
    let all = desk.ask(desk.database().repositories())?;
    let Some(row) = all.into_iter().find(|row| row.id == number) else { return anew(desk) };
    let filter = desk.filter()?;
    let findings = desk.ask(desk.database().findings(&filter, MOST))?;
    let chains = desk.ask(desk.database().chains(&filter))?.len() as u64;
    let more = findings.len().saturating_sub(FINDINGS) as u64;
    let finding = |row: FindingRow| Finding {
        code: row.code,
        severity: row.severity,
        chain: row.chain,
        seq: row.seq,
        message: row.message,
        decided: row.decided,
    };
    Ok(Verified {
        verdict: row.verdict.unwrap_or_else(|| "inconclusive".to_owned()),
        verified: Time::from_unix(row.verified.unwrap_or_default()).to_string(),
        pinned: pinned.is_some_and(|pinned| row.ledger.as_deref() == Some(&pinned.to_string())),
        ledger: row.ledger,
        records: u64::try_from(row.records).unwrap_or_default(),
        chains,
        findings: findings.into_iter().take(FINDINGS).map(finding).collect(),
        more,
    })
}

/// Verifies now, while the index is still being made.
fn anew(desk: &Arc<Desk>) -> Result<Verified, Refusal> {
    let ledger = desk.ledger()?;
    let pinned = ledger.pinned()?;
    let report = ledger.verify(&Options { pinned, ..Options::default() })?;
    let finding = |finding: &crate::finding::Finding| Finding {
        code: finding.code.as_str().to_owned(),
        severity: finding.severity.as_str().to_owned(),
        chain: finding.chain.clone(),
        seq: finding.seq.and_then(|seq| i64::try_from(seq).ok()),
        message: finding.message.clone(),
        decided: finding.decided.as_ref().map(|decided| decided.decision.clone()),
    };
    Ok(Verified {
        verdict: report.verdict().to_string(),
        verified: clock::now().to_string(),
        ledger: report.ledger.map(|ledger| ledger.to_string()),
        pinned: pinned.is_some() && pinned == report.ledger,
        records: report.records,
        chains: report.chains.len() as u64,
        findings: report.findings.iter().take(FINDINGS).map(finding).collect(),
        more: report.findings.len().saturating_sub(FINDINGS) as u64,
    })
}

//! `git tracevault compliance`: how long payloads are kept, and for which frameworks.

use serde::Serialize;

use crate::cli::Code;
use crate::cli::decide::How;
use crate::compliance::{Retention, choice, length};
use crate::host::output::Out;
use crate::ledger::Ledger;
use crate::record::body::{Body, Chosen, Compliance, Framework};

/// Show or choose how long payloads are kept
///
/// Records are kept for good; payloads (transcripts) expire. Nothing is pruned before an owner or admin has chosen. Frameworks:
/// sox (7 years), pci-dss (1 year), sr-11-7 or mrm (3 years; SR 26-2 replaced it in April 2026), custom. Where several
/// are chosen, the longest holds. What a framework that was chosen asks for is never lowered again.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Sub>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(clap::Subcommand, Debug)]
enum Sub {
    /// Print what is in force
    Show {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Keep payloads for these frameworks from now on, and for no others
    Set {
        /// Like sox, sox=10y or custom=18m; without a number the framework's own
        #[arg(value_name = "FRAMEWORK", required = true, value_parser = chosen)]
        frameworks: Vec<Chosen>,
        #[command(flatten)]
        how: How,
    },
}

fn chosen(text: &str) -> Result<Chosen, String> {
    choice(text).map_err(|error| error.to_string())
}

#[derive(Serialize)]
struct Answer {
    /// The policy record that says so.
    n: u64,
    /// How long payloads are kept after the month they bear.
    months: u32,
    /// What no later choice may go below.
    floor_months: u32,
    frameworks: Vec<FrameworkAnswer>,
}

#[derive(Serialize)]
struct FrameworkAnswer {
    framework: Framework,
    title: &'static str,
    months: u32,
    /// `null`: it has none.
    minimum_months: Option<u32>,
}

pub fn run(args: &Args, ledger: &Ledger, out: &mut Out) -> anyhow::Result<Code> {
    match &args.command {
        None => show(ledger, args.json, out),
        Some(Sub::Show { json }) => show(ledger, args.json || *json, out),
        Some(Sub::Set { frameworks, how }) => set(ledger, frameworks, how, out),
    }
}

fn show(ledger: &Ledger, json: bool, out: &mut Out) -> anyhow::Result<Code> {
    let decided = ledger.decided()?;
    super::print_findings(out, &decided.findings)?;
    let retention = decided.keeping.retention();
    if json {
        out.json(&retention.map(answer))?;
    } else if let Some(retention) = retention {
        for Chosen { framework, months } in &retention.frameworks {
            out.line(format_args!("{framework:<8} {:<20} {}", length(*months), framework.title()))?;
        }
        out.line(format_args!("Payloads are kept for {} after their month.", length(retention.months())))?;
    } else {
        out.line("Nobody has chosen how long payloads are kept: none is pruned. (git tracevault compliance set)")?;
    }
    Ok(if decided.findings.is_empty() { 0 } else { 1 })
}

fn answer(retention: &Retention) -> Answer {
    let one = |chosen: &Chosen| FrameworkAnswer {
        framework: chosen.framework,
        title: chosen.framework.title(),
        months: chosen.months,
        minimum_months: chosen.framework.minimum(),
    };
    Answer {
        n: retention.n,
        months: retention.months(),
        floor_months: retention.floor,
        frameworks: retention.frameworks.iter().map(one).collect(),
    }
}

fn set(ledger: &Ledger, chosen: &[Chosen], how: &How, out: &mut Out) -> anyhow::Result<Code> {
    let mut frameworks = chosen.to_vec();
    frameworks.sort_by_key(|chosen| chosen.framework);
    if let Some(pair) = frameworks.windows(2).find(|pair| pair[0].framework == pair[1].framework) {
        anyhow::bail!("{} is named twice", pair[0].framework);
    }
    let months = frameworks.iter().map(|chosen| chosen.months).max().unwrap_or_default();
    let least = frameworks.iter().filter_map(|chosen| chosen.framework.minimum()).max();
    if let Some(least) = least {
        let least = length(least);
        how.confirm(&format!("Keep payloads for {}, and never for less than {least} again?", length(months)), out)?;
    }
    let body = Body::Compliance(Compliance { frameworks });
    how.decide(ledger, body, &format!("Payloads are kept for {} after their month.", length(months)), out)
}

//! `git tracevault seal`: a witness's signed statement of all heads.

use std::path::PathBuf;

use anyhow::Context as _;
use serde::Serialize;

use crate::cli::{COULD_NOT_TELL, Code, format, print_findings, remote_name};
use crate::config;
use crate::finding::{Finding, Severity, Verdict, verdict};
use crate::host::env;
use crate::host::output::{self, Out};
use crate::ledger::Ledger;
use crate::ledger::remote::Remote;
use crate::ledger::witness::Sealing;
use crate::record::Citation;
use crate::record::body::Claim;
use crate::signing::Signer;

/// Seal the ledger, as a witness: a signed statement of how far every chain is
///
/// For a machine that runs after each push or every hour (CI), with a key of its own whose member has the role witness. Fetches,
/// verifies everything that is here, seals what is new and pushes the seal. Refuses when the ledger does not verify, and when
/// anything that was sealed before is no longer there.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The witness's key; without it, the one that `git config tracevault.witnessKey` names
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Make the witness's key, unless there is one, and open its chain, so that it can be enrolled
    #[arg(long)]
    init: bool,
    /// What the witness calls itself, with --init
    #[arg(long, value_name = "NAME", default_value = "witness", requires = "init")]
    name: String,
    /// Neither fetch nor push
    #[arg(long)]
    local: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Args {
    /// Sealing with the key in a file, with all that belongs to it.
    pub fn with_key(key: PathBuf) -> Self {
        Args { key: Some(key), init: false, name: String::new(), local: false, json: false }
    }
}

/// What `--json` prints.
#[derive(Serialize, Default)]
struct Answer {
    sealed: Vec<Citation>,
    findings: Vec<Finding>,
    pushed: bool,
}

pub fn run(args: &Args, ledger: &Ledger, out: &mut Out) -> anyhow::Result<Code> {
    let signer = key(args, ledger)?;
    let mut ledger = Ledger::open(&ledger.repo.home())?;
    if let Some(path) = &args.key {
        ledger.config.witness_key = Some(std::path::absolute(path)?);
    }
    let remote = if args.local { None } else { remote_name(&ledger, None).ok() };
    if let Some(name) = &remote {
        let fetched = Remote::new(&ledger, name).fetch()?;
        if verdict(&fetched.findings) == Verdict::Fail {
            return refused(fetched.findings, args.json, out);
        }
        // The policy chain that was fetched may have been the first that is here.
        let key = ledger.config.witness_key.take();
        ledger = Ledger::open(&ledger.repo.home())?;
        ledger.config.witness_key = key;
    }
    if args.init {
        return enrol(args, &ledger, &signer, remote.as_deref(), out);
    }
    let sealed = match ledger.seal(&signer)? {
        Sealing::Refused(findings) => return refused(findings, args.json, out),
        Sealing::Nothing => Vec::new(),
        Sealing::Sealed(seals) => seals,
    };
    let findings = push(&ledger, remote.as_deref())?;
    let failed = verdict(&findings) == Verdict::Fail;
    if args.json {
        out.json(&Answer { sealed, pushed: remote.is_some() && !failed, findings })?;
    } else {
        for seal in &sealed {
            let records = format::count(seal.n, "record");
            out.line(format_args!("sealed {records}  {}", out.paint(output::ID, seal.id)))?;
        }
        if sealed.is_empty() {
            out.line("Nothing to seal: every record is sealed.")?;
        }
        print_findings(out, &findings)?;
    }
    Ok(if failed { Verdict::Fail.exit_code() } else { 0 })
}

/// The witness's key; with `--init` a new one where there is none.
fn key(args: &Args, ledger: &Ledger) -> anyhow::Result<Signer> {
    if let Some(path) = args.key.as_ref().or(ledger.config.witness_key.as_ref()) {
        return Ok(Signer::load(path)?);
    }
    if !args.init {
        anyhow::bail!("there is no witness's key here; give it with --key, or make one: git tracevault seal --init");
    }
    let dir = env::config_dir().context("there is no home folder to keep a key in (HOME is not set)")?.join("keys");
    let signer = Signer::generate()?;
    let path = signer.save(&dir)?;
    ledger.repo.git().args(["config", "--local", config::WITNESS_KEY]).arg(&path).run()?;
    Ok(signer)
}

fn enrol(args: &Args, ledger: &Ledger, signer: &Signer, remote: Option<&str>, out: &mut Out) -> anyhow::Result<Code> {
    let member = Claim { id: args.name.clone(), name: args.name.clone() };
    let device = ledger.config.device.clone().or_else(env::host_name).unwrap_or_else(|| "unnamed".into());
    let new = ledger.open_witness(signer, member, device)?;
    let findings = push(ledger, remote)?;
    print_findings(out, &findings)?;
    let chain = signer.chain();
    out.line(format_args!("chain  {}{}", out.paint(output::ID, chain), if new { "  (new)" } else { "" }))?;
    out.line("An owner or admin enrols the witness:")?;
    out.line(format_args!("  git tracevault fetch && git tracevault member add {} --role witness", chain.short()))?;
    Ok(verdict(&findings).exit_code())
}

fn push(ledger: &Ledger, remote: Option<&str>) -> anyhow::Result<Vec<Finding>> {
    Ok(remote.map(|name| Remote::new(ledger, name).push()).transpose()?.unwrap_or_default().findings)
}

fn refused(findings: Vec<Finding>, json: bool, out: &mut Out) -> anyhow::Result<Code> {
    let worst = findings.iter().map(|finding| finding.severity).max();
    if json {
        out.json(&Answer { findings, ..Answer::default() })?;
    } else {
        print_findings(out, &findings)?;
        out.line(out.paint(output::BAD, "Not sealed: the ledger does not verify."))?;
    }
    Ok(if worst == Some(Severity::Error) { Verdict::Fail.exit_code() } else { COULD_NOT_TELL })
}

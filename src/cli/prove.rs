//! `git tracevault prove`: that a record was sealed, for somebody who does not have the repository.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Serialize;

use crate::cli::{Code, NO_TRUST_ROOT, read_book};
use crate::finding::Verdict;
use crate::git::history;
use crate::host::files;
use crate::host::output::{self, Out};
use crate::id::{ChainId, LedgerId, RecordId};
use crate::ledger::verify::Report;
use crate::ledger::{Ledger, LedgerError, commits};
use crate::record::proof::{self, Proof};
use crate::record::signature::PublicKey;
use crate::time::Time;

/// Prove that a record was sealed, to somebody who does not have the repository
///
/// Writes a proof in C2SP's form (c2sp.org/tlog-proof): the record, its place in the tree that a witness has sealed, and the
/// witness's checkpoint. `--check` verifies one anywhere, without a repository and a network.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// A record, or a commit that has one; ids may be cut to 4 characters
    #[arg(value_name = "RECORD|COMMIT", required_unless_present = "check", conflicts_with = "check")]
    name: Option<String>,
    /// Write the proof to FILE
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Verify the proof in FILE
    #[arg(long, value_name = "FILE")]
    check: Option<PathBuf>,
    /// The witness's public key, as you know it from elsewhere
    #[arg(long, value_name = "KEY", requires = "check")]
    key: Option<PublicKey>,
    /// The ledger that it must be, as you know it from elsewhere
    #[arg(long, value_name = "ID", requires = "check")]
    ledger: Option<LedgerId>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Answer {
    verdict: Verdict,
    record: Option<RecordId>,
    chain: Option<ChainId>,
    seq: Option<u64>,
    time: Option<Time>,
    ledger: Option<LedgerId>,
    witness: Option<ChainId>,
    key: Option<PublicKey>,
    index: Option<u64>,
    size: Option<u64>,
    /// Why it proves nothing.
    message: Option<String>,
}

impl Args {
    /// The proof to verify, if that is what is asked for: no repository is needed then.
    pub fn proof(&self) -> Option<&Path> {
        self.check.as_deref()
    }
}

/// Verifies a proof: no repository is opened.
pub fn check(args: &Args, file: &Path, out: &mut Out) -> anyhow::Result<Code> {
    let bytes = files::read_small(file, proof::MAX_BYTES as u64)
        .with_context(|| format!("cannot read {}", file.display()))?
        .with_context(|| format!("there is no {}", file.display()))?;
    let checked = Proof::parse(&bytes).and_then(|proof| Ok((proof.verify()?, proof)));
    let (proven, proof) = match checked {
        Ok(found) => found,
        Err(error) => return refused(error.to_string(), args.json, out),
    };
    let key = proof.extra.witness;
    if args.key.is_some_and(|pinned| pinned.bytes() != key.bytes()) {
        return refused(format!("it was sealed with {key}, not with the key you named"), args.json, out);
    }
    // Nobody signs the number: a proof that names another one was changed since it was made.
    if args.key.is_some_and(|pinned| pinned != key) {
        return refused(
            format!("it names its key as {key}, with another number than the key you named has"),
            args.json,
            out,
        );
    }
    if args.ledger.is_some_and(|pinned| pinned != proven.ledger) {
        return refused(format!("it is of ledger {}", proven.ledger), args.json, out);
    }
    let envelope = proven.record.envelope();
    let verdict = if args.key.is_some() { Verdict::Pass } else { Verdict::Inconclusive };
    if args.json {
        out.json(&Answer {
            verdict,
            record: Some(proven.record.id()),
            chain: Some(envelope.chain),
            seq: Some(envelope.seq),
            time: Some(envelope.time),
            ledger: Some(proven.ledger),
            witness: Some(proven.witness),
            key: Some(key),
            index: Some(proof.index),
            size: Some(proven.checkpoint.size),
            message: None,
        })?;
    } else {
        let kind = proven.record.body().kind();
        out.line(format_args!("record  {}  ({kind})", out.paint(output::ID, proven.record.id())))?;
        out.line(format_args!("chain   {} #{}  {}", envelope.chain, envelope.seq, envelope.time))?;
        out.line(format_args!("ledger  {}", proven.ledger))?;
        out.line(format_args!("sealed  by {}, number {} of {}", proven.witness, proof.index, proven.checkpoint.size))?;
        match args.key {
            Some(_) => out.line(out.paint(output::GOOD, "pass"))?,
            None => out.line(format_args!(
                "{} the proof holds, if this is the witness's key: --key {key}",
                out.paint(output::WARN, "no trust root:")
            ))?,
        }
    }
    Ok(if args.key.is_some() { 0 } else { NO_TRUST_ROOT })
}

fn refused(message: String, json: bool, out: &mut Out) -> anyhow::Result<Code> {
    if json {
        let (verdict, message) = (Verdict::Fail, Some(message));
        let (record, chain, seq, time, ledger) = (None, None, None, None, None);
        let (witness, key, index, size) = (None, None, None, None);
        let answer = Answer { verdict, record, chain, seq, time, ledger, witness, key, index, size, message };
        out.json(&answer)?;
    } else {
        out.line(format_args!("{}  {}", out.paint(output::BAD, "fail"), output::visible(&message)))?;
    }
    Ok(Verdict::Fail.exit_code())
}

pub fn run(args: &Args, ledger: &Ledger, out: &mut Out) -> anyhow::Result<Code> {
    let name = args.name.as_deref().context("name a record or a commit")?;
    let report = read_book(ledger)?;
    let record = find(name, ledger, &report)?;
    let proof = ledger.prove(&report, record)?;
    let proven = proof.verify().context("the proof does not hold")?;
    let bytes = proof.to_bytes();
    let Some(file) = &args.output else {
        out.write_all(&bytes)?;
        return Ok(0);
    };
    files::replace_private(file, &bytes).with_context(|| format!("cannot write {}", file.display()))?;
    let shown = output::visible(&file.display().to_string());
    if args.json {
        out.json(&serde_json::json!({ "file": file, "record": record, "witness": proven.witness, "key": proof.extra.witness }))?;
    } else {
        out.line(format_args!("Wrote {shown}. Anyone verifies it with:"))?;
        out.line(format_args!("  git tracevault prove --check {shown} --key {}", proof.extra.witness))?;
    }
    Ok(0)
}

/// The record that is meant: by its id, or that of a commit.
fn find(name: &str, ledger: &Ledger, report: &Report) -> anyhow::Result<RecordId> {
    let ids = report.entries().map(|entry| entry.id).chain(report.history.ids());
    let named: Vec<RecordId> = ids.filter(|id| name.len() >= 4 && id.to_string().starts_with(name)).collect();
    match named.as_slice() {
        [record] => return Ok(*record),
        [] => {}
        _ => bail!("{name} is not clear: {} records begin like it", named.len()),
    }
    let commit = history::resolve(&ledger.repo, name).map_err(|_| LedgerError::Unknown(name.to_owned()))?;
    let records = commits::records(report);
    let entry = records.get(&commit).with_context(|| format!("commit {} has no record", commit.short()))?;
    Ok(entry.id)
}

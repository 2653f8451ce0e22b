//! What owners and admins decide: signed by this clone's key, or written out for others to sign.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::cli::Code;
use crate::host::files;
use crate::host::output::{self, Out};
use crate::ledger::{Ledger, LedgerError};
use crate::record::body::Body;
use crate::record::object::policy_signature_file;
use crate::record::signature::{self, Signature};
use crate::record::{Record, Unverified};

/// A proposal is a record: never larger.
const MAX_BYTES: u64 = 64 << 10;

/// How a decision is made.
#[derive(clap::Args, Debug)]
pub struct How {
    /// Write the decision to FILE, for owners to sign, instead of signing it
    #[arg(long, value_name = "FILE")]
    propose: Option<PathBuf>,
    /// Do not ask before what cannot be undone
    #[arg(long, short)]
    yes: bool,
}

impl How {
    /// Whether the decision is only written out.
    pub fn is_proposal(&self) -> bool {
        self.propose.is_some()
    }

    /// Asks on a terminal; where nobody can be asked, `--yes` must have been given.
    pub fn confirm(&self, question: &str, out: &Out) -> anyhow::Result<()> {
        if self.yes || self.is_proposal() {
            return Ok(());
        }
        if !std::io::stdin().is_terminal() || !out.is_terminal() {
            bail!("this cannot be undone: {question} Say --yes");
        }
        output::say(format_args!("{question} [y/N]"));
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer)?;
        if !matches!(answer.trim(), "y" | "Y" | "yes") {
            bail!("nothing was changed");
        }
        Ok(())
    }

    /// Decides `body`, or proposes it; what was done is told by `done`.
    pub fn decide(&self, ledger: &Ledger, body: Body, done: &str, out: &mut Out) -> anyhow::Result<Code> {
        let Some(path) = &self.propose else {
            sign(ledger, body)?;
            out.line(format_args!("{done} Push it with: git tracevault push"))?;
            return Ok(0);
        };
        let record = ledger.propose(body)?;
        files::replace_private(path, record.bytes()).with_context(|| format!("cannot write {}", path.display()))?;
        tell(path, &record, out)?;
        Ok(0)
    }
}

/// Decides `body` with this clone's key alone.
pub fn sign(ledger: &Ledger, body: Body) -> anyhow::Result<()> {
    ledger.change_policy(&ledger.signer()?, body).map_err(lonely)?;
    Ok(())
}

/// What to do where one signature is not enough.
fn lonely(error: LedgerError) -> anyhow::Error {
    let advice = "if others must sign, too, write it out with --propose FILE";
    match error {
        LedgerError::Refused(why) => anyhow::anyhow!("{why} ({advice})"),
        other => other.into(),
    }
}

fn tell(path: &Path, record: &Record<Unverified>, out: &mut Out) -> anyhow::Result<()> {
    let file = output::visible(&path.display().to_string());
    out.line(format_args!("Wrote {file}. Each owner reads and signs it, with this program or with minisign itself:"))?;
    out.line(format_args!("  git tracevault key sign {file}"))?;
    let comment = record.trusted_comment();
    out.line(format_args!("  minisign -S -s KEY -c tracevault -t '{comment}' -m {file} -x {file}.NAME.minisig"))?;
    out.line(format_args!("Then put it in force: git tracevault key accept {file} {file}.*.minisig"))?;
    Ok(())
}

fn read(path: &Path, limit: u64) -> anyhow::Result<Vec<u8>> {
    files::read_small(path, limit)
        .with_context(|| format!("cannot read {}", path.display()))?
        .with_context(|| format!("there is no {}", path.display()))
}

/// Reads a proposal.
pub fn proposal(path: &Path) -> anyhow::Result<Record<Unverified>> {
    let record = Record::parse(read(path, MAX_BYTES)?).with_context(|| format!("{} is no proposal", path.display()))?;
    if record.envelope().chain != crate::id::ChainId::Policy {
        bail!("{} is no record of the policy chain", path.display());
    }
    Ok(record)
}

/// Puts a proposal on the policy chain with the signatures that were gathered.
pub fn accept(ledger: &Ledger, path: &Path, signatures: &[PathBuf], out: &mut Out) -> anyhow::Result<Code> {
    let record = proposal(path)?;
    let mut files = Vec::new();
    for path in signatures {
        let bytes = read(path, signature::MAX_BYTES as u64)?;
        let number = Signature::parse(&bytes).with_context(|| format!("{}", path.display()))?.number();
        files.push((policy_signature_file(&number), bytes));
    }
    files.sort();
    files.dedup();
    ledger.accept(&record, &files)?;
    out.line(format_args!("The {} record is in force. Push it with: git tracevault push", record.body().kind()))?;
    Ok(0)
}

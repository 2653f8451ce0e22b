//! What a machine with a key of its own does in CI: seal the ledger, or link what a server rewrote.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::cli::{Code, print_findings, seal};
use crate::finding::{self, verdict};
use crate::host::output::Out;
use crate::host::{env, files};
use crate::id::GitId;
use crate::ledger::Ledger;
use crate::ledger::append::Writer;
use crate::ledger::links::Found;
use crate::ledger::remote::Remote;
use crate::signing::Signer;

/// A machine's secret key in a file that goes away with this value, if it was not one before.
pub struct Key {
    pub path: PathBuf,
    pub signer: Signer,
    _folder: Option<tempfile::TempDir>,
}

impl Key {
    /// The key in a file, or else the one that the environment has the text of.
    pub fn find(file: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(file) = file {
            let path = std::path::absolute(file)?;
            return Ok(Key { signer: Signer::load(&path)?, path, _folder: None });
        }
        let Some(text) = env::ci_key() else {
            bail!("this needs the machine's key: --key FILE, or its text in TRACEVAULT_CI_KEY (from a secret)");
        };
        let failed = "cannot keep the key of TRACEVAULT_CI_KEY for this run";
        let folder = tempfile::Builder::new().prefix("tracevault-key-").tempdir_in(env::temp_dir()).context(failed)?;
        let path = folder.path().join("new.key");
        files::replace_private(&path, text.as_bytes()).context(failed)?;
        let signer = Signer::load(&path).context("TRACEVAULT_CI_KEY")?;
        // A key's file is named after its chain.
        let named = folder.path().join(format!("{}.key", signer.chain()));
        std::fs::rename(&path, &named).context(failed)?;
        Ok(Key { path: named, signer, _folder: Some(folder) })
    }
}

/// Seals what is there, pushes the seal, and publishes notes for those who read without this program.
pub fn seal(ledger: &Ledger, remote: &str, key: &Key, out: &mut Out) -> anyhow::Result<Code> {
    let code = seal::run(&seal::Args::with_key(key.path.clone()), ledger, out)?;
    if code == 0 {
        let ledger = Ledger::open(&ledger.repo.home())?;
        let notes = ledger.publish_notes(remote, &ledger.read_all()?)?;
        out.line(format_args!("Published {} to {remote}.", crate::cli::format::count(notes as u64, "new note")))?;
    }
    Ok(code)
}

/// Links those of the commits that repeat recorded ones, and pushes the links.
pub fn link(ledger: &mut Ledger, remote: &str, key: &Key, commits: &[GitId]) -> anyhow::Result<Vec<Found>> {
    let chain = key.signer.chain();
    if ledger.own_line(chain, ledger.prefix.chain(chain))?.is_none() {
        bail!("the chain of this machine's key, {chain}, is not open: git tracevault init, in a clone on that machine");
    }
    ledger.config.key = Some(key.path.clone());
    let links = Writer::open(ledger)?.link(commits, false)?;
    if !links.is_empty() {
        refuse(Remote::new(ledger, remote).push()?.findings)?;
    }
    Ok(links)
}

/// An error where the remote did not take what was pushed.
fn refuse(findings: Vec<finding::Finding>) -> anyhow::Result<()> {
    if verdict(&findings) == finding::Verdict::Pass {
        return Ok(());
    }
    let mut out = Out::to(Box::new(std::io::stderr()), false);
    print_findings(&mut out, &findings)?;
    bail!("the links were not pushed")
}

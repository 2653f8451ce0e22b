//! `git tracevault doctor`: what is missing, and the command that mends it.

use std::path::Path;

use crate::cli::{Code, told};
use crate::config::Committed;
use crate::finding::Verdict;
use crate::host::output::{self, Out};
use crate::host::{env, files};
use crate::id::ChainId;
use crate::ledger::own_key::OwnKey;
use crate::ledger::{Ledger, LedgerError};
use crate::record::body::Body;
use crate::setup::doctor::{self, Check, Key, Pinned, Standing};
use crate::signing::Signer;

/// Look for what is missing or wrong, and say which command mends it
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args, dir: &Path, out: &mut Out) -> anyhow::Result<Code> {
    let user_settings = env::claude_config_dir().map(|dir| dir.join("settings.json"));
    let machine = doctor::look(dir, &env::current_exe()?, user_settings.as_deref())?;
    // A repository that cannot be opened (reftable, say) is one of the things the checks tell.
    let facts = match Ledger::open(dir) {
        Ok(ledger) => facts(&ledger),
        Err(LedgerError::Config(error)) => {
            let wrong = told(&anyhow::Error::from(error));
            doctor::Ledger { unreadable: Some(output::visible(&wrong)), ..doctor::Ledger::default() }
        }
        Err(_) => doctor::Ledger::default(),
    };
    let checks = doctor::checks(&machine, &facts);
    if args.json {
        out.line(serde_json::json!({ "checks": checks }))?;
    } else {
        checks.iter().try_for_each(|check| print(check, out))?;
    }
    Ok(checks.iter().map(|check| check.ok).max().map_or(0, Verdict::exit_code))
}

fn facts(ledger: &Ledger) -> doctor::Ledger {
    let genesis = || {
        let tip = ledger.repo.find_ref(&ledger.prefix.chain(ChainId::Policy)).ok()??;
        let stored = ledger.read("policy", &tip).ok()?;
        Some(stored.record.ledger())
    };
    let key = match &ledger.config.key {
        None => Key::Missing,
        Some(path) => match Signer::load(path) {
            Ok(signer) if is_closed(ledger, signer.chain()) => Key::Closed(signer.chain().short()),
            Ok(_) => Key::Present { path: path.clone(), mode: files::mode(path) },
            Err(error) => Key::Unreadable { path: path.clone(), why: error.to_string() },
        },
    };
    let pinned = match ledger.repo.work_tree().map(|dir| Committed::load(&dir)) {
        Some(Ok(Some(committed))) => Pinned::Id(committed.ledger),
        Some(Err(error)) => Pinned::Unreadable(error.to_string()),
        Some(Ok(None)) | None => Pinned::Missing,
    };
    let nudge = ledger.config.nudge.clone();
    doctor::Ledger {
        enrolled: ledger.is_enrolled(),
        key,
        standing: standing(ledger),
        genesis: genesis(),
        pinned,
        nudge,
        unreadable: None,
    }
}

/// What is decided of this clone's key.
fn standing(ledger: &Ledger) -> Standing {
    let (Some(chain), Ok(Some(key))) = (ledger.own_chain(), ledger.own_key()) else { return Standing::Untold };
    match key.trouble(chain) {
        None => Standing::Counts,
        Some((state, mend)) if key == OwnKey::Pending => Standing::Pending(state, mend),
        Some((state, mend)) => Standing::Closed(state, mend),
    }
}

/// Whether the last record of a chain here ends it.
fn is_closed(ledger: &Ledger, chain: ChainId) -> bool {
    let name = ledger.prefix.chain(chain);
    let tip = ledger.repo.find_ref(&name).ok().flatten();
    let last = tip.and_then(|tip| ledger.read(&name, &tip).ok());
    last.is_some_and(|last| matches!(last.record.body(), Body::Close(_)))
}

fn print(check: &Check, out: &mut Out) -> std::io::Result<()> {
    let (style, word) = match check.ok {
        Verdict::Pass => (output::GOOD, "ok     "),
        Verdict::Inconclusive => (output::WARN, "unknown"),
        Verdict::Fail => (output::BAD, "missing"),
    };
    let detail = output::visible(&check.detail);
    out.line(format_args!("{} {:<18} {detail}", out.paint(style, word), check.name))?;
    match &check.mend {
        Some(mend) => out.line(format_args!("        {}", output::visible(mend))),
        None => Ok(()),
    }
}

//! `git tracevault status`: what is journalled, recorded and pushed.

use serde::Serialize;

use crate::cli::{Code, remote_name};
use crate::host::output::{self, Out};
use crate::id::{ChainId, LedgerId, SessionId};
use crate::journal::Journal;
use crate::ledger::cursor::Cursor;
use crate::ledger::local::Local;
use crate::ledger::own_key::OwnKey;
use crate::ledger::remote::Remote;
use crate::ledger::{Ledger, LedgerError};

/// Show what is journalled, recorded and pushed
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Answer {
    enrolled: bool,
    ledger: Option<LedgerId>,
    chain: Option<ChainId>,
    /// What is decided of this clone's key, as far as was fetched.
    key: Option<OwnKey>,
    /// Sessions with events that no record has yet.
    journalled: Vec<Open>,
    /// Records of this clone's chain.
    recorded: u64,
    /// Those of them that the remote does not have, as far as it was seen; absent without a remote.
    unpushed: Option<u64>,
    remote: Option<String>,
}

#[derive(Serialize)]
struct Open {
    session: SessionId,
    bytes: u64,
    ended: bool,
}

pub fn run(args: &Args, ledger: &Ledger, out: &mut Out) -> anyhow::Result<Code> {
    let answer = gather(ledger)?;
    if args.json {
        out.line(serde_json::to_string(&answer)?)?;
    } else {
        print(&answer, out)?;
    }
    Ok(0)
}

fn gather(ledger: &Ledger) -> Result<Answer, LedgerError> {
    let chain = ledger.own_chain();
    let remote = remote_name(ledger, None).ok();
    let tip = chain.map(|chain| ledger.repo.find_ref(&ledger.prefix.chain(chain))).transpose()?.flatten();
    let count = |range: String| -> Result<u64, LedgerError> {
        let answer = ledger.repo.git().args(["rev-list", "--count", &range]).run()?;
        Ok(answer.text().parse().unwrap_or_default())
    };
    let recorded = tip.as_ref().map(|tip| count(tip.to_string())).transpose()?.unwrap_or_default();
    let unpushed = match (&remote, chain, &tip) {
        (Some(remote), Some(chain), Some(tip)) => {
            let seen = Remote::new(ledger, remote).seen().chain(chain);
            Some(match ledger.repo.find_ref(&seen)? {
                Some(seen) => count(format!("{seen}..{tip}"))?,
                None => recorded,
            })
        }
        _ => None,
    };
    Ok(Answer {
        enrolled: ledger.is_enrolled(),
        ledger: ledger.id(),
        chain,
        key: ledger.own_key()?,
        journalled: open_sessions(ledger)?,
        recorded,
        unpushed,
        remote,
    })
}

fn open_sessions(ledger: &Ledger) -> Result<Vec<Open>, LedgerError> {
    let Some(journal) = Journal::open(&ledger.repo.common_dir()) else { return Ok(Vec::new()) };
    let failed = |source| LedgerError::File { path: journal.dir().to_owned(), source };
    let local = Local::new(ledger.dir());
    let mut open = Vec::new();
    for file in journal.sessions().map_err(failed)? {
        let cursor = Cursor::load(&local, &file.session)?;
        if file.size > cursor.journal {
            open.push(Open { session: file.session, bytes: file.size - cursor.journal, ended: cursor.ended });
        }
    }
    Ok(open)
}

fn print(answer: &Answer, out: &mut Out) -> std::io::Result<()> {
    if !answer.enrolled {
        out.line(out.paint(output::WARN, "This clone is not enrolled; nothing is captured. (git tracevault init)"))?;
    }
    if let Some(ledger) = answer.ledger {
        out.line(format_args!("ledger     {}", out.paint(output::ID, ledger)))?;
    }
    if let Some(chain) = answer.chain {
        out.line(format_args!("chain      {}", out.paint(output::ID, chain)))?;
        if let Some((state, mend)) = answer.key.and_then(|key| key.trouble(chain)) {
            out.line(format_args!("key        {}", out.paint(output::WARN, state)))?;
            out.line(format_args!("           {mend}"))?;
        }
    }
    match answer.journalled.as_slice() {
        [] => out.line("journalled nothing that is not recorded")?,
        open => {
            for session in open {
                out.line(format_args!("journalled {}  {} bytes not recorded yet", session.session, session.bytes))?;
            }
        }
    }
    let plural = |n: u64| if n == 1 { "" } else { "s" };
    out.line(format_args!("recorded   {} record{}", answer.recorded, plural(answer.recorded)))?;
    match (&answer.remote, answer.unpushed) {
        (Some(remote), Some(0)) => out.line(format_args!("pushed     all of them, to {}", output::visible(remote)))?,
        (Some(remote), Some(n)) => {
            out.line(format_args!(
                "pushed     all but {n}; they go to {} with the next push",
                output::visible(remote)
            ))?;
        }
        _ => out.line("pushed     nothing: there is no remote")?,
    }
    Ok(())
}

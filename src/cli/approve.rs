//! `git tracevault approve`: a member's word that commits are in order.

use crate::cli::{Code, format};
use crate::git::history;
use crate::host::output::{self, Out};
use crate::ledger::Ledger;
use crate::ledger::append::Writer;

/// Approve commits, for the rules that ask for somebody's review
///
/// The approval is a signed record on your own chain. It is of the commits exactly as they are: one that is amended or
/// rebased needs a new one. Nobody approves commits that they are the author of, or whose record they made. What was approved
/// by mistake is taken back with git tracevault amend.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// One commit, or a range as `git rev-list` takes it (v1..v2)
    #[arg(value_name = "COMMIT")]
    commits: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(serde::Serialize)]
struct Answer {
    commits: Vec<crate::id::GitId>,
    records: Vec<crate::id::RecordId>,
}

pub fn run(args: &Args, ledger: &Ledger, out: &mut Out) -> anyhow::Result<Code> {
    let repo = &ledger.repo;
    let commits = match args.commits.contains("..") {
        true => history::range(repo, &args.commits)?,
        false => vec![history::resolve(repo, &args.commits)?],
    };
    if commits.is_empty() {
        anyhow::bail!("there are no commits in {}", args.commits);
    }
    let own = ledger.own_chain().and_then(|chain| Some(ledger.decided().ok()?.history.member(chain)?.id.clone()));
    for commit in &commits {
        let author = history::author_email(repo, commit).unwrap_or_default();
        if own.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(&author)) {
            anyhow::bail!("commit {} is your own: somebody else must approve it", commit.short());
        }
    }
    let records = Writer::open(ledger)?.approve(&commits)?;
    if args.json {
        out.json(&Answer { commits, records })?;
        return Ok(0);
    }
    let count = format::count(commits.len() as u64, "commit");
    let record = out.paint(output::ID, records.first().map(crate::id::RecordId::short).unwrap_or_default());
    out.line(format_args!("Approved {count}: record {record}. Push it with: git tracevault push"))?;
    Ok(0)
}

//! `git tracevault link`: links commits that were rewritten where no hook ran with the recorded ones they repeat.

use crate::cli::Code;
use crate::git::history;
use crate::host::output::{self, Out};
use crate::ledger::Ledger;
use crate::ledger::append::Writer;
use crate::ledger::links::Found;

/// Link rewritten commits with the recorded ones that they repeat
///
/// For commits that have no record, as those that a server made by rebasing or squashing: each is compared with the
/// recorded commits, and a link record is written where it has the same tree or patch (level 3 or 2) or agents' lines of
/// them (level 1). Whoever reads a link compares again. Fetch the ledger first (git tracevault fetch), and push it after
/// (git tracevault push).
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Commits to link, as git rev-list takes them; HEAD alone, if none is named
    #[arg(long, value_name = "RANGE")]
    range: Option<String>,
    /// The same
    #[arg(value_name = "RANGE", conflicts_with = "range")]
    commits: Option<String>,
    /// Only tell what would be linked
    #[arg(long, short = 'n')]
    dry_run: bool,
    /// Print a JSON object a link
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args, ledger: &Ledger, out: &mut Out) -> anyhow::Result<Code> {
    let commits = match args.range.as_ref().or(args.commits.as_ref()) {
        Some(range) if range.contains("..") => history::rev_list(&ledger.repo, &[range])?,
        Some(commit) => vec![history::resolve(&ledger.repo, commit)?],
        None => vec![history::resolve(&ledger.repo, "HEAD")?],
    };
    let links = Writer::open(ledger)?.link(&commits, args.dry_run)?;
    for link in &links {
        if args.json {
            out.json(link)?;
        } else {
            tell(link, out)?;
        }
    }
    if links.is_empty() && !args.json {
        out.line("Nothing to link: every commit has a record or a link, or has nothing in common with any.")?;
    }
    Ok(0)
}

fn tell(link: &Found, out: &mut Out) -> anyhow::Result<()> {
    let what = match link.level {
        3 => "the same commit",
        2 => "the same change",
        _ => "lines of it",
    };
    let new = out.paint(output::ID, link.new.short().to_owned());
    out.line(format_args!("{new} <- {}  level {}, {what}", link.old.short(), link.level))?;
    Ok(())
}

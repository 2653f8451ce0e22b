//! `git tracevault hold` and `release`: payloads that a legal case needs are not pruned.

use serde::Serialize;

use crate::cli::decide::How;
use crate::cli::{Code, chains, format, read_book};
use crate::git::history;
use crate::host::output::{self, Out};
use crate::id::CaseId;
use crate::ledger::expiry::Wanted;
use crate::ledger::query::Book;
use crate::ledger::{Ledger, LedgerError};
use crate::record::body::{Body, Role, Shelf};
use crate::time::Month;

/// Keep payloads for a legal case, however old they become
///
/// What is held is whole months of a writer's payloads: those in which something of what is named stands. They are copied under
/// refs/tracevault/hold/<case>, and no prune record of them counts until the case is released. Owners, admins and auditors
/// may hold; owners and admins release. A case that is held already comes to hold more.
#[derive(clap::Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Sub>,
    /// The case's name: letters, digits, _ and -
    #[arg(required = true)]
    case: Option<CaseId>,
    /// What these records name, or its first characters
    #[arg(long = "record", value_name = "RECORD")]
    records: Vec<String>,
    /// What these commits, or ranges of them, draw on
    #[arg(long = "commit", value_name = "COMMIT")]
    commits: Vec<String>,
    /// These sessions, or their first characters
    #[arg(long = "session", value_name = "SESSION")]
    sessions: Vec<String>,
    /// All of these months (2026-01); with --chain, only of those chains
    #[arg(long = "month", value_name = "MONTH")]
    months: Vec<Month>,
    /// All of these chains (a name, or 4 of its first characters or more); with --month, only of those months
    #[arg(long = "chain", value_name = "CHAIN")]
    chains: Vec<String>,
    #[command(flatten)]
    how: How,
}

#[derive(clap::Subcommand, Debug)]
enum Sub {
    /// List what is held
    List {
        /// Print a JSON object a case
        #[arg(long)]
        json: bool,
    },
}

#[derive(Serialize)]
struct Case<'a> {
    case: &'a CaseId,
    shelves: Vec<&'a Shelf>,
}

pub fn run(args: &Args, ledger: &Ledger, out: &mut Out) -> anyhow::Result<Code> {
    let case = match (&args.command, &args.case) {
        (Some(Sub::List { json }), _) => return list(ledger, *json, out),
        (None, Some(case)) => case,
        (None, None) => anyhow::bail!("name a case"),
    };
    ledger.require_role(&[Role::Owner, Role::Admin, Role::Auditor], "hold payloads")?;
    let (report, prices) = (read_book(ledger)?, ledger.prices()?);
    let book = Book::new(&report, &prices);
    let named = args.chains.iter().map(|who| Ok(chains::of_anybody(&report, who)?.id));
    let chains = named.collect::<anyhow::Result<_>>()?;
    let mut wanted = Wanted { months: args.months.clone(), chains, ..Wanted::default() };
    for name in &args.sessions {
        match book.sessions_named(name).as_slice() {
            [session] => wanted.sessions.push((*session).clone()),
            [] => return Err(LedgerError::Unknown(name.clone()).into()),
            _ => anyhow::bail!("several sessions fit {name:?}"),
        }
    }
    for name in &args.records {
        match book.records_named(name).as_slice() {
            [entry] => wanted.records.push(entry.id),
            [] => return Err(LedgerError::Unknown(name.clone()).into()),
            _ => anyhow::bail!("several records fit {name:?}"),
        }
    }
    for name in &args.commits {
        match name.contains("..") {
            true => wanted.commits.extend(history::range(&ledger.repo, name)?),
            false => wanted.commits.push(history::resolve(&ledger.repo, name)?),
        }
    }
    let hold = ledger.hold(&book, case.clone(), wanted)?;
    let shelves = format::count(hold.shelves.len() as u64, "shelf");
    let shelves = shelves.replace("shelfs", "shelves");
    // Decided first: whoever prunes meanwhile is too late.
    let code = args.how.decide(ledger, Body::Hold(hold.clone()), &format!("Held for case {case}: {shelves}."), out)?;
    if !args.how.is_proposal() {
        ledger.keep_held(&hold, &report)?;
    }
    Ok(code)
}

fn list(ledger: &Ledger, json: bool, out: &mut Out) -> anyhow::Result<Code> {
    let decided = ledger.decided()?;
    for (case, shelves) in decided.keeping.holds() {
        if json {
            out.json(&Case { case, shelves: shelves.iter().collect() })?;
            continue;
        }
        out.line(out.paint(output::HEAD, case))?;
        for Shelf { chain, class, month } in shelves {
            out.line(format_args!("    {month}  {class:<10}  {chain}"))?;
        }
    }
    if decided.keeping.holds().is_empty() && !json {
        out.line("Nothing is held.")?;
    }
    Ok(0)
}

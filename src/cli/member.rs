//! `git tracevault member`: who may write to the ledger.

use std::io::IsTerminal as _;

use anyhow::{Context as _, bail};
use serde::Serialize;

use crate::cli::Code;
use crate::host::output::{self, Out};
use crate::id::ChainId;
use crate::ledger::Ledger;
use crate::ledger::verify::{Chain, Options, Report};
use crate::record::body::{Body, EnrolledKey, Member, Role, Roster};

/// List members, and enrol those who are pending
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
    /// List members and pending chains
    List {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Enrol the writer of a pending chain as a member
    ///
    /// The chain must have been fetched. Ask its writer for the first characters of the chain's name (`git tracevault
    /// status` shows it to them) by another way than the repository: who controls the remote could have put it there.
    Add {
        /// The chain's name, or its first characters, or the e-mail address its writer claims
        who: String,
        /// What the member may do
        #[arg(long = "role", value_name = "ROLE", value_parser = role, default_value = "developer")]
        roles: Vec<Role>,
    },
}

fn role(text: &str) -> Result<Role, String> {
    let quoted = serde_json::Value::from(text);
    serde_json::from_value(quoted)
        .map_err(|_| "one of owner, admin, policy-admin, developer, auditor, ci, witness".to_owned())
}

#[derive(Serialize)]
struct Answer<'a> {
    members: Vec<&'a Member>,
    pending: Vec<Pending>,
}

#[derive(Serialize)]
struct Pending {
    chain: String,
    claims_to_be: Option<String>,
    records: u64,
}

pub fn run(args: &Args, ledger: &Ledger, out: &mut Out) -> anyhow::Result<Code> {
    let options = Options { pinned: ledger.pinned()?, ..Options::default() };
    let report = ledger.verify(&options)?;
    match &args.command {
        None => list(&report, args.json, out),
        Some(Sub::List { json }) => list(&report, args.json || *json, out),
        Some(Sub::Add { who, roles }) => add(ledger, &report, who, roles, out),
    }
}

fn list(report: &Report, json: bool, out: &mut Out) -> anyhow::Result<Code> {
    let roster = report.history.newest().context("there is no ledger here")?;
    let pending = report.chains.iter().filter(|chain| chain.pending);
    if json {
        let pending = pending.map(|chain| Pending {
            chain: chain.id.to_string(),
            claims_to_be: chain.member.clone(),
            records: chain.records,
        });
        let answer = Answer { members: roster.members().collect(), pending: pending.collect() };
        out.line(serde_json::to_string(&answer)?)?;
        return Ok(0);
    }
    for member in roster.members() {
        let roles: Vec<String> = member.roles.iter().map(role_name).collect();
        let line = format!("{}  {}", output::visible(&member.id), roles.join(", "));
        out.line(out.paint(output::HEAD, line))?;
        for key in &member.keys {
            out.line(format_args!("    {}  from record {}", key.public_key.chain(), key.from_seq))?;
        }
    }
    for chain in pending {
        let claim = output::visible(chain.member.as_deref().unwrap_or("nobody"));
        let word = out.paint(output::WARN, "pending");
        out.line(format_args!("{word}  {}  claims to be {claim}, {} records", chain.id, chain.records))?;
    }
    Ok(0)
}

fn role_name(role: &Role) -> String {
    serde_json::to_value(role).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn add(ledger: &Ledger, report: &Report, who: &str, roles: &[Role], out: &mut Out) -> anyhow::Result<Code> {
    let chain = find(report, who)?;
    let key = chain.key.context("the chain's key could not be read")?;
    let roster = report.history.newest().context("there is no ledger here")?;
    let id = chain.member.clone().context("the chain does not say whose it is")?;
    let known = roster.member(&id);
    if known.is_some() && who == id {
        // Anybody can claim a member's address, and would get what the member may do.
        bail!(
            "{who} is a member already; if this is a further device of theirs, name its chain, as they tell it to you: \
             git tracevault member add {}",
            chain.id.short()
        );
    }
    let mut member = known.cloned().unwrap_or_else(|| Member {
        id: id.clone(),
        name: name_claimed(ledger, chain.id).unwrap_or_else(|| id.clone()),
        roles: Vec::new(),
        keys: Vec::new(),
    });
    // A further device keeps the roles; a new member gets those that were named.
    if member.roles.is_empty() {
        member.roles = roles.to_vec();
        member.roles.sort_unstable();
        member.roles.dedup();
    }
    member.keys.push(EnrolledKey { public_key: key, from_seq: 0 });
    let shown = member.roles.iter().map(role_name).collect::<Vec<_>>().join(", ");
    if std::io::stdin().is_terminal() && out.is_terminal() && !confirm(chain, &id, &shown)? {
        bail!("nothing was changed");
    }
    let change = Roster { set: vec![member], ..Roster::default() };
    ledger.change_policy(&ledger.signer()?, Body::Roster(change))?;
    let id = output::visible(&id);
    out.line(format_args!(
        "Enrolled {id} ({shown}) with chain {}. Push it with: git tracevault push",
        chain.id.short()
    ))?;
    Ok(0)
}

fn confirm(chain: &Chain, id: &str, roles: &str) -> anyhow::Result<bool> {
    let id = output::visible(id);
    output::say(format_args!("Chain {} says it is written by {id}. Enrol it as {roles}? [y/N]", chain.id));
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// The name that a chain's first record claims.
fn name_claimed(ledger: &Ledger, chain: ChainId) -> Option<String> {
    let options = Options { pinned: ledger.id(), entries: true, full: true, ..Options::default() };
    let report = ledger.verify(&options).ok()?;
    report.entries().find_map(|entry| match &entry.body {
        Body::Open(open) if entry.chain == chain => Some(open.member.name.clone()),
        _ => None,
    })
}

fn find<'r>(report: &'r Report, who: &str) -> anyhow::Result<&'r Chain> {
    let fits = |chain: &&Chain| {
        let name = chain.id.to_string();
        (who.len() >= 6 && name.starts_with(who)) || chain.member.as_deref() == Some(who)
    };
    let found: Vec<&Chain> = report.chains.iter().filter(|chain| chain.pending).filter(fits).collect();
    match found.as_slice() {
        [chain] => Ok(chain),
        [] if report.chains.iter().any(|chain| fits(&chain)) => bail!("{who} is enrolled already"),
        [] => bail!("no pending chain fits {who:?}; fetch first, or see: git tracevault member list"),
        _ => bail!("several pending chains fit {who:?}; name the chain by its first characters"),
    }
}

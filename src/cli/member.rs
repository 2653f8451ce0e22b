//! `git tracevault member`: who may do what in the ledger.

use std::io::IsTerminal as _;

use anyhow::{Context as _, bail};
use serde::Serialize;

use crate::cli::decide::{self, How};
use crate::cli::{Code, chains, key};
use crate::host::output::{self, Out};
use crate::id::ChainId;
use crate::ledger::Ledger;
use crate::ledger::verify::{Options, Report};
use crate::record::body::{Body, CloseChain, EnrolledKey, Member, Open, Place, Reason, Role, Roster};
use crate::record::recipient::Recipient;

/// List members, enrol those who are pending, change what they may do, and let them go
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
    /// Compare all that they tell you: four characters are enough to name a chain, and not to prove whose it is.
    Add {
        /// The chain's name, or 4 of its first characters or more, or the e-mail address its writer claims
        who: String,
        /// What the member may do
        #[arg(long = "role", value_name = "ROLE", value_parser = role, default_value = "developer")]
        roles: Vec<Role>,
        /// To whom payloads are encrypted that they may read, instead of what their chain says (git tracevault key recipient)
        #[arg(long, value_name = "age1…")]
        recipient: Option<Recipient>,
        #[command(flatten)]
        how: How,
    },
    /// Change what a member may do from now on, or to whom payloads are encrypted that they may read
    ///
    /// What they wrote before is judged by what they might then. To take a right away from a key that may go on citing
    /// the old roster, close its chain (git tracevault key close).
    Set {
        /// The member's id
        who: String,
        /// What the member may do, instead of what they might
        #[arg(long = "role", value_name = "ROLE", value_parser = role, required_unless_present = "recipient")]
        roles: Vec<Role>,
        /// The recipient of their key, as `git tracevault key recipient` tells it to them
        #[arg(long, value_name = "age1…")]
        recipient: Option<Recipient>,
        /// Which of their chains the recipient goes with, where they have several: its name, or 4 of its first characters or more
        #[arg(long, requires = "recipient")]
        chain: Option<String>,
        #[command(flatten)]
        how: How,
    },
    /// Let a member go: their chains are closed where they are, and their keys sign nothing any more
    Remove {
        /// The member's id
        who: String,
        #[command(flatten)]
        how: How,
    },
    /// Set how many witnesses must have sealed a record, for it to be called sealed
    Witnesses {
        witnesses: u32,
        #[command(flatten)]
        how: How,
    },
    /// Set how many owners must sign what only owners may do
    ///
    /// As many owners must sign the change as the old and the new number say.
    Threshold {
        owners: u32,
        #[command(flatten)]
        how: How,
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
        Some(Sub::Add { who, roles, recipient, how }) => add(ledger, &report, who, (roles, recipient), how, out),
        Some(Sub::Set { who, roles, recipient, chain, how }) => {
            let recipient = recipient.as_ref().map(|recipient| (recipient, chain.as_deref()));
            set(ledger, &report, who, (roles, recipient), how, out)
        }
        Some(Sub::Remove { who, how }) => remove(ledger, &report, who, how, out),
        Some(Sub::Witnesses { witnesses, how }) => {
            if in_force(&report)?.witnesses() == *witnesses {
                return unchanged(out);
            }
            let done = format!("From now on a record is sealed when {witnesses} of the witnesses have sealed it.");
            let body = Body::Roster(Roster { witnesses: Some(*witnesses), ..Roster::default() });
            how.decide(ledger, body, &done, out)
        }
        Some(Sub::Threshold { owners, how }) => {
            if in_force(&report)?.threshold() == *owners {
                return unchanged(out);
            }
            let done = match owners {
                1 => "From now on each owner signs alone.".to_owned(),
                _ => format!("From now on {owners} owners sign together."),
            };
            let body = Body::Roster(Roster { threshold: Some(*owners), ..Roster::default() });
            how.decide(ledger, body, &done, out)
        }
    }
}

fn in_force(report: &Report) -> anyhow::Result<&crate::roster::Roster> {
    report.history.newest().context("there is no ledger here")
}

/// A record that changes nothing would only make people sign.
fn unchanged(out: &mut Out) -> anyhow::Result<Code> {
    out.line("That is in force already: nothing changes.")?;
    Ok(0)
}

fn list(report: &Report, json: bool, out: &mut Out) -> anyhow::Result<Code> {
    let roster = in_force(report)?;
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
        let line = format!("{}  {}", output::visible(&member.id), role_names(&member.roles).join(", "));
        out.line(out.paint(output::HEAD, line))?;
        for key in &member.keys {
            let end = match roster.closure(key.public_key.chain()) {
                None => String::new(),
                Some(None) => "  closed, nothing counts".to_owned(),
                Some(Some(last)) => format!("  closed after record {}", last.seq),
            };
            let reads = if key.recipient.is_none() && end.is_empty() { "  no recipient" } else { "" };
            out.line(format_args!("    {}  from record {}{end}{reads}", key.public_key.chain(), key.from_seq))?;
        }
    }
    if roster.threshold() > 1 {
        out.line(format_args!("{} owners sign together what only owners may do.", roster.threshold()))?;
    }
    for chain in pending {
        let claim = output::visible(chain.member.as_deref().unwrap_or("nobody"));
        let word = out.paint(output::WARN, "pending");
        out.line(format_args!("{word}  {}  claims to be {claim}, {} records", chain.id, chain.records))?;
    }
    Ok(0)
}

/// Roles as they are written.
pub fn role_names(roles: &[Role]) -> Vec<String> {
    roles.iter().map(|role| role.as_str().to_owned()).collect()
}

fn sorted(roles: &[Role]) -> Vec<Role> {
    let mut roles = roles.to_vec();
    roles.sort_unstable();
    roles.dedup();
    roles
}

/// What is to be changed of a member: roles, if any are named, and the recipient of a chain.
type Changes<'a> = (&'a [Role], Option<(&'a Recipient, Option<&'a str>)>);

fn set(ledger: &Ledger, report: &Report, who: &str, to: Changes<'_>, how: &How, out: &mut Out) -> anyhow::Result<Code> {
    let roster = in_force(report)?;
    let mut member = roster.member(who).with_context(|| format!("{who} is no member"))?.clone();
    let (roles, recipient) = to;
    if !roles.is_empty() {
        member.roles = sorted(roles);
    }
    let shown = output::visible(who);
    let mut done = format!("{shown} is now {}.", role_names(&member.roles).join(", "));
    if let Some((recipient, chain)) = recipient {
        let mut keys: Vec<&mut EnrolledKey> =
            member.keys.iter_mut().filter(|key| roster.closure(key.public_key.chain()).is_none()).collect();
        let open = keys.iter().map(|key| (key.public_key.chain(), None));
        // Unless one is named, they must have only one.
        let chain = match chain {
            Some(chain) => chains::find(chain, "open chain of theirs", open)?,
            None => chains::find(who, "open chain of theirs", open.map(|(chain, _)| (chain, Some(who))))
                .context("name one of their chains: --chain")?,
        };
        let key = keys.iter_mut().find(|key| key.public_key.chain() == chain).context("they have no such chain")?;
        key.recipient = Some(recipient.clone());
        let (recipients, first) = (format!("What {shown} may read is encrypted to {recipient}."), roles.is_empty());
        done = if first { recipients } else { format!("{done} {recipients}") };
    }
    if roster.member(who) == Some(&member) {
        return unchanged(out);
    }
    how.decide(ledger, Body::Roster(Roster { set: vec![member], ..Roster::default() }), &done, out)
}

fn remove(ledger: &Ledger, report: &Report, who: &str, how: &How, out: &mut Out) -> anyhow::Result<Code> {
    let roster = in_force(report)?;
    let member = roster.member(who).with_context(|| format!("{who} is no member"))?;
    let open = key::open_chains(report, who);
    if how.is_proposal() && !open.is_empty() {
        bail!("close their chains first: git tracevault key close {} --reason left --propose FILE", open[0].id.short());
    }
    let shown = output::visible(who);
    let question = match open.len() {
        0 => format!("Remove {shown}?"),
        n => format!("Remove {shown}, so that nothing counts which they write on their {n} chains from now on?"),
    };
    how.confirm(&question, out)?;
    for key in member.keys.iter().filter(|key| roster.closure(key.public_key.chain()).is_none()) {
        let chain = key.public_key.chain();
        // Of a chain that is not here nothing can be told, but that it may not go on.
        let head = report.chains.iter().find(|here| here.id == chain).and_then(|here| here.head);
        let last = head.map(|head| Place { seq: head.seq, id: head.id });
        decide::sign(ledger, Body::CloseChain(CloseChain { chain, last, reason: Reason::Left }))?;
    }
    let body = Body::Roster(Roster { remove: vec![who.to_owned()], ..Roster::default() });
    how.decide(ledger, body, &format!("Removed {shown}."), out)
}

/// As whom somebody is enrolled: with these roles, and a recipient where their chain's own is not to be taken.
type Enrolment<'a> = (&'a [Role], &'a Option<Recipient>);

fn add(
    ledger: &Ledger,
    report: &Report,
    who: &str,
    with: Enrolment<'_>,
    how: &How,
    out: &mut Out,
) -> anyhow::Result<Code> {
    let (roles, recipient) = with;
    let chain = chains::pending(report, who)?;
    let key = chain.key.context("the chain's key could not be read")?;
    let roster = in_force(report)?;
    let id = chain.member.clone().context("the chain does not say whose it is")?;
    let known = roster.member(&id);
    let opened = opened(ledger, chain.id);
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
        name: opened.as_ref().map_or_else(|| id.clone(), |open| open.member.name.clone()),
        roles: Vec::new(),
        keys: Vec::new(),
    });
    // A further device keeps the roles; a new member gets those that were named.
    if member.roles.is_empty() {
        member.roles = sorted(roles);
    }
    let recipient = recipient.clone().or(opened.and_then(|open| open.recipient));
    member.keys.push(EnrolledKey { public_key: key, from_seq: 0, recipient });
    let shown = role_names(&member.roles).join(", ");
    let id = output::visible(&id);
    let question = format!("Chain {} says it is written by {id}. Enrol it as {shown}?", chain.id);
    // Whoever lets a script do it has compared the chain's name before.
    if std::io::stdin().is_terminal() {
        how.confirm(&question, out)?;
    }
    let done = format!("Enrolled {id} ({shown}) with chain {}.", chain.id.short());
    how.decide(ledger, Body::Roster(Roster { set: vec![member], ..Roster::default() }), &done, out)
}

/// A chain's first record.
fn opened(ledger: &Ledger, chain: ChainId) -> Option<Open> {
    let options = Options { pinned: ledger.id(), entries: true, full: true, ..Options::default() };
    let report = ledger.verify(&options).ok()?;
    report.entries().find_map(|entry| match &entry.body {
        Body::Open(open) if entry.chain == chain => Some(open.clone()),
        _ => None,
    })
}

//! `git tracevault amend`: corrects a record by a further one.

use std::collections::BTreeMap;

use anyhow::Context as _;

use crate::cli::{Code, read_book};
use crate::host::output::{self, Out};
use crate::id::RecordId;
use crate::ledger::append::Writer;
use crate::ledger::redact_again::Redone;
use crate::ledger::verify::{Entry, Report};
use crate::ledger::{Ledger, LedgerError};
use crate::record::body::{Amend, AmendReason, Body, Correction, Role};

/// Correct a record, or take it back
///
/// Records are never rewritten: a further record says which one is wrong, why, and which one says it right. Their authors may
/// do so, and admins. The record that is amended stays and goes on to be shown, with its correction. An approval that is
/// amended counts no more.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The record's id, or its first characters
    record: String,
    /// Why: wrong, incomplete, duplicate, secret
    #[arg(long, value_parser = reason)]
    reason: AmendReason,
    /// The record that says it right
    #[arg(long, value_name = "RECORD", conflicts_with = "redact")]
    by: Option<String>,
    /// Redact what a session's record stored again, by today's rules, and put that in its place (--reason secret)
    #[arg(long)]
    redact: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

fn reason(text: &str) -> Result<AmendReason, String> {
    serde_json::from_value(text.into()).map_err(|_| "one of wrong, incomplete, duplicate, secret".to_owned())
}

#[derive(serde::Serialize)]
struct Answer {
    record: RecordId,
    amends: RecordId,
}

pub fn run(args: &Args, ledger: &Ledger, out: &mut Out) -> anyhow::Result<Code> {
    let report = read_book(ledger)?;
    let amended = named(&report, &args.record)?;
    let by = args.by.as_deref().map(|name| named(&report, name)).transpose()?;
    if !crate::ledger::references::can_be_amended(&amended.body)
        || by.is_some_and(|by| !crate::ledger::references::can_be_amended(&by.body))
    {
        anyhow::bail!("a {} record says nothing that could be amended", amended.body.kind());
    }
    let own = ledger.own_chain().context("this clone has no key")?;
    let member = |chain| report.history.member(chain).map(|member| &member.id);
    if own != amended.chain && (member(own).is_none() || member(own) != member(amended.chain)) {
        ledger.require_role(&[Role::Owner, Role::Admin], "amend what somebody else wrote")?;
    }
    if args.redact {
        return redact(args, ledger, &report, amended, out);
    }
    let correction = Correction { record: by.map(|entry| entry.id), payloads: Vec::new() };
    let amends = amended.id;
    let record = Writer::open(ledger)?.amend(Amend { record: amends, reason: args.reason, correction })?;
    if args.json {
        out.json(&Answer { record, amends })?;
        return Ok(0);
    }
    let shown = out.paint(output::ID, record.short());
    out.line(format_args!("Amended {} by {shown}. Push it with: git tracevault push", amends.short()))?;
    Ok(0)
}

#[derive(serde::Serialize)]
struct Redacted {
    /// The amendment; there is none where nothing was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<RecordId>,
    amends: RecordId,
    found: BTreeMap<&'static str, u64>,
    /// Old pieces that are gone from this clone's refs, and those that a remote has.
    taken_off: usize,
    pushed: usize,
}

fn redact(args: &Args, ledger: &Ledger, report: &Report, entry: &Entry, out: &mut Out) -> anyhow::Result<Code> {
    anyhow::ensure!(args.reason == AmendReason::Secret, "--redact is for --reason secret");
    let Body::Session(body) = &entry.body else {
        anyhow::bail!("a {} record has no payloads that could be redacted again", entry.body.kind());
    };
    let Redone { record, rules, pieces } = ledger.redact_record(report, entry, body)?;
    if args.json {
        let (taken_off, pushed) = (pieces.gone, pieces.pushed);
        out.json(&Redacted { record, amends: entry.id, found: rules, taken_off, pushed })?;
        return Ok(0);
    }
    match record {
        None => {
            out.line(format_args!("Today's rules find nothing in record {}: nothing to amend.", entry.id.short()))?
        }
        Some(record) => {
            let found: Vec<String> = rules.iter().map(|(rule, count)| format!("{rule} {count}")).collect();
            let shown = out.paint(output::ID, record.short());
            let found = output::visible(&found.join(", "));
            out.line(format_args!(
                "Amended {} by {shown}: {found}. Push it with: git tracevault push",
                entry.id.short()
            ))?;
        }
    }
    if pieces.gone > 0 {
        out.line(format_args!(
            "Taken off this clone's refs: {} pieces. They lie in its object store until: git gc --prune=now",
            pieces.gone
        ))?;
    }
    if pieces.pushed > 0 {
        out.line(out.paint(
            output::WARN,
            format!(
                "{} pieces with what was found were pushed before, and stay there: replace the secrets.",
                pieces.pushed
            ),
        ))?;
        out.line("Where retention allows it, an owner or admin takes them away with: git tracevault prune")?;
    }
    Ok(0)
}

fn named<'r>(report: &'r Report, name: &str) -> Result<&'r Entry, LedgerError> {
    let fits = |entry: &&Entry| name.len() >= 4 && entry.id.to_string().starts_with(name);
    match report.entries().filter(fits).collect::<Vec<_>>().as_slice() {
        [entry] => Ok(entry),
        [] => Err(LedgerError::Unknown(name.to_owned())),
        _ => Err(LedgerError::Refused(format!("several records fit {name:?}"))),
    }
}

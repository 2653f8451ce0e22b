//! Showing a record: its bytes, and what they are worth.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::cli::pager::paged;
use crate::cli::print_findings;
use crate::finding::Finding;
use crate::host::output::{self, Out};
use crate::id::{ChainId, RecordId};
use crate::ledger::query::Book;
use crate::ledger::store::{self, Stored};
use crate::ledger::verify::Entry;
use crate::ledger::{Ledger, LedgerError};
use crate::record::body::{AmendReason, Body, Correction, Place};
use crate::time::Time;

/// A record to show.
#[derive(Serialize)]
pub struct About<'a> {
    kind: &'static str,
    record: RecordId,
    chain: ChainId,
    seq: u64,
    member: Option<&'a str>,
    /// `sealed`, `signed`, `pending` (its writer is not enrolled) or `bad`.
    state: &'static str,
    findings: Vec<&'a Finding>,
    /// The times of the seal that it cites and of the first that covers it: it was made between them.
    after: Option<Time>,
    before: Option<Time>,
    /// The records that correct it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    amended: Vec<Amended<'a>>,
    /// `record.json`, as it stands.
    json: Box<RawValue>,
}

/// A correction of the record.
#[derive(Serialize)]
struct Amended<'a> {
    record: RecordId,
    reason: AmendReason,
    correction: &'a Correction,
}

impl<'a> About<'a> {
    /// A record of a writer's chain.
    pub fn entry(entry: &Entry, ledger: &Ledger, book: &Book<'a>) -> Result<Self, LedgerError> {
        let bytes = match store::read(&ledger.repo, &entry.commit) {
            Ok(stored) => stored.record.bytes().to_vec(),
            Err(store::StoreError { record: Some(record), .. }) => record.bytes().to_vec(),
            Err(source) => {
                let name = ledger.prefix.chain(entry.chain);
                return Err(LedgerError::Stored { name, commit: entry.commit.short().to_owned(), source });
            }
        };
        let chain = book.report.chains.iter().find(|chain| chain.id == entry.chain);
        let state = match (entry.good, chain) {
            (true, Some(chain)) if chain.pending => "pending",
            (true, Some(chain)) if entry.seq < book.report.sealed(chain.id) => "sealed",
            (true, Some(_)) => "signed",
            (true, _) => "pending",
            (false, _) => "bad",
        };
        let member = chain.and_then(|chain| chain.member.as_deref());
        let place = Place { seq: entry.seq, id: entry.id };
        let mut about = Self::new(entry.chain, place, member, state, &bytes, book);
        if entry.good {
            (about.after, about.before) = book.report.bracket(entry.chain, entry.seq, entry.seal);
        }
        Ok(about)
    }

    /// A record of the policy chain; those after a broken one count for nothing.
    pub fn policy(stored: &Stored, book: &Book<'a>) -> Self {
        let (record, seq) = (&stored.record, stored.record.envelope().seq);
        let good = book.report.history.citation().is_some_and(|newest| newest.n >= seq);
        let state = match good {
            true if seq < book.report.sealed(ChainId::Policy) => "sealed",
            true => "signed",
            false => "bad",
        };
        let place = Place { seq, id: record.id() };
        let mut about = Self::new(ChainId::Policy, place, None, state, record.bytes(), book);
        if good {
            about.before = book.report.bracket(ChainId::Policy, seq, None).1;
        }
        about
    }

    fn new(
        chain: ChainId,
        place: Place,
        member: Option<&'a str>,
        state: &'static str,
        bytes: &[u8],
        book: &Book<'a>,
    ) -> Self {
        let Place { seq, id: record } = place;
        let id = record.to_string();
        let findings = book.report.findings.iter().filter(|finding| finding.record.as_ref() == Some(&id)).collect();
        let text = String::from_utf8_lossy(bytes).into_owned();
        // A record that was read is JSON.
        let json = RawValue::from_string(text).unwrap_or_default();
        let amended = book.report.entries().filter(|entry| entry.good && !book.is_pending(entry));
        let amended = amended.filter_map(|entry| match &entry.body {
            Body::Amend(amend) if amend.record == record => {
                Some(Amended { record: entry.id, reason: amend.reason, correction: &amend.correction })
            }
            _ => None,
        });
        let amended = amended.collect();
        let (after, before) = (None, None);
        About { kind: "record", record, chain, seq, member, state, findings, after, before, amended, json }
    }
}

pub fn show(about: &About<'_>, ledger: &Ledger, json: bool, out: &mut Out) -> anyhow::Result<()> {
    if json {
        return Ok(out.json(about)?);
    }
    let value: serde_json::Value = serde_json::from_str(about.json.get())?;
    let pretty = serde_json::to_string_pretty(&value)?;
    paged(ledger, out, |out| {
        let style = match about.state {
            "sealed" | "signed" => output::GOOD,
            "pending" => output::WARN,
            _ => output::BAD,
        };
        out.line(format_args!("record {}  {}", out.paint(output::ID, about.record), out.paint(style, about.state)))?;
        let member = about.member.map(|member| format!("  {}", output::visible(member))).unwrap_or_default();
        out.line(format_args!("chain  {} #{}{member}", about.chain, about.seq))?;
        if let Some(line) = bracket(about) {
            out.line(line)?;
        }
        let findings: Vec<Finding> = about.findings.iter().map(|finding| (*finding).clone()).collect();
        print_findings(out, &findings)?;
        for Amended { record, reason, correction } in &about.amended {
            let right = correction.record.map(|id| format!("; {} says it right", id.short())).unwrap_or_default();
            let reason = serde_json::to_value(reason)?;
            let reason = reason.as_str().unwrap_or_default();
            out.line(out.paint(output::WARN, format!("amended by {}: {reason}{right}", record.short())))?;
        }
        out.line(output::visible(&pretty))?;
        Ok(())
    })
}

/// Between which seals a record was made, as far as that is known.
fn bracket(about: &About<'_>) -> Option<String> {
    match (about.after, about.before) {
        (Some(after), Some(before)) => Some(format!("made   between the seals of {after} and {before}")),
        (Some(after), None) => Some(format!("made   after the seal of {after}; no seal covers it yet")),
        (None, Some(before)) => Some(format!("made   before the seal of {before}")),
        (None, None) => None,
    }
}

/// The records of the policy chain whose ids begin with `prefix`.
pub fn policy_records_named(prefix: &str, ledger: &Ledger) -> Result<Vec<Stored>, LedgerError> {
    let name = ledger.prefix.chain(ChainId::Policy);
    let mut next = ledger.repo.find_ref(&name)?;
    let mut found = Vec::new();
    while let Some(commit) = next {
        // What cannot be read cannot be asked for; verify tells of it.
        let Ok(stored) = ledger.read(&name, &commit) else { break };
        next = stored.parent.clone();
        if stored.record.id().to_string().starts_with(prefix) {
            found.push(stored);
        }
    }
    Ok(found)
}

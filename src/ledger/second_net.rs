//! The second net: what is about to leave, and was redacted by other rules than today's, is searched by these first.
//!
//! Records name the rules that their payloads were redacted by, so the usual push opens no payload.

use std::collections::BTreeMap;
use std::fmt;

use crate::id::{GitId, RecordId, SessionId};
use crate::ledger::redact_again::{Again, again};
use crate::ledger::replaced::{Instead, replaces};
use crate::ledger::{Ledger, LedgerError};
use crate::record::body::{Body, Payload};
use crate::redaction::{Redactor, Settings};

/// A record with secrets in its payloads, and how many today's rules find, by rule.
#[derive(Debug)]
pub struct Caught {
    pub record: RecordId,
    pub session: Option<SessionId>,
    pub rules: BTreeMap<&'static str, u64>,
}

impl fmt::Display for Caught {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {}", self.record.short())?;
        if let Some(session) = &self.session {
            write!(f, " of session {session}")?;
        }
        let rules: Vec<String> = self.rules.iter().map(|(rule, count)| format!("{rule} {count}")).collect();
        write!(f, ": {}", rules.join(", "))
    }
}

/// A line for each.
pub fn listed(caught: &[Caught]) -> String {
    caught.iter().map(|caught| format!("\n  {caught}")).collect()
}

/// What mends it.
pub fn hint(caught: &[Caught]) -> Option<String> {
    let mend = |record: &str| format!("git tracevault amend {record} --reason secret --redact");
    match caught {
        [] => None,
        [one] => Some(mend(&one.record.short())),
        [first, ..] => Some(format!("{}, and so with each of these records", mend(&first.record.short()))),
    }
}

/// A record of which not all could be searched, and why.
#[derive(Debug)]
pub struct Unsearched {
    pub record: RecordId,
    pub why: String,
}

impl fmt::Display for Unsearched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {} was not searched by today's rules: {}", self.record.short(), self.why)
    }
}

/// The payloads that a record brings along.
struct Leaving {
    session: Option<SessionId>,
    payloads: Vec<Payload>,
}

/// What is about to leave and was not redacted by today's rules.
pub struct SecondNet<'l> {
    ledger: &'l Ledger,
    /// Today's rules, once they are needed.
    settings: Option<Settings>,
    /// By the record whose payloads they are, or stand in the place of.
    leaving: BTreeMap<RecordId, Leaving>,
}

impl<'l> SecondNet<'l> {
    pub fn new(ledger: &'l Ledger) -> Self {
        SecondNet { ledger, settings: None, leaving: BTreeMap::new() }
    }

    /// Looks at the records of a writer's chain at `ours`, back to what the remote has.
    pub fn take_in(&mut self, name: &str, ours: &GitId, seen: Option<&GitId>) -> Result<(), LedgerError> {
        let mut next = Some(ours.clone());
        while let Some(commit) = next.filter(|commit| Some(commit) != seen) {
            let stored = self.ledger.read(name, &commit)?;
            next = stored.parent.clone();
            match stored.record.body() {
                Body::Session(body) if !body.payloads.is_empty() => {
                    if body.rules != Some(self.settings()?.digest()) {
                        let leaving = Leaving { session: Some(body.session.clone()), payloads: body.payloads.clone() };
                        self.leaving.insert(stored.record.id(), leaving);
                    }
                }
                body => {
                    // What stands there instead says by no rules it was redacted.
                    if let Some(amend) = replaces(body) {
                        self.settings()?;
                        let leaving = Leaving { session: None, payloads: amend.correction.payloads.clone() };
                        self.leaving.entry(amend.record).or_insert(leaving);
                    }
                }
            }
        }
        Ok(())
    }

    fn settings(&mut self) -> Result<&Settings, LedgerError> {
        let settings = match self.settings.take() {
            Some(settings) => settings,
            None => self.ledger.config.redaction()?,
        };
        Ok(self.settings.insert(settings))
    }

    /// Searches it; an error where there is a secret in it, else what could not be searched.
    pub fn search(self) -> Result<Vec<Unsearched>, LedgerError> {
        let Some(settings) = self.settings.filter(|_| !self.leaving.is_empty()) else { return Ok(Vec::new()) };
        let report = self.ledger.read_all()?;
        let instead = Instead::of(report.entries());
        let (mut caught, mut unsearched) = (Vec::new(), Vec::new());
        for (record, leaving) in self.leaving {
            let payloads = instead.get(&record).unwrap_or(&leaving.payloads);
            let mut redactor = Redactor::new(settings.clone());
            let mut found = false;
            for payload in payloads {
                let Again { changed, missing } =
                    again(&self.ledger.repo, &report.payloads, payload, &mut redactor, &mut |_| Ok(()))?;
                found |= changed;
                unsearched.extend(missing.into_iter().take(1).map(|why| Unsearched { record, why }));
            }
            if found {
                caught.push(Caught { record, session: leaving.session, rules: redactor.counts().clone() });
            }
        }
        if caught.is_empty() { Ok(unsearched) } else { Err(LedgerError::Secrets(caught)) }
    }
}

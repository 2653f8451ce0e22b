//! Redacting what was stored again: an amendment replaces a session record's payloads, and the old pieces go, as far as no
//! remote has them.
//!
//! Which pieces are to go is written down with the amendment (`replaced.json`) and done when the record is in its place, here
//! or, if the process was killed in between, before the next push.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::digest::Digest;
use crate::git::repo::{Kind, Repo, RepoError};
use crate::host::random;
use crate::id::{GitId, RecordId};
use crate::ledger::append::{PayloadAppend, Writer};
use crate::ledger::copies::Copies;
use crate::ledger::local::{Changes, Local};
use crate::ledger::payload::{Form, Payloads, PieceWriter};
use crate::ledger::read_back::{Lines, Said};
use crate::ledger::replaced::{Instead, replaces};
use crate::ledger::shelves::TakenOff;
use crate::ledger::verify::{Entry, Report};
use crate::ledger::{Ledger, LedgerError, pruned};
use crate::record::body::{Amend, AmendReason, Body, Correction, Payload, Session, Shelf};
use crate::redaction::{Redactor, Settings};

/// The pieces that are to go, by their shelves.
const REPLACED: &str = "replaced.json";
/// As many bytes of lines are redacted together.
const WINDOW: usize = 8 << 20;

/// What came of redacting a payload again.
#[derive(Default)]
pub struct Again {
    /// Whether the rules found anything.
    pub changed: bool,
    /// What could not be read, and why.
    pub missing: Vec<String>,
}

/// Redacts a payload again, line by line. Memory holds a window of lines.
pub fn again(
    repo: &Repo,
    store: &Payloads,
    payload: &Payload,
    redactor: &mut Redactor,
    keep: &mut dyn FnMut(&[u8]) -> Result<(), RepoError>,
) -> Result<Again, RepoError> {
    let mut done = Again::default();
    let (mut window, mut size) = (Vec::new(), 0);
    let mut redact = |window: &mut Vec<Vec<u8>>, changed: &mut bool| {
        let lines: Vec<&[u8]> = window.iter().map(Vec::as_slice).collect();
        for (line, redacted) in lines.iter().zip(redactor.session(&lines)) {
            let redacted: &[u8] = redacted.as_ref();
            *changed |= redacted != *line;
            keep(redacted)?;
        }
        window.clear();
        Ok::<_, RepoError>(())
    };
    for said in Lines::new(repo, store, [payload].into_iter()) {
        match said {
            Said::Line(line) => {
                size += line.len();
                window.push(line);
            }
            Said::Missing(why) => done.missing.push(why),
        }
        if size >= WINDOW {
            redact(&mut window, &mut done.changed)?;
            size = 0;
        }
    }
    redact(&mut window, &mut done.changed)?;
    Ok(done)
}

/// What became of a record that was redacted again.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Redone {
    /// The amendment; there is none where today's rules found nothing.
    pub record: Option<RecordId>,
    /// How many secrets were found, by rule.
    pub rules: BTreeMap<&'static str, u64>,
    pub pieces: TakenOff,
}

/// Payloads that were redacted again, and where their pieces are.
struct New {
    payloads: Vec<Payload>,
    appends: Vec<PayloadAppend>,
}

impl Ledger {
    /// Redacts the payloads of a session record again and replaces them, if today's rules find something in them.
    pub fn redact_record(&self, report: &Report, entry: &Entry, body: &Session) -> Result<Redone, LedgerError> {
        // What a remote has must not change meanwhile.
        let _alone = self.alone()?;
        let mut writer = Writer::open(self)?;
        let left = writer.take_off_replaced()?;
        let settings = self.config.redaction()?;
        let instead = Instead::of(report.entries());
        let (_, payloads) = instead.payloads(entry, &body.payloads);
        for payload in body.payloads.iter().chain(payloads) {
            let shelf = Shelf { chain: entry.chain, class: payload.class, month: payload.month.clone() };
            let held = report.keeping.holds().iter().find(|(_, shelves)| shelves.contains(&shelf));
            if let Some((case, _)) = held {
                let why =
                    format!("what it said is held for case {case}: nothing of it is replaced until that is released");
                return Err(LedgerError::Refused(why));
            }
        }
        let mut redactor = Redactor::new(settings.clone());
        let mut changed = Vec::new();
        for payload in payloads {
            let done = again(&self.repo, &report.payloads, payload, &mut redactor, &mut |_| Ok(()))?;
            if let Some(why) = done.missing.first() {
                return Err(LedgerError::Refused(format!(
                    "record {} cannot be redacted again: {why}",
                    entry.id.short()
                )));
            }
            changed.push(done.changed);
        }
        if !changed.contains(&true) {
            return Ok(Redone { pieces: left, ..Redone::default() });
        }
        let rules = redactor.counts().clone();
        let New { payloads, appends } = writer.stored_again(report, entry, (payloads, &changed), settings)?;
        let old = old_pieces(report, entry, &payloads);
        let correction = Correction { record: None, payloads };
        let amend = Amend { record: entry.id, reason: AmendReason::Secret, correction };
        let mut changes = Changes::default();
        changes.replace(REPLACED, &serde_json::to_vec(&old).map_err(|error| self.unwritten(error.into()))?);
        let record = writer.append(Body::Amend(amend), None, &appends, |_| Ok(changes))?;
        let now = writer.take_off_replaced()?;
        let pieces = TakenOff { gone: left.gone + now.gone, pushed: now.pushed };
        Ok(Redone { record: Some(record), rules, pieces })
    }

    /// Takes off what a process was killed before it took off.
    pub(super) fn finish_taking_off(&self) -> Result<(), LedgerError> {
        // A change that waits for the lock may be the one that says so.
        match self.dir().join(REPLACED).exists() || Local::new(self.dir()).is_pending() {
            true => Writer::open(self)?.take_off_replaced().map(drop),
            false => Ok(()),
        }
    }

    fn unwritten(&self, source: std::io::Error) -> LedgerError {
        LedgerError::File { path: self.dir().join(REPLACED), source }
    }
}

/// The pieces that a record and its amendments before this one name, and no other record, by their shelves.
fn old_pieces(report: &Report, entry: &Entry, new: &[Payload]) -> Vec<(Shelf, BTreeSet<Digest>)> {
    let is_old = |other: &Entry| other.id == entry.id || replaces(&other.body).is_some_and(|of| of.record == entry.id);
    let others = report.entries().filter(|other| !is_old(other)).flat_map(|other| pruned::payloads(&other.body));
    let stays: HashSet<Digest> = others.chain(new).flat_map(|p| p.pieces.iter().map(|piece| piece.sha256)).collect();
    let mut old: BTreeMap<Shelf, BTreeSet<Digest>> = BTreeMap::new();
    for other in report.entries().filter(|other| is_old(other)) {
        for payload in pruned::payloads(&other.body) {
            let shelf = Shelf { chain: other.chain, class: payload.class, month: payload.month.clone() };
            let pieces = payload.pieces.iter().map(|piece| piece.sha256).filter(|piece| !stays.contains(piece));
            old.entry(shelf).or_default().extend(pieces);
        }
    }
    old.into_iter().collect()
}

/// The blobs of a payload's pieces.
fn blobs_of(repo: &Repo, store: &Payloads, payload: &Payload) -> Result<Vec<(Digest, GitId)>, RepoError> {
    let mut blobs = Vec::new();
    for piece in &payload.pieces {
        // All of them were read a moment ago.
        if let Ok(Some(bytes)) = store.read(repo, piece) {
            blobs.push((piece.sha256, repo.write(Kind::Blob, &bytes)?));
        }
    }
    Ok(blobs)
}

impl Writer<'_> {
    /// Stores those of a record's payloads anew in which something was found. The others stay as they are, on the writer's own
    /// shelves.
    fn stored_again(
        &self,
        report: &Report,
        entry: &Entry,
        (payloads, changed): (&[Payload], &[bool]),
        settings: Settings,
    ) -> Result<New, LedgerError> {
        let (repo, store) = (&self.ledger.repo, &report.payloads);
        let mut redactor = Redactor::new(settings);
        let mut new = New { payloads: Vec::new(), appends: Vec::new() };
        for (payload, changed) in payloads.iter().zip(changed) {
            let recipients = self.ledger.recipients_of(Some(entry.chain), payload.encryption.is_some())?;
            let form = recipients.as_deref().map_or(Form::Salted(&random::bytes32), Form::Encrypted);
            let mut pieces = PieceWriter::new(repo, form);
            // What was found in one payload goes from the next, too: all are gone over in the same order.
            again(repo, store, payload, &mut redactor, &mut |line| match changed {
                true => pieces.write(line).and_then(|()| pieces.write(b"\n")),
                false => Ok(()),
            })?;
            pieces.finish()?;
            let (class, month) = (payload.class, payload.month.clone());
            let (its, blobs) = match changed {
                true => {
                    let (listed, encryption) = (std::mem::take(&mut pieces.pieces), form.encryption());
                    (Payload { pieces: listed, encryption, ..payload.clone() }, std::mem::take(&mut pieces.blobs))
                }
                false => (payload.clone(), blobs_of(repo, store, payload)?),
            };
            new.payloads.push(its);
            match new.appends.iter_mut().find(|append| (append.class, &append.month) == (class, &month)) {
                Some(append) => append.blobs.extend(blobs),
                None => new.appends.push(PayloadAppend { class, month, blobs }),
            }
        }
        Ok(new)
    }

    /// Takes replaced pieces off this clone's shelves. Those that a remote has stay: taking them off here would not take them
    /// away there.
    fn take_off_replaced(&mut self) -> Result<TakenOff, LedgerError> {
        let mut taken = TakenOff::default();
        let Some(bytes) = self.local().read(REPLACED)? else { return Ok(taken) };
        // One that cannot be read was left by a power failure; the next push searches what is there.
        let old: Vec<(Shelf, BTreeSet<Digest>)> = serde_json::from_slice(&bytes).unwrap_or_default();
        let copies = Copies::list(self.ledger)?;
        for (shelf, pieces) in old {
            let its = self.ledger.take_off(&shelf, &pieces, &copies)?;
            taken.gone += its.gone;
            taken.pushed += its.pushed;
        }
        let path = self.ledger.dir().join(REPLACED);
        std::fs::remove_file(path).map_err(|source| self.ledger.unwritten(source))?;
        Ok(taken)
    }
}

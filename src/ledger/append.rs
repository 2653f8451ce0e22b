//! Appending to this clone's chain: one record at a time, under a lock, the ref and our own notes together.
//!
//! The path of what an agent does, from top to bottom: event → journal → session → attribution → redaction →
//! record → signed → chain → ref. [`Writer::append`] is its last part.

use std::cell::OnceCell;
use std::time::Duration;

use crate::chain::Head;
use crate::digest::Digest;
use crate::git::repo::RefUpdate;
use crate::host::{clock, files};
use crate::id::{ChainId, GitId, RecordId};
use crate::ledger::local::{Changes, Local};
use crate::ledger::mark::Mark;
use crate::ledger::{Ledger, LedgerError, payload, store};
use crate::record::body::{Body, PayloadClass};
use crate::record::object::SIGNATURE_FILE;
use crate::record::recipient::Recipient;
use crate::record::{Citation, Envelope, Record, Unverified};
use crate::signing::Signer;
use crate::time::Month;

/// How long another process of this clone may keep us from our chain; what is left open the next push records.
const PATIENCE: Duration = Duration::from_secs(20);

/// The right to append to this clone's chain, held until it is dropped.
pub struct Writer<'l> {
    pub ledger: &'l Ledger,
    signer: Signer,
    head: Option<(GitId, Head)>,
    /// The policy that its records cite.
    policy: Option<Citation>,
    /// The newest seal that was verified.
    seal: Option<Citation>,
    /// To whom payloads are encrypted, once it was asked.
    pub(super) recipients: OnceCell<Option<Vec<Recipient>>>,
    _lock: files::Lock,
}

/// Blobs to put under a payload ref with a record.
pub struct PayloadAppend {
    pub class: PayloadClass,
    pub month: Month,
    pub blobs: Vec<(Digest, GitId)>,
}

impl Ledger {
    /// Keeps this clone's writers from moving its refs until it is dropped: a record and what it names move one after the
    /// other.
    pub(super) fn writing(&self) -> Result<files::Lock, LedgerError> {
        let path = self.dir().join("lock");
        files::create_private_dir(self.dir())
            .and_then(|()| files::lock(&path, PATIENCE))
            .map_err(|source| LedgerError::File { path, source })
    }
}

impl<'l> Writer<'l> {
    /// Waits for the lock, makes good what a killed process left, and reads the chain's head.
    pub fn open(ledger: &'l Ledger) -> Result<Self, LedgerError> {
        let lock = ledger.writing()?;
        let signer = ledger.signer()?;
        let name = ledger.prefix.chain(signer.chain());
        let head = match ledger.repo.find_ref(&name)? {
            Some(tip) => {
                let stored = ledger.read(&name, &tip)?;
                Some((tip, Head::of(&stored.record)))
            }
            None => None,
        };
        if let Some(mark) = ledger.config.key.as_deref().and_then(Mark::read)
            && !mark.is_in(head.as_ref().map(|(_, head)| head))
        {
            return Err(LedgerError::Elsewhere { chain: signer.chain(), seq: mark.seq });
        }
        Local::new(ledger.dir()).settle(head.as_ref().map(|(_, head)| head.id))?;
        let (policy, recipients) = (ledger.policy()?, OnceCell::new());
        Ok(Writer { policy, seal: ledger.newest_seal(policy), ledger, signer, head, recipients, _lock: lock })
    }

    pub fn chain(&self) -> ChainId {
        self.signer.chain()
    }

    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The number and id of the newest record, if the chain is open.
    pub fn head(&self) -> Option<&Head> {
        self.head.as_ref().map(|(_, head)| head)
    }

    pub fn local(&self) -> Local<'_> {
        Local::new(self.ledger.dir())
    }

    /// The envelope of the next record.
    fn envelope(&self, policy: Option<Citation>) -> Result<Envelope, LedgerError> {
        let ledger = self.ledger.id().ok_or(LedgerError::NoLedger)?;
        let head = self.head();
        let now = clock::now();
        Ok(Envelope {
            ledger,
            chain: self.chain(),
            seq: head.map_or(0, |head| head.seq + 1),
            prev: head.map_or(ledger.0, |head| head.id.0),
            // A clock that was set back does not make the chain go backwards.
            time: head.map_or(now, |head| now.max(head.time)),
            policy,
            // What it cited it goes on citing, until there is a newer one.
            seal: head.and_then(|head| head.seal).into_iter().chain(self.seal).max_by_key(|cited| cited.n),
        })
    }

    /// Makes, signs and stores the next record; moves the chain's ref, the payload refs and our own notes with it.
    /// `changes` are told the record's id.
    pub fn append(
        &mut self,
        body: Body,
        trace: Option<&[u8]>,
        payloads: &[PayloadAppend],
        changes: impl FnOnce(RecordId) -> Result<Changes, LedgerError>,
    ) -> Result<RecordId, LedgerError> {
        if self.head().is_some_and(|head| head.closed) {
            return Err(LedgerError::Closed(self.chain()));
        }
        let policy = self.policy.ok_or(LedgerError::NoLedger)?;
        let kind = body.kind();
        let record =
            Record::new(self.envelope(Some(policy))?, body).map_err(|source| LedgerError::Record { kind, source })?;
        let signature = self.signer.sign(&record);
        let parent = self.head.as_ref().map(|(commit, _)| commit.clone());
        let files = [(SIGNATURE_FILE.to_owned(), signature)];
        let commit = store::write(&self.ledger.repo, &record, &files, trace, parent.as_ref())?;

        // Payloads first: whoever is killed in between leaves pieces that no record names, not a record without them. Git
        // cannot move both at once either. The next push takes such pieces off (`shelves`).
        self.ledger.repo.update_refs(&self.payload_updates(&record, payloads)?)?;
        let name = self.ledger.prefix.chain(self.chain());
        let update = RefUpdate { name, new: Some(commit.clone()), expected: parent };
        let local = Local::new(self.ledger.dir());
        // What goes with the record before must be done before another takes the note's place.
        local.settle(self.head().map(|head| head.id))?;
        local.prepare(record.id(), changes(record.id())?)?;
        self.ledger.repo.update_refs(&[update])?;
        self.head = Some((commit, Head::of(&record)));
        if let (Some(key), Some((_, head))) = (&self.ledger.config.key, &self.head) {
            Mark { seq: head.seq, id: head.id }.keep(key);
        }
        local.settle(Some(record.id()))?;
        Ok(record.id())
    }

    fn payload_updates(
        &self,
        record: &Record<Unverified>,
        payloads: &[PayloadAppend],
    ) -> Result<Vec<RefUpdate>, LedgerError> {
        let repo = &self.ledger.repo;
        let (who, unix) = (self.chain().to_string(), record.envelope().time.unix());
        let mut updates = Vec::new();
        for add in payloads.iter().filter(|add| !add.blobs.is_empty()) {
            let name = self.ledger.prefix.payload(add.class, &add.month, self.chain());
            let tip = repo.find_ref(&name)?;
            let new = payload::extend(repo, tip.as_ref(), &add.blobs, &who, unix)?;
            updates.push(RefUpdate { name, new: Some(new), expected: tip });
        }
        Ok(updates)
    }
}

//! Making seals: what a witness's machine does, after it has verified all that is here.

use std::time::Duration;

use crate::chain::Head;
use crate::digest::Digest;
use crate::finding::{Finding, Severity};
use crate::git::command::filter;
use crate::git::repo::RefUpdate;
use crate::host::clock::Deadline;
use crate::host::{clock, files};
use crate::id::{ChainId, GitId, RecordId};
use crate::ledger::copies::{self, Copies};
use crate::ledger::found::TOOL;
use crate::ledger::seals::{Covered, Witness};
use crate::ledger::seen::{Cache, CachedChain};
use crate::ledger::verify::{Options, Report};
use crate::ledger::{Ledger, LedgerError, store};
use crate::record::body::{Body, Claim, Open, Place, Role, Seal, Sealed};
use crate::record::checkpoint::{self, Checkpoint};
use crate::record::object::{CHECKPOINT_FILE, SIGNATURE_FILE, TIMESTAMP_FILE};
use crate::record::timestamp::{self, Timestamp};
use crate::record::{Citation, Envelope, Record};
use crate::signing::Signer;

/// How long another process of this clone may keep us from the chain.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many chains one seal names: it is a record, and no larger than one.
const HEADS: usize = 256;

/// What came of an attempt to seal.
#[derive(Debug)]
pub enum Sealing {
    /// The seals that were made: how many records each covers with those before it, and its id.
    Sealed(Vec<Citation>),
    /// Every record is covered.
    Nothing,
    /// The ledger does not verify: a seal would say that it does.
    Refused(Vec<Finding>),
}

impl Ledger {
    /// Opens the chain of a witness, so that it can be enrolled; whether it was not open yet.
    pub fn open_witness(&self, signer: &Signer, member: Claim, device: String) -> Result<bool, LedgerError> {
        let _lock = self.lock_witness()?;
        if self.own_line(signer.chain(), self.prefix.seals(signer.chain()))?.is_some() {
            return Ok(false);
        }
        let body = Open { public_key: signer.public_key(), member, device, tool: TOOL.into(), recipient: None };
        self.append_seal(signer, None, Body::Open(body))?;
        Ok(true)
    }

    /// Seals all records of enrolled writers and of the policy chain that this witness has not sealed, if everything that
    /// is here verifies.
    pub fn seal(&self, signer: &Signer) -> Result<Sealing, LedgerError> {
        let _lock = self.lock_witness()?;
        let chain = signer.chain();
        let tip = self.own_line(chain, self.prefix.seals(chain))?;
        let report = self.verify(&Options { pinned: self.pinned()?, ..Options::default() })?;
        let is_error = |finding: &&Finding| finding.severity == Severity::Error && !report.is_revoked(finding);
        let errors: Vec<Finding> = report.findings.iter().filter(is_error).cloned().collect();
        if !errors.is_empty() {
            return Ok(Sealing::Refused(errors));
        }
        self.may_seal(&report, chain)?;
        let Some(tip) = tip else { return Err(LedgerError::Refused(format!("the chain {chain} is not open"))) };
        let stored = self.read(&self.prefix.seals(chain), &tip)?;
        let mut head = (tip, Head::of(&stored.record));
        let witness = report.witnesses.iter().find(|witness| witness.chain == chain);
        let Some(Witness { mut covered, .. }) = witness.cloned() else {
            return Err(LedgerError::Refused("what this witness has sealed cannot be told from here".into()));
        };
        let new = self.unsealed(&report, &covered)?;
        let weak = (report.findings.len() - errors.len()) as u64;
        let mut made = Vec::new();
        for chains in new.chunks(HEADS) {
            let body = next(&mut covered, chains, weak);
            let size = body.size;
            head = self.append_seal(signer, Some(head), Body::Seal(body))?;
            made.push(Citation { n: size, id: head.1.id });
        }
        Ok(if made.is_empty() { Sealing::Nothing } else { Sealing::Sealed(made) })
    }

    fn lock_witness(&self) -> Result<files::Lock, LedgerError> {
        let path = self.dir().join("witness.lock");
        files::create_private_dir(self.dir())
            .and_then(|()| files::lock(&path, PATIENCE))
            .map_err(|source| LedgerError::File { path, source })
    }

    /// The tip of a machine's own chain, and `name` is its ref. A clone made for one build has it from the remote alone: it
    /// goes on from there, and does not begin anew.
    pub fn own_line(&self, chain: ChainId, name: String) -> Result<Option<GitId>, LedgerError> {
        let copies = Copies::list(self)?;
        let Some(tips) = copies.chains.get(&chain) else { return Ok(None) };
        let walk = copies::walk(&self.repo, chain, tips, None);
        if let Some(finding) = walk.findings.first() {
            return Err(LedgerError::Refused(format!("{} {}", finding.code, finding.message)));
        }
        let (tip, ours) = (walk.tip(), self.repo.find_ref(&name)?);
        if tip.is_some() && tip != ours {
            self.repo.update_refs(&[RefUpdate { name, new: tip.clone(), expected: ours }])?;
        }
        Ok(tip)
    }

    /// Refuses one who is no witness: nobody would believe the seal.
    fn may_seal(&self, report: &Report, chain: ChainId) -> Result<(), LedgerError> {
        let roster = report.history.newest().ok_or(LedgerError::NoLedger)?;
        match roster.enrolment(chain) {
            Some((member, _)) if member.roles.contains(&Role::Witness) && roster.closure(chain).is_none() => Ok(()),
            Some((member, _)) => Err(LedgerError::Refused(format!("{} is no witness with an open chain", member.id))),
            None => Err(LedgerError::Refused(format!(
                "nobody has enrolled this witness; an owner or admin does it with: git tracevault member add {} --role witness",
                chain.short()
            ))),
        }
    }

    /// The chains that went on since they were sealed, each with the ids of its new records, in the order of a seal.
    fn unsealed(&self, report: &Report, covered: &Covered) -> Result<Vec<(ChainId, u64, Vec<RecordId>)>, LedgerError> {
        let (copies, cache) = (Copies::list(self)?, Cache::load(self)?);
        let logs = report.chains.iter().filter(|chain| !chain.seals && chain.counts());
        let logs = logs.map(|chain| (chain.id, chain.head.map(|head| head.seq)));
        let policy = (ChainId::Policy, report.history.citation().map(|cited| cited.n));
        let mut new = Vec::new();
        for (chain, head) in [policy].into_iter().chain(logs) {
            let from = covered.heads.get(&chain).map_or(0, |place| place.seq + 1);
            let Some(tips) = copies.chains.get(&chain).filter(|_| head.is_none_or(|head| head >= from)) else {
                continue;
            };
            // From where it was verified up to, it is gone back to what was sealed, and no further.
            let known = cache.chains.get(&chain).map(CachedChain::place);
            let walk = copies::walk(&self.repo, chain, tips, known);
            let mut ids = Vec::new();
            for at in usize::try_from(from).unwrap_or(usize::MAX)..walk.len() {
                let files = walk.files(&self.repo, at).map_err(|source| LedgerError::Stored {
                    name: self.prefix.chain(chain),
                    commit: walk.commit_at(at).short().to_owned(),
                    source,
                })?;
                ids.push(files.id());
            }
            if !ids.is_empty() {
                new.push((chain, from, ids));
            }
        }
        Ok(new)
    }

    /// Makes, signs and stores the next record of a witness's chain, and moves its ref.
    fn append_seal(
        &self,
        signer: &Signer,
        head: Option<(GitId, Head)>,
        body: Body,
    ) -> Result<(GitId, Head), LedgerError> {
        let (ledger, now) = (self.id().ok_or(LedgerError::NoLedger)?, clock::now());
        let before = head.as_ref().map(|(_, head)| head);
        let envelope = Envelope {
            ledger,
            chain: signer.chain(),
            seq: before.map_or(0, |head| head.seq + 1),
            prev: before.map_or(ledger.0, |head| head.id.0),
            time: before.map_or(now, |head| now.max(head.time)),
            policy: self.policy()?,
            seal: None,
        };
        let kind = body.kind();
        let record = Record::new(envelope, body).map_err(|source| LedgerError::Record { kind, source })?;
        let mut files = vec![(SIGNATURE_FILE.to_owned(), signer.sign(&record))];
        if let Body::Seal(seal) = record.body() {
            let origin = checkpoint::origin(ledger, signer.chain());
            let checkpoint = Checkpoint { origin, size: seal.size, root: seal.root };
            files.push((CHECKPOINT_FILE.to_owned(), signer.sign_checkpoint(&checkpoint)));
            if let Some(from) = &self.config.timestamp {
                files.push((TIMESTAMP_FILE.to_owned(), stamp(from, record.id())?));
            }
        }
        let parent = head.map(|(commit, _)| commit);
        let commit = store::write(&self.repo, &record, &files, None, parent.as_ref())?;
        let name = self.prefix.seals(signer.chain());
        self.repo.update_refs(&[RefUpdate { name, new: Some(commit.clone()), expected: parent }])?;
        Ok((commit, Head::of(&record)))
    }
}

/// Asks a time stamping authority about a record: by its URL, or by a command that reads the question and writes the answer.
fn stamp(from: &str, record: RecordId) -> Result<Vec<u8>, LedgerError> {
    let refused = |why: String| LedgerError::Refused(format!("there is no time stamp from {from}: {why}"));
    let curl = "curl -sSf -H 'Content-Type: application/timestamp-query' --data-binary @- -- \"$1\"";
    let is_url = ["http://", "https://"].iter().any(|scheme| from.starts_with(scheme));
    let (script, arg) = if is_url { (curl, from) } else { (from, "") };
    let answer = filter(script, arg, timestamp::query(&record.0), &Deadline::after(PATIENCE))
        .map_err(|error| refused(error.to_string()))?;
    match Timestamp::parse(&answer.stdout) {
        Some(token) if token.digest == record.0 && answer.stdout.len() <= timestamp::MAX_BYTES => Ok(answer.stdout),
        Some(_) => Err(refused("it is for something else".into())),
        None => Err(refused(format!("the answer is none. {}", answer.stderr))),
    }
}

/// The seal over these chains' new records.
fn next(covered: &mut Covered, chains: &[(ChainId, u64, Vec<RecordId>)], findings: u64) -> Seal {
    let mut heads = Vec::new();
    for (chain, from, ids) in chains {
        ids.iter().for_each(|id| covered.tree.push(id.0.as_bytes()));
        let seq = from + ids.len() as u64 - 1;
        let id = ids.last().copied().unwrap_or(RecordId(Digest::ZERO));
        covered.heads.insert(*chain, Place { seq, id });
        heads.push(Sealed { chain: *chain, seq, id });
    }
    Seal { heads, size: covered.tree.size(), root: covered.tree.root(), findings }
}

//! Founding a ledger, opening a chain in it, and changing its roster.

use crate::chain::Head;
use crate::digest::Digest;
use crate::git::repo::RefUpdate;
use crate::host::{clock, random};
use crate::id::{ChainId, GitId, LedgerId, RecordId};
use crate::ledger::append::Writer;
use crate::ledger::local::Changes;
use crate::ledger::{Ledger, LedgerError, store};
use crate::record::body::{Body, Claim, EnrolledKey, Genesis, Member, Open, Role, Roster};
use crate::record::object::policy_signature_file;
use crate::record::{Citation, Envelope, Record};
use crate::roster;
use crate::signing::Signer;

/// What this program calls itself in records.
pub const TOOL: &str = concat!("git-tracevault ", env!("CARGO_PKG_VERSION"));

impl Ledger {
    /// Founds a ledger whose one owner is `owner`, with this clone's key; its id.
    pub fn found(&self, signer: &Signer, owner: &Claim) -> Result<LedgerId, LedgerError> {
        let keys = vec![EnrolledKey { public_key: signer.public_key(), from_seq: 0 }];
        let member =
            Member { id: owner.id.clone(), name: owner.name.clone(), roles: vec![Role::Owner, Role::Developer], keys };
        let nonce = hex::encode(&random::bytes32()[..16]);
        let body = Body::Genesis(Genesis { threshold: 1, members: vec![member], nonce });
        let envelope = Envelope {
            ledger: LedgerId(Digest::ZERO),
            chain: ChainId::Policy,
            seq: 0,
            prev: Digest::ZERO,
            time: clock::now(),
            policy: None,
            seal: None,
        };
        let id = self.append_policy(signer, envelope, body, None)?;
        Ok(LedgerId(id.0))
    }

    /// Enrols or replaces members of `roster`, the newest there is, if the signer may; the new policy record's id.
    pub fn change_roster(
        &self,
        signer: &Signer,
        roster: &roster::Roster,
        set: Vec<Member>,
    ) -> Result<RecordId, LedgerError> {
        // A record that nobody will accept would freeze the policy chain for all who fetch it.
        let change = Roster { set };
        roster
            .change(&change, &[signer.public_key()])
            .map_err(|error| LedgerError::Refused(format!("the roster stays as it is: {error}")))?;
        let name = self.prefix.chain(ChainId::Policy);
        let tip = self.repo.find_ref(&name)?.ok_or(LedgerError::NoLedger)?;
        let stored = self.read(&name, &tip)?;
        let head = Head::of(&stored.record);
        let envelope = Envelope {
            ledger: stored.record.ledger(),
            chain: ChainId::Policy,
            seq: head.seq + 1,
            prev: head.id.0,
            time: clock::now().max(head.time),
            policy: Some(Citation { n: head.seq, id: head.id }),
            seal: None,
        };
        self.append_policy(signer, envelope, Body::Roster(change), Some(tip))
    }

    fn append_policy(
        &self,
        signer: &Signer,
        envelope: Envelope,
        body: Body,
        tip: Option<GitId>,
    ) -> Result<RecordId, LedgerError> {
        let kind = body.kind();
        let record = Record::new(envelope, body).map_err(|source| LedgerError::Record { kind, source })?;
        let name = policy_signature_file(&signer.public_key().number());
        let signatures = [(name, signer.sign(&record))];
        let commit = store::write(&self.repo, &record, &signatures, None, tip.as_ref())?;
        let name = self.prefix.chain(ChainId::Policy);
        self.repo.update_refs(&[RefUpdate { name, new: Some(commit), expected: tip }])?;
        Ok(record.id())
    }
}

impl Writer<'_> {
    /// Opens this clone's chain, if it is not open yet.
    pub fn open_chain(&mut self, member: Claim, device: String) -> Result<(), LedgerError> {
        if self.head().is_some() {
            return Ok(());
        }
        let public_key = self.signer().public_key();
        let body = Body::Open(Open { public_key, member, device, tool: TOOL.into() });
        self.append(body, None, &[], |_| Ok(Changes::default())).map(drop)
    }
}

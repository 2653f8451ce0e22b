//! Founding a ledger, and opening a chain in it.

use crate::digest::Digest;
use crate::host::{clock, random};
use crate::id::{ChainId, LedgerId};
use crate::ledger::append::Writer;
use crate::ledger::local::Changes;
use crate::ledger::{Ledger, LedgerError};
use crate::record::body::{Body, Claim, EnrolledKey, Genesis, Member, Open, Role};
use crate::record::object::policy_signature_file;
use crate::record::{Envelope, Record};
use crate::signing::Signer;

/// What this program calls itself in records.
pub const TOOL: &str = concat!("git-tracevault ", env!("CARGO_PKG_VERSION"));

impl Ledger {
    /// Founds a ledger whose one owner is `owner`, with this clone's key; its id.
    pub fn found(&self, signer: &Signer, owner: &Claim) -> Result<LedgerId, LedgerError> {
        let keys = vec![EnrolledKey {
            public_key: signer.public_key(),
            from_seq: 0,
            recipient: Some(self.identity()?.recipient()?),
        }];
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
        let record = Record::new(envelope, body).map_err(|source| LedgerError::Record { kind: "genesis", source })?;
        let signature = (policy_signature_file(&signer.public_key().number()), signer.sign(&record));
        Ok(LedgerId(self.accept(&record, &[signature])?.0))
    }
}

impl Writer<'_> {
    /// Opens this clone's chain, if it is not open yet.
    pub fn open_chain(&mut self, member: Claim, device: String) -> Result<(), LedgerError> {
        if self.head().is_some() {
            return Ok(());
        }
        let public_key = self.signer().public_key();
        let recipient = Some(self.ledger.identity()?.recipient()?);
        let body = Body::Open(Open { public_key, member, device, tool: TOOL.into(), recipient });
        self.append(body, None, &[], |_| Ok(Changes::default())).map(drop)
    }
}

//! Writing to the policy chain: a proposal, the signatures of those who may make it, and its acceptance.

use crate::chain::Head;
use crate::git::repo::RefUpdate;
use crate::host::clock;
use crate::id::{ChainId, RecordId};
use crate::ledger::copies::line_of;
use crate::ledger::verify::PolicyChain;
use crate::ledger::{Ledger, LedgerError, encryption, store};
use crate::policy::{Encrypt, Policy};
use crate::record::body::Body;
use crate::record::object::policy_signature_file;
use crate::record::{Citation, Envelope, Record, Unverified};
use crate::signing::Signer;

impl Ledger {
    /// The next record of the policy chain, to be signed: what it would change, at the place it would have now.
    pub fn propose(&self, body: Body) -> Result<Record<Unverified>, LedgerError> {
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
        let kind = body.kind();
        Record::new(envelope, body).map_err(|source| LedgerError::Record { kind, source })
    }

    /// Puts a policy record with its signature files on the chain, if everybody will accept it: a record that nobody
    /// does would freeze the chain for all who fetch it.
    pub fn accept(
        &self,
        record: &Record<Unverified>,
        signatures: &[(String, Vec<u8>)],
    ) -> Result<RecordId, LedgerError> {
        if let Body::Policy(policy) = record.body()
            && let Err(errors) = Policy::parse(&policy.toml)
        {
            let first = errors.first().map(ToString::to_string).unwrap_or_default();
            return Err(LedgerError::Refused(format!("the policy is not one: {first}")));
        }
        if let Body::Policy(policy) = record.body()
            && Policy::read(&policy.toml).encrypt == Encrypt::Transcripts
            && let Some(roster) = self.decided()?.history.newest()
        {
            // Nobody could record a session from then on.
            encryption::require_readers(roster)?;
        }
        let name = self.prefix.chain(ChainId::Policy);
        let tip = self.repo.find_ref(&name)?;
        let mut line = tip.as_ref().map_or_else(|| Ok(Vec::new()), |tip| line_of(&self.repo, tip))?;
        let commit = store::write(&self.repo, record, signatures, None, tip.as_ref())?;
        line.push(commit.clone());
        let chain = PolicyChain::verify(&self.repo, &line);
        if let Some(finding) = chain.findings.first() {
            let what = record.body().kind();
            return Err(LedgerError::Refused(format!("the {what} record would not count: {}", finding.message)));
        }
        self.repo.update_refs(&[RefUpdate { name, new: Some(commit), expected: tip }])?;
        Ok(record.id())
    }

    /// Proposes, signs alone and accepts.
    pub fn change_policy(&self, signer: &Signer, body: Body) -> Result<RecordId, LedgerError> {
        let record = self.propose(body)?;
        let name = policy_signature_file(&signer.public_key().number());
        self.accept(&record, &[(name, signer.sign(&record))])
    }
}

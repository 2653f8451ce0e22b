//! For tests: a witness that seals.
#![cfg(test)]

use ed25519_dalek::Signer as _;

use super::{Fixture, Key, member};
use crate::digest::Digest;
use crate::id::{ChainId, GitId, RecordId};
use crate::merkle::Tree;
use crate::record::body::{Body, Role, Seal, Sealed};
use crate::record::checkpoint::{self, Checkpoint};
use crate::record::{Citation, Envelope};

impl Fixture {
    /// [`Fixture::small`] with a witness, two seals and a writer who cites the second.
    pub fn sealed() -> Fixture {
        let fixture = Fixture::small();
        fixture.enrol_witness();
        fixture.seal();
        let (developer, ci) = (&fixture.people.developer, &fixture.people.ci);
        fixture.links(developer, 2);
        fixture.open(ci, "ci");
        fixture.links(ci, 1);
        fixture.seal();
        fixture.cite(developer, fixture.newest_seal());
        fixture
    }

    pub fn enrol_witness(&self) {
        let witness = &self.people.witness;
        self.roster(&[&self.people.owner], vec![member("witness", "build machine", &[Role::Witness], &[witness])]);
        self.open(witness, "witness");
    }

    /// Seals all that is there of the policy, the developer's and the machine's chain.
    pub fn seal(&self) -> GitId {
        let body = self.next_seal();
        let witness = &self.people.witness;
        self.append(witness.chain(), &[witness], Body::Seal(body), None)
    }

    /// The seal that an honest witness would make now.
    pub fn next_seal(&self) -> Seal {
        let before = self.seals();
        let mut tree = Tree::default();
        let mut heads = Vec::new();
        for seal in &before {
            self.cover(&mut tree, &mut heads, &seal.heads);
        }
        let people = &self.people;
        let mut now: Vec<Sealed> = [ChainId::Policy, people.developer.chain(), people.ci.chain()]
            .into_iter()
            .filter_map(|chain| {
                let (seq, id) = self.ids(chain).into_iter().enumerate().next_back()?;
                let covered = heads.iter().any(|head: &Sealed| head.chain == chain && head.seq == seq as u64);
                (!covered).then_some(Sealed { chain, seq: seq as u64, id })
            })
            .collect();
        now.sort_by_key(|head| head.chain);
        self.cover(&mut tree, &mut heads, &now);
        Seal { heads: now, size: tree.size(), root: tree.root(), findings: 0 }
    }

    fn cover(&self, tree: &mut Tree, covered: &mut Vec<Sealed>, heads: &[Sealed]) {
        for head in heads {
            let from = covered.iter().rfind(|known| known.chain == head.chain).map_or(0, |known| known.seq + 1);
            let ids: Vec<RecordId> = self.ids(head.chain);
            ids[from as usize..=head.seq as usize].iter().for_each(|id| tree.push(id.0.as_bytes()));
            covered.retain(|known| known.chain != head.chain);
            covered.push(*head);
        }
    }

    /// The seals of the witness.
    pub fn seals(&self) -> Vec<Seal> {
        let records = self.load(self.people.witness.chain());
        let parse = |raw: &super::Raw| crate::record::Record::parse(raw.record().to_vec()).unwrap().into_body();
        let seal = |body| if let Body::Seal(seal) = body { Some(seal) } else { None };
        records.iter().map(parse).filter_map(seal).collect()
    }

    /// The newest seal, as records cite it.
    pub fn newest_seal(&self) -> Citation {
        let id = *self.ids(self.people.witness.chain()).last().unwrap();
        Citation { n: self.seals().last().unwrap().size, id }
    }

    /// Appends a link record that cites a seal.
    pub fn cite(&self, key: &Key, seal: Citation) {
        self.links_with(key, |envelope| envelope.seal = Some(seal));
    }

    /// Appends a link record with another envelope.
    pub fn links_with(&self, key: &Key, change: impl FnOnce(&mut Envelope)) {
        let id: GitId = Digest::of(b"commit").to_string()[..40].parse().unwrap();
        let body = crate::record::body::Link { old: id.clone(), new: id, found_by: "amend".into(), level: 1 };
        let mut envelope = self.envelope(key.chain());
        change(&mut envelope);
        let record = crate::record::Record::new(envelope, Body::Link(body)).unwrap();
        self.append_with(key.chain(), &[key], record, None);
    }

    /// A checkpoint signed by this key.
    pub fn checkpoint(&self, key: &Key, size: u64, root: Digest) -> Vec<u8> {
        let checkpoint = Checkpoint { origin: checkpoint::origin(self.id, key.chain()), size, root };
        self.note(key, &checkpoint)
    }

    pub fn note(&self, key: &Key, checkpoint: &Checkpoint) -> Vec<u8> {
        let signature = key.secret.sign(checkpoint.text().as_bytes()).to_bytes();
        checkpoint::note(checkpoint, &key.public(), &signature).into_bytes()
    }
}

/// For other people's programs: two seals, the records they cover in the order of their leaves, and what is beside them.
pub fn vectors() -> Vec<u8> {
    let fixture = Fixture::sealed();
    let witness = &fixture.people.witness;
    let seals = fixture.line(witness.chain()).into_iter().filter_map(|commit| {
        let stored = crate::ledger::store::read(&fixture.ledger.repo, &commit).unwrap();
        let Body::Seal(seal) = stored.record.body() else { return None };
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Some(serde_json::json!({
            "id": stored.record.id(),
            "record": text(stored.record.bytes()),
            "signature": text(&stored.signatures[0].1),
            "checkpoint": text(stored.checkpoint.as_ref().unwrap()),
            "size": seal.size,
        }))
    });
    let seals: Vec<_> = seals.collect();
    let (mut leaves, mut from) = (Vec::new(), std::collections::BTreeMap::new());
    for head in fixture.seals().iter().flat_map(|seal| &seal.heads) {
        let first = from.insert(head.chain, head.seq as usize + 1).unwrap_or_default();
        leaves.extend_from_slice(&fixture.ids(head.chain)[first..=head.seq as usize]);
    }
    let vectors = serde_json::json!({
        "ledger": fixture.id,
        "witness": witness.public().to_string(),
        "leaves": leaves,
        "seals": seals,
    });
    serde_json::to_vec_pretty(&vectors).unwrap()
}

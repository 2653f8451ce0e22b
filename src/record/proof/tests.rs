//! Proofs: made, read back, and those that prove nothing.

use ed25519_dalek::{Signer as _, SigningKey};
use proptest::prelude::*;

use super::*;
use crate::id::{GitId, RecordId};
use crate::merkle::Tree;
use crate::record::Envelope;
use crate::record::body::{Body, Link};
use crate::time::Time;

fn ledger() -> LedgerId {
    LedgerId(Digest::of(b"ledger"))
}

fn record() -> Record<Unverified> {
    let id: GitId = "a".repeat(40).parse().unwrap();
    let envelope = Envelope {
        ledger: ledger(),
        chain: ChainId::Writer([1; 16]),
        seq: 6,
        prev: Digest::of(b"before"),
        time: Time::from_unix(1000),
        policy: None,
        seal: None,
    };
    let body = Link { old: id.clone(), new: id, found_by: "größe".into(), level: 3 };
    Record::new(envelope, Body::Link(body)).unwrap()
}

/// The proof of the record among so many others, by the witness with this seed, of this ledger.
fn proof(before: usize, after: usize, seed: u8, ledger: LedgerId) -> Proof {
    let secret = SigningKey::from_bytes(&[seed; 32]);
    let witness = PublicKey::new([seed; 8], secret.verifying_key().to_bytes()).unwrap();
    let id = |n: usize| RecordId(Digest::of(&n.to_le_bytes()));
    let ids: Vec<RecordId> =
        (0..before).map(id).chain([record().id()]).chain((before..before + after).map(id)).collect();
    let mut tree = Tree::default();
    ids.iter().for_each(|id| tree.push(id.0.as_bytes()));
    let hashes: Vec<Digest> = ids.iter().map(|id| merkle::leaf_hash(id.0.as_bytes())).collect();
    let origin = checkpoint::origin(ledger, witness.chain());
    let said = Checkpoint { origin, size: tree.size(), root: tree.root() };
    let signature = secret.sign(said.text().as_bytes()).to_bytes();
    let extra = Extra { record: String::from_utf8(record().bytes().to_vec()).unwrap(), witness };
    let checkpoint = checkpoint::note(&said, &witness, &signature).into_bytes();
    Proof { extra, index: before as u64, path: merkle::inclusion(&hashes, before), checkpoint }
}

#[test]
fn a_proof_reads_back_and_proves_its_record() {
    for (before, after) in [(0, 0), (0, 5), (3, 0), (7, 9)] {
        let proof = proof(before, after, 12, ledger());
        let text = String::from_utf8(proof.to_bytes()).unwrap();
        assert!(text.starts_with("c2sp.org/tlog-proof@v1\nextra ") && text.ends_with("=\n"));
        assert_eq!(Proof::parse(text.as_bytes()).unwrap(), proof);
        let proven = proof.verify().unwrap();
        assert_eq!((proven.record.id(), proven.ledger), (record().id(), ledger()));
        assert_eq!(proven.checkpoint.size, (before + after + 1) as u64);
    }
}

#[test]
fn what_does_not_fit_together_proves_nothing() {
    let good = proof(3, 4, 12, ledger());
    let other = proof(3, 4, 13, ledger());
    let refused = |proof: Proof| assert!(proof.verify().is_err());
    refused(Proof { extra: other.extra.clone(), ..good.clone() });
    refused(Proof { checkpoint: other.checkpoint.clone(), ..good.clone() });
    refused(Proof { index: 4, ..good.clone() });
    refused(Proof { path: good.path[1..].to_vec(), ..good.clone() });
    refused(proof(3, 4, 12, LedgerId(Digest::of(b"another"))));
    let changed = Extra { record: good.extra.record.replace("\"level\":3", "\"level\":2"), ..good.extra.clone() };
    refused(Proof { extra: changed, ..good.clone() });
    let odd = Extra { record: good.extra.record.replace("\"level\":3", "\"level\": 3"), ..good.extra.clone() };
    refused(Proof { extra: odd, ..good });
}

#[test]
fn what_is_no_proof_is_refused() {
    let good = String::from_utf8(proof(3, 4, 12, ledger()).to_bytes()).unwrap();
    let hash = good.lines().nth(3).unwrap();
    for bad in [
        String::new(),
        good.replace("@v1", "@v2"),
        good.replace('\n', "\r\n"),
        good.replace("index 3", "index 03"),
        good.replace("index 3", "index -3"),
        good.replace("index 3", "index 99999999999999999999"),
        good.replace("index 3\n", ""),
        good.replace("extra ", "extra  "),
        good.replace(hash, &hash[1..]),
        good.replace(&format!("{hash}\n"), &format!("{hash}\n").repeat(70)),
        good.replace("\n\n", "\n"),
        format!("{good}{}", "x".repeat(MAX_BYTES)),
    ] {
        assert!(Proof::parse(bad.as_bytes()).is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn every_changed_byte_is_noticed(at in 0usize..3000, to in any::<u8>()) {
        let mut bytes = proof(3, 4, 12, ledger()).to_bytes();
        let at = at % bytes.len();
        prop_assume!(bytes[at] != to);
        bytes[at] = to;
        let changed = Proof::parse(&bytes).and_then(|proof| Ok((proof.verify()?, proof)));
        // The number of a minisign key is a hint: it may be any.
        let good = proof(3, 4, 12, ledger());
        let same = |proof: &Proof| {
            proof.extra.witness.bytes() == good.extra.witness.bytes() && proof.path == good.path && proof.index == good.index
        };
        let refused = changed.map_or(true, |(_, proof)| same(&proof));
        prop_assert!(refused);
    }

    #[test]
    fn no_bytes_are_too_odd(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in "(c2sp.org/tlog-proof@v1\n|extra |index |\n|.){0,60}") {
        for bytes in [bytes, text.into_bytes()] {
            drop(Proof::parse(&bytes).map(|proof| proof.verify().is_ok()));
        }
    }
}

//! Seals, and what they find: records dropped, replaced and left out, seals that say something else than the records.
#![cfg(test)]

use super::{fail, inconclusive, pass, verified};
use crate::digest::Digest;
use crate::id::ChainId;
use crate::ledger::commits::State;
use crate::ledger::testing::{Fixture, Key, Raw, member, relink};
use crate::ledger::verify::Options;
use crate::record::Citation;
use crate::record::body::{Body, Role, Seal};
use crate::record::checkpoint::{self, Checkpoint};
use crate::record::object::{CHECKPOINT_FILE, TIMESTAMP_FILE};
use crate::record::timestamp::tests::token;

fn sealed() -> Fixture {
    verified(Fixture::sealed())
}

/// The same before the last seal is made: with another one in its place.
fn seals_instead(change: impl FnOnce(&Fixture, &mut Seal)) -> Fixture {
    let fixture = sealed();
    let mut seal = fixture.next_seal();
    change(&fixture, &mut seal);
    let witness = &fixture.people.witness;
    fixture.append(witness.chain(), &[witness], Body::Seal(seal), None);
    fixture
}

#[test]
fn a_sealed_ledger_passes() {
    let fixture = sealed();
    assert_eq!(fixture.ask(), pass(&[]));
    fixture.seal();
    assert_eq!(fixture.ask(), pass(&[]));
    let developer = &fixture.people.developer;
    fixture.cite(developer, fixture.newest_seal());
    assert_eq!(fixture.ask(), pass(&[]));
    let report = fixture.verify(Options { pinned: Some(fixture.id), ..Options::default() });
    let chain = report.chains.iter().find(|chain| chain.id == developer.chain()).unwrap();
    assert_eq!((chain.records, report.sealed(chain.id)), (6, 5));
    assert_eq!(chain.tail.map(|tail| (tail.from, tail.records)), Some((5, 1)));
    assert_eq!(report.policy_tail, None);
}

#[test]
fn what_waits_for_a_seal_waits_since_its_first_record() {
    let fixture = sealed();
    fixture.seal();
    let developer = &fixture.people.developer;
    let tail = |full: bool| {
        let report = fixture.verify(Options { pinned: Some(fixture.id), full, ..Options::default() });
        report.chains.iter().find(|chain| chain.id == developer.chain()).unwrap().tail
    };
    assert_eq!(tail(false), None);
    for records in [1, 2] {
        fixture.links(developer, 1);
        let known = tail(false).unwrap();
        assert_eq!((known.from, known.records), (5, records));
        assert_eq!(Some(known), tail(true));
    }
    fixture.seal();
    assert_eq!(tail(false), None);
    fixture.links(developer, 1);
    assert_eq!(tail(false).map(|tail| (tail.from, tail.records)), Some((7, 1)));
    assert_eq!(tail(false), tail(true));
}

#[test]
fn a_commit_is_sealed_when_witnesses_enough_have_sealed_its_record() {
    let fixture = Fixture::of_each_type();
    fixture.enrol_witness();
    let states = |fixture: &Fixture| {
        let options = Options { pinned: Some(fixture.id), entries: true, ..Options::default() };
        crate::ledger::commits::states(&fixture.verify(options)).into_values().collect::<Vec<_>>()
    };
    assert_eq!(states(&fixture), [State::Signed]);
    fixture.seal();
    assert_eq!(states(&fixture), [State::Sealed]);
    let two = crate::record::body::Roster { witnesses: Some(2), ..Default::default() };
    fixture.append(ChainId::Policy, &[&fixture.people.owner], Body::Roster(two), None);
    assert_eq!(states(&fixture), [State::Signed]);
    assert_eq!(fixture.ask(), pass(&[]));
    let none = crate::record::body::Roster { witnesses: Some(0), ..Default::default() };
    fixture.append(ChainId::Policy, &[&fixture.people.owner], Body::Roster(none), None);
    assert_eq!(fixture.ask(), fail(&["E-POLICY"]));
}

#[test]
fn a_sealed_record_is_dropped() {
    let fixture = sealed();
    fixture.tamper(fixture.people.developer.chain(), |raws| raws.truncate(3));
    assert_eq!(fixture.ask(), fail(&["E-ROLLBACK"]));
}

#[test]
fn a_sealed_chain_is_dropped() {
    let fixture = sealed();
    fixture.set_tip(fixture.people.ci.chain(), None);
    assert_eq!(fixture.ask(), fail(&["E-ROLLBACK"]));
}

#[test]
fn a_record_that_no_seal_covers_is_dropped() {
    // Nothing says so, but what was seen before.
    let fixture = sealed();
    fixture.tamper(fixture.people.developer.chain(), |raws| drop(raws.pop()));
    assert_eq!(fixture.ask(), pass(&[]));
}

#[test]
fn a_writer_rewrites_what_was_sealed() {
    let fixture = sealed();
    let developer = &fixture.people.developer;
    fixture.tamper(developer.chain(), |raws| {
        raws[2].replace("\"found_by\":\"amend\"", "\"found_by\":\"other\"");
        raws[2].sign(developer);
        relink(raws, 3, developer);
    });
    assert_eq!(fixture.ask(), fail(&["E-FORK"]));
}

#[test]
fn the_policy_chain_is_rolled_back_behind_a_seal() {
    let fixture = sealed();
    fixture.roster(&[&fixture.people.owner], Vec::new());
    fixture.seal();
    fixture.tamper(ChainId::Policy, |raws| drop(raws.pop()));
    assert_eq!(fixture.ask(), fail(&["E-ROLLBACK"]));
}

#[test]
fn a_seal_that_a_record_cites_is_dropped() {
    let fixture = sealed();
    let witness = fixture.people.witness.chain();
    fixture.tamper(witness, |raws| drop(raws.pop()));
    assert_eq!(fixture.ask(), fail(&["E-ROLLBACK"]));
    let fixture = sealed();
    fixture.set_tip(witness, None);
    assert_eq!(fixture.ask(), fail(&["E-ROLLBACK"]));
}

#[test]
fn a_seal_leaves_out_a_chain_that_was_covered_or_takes_leaves_in_another_order() {
    let other_root = seals_instead(|fixture, seal| {
        let mut tree = crate::merkle::Tree::default();
        for id in fixture.ids(ChainId::Policy).iter().chain(&fixture.ids(fixture.people.developer.chain())) {
            tree.push(id.0.as_bytes());
        }
        (seal.size, seal.root) = (tree.size(), tree.root());
    });
    assert_eq!(other_root.ask(), fail(&["E-SEAL"]));
    let unprefixed = seals_instead(|_, seal| seal.root = Digest::of(b"leaf hash without its prefix"));
    assert_eq!(unprefixed.ask(), fail(&["E-SEAL"]));
    assert_eq!(seals_instead(|_, seal| seal.size += 1).ask(), fail(&["E-SEAL"]));
}

#[test]
fn a_seals_heads_go_on_in_their_order() {
    assert_eq!(seals_instead(|_, seal| seal.heads.clear()).ask(), fail(&["E-SEAL"]));
    let twice = seals_instead(|_, seal| seal.heads.push(seal.heads[0]));
    assert_eq!(twice.ask(), fail(&["E-SEAL"]));
    let again = seals_instead(|fixture, seal| seal.heads = fixture.seals()[1].heads.clone());
    assert_eq!(again.ask(), fail(&["E-SEAL"]));
    let reversed = seals_instead(|fixture, seal| {
        fixture.links(&fixture.people.ci, 1);
        *seal = fixture.next_seal();
        seal.heads.reverse();
    });
    assert_eq!(reversed.ask(), fail(&["E-SEAL"]));
    let unwritten = seals_instead(|_, seal| seal.heads[0].seq += 1);
    assert_eq!(unwritten.ask(), fail(&["E-ROLLBACK"]));
}

#[test]
fn two_seals_stand_in_one_place() {
    let fixture = sealed();
    let witness = &fixture.people.witness;
    let name = |remote: &str| format!("refs/tracevault-local/{remote}/seal/{}", witness.chain());
    let tip = fixture.tip(witness.chain());
    fixture.seal();
    fixture.set_ref(&name("a"), fixture.tip(witness.chain()));
    fixture.set_tip(witness.chain(), tip.clone());
    let mut other = fixture.next_seal();
    other.root = Digest::of(b"another");
    fixture.append(witness.chain(), &[witness], Body::Seal(other), None);
    fixture.set_ref(&name("b"), fixture.tip(witness.chain()));
    fixture.set_tip(witness.chain(), tip);
    assert!(fixture.ask().codes.contains("E-FORK"));
}

#[test]
fn a_developer_seals() {
    let fixture = sealed();
    let developer = &fixture.people.developer;
    fixture.append(developer.chain(), &[developer], Body::Seal(fixture.next_seal()), None);
    assert_eq!(fixture.ask(), fail(&["E-UNAUTH"]));
    // Nor does one that calls itself a witness and is a developer.
    let fixture = sealed();
    let (owner, witness) = (&fixture.people.owner, &fixture.people.witness);
    fixture.roster(&[owner], vec![member("witness", "build machine", &[Role::Developer], &[witness])]);
    fixture.seal();
    assert_eq!(fixture.ask(), fail(&["E-UNAUTH"]));
}

#[test]
fn a_witness_writes_traces() {
    let fixture = sealed();
    fixture.links(&fixture.people.witness, 1);
    assert_eq!(fixture.ask(), fail(&["E-UNAUTH"]));
}

#[test]
fn a_witness_that_nobody_enrolled_seals_nothing() {
    let fixture = verified(Fixture::small());
    fixture.open(&fixture.people.witness, "witness");
    fixture.seal();
    assert_eq!(fixture.ask(), inconclusive(&["E-PENDING"]));
    let report = fixture.verify(Options { pinned: Some(fixture.id), ..Options::default() });
    assert_eq!(report.sealed(fixture.people.developer.chain()), 0);
}

/// What comes back where the newest seal's checkpoint is this.
fn with_checkpoint(change: impl FnOnce(&Fixture, Checkpoint) -> Vec<u8>) -> crate::ledger::testing::Answer {
    let fixture = sealed();
    fixture.seal();
    let witness = fixture.people.witness.chain();
    let seal = fixture.seals().pop().unwrap();
    let said = Checkpoint { origin: checkpoint::origin(fixture.id, witness), size: seal.size, root: seal.root };
    let bytes = change(&fixture, said);
    fixture.tamper(witness, |raws| *raws[3].file(CHECKPOINT_FILE) = bytes);
    fixture.ask()
}

#[test]
fn a_checkpoint_says_what_the_seal_says() {
    let by_witness = |fixture: &Fixture, said: &Checkpoint| fixture.note(&fixture.people.witness, said);
    assert_eq!(with_checkpoint(|fixture, said| by_witness(fixture, &said)), pass(&[]));
    let wrong: [&dyn Fn(&mut Checkpoint); 3] =
        [&|said| said.origin.push('x'), &|said| said.size += 1, &|said| said.root = Digest::of(b"x")];
    for change in wrong {
        let answer = with_checkpoint(|fixture, mut said| {
            change(&mut said);
            by_witness(fixture, &said)
        });
        assert_eq!(answer, fail(&["E-SEAL"]));
    }
    let cosigned = with_checkpoint(|fixture, said| {
        [by_witness(fixture, &said), "\u{2014} other.example/x AAAAAAAA\n".into()].concat()
    });
    assert_eq!(cosigned, pass(&[]));
    let by_another = with_checkpoint(|fixture, said| fixture.note(&Key::new(9), &said));
    assert_eq!(by_another, fail(&["E-SEAL"]));
    let broken = with_checkpoint(|fixture, said| {
        let other = by_witness(fixture, &Checkpoint { size: 1, ..said.clone() });
        let line = String::from_utf8(other).unwrap().lines().last().unwrap().to_owned();
        format!("{}\n{line}\n", said.text()).into_bytes()
    });
    assert_eq!(broken, fail(&["E-SEAL"]));
    for bytes in [Vec::new(), b"\n\n".to_vec(), vec![b'a'; 60_000]] {
        assert_eq!(with_checkpoint(|_, _| bytes), fail(&["E-SEAL"]));
    }
    assert_eq!(with_checkpoint(|_, _| vec![b'a'; 70_000]), fail(&["E-LIMIT"]));
}

#[test]
fn exactly_seals_have_a_checkpoint() {
    let fixture = sealed();
    fixture.seal();
    let witness = fixture.people.witness.chain();
    fixture.tamper(witness, |raws| raws[3].files.retain(|file| file.name != CHECKPOINT_FILE));
    assert_eq!(fixture.ask(), fail(&["E-SEAL"]));
    let fixture = sealed();
    fixture.tamper(fixture.people.developer.chain(), |raws| {
        raws[4].add("100644", CHECKPOINT_FILE, b"x");
    });
    assert_eq!(fixture.ask(), fail(&["E-ENVELOPE"]));
}

/// What comes back where the newest seal has a time stamp that this makes of its id.
fn with_timestamp(token: impl FnOnce(Digest) -> Vec<u8>) -> crate::ledger::testing::Answer {
    let fixture = sealed();
    fixture.seal();
    let witness = fixture.people.witness.chain();
    let id = fixture.ids(witness)[3];
    fixture.tamper(witness, |raws| raws[3].add("100644", TIMESTAMP_FILE, &token(id.0)));
    fixture.ask()
}

#[test]
fn a_time_stamp_is_for_its_seal() {
    assert_eq!(with_timestamp(|id| token(&id)), pass(&[]));
    assert_eq!(with_timestamp(|_| token(&Digest::of(b"another seal"))), fail(&["E-TIME"]));
    assert_eq!(with_timestamp(|_| b"no token".to_vec()), fail(&["E-TIME"]));
    let fixture = sealed();
    fixture.tamper(fixture.people.developer.chain(), |raws| raws[4].add("100644", TIMESTAMP_FILE, b"x"));
    assert_eq!(fixture.ask(), fail(&["E-ENVELOPE"]));
}

/// What comes back where the developer cites this.
fn citing(cited: impl Fn(&Fixture) -> Citation) -> crate::ledger::testing::Answer {
    let fixture = sealed();
    fixture.cite(&fixture.people.developer, cited(&fixture));
    fixture.ask()
}

#[test]
fn a_record_cites_a_seal_that_is_there_and_holds() {
    assert_eq!(citing(Fixture::newest_seal), pass(&[]));
    assert_eq!(citing(|f| Citation { n: 99, ..f.newest_seal() }), fail(&["E-ROLLBACK"]));
    assert_eq!(citing(|f| Citation { id: f.ids(ChainId::Policy)[0], ..f.newest_seal() }), fail(&["E-ROLLBACK"]));
    let first = |f: &Fixture| Citation { n: f.seals()[0].size, id: f.ids(f.people.witness.chain())[1] };
    assert_eq!(citing(first), fail(&["E-POLICY"]));
    // A witness cites none: it makes them.
    let fixture = sealed();
    let witness = &fixture.people.witness;
    let mut envelope = fixture.envelope(witness.chain());
    envelope.seal = Some(fixture.newest_seal());
    fixture.links(&fixture.people.ci, 1);
    let record = crate::record::Record::new(envelope, Body::Seal(fixture.next_seal())).unwrap();
    fixture.append_with(witness.chain(), &[witness], record, None);
    assert_eq!(fixture.ask(), fail(&["E-SEAL"]));
}

#[test]
fn a_record_claims_an_older_policy_than_its_seal() {
    let fixture = sealed();
    let ci = &fixture.people.ci;
    // Its own chain has cited no newer one: only the seal tells.
    let old = Citation { n: 2, id: fixture.ids(ChainId::Policy)[2] };
    let newest = fixture.newest_seal();
    fixture.tamper(ci.chain(), |raws| raws.truncate(1));
    let cited =
        |raw: &mut Raw| raw.text().split("\"policy\":").nth(1).unwrap().split("\"n\":").nth(1).unwrap()[..1].to_owned();
    assert_eq!(cited(&mut fixture.load(ci.chain())[0]), "3");
    let developer = &fixture.people.developer;
    fixture.links_with(developer, |envelope| (envelope.policy, envelope.seal) = (Some(old), Some(newest)));
    assert!(fixture.ask().codes.contains("E-POLICY"));
}

#[test]
fn every_byte_of_a_seal_counts() {
    let fixture = sealed();
    let witness = fixture.people.witness.chain();
    let raws = fixture.load(witness);
    let verdict = |fixture: &Fixture| {
        drop(std::fs::remove_file(fixture.ledger.dir().join("seen.json")));
        fixture.answer(Options { pinned: Some(fixture.id), full: true, threads: 1, ..Options::default() }).verdict
    };
    for file in 0..raws[2].files.len() {
        for at in 0..raws[2].files[file].bytes.len() {
            let mut changed = raws.clone();
            changed[2].files[file].bytes[at] ^= [0x01, 0x04, 0x20][at % 3];
            let record = changed[2].record().to_vec();
            changed[2].set_record(record);
            fixture.store(witness, &changed);
            assert_ne!(verdict(&fixture), crate::finding::Verdict::Pass, "{file} byte {at}");
        }
    }
}

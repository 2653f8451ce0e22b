//! Copies of chains here and at remotes, and what was seen before.
#![cfg(test)]

use super::{fail, good, inconclusive, pass};
use crate::finding::{Code, Verdict};
use crate::git::repo::Kind;
use crate::id::{ChainId, GitId};
use crate::ledger::copies;
use crate::ledger::testing::{Answer, Fixture};
use crate::ledger::verify::Options;

fn seen(chain: ChainId, remote: &str) -> String {
    match chain {
        ChainId::Policy => format!("refs/tracevault-local/{remote}/policy"),
        ChainId::Writer(_) => format!("refs/tracevault-local/{remote}/log/{chain}"),
    }
}

/// Verifies without forgetting what was seen.
fn again(fixture: &Fixture) -> Answer {
    fixture.answer(Options { pinned: Some(fixture.id), ..Options::default() })
}

#[test]
fn two_remotes_have_two_records_of_one_number() {
    let fixture = good();
    let developer = &fixture.people.developer;
    let chain = developer.chain();
    let tip = fixture.tip(chain);
    fixture.links(developer, 1);
    fixture.set_ref(&seen(chain, "a"), fixture.tip(chain));
    fixture.set_tip(chain, tip.clone());
    let id = tip.clone().unwrap();
    fixture.link(developer, &id, &id);
    fixture.set_ref(&seen(chain, "b"), fixture.tip(chain));
    fixture.set_tip(chain, tip);
    assert_eq!(fixture.ask(), fail(&["E-FORK"]));
}

#[test]
fn a_shorter_copy_is_no_fork() {
    let fixture = good();
    let developer = &fixture.people.developer;
    fixture.set_ref(&seen(developer.chain(), "a"), fixture.tip(developer.chain()));
    fixture.links(developer, 2);
    fixture.set_ref(&seen(developer.chain(), "b"), fixture.tip(developer.chain()));
    assert_eq!(fixture.ask(), pass(&[]));
}

#[test]
fn a_walk_ends_where_the_chain_was_verified_up_to() {
    let fixture = good();
    let (repo, developer) = (&fixture.ledger.repo, &fixture.people.developer);
    let chain = developer.chain();
    let verified = fixture.line(chain);
    let last = verified.len() - 1;
    fixture.links(developer, 2);
    let whole = fixture.line(chain);
    let tip = |name: &str, at: usize| (name.to_owned(), whole[at].clone());
    let walk = |tips: &[(String, GitId)]| copies::walk(repo, chain, tips, Some((&verified[last], last)));
    // Another copy may be anywhere on the line.
    for other in [0, last, last + 1] {
        let walked = walk(&[tip("here", last + 2), tip("there", other)]);
        let commits: Vec<_> = walked.commits().collect();
        assert_eq!((walked.first, &commits[..], walked.findings.len()), (last, &whole[last..], 0));
        // What stands before is there for whoever asks.
        for (at, commit) in whole.iter().enumerate() {
            assert_eq!(walked.commit(repo, at).as_ref(), Some(commit));
            assert_eq!(walked.record(repo, at).unwrap().record.envelope().seq, at as u64);
        }
        assert_eq!((walked.len(), walked.commit(repo, whole.len()), walked.lost(chain)), (whole.len(), None, None));
    }
    // A copy that parted before is found, whichever comes first; so is a chain that does not go on from there.
    let id = whole[0].clone();
    fixture.set_tip(chain, Some(whole[2].clone()));
    fixture.link(developer, &id, &id);
    let other = ("other".to_owned(), fixture.tip(chain).unwrap());
    for tips in [[tip("here", last + 2), other.clone()], [other.clone(), tip("here", last + 2)]] {
        let walked = walk(&tips);
        let codes: Vec<_> = walked.findings.iter().map(|finding| (finding.code, finding.seq)).collect();
        assert_eq!((walked.first, walked.commits().collect(), codes), (0, whole.clone(), vec![(Code::Fork, Some(3))]));
    }
    assert!(walk(&[tip("here", 2)]).commits().eq(whole[..=2].iter().cloned()));
    assert_eq!(walk(&[other]).first, 0);
    fixture.set_ref(&seen(chain, "a"), Some(whole[last + 2].clone()));
    assert_eq!(again(&fixture), fail(&["E-FORK"]));
    assert_eq!(fixture.ask(), fail(&["E-FORK"]));
}

#[test]
fn a_record_before_what_was_verified_is_needed_and_not_here() {
    let fixture = good();
    let developer = &fixture.people.developer;
    let (repo, chain) = (&fixture.ledger.repo, developer.chain());
    let line = fixture.line(chain);
    let last = line.len() - 1;
    let walked = copies::walk(repo, chain, &[("here".into(), line[last].clone())], Some((&line[last], last)));
    let path =
        fixture.ledger.repo.common_dir().join("objects").join(&line[2].as_str()[..2]).join(&line[2].as_str()[2..]);
    std::fs::remove_file(path).unwrap();
    assert!(walked.record(repo, 3).is_ok() && walked.lost(chain).is_none());
    assert!(walked.record(repo, 1).is_err_and(|error| error.code == Code::Missing));
    assert!(walked.lost(chain).is_some_and(|finding| finding.message.contains(line[2].as_str())));
}

#[test]
fn the_newest_record_is_dropped() {
    let fixture = good();
    let chain = fixture.people.developer.chain();
    let whole = fixture.load(chain);
    fixture.store(chain, &whole[..5]);
    // Nothing in what is left says so; only who has seen more knows.
    assert_eq!(again(&fixture), fail(&["E-ROLLBACK"]));
    // A loss that was reported is not forgotten.
    assert_eq!(again(&fixture), fail(&["E-ROLLBACK"]));
    fixture.store(chain, &whole);
    assert_eq!(again(&fixture), pass(&[]));
}

#[test]
fn a_chain_is_deleted_and_the_tracking_refs_with_it() {
    let fixture = good();
    fixture.set_tip(fixture.people.ci.chain(), None);
    assert_eq!(again(&fixture), fail(&["E-ROLLBACK"]));
    assert_eq!(again(&fixture), fail(&["E-ROLLBACK"]));
}

#[test]
fn a_chain_is_rewritten_by_its_own_writer() {
    let fixture = good();
    let developer = &fixture.people.developer;
    fixture.tamper(developer.chain(), |raws| {
        raws[5].replace("\"found_by\":\"amend\"", "\"found_by\":\"other\"");
        raws[5].sign(developer);
    });
    // It is sound in itself: only who has seen the other knows.
    assert_eq!(again(&fixture), fail(&["E-FORK"]));
    assert_eq!(fixture.ask(), pass(&[]));
}

#[test]
fn the_policy_chain_was_longer() {
    let fixture = good();
    fixture.roster(&[&fixture.people.owner], Vec::new());
    assert_eq!(again(&fixture), pass(&[]));
    fixture.tamper(ChainId::Policy, |raws| drop(raws.pop()));
    assert_eq!(again(&fixture), fail(&["E-ROLLBACK"]));
}

#[test]
fn what_was_remembered_does_not_help_when_everything_is_checked() {
    let fixture = good();
    let developer = fixture.people.developer.chain();
    let commits = fixture.tamper(developer, |raws| raws[1].replace("\"output\":340", "\"output\":341"));
    // The attacker makes this clone believe that it has verified the changed chain.
    let path = fixture.ledger.dir().join("verified.json");
    let cache = std::fs::read_to_string(&path).unwrap();
    let mut cache: serde_json::Value = serde_json::from_str(&cache).unwrap();
    let entry = &mut cache["chains"][developer.to_string()];
    entry["tip"] = commits.last().unwrap().as_str().into();
    std::fs::write(&path, serde_json::to_vec(&cache).unwrap()).unwrap();
    std::fs::remove_file(fixture.ledger.dir().join("seen.json")).unwrap();
    let full = fixture.answer(Options { pinned: Some(fixture.id), full: true, ..Options::default() });
    assert_eq!(full, fail(&["E-CHAIN", "E-SIG"]));
    // And a cache that is no cache is none.
    for garbage in ["", "{}", "[1,2", "{\"chains\":{\"x\":1}}"] {
        std::fs::write(&path, garbage).unwrap();
        assert_eq!(fixture.ask(), fail(&["E-CHAIN", "E-SIG"]));
    }
}

#[test]
fn a_ref_that_nobody_knows_is_told_and_weighs_nothing() {
    let fixture = good();
    let tip = fixture.tip(ChainId::Policy);
    fixture.set_ref("refs/tracevault/other", tip.clone());
    fixture.set_ref("refs/tracevault/log/policy", tip.clone());
    fixture.set_ref("refs/tracevault-local/a/log/x", tip);
    assert_eq!(fixture.ask(), pass(&["W-REF"]));
}

#[test]
fn a_symbolic_ref_hides_nothing() {
    let fixture = good();
    let chain = fixture.people.ci.chain();
    let name = fixture.ledger.prefix.chain(chain);
    let other = fixture.ledger.prefix.chain(fixture.people.developer.chain());
    fixture.set_tip(chain, None);
    fixture.folder.git(&["symbolic-ref", &name, &other]);
    assert_eq!(fixture.ask(), pass(&["W-REF"]));
    assert_eq!(again(&fixture).verdict, Verdict::Pass);
}

#[test]
fn a_chain_whose_beginning_is_not_here_cannot_be_told() {
    let fixture = good();
    let developer = fixture.people.developer.chain();
    let first = fixture.load(developer).remove(0);
    let commit = first.write(&fixture.ledger.repo, None);
    remove(&fixture, commit.as_str());
    assert_eq!(fixture.ask(), inconclusive(&["E-MISSING"]));
}

#[test]
fn a_record_whose_bytes_are_not_here_cannot_be_told() {
    let fixture = good();
    let developer = fixture.people.developer.chain();
    let record = fixture.load(developer)[2].record().to_vec();
    let blob = fixture.ledger.repo.id_of(Kind::Blob, &record).unwrap();
    remove(&fixture, blob.as_str());
    assert_eq!(fixture.ask(), inconclusive(&["E-MISSING"]));
}

#[test]
fn an_object_that_another_replaces_is_still_the_one_that_was_signed() {
    let fixture = good();
    let developer = fixture.people.developer.chain();
    let raw = &fixture.load(developer)[5];
    let blob = fixture.ledger.repo.id_of(Kind::Blob, raw.record()).unwrap();
    let other = fixture.ledger.repo.write(Kind::Blob, b"{}").unwrap();
    fixture.folder.git(&["replace", blob.as_str(), other.as_str()]);
    let main: crate::id::GitId = fixture.folder.git(&["rev-parse", "main"]).parse().unwrap();
    let graft = fixture.code(None, "other", "other\n");
    fixture.folder.git(&["replace", main.as_str(), graft.as_str()]);
    let ledger = crate::ledger::Ledger::open(fixture.path()).unwrap();
    let report = ledger.verify(&Options { pinned: Some(fixture.id), full: true, ..Options::default() }).unwrap();
    assert_eq!(report.findings, []);
    assert_eq!(fixture.ask(), pass(&[]));
}

#[test]
fn an_objects_bytes_are_those_of_its_id() {
    let fixture = good();
    let developer = fixture.people.developer.chain();
    let raw = &fixture.load(developer)[5];
    let blob = fixture.ledger.repo.id_of(Kind::Blob, raw.record()).unwrap();
    let other = fixture.ledger.repo.write(Kind::Blob, b"{}").unwrap();
    let file = |id: &str| fixture.ledger.repo.common_dir().join("objects").join(&id[..2]).join(&id[2..]);
    remove(&fixture, blob.as_str());
    std::fs::copy(file(other.as_str()), file(blob.as_str())).unwrap();
    let full = fixture.answer(Options { pinned: Some(fixture.id), full: true, ..Options::default() });
    assert_eq!(full, fail(&["E-OBJECT"]));
}

/// Takes a loose object away.
fn remove(fixture: &Fixture, id: &str) {
    let path = fixture.ledger.repo.common_dir().join("objects").join(&id[..2]).join(&id[2..]);
    std::fs::remove_file(path).unwrap();
    drop(std::fs::remove_file(fixture.ledger.dir().join("verified.json")));
}

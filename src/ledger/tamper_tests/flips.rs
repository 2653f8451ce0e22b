//! Every byte of a small ledger, changed: none of them leaves a pass behind.
#![cfg(test)]

use super::Verdict;
use crate::git::repo::{Kind, Repo};
use crate::id::{ChainId, GitId};
use crate::ledger::payload::{self, Payloads};
use crate::ledger::testing::{Fixture, Raw, member};
use crate::ledger::verify::Options;
use crate::record::body::{PayloadClass, Role};

/// A genesis record, a chain with one record of each type, a payload.
fn small() -> Fixture {
    let fixture =
        Fixture::with_genesis(1, |people| vec![member("o@example.com", "O", &[Role::Owner], &[&people.owner])]);
    let owner = &fixture.people.owner;
    fixture.roster(&[owner], vec![member("d@example.com", "D", &[Role::Developer], &[&fixture.people.developer])]);
    let key = &fixture.people.developer;
    fixture.open(key, "d@example.com");
    fixture.session(key, 0, &["{}\n".into()]);
    let first = fixture.code(None, "f", "1\n");
    fixture.record_commit(key, &first);
    fixture.link(key, &first, &first);
    fixture
}

fn verdict(fixture: &Fixture) -> Verdict {
    drop(std::fs::remove_file(fixture.ledger.dir().join("seen.json")));
    fixture.answer(Options { pinned: Some(fixture.id), full: true, threads: 1, ..Options::default() }).verdict
}

#[test]
fn every_byte_of_every_file_counts() {
    let fixture = small();
    assert_eq!(verdict(&fixture), Verdict::Pass);
    for chain in [ChainId::Policy, fixture.people.developer.chain()] {
        let raws = fixture.load(chain);
        for record in 0..raws.len() {
            for file in 0..raws[record].files.len() {
                for at in 0..raws[record].files[file].bytes.len() {
                    let mut changed = raws.clone();
                    changed[record].files[file].bytes[at] ^= [0x01, 0x04, 0x20][at % 3];
                    // Where it still is a record, its commit is made to fit.
                    changed[record].rest = honest(&changed[record]);
                    // What comes after it only takes time.
                    fixture.store(chain, &changed[..=record]);
                    assert_ne!(verdict(&fixture), Verdict::Pass, "{chain} {record} {file} byte {at}");
                }
            }
        }
        fixture.store(chain, &raws);
        assert_eq!(verdict(&fixture), Verdict::Pass);
    }
}

/// The commit that the changed record would make.
fn honest(raw: &Raw) -> Vec<u8> {
    let mut copy = raw.clone();
    copy.set_record(raw.record().to_vec());
    copy.rest
}

#[test]
fn every_byte_of_every_commit_and_tree_counts() {
    let fixture = small();
    let repo = &fixture.ledger.repo;
    for chain in [ChainId::Policy, fixture.people.developer.chain()] {
        let tip = fixture.tip(chain).unwrap();
        let mut line = vec![tip.clone()];
        while let Some(parent) = parent(repo, line.last().unwrap()) {
            line.push(parent);
        }
        line.reverse();
        for (index, commit) in line.iter().enumerate() {
            let bytes = repo.read_checked(commit, Kind::Commit).unwrap();
            let tree_id = std::str::from_utf8(&bytes[5..45]).unwrap().parse().unwrap();
            let tree = repo.read_checked(&tree_id, Kind::Tree).unwrap();
            let mut changed = Vec::new();
            for at in 0..bytes.len() {
                let mut bytes = bytes.clone();
                bytes[at] ^= 1;
                changed.push(repo.write(Kind::Commit, &bytes).unwrap());
            }
            for at in 0..tree.len() {
                let mut tree = tree.clone();
                tree[at] ^= 1;
                let id = repo.write(Kind::Tree, &tree).unwrap();
                let commit = [b"tree ", id.as_str().as_bytes(), &bytes[45..]].concat();
                changed.push(repo.write(Kind::Commit, &commit).unwrap());
            }
            for (which, start) in changed.into_iter().enumerate() {
                fixture.set_tip(chain, Some(start));
                assert_ne!(verdict(&fixture), Verdict::Pass, "{chain} {index} byte {which}");
            }
        }
        fixture.set_tip(chain, Some(tip));
        assert_eq!(verdict(&fixture), Verdict::Pass);
    }
}

fn parent(repo: &Repo, commit: &GitId) -> Option<GitId> {
    let bytes = repo.read_checked(commit, Kind::Commit).unwrap();
    crate::ledger::store::header(&bytes).unwrap().parent
}

#[test]
fn every_byte_of_every_payload_counts() {
    let fixture = small();
    let repo = &fixture.ledger.repo;
    let chain = fixture.people.developer.chain();
    let name = fixture.ledger.prefix.payload(PayloadClass::Transcript, &"2026-01".parse().unwrap(), chain);
    let tip = repo.find_ref(&name).unwrap().unwrap();
    let commit = repo.read_checked(&tip, Kind::Commit).unwrap();
    let root: GitId = std::str::from_utf8(&commit[5..45]).unwrap().parse().unwrap();
    let root_tree = repo.read_checked(&root, Kind::Tree).unwrap();
    let folder = repo.tree_entries(&root_tree).unwrap().remove(0);
    let folder_tree = repo.read_checked(&folder.id, Kind::Tree).unwrap();
    let piece = repo.tree_entries(&folder_tree).unwrap().remove(0);
    let bytes = repo.read_checked(&piece.id, Kind::Blob).unwrap();

    let hex = |id: &GitId| hex::decode(id.as_str()).unwrap();
    let with_root = |root: &GitId| {
        let commit = [b"tree ", root.as_str().as_bytes(), &commit[45..]].concat();
        fixture.set_ref(&name, Some(repo.write(Kind::Commit, &commit).unwrap()));
    };
    let with_folder = |tree: &[u8]| {
        let id = repo.write(Kind::Tree, tree).unwrap();
        let root = [&root_tree[..root_tree.len() - 20], &hex(&id)].concat();
        with_root(&repo.write(Kind::Tree, &root).unwrap());
    };
    let flips = |bytes: &[u8]| -> Vec<Vec<u8>> {
        let flip = |at: usize| {
            let mut bytes = bytes.to_vec();
            bytes[at] ^= 1;
            bytes
        };
        (0..bytes.len()).map(flip).collect()
    };
    for (at, flipped) in flips(&bytes).iter().enumerate() {
        let blob = repo.write(Kind::Blob, flipped).unwrap();
        with_folder(&[&folder_tree[..folder_tree.len() - 20], &hex(&blob)].concat());
        assert_eq!(verdict(&fixture), Verdict::Fail, "piece, byte {at}");
    }
    for (at, flipped) in flips(&folder_tree).iter().enumerate() {
        with_folder(flipped);
        assert_ne!(verdict(&fixture), Verdict::Pass, "folder, byte {at}");
    }
    for (at, flipped) in flips(&root_tree).iter().enumerate() {
        with_root(&repo.write(Kind::Tree, flipped).unwrap());
        assert_ne!(verdict(&fixture), Verdict::Pass, "root, byte {at}");
    }
    with_root(&root);
    assert_eq!(verdict(&fixture), Verdict::Pass);
    // A piece that is there under its name is enough: nothing else in the ref is evidence.
    let mut payloads = Payloads::default();
    payloads.add(repo, chain, &tip).unwrap();
    let other = payload::extend(repo, None, &[(crate::digest::Digest::of(&bytes), piece.id)], "x", 0).unwrap();
    fixture.set_ref(&name, Some(other));
    assert_eq!(verdict(&fixture), Verdict::Pass);
}

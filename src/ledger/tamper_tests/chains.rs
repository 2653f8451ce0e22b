//! Records changed, dropped, added, moved and copied along a chain.
#![cfg(test)]

use super::{fail, good, inconclusive, pass, small};
use crate::ledger::testing::{Fixture, Key, Raw, member, relink, shell};
use crate::record::body::Role;

#[test]
fn a_good_ledger_passes() {
    let fixture = good();
    assert_eq!(fixture.ask(), pass(&[]));
    fixture.folder.git(&["gc", "-q", "--prune=now"]);
    fixture.folder.git(&["pack-refs", "--all"]);
    assert_eq!(fixture.ask(), pass(&[]));
}

#[test]
fn a_ledger_without_records_passes() {
    let genesis =
        |people: &crate::ledger::testing::People| vec![member("o@example.com", "O", &[Role::Owner], &[&people.owner])];
    let fixture = Fixture::with_genesis(1, genesis);
    assert_eq!(fixture.ask(), pass(&[]));
    fixture.open(&fixture.people.owner, "o@example.com");
    assert_eq!(fixture.ask(), pass(&[]));
}

#[test]
fn nothing_at_all_is_not_a_pass_where_a_ledger_is_expected() {
    let fixture = good();
    for name in fixture.folder.git(&["for-each-ref", "--format=%(refname)", "refs/tracevault"]).lines() {
        fixture.set_ref(name, None);
    }
    assert_eq!(fixture.ask(), inconclusive(&["E-MISSING"]));
}

#[test]
fn a_byte_of_a_record_is_changed() {
    let fixture = good();
    let developer = &fixture.people.developer;
    // As the attacker would do it: the commit is what the changed record makes.
    fixture.tamper(developer.chain(), |raws| raws[1].replace("\"output\":340", "\"output\":341"));
    assert_eq!(fixture.ask(), fail(&["E-CHAIN", "E-SIG"]));
}

#[test]
fn the_newest_record_is_changed() {
    let fixture = good();
    let developer = &fixture.people.developer;
    fixture.tamper(developer.chain(), |raws| raws[5].replace("\"level\":1", "\"level\":3"));
    assert_eq!(fixture.ask(), fail(&["E-SIG"]));
}

#[test]
fn two_records_are_swapped() {
    let fixture = good();
    fixture.tamper(fixture.people.developer.chain(), |raws| raws.swap(2, 3));
    assert_eq!(fixture.ask(), fail(&["E-CHAIN", "E-SEQ"]));
}

#[test]
fn a_record_in_the_middle_is_dropped() {
    let fixture = good();
    fixture.tamper(fixture.people.developer.chain(), |raws| drop(raws.remove(2)));
    assert_eq!(fixture.ask(), fail(&["E-CHAIN", "E-SEQ"]));
}

#[test]
fn an_old_record_is_appended_again() {
    let fixture = good();
    fixture.tamper(fixture.people.developer.chain(), |raws| raws.push(raws[2].clone()));
    assert_eq!(fixture.ask(), fail(&["E-CHAIN", "E-SEQ"]));
}

#[test]
fn either_tool_of_the_shell_verifier_will_do() {
    if !shell::available() {
        return;
    }
    let with = |change: &dyn Fn(&mut Raw)| {
        let fixture = small();
        fixture.tamper(fixture.people.developer.chain(), |raws| change(&mut raws[1]));
        shell::tools().into_iter().map(move |tool| shell::verify(fixture.path(), Some(fixture.id), tool).codes)
    };
    assert!(with(&|_| ()).all(|codes| codes.is_empty()));
    let comment = |raw: &mut Raw| *raw.signature() = Key::new(3).sign(raw.record(), "another");
    let changed = |raw: &mut Raw| raw.replace("\"level\":1", "\"level\":2");
    let other_key = |raw: &mut Raw| raw.sign(&Key::with_number(9, [3; 8]));
    let other_number = |raw: &mut Raw| raw.sign(&Key::with_number(3, [9; 8]));
    let other_global = |raw: &mut Raw| {
        let other = String::from_utf8(Key::new(9).sign(raw.record(), &raw.comment())).unwrap();
        let mine = String::from_utf8(raw.signature().clone()).unwrap();
        let line = |text: &str| text.lines().nth(3).unwrap().to_owned();
        *raw.signature() = mine.replace(&line(&mine), &line(&other)).into_bytes();
    };
    let changes: [&dyn Fn(&mut Raw); 5] = [&comment, &changed, &other_key, &other_number, &other_global];
    for (index, change) in changes.into_iter().enumerate() {
        assert!(with(change).all(|codes| codes.iter().eq(["E-SIG"])), "{index}");
    }
}

#[test]
fn an_old_signature_stands_on_a_new_record() {
    let fixture = good();
    fixture.tamper(fixture.people.developer.chain(), |raws| {
        let old = raws[4].signature().clone();
        *raws[5].signature() = old;
    });
    assert_eq!(fixture.ask(), fail(&["E-SIG"]));
}

#[test]
fn another_key_of_the_same_number_signs() {
    let fixture = good();
    let forger = Key::with_number(9, [3; 8]);
    fixture.tamper(fixture.people.developer.chain(), |raws| {
        raws[5].replace("\"level\":1", "\"level\":3");
        raws[5].sign(&forger);
    });
    assert_eq!(fixture.ask(), fail(&["E-SIG"]));
}

#[test]
fn the_right_key_under_another_number_signs() {
    let fixture = good();
    let same = Key::with_number(3, [8; 8]);
    fixture.tamper(fixture.people.developer.chain(), |raws| raws[5].sign(&same));
    assert_eq!(fixture.ask(), fail(&["E-SIG"]));
}

#[test]
fn a_chain_is_built_anew_with_another_key() {
    let fixture = good();
    let (victim, forger) = (fixture.people.developer.chain(), Key::new(9));
    let swap_keys = |raws: &mut Vec<Raw>, names: bool| {
        let (old, new) = (fixture.people.developer.public().to_string(), forger.public().to_string());
        raws[0].replace(&old, &new);
        if names {
            for raw in raws.iter_mut() {
                raw.replace(&victim.to_string(), &forger.chain().to_string());
            }
        }
        raws[0].sign(&forger);
        relink(raws, 1, &forger);
    };
    // Its commits draw on records that are others now.
    fixture.tamper(victim, |raws| swap_keys(raws, false));
    assert_eq!(fixture.ask(), fail(&["E-CHAIN-KEY", "E-REF", "E-UNAUTH"]));

    // The same under the forger's own name: a chain that nobody has enrolled, and the old one is gone.
    let fixture = good();
    let mut raws = fixture.load(victim);
    swap_keys(&mut raws, true);
    fixture.store(victim, &raws);
    assert_eq!(fixture.ask(), fail(&["E-CHAIN-KEY", "E-UNAUTH"]));
    fixture.store(forger.chain(), &raws);
    fixture.set_tip(victim, None);
    assert_eq!(fixture.ask(), fail(&["E-MISSING", "E-PENDING", "E-REF"]));
}

#[test]
fn a_number_is_used_again_after_a_gap() {
    let fixture = good();
    let developer = &fixture.people.developer;
    fixture.links(developer, 3);
    fixture.tamper(developer.chain(), |raws| {
        for (index, seq) in [(6, 8), (7, 8), (8, 8)] {
            raws[index].replace(&format!("\"seq\":{index}"), &format!("\"seq\":{seq}"));
        }
        relink(raws, 6, developer);
    });
    assert_eq!(fixture.ask(), fail(&["E-SEQ"]));
}

#[test]
fn a_record_is_dated_before_its_predecessor() {
    let fixture = good();
    let developer = &fixture.people.developer;
    let date = |raws: &mut Vec<_>, time: &str| {
        let raw: &mut Raw = &mut raws[5];
        raw.replace("\"time\":\"2026-01-01T00:05:00Z\"", &format!("\"time\":\"{time}\""));
        raw.sign(developer);
    };
    // The one before is of 00:04:00; five minutes are forgiven.
    fixture.tamper(developer.chain(), |raws| date(raws, "2025-12-31T23:59:00Z"));
    assert_eq!(fixture.ask(), pass(&[]));
    let fixture = good();
    fixture.tamper(developer.chain(), |raws| date(raws, "2025-12-31T23:58:59Z"));
    assert_eq!(fixture.ask(), fail(&["E-TIME"]));
}

#[test]
fn a_chain_of_another_ledger_is_copied_here() {
    let other = Fixture::found(1, "ffeeddccbbaa99887766554433221100", |people| {
        vec![member("o@example.com", "O", &[Role::Owner], &[&people.owner])]
    });
    let fixture = good();
    let stranger = &fixture.people.stranger;
    other.open(stranger, "x");
    other.links(stranger, 2);
    fixture.store(stranger.chain(), &other.load(stranger.chain()));
    let answer = fixture.ask();
    assert_eq!(answer, fail(&["E-CHAIN", "E-LEDGER", "E-POLICY"]));
}

#[test]
fn a_writer_that_nobody_enrolled_is_pending_and_then_counts() {
    let fixture = good();
    let stranger = &fixture.people.stranger;
    fixture.open(stranger, "new@example.com");
    fixture.links(stranger, 2);
    assert_eq!(fixture.ask(), inconclusive(&["E-PENDING"]));
    fixture.roster(&[&fixture.people.admin], vec![member("new", "New", &[Role::Developer], &[stranger])]);
    assert_eq!(fixture.ask(), pass(&[]));
}

#[test]
fn a_writer_counts_only_from_the_number_it_was_enrolled_from() {
    let fixture = good();
    let stranger = &fixture.people.stranger;
    fixture.open(stranger, "new@example.com");
    fixture.links(stranger, 2);
    let mut late = member("new", "New", &[Role::Developer], &[stranger]);
    late.keys[0].from_seq = 2;
    fixture.roster(&[&fixture.people.admin], vec![late]);
    assert_eq!(fixture.ask(), fail(&["E-UNAUTH"]));
}

#[test]
fn a_role_that_writes_no_traces_writes_one() {
    let fixture = good();
    let stranger = &fixture.people.stranger;
    fixture.roster(&[&fixture.people.admin], vec![member("aud", "Aud", &[Role::Auditor], &[stranger])]);
    fixture.open(stranger, "aud");
    assert_eq!(fixture.ask(), pass(&[]));
    fixture.links(stranger, 1);
    assert_eq!(fixture.ask(), fail(&["E-UNAUTH"]));
}

//! The rules: who may set them, and that nothing but the rules changes by it.
#![cfg(test)]

use super::{fail, pass, small};
use crate::id::ChainId;
use crate::ledger::testing::{Fixture, Key, member};
use crate::ledger::verify::Options;
use crate::record::body::{Body, CloseChain, Policy, Reason, Role};
use crate::record::object::policy_signature_file;

const POLICY: ChainId = ChainId::Policy;
const TEXT: &str =
    "# Gr\u{fc}\u{df}e \u{7f} \\ \"\n[[rule]]\nname = \"all\"\ncondition = \"trace-completeness\"\nlevel = \"block\"\n";

/// A ledger with a policy-admin.
fn fixture() -> (Fixture, Key) {
    let (fixture, key) = (small(), Key::new(9));
    fixture.roster(&[&fixture.people.owner], vec![member("pia@example.com", "Pia", &[Role::PolicyAdmin], &[&key])]);
    (fixture, key)
}

fn set(fixture: &Fixture, signers: &[&Key], toml: &str) {
    fixture.append(POLICY, signers, Body::Policy(Policy { toml: toml.into() }), None);
}

#[test]
fn rules_are_set_by_an_owner_or_a_policy_admin() {
    for by in ["owner", "policy-admin"] {
        let (fixture, pia) = fixture();
        let signer = if by == "owner" { &fixture.people.owner } else { &pia };
        set(&fixture, &[signer], TEXT);
        // What comes after it is judged as before, and a later text takes its place.
        fixture.roster(&[&fixture.people.admin], vec![member("x", "X", &[Role::Developer], &[&Key::new(10)])]);
        fixture.links(&fixture.people.developer, 1);
        assert_eq!(fixture.ask(), pass(&[]), "{by}");
        let history = fixture.verify(Options { pinned: Some(fixture.id), ..Options::default() }).history;
        let rules = history.rules().unwrap();
        assert_eq!((rules.toml.as_str(), rules.set.n), (TEXT, 4));
        assert_eq!(rules.by, [if by == "owner" { "olga@example.com" } else { "pia@example.com" }]);
        set(&fixture, &[signer], "");
        let history = fixture.verify(Options { pinned: Some(fixture.id), ..Options::default() }).history;
        assert_eq!(history.rules().map(|rules| rules.toml.as_str()), Some(""));
        let at = |n: u64| history.rules_at(n).map(|rules| rules.set.n);
        assert_eq!([at(0), at(3), at(4), at(5), at(6), at(99)], [None, None, Some(4), Some(4), Some(6), Some(6)]);
        assert_eq!(fixture.ask(), pass(&[]), "{by}");
    }
}

#[test]
fn nobody_else_sets_rules() {
    let by = |signer: &dyn Fn(&Fixture, Key) -> Key| {
        let (fixture, pia) = fixture();
        let signer = signer(&fixture, pia);
        set(&fixture, &[&signer], TEXT);
        let answer = fixture.ask();
        assert_eq!(fixture.verify(Options::default()).history.rules(), None);
        answer
    };
    assert_eq!(by(&|fixture, _| fixture.people.developer.clone()), fail(&["E-UNAUTH"]));
    assert_eq!(by(&|fixture, _| fixture.people.admin.clone()), fail(&["E-UNAUTH"]));
    assert_eq!(by(&|fixture, _| fixture.people.ci.clone()), fail(&["E-UNAUTH"]));
    assert_eq!(by(&|_, _| Key::new(10)), fail(&["E-SIG"]));
    let closed = by(&|fixture, pia| {
        let close = CloseChain { chain: pia.chain(), last: None, reason: Reason::Left };
        fixture.append(POLICY, &[&fixture.people.owner], Body::CloseChain(close), None);
        pia
    });
    assert_eq!(closed, fail(&["E-SIG"]));
}

#[test]
fn a_policy_admin_sets_rules_only() {
    let (fixture, pia) = fixture();
    fixture.roster(&[&pia], vec![member("x", "X", &[Role::Developer], &[&Key::new(10)])]);
    assert_eq!(fixture.ask(), fail(&["E-UNAUTH"]));
    let (fixture, pia) = self::fixture();
    let close = CloseChain { chain: fixture.people.ci.chain(), last: None, reason: Reason::Left };
    fixture.append(POLICY, &[&pia], Body::CloseChain(close), None);
    assert_eq!(fixture.ask(), fail(&["E-UNAUTH"]));
}

#[test]
fn rules_stand_on_the_policy_chain_and_in_their_form() {
    let (fixture, _) = fixture();
    let owner = &fixture.people.owner;
    fixture.open(owner, "olga@example.com");
    fixture.append(owner.chain(), &[owner], Body::Policy(Policy { toml: TEXT.into() }), None);
    assert_eq!(fixture.ask(), fail(&["E-UNAUTH"]));

    let bent = |from: &str, to: &str| {
        let (fixture, _) = self::fixture();
        let owner = &fixture.people.owner;
        set(&fixture, &[owner], TEXT);
        fixture.tamper(POLICY, |raws| {
            let text = raws[4].text().replacen(from, to, 1);
            raws[4].set_record(text.into_bytes());
            raws[4].sign_policy(&[owner]);
        });
        fixture.ask()
    };
    assert_eq!(bent("block", "warn"), pass(&[]));
    assert_eq!(bent("\"toml\"", "\"text\""), fail(&["E-CANON"]));
    assert_eq!(bent("{\"toml\"", "{\"n\":1,\"toml\""), fail(&["E-CANON"]));
}

#[test]
fn rules_that_are_none_are_not_put_on_the_chain() {
    let (fixture, _) = fixture();
    let owner = &fixture.people.owner;
    let accept = |toml: &str| {
        let record = fixture.ledger.propose(Body::Policy(Policy { toml: toml.into() })).unwrap();
        let name = policy_signature_file(&owner.public().number());
        let signature = owner.sign_record(&record);
        fixture.ledger.accept(&record, &[(name, signature)])
    };
    let error = accept("[[rule]]\nname = \"x\"\ncondition = \"y\"\nlevel = \"warn\"\n").unwrap_err().to_string();
    assert!(error.contains("line 3, column 13"), "{error}");
    accept(&TEXT.replace("\u{7f}", "")).unwrap();
    assert_eq!(fixture.ask(), pass(&[]));
}

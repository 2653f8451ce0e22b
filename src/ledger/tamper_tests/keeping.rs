//! Checks, approvals and amendments, retention, holds and pruning: who may write them, and what they must not say.
#![cfg(test)]

use super::{fail, inconclusive, pass, small};
use crate::compliance::choice;
use crate::digest::Digest;
use crate::finding::Verdict;
use crate::id::{ChainId, GitId, RecordId};
use crate::ledger::copies;
use crate::ledger::payload;
use crate::ledger::pruned;
use crate::ledger::testing::{Answer, Fixture, Key, member};
use crate::ledger::verify::Options;
use crate::record::body::*;
use crate::record::{Citation, Record};

const POLICY: ChainId = ChainId::Policy;
const ROLES: [Role; 7] =
    [Role::Owner, Role::Admin, Role::PolicyAdmin, Role::Developer, Role::Auditor, Role::Ci, Role::Witness];

/// A ledger in which a key has one role beside the others'.
fn with(role: Role) -> (Fixture, Key) {
    let (fixture, key) = (small(), Key::new(9));
    fixture.roster(&[&fixture.people.owner], vec![member("m@example.com", "M", &[role], &[&key])]);
    (fixture, key)
}

/// Appends to the policy chain at a time of one's choice.
fn decide(fixture: &Fixture, time: &str, signer: &Key, body: Body) {
    let mut envelope = fixture.envelope(POLICY);
    envelope.time = time.parse().unwrap();
    fixture.append_with(POLICY, &[signer], Record::new(envelope, body).unwrap(), None);
}

fn choose(texts: &[&str]) -> Body {
    Body::Compliance(Compliance { frameworks: texts.iter().map(|text| choice(text).unwrap()).collect() })
}

fn hold(shelf: &Shelf) -> Body {
    let (records, commits, sessions) = Default::default();
    Body::Hold(Hold { case: "c-1".parse().unwrap(), shelves: vec![shelf.clone()], records, commits, sessions })
}

fn release() -> Body {
    Body::Release(Release { case: "c-1".parse().unwrap() })
}

fn shelf(chain: ChainId, month: &str) -> Shelf {
    Shelf { chain, class: PayloadClass::Transcript, month: month.parse().unwrap() }
}

fn prune(shelves: Vec<PrunedShelf>) -> Body {
    Body::Prune(Prune { shelves })
}

fn audit() -> Body {
    let findings = vec![CodeCount { code: "E-FORK".into(), count: 1 }];
    Body::Audit(Audit { verdict: Verdict::Fail, records: 5, findings, heads: vec![], cut: vec![] })
}

fn adjudicate() -> Body {
    let decision = Decision::Rejected;
    Body::Adjudicate(Adjudicate { code: "E-FORK".into(), chain: POLICY, seq: Some(1), decision, record: None })
}

#[test]
fn each_decision_about_keeping_is_for_some_roles_only() {
    let admins: &[Role] = &[Role::Owner, Role::Admin];
    let auditors: &[Role] = &[Role::Owner, Role::Admin, Role::Auditor];
    let of = |fixture: &Fixture| shelf(fixture.people.developer.chain(), "2026-01");
    let pieces = || pruned::prune(shelf(Key::new(8).chain(), "2000-01"), &[Digest::ZERO]);
    type Make<'a> = &'a dyn Fn(&Fixture) -> Body;
    let bodies: [(&[Role], Make<'_>); 6] = [
        (admins, &|_| choose(&["sox"])),
        (auditors, &|fixture| hold(&of(fixture))),
        (admins, &|_| release()),
        (admins, &|_| prune(vec![pieces()])),
        (auditors, &|_| audit()),
        (admins, &|_| adjudicate()),
    ];
    for (may, make) in bodies {
        for role in ROLES {
            let (fixture, key) = with(role);
            // What some of them need to be there.
            let owner = &fixture.people.owner;
            fixture.append(POLICY, &[owner], choose(&["pci-dss"]), None);
            fixture.append(POLICY, &[owner], hold(&of(&fixture)), None);
            let body = make(&fixture);
            let kind = body.kind();
            fixture.append(POLICY, &[&key], body, None);
            let expected = if may.contains(&role) { pass(&[]) } else { fail(&["E-UNAUTH"]) };
            assert_eq!(asked(&fixture, role), expected, "{kind} by {role:?}");
        }
    }
}

/// In all ways for two roles, that it takes no minutes.
fn asked(fixture: &Fixture, role: Role) -> Answer {
    match role {
        Role::Auditor | Role::Ci => fixture.ask(),
        _ => fixture.answer(Options { pinned: Some(fixture.id), full: true, ..Options::default() }),
    }
}

fn check(rules: Citation) -> Body {
    let commits: Vec<GitId> = (0..2).map(|n: u8| format!("{n:040}").parse().unwrap()).collect();
    let range = Range::of(&commits).unwrap();
    let (level, outcome) = (Level::Warn, Outcome::Violated);
    let broken = Broken { rule: "r".into(), level, outcome, commit: Some(commits[0].clone()), path: None };
    Body::Check(Check { range, rules, verdict: Verdict::Pass, findings: vec![broken], cut: vec![] })
}

fn set_rules(fixture: &Fixture, toml: &str) -> Citation {
    fixture.append(POLICY, &[&fixture.people.owner], Body::Policy(Policy { toml: toml.into() }), None);
    let head = fixture.head(POLICY).unwrap().1;
    Citation { n: head.seq, id: head.id }
}

fn approve(fixture: &Fixture, commit: &GitId) -> Body {
    let (_, bytes) = fixture.ledger.repo.read(commit).unwrap();
    Body::Approve(Approve { commits: vec![Approved { commit: commit.clone(), sha256: Digest::of(&bytes) }] })
}

fn amend(record: RecordId) -> Body {
    Body::Amend(Amend { record, reason: AmendReason::Wrong, correction: Correction::default() })
}

#[test]
fn checks_and_approvals_are_for_some_roles_only() {
    let people: &[Role] = &[Role::Owner, Role::Admin, Role::PolicyAdmin, Role::Developer, Role::Auditor];
    for role in ROLES {
        for kind in ["check", "approve"] {
            let (fixture, key) = with(role);
            let rules = set_rules(&fixture, "");
            let commit = fixture.code(None, "a", "a\n");
            fixture.open(&key, "m@example.com");
            let body = if kind == "check" { check(rules) } else { approve(&fixture, &commit) };
            fixture.append(key.chain(), &[&key], body, None);
            let may = if kind == "check" { &[Role::Developer, Role::Ci][..] } else { people };
            let expected = if may.contains(&role) { pass(&[]) } else { fail(&["E-UNAUTH"]) };
            assert_eq!(asked(&fixture, role), expected, "{kind} by {role:?}");
        }
    }
}

#[test]
fn a_check_names_the_rules_that_were_in_force() {
    let with_rules = |pick: &dyn Fn(Citation, Citation) -> Citation| {
        let fixture = small();
        let (first, second) = (set_rules(&fixture, "# 1"), set_rules(&fixture, "# 2"));
        let developer = &fixture.people.developer;
        fixture.append(developer.chain(), &[developer], check(pick(first, second)), None);
        // Others that come later change nothing about it.
        set_rules(&fixture, "# 3");
        fixture.ask()
    };
    assert_eq!(with_rules(&|_, second| second), pass(&[]));
    assert_eq!(with_rules(&|first, _| first), fail(&["E-POLICY"]));
    assert_eq!(with_rules(&|first, second| Citation { id: first.id, ..second }), fail(&["E-POLICY"]));
    // Where there were none, nothing was judged.
    let fixture = small();
    let developer = &fixture.people.developer;
    fixture.append(developer.chain(), &[developer], check(Citation { n: 0, id: fixture.ids(POLICY)[0] }), None);
    assert_eq!(fixture.ask(), fail(&["E-POLICY"]));
}

#[test]
fn an_approval_is_of_a_commit_as_it_is() {
    let fixture = small();
    let developer = &fixture.people.developer;
    let commit = fixture.code(None, "a", "a\n");
    let wrong = Approved { commit, sha256: Digest::of(b"another") };
    let body = Body::Approve(Approve { commits: vec![wrong] });
    fixture.append(developer.chain(), &[developer], body, None);
    assert_eq!(fixture.ask(), fail(&["E-COMMIT"]));
    // A commit that is not here, or not any more, is no reproach.
    let fixture = small();
    let developer = &fixture.people.developer;
    let gone = Approved { commit: "ab".repeat(20).parse().unwrap(), sha256: Digest::ZERO };
    let body = Body::Approve(Approve { commits: vec![gone] });
    fixture.append(developer.chain(), &[developer], body, None);
    assert_eq!(fixture.ask(), pass(&[]));
}

#[test]
fn a_record_is_amended_by_its_author_or_an_admin() {
    let by = |role: Role| {
        let (fixture, key) = with(role);
        fixture.open(&key, "m@example.com");
        let link = fixture.ids(fixture.people.developer.chain())[1];
        fixture.append(key.chain(), &[&key], amend(link), None);
        asked(&fixture, role)
    };
    for role in ROLES {
        let may = matches!(role, Role::Owner | Role::Admin);
        assert_eq!(by(role), if may { pass(&[]) } else { fail(&["E-UNAUTH"]) }, "{role:?}");
    }
    // Their own, also from another device of theirs.
    let fixture = small();
    let (developer, second) = (&fixture.people.developer, Key::new(9));
    let id = "d\u{f6}rte@example.com";
    let both = member(id, "D\u{f6}rte", &[Role::Developer], &[developer, &second]);
    fixture.roster(&[&fixture.people.owner], vec![both]);
    let link = fixture.ids(developer.chain())[1];
    fixture.append(developer.chain(), &[developer], amend(link), None);
    fixture.open(&second, id);
    fixture.append(second.chain(), &[&second], amend(link), None);
    assert_eq!(fixture.ask(), pass(&[]));
    // And nobody's whose key is not enrolled.
    let stranger = &fixture.people.stranger;
    fixture.open(stranger, id);
    fixture.append(stranger.chain(), &[stranger], amend(link), None);
    assert_eq!(fixture.ask(), fail(&["E-PENDING", "E-UNAUTH"]));
}

#[test]
fn what_is_amended_must_be_there() {
    let of = |pick: &dyn Fn(&Fixture) -> Body| {
        let fixture = small();
        let developer = &fixture.people.developer;
        fixture.append(developer.chain(), &[developer], pick(&fixture), None);
        fixture.ask()
    };
    let first = |fixture: &Fixture, seq: usize| fixture.ids(fixture.people.developer.chain())[seq];
    assert_eq!(of(&|_| amend(RecordId(Digest::of(b"nothing")))), fail(&["E-REF"]));
    // What opens a chain, or stands on the policy chain, is not amended.
    assert_eq!(of(&|fixture| amend(first(fixture, 0))), fail(&["E-REF"]));
    assert_eq!(of(&|fixture| amend(fixture.ids(POLICY)[1])), fail(&["E-REF"]));
    let replaced = |fixture: &Fixture, record: Option<RecordId>| {
        let correction = Correction { record, payloads: vec![] };
        Body::Amend(Amend { record: first(fixture, 1), reason: AmendReason::Duplicate, correction })
    };
    assert_eq!(of(&|fixture| replaced(fixture, Some(first(fixture, 1)))), pass(&[]));
    assert_eq!(of(&|fixture| replaced(fixture, Some(RecordId(Digest::ZERO)))), fail(&["E-REF"]));

    // It was there, and is no longer.
    let (fixture, key) = with(Role::Admin);
    fixture.open(&key, "m@example.com");
    let developer = fixture.people.developer.chain();
    fixture.append(key.chain(), &[&key], amend(fixture.ids(developer)[1]), None);
    assert_eq!(fixture.ask(), pass(&[]));
    fixture.tamper(developer, |raws| raws.truncate(1));
    assert_eq!(fixture.ask(), fail(&["E-REF"]));
}

/// A ledger whose developer has transcripts of January 2026, and the shelf that they are on as a prune record tells it.
fn with_payloads() -> (Fixture, PrunedShelf) {
    let fixture = small();
    let developer = &fixture.people.developer;
    for segment in 0..3 {
        let lines = if segment == 0 { 20_000 } else { 1 };
        fixture.session(developer, segment, &["{\"role\":\"user\"}\n".repeat(lines), "{}\n".into()]);
    }
    let chain = developer.chain();
    let (commits, shelf) = (fixture.line(chain), shelf(chain, "2026-01"));
    let walk = copies::walk(&fixture.ledger.repo, chain, &[(String::new(), commits[commits.len() - 1].clone())], None);
    let pieces = pruned::shelves(&fixture.ledger.repo, chain, &walk).remove(&shelf).unwrap();
    assert_eq!(pieces.len(), 7);
    fixture.append(POLICY, &[&fixture.people.owner], choose(&["pci-dss"]), None);
    // So that there is something remembered to go wrong by.
    let options = Options { pinned: Some(fixture.id), ..Options::default() };
    assert_eq!(fixture.answer(options), pass(&[]));
    (fixture, pruned::prune(shelf, &pieces))
}

fn drop_payloads(fixture: &Fixture) {
    fixture.set_ref(&fixture.ledger.prefix.payload(PayloadClass::Transcript, &month(), developer(fixture)), None);
}

fn month() -> crate::time::Month {
    "2026-01".parse().unwrap()
}

fn developer(fixture: &Fixture) -> ChainId {
    fixture.people.developer.chain()
}

/// The last moment at which January 2026 is too young for a year, and the first at which it is not.
const YOUNG: &str = "2027-01-31T23:59:59Z";
const OLD: &str = "2027-02-01T00:00:00Z";

#[test]
fn payloads_that_are_gone_are_missing_or_pruned() {
    let (fixture, _) = with_payloads();
    drop_payloads(&fixture);
    assert_eq!(fixture.ask(), inconclusive(&["E-MISSING"]));

    let (fixture, whole) = with_payloads();
    decide(&fixture, OLD, &fixture.people.admin, prune(vec![whole]));
    // They may be here still: at whoever has not heard of it.
    assert_eq!(fixture.ask(), pass(&[]));
    let name = fixture.ledger.prefix.payload(PayloadClass::Transcript, &month(), developer(&fixture));
    let tip = fixture.ledger.repo.find_ref(&name).unwrap();
    drop_payloads(&fixture);
    assert_eq!(fixture.ask(), pass(&["W-PRUNED"]));
    // Twice: what was verified before is told again.
    assert_eq!(fixture.ask(), pass(&["W-PRUNED"]));
    fixture.links(&fixture.people.developer, 1);
    assert_eq!(fixture.ask(), pass(&["W-PRUNED"]));
    fixture.set_ref(&name, tip);
    assert_eq!(fixture.ask(), pass(&[]));
    drop_payloads(&fixture);
    // What comes to the same shelf later is not covered.
    fixture.session(&fixture.people.developer, 3, &["later\n".into()]);
    assert_eq!(fixture.ask(), pass(&["W-PRUNED"]));
    drop_payloads(&fixture);
    assert_eq!(fixture.ask(), inconclusive(&["E-MISSING", "W-PRUNED"]));
}

#[test]
fn a_prune_record_that_does_not_fit_covers_nothing() {
    let with = |change: &dyn Fn(&mut PrunedShelf)| {
        let (fixture, mut whole) = with_payloads();
        change(&mut whole);
        decide(&fixture, OLD, &fixture.people.admin, prune(vec![whole]));
        drop_payloads(&fixture);
        fixture.ask()
    };
    assert_eq!(with(&|shelf| shelf.root = Digest::of(b"another")), inconclusive(&["E-MISSING"]));
    assert_eq!(with(&|shelf| shelf.pieces = 6), inconclusive(&["E-MISSING"]));
    assert_eq!(with(&|shelf| shelf.pieces = 8), inconclusive(&["E-MISSING"]));
    assert_eq!(with(&|shelf| shelf.class = PayloadClass::Events), inconclusive(&["E-MISSING"]));
    assert_eq!(with(&|shelf| shelf.month = "2025-12".parse().unwrap()), inconclusive(&["E-MISSING"]));
    assert_eq!(with(&|shelf| shelf.chain = Key::new(4).chain()), inconclusive(&["E-MISSING"]));
    assert_eq!(with(&|shelf| shelf.pieces = 0), fail(&["E-MISSING", "E-POLICY"]));
    assert_eq!(with(&|shelf| shelf.chain = POLICY), fail(&["E-MISSING", "E-POLICY"]));
}

#[test]
fn nothing_young_or_held_is_pruned() {
    type Steps<'s> = &'s dyn Fn(&Fixture, PrunedShelf) -> Vec<(&'static str, Body)>;
    let steps = |steps: Steps<'_>| {
        let (fixture, whole) = with_payloads();
        for (time, body) in steps(&fixture, whole) {
            decide(&fixture, time, &fixture.people.admin, body);
        }
        drop_payloads(&fixture);
        fixture.ask()
    };
    assert_eq!(steps(&|_, whole| vec![(YOUNG, prune(vec![whole]))]), fail(&["E-POLICY", "E-MISSING"]));
    assert_eq!(steps(&|_, whole| vec![(OLD, prune(vec![whole]))]), pass(&["W-PRUNED"]));
    let longer = |_: &Fixture, whole| vec![(OLD, choose(&["sox"])), (OLD, prune(vec![whole]))];
    assert_eq!(steps(&longer), fail(&["E-POLICY", "E-MISSING"]));
    // What was right when it was written stays right.
    let later = |_: &Fixture, whole| vec![(OLD, prune(vec![whole])), (OLD, choose(&["sox"]))];
    assert_eq!(steps(&later), pass(&["W-PRUNED"]));
    let held =
        |fixture: &Fixture, whole| vec![(OLD, hold(&shelf(developer(fixture), "2026-01"))), (OLD, prune(vec![whole]))];
    assert_eq!(steps(&held), fail(&["E-POLICY", "E-MISSING"]));
    let released = |fixture: &Fixture, whole: PrunedShelf| {
        [held(fixture, whole.clone()).remove(0), (OLD, release()), (OLD, prune(vec![whole]))].to_vec()
    };
    assert_eq!(steps(&released), pass(&["W-PRUNED"]));
    assert_eq!(steps(&|_, _| vec![(OLD, release())]), fail(&["E-POLICY", "E-MISSING"]));
    // Without a word on how long payloads are kept, none is pruned.
    let fixture = small();
    let pieces = pruned::prune(shelf(developer(&fixture), "1999-01"), &[Digest::ZERO]);
    decide(&fixture, OLD, &fixture.people.owner, prune(vec![pieces]));
    assert_eq!(fixture.ask(), fail(&["E-POLICY"]));
}

#[test]
fn what_a_hold_keeps_is_here() {
    let (fixture, _) = with_payloads();
    let (repo, prefix) = (&fixture.ledger.repo, &fixture.ledger.prefix);
    let shelf_ref = prefix.payload(PayloadClass::Transcript, &month(), developer(&fixture));
    let tip = repo.find_ref(&shelf_ref).unwrap().unwrap();
    let blobs: Vec<_> = payload::shelf(repo, &tip).unwrap().into_iter().collect();
    let kept = payload::extend(repo, None, &blobs, "policy", 0).unwrap();
    let name = prefix.hold(&"c-1".parse().unwrap());
    fixture.set_ref(&name, Some(kept));
    drop_payloads(&fixture);
    assert_eq!(fixture.ask(), pass(&[]));
    fixture.set_ref(&name, None);
    assert_eq!(fixture.ask(), inconclusive(&["E-MISSING"]));
    // What is there under a piece's name and is another is none.
    let other = repo.write(crate::git::repo::Kind::Blob, b"other").unwrap();
    let bent: Vec<_> = blobs.into_iter().map(|(digest, _)| (digest, other.clone())).collect();
    let bent = payload::extend(repo, None, &bent, "policy", 0).unwrap();
    fixture.set_ref(&name, Some(bent));
    assert_eq!(fixture.ask(), inconclusive(&["E-MISSING"]));
    fixture.set_ref(&prefix.hold(&"a".repeat(64).parse().unwrap()), Some(tip));
    assert_eq!(fixture.ask(), pass(&[]));
}

#[test]
fn retention_is_never_lowered() {
    let chosen = |steps: &[Body]| -> Answer {
        let fixture = small();
        for body in steps {
            fixture.append(POLICY, &[&fixture.people.admin], body.clone(), None);
        }
        fixture.ask()
    };
    let raw = |framework, months| Body::Compliance(Compliance { frameworks: vec![Chosen { framework, months }] });
    assert_eq!(chosen(&[choose(&["sox", "pci-dss", "sr-11-7"])]), pass(&[]));
    assert_eq!(chosen(&[choose(&["sox=10y"]), choose(&["sox"])]), pass(&[]));
    assert_eq!(chosen(&[raw(Framework::Sox, 83)]), fail(&["E-POLICY"]));
    assert_eq!(chosen(&[raw(Framework::PciDss, 11)]), fail(&["E-POLICY"]));
    assert_eq!(chosen(&[raw(Framework::Sr117, 35)]), fail(&["E-POLICY"]));
    assert_eq!(chosen(&[raw(Framework::Custom, 0)]), fail(&["E-POLICY"]));
    assert_eq!(chosen(&[raw(Framework::Custom, 1)]), pass(&[]));
    assert_eq!(chosen(&[choose(&["sox"]), choose(&["pci-dss"])]), fail(&["E-POLICY"]));
    assert_eq!(chosen(&[choose(&["sox"]), choose(&["custom=7y"]), choose(&["custom=1m"])]), fail(&["E-POLICY"]));
    assert_eq!(chosen(&[choose(&["pci-dss", "sox"])]), fail(&["E-POLICY"]));
}

#[test]
fn bodies_are_in_their_form_for_both_verifiers() {
    let bent = |policy: bool, make: &dyn Fn(&Fixture) -> Body, from: &str, to: &str| {
        let fixture = small();
        let rules = set_rules(&fixture, "");
        assert_eq!(rules.n, 3);
        let (owner, developer) = (fixture.people.owner.clone(), fixture.people.developer.clone());
        let (chain, key) = if policy { (POLICY, owner) } else { (developer.chain(), developer) };
        let body = make(&fixture);
        let kind = body.kind();
        fixture.append(chain, &[&key], body, None);
        fixture.tamper(chain, |raws| {
            let raw = raws.last_mut().unwrap();
            let text = raw.text();
            assert!(text.contains(from), "{from} is not in {text}");
            raw.set_record(text.replacen(from, to, 1).into_bytes());
            if policy { raw.sign_policy(&[&key]) } else { raw.sign(&key) }
        });
        assert_eq!(fixture.ask(), fail(&["E-CANON"]), "{kind}: {to}");
    };
    let rules = |fixture: &Fixture| {
        let head = fixture.head(POLICY).unwrap().1;
        check(Citation { n: head.seq, id: head.id })
    };
    bent(false, &rules, "\"verdict\":\"pass\"", "\"verdict\":\"warn\"");
    bent(false, &rules, "\"outcome\":\"violated\"", "\"outcome\":\"other\"");
    bent(false, &rules, "\"commits\":2,", "");
    bent(false, &|fixture| approve(fixture, &fixture.code(None, "a", "a\n")), "\"commit\":", "\"commit\":\"\",\"x\":");
    let record = |fixture: &Fixture| amend(fixture.ids(fixture.people.developer.chain())[1]);
    bent(false, &record, "\"correction\":{}", "\"correction\":{\"payloads\":[]}");
    bent(false, &record, "\"reason\":\"wrong\"", "\"reason\":\"mood\"");
    bent(true, &|_| choose(&["sox"]), "\"sox\"", "\"hipaa\"");
    bent(true, &|_| choose(&["sox"]), "84", "4294967296");
    bent(true, &|_| release(), "c-1", "c/1");
    bent(true, &|fixture| hold(&shelf(developer(fixture), "2026-01")), "2026-01\"}]", "2026-13\"}]");
    let pieces = || pruned::prune(shelf(Key::new(8).chain(), "2000-01"), &[Digest::ZERO]);
    bent(true, &|_| prune(vec![pieces()]), "\"pieces\":1", "\"pieces\":-1");
    bent(true, &|_| audit(), "\"heads\":[]", "\"cut\":[],\"heads\":[]");
    bent(true, &|_| adjudicate(), "rejected", "forgotten");
}

#[test]
fn each_type_stands_on_its_own_chain() {
    let others = |fixture: &Fixture| {
        let head = fixture.head(POLICY).unwrap().1;
        let commit = fixture.code(None, "a", "a\n");
        let link = fixture.ids(fixture.people.developer.chain())[1];
        [check(Citation { n: head.seq, id: head.id }), approve(fixture, &commit), amend(link)]
    };
    for at in 0..3 {
        let fixture = small();
        set_rules(&fixture, "");
        let body = others(&fixture).into_iter().nth(at).unwrap();
        fixture.append(POLICY, &[&fixture.people.owner], body, None);
        assert_eq!(fixture.ask(), fail(&["E-UNAUTH"]), "{at}");
    }
    let of = |fixture: &Fixture| shelf(fixture.people.developer.chain(), "2026-01");
    let pieces = pruned::prune(shelf(Key::new(8).chain(), "2000-01"), &[Digest::ZERO]);
    for at in 0..6 {
        let fixture = small();
        let owner = &fixture.people.owner;
        fixture.open(owner, "olga@example.com");
        let held = hold(&of(&fixture));
        let bodies = [choose(&["sox"]), held, release(), prune(vec![pieces.clone()]), audit(), adjudicate()];
        fixture.append(owner.chain(), &[owner], bodies.into_iter().nth(at).unwrap(), None);
        assert_eq!(fixture.ask(), fail(&["E-UNAUTH"]), "{at}");
    }
}

/// A record of each type, for `tests/vectors`: its text and its id.
pub fn vectors() -> Vec<u8> {
    let fixture = Fixture::small();
    let rules = set_rules(&fixture, "");
    let (owner, developer) = (&fixture.people.owner, &fixture.people.developer);
    let commit = fixture.code(None, "a", "a\n");
    let link = fixture.ids(developer.chain())[1];
    let (third, fourth) = (Digest::of(b"third"), Digest::of(b"fourth"));
    let pieces = [Digest::of(b"first"), Digest::of(b"second"), third, fourth, Digest::of(b"fifth")];
    let shelf = shelf(Key::new(8).chain(), "2000-01");
    let read = super::access::both(&fixture);
    for body in [check(rules), approve(&fixture, &commit), amend(link)].into_iter().chain(read) {
        fixture.append(developer.chain(), &[developer], body, None);
    }
    let gone = prune(vec![pruned::prune(shelf.clone(), &pieces)]);
    for body in [choose(&["pci-dss", "sr-11-7"]), gone, hold(&shelf), release(), audit(), adjudicate()] {
        fixture.append(POLICY, &[owner], body, None);
    }
    let records = fixture.load(developer.chain()).split_off(2).into_iter().chain(fixture.load(POLICY).split_off(4));
    let told = records.map(|raw| serde_json::json!({"id": Digest::of(raw.record()).to_string(), "record": raw.text()}));
    serde_json::to_vec_pretty(&serde_json::json!({
        "pruned_pieces": pieces.map(|piece| piece.to_string()),
        "records": told.collect::<Vec<_>>(),
    }))
    .unwrap()
}

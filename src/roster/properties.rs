//! Any sequence of policy records, valid and not: the roster stays one that can be changed by as many owners as it says, and
//! rights are only what it gives.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::tests::{key, policy};
use super::*;
use crate::digest::Digest;
use crate::id::{GitId, RecordId};
use crate::record::body::{Approve, Approved, Audit, Body, Genesis, Link, Opened, Policy, Reason, Release, Seal};
use crate::record::{Citation, Record, Unverified};

const ROLES: [Role; 7] =
    [Role::Owner, Role::Admin, Role::PolicyAdmin, Role::Developer, Role::Auditor, Role::Ci, Role::Witness];
const KEYS: u8 = 7;

/// The keys, made once: that takes longer than all else.
static POOL: LazyLock<Vec<(PublicKey, ChainId)>> =
    LazyLock::new(|| (1..=KEYS).map(|n| (key(n), key(n).chain())).collect());

fn keys() -> impl Strategy<Value = usize> {
    0..usize::from(KEYS)
}

fn members() -> impl Strategy<Value = Member> {
    let who = select(vec!["ada", "bob", "cleo", "dan"]);
    let keys = prop::collection::vec((keys(), prop_oneof![4 => Just(0u64), 1 => 1..3u64]), 0..3);
    (who, subsequence(ROLES.to_vec(), 0..=2), keys).prop_map(|(who, roles, keys)| Member {
        id: who.into(),
        name: who.into(),
        roles,
        keys: keys
            .into_iter()
            .map(|(key, from_seq)| EnrolledKey { public_key: POOL[key].0, from_seq, recipient: None })
            .collect(),
    })
}

/// Members of whom most are owners.
fn founders() -> impl Strategy<Value = Member> {
    (members(), prop::bool::weighted(0.8)).prop_map(|(mut member, owner)| {
        if owner && !member.roles.contains(&Role::Owner) {
            member.roles.push(Role::Owner);
        }
        member
    })
}

fn changes() -> impl Strategy<Value = Change> {
    let remove =
        prop::collection::vec(select(vec!["ada", "bob", "cleo", "dan", "nobody"]).prop_map(str::to_owned), 0..2);
    let number = || prop::option::weighted(0.2, 0..4u32);
    (prop::collection::vec(members(), 0..3), remove, number(), number())
        .prop_map(|(set, remove, threshold, witnesses)| Change { set, remove, threshold, witnesses })
}

fn places() -> impl Strategy<Value = Place> {
    (0..4u64).prop_map(|seq| Place { seq, id: RecordId(Digest::of(&seq.to_be_bytes())) })
}

fn bodies() -> impl Strategy<Value = Body> {
    let close = (keys(), prop::option::of(places()))
        .prop_map(|(key, last)| Body::CloseChain(CloseChain { chain: POOL[key].1, last, reason: Reason::Left }));
    let genesis = prop::collection::vec(members(), 0..3)
        .prop_map(|members| Body::Genesis(Genesis { threshold: 1, members, nonce: String::new() }));
    let audit =
        Audit { verdict: crate::finding::Verdict::Pass, records: 0, findings: vec![], heads: vec![], cut: vec![] };
    prop_oneof![
        8 => changes().prop_map(Body::Roster),
        3 => close,
        1 => Just(Body::CloseChain(CloseChain { chain: ChainId::Policy, last: None, reason: Reason::Lost })),
        1 => Just(Body::Policy(Policy { toml: String::new() })),
        1 => Just(Body::Release(Release { case: "c-1".parse().unwrap() })),
        1 => Just(Body::Audit(audit)),
        1 => genesis,
        1 => Just(link()),
    ]
}

fn link() -> Body {
    let id: GitId = "a".repeat(40).parse().unwrap();
    Body::Link(Link { old: id.clone(), new: id, found_by: "amend".into(), level: 3 })
}

/// A record and who signs it.
fn signed() -> impl Strategy<Value = (Body, Vec<usize>)> {
    (bodies(), subsequence((0..usize::from(KEYS)).collect::<Vec<_>>(), 0..=4))
}

/// Ada and Bob are owners, Cleo is admin, Dan develops.
fn first() -> (Record<Unverified>, Vec<PublicKey>) {
    let member = |id: &str, roles: &[Role], key: usize| Member {
        id: id.into(),
        name: id.into(),
        roles: roles.to_vec(),
        keys: vec![EnrolledKey { public_key: POOL[key].0, from_seq: 0, recipient: None }],
    };
    let members = vec![
        member("ada", &[Role::Owner], 0),
        member("bob", &[Role::Owner, Role::Developer], 1),
        member("cleo", &[Role::Admin], 2),
        member("dan", &[Role::Developer], 3),
    ];
    let body = Body::Genesis(Genesis { threshold: 1, members, nonce: String::new() });
    (policy(0, body), vec![POOL[0].0])
}

/// Keys that members have and whose chain is open, by whose they are.
fn speaks(roster: &Roster) -> BTreeMap<String, Vec<PublicKey>> {
    let open = |key: &&EnrolledKey| roster.closure(key.public_key.chain()).is_none();
    let keys = |member: &Member| member.keys.iter().filter(open).map(|key| key.public_key).collect();
    roster.members().map(|member| (member.id.clone(), keys(member))).collect()
}

/// How many members with one of these roles are among the signers.
fn signed_by(roster: &Roster, roles: &[Role], signers: &[PublicKey]) -> usize {
    let speaks = speaks(roster);
    let has = |member: &&Member| member.roles.iter().any(|role| roles.contains(role));
    let signs = |member: &&Member| speaks[&member.id].iter().any(|key| signers.contains(key));
    roster.members().filter(has).filter(signs).count()
}

fn owners(roster: &Roster) -> Vec<&Member> {
    roster.members().filter(|member| member.roles.contains(&Role::Owner)).collect()
}

/// What must hold of every roster that a record left.
fn stays_usable(roster: &Roster) -> Result<(), TestCaseError> {
    let speaks = speaks(roster);
    let able = owners(roster).into_iter().filter(|owner| !speaks[&owner.id].is_empty()).count();
    prop_assert!(roster.threshold() > 0 && able >= roster.threshold() as usize, "{able} of {}", roster.threshold());
    prop_assert!(roster.witnesses() > 0);
    let mut keys: Vec<_> = roster.members().flat_map(|member| &member.keys).map(|key| key.public_key.chain()).collect();
    let count = keys.len();
    keys.sort();
    keys.dedup();
    prop_assert_eq!(keys.len(), count, "one key speaks for two");
    Ok(())
}

/// What must hold of a step that was accepted.
fn was_rightful(before: &Roster, after: &Roster, body: &Body, signers: &[PublicKey]) -> Result<(), TestCaseError> {
    let enough = |roster: &Roster| signed_by(roster, &[Role::Owner], signers) >= roster.threshold() as usize;
    let numbers = |roster: &Roster| (roster.threshold(), roster.witnesses());
    if owners(before) != owners(after) || numbers(before) != numbers(after) {
        prop_assert!(enough(before) && enough(after), "owners are touched by fewer than must be");
    }
    let may: &[Role] = match body {
        Body::Policy(_) => &[Role::Owner, Role::PolicyAdmin],
        Body::Audit(_) => &[Role::Owner, Role::Admin, Role::Auditor],
        Body::Roster(_) | Body::CloseChain(_) | Body::Release(_) => &[Role::Owner, Role::Admin],
        other => return Err(TestCaseError::fail(format!("a {} record was accepted", other.kind()))),
    };
    prop_assert!(signed_by(before, may, signers) > 0, "a {} record by nobody who may", body.kind());
    for (_, chain) in POOL.iter() {
        let end = |last: Option<Place>| last.map_or(0, |last| last.seq + 1);
        if let Some(was) = before.closure(*chain) {
            let is = after.closure(*chain);
            prop_assert!(is.is_some_and(|is| end(is) <= end(was)), "a closure was taken back");
        }
        match (before.enrolment(*chain), after.enrolment(*chain)) {
            (Some((was, from)), Some((is, now))) => {
                prop_assert_eq!((&was.id, from), (&is.id, now), "a key changes hands")
            }
            (Some(_), None) => prop_assert!(after.closure(*chain).is_some(), "an open key is gone"),
            (None, Some(_)) => prop_assert!(after.closure(*chain).is_none(), "a closed key comes back"),
            (None, None) => {}
        }
        if let (Body::CloseChain(close), Some((owner, _))) = (body, before.enrolment(*chain))
            && close.chain == *chain
            && owner.roles.contains(&Role::Owner)
        {
            prop_assert!(enough(before), "an owner's chain is closed by fewer than must be");
        }
    }
    Ok(())
}

/// A record of a writer, and the roles that may write it.
fn writes() -> Vec<(Body, Vec<Role>)> {
    let commits = vec![Approved { commit: "a".repeat(40).parse().unwrap(), sha256: Digest::ZERO }];
    let opened = Opened { session: "s".parse().unwrap(), records: vec![RecordId(Digest::ZERO)] };
    let people = vec![Role::Owner, Role::Admin, Role::PolicyAdmin, Role::Developer, Role::Auditor];
    let seal = Seal { heads: vec![], size: 0, root: Digest::ZERO, findings: 0 };
    vec![
        (link(), vec![Role::Developer, Role::Ci]),
        (Body::Approve(Approve { commits }), people),
        (Body::Seal(seal), vec![Role::Witness]),
        (Body::Policy(Policy { toml: String::new() }), vec![]),
        // Whoever is a member, whatever they may do else.
        (Body::Access(opened), ROLES.to_vec()),
    ]
}

/// What a writer's record must be worth, told from the rosters alone.
fn expected(rosters: &[Roster], chain: ChainId, place: Place, n: usize, may: &[Role], body: &Body) -> &'static str {
    match rosters.last().and_then(|roster| roster.closure(chain)) {
        Some(None) => return "no",
        Some(Some(last)) if place.seq > last.seq => return "no",
        Some(Some(last)) if place.seq == last.seq && place.id != last.id => return "replaced",
        _ => {}
    }
    let Some((member, from)) = rosters[n..].iter().find_map(|roster| roster.enrolment(chain)) else { return "pending" };
    let everybody = matches!(body, Body::Access(_));
    if place.seq >= from && (everybody || member.roles.iter().any(|role| may.contains(role))) { "yes" } else { "no" }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_is_written_owners_stay_in_charge_and_rights_are_as_the_roster_says(
        steps in prop::collection::vec(signed(), 0..30),
        probes in prop::collection::vec((keys(), places(), any::<bool>(), any::<prop::sample::Index>()), 12),
    ) {
        let mut history = History::default();
        let (record, signers) = first();
        history.extend(&record, &signers).unwrap();
        let mut rosters = vec![history.newest().unwrap().clone()];
        for (at, (body, signers)) in steps.into_iter().enumerate() {
            let record = policy(at as u64 + 1, body.clone());
            let signers: Vec<PublicKey> = signers.into_iter().map(|key| POOL[key].0).collect();
            let accepted = history.extend(&record, &signers).is_ok();
            let (before, after) = (rosters.last().unwrap(), history.newest().unwrap());
            if accepted {
                stays_usable(after)?;
                was_rightful(before, after, &body, &signers)?;
                rosters.push(after.clone());
            } else {
                prop_assert_eq!(before, after, "what was refused changes nothing");
            }
        }
        let ids = history.ids();
        prop_assert_eq!(ids.len(), rosters.len());
        for (key, place, other, index) in probes {
            let n = index.index(ids.len());
            let place = if other { Place { id: RecordId(Digest::of(b"another")), ..place } } else { place };
            let (chain, cited) = (POOL[key].1, Citation { n: n as u64, id: ids[n] });
            for (body, may) in writes() {
                let said = match history.standing(chain, place, Some(cited), &body) {
                    Standing::Authorised => "yes",
                    Standing::Unauthorised(_) => "no",
                    Standing::Replaced(_) => "replaced",
                    Standing::Pending => "pending",
                    Standing::UnknownPolicy => "unknown",
                };
                prop_assert_eq!(said, expected(&rosters, chain, place, n, &may, &body), "{} by {:?}", body.kind(), rosters);
            }
            let forged = Citation { id: RecordId(Digest::of(b"forged")), ..cited };
            prop_assert_eq!(history.standing(chain, place, Some(forged), &link()), Standing::UnknownPolicy);
        }
    }

    #[test]
    fn a_ledger_begins_with_owners_enough_or_not_at_all(
        members in prop::collection::vec(founders(), 0..4),
        threshold in 0..4u32,
        signers in subsequence((0..usize::from(KEYS)).collect::<Vec<_>>(), 0..=4),
    ) {
        let signers: Vec<PublicKey> = signers.into_iter().map(|key| POOL[key].0).collect();
        let mut history = History::default();
        let body = Body::Genesis(Genesis { threshold, members, nonce: String::new() });
        match history.extend(&policy(0, body), &signers) {
            Ok(()) => {
                let roster = history.newest().unwrap();
                stays_usable(roster)?;
                prop_assert!(signed_by(roster, &[Role::Owner], &signers) >= threshold as usize);
            }
            Err(_) => prop_assert!(history.newest().is_none() && history.citation().is_none()),
        }
    }
}

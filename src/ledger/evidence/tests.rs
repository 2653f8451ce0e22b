//! Tests of evidence: what good records, git and approvals tell of a range.

use super::*;
use crate::cost::{Money, PriceTable};
use crate::git::testing::Repo as Folder;
use crate::ledger::testing::{Fixture, Key, member};
use crate::ledger::verify::Options;
use crate::record::body::{Amend, AmendReason, Approve, CloseChain, Correction, Link, Place, Reason, Role, Roster};

fn evidence(fixture: &Fixture, range: &[GitId], with_calls: bool) -> Evidence {
    let options = Options { pinned: Some(fixture.id), entries: true, full: true, ..Options::default() };
    let (report, prices) = (fixture.verify(options), PriceTable::embedded());
    fixture.ledger.evidence(&Book::new(&report, prices), range, with_calls)
}

fn main(fixture: &Fixture) -> Vec<GitId> {
    history::range(&fixture.ledger.repo, "main").unwrap()
}

fn state(fixture: &Fixture, commit: &GitId) -> RecordState {
    evidence(fixture, std::slice::from_ref(commit), false).commits.remove(0).record
}

fn valid(fixture: &Fixture, link: Option<u32>) -> RecordState {
    let chain = fixture.people.developer.chain();
    RecordState::Valid { chain, member: "d\u{f6}rte@example.com".into(), roles: vec![Role::Developer], link }
}

#[test]
fn good_records_tell_of_lines_models_and_what_was_used() {
    let fixture = Fixture::new();
    let evidence = evidence(&fixture, &main(&fixture), false);
    let [first, second, third] = &evidence.commits[..] else { panic!() };
    assert_eq!(first.record, valid(&fixture, None));
    assert_eq!(first.lines, Some(Lines { added: 1, agent: 1, human: 0, unattributed: 0 }));
    assert!(first.files.whole && first.draws.whole);
    let opus = Model { provider: Some("anthropic".into()), name: "claude-opus-4-5".into() };
    let [file] = &first.files.known[..] else { panic!() };
    assert_eq!(
        (file.path.as_str(), file.agents[0].model.as_ref(), file.agents[0].lines),
        ("src/gr\u{fc}\u{df}e.rs", Some(&opus), 1)
    );
    let [draw] = &first.draws.known[..] else { panic!() };
    assert_eq!((draw.author.as_str(), draw.day.as_str()), ("d\u{f6}rte@example.com", "2026-01-01"));
    assert!(draw.models.whole);
    assert_eq!((&draw.models.known[0].model, draw.models.known[0].tokens), (&opus, 17_352));
    assert!(draw.models.known[0].cost > Some(Money::default()));
    // Each draws on what the one before it did not; nobody used anything else on that day.
    assert_eq!(second.draws.known[0].models.known.len(), 1);
    assert_eq!(third.draws.known[0].author, "olga@example.com");
    assert_eq!(evidence.earlier.len(), 2);
    assert!(evidence.earlier.iter().all(|e| e.spent.tokens == Partly::whole(0)), "{:?}", evidence.earlier);
    let [session] = &evidence.sessions[..] else { panic!() };
    assert_eq!(session.spent.tokens, Partly::whole(3 * 17_352));
    // That Edit was called, records tell; when, and how cargo ended, they do not.
    assert_eq!((session.tools.known[0].name.as_str(), session.tools.whole), ("Edit", true));
    assert_eq!(session.programs.known[0].succeeded, Partly::part(0));
    assert_eq!(session.last_edit, LastEdit::Unknown);
    assert!(evidence.approvals.whole && evidence.approvals.known.is_empty());

    // What the range does not draw on was used beside it.
    let alone = self::evidence(&fixture, &main(&fixture)[..1], false);
    assert_eq!(alone.earlier[0].spent.tokens, Partly::whole(17_352));
}

#[test]
fn without_a_good_record_only_git_speaks() {
    let fixture = Fixture::new();
    let parent = main(&fixture).pop().unwrap();
    let code = fixture.code(Some(&parent), "src/new.rs", "one\ntwo\n");
    let evidence = evidence(&fixture, std::slice::from_ref(&code), false);
    let [commit] = &evidence.commits[..] else { panic!() };
    assert_eq!((&commit.record, commit.lines, commit.draws.whole), (&RecordState::Missing, None, false));
    let files = commit.files.known.iter().map(|file| (file.path.as_str(), file.lines)).collect::<Vec<_>>();
    assert_eq!(files, [("a b.txt", None), ("src/new.rs", None)]);
    assert!(commit.files.whole);
    assert_eq!(commit.author, "d\u{f6}rte@example.com");

    // A key that nobody has enrolled says what it likes; a member's word goes before it, later or not.
    let stranger = &fixture.people.stranger;
    fixture.open(stranger, "x@example.com");
    fixture.record_commit(stranger, &code);
    assert_eq!(state(&fixture, &code), RecordState::Pending { chain: stranger.chain() });
    fixture.record_commit(&fixture.people.developer, &code);
    assert_eq!(state(&fixture, &code), valid(&fixture, None));

    let nowhere: GitId = "ab".repeat(20).parse().unwrap();
    let evidence = self::evidence(&fixture, &[nowhere], false);
    assert_eq!((&evidence.commits[0].record, evidence.commits[0].files.whole), (&RecordState::Missing, false));
}

#[test]
fn approvals_are_of_commits_as_they_are_by_members_as_they_were() {
    let fixture = Fixture::new();
    let (key, other) = (Key::new(9), Key::new(10));
    let aud = |role: Role| vec![member("aud@example.com", "Aud", &[role], &[&key])];
    fixture.roster(&[&fixture.people.owner], aud(Role::Auditor));
    let commits = main(&fixture);
    let approve = |key: &Key, commit: &GitId, sha256: Option<Digest>| {
        let bytes = fixture.ledger.repo.read_checked(commit, Kind::Commit).unwrap();
        let approved = Approved { commit: commit.clone(), sha256: sha256.unwrap_or_else(|| Digest::of(&bytes)) };
        let body = Body::Approve(Approve { commits: vec![approved] });
        fixture.append(key.chain(), &[key], body, None)
    };
    fixture.open(&key, "aud@example.com");
    approve(&key, &commits[0], None);
    approve(&key, &commits[1], Some(Digest::ZERO));
    let approved = || {
        let known = evidence(&fixture, &commits, false).approvals;
        let told = known.known.into_iter().map(|approval| (approval.commit, approval.member, approval.roles));
        (told.collect::<Vec<_>>(), known.whole)
    };
    let by = |roles: &[Role]| (commits[0].clone(), "aud@example.com".to_owned(), roles.to_vec());
    // The one of another commit does not hold, so that it is not known whether these are all.
    assert_eq!(approved(), (vec![by(&[Role::Auditor])], false));
    // What they may do later changes nothing about it.
    fixture.roster(&[&fixture.people.owner], aud(Role::Developer));
    approve(&key, &commits[0], None);
    assert_eq!(approved().0, [by(&[Role::Auditor]), by(&[Role::Developer])]);
    // Nor does a key that nobody has enrolled.
    fixture.open(&other, "aud@example.com");
    approve(&other, &commits[0], None);
    assert_eq!(approved().0.len(), 2);
    let id = fixture.ids(key.chain())[1];
    let amend = Amend { record: id, reason: AmendReason::Wrong, correction: Correction::default() };
    fixture.append(key.chain(), &[&key], Body::Amend(amend), None);
    assert_eq!(approved().0, [by(&[Role::Developer])]);
}

#[test]
fn a_record_that_does_not_hold_is_told_as_such() {
    let fixture = Fixture::new();
    let commits = main(&fixture);
    let developer = &fixture.people.developer;
    let at = fixture.load(developer.chain()).iter().position(|raw| raw.text().contains("\"type\":\"commit\"")).unwrap();
    fixture.tamper(developer.chain(), |raws| {
        let text = raws[at].text().replace("\"agent\":1", "\"agent\":0");
        raws[at].set_record(text.into_bytes());
    });
    let RecordState::Invalid { why } = state(&fixture, &commits[0]) else { panic!() };
    assert!(why.contains("E-SIG"), "{why}");
}

#[test]
fn a_rewritten_commit_has_the_lines_that_others_recorded() {
    let fixture = Fixture::new();
    let developer = &fixture.people.developer;
    let text = "fn reconcile_accounts() {\n    let balance_of_the_day = ledger.balance();\n}\n";
    let old = fixture.code(None, "src/long.rs", text);
    fixture.record_commit(developer, &old);
    // The same change on another base, and a line of nobody's known.
    let other = fixture.code(Some(&main(&fixture)[2]), "src/long.rs", &format!("{text}// more of it\n"));
    assert_eq!(state(&fixture, &other), RecordState::Missing);
    let alien = fixture.code(None, "src/long.rs", "fn something_else_altogether() {}\n");
    for new in [&other, &alien] {
        let link = Link { old: old.clone(), new: new.clone(), found_by: "link".into(), level: 3 };
        fixture.append(developer.chain(), &[developer], Body::Link(link), None);
    }
    assert_eq!(state(&fixture, &alien), RecordState::Missing, "they have nothing in common");
    let evidence = evidence(&fixture, std::slice::from_ref(&other), false);
    let commit = &evidence.commits[0];
    assert_eq!(commit.record, valid(&fixture, Some(1)), "it counts for what is found, not for what it claims");
    assert_eq!(commit.lines, Some(Lines { added: 4, agent: 3, human: 0, unattributed: 1 }));
    assert!(commit.draws.whole && commit.draws.known.len() == 1);
}

#[test]
fn one_who_left_wrote_what_they_wrote() {
    let fixture = Fixture::new();
    let (admin, chain) = (&fixture.people.admin, fixture.people.developer.chain());
    let ids = fixture.ids(chain);
    let last = Place { seq: ids.len() as u64 - 1, id: ids[ids.len() - 1] };
    let close = CloseChain { chain, last: Some(last), reason: Reason::Left };
    fixture.append(ChainId::Policy, &[admin], Body::CloseChain(close), None);
    let gone = Roster { remove: vec!["d\u{f6}rte@example.com".into()], ..Roster::default() };
    fixture.append(ChainId::Policy, &[admin], Body::Roster(gone), None);
    assert_eq!(state(&fixture, &main(&fixture)[0]), valid(&fixture, None));
}

#[test]
fn git_names_the_files_that_commits_change() {
    let folder = Folder::new();
    let commit = |message: &str| {
        folder.git(&["add", "-A"]);
        folder.git(&["commit", "-q", "--allow-empty", "-m", message]);
    };
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("a\u{e9}\nb", "1\n");
    commit("1");
    folder.git(&["checkout", "-q", "-b", "side"]);
    write("side", "1\n");
    commit("2");
    folder.git(&["checkout", "-q", "-"]);
    std::fs::rename(folder.path().join("a\u{e9}\nb"), folder.path().join("c")).unwrap();
    commit("3");
    folder.git(&["merge", "-q", "--no-ff", "-m", "4", "side"]);
    commit("5");
    let repo = crate::git::repo::Repo::discover(folder.path()).unwrap();
    let all = history::range(&repo, "HEAD").unwrap();
    let paths = diff::changed_paths(&repo, &all).unwrap();
    let mut told: Vec<Vec<String>> =
        all.iter().map(|id| paths[id].iter().map(|path| path.as_str().to_owned()).collect()).collect();
    told.sort();
    let quoted = "\"a\\303\\251\\nb\"".to_owned();
    let quoted = paths[&all[0]].first().map_or(quoted, |path| path.as_str().to_owned());
    assert_eq!(told, [vec![], vec![], vec![quoted.clone()], vec![quoted, "c".into()], vec!["side".into()]]);
}

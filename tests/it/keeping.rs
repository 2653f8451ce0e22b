//! Journeys of keeping: checks and approvals, corrections, retention, holds, pruning, audits, and new keys.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::agent::Agent;
use crate::ledger::Team;
use crate::support::World;
use crate::verify_sh;

const SESSION: &str = "0b7d3a52-6c1e-4f0a-9d3b-1f2e3d4c5b6a";
const YEAR: i64 = 366 * 24 * 3600;

/// Ada's ledger with a session and a commit that draws on it, all of it at the remote.
fn with_session() -> Team {
    let team = Team::new();
    let agent = Agent::start(&team.ada, &team.work, SESSION);
    agent.prompt("Write it.").write("a.rs", "one\ntwo\n");
    team.ada.commit(&team.work, "Add a");
    team.ada.git(&team.work, ["push", "--quiet", "origin", "main"]).ok();
    team
}

fn payloads(world: &World, dir: &Path, prefix: &str) -> usize {
    world.refs(dir, prefix).keys().filter(|name| name.contains("/payload/")).count()
}

fn policy_of(world: &World, dir: &Path, kind: &str) -> Vec<Value> {
    let records = world.records_at(dir, "refs/tracevault/policy").into_iter();
    records.filter(|record| record["type"] == kind).map(|record| record["body"].clone()).collect()
}

#[test]
fn a_check_is_recorded_once_and_an_approval_lets_a_commit_go() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let (bob, bobs) = team.join("Bob");
    ada.run(work, ["member", "set", "bob@example.com", "--role", "auditor"]).ok();
    let rules = "[[rule]]\nname = \"keys\"\nlevel = \"block\"\ncondition = \"sensitive-paths\"\npaths = [\"secrets\"]\n\
                 reviewer = \"auditor\"\n";
    ada.feed(work, ["policy", "set", "-"], rules.as_bytes()).ok();
    let agent = Agent::start(ada, work, SESSION);
    agent.prompt("Write it.").write("secrets/key.rs", "one\n");
    let commit = ada.commit(work, "Add a key");
    let push = || ada.git(work, ["push", "origin", "main"]);
    let checks = || ada.records_of(work, "check");
    let stopped = push().exits(1);
    assert!(stopped.stderr.contains("which no other auditor has approved"), "{}", stopped.stderr);
    let [body] = &checks()[..] else { panic!() };
    assert_eq!((&body["verdict"], &body["range"]["commits"]), (&json!("fail"), &json!(1)));
    assert_eq!((&body["range"]["last"], &body["rules"]["n"]), (&json!(commit), &json!(3)));
    let found =
        json!({"rule": "keys", "level": "block", "outcome": "violated", "commit": commit, "path": "secrets/key.rs"});
    assert_eq!(body["findings"], json!([found]));
    // The same is not said twice.
    push().exits(1);
    ada.run(work, ["check", "--record", "HEAD"]).exits(1);
    assert_eq!(checks().len(), 1);

    let own = ada.run(work, ["approve", "HEAD"]).exits(2);
    assert!(own.stderr.contains("your own"), "{}", own.stderr);
    // The reviewer looks at a branch that was pushed for it.
    ada.git(work, ["push", "--quiet", "--no-verify", "origin", "main:refs/heads/review"]).ok();
    ada.run(work, ["push"]).ok();
    bob.git(&bobs, ["fetch", "--quiet"]).ok();
    bob.run(&bobs, ["fetch"]).ok();
    bob.run(&bobs, ["approve", "origin/review"]).ok();
    bob.run(&bobs, ["push"]).ok();
    ada.run(work, ["fetch"]).ok();
    ada.run(work, ["check", "--record", "HEAD"]).exits(0);
    assert_eq!(checks().len(), 2);
    assert_eq!(checks()[1]["verdict"], "pass");
    push().exits(0);
    ada.run(work, ["verify", "--full"]).exits(0);
    // One that is another now has not been approved; nor has one whose approval was taken back.
    ada.git(work, ["commit", "--quiet", "--amend", "-m", "Add the key"]).code.unwrap();
    assert_eq!(ada.run(work, ["check", "--json", "HEAD"]).exits(1).code, Some(1));
    ada.run(work, ["check", &commit]).exits(0);
    let approval = bob.records_at(&bobs, &bob.own_chain(&bobs)).pop().unwrap();
    assert_eq!(approval["type"], "approve");
    let id = bob.run(&bobs, ["verify", "--json"]);
    let told: Value = serde_json::from_str(&id.stdout).unwrap();
    let own = bob.own_chain(&bobs);
    let chains = told["chains"].as_array().unwrap();
    let head = chains.iter().find(|chain| own.ends_with(chain["chain"].as_str().unwrap())).unwrap()["head"].clone();
    bob.run(&bobs, ["amend", head.as_str().unwrap(), "--reason", "wrong"]).ok();
    bob.run(&bobs, ["push"]).ok();
    ada.run(work, ["fetch"]).ok();
    ada.run(work, ["check", &commit]).exits(1);
    ada.run(work, ["verify", "--full"]).exits(0);
}

#[test]
fn a_record_is_amended_by_those_who_may() {
    let team = with_session();
    let (ada, work) = (&team.ada, &team.work);
    let (bob, bobs) = team.join("Bob");
    let told = ada.run(work, ["log", "-n", "1", "--json"]).json();
    let record = told["record"].as_str().unwrap();
    let other = bob.run(&bobs, ["amend", record, "--reason", "wrong"]).exits(2);
    assert!(other.stderr.contains("somebody else wrote"), "{}", other.stderr);
    bob.run(&bobs, ["amend", "0123456789ab", "--reason", "wrong"]).exits(2);
    bob.run(&bobs, ["amend", record, "--reason", "mood"]).exits(2);
    let told = ada.run(work, ["amend", &record[..10], "--reason", "incomplete", "--json"]).json();
    assert_eq!(told["amends"], record);
    ada.run(work, ["verify", "--full"]).exits(0);
    let shown = ada.run(work, ["show", record]).ok();
    assert!(shown.contains("amended by") && shown.contains("incomplete"), "{shown}");
}

#[test]
fn retention_is_chosen_and_not_lowered() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    assert!(ada.run(work, ["compliance"]).ok().contains("Nobody has chosen"));
    assert_eq!(ada.run(work, ["compliance", "show", "--json"]).json(), Value::Null);
    let short = ada.run(work, ["compliance", "set", "sox=6y"]).exits(2);
    assert!(short.stderr.contains("7 years at least"), "{}", short.stderr);
    let asked = ada.run(work, ["compliance", "set", "sox"]).exits(2);
    assert!(asked.stderr.contains("--yes"), "{}", asked.stderr);
    ada.run(work, ["compliance", "set", "mrm", "sox", "--yes"]).ok();
    let told = ada.run(work, ["compliance", "show", "--json"]).json();
    assert_eq!((&told["months"], &told["floor_months"]), (&json!(84), &json!(84)));
    assert_eq!(told["frameworks"][1]["title"], "SR 11-7 and SR 26-2 (model risk management)");
    let lower = ada.run(work, ["compliance", "set", "pci-dss", "--yes"]).exits(2);
    assert!(lower.stderr.contains("7 years at least"), "{}", lower.stderr);
    ada.run(work, ["compliance", "set", "custom=8y"]).ok();
    ada.run(work, ["push"]).ok();
    let (bob, bobs) = team.join("Bob");
    let refused = bob.run(&bobs, ["compliance", "set", "custom=9y"]).exits(2);
    assert!(refused.stderr.contains("none of its signers may write it"), "{}", refused.stderr);
    bob.run(&bobs, ["verify", "--full"]).exits(0);
}

#[test]
fn payloads_expire_unless_they_are_held() {
    let team = with_session();
    let (ada, work) = (&team.ada, &team.work);
    let (bob, bobs) = team.join("Bob");
    let prune = |args: &[&str]| ada.run(work, [&["prune"], args].concat());
    assert!(prune(&["--yes"]).exits(2).stderr.contains("Nobody has chosen"));
    ada.run(work, ["compliance", "set", "pci-dss", "--yes"]).ok();
    let states = || {
        let text = prune(&["--dry-run", "--json"]).ok();
        let state = |line: &str| serde_json::from_str::<Value>(line).unwrap()["state"].as_str().unwrap().to_owned();
        text.lines().map(state).collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    assert_eq!(states(), ["kept"]);
    ada.pass(YEAR + 32 * 24 * 3600);
    assert_eq!(states(), ["expired"]);

    ada.run(work, ["hold", "case-7", "--session", SESSION]).ok();
    assert_eq!(states(), ["held"]);
    let listed = ada.run(work, ["hold", "list", "--json"]).json();
    assert_eq!((&listed["case"], &listed["shelves"][0]["month"]), (&json!("case-7"), &json!("2026-01")));
    ada.run(work, ["hold", "case-8", "--session", "nobody"]).exits(2);
    let odd = ada.run(work, ["hold", "case-8", "--month", "2026-13"]).exits(2);
    assert!(odd.stderr.contains("a month of the form 2026-11"), "{odd:?}");
    let odd = ada.run(work, ["hold", "case-8", "--chain", "0123"]).exits(2);
    assert!(odd.stderr.contains("no chain fits 0123") && odd.stderr.contains("ada@example.com"), "{odd:?}");
    assert!(prune(&["--yes"]).exits(0).stdout.contains("0 months"));
    ada.run(work, ["push"]).ok();
    assert_eq!(ada.refs(&team.remote, "refs/tracevault/hold").len(), 1);
    bob.run(&bobs, ["fetch"]).ok();
    let refused = bob.run(&bobs, ["release", "case-7", "--yes"]).exits(2);
    assert!(refused.stderr.contains("none of its signers may write it"), "{}", refused.stderr);
    let released = ada.run(work, ["release", "case-7", "--yes"]).ok();
    assert!(released.ends_with("Released case case-7, and told origin."), "{released}");
    assert_eq!(ada.refs(&team.remote, "refs/tracevault/hold").len(), 0);
    assert_eq!(states(), ["expired"]);

    let asked = prune(&[]).exits(2);
    assert!(asked.stderr.contains("--yes"), "{}", asked.stderr);
    // A remote that lets nobody delete keeps them; what was written down is done later.
    let hook = ada.write(&team.remote, "hooks/update", "#!/bin/sh\nexpr \"$3\" : '.*[^0]' >/dev/null\n");
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    let kept = prune(&["--yes"]).exits(2);
    assert!(kept.stderr.contains("payload/") && kept.stderr.contains("administrator"), "{}", kept.stderr);
    assert!(payloads(ada, &team.remote, "refs/tracevault") > 0);
    std::fs::remove_file(hook).unwrap();
    assert_eq!(states(), ["pruned"]);
    prune(&["--yes"]).ok();
    assert_eq!(policy_of(ada, work, "prune").len(), 1);
    assert_eq!(payloads(ada, &team.remote, "refs/tracevault"), 0);
    assert_eq!(payloads(ada, work, "refs"), 0);

    let verdict = ada.run(work, ["verify", "--full"]).exits(0);
    assert!(verdict.stdout.contains("W-PRUNED"), "{verdict:?}");
    // Others' copies go when they hear of it, and nobody's push brings them back.
    assert!(payloads(&bob, &bobs, "refs/tracevault-local") > 0);
    bob.run(&bobs, ["fetch"]).ok();
    assert_eq!(payloads(&bob, &bobs, "refs"), 0);
    let verdict = bob.run(&bobs, ["verify"]).exits(0);
    assert!(verdict.stdout.contains("W-PRUNED"), "{verdict:?}");
    ada.commit_file(work, "b", "b\n");
    ada.git(work, ["push", "--quiet", "origin", "main"]).ok();
    assert_eq!(payloads(ada, &team.remote, "refs/tracevault"), 0);
}

#[test]
fn audits_and_decisions_are_signed() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let bob = ada.other("Bob");
    let bobs = bob.clone(&team.remote, "bob");
    bob.run(&bobs, ["init"]).ok();
    bob.run(&bobs, ["push"]).ok();
    let told = ada.run(work, ["audit", "--json"]).json();
    assert_eq!((&told["verdict"], &told["findings"]), (&json!("pass"), &json!([])));
    ada.run(work, ["fetch"]).ok();
    ada.run(work, ["audit"]).exits(2);
    let audits = policy_of(ada, work, "audit");
    assert_eq!(audits[1]["findings"], json!([{"code": "E-PENDING", "count": 1}]));
    assert_eq!(audits[1]["heads"].as_array().unwrap().len(), 2);

    let chain = bob.own_chain(&bobs).rsplit('/').next().unwrap().to_owned();
    let decide = |code: &str| ada.run(work, ["adjudicate", code, &chain, "--decision", "accepted"]);
    assert!(decide("E-FORK").exits(2).stderr.contains("verify finds no E-FORK"));
    decide("E-PENDING").ok();
    // It is told, and changes nothing.
    let verdict = ada.run(work, ["verify"]).exits(2);
    assert!(verdict.stdout.contains("accepted by policy record 3"), "{verdict:?}");
    let verdict = ada.run(work, ["verify", "--json"]).exits(2);
    let verdict: Value = serde_json::from_str(&verdict.stdout).unwrap();
    assert_eq!(verdict["findings"][0]["decided"], json!({"n": 3, "decision": "accepted"}));
}

#[test]
fn a_clone_goes_on_with_a_new_key() {
    let team = with_session();
    let (ada, work) = (&team.ada, &team.work);
    let before = ada.own_chain(work);
    let asked = ada.run(work, ["key", "rotate"]).exits(2);
    assert!(asked.stderr.contains("--yes"), "{}", asked.stderr);
    assert_eq!(ada.own_chain(work), before);
    ada.run(work, ["key", "rotate", "--yes"]).ok();
    let after = ada.own_chain(work);
    assert_ne!(before, after);
    let last = ada.records_at(work, &before).pop().unwrap();
    assert_eq!(last["type"], "close");
    assert_eq!(last["body"]["successor"], ada.records(work)[0]["body"]["public_key"]);
    ada.commit_file(work, "b", "b\n");
    ada.git(work, ["push", "--quiet", "origin", "main"]).ok();
    assert_eq!(ada.refs(&team.remote, "refs/tracevault/log").len(), 2);
    let clone = ada.clone(&team.remote, "other");
    ada.run(&clone, ["fetch"]).ok();
    ada.run(&clone, ["verify", "--full"]).exits(0);
    let listed = ada.run(work, ["key", "list"]).ok();
    assert!(listed.contains("closed") && listed.contains("enrolled"), "{listed}");

    // Whoever may not enrol asks for it.
    let (bob, bobs) = team.join("Bob");
    bob.commit_file(&bobs, "c", "c\n");
    let old = bob.own_chain(&bobs).rsplit('/').next().unwrap().to_owned();
    let told = bob.run(&bobs, ["key", "rotate", "--yes"]).ok();
    assert!(told.contains("pending") && told.contains("member add"), "{told}");
    let new = bob.own_chain(&bobs).rsplit('/').next().unwrap().to_owned();
    bob.run(&bobs, ["push"]).ok();
    ada.run(work, ["fetch"]).ok();
    ada.run(work, ["verify"]).exits(2);
    ada.run(work, ["member", "add", &new]).ok();
    ada.run(work, ["key", "close", &old, "--reason", "rotated", "--yes"]).ok();
    ada.run(work, ["verify", "--full"]).exits(0);
}

#[test]
fn a_change_of_keys_that_was_cut_short_goes_on() {
    let team = with_session();
    let (ada, work) = (&team.ada, &team.work);
    let before = ada.own_chain(work);
    // Git's configuration cannot be written: as if the process were killed between the end of the old chain and the switch.
    let lock = work.join(".git/config.lock");
    std::fs::write(&lock, "").unwrap();
    ada.run(work, ["key", "rotate", "--yes"]).exits(2);
    std::fs::remove_file(&lock).unwrap();
    assert_eq!(ada.own_chain(work), before);
    let ended = ada.records_at(work, &before);
    let last = ended.last().unwrap();
    assert_eq!(last["type"], "close");

    // Nothing follows the end of the chain; commits go on, and wait for their records.
    ada.write(work, "b", "b\n");
    ada.git(work, ["add", "b"]).ok();
    let told = ada.git(work, ["commit", "--quiet", "-m", "b"]).exits(0);
    assert!(told.stderr.contains("was closed") && told.stderr.contains("git tracevault doctor"), "{told:?}");
    let asked = ada.run(work, ["doctor"]).exits(1);
    assert!(asked.stdout.contains("git tracevault key rotate"), "{asked:?}");
    let refused = ada.git(work, ["push", "--quiet", "origin", "main"]).exits(1);
    assert!(refused.stderr.contains("git tracevault key rotate"), "{refused:?}");
    assert_eq!(ada.records_at(work, &before).len(), ended.len());
    ada.run(work, ["verify", "--full"]).exits(0);

    ada.run(work, ["key", "rotate", "--yes"]).ok();
    assert_eq!(ada.records_at(work, &before).len(), ended.len(), "it is not ended twice");
    assert_eq!(last["body"]["successor"], ada.records(work)[0]["body"]["public_key"]);
    ada.git(work, ["push", "--quiet", "origin", "main"]).ok();
    ada.passes(work, "HEAD");
    let clone = ada.clone(&team.remote, "other");
    ada.run(&clone, ["fetch"]).ok();
    ada.run(&clone, ["verify", "--full"]).exits(0);
}

#[test]
fn what_sessions_cost_is_known_across_a_change_of_keys() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let agent = Agent::start(ada, work, SESSION);
    agent.prompt("Write.").write("a", "one\n");
    ada.commit(work, "One");
    // What it does now is recorded when the old chain ends, and drawn on by a commit on the new one.
    agent.prompt("More.").write("b", "two\n");
    ada.run(work, ["key", "rotate", "--yes"]).ok();
    let two = ada.commit(work, "Two");
    agent.prompt("And more.").write("c", "three\n");
    ada.commit(work, "Three");
    ada.git(work, ["push", "--quiet", "origin", "main"]).ok();
    let drawn = &ada.record_of(work, &two)["sessions"][0]["record"];
    let own = ada.records(work).len();
    assert!(own > 2 && !ada.run(work, ["show", drawn.as_str().unwrap()]).ok().contains("\"type\": \"close\""));

    let costs: Vec<f64> = ["HEAD~2", "HEAD~1", "HEAD"]
        .map(|at| {
            let told = ada.run(work, ["log", "-n", "1", "--json", at]).json();
            told["cost_usd"].as_f64().unwrap_or_else(|| panic!("what {at} cost is known: {told}"))
        })
        .into();
    assert!(costs.iter().all(|cost| *cost > 0.0), "{costs:?}");
    let shown = ada.run(work, ["show", "--json", SESSION]).ok();
    let whole = serde_json::from_str::<Value>(shown.lines().next().unwrap()).unwrap()["cost_usd"].as_f64().unwrap();
    assert!((costs.iter().sum::<f64>() - whole).abs() < 1e-9, "{costs:?} of {whole}");
    verify_sh::agree(ada, work, 0, "");
}

//! The second net: a secret that only today's rules know does not leave, and the command that the push names mends it.

use std::path::Path;

use serde_json::{Value, json};

use crate::agent::Agent;
use crate::ledger::{Team, everything};
use crate::mcp_client::Client;
use crate::support::World;
use crate::verify_sh::agree;

const SESSION: &str = "0b7d3a52-6c1e-4f0a-9d3b-1f2e3d4c5b6a";
const SECRET: &str = "acme_12345678";

/// From now on there is a rule for it.
fn learn(world: &World) {
    let rule = "[[rule]]\nid = \"acme-key\"\npattern = 'acme_(\\d{8})'\n";
    world.write(&world.home(), ".config/git-tracevault/redaction.toml", rule);
}

/// A session that says the secret, in its conversation and in what a shell wrote, and a commit of what it did beside.
fn work(world: &World, dir: &Path) {
    let agent = Agent::start(world, dir, SESSION);
    agent.prompt(&format!("Sell pears with {SECRET}."));
    agent.write("pears.py", "pears = 1\n");
    agent.end();
    world.commit(dir, "Sell pears");
}

fn knows(world: &World, dir: &Path) -> bool {
    everything(world, dir).windows(8).any(|window| window == &SECRET.as_bytes()[5..])
}

/// The command behind `hint: git tracevault`, of a push that is stopped for the secret.
#[track_caller]
fn mends(stderr: &str) -> Vec<String> {
    assert!(stderr.contains("acme-key 1") && stderr.contains(SESSION), "{stderr}");
    assert!(!stderr.contains("12345678"), "{stderr}");
    let hint = stderr.lines().find_map(|line| line.strip_prefix("hint: git tracevault ")).unwrap();
    hint.split(' ').map(str::to_owned).collect()
}

fn payload_ref(world: &World, dir: &Path) -> String {
    world.refs(dir, "refs/tracevault/payload/transcript").into_keys().next().unwrap()
}

#[test]
fn a_secret_that_a_new_rule_knows_does_not_leave() {
    let team = Team::new();
    let (ada, dir) = (&team.ada, team.work.as_path());
    work(ada, dir);
    learn(ada);
    let stopped = ada.git(dir, ["push", "origin", "main"]).exits(1);
    let command = mends(&stopped.stderr);
    assert_eq!(command[2..], ["--reason", "secret", "--redact"]);
    assert_eq!(mends(&ada.run(dir, ["push"]).exits(2).stderr), command);
    assert_eq!(mends(&ada.run(dir, ["sync"]).exits(2).stderr), command);
    assert_eq!(ada.refs(&team.remote, "refs/tracevault/payload").len(), 0);

    ada.run(dir, ["amend", &command[1], "--reason", "wrong", "--redact"]).exits(2);
    let done = ada.run(dir, &command).ok();
    assert!(done.contains("acme-key 1") && done.contains("git gc --prune=now") && !done.contains("12345678"), "{done}");
    let again = ada.run(dir, &command).ok();
    assert!(again.contains("nothing to amend") && !again.contains("Taken off"), "{again}");
    ada.git(dir, ["push", "--quiet", "origin", "main"]).ok();
    assert!(!knows(ada, &team.remote), "the secret left");
    agree(ada, dir, 0, "W-REPLACED");
    ada.run(dir, ["verify"]).exits(0);

    // Everybody reads what stands there instead.
    let (bob, bobs) = team.join("Bob");
    let redacted = "Sell pears with acme_[REDACTED:acme-key:";
    assert!(bob.run(&bobs, ["show", SESSION]).ok().contains(redacted));
    assert!(bob.run(&bobs, ["export", "--session", SESSION]).ok().contains(redacted));
    assert!(bob.run(&bobs, ["why", "pears.py:1"]).ok().contains("Sell pears with acme_[REDACTED"));
    agree(&bob, &bobs, 0, "W-REPLACED");
    ada.git(dir, ["gc", "--quiet", "--prune=now"]).ok();
    assert!(!knows(ada, dir), "it lies here still");
    agree(ada, dir, 0, "W-REPLACED");
}

#[test]
fn what_was_pushed_already_stays_and_that_is_said() {
    let team = Team::new();
    let (ada, dir) = (&team.ada, team.work.as_path());
    work(ada, dir);
    ada.git(dir, ["push", "--quiet", "origin", "main"]).ok();
    let (bob, bobs) = team.join("Bob");
    let finds = |word: &str| {
        bob.run(&bobs, ["fetch"]).ok();
        let mut client = Client::of(&bob, &bobs, "2025-11-25");
        let found = client.call("search", json!({"text": word}))["sessions"].as_array().unwrap().len();
        let why = client.call("why", json!({"file": "pears.py", "line": 1})).to_string();
        client.ends();
        (found, why.contains("12345678"))
    };
    assert_eq!(finds("12345678"), (1, true));
    learn(ada);
    // What is there already is not searched again.
    ada.commit_file(dir, "b", "b\n");
    ada.git(dir, ["push", "--quiet", "origin", "main"]).ok();
    let commits = ada.records_of(dir, "commit");
    let record = commits.iter().find_map(|commit| commit["sessions"][0]["record"].as_str()).unwrap().to_owned();
    let amend = || ada.run(dir, ["amend", &record, "--reason", "secret", "--redact"]).ok();
    let done = amend();
    assert!(done.contains("were pushed before") && done.contains("replace the secrets"), "{done}");
    assert!(done.contains("git tracevault prune"), "{done}");
    assert!(ada.run(dir, ["show", SESSION]).ok().contains("[REDACTED:acme-key:"));
    ada.git(dir, ["push", "--quiet", "origin", "main"]).ok();
    ada.run(dir, ["push"]).ok();
    assert_eq!((finds("12345678"), finds("pears").0), ((0, false), 1), "nobody finds it any more");
    agree(ada, dir, 0, "");
    assert!(ada.codes(dir).is_empty(), "all of it is here");

    // What is held is not replaced; what expired goes with what replaced it.
    ada.run(dir, ["compliance", "set", "pci-dss", "--yes"]).ok();
    ada.run(dir, ["hold", "case-7", "--session", SESSION]).ok();
    let held = ada.run(dir, ["amend", &record, "--reason", "secret", "--redact"]).exits(2);
    assert!(held.stderr.contains("held for case case-7"), "{held:?}");
    ada.run(dir, ["release", "case-7", "--yes"]).ok();
    ada.pass((366 + 32) * 24 * 3600);
    ada.run(dir, ["prune", "--yes"]).ok();
    assert_eq!(ada.refs(&team.remote, "refs/tracevault/payload").len(), 0);
    agree(ada, dir, 0, "W-PRUNED");
    assert_eq!(ada.codes(dir), ["W-PRUNED"]);
}

#[test]
fn an_amendment_that_was_cut_short_is_finished_by_the_next_push() {
    let team = Team::new();
    let (ada, dir) = (&team.ada, team.work.as_path());
    work(ada, dir);
    learn(ada);
    let command = mends(&ada.run(dir, ["push"]).exits(2).stderr);
    let name = payload_ref(ada, dir);
    let before = ada.refs(dir, &name)[&name].clone();
    ada.run(dir, &command).ok();
    // As if the process were killed when the record stood and nothing was taken off yet.
    let script = r#"export GIT_INDEX_FILE="$PWD/.git/both"; { git ls-tree -r "$1"; git ls-tree -r "$2"; } |
        git update-index --index-info; git update-ref "$2" "$(git commit-tree -p "$1" -m payload "$(git write-tree)")""#;
    let both = ada.command("sh", dir).args(["-c", script, "-", &before, &name]).status().unwrap();
    assert!(both.success() && ada.run(dir, ["show", SESSION]).ok().contains("[REDACTED:acme-key:"));
    let session = ada.records_of(dir, "session").remove(0);
    let payload = &session["payloads"][0];
    let pieces: Vec<Value> = payload["pieces"].as_array().unwrap().iter().map(|p| p["sha256"].clone()).collect();
    let chain = name.rsplit('/').next().unwrap();
    let shelf = json!({"chain": chain, "class": payload["class"], "month": payload["month"]});
    ada.write(dir, ".git/tracevault/replaced.json", &json!([[shelf, pieces]]).to_string());
    ada.run(dir, ["verify", "--full"]).exits(0);
    ada.git(dir, ["push", "--quiet", "origin", "main"]).ok();
    assert!(!dir.join(".git/tracevault/replaced.json").exists());
    assert!(!knows(ada, &team.remote), "the secret left");
    agree(ada, dir, 0, "W-REPLACED");
}

#[test]
fn what_is_encrypted_is_searched_by_who_can_open_it_and_stays_encrypted() {
    let team = Team::new();
    let (ada, dir) = (&team.ada, team.work.as_path());
    let (ann, anns) = team.join("Ann");
    ada.run(dir, ["member", "set", "ann@example.com", "--role", "auditor"]).ok();
    ada.feed(dir, ["policy", "set", "-"], b"[payloads]\nencrypt = [\"transcript\"]\n").ok();
    work(ada, dir);
    learn(ada);
    let command = mends(&ada.run(dir, ["push"]).exits(2).stderr);
    let key = std::path::PathBuf::from(ada.git(dir, ["config", "tracevault.key"]).ok()).with_extension("age");
    let aside = key.with_extension("aside");
    std::fs::rename(&key, &aside).unwrap();
    let closed = ada.run(dir, &command).exits(2);
    assert!(closed.stderr.contains("cannot be redacted again"), "{closed:?}");
    std::fs::rename(&aside, &key).unwrap();
    ada.run(dir, &command).ok();
    let amend = ada.records_of(dir, "amend").remove(0);
    assert_eq!(amend["correction"]["payloads"][0]["encryption"], "gzip-age");
    ada.git(dir, ["push", "--quiet", "origin", "main"]).ok();
    ann.run(&anns, ["fetch"]).ok();
    assert!(ann.run(&anns, ["show", SESSION]).ok().contains("[REDACTED:acme-key:"));
    agree(&ann, &anns, 0, "W-REPLACED");

    // What this clone cannot open goes, and that is told.
    let agent = Agent::start(ada, dir, "later-1");
    agent.prompt("Sell plums with acme_12345678.").write("plums.py", "plums = 1\n");
    ada.write(&ada.home(), ".config/git-tracevault/redaction.toml", "");
    agent.end();
    ada.commit(dir, "Sell plums");
    learn(ada);
    std::fs::remove_file(&key).unwrap();
    let told = ada.run(dir, ["push"]).exits(0);
    assert!(told.stderr.contains("was not searched by today's rules: encrypted"), "{told:?}");
}

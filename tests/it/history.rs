//! Every way in which git makes commits, and every kind of repository and file it makes them of.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::agent::Agent;
use crate::ledger::Team;
use crate::support::World;

fn head(world: &World, dir: &Path) -> String {
    world.git(dir, ["rev-parse", "HEAD"]).ok()
}

/// The `old -> new` of all link records, with their levels.
fn links(world: &World, dir: &Path) -> Vec<(String, String, u64)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let links = world.records_of(dir, "link").into_iter();
    links.map(|link| (text(&link["old"]), text(&link["new"]), link["level"].as_u64().unwrap())).collect()
}

#[test]
fn rewritten_commits_are_recorded_and_linked() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let agent = Agent::start(ada, work, "s");
    agent.prompt("Write.");
    agent.write("a", "1\n2\n3\n");
    let first = ada.commit(work, "a");
    ada.git(work, ["commit", "--quiet", "--amend", "-m", "Better said"]).ok();
    let amended = head(ada, work);
    assert_eq!(links(ada, work), [(first.clone(), amended.clone(), 3)]);
    assert_eq!(ada.record_of(work, &amended)["total"]["agent"], 3, "what was amended is still the agent's");

    // A branch of two commits is rebased on one that is none of the agent's.
    ada.git(work, ["switch", "--quiet", "-c", "topic"]).ok();
    agent.write("b", "b\n");
    let b = ada.commit(work, "b");
    agent.write("c", "c\n");
    let c = ada.commit(work, "c");
    ada.git(work, ["switch", "--quiet", "main"]).ok();
    ada.commit_file(work, "d", "d\n");
    ada.git(work, ["rebase", "--quiet", "main", "topic"]).ok();
    let (new_b, new_c) = (ada.git(work, ["rev-parse", "topic~1"]).ok(), head(ada, work));
    assert_eq!(links(ada, work)[1..], [(b, new_b.clone(), 2), (c.clone(), new_c.clone(), 2)]);
    for commit in [&new_b, &new_c] {
        assert_eq!(ada.record_of(work, commit)["total"]["agent"], 1);
    }

    ada.git(work, ["switch", "--quiet", "main"]).ok();
    ada.git(work, ["cherry-pick", &c]).ok();
    assert_eq!(ada.record_of(work, &head(ada, work))["total"]["agent"], 1);
    ada.git(work, ["merge", "--quiet", "--no-ff", "-m", "Merge", "topic"]).ok();
    let merge = ada.record_of(work, &head(ada, work));
    assert_eq!(merge["parents"].as_array().unwrap().len(), 2);
    ada.git(work, ["revert", "--no-edit", "HEAD~1"]).ok();
    ada.record_of(work, &head(ada, work));
    ada.git(work, ["push", "--quiet", "--all"]).ok();
    ada.passes(work, "main");
    ada.passes(work, "topic");
}

#[test]
fn commits_that_no_hook_heard_of_are_caught_up_by_the_push() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let agent = Agent::start(ada, work, "s");
    agent.prompt("Write.");
    let quiet = |args: &[&str]| {
        ada.pass(1);
        ada.git(work, [&["-c", "core.hooksPath=/dev/null"], args].concat()).ok();
        head(ada, work)
    };
    agent.write("a", "1\n2\n");
    quiet(&["add", "-A"]);
    let first = quiet(&["commit", "-m", "a"]);
    agent.edit("a", "2\n", "two\n");
    let second = quiet(&["commit", "-am", "b"]);
    let missing = ada.run(work, ["verify", "--range", "origin/main..main"]).exits(1);
    assert!(missing.stdout.contains("E-UNRECORDED"), "{}", missing.stdout);
    let pushed = ada.git(work, ["push"]).exits(0);
    assert!(pushed.stderr.contains("2 commits caught up"), "{}", pushed.stderr);
    let agents = [&first, &second].map(|commit| ada.record_of(work, commit)["total"]["agent"].clone());
    assert_eq!(agents, [2, 1]);
    ada.passes(work, "main");

    // A colleague's commits that are merged or pulled are theirs to record.
    let (bea, hers) = team.join("Bea");
    agent.write("c", "c\n");
    ada.commit(work, "c");
    ada.git(work, ["push", "--quiet"]).ok();
    bea.git(&hers, ["pull", "--quiet"]).ok();
    bea.commit_file(&hers, "d", "d\n");
    agent.write("e", "e\n");
    ada.commit(work, "e");
    ada.git(work, ["push", "--quiet"]).ok();
    bea.run(&hers, ["fetch"]).ok();
    bea.git(&hers, ["pull", "--quiet", "--no-rebase", "--no-edit"]).ok();
    bea.git(&hers, ["push", "--quiet"]).ok();
    let mut subjects = Vec::new();
    for record in bea.records_of(&hers, "commit") {
        let commit = record["commit"].as_str().unwrap();
        subjects.push(bea.git(&hers, ["log", "-1", "--format=%s", commit]).ok());
    }
    assert_eq!(subjects.len(), 2, "{subjects:?}");
    assert!(subjects[0] == "Change d" && subjects[1].starts_with("Merge branch 'main'"), "{subjects:?}");
    bea.passes(&hers, "main");
}

#[test]
fn every_kind_of_commit_and_file_has_a_record_that_holds() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let lines = |commit: &str| ada.record_of(work, commit)["total"].clone();
    let all =
        |added: u64, agent: u64| json!({"added": added, "agent": agent, "human": 0, "unattributed": added - agent});
    assert_eq!(lines(&ada.commit(work, "Empty")), all(0, 0));

    let agent = Agent::start(ada, work, "s");
    agent.prompt("Write.");
    agent.write("crlf.txt", "one\r\ntwo\r\n");
    agent.write("no newline", "last");
    agent.write("größe/ü \"q\".txt", "ü\n");
    fs::write(work.join("binary"), b"\0\x01\x02".repeat(100)).unwrap();
    fs::write(work.join(std::ffi::OsStr::from_bytes(b"latin-\xe9.txt")), b"caf\xe9\n").unwrap();
    std::os::unix::fs::symlink("crlf.txt", work.join("link")).unwrap();
    let commit = ada.commit(work, "Files");
    let record = ada.record_of(work, &commit);
    let files: Vec<_> = record["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| (f["path"].as_str().unwrap(), f["agent"].as_u64().unwrap()))
        .collect();
    assert_eq!(
        files,
        [("crlf.txt", 2), ("größe/ü \"q\".txt", 1), ("\"latin-\\351.txt\"", 0), ("link", 0), ("no newline", 1)]
    );

    ada.git(work, ["mv", "crlf.txt", "moved.txt"]).ok();
    assert_eq!(lines(&ada.commit(work, "Rename")), all(0, 0));
    let other = ada.repository("other");
    ada.commit_file(&other, "x", "x\n");
    ada.git(work, ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", other.to_str().unwrap(), "sub"])
        .ok();
    assert_eq!(lines(&ada.commit(work, "Submodule"))["agent"], 0);

    ada.git(work, ["switch", "--quiet", "--detach"]).ok();
    agent.write("detached", "d\n");
    assert_eq!(lines(&ada.commit(work, "Detached")), all(1, 1));
    ada.git(work, ["switch", "--quiet", "--orphan", "root"]).ok();
    agent.write("rooted", "r\n");
    let root = ada.commit(work, "Root");
    assert_eq!((lines(&root), &ada.record_of(work, &root)["parents"]), (all(1, 1), &json!([])));

    ada.git(work, ["push", "--quiet", "--all"]).ok();
    ada.git(work, ["gc", "--quiet", "--prune=now"]).ok();
    ada.git(work, ["pack-refs", "--all"]).ok();
    ada.passes(work, "root");
    agent.write("later", "l\n");
    ada.commit(work, "After packing");
    ada.passes(work, "root");
    // Another commit that git shows in its place changes nothing.
    let stand_in = ada.git(work, ["commit-tree", "HEAD^{tree}", "-m", "Stand-in"]).ok();
    ada.git(work, ["replace", "HEAD", &stand_in]).ok();
    ada.commit(work, "After replacing");
    ada.passes(work, "root");
}

#[test]
fn sha_256_repositories_and_shallow_and_partial_clones() {
    let ada = World::new();
    let (remote, work) = (ada.path("remote.git"), ada.path("work"));
    ada.git(&ada.path(""), ["init", "--quiet", "--bare", "--object-format=sha256", "-b", "main", "remote.git"]).ok();
    ada.git(&ada.path(""), ["clone", "--quiet", "remote.git", "work"]).ok();
    ada.commit_file(&work, "a", "a\n");
    ada.run(&work, ["init"]).ok();
    let agent = Agent::start(&ada, &work, "s");
    agent.prompt("Write.");
    agent.write("b", "b\n");
    let commit = ada.commit(&work, "b");
    assert_eq!((commit.len(), ada.record_of(&work, &commit)["total"]["agent"].clone()), (64, json!(1)));
    ada.git(&work, ["push", "--quiet", "origin", "main"]).ok();
    ada.passes(&work, "main");
    let bea = ada.other("Bea");
    let hers = bea.clone(&remote, "bea");
    bea.run(&hers, ["fetch"]).ok();
    bea.passes(&hers, "main");

    let team = Team::new();
    let (ada, url) = (&team.ada, format!("file://{}", team.remote.display()));
    for n in 0..3 {
        ada.commit_file(&team.work, "n", &format!("{n}\n"));
    }
    ada.git(&team.work, ["push", "--quiet"]).ok();
    let cleo = ada.other("Cleo");
    cleo.git(&ada.path(""), ["clone", "--quiet", "--depth", "1", &url, "shallow"]).ok();
    let theirs = ada.path("shallow");
    let said = cleo.run(&theirs, ["init"]).ok();
    assert!(said.contains("pending"), "{said}");
    cleo.run(&theirs, ["verify", "--range", "HEAD~0"]).exits(2);
    let agent = Agent::start(&cleo, &theirs, "s");
    agent.prompt("Write.");
    agent.edit("n", "2\n", "two\n");
    let commit = cleo.commit(&theirs, "two");
    assert_eq!(
        cleo.record_of(&theirs, &commit)["total"],
        json!({"added": 1, "agent": 1, "human": 0, "unattributed": 0})
    );
    cleo.git(&theirs, ["push", "--quiet"]).ok();
    cleo.git(&theirs, ["commit", "--quiet", "--amend", "-m", "three"]).ok();
    ada.run(&team.work, ["fetch"]).ok();
    ada.run(&team.work, ["member", "add", "cleo@example.com"]).ok();
    ada.git(&team.work, ["pull", "--quiet"]).ok();
    ada.passes(&team.work, "main");

    // A partial clone leaves the project's blobs at the remote, not the records'.
    ada.git(&team.work, ["push", "--quiet"]).ok();
    ada.git(&team.remote, ["config", "uploadpack.allowFilter", "true"]).ok();
    let dora = ada.other("Dora");
    dora.git(&ada.path(""), ["clone", "--quiet", "--filter=blob:none", &url, "partial"]).ok();
    let hers = ada.path("partial");
    dora.run(&hers, ["init"]).ok();
    dora.commit_file(&hers, "n", "two\nthree\n");
    dora.git(&hers, ["push", "--quiet"]).ok();
    assert_eq!(dora.codes(&hers), ["E-PENDING"]);
}

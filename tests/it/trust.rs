//! Journeys of keys: one that is refused, one that its own clone asks about, and one whose change was cut short.

use std::path::{Path, PathBuf};

use crate::ledger::Team;
use crate::support::World;
use crate::verify_sh::agree;

/// The name of a clone's chain.
fn chain(world: &World, dir: &Path) -> String {
    world.own_chain(dir).rsplit('/').next().unwrap().to_owned()
}

/// Somebody who has joined the team's ledger, and whom nobody has enrolled yet.
fn stranger(team: &Team, name: &str) -> (World, PathBuf) {
    let world = team.ada.other(name);
    let work = world.clone(&team.remote, &name.to_lowercase());
    world.run(&work, ["init"]).ok();
    world.run(&work, ["push"]).ok();
    (world, work)
}

#[test]
fn a_key_that_is_refused_is_settled_whatever_it_wrote_and_goes_on_to_write() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let (eve, eves) = stranger(&team, "Eve");
    let theirs = chain(&eve, &eves);
    let commit = eve.commit_file(&eves, "e.py", "e = 1\n");
    eve.git(&eves, ["push", "--quiet", "origin", "HEAD:refs/heads/eves"]).ok();
    ada.run(work, ["fetch"]).ok();
    agree(ada, work, 2, "E-PENDING");

    // Four characters are enough; which record was the last is nothing to ask about what never counted.
    let close = |more: &[&str]| ada.run(work, [&["key", "close", &theirs[..4], "--reason", "stolen"], more].concat());
    assert!(close(&["--last", "0", "--yes"]).exits(2).stderr.contains("nobody has enrolled that key"));
    assert!(close(&["--yes"]).ok().contains("none of its records counts"));
    agree(ada, work, 0, "");
    ada.run(work, ["push"]).ok();
    let listed = ada.run(work, ["key"]).ok();
    assert!(listed.contains("closed    claims to be eve@example.com, 2 records, none of them good"), "{listed}");
    assert!(ada.run(work, ["verify"]).ok().contains("eve@example.com  refused"));
    assert!(!ada.run(work, ["member"]).ok().contains("pending"));
    let late = ada.run(work, ["member", "add", &theirs]).exits(2);
    assert!(late.stderr.contains("cannot be enrolled any more") && late.stderr.contains("init --new-key"), "{late:?}");
    // What it recorded is not recorded.
    ada.git(work, ["fetch", "--quiet", "origin"]).ok();
    let unrecorded = ada.run(work, ["verify", "--commits", &commit]).exits(1);
    assert!(unrecorded.stdout.contains("E-UNRECORDED"), "{unrecorded:?}");

    eve.commit_file(&eves, "f.py", "f = 1\n");
    eve.git(&eves, ["push", "--quiet", "origin", "HEAD:refs/heads/eves"]);
    ada.run(work, ["fetch"]).ok();
    agree(ada, work, 0, "");
    eve.run(&eves, ["fetch"]).ok();
    agree(&eve, &eves, 0, "");
    // A server with the gate takes no more of it.
    ada.run(&team.remote, ["init", "--server"]).ok();
    eve.commit_file(&eves, "g.py", "g = 1\n");
    let out = eve.run(&eves, ["push"]);
    assert!(out.code != Some(0) && out.stderr.contains("before anybody enrolled it"), "{out:?}");
}

#[test]
fn a_clone_is_told_what_became_of_its_key() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let (bob, bobs) = stranger(&team, "Bob");
    let says = |word: &str, code: i32, mend: &str| {
        let status = bob.run(&bobs, ["status"]).ok();
        assert!(status.contains(word) && status.contains(mend), "{status}");
        let told = bob.run(&bobs, ["doctor", "--json"]);
        let doctor: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
        let checks = doctor["checks"].as_array().unwrap();
        let standing = checks.iter().find(|check| check["name"] == "key's standing").unwrap();
        assert!(standing.to_string().contains(word) && standing.to_string().contains(mend), "{standing}");
        assert_eq!(told.code, Some(code), "{}", told.stdout);
    };
    // What others propose is signed for nothing then.
    let file = ada.path("proposal.json");
    let file = file.to_str().unwrap();
    ada.run(work, ["member", "threshold", "2", "--propose", file]).ok();
    let sign = || bob.run(&bobs, ["key", "sign", file]).ok();
    let id = chain(&bob, &bobs);
    says("not enrolled yet", 2, &format!("git tracevault member add {}", &id[..8]));
    assert_eq!(bob.run(&bobs, ["status", "--json"]).json()["key"], "pending");
    assert!(sign().contains("does not count"));

    ada.run(work, ["fetch"]).ok();
    ada.run(work, ["member", "add", &id[..4]]).ok();
    ada.run(work, ["push"]).ok();
    bob.run(&bobs, ["fetch"]).ok();
    assert_eq!(bob.run(&bobs, ["status", "--json"]).json()["key"], "enrolled");
    assert!(!sign().contains("does not count"));

    ada.run(work, ["key", "close", "bob@example.com", "--reason", "stolen", "--yes"]).ok();
    ada.run(work, ["push"]).ok();
    bob.run(&bobs, ["fetch"]).ok();
    says("closed", 1, "git tracevault init --new-key");
    assert!(sign().contains("does not count"));
}

#[test]
fn lists_name_who_was_removed_and_what_is_in_force_is_not_decided_again() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let (bob, bobs) = team.join("Bob");
    bob.commit_file(&bobs, "b.py", "b = 1\n");
    bob.git(&bobs, ["push", "--quiet", "origin", "main"]).ok();
    ada.run(work, ["fetch"]).ok();
    let decided = || ada.records_at(work, "refs/tracevault/policy").len();
    let before = decided();
    for args in [&["threshold", "1"][..], &["witnesses", "1"], &["set", "bob@example.com", "--role", "developer"]] {
        let told = ada.run(work, [&["member"], args].concat()).ok();
        assert!(told.contains("nothing changes"), "{told}");
    }
    assert_eq!(decided(), before);
    ada.run(work, ["verify"]).ok();
    ada.run(work, ["member", "remove", "bob@example.com", "--yes"]).ok();
    for args in [&["verify"][..], &["verify", "--full"]] {
        assert!(ada.run(work, args).ok().contains("bob@example.com  removed"));
    }
    assert!(ada.run(work, ["key"]).ok().contains("closed    bob@example.com (removed), "));

    let (_, cleos) = team.join("Cleo");
    ada.run(work, ["member", "set", "cleo@example.com", "--role", "owner"]).ok();
    let file = ada.path("two.json").to_str().unwrap().to_owned();
    ada.run(work, ["member", "threshold", "2", "--propose", &file]).ok();
    ada.run(work, ["key", "sign", &file]).ok();
    let cleo = ada.other("Cleo");
    cleo.run(&cleos, ["key", "sign", &file]).ok();
    accept(ada, work, &file);
    let alone = ada.run(work, ["member", "remove", "cleo@example.com", "--yes"]).exits(2);
    assert!(alone.stderr.contains("--propose FILE"), "{alone:?}");
    let open = ["member", "remove", "cleo@example.com", "--propose", &file];
    let open = ada.run(work, open).exits(2);
    assert!(open.stderr.contains("key close") && open.stderr.contains("--propose FILE"), "{open:?}");
}

/// Puts a proposal in force with the signatures that lie beside it.
fn accept(world: &World, dir: &Path, file: &str) {
    let beside = std::fs::read_dir(Path::new(file).parent().unwrap()).unwrap();
    let paths = beside.map(|entry| entry.unwrap().path().to_str().unwrap().to_owned());
    let signatures: Vec<String> = paths.filter(|path| path.starts_with(file) && path.ends_with(".minisig")).collect();
    let args = ["key", "accept", file].into_iter().chain(signatures.iter().map(String::as_str));
    world.run(dir, args).ok();
}

#[test]
fn a_change_of_keys_that_others_must_sign_is_proposed_again_and_not_begun_again() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let (bob, bobs) = team.join("Bob");
    let (cleo, cleos) = team.join("Cleo");
    for who in ["bob@example.com", "cleo@example.com"] {
        ada.run(work, ["member", "set", who, "--role", "owner"]).ok();
    }
    let file = |name: &str| ada.path(name).to_str().unwrap().to_owned();
    let together = |name: &str, signers: &[(&World, &Path)]| {
        for (world, dir) in signers {
            world.run(dir, ["key", "sign", &file(name)]).ok();
        }
        accept(ada, work, &file(name));
    };
    ada.run(work, ["member", "threshold", "2", "--propose", &file("two")]).ok();
    together("two", &[(ada, work), (&bob, &bobs)]);

    let old = chain(ada, work);
    ada.run(work, ["key", "rotate", "--propose", &file("lost")]).ok();
    let new = chain(ada, work);
    assert_ne!(old, new);
    // Once more, since the first proposal went astray.
    let told = ada.run(work, ["key", "rotate", "--propose", &file("again")]).ok();
    assert!(told.contains(&format!("Going on from chain {}", &old[..8])), "{told}");
    assert_eq!(chain(ada, work), new);
    together("again", &[(&bob, &bobs), (&cleo, &cleos)]);
    assert_eq!(ada.run(work, ["status", "--json"]).json()["key"], "enrolled");
    // What is left is the old key's right to sign.
    ada.run(work, ["key", "rotate", "--propose", &file("end")]).ok();
    assert!(std::fs::read_to_string(file("end")).unwrap().contains("\"close-chain\""));
    together("end", &[(ada, work), (&cleo, &cleos)]);
    assert_eq!(chain(ada, work), new);
    agree(ada, work, 0, "");
}

#[test]
fn a_change_of_keys_that_was_cut_short_after_the_switch_goes_on() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let (old, lock) = (chain(ada, work), work.join(".git/refs/tracevault/policy.lock"));
    // The policy chain cannot be written: as if the process were killed when this clone had the new key.
    std::fs::write(&lock, "").unwrap();
    ada.run(work, ["key", "rotate", "--yes"]).exits(2);
    std::fs::remove_file(&lock).unwrap();
    let new = chain(ada, work);
    assert_ne!(old, new);
    assert!(ada.run(work, ["key", "rotate", "--yes"]).ok().contains("signs nothing any more"));
    assert_eq!(chain(ada, work), new, "no third key was made");
    let listed = ada.run(work, ["key"]).ok();
    assert!(listed.contains(&format!("{old}  closed")) && listed.contains(&format!("{new}  enrolled")), "{listed}");
    agree(ada, work, 0, "");

    // Of one who may not enrol there is nothing more to do than to ask again.
    let (bob, bobs) = team.join("Bob");
    bob.run(&bobs, ["key", "rotate", "--yes"]).ok();
    let new = chain(&bob, &bobs);
    assert!(bob.run(&bobs, ["key", "rotate", "--yes"]).ok().contains("member add"));
    assert_eq!(chain(&bob, &bobs), new);
    // Enrolled by somebody else, it can be changed again.
    bob.run(&bobs, ["push"]).ok();
    ada.run(work, ["fetch"]).ok();
    ada.run(work, ["member", "add", &new[..4]]).ok();
    ada.run(work, ["push"]).ok();
    bob.run(&bobs, ["fetch"]).ok();
    bob.run(&bobs, ["key", "rotate", "--yes"]).ok();
    assert_ne!(chain(&bob, &bobs), new);
}

#[test]
fn an_empty_commit_needs_its_record() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    ada.commit_file(work, "a.py", "a = 1\n");
    ada.passes(work, "HEAD");
    let tree = ada.git(work, ["rev-parse", "HEAD^{tree}"]).ok();
    let empty = ada.git(work, ["commit-tree", &tree, "-p", "HEAD", "-m", "Nothing"]).ok();
    let rules = "[[rule]]\nname = \"recorded\"\nlevel = \"block\"\ncondition = \"trace-completeness\"\n";
    let rules = ada.write(work, "../rules.toml", rules);
    let said = ada.run(work, ["check", "--policy", rules.to_str().unwrap(), &empty]);
    assert!(said.code != Some(0) && said.stdout.contains("no record"), "{said:?}");
    let said = ada.run(work, ["verify", "--commits", &empty]).exits(1);
    assert!(said.stdout.contains("E-UNRECORDED"), "{said:?}");
    ada.run(&team.remote, ["init", "--server"]).ok();
    let out = ada.git(work, ["push", "--no-verify", "origin", &format!("{empty}:refs/heads/main")]).exits(1);
    assert!(out.stderr.contains("no record"), "{out:?}");
    // One that was made anew with the same parent repeats it.
    ada.git(work, ["commit", "--quiet", "--allow-empty", "-m", "Nothing"]).ok();
    let anew = ada.git(work, ["commit-tree", &tree, "-p", "HEAD~1", "-m", "Nothing much"]).ok();
    ada.run(work, ["check", "--policy", rules.to_str().unwrap(), &anew]).exits(0);
}

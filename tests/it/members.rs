//! Journeys of owners: enrolling, changing roles, revoking keys, letting members go, and deciding together, offline.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::ledger::Team;
use crate::support::World;

/// The chains as `key list --json` tells them, by member.
fn chain_of(world: &World, dir: &Path, member: &str) -> Value {
    let told = world.run(dir, ["key", "list", "--json"]).ok();
    let mut chains = told.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    chains.find(|chain| chain["member"] == member).unwrap_or_else(|| panic!("{member} has no chain in {told}"))
}

fn fetch_and_verify(team: &Team) -> crate::support::Output {
    team.ada.run(&team.work, ["fetch"]);
    team.ada.run(&team.work, ["verify", "--full"])
}

#[test]
fn a_stolen_key_is_revoked_and_what_was_written_before_counts_on() {
    let team = Team::new();
    let (bob, bobs) = team.join("Bob");
    bob.commit_file(&bobs, "b.py", "b = 1\n");
    bob.git(&bobs, ["push", "--quiet", "origin", "main"]).ok();
    fetch_and_verify(&team).exits(0);

    let id = "bob@example.com".to_owned();
    let asked = team.ada.run(&team.work, ["key", "close", &id, "--reason", "stolen"]).exits(2);
    assert!(asked.stderr.contains("--yes"), "{asked:?}");
    let told = team.ada.run(&team.work, ["key", "close", &id, "--reason", "stolen", "--yes"]).ok();
    assert!(told.starts_with("Closed chain"), "{told}");
    team.ada.run(&team.work, ["push"]).ok();
    let chain = chain_of(&team.ada, &team.work, &id);
    assert_eq!((&chain["state"], &chain["last"]), (&"closed".into(), &(chain["records"].as_u64().unwrap() - 1).into()));
    fetch_and_verify(&team).exits(0);

    // The thief, who has the key, goes on.
    bob.commit_file(&bobs, "c.py", "c = 1\n");
    bob.git(&bobs, ["push", "--quiet", "origin", "main"]);
    let verdict = fetch_and_verify(&team).exits(1);
    assert!(verdict.stdout.contains("E-UNAUTH"), "{verdict:?}");
    // The theft was earlier than it seemed: less counts then, never more.
    let earlier = team.ada.run(&team.work, ["key", "close", &id, "--last", "0", "--reason", "stolen", "--yes"]);
    earlier.ok();
    let later = team.ada.run(&team.work, ["key", "close", &id, "--last", "1", "--reason", "stolen", "--yes"]).exits(2);
    assert!(later.stderr.contains("closed before"), "{later:?}");
}

#[test]
fn a_member_gets_other_roles_and_goes() {
    let team = Team::new();
    let (bob, bobs) = team.join("Bob");
    let id = "bob@example.com".to_owned();
    bob.commit_file(&bobs, "b.py", "b = 1\n");
    bob.git(&bobs, ["push", "--quiet", "origin", "main"]).ok();
    fetch_and_verify(&team).exits(0);
    team.ada.run(&team.work, ["member", "set", &id, "--role", "auditor"]).ok();
    let told = team.ada.run(&team.work, ["member"]).ok();
    assert!(told.contains(&format!("{id}  auditor")), "{told}");
    team.ada.run(&team.work, ["push"]).ok();
    // An auditor writes no traces.
    bob.run(&bobs, ["fetch"]).ok();
    bob.commit_file(&bobs, "c.py", "c = 1\n");
    bob.git(&bobs, ["push", "--quiet", "origin", "main"]);
    let verdict = fetch_and_verify(&team).exits(1);
    assert!(verdict.stdout.contains("no role that may write a commit record"), "{verdict:?}");

    let nobody = team.ada.run(&team.work, ["member", "remove", "nobody@example.com", "--yes"]).exits(2);
    assert!(nobody.stderr.contains("no member"), "{nobody:?}");
    let told = team.ada.run(&team.work, ["member", "remove", &id, "--yes"]).ok();
    assert!(told.contains(&format!("Removed {id}")), "{told}");
    assert!(!team.ada.run(&team.work, ["member"]).ok().contains(&id));
    // Nobody can be owner no more, where one owner must sign.
    let ada = "ada@example.com".to_owned();
    let alone = team.ada.run(&team.work, ["member", "remove", &ada, "--yes"]).exits(2);
    assert!(alone.stderr.contains("owners"), "{alone:?}");
}

#[test]
fn two_owners_decide_together_with_minisign_itself() {
    let team = Team::new();
    let (bob, bobs) = team.join("Bob");
    let id = "bob@example.com".to_owned();
    team.ada.run(&team.work, ["member", "set", &id, "--role", "owner", "--role", "developer"]).ok();
    let alone = team.ada.run(&team.work, ["member", "threshold", "2"]).exits(2);
    assert!(alone.stderr.contains("1 of the 2 owners") && alone.stderr.contains("--propose"), "{alone:?}");

    let file = team.ada.path("two.json");
    let name = file.to_str().unwrap();
    let told = team.ada.run(&team.work, ["member", "threshold", "2", "--propose", name]).ok();
    // One signs with this program, the other on a machine that has minisign alone, with the line that was shown.
    team.ada.run(&team.work, ["key", "sign", name]).ok();
    let line = told.lines().find(|line| line.trim_start().starts_with("minisign ")).unwrap();
    let key = bob.git(&bobs, ["config", "tracevault.key"]).ok();
    let line = line.trim().replace("-s KEY", &format!("-s '{key}'")).replace(".NAME.", ".bob.");
    let signed = Command::new("sh").args(["-c", &line]).output().unwrap();
    assert!(signed.status.success(), "{line}: {signed:?}");

    let signatures: Vec<String> = std::fs::read_dir(file.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().path().to_str().unwrap().to_owned())
        .filter(|path| path.starts_with(name) && path.ends_with(".minisig"))
        .collect();
    assert_eq!(signatures.len(), 2, "{signatures:?}");
    let one = team.ada.run(&team.work, ["key", "accept", name, &signatures[0]]).exits(2);
    assert!(one.stderr.contains("owners"), "{one:?}");
    let accept = ["key", "accept", name].into_iter().chain(signatures.iter().map(String::as_str));
    team.ada.run(&team.work, accept.clone()).ok();
    assert!(team.ada.run(&team.work, ["member"]).ok().contains("2 owners sign together"));
    // Its place on the chain is taken: it cannot be accepted twice.
    team.ada.run(&team.work, accept).exits(2);
    team.ada.run(&team.work, ["push"]).ok();
    bob.run(&bobs, ["fetch"]).ok();
    bob.run(&bobs, ["verify", "--full"]).exits(0);
    let alone = bob.run(&bobs, ["member", "threshold", "1"]).exits(2);
    assert!(alone.stderr.contains("1 of the 2 owners"), "{alone:?}");
    // One of the two cannot give up the key that the decision about a new one needs.
    let head = team.ada.records_at(&team.work, &team.ada.own_chain(&team.work)).len();
    let told = team.ada.run(&team.work, ["key", "rotate", "--yes"]).exits(2);
    assert!(told.stderr.contains("2 owners decide together"), "{told:?}");
    assert_eq!(team.ada.records_at(&team.work, &team.ada.own_chain(&team.work)).len(), head);
    let other = team.ada.write(&team.work, "other.json", "{}");
    team.ada.run(&team.work, ["key", "sign", other.to_str().unwrap()]).exits(2);
}

#[test]
fn a_copy_of_a_clone_never_writes_into_the_same_chain() {
    let team = Team::new();
    let (bob, bobs) = team.join("Bob");
    bob.commit_file(&bobs, "b.py", "b = 1\n");
    bob.git(&bobs, ["push", "--quiet", "origin", "main"]).ok();
    let copy = bob.path("copy");
    assert!(Command::new("cp").arg("-r").arg(&bobs).arg(&copy).status().unwrap().success());
    // Whichever of the two writes first goes on with the chain.
    let first = bob.commit_file(&copy, "c.py", "c = 1\n");
    bob.git(&copy, ["push", "--quiet", "origin", "main"]).ok();
    let chain = bob.own_chain(&bobs);
    let before = bob.records_at(&bobs, &chain).len();

    bob.git(&bobs, ["pull", "--quiet", "origin", "main"]).ok();
    bob.write(&bobs, "d.py", "d = 1\n");
    bob.git(&bobs, ["add", "."]).ok();
    let told = bob.git(&bobs, ["commit", "--quiet", "-m", "d"]);
    assert!(told.code == Some(0) && told.stderr.contains("goes on elsewhere"), "{told:?}");
    assert_eq!(bob.records_at(&bobs, &chain).len(), before, "the chain does not fork");
    let refused = bob.git(&bobs, ["push", "--quiet", "origin", "main"]).exits(1);
    assert!(refused.stderr.contains("git tracevault init --new-key"), "{refused:?}");

    bob.run(&bobs, ["init", "--new-key"]).ok();
    assert_ne!(bob.own_chain(&bobs), chain);
    bob.git(&bobs, ["push", "--quiet", "origin", "main"]).ok();
    team.ada.run(&team.work, ["fetch"]).ok();
    let new = bob.own_chain(&bobs);
    let name = new.rsplit('/').next().unwrap();
    team.ada.run(&team.work, ["member", "add", name, "--yes"]).ok();
    team.ada.git(&team.work, ["pull", "--quiet", "origin", "main"]).ok();
    team.ada.run(&team.work, ["verify", "--full"]).ok();
    let states = team.ada.verify(&team.work);
    team.ada.passes(&team.work, "HEAD");
    assert_eq!(states["verdict"], "pass", "{states}");
    assert_eq!(bob.record_of(&copy, &first)["commit"], first.as_str());
}

//! Journeys of transcripts that only some may read: who is enrolled to read, what each reads, and what fails closed.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::agent::Agent;
use crate::ledger::{Team, everything};
use crate::support::World;

const ON: &[u8] = b"[payloads]\nencrypt = [\"transcript\"]\n";
const ENCRYPTED: &str = "encrypted: this clone's key may not read it";
/// The sessions of Bob, before and after the auditor left, and of Cleo.
const BOBS: &str = "0b7d3a52-6c1e-4f0a-9d3b-1f2e3d4c5b6a";
const CLEOS: &str = "1c8e4b63-7d2f-4a1b-8e4c-2a3f4e5d6c7b";
const LATER: &str = "2d9f5c74-8e3a-4b2c-9f5d-3b4a5f6e7d8c";

/// A session that changes a file through its tools and through a shell, its commit, and the push of both.
fn works(world: &World, dir: &Path, session: &str, secret: &str) {
    let agent = Agent::start(world, dir, session);
    agent.prompt(&format!("Please write {secret}."));
    agent.write(&format!("{secret}.rs"), "one\ntwo\n");
    agent.bash(&format!("echo {secret} shell > {secret}.sh"));
    agent.bash("ls");
    agent.end();
    world.commit(dir, "Write it");
    world.git(dir, ["pull", "--quiet", "--rebase", "origin", "main"]).ok();
    world.git(dir, ["push", "--quiet", "origin", "main"]).ok();
}

/// Whether somebody reads a session that was asked for this.
#[track_caller]
fn reads(world: &World, dir: &Path, session: &str, secret: &str) -> bool {
    world.run(dir, ["fetch"]).exits(0);
    let shown = world.run(dir, ["show", session]).exits(0).stdout;
    let asked = shown.contains(&format!("> Please write {secret}."));
    assert_ne!(asked, shown.contains(ENCRYPTED), "{shown}");
    assert!(asked || !shown.contains(&format!("Please write {secret}")), "{shown}");
    asked
}

fn recipient(world: &World, dir: &Path) -> String {
    world.run(dir, ["key", "recipient"]).ok()
}

fn verify_sh(world: &World, dir: &Path) {
    let there = |name: &str| Command::new("sh").args(["-c", &format!("command -v {name}")]).output();
    if !["jq", "minisign"].iter().all(|name| there(name).is_ok_and(|output| output.status.success())) {
        return;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verify.sh");
    let output = world.command("sh", dir).arg(script).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
}

/// The pieces of a session's first payload, as git has them.
fn pieces(world: &World, dir: &Path) -> Vec<Vec<u8>> {
    let records = world.records_of(dir, "session");
    let payloads = records.last().unwrap()["payloads"].as_array().unwrap().clone();
    let blob = |piece: &Value| {
        let name = piece["sha256"].as_str().unwrap();
        let refs = world.refs(dir, "refs/tracevault/payload");
        let at = refs.keys().find_map(|reference| {
            let name = format!("{reference}:{}/{}", &name[..2], &name[2..]);
            let output = world.command("git", dir).args(["cat-file", "blob", &name]).output().unwrap();
            output.status.success().then_some(output.stdout)
        });
        at.unwrap()
    };
    for payload in &payloads {
        assert_eq!(payload["encryption"], "gzip-age");
    }
    payloads[0]["pieces"].as_array().unwrap().iter().map(blob).collect()
}

#[test]
fn each_reads_what_they_may() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let (bob, bobs) = team.join("Bob");
    let (cleo, cleos) = team.join("Cleo");
    let (ann, anns) = team.join("Ann");
    ada.run(work, ["member", "set", "ann@example.com", "--role", "auditor"]).ok();
    ada.feed(work, ["policy", "set", "-"], ON).ok();
    ada.run(work, ["push"]).ok();
    for (world, dir) in [(&bob, &bobs), (&cleo, &cleos), (&ann, &anns)] {
        world.run(dir, ["fetch"]).ok();
    }
    works(&bob, &bobs, BOBS, "plum");
    works(&cleo, &cleos, CLEOS, "pear");

    // Nothing of it is in anybody's objects but the code itself.
    let stored = String::from_utf8_lossy(&everything(ada, &team.remote)).into_owned();
    assert!(stored.contains("plum shell") && !stored.contains("Please write"), "the code is there, the words are not");
    for stored in pieces(&bob, &bobs) {
        assert!(stored.starts_with(b"age-encryption.org/v1\n"));
    }
    let all: [(&World, &PathBuf, bool, bool); 4] =
        [(ada, work, true, true), (&bob, &bobs, true, false), (&cleo, &cleos, false, true), (&ann, &anns, true, true)];
    for (world, dir, plum, pear) in all {
        assert_eq!((reads(world, dir, BOBS, "plum"), reads(world, dir, CLEOS, "pear")), (plum, pear), "{dir:?}");
        world.run(dir, ["verify"]).exits(0);
    }
    // The rest of the record is there for all, and so is the code.
    let told = cleo.run(&cleos, ["show", "--json", BOBS]).ok();
    let first: Value = serde_json::from_str(told.lines().next().unwrap()).unwrap();
    assert_eq!((&first["prompts"], &first["turns"]), (&1.into(), &1.into()));
    assert_eq!(told.matches(ENCRYPTED).count(), 2, "of the transcript and of the shells' diffs: {told}");
    cleo.git(&cleos, ["pull", "--quiet", "--rebase", "origin", "main"]).ok();
    let why = cleo.run(&cleos, ["why", "plum.rs:1"]).ok();
    assert!(why.contains(ENCRYPTED) && !why.contains("git tracevault fetch"), "{why}");
    ada.git(work, ["pull", "--quiet", "--rebase", "origin", "main"]).ok();
    assert!(ada.run(work, ["why", "plum.rs:1"]).ok().contains("> Please write plum."));

    // Whether it was called after the last edit cannot be told by who cannot read it.
    let rule = "[[rule]]\nname = \"ran\"\nlevel = \"block\"\ncondition = \"required-tool\"\ntools = [\"Bash\"]\n";
    let commit = bob.git(&bobs, ["log", "--format=%H", "-n", "1", "--", "plum.sh"]).ok();
    let judge = |world: &World, dir: &Path| {
        let file = world.write(dir, "../rule.toml", rule);
        let range = format!("{commit}^..{commit}");
        world.run(dir, ["policy", "test", file.to_str().unwrap(), "--range", &range, "--json"])
    };
    let outcome = |output: crate::support::Output| {
        serde_json::from_str::<Value>(&output.stdout).unwrap()["rules"][0]["outcome"].as_str().unwrap().to_owned()
    };
    assert_eq!(outcome(judge(&bob, &bobs)), "pass");
    assert_eq!(outcome(judge(ada, work)), "pass");
    assert_eq!(outcome(judge(&cleo, &cleos)), "inconclusive");

    // Who is let go reads what they might, and nothing that comes after.
    ada.run(work, ["member", "remove", "ann@example.com", "--yes"]).ok();
    ada.run(work, ["push"]).ok();
    bob.run(&bobs, ["fetch"]).ok();
    works(&bob, &bobs, LATER, "quince");
    assert!(reads(&ann, &anns, BOBS, "plum") && !reads(&ann, &anns, LATER, "quince"));
    assert!(reads(ada, work, LATER, "quince") && reads(&bob, &bobs, LATER, "quince"));
    for (world, dir) in [(ada, work), (&bob, &bobs), (&ann, &anns)] {
        world.run(dir, ["verify", "--full"]).exits(0);
    }
    verify_sh(ada, work);
    age_reads_it(&bob, &bobs);
}

/// Whether age itself is installed; a test that asks for it and is told no has checked nothing, and says so.
fn has_age() -> bool {
    let there = Command::new("age").arg("--version").output().is_ok();
    if !there {
        eprintln!("skipped: age is not installed (apt-get install age)");
    }
    there
}

/// An independent check, where age itself is installed.
fn age_reads_it(world: &World, dir: &Path) {
    if !has_age() {
        return;
    }
    let key = world.git(dir, ["config", "tracevault.key"]).ok().replace(".key", ".age");
    for piece in pieces(world, dir) {
        let file = dir.join("../piece");
        std::fs::write(&file, piece).unwrap();
        let mut shell = world.command("sh", dir);
        let output = shell.args(["-c", "age -d -i \"$1\" \"$2\" | gunzip", "-", &key]).arg(&file).output().unwrap();
        assert!(String::from_utf8_lossy(&output.stdout).contains("Please write quince"), "{output:?}");
    }
}

#[test]
fn nothing_is_stored_where_it_cannot_be_encrypted() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let path = PathBuf::from(ada.git(work, ["config", "tracevault.key"]).ok().replace(".key", ".age"));
    let identity = std::fs::read_to_string(&path).unwrap();
    assert!(identity.contains(&recipient(ada, work)) && identity.contains("AGE-SECRET-KEY-1"));
    let bad = ada.run(work, ["member", "set", "ada@example.com", "--recipient", "age1nonsense"]).exits(2);
    assert!(bad.stderr.contains("age1nonsense") && bad.stderr.contains("not an age recipient"), "{}", bad.stderr);

    ada.feed(work, ["policy", "set", "-"], ON).ok();
    // An identity that cannot be read leaves no way to encrypt for the author.
    std::fs::write(&path, "nonsense\n").unwrap();
    let agent = Agent::start(ada, work, BOBS);
    agent.prompt("Please write plum.").write("plum.rs", "one\n");
    agent.end();
    ada.git(work, ["add", "-A"]).ok();
    let committed = ada.git(work, ["commit", "--quiet", "-m", "Write it"]).exits(0);
    assert!(committed.stderr.contains("age identity"), "{}", committed.stderr);
    assert!(ada.records_of(work, "session").is_empty());
    let pushed = ada.git(work, ["push", "--quiet", "origin", "main"]).exits(1);
    assert!(pushed.stderr.contains("age identity"), "{}", pushed.stderr);
    assert!(!String::from_utf8_lossy(&everything(ada, work)).contains("Please write"));

    // Put right, all of it is recorded.
    std::fs::write(&path, identity).unwrap();
    ada.git(work, ["push", "--quiet", "origin", "main"]).exits(0);
    assert_eq!(ada.records_of(work, "session").len(), 1);
    assert!(!pieces(ada, work).is_empty());
    assert!(reads(ada, work, BOBS, "plum"));
    ada.run(work, ["verify", "--full"]).exits(0);
    // The identity of an older key goes on reading.
    ada.run(work, ["key", "rotate", "--yes"]).ok();
    assert!(reads(ada, work, BOBS, "plum"));
}

#[test]
fn age_itself_reads_the_vectors() {
    if !has_age() {
        return;
    }
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/encryption.json");
    let vectors: Value = serde_json::from_slice(&std::fs::read(vectors).unwrap()).unwrap();
    let world = World::new();
    let dir = world.path("tmp");
    for (at, piece) in vectors["pieces"].as_array().unwrap().iter().enumerate() {
        let file = dir.join(format!("piece-{at}"));
        std::fs::write(&file, hex::decode(piece["stored"].as_str().unwrap()).unwrap()).unwrap();
        for identity in vectors["identities"].as_array().unwrap() {
            let key = world.write(&dir, "identity", &format!("{}\n", identity["secret"].as_str().unwrap()));
            let mut shell = world.command("sh", &dir);
            let script = "age-keygen -y \"$1\" && age -d -i \"$1\" \"$2\" | gunzip";
            let output = shell.args(["-c", script, "-"]).args([&key, &file]).output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            let expected = format!("{}\n{}", identity["recipient"].as_str().unwrap(), piece["text"].as_str().unwrap());
            assert!(said == expected && output.status.success(), "{output:?}");
        }
    }
}

#[test]
fn what_is_encrypted_is_held_and_pruned_by_who_cannot_read_it() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let (ann, anns) = team.join("Ann");
    ada.run(work, ["member", "set", "ann@example.com", "--role", "auditor"]).ok();
    ada.run(work, ["compliance", "set", "pci-dss", "--yes"]).ok();
    ada.feed(work, ["policy", "set", "-"], ON).ok();
    works(ada, work, BOBS, "plum");
    assert!(reads(&ann, &anns, BOBS, "plum"));
    // The owner's identities are lost: nothing of what follows needs one.
    let key = PathBuf::from(ada.git(work, ["config", "tracevault.key"]).ok());
    std::fs::remove_file(key.with_extension("age")).unwrap();
    assert!(!reads(ada, work, BOBS, "plum"));
    ada.pass((366 + 32) * 24 * 3600);

    ada.run(work, ["hold", "case-7", "--session", BOBS]).ok();
    let kept = ada.run(work, ["prune", "--yes"]).exits(0);
    assert!(kept.stdout.contains("0 months"), "{kept:?}");
    ada.run(work, ["push"]).ok();
    assert!(!pieces(ada, work).is_empty());
    // What a hold keeps is read by whoever may read it, where nothing else of it is.
    let fresh = ann.clone(&team.remote, "ann-again");
    ann.git(&fresh, ["config", "tracevault.key", &ann.git(&anns, ["config", "tracevault.key"]).ok()]).ok();
    ann.run(&fresh, ["fetch"]).ok();
    for name in ann.refs(&fresh, "refs/tracevault-local/origin/payload").into_keys() {
        ann.git(&fresh, ["update-ref", "-d", &name]).ok();
    }
    let shown = ann.run(&fresh, ["show", BOBS]).exits(0);
    assert!(shown.stdout.contains("> Please write plum."), "{shown:?}");
    ann.run(&fresh, ["verify", "--full"]).exits(0);
    verify_sh(&ann, &fresh);

    ada.run(work, ["release", "case-7", "--yes"]).ok();
    ada.run(work, ["prune", "--yes"]).ok();
    ada.run(work, ["push"]).ok();
    for (world, dir) in [(ada, work), (&ann, &anns)] {
        world.run(dir, ["fetch"]).ok();
        let verdict = world.run(dir, ["verify", "--full"]).exits(0);
        assert!(verdict.stdout.contains("W-PRUNED"), "{verdict:?}");
        assert!(!world.run(dir, ["show", BOBS]).exits(0).stdout.contains("Please write plum"));
        verify_sh(world, dir);
    }
}

//! Lines of persons that are like agents' lines: they are theirs all the same.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::agent::Agent;
use crate::ledger::Team;
use crate::support::World;

/// Whose each line of a file is: `A` an agent's, `-` nobody's known.
fn letters(world: &World, dir: &Path, args: &[&str]) -> String {
    let letter = |line: Value| if line["origin"] == "agent" { 'A' } else { '-' };
    lines(world, dir, args).into_iter().map(letter).collect()
}

fn lines(world: &World, dir: &Path, args: &[&str]) -> Vec<Value> {
    let answer = world.run(dir, [&["blame", "--json"], args].concat()).ok();
    answer.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A repository with a person's file that is older than its ledger.
fn old_repository(text: &str) -> (World, PathBuf) {
    let ada = World::new();
    let work = ada.path("work");
    std::fs::create_dir_all(&work).unwrap();
    ada.git(&work, ["init", "--quiet", "-b", "main", "."]).ok();
    ada.commit_file(&work, "f.py", text);
    ada.pass(60);
    ada.run(&work, ["init"]).ok();
    ada.commit(&work, "Enrol");
    (ada, work)
}

const READ: &str = "def read(path):\n    with open(path) as handle:\n        return handle.read()\n";

#[test]
fn what_is_older_than_the_ledger_is_no_agents() {
    let (ada, work) = old_repository(READ);
    let agent = Agent::start(&ada, &work, "s");
    agent.prompt("Write.");
    // The agent copies a person's lines, to the same file and to a new one.
    agent.edit("f.py", "handle.read()\n", &format!("handle.read()\n\n\n{READ}"));
    agent.write("g.py", READ);
    ada.commit(&work, "Copies");
    let old = "HEAD~2";
    assert_eq!(letters(&ada, &work, &["f.py"]), "---AAAAA");
    assert_eq!(letters(&ada, &work, &[old, "--", "f.py"]), "---");
    let told = ada.run(&work, ["link", "HEAD~2"]).ok();
    assert!(told.starts_with("Nothing to link"), "{told}");
    // Nor where the agent writes the same file anew.
    agent.bash("rm f.py");
    ada.commit(&work, "Remove");
    agent.write("f.py", READ);
    ada.commit(&work, "Anew");
    assert_eq!(letters(&ada, &work, &["HEAD~4", "--", "f.py"]), "---");
}

#[test]
fn lines_come_from_earlier_commits() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &*team.work);
    // No hook sees what the person commits; the agent copies it, on the same branch and on another.
    ada.write(work, "f.py", READ);
    ada.git(work, ["add", "-A"]).ok();
    ada.git(work, ["-c", "core.hooksPath=/dev/null", "commit", "--quiet", "-m", "A person's"]).ok();
    let persons = ada.git(work, ["rev-parse", "HEAD"]).ok();
    ada.git(work, ["switch", "--quiet", "-c", "other", "HEAD~1"]).ok();
    ada.pass(600);
    let agent = Agent::start(ada, work, "s");
    agent.prompt("Write.");
    agent.write("f.py", READ);
    ada.commit(work, "Elsewhere");
    assert_eq!(letters(ada, work, &["f.py"]), "AAA");
    assert_eq!(letters(ada, work, &[&persons, "--", "f.py"]), "---");
    ada.git(work, ["switch", "--quiet", "main"]).ok();
    agent.bash("rm f.py");
    ada.commit(work, "Remove");
    agent.write("f.py", READ);
    // By its clock it is the oldest of all.
    let mut commit = ada.command("git", work);
    ada.git(work, ["add", "-A"]).ok();
    commit.env("GIT_COMMITTER_DATE", "1767225600 +0000");
    assert!(commit.args(["commit", "--quiet", "-m", "Anew"]).output().unwrap().status.success());
    assert_eq!(letters(ada, work, &["f.py"]), "AAA");
    assert_eq!(letters(ada, work, &[&persons, "--", "f.py"]), "---");
    let told = ada.run(work, ["link", &persons]).ok();
    assert!(told.starts_with("Nothing to link"), "{told}");
}

#[test]
fn few_lines_that_many_write_are_whose_who_commits_them() {
    let team = Team::new();
    let (bob, bobs) = team.join("Bob");
    let (ada, work) = (&team.ada, &*team.work);
    let agent = Agent::start(ada, work, "s");
    agent.prompt("Write.");
    let head = "import json\nfrom typing import Optional\n";
    let body =
        |name: &str| format!("\n\ndef {name}():\n    logger = logging.getLogger(__name__)\n    return \"{name}\"\n");
    ada.git(work, ["switch", "--quiet", "-c", "topic"]).ok();
    agent.write("f.py", &format!("{head}{}", body("of_agent")));
    ada.commit(work, "An agent's");
    ada.git(work, ["push", "--quiet", "origin", "topic"]).ok();
    bob.run(&bobs, ["fetch"]).ok();
    bob.git(&bobs, ["fetch", "--quiet", "origin"]).ok();
    bob.write(&bobs, "f.py", &format!("{head}{}", body("of_bob")));
    bob.commit(&bobs, "Bob's own");
    assert_eq!(letters(&bob, &bobs, &["f.py"]), "-------");
    // Where no record speaks of the commit, a line that stands alone is no evidence, however long.
    bob.write(&bobs, "f.py", &format!("{}{head}", body("of_bob")));
    bob.git(&bobs, ["reset", "--quiet", "--soft", "HEAD~1"]).ok();
    let text = body("of_bob").replace("return", "    logger.debug(1)\n    return");
    bob.write(&bobs, "f.py", &text);
    bob.git(&bobs, ["add", "-A"]).ok();
    bob.git(&bobs, ["-c", "core.hooksPath=/dev/null", "commit", "--quiet", "-m", "Bob's own"]).ok();
    assert_eq!(letters(&bob, &bobs, &["f.py"]), "------");
    // Nor are two, where most of what the record has of the file is not there.
    bob.write(&bobs, "f.py", &format!("{head}{text}"));
    bob.git(&bobs, ["add", "-A"]).ok();
    bob.git(&bobs, ["-c", "core.hooksPath=/dev/null", "commit", "--quiet", "--amend", "-m", "Bob's own"]).ok();
    assert_eq!(letters(&bob, &bobs, &["f.py"]), "--------");
}

#[test]
fn what_a_record_says_is_nobodys_is_no_agents_after_a_squash() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &*team.work);
    ada.write(work, "f.py", "first = 1\n");
    ada.commit(work, "First");
    ada.git(work, ["switch", "--quiet", "-c", "topic"]).ok();
    let common = "    with open(path) as handle:\n        handle.seek(0)\n";
    let persons = format!("def a(path):\n{common}        return handle.read()\n");
    ada.write(work, "f.py", &format!("first = 1\n{persons}"));
    ada.commit(work, "A person's");
    let agent = Agent::start(ada, work, "s");
    agent.prompt("Write.");
    agent.edit("f.py", "first = 1\n", &format!("first = 1\ndef b(path):\n{common}        return handle.readlines()\n"));
    ada.commit(work, "An agent's");
    assert_eq!(letters(ada, work, &["f.py"]), "-AAAA----");
    ada.git(work, ["switch", "--quiet", "main"]).ok();
    ada.write(work, "f.py", "zero = 0\nfirst = 1\n");
    ada.commit(work, "Main goes on");
    ada.git(work, ["merge", "--quiet", "--squash", "topic"]).ok();
    ada.git(work, ["-c", "core.hooksPath=/dev/null", "commit", "--quiet", "-m", "Squashed"]).ok();
    assert_eq!(letters(ada, work, &["f.py"]), "--AAAA----");
    ada.run(work, ["link"]).ok();
    assert_eq!(letters(ada, work, &["f.py"]), "--AAAA----");
    assert_eq!(lines(ada, work, &["f.py"])[2]["evidence"], "linked");
    // The tree is that of the branch's last commit; the change is not.
    ada.git(work, ["switch", "--quiet", "-c", "same", "topic~2"]).ok();
    ada.git(work, ["merge", "--quiet", "--squash", "topic"]).ok();
    ada.git(work, ["-c", "core.hooksPath=/dev/null", "commit", "--quiet", "-m", "Squashed"]).ok();
    ada.run(work, ["link"]).ok();
    assert_eq!(letters(ada, work, &["f.py"]), "-AAAA----");
}

#[test]
fn who_is_not_enrolled_is_no_evidence() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &*team.work);
    ada.write(work, "f.py", READ);
    ada.git(work, ["add", "-A"]).ok();
    ada.git(work, ["-c", "core.hooksPath=/dev/null", "commit", "--quiet", "-m", "A person's"]).ok();
    ada.git(work, ["push", "--quiet", "origin", "main"]).ok();
    let mallory = ada.other("Mallory");
    let clone = mallory.clone(&team.remote, "mallory");
    mallory.run(&clone, ["init"]).ok();
    mallory.git(&clone, ["switch", "--quiet", "-c", "x", "HEAD~1"]).ok();
    let agent = Agent::start(&mallory, &clone, "m");
    agent.prompt("Write.");
    agent.write("f.py", READ);
    let hers = mallory.commit(&clone, "Mine");
    mallory.git(&clone, ["push", "--quiet", "origin", "x"]).ok();
    ada.run(work, ["fetch"]).ok();
    ada.git(work, ["fetch", "--quiet", "origin"]).ok();
    assert_eq!(letters(ada, work, &["f.py"]), "---");
    assert!(ada.run(work, ["link"]).ok().starts_with("Nothing to link"));
    // What she says of her own commits is told as what it is.
    let told = lines(ada, work, &[&hers, "--", "f.py"]);
    assert_eq!(
        (&told[0]["origin"], &told[0]["evidence"], &told[0]["state"]),
        (&"agent".into(), &"exact".into(), &"pending".into())
    );
    ada.run(work, ["member", "add", "mallory@example.com"]).ok();
    assert_eq!(lines(ada, work, &[&hers, "--", "f.py"])[0]["state"], "signed");
}

#[test]
fn commits_that_a_configuration_passes_over_are_not_passed_over() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &*team.work);
    let agent = Agent::start(ada, work, "s");
    agent.prompt("Write.");
    agent.write("f.py", "limit = 50\n");
    ada.commit(work, "An agent's");
    ada.write(work, "f.py", "limit = 5000 + of_a_person\n");
    let persons = ada.commit(work, "A person's");
    ada.write(work, "ignored", &format!("{persons}\n"));
    ada.git(work, ["config", "blame.ignoreRevsFile", "ignored"]).ok();
    let told = lines(ada, work, &["f.py"]);
    assert_eq!((&told[0]["commit"], &told[0]["origin"]), (&persons.as_str().into(), &"unattributed".into()));
    // Who asks for it gets it, and no origin with it.
    let asked = lines(ada, work, &["--ignore-revs-file", "ignored", "f.py"]);
    assert!(asked[0]["commit"] != persons && asked[0]["evidence"] == "none", "{asked:?}");
}

#[test]
fn who_copies_a_line_adds_it() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &*team.work);
    let agent = Agent::start(ada, work, "s");
    agent.prompt("Write.");
    let copied = "    raise NotImplementedError(\"later on\")\n";
    agent.write("f.py", &format!("def of_agent():\n{copied}"));
    let agents = ada.commit(work, "An agent's");
    ada.write(work, "f.py", &format!("def of_agent():\n{copied}def of_person():\n{copied}"));
    ada.write(work, "g.py", &format!("def of_person_too():\n{copied}"));
    ada.commit(work, "A person's");
    for (args, expected) in [(&["-M1", "f.py"][..], "AA--"), (&["-C1", "-C", "-C", "g.py"], "--")] {
        let told = lines(ada, work, args);
        assert_eq!(told.last().unwrap()["commit"], agents.as_str(), "{args:?}: what git says");
        assert_eq!(letters(ada, work, args), expected, "{args:?}");
    }
}

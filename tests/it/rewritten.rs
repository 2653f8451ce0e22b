//! Commits that were rewritten where no hook of ours ran: their lines are found by content, and by links.

use serde_json::Value;

use crate::agent::Agent;
use crate::ledger::Team;
use crate::support::World;

/// What blame says of each line of a file at HEAD: a letter for the origin, and the evidence.
fn blamed(world: &World, dir: &std::path::Path, file: &str) -> Vec<(char, String)> {
    let answer = world.run(dir, ["blame", "--json", "HEAD", "--", file]).ok();
    let line = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let letter = if line["origin"] == "agent" { 'A' } else { '-' };
        (letter, line["evidence"].as_str().unwrap().to_owned())
    };
    answer.lines().map(line).collect()
}

fn letters(blamed: &[(char, String)]) -> String {
    blamed.iter().map(|(letter, _)| *letter).collect()
}

/// A branch with agents' and a person's lines, squashed by somebody without hooks, pulled by others.
fn squashed(team: &Team) -> World {
    let agent = Agent::start(&team.ada, &team.work, "s");
    agent.prompt("Write.");
    team.ada.git(&team.work, ["switch", "--quiet", "-c", "topic"]).ok();
    agent.write("a.py", "def one():\n    return first_of_all\n");
    team.ada.commit(&team.work, "one");
    agent.edit("a.py", "first_of_all\n", "first_of_all\n\ndef two():\n    return 2\n");
    team.ada.write(&team.work, "h.py", "a person's own line\n");
    team.ada.commit(&team.work, "two");
    team.ada.git(&team.work, ["push", "--quiet", "origin", "topic"]).ok();
    let olga = team.ada.other("Olga");
    let clone = olga.clone(&team.remote, "olga");
    olga.write(&clone, "other.txt", "main went on\n");
    for args in [
        &["add", "-A"][..],
        &["commit", "--quiet", "-m", "main goes on"],
        &["merge", "--quiet", "--squash", "origin/topic"],
        &["commit", "--quiet", "-m", "Squashed (#1)"],
        &["push", "--quiet", "origin", "main"],
    ] {
        olga.pass(1);
        olga.git(&clone, args).ok();
    }
    olga
}

#[test]
fn a_squash_on_the_server_keeps_whose_the_lines_are() {
    let team = Team::new();
    let (bob, bobs) = team.join("Bob");
    squashed(&team);
    // Where the branch is here, its commits' lines are compared; where it is gone, the hashes of the ranges.
    bob.git(&bobs, ["pull", "--quiet", "origin", "main"]).ok();
    bob.run(&bobs, ["fetch"]).ok();
    let lines = blamed(&bob, &bobs, "a.py");
    assert_eq!(letters(&lines), "AAAAA");
    assert!(lines.iter().all(|(_, evidence)| evidence == "content"), "{lines:?}");
    assert_eq!(letters(&blamed(&bob, &bobs, "h.py")), "-");
    team.ada.git(&team.work, ["switch", "--quiet", "main"]).ok();
    team.ada.git(&team.work, ["pull", "--quiet", "origin", "main"]).ok();
    assert_eq!(letters(&blamed(&team.ada, &team.work, "a.py")), "AAAAA");

    // A link makes the answer permanent; it is told what it would do before.
    let told = bob.run(&bobs, ["link", "--range", "HEAD~2..HEAD", "--dry-run"]).ok();
    assert_eq!(told.lines().count(), 2, "{told}");
    let records = bob.records(&bobs).len();
    let links = bob.run(&bobs, ["link", "--range", "HEAD~2..HEAD", "--json"]).ok();
    let links: Vec<Value> = links.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(links.iter().all(|link| link["level"] == 1) && links.len() == 2, "{links:?}");
    assert_eq!(bob.records(&bobs).len(), records + 2);
    assert!(blamed(&bob, &bobs, "a.py").iter().all(|(letter, evidence)| *letter == 'A' && evidence == "linked"));
    assert!(bob.run(&bobs, ["link", "--range", "HEAD~2..HEAD"]).ok().starts_with("Nothing to link"));
    bob.run(&bobs, ["verify", "--full"]).ok();
}

/// An agent's file on a branch of Ada's that she pushes; the commit.
fn pushed_on_topic(team: &Team, text: &str) -> String {
    let agent = Agent::start(&team.ada, &team.work, "s");
    agent.prompt("Write.");
    team.ada.git(&team.work, ["switch", "--quiet", "-c", "topic"]).ok();
    agent.write("a.py", text);
    let commit = team.ada.commit(&team.work, "of an agent");
    team.ada.git(&team.work, ["push", "--quiet", "origin", "topic"]).ok();
    commit
}

#[test]
fn a_squash_of_one_line_is_known_beside_a_change_of_its_own() {
    let team = Team::new();
    let agent = Agent::start(&team.ada, &team.work, "s");
    let short = "def one():\n    a()\n";
    team.ada.write(&team.work, "a.py", short);
    team.ada.commit(&team.work, "by hand");
    team.ada.git(&team.work, ["push", "--quiet", "origin", "main"]).ok();
    team.ada.git(&team.work, ["switch", "--quiet", "-c", "topic"]).ok();
    agent.prompt("Write.");
    agent.edit("a.py", "    a()\n", "    a()\n    bread = butter(first, and = second)\n");
    team.ada.commit(&team.work, "one line");
    team.ada.git(&team.work, ["push", "--quiet", "origin", "topic"]).ok();

    let olga = team.ada.other("Olga");
    let clone = olga.clone(&team.remote, "olga");
    olga.pass(1);
    olga.git(&clone, ["merge", "--quiet", "--squash", "origin/topic"]).ok();
    olga.write(&clone, "other.txt", "a change of her own\n");
    olga.git(&clone, ["add", "-A"]).ok();
    olga.git(&clone, ["commit", "--quiet", "-m", "Squashed (#1), and more"]).ok();
    olga.git(&clone, ["push", "--quiet", "origin", "main"]).ok();

    team.ada.git(&team.work, ["switch", "--quiet", "main"]).ok();
    team.ada.git(&team.work, ["pull", "--quiet", "origin", "main"]).ok();
    assert_eq!(letters(&blamed(&team.ada, &team.work, "a.py")), "--A");
    assert_eq!(letters(&blamed(&team.ada, &team.work, "other.txt")), "-");
}

#[test]
fn a_rebase_without_hooks_is_the_same_change() {
    let team = Team::new();
    let old = pushed_on_topic(&team, "x1\nx2\nx3\n");
    team.ada.git(&team.work, ["switch", "--quiet", "main"]).ok();
    team.ada.commit_file(&team.work, "b.py", "b\n");
    team.ada.git(&team.work, ["-c", "core.hooksPath=/dev/null", "cherry-pick", &old]).ok();
    let new = team.ada.git(&team.work, ["rev-parse", "HEAD"]).ok();
    let links = team.ada.run(&team.work, ["link", "--json"]).json();
    assert_eq!((&links["old"], &links["new"], &links["level"]), (&old.into(), &new.into(), &2.into()));
    assert_eq!(letters(&blamed(&team.ada, &team.work, "a.py")), "AAA");
    team.ada.run(&team.work, ["verify", "--full"]).ok();
}

#[test]
fn a_push_links_what_no_hook_saw() {
    let team = Team::new();
    let (bob, bobs) = team.join("Bob");
    let old = pushed_on_topic(&team, "x1\nx2\nx3\n");
    bob.run(&bobs, ["fetch"]).ok();
    bob.git(&bobs, ["fetch", "--quiet", "origin"]).ok();
    let unseen = |args: &[&str]| {
        let hooks = ["-c", "core.hooksPath=/dev/null"];
        bob.git(&bobs, hooks.iter().chain(args)).ok();
    };
    unseen(&["cherry-pick", "origin/topic"]);
    let new = bob.git(&bobs, ["rev-parse", "HEAD"]).ok();
    bob.write(&bobs, "mine.py", "a person's own line\n");
    unseen(&["add", "-A"]);
    unseen(&["commit", "--quiet", "-m", "by hand"]);
    let told = bob.git(&bobs, ["push", "--quiet", "origin", "HEAD:main"]).stderr;
    assert!(told.contains("2 commits caught up"), "{told}");

    let records = bob.records(&bobs);
    let links: Vec<&Value> = records.iter().filter(|record| record["type"] == "link").collect();
    let [link] = links[..] else { panic!("{links:?}") };
    let link = &link["body"];
    assert_eq!((&link["old"], &link["new"], &link["level"]), (&old.into(), &new.into(), &3.into()));
    assert_eq!(link["found_by"], "catch-up");
    let lines = blamed(&bob, &bobs, "a.py");
    assert!(lines.iter().all(|(letter, evidence)| *letter == 'A' && evidence == "linked"), "{lines:?}");
    assert_eq!(letters(&blamed(&bob, &bobs, "mine.py")), "-");
    bob.run(&bobs, ["verify", "--full"]).ok();
}

#[test]
fn what_is_picked_from_anothers_branch_is_their_agents() {
    let team = Team::new();
    let (bob, bobs) = team.join("Bob");
    pushed_on_topic(&team, "def of_ada():\n    all = 'hers'\n    return all\n");
    bob.run(&bobs, ["fetch"]).ok();
    bob.git(&bobs, ["fetch", "--quiet", "origin"]).ok();
    bob.git(&bobs, ["cherry-pick", "--no-commit", "origin/topic"]).ok();
    bob.write(&bobs, "mine.py", "def of_bob():\n    return 'his'\n");
    bob.commit(&bobs, "picked, and more");
    let lines = blamed(&bob, &bobs, "a.py");
    assert_eq!((letters(&lines).as_str(), lines[0].1.as_str()), ("AAA", "content"));
    // A person's own lines stay theirs, and so does a copy of what stands there already.
    assert_eq!(letters(&blamed(&bob, &bobs, "mine.py")), "--");
    let copy = "def of_ada():\n    all = 'hers'\n    return all\n";
    bob.write(&bobs, "a.py", &format!("{copy}\n{copy}"));
    bob.commit(&bobs, "copied");
    assert_eq!(letters(&blamed(&bob, &bobs, "a.py")), "AAA----");
    bob.write(&bobs, "a.py", copy);
    bob.commit(&bobs, "no more");
    // Reformatted by a person, the lines are the agent's still.
    bob.write(&bobs, "a.py", "class C:\n    def of_ada():\n        all = 'hers'\n        return all\n");
    bob.commit(&bobs, "indented");
    assert_eq!(letters(&blamed(&bob, &bobs, "a.py")), "-AAA");
}

#[test]
fn lines_are_counted_by_scope() {
    let team = Team::new();
    let agent = Agent::start(&team.ada, &team.work, "s");
    agent.prompt("Write.");
    team.ada.write(&team.work, "a.py", "import os\n\ndef person():\n    return os.name\n");
    team.ada.commit(&team.work, "a person's");
    agent.edit("a.py", "os.name\n", "os.name\n\ndef of_agent():\n    x = 1\n    return x\n");
    team.ada.commit(&team.work, "an agent's");
    let told = team.ada.run(&team.work, ["blame", "--by", "scope", "--json", "a.py"]).ok();
    let rows: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |name: &str| rows.iter().find(|row| row["scope"] == name).unwrap_or_else(|| panic!("{name}: {told}"));
    assert_eq!((&of("person")["agent"], &of("person")["lines"]), (&0.into(), &2.into()));
    assert_eq!((&of("of_agent")["agent"], &of("of_agent")["lines"]), (&3.into(), &3.into()));
    assert_eq!((&of("-")["agent"], &of("-")["lines"]), (&1.into(), &3.into()));
    let shown = team.ada.run(&team.work, ["blame", "--by", "scope", "a.py"]).ok();
    assert!(shown.contains("of_agent") && shown.contains("100 %"), "{shown}");
    let refused = team.ada.run(&team.work, ["blame", "--by", "scope", "-L1,2", "a.py"]).exits(2);
    assert!(refused.stderr.contains("whole file"), "{}", refused.stderr);
    team.ada.run(&team.work, ["blame", "--by", "scope", "README.md"]).exits(2);
}

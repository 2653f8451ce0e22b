//! `git tracevault stats --by`: the same as `blame` of every file, and what became of agents' lines.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::agent::Agent;
use crate::ledger::Team;
use crate::support::World;

/// How many lines of a file are whose, and by which evidence.
pub fn counted<'l>(lines: impl Iterator<Item = &'l Value>) -> BTreeMap<String, u64> {
    let names = ["lines", "surviving", "human", "unattributed", "exact", "linked", "content"];
    let mut counts: BTreeMap<String, u64> = names.map(|name| (name.to_owned(), 0)).into();
    let mut add = |name: &str| *counts.entry(name.to_owned()).or_default() += 1;
    for line in lines {
        add("lines");
        match line["origin"].as_str().unwrap() {
            "agent" => {
                add("surviving");
                add(line["evidence"].as_str().unwrap());
            }
            other => add(other),
        }
    }
    counts
}

/// The same numbers, as `stats` has them.
pub fn told(row: &Value) -> BTreeMap<String, u64> {
    let names = ["lines", "surviving", "human", "unattributed", "exact", "linked", "content"];
    names.map(|name| (name.to_owned(), row[name].as_u64().unwrap_or_default())).into()
}

fn stats(world: &World, dir: &Path, args: &[&str]) -> Value {
    world.run(dir, [&["stats", "--json", "--by"], args].concat()).json()
}

/// Asserts that `stats --by path` says of every text file what `blame` says of its lines.
#[track_caller]
fn same_as_blame(world: &World, dir: &Path) {
    let found = stats(world, dir, &["path"]);
    let mut all = BTreeMap::new();
    let listed = world.git(dir, ["ls-tree", "-r", "-z", "HEAD"]).ok();
    for entry in listed.split('\0').filter(|entry| entry.starts_with("100")) {
        let (_, file) = entry.split_once('\t').unwrap();
        let answer = world.run(dir, ["blame", "--json", "HEAD", "--", file]);
        if answer.stderr.contains("is binary") {
            assert_eq!(found["by_path"][file], Value::Null, "{file} is binary");
            continue;
        }
        let lines: Vec<Value> = answer.ok().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let counts = counted(lines.iter());
        assert_eq!(told(&found["by_path"][file]), counts, "{file}: {}", found["by_path"][file]);
        counts.into_iter().for_each(|(name, count)| *all.entry(name).or_default() += count);
    }
    assert_eq!(told(&found["total"]), all);
}

/// Lines that are a function's, each with its number.
pub fn body(name: &str, lines: std::ops::Range<u32>) -> String {
    lines.map(|n| format!("    {name}_value_{n} = compute({n} + len({name}))\n")).collect()
}

/// A history with all that makes lines hard to follow.
pub fn tangle() -> Team {
    let team = Team::new();
    let (ada, work) = (&team.ada, team.work.as_path());
    let agent = Agent::start(ada, work, "tangle");
    let git = |args: &[&str]| drop(ada.git(work, args).ok());
    agent.prompt("Write.").write("src/a.py", &body("a", 0..40));
    agent.write("src/b.py", &body("b", 0..30));
    agent.write("größe \"x\".txt", &body("g", 0..10));
    ada.write(work, "human.py", &body("h", 0..30));
    fs::write(work.join("data.bin"), b"\0\x01\x02\n\n").unwrap();
    std::os::unix::fs::symlink("src/a.py", work.join("link")).unwrap();
    ada.commit(work, "Start");
    // One branch renames and edits, the other edits.
    git(&["checkout", "--quiet", "-b", "side"]);
    git(&["mv", "src/a.py", "src/moved.py"]);
    ada.write(work, "src/moved.py", &body("a", 0..40).replace("a_value_3 ", "a_third "));
    ada.commit(work, "Rename");
    agent.prompt("More.").write("src/side.py", &body("s", 0..12));
    agent.edit("human.py", "h_value_20", "agents_value_20");
    ada.commit(work, "Side");
    git(&["checkout", "--quiet", "main"]);
    ada.write(work, "src/a.py", &format!("# of Ada\n{}", body("a", 0..35)));
    ada.write(work, "human.py", &body("h", 5..30));
    git(&["rm", "--quiet", "src/b.py"]);
    ada.commit(work, "Main");
    git(&["merge", "--quiet", "--no-edit", "side"]);
    // A conflict, and the way out is neither side's.
    git(&["checkout", "--quiet", "-b", "left"]);
    agent.prompt("Left.").edit("human.py", "h_value_10 ", "left_10 ");
    ada.commit(work, "Left");
    git(&["checkout", "--quiet", "-b", "right", "main"]);
    ada.write(work, "human.py", &format!("{}# end\n", body("h", 5..30).replace("h_value_10 ", "right_10 ")));
    ada.commit(work, "Right");
    ada.git(work, ["merge", "--quiet", "left"]).exits(1);
    ada.write(work, "human.py", &format!("# both\n{}# end\n", body("h", 5..30).replace("h_value_10 ", "both_10 ")));
    ada.commit(work, "Both");
    git(&["checkout", "--quiet", "main"]);
    git(&["merge", "--quiet", "--no-ff", "--no-edit", "right"]);
    // Three heads at once, and a merge that takes nothing of the other side.
    for (branch, file) in [("one", "one.py"), ("two", "two.py"), ("lost", "lost.py")] {
        git(&["checkout", "--quiet", "-b", branch, "main"]);
        agent.prompt("A file.").write(file, &body(branch, 0..8));
        ada.commit(work, branch);
    }
    git(&["checkout", "--quiet", "main"]);
    git(&["merge", "--quiet", "--no-edit", "one", "two"]);
    git(&["merge", "--quiet", "--no-edit", "-s", "ours", "lost"]);
    // What changes its kind, has no end, is indented, comes back, is squashed where no hook is.
    fs::remove_file(work.join("link")).unwrap();
    ada.write(work, "link", &body("l", 0..5));
    fs::write(work.join("data.bin"), body("d", 0..6)).unwrap();
    ada.write(work, "src/side.py", body("s", 0..12).replace("    ", "\t").trim_end());
    fs::write(work.join("crlf.txt"), body("c", 0..5).replace('\n', "\r\n")).unwrap();
    fs::set_permissions(work.join("one.py"), fs::Permissions::from_mode(0o755)).unwrap();
    ada.commit(work, "Kinds");
    git(&["revert", "--no-edit", "HEAD~0"]);
    git(&["checkout", "--quiet", "-b", "squashed", "main"]);
    agent.prompt("Squash.").write("squash.py", &body("q", 0..9));
    ada.commit(work, "q");
    agent.edit("squash.py", "q_value_3", "q_third");
    ada.commit(work, "q2");
    git(&["checkout", "--quiet", "main"]);
    git(&["merge", "--quiet", "--squash", "squashed"]);
    git(&["-c", "core.hooksPath=/dev/null", "commit", "--quiet", "-m", "Squashed"]);
    agent.end();
    team
}

#[test]
fn every_file_has_the_lines_that_blame_finds() {
    let team = tangle();
    let (ada, work) = (&team.ada, team.work.as_path());
    same_as_blame(ada, work);
    let cache = work.join(".git/tracevault/lines.json");
    assert_eq!(fs::metadata(&cache).unwrap().permissions().mode() & 0o777, 0o600);
    let cold = ["author", "model", "agent", "path", "scope", "day"].map(|by| stats(ada, work, &[by]));
    let again = || ["author", "model", "agent", "path", "scope", "day"].map(|by| stats(ada, work, &[by]));
    // Deleted, spoilt or cut off, the cache changes nothing.
    fs::remove_file(&cache).unwrap();
    assert_eq!(again(), cold);
    let bytes = fs::read(&cache).unwrap();
    for spoilt in [&b"{}"[..], b"\xff", &bytes[..bytes.len() / 2], b"{\"version\":0,\"commits\":{},\"whos\":[]}"] {
        fs::write(&cache, spoilt).unwrap();
        assert_eq!(stats(ada, work, &["path"]), cold[3]);
    }
    // A history that goes on from another commit than the cached one, and one more record.
    ada.git(work, ["checkout", "--quiet", "-b", "late", "side"]).ok();
    let agent = Agent::start(ada, work, "late");
    agent.prompt("Late.").edit("src/moved.py", "a_value_7 ", "late_7 ");
    ada.commit(work, "Late");
    same_as_blame(ada, work);
    ada.git(work, ["checkout", "--quiet", "main"]).ok();
    ada.git(work, ["merge", "--quiet", "--no-edit", "late"]).ok();
    same_as_blame(ada, work);
}

#[test]
fn what_became_of_agents_lines_is_counted() {
    let team = Team::new();
    let (ada, work) = (&team.ada, team.work.as_path());
    let start = ada.git(work, ["rev-parse", "HEAD"]).ok();
    let agent = Agent::start(ada, work, "first");
    agent.prompt("Write.").write("src/a.py", &format!("def f():\n{}", body("a", 0..9)));
    ada.commit(work, "Write");
    // Ada changes two lines, indents three and deletes one; the agent changes one and adds one.
    ada.pass(86_400);
    let text = fs::read_to_string(work.join("src/a.py")).unwrap();
    let text = text.replace("a_value_0 ", "ada_0 ").replace("a_value_1 ", "ada_1 ");
    let text =
        (3..6).fold(text, |text, n| text.replace(&format!("    a_value_{n} "), &format!("        a_value_{n} ")));
    let text: String = text.split_inclusive('\n').filter(|line| !line.contains("a_value_8 ")).collect();
    ada.write(work, "src/a.py", &text);
    let bea = ["commit", "--quiet", "-am", "Change", "--author", "Bea <bea@example.com>"];
    ada.git(work, bea).ok();
    agent.prompt("Change.").edit("src/a.py", "    a_value_7 = compute(7 + len(a))\n", "    seven = 7\n    eight = 8\n");
    ada.git(work, ["mv", "src/a.py", "src/b.py"]).ok();
    ada.commit(work, "Seven");
    agent.end();

    let range = format!("{start}..HEAD");
    let found = stats(ada, work, &["path", "--range", &range]);
    let row = &found["by_path"]["src/b.py"];
    let expected = json!({"added": 12, "surviving": 8, "exact": 8, "linked": 0, "content": 0, "changed_by_people": 3,
        "changed_by_agents": 1, "dropped": 0, "lines": 10, "human": 0, "unattributed": 2, "share": 0.8});
    assert_eq!(row, &expected, "{found}");
    assert_eq!(found["total"], expected);
    assert_eq!((&found["files"], &found["agent_files"]), (&json!(4), &json!(1)), "{found}");
    assert_eq!(found["by_path"].as_object().unwrap().len(), 1, "{found}");

    let found = stats(ada, work, &["agent", "--range", &range]);
    assert_eq!(found["by_agent"]["claude-code"]["added"], 12);
    assert_eq!(found["by_agent"]["claude-code"]["share"], 0.8);
    let found = stats(ada, work, &["model", "--range", &range]);
    assert_eq!(found["by_model"]["anthropic/claude-opus-5-5"]["surviving"], 8, "{found}");
    let found = stats(ada, work, &["day", "--range", &range]);
    let days: Vec<_> =
        found["by_day"].as_object().unwrap().iter().map(|(day, n)| (day.as_str(), &n["added"])).collect();
    assert_eq!(days, [("2026-01-01", &json!(10)), ("2026-01-02", &json!(2))]);
    let found = stats(ada, work, &["author", "--range", &range]);
    // The lines that Bea only indented are the agent's, in her commit.
    assert_eq!(found["by_author"]["bea@example.com"]["surviving"], 3, "{found}");
    assert_eq!(found["by_author"]["bea@example.com"]["added"], 0);
    assert_eq!(found["by_author"]["ada@example.com"]["changed_by_people"], 3);
    let found = stats(ada, work, &["scope"]);
    let scopes = found["by_scope"].as_array().unwrap();
    assert_eq!(scopes.len(), 1, "{found}");
    let expected = json!({"path": "src/b.py", "scope": "f", "kind": "function", "first": 1, "last": 10, "lines": 10,
        "agent": 8, "human": 0, "unattributed": 2, "share": 0.8});
    assert_eq!(scopes[0], expected);

    // Narrowed by folder and by day.
    assert_eq!(stats(ada, work, &["path", "--", "src"])["total"]["lines"], 10);
    assert_eq!(stats(ada, &work.join("src"), &["path", "--", "../README.md"])["total"]["surviving"], 0);
    assert_eq!(stats(ada, &work.join("src"), &["path", "--", ".."])["total"]["surviving"], 8);
    assert_eq!(stats(ada, work, &["path", "--since", "2026-01-02", "--range", &range])["total"]["added"], 2);
    for (args, complaint) in [
        (&["scope", "--since", "2026-01-02"][..], "without --range"),
        (&["path", "--session", "first"], "cannot be used with"),
        (&["path", "--", "/"], "not in the work tree"),
        (&["path", "--range", "nowhere.."], "nowhere"),
    ] {
        let output = ada.run(work, [&["stats", "--by"], args].concat()).exits(2);
        assert!(output.stderr.contains(complaint) && output.stdout.is_empty(), "{output:?}");
    }

    // For eyes.
    let text = ada.run(work, ["stats", "--by", "agent", "--range", &range]).ok();
    for line in [
        "Agents     12 added: 8 still there (66.7 %), 3 changed by people (25.0 %), 1 by agents, 0 left out by merges",
        "Evidence   8 exact, 0 linked, 0 content",
        "Agent        added  surviving  by people  by agents  lines   share",
        "claude-code     12          8          3          1      8  80.0 %",
    ] {
        assert!(text.lines().any(|found| found == line), "{line:?} is not in\n{text}");
    }
}

#[test]
fn what_people_wrote_before_an_agent_came_stays_theirs() {
    let team = Team::new();
    let (ada, work) = (&team.ada, team.work.as_path());
    ada.write(work, "src/a.py", &body("a", 0..6));
    ada.write(work, "src/old.py", &body("o", 0..6));
    ada.git(work, ["add", "-A"]).ok();
    ada.git(work, ["-c", "core.hooksPath=/dev/null", "commit", "--quiet", "-m", "Before"]).ok();
    ada.pass(3 * 86_400);
    // The agent repeats what is there, and writes a file that it removes again.
    let agent = Agent::start(ada, work, "late");
    agent.prompt("Again.").write("src/a.py", &format!("{}# again\n{}", body("a", 0..6), body("a", 0..6)));
    agent.write("src/gone.py", &body("o", 0..6));
    ada.commit(work, "Again");
    agent.prompt("Away.").bash("rm src/gone.py");
    ada.commit(work, "Away");
    agent.end();
    let origins = |file: &str| {
        let text = ada.run(work, ["blame", "--json", file]).ok();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.map(|line| if line["origin"] == "agent" { 'A' } else { '-' }).collect::<String>()
    };
    assert_eq!(origins("src/a.py"), "------AAAAAAA");
    assert_eq!(origins("src/old.py"), "------");
    same_as_blame(ada, work);
}

//! Whose each line is, with a real git: what an agent and a person do in turn, and the letters that come of it.
//!
//! A letter a line of the file at HEAD: `A` an agent's, `-` nobody's known.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::agent::Agent;
use crate::ledger::Team;

/// A team's clone with an agent at work in it.
struct Desk<'t> {
    team: &'t Team,
    agent: Agent<'t>,
}

impl<'t> Desk<'t> {
    fn new(team: &'t Team) -> Self {
        let agent = Agent::start(&team.ada, &team.work, "s");
        agent.prompt("Write.");
        Desk { team, agent }
    }

    fn git<const N: usize>(&self, args: [&str; N]) -> &Self {
        self.team.ada.pass(1);
        self.team.ada.git(&self.team.work, args).ok();
        self
    }

    /// A person writes a file.
    fn human(&self, file: &str, text: &str) -> &Self {
        self.team.ada.pass(1);
        self.team.ada.write(&self.team.work, file, text);
        self
    }

    fn agent(&self, file: &str, text: &str) -> &Self {
        self.agent.write(file, text);
        self
    }

    fn commit(&self) -> &Self {
        self.git(["add", "-A"]).git(["commit", "--quiet", "-m", "x"])
    }

    /// The trace of each commit that has a record.
    fn traces(&self) -> BTreeMap<String, Value> {
        let (ada, work) = (&self.team.ada, &self.team.work);
        let own = ada.own_chain(work);
        let commits = ada.git(work, ["log", "--format=%H %s", &own]).ok();
        let of_commits = commits.lines().filter(|line| line.contains(" commit ") || line.contains(" commit:"));
        let read = |line: &str| {
            let at = format!("{}:agent-trace.json", line.split(' ').next().unwrap());
            let trace: Value = serde_json::from_str(&ada.git(work, ["cat-file", "blob", &at]).ok()).unwrap();
            (trace["vcs"]["revision"].as_str().unwrap().to_owned(), trace)
        };
        of_commits.map(read).collect()
    }

    /// A letter a line of the file at HEAD.
    fn letters(&self, file: &str) -> String {
        let traces = self.traces();
        let blame = self.team.ada.git(&self.team.work, ["blame", "--line-porcelain", "HEAD", "--", file]).ok();
        let (mut letters, mut at) = (String::new(), (String::new(), 0));
        for line in blame.lines() {
            let mut words = line.split(' ');
            if let (Some(commit), Some(Ok(number))) = (words.next(), words.next().map(str::parse::<u64>))
                && commit.len() == 40
            {
                at = (commit.to_owned(), number);
            } else if let Some(path) = line.strip_prefix("filename ") {
                letters.push(if is_agents(&traces, &at.0, path, at.1) { 'A' } else { '-' });
            }
        }
        letters
    }
}

fn is_agents(traces: &BTreeMap<String, Value>, commit: &str, path: &str, line: u64) -> bool {
    let Some(trace) = traces.get(commit) else { return false };
    let files = trace["files"].as_array().unwrap().iter().filter(|entry| entry["path"] == path);
    let mut talks = files.flat_map(|entry| entry["conversations"].as_array().unwrap());
    talks.any(|talk| {
        let covers = |range: &Value| {
            (range["start_line"].as_u64().unwrap()..=range["end_line"].as_u64().unwrap()).contains(&line)
        };
        talk["contributor"]["type"] == "ai" && talk["ranges"].as_array().unwrap().iter().any(covers)
    })
}

const FIVE: &str = "h1\nh2\nh3\nh4\nh5\n";

#[test]
fn amends_and_lines_that_wait() {
    let team = Team::new();
    let desk = Desk::new(&team);
    // Lines that are not staged when the commit before is amended are the next commit's.
    desk.human("a", FIVE).commit().agent("a", &format!("a1\na2\n{FIVE}"));
    desk.git(["commit", "--quiet", "--amend", "-m", "Said better"]).commit();
    assert_eq!(desk.letters("a"), "AA-----");
    // Header, doc and footer go into the commit that is amended.
    desk.agent("b", "body\n").commit();
    desk.agent.edit("b", "body\n", "header\ndoc\nbody\nfooter\n");
    desk.git(["add", "-A"]).git(["commit", "--quiet", "--amend", "-m", "y"]);
    assert_eq!(desk.letters("b"), "AAAA");
    // Twice, with a person's line on top.
    desk.agent("c", "1\n").commit().agent("c", "1\n2\n").git(["commit", "--quiet", "-a", "--amend", "-m", "y"]);
    desk.human("c", "h\n1\n2\n").git(["commit", "--quiet", "-a", "--amend", "-m", "z"]);
    assert_eq!(desk.letters("c"), "-AA");
    // One file now, the other later.
    desk.agent("d", "1\n").agent("e", "1\n2\n").git(["add", "d"]).git(["commit", "--quiet", "-m", "d"]).commit();
    assert_eq!((desk.letters("d"), desk.letters("e")), ("A".into(), "AA".into()));
    // Parts of one file now, the rest later.
    desk.agent("f", "1\n").git(["add", "f"]).agent("f", "1\n2\n3\n").git(["commit", "--quiet", "-m", "f"]);
    assert_eq!(desk.letters("f"), "A");
    desk.commit();
    assert_eq!(desk.letters("f"), "AAA");
    desk.human("g", FIVE).commit().agent("g", &format!("top\n{FIVE}end\n"));
    let patch = "--- a/g\n+++ b/g\n@@ -1,1 +1,2 @@\n+top\n h1\n";
    let patch = team.ada.write(&team.ada.path("tmp"), "patch", patch);
    desk.git(["apply", "--cached", "--unidiff-zero", patch.to_str().unwrap()]).git(["commit", "--quiet", "-m", "g"]);
    assert_eq!(desk.letters("g"), "A-----");
    desk.commit();
    assert_eq!(desk.letters("g"), "A-----A");
    team.ada.passes(&team.work, "HEAD");
}

#[test]
fn agent_and_person_in_one_file() {
    let team = Team::new();
    let desk = Desk::new(&team);
    desk.human("a", "h1\nh2\nh3\nh4\n").agent("a", "a\nh1\nh2\nh3\nh4\n").commit();
    assert_eq!(desk.letters("a"), "A----");
    desk.agent("b", "1\n2\n3\n4\n5\n").commit().human("b", "1\n2\nmine\n4\n5\n").commit();
    assert_eq!(desk.letters("b"), "AA-AA");
    desk.human("c", FIVE).commit().agent("c", &format!("top\n{FIVE}end\n")).commit();
    assert_eq!(desk.letters("c"), "A-----A");
    // Nothing leaks over the edge.
    desk.agent("d", "1\n2\n3\n").human("d", "1\n2\n3\nh\nh\nh\nh\nh\nh\n").commit();
    assert_eq!(desk.letters("d"), "AAA------");
    // A person's commit among the agent's, and a message that says otherwise.
    desk.human("e", "e\n").git(["add", "-A"]);
    desk.git(["commit", "--quiet", "-m", "x\n\nCo-Authored-By: Claude <noreply@anthropic.com>"]);
    assert_eq!(desk.letters("e"), "-");
    let head = team.ada.git(&team.work, ["rev-parse", "HEAD"]).ok();
    assert_eq!(team.ada.record_of(&team.work, &head)["sessions"], serde_json::json!([]));
    // A person takes the agent's line away and writes it anew, between two edits.
    desk.agent("f", "1\n2\n").human("f", "1\n").human("f", "1\n2\nh\n").agent("f", "1\n2\nh\n4\n").commit();
    assert_eq!(desk.letters("f").chars().last(), Some('A'));
    assert_eq!(desk.letters("f").chars().nth(2), Some('-'));
    team.ada.passes(&team.work, "HEAD");
}

#[test]
fn shells_renames_and_things_undone() {
    let team = Team::new();
    let desk = Desk::new(&team);
    desk.human("a", FIVE).commit();
    desk.agent.bash("cat > new.txt <<'EOF'\none\ntwo\nEOF\nsed -i s/h3/a3/ a");
    desk.commit();
    assert_eq!((desk.letters("new.txt"), desk.letters("a")), ("AA".into(), "--A--".into()));
    // A rename, by whoever, with an edit in the same commit.
    desk.agent("b", "1\n2\n3\n4\n5\n6\n").commit().git(["mv", "b", "c"]);
    desk.agent.edit("c", "6\n", "six\n");
    desk.commit();
    assert_eq!(desk.letters("c"), "AAAAAA");
    desk.git(["mv", "c", "d"]).human("d", "1\n2\n3\n4\n5\nsix\nh\n").commit();
    assert_eq!(desk.letters("d"), "AAAAAA-");
    // Twice renamed before it is committed, and written to in between.
    desk.agent.bash("echo first > twice.txt");
    desk.git(["add", "-A"]).git(["mv", "twice.txt", "between.txt"]);
    desk.agent.bash("echo second >> between.txt");
    desk.git(["mv", "between.txt", "last.txt"]).commit();
    assert_eq!(desk.letters("last.txt"), "AA");
    // A person's own file is no agent's for having the same bytes as one that is gone.
    desk.agent.bash("printf 'one\\ntwo\\n' > scratch");
    desk.agent.bash("rm scratch");
    desk.human("same.txt", "one\ntwo\n").agent.bash("echo three >> same.txt");
    desk.commit();
    assert_eq!(desk.letters("same.txt"), "--A");
    desk.human("own.txt", "one\ntwo\n").agent.bash("echo three >> own.txt");
    desk.git(["add", "-A"]).git(["mv", "own.txt", "kept.txt"]).commit();
    assert_eq!(desk.letters("kept.txt"), "--A");
    // Renamed and formatted, while a person makes another file of its old name.
    desk.agent("notes", "one\n  two\n").commit();
    desk.agent.bash("echo 'three(a, b)' >> notes");
    desk.git(["mv", "notes", "moved"]).human("notes", "own\n").human("moved", "one\ntwo\nthree(a, b)\n").commit();
    // What is left of the second says too little.
    assert_eq!((desk.letters("moved"), desk.letters("notes")), ("A-A".into(), "-".into()));
    // Of what an agent wrote and a commit has, some is left where it was renamed, and there is another of its old name.
    desk.agent("kept", "one()\ntwo()\nthree()\n").commit().git(["mv", "kept", "left"]);
    desk.human("left", "one()\nh\nh\nh\n").agent("kept", "four()\n").commit();
    assert_eq!((desk.letters("left"), desk.letters("kept")), ("A---".into(), "A".into()));
    // Git puts the former file back, and what it was renamed to stays.
    desk.human("back", FIVE).commit().agent("back", &format!("a\n{FIVE}")).commit().git(["mv", "back", "stays"]);
    desk.git(["reset", "--quiet", "--mixed", "HEAD~1"]).git(["reset", "--quiet", "--hard"]).commit();
    assert_eq!((desk.letters("stays"), desk.letters("back")), ("A-----".into(), "-----".into()));
    // Stashed and brought back; reset and committed again; thrown away and written by a person.
    desk.agent("e", "1\n2\n3\n").git(["add", "-A"]).git(["stash", "--quiet"]).git(["stash", "pop", "--quiet"]).commit();
    assert_eq!(desk.letters("e"), "AAA");
    desk.git(["reset", "--quiet", "--soft", "HEAD~1"]).git(["commit", "--quiet", "-m", "again"]);
    assert_eq!(desk.letters("e"), "AAA");
    desk.agent("a", "a1\na2\n").git(["checkout", "--quiet", "--", "a"]).human("a", "own1\nown2\n").commit();
    assert_eq!(desk.letters("a"), "--");
    // An edit that failed changes nothing, whatever stands there later.
    let path = team.work.join("a");
    let input = serde_json::json!({"file_path": path, "old_string": "own1", "new_string": "theirs"});
    let call = desk.agent.wish("Edit", &input);
    let more = serde_json::json!({"tool_name": "Edit", "tool_input": input, "tool_use_id": call, "error": "no"});
    desk.agent.event("PostToolUseFailure", more);
    desk.human("a", "theirs\nown2\n").commit();
    assert_eq!(desk.letters("a"), "--");
    // A squash of two commits; a branch picked up line by line.
    desk.git(["switch", "--quiet", "-c", "topic"]).agent("q", "1\n").commit().human("q", "1\nh\n").commit();
    desk.git(["switch", "--quiet", "main"]).git(["merge", "--quiet", "--squash", "topic"]).commit();
    assert_eq!(desk.letters("q"), "A-");
    team.ada.passes(&team.work, "HEAD");
}

#[test]
fn a_file_is_itself_whatever_another_work_tree_does_with_its_name() {
    let team = Team::new();
    let desk = Desk::new(&team);
    desk.human("a", "h1\n").commit().agent("a", "a1\na2\n");
    desk.git(["worktree", "add", "--quiet", "-b", "other", "../other"]);
    let other = team.work.with_file_name("other");
    Agent::start(&team.ada, &other, "o").write("a", "o1\no2\no3\no4\n");
    desk.git(["mv", "a", "b"]).human("b", "a1\nh2\nh3\nh4\n").commit();
    assert_eq!(desk.letters("b"), "A---");
    team.ada.passes(&team.work, "HEAD");
}

#[test]
fn encodings_and_sizes() {
    let team = Team::new();
    let desk = Desk::new(&team);
    for (n, name) in ["plain", "with space", "größe", "tab\there", "quote\"d"].into_iter().enumerate() {
        desk.human(name, "h\r\nlast").commit();
        desk.agent(name, "h\r\na\r\nlast").commit();
        assert_eq!(desk.letters(name).len(), 3, "{n}");
    }
    for name in ["plain", "with space"] {
        assert_eq!(desk.letters(name), "-A-", "{name}");
    }
    // Bytes that are no text, and a megabyte of lines.
    let latin = team.work.join("latin");
    desk.agent
        .call("Write", &serde_json::json!({"file_path": latin}), || fs::write(&latin, b"caf\xe9\nth\xe9\n").unwrap());
    let large: String = (0..100_000).map(|n| format!("line {n}\n")).collect();
    desk.human("large", &large).commit();
    assert_eq!(desk.letters("latin"), "AA");
    desk.agent.edit("large", "line 50000\n", "changed\nand more\n");
    desk.commit();
    let letters = desk.letters("large");
    assert_eq!((letters.find('A'), letters.matches('A').count()), (Some(50_000), 2));
    team.ada.passes(&team.work, "HEAD");
}

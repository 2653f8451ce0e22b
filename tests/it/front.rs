//! Journeys of a reader: `log`, `show` and `blame` after an agent, a human and a shell have changed files.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::World;

const SESSION: &str = "5e55104a-0000-4000-8000-000000000001";
const TRANSCRIPT: &str = include_str!("../fixtures/transcript.jsonl");
const AGENTS: &str = "def greet(name):\n    text = 'hello ' + name\n    return text\n";
const WHOLE: &str = "def greet(name):\n    text = 'hello ' + name\n    return text\n\nprint(greet('you'))\n";

/// A repository in which a session was held and its work committed.
struct Told {
    world: World,
    dir: PathBuf,
    commit: String,
}

impl Told {
    /// By a model that has a price.
    fn new() -> Told {
        Told::by("claude-opus-4-5")
    }

    fn by(model: &str) -> Told {
        let world = World::new();
        let dir = world.repository("work");
        world.git(&dir, ["config", "commit.gpgSign", "false"]).ok();
        world.run(&dir, ["init"]).ok();
        world.git(&dir, ["add", "-A"]).ok();
        world.git(&dir, ["-c", "core.hooksPath=/dev/null", "commit", "-qm", "Set up"]).ok();
        let mut told = Told { world, dir, commit: String::new() };
        told.talk(model);
        told.world.write(&told.dir, "greet.py", WHOLE);
        told.commit = told.commit_all("Greet \u{1b}[31mall\u{1b}[0m of 世界");
        told
    }

    fn event(&self, name: &str, more: Value) {
        let transcript = self.world.path("transcript.jsonl");
        let mut payload = json!({"session_id": SESSION, "transcript_path": transcript, "cwd": self.dir,
            "hook_event_name": name});
        payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.world.pass(1);
        self.world.hook(&self.dir, &payload).ok();
    }

    fn call(&self, tool: &str, id: &str, input: Value, act: impl FnOnce()) {
        let call = json!({"tool_name": tool, "tool_use_id": id, "tool_input": input});
        self.event("PreToolUse", call.clone());
        act();
        self.event("PostToolUse", call);
    }

    /// The session of the fixture: a file written, another made by a shell.
    fn talk(&self, model: &str) {
        let text = TRANSCRIPT.replace("@REPO", self.dir.to_str().unwrap()).replace("@MODEL", model);
        fs::write(self.world.path("transcript.jsonl"), text.replace("@SESSION", SESSION)).unwrap();
        self.event("SessionStart", json!({"source": "startup"}));
        self.event("UserPromptSubmit", json!({"prompt": "Write a greeting, please"}));
        let file = self.dir.join("greet.py");
        self.call("Write", "toolu_write", json!({"file_path": file, "content": AGENTS}), || {
            fs::write(&file, AGENTS).unwrap();
        });
        let made = self.dir.join("made.txt");
        self.call("Bash", "toolu_shell", json!({"command": "printf 'made by a shell\\n' > made.txt"}), || {
            fs::write(&made, "made by a shell\n").unwrap();
        });
        self.event("Stop", json!({}));
    }

    fn commit_all(&self, message: &str) -> String {
        self.world.pass(60);
        self.world.git(&self.dir, ["add", "-A"]).ok();
        self.world.git(&self.dir, ["commit", "-qm", message]).ok();
        self.world.git(&self.dir, ["rev-parse", "HEAD"]).ok()
    }

    fn text(&self, args: &[&str]) -> String {
        self.world.run(&self.dir, args).ok()
    }

    /// A JSON value a line.
    fn lines(&self, args: &[&str]) -> Vec<Value> {
        self.text(args).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn chain_ref(&self) -> String {
        self.world.git(&self.dir, ["for-each-ref", "--format=%(refname)", "refs/tracevault/log"]).ok()
    }
}

#[test]
fn log_tells_who_wrote_what() {
    let told = Told::new();
    let lines = told.lines(&["log", "--json"]);
    assert_eq!(lines.len(), 2);
    let line = &lines[0];
    let keys: Vec<&String> = line.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "commit",
            "time",
            "author",
            "subject",
            "record",
            "state",
            "added",
            "agent",
            "human",
            "unattributed",
            "sessions",
            "cost_usd"
        ]
    );
    assert_eq!(line["commit"], told.commit);
    assert_eq!(line["author"], json!({"name": "Ada", "email": "ada@example.com"}));
    assert_eq!(line["subject"], "Greet \u{1b}[31mall\u{1b}[0m of 世界");
    assert_eq!((&line["state"], &line["added"], &line["agent"]), (&json!("signed"), &json!(6), &json!(4)));
    assert_eq!((&line["human"], &line["unattributed"]), (&json!(0), &json!(2)));
    assert_eq!(line["record"].as_str().unwrap().len(), 64);
    let session =
        json!({"session": SESSION, "agent": "claude-code", "models": ["claude-opus-4-5"], "cost_usd": 0.03875});
    assert_eq!((&line["sessions"], &line["cost_usd"]), (&json!([session]), &json!(0.03875)));
    // Before the hooks were there.
    let first = &lines[1];
    assert_eq!((&first["state"], &first["record"], &first["sessions"]), (&json!("missing"), &json!(null), &json!([])));
    assert_eq!((&first["added"], &first["agent"], &first["cost_usd"]), (&json!(null), &json!(null), &json!(null)));

    let text = told.text(&["log"]);
    let line = text.lines().next().unwrap();
    assert!(!text.contains('\u{1b}'), "no colours, and none of others' making: {text}");
    for expected in
        ["Ada", "67%", &SESSION[..8], "claude-opus-4-5", "$0.04", "signed", "Greet \u{fffd}[31mall", "of 世界"]
    {
        assert!(line.contains(expected), "{expected}: {line}");
    }
    assert!(text.lines().nth(1).unwrap().contains("missing"));
    assert_eq!(told.lines(&["log", "--json", "-n", "1"]).len(), 1);
    assert_eq!(told.lines(&["log", "--json", "HEAD~1..HEAD"]).len(), 1);
    assert_eq!(told.lines(&["log", "--json", "main", "--", "made.txt"]).len(), 1);
    let folder = told.dir.join(".claude");
    assert_eq!(told.world.run(&folder, ["log", "--json", "--", "settings.json"]).ok().lines().count(), 1);
    let refused = told.world.run(&told.dir, ["log", "nowhere"]).exits(2);
    assert!(refused.stderr.contains("error: ambiguous argument 'nowhere'"), "{}", refused.stderr);
}

#[test]
fn costs_of_commits_add_up_and_follow_rewritten_ones() {
    let told = Told::new();
    let file = told.dir.join("more.txt");
    told.call("Write", "toolu_more", json!({"file_path": file, "content": "more\n"}), || {
        fs::write(&file, "more\n").unwrap();
    });
    told.commit_all("More");
    let costs = |args: &[&str]| told.lines(args).iter().map(|line| line["cost_usd"].clone()).collect::<Vec<_>>();
    assert_eq!(costs(&["log", "--json"]), [json!(0), json!(0.03875), json!(null)]);
    told.world.git(&told.dir, ["commit", "-q", "--amend", "-m", "More, better said"]).ok();
    assert_eq!(costs(&["log", "--json"]), [json!(0), json!(0.03875), json!(null)]);
    told.world.git(&told.dir, ["reset", "-q", "--soft", "HEAD~1"]).ok();
    told.world.git(&told.dir, ["commit", "-q", "--amend", "-m", "All in one"]).ok();
    let lines = told.lines(&["log", "--json", "-n1"]);
    assert_eq!((&lines[0]["cost_usd"], &lines[0]["state"]), (&json!(0.03875), &json!("signed")));
}

#[test]
fn an_unknown_price_is_not_nothing() {
    let told = Told::by("model-of-tomorrow");
    let line = &told.lines(&["log", "--json"])[0];
    assert_eq!((&line["cost_usd"], &line["sessions"][0]["cost_usd"]), (&json!(null), &json!(null)));
    let text = told.text(&["log", "-n1"]);
    assert!(text.contains(" ?  signed"), "{text}");
    assert!(told.text(&["show"]).contains("cost ?"));
}

#[test]
fn blame_tells_the_origin_of_each_line() {
    let told = Told::new();
    told.world.write(&told.dir, "greet.py", &WHOLE.replace("you", "me"));
    let lines = told.lines(&["blame", "--json", "greet.py"]);
    let keys: Vec<&String> = lines[0].as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        ["line", "text", "commit", "origin", "evidence", "session", "agent", "model", "call", "record", "state"]
    );
    let record = told.lines(&["log", "--json", "-n1"])[0]["record"].clone();
    assert_eq!(
        lines[1],
        json!({"line": 2, "text": "    text = 'hello ' + name", "commit": told.commit, "origin": "agent",
            "evidence": "exact", "session": SESSION, "agent": "claude-code", "model": "anthropic/claude-opus-4-5",
            "call": "toolu_write", "record": record, "state": "signed"})
    );
    assert_eq!(
        (&lines[3]["origin"], &lines[3]["evidence"], &lines[3]["record"]),
        (&json!("unattributed"), &json!("exact"), &record)
    );
    assert_eq!(
        lines[4],
        json!({"line": 5, "text": "print(greet('me'))", "commit": null, "origin": "unattributed", "evidence": "none",
            "session": null, "agent": null, "model": null, "call": null, "record": null, "state": null})
    );
    assert_eq!(told.lines(&["blame", "--json", "-L", "2,3", "greet.py"]).len(), 2);
    assert_eq!(told.lines(&["blame", "--json", "HEAD", "--", "greet.py"])[4]["commit"], told.commit);
    assert_eq!(told.lines(&["blame", "--json", "HEAD", "made.txt"])[0]["call"], "toolu_shell");

    let text = told.text(&["blame", "greet.py"]);
    let words = |at: usize| text.lines().nth(at).unwrap().split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let who = ["agent", "claude-code", "claude-opus-4-5"];
    assert_eq!(words(1)[1..4], who);
    assert_eq!(words(1)[4..8], [&SESSION[..8], "exact", "2026-01-01", "2"]);
    assert_eq!(words(1)[0], told.commit[..12]);
    assert!(text.lines().nth(1).unwrap().ends_with("2      text = 'hello ' + name"), "{text}");
    assert_eq!(words(4)[..5], ["not", "yet", "-", "-", "5"]);
    let settings = told.lines(&["blame", "--json", ".claude/settings.json"]);
    assert!(settings.iter().all(|line| line["evidence"] == "none" && line["commit"].is_string()));
}

#[test]
fn blame_follows_renames_and_amended_commits() {
    let told = Told::new();
    told.world.git(&told.dir, ["mv", "greet.py", "hello.py"]).ok();
    told.commit_all("Rename");
    assert_eq!(told.lines(&["blame", "--json", "hello.py"])[0]["call"], "toolu_write");
    // A rewritten commit whose own record is not there.
    let head = told.world.git(&told.dir, ["rev-parse", "HEAD~1"]).ok();
    told.world.git(&told.dir, ["reset", "-q", "--hard", &head]).ok();
    told.world.git(&told.dir, ["commit", "-q", "--amend", "-m", "Another word"]).ok();
    let lines = told.lines(&["blame", "--json", "greet.py"]);
    assert_eq!((&lines[0]["origin"], &lines[0]["session"]), (&json!("agent"), &json!(SESSION)));
}

#[test]
fn blame_says_clearly_what_it_cannot_do() {
    let told = Told::new();
    fs::write(told.dir.join("binary"), b"a\0b\n").unwrap();
    told.commit_all("Binary");
    told.world.write(&told.dir, "untracked", "x\n");
    for (args, expected) in [
        (vec!["blame", "binary"], "binary is binary"),
        (vec!["blame", "nowhere"], "no such path 'nowhere' in HEAD"),
        (vec!["blame", "untracked"], "no such path 'untracked' in HEAD"),
        (vec!["blame", "../outside"], "outside repository"),
        (vec!["blame", "HEAD", "nowhere"], "no such path nowhere in HEAD"),
        (vec!["blame", "v9", "greet.py"], "v9"),
        (vec!["blame", "HEAD", "a", "b"], "bad revision 'a'"),
    ] {
        let output = told.world.run(&told.dir, &args).exits(2);
        assert!(output.stderr.contains(expected), "{args:?}: {}", output.stderr);
        assert!(!output.stderr.contains("--porcelain"), "{}", output.stderr);
    }
}

#[test]
fn show_tells_a_commit_line_by_line() {
    let told = Told::new();
    let shown = told.world.run(&told.dir, ["show", "--json"]).json();
    assert_eq!(
        (&shown["kind"], &shown["commit"], &shown["member"]),
        (&json!("commit"), &json!(told.commit), &json!("ada@example.com"))
    );
    let ranges = json!([
        {"start": 1, "end": 3, "origin": "agent", "session": SESSION, "call": "toolu_write", "model": "anthropic/claude-opus-4-5"},
        {"start": 4, "end": 5, "origin": "unattributed", "session": null, "call": null, "model": null}
    ]);
    let file = json!({"path": "greet.py", "added": 5, "agent": 3, "human": 0, "unattributed": 2, "ranges": ranges});
    assert_eq!(shown["files"][0], file);
    let text = told.text(&["show", &told.commit[..8]]);
    for expected in
        ["signed", "6 lines added: 4 agent (67%)", "cost $0.04", SESSION, "greet.py  +5  60% agent", "1-3  agent"]
    {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert!(told.text(&["show", "HEAD~1"]).contains("No record speaks of this commit. (git tracevault fetch)"));
}

#[test]
fn show_reads_a_session_back() {
    let told = Told::new();
    let lines = told.lines(&["show", "--json", "5e55"]);
    let facts = &lines[0];
    assert_eq!(
        (&facts["kind"], &facts["session"], &facts["cost_usd"]),
        (&json!("session"), &json!(SESSION), &json!(0.03875))
    );
    assert_eq!((&facts["prompts"], &facts["models"][0]["input"]), (&json!(1), &json!(6000)));
    assert_eq!(facts["commits"], json!([told.commit]));
    let turn = &lines[1];
    assert_eq!((&turn["kind"], &turn["source"], &turn["number"]), (&json!("turn"), &json!("main"), &json!(1)));
    assert_eq!(turn["prompt"], json!({"text": "Write a greeting, please", "human": true}));
    let kinds: Vec<_> = turn["steps"].as_array().unwrap().iter().map(|step| step["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["reasoning", "call", "call", "text"]);
    let shell = &turn["steps"][2];
    assert_eq!((&shell["tool"], &shell["outcome"]), (&json!("Bash"), &json!("ok")));
    assert_eq!(shell["diffs"], json!([{"path": "made.txt", "hunks": "@@ -0,0 +1,1 @@\n+made by a shell\n"}]));
    assert_eq!(lines.len(), 2);

    let text = told.text(&["show", SESSION]);
    assert!(!text.contains('\u{1b}'), "{text}");
    for expected in [
        "> Write a greeting, please",
        "~ A function would do.",
        "* Write ",
        "    +def greet(name):",
        "    +made by a shell",
        "Done: \u{fffd}[2J greet()",
        "model   claude-opus-4-5  3 requests, 6000 in, 350 out",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[test]
fn what_is_missing_of_a_session_is_said() {
    let told = Told::new();
    let refs = told.world.git(&told.dir, ["for-each-ref", "--format=%(refname)", "refs/tracevault/payload"]).ok();
    for name in refs.lines() {
        told.world.git(&told.dir, ["update-ref", "-d", name]).ok();
    }
    let lines = told.lines(&["show", "--json", SESSION]);
    assert_eq!(lines[1]["steps"][0]["kind"], "missing", "{lines:#?}");
    assert_eq!(lines[2]["kind"], "missing");
    let text = told.text(&["show", SESSION]);
    assert!(text.contains("is not here (git tracevault fetch)"), "{text}");
}

#[test]
fn a_session_without_a_transcript_is_told_by_its_events() {
    let told = Told::new();
    let call = json!({"tool_name": "Bash", "tool_use_id": "t9", "tool_input": {"command": "true"}});
    for (name, more) in [
        ("UserPromptSubmit", json!({"prompt": "Go on"})),
        ("PreToolUse", call.clone()),
        ("PostToolUse", call),
        ("SessionEnd", json!({})),
    ] {
        let mut payload = json!({"session_id": "untold", "transcript_path": "/nowhere.jsonl", "cwd": told.dir, "hook_event_name": name});
        payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        told.world.hook(&told.dir, &payload).ok();
    }
    let lines = told.lines(&["show", "--json", "untold"]);
    assert_eq!((&lines[0]["cost_usd"], &lines[1]["prompt"]["text"]), (&json!(null), &json!("Go on")));
    assert_eq!((&lines[1]["steps"][0]["input"], &lines[1]["steps"][0]["outcome"]), (&json!("true"), &json!("ok")));
}

#[test]
fn show_prints_records_and_refuses_what_is_not_clear() {
    let told = Told::new();
    let record = told.lines(&["log", "--json", "-n1"])[0]["record"].as_str().unwrap().to_owned();
    let shown = told.world.run(&told.dir, ["show", "--json", &record[..12]]).json();
    assert_eq!(
        (&shown["kind"], &shown["state"], &shown["json"]["body"]["commit"]),
        (&json!("record"), &json!("signed"), &json!(told.commit))
    );
    let text = told.text(&["show", &record]);
    assert!(
        text.starts_with(&format!("record {record}  signed\n")) && text.contains("\n  \"type\": \"commit\","),
        "{text}"
    );
    let tip = told.world.git(&told.dir, ["rev-parse", &told.chain_ref()]).ok();
    assert!(told.text(&["show", &tip]).contains("record "), "a record by its git commit");
    let genesis = told.world.git(&told.dir, ["cat-file", "blob", "refs/tracevault/policy:record.json"]).ok();
    let ledger = told.world.run(&told.dir, ["status", "--json"]).json()["ledger"].as_str().unwrap().to_owned();
    let shown = told.world.run(&told.dir, ["show", "--json", &ledger]).json();
    assert_eq!((&shown["chain"], &shown["state"]), (&json!("policy"), &json!("signed")));
    assert_eq!(shown["json"], serde_json::from_str::<Value>(&genesis).unwrap());

    let unknown = told.world.run(&told.dir, ["show", "beef0000"]).exits(2);
    assert!(
        unknown.stderr.contains("nothing here is called \"beef0000\"")
            && unknown.stderr.contains("hint: git tracevault fetch"),
        "{}",
        unknown.stderr
    );
    for id in ["same-1", "same-2"] {
        let payload =
            json!({"session_id": id, "transcript_path": "/nowhere", "cwd": told.dir, "hook_event_name": "SessionEnd"});
        told.world.hook(&told.dir, &payload).ok();
    }
    let unclear = told.world.run(&told.dir, ["show", "same"]).exits(2);
    assert!(unclear.stderr.contains("same is not clear: session same-1, session same-2"), "{}", unclear.stderr);
    told.text(&["show", "same-1"]);
}

/// Puts a record in the place of the newest that says more lines are the agent's, with the old signature.
fn forge(told: &Told) {
    let name = told.chain_ref();
    let git = |args: &[&str], input: &str| {
        let mut command = told.world.command("git", &told.dir);
        let mut child = command
            .args(args)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap().trim().to_owned()
    };
    let json = git(&["cat-file", "blob", &format!("{name}:record.json")], "");
    let forged = json.replace("\"unattributed\":2}", "\"unattributed\":1}");
    assert_ne!(json, forged);
    let blob = git(&["hash-object", "-w", "--stdin"], &forged);
    let tree = git(&["ls-tree", &name], "");
    let old = tree
        .lines()
        .find(|line| line.ends_with("\trecord.json"))
        .unwrap()
        .split_whitespace()
        .nth(2)
        .unwrap()
        .to_owned();
    let tree = git(&["mktree"], &format!("{}\n", tree.replace(&old, &blob)));
    let commit = git(&["cat-file", "commit", &name], "");
    let rest = commit.split_once('\n').unwrap().1;
    let commit = git(&["hash-object", "-w", "-t", "commit", "--stdin"], &format!("tree {tree}\n{rest}\n"));
    git(&["update-ref", &name, &commit], "");
}

#[test]
fn a_bad_record_is_not_believed() {
    let told = Told::new();
    forge(&told);
    let log = told.world.run(&told.dir, ["log", "--json", "-n1"]).exits(0);
    assert!(log.stderr.contains("the ledger does not verify"), "{}", log.stderr);
    let line: Value = serde_json::from_str(&log.stdout).unwrap();
    assert_eq!(
        (&line["state"], &line["agent"], &line["sessions"], &line["cost_usd"]),
        (&json!("bad"), &json!(null), &json!([]), &json!(null))
    );
    let record = line["record"].as_str().unwrap();
    let blamed = told.lines(&["blame", "--json", "greet.py"]);
    assert!(blamed.iter().all(|line| line["evidence"] == "none" && line["session"].is_null()));
    assert!(told.text(&["show"]).contains("The record does not hold"));
    let shown = told.world.run(&told.dir, ["show", "--json", record]).json();
    assert_eq!(shown["state"], "bad");
    assert!(!shown["findings"].as_array().unwrap().is_empty());
    assert!(told.text(&["log", "-n1"]).contains("  bad  "));
}

#[test]
fn without_a_ledger_nothing_is_known() {
    let world = World::new();
    let dir = world.repository("plain");
    world.commit_file(&dir, "a", "1\n");
    let log = world.run(&dir, ["log", "--json"]).exits(0);
    assert!(log.stdout.contains("\"state\":\"missing\"") && log.stderr.contains("there is no ledger here"), "{log:?}");
    world.run(&dir, ["blame", "a"]).ok();
    world.run(&dir, ["show"]).ok();
    let empty = world.repository("empty");
    let log = world.run(&empty, ["log"]).exits(2);
    assert!(log.stderr.contains("does not have any commits yet"), "{}", log.stderr);
}

#[test]
fn colours_are_for_terminals_and_a_reader_may_leave() {
    let told = Told::new();
    let program = env!("CARGO_BIN_EXE_git-tracevault");
    let sh = |script: &str| {
        let output = told.world.command("sh", &told.dir).args(["-c", script]).env("COLUMNS", "100").output().unwrap();
        (String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for command in ["log", "show", "blame greet.py"] {
        assert!(!sh(&format!("{program} {command}")).0.contains('\u{1b}'), "{command}");
        assert!(sh(&format!("GIT_PAGER_IN_USE=1 {program} {command}")).0.contains('\u{1b}'), "{command}");
        assert!(!sh(&format!("NO_COLOR=1 GIT_PAGER_IN_USE=1 {program} {command}")).0.contains('\u{1b}'), "{command}");
        let (stdout, stderr) = sh(&format!("{program} {command} | head -c1; {program} {command} --json | head -c1"));
        assert_eq!((stdout.len(), stderr.as_str()), (2, ""), "{command}");
    }
    // A terminal of its own, where there is the program to make one.
    if told.world.command("script", &told.dir).arg("--version").output().is_err() {
        return;
    }
    let terminal = |env: &str| sh(&format!("{env} script -qec '{program} log' /dev/null")).0;
    let text = terminal("GIT_PAGER=cat");
    assert!(text.contains("\u{1b}[") && text.contains("COMMIT"), "{text}");
    assert!(!text.contains("\u{1b}[31mall"), "only our own colours: {text}");
    let bare = terminal("GIT_PAGER=cat NO_COLOR=1");
    assert!(!bare.contains('\u{1b}'), "{bare}");
    assert!(bare.lines().all(|line| line.trim_end().chars().count() <= 100), "{bare}");
    assert!(terminal("GIT_PAGER='sed s/^/paged:/'").contains("paged:"), "through the pager that git would use");
}

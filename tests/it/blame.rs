//! `blame` and `why` beside git: the same lines from the same commits to the same flags, and what is known of them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::agent::Agent;
use crate::ledger::Team;
use crate::support::{Output, World};

const FILE: &str = "src/grüße \"all\".rs";
const BODY: &str = "fn greet() {\n    let text = \"hello to all of the world\";\n    println!(\"{text}\");\n}\n";

/// A file that an agent wrote, with what people and git did to it since.
struct Desk {
    team: Team,
    /// The commits, by what they are for.
    commits: HashMap<&'static str, String>,
    call: String,
}

impl Desk {
    fn new() -> Desk {
        let team = Team::new();
        let (mut commits, mut call) = (HashMap::new(), String::new());
        {
            let (ada, work) = (&team.ada, team.work.as_path());
            let agent = Agent::start(ada, work, "first");
            agent.prompt("What is there?").say("Nothing yet.");
            agent.prompt("Greet all of them.\u{1b}[2J").say("A function \u{1b}[31mwould do.");
            call.push_str(&agent.write("src/old.rs", BODY));
            agent.bash("true");
            agent.event("Stop", json!({}));
            commits.insert("agent", ada.commit(work, "Greet\n\nReviewed-by: Cleo <cleo@example.com>\nAcked-by: Dan"));
            ada.pass(86_400);
            ada.write(work, "src/old.rs", &BODY.replace("world", "town"));
            commits.insert("human", ada.commit(work, "Say town"));
            ada.git(work, ["mv", "src/old.rs", FILE]).ok();
            commits.insert("rename", ada.commit(work, "Rename"));
            let text = format!("// Of Ada.\n{}", BODY.replace("world", "town").replace("    ", "\t"));
            ada.write(work, FILE, &text);
            commits.insert("tabs", ada.commit(work, "Tabs"));
            let copy = "fn greet() {\n    println!(\"one more of these lines\");\n}\n";
            agent.prompt("More.").write("copy.rs", copy);
            ada.write(work, FILE, &format!("{text}{copy}"));
            commits.insert("copy", ada.commit(work, "Copy"));
            ada.write(work, FILE, &format!("{text}{copy}// Not committed.\n"));
        }
        Desk { team, commits, call }
    }

    fn work(&self) -> &Path {
        &self.team.work
    }

    fn git(&self, dir: &Path, args: &[&str]) -> String {
        self.team.ada.git(dir, [&["-c", "core.quotePath=true", "blame"], args].concat()).ok()
    }

    fn run(&self, dir: &Path, args: &[&str]) -> Output {
        self.team.ada.run(dir, args)
    }

    fn lines(&self, args: &[&str]) -> Vec<Value> {
        let text = self.run(self.work(), &[&["blame", "--json"], args].concat()).ok();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Whose each line is: `A` an agent's, `-` nobody's known, `.` without evidence.
    fn letters(&self, args: &[&str]) -> String {
        let letter = |line: &Value| match (&line["origin"], &line["evidence"]) {
            (origin, _) if origin == "agent" => 'A',
            (_, evidence) if evidence == "none" => '.',
            _ => '-',
        };
        self.lines(args).iter().map(letter).collect()
    }
}

/// What git printed of all that is printed, without the times by the machine's clock of what is not committed.
fn gits(porcelain: &str) -> String {
    let is_now = |line: &str| line.split_once("-time ").is_some_and(|(_, time)| time > "1770000000");
    let gits = porcelain.lines().filter(|line| !line.starts_with("tracevault-") && !is_now(line));
    gits.map(|line| format!("{line}\n")).collect()
}

/// A reader of git's format that knows nothing of ours: the commit, the author and the text of each line, and what else
/// stood before each.
fn read(porcelain: &str) -> Vec<(String, String, String, HashMap<String, String>)> {
    let mut authors: HashMap<String, String> = HashMap::new();
    let (mut lines, mut commit, mut facts) = (Vec::new(), None::<String>, HashMap::new());
    for line in porcelain.lines() {
        if let Some(text) = line.strip_prefix('\t') {
            let commit = commit.take().unwrap();
            lines.push((commit.clone(), authors[&commit].clone(), text.to_owned(), std::mem::take(&mut facts)));
            continue;
        }
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        match &commit {
            None => commit = Some(key.to_owned()),
            Some(commit) if key == "author" => drop(authors.insert(commit.clone(), value.to_owned())),
            Some(_) => drop(facts.insert(key.to_owned(), value.to_owned())),
        }
    }
    lines
}

#[test]
fn every_flag_is_answered_as_git_answers_it() {
    let desk = Desk::new();
    let (work, at) = (desk.work(), |name: &str| desk.commits[name].as_str());
    desk.team.ada.write(&desk.team.ada.path(""), "ignored", &format!("{}\n", at("tabs")));
    let ignored = desk.team.ada.path("ignored");
    // History as somebody has it who takes the last commit for the first one's child.
    let grafts = format!("{} {}\n{}\n", at("copy"), at("agent"), at("agent"));
    desk.team.ada.write(&desk.team.ada.path(""), "grafts", &grafts);
    let grafts = desk.team.ada.path("grafts");
    let (since, range) = (format!("{}..", at("human")), format!("{}..{}", at("agent"), at("tabs")));
    let flags: &[&[&str]] = &[
        &[FILE],
        &["-L", "2,3", "-L", "/println/,+1", FILE],
        &["-L2,+2", FILE],
        &["-w", FILE],
        &["-M", FILE],
        &["-M5", "-w", FILE],
        &["-C", "-C", "-C5", FILE],
        &["-wCCC5", FILE],
        &["--since=2026-01-01T12:00:00Z", FILE],
        &["--first-parent", "--minimal", "--root", FILE],
        &["--ignore-rev", at("tabs"), FILE],
        &["--ignore-revs-file", ignored.to_str().unwrap(), FILE],
        &[at("tabs"), "--", FILE],
        &[at("tabs"), FILE],
        &[&since, "--", FILE],
        &[&range, "--", FILE],
        &[at("human"), "--", "src/old.rs"],
        &["--contents", "copy.rs", FILE],
        &["-S", grafts.to_str().unwrap(), at("copy"), "--", FILE],
        &["--diff-algorithm=patience", "--encoding=ISO-8859-1", FILE],
        &["--no-minimal", "--no-ignore-rev", "--no-progress", "--no-abbrev", "-c", FILE],
        &["-s", "-n", "-f", "-e", "-l", FILE],
    ];
    for args in flags {
        for format in ["--porcelain", "--line-porcelain", "-p"] {
            let args = [&[format], *args].concat();
            let expected = desk.git(work, &args) + "\n";
            let ours = desk.run(work, &[&["blame"], &*args].concat()).ok();
            assert_eq!(gits(&ours), gits(&expected), "{args:?}");
            let (theirs, ours) = (read(&expected), read(&ours));
            assert_eq!(ours.len(), theirs.len());
            for (ours, theirs) in ours.iter().zip(theirs) {
                assert_eq!((&ours.0, &ours.1, &ours.2), (&theirs.0, &theirs.1, &theirs.2));
                assert!(ours.3.contains_key("tracevault-origin") && ours.3.contains_key("tracevault-evidence"));
            }
        }
    }
}

#[test]
fn porcelain_and_json_tell_the_same() {
    let desk = Desk::new();
    let json = desk.lines(&["-w", FILE]);
    let porcelain = read(&desk.run(desk.work(), &["blame", "-w", "--porcelain", FILE]).ok());
    assert_eq!(json.len(), porcelain.len());
    for (json, (_, _, text, facts)) in json.iter().zip(&porcelain) {
        assert_eq!(json["text"], *text);
        for key in ["origin", "evidence", "session", "agent", "model", "call", "record", "state"] {
            let header = facts.get(&format!("tracevault-{key}")).map_or(Value::Null, |value| json!(value));
            assert_eq!(json[key], header, "{key} of {text}");
        }
    }
    assert_eq!((&json[1]["call"], &json[1]["session"]), (&json!(desk.call), &json!("first")), "{:#?}", json[1]);
}

#[test]
fn whose_a_line_is_holds_through_flags_and_renames() {
    let desk = Desk::new();
    let at = |name: &str| desk.commits[name].as_str();
    let agents = desk.letters(&[at("agent"), "--", "src/old.rs"]);
    assert_eq!(agents, "AAAA");
    assert_eq!(desk.letters(&[at("rename"), "--", FILE]), "A-AA", "a person's change is not the agent's");
    assert_eq!(desk.letters(&["-w", at("tabs"), "--", FILE]), "-A-AA");
    // Git says then that the agent's commit wrote what a person wrote.
    let ignoring = ["--ignore-rev", at("human"), at("rename"), "--", FILE];
    assert_eq!(desk.lines(&ignoring)[1]["commit"], at("agent"));
    assert_eq!(desk.letters(&ignoring), "A.AA");
    // A boundary is where git stopped, not who wrote the line.
    let range = format!("{}..", at("human"));
    let stopped = desk.lines(&["-w", &range, "--", FILE]);
    assert_eq!((&stopped[1]["commit"], &stopped[1]["origin"]), (&json!(at("human")), &json!("unattributed")));
    // What is not committed is nobody's yet, also where it comes from elsewhere.
    let last = desk.lines(&[FILE]).pop().unwrap();
    assert_eq!((&last["commit"], &last["evidence"]), (&Value::Null, &json!("none")));
    let fed =
        desk.team.ada.feed(desk.work(), ["blame", "--json", "-w", "--contents", "-", FILE], b"fn greet() {\nnew\n");
    let fed: Vec<Value> = fed.ok().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&fed[0]["origin"], &fed[1]["commit"]), (&json!("agent"), &Value::Null));
}

#[test]
fn from_everywhere_in_a_repository_and_in_a_bare_one() {
    let desk = Desk::new();
    let (ada, work) = (&desk.team.ada, desk.work());
    let json = |dir: &Path, args: &[&str]| desk.run(dir, &[&["blame", "--json"], args].concat()).ok();
    let name = FILE.strip_prefix("src/").unwrap();
    let from_top = json(work, &[FILE]);
    assert_eq!(json(&work.join("src"), &[name]), from_top);
    assert_eq!(desk.run(&ada.path(""), &["-C", "ada", "blame", "--json", FILE]).ok(), from_top);
    assert_eq!(json(&work.join("src"), &["../copy.rs"]), json(work, &["copy.rs"]));
    ada.git(work, ["push", "-q", "origin", "main"]).ok();
    assert_eq!(json(&desk.team.remote, &["main", "--", FILE]), json(work, &["main", "--", FILE]));
    assert_eq!(json(&desk.team.remote, &[FILE]), json(work, &["main", "--", FILE]));
}

#[test]
fn the_view_has_the_columns_that_are_asked_for() {
    let desk = Desk::new();
    let at = |name: &str| desk.commits[name].as_str();
    let text = |args: &[&str]| desk.run(desk.work(), &[&["blame"], args].concat()).ok();
    let words = |args: &[&str], line: usize| -> Vec<String> {
        text(args).lines().nth(line).unwrap().split_whitespace().map(str::to_owned).collect()
    };
    let human = ["-L2,2", at("human"), "--", "src/old.rs"];
    let agent = ["-L1,1", at("human"), "--", "src/old.rs"];
    let with = |flags: &[&'static str], rest: &[&str]| words(&[flags, rest].concat(), 0).join(" ");
    let short = |name: &str| at(name)[..12].to_owned();
    let line = |ours: &str| format!("{ours} 1 fn greet() {{");
    let (who, model) = ("claude-code claude-opus-5-5", "first exact 2026-01-01");
    assert_eq!(with(&[], &agent), line(&format!("{} agent {who} {model}", short("agent"))));
    assert_eq!(with(&["-s"], &agent), line(&format!("{} agent first exact", short("agent"))));
    assert_eq!(with(&["-l", "-s"], &agent), line(&format!("{} agent first exact", at("agent"))));
    assert_eq!(with(&["--abbrev=7", "-s"], &agent), line(&format!("{} agent first exact", &at("agent")[..7])));
    assert_eq!(with(&["--no-abbrev", "-s"], &agent), with(&["-l", "-s", "--abbrev=7"], &agent));
    assert_eq!(with(&["--no-abbrev", "--abbrev", "-s"], &agent), with(&["-s"], &agent));
    let annotated = [&["-c", "--date=format:%Y"][..], &agent[..]].concat();
    assert_eq!(text(&annotated), format!("{}\t({who}\t      2026\t1)fn greet() {{", short("agent")));
    assert_eq!(with(&["--show-stats", "--score-debug", "--color-by-age", "-s"], &agent), with(&["-s"], &agent));
    assert_eq!(with(&["-f", "-n", "-s"], &agent), line(&format!("{} src/old.rs 1 agent first exact", short("agent"))));
    assert!(with(&["-t"], &agent).contains(" exact 17672"));
    assert!(with(&["--date=format:%Y|%d"], &agent).contains(" exact 2026|01 1 fn"));
    let line = |ours: &str| format!("{ours} 2 let text = \"hello to all of the town\";");
    assert_eq!(with(&[], &human), line(&format!("{} unattributed Ada exact 2026-01-02", short("human"))));
    assert_eq!(
        with(&["-e"], &human),
        line(&format!("{} unattributed ada@example.com exact 2026-01-02", short("human")))
    );
    // Files are named where a line comes from another.
    assert!(words(&["-w", at("rename"), "--", FILE], 0).contains(&"src/old.rs".to_owned()));
    assert!(!text(&["-w", at("human"), "--", "src/old.rs"]).contains("old.rs"));
    // Where git stopped.
    let range = format!("{}..", at("human"));
    let stopped = ["-L2,2", &range, "--", FILE];
    let stopped = |flags: &[&str]| text(&[flags, &stopped].concat());
    assert!(stopped(&["-w"]).starts_with(&format!("^{} ", &at("human")[..11])));
    assert!(stopped(&["-w", "-b"]).starts_with(' '), "{}", stopped(&["-w", "-b"]));
    assert!(text(&["-L9,9", FILE]).starts_with("not yet"));

    for (args, expected) in [
        (&["--json", "-s", FILE][..], "cannot be used with"),
        (&["-S", "nowhere", FILE], "'nowhere' failed"),
        (&["--nothing", FILE], "unexpected argument '--nothing'"),
        (&["-L", "nonsense", FILE], "no such lines: -Lnonsense; name them as"),
        (&["--reverse", "main~1..main", "--", FILE], "not who wrote it"),
        (&["--date=nonsense", FILE], "unknown date format"),
        (&["-L99,99", FILE], "has only 9 lines"),
        (&["--ignore-rev", "nowhere", FILE], "cannot find revision nowhere"),
    ] {
        let refused = desk.run(desk.work(), &[&["blame"], args].concat()).exits(2);
        assert!(refused.stderr.contains(expected), "{args:?}: {}", refused.stderr);
        assert!(!refused.stderr.contains("use '--"), "{}", refused.stderr);
    }
}

#[test]
fn where_history_is_cut_off_it_is_said_once() {
    let desk = Desk::new();
    let (ada, work) = (&desk.team.ada, desk.work());
    ada.git(work, ["push", "-q", "origin", "main"]).ok();
    let url = format!("file://{}", desk.team.remote.display());
    ada.git(&ada.path(""), ["clone", "--quiet", "--depth", "1", &url, "shallow"]).ok();
    let shallow = ada.path("shallow");
    ada.run(&shallow, ["fetch"]).ok();
    for args in [&["blame", FILE][..], &["blame", "--json", FILE], &["why", FILE, "1"], &["stats", "--by", "path"]] {
        let told = |dir: &Path| ada.run(dir, args).exits(0).stderr.matches("is shallow").count();
        assert_eq!((told(work), told(&shallow)), (0, 1), "{args:?}");
    }
    let stats = |dir: &Path| ada.run(dir, ["stats", "--by", "path", "--json"]).json()["shallow"].clone();
    assert_eq!((stats(work), stats(&shallow)), (Value::Null, json!(true)));
}

/// What `why` says of a line, as JSON.
fn why(world: &World, dir: &Path, args: &[&str]) -> Value {
    world.run(dir, [&["why", "--json"], args].concat()).json()
}

#[test]
fn why_opens_the_turn_that_wrote_a_line() {
    let desk = Desk::new();
    let (ada, work) = (&desk.team.ada, desk.work());
    let told = why(ada, work, &["src/old.rs:1", &desk.commits["human"]]);
    assert_eq!(
        (&told["line"], &told["origin"], &told["evidence"], &told["call"], &told["path"], &told["there"]),
        (&json!(1), &json!("agent"), &json!("exact"), &json!(desk.call), &json!("src/old.rs"), &json!(1))
    );
    let turn = &told["turn"];
    assert_eq!((&turn["source"], &turn["number"]), (&json!("main"), &json!(2)));
    assert_eq!(turn["prompt"], json!({"text": "Greet all of them.\u{1b}[2J", "human": true}));
    let kinds: Vec<_> = turn["steps"].as_array().unwrap().iter().map(|step| step["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["text", "call", "call"]);
    assert_eq!((&turn["steps"][1]["call"], &turn["steps"][1]["tool"]), (&json!(desk.call), &json!("Write")));
    let before = told["before"].as_array().unwrap();
    assert_eq!((before.len(), &before[0]["text"], &before[0]["number"]), (1, &json!("What is there?"), &json!(1)));
    let change = &told["changes"][0];
    assert_eq!((&change["commit"], &change["state"]), (&json!(desk.commits["agent"]), &json!("signed")));
    assert_eq!(change["reviewers"], json!(["Cleo <cleo@example.com>", "Dan"]));
    assert_eq!(told["missing"], json!([]));

    // The same line by other names, and where it is now.
    for args in [
        &["-L1", "src/old.rs", "HEAD~3"][..],
        &["src/old.rs", "1", "HEAD~3"],
        &["src/old.rs:1:4", "HEAD~3"],
        &["-L", "/greet/", "src/old.rs", "HEAD~3"],
        &["-L:greet", "src/old.rs", "HEAD~3"],
        &["-L", "1,2", "src/old.rs", "HEAD~3"],
    ] {
        assert_eq!(why(ada, work, args)["call"], desk.call, "{args:?}");
    }
    let name = FILE.strip_prefix("src/").unwrap();
    assert_eq!(why(ada, &work.join("src"), &[name, "2"])["call"], desk.call);

    let text = ada.run(work, ["why", "src/old.rs:1", "HEAD~3"]).ok();
    assert!(!text.contains('\u{1b}'), "{text}");
    for expected in [
        "src/old.rs:1\n    fn greet() {\n",
        "by      claude-code anthropic/claude-opus-5-5 in session first",
        "── before: turn 1",
        "> What is there?",
        "── turn 2",
        "> Greet all of them.\u{fffd}[2J",
        "A function \u{fffd}[31mwould do.",
        "* Write ",
        "  ok\n",
        "… 1 step more",
        "(reviewed by Cleo <cleo@example.com>, Dan)",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[test]
fn why_says_plainly_where_no_agent_is_known() {
    let desk = Desk::new();
    let (ada, work) = (&desk.team.ada, desk.work());
    let told = why(ada, work, &["src/old.rs:2", "HEAD~3"]);
    assert_eq!(
        (&told["origin"], &told["turn"], &told["session"]),
        (&json!("unattributed"), &Value::Null, &Value::Null)
    );
    let changes: Vec<_> = told["changes"].as_array().unwrap().iter().map(|change| &change["commit"]).collect();
    assert_eq!(changes, [&json!(desk.commits["human"]), &json!(desk.commits["agent"])]);
    let text = |args: &[&str]| ada.run(work, [&["why"], args].concat()).ok();
    let human = text(&["src/old.rs:2", "HEAD~3"]);
    assert!(human.contains("no agent is known to have written it") && human.contains("Say town"), "{human}");
    ada.write(work, "unseen.txt", "nobody saw it\n");
    ada.git(work, ["add", "unseen.txt"]).ok();
    ada.git(work, ["-c", "core.hooksPath=/dev/null", "commit", "-qm", "Unseen"]).ok();
    let unknown = text(&["unseen.txt:1"]);
    assert!(unknown.contains("no record speaks of the commit (git tracevault fetch)"), "{unknown}");
    let fresh = text(&[FILE, "9"]);
    assert!(fresh.contains("not committed yet: no record speaks of it"), "{fresh}");
    assert_eq!(why(ada, work, &[FILE, "9"])["changes"], json!([]));

    for (args, expected) in [
        (&["README.md"][..], "name a line as FILE:LINE"),
        (&["README.md:99"], "has only 1 line"),
        (&["README.md:99999999999"], "has only 1 line"),
        (&["nowhere:1"], "no such path 'nowhere'"),
        (&["README.md:1", "v9"], "v9"),
    ] {
        let refused = ada.run(work, [&["why"], args].concat()).exits(2);
        assert!(refused.stderr.contains(expected), "{args:?}: {}", refused.stderr);
    }
}

/// Not all systems have names of any bytes.
#[cfg(target_os = "linux")]
#[test]
fn why_takes_names_of_any_bytes() {
    use std::os::unix::ffi::OsStrExt as _;
    let desk = Desk::new();
    let (ada, work) = (&desk.team.ada, desk.work());
    let name = std::ffi::OsStr::from_bytes(b"\xff q.py");
    std::fs::write(work.join(name), "a person's\n").unwrap();
    ada.commit(work, "A name");
    let at = std::ffi::OsStr::from_bytes(b"\xff q.py:1");
    let told = ada.run(work, ["why".as_ref(), "--json".as_ref(), at]).json();
    assert_eq!((&told["text"], &told["origin"]), (&json!("a person's"), &json!("unattributed")));
    // What is a file is no file's line.
    ada.write(work, "a:3", "one\ntwo\n");
    ada.commit(work, "Another");
    assert_eq!(why(ada, work, &["./a:3:2"])["text"], "two");
    let odd = ada.run(work, ["why", "-L", "nonsense", "a:3"]).exits(2);
    assert!(odd.stderr.contains("no such lines: -Lnonsense") && !odd.stderr.contains("usage"), "{}", odd.stderr);
}

#[test]
fn why_says_what_is_missing_and_shows_what_the_record_has() {
    let desk = Desk::new();
    let (ada, work) = (&desk.team.ada, desk.work());
    for name in ada.refs(work, "refs/tracevault/payload").keys() {
        ada.git(work, ["update-ref", "-d", name]).ok();
    }
    let told = why(ada, work, &["src/old.rs:1", "HEAD~3"]);
    assert_eq!((&told["turn"], &told["call"], &told["session"]), (&Value::Null, &json!(desk.call), &json!("first")));
    assert!(told["missing"][0].as_str().unwrap().contains("is not here"), "{told:#}");
    let text = ada.run(work, ["why", "src/old.rs:1", "HEAD~3"]).ok();
    for expected in
        ["is not here (git tracevault fetch)", "session first  claude-code", "tools   Bash 1, Write 2", "Greet"]
    {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

/// A session with a subagent that writes a file.
#[test]
fn why_finds_what_a_subagent_wrote() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let agent = Agent::start(ada, work, "main");
    agent.prompt("Have it written by somebody.");
    let folder: PathBuf = agent.transcript().with_extension("").join("subagents");
    std::fs::create_dir_all(&folder).unwrap();
    let path = work.join("sub.txt");
    let task = agent.wish("Task", &json!({"description": "Write", "prompt": "Write sub.txt"}));
    ada.pass(1);
    let base = |uuid: &str, more: Value| {
        let mut line = json!({"isSidechain": true, "agentId": "aaaa", "uuid": uuid, "timestamp": ada.now(),
            "sessionId": "main", "version": "2.1.330", "cwd": work});
        line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        format!("{line}\n")
    };
    let input = json!({"file_path": path, "content": "by a subagent\n"});
    let mut text = base("s1", json!({"type": "user", "message": {"role": "user", "content": "Write sub.txt"}}));
    let block = json!({"type": "tool_use", "id": "toolu-sub", "name": "Write", "input": input});
    text += &base(
        "s2",
        json!({"type": "assistant", "message": {"id": "ms", "role": "assistant",
        "model": "claude-haiku-4-5", "content": [block], "usage": {"input_tokens": 1, "output_tokens": 1}}}),
    );
    std::fs::write(folder.join("agent-aaaa.jsonl"), text).unwrap();
    let call = json!({"tool_name": "Write", "tool_input": input, "tool_use_id": "toolu-sub", "agent_id": "aaaa"});
    agent.event("PreToolUse", call.clone());
    std::fs::write(&path, "by a subagent\n").unwrap();
    agent.event("PostToolUse", call);
    agent.result(&task, false, json!({}));
    agent.event("Stop", json!({}));
    ada.commit(work, "By a subagent");
    let told = why(ada, work, &["sub.txt:1"]);
    assert_eq!((&told["origin"], &told["turn"]["source"]), (&json!("agent"), &json!("aaaa")), "{told:#}");
    assert_eq!(told["turn"]["prompt"], json!({"text": "Write sub.txt", "human": false}));
    assert_eq!(told["before"][0]["text"], "Have it written by somebody.");
}

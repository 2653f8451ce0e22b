//! Interchange: what the records say goes out as Agent Trace and as git-ai's notes, and what others say comes in as a claim.

use std::path::Path;

use serde_json::{Value, json};

use crate::agent::Agent;
use crate::ledger::{Team, everything};
use crate::support::World;

const SCHEMA: &str = include_str!("../fixtures/agent-trace-0.1.0.schema.json");

/// A team's clone with two commits: an agent's file with a person's line in it, and a second session's work.
struct Told {
    team: Team,
    one: String,
    two: String,
}

impl Told {
    fn new() -> Told {
        let team = Team::new();
        let (ada, work) = (&team.ada, &team.work);
        let agent = Agent::start(ada, work, "s-one");
        agent.prompt("Write with the key ghp_0123456789abcdefghijABCDEFGHIJ012345.");
        agent.write("src/a b.py", "one\ntwo\nthree\n");
        ada.write(work, "src/a b.py", "one\ntwo\nmine\nthree\n");
        let one = ada.commit(work, "One");
        let agent = Agent::start(ada, work, "s-two");
        agent.prompt("Write more.");
        agent.edit("src/a b.py", "three\n", "three\nfour\n");
        agent.write("b.py", "b\n");
        let two = ada.commit(work, "Two");
        Told { team, one, two }
    }

    fn parts(&self) -> (&World, &Path) {
        (&self.team.ada, &self.team.work)
    }

    fn claims(&self) -> Vec<Value> {
        let (ada, work) = self.parts();
        let text = ada.run(work, ["import", "--list", "--json"]).ok();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn notes(&self) -> Vec<String> {
        let (ada, work) = self.parts();
        ada.refs(work, "refs/notes/").into_keys().collect()
    }

    fn ai_note(&self, commit: &str) -> String {
        let (ada, work) = self.parts();
        ada.git(work, ["notes", "--ref=ai", "show", commit]).ok()
    }
}

fn assert_valid(trace: &str) -> Value {
    let schema = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let instance: Value = serde_json::from_str(trace).unwrap();
    let errors: Vec<_> = validator.iter_errors(&instance).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?} in {trace}");
    instance
}

#[test]
fn a_commits_trace_is_exported_as_it_was_recorded_and_a_ranges_a_line_each() {
    let told = Told::new();
    let (ada, work) = told.parts();
    let bytes = ada.command(env!("CARGO_BIN_EXE_git-tracevault"), work).args(["export", &told.one]).output().unwrap();
    let digest = ada.feed_git(work, ["hash-object", "--stdin"], &bytes.stdout).ok();
    let recorded = ada.git(work, ["log", "--format=%H", &ada.own_chain(work)]).ok();
    let recorded: Vec<String> = recorded
        .lines()
        .map(|record| ada.git(work, ["rev-parse", "--verify", "--quiet", &format!("{record}:agent-trace.json")]).stdout)
        .collect();
    assert!(recorded.iter().any(|id| id.trim() == digest), "the very blob of the record");
    let trace = assert_valid(std::str::from_utf8(&bytes.stdout).unwrap());
    assert_eq!(trace["vcs"]["revision"], *told.one);
    assert_eq!(trace["files"][0]["path"], "src/a b.py");

    ada.run(work, ["export", "HEAD~1", "-o", "trace.json"]).ok();
    assert_eq!(std::fs::read(work.join("trace.json")).unwrap(), bytes.stdout);
    let range = ada.run(work, ["export", "--format", "agent-trace", "HEAD~2..HEAD"]).exits(0);
    let revisions: Vec<Value> =
        range.stdout.lines().map(|line| assert_valid(line)["vcs"]["revision"].clone()).collect();
    assert_eq!((revisions, range.stderr.as_str()), (vec![json!(told.one), json!(told.two)], ""));

    // What no record speaks of is said, never made up.
    ada.write(work, "c", "c\n");
    ada.git(work, ["add", "c"]).ok();
    ada.git(work, ["-c", "core.hooksPath=/dev/null", "commit", "--quiet", "-m", "Unseen"]).ok();
    let range = ada.run(work, ["export", "HEAD~2.."]).exits(0);
    assert_eq!(range.stdout.lines().count(), 1);
    assert!(range.stderr.contains("1 commit left out"), "{}", range.stderr);
    for format in ["agent-trace", "git-ai"] {
        let none = ada.run(work, ["export", "--format", format]).exits(2);
        assert!(none.stderr.contains("no record that holds speaks of commit"), "{}", none.stderr);
    }
    let none = ada.run(work, ["export", "nowhere"]).exits(2);
    assert!(none.stderr.contains("nowhere is neither a commit nor a range"), "{}", none.stderr);
    assert_eq!(told.notes(), ["refs/notes/tracevault"], "a trace is printed and nothing is stored");
}

#[test]
fn git_ai_finds_our_lines_in_its_notes() {
    let told = Told::new();
    let (ada, work) = told.parts();
    // printf claude:s-one | sha256sum | cut -c 1-16
    let (one, two) = ("d0f39ce6ee46fb3d", "dd2a64ab64d2013d");
    let printed = ada.run(work, ["export", "--format", "git-ai", "-o", "-"]).ok();
    let begins = format!("b.py\n  {two} 1\n\"src/a b.py\"\n  {two} 5\n---\n{{\n");
    assert!(printed.starts_with(&begins), "{printed}");
    assert_eq!(told.notes(), ["refs/notes/tracevault"]);

    let said = ada.run(work, ["export", "--format", "git-ai", "HEAD~2.."]).ok();
    assert_eq!(said, "2 notes written to refs/notes/ai");
    assert_eq!(told.ai_note(&told.two), printed);
    let note = told.ai_note(&told.one);
    let (lines, metadata) = note.split_once("\n---\n").unwrap();
    assert_eq!(lines, format!("\"src/a b.py\"\n  {one} 1-2,4"));
    let metadata: Value = serde_json::from_str(metadata).unwrap();
    assert_eq!(
        (&metadata["schema_version"], &metadata["base_commit_sha"]),
        (&json!("authorship/3.0.0"), &json!(told.one))
    );
    let agent = json!({"tool": "claude", "id": "s-one", "model": "claude-opus-5-5"});
    let session = json!({"agent_id": agent, "messages": [], "total_additions": 3, "total_deletions": 0,
        "accepted_lines": 3, "overriden_lines": 0});
    assert_eq!(metadata["prompts"], json!({one: session}));
    // Nothing of a conversation is in a note.
    let notes = format!("{note}{printed}");
    assert!(!notes.contains("Write") && !notes.contains("ghp_"), "{notes}");

    let again = ada.run(work, ["export", "--format", "git-ai", "HEAD~2.."]).ok();
    assert_eq!(again, "0 notes written to refs/notes/ai, 2 there already");
    // A note of ours is ours to renew, once the records say more; one that somebody touched is theirs.
    let theirs = note.replace("1-2,4", "1-4");
    for text in [&*theirs, "of my own"] {
        ada.git(work, ["notes", "--ref=ai", "add", "-f", "-m", text, &told.one]).ok();
        let kept = ada.run(work, ["export", "--format", "git-ai", "HEAD~2.."]).exits(0);
        assert_eq!(kept.stdout, "0 notes written to refs/notes/ai, 1 there already, 1 of somebody else kept\n");
        assert!(kept.stderr.contains("is somebody else's and stays (--force replaces it)"), "{}", kept.stderr);
        assert_eq!(told.ai_note(&told.one), text);
    }
    ada.run(work, ["export", "--format", "git-ai", "--force", &told.one]).ok();
    assert_eq!(told.ai_note(&told.one), note);
    let refused = ada.run(work, ["export", "--format", "git-ai", "-o", "-", "HEAD~2.."]).exits(2);
    assert!(refused.stderr.contains("leave -o out"), "{}", refused.stderr);
    // Our own word is not taken for another's claim.
    let said = ada.run(work, ["import", "--format", "git-ai"]).ok();
    assert_eq!((said.as_str(), told.claims().len()), ("0 new claims kept in refs/notes/tracevault-claims", 0));
    ada.git(work, ["push", "--quiet", "origin", "main", "refs/notes/ai"]).ok();
    ada.passes(work, "main");
}

#[test]
fn what_is_exported_comes_back_as_a_claim_and_as_nothing_more() {
    let told = Told::new();
    let (ada, work) = told.parts();
    let before = (ada.run(work, ["log", "--json"]).ok(), ada.run(work, ["blame", "--json", "b.py"]).ok());
    let traces = ada.run(work, ["export", "HEAD~2.."]).ok();
    let said = ada.feed(work, ["import", "-"], traces.as_bytes()).ok();
    assert_eq!(said, "2 new claims kept in refs/notes/tracevault-claims");
    let mut claims = told.claims();
    claims.sort_by_key(|claim| claim["commit"] != *told.one);
    for (claim, trace) in claims.iter().zip(traces.lines()) {
        let trace: Value = serde_json::from_str(trace).unwrap();
        assert_eq!((&claim["commit"], &claim["form"]), (&trace["vcs"]["revision"], &json!("agent-trace")));
        assert_eq!((&claim["tool"], &claim["tool_version"]), (&trace["tool"]["name"], &trace["tool"]["version"]));
        assert_eq!(claim["time"], trace["timestamp"]);
        assert_eq!(sorted(from_claim(claim)), sorted(from_trace(&trace)));
        // What is kept is a trace itself, and says that it is a claim.
        let kept = ada.git(work, ["notes", "--ref=tracevault-claims", "show", claim["commit"].as_str().unwrap()]).ok();
        let kept = assert_valid(&kept);
        assert_eq!((&kept["id"], &kept["files"]), (&trace["id"], &trace["files"]));
        assert_eq!(kept["metadata"], json!({"tracevault_claim": {"form": "agent-trace"}}));
    }
    let again = ada.feed(work, ["import", "-"], traces.as_bytes()).ok();
    assert_eq!(again, "0 new claims kept in refs/notes/tracevault-claims, 2 there already");
    let listed = ada.run(work, ["import", "--list", "HEAD"]).ok();
    assert!(listed.contains("git-tracevault") && listed.lines().count() == 1, "{listed}");
    // No answer of the ledger's is another for it, and it goes nowhere.
    let after = (ada.run(work, ["log", "--json"]).ok(), ada.run(work, ["blame", "--json", "b.py"]).ok());
    assert_eq!(before, after);
    ada.git(work, ["push", "--quiet"]).ok();
    ada.run(work, ["sync"]).ok();
    assert!(ada.refs(&told.team.remote, "refs/notes/").is_empty());
    ada.passes(work, "main");
    assert_eq!(ada.codes(work), Vec::<String>::new());
}

type Said = (String, u64, u64, String, Value, Value, Value);

fn sorted(mut said: Vec<Said>) -> Vec<Said> {
    said.sort_by_key(|said| format!("{said:?}"));
    said
}

fn from_trace(trace: &Value) -> Vec<Said> {
    let mut said = Vec::new();
    for file in trace["files"].as_array().unwrap() {
        for conversation in file["conversations"].as_array().unwrap() {
            for range in conversation["ranges"].as_array().unwrap() {
                said.push((
                    file["path"].as_str().unwrap().to_owned(),
                    range["start_line"].as_u64().unwrap(),
                    range["end_line"].as_u64().unwrap(),
                    conversation["contributor"]["type"].as_str().unwrap().to_owned(),
                    conversation["contributor"]["model_id"].clone(),
                    conversation["url"].clone(),
                    range["content_hash"].clone(),
                ));
            }
        }
    }
    said
}

fn from_claim(claim: &Value) -> Vec<Said> {
    let mut said = Vec::new();
    for file in claim["files"].as_array().unwrap() {
        for range in file["ranges"].as_array().unwrap() {
            said.push((
                file["path"].as_str().unwrap().to_owned(),
                range["start"].as_u64().unwrap(),
                range["end"].as_u64().unwrap(),
                range["contributor"].as_str().unwrap().to_owned(),
                range["model"].clone(),
                range["url"].clone(),
                range["content_hash"].clone(),
            ));
        }
    }
    said
}

#[test]
fn git_ais_notes_come_in_as_claims_and_a_wrong_one_keeps_no_other_out() {
    let told = Told::new();
    let (ada, work) = told.parts();
    let secret = "ghp_abcdefghijABCDEFGHIJ0123456789012345";
    let note = |path: &str, lines: &str| {
        let prompt = json!({"agent_id": {"tool": "cursor", "id": "c-\u{1b}[31m1", "model": "gpt-9"},
            "human_author": "Bea <bea@example.com>", "messages": [{"type": "user", "text": format!("use {secret}")}],
            "total_additions": 9, "total_deletions": 0, "accepted_lines": 3, "overriden_lines": 0});
        let metadata = json!({"schema_version": "authorship/3.0.0", "git_ai_version": "1.0.23",
            "base_commit_sha": told.one, "prompts": {"abcd1234abcd1234": prompt}});
        format!("{path}\n  abcd1234abcd1234 {lines}\n---\n{metadata:#}\n")
    };
    // By its file, as a tool would that has the bytes: "git notes add -m" would put them in order.
    let add = |commit: &str, text: &str| {
        let blob = ada.feed_git(work, ["hash-object", "-w", "--stdin"], text.as_bytes()).ok();
        ada.git(work, ["notes", "--ref=ai", "add", "-f", "-C", &blob, commit]).ok();
    };
    add(&told.one, &note("\"src/a b.py\"", "1,3-4"));
    add(&told.two, &note("b.py", "1-900"));
    let enrol = ada.git(work, ["rev-parse", "HEAD~2"]).ok();
    add(&enrol, "nothing of git-ai's\n");
    let said = ada.run(work, ["import", "--format", "git-ai"]).exits(2);
    assert_eq!(said.stdout, "1 new claim kept in refs/notes/tracevault-claims\n");
    for expected in ["b.py of commit", "has no line 900: its last is 1", "line 1: no line \"---\""] {
        assert!(said.stderr.contains(expected), "{expected}: {}", said.stderr);
    }
    let range = |start: u64, end: u64| {
        json!({"start": start, "end": end, "contributor": "ai", "agent": "cursor", "session": "c-\u{1b}[31m1",
            "model": "gpt-9", "url": "git-ai:session/cursor/c-%1B%5B31m1", "content_hash": null})
    };
    let claims = told.claims();
    assert_eq!(claims.len(), 1);
    assert_eq!((&claims[0]["commit"], &claims[0]["form"]), (&json!(told.one), &json!("git-ai")));
    assert_eq!((&claims[0]["tool"], &claims[0]["tool_version"]), (&json!("git-ai"), &json!("1.0.23")));
    assert_eq!(claims[0]["files"], json!([{"path": "src/a b.py", "ranges": [range(1, 1), range(3, 4)]}]));
    for args in [&["import", "--list"][..], &["import", "--list", "--json"]] {
        assert!(!ada.run(work, args).ok().contains('\u{1b}'), "nothing steers a terminal");
    }
    // Neither the conversation nor the person's name is kept.
    let kept = ada.git(work, ["notes", "--ref=tracevault-claims", "show", &told.one]).ok();
    assert!(!kept.contains(secret) && !kept.contains("bea@"), "{kept}");
    assert_valid(&kept);

    // Another tool's claim about the same commit stands beside it; a later one of the same tool in its place.
    ada.feed(work, ["import", "-"], ada.run(work, ["export", &told.one]).ok().as_bytes()).ok();
    assert_eq!(told.claims().len(), 2);
    add(&told.one, &note("\"src/a b.py\"", "2"));
    let said = ada.run(work, ["import", "--format", "git-ai", &told.one]).ok();
    assert_eq!(said, "0 new claims kept in refs/notes/tracevault-claims, 1 in place of earlier ones");
    let claims = told.claims();
    assert_eq!((claims.len(), &claims[1]["files"][0]["ranges"]), (2, &json!([range(2, 2)])));
}

#[test]
fn a_bad_file_is_refused_with_its_line_and_nothing_of_it_is_stored() {
    let told = Told::new();
    let (ada, work) = told.parts();
    let trace = |commit: &str, path: &str, start: i64, end: i64, model: &str| {
        json!({"version": "0.1.0", "id": "00000000-0000-4000-8000-000000000000", "timestamp": "2026-01-01T00:00:00Z",
            "tool": {"name": "other\u{1b}]0;x\u{7}"}, "vcs": {"type": "git", "revision": commit}, "files": [{"path": path, "conversations":
            [{"url": "https://example.com/?token=ghp_abcdefghijABCDEFGHIJ0123456789012345", "contributor": {"type": "ai",
            "model_id": model}, "ranges": [{"start_line": start, "end_line": end}]}]}]})
        .to_string()
    };
    let one = &*told.one;
    let good = trace(one, "src/a b.py", 1, 4, "m");
    let absent = "0123456789abcdef0123456789abcdef01234567";
    for (bad, expected) in [
        (trace(one, "src/a b.py", 1, 5, "m"), "has no line 5: its last is 4"),
        (trace(one, "src/a b.py", 3, 2, "m"), "the trace names lines 3 to 2 of src/a b.py"),
        (trace(one, "src/a b.py", -1, 2, "m"), "not JSON of the form Agent Trace has: invalid value"),
        (trace(one, "b.py", 1, 1, "m"), "has no file b.py"),
        (trace(one, "../b.py", 1, 1, "m"), "the trace names \"../b.py\""),
        (trace(one, "src", 1, 1, "m"), "has no file src"),
        (trace(absent, "b.py", 1, 1, "m"), "commit 0123456789abcdef0123456789abcdef01234567 is not here"),
        (trace("main", "b.py", 1, 1, "m"), "it does not name the commit it is about"),
        (trace(one, "src/a b.py", 1, 1, &"m".repeat(251)), "its model has more than 250 characters"),
        (good.replace("0.1.0", "7.0"), "the trace is of version \"7.0\""),
        ("[]".into(), "not JSON of the form Agent Trace has"),
        ("\u{1b}[31mred".into(), "not JSON of the form Agent Trace has"),
    ] {
        ada.write(work, "traces.jsonl", &format!("{good}\n\n{bad}\n"));
        let refused = ada.run(work, ["import", "traces.jsonl"]).exits(2);
        let told = &refused.stderr;
        assert!(told.contains("traces.jsonl:3: ") && told.contains(expected), "{expected}: {told}");
        assert!(told.contains("nothing is imported") && !told.contains('\u{1b}'), "{told}");
    }
    for (args, expected) in [
        (&["import"][..], "name a file to import"),
        (&["import", "nowhere"], "cannot read nowhere"),
        (&["import", "/dev/null"], "/dev/null holds no trace"),
        (&["import", "--format", "git-ai", "nowhere"], "nowhere is neither a commit nor a range"),
        (&["import", "--format", "cursor", "x"], "possible values: agent-trace, git-ai"),
        (&["import", "--json", "x"], "--list"),
    ] {
        let refused = ada.run(work, args).exits(2);
        assert!(refused.stderr.contains(expected), "{expected}: {}", refused.stderr);
    }
    assert_eq!((told.notes(), told.claims().len()), (vec!["refs/notes/tracevault".to_owned()], 0));

    // A URL with a secret is left out, and the tool's name cannot steer a terminal.
    ada.write(work, "one.json", &good);
    let folder = work.join("src");
    ada.run(&folder, ["import", "../one.json"]).ok();
    assert_eq!(told.claims()[0]["files"][0]["ranges"][0]["url"], Value::Null);
    assert!(!String::from_utf8_lossy(&everything(ada, work)).contains("token=ghp_"));
    let listed = ada.run(work, ["import", "--list"]).ok();
    assert!(listed.contains("other\u{fffd}]0;x\u{fffd}"), "{listed}");
}

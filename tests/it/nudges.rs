//! Nudges: what the hook answers an agent that works in a real repository, in the agent's own form, and what came of it.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::agent::Agent;
use crate::ledger::Team;
use crate::support::World;

const POLICY: &str = r#"
[[rule]]
name = "approved-models"
condition = "model-allowlist"
level = "block"
allow = ["anthropic/claude-opus-*"]

[[rule]]
name = "no-agents-in-crypto"
condition = "sensitive-paths"
level = "block"
paths = ["src/crypto"]

[[rule]]
name = "payments-are-reviewed"
condition = "sensitive-paths"
level = "block"
paths = ["src/payments"]
reviewer = "auditor"

[[rule]]
name = "tests-ran"
condition = "required-tool"
level = "block"
programs = ["cargo"]

[[rule]]
name = "session-budget"
condition = "token-budget"
level = "warn"
per = "session"
max_tokens = 2000
"#;

/// A token that is made up in pieces, so that no scanner takes this file for a leak.
fn token() -> String {
    ["ghp", "_", "0a1B2c3D4e5F6g7H8i9J", "0k1L2m3N4o5P6q7R"].concat()
}

/// A session whose hooks may answer.
struct Talk<'w> {
    world: &'w World,
    dir: &'w Path,
    session: &'static str,
    more: Value,
}

impl<'w> Talk<'w> {
    fn new(world: &'w World, dir: &'w Path, session: &'static str) -> Self {
        Talk { world, dir, session, more: json!({}) }
    }

    /// What the hook answers; null where it is silent.
    fn tell(&self, name: &str, more: Value) -> Value {
        self.world.pass(1);
        let mut payload = json!({"session_id": self.session, "cwd": self.dir, "hook_event_name": name});
        let fields = payload.as_object_mut().unwrap();
        fields.extend(self.more.as_object().unwrap().clone());
        fields.extend(more.as_object().unwrap().clone());
        let output = self.world.hook(self.dir, &payload).exits(0);
        assert_eq!(output.stderr, "");
        if output.stdout.is_empty() {
            return Value::Null;
        }
        let answer: Value = serde_json::from_str(&output.stdout).unwrap();
        assert_documented(name, &answer);
        answer
    }

    fn prompt(&self, text: &str) -> Value {
        self.tell("UserPromptSubmit", json!({"prompt": text}))
    }

    fn tool(&self, event: &str, tool: &str, input: &Value) -> Value {
        self.tell(event, json!({"tool_name": tool, "tool_input": input, "tool_use_id": "toolu-1"}))
    }

    fn write(&self, file: &str) -> Value {
        self.tool("PreToolUse", "Write", &json!({"file_path": self.dir.join(file), "content": "x\n"}))
    }

    fn wrote(&self, file: &str) {
        self.world.write(self.dir, file, "x\n");
        let input = json!({"file_path": self.dir.join(file), "content": "x\n"});
        assert_eq!(self.tool("PostToolUse", "Write", &input), Value::Null);
    }

    fn failed(&self, command: &str) -> Value {
        self.tell(
            "PostToolUseFailure",
            json!({"tool_name": "Bash", "tool_input": {"command": command}, "tool_use_id": "toolu-2",
                "error": "Exit code 1", "is_interrupt": false}),
        )
    }

    fn ran(&self, command: &str) -> Value {
        self.tool("PostToolUse", "Bash", &json!({"command": command}))
    }

    fn pass(&self, calls: usize) {
        for _ in 0..calls {
            self.tool("PreToolUse", "Read", &json!({"file_path": "/x"}));
        }
    }
}

/// Whether an answer has only what the agent's reference of hooks documents for the event.
fn assert_documented(event: &str, answer: &Value) {
    for (key, value) in answer.as_object().unwrap() {
        let fine = match (key.as_str(), event) {
            ("decision", "UserPromptSubmit" | "Stop") => value == "block" && answer["reason"].is_string(),
            ("reason", _) => answer["decision"] == "block",
            ("systemMessage", _) => value.is_string(),
            ("hookSpecificOutput", _) => {
                let keys: &[&str] = match event {
                    "UserPromptSubmit" => &["hookEventName", "additionalContext", "suppressOriginalPrompt"],
                    "PreToolUse" => {
                        &["hookEventName", "additionalContext", "permissionDecision", "permissionDecisionReason"]
                    }
                    "SessionStart" | "PostToolUse" | "PostToolUseFailure" => &["hookEventName", "additionalContext"],
                    _ => &[],
                };
                value["hookEventName"] == event && value.as_object().unwrap().keys().all(|key| keys.contains(&&**key))
            }
            _ => false,
        };
        assert!(fine, "{event}: {answer}");
    }
}

fn set_policy(team: &Team) {
    let file = team.ada.write(&team.ada.path("tmp"), "rules.toml", POLICY);
    team.ada.run(&team.work, ["policy".as_ref(), "set".as_ref(), file.as_os_str()]).ok();
}

fn settings(team: &Team, words: &str) {
    team.ada.git(&team.work, ["config", "tracevault.nudge", words]).ok();
}

fn counts(team: &Team) -> Value {
    team.ada.run(&team.work, ["stats", "--by", "nudge", "--json"]).json()
}

#[test]
fn a_prompt_with_a_secret_is_stopped_and_its_secret_told_nowhere() {
    let team = Team::new();
    let talk = Talk::new(&team.ada, &team.work, "s-secret");
    let answer = talk.prompt(&format!("Push it with {}, please", token()));
    assert_eq!(answer["decision"], "block");
    assert_eq!(answer["hookSpecificOutput"]["suppressOriginalPrompt"], true);
    assert!(!answer.to_string().contains(&token()), "{answer}");
    let log = fs::read_to_string(team.work.join(".git/tracevault/nudges/shown.jsonl")).unwrap();
    assert!(log.contains("\"secret\"") && !log.contains(&token()), "{log}");

    let task = format!("<task-notification>\nit printed {}", token());
    assert_eq!(talk.prompt(&task), Value::Null, "what the agent itself puts there is not stopped");
    assert_eq!(talk.prompt("Push it with the token in GH_TOKEN, please"), Value::Null);
    let count = json!({"shown": 1, "followed": 1, "ignored": 0, "open": 0});
    assert_eq!(counts(&team), json!({"total": count, "by_nudge": {"secret": count}}));

    settings(&team, "block,-secret");
    assert_eq!(talk.prompt(&token()), Value::Null, "it can be switched off");
    settings(&team, "nonsense");
    assert_eq!(talk.prompt(&token())["decision"], "block", "what is misspelt switches nothing off");
    let doctor = team.ada.run(&team.work, ["doctor"]).stdout;
    assert!(doctor.contains("\"nonsense\" is no nudge"), "{doctor}");
}

#[test]
fn only_what_blocks_speaks_unless_hints_are_asked_for() {
    let team = Team::new();
    set_policy(&team);
    let talk = Talk::new(&team.ada, &team.work, "s-quiet");
    talk.tell("SessionStart", json!({"source": "startup"}));
    assert_eq!(talk.write("src/payments/pay.rs"), Value::Null);
    let denied = talk.write("src/crypto/key.rs");
    assert_eq!(denied["hookSpecificOutput"]["permissionDecision"], "deny");
    let why = denied["hookSpecificOutput"]["permissionDecisionReason"].as_str().unwrap();
    assert!(why.contains("src/crypto/key.rs") && why.contains("no-agents-in-crypto"), "{why}");
    talk.wrote("src/a.rs");
    for _ in 0..4 {
        assert_eq!(talk.failed("make"), Value::Null);
    }
    assert_eq!(talk.tell("Stop", json!({"stop_hook_active": false})), Value::Null);
    settings(&team, "off");
    assert_eq!(talk.write("src/crypto/key.rs"), Value::Null);
}

#[test]
fn hints_come_one_at_a_time_and_are_counted_with_what_came_of_them() {
    let team = Team::new();
    set_policy(&team);
    settings(&team, "all");
    let talk = Talk::new(&team.ada, &team.work, "s-hints");
    let told = talk.write("src/payments/pay.rs");
    let text = told["hookSpecificOutput"]["additionalContext"].as_str().unwrap();
    assert!(text.contains("role auditor"), "{text}");
    talk.wrote("src/payments/pay.rs");
    for _ in 0..3 {
        assert_eq!(talk.failed("make"), Value::Null, "one hint in ten calls");
    }
    talk.pass(10);
    let told = talk.failed("make");
    assert!(told["hookSpecificOutput"]["additionalContext"].as_str().unwrap().contains("failed 4 times"), "{told}");
    talk.ran("make");
    talk.pass(10);

    let held = talk.tell("Stop", json!({"stop_hook_active": false}));
    assert!(held["decision"] == "block" && held["reason"].as_str().unwrap().contains("program cargo"), "{held}");
    talk.ran("cargo test");
    talk.pass(10);
    talk.wrote("src/b.rs");
    assert_eq!(talk.tell("Stop", json!({"stop_hook_active": true})), Value::Null, "once in a session");

    let one = |followed, open| json!({"shown": 1, "followed": followed, "ignored": 0, "open": open});
    let by_nudge = json!({"review": one(0, 1), "repeat": one(1, 0), "tool": one(1, 0)});
    assert_eq!(counts(&team)["by_nudge"], by_nudge);
    let table = team.ada.run(&team.work, ["stats", "--by", "nudge"]).ok();
    assert!(table.contains("repeat") && table.lines().count() == 4, "{table}");
    let until = team.ada.run(&team.work, ["stats", "--by", "nudge", "--until", "2025-12-31"]).ok();
    assert_eq!(until, "Agents were told nothing.");
    team.ada.run(&team.work, ["stats", "--by", "nudge", "--range", "HEAD"]).exits(2);
}

#[test]
fn a_model_is_known_by_the_message_that_asks_for_the_call() {
    let team = Team::new();
    set_policy(&team);
    let transcript = team.ada.home().join("t.jsonl");
    let line = |model: &str, call: &str| {
        let content = json!([{"type": "tool_use", "id": call, "name": "Read", "input": {}}]);
        let message = json!({"id": call, "role": "assistant", "model": model, "content": content, "usage": {}});
        format!("{}\n", json!({"type": "assistant", "uuid": call, "message": message}))
    };
    fs::write(&transcript, line("claude-haiku-5-5", "toolu-1")).unwrap();
    let mut talk = Talk::new(&team.ada, &team.work, "s-model");
    talk.more = json!({"transcript_path": transcript});
    talk.tell("SessionStart", json!({"source": "startup", "model": "claude-haiku-5-5[1m]"}));
    let stopped = talk.prompt("Do it.");
    assert!(stopped["decision"] == "block" && stopped["reason"].as_str().unwrap().contains("approved-models"));
    assert_eq!(talk.prompt("Do it."), Value::Null, "another may have been chosen since");
    let read =
        |call: &str| talk.tell("PreToolUse", json!({"tool_name": "Read", "tool_input": {}, "tool_use_id": call}));
    assert_eq!(read("toolu-1")["hookSpecificOutput"]["permissionDecision"], "deny");
    assert_eq!(read("toolu-2"), Value::Null, "who asks is not written yet");
    fs::write(&transcript, line("claude-opus-5-5", "toolu-2")).unwrap();
    assert_eq!(read("toolu-2"), Value::Null);
    // Other lines name the call, too, and one that writes a long file is long.
    let long = "x".repeat(600_000);
    let told =
        line("claude-haiku-5-5", "toolu-3").replace(r#""input":{}"#, &format!(r#""input":{{"content":"{long}"}}"#));
    let hook = json!({"type": "progress", "toolUseID": "toolu-3"});
    fs::write(&transcript, format!("{told}{hook}\n")).unwrap();
    let input = json!({"tool_name": "Other", "tool_input": {"content": long}, "tool_use_id": "toolu-3"});
    assert_eq!(talk.tell("PreToolUse", input)["hookSpecificOutput"]["permissionDecision"], "deny");
}

#[test]
fn the_budget_is_told_to_the_person() {
    let team = Team::new();
    set_policy(&team);
    let agent = Agent::start(&team.ada, &team.work, "s-budget");
    // Message n uses 111 n tokens.
    for _ in 0..5 {
        agent.say("on it");
    }
    settings(&team, "budget");
    let mut talk = Talk::new(&team.ada, &team.work, "s-budget");
    talk.more = json!({"transcript_path": agent.transcript()});
    let told = talk.prompt("Go on.");
    assert!(told["systemMessage"].as_str().unwrap().contains("at least 1665 of 2000 tokens"), "{told}");
    assert_eq!(talk.prompt("Go on."), Value::Null);
}

#[test]
fn what_others_use_comes_with_the_ledger() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let (bob, his) = team.join("Bob");
    for (session, skills) in [("s-bob", ["review", "once"]), ("s-bob-too", ["review", "x.example/get"])] {
        let agent = Agent::start(&bob, &his, session);
        agent.prompt("Review it.");
        for skill in skills {
            agent.call("Skill", &json!({"skill": skill}), || ());
        }
        agent.write("bob.txt", &format!("by an agent in {session}\n"));
        bob.commit(&his, "Bob's");
    }
    bob.git(&his, ["push", "--quiet", "origin", "main"]).ok();
    ada.run(work, ["fetch"]).ok();
    settings(&team, "others");
    let talk = Talk::new(ada, work, "s-others");
    let told = talk.prompt("Start.");
    let text = told["hookSpecificOutput"]["additionalContext"].as_str().unwrap_or_default();
    assert!(text.contains("the skill review (2 sessions).") && !text.contains("once"), "{told}");
    assert_eq!(talk.prompt("Go on."), Value::Null);
}

#[test]
fn whose_answers_go_nowhere_is_not_asked_and_nothing_ever_fails() {
    let team = Team::new();
    let payload = json!({"session_id": "s-null", "cwd": team.work, "hook_event_name": "UserPromptSubmit",
        "prompt": token()});
    let ask = |redirect: &str| {
        let mut shell = team.ada.command("sh", &team.work);
        let command = format!("git-tracevault hook claude-code {redirect}");
        crate::support::finish(shell.args(["-c", &command]), payload.to_string().as_bytes()).exits(0).stdout
    };
    assert_eq!(ask(">/dev/null"), "");
    assert!(!team.work.join(".git/tracevault/nudges").exists(), "nobody was told");
    // Where nothing can be kept, what blocks does all the same, and the agent hears nothing of that.
    fs::write(team.work.join(".git/tracevault/nudges"), "in the way").unwrap();
    assert!(ask("").contains(r#""decision":"block""#));
    let log = fs::read_to_string(team.work.join(".git/tracevault/hook-errors.log")).unwrap();
    assert!(log.contains("nudges: cannot keep what was said"), "{log}");
}

#[test]
fn who_breaks_a_file_or_names_one_oddly_is_stopped_all_the_same() {
    let team = Team::new();
    set_policy(&team);
    let (ada, work) = (&team.ada, &team.work);
    let talk = Talk::new(ada, work, "s-odd");
    let denied = |file: &str| talk.write(file)["hookSpecificOutput"]["permissionDecision"] == "deny";
    assert!(denied("none/../src/crypto/k.rs") && denied("src/crypto/k.rs"));
    // What cannot be kept is forbidden, too.
    fs::create_dir_all(work.join("src/crypto/big.rs")).unwrap();
    assert!(denied("src/crypto/big.rs"));

    for (key, value) in [("tracevault.pushOnFailure", "blok"), ("tracevault.pci", "ture")] {
        ada.git(work, ["config", key, value]).ok();
        assert!(denied("src/crypto/k.rs"), "{key}: the rules that were known last hold");
        assert_eq!(talk.prompt(&token())["decision"], "block", "{key}");
        let doctor = ada.run(work, ["doctor"]).exits(1).stdout;
        assert!(doctor.contains("configuration") && doctor.contains(key), "{doctor}");
        ada.git(work, ["config", "--unset", key]).ok();
    }
    ada.write(work, ".tracevault/config.toml", "ledger = ");
    assert!(denied("src/crypto/k.rs"));
    assert_eq!(talk.prompt(&token())["decision"], "block");
    settings(&team, "off");
    assert_eq!(talk.prompt(&token()), Value::Null, "git's own configuration counts");
    let log = fs::read_to_string(work.join(".git/tracevault/hook-errors.log")).unwrap();
    assert!(log.contains("nudges: ") && log.contains("config.toml"), "{log}");
}

#[test]
fn a_hint_of_one_repository_stands_before_no_block_of_another() {
    let (team, other) = (Team::new(), Team::new());
    settings(&team, "others,-secret");
    fs::write(team.work.join(".git/tracevault/nudge-used.json"), r#"[["skill review",2]]"#).unwrap();
    let ask = |session: &str, project: &Path| -> Value {
        let payload =
            json!({"session_id": session, "cwd": team.work, "hook_event_name": "UserPromptSubmit", "prompt": token()});
        let mut hook = team.ada.command(env!("CARGO_BIN_EXE_git-tracevault"), &team.work);
        let hook = hook.args(["hook", "claude-code"]).env("CLAUDE_PROJECT_DIR", project);
        crate::support::finish(hook, payload.to_string().as_bytes()).json()
    };
    assert!(ask("s-one", &team.work)["hookSpecificOutput"]["additionalContext"].is_string());
    assert_eq!(ask("s-two", &other.work)["decision"], "block");
}

#[test]
fn what_an_included_file_says_is_heard_and_each_work_tree_has_its_own() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let included = ada.write(&ada.path("tmp"), "more.config", "[tracevault]\n\tnudge = off\n");
    ada.git(work, ["config", "include.path", included.to_str().unwrap()]).ok();
    let talk = Talk::new(ada, work, "s-included");
    assert_eq!(talk.prompt(&token()), Value::Null);
    fs::write(&included, "[tracevault]\n\tnudge = block\n").unwrap();
    assert_eq!(talk.prompt(&token())["decision"], "block");

    let linked = ada.path("linked");
    ada.git(work, ["worktree", "add", "--quiet", linked.to_str().unwrap()]).ok();
    ada.git(work, ["config", "extensions.worktreeConfig", "true"]).ok();
    ada.git(&linked, ["config", "--worktree", "tracevault.nudge", "off"]).ok();
    let there = Talk::new(ada, &linked, "s-linked");
    for _ in 0..2 {
        assert_eq!(there.prompt(&token()), Value::Null);
        assert_eq!(talk.prompt(&token())["decision"], "block");
    }
}

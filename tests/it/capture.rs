//! What agents do, and how much of it a record tells: outcomes, kills, odd payloads; and what must not be told, secrets.

use std::fs;

use serde_json::{Value, json};

use crate::agent::Agent;
use crate::ledger::{Team, everything};

fn gaps(record: &Value) -> Vec<(&str, u64)> {
    let gaps = record["gaps"].as_array().unwrap().iter();
    gaps.map(|gap| (gap["kind"].as_str().unwrap(), gap["count"].as_u64().unwrap())).collect()
}

#[test]
fn outcomes_of_calls_are_told_and_denied_ones_change_nothing() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let agent = Agent::start(ada, work, "s");
    agent.prompt("Try.");
    agent.write("a.txt", "one\n");
    // It failed, having written half of it.
    let input = json!({"command": "echo half > half.txt; false"});
    let call = agent.wish("Bash", &input);
    ada.write(work, "half.txt", "half\n");
    agent.event(
        "PostToolUseFailure",
        json!({"tool_name": "Bash", "tool_input": input, "tool_use_id": call, "error": "Exit code 1"}),
    );
    agent.result(&call, true, json!("Error: Exit code 1"));
    // It was denied before it ran, and a person wrote the very same.
    let input = json!({"file_path": work.join("b.txt"), "content": "mine\n"});
    let call = agent.wish("Write", &input);
    agent.result(&call, true, json!("Error: denied"));
    ada.write(work, "b.txt", "mine\n");
    // It never came back.
    agent.wish("Bash", &json!({"command": "sleep 1000"}));
    let commit = ada.commit(work, "Tried");
    let files = ada.record_of(work, &commit)["files"].clone();
    let line = |path: &str, agent: u64| json!({"path": path, "added": 1, "agent": agent, "human": 0, "unattributed": 1 - agent});
    assert_eq!(files, json!([line("a.txt", 1), line("b.txt", 0), line("half.txt", 1)]));
    agent.end();
    let records = ada.records_of(work, "session");
    let sum = |tool: &str, field: &str| -> u64 {
        let tools = records.iter().flat_map(|record| record["tools"].as_array().unwrap());
        tools.filter(|t| t["name"] == tool).map(|t| t[field].as_u64().unwrap()).sum()
    };
    let outcomes = ["Write", "Bash"].map(|tool| (sum(tool, "calls"), sum(tool, "failed")));
    assert_eq!(outcomes, [(2, 1), (2, 2)]);
    assert_eq!(
        ada.run(work, ["status"]).ok().lines().filter(|line| line.contains("nothing that is not recorded")).count(),
        1
    );
}

#[test]
fn a_killed_session_is_recorded_by_the_next_push_and_a_resumed_one_goes_on() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let agent = Agent::start(ada, work, "killed");
    agent.prompt("Write.");
    agent.say("I will.");
    // Its last line was cut in the middle.
    let whole = fs::read_to_string(agent.transcript()).unwrap();
    fs::write(agent.transcript(), format!("{whole}{{\"type\":\"assistant\",\"mess")).unwrap();
    ada.git(work, ["commit", "--quiet", "--allow-empty", "-m", "x"]).ok();
    ada.git(work, ["push", "--quiet"]).ok();
    assert_eq!(ada.sum(work, "input"), agent.input());
    // Resumed: the agent ends the line and goes on; a fork copies all the lines under another name.
    fs::write(agent.transcript(), whole).unwrap();
    agent.event("SessionStart", json!({"source": "resume"}));
    agent.say("And on.");
    let fork = Agent::start(ada, work, "fork");
    fs::copy(agent.transcript(), fork.transcript()).unwrap();
    fork.say("Otherwise.");
    agent.end();
    fork.end();
    assert_eq!(ada.sum(work, "input"), agent.input() + fork.input(), "what was copied is counted once");
    let segments: Vec<_> =
        ada.records_of(work, "session").iter().map(|r| format!("{} {}", r["session"], r["segment"])).collect();
    assert_eq!(segments, ["\"killed\" 0", "\"killed\" 1", "\"fork\" 0"]);
    ada.git(work, ["commit", "--quiet", "--allow-empty", "-m", "y"]).ok();
    ada.git(work, ["push", "--quiet"]).ok();
    ada.passes(work, "main");
}

#[test]
fn two_sessions_at_once_each_have_their_own_lines() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    ada.commit_file(work, "f", "1\n2\n3\n4\n5\n");
    let (left, right) = (Agent::start(ada, work, "left"), Agent::start(ada, work, "right"));
    left.prompt("Odd.");
    right.prompt("Even.");
    let one = left.edit("f", "1\n", "one\n");
    let two = right.edit("f", "2\n", "two\n");
    ada.write(work, "f", "one\ntwo\nthree\n4\n5\n");
    left.edit("f", "5\n", "five\n");
    let commit = ada.commit(work, "Both");
    let record = ada.record_of(work, &commit);
    assert_eq!(record["total"], json!({"added": 4, "agent": 3, "human": 0, "unattributed": 1}));
    let sessions: Vec<_> = record["sessions"].as_array().unwrap().iter().map(|s| s["session"].clone()).collect();
    assert_eq!(sessions, ["left", "right"]);
    let own = ada.own_chain(work);
    let trace = ada.git(work, ["cat-file", "blob", &format!("{own}:agent-trace.json")]).ok();
    assert!(trace.contains(&one) && trace.contains(&two), "each line names its call: {trace}");
}

#[test]
fn odd_payloads_are_gaps_and_nothing_worse() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let hook = |payload: &[u8]| {
        let heard = ada.feed(work, ["hook", "claude-code"], payload).exits(0);
        assert_eq!((&*heard.stdout, &*heard.stderr), ("", ""));
    };
    let pipe = ada.path("tmp/pipe");
    assert!(ada.command("mkfifo", work).arg(&pipe).status().unwrap().success());
    // Transcripts that are folders, pipes, not there, or not to be read.
    for (n, transcript) in
        [work.clone(), pipe, "/dev/zero".into(), "/nowhere/x.jsonl".into(), "relative.jsonl".into()].iter().enumerate()
    {
        let tool = json!({"session_id": format!("odd-{n}"), "cwd": work, "transcript_path": transcript, "tool_use_id": "t",
            "hook_event_name": "PreToolUse", "tool_name": "Read", "tool_input": {}});
        hook(tool.to_string().as_bytes());
    }
    hook(b"not json");
    hook(json!({"session_id": "../../x", "cwd": work, "hook_event_name": "SessionEnd"}).to_string().as_bytes());
    hook(
        json!({"session_id": "new", "cwd": work, "hook_event_name": "Invented", "deep": {"er": [null]}})
            .to_string()
            .as_bytes(),
    );
    let large = format!(
        "{{\"session_id\":\"large\",\"cwd\":{work:?},\"hook_event_name\":\"SessionEnd\",\"x\":\"{}\"}}",
        "x".repeat(50 << 20)
    );
    hook(large.as_bytes());
    let outside = json!({"session_id": "outside", "cwd": work, "hook_event_name": "PreToolUse", "tool_name": "Write",
        "tool_use_id": "t", "tool_input": {"file_path": "/etc/passwd", "content": "x"}});
    hook(outside.to_string().as_bytes());
    ada.commit(work, "x");
    ada.git(work, ["push", "--quiet"]).ok();
    ada.passes(work, "main");
    let records = ada.records_of(work, "session");
    let of =
        |session: &str| gaps(records.iter().find(|r| r["session"] == session).unwrap_or_else(|| panic!("{session}")));
    for n in 0..5 {
        assert_eq!(of(&format!("odd-{n}")), [("transcript_missing", 1)], "{n}");
    }
    assert_eq!(of("large"), [("payload_oversize", large.len() as u64), ("transcript_missing", 1)]);
    assert_eq!(of("outside"), [("outside_repository", 1), ("transcript_missing", 1)]);
    assert!(!work.parent().unwrap().join("x.jsonl").exists() && !work.join(".git/x.jsonl").exists());
}

#[test]
fn no_secret_reaches_an_object_of_clone_or_remote() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    ada.write(work, ".git/info/exclude", "*.ignored\n");
    // Made up, and of the form that their makers give them.
    let github = |n: u32| format!("ghp_{n}1a6C7e42F292c6912E7710c838347Ae178{n}");
    let (prompt, input, output, content, shell) = (github(1), github(2), github(3), github(4), github(5));
    let (file, tool, program, answer, branch) = (github(6), github(7), github(8), github(9), "hunter2horse9battery");
    let agent = Agent::start(ada, work, "s");
    agent.prompt(&format!("Call it with {prompt}, please: https://ada:{branch}@example.com/x.git"));
    agent.say(&format!("The key is {answer}."));
    let call = agent.wish("Bash", &json!({"command": format!("{program} --token {input}")}));
    agent.event("PostToolUse", json!({"tool_name": "Bash", "tool_input": {"command": input}, "tool_use_id": call, "tool_response": {"stdout": output}}));
    agent.result(&call, false, json!({"stdout": format!("token: {output}\n"), "stderr": ""}));
    agent.call(&format!("mcp__x.{tool}__get"), &json!({"key": input}), || ());
    agent.write("kept.py", &format!("KEY = '{content}'\n"));
    agent.write(&format!("{file}.txt"), "named after a secret\n");
    agent.bash(&format!("echo 'KEY = {shell}' > shell.py"));
    // What a person commits is theirs to look after: here, nothing of it.
    for entry in ["kept.py", "shell.py", &format!("{file}.txt")] {
        fs::remove_file(work.join(entry)).unwrap();
    }
    // A session without a transcript is recorded from its events.
    let mute = json!({"session_id": "mute", "cwd": work, "hook_event_name": "PreToolUse", "tool_name": "Bash",
        "tool_use_id": "t", "tool_input": {"command": format!("curl -H 'Authorization: Bearer {input}'")}});
    ada.hook(work, &mute);
    ada.commit(work, "Nothing");
    agent.end();
    ada.git(work, ["push", "--quiet", "origin", "main"]).ok();
    ada.passes(work, "main");
    let secrets = [&prompt, &input, &output, &content, &shell, &file, &tool, &program, &answer, &branch.to_owned()];
    for place in [work, &team.remote] {
        let all = everything(ada, place);
        assert!(all.windows(12).any(|part| part == b"Call it with"), "the prompt itself is there");
        for secret in secrets {
            let at = all.windows(secret.len()).position(|part| part == secret.as_bytes());
            let around = at.map(|at| String::from_utf8_lossy(&all[at.saturating_sub(300)..at + 60]));
            assert_eq!(around, None, "{secret} in {}", place.display());
        }
    }
    let redactions: u64 = ada
        .records_of(work, "session")
        .iter()
        .flat_map(|record| record["redactions"].as_array().unwrap().clone())
        .map(|redaction| redaction["count"].as_u64().unwrap())
        .sum();
    assert!(redactions >= 10, "{redactions}");
}

#[test]
fn what_a_shell_wrote_too_much_of_is_told_without_its_diff() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let agent = Agent::start(ada, work, "s");
    agent.prompt("Generate.");
    agent.bash("for n in 1 2 3; do seq 1000000 1140000 > large$n.txt; done; echo small > small.txt");
    let commit = ada.commit(work, "Generated");
    assert_eq!(ada.record_of(work, &commit)["total"]["agent"], 3 * 140_001 + 1);
    let records = ada.records_of(work, "session");
    assert_eq!(gaps(&records[0]), [("edits_limited", 3)]);
    let added: Vec<_> = records[0]["files"].as_array().unwrap().iter().map(|file| file["added"].clone()).collect();
    assert_eq!(added, [140_001, 140_001, 140_001, 1], "they are counted all the same");
    let edits = records[0]["payloads"].as_array().unwrap().iter().find(|payload| payload["class"] == "edits").unwrap();
    assert_eq!((edits["lines"].as_u64(), edits["pieces"].as_array().unwrap().len()), (Some(4), 1));
    agent.end();
    ada.git(work, ["push", "--quiet", "origin", "main"]).ok();
    ada.passes(work, "main");
}

#[test]
fn a_session_that_cannot_be_recorded_keeps_nothing_else_from_it() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let (bad, good, later) =
        (Agent::start(ada, work, "bad"), Agent::start(ada, work, "good"), Agent::start(ada, work, "later"));
    bad.prompt("Write.");
    bad.write("bad.txt", "1\n");
    good.prompt("Write.");
    good.write("good.txt", "1\n");
    later.prompt("Talk.");
    later.say("I talk.");
    let cursor = work.join(".git/tracevault/sessions/bad.json");
    fs::create_dir_all(&cursor).unwrap();
    ada.git(work, ["add", "."]).ok();
    let said = ada.git(work, ["commit", "--quiet", "-m", "Both"]).exits(0).stderr;
    assert!(said.contains("tracevault: session bad is not recorded with "), "{said}");
    let commit = ada.git(work, ["rev-parse", "HEAD"]).ok();
    let record = ada.record_of(work, &commit);
    assert_eq!(record["total"]["agent"], 2);
    let sessions = |records: &[Value]| records.iter().map(|r| r["session"].clone()).collect::<Vec<_>>();
    assert_eq!(sessions(record["sessions"].as_array().unwrap()), ["good"]);
    // A push is not silent about it, and has recorded the others by then.
    ada.git(work, ["push", "--quiet", "origin", "main"]).exits(1);
    assert_eq!(sessions(&ada.records_of(work, "session")), ["good", "later"]);
    fs::remove_dir(cursor).unwrap();
    ada.git(work, ["push", "--quiet", "origin", "main"]).ok();
    assert_eq!(sessions(&ada.records_of(work, "session")), ["good", "later", "bad"]);
    ada.passes(work, "main");
}

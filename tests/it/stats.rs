//! `git tracevault stats`: numbers that a hand has reckoned, and those of recorded sessions.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::agent::Agent;
use crate::ledger::Team;
use crate::support::World;

const TRANSCRIPT: &str = include_str!("../fixtures/stats-session.jsonl");

/// Ada lets an agent write two lines, adds one, and commits under Cleo's name.
fn shop() -> Team {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let agent = Agent::start(ada, work, "shop-1");
    agent.event("UserPromptSubmit", json!({"prompt": "Sell apples, then look at the prices."}));
    let file = work.join("shop.py");
    let text = "def sell():\n    return 'apple'\n";
    let call =
        json!({"tool_name": "Write", "tool_use_id": "call-1", "tool_input": {"file_path": file, "content": text}});
    agent.event("PreToolUse", call.clone());
    ada.write(work, "shop.py", text);
    agent.event("PostToolUse", call);
    fs::write(agent.transcript(), TRANSCRIPT.replace("{dir}", work.to_str().unwrap())).unwrap();
    agent.end();
    ada.write(work, "shop.py", &format!("{text}sell()\n"));
    ada.git(work, ["add", "-A"]).ok();
    ada.git(work, ["commit", "--quiet", "--author", "Cleo <cleo@example.com>", "-m", "Sell"]).ok();
    ada.git(work, ["commit", "--quiet", "--amend", "-m", "Sell apples"]).ok();
    team
}

fn stats(world: &World, dir: &Path, args: &[&str]) -> Value {
    world.run(dir, [&["stats", "--json"], args].concat()).json()
}

#[test]
fn numbers_are_those_a_hand_reckons() {
    let team = shop();
    let (ada, work) = (&team.ada, &team.work);
    let found = stats(ada, work, &["--range", "HEAD~1..HEAD"]);
    // Microdollars: 110 * 4 + 80 * 20 + 3000 * 0.2 + 100 * 5 + 200 * 8 = 4740; caches saved 3000 * 3.8 = 11400.
    let opus = json!({"sessions": 1, "requests": 2, "input": 110, "output": 80, "cache_read": 3000,
        "cache_write_5m": 100, "cache_write_1h": 200, "cost_usd": 0.00474, "cost_unknown_requests": 0,
        "cache_saved_usd": 0.0114});
    // 100001 * 0.5 + 10 * 2.5 for the long prompt, 1000 * 0.1 + 100 * 0.5 for the other: 50175.5.
    let haiku = json!({"sessions": 1, "requests": 2, "input": 101_001, "output": 110, "cache_read": 0,
        "cache_write_5m": 0, "cache_write_1h": 0, "cost_usd": 0.050176, "cost_unknown_requests": 0,
        "cache_saved_usd": 0});
    let house = json!({"sessions": 1, "requests": 1, "input": 500, "output": 5, "cache_read": 0,
        "cache_write_5m": 0, "cache_write_1h": 0, "cost_usd": 0, "cost_unknown_requests": 1, "cache_saved_usd": 0});
    let models = json!({"claude-haiku-5-5": haiku, "claude-opus-5-5": opus, "house-model-1": house});
    assert_eq!(found["by_model"], models);
    let tool = |calls, failed| json!({"sessions": 1, "calls": calls, "failed": failed});
    assert_eq!(found["by_tool"], json!({"Bash": tool(1, 1), "Write": tool(1, 0)}));
    let session = json!({"sessions": 1, "requests": 5, "input": 101_611, "output": 195, "cache_read": 3000,
        "cache_write_5m": 100, "cache_write_1h": 200, "cost_usd": 0.054916, "cost_unknown_requests": 1,
        "cache_saved_usd": 0.0114, "calls": 2, "failed": 1});
    assert_eq!(found["by_agent"], json!({"claude-code": session}));
    let with = |numbers: &Value, [added, agent, human, unattributed]: [u64; 4]| {
        let mut numbers = numbers.clone();
        let lines = json!({"added": added, "agent": agent, "human": human, "unattributed": unattributed});
        numbers.as_object_mut().unwrap().extend(lines.as_object().unwrap().clone());
        numbers
    };
    let none = json!({"sessions": 0, "requests": 0, "input": 0, "output": 0, "cache_read": 0, "cache_write_5m": 0,
        "cache_write_1h": 0, "cost_usd": 0, "cost_unknown_requests": 0, "cache_saved_usd": 0, "calls": 0, "failed": 0});
    assert_eq!(found["total"], with(&session, [3, 2, 0, 1]));
    // The session is its writer's, the lines are the author's.
    let authors = json!({"ada@example.com": with(&session, [0; 4]), "cleo@example.com": with(&none, [3, 2, 0, 1])});
    assert_eq!(found["by_author"], authors);
    let days = json!({"2026-01-01": with(&none, [3, 2, 0, 1]), "2026-02-03": with(&session, [0; 4])});
    assert_eq!(found["by_day"], days);
    let keys: Vec<_> = found.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["total", "by_model", "by_author", "by_agent", "by_tool", "by_day"]);

    // All of the ledger: what was amended is not counted twice.
    let all = stats(ada, work, &[]);
    assert_eq!(all["by_author"]["cleo@example.com"], with(&none, [3, 2, 0, 1]));
    assert_eq!((&all["by_model"], &all["by_tool"]), (&found["by_model"], &found["by_tool"]));

    // For eyes.
    let text = ada.run(work, ["stats", "--range", "HEAD~1..HEAD"]).ok();
    for line in [
        "Requests   5",
        "Tokens     101,611 input, 195 output",
        "Cost       $0.05+ (caches saved $0.01+)",
        "Lines      3 added: 2 agent, 0 human, 1 unattributed",
        "Model             sessions  requests    input  output  cache read  cache written     cost    saved",
        "claude-haiku-5-5         1         2  101,001     110           0              0    $0.05       $0",
        "claude-opus-5-5          1         2      110      80       3,000            300   <$0.01    $0.01",
        "house-model-1            1         1      500       5           0              0  unknown  unknown",
        "Bash          1      1       1",
        "+ 1 request without a price, of house-model-1, not counted in it.",
    ] {
        assert!(text.lines().any(|found| found == line), "{line:?} is not in\n{text}");
    }
}

#[test]
fn what_is_counted_can_be_narrowed() {
    let team = shop();
    let (ada, work) = (&team.ada, &team.work);
    let numbers = |args: &[&str]| {
        let total = &stats(ada, work, args)["total"];
        [&total["sessions"], &total["requests"], &total["added"]].map(|n| n.as_u64().unwrap())
    };
    let before = numbers(&["--range", "HEAD~1"]);
    assert!(before[..2] == [0, 0] && before[2] > 0, "enrolling made lines, and no session: {before:?}");
    assert_eq!(numbers(&["--since", "2026-02-01"]), [1, 5, 0]);
    assert_eq!(numbers(&["--since", "2026-02-03T10:00:50Z", "--until", "2026-02-03"]), [1, 5, 0]);
    assert_eq!(numbers(&["--since", "2026-02-03T10:00:51Z"]), [0, 0, 0]);
    assert_eq!(numbers(&["--until", "2026-01-31", "--range", "HEAD~1..HEAD"]), [0, 0, 3]);
    assert_eq!(numbers(&["--session", "shop"]), [1, 5, 3]);
    for (args, complaint) in [
        (["--session", "sho"], "too short"),
        (["--session", "market"], "no session that is recorded begins with"),
        (["--range", "nowhere..HEAD"], "nowhere..HEAD"),
        (["--since", "yesterday"], "2026-11-01"),
    ] {
        let output = ada.run(work, ["stats", args[0], args[1]]).exits(2);
        assert!(output.stderr.contains(complaint) && output.stdout.is_empty(), "{output:?}");
    }
}

#[test]
fn an_organisation_has_prices_of_its_own() {
    let team = shop();
    let (ada, work) = (&team.ada, &team.work);
    ada.git(work, ["config", "tracevault.prices", ".tracevault/prices.toml"]).ok();
    assert!(ada.run(work, ["stats"]).exits(2).stderr.contains(".tracevault/prices.toml"));
    let table = "[[price]]\nprovider = \"house\"\nmodel = \"house-model-1\"\nrates = { input = 2_000_000, output = 4_000_000 }\n";
    ada.write(work, ".tracevault/prices.toml", table);
    // 500 * 2 + 5 * 4 more than 54915.5.
    let total = &stats(ada, work, &[])["total"];
    assert_eq!((&total["cost_usd"], &total["cost_unknown_requests"]), (&json!(0.055936), &json!(0)));
    ada.write(work, ".tracevault/prices.toml", &table.replace("2_000_000", "2.5"));
    let output = ada.run(work, ["stats"]).exits(2);
    assert!(output.stderr.contains(".tracevault/prices.toml: line 4: "), "{output:?}");
}

#[test]
fn what_does_not_verify_is_not_counted() {
    let team = shop();
    let (ada, work) = (&team.ada, &team.work);
    let (bea, hers) = (ada.other("Bea"), ada.path("bea"));
    assert_eq!(bea.clone(&team.remote, "bea"), hers);
    bea.run(&hers, ["init"]).ok();
    Agent::start(&bea, &hers, "pending-1").prompt("Hello.").say("Hello.").end();
    bea.run(&hers, ["push"]).ok();
    ada.run(work, ["fetch"]);
    // A key that nobody enrolled is counted as whose it claims to be, and that is said.
    let output = ada.run(work, ["stats", "--json"]).exits(0);
    assert!(output.stderr.contains("bea@example.com is not enrolled"), "{output:?}");
    assert_eq!(output.json()["by_author"]["bea@example.com"]["requests"], 1);

    // Her last record's signature gone, the record is no longer one.
    let chain = ada
        .refs(work, "refs/tracevault-local/")
        .into_keys()
        .find(|name| bea.own_chain(&hers).ends_with(name.rsplit('/').next().unwrap()))
        .unwrap();
    let record = ada.git(work, ["rev-parse", &format!("{chain}:record.json")]).ok();
    let tree = ada.feed_git(work, ["mktree"], format!("100644 blob {record}\trecord.json\n").as_bytes()).ok();
    let forged = ada.git(work, ["commit-tree", &tree, "-p", &format!("{chain}~1"), "-m", "forged"]).ok();
    ada.git(work, ["update-ref", &chain, &forged]).ok();
    let output = ada.run(work, ["stats", "--json"]).exits(0);
    assert!(output.stderr.contains("the ledger does not verify"), "{output:?}");
    assert_eq!(output.json()["total"]["requests"], 5);

    let cleo = ada.other("Cleo");
    let alone = cleo.repository("alone");
    let output = cleo.run(&alone, ["stats"]).exits(2);
    assert!(output.stderr.contains("there is no ledger here"), "{output:?}");
}

/// Recorded sessions of Claude Code, where there are any: in the folder that TRACEVAULT_CAPTURES
/// names, or beside the repository.
fn captures() -> Option<PathBuf> {
    let named = std::env::var_os("TRACEVAULT_CAPTURES").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures"));
    Some(folder.join("claude-code-2.1.330")).filter(|folder| folder.is_dir())
}

/// Copies a folder of transcripts, with the paths of this world in them.
fn copy(from: &Path, to: &Path, rewrite: &dyn Fn(&str) -> String) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let (path, copied) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &copied, rewrite);
        } else {
            fs::write(copied, rewrite(&fs::read_to_string(&path).unwrap())).unwrap();
        }
    }
}

#[test]
fn recorded_sessions_cost_what_their_agent_says() {
    let Some(captures) = captures() else { return };
    for scenario in ["A-write-edit", "B-subagent", "D-resume", "E-two-models", "J-compact"] {
        let scenario = captures.join(scenario);
        let world = World::new();
        let repo = world.clone(&scenario.join("repo.bundle"), "repo");
        world.git(&repo, ["remote", "remove", "origin"]).ok();
        world.run(&repo, ["init"]).ok();
        let agents = world.home().join(".claude");
        let rewrite = |text: &str| {
            let text = text.replace("/home/dev/.claude", agents.to_str().unwrap());
            text.replace("/home/dev/repo", repo.to_str().unwrap())
        };
        copy(&scenario.join("transcripts"), &agents.join("projects"), &rewrite);
        for payload in fs::read_to_string(scenario.join("hooks.jsonl")).unwrap().lines() {
            let heard = world.feed(&repo, ["hook", "claude-code"], rewrite(payload).as_bytes()).exits(0);
            assert_eq!((&*heard.stdout, &*heard.stderr), ("", ""));
        }

        let found = stats(&world, &repo, &[]);
        let read = |name: &str| -> Value { serde_json::from_slice(&fs::read(scenario.join(name)).unwrap()).unwrap() };
        let served = &read("tokens.json")["mock"];
        let keys = [
            ("requests", "requests"),
            ("input", "input_tokens"),
            ("output", "output_tokens"),
            ("cache_read", "cache_read_input_tokens"),
            ("cache_write_5m", "ephemeral_5m_input_tokens"),
            ("cache_write_1h", "ephemeral_1h_input_tokens"),
        ];
        let tokens = |models: &Value, keys: [&str; 6]| -> BTreeMap<String, Vec<Value>> {
            let models = models.as_object().unwrap().iter();
            models.map(|(model, n)| (model.clone(), keys.iter().map(|key| n[key].clone()).collect())).collect()
        };
        let ours = tokens(&found["by_model"], keys.map(|key| key.0));
        assert_eq!(ours, tokens(served, keys.map(|key| key.1)), "{}", scenario.display());
        // What the agent says at last is of all its sessions: it goes on counting when one is resumed or forked.
        for (model, used) in read("result.json")["modelUsage"].as_object().unwrap() {
            let micro = |dollars: &Value| (dollars.as_f64().unwrap() * 1e6 + 1e-6).round() as u64;
            let ours = micro(&found["by_model"][model]["cost_usd"]);
            assert_eq!(ours, micro(&used["costUSD"]), "{model} in {}", scenario.display());
        }
        assert_eq!(found["total"]["cost_unknown_requests"], 0);
    }
}

//! What teams use and where it pays, as pages tell it of real sessions.

use std::path::Path;

use serde_json::json;

use crate::agent::Agent;
use crate::ledger::Team;
use crate::server::Server;

/// The agent writes a new file, and its transcript tells what is in it.
fn write(agent: &Agent<'_>, file: &Path, text: &str) {
    let input = json!({"file_path": file, "content": text});
    let call = agent.wish("Write", &input);
    std::fs::write(file, text).unwrap();
    let more = json!({"tool_name": "Write", "tool_input": input, "tool_use_id": call, "tool_response": {}});
    agent.event("PostToolUse", more);
    let told = json!({"type": "create", "filePath": file, "content": text, "structuredPatch": []});
    agent.result(&call, false, told);
}

#[test]
fn teams_see_what_they_use_what_it_costs_and_what_fails() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let with = Agent::start(ada, work, "with-1");
    write(with.prompt("Sell pears"), &work.join("pears.py"), "pear = 1\npears = 2\n");
    with.call("Skill", &json!({"skill": "review"}), || ());
    for _ in 0..15 {
        with.call("mcp__db__query", &json!({}), || ());
    }
    for n in 0..10 {
        let call = with.wish("mcp__db__list", &json!({"n": n}));
        let failed = json!({"tool_name": "mcp__db__list", "tool_input": {}, "tool_use_id": call, "error": "no"});
        with.event("PostToolUseFailure", failed);
        with.result(&call, true, json!("Error: no"));
    }
    with.end();
    let without = Agent::start(ada, work, "without-1");
    write(without.prompt("Sell figs"), &work.join("figs.py"), "fig = 1\n");
    without.end();
    ada.commit(work, "Sell");
    ada.git(work, ["push", "--quiet", "origin", "main"]).ok();

    let server = Server::start(ada, work, &["--repo", &format!("shop={}", team.remote.display())]);
    server.settle();
    let uses = server.rows("/suggestions/uses.json");
    assert_eq!(uses.len(), 2, "a server counts once, whatever its tools: {uses:?}");
    let of = |kind: &str| uses.iter().find(|row| row["kind"] == kind).unwrap();
    for (kind, name, calls, failed) in [("server", "db", 25, 0.4), ("skill", "review", 1, 0.0)] {
        let row = of(kind);
        let counts = json!([row["repository"], row["name"], row["sessions"], row["without"], row["calls"]]);
        assert_eq!(counts, json!(["shop", name, 1, 1, calls]), "{row}");
        assert_eq!(row["failed_share"], failed, "{row}");
        assert!(row["cost_usd"].as_f64().unwrap() > row["without_usd"].as_f64().unwrap(), "{row}");
    }
    let advice = server.rows("/suggestions.json");
    assert_eq!(advice.len(), 1, "{advice:?}");
    assert_eq!((&advice[0]["what"], &advice[0]["about"]), (&json!("mend"), &json!("MCP server db")));
    let teams = server.rows("/suggestions/teams.json");
    assert_eq!((teams.len(), &teams[0]["of"], &teams[0]["sessions"]), (1, &json!("shop"), &json!(2)));
    let members = server.rows("/suggestions/members.json");
    assert_eq!((members.len(), &members[0]["of"]), (1, &json!("ada@example.com")), "{members:?}");
    assert!(members[0]["cached_share"].as_f64().unwrap() > 0.9, "{members:?}");
    assert!(server.rows("/suggestions/uses.json?until=2020-01-01").is_empty());
    assert!(server.page("/suggestions").contains("40.0 % of its 25 calls fail"));
    assert!(server.page("/analytics").contains("href=\"/suggestions\""));
    assert_eq!(server.get("/suggestions/nowhere").status, 404);
}

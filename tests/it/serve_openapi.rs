//! `/openapi.json`: every table that it describes is there, as described.

use serde_json::Value;

use crate::agent::Agent;
use crate::serve::told;
use crate::server::Server;

#[test]
fn every_table_is_as_it_is_described() {
    let (team, commit) = told();
    let (ada, work) = (&team.ada, &team.work);
    let (bob, bobs) = team.join("Bob");
    ada.run(work, ["compliance", "set", "sox", "--yes"]).ok();
    ada.run(work, ["hold", "case-7", "--commit", &commit]).ok();
    let rules = "[[rule]]\nname = \"keys\"\nlevel = \"warn\"\ncondition = \"sensitive-paths\"\npaths = [\"secrets\"]\n";
    ada.feed(work, ["policy", "set", "-"], rules.as_bytes()).ok();
    let agent = Agent::start(ada, work, "keys-1");
    agent.prompt("Write it.").write("secrets/key.rs", "one\n");
    ada.commit(work, "Add a key");
    ada.git(work, ["push", "--quiet", "origin", "main"]).ok();
    bob.run(&bobs, ["fetch"]).ok();
    bob.run(&bobs, ["approve", &commit]).ok();
    bob.run(&bobs, ["push"]).ok();
    let server = Server::start(ada, work, &["--repo", &format!("shop={}", team.remote.display())]);
    server.settle();
    let document: Value = serde_json::from_str(&server.page("/openapi.json")).unwrap();
    let session = server.rows("/sessions.json")[0]["session"].as_str().unwrap().to_owned();
    let (mut tables, mut others, mut empty) = (0, 0, Vec::new());
    for (path, item) in document["paths"].as_object().unwrap() {
        let is_open = |name: &str| path.contains(&format!("{{{name}}}"));
        if is_open("path")
            || is_open("record")
            || is_open("file")
            || is_open("question")
            || is_open("part")
            || item.get("get").is_none()
        {
            continue;
        }
        // The audit log of a server that everybody may read is nobody's.
        if path.starts_with("/audit") {
            continue;
        }
        let at = path.replace("{repository}", "shop").replace("{session}", &session);
        let at = at.replace("{sha}", &commit).replace("{chain}", "policy");
        let text = server.page(&at);
        let Some(schema) = item["get"]["responses"]["200"]["content"]["application/json"].get("schema") else {
            continue;
        };
        let answer: Value = serde_json::from_str(&text).unwrap();
        let (tables_of, schema) = (schema["anyOf"].as_array().unwrap(), &schema["anyOf"][0]);
        let validator = jsonschema::validator_for(schema).unwrap();
        let errors: Vec<_> = validator.iter_errors(&answer).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{at}: {errors:?}");
        tables += 1;
        if answer["rows"].as_array().unwrap().is_empty() {
            empty.push(path.clone());
        }
        let csv = server.page(&at.replace(".json", ".csv"));
        let columns = schema["properties"]["rows"]["items"]["required"].as_array().unwrap();
        let columns: Vec<&str> = columns.iter().map(|name| name.as_str().unwrap()).collect();
        assert_eq!(csv.lines().next().unwrap(), columns.join(","), "{at}");
        // The page leads to every table that it has, each as one of those that are described.
        let page = server.page(at.trim_end_matches(".json")).replace("&#38;", "&");
        for name in page.split("table=").skip(1).filter_map(|rest| rest.split('"').next()) {
            let answer: Value = serde_json::from_str(&server.page(&format!("{at}?table={name}"))).unwrap();
            let fits = |schema: &Value| jsonschema::validator_for(schema).unwrap().is_valid(&answer);
            assert!(tables_of[1..].iter().any(fits), "{at} {name}: {answer}");
            others += 1;
        }
    }
    assert_eq!(tables, 31);
    assert!(others >= 2 * 5, "{others}");
    assert_eq!(server.get("/integrity.csv?table=nothing").status, 404);
    assert_eq!(
        empty,
        [
            "/suggestions.json",
            "/suggestions/uses.json",
            "/integrity.json",
            "/alerts.json",
            "/retention/pruned.json",
            "/exceptions.json",
            "/exceptions/corrections.json"
        ]
    );
}

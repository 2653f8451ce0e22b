//! `git tracevault serve`: pages as of a day, a time or a policy record, which say the same whatever comes later.

use serde_json::json;

use crate::agent::Agent;
use crate::seals::witnessed;
use crate::server::Server;

#[test]
fn what_was_known_then_stays_so() {
    let (team, ci, clone, _) = witnessed();
    let (ada, work) = (&team.ada, &team.work);
    let push = || ada.git(work, ["push", "--quiet", "origin", "HEAD:main"]).ok();
    let agent = Agent::start(ada, work, "pears-1");
    agent.prompt("Sell pears").write("pears.py", "def pears():\n    return 'pear'\n");
    let first = ada.commit(work, "Sell pears");
    push();
    ada.pass(60);
    let then = ada.now();
    ada.pass(60);
    agent.prompt("And plums").write("plums.py", "plum = 1\n");
    agent.end();
    ada.commit(work, "Sell plums");
    push();
    ci.run(&clone, ["fetch"]).ok();
    ci.run(&clone, ["seal"]).ok();
    let remote = format!("shop={}", team.remote.display());
    let server = Server::start(ada, work, &["--repo", &remote]);
    server.settle();

    let (now, before) = (server.rows("/sessions.json"), server.rows(&format!("/sessions.json?asof={then}")));
    let of = |rows: &[serde_json::Value]| rows.iter().find(|row| row["title"] == "Sell pears").unwrap().clone();
    let (now, before) = (of(&now), of(&before));
    assert_eq!((&now["turns"], &before["turns"]), (&json!(2), &json!(1)), "{now} {before}");
    assert!(before["tokens"].as_i64() < now["tokens"].as_i64(), "{now} {before}");
    let commits = server.rows(&format!("/commits.json?asof={then}"));
    assert!(commits.iter().all(|row| row["subject"] != "Sell plums"), "{commits:?}");
    let state =
        |rows: &[serde_json::Value]| rows.iter().find(|row| row["commit"] == first.as_str()).unwrap()["state"].clone();
    assert_eq!((state(&commits), state(&server.rows("/commits.json"))), (json!("signed"), json!("sealed")));
    assert!(server.page(&format!("/commits?asof={then}")).contains("what was recorded later is left out"));
    let csv = server.page(&format!("/commits.csv?asof={then}"));
    assert_eq!(csv.lines().count(), commits.len() + 1);

    // By the record of the policy chain that founded the ledger there was no witness yet.
    let genesis = ada.git(work, ["config", "tracevault.ledger"]).ok();
    let roles =
        |path: &str| server.rows(path).iter().map(|row| row["roles"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(roles(&format!("/members.json?asof={genesis}")).len(), 1);
    assert!(roles("/members.json").contains(&"witness".to_owned()));
    assert!(server.rows("/sessions.json?asof=2001-01-31").is_empty());
    assert!(server.rows("/analytics/tokens.json?asof=2001-01-31").is_empty());
    // What tells of now alone does not pass for what was known then.
    let session = server.rows("/sessions.json")[0]["session"].as_str().unwrap().to_owned();
    for path in [
        "/",
        "/integrity",
        "/alerts",
        "/alerts.atom",
        "/suggestions",
        "/search",
        &format!("/r/shop/sessions/{session}"),
    ] {
        let answer = server.get(&format!("{path}?asof={then}"));
        assert!(answer.status == 400 && answer.body.contains("known now"), "{path}: {}", answer.status);
        assert_eq!(server.get(&format!("{path}?asof=")).status, 200, "{path}");
    }
    for wrong in ["yesterday", "2026-02-30", "00000000000000"] {
        assert_eq!(server.get(&format!("/sessions?asof={wrong}")).status, 400, "{wrong}");
    }
}

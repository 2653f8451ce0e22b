//! `git tracevault serve`: what somebody should look at, as a page and as a feed.

use serde_json::json;

use crate::agent::Agent;
use crate::serve::told;
use crate::server::Server;

#[test]
fn an_alert_keeps_the_time_since_which_it_is_known() {
    let (team, _) = told();
    let (ada, work) = (&team.ada, &team.work);
    let bob = ada.other("Bob");
    let bobs = bob.clone(&team.remote, "bob");
    bob.run(&bobs, ["init"]).ok();
    bob.run(&bobs, ["push"]).ok();
    let remote = format!("shop={}", team.remote.display());
    let data = ada.path("data");
    let data = data.to_str().unwrap();
    let once = || ada.run(work, ["serve", "--once", "--repo", &remote, "--data", data]);
    let alerts = || {
        let server = Server::start(ada, work, &["--repo", &remote, "--data", data]);
        (server.rows("/alerts.json"), server.page("/alerts.atom"))
    };
    once().ok();
    let (first, feed) = alerts();
    assert_eq!((&first[0]["code"], &first[0]["gone"]), (&json!("E-PENDING"), &json!(null)), "{first:?}");
    let ids = |feed: &str| {
        let tree = roxmltree::Document::parse(feed).unwrap();
        let ids = tree.descendants().filter(|node| node.tag_name().name() == "id");
        ids.map(|node| node.text().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&feed).len(), 2);
    // Looked at again later, and with an index that another version made: the same, since the same time.
    ada.pass(3600);
    once().ok();
    assert_eq!(alerts().1, feed);
    // Whoever is enrolled is no alert any more; whose repository is away is one.
    ada.run(work, ["fetch"]);
    ada.run(work, ["member", "add", "bob@example.com"]).ok();
    ada.run(work, ["push"]).ok();
    once().ok();
    let (over, again) = alerts();
    assert_eq!((&over[0]["since"], over[0]["gone"].is_null()), (&first[0]["since"], false), "{over:?}");
    assert_eq!(ids(&again), ids(&feed));
    assert!(again.contains("<title>Over: shop: E-PENDING"), "{again}");
    let away = team.remote.with_extension("away");
    std::fs::rename(&team.remote, &away).unwrap();
    once().exits(2);
    once().exits(2);
    std::fs::rename(&away, &team.remote).unwrap();
    let troubles = || alerts().0.into_iter().filter(|row| row["code"] == "trouble").collect::<Vec<_>>();
    assert_eq!(troubles().len(), 1);
    once().ok();
    assert!(!troubles()[0]["gone"].is_null());
}

#[test]
fn commits_that_the_rules_stop_are_alerts() {
    let (team, _) = told();
    let (ada, work) = (&team.ada, &team.work);
    let rules =
        "[[rule]]\nname = \"keys\"\nlevel = \"block\"\ncondition = \"sensitive-paths\"\npaths = [\"secrets\"]\n";
    ada.feed(work, ["policy", "set", "-"], rules.as_bytes()).ok();
    let agent = Agent::start(ada, work, "keys-1");
    agent.prompt("Write it.").write("secrets/key.rs", "one\n");
    ada.commit(work, "Add a key");
    ada.git(work, ["push", "origin", "main"]).exits(1);
    ada.run(work, ["push"]).ok();
    let server = Server::start(ada, work, &["--repo", &format!("shop={}", team.remote.display())]);
    server.settle();
    let alerts = server.rows("/alerts.json?repository=shop");
    let stopped = alerts.iter().find(|row| row["code"] == "policy").unwrap_or_else(|| panic!("{alerts:?}"));
    assert!(stopped["message"].as_str().unwrap().contains("keys") && stopped["severity"] == "error", "{stopped}");
    assert_eq!(server.rows("/exceptions/checks.json")[0]["verdict"], "fail");
    assert!(server.page("/policies").contains("sensitive-paths"));
}

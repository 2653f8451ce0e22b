//! `git tracevault serve`: what is kept, held, pruned, excused and approved, as pages tell it.

use serde_json::json;

use crate::agent::Agent;
use crate::serve::told;
use crate::server::Server;

#[test]
fn pages_tell_what_is_kept_and_excused() {
    let (team, commit) = told();
    let (ada, work) = (&team.ada, &team.work);
    let (bob, bobs) = team.join("Bob");
    ada.pass(60);
    let before = ada.now();
    ada.pass(60);
    ada.run(work, ["compliance", "set", "sox", "pci-dss", "--yes"]).ok();
    ada.run(work, ["hold", "case-7", "--commit", &commit]).ok();
    ada.run(work, ["push"]).ok();
    bob.git(&bobs, ["fetch", "--quiet"]).ok();
    bob.run(&bobs, ["fetch"]).ok();
    bob.run(&bobs, ["approve", &commit]).ok();
    bob.run(&bobs, ["push"]).ok();
    let server = Server::start(ada, work, &["--repo", &format!("shop={}", team.remote.display())]);
    server.settle();

    let rows = server.rows("/compliance.json?framework=pci-dss");
    assert!(rows.iter().all(|row| row["framework"] == "pci-dss" && row["left"] != ""), "{rows:?}");
    let of = |what: &str| rows.iter().find(|row| row["evidence"].as_str().unwrap().starts_with(what)).unwrap().clone();
    assert_eq!((&of("approvals")["records"], &of("approvals")["state"]), (&json!(1), &json!("there")));
    assert_eq!((&of("seals")["records"], &of("seals")["state"]), (&json!(0), &json!("none")));
    // What owners decided counts, too; and as of now all is as it is now.
    let all = server.rows("/compliance.json");
    for what in ["legal holds", "choices of how long", "changes of members"] {
        let counted =
            |row: &serde_json::Value| row["evidence"].as_str().unwrap().starts_with(what) && row["records"] != 0;
        assert!(all.iter().any(counted), "{what}: {all:?}");
    }
    assert_eq!(server.rows(&format!("/compliance.json?asof={}", ada.now())), all);
    let page = server.page("/compliance");
    assert!(page.contains("Sarbanes-Oxley Act") && page.contains("shop for 7 years"), "{page}");
    assert!(page.contains("/exceptions/approvals\">approvals by"), "{page}");
    assert!(server.page(&format!("/compliance?asof={before}")).contains("No framework is in force"));
    assert_eq!(server.get("/compliance?framework=hipaa").status, 400);

    let shelves = server.rows("/retention.json");
    assert_eq!((&shelves[0]["state"], &shelves[0]["class"]), (&json!("held for case-7"), &json!("transcript")));
    let planned = ada.run(work, ["prune", "--dry-run", "--json"]).ok();
    let planned: serde_json::Value = serde_json::from_str(planned.lines().next().unwrap()).unwrap();
    assert_eq!((&shelves[0]["pieces"], &shelves[0]["month"]), (&planned["pieces"], &planned["month"]));
    let page = server.page("/retention");
    assert!(page.contains("case-7") && page.contains("commits: 1") && page.contains("ada@example.com"), "{page}");
    assert!(server.page(&format!("/retention?asof={before}")).contains("Nothing is or was held."));

    let approvals = server.rows("/exceptions/approvals.json");
    assert_eq!((&approvals[0]["commit"], &approvals[0]["member"]), (&json!(commit), &json!("bob@example.com")));
    assert!(server.page("/exceptions").contains("Nothing was excused"));
    // Taken back, it stands no more.
    let approval = approvals[0]["record"].as_str().unwrap();
    drop(server);
    bob.run(&bobs, ["amend", approval, "--reason", "wrong"]).ok();
    bob.run(&bobs, ["push"]).ok();
    let remote = format!("shop={}", team.remote.display());
    ada.run(work, ["serve", "--once", "--repo", &remote]).ok();
    let server = Server::start(ada, work, &["--repo", &remote]);
    assert_eq!(server.rows("/exceptions/approvals.json")[0]["state"], "taken back or corrected");
    assert_eq!(server.rows("/exceptions/corrections.json")[0]["reason"], "wrong");
}

#[test]
fn pages_tell_what_expired_and_what_was_pruned() {
    let (team, _) = told();
    let (ada, work) = (&team.ada, &team.work);
    ada.run(work, ["compliance", "set", "pci-dss", "--yes"]).ok();
    ada.run(work, ["hold", "case-1", "--month", "2026-01"]).ok();
    ada.run(work, ["push"]).ok();
    let remote = format!("shop={}", team.remote.display());
    let tell = |path: &str| {
        ada.run(work, ["serve", "--once", "--repo", &remote]).ok();
        Server::start(ada, work, &["--repo", &remote]).rows(path)
    };
    assert_eq!(tell("/retention.json")[0]["expires"], "2027-02");
    // A year later the case is over, and what it held goes.
    ada.pass(400 * 24 * 3600);
    ada.run(work, ["release", "case-1", "--yes"]).ok();
    assert_eq!(tell("/retention.json")[0]["state"], "expired");
    let then = ada.now();
    ada.pass(60);
    ada.run(work, ["prune", "--yes"]).ok();
    assert_eq!(tell("/retention.json")[0]["state"], "pruned");
    assert_eq!(tell(&format!("/retention.json?asof={then}"))[0]["state"], "expired", "as it was known then");
    let pruned = tell("/retention/pruned.json");
    assert_eq!((&pruned[0]["by"], &pruned[0]["months"]), (&json!("ada@example.com"), &json!("2026-01")), "{pruned:?}");
    let holds = tell("/retention/holds.json");
    assert_eq!((&holds[0]["case"], holds[0]["released"].is_null()), (&json!("case-1"), false), "{holds:?}");
    assert_eq!(tell(&format!("/retention/holds.json?asof={then}")).len(), 1);
}

#[test]
fn pages_tell_what_was_decided_and_until_when() {
    let (team, _) = told();
    let (ada, work) = (&team.ada, &team.work);
    let bob = ada.other("Bob");
    let bobs = bob.clone(&team.remote, "bob");
    bob.run(&bobs, ["init"]).ok();
    bob.run(&bobs, ["push"]).ok();
    ada.run(work, ["fetch"]);
    let chain = bob.own_chain(&bobs).rsplit('/').next().unwrap().to_owned();
    for decision in ["accepted", "rejected"] {
        ada.pass(60);
        ada.run(work, ["adjudicate", "E-PENDING", &chain, "--decision", decision]).ok();
    }
    ada.run(work, ["push"]).ok();
    let remote = format!("shop={}", team.remote.display());
    let tell = |path: &str| {
        ada.run(work, ["serve", "--once", "--repo", &remote]).ok();
        Server::start(ada, work, &["--repo", &remote]).rows(path)
    };
    let decided = tell("/exceptions.json");
    let told = |n: usize| (decided[n]["decision"].clone(), decided[n]["until"].clone());
    assert_eq!(told(0), (json!("rejected"), json!("decided otherwise")), "{decided:?}");
    assert_eq!(told(1), (json!("accepted"), decided[0]["time"].clone()));
    assert!(decided[0]["covers"].as_str().unwrap().contains("is not enrolled"), "{decided:?}");
    // Once the key is enrolled there is nothing that the decision would cover; a key that is gone stays to be had.
    ada.run(work, ["member", "add", "bob@example.com"]).ok();
    ada.run(work, ["key", "rotate", "--yes"]).ok();
    ada.run(work, ["push"]).ok();
    assert_eq!(tell("/exceptions.json")[0]["covers"], "not found any more");
    let keys = tell("/keys.json");
    let ended: Vec<_> = keys.iter().filter(|key| !key["until"].is_null()).collect();
    assert_eq!((keys.len(), ended.len()), (3, 1), "{keys:?}");
    let file = format!("/keys/{}.pub", ended[0]["key"].as_str().unwrap());
    assert!(Server::start(ada, work, &["--repo", &remote]).page(&file).contains("minisign public key"));
}

#[test]
fn a_commit_tells_what_the_rules_said_of_it() {
    let (team, before) = told();
    let (ada, work) = (&team.ada, &team.work);
    let rules =
        "[[rule]]\nname = \"no-keys\"\nlevel = \"warn\"\ncondition = \"sensitive-paths\"\npaths = [\"secrets\"]\n";
    ada.feed(work, ["policy", "set", "-"], rules.as_bytes()).ok();
    let mut commits = Vec::new();
    for path in ["secrets/key.rs", "plums.rs"] {
        ada.pass(60);
        let agent = Agent::start(ada, work, path.split('/').next().unwrap());
        agent.prompt("Write it.").write(path, "one\n");
        commits.push(ada.commit(work, "Write it"));
    }
    ada.git(work, ["push", "--quiet", "origin", "main"]).ok();
    let server = Server::start(ada, work, &["--repo", &format!("shop={}", team.remote.display())]);
    server.settle();
    let page = |sha: &str| server.page(&format!("/r/shop/commits/{sha}"));
    // Both were judged together; the rule was broken by one of them.
    let checks = server.rows("/exceptions/checks.json");
    assert_eq!((&checks[0]["commits"], &checks[0]["last"]), (&json!(2), &json!(commits[1])), "{checks:?}");
    let record = checks[0]["record"].as_str().unwrap();
    for (sha, broken) in [(&commits[0], true), (&commits[1], false)] {
        let page = page(sha);
        assert!(page.contains("pushed with it") && page.contains(record), "{page}");
        assert_eq!(page.contains("no-keys"), broken, "{page}");
    }
    assert!(page(&before).contains("no check of it is known"));
    assert!(server.page("/policies").contains("no-keys") && server.page("/policies").contains(record));
}

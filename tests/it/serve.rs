//! `git tracevault serve`: repositories are mirrored, and pages tell what their ledgers say.

use crate::agent::Agent;
use crate::ledger::Team;
use crate::postgres::Postgres;
use crate::server::Server;

/// Ada's agent has written two lines of a file, whose commit is pushed.
pub fn told() -> (Team, String) {
    let team = Team::new();
    let agent = Agent::start(&team.ada, &team.work, "pears-1");
    agent.prompt("Sell pears <script>alert(1)</script>, please");
    agent.say("I will write two lines.");
    agent.write("pears.py", "def pears():\n    return 'pear'\n");
    agent.end();
    let commit = team.ada.commit(&team.work, "Sell pears");
    team.ada.git(&team.work, ["push", "--quiet", "origin", "HEAD:main"]).ok();
    (team, commit)
}

#[test]
fn pages_tell_what_the_ledger_says() {
    let (team, commit) = told();
    let remote = format!("shop={}", team.remote.display());
    let server = Server::start(&team.ada, &team.work, &["--repo", &remote]);
    let repository = server.settle();
    assert_eq!((&repository["verdict"], &repository["repository"]), (&"pass".into(), &"shop".into()), "{repository}");

    let sessions = server.rows("/sessions.json?repository=shop");
    assert_eq!(sessions.len(), 1, "{sessions:?}");
    assert_eq!(sessions[0]["agent"], "claude-code");
    let session = sessions[0]["session"].as_str().unwrap();
    let page = server.page(&format!("/r/shop/sessions/{session}"));
    assert!(page.contains("Sell pears &#60;script&#62;alert(1)&#60;/script&#62;, please"), "{page}");
    assert!(page.contains("I will write two lines.") && page.contains("pears.py") && !page.contains("<script>alert"));

    let commits = server.rows("/commits.json");
    let row = commits.iter().find(|row| row["commit"] == commit.as_str()).unwrap();
    assert_eq!(
        (&row["state"], &row["added"], &row["agent_share"]),
        (&"signed".into(), &2.into(), &1.0.into()),
        "{row}"
    );
    let page = server.page(&format!("/r/shop/commits/{}", &commit[..8]));
    assert!(page.contains("pears.py") && page.contains("By agents") && page.contains("2 (100.0 %)"), "{page}");
    let log = team.ada.run(&team.work, ["log", "--json", "-n", "1"]).json();
    let record = log["record"].as_str().unwrap();
    assert!(server.page("/sessions.csv").starts_with("ended,title,session,"));

    let found = server.page("/search?q=pears+two");
    assert!(found.contains(&format!("/r/shop/sessions/{session}")), "{found}");
    assert!(server.page(&format!("/search?q={}", &commit[..10])).contains(&format!("/r/shop/commits/{commit}")));
    assert!(server.page("/search?q=nobody+said+this").contains("Nobody said"));
    assert!(server.page("/search?q=ADA%40ex").contains("/sessions?repository=shop&#38;member=ada%40example.com"));
    assert!(server.page(&format!("/records/{record}")).contains("&#34;type&#34;:&#34;commit&#34;"));
    for question in ["tokens", "models", "cost", "caches", "agents-share", "authors", "tools", "time"] {
        let page = server.page(&format!("/analytics/{question}"));
        assert!(page.contains("<table>"), "{question}: {page}");
    }
    let lines = server.rows("/analytics/authors.json");
    assert!(lines.iter().any(|row| row["of"] == "ada@example.com" && row["agent"] == 2), "{lines:?}");
    assert!(server.page("/integrity").contains("Nothing: every record holds."));
    let metrics = server.page("/metrics");
    assert!(metrics.contains("tracevault_verdict{repository=\"shop\"} 0\n"), "{metrics}");
    let members = server.rows("/members.json");
    assert_eq!(
        (&members[0]["member"], &members[0]["state"]),
        (&"ada@example.com".into(), &"enrolled".into()),
        "{members:?}"
    );
    assert!(server.page("/policies").contains("No rules are set"));
    assert!(server.page("/r/shop/chains/policy").contains("genesis"));
    let chain = team.ada.own_chain(&team.work);
    let chain = chain.rsplit('/').next().unwrap();
    assert!(server.page(&format!("/r/shop/chains/{chain}")).contains("session"));
}

#[test]
fn every_answer_is_safe_and_what_is_not_there_is_told() {
    let (team, _) = told();
    // The repository that it is started in: a clone, of which another clone's sessions are a part.
    let (bob, theirs) = team.join("Bob");
    bob.git(&theirs, ["pull", "--quiet"]).ok();
    let server = Server::start(&bob, &theirs, &[]);
    server.settle();
    assert_eq!(server.rows("/sessions.json").len(), 1);
    for (path, status) in [
        ("/nowhere", 404),
        ("/r/nowhere/sessions/x", 404),
        ("/records/zzzz", 404),
        ("/sessions?since=yesterday", 400),
        ("/sessions?after=x", 400),
        ("/sessions?repository=nowhere", 400),
        ("/assets/../secret", 404),
        ("/healthz", 200),
        ("/", 200),
        ("/assets/style.css", 200),
    ] {
        let answer = server.get(path);
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        for header in
            ["content-security-policy: default-src 'none'", "x-content-type-options: nosniff", "x-frame-options: deny"]
        {
            assert!(answer.headers.contains(header), "{path} without {header}: {}", answer.headers);
        }
    }
}

#[test]
fn the_index_may_be_deleted_and_comes_back_the_same() {
    let (team, _) = told();
    let (ada, work) = (&team.ada, &team.work);
    let data = ada.path("data");
    let remote = format!("shop={}", team.remote.display());
    let once = || ada.run(work, ["serve", "--once", "--repo", &remote, "--data", data.to_str().unwrap()]).ok();
    let tell = || {
        let server = Server::start(ada, work, &["--repo", &remote, "--data", data.to_str().unwrap()]);
        server.settle();
        ["/sessions.json", "/commits.json", "/analytics/models.json", "/analytics/authors.json"]
            .map(|path| server.page(path))
    };
    once();
    let before = tell();
    for file in ["index.sqlite", "index.sqlite-wal", "index.sqlite-shm"] {
        drop(std::fs::remove_file(data.join(file)));
    }
    once();
    assert_eq!(tell(), before);
    // More of the same session, and a second look at all: nothing is counted twice.
    let agent = Agent::start(ada, work, "pears-2");
    agent.prompt("More");
    agent.write("plums.py", "plum = 1\n");
    agent.end();
    ada.commit(work, "Sell plums");
    ada.git(work, ["push", "--quiet", "origin", "HEAD:main"]).ok();
    once();
    let grown = tell();
    once();
    assert_eq!(tell(), grown);
    assert_ne!(grown, before);
    for file in ["index.sqlite", "index.sqlite-wal", "index.sqlite-shm"] {
        drop(std::fs::remove_file(data.join(file)));
    }
    once();
    assert_eq!(tell(), grown, "read at once as bit by bit");
}

#[test]
fn what_is_decided_or_reckoned_otherwise_is_read_again() {
    let (team, _) = told();
    let (ada, work) = (&team.ada, &team.work);
    let bob = ada.other("Bob");
    let theirs = bob.clone(&team.remote, "bob");
    bob.run(&theirs, ["init"]).ok();
    let agent = Agent::start(&bob, &theirs, "plums-1");
    agent.prompt("Sell plums");
    agent.write("plums.py", "def plums():\n    return 'plum'\n");
    agent.end();
    bob.commit(&theirs, "Sell plums");
    bob.git(&theirs, ["push", "--quiet", "origin", "HEAD:main"]);
    let data = ada.path("data");
    let remote = format!("shop={}", team.remote.display());
    let once = || {
        let args = ["serve", "--once", "--repo", &remote, "--data", data.to_str().unwrap()];
        ada.run(work, args).ok();
        let server = Server::start(ada, work, &["--repo", &remote, "--data", data.to_str().unwrap()]);
        server.settle();
        let mut members: Vec<String> =
            server.rows("/sessions.json").iter().map(|row| row["member"].as_str().unwrap().to_owned()).collect();
        members.sort();
        (members, server.rows("/commits.json").len(), server.page("/analytics/cost.csv"))
    };
    let (members, commits, cost) = once();
    assert_eq!(members, ["ada@example.com", "bob@example.com (not enrolled)"]);
    ada.run(work, ["fetch"]);
    ada.run(work, ["member", "add", "bob@example.com"]).ok();
    ada.run(work, ["push"]).ok();
    assert_eq!(once(), (vec!["ada@example.com".to_owned(), "bob@example.com".to_owned()], commits, cost.clone()));
    // Another price table.
    let model = cost.lines().nth(1).unwrap().split(',').next().unwrap().to_owned();
    let rates =
        "rates = { input = 7_000_000, output = 7_000_000, cache_read = 1, cache_write_5m = 1, cache_write_1h = 1 }";
    let prices = format!("[[price]]\nprovider = \"house\"\nmodel = {model:?}\n{rates}\n");
    let prices = ada.write(&ada.home(), "prices.toml", &prices);
    ada.git(work, ["config", "--global", "tracevault.prices", prices.to_str().unwrap()]).ok();
    let (members, again, other) = once();
    assert_eq!((members.len(), again), (2, commits));
    assert_ne!(other, cost);
}

#[test]
fn both_databases_tell_the_same() {
    let (team, commit) = told();
    team.ada.run(&team.work, ["compliance", "set", "sox", "--yes"]).ok();
    team.ada.run(&team.work, ["hold", "case-7", "--commit", &commit]).ok();
    team.ada.run(&team.work, ["push"]).ok();
    let postgres = Postgres::start();
    let remote = format!("shop={}", team.remote.display());
    let data = team.ada.path("data");
    let tell = |database: &[&str]| {
        let args = [&["--repo", &remote, "--data", data.to_str().unwrap()], database].concat();
        let server = Server::start(&team.ada, &team.work, &args);
        server.settle();
        let session = server.rows("/sessions.json")[0]["session"].as_str().unwrap().to_owned();
        let session = format!("/r/shop/sessions/{session}");
        let mut pages =
            vec!["/sessions?member=ada&agent=claude-code&model=x", "/sessions", "/commits", "/integrity", &session];
        pages.extend(["/r/shop/code/pears.py", "/search.csv?q=pears.py"]);
        pages.extend(["/analytics/tokens", "/analytics/agents-share", "/analytics/tools", "/analytics/time"]);
        pages.extend(["/suggestions", "/suggestions/uses", "/suggestions/teams", "/suggestions/members"]);
        pages.extend([
            "/members",
            "/policies",
            "/compliance",
            "/retention",
            "/retention/holds",
            "/exceptions",
            "/exceptions/approvals",
        ]);
        pages.extend(["/exceptions/checks", "/sessions?asof=2026-01-31", "/commits?asof=2026-01-31", "/help"]);
        pages.extend([
            "/analytics/models?asof=2026-01-31",
            "/alerts",
            "/r/shop/chains/policy",
            "/search?q=ada%40example",
        ]);
        pages.iter().map(|path| server.page(path)).collect::<Vec<_>>()
    };
    let (sqlite, postgres) = (tell(&[]), tell(&["--database", &postgres.url()]));
    for (one, other) in sqlite.iter().zip(&postgres) {
        assert_eq!(one, other);
    }
}

#[test]
fn words_are_found_in_postgresql() {
    let (team, commit) = told();
    let postgres = Postgres::start();
    let remote = format!("shop={}", team.remote.display());
    let server = Server::start(&team.ada, &team.work, &["--repo", &remote, "--database", &postgres.url()]);
    server.settle();
    assert!(server.page("/search?q=pears+two").contains("/r/shop/sessions/"));
    assert!(server.page("/search?q=nobody+said+this").contains("Nobody said"));
    assert!(server.page(&format!("/search?q={}", &commit[..10])).contains(&format!("/r/shop/commits/{commit}")));
}

#[test]
fn what_is_wrong_is_told_before_anything_is_served() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let refused = ada.run(work, ["serve", "--listen", "0.0.0.0:0"]).exits(2);
    assert!(refused.stderr.contains("--url"), "{}", refused.stderr);
    let refused = ada.run(work, ["serve", "--url", "audit.example.com"]).exits(2);
    assert!(refused.stderr.contains("https://"), "{}", refused.stderr);
    let refused = ada.run(work, ["serve", "--public", "--listen", "nowhere"]).exits(2);
    assert!(refused.stderr.contains("cannot listen on nowhere"), "{}", refused.stderr);
    ada.write(work, "indexer.toml", "[[repository]]\nname = \"../x\"\nurl = \"x\"\n");
    let refused = ada.run(work, ["serve", "--once", "--config", "indexer.toml"]).exits(2);
    assert!(refused.stderr.contains("indexer.toml") && refused.stderr.contains("../x"), "{}", refused.stderr);
    let gone = ada.run(work, ["serve", "--once", "--repo", "/nowhere/at/all.git"]).exits(2);
    assert!(gone.stderr.contains("all: "), "{}", gone.stderr);
}

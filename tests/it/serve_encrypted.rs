//! `git tracevault serve`: conversations that only some may read.

use crate::agent::Agent;
use crate::ledger::Team;
use crate::server::Server;

#[test]
fn what_is_encrypted_is_shown_and_found_only_where_the_server_may_read_it() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    ada.feed(work, ["policy", "set", "-"], b"[payloads]\nencrypt = [\"transcript\"]\n").ok();
    let agent = Agent::start(ada, work, "plums-1");
    agent.prompt("Sell marzipan").write("a.py", "x = 1\n");
    agent.end();
    ada.commit(work, "Sell it");
    ada.git(work, ["push", "--quiet", "origin", "HEAD:main"]).ok();
    let key = ada.git(work, ["config", "tracevault.key"]).ok();
    let identity = std::path::Path::new(&key).with_extension("age");
    let dir = ada.path("settings");
    let data = ada.path("data");
    let tell = |more: &str| {
        let text = format!("{more}\n[[repository]]\nname = \"shop\"\nurl = \"{}\"\n", team.remote.display());
        let config = ada.write(&dir, "indexer.toml", &text);
        let args = ["--config", config.to_str().unwrap(), "--data", data.to_str().unwrap()];
        ada.run(&dir, [&["serve", "--once"][..], &args].concat()).ok();
        let server = Server::start(ada, &dir, &args);
        (server.page("/r/shop/sessions/plums-1"), server.page("/search?q=marzipan"))
    };
    let shut = |(page, found): &(String, String)| {
        assert!(page.contains("encrypted: this clone&#39;s key may not read it"), "{page}");
        assert!(!page.contains("marzipan") && found.contains("Nobody said"), "{found}");
    };
    shut(&tell(""));
    // What was not readable before is read now, and the other way round.
    let (page, found) = tell(&format!("identity = {identity:?}"));
    assert!(page.contains("Sell marzipan") && found.contains("/r/shop/sessions/plums-1"), "{page} {found}");
    shut(&tell(""));
    let config = ada.write(&dir, "wrong.toml", "identity = \"nowhere.age\"\n");
    let refused = ada.run(work, ["serve", "--once", "--config", config.to_str().unwrap()]).exits(2);
    assert!(refused.stderr.contains("nowhere.age"), "{}", refused.stderr);
}

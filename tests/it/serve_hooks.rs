//! `git tracevault serve`: what forges tell, who is heard, and that several machines share the work.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};

use crate::agent::Agent;
use crate::ledger::Team;
use crate::postgres::Postgres;
use crate::serve::told;
use crate::server::Server;
use crate::support::World;

const SECRET: &str = "a-secret-that-two-share";

fn post(server: &Server, path: &str, headers: &str, body: &[u8]) -> u16 {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    // What is too large is answered before all of it is sent.
    drop(stream.write_all(body));
    let mut text = Vec::new();
    drop(stream.read_to_end(&mut text));
    String::from_utf8_lossy(&text).split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
}

fn signature(body: &[u8]) -> String {
    let mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap().chain_update(body);
    hex::encode(mac.finalize().into_bytes())
}

/// One more commit with a session, pushed.
fn more(team: &Team, name: &str) {
    let agent = Agent::start(&team.ada, &team.work, name);
    agent.prompt(&format!("Write {name}")).write(&format!("{name}.py"), "x = 1\n");
    agent.end();
    team.ada.commit(&team.work, &format!("Add {name}"));
    team.ada.git(&team.work, ["push", "--quiet", "origin", "HEAD:main"]).ok();
}

fn settings(world: &World, dir: &Path, team: &Team, more: &str) -> String {
    let remote = team.remote.display();
    let text = format!("{more}\n[[repository]]\nname = \"shop\"\nurl = \"{remote}\"\n");
    world.write(dir, "indexer.toml", &text).display().to_string()
}

fn comes(server: &Server, session: &str) -> bool {
    (0..400).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        server.rows("/sessions.json").iter().any(|row| row["session"] == session)
    })
}

#[test]
fn a_forge_that_has_the_secret_is_heard_at_once_and_nobody_else() {
    let (team, _) = told();
    let ada = &team.ada;
    let dir = ada.path("settings");
    ada.write(&dir, "secret", &format!("{SECRET}\n"));
    let config = settings(ada, &dir, &team, "fetch-seconds = 86400\nwebhook-secret-file = \"secret\"\n");
    let server = Server::start(ada, &dir, &["--config", &config]);
    server.settle();
    more(&team, "plums");
    let body = br#"{"repository": {"clone_url": "https://elsewhere/shop.git"}}"#;
    let github = |body: &[u8]| format!("X-Hub-Signature-256: sha256={}\r\n", signature(body));
    let here = "/hooks/update?repository=shop";
    // Of another repository, signed otherwise, not signed, too large, asked for: all of it is no.
    for (path, headers, body, status) in [
        ("/hooks/update", github(body), &body[..], 401),
        ("/hooks/update?repository=pay", github(body), body, 401),
        (here, github(b"another"), body, 401),
        (here, String::new(), body, 401),
        (here, "X-Gitlab-Token: a-secret\r\n".to_owned(), body, 401),
        (here, github(body), &[b'x'; 2 << 20], 413),
    ] {
        assert_eq!(post(&server, path, &headers, body), status, "{path} {headers}");
    }
    assert_eq!(server.get(here).status, 405);
    assert!(server.rows("/sessions.json").iter().all(|row| row["session"] != "plums"));
    assert_eq!(post(&server, here, &github(body), body), 202);
    assert!(comes(&server, "plums"));
    more(&team, "figs");
    assert_eq!(post(&server, here, &format!("X-Gitlab-Token: {SECRET}\r\n"), b"{}"), 202);
    assert!(comes(&server, "figs"));
    more(&team, "dates");
    let named = format!("{{\"repository\": {{\"clone_url\": \"{}\"}}}}", team.remote.display());
    let gitea = format!("X-Gitea-Signature: {}\r\n", signature(named.as_bytes()));
    assert_eq!(post(&server, "/hooks/update", &gitea, named.as_bytes()), 202);
    assert!(comes(&server, "dates"));
    drop(server);

    // Without a secret there is no such page; a short one is refused.
    let config = settings(ada, &dir, &team, "");
    let server = Server::start(ada, &dir, &["--config", &config]);
    assert_eq!(post(&server, here, &github(body), body), 404);
    ada.write(&dir, "secret", "short\n");
    let config = settings(ada, &dir, &team, "webhook-secret-file = \"secret\"\n");
    let refused = ada.run(&dir, ["serve", "--public", "--config", &config]).exits(2);
    assert!(refused.stderr.contains("shorter than 16"), "{}", refused.stderr);
}

#[test]
fn of_several_machines_one_verifies_and_another_takes_over() {
    let (team, _) = told();
    let ada = &team.ada;
    let postgres = Postgres::start();
    let dir = ada.path("settings");
    let config = settings(ada, &dir, &team, "fetch-seconds = 1");
    let start = |name: &str| {
        let data = ada.path(name);
        let url = postgres.url();
        Server::start(ada, &dir, &["--config", &config, "--data", data.to_str().unwrap(), "--database", &url])
    };
    let first = start("one");
    first.settle();
    let second = start("two");
    more(&team, "plums");
    assert!(comes(&first, "plums") && comes(&second, "plums"));
    // The other one has a copy of its own to read from, and has verified nothing: who verifies remembers it in its mirror.
    let page = || second.page("/r/shop/sessions/plums");
    assert!((0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        page().contains("Write plums")
    }));
    assert!(!verified(&ada.path("two")) && verified(&ada.path("one")));
    drop(first);
    more(&team, "figs");
    assert!(comes(&second, "figs"));
    assert!(verified(&ada.path("two")));
}

#[test]
fn what_one_machine_hears_another_verifies() {
    let (team, _) = told();
    let ada = &team.ada;
    let postgres = Postgres::start();
    let dir = ada.path("settings");
    ada.write(&dir, "secret", SECRET);
    let config = settings(ada, &dir, &team, "fetch-seconds = 86400\nwebhook-secret-file = \"secret\"\n");
    let start = |name: &str| {
        let data = ada.path(name);
        let url = postgres.url();
        Server::start(ada, &dir, &["--config", &config, "--data", data.to_str().unwrap(), "--database", &url])
    };
    let first = start("one");
    first.settle();
    let second = start("two");
    more(&team, "plums");
    let told = post(&second, "/hooks/update?repository=shop", &format!("X-Gitlab-Token: {SECRET}\r\n"), b"{}");
    assert_eq!(told, 202);
    assert!(comes(&second, "plums"));
    assert!(verified(&ada.path("one")) && !verified(&ada.path("two")));
}

/// Whether a server has verified its mirror itself.
fn verified(data: &Path) -> bool {
    fn has(dir: &Path) -> bool {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).any(|path| match path.is_dir() {
            true => has(&path),
            false => path.file_name().is_some_and(|name| name == "verified.json"),
        })
    }
    has(&data.join("mirrors"))
}

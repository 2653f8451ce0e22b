//! Signing in to the audit view: with a key by a code, and what each role may read then, over every route.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::agent::Agent;
use crate::ledger::Team;
use crate::provider::{Provider, Script};
use crate::server::{Answer, Server};
use crate::support::World;

/// A browser: a server and what that gave it to keep.
struct Browser<'s> {
    server: &'s Server,
    cookie: Option<String>,
}

impl<'s> Browser<'s> {
    fn new(server: &'s Server) -> Self {
        Browser { server, cookie: None }
    }

    fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let cookie = self.cookie.clone();
        let mut all = headers.to_vec();
        if let Some(cookie) = &cookie {
            all.push(("Cookie", cookie));
        }
        let answer = self.server.ask(method, path, &all, "");
        if let Some(set) = answer.header("set-cookie") {
            self.cookie = set.split(';').next().map(str::to_owned);
        }
        answer
    }

    fn get(&mut self, path: &str) -> Answer {
        self.ask("GET", path, &[])
    }

    /// The code that the page shows.
    fn code(&mut self) -> String {
        let page = self.get("/sign-in?to=/sessions");
        assert_eq!(page.status, 200, "{}", page.body);
        let command = format!("git tracevault login http://{} ", self.server.address);
        let rest = page.body.split(&command).nth(1).unwrap_or_else(|| panic!("no command: {}", page.body));
        rest[..9].to_owned()
    }

    /// Signs in with the key of a clone.
    fn sign_in(&mut self, world: &World, work: &std::path::Path) {
        let code = self.code();
        world.run(work, ["login", &format!("http://{}", self.server.address), &code, "--yes"]).ok();
        let answer = self.get("/sign-in?to=/sessions");
        assert_eq!((answer.status, answer.header("location")), (303, Some("/sessions")), "{}", answer.body);
    }
}

fn served(team: &Team) -> Server {
    let remote = format!("shop={}", team.remote.display());
    let data = team.ada.path("data");
    let args = ["--repo", &remote, "--data", data.to_str().unwrap()];
    team.ada.run(&team.work, [&["serve", "--once"], &args[..]].concat()).ok();
    Server::closed(&team.ada, &team.work, &args)
}

fn lines_of(agent: &str, world: &World, work: &std::path::Path, session: &str) -> String {
    let agent_of = Agent::start(world, work, session);
    agent_of.prompt(&format!("Sell {agent}"));
    agent_of.write(&format!("{agent}.py"), &format!("def {agent}():\n    return '{agent}'\n"));
    agent_of.end();
    let commit = world.commit(work, &format!("Sell {agent}"));
    world.git(work, ["pull", "--quiet", "--no-rebase", "--no-edit", "origin", "main"]);
    world.git(work, ["push", "--quiet", "origin", "HEAD:main"]).ok();
    commit
}

#[test]
fn a_key_signs_a_code_and_its_browser_is_signed_in() {
    let team = Team::new();
    lines_of("pears", &team.ada, &team.work, "pears-1");
    let server = served(&team);
    let address = format!("http://{}", server.address);
    let mut browser = Browser::new(&server);
    let answer = browser.get("/sessions?member=ada%40example.com");
    let to = "/sign-in?to=%2Fsessions%3Fmember%3Dada%2540example.com";
    assert_eq!((answer.status, answer.header("location")), (303, Some(to)), "{}", answer.body);
    assert_eq!(browser.get("/sessions.csv").status, 401);
    assert_eq!(browser.get("/healthz").status, 200);

    // The command: what is typed wrong is told, and nothing is signed without being asked.
    let code = browser.code();
    let login = |args: &[&str]| team.ada.run(&team.work, [&["login"], args].concat());
    assert!(login(&[&address, "12345678", "--yes"]).exits(2).stderr.contains("is no code"));
    assert!(login(&[&address, "BBBB-BBBB", "--yes"]).exits(2).stderr.contains("no page shows this code"));
    assert!(login(&[&address, &code]).exits(2).stderr.contains("say so with --yes"));
    assert!(login(&["http://audit.example.com", &code, "--yes"]).exits(2).stderr.contains("in the clear"));
    assert!(login(&["http://127.0.0.1:1", &code, "--yes"]).exits(2).stderr.contains("cannot reach"));
    let before = browser.cookie.clone();
    let told = login(&[&address, &code.to_lowercase(), "--yes"]).exits(0);
    assert!(
        told.stdout.contains("Signed in as ada@example.com (owner") && told.stdout.contains("of shop"),
        "{}",
        told.stdout
    );
    assert!(told.stderr.contains("127.0.0.1 asks to be signed in"), "{}", told.stderr);
    assert!(login(&[&address, &code, "--yes"]).exits(2).stderr.contains("no page shows this code"), "it signs once");
    // Another browser gains nothing by it.
    assert_eq!(Browser::new(&server).get("/sessions").status, 303);
    let answer = browser.get("/sign-in?to=/sessions");
    assert_eq!((answer.status, answer.header("location")), (303, Some("/sessions")));
    assert!(answer.header("set-cookie").is_some_and(|set| set.contains("HttpOnly") && set.contains("SameSite=Lax")));
    assert_ne!(browser.cookie, before, "who knew the browser before it was signed in knows it no more");
    let mut old = Browser { server: &server, cookie: before };
    assert_eq!(old.get("/sessions").status, 303);
    let page = browser.get("/sessions");
    assert!(
        page.status == 200 && page.body.contains("Sell pears") && page.body.contains("ada@example.com"),
        "{}",
        page.body
    );

    // Signing out is for this server's own pages.
    let foreign = [("Origin", "https://evil.example"), ("Content-Type", "application/x-www-form-urlencoded")];
    assert_eq!(browser.ask("POST", "/sign-out", &foreign).status, 403);
    let site = [("Sec-Fetch-Site", "cross-site"), ("Content-Type", "application/x-www-form-urlencoded")];
    assert_eq!(browser.ask("POST", "/sign-out", &site).status, 403);
    assert_eq!(browser.get("/sessions").status, 200);
    let own = [("Sec-Fetch-Site", "same-origin"), ("Content-Type", "application/x-www-form-urlencoded")];
    assert_eq!(browser.ask("POST", "/sign-out", &own).status, 303);
    assert_eq!(browser.get("/sessions").status, 303);

    // Signing out everywhere ends what was, not what comes.
    let (mut one, mut other) = (Browser::new(&server), Browser::new(&server));
    one.sign_in(&team.ada, &team.work);
    other.sign_in(&team.ada, &team.work);
    team.ada.pass(2);
    let told = team.ada.run(&team.work, ["logout", &address]).ok();
    assert!(told.contains("Signed out everywhere as ada@example.com"), "{told}");
    assert_eq!((one.get("/sessions").status, other.get("/sessions").status), (303, 303));
}

#[test]
fn what_proves_nothing_is_refused_and_noted() {
    let team = Team::new();
    let server = served(&team);
    let address = format!("http://{}", server.address);
    // A key that nobody has enrolled.
    let eve = team.ada.other("Eve");
    let theirs = eve.clone(&team.remote, "eve");
    eve.run(&theirs, ["init"]).ok();
    let mut browser = Browser::new(&server);
    let code = browser.code();
    let told = eve.run(&theirs, ["login", &address, &code, "--yes"]).exits(2);
    assert!(told.stderr.contains("no ledger here has enrolled this key"), "{}", told.stderr);
    // What was signed for another name of the server, or for another code.
    let post = |body: Value, host: &str| {
        let headers = [("Content-Type", "application/json"), ("Host", host)];
        server.ask("POST", "/sign-in/keys", &headers, &body.to_string())
    };
    let key =
        json!([{ "public_key": "RWQDAwMDAwMDA+1JKMYo0cLG6ukDOJBZlWEpWSc6XGP5NjbBRhSshzfR", "signature": "AAAA" }]);
    let forged = json!({ "code": code, "keys": key });
    let answer = post(forged.clone(), &server.address);
    assert!(answer.status == 403 && answer.body.contains("does not hold"), "{}", answer.body);
    assert_eq!(post(json!({ "code": code, "keys": [] }), &server.address).status, 403);
    let answer = post(forged, "10.0.0.1:80");
    assert_eq!((answer.status, answer.body.contains("under this name")), (421, true), "{}", answer.body);
    // Names that somebody pointed at this address are not the server's.
    assert_eq!(server.ask("GET", "/sign-in", &[("Host", "evil.example")], "").status, 421);
    assert_eq!(server.ask("GET", "/healthz", &[("Host", "evil.example")], "").status, 200);
    assert_eq!(browser.get("/sessions").status, 303);
    // Trying on and on is not possible.
    let tries: Vec<u16> = (0..40).map(|_| server.get("/sign-in/code/BBBB-BBBB").status).collect();
    assert!(tries.contains(&404) && tries.last() == Some(&429), "{tries:?}");
    drop(server);
    let (log, key) = log_of(&team.ada);
    let log = log.to_str().unwrap();
    let told = team.ada.run(&team.work, ["audit-log", log, "--key", &key, "--action", "refused", "--json"]).ok();
    let refused: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let why: Vec<&str> = refused.iter().map(|entry| entry["detail"].as_str().unwrap()).collect();
    assert_eq!(why.len(), 3, "{why:?}");
    assert!(why[0].contains("enrolled") && why[1].contains("does not hold"), "{why:?}");
}

/// The log and the key of the server that kept its data in `data`.
fn log_of(world: &World) -> (PathBuf, String) {
    let folder = world.path("data").join("audit");
    let key = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let key = key.into_iter().find(|path| path.extension().is_some_and(|end| end == "pub")).unwrap();
    (folder.join("audit.log"), key.to_str().unwrap().to_owned())
}

/// What a member sees of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sees {
    /// The page is not theirs.
    Nothing,
    /// The page, with their own alone.
    Own,
    All,
}

#[test]
fn every_role_reads_what_is_its_to_read() {
    use Sees::{All, Nothing, Own};
    let team = Team::new();
    let ada = &team.ada;
    let mut people: Vec<(&str, World, PathBuf)> = Vec::new();
    for (name, role) in [
        ("Dev", "developer"),
        ("Rob", "developer"),
        ("Max", "admin"),
        ("Pol", "policy-admin"),
        ("Aud", "auditor"),
        ("Bot", "ci"),
    ] {
        let (world, work) = team.join(name);
        if role != "developer" {
            let member = format!("{}@example.com", name.to_lowercase());
            ada.run(&team.work, ["member", "set", &member, "--role", role]).ok();
        }
        people.push((name, world, work));
    }
    ada.run(&team.work, ["push"]).ok();
    let (dev, rob) = (&people[0], &people[1]);
    let mine = lines_of("pears", &dev.1, &dev.2, "pears-1");
    let others = lines_of("figs", &rob.1, &rob.2, "figs-1");
    ada.git(&team.work, ["pull", "--quiet"]).ok();
    let server = served(&team);
    let mut owner = Browser::new(&server);
    owner.sign_in(ada, &team.work);
    let rows = |browser: &mut Browser, path: &str| -> Vec<Value> {
        let answer = browser.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        serde_json::from_str::<Value>(&answer.body).unwrap()["rows"].as_array().unwrap().clone()
    };
    let sessions = rows(&mut owner, "/sessions.json");
    let session = |member: &str| {
        let found = sessions.iter().find(|row| row["member"] == member).unwrap();
        found["session"].as_str().unwrap().to_owned()
    };
    let (own, foreign) = (session("dev@example.com"), session("rob@example.com"));
    let record_of = |browser: &mut Browser, commit: &str| {
        let page = browser.get(&format!("/r/shop/commits/{commit}")).body;
        let at = page.find("/records/").unwrap_or_else(|| panic!("{page}"));
        page[at..].split('"').next().unwrap().to_owned()
    };
    let (own_record, foreign_record) = (record_of(&mut owner, &mine), record_of(&mut owner, &others));

    // A route, what tells that one's own is there, what tells that another's is.
    let pages: Vec<(String, &str, &str)> = vec![
        ("/".into(), "Sell pears", "Sell figs"),
        ("/sessions".into(), "Sell pears", "Sell figs"),
        ("/sessions.csv".into(), "Sell pears", "Sell figs"),
        ("/commits".into(), "Sell pears", "Sell figs"),
        ("/commits.json".into(), "Sell pears", "Sell figs"),
        (format!("/r/shop/sessions/{own}"), "Sell pears", ""),
        (format!("/r/shop/sessions/{foreign}"), "", "Sell figs"),
        (format!("/r/shop/sessions/{own}/story"), "Sell pears", ""),
        (format!("/r/shop/sessions/{foreign}/story"), "", "Sell figs"),
        ("/r/shop/story/pears.py?line=1".into(), "Sell pears", ""),
        ("/r/shop/story/figs.py?line=1".into(), "", "Sell figs"),
        (format!("/r/shop/commits/{mine}"), "Sell pears", ""),
        (format!("/r/shop/commits/{others}"), "", "Sell figs"),
        (own_record, "dev@example.com", ""),
        (foreign_record, "", "rob@example.com"),
        ("/search?q=Sell".into(), "pears", "figs"),
        ("/analytics/time.csv".into(), "dev@example.com", "rob@example.com"),
        ("/analytics/authors.csv".into(), "dev@example.com", "rob@example.com"),
        ("/suggestions/members.csv".into(), "dev@example.com", "rob@example.com"),
        ("/integrity".into(), "shop", "shop"),
        ("/policies".into(), "Policies", "Policies"),
        ("/members".into(), "dev@example.com", "rob@example.com"),
        ("/members.json".into(), "dev@example.com", "rob@example.com"),
        ("/audit".into(), "Audit log", "Audit log"),
        ("/audit/log".into(), "sign-in", "sign-in"),
        ("/audit/key.pub".into(), "minisign", "minisign"),
    ];
    for (name, world, work) in &people {
        let mut browser = Browser::new(&server);
        browser.sign_in(world, work);
        for (path, of_own, of_others) in &pages {
            let wanted = match (*name, path.as_str()) {
                ("Bot", _) => Nothing,
                ("Dev", path)
                    if ["/integrity", "/policies", "/members", "/audit"].iter().any(|p| path.starts_with(p)) =>
                {
                    Nothing
                }
                ("Dev", _) => Own,
                ("Rob", _) => continue,
                ("Pol", path) if path.starts_with("/members") => Nothing,
                _ => All,
            };
            let answer = browser.get(path);
            let seen = |text: &str| !text.is_empty() && answer.body.contains(text);
            let sees = match answer.status {
                403 | 404 => Nothing,
                200 if seen(of_others) => All,
                200 if of_others.is_empty() && wanted == All => All,
                200 if seen(of_own) => Own,
                _ => panic!("{name} {path}: {} {}", answer.status, answer.body),
            };
            let wanted = if wanted == Own && of_own.is_empty() { Nothing } else { wanted };
            assert_eq!(sees, wanted, "{name} {path}: {}", answer.body);
        }
    }
    // Numbers of a developer are their own, and the head of a page names what they may read, and whom it is made for.
    let mut browser = Browser::new(&server);
    browser.sign_in(&dev.1, &dev.2);
    let head = browser.get("/").body;
    assert!(head.contains("href=\"/analytics\"") && head.contains("<span>dev@example.com</span>"), "{head}");
    assert!(!head.contains("href=\"/audit\"") && !head.contains("href=\"/members\""), "{head}");
    assert_eq!(rows(&mut browser, "/analytics/time.json").len(), 1);
    assert_eq!(browser.get("/sessions?member=rob%40example.com").body.matches("Sell figs").count(), 0);

    // A session that another says is theirs is nobody's own any more: who reads all sees who claim it.
    lines_of("kiwis", &rob.1, &rob.2, "pears-1");
    let cookie = browser.cookie.clone();
    drop(server);
    let server = served(&team);
    for (name, world, work) in &people {
        let mut browser = Browser::new(&server);
        browser.sign_in(world, work);
        let answer = browser.get("/r/shop/sessions/pears-1");
        let claimed = answer.body.contains("(claimed by several members)");
        let expected = if ["Dev", "Rob"].contains(name) { (404, false) } else { (200, true) };
        if *name != "Bot" {
            assert_eq!((answer.status, claimed), expected, "{name}: {}", answer.body);
        }
    }
    let mut browser = Browser { server: &server, cookie };

    // A role that is taken away ends with the next verification, without signing out.
    assert_eq!(browser.get("/sessions").status, 200);
    ada.run(&team.work, ["fetch"]).ok();
    ada.run(&team.work, ["member", "set", "dev@example.com", "--role", "ci"]).ok();
    ada.run(&team.work, ["push"]).ok();
    let cookie = browser.cookie.clone();
    drop(server);
    let server = served(&team);
    let mut browser = Browser { server: &server, cookie };
    assert_eq!(browser.get("/sessions").status, 403);
    drop(server);

    // All of it stands in the log, which holds, and holds no more once a line is changed.
    let (path, key) = log_of(ada);
    let log = path.to_str().unwrap();
    let verify = |args: &[&str]| ada.run(&team.work, [&["audit-log", log, "--key", &key], args].concat());
    let reads = verify(&["--action", "read", "--actor", "dev@example.com", "--resource", "/r/shop/sessions/"]).ok();
    assert_eq!(reads.lines().count(), 2, "the session, and its story: {reads}");
    assert!(reads.contains(&own), "{reads}");
    let reads = verify(&["--action", "read", "--actor", "dev@example.com", "--resource", "/r/shop/story/"]).ok();
    assert!(reads.lines().count() == 1 && reads.contains("pears.py"), "{reads}");
    let refused = verify(&["--action", "refused", "--actor", "dev@example.com"]).ok();
    assert!(refused.contains(&format!("/r/shop/sessions/{foreign}")) && refused.contains("/members.json"), "{refused}");
    let exports = verify(&["--action", "export", "--actor", "aud@example.com"]).ok();
    assert!(exports.contains("/sessions.csv") && exports.contains("/members.json"), "{exports}");
    assert!(verify(&["--action", "verify", "--quiet"]).exits(0).stderr.contains("pass"));
    by_openssl(ada, &path, &key);
    let text = std::fs::read_to_string(&path).unwrap();
    let head = verify(&["--quiet"]).exits(0).stderr.trim().rsplit(' ').next().unwrap().to_owned();
    assert!(verify(&["--quiet", "--head", &head]).exits(0).stderr.contains("pass"));
    let shorter: Vec<&str> = text.lines().collect();
    std::fs::write(&path, shorter[..shorter.len() - 1].join("\n") + "\n").unwrap();
    assert!(verify(&["--quiet"]).exits(0).stderr.contains("pass"), "the end may be missing");
    assert!(verify(&["--quiet", "--head", &head]).exits(1).stderr.contains("cut off"));
    std::fs::write(&path, text.replacen("dev@example.com", "rob@example.com", 1)).unwrap();
    assert!(verify(&["--quiet"]).exits(1).stderr.contains("is not signed"));
}

#[test]
fn who_only_sees_a_form_has_read_nothing() {
    let team = Team::new();
    let server = served(&team);
    let mut browser = Browser::new(&server);
    browser.sign_in(&team.ada, &team.work);
    for path in ["/search", "/search?q=", "/search?q=+&repository=shop"] {
        let answer = browser.get(path);
        assert!(answer.status == 200 && answer.body.contains("Search for a commit"), "{path}: {}", answer.body);
    }
    assert_eq!(browser.get("/search.csv").status, 404);
    assert_eq!(browser.get("/search?q=pears").status, 200);
    drop(server);
    let (log, key) = log_of(&team.ada);
    let told = team.ada.run(&team.work, ["audit-log", log.to_str().unwrap(), "--key", &key, "--resource", "/search"]);
    let told = told.exits(0).stdout;
    assert!(told.lines().count() == 1 && told.contains(" read ") && told.contains("/search?q=pears"), "{told}");
}

/// A line's signature as another program sees it.
fn by_openssl(world: &World, log: &std::path::Path, key: &str) {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let public = std::fs::read_to_string(key).unwrap();
    let public = STANDARD.decode(public.lines().nth(1).unwrap()).unwrap();
    // An Ed25519 key as a SubjectPublicKeyInfo (RFC 8410) is these twelve bytes and the key's.
    let head = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    let der = STANDARD.encode([&head, &public[10..]].concat());
    let dir = world.home();
    world.write(&dir, "key.pem", &format!("-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n"));
    let text = std::fs::read_to_string(log).unwrap();
    let (entry, signature) = text.lines().last().unwrap().split_once('\t').unwrap();
    world.write(&dir, "entry", entry);
    std::fs::write(dir.join("signature"), STANDARD.decode(signature).unwrap()).unwrap();
    let args = ["pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin", "-in", "entry", "-sigfile", "signature"];
    let output = world.command("openssl", &dir).args(args).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// A server of the ledgers of teams, for which an identity provider vouches.
fn vouched_for(team: &Team, provider: &Provider, teams: &[(&str, &Team)]) -> Server {
    let secret = team.ada.write(&team.ada.home(), "secret", "s3cret-of-the-client\n");
    let (issuer, secret) = (&provider.issuer, secret.display().to_string());
    let oidc = format!("[oidc]\nissuer = {issuer:?}\nclient-id = \"audit\"\nclient-secret-file = {secret:?}\n");
    let repository = |(name, team): &(&str, &Team)| {
        format!("[[repository]]\nname = {name:?}\nurl = {:?}\n", team.remote.display().to_string())
    };
    let settings = oidc + &teams.iter().map(repository).collect::<String>();
    let settings = team.ada.write(&team.ada.home(), "indexer.toml", &settings);
    let data = team.ada.path("data");
    let args = ["--config", settings.to_str().unwrap(), "--data", data.to_str().unwrap()];
    team.ada.run(&team.work, [&["serve", "--once"], &args[..]].concat()).ok();
    Server::closed(&team.ada, &team.work, &args)
}

/// To the provider and back, with what it says.
fn through(browser: &mut Browser<'_>, provider: &Provider, claims: Value, forged: bool, state: Option<&str>) -> Answer {
    let answer = browser.get("/sign-in/provider?to=/sessions");
    let location = answer.header("location").unwrap_or_else(|| panic!("{}", answer.body)).to_owned();
    assert!(location.starts_with(&format!("{}/authorize?", provider.issuer)), "{location}");
    let field = |name: &str| {
        let at = location.split(['?', '&']).find_map(|pair| pair.strip_prefix(&format!("{name}=")));
        at.unwrap_or_else(|| panic!("no {name}: {location}")).to_owned()
    };
    assert_eq!((field("client_id"), field("code_challenge_method")), ("audit".into(), "S256".into()));
    let mut all = json!({ "nonce": field("nonce") });
    for (name, value) in claims.as_object().unwrap() {
        all[name] = value.clone();
    }
    *provider.script.lock().unwrap() = Script { claims: all, forged };
    let state = state.map_or_else(|| field("state"), str::to_owned);
    browser.get(&format!("/sign-in/back?code=c0de&state={state}"))
}

/// Two ledgers have an owner whom they call ada@example.com, each with another key: whoever founds a ledger can call anybody so.
#[test]
fn a_name_in_one_ledger_opens_no_other() {
    let (team, other) = (Team::new(), Team::new());
    lines_of("pears", &team.ada, &team.work, "pears-1");
    lines_of("figs", &other.ada, &other.work, "figs-1");
    let provider = Provider::start(&team.ada);
    let server = vouched_for(&team, &provider, &[("shop", &team), ("pay", &other)]);
    let seen = |browser: &mut Browser| {
        let page = browser.get("/sessions");
        assert_eq!(page.status, 200, "{}", page.body);
        (page.body.contains("Sell pears"), page.body.contains("Sell figs"))
    };
    let mut eve = Browser::new(&server);
    eve.sign_in(&other.ada, &other.work);
    assert_eq!(seen(&mut eve), (false, true));
    assert_eq!(eve.get("/sessions?member=ada%40example.com").body.matches("Sell pears").count(), 0);
    for (path, status) in [
        ("/r/pay/sessions/figs-1", 200),
        ("/r/shop/sessions/pears-1", 404),
        ("/r/shop/code/pears.py", 404),
        ("/search?q=pears", 200),
        ("/sessions?repository=shop", 400),
        ("/audit/log", 403),
    ] {
        let answer = eve.get(path);
        assert!(answer.status == status && !answer.body.contains("Sell pears"), "{path}: {}", answer.body);
    }
    // Whom the provider vouches for is a member by that name wherever there is one.
    let mut ada = Browser::new(&server);
    let claims = json!({ "email": "ada@example.com", "email_verified": true });
    assert_eq!(through(&mut ada, &provider, claims, false, None).status, 303);
    assert_eq!(seen(&mut ada), (true, true));
    assert_eq!(ada.get("/r/shop/sessions/pears-1").status, 200);
    // And nobody who has a key of that name elsewhere ends that for the other ledgers.
    other.ada.pass(2);
    let told = other.ada.run(&other.work, ["logout", &format!("http://{}", server.address)]).ok();
    assert!(told.contains("of pay") && !told.contains("of shop"), "{told}");
    assert_eq!((seen(&mut ada), eve.get("/sessions").status), ((true, false), 303));
    drop(server);
    // The log tells them apart.
    let (log, key) = log_of(&team.ada);
    let reads = ["audit-log", log.to_str().unwrap(), "--key", &key, "--actor", "ada@example.com", "--json"];
    let reads = team.ada.run(&team.work, reads).ok();
    let proofs = |action: &str, repository: &str| -> Vec<String> {
        let all = reads.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let fits = |entry: &Value| entry["action"] == action && entry["repository"] == repository;
        all.filter(fits).map(|entry| entry["proof"].as_str().unwrap().to_owned()).collect()
    };
    let chain = other.ada.own_chain(&other.work).rsplit('/').next().unwrap().to_owned();
    let (by_key, by_word) = (format!("key {chain}"), "e-mail ada@example.com".to_owned());
    assert_eq!(proofs("read", "pay"), std::slice::from_ref(&by_key));
    assert_eq!(proofs("read", "shop"), std::slice::from_ref(&by_word));
    assert_eq!(proofs("sign-in", "pay"), [by_key, by_word.clone()]);
    assert_eq!(proofs("sign-in", "shop"), [by_word]);
}

#[test]
fn an_identity_provider_vouches_for_a_member() {
    let team = Team::new();
    lines_of("pears", &team.ada, &team.work, "pears-1");
    let provider = Provider::start(&team.ada);
    let server = vouched_for(&team, &provider, &[("shop", &team)]);
    let mut browser = Browser::new(&server);
    // To the provider and back, with what it says; the answer, and where that leads.
    let mut go = |claims: Value, forged: bool, state: Option<&str>| {
        let answer = through(&mut browser, &provider, claims, forged, state);
        (answer.status, answer.header("location").map(str::to_owned), answer.body.clone())
    };
    let ada = json!({ "email": "Ada@example.com", "email_verified": true });
    for (claims, forged, state, why) in [
        (ada.clone(), true, None, "ignature"),
        (ada.clone(), false, Some("another"), "did not ask"),
        (json!({ "email": "ada@example.com", "email_verified": false }), false, None, "not verified"),
        (json!({ "email": "ada@example.com" }), false, None, "not verified"),
        (json!({ "email_verified": true }), false, None, "no e-mail address"),
        (json!({ "email": "eve@example.com", "email_verified": true }), false, None, "no ledger here has a member"),
        (json!({ "email": "ada@example.com", "email_verified": true, "nonce": "x" }), false, None, "nonce"),
        (json!({ "email": "ada@example.com", "email_verified": true, "aud": "other" }), false, None, "udience"),
        (json!({ "email": "ada@example.com", "email_verified": true, "exp": 1 }), false, None, "xpire"),
    ] {
        let (status, _, body) = go(claims.clone(), forged, state);
        assert!(status == 400 && body.contains(why), "{claims} {why}: {status} {body}");
    }
    let (status, to, body) = go(ada, false, None);
    assert_eq!((status, to.as_deref()), (303, Some("/sessions")), "{body}");
    let asked = provider.asked.lock().unwrap().clone();
    assert!(asked.contains("code=c0de") && asked.contains("code_verifier="), "{asked}");
    let page = browser.get("/sessions");
    assert!(page.status == 200 && page.body.contains("Sell pears"), "{}", page.body);
    drop(server);
    let (log, key) = log_of(&team.ada);
    let told = team.ada.run(&team.work, ["audit-log", log.to_str().unwrap(), "--key", &key]).exits(0);
    assert!(
        told.stdout.contains("an identity provider vouches for them") && !told.stdout.contains("s3cret"),
        "{}",
        told.stdout
    );
    assert_eq!(told.stdout.matches(" refused ").count(), 9, "{}", told.stdout);
}

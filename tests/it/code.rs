//! The code as `git tracevault serve` shows it: the margin says of every line what `blame` says, and leads to the turn.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::agent::Agent;
use crate::generator::play::Play;
use crate::generator::{number, sequence};
use crate::ledger::Team;
use crate::lines::{body, tangle};
use crate::server::Server;
use crate::support::World;

/// A page may be so long, in bytes.
const LONGEST: usize = 50_000;

/// A line as a page shows it.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    number: u64,
    letters: String,
    /// The beginning of the commit's id.
    commit: String,
    turn: Option<String>,
    scope: String,
    text: String,
}

/// What stands between two texts, from the first place on.
fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let rest = &text[text.find(before)? + before.len()..];
    rest.find(after).map(|end| &rest[..end])
}

fn unescaped(text: &str) -> String {
    let names = [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")];
    names.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// The lines of a page.
fn rows(page: &str) -> Vec<Row> {
    let mut commit = String::new();
    let mut rows = Vec::new();
    for part in page.split("<tr id=\"L").skip(1) {
        let whose = between(part, "<td class=\"w", "</td>").unwrap_or_default();
        let (turn, letters) = match between(whose, "<a href=\"", "\">") {
            Some(turn) => (Some(unescaped(turn)), between(whose, "\">", "</a>").unwrap().rsplit('>').next().unwrap()),
            None => (None, whose.rsplit('>').next().unwrap()),
        };
        if let Some(id) = between(part, "<td class=\"c\"><a href=\"", "</a>") {
            commit = id.rsplit('>').next().unwrap().to_owned();
        }
        rows.push(Row {
            number: part.split('"').next().unwrap().parse().unwrap(),
            letters: letters.to_owned(),
            commit: commit.clone(),
            turn,
            scope: unescaped(between(part, "<td class=\"s\">", "</td>").unwrap_or_default()),
            text: unescaped(between(part, "<td class=\"t\">", "</td>").unwrap()),
        });
    }
    rows
}

/// All lines of a file, window by window; each page is short enough.
fn file(server: &Server, path: &str) -> Vec<Row> {
    let mut all: Vec<Row> = Vec::new();
    let mut next = Some(path.to_owned());
    while let Some(path) = next {
        let page = server.page(&path);
        assert!(page.len() < LONGEST, "{path}: {}", page.len());
        all.extend(rows(&page));
        next = page.split("<a href=\"").skip(1).find_map(|link| {
            let (href, rest) = link.split_once('"')?;
            rest.starts_with(">Lines from").then(|| unescaped(href))
        });
    }
    all
}

/// How the margin marks what `blame` says of a line.
fn letters(line: &Value) -> &'static str {
    match (line["origin"].as_str().unwrap(), line["evidence"].as_str().unwrap(), &line["state"]) {
        ("agent", _, state) if state == "pending" => "Ap",
        ("agent", "linked", _) => "Al",
        ("agent", "content", _) => "Ac",
        ("agent", ..) => "A",
        ("human", ..) => "H",
        (_, "none", _) => "?",
        _ => "–",
    }
}

fn blame(world: &World, dir: &Path, rev: &str, file: &str) -> Option<Vec<Value>> {
    let answer = world.run(dir, ["blame", "--json", rev, "--", file]);
    if answer.stderr.contains("is binary") {
        return None;
    }
    Some(answer.ok().lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn encoded(path: &[u8]) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
    path.iter().map(|b| if plain(*b) { char::from(*b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// Asserts that the page of a file says of each line what `blame` says; a line of every call, and where it leads.
#[track_caller]
fn same_as_blame(server: &Server, world: &World, dir: &Path, rev: &str, name: &str) -> BTreeMap<String, (u64, String)> {
    let asked = if rev == "HEAD" { String::new() } else { format!("?rev={rev}") };
    let path = format!("/r/shop/code/{}{asked}", encoded(name.as_bytes()));
    let mut turns = BTreeMap::new();
    let Some(blamed) = blame(world, dir, rev, name) else {
        assert!(server.page(&path).contains("This file is binary"), "{name}");
        return turns;
    };
    let found = file(server, &path);
    assert_eq!(found.len(), blamed.len(), "{name}");
    for (row, line) in found.iter().zip(&blamed) {
        assert_eq!(row.number, line["line"].as_u64().unwrap(), "{name}");
        assert_eq!(row.letters, letters(line), "{name}: {row:?} {line}");
        assert!(line["commit"].as_str().unwrap().starts_with(&row.commit) && row.commit.len() == 10, "{row:?} {line}");
        let text = line["text"].as_str().unwrap().replace('\r', "");
        assert!(row.text == text || text.contains(['\u{202e}', '\u{1b}']), "{name}: {row:?} {line}");
        assert_eq!(row.turn.is_some(), line["origin"] == "agent", "{name}: {row:?}");
        if let Some(turn) = &row.turn {
            let (session, call) = (line["session"].as_str().unwrap(), line["call"].as_str().unwrap());
            assert_eq!(*turn, format!("/r/shop/sessions/{session}?call={call}#here"), "{name}");
            turns.insert(call.to_owned(), (row.number, turn.clone()));
        }
    }
    turns
}

#[test]
fn the_margin_says_of_every_line_what_blame_says_and_leads_to_its_turn() {
    let team = tangle();
    let (ada, work) = (&team.ada, team.work.as_path());
    let shop = format!("shop={}", work.display());
    let server = Server::start(ada, work, &["--repo", &shop]);
    server.settle();
    let (mut seen, mut turns) = (0, BTreeMap::new());
    let listed = ada.git(work, ["ls-tree", "-r", "-z", "HEAD"]).ok();
    for entry in listed.split('\0').filter(|entry| entry.starts_with("100")) {
        let (_, name) = entry.split_once('\t').unwrap();
        // The first look finds it, the second has it from the index.
        for _ in 0..2 {
            for (call, (line, turn)) in same_as_blame(&server, ada, work, "HEAD", name) {
                turns.insert(call, (name.to_owned(), line, turn));
            }
        }
        seen += 1;
    }
    assert!(seen > 8 && turns.len() > 5, "{seen} {turns:?}");
    for rev in ["left", "side", "squashed", "main~3"] {
        let commit = ada.git(work, ["rev-parse", rev]).ok();
        let name = if rev == "side" { "src/moved.py" } else { "human.py" };
        same_as_blame(&server, ada, work, &commit, name);
    }
    same_as_blame(&server, ada, work, "left", "human.py");
    for (call, (name, line, turn)) in turns {
        let (page, _) = turn.split_once('#').unwrap();
        let page = server.page(page);
        assert_eq!(page.matches("id=\"here\"").count(), 1, "{call}");
        let why = ada.run(work, ["why", "--json", &name, &line.to_string()]).json();
        let asked = why["turn"]["prompt"]["text"].as_str().unwrap();
        assert!(page.contains(&format!("<pre>{asked}</pre>")), "{call}: {asked}");
        let step = between(&page, "call here", "</details>").unwrap();
        assert!(step.contains(&format!("id=\"c-{call}\"")), "{call}: {step}");
    }
    let page = server.page("/r/shop/sessions/tangle?call=nobody-made-it");
    assert!(page.contains("does not show the call nobody-made-it"), "{page}");
}

/// Only those records are read that speak of a file: the answer must be that of all of them, whatever was done in git. Blame is
/// asked in the mirror, which has the same commits.
#[test]
fn few_records_tell_of_lines_what_all_tell() {
    let (count, first) = (number("TRACEVAULT_SEQUENCES", 4), number("TRACEVAULT_SEED", 1));
    let mut marks: BTreeMap<String, u64> = BTreeMap::new();
    for seed in first..first + count {
        let team = Team::new();
        let mut play = Play::new(&team);
        sequence(seed).into_iter().for_each(|op| play.play(op));
        play.judge();
        let (ada, work) = (&team.ada, team.work.as_path());
        let (shop, data) = (format!("shop={}", work.display()), ada.path("data"));
        let server = Server::start(ada, work, &["--repo", &shop, "--data", data.to_str().unwrap()]);
        server.settle();
        let mirror = data.join("mirrors/shop.git");
        let head = server.rows("/r/shop/code/?form=json");
        assert!(!head.is_empty(), "sequence {seed}");
        for branch in ada.refs(&mirror, "refs/remotes/origin").into_values() {
            let listed = ada.git(&mirror, ["ls-tree", "-r", "-z", &branch]).ok();
            for entry in listed.split('\0').filter(|entry| entry.starts_with("100")) {
                let (_, name) = entry.split_once('\t').unwrap();
                same_as_blame(&server, ada, &mirror, &branch, name);
                for row in file(&server, &format!("/r/shop/code/{}?rev={branch}", encoded(name.as_bytes()))) {
                    *marks.entry(row.letters).or_default() += 1;
                }
            }
        }
    }
    assert!(marks.contains_key("A") && marks.len() > 2, "{marks:?}");
    #[allow(clippy::print_stdout)]
    {
        println!("{count} sequences: {marks:?}");
    }
}

/// A repository with all that is no plain file, and names that mean something elsewhere.
fn odd() -> Team {
    let team = Team::new();
    let (ada, work) = (&team.ada, team.work.as_path());
    let agent = Agent::start(ada, work, "odd");
    agent.prompt("Odd things.");
    agent.write("<script>alert(1)<", "<script>alert(1)</script>\nif\u{202e}x\u{200b}y \u{1b}[31m\n");
    let (path, text) = (work.join("data.csv"), "a,b\n1,2\n");
    let wish = json!({"file_path": path, "content": text});
    let call = agent.wish("Write", &wish);
    fs::write(&path, text).unwrap();
    agent.event("PostToolUse", json!({"tool_name": "Write", "tool_input": wish, "tool_use_id": call}));
    let result =
        json!({"type": "create", "filePath": path, "structuredPatch": [], "originalFile": null, "content": text});
    agent.result(&call, false, result);
    agent.write("a?b#c%41&\"'.json", "{}\n");
    agent.write("src/cart.py", "import os\n\n\nclass Cart:\n    def total(self):\n        return 1\n");
    fs::write(work.join("empty"), "").unwrap();
    fs::write(work.join("binary"), b"\0\x01\x02\n").unwrap();
    fs::write(work.join("latin"), b"caf\xe9\nok\n").unwrap();
    fs::write(work.join("huge"), vec![b'x'; (1 << 20) + 1]).unwrap();
    fs::write(work.join("long"), format!("{}\nend\n", "<".repeat(200_000))).unwrap();
    fs::write(work.join(std::ffi::OsStr::from_bytes(b"caf\xe9 \n.txt")), "one\n").unwrap();
    std::os::unix::fs::symlink("../../../etc/passwd", work.join("link")).unwrap();
    fs::write(work.join("many.txt"), (0..4000).map(|n| format!("line {n} <&>\n")).collect::<String>()).unwrap();
    for n in 0..230 {
        ada.write(work, &format!("folder/{n:03}-{}", "<".repeat(60)), "");
    }
    fs::write(work.join("lines"), "\n".repeat(100_001)).unwrap();
    let module = format!("160000,{},module", "a".repeat(40));
    ada.git(work, ["add", "-A"]).ok();
    ada.git(work, ["update-index", "--add", "--cacheinfo", &module]).ok();
    ada.pass(1);
    ada.git(work, ["commit", "--quiet", "-m", "Odd"]).ok();
    agent.end();
    ada.git(work, ["push", "--quiet", "origin", "HEAD:main"]).ok();
    team
}

#[test]
fn what_is_no_plain_file_is_told_as_what_it_is_and_names_do_no_harm() {
    let team = odd();
    let (ada, work) = (&team.ada, team.work.as_path());
    let remote = format!("shop={}", team.remote.display());
    let server = Server::start(ada, work, &["--repo", &remote]);
    server.settle();
    let get = |path: &str| {
        let page = server.page(&format!("/r/shop/code/{path}"));
        assert!(page.len() < LONGEST && !page.contains("<script>alert"), "{path}: {}", page.len());
        page
    };
    for (path, told) in [
        ("empty", "This file is empty."),
        ("binary", "This file is binary"),
        ("huge", "larger than what is shown"),
        ("lines", "more than 100,000 lines"),
        ("latin", "Not all of this file is UTF-8"),
        ("link", "symbolic link. It says: ../../../etc/passwd"),
        ("module", "This is a submodule: commit aaaaaaaa"),
        ("long", "198000 more characters"),
        ("%3Cscript%3Ealert%281%29%3C", "if‹U+202E›x‹U+200B›y ␛[31m"),
        ("caf%E9%20%0A.txt", "caf\\351 \\012.txt"),
        ("data.csv", "a,b"),
    ] {
        let page = get(path);
        assert!(page.contains(told), "{path}: {page}");
    }
    for name in ["data.csv", "a?b#c%41&\"'.json", "<script>alert(1)<", "src/cart.py", "many.txt"] {
        same_as_blame(&server, ada, work, "HEAD", name);
    }
    assert_eq!(rows(&get("latin")).iter().map(|row| row.text.as_str()).collect::<Vec<_>>(), ["caf\u{fffd}", "ok"]);
    assert_eq!(rows(&get("caf%E9%20%0A.txt"))[0].letters, "–");

    // Folders, in windows.
    let top = get("");
    for link in ["/r/shop/code/src", "/r/shop/code/caf%E9%20%0A.txt", "/r/shop/code/%3Cscript%3Ealert%281%29%3C"] {
        assert!(top.contains(&format!("href=\"{link}\"")), "{link}: {top}");
    }
    let (mut names, mut next) = (Vec::new(), Some("/r/shop/code/folder".to_owned()));
    while let Some(path) = next {
        let page = server.page(&path);
        assert!(page.len() < LONGEST, "{}", page.len());
        let hrefs = page.split("href=\"/r/shop/code/folder/").skip(1).map(|rest| rest[..3].parse::<u32>().unwrap());
        names.extend(hrefs);
        next = between(&page, "rel=\"next\" href=\"", "\"").map(unescaped);
    }
    assert_eq!(names, (0..230).collect::<Vec<_>>());

    // What is not there, and what is not to be shown.
    for (path, nearest) in [
        ("src/none/x.py", "href=\"/r/shop/code/src\""),
        ("src/cart.py/x", "href=\"/r/shop/code/src\""),
        ("link/passwd", "href=\"/r/shop/code/\""),
        ("..%2F..%2Fetc/passwd", "href=\"/r/shop/code/\""),
        ("%2Fetc%2Fpasswd", "href=\"/r/shop/code/\""),
    ] {
        let answer = server.get(&format!("/r/shop/code/{path}"));
        assert_eq!((answer.status, answer.body.contains(nearest)), (404, true), "{path}: {}", answer.body);
    }
    let record = ada.git(work, ["rev-parse", &ada.own_chain(work)]).ok();
    for rev in
        [&record, &record[..8], "refs/tracevault/policy", "--all", "nowhere", "HEAD~1", ":/Odd", "0000000", "HEAD"]
    {
        assert_eq!(server.get(&format!("/r/shop/code/?rev={}", encoded(rev.as_bytes()))).status, 404, "{rev}");
    }
    for rev in ["a%20b", "main..main", "a%0ab", &"0".repeat(300), &"a%2F".repeat(200)] {
        assert_eq!(server.get(&format!("/r/shop/code/?rev={rev}")).status, 404, "{rev}");
    }
    // Who asks git for much at once is told to come again, or has the answer.
    let asked: Vec<(u16, bool)> = std::thread::scope(|scope| {
        let ask = || server.get("/r/shop/code/?rev=0000001");
        let all: Vec<_> = (0..80).map(|_| scope.spawn(ask)).collect();
        let answers = all.into_iter().map(|one| one.join().unwrap());
        answers.map(|answer| (answer.status, answer.header("retry-after") == Some("10"))).collect()
    });
    let fine = |answer: &(u16, bool)| [(404, false), (503, true)].contains(answer);
    assert!(asked.iter().all(fine) && asked.contains(&(404, false)), "{asked:?}");
    assert_eq!(server.get("/r/nowhere/code/").status, 404);
    let before = ada.git(work, ["rev-parse", "HEAD~1"]).ok();
    assert!(server.page(&format!("/r/shop/code/?rev={}", &before[..7])).contains("not how the branch has it now"));
    assert!(server.page("/r/shop/code/src/cart.py?rev=main").contains("class Cart"));
}

#[test]
fn scopes_are_told_as_data_and_files_are_found_by_their_paths() {
    let team = odd();
    let (ada, work) = (&team.ada, team.work.as_path());
    let remote = format!("shop={}", team.remote.display());
    let server = Server::start(ada, work, &["--repo", &remote]);
    server.settle();
    let page = server.page("/r/shop/code/src/cart.py");
    let scopes: Vec<String> = rows(&page).into_iter().map(|row| row.scope).collect();
    assert_eq!(scopes, ["", "", "", "class Cart", "method Cart.total", ""]);
    for form in ["csv", "json"] {
        assert!(page.contains(&format!("href=\"/r/shop/code/src/cart.py?form={form}\"")), "{page}");
    }
    let told = ada.run(work, ["blame", "--by", "scope", "--json", "src/cart.py"]).ok();
    let told: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let found = server.rows("/r/shop/code/src/cart.py?form=json");
    assert_eq!(found.len(), told.len());
    for (mut row, scope) in found.into_iter().zip(told) {
        let share = row.as_object_mut().unwrap().remove("agent_share").unwrap();
        assert_eq!(row, scope);
        assert_eq!(share, 1.0);
    }
    let csv = server.page("/r/shop/code/src/cart.py?form=csv");
    assert!(csv.starts_with("scope,kind,first,last,") && csv.contains("Cart.total,method,5,6,2,2,0,0,1.0"), "{csv}");
    assert!(server.page("/r/shop/code/?form=csv").starts_with("name,kind,changed,commit,lines,agent_share"));

    let found = server.page("/search?q=SRC/cart");
    assert!(found.contains("href=\"/r/shop/code/src/cart.py\""), "{found}");
    let commit = ada.git(work, ["rev-parse", "HEAD"]).ok();
    let page = server.page(&format!("/r/shop/commits/{commit}"));
    assert!(page.contains(&format!("href=\"/r/shop/code/src/cart.py?rev={commit}\"")), "{page}");
    assert!(server.page("/r/shop/sessions/odd").contains("href=\"/r/shop/code/data.csv\""));
    // What somebody has looked at, the folder tells of.
    let cart = server.rows("/r/shop/code/src?form=json").remove(0);
    assert_eq!(
        (&cart["name"], &cart["agent_share"], &cart["commit"]),
        (&"cart.py".into(), &1.0.into(), &commit.into())
    );
    assert!(server.page("/").contains("href=\"/r/shop/code/\""));
}

#[test]
fn the_margin_follows_what_the_ledger_and_the_branch_come_to_say() {
    let team = Team::new();
    let (ada, work) = (&team.ada, team.work.as_path());
    let bob = ada.other("Bob");
    let theirs = bob.clone(&team.remote, "bob");
    bob.run(&theirs, ["init"]).ok();
    let agent = Agent::start(&bob, &theirs, "plums");
    agent.prompt("Sell plums").write("plums.py", &body("plums", 0..5));
    agent.end();
    bob.commit(&theirs, "Sell plums");
    bob.git(&theirs, ["push", "--quiet", "origin", "HEAD:main"]);
    let (remote, data) = (format!("shop={}", team.remote.display()), ada.path("data"));
    let args = ["--repo", &remote, "--data", data.to_str().unwrap()];
    let look = |name: &str, expected: &str| {
        ada.run(work, [&["serve", "--once"], &args[..]].concat());
        let server = Server::start(ada, work, &args);
        server.settle();
        for _ in 0..2 {
            let found = file(&server, &format!("/r/shop/code/{name}"));
            assert_eq!(found.iter().map(|row| row.letters.as_str()).collect::<Vec<_>>().join(" "), expected);
        }
    };
    look("plums.py", "Ap Ap Ap Ap Ap");
    ada.run(work, ["fetch"]);
    ada.run(work, ["member", "add", "bob@example.com"]).ok();
    ada.run(work, ["push"]).ok();
    look("plums.py", "A A A A A");
    ada.git(work, ["pull", "--quiet"]).ok();
    let text = fs::read_to_string(work.join("plums.py")).unwrap();
    ada.write(work, "plums.py", &format!("# of Ada\n{text}"));
    ada.commit(work, "A word");
    ada.git(work, ["push", "--quiet", "origin", "HEAD:main"]).ok();
    look("plums.py", "– A A A A A");
    // Squashed on a server that has no hooks, and the branch is gone.
    ada.git(work, ["switch", "--quiet", "-c", "topic"]).ok();
    let agent = Agent::start(ada, work, "pears");
    agent.prompt("Sell pears").write("pears.py", &body("pears", 0..5));
    ada.commit(work, "Sell pears");
    agent.edit("pears.py", "pears_value_3", "third");
    agent.end();
    ada.commit(work, "The third");
    ada.git(work, ["push", "--quiet", "origin", "topic"]).ok();
    // What was once there stays in the mirror.
    ada.run(work, [&["serve", "--once"], &args[..]].concat());
    ada.git(work, ["switch", "--quiet", "main"]).ok();
    let olga = ada.other("Olga");
    let clone = olga.clone(&team.remote, "olga");
    olga.write(&clone, "olga.py", "# Olga was here\n");
    olga.git(&clone, ["add", "-A"]).ok();
    olga.git(&clone, ["commit", "--quiet", "-m", "A word of mine"]).ok();
    olga.git(&clone, ["merge", "--quiet", "--squash", "origin/topic"]).ok();
    olga.git(&clone, ["commit", "--quiet", "-m", "Sell pears (#1)"]).ok();
    olga.git(&clone, ["push", "--quiet", "origin", "main", ":topic"]).ok();
    // The file is byte for byte the branch's, so that its last line, alone behind one that was changed, is known with the others.
    look("pears.py", "Ac Ac Ac Ac Ac");
    look("olga.py", "?");
    ada.git(work, ["pull", "--quiet"]).ok();
    ada.run(work, ["link", "--range", "HEAD^..HEAD"]).ok();
    ada.run(work, ["push"]).ok();
    look("pears.py", "Al Al Al Al Al");
    let server = Server::start(ada, work, &args);
    let commit = ada.git(work, ["rev-parse", "HEAD"]).ok();
    same_as_blame(&server, ada, work, &commit, "pears.py");
}

//! `story` of a line, a symbol, a commit and a session, on the command line and on pages; each sentence leads to its sources.

use serde_json::Value;

use crate::agent::Agent;
use crate::ledger::Team;
use crate::server::Server;

const BEFORE: &str =
    "def total(items):\n    return sum(items)\n\n\ndef average(items):\n    return total(items) / len(items)\n";

/// Ada's agent writes a file in two sessions, and Ada a line of it.
pub fn told() -> Team {
    let team = Team::new();
    {
        let (ada, work) = (&team.ada, team.work.as_path());
        let agent = Agent::start(ada, work, "sums-1");
        agent.prompt("Finance needs <b>totals</b> and averages. What do you suggest?");
        agent.think("Lists could be lazy. We could use numpy, but that would be overkill.");
        agent.say("I'd go with plain lists rather than numpy, because the lists are short.");
        agent.prompt("Do that.").plan("1. Write total\n2. Write average\n");
        agent.write("sums.py", BEFORE);
        agent.shell("python -m pytest", "ZeroDivisionError: division by zero\n1 failed", true);
        agent.prompt("An empty list has the average 0, Finance says.");
        agent.edit("sums.py", "total(items) / len(items)", "total(items) / len(items) if items else 0");
        agent.shell("python -m pytest", "2 passed", false);
        agent.say("Very long lists are left out for now.");
        ada.commit(work, "Sums\n\nReviewed-by: Cleo <cleo@example.com>");
        ada.pass(3_600);
        std::fs::write(work.join("sums.py"), std::fs::read_to_string(work.join("sums.py")).unwrap() + "MOST = 9\n")
            .unwrap();
        ada.commit(work, "Say how many");
        ada.git(work, ["push", "--quiet", "origin", "HEAD:main"]).ok();
    }
    team
}

fn json(team: &Team, args: &[&str]) -> Value {
    team.ada.run(&team.work, [&["story", "--json"], args].concat()).json()
}

/// The sentences of a part.
fn part(story: &Value, kind: &str) -> Vec<String> {
    let found = story["sections"].as_array().unwrap().iter().find(|section| section["kind"] == kind);
    let sentences = found.map_or(Vec::new(), |section| section["sentences"].as_array().unwrap().clone());
    sentences.iter().map(|sentence| sentence["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_line_has_its_need_its_choice_and_what_failed() {
    let team = told();
    let story = json(&team, &["sums.py:6"]);
    assert_eq!((&story["about"]["kind"], &story["teller"]["by"]), (&"line".into(), &"records".into()));
    let need = part(&story, "need");
    assert!(need.iter().any(|text| text.contains("An empty list has the average 0")), "{story:#}");
    let failed = part(&story, "failures").concat();
    assert!(failed.contains("ZeroDivisionError") && failed.contains("later it passed"), "{failed}");
    assert!(part(&story, "writing").concat().contains("claude-code (anthropic/claude-opus-5-5) wrote it by Edit"));
    assert!(part(&story, "changes")[0].contains("Committed by Ada") && part(&story, "changes")[0].contains("Cleo"));
    // The first line was written where the prompt only says to do what was said before.
    let story = json(&team, &["sums.py:1"]);
    assert!(part(&story, "need").concat().contains("Finance needs <b>totals</b>"), "{story:#}");
    assert!(part(&story, "decisions").concat().contains("plain lists rather than numpy"), "{story:#}");
    assert!(part(&story, "alternatives").concat().contains("overkill"), "{story:#}");
    assert!(part(&story, "plan").contains(&"The plan: “Write total”".to_owned()), "{story:#}");
    // A person's line has the commit alone.
    let story = json(&team, &["sums.py:7"]);
    assert!(
        part(&story, "changes")[0].starts_with("No agent is known to have written it; committed by Ada"),
        "{story:#}"
    );
    assert_eq!(part(&story, "writing"), [""; 0]);
    assert_eq!(json(&team, &["sums.py:6", "HEAD~1"])["about"]["line"], 6);
}

#[test]
fn symbols_commits_and_sessions_have_their_stories() {
    let team = told();
    let (ada, work) = (&team.ada, &team.work);
    let story = json(&team, &["sums.py#average"]);
    assert_eq!((&story["about"]["first"], &story["about"]["last"]), (&5.into(), &6.into()), "{story:#}");
    assert_eq!(part(&story, "writing").len(), 2, "two calls wrote it: {story:#}");
    let story = json(&team, &["HEAD~1"]);
    assert!(part(&story, "changes").iter().any(|text| text.contains("changed later")), "{story:#}");
    assert_eq!(story["about"]["subject"], "Sums");
    let story = json(&team, &["sums-1"]);
    assert_eq!(part(&story, "need").len(), 3, "{story:#}");
    assert!(part(&story, "open").concat().contains("left out for now"), "{story:#}");
    assert!(part(&story, "changes")[0].contains("“Sums”"), "{story:#}");

    let text = ada.run(work, ["story", "sums.py:6"]).ok();
    assert!(text.contains("The need\n") && text.contains("\nSources\n") && text.contains("[1]"), "{text}");
    let text = ada.run(work, ["story", "--markdown", "sums.py:1"]).ok();
    assert!(text.starts_with("# sums.py:1\n") && text.contains("&lt;b>totals&lt;/b>"), "{text}");
    let more = std::fs::read_to_string(work.join("sums.py")).unwrap() + "LEAST = 1\n";
    std::fs::write(work.join("sums.py"), more).unwrap();
    for (name, why) in [
        ("sums.py#nothing", "has no symbol nothing"),
        ("sums.py:99", "sums.py"),
        ("nothing-at-all", "nothing here is called"),
        ("sums.py:0", "counted from 1"),
        ("sums.py#", "the symbol's name is missing"),
        ("sums.py:8", "is not committed yet"),
        ("README.md#x", "in no language"),
    ] {
        let refused = ada.run(work, ["story", name]).exits(2);
        assert!(refused.stderr.contains(why), "{name}: {}", refused.stderr);
    }
    let refused = ada.run(work, ["story", "HEAD", "HEAD~1"]).exits(2);
    assert!(refused.stderr.contains("only a line or a symbol"), "{}", refused.stderr);
    // What is named goes to git as a commit, never as an option.
    let refused = ada.run(work, ["story", "sums.py:1", "--", "--contents=/etc/passwd"]).exits(2);
    assert!(refused.stderr.contains("no commit that is here"), "{}", refused.stderr);
}

#[test]
fn a_missing_transcript_is_told() {
    let team = told();
    let (ada, work) = (&team.ada, &team.work);
    // Also what was seen of it at the remote.
    for name in ada.refs(work, "refs").keys().filter(|name| name.contains("tracevault") && name.contains("/payload/")) {
        ada.git(work, ["update-ref", "-d", name]).ok();
    }
    let story = json(&team, &["sums.py:6"]);
    assert!(!story["missing"].as_array().unwrap().is_empty(), "{story:#}");
    assert!(part(&story, "changes")[0].contains("Committed by Ada"), "{story:#}");
    let text = ada.run(work, ["story", "sums.py:6"]).ok();
    assert!(text.contains("missing: "), "{text}");
}

#[test]
fn pages_tell_the_same_and_lead_to_the_sources() {
    let team = told();
    let server = Server::start(&team.ada, &team.work, &["--repo", &format!("shop={}", team.remote.display())]);
    server.settle();
    let code = server.page("/r/shop/code/sums.py");
    assert!(code.contains("href=\"/r/shop/story/sums.py?line=6\""), "{code}");
    for (path, args) in [
        ("/r/shop/story/sums.py?line=6", "sums.py:6"),
        ("/r/shop/story/sums.py?line=7", "sums.py:7"),
        ("/r/shop/sessions/sums-1/story", "sums-1"),
    ] {
        let (page, story) = (server.page(path), json(&team, &[args]));
        for section in story["sections"].as_array().unwrap() {
            for sentence in section["sentences"].as_array().unwrap() {
                let text = sentence["text"].as_str().unwrap().replace('<', "&#60;").replace('>', "&#62;");
                assert!(page.contains(&text.replace('\'', "&#39;")), "{path}: {text}\n{page}");
            }
        }
        assert!(page.contains("href=\"#s1\"") && page.contains("id=\"s1\""), "{page}");
        // Every source leads to a page that there is.
        for link in page.split("<li id=\"s").skip(1) {
            let href = link.split("href=\"").nth(1).unwrap().split(['"', '#']).next().unwrap();
            assert_eq!(server.get(&href.replace("&#38;", "&")).status, 200, "{href}");
        }
    }
    let session = server.page("/r/shop/sessions/sums-1");
    assert!(session.contains("href=\"/r/shop/sessions/sums-1/story\""), "{session}");
    for (path, status) in [
        ("/r/shop/story/sums.py", 404),
        ("/r/shop/story/sums.py?line=99", 404),
        ("/r/shop/story/sums.py?line=x", 400),
        ("/r/shop/story/nothing.py?line=1", 404),
        ("/r/shop/sessions/nobody/story", 404),
    ] {
        assert_eq!(server.get(path).status, status, "{path}");
    }
}

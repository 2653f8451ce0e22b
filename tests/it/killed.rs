//! What a killed process leaves of payloads on their way to a remote: nothing is lost, no secret leaves, and whoever works on
//! has nothing to do.

use std::path::Path;

use crate::agent::Agent;
use crate::ledger::{Team, everything};
use crate::support::World;
use crate::verify_sh::agree;

const RULE: &str = "[[rule]]\nid = \"acme-key\"\npattern = 'acme_(\\d{8})'\n";

/// A team whose remote has the gate.
fn gated() -> Team {
    let team = Team::new();
    team.ada.run(&team.remote, ["init", "--server"]).ok();
    team
}

fn learn(world: &World) {
    world.write(&world.home(), ".config/git-tracevault/redaction.toml", RULE);
}

fn works<'w>(world: &'w World, dir: &Path, session: &str, prompt: &str) -> Agent<'w> {
    let agent = Agent::start(world, dir, session);
    agent.prompt(prompt).write(session, "one\ntwo\n");
    agent.end();
    world.commit(dir, session);
    agent
}

fn shelves(world: &World, dir: &Path) -> Vec<(String, String)> {
    world.refs(dir, "refs/tracevault/payload/transcript").into_iter().collect()
}

fn shelf(world: &World, dir: &Path) -> (String, String) {
    shelves(world, dir).remove(0)
}

/// Puts a piece on a shelf as a process that was killed before it moved the chain has left it; its path there.
fn stray(world: &World, dir: &Path, name: &str) -> String {
    let piece = world.write(&world.path("tmp"), "piece", "{\"salt\":\"00\"}\nnobody's\n");
    let script = r#"set -e
        export GIT_INDEX_FILE="$PWD/.git/stray"; rm -f "$GIT_INDEX_FILE"
        sha=$(sha256sum <"$1" | cut -c1-64); parent=$(git rev-parse --verify --quiet "$2" || true)
        path=$(echo "$sha" | cut -c1-2)/$(echo "$sha" | cut -c3-64)
        [ -z "$parent" ] || git read-tree "$parent"
        git update-index --add --cacheinfo "100644,$(git hash-object -w "$1"),$path"
        git update-ref "$2" "$(git commit-tree ${parent:+-p "$parent"} -m payload "$(git write-tree)")"
        echo "$path""#;
    let output = world.command("sh", dir).args(["-c", script, "-", piece.to_str().unwrap(), name]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn pieces(world: &World, dir: &Path, tip: &str) -> Vec<String> {
    let listed = world.git(dir, ["ls-tree", "-r", "--name-only", tip]).ok();
    listed.lines().map(str::to_owned).collect()
}

fn is_in(world: &World, dir: &Path, old: &str, new: &str) -> bool {
    world.git(dir, ["merge-base", "--is-ancestor", old, new]).code == Some(0)
}

#[test]
fn pieces_that_no_record_names_do_not_leave_and_stop_nothing() {
    let team = gated();
    let (ada, work) = (&team.ada, team.work.as_path());
    works(ada, work, "s0", "Sell apples.");
    let (name, _) = shelf(ada, work);
    stray(ada, work, &name);
    works(ada, work, "s1", "Sell pears.");
    ada.git(work, ["push", "--quiet", "origin", "main"]).ok();
    // The second time there is something at the remote to go on from, and the third time nothing else is to go.
    stray(ada, work, &name);
    works(ada, work, "s2", "Sell plums.");
    ada.git(work, ["push", "--quiet", "origin", "main"]).ok();
    let there = shelf(ada, &team.remote);
    let path = stray(ada, work, &name);
    let next = name.replace("2026-01", "2026-02");
    stray(ada, work, &next);
    ada.run(work, ["verify", "--full"]).exits(0);
    assert_eq!(ada.run(work, ["push"]).ok(), "origin has all of this clone's records.");
    assert_eq!(shelves(ada, &team.remote), std::slice::from_ref(&there));
    assert_eq!(shelves(ada, work), std::slice::from_ref(&there));
    assert_eq!(pieces(ada, work, &name).len(), 3);
    assert!(
        !pieces(ada, work, &name).contains(&path)
            && !everything(ada, &team.remote).windows(8).any(|w| w == b"nobody's")
    );
    agree(ada, work, 0, "");

    // What came to another remote before stays there and here, and does not go to this one.
    let other = ada.bare_remote("other.git");
    ada.git(work, ["remote", "add", "other", other.to_str().unwrap()]).ok();
    stray(ada, work, &name);
    ada.git(work, ["push", "--quiet", "--no-verify", "other", &format!("{name}:{name}")]).ok();
    ada.run(work, ["fetch", "other"]).exits(0);
    for n in 3..5 {
        works(ada, work, &format!("s{n}"), "Sell more.");
        ada.git(work, ["push", "--quiet", "origin", "main"]).ok();
        ada.git(work, ["push", "--quiet", "other", "main"]).ok();
        assert_eq!(ada.run(work, ["push"]).ok(), "origin has all of this clone's records.");
        let tip = shelf(ada, &team.remote).1;
        assert_eq!(pieces(ada, &team.remote, &tip).len(), n + 1);
        assert!(is_in(ada, &team.remote, &there.1, &tip), "nothing was rewritten");
        assert_eq!(pieces(ada, &other, &name).len(), n + 2);
    }
    agree(ada, work, 0, "");
    ada.passes(work, "origin/main");

    // Months later a new remote gets all of it that records name.
    for n in 5..8 {
        ada.pass(31 * 24 * 3600);
        works(ada, work, &format!("s{n}"), "Sell more.");
    }
    let new = ada.bare_remote("new.git");
    ada.git(work, ["push", "--quiet", new.to_str().unwrap(), "main"]).ok();
    let count = |dir: &Path| shelves(ada, dir).iter().map(|(_, tip)| pieces(ada, dir, tip).len()).collect::<Vec<_>>();
    assert_eq!((count(work), count(&new)), (vec![6, 1, 1, 1], vec![5, 1, 1, 1]));
}

#[test]
fn what_a_push_that_was_cut_off_had_sent_is_gone_on_from_after_it_was_replaced() {
    for fetch in [false, true] {
        let team = gated();
        let (ada, work) = (&team.ada, team.work.as_path());
        works(ada, work, "first", "Sell apples.");
        ada.git(work, ["push", "--quiet", "origin", "main"]).ok();
        works(ada, work, "second", "Sell pears with acme_12345678.");
        // As if the process were killed before it noted what it had sent.
        let (name, sent) = shelf(ada, work);
        let own = ada.own_chain(work);
        let specs = [&name, &own].map(|name| format!("{name}:{name}"));
        ada.git(work, ["push", "--quiet", "--no-verify", "origin", &specs[0], &specs[1]]).ok();
        learn(ada);
        let sessions = ada.records_at(work, &own).into_iter().filter(|record| record["body"]["session"] == "second");
        let commits = ada.records_of(work, "commit");
        assert_eq!(sessions.count(), 1);
        let record = commits.last().unwrap()["sessions"][0]["record"].as_str().unwrap().to_owned();
        let done = ada.run(work, ["amend", &record, "--reason", "secret", "--redact"]).ok();
        assert!(done.contains("Taken off this clone's refs"), "{done}");
        assert!(!is_in(ada, work, &sent, &name));
        let told = "origin has 1 piece with secrets that were replaced here";
        if fetch {
            let fetched = ada.run(work, ["fetch"]).exits(0);
            assert!(fetched.stderr.contains(told), "{fetched:?}");
        }
        let pushed = ada.git(work, ["push", "origin", "main"]).exits(0);
        assert_eq!(pushed.stderr.contains(told), !fetch, "{pushed:?}");
        assert!(is_in(ada, &team.remote, &sent, &shelf(ada, &team.remote).1), "nothing was rewritten");
        agree(ada, work, 0, "");
        assert_eq!(pieces(ada, work, &name).len(), 2, "it does not come back here");

        works(ada, work, "third", "Sell plums.");
        let pushed = ada.git(work, ["push", "origin", "main"]).exits(0);
        assert!(!pushed.stderr.contains("secrets"), "it is told once: {pushed:?}");
        assert_eq!(pieces(ada, &team.remote, &name).len(), 4);
        assert_eq!(ada.run(work, ["push"]).ok(), "origin has all of this clone's records.");
        ada.passes(work, "origin/main");
        // Where it was not sent to, it is not.
        let other = ada.bare_remote("other.git");
        ada.git(work, ["push", "--quiet", other.to_str().unwrap(), "main"]).ok();
        assert_eq!(pieces(ada, &other, &name).len(), 3);
        assert!(!everything(ada, &other).windows(8).any(|bytes| bytes == b"12345678"), "the secret left");
    }
}

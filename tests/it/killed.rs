//! What a killed process leaves of payloads on their way to a remote: nothing is lost, no secret leaves, and whoever works on
//! has nothing to do.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::agent::Agent;
use crate::crash::{age_locks, locks, told_once};
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

/// One journey: an agent is asked for something and told a secret that no rule knows yet, and writes; a commit; the rule; a push,
/// with the amendments that it asks for. Every step may have been done by a journey that was killed.
const JOURNEY: &str = r#"set -e
rules="$HOME/.config/git-tracevault/redaction.toml"
rm -f "$rules"
git tracevault hook claude-code <"$1/prompt"
cat "$1/lines" >>"$2"
cp "$1/text" file
git tracevault hook claude-code <"$1/wrote"
git add -A
git commit --quiet -m x
mkdir -p "${rules%/*}"
cp "$1/rule" "$rules"
tries=0
until git push --quiet origin main 2>"$1/said"; do
    tries=$((tries + 1))
    command=$(sed -n 's/^hint: git tracevault \(amend [0-9a-f]* --reason secret --redact\).*/\1/p' "$1/said")
    if [ -z "$command" ] || [ $tries -gt 40 ]; then cat "$1/said" >&2; exit 9; fi
    git tracevault $command >/dev/null
done
"#;

/// A server's side of a push, in a session of its own, so that no kill of the client reaches it; a folder of its own stands as
/// long as it runs.
const SERVER: &str =
    "#!/bin/sh\nexec setsid sh -c 'mkdir -p BUSY/$$; git-receive-pack \"$@\"; rmdir BUSY/$$' - \"$@\"\n";

/// Journeys of one agent, one after the other.
struct Journeys<'w> {
    world: &'w World,
    work: PathBuf,
    agent: Agent<'w>,
    /// What the journey is given.
    given: PathBuf,
    busy: PathBuf,
    count: u64,
}

impl<'w> Journeys<'w> {
    fn new(team: &'w Team) -> Self {
        let (world, work) = (&team.ada, team.work.clone());
        let busy = world.path("tmp/busy");
        let server = world.write(&world.path("tmp"), "server", &SERVER.replace("BUSY", busy.to_str().unwrap()));
        fs::set_permissions(&server, fs::Permissions::from_mode(0o755)).unwrap();
        world.git(&work, ["config", "remote.origin.receivepack", server.to_str().unwrap()]).ok();
        let given = world.path("tmp/given");
        world.write(&given, "rule", RULE);
        let agent = Agent::start(world, &work, "s");
        Journeys { world, work, agent, given, busy, count: 0 }
    }

    /// The next one, about to begin in a process group of its own.
    fn next(&mut self) -> Command {
        self.world.pass(2);
        self.count += 1;
        let (n, transcript) = (self.count, self.agent.transcript());
        let event = |name: &str, more: Value| {
            let mut event = json!({"session_id": "s", "transcript_path": transcript, "cwd": self.work,
                "hook_event_name": name});
            event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            event.to_string()
        };
        let line = |kind: &str, message: Value| {
            json!({"type": kind, "message": message, "isSidechain": false, "uuid": format!("{kind}-{n}"), "cwd": self.work,
                "timestamp": self.world.now(), "sessionId": "s", "version": "2.1.330"})
        };
        let (text, prompt) = (format!("{n}\n"), format!("Write {n} with acme_555{n:05}."));
        let (file, id) = (self.work.join("file"), format!("call-{n}"));
        let input = json!({"file_path": file, "content": text});
        let usage = json!({"input_tokens": n, "output_tokens": 10 * n, "cache_read_input_tokens": 100 * n,
            "cache_creation_input_tokens": 0});
        let call = json!({"type": "tool_use", "id": id, "name": "Write", "input": input});
        let lines = [
            line("user", json!({"role": "user", "content": prompt})),
            line(
                "assistant",
                json!({"id": format!("msg-{n}"), "role": "assistant", "model": "claude-opus-5-5",
                "content": [call], "usage": usage}),
            ),
        ];
        let give = |name: &str, text: &str| self.world.write(&self.given, name, text);
        give("prompt", &event("UserPromptSubmit", json!({"prompt": prompt})));
        let tool = json!({"tool_name": "Write", "tool_input": input, "tool_use_id": id, "tool_response": {}});
        give("wrote", &event("PostToolUse", tool));
        give("lines", &lines.map(|line| format!("{line}\n")).concat());
        give("text", &text);
        let mut command = self.world.command("sh", &self.work);
        command.args(["-c", JOURNEY, "-"]).arg(&self.given).arg(transcript);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        command
    }

    /// Waits for what the server does, and clears away what a git of the user's own has left.
    fn settle(&self) {
        let start = Instant::now();
        while fs::read_dir(&self.busy).is_ok_and(|mut running| running.next().is_some()) {
            assert!(start.elapsed() < Duration::from_secs(60), "the server is busy");
            std::thread::sleep(Duration::from_millis(5));
        }
        for name in ["index.lock", "HEAD.lock", "refs/heads/main.lock"] {
            drop(fs::remove_file(self.work.join(".git").join(name)));
        }
        age_locks(&self.work);
    }

    /// The tokens that its transcript says went to the model.
    fn input(&self) -> u64 {
        let text = fs::read_to_string(self.agent.transcript()).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter_map(|line| line["message"]["usage"]["input_tokens"].as_u64()).sum()
    }
}

#[test]
fn whatever_moment_a_kill_comes_at_nothing_is_lost_and_no_secret_leaves() {
    const KILLS: u32 = 12;
    if Command::new("setsid").args(["-w", "true"]).status().is_err() {
        eprintln!("not checked: there is no setsid to keep the server from being killed with its client");
        return;
    }
    let team = gated();
    let mut journeys = Journeys::new(&team);
    let (ada, work) = (&team.ada, team.work.as_path());
    let start = Instant::now();
    let output = journeys.next().output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let span = start.elapsed();
    // Each twelfth of the span once, in a mixed order, at a moment of its own: a fixed seed, so that a failure can be repeated.
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    for n in 0..KILLS {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let delay = span * (n * 5 % KILLS) / KILLS + span * (random % 1000) as u32 / (1000 * KILLS);
        let child = journeys.next().spawn().unwrap();
        std::thread::sleep(delay);
        let group = format!("-{}", child.id());
        drop(Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.code().is_none_or(|code| code == 0), "kill {n} after {delay:?}: {output:?}");
        journeys.settle();
    }
    let output = journeys.next().output().unwrap();
    assert!(output.status.success(), "{output:?}");
    journeys.settle();
    assert_eq!(ada.run(work, ["push"]).ok(), "origin has all of this clone's records.");
    assert_eq!(locks(work), Vec::<PathBuf>::new());

    let commits = ada.git(work, ["rev-list", "HEAD"]).ok();
    let mut commits: Vec<String> = commits.lines().map(str::to_owned).collect();
    // The first was there before the ledger.
    commits.pop();
    told_once(ada, work, &commits, journeys.input());
    agree(ada, work, 0, "");
    for dir in [work, &team.remote] {
        let checked = ada.git(dir, ["fsck", "--strict", "--no-dangling"]).exits(0);
        assert_eq!(checked.stdout, "");
    }
    assert!(!everything(ada, &team.remote).windows(8).any(|bytes| bytes == b"acme_555"), "a secret left");
    // Somebody else who gets it all sees the same.
    let (bob, bobs) = team.join("Bob");
    bob.passes(&bobs, "origin/main");
}

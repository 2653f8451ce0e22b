//! Kills at any moment, several at once, a full disk: the chain stays valid, and nothing is lost or recorded twice.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use crate::agent::Agent;
use crate::ledger::Team;
use crate::support::World;

/// A commit that no hook hears of.
fn quiet_commit(world: &World, dir: &Path, message: &str) -> String {
    world.pass(1);
    world.git(dir, ["add", "-A"]).ok();
    world.git(dir, ["-c", "core.hooksPath=/dev/null", "commit", "--quiet", "--allow-empty", "-m", message]).ok();
    world.git(dir, ["rev-parse", "HEAD"]).ok()
}

/// Each commit has one record, each token is counted once, and all of it verifies.
#[track_caller]
fn all_is_told_once(world: &World, dir: &Path, commits: &[String], agents: &[&Agent<'_>]) {
    told_once(world, dir, commits, agents.iter().map(|agent| agent.input()).sum());
}

/// The same, where so many tokens went to the model.
#[track_caller]
pub fn told_once(world: &World, dir: &Path, commits: &[String], input: u64) {
    let mut recorded: Vec<String> =
        world.records_of(dir, "commit").iter().map(|r| r["commit"].as_str().unwrap().to_owned()).collect();
    let count = recorded.len();
    recorded.sort();
    recorded.dedup();
    assert_eq!(recorded.len(), count, "no commit has two records");
    let recorded: BTreeSet<String> = recorded.into_iter().collect();
    assert!(commits.iter().all(|commit| recorded.contains(commit)), "every commit has a record");
    let mut segments: Vec<String> = world
        .records_of(dir, "session")
        .iter()
        .map(|record| format!("{} {}", record["session"], record["segment"]))
        .collect();
    let count = segments.len();
    segments.sort();
    segments.dedup();
    assert_eq!(segments.len(), count, "no segment has two records");
    let sums = ["input", "output", "cache_read"].map(|field| world.sum(dir, field));
    assert_eq!(sums, [input, 10 * input, 100 * input], "tokens are counted once");
    world.passes(dir, "HEAD");
}

/// Lets ten seconds go by for the locks that were left on refs.
pub fn age_locks(dir: &Path) {
    for lock in locks(dir) {
        let long_ago = SystemTime::now() - Duration::from_secs(11);
        fs::File::options().write(true).open(lock).unwrap().set_modified(long_ago).unwrap();
    }
}

/// Files with this ending in git's folders for refs.
pub fn locks(dir: &Path) -> Vec<PathBuf> {
    let (mut folders, mut found) = (vec![dir.join(".git/refs")], Vec::new());
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match path.extension() {
                _ if path.is_dir() => folders.push(path),
                Some(extension) if extension == "lock" => found.push(path),
                _ => {}
            }
        }
    }
    found
}

#[test]
fn a_kill_at_any_moment_loses_nothing_and_tells_nothing_twice() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let agent = Agent::start(ada, work, "s");
    agent.prompt("Write.");
    let mut commits = Vec::new();
    // Delays spread over what the hook takes, the end of which is where refs and cursors move.
    let hook = || {
        let mut command = ada.command(env!("CARGO_BIN_EXE_git-tracevault"), work);
        command.args(["hook", "post-commit"]).stdin(Stdio::null()).stderr(Stdio::null());
        command
    };
    agent.write("f", "0\n");
    commits.push(quiet_commit(ada, work, "0"));
    let start = std::time::Instant::now();
    assert!(hook().status().unwrap().success());
    let span = start.elapsed();
    for n in 1..=50u32 {
        agent.edit("f", &format!("{}\n", n - 1), &format!("{n}\n"));
        commits.push(quiet_commit(ada, work, &n.to_string()));
        let mut child = hook().spawn().unwrap();
        std::thread::sleep(span * (n * 7 % 50) / 45);
        child.kill().unwrap();
        child.wait().unwrap();
        age_locks(work);
    }
    agent.say("Done.");
    ada.git(work, ["push", "--quiet", "origin", "main"]).ok();
    all_is_told_once(ada, work, &commits, &[&agent]);
    assert_eq!(locks(work), Vec::<PathBuf>::new());
}

#[test]
fn a_kill_between_the_moving_of_the_ref_and_the_writing_down_of_it_is_made_good() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let local = work.join(".git/tracevault");
    let agent = Agent::start(ada, work, "s");
    agent.prompt("Write.");
    // Where nothing can be written down, nothing moves either.
    fs::create_dir(local.join("pending.json")).unwrap();
    let own = ada.own_chain(work);
    let before = ada.refs(work, &own);
    agent.write("f", "1\n");
    ada.git(work, ["add", "-A"]).ok();
    let said = ada.git(work, ["commit", "--quiet", "-m", "1"]).exits(0).stderr;
    assert!(said.contains("tracevault: post-commit: ") && said.contains("pending.json"), "{said}");
    assert_eq!(ada.refs(work, &own), before);
    fs::remove_dir(local.join("pending.json")).unwrap();

    // The ref moves, and what goes with it cannot be written: as if the process were killed in between.
    fs::create_dir(local.join("counted")).unwrap();
    ada.git(work, ["hook", "run", "--ignore-missing", "post-commit"]).ok();
    assert_ne!(ada.refs(work, &own), before);
    assert!(local.join("pending.json").exists());
    fs::remove_dir(local.join("counted")).unwrap();
    ada.git(work, ["push", "--quiet", "origin", "main"]).ok();
    assert!(!local.join("pending.json").exists());
    all_is_told_once(ada, work, &[ada.git(work, ["rev-parse", "HEAD"]).ok()], &[&agent]);
}

#[test]
fn many_processes_at_once() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let agent = Agent::start(ada, work, "s");
    agent.prompt("Write.");
    agent.write("f", "1\n");
    let jobs: Vec<_> = (0..8)
        .map(|n| {
            let tree = ada.path(format!("tree-{n}"));
            let branch = format!("b{n}");
            ada.git(work, ["worktree", "add", "--quiet", "-b", &branch, tree.to_str().unwrap()]).ok();
            let agent = Agent::start(ada, &tree, &format!("s{n}"));
            agent.prompt("Write.");
            agent.write(&format!("f{n}"), "1\n2\n");
            ada.git(&tree, ["add", "-A"]).ok();
            let mut command = ada.command("git", &tree);
            command.args(["commit", "--quiet", "-m", &branch]);
            (tree, agent, command)
        })
        .collect();
    std::thread::scope(|scope| {
        let mut running = Vec::new();
        for (tree, agent, mut command) in jobs {
            running.push((tree, agent, scope.spawn(move || command.output().unwrap())));
            // The very same hook, for the very same commit.
            let mut again = ada.command(env!("CARGO_BIN_EXE_git-tracevault"), work);
            again.args(["hook", "post-commit"]).stdin(Stdio::null());
            scope.spawn(move || assert!(again.status().unwrap().success()));
        }
        let mut commits = Vec::new();
        let mut agents = vec![agent];
        for (tree, agent, job) in running {
            let output = job.join().unwrap();
            assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
            commits.push(ada.git(&tree, ["rev-parse", "HEAD"]).ok());
            agents.push(agent);
        }
        ada.git(work, ["push", "--quiet", "--all"]).ok();
        all_is_told_once(ada, work, &commits, &agents.iter().collect::<Vec<_>>());
        for commit in commits {
            assert_eq!(ada.record_of(work, &commit)["total"]["agent"], 2, "each agent's own lines, no other's");
        }
    });
}

#[test]
fn a_full_disk_stops_no_commit_and_what_it_kept_back_is_caught_up() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let agent = Agent::start(ada, work, "s");
    agent.prompt("Write.");
    agent.write("f", &"line\n".repeat(2000));
    let long: String = (0..2000u64).map(|n| format!("{:x} ", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
    agent.say(&long);
    let commit = quiet_commit(ada, work, "f");
    let before = ada.refs(work, "refs/tracevault");
    // No file may grow past so many blocks of 512 bytes; the hook is told so by errors, not by a signal.
    for blocks in [0, 1, 2, 4] {
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec git-tracevault hook post-commit");
        let output = ada.command("sh", work).args(["-c", &script]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.starts_with("tracevault: post-commit: ") && said.lines().count() == 1, "{blocks}: {said}");
        let log = before.iter().filter(|(name, _)| name.contains("/log/"));
        assert!(log.into_iter().all(|(name, tip)| ada.refs(work, name)[name] == *tip), "nothing half recorded");
    }
    // Neither does it stop the agent.
    let payload = serde_json::json!({"session_id": "s", "cwd": work, "hook_event_name": "Stop", "x": "y".repeat(5000)});
    let file = ada.write(&ada.path("tmp"), "payload", &payload.to_string());
    let script = format!("trap '' XFSZ; ulimit -f 1; exec git-tracevault hook claude-code < {}", file.display());
    let output = ada.command("sh", work).args(["-c", &script]).output().unwrap();
    assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");

    agent.end();
    ada.git(work, ["push", "--quiet", "origin", "main"]).ok();
    all_is_told_once(ada, work, &[commit], &[&agent]);
}

//! The gate of a server: what is right goes in, nothing wrong does, whatever a client's hooks do.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::agent::Agent;
use crate::ledger::{Team, everything};
use crate::support::{Output, World};

const SESSION: &str = "0b7d3a52-6c1e-4f0a-9d3b-1f2e3d4c5b6a";

/// A team whose remote has the gate.
fn gated() -> Team {
    let team = Team::new();
    team.ada.run(&team.remote, ["init", "--server"]).ok();
    team
}

fn push(world: &World, dir: &Path, args: &[&str]) -> Output {
    world.git(dir, [&["push"], args].concat())
}

/// A push past all hooks of the clone.
fn sneak(world: &World, dir: &Path, args: &[&str]) -> Output {
    push(world, dir, &[&["--no-verify", "origin"], args].concat())
}

/// Pushes past the hooks, is not let in, and leaves nothing behind.
fn refused(team: &Team, world: &World, dir: &Path, args: &[&str], why: &[&str]) {
    let before = (world.refs(&team.remote, "refs/"), everything(world, &team.remote).len());
    let output = sneak(world, dir, args).exits(1);
    for part in why.iter().chain(&["the push is not let in", "pre-receive hook declined"]) {
        assert!(output.stderr.contains(part), "{args:?}: {part}: {}", output.stderr);
    }
    let after = (world.refs(&team.remote, "refs/"), everything(world, &team.remote).len());
    assert!(before == after, "{args:?} left something behind");
}

fn set_rules(team: &Team, text: &str) {
    team.ada.feed(&team.work, ["policy", "set", "-"], text.as_bytes()).ok();
    team.ada.run(&team.work, ["push"]).ok();
}

/// A commit of these bytes in the ledger's form, made by git alone.
fn make_commit(world: &World, dir: &Path, tree: &str, parent: Option<&str>) -> String {
    let parent = parent.map(|parent| ["-p", parent]).into_iter().flatten();
    world.git(dir, ["commit-tree", tree, "-m", "x"].into_iter().chain(parent)).ok()
}

#[test]
fn what_is_right_goes_in_and_colleagues_join_through_the_gate() {
    let team = gated();
    let (ada, work) = (&team.ada, &team.work);
    let agent = Agent::start(ada, work, SESSION);
    agent.prompt("Write it.").write("a.rs", "one\ntwo\n");
    ada.commit(work, "Add a");
    push(ada, work, &["--quiet", "origin", "main"]).ok();
    let (bob, bobs) = team.join("Bob");
    bob.commit_file(&bobs, "b", "b\n");
    push(&bob, &bobs, &["--quiet", "origin", "HEAD:refs/heads/topic", "HEAD:refs/tags/v1"]).ok();
    push(&bob, &bobs, &["--quiet", "origin", ":refs/heads/topic"]).ok();
    ada.git(work, ["pull", "--quiet", "--no-edit", "origin", "v1"]).ok();
    push(ada, work, &["--quiet", "origin", "main"]).ok();
    ada.passes(work, "origin/main");
    assert_eq!(ada.git(&team.remote, ["fsck", "--strict"]).exits(0).stdout, "");

    // Who is not enrolled yet brings their chain, and no code.
    let carol = ada.other("Carol");
    let carols = carol.clone(&team.remote, "carol");
    carol.run(&carols, ["init"]).ok();
    carol.run(&carols, ["push"]).ok();
    carol.commit_file(&carols, "c", "c\n");
    let stopped = push(&carol, &carols, &["origin", "main"]).exits(1);
    assert!(stopped.stderr.contains("is not enrolled"), "{}", stopped.stderr);
}

#[test]
fn code_without_its_ledger_stays_out_and_the_hint_mends_it() {
    let team = gated();
    let (ada, work) = (&team.ada, &team.work);
    ada.commit_file(work, "a", "a\n");
    refused(&team, ada, work, &["main"], &["has no record", "git tracevault push"]);
    ada.run(work, ["push"]).ok();
    sneak(ada, work, &["main"]).exits(0);

    // Somebody without the program: nothing records what they do.
    let olga = ada.other("Olga");
    let olgas = olga.clone(&team.remote, "olga");
    olga.commit_file(&olgas, "o", "o\n");
    refused(&team, &olga, &olgas, &["main"], &["has no record"]);
    // An ordinary push from an enrolled clone takes over what they did.
    ada.git(work, [Path::new("pull"), Path::new("--quiet"), &olgas, Path::new("main")]).ok();
    push(ada, work, &["--quiet", "origin", "main"]).ok();
}

#[test]
fn the_ledgers_refs_only_grow() {
    let team = gated();
    let (ada, work) = (&team.ada, &team.work);
    let (bob, bobs) = team.join("Bob");
    let agent = Agent::start(ada, work, SESSION);
    agent.prompt("Write it.").write("a.rs", "one\ntwo\n");
    ada.commit(work, "Add a");
    push(ada, work, &["--quiet", "origin", "main"]).ok();
    let own = ada.own_chain(work);
    let payload = ada.refs(work, "refs/tracevault/payload/").into_keys().next().unwrap();
    let tip = ada.git(work, ["rev-parse", &own]).ok();
    let tree = ada.git(work, ["rev-parse", &format!("{own}^{{tree}}")]).ok();
    let spec = |from: &str, to: &str| format!("{from}:{to}");
    let no = |args: &[&str], why: &[&str]| refused(&team, ada, work, args, why);

    let delete = [spec("", &own), spec("", &payload), spec("", "refs/tracevault/policy")];
    no(&[&delete[0]], &["would be deleted", "append-only"]);
    no(&[&delete[1]], &["no prune record lets go"]);
    no(&[&delete[2]], &["would be deleted"]);
    no(&["--force", &spec(&format!("{own}~1"), &own)], &["would be rewritten"]);
    no(&["--force", &spec("main", &own)], &["would be rewritten"]);
    no(&["--force", &spec("refs/tracevault/policy", &own)], &["would be rewritten"]);
    // A record that is there already, once more; a commit that is no record; two parents.
    let replayed = make_commit(ada, work, &tree, Some(&tip));
    no(&[&spec(&replayed, &own)], &["E-"]);
    let stray = make_commit(ada, work, &ada.git(work, ["rev-parse", "main^{tree}"]).ok(), Some(&tip));
    no(&[&spec(&stray, &own)], &["E-"]);
    let merge = ada.git(work, ["commit-tree", &tree, "-p", &tip, "-p", "main", "-m", "x"]).ok();
    no(&[&spec(&merge, &own)], &["would be rewritten"]);
    // Names that are none of a ledger's, and what belongs to one clone.
    no(&["main:refs/tracevault/log/x", "main:refs/heads/topic"], &["holds nothing that a ledger has"]);
    no(&["main:refs/tracevault-local/origin/policy"], &["of one clone alone"]);
    no(&["main:refs/replace/1111111111111111111111111111111111111111"], &["other objects in the place"]);
    // Another's payloads, with a piece more.
    let more = bob.path("tmp/piece");
    fs::write(&more, "{\"salt\":\"00\"}\nx").unwrap();
    bob.run(&bobs, ["fetch"]).ok();
    let seen = payload.replace("refs/tracevault/", "refs/tracevault-local/origin/");
    let (blob, sha) =
        (bob.git(&bobs, ["hash-object", "-w", more.to_str().unwrap()]).ok(), "ab".to_owned() + &"c".repeat(62));
    let inner = bob.feed_git(&bobs, ["mktree"], format!("100644 blob {blob}\t{}\n", &sha[2..]).as_bytes()).ok();
    let listed = bob.git(&bobs, ["ls-tree", &seen]).ok();
    let outer = bob.feed_git(&bobs, ["mktree"], format!("{listed}\n040000 tree {inner}\tab\n").as_bytes()).ok();
    let parent = bob.git(&bobs, ["rev-parse", &seen]).ok();
    let junk = make_commit(&bob, &bobs, &outer, Some(&parent));
    refused(&team, &bob, &bobs, &[&spec(&junk, &payload)], &["no record of its chain names"]);
    // Under another's name.
    let chain = bob.git(&bobs, ["rev-parse", &bob.own_chain(&bobs)]).ok();
    let strange = format!("refs/tracevault/log/{}", "0".repeat(32));
    refused(&team, &bob, &bobs, &[&spec(&chain, &strange)], &["E-CHAIN-KEY"]);
    // What holds goes on all the same.
    bob.commit_file(&bobs, "b", "b\n");
    bob.git(&bobs, ["pull", "--quiet", "--no-rebase", "--no-edit", "origin", "main"]).ok();
    push(&bob, &bobs, &["--quiet", "origin", "main"]).ok();
    ada.run(work, ["fetch"]).ok();
    ada.run(work, ["verify", "--full"]).exits(0);
}

#[test]
fn protected_branches_take_what_keeps_to_the_rules() {
    let team = gated();
    let (ada, work) = (&team.ada, &team.work);
    let rules = "[branches]\nprotect = [\"main\"]\n\n[[rule]]\nname = \"keys\"\nlevel = \"block\"\n\
                 condition = \"sensitive-paths\"\npaths = [\"secrets\"]\n";
    set_rules(&team, rules);
    let agent = Agent::start(ada, work, SESSION);
    agent.prompt("Write it.").write("secrets/key.rs", "one\ntwo\n");
    ada.commit(work, "Add a key");
    push(ada, work, &["--quiet", "origin", "main:refs/heads/topic"]).ok();
    // The clone's own hook says it first, and the gate to those who pass it by. That it waited elsewhere does not help.
    let stopped = push(ada, work, &["origin", "main"]).exits(1);
    assert!(stopped.stderr.contains("stopped by the rules in force"), "{}", stopped.stderr);
    refused(&team, ada, work, &["main"], &["secrets/key.rs: 2 lines", "to do:"]);
    ada.git(work, ["rm", "-rq", "secrets"]).ok();
    ada.commit(work, "Remove it");
    refused(&team, ada, work, &["main"], &["secrets/key.rs: 2 lines"]);
    ada.git(work, ["reset", "--quiet", "--hard", "origin/main"]).ok();
    ada.commit_file(work, "b", "b\n");
    push(ada, work, &["--quiet", "origin", "main"]).ok();
}

#[test]
fn what_a_server_merges_or_squashes_needs_no_record_of_its_own() {
    let team = gated();
    let (ada, work) = (&team.ada, &team.work);
    let agent = Agent::start(ada, work, SESSION);
    ada.git(work, ["switch", "--quiet", "-c", "topic"]).ok();
    agent.prompt("Write it.").write("a.rs", "one = 1111\ntwo = 2222\nthree = 3333\n");
    ada.commit(work, "Add a");
    ada.git(work, ["switch", "--quiet", "-c", "other", "main"]).ok();
    ada.commit_file(work, "b", "b\n");
    push(ada, work, &["--quiet", "origin", "topic", "other"]).ok();
    // As a host's buttons do: without hooks of ours.
    let olga = ada.other("Olga");
    let olgas = olga.clone(&team.remote, "olga");
    ada.pass(1);
    olga.git(&olgas, ["merge", "--quiet", "--no-ff", "--no-edit", "origin/other"]).ok();
    sneak(&olga, &olgas, &["main"]).exits(0);
    olga.git(&olgas, ["merge", "--quiet", "--squash", "origin/topic"]).ok();
    olga.git(&olgas, ["commit", "--quiet", "-m", "Squashed"]).ok();
    sneak(&olga, &olgas, &["main"]).exits(0);
    // A merge that smuggles a line in does.
    olga.git(&olgas, ["switch", "--quiet", "-c", "third", "origin/other"]).ok();
    olga.git(&olgas, ["merge", "--quiet", "--no-ff", "--no-commit", "origin/topic"]).ok();
    olga.write(&olgas, "b", "b\nsmuggled\n");
    olga.git(&olgas, ["commit", "--quiet", "-am", "Merge"]).ok();
    refused(&team, &olga, &olgas, &["third"], &["has no record"]);
    ada.git(work, ["pull", "--quiet", "--no-edit", "origin", "main"]).ok();
    ada.run(work, ["verify", "--range", "origin/main^..origin/main"]).exits(1);
    ada.run(work, ["link", "--range", "origin/main^..origin/main"]).ok();
    ada.passes(work, "origin/main^..origin/main");
}

#[test]
fn a_merge_that_takes_back_what_one_side_did_needs_a_record() {
    let team = gated();
    let (ada, work) = (&team.ada, &team.work);
    ada.git(work, ["switch", "--quiet", "-c", "topic"]).ok();
    ada.commit_file(work, "b", "b\n");
    ada.git(work, ["switch", "--quiet", "main"]).ok();
    ada.commit_file(work, "fix", "fixed\n");
    push(ada, work, &["--quiet", "origin", "main", "topic"]).ok();
    let olga = ada.other("Olga");
    let olgas = olga.clone(&team.remote, "olga");
    olga.git(&olgas, ["merge", "--quiet", "--no-ff", "--no-commit", "origin/topic"]).ok();
    olga.git(&olgas, ["rm", "--quiet", "-f", "fix"]).ok();
    olga.git(&olgas, ["commit", "--quiet", "-m", "Merge"]).ok();
    refused(&team, &olga, &olgas, &["main"], &["has no record"]);
}

#[test]
fn a_key_is_revoked_whatever_it_wrote_meanwhile() {
    let team = gated();
    let (ada, work) = (&team.ada, &team.work);
    let (bob, bobs) = team.join("Bob");
    let pushes = |name: &str| {
        bob.commit_file(&bobs, name, name);
        push(&bob, &bobs, &["--quiet", "origin", "HEAD:refs/heads/bobs"])
    };
    pushes("one").ok();
    // Ada has not seen what Bob did since, and closes his key at its first record.
    ada.run(work, ["key", "close", "bob@example.com", "--reason", "stolen", "--last", "0", "--yes"]).ok();
    ada.run(work, ["push"]).exits(0);
    pushes("two").exits(1);
    ada.commit_file(work, "a", "a\n");
    push(ada, work, &["--quiet", "origin", "main"]).ok();
}

#[test]
fn a_policy_without_rules_is_no_leave_to_go_without_records() {
    let team = gated();
    set_rules(&team, "[payloads]\nencrypt = [\"transcript\"]\n");
    team.ada.commit_file(&team.work, "a", "a\n");
    refused(&team, &team.ada, &team.work, &["main"], &["has no record"]);
}

#[test]
fn expired_payloads_may_be_deleted_and_held_ones_not() {
    let team = gated();
    let (ada, work) = (&team.ada, &team.work);
    let agent = Agent::start(ada, work, SESSION);
    agent.prompt("Write it.").write("a.rs", "one\ntwo\n");
    ada.commit(work, "Add a");
    push(ada, work, &["--quiet", "origin", "main"]).ok();
    ada.run(work, ["compliance", "set", "pci-dss", "--yes"]).ok();
    ada.run(work, ["hold", "case-7", "--session", SESSION]).ok();
    ada.run(work, ["push"]).ok();
    let payloads = || ada.refs(&team.remote, "refs/tracevault/payload/").into_keys().collect::<Vec<_>>();
    let held = ada.refs(&team.remote, "refs/tracevault/hold/").into_keys().next().unwrap();
    ada.pass(3 * 366 * 24 * 3600);
    let all: Vec<String> = payloads().iter().chain([&held]).map(|name| format!(":{name}")).collect();
    refused(&team, ada, work, &[&all[0]], &["no prune record lets go"]);
    refused(&team, ada, work, &[all.last().unwrap()], &["is held for case-7"]);
    refused(&team, ada, work, &["main:refs/tracevault/hold/case-8"], &["nothing is held for case-8"]);
    ada.run(work, ["release", "case-7", "--yes"]).ok();
    ada.run(work, ["push"]).ok();
    ada.run(work, ["prune", "--yes"]).ok();
    assert_eq!(payloads(), Vec::<String>::new());
    ada.run(work, ["verify", "--full"]).exits(0);
}

#[test]
fn a_thousand_refs_and_many_clones_at_once() {
    let team = gated();
    let (ada, work) = (&team.ada, &team.work);
    ada.commit_file(work, "a", "a\n");
    ada.run(work, ["push"]).ok();
    let refs: String = (0..1000).map(|n| format!("create refs/heads/many/{n} HEAD\n")).collect();
    ada.feed_git(work, ["update-ref", "--stdin"], refs.as_bytes()).ok();
    push(ada, work, &["--quiet", "--all", "origin"]).ok();
    let clones: Vec<(World, PathBuf)> = (0..6).map(|n| team.join(&format!("Dev{n}"))).collect();
    for (world, dir) in &clones {
        world.commit_file(dir, "mine", &format!("{}\n", dir.display()));
    }
    let children: Vec<_> = clones
        .iter()
        .enumerate()
        .map(|(n, (world, dir))| {
            let name = format!("HEAD:refs/heads/dev{n}");
            let mut command = world.command("git", dir);
            command.args(["push", "--quiet", "origin", &name]).spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    ada.git(work, ["fetch", "--quiet"]).ok();
    ada.run(work, ["fetch"]).ok();
    let range: Vec<String> = (0..6).map(|n| format!("origin/dev{n}")).collect();
    let commits = ["verify", "--commits"].into_iter().chain(range.iter().map(String::as_str));
    ada.run(work, commits).exits(0);
}

#[test]
fn the_gate_stays_shut_where_it_cannot_judge() {
    let team = gated();
    let (ada, work, remote) = (&team.ada, &team.work, &team.remote);
    ada.commit_file(work, "a", "a\n");
    let hook = remote.join("hooks/pre-receive");
    let text = fs::read_to_string(&hook).unwrap();
    // The program is gone; its configuration is nonsense; another ledger is the one that must come.
    fs::write(
        &hook,
        text.replace("git-tracevault'", "git-tracevault-gone'").replace("command -v git-tracevault", "false"),
    )
    .unwrap();
    let output = push(ada, work, &["origin", "main"]).exits(1);
    assert!(output.stderr.contains("nothing can be let in"), "{}", output.stderr);
    fs::write(&hook, text).unwrap();
    ada.git(remote, ["config", "tracevault.ledger", "nonsense"]).ok();
    let output = push(ada, work, &["origin", "main"]).exits(1);
    assert!(output.stderr.contains("tracevault.ledger"), "{}", output.stderr);
    ada.git(remote, ["config", "tracevault.ledger", &"ab".repeat(32)]).ok();
    let output = push(ada, work, &["origin", "main"]).exits(1);
    assert!(
        output.stderr.contains("E-LEDGER") || output.stderr.contains("not the one that is pinned"),
        "{}",
        output.stderr
    );
    ada.git(remote, ["config", "--unset", "tracevault.ledger"]).ok();
    push(ada, work, &["--quiet", "origin", "main"]).ok();
    let said = ada.feed(remote, ["receive"], b"nonsense\n").exits(1);
    assert!(said.stderr.contains("line 1"), "{}", said.stderr);
}

#[test]
fn the_gate_is_put_in_and_taken_out_beside_what_was_there() {
    let ada = World::new();
    let remote = ada.bare_remote("remote.git");
    let hook = ada.write(&remote, "hooks/pre-receive", "#!/bin/sh\n! grep -q refs/heads/wip >&2\n");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let before = fs::read(&hook).unwrap();
    let told = ada.run(&remote, ["init", "--server"]).ok();
    assert!(told.contains("hooks/pre-receive") && told.contains("first ledger"), "{told}");
    assert!(!ada.run(&remote, ["init", "--server"]).ok().contains("changed"));

    // Nothing comes before a ledger does.
    let work = ada.clone(&remote, "ada");
    ada.commit_file(&work, "README.md", "# Shop\n");
    let output = push(&ada, &work, &["origin", "main"]).exits(1);
    assert!(output.stderr.contains("git tracevault init"), "{}", output.stderr);
    ada.run(&work, ["init"]).ok();
    assert!(ada.run(&work, ["init", "--server"]).exits(2).stderr.contains("is a work tree"));
    push(&ada, &work, &["--quiet", "origin", "main"]).ok();
    // The hook that was there still refuses what it did.
    push(&ada, &work, &["origin", "main:refs/heads/wip"]).exits(1);
    let other = ada.run(&remote, ["init", "--server", "--ledger", &"ab".repeat(32)]).exits(2);
    assert!(other.stderr.contains("the ledger here is"), "{}", other.stderr);

    ada.run(&remote, ["init", "--server", "--uninstall"]).ok();
    assert_eq!(fs::read(&hook).unwrap(), before);
    // Gitea and Forgejo run what is in a folder; GitLab looks in another one.
    fs::create_dir_all(remote.join("hooks/pre-receive.d")).unwrap();
    ada.run(&remote, ["init", "--server"]).ok();
    assert!(remote.join("hooks/pre-receive.d/pre-receive").is_file());
    ada.run(&remote, ["init", "--server", "--hooks-dir", "custom_hooks"]).ok();
    assert!(remote.join("custom_hooks/pre-receive").is_file());
}

/// On hosts that protect branches and no other refs the ledger's refs are branches; the gate holds them all the same.
#[test]
fn a_ledger_in_branches_is_gated_and_verified_like_any_other() {
    let ada = World::new();
    let remote = ada.bare_remote("remote.git");
    let in_branches = |world: &World, dir: &Path| {
        world.git(dir, ["config", "tracevault.prefix", "refs/heads/tracevault"]).ok();
    };
    in_branches(&ada, &remote);
    ada.run(&remote, ["init", "--server"]).ok();
    let work = ada.clone(&remote, "ada");
    in_branches(&ada, &work);
    ada.commit_file(&work, "README.md", "# Shop\n");
    ada.run(&work, ["init"]).ok();
    let begin = ada.commit(&work, "Enrol");
    push(&ada, &work, &["--quiet", "origin", "main"]).ok();
    assert_eq!(ada.refs(&remote, "refs/tracevault").len(), 0);
    assert!(ada.refs(&remote, "refs/heads/tracevault/").len() > 1);
    let team = Team { ada, remote, work };
    let (ada, work) = (&team.ada, &team.work);

    ada.commit_file(work, "a", "a\n");
    refused(&team, ada, work, &["main"], &["has no record", "git tracevault push"]);
    push(ada, work, &["--quiet", "origin", "main"]).ok();
    let chain = ada.own_chain(work).replace("refs/", "refs/heads/");
    let (rewound, deleted) = (format!("{chain}~1:{chain}"), format!(":{chain}"));
    refused(&team, ada, work, &["--force", &rewound], &["would be rewritten; the ledger is append-only"]);
    refused(&team, ada, work, &["--force", &format!("main:{chain}")], &["would be rewritten"]);
    refused(&team, ada, work, &[&deleted], &["would be deleted; the ledger is append-only"]);
    refused(&team, ada, work, &["main:refs/heads/tracevault/notes"], &["holds nothing that a ledger has"]);
    let agent = Agent::start(ada, work, SESSION);
    agent.prompt("Write it.").write("b.rs", "one\ntwo\n");
    ada.commit(work, "Add b");
    push(ada, work, &["--quiet", "origin", "main"]).ok();
    // Whoever pushes all branches, pushes those of the ledger as they are.
    push(ada, work, &["--quiet", "--all", "origin"]).ok();

    // A colleague who has nothing but the address and the ledger's id, and a job.
    let (olga, range) = (ada.other("Olga"), format!("{begin}..main"));
    let plain = olga.clone(&team.remote, "olga");
    let ledger = ada.git(work, ["config", "tracevault.ledger"]).ok();
    in_branches(&olga, &plain);
    olga.run(&plain, ["fetch"]).ok();
    let verified = olga.run(&plain, ["verify", "--full", "--ledger", &ledger, "--range", &range]).exits(0);
    assert!(verified.stdout.contains("commits 2: 0 sealed, 2 signed"), "{}", verified.stdout);
    let job = olga.clone(&team.remote, "job");
    in_branches(&olga, &job);
    let judged = olga.run(&job, ["ci", "--ledger", &ledger, "--range", &range]).exits(0);
    assert!(judged.stdout.contains("2 commits"), "{}", judged.stdout);
    // A clone that was not told where the ledger is finds none, and says so instead of a pass.
    let untold = olga.clone(&team.remote, "untold");
    olga.run(&untold, ["ci", "--ledger", &ledger, "--range", &range]).exits(1);
}

//! `init`: wherever it is run, whatever is there already, and out again.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::agent::Agent;
use crate::ledger::Team;
use crate::support::World;

/// Every file below a folder with its bytes and mode, but for git's own objects, refs and the like.
fn snapshot(dir: &Path) -> BTreeMap<PathBuf, (Vec<u8>, u32)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let inside = path.strip_prefix(dir).unwrap().to_owned();
            let meta = fs::symlink_metadata(&path).unwrap();
            if meta.is_dir() {
                let skipped = [".git/objects", ".git/refs", ".git/logs", ".git/tracevault"];
                if !skipped.iter().any(|name| inside == Path::new(name)) {
                    folders.push(path);
                }
            } else {
                found.insert(inside, (fs::read(&path).unwrap(), meta.permissions().mode()));
            }
        }
    }
    found
}

fn script(world: &World, dir: &Path, name: &str, text: &str) {
    let path = world.write(dir, name, text);
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_second_time_changes_nothing_and_uninstall_gives_back_every_byte() {
    let ada = World::new();
    let work = ada.repository("work");
    ada.commit_file(&work, "README.md", "# Shop\n");
    let settings = "{\n\t\"model\": \"opus\",\n\t\"hooks\": {\"Stop\": [{\"hooks\": [{\"type\": \"command\", \"command\": \"true\"}]}]}\n}";
    ada.write(&work, ".claude/settings.json", settings);
    script(&ada, &work, ".git/hooks/post-commit", "#!/bin/sh\necho theirs\n");
    script(&ada, &work, ".git/hooks/pre-commit", "#!/bin/sh\n");
    ada.write(&work, "deep/er/file", "x");
    let before = snapshot(&work);

    // In a subdirectory all the same.
    ada.run(&work.join("deep/er"), ["init"]).ok();
    assert!(!work.join("deep/er/.claude").exists() && !work.join("deep/er/.tracevault").exists());
    let once = snapshot(&work);
    let refs = ada.refs(&work, "refs/");
    let said = ada.run(&work, ["init"]).ok();
    assert_eq!(snapshot(&work), once, "nothing changes the second time");
    assert_eq!(ada.refs(&work, "refs/"), refs, "nor is anything recorded");
    assert!(!said.contains("wrote") && !said.contains("changed"), "{said}");
    let checks = ada.run(&work, ["doctor"]).exits(2).stdout;
    assert!(!checks.contains("missing") && checks.contains("unknown remote"), "{checks}");

    ada.run(&work, ["init", "--uninstall"]).ok();
    let mut after = snapshot(&work);
    let config = String::from_utf8(after.remove(Path::new(".git/config")).unwrap().0).unwrap();
    let was = String::from_utf8(before[Path::new(".git/config")].0.clone()).unwrap();
    assert!(config.starts_with(&was) && config.contains("[tracevault]"), "the key stays known: {config}");
    let mut before = before;
    before.remove(Path::new(".git/config"));
    assert_eq!(after, before);
    assert_eq!(ada.git(&work, ["commit", "--quiet", "--allow-empty", "-m", "x"]).exits(0).stderr, "theirs\n");
    assert_eq!(
        ada.refs(&work, "refs/tracevault"),
        refs.into_iter().filter(|(n, _)| n.contains("tracevault")).collect()
    );

    // And in again, with the same key and ledger.
    ada.run(&work, ["init"]).ok();
    ada.run(&work, ["verify"]).ok();
    assert_eq!(ada.records(&work).len(), 1);
}

#[test]
fn every_kind_of_place_can_be_enrolled() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let commits_are_recorded = |world: &World, dir: &Path| {
        let commit = world.commit(dir, "Something");
        world.record_of(dir, &commit);
    };

    // A linked work tree is enrolled with its clone, and can be told so.
    ada.git(work, ["worktree", "add", "--quiet", "../linked"]).ok();
    let linked = ada.path("linked");
    commits_are_recorded(ada, &linked);
    ada.run(&linked, ["init"]).ok();
    let agent = Agent::start(ada, &linked, "linked");
    agent.prompt("Write.");
    agent.write("new.txt", "one\ntwo\n");
    let commit = ada.commit(&linked, "Linked");
    assert_eq!(ada.record_of(&linked, &commit)["total"]["agent"], 2);

    // A clone whose git folder is bare, with work trees beside it.
    let bea = ada.other("Bea");
    bea.git(&ada.path(""), ["clone", "--quiet", "--bare", "remote.git", "bea.git"]).ok();
    let bare = ada.path("bea.git");
    bea.run(&bare, ["init"]).ok();
    bea.git(&bare, ["worktree", "add", "--quiet", "../bea", "main"]).ok();
    bea.run(&ada.path("bea"), ["init"]).ok();
    commits_are_recorded(&bea, &ada.path("bea"));

    // Hooks that stand elsewhere: in the work tree, or with husky.
    let cleo = ada.other("Cleo");
    let theirs = cleo.clone(&team.remote, "cleo");
    cleo.git(&theirs, ["config", "core.hooksPath", ".githooks"]).ok();
    script(&cleo, &theirs, ".githooks/post-commit", "#!/bin/sh\necho theirs > said\n");
    cleo.run(&theirs, ["init"]).ok();
    commits_are_recorded(&cleo, &theirs);
    assert_eq!(fs::read_to_string(theirs.join("said")).unwrap(), "theirs\n");

    let dora = ada.other("Dora");
    let hers = dora.clone(&team.remote, "dora");
    dora.git(&hers, ["config", "core.hooksPath", ".husky/_"]).ok();
    dora.write(
        &hers,
        ".husky/_/h",
        "s=$(dirname \"$(dirname \"$0\")\")/$(basename \"$0\")\n[ ! -f \"$s\" ] && exit 0\nsh -e \"$s\" \"$@\"\n",
    );
    for hook in ["post-commit", "post-merge", "post-rewrite", "pre-push"] {
        script(&dora, &hers, &format!(".husky/_/{hook}"), "#!/usr/bin/env sh\n. \"${0%/*}/h\"\n");
    }
    dora.run(&hers, ["init"]).ok();
    commits_are_recorded(&dora, &hers);

    for (manager, file) in [("lefthook", "lefthook.yml"), ("pre-commit", ".pre-commit-config.yaml")] {
        let world = ada.other(manager);
        let dir = world.clone(&team.remote, manager);
        world.write(&dir, file, "");
        let said = world.run(&dir, ["init"]).ok();
        assert!(said.contains(manager), "the user is told: {said}");
        commits_are_recorded(&world, &dir);
    }
}

#[test]
fn global_hooks_do_nothing_where_nobody_enrolled_and_work_in_subdirectories() {
    let ada = World::new();
    ada.run(&ada.path(""), ["init", "--global"]).ok();
    let settings = ada.home().join(".claude/settings.json");
    assert!(fs::read_to_string(&settings).unwrap().contains("hook claude-code"));
    let other = ada.repository("other");
    Agent::start(&ada, &other, "other").write("f", "f\n");
    assert!(!other.join(".git/tracevault").exists());

    let work = ada.repository("work");
    ada.commit_file(&work, "deep/a", "a\n");
    ada.run(&work, ["init", "--global"]).ok();
    assert!(!work.join(".claude").exists());
    let agent = Agent::start(&ada, &work.join("deep"), "s");
    agent.prompt("Go on.");
    agent.write("b", "b\n");
    let commit = ada.commit(&work, "b");
    assert_eq!(
        ada.record_of(&work, &commit)["files"],
        json!([
        {"path": ".tracevault/config.toml", "added": 3, "agent": 0, "human": 0, "unattributed": 3},
        {"path": "deep/b", "added": 1, "agent": 1, "human": 0, "unattributed": 0}])
    );
    ada.run(&work, ["init", "--global", "--uninstall"]).ok();
    assert!(!settings.exists(), "we made it, and it holds nothing else");
}

#[test]
fn what_is_missing_is_said() {
    let ada = World::new();
    let refused = ada.run(&ada.path(""), ["init"]).exits(2);
    assert!(refused.stderr.contains("is not in a git repository"), "{}", refused.stderr);

    let work = ada.repository("work");
    let nobody = |args: &[&str]| {
        let mut command = ada.command(env!("CARGO_BIN_EXE_git-tracevault"), &work);
        for who in ["AUTHOR", "COMMITTER"] {
            command.env_remove(format!("GIT_{who}_NAME")).env_remove(format!("GIT_{who}_EMAIL"));
        }
        command
            .env("GIT_CONFIG_COUNT", "1")
            .env("GIT_CONFIG_KEY_0", "user.useConfigOnly")
            .env("GIT_CONFIG_VALUE_0", "true");
        let output = command.args(args).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = nobody(&["init"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("git config user.name"), "{said}");
    assert!(!work.join(".git/tracevault").exists() && !work.join(".tracevault").exists(), "nothing is half done");
    assert!(ada.git(&work, ["config", "--get-regexp", "tracevault"]).code == Some(1));

    // No network is no reason to found a second ledger.
    ada.git(&work, ["remote", "add", "origin", "../nowhere.git"]).ok();
    let refused = ada.run(&work, ["init"]).exits(2);
    assert!(refused.stderr.contains("cannot ask origin whether it has a ledger"), "{}", refused.stderr);
    assert!(ada.refs(&work, "refs/tracevault").is_empty());

    // It is none either to repeat what was done before.
    let team = Team::new();
    fs::rename(&team.remote, team.ada.path("gone.git")).unwrap();
    fs::remove_file(team.work.join(".git/hooks/pre-push")).unwrap();
    let said = team.ada.run(&team.work, ["init"]).ok();
    assert!(said.contains("pre-push"), "{said}");
}

#[test]
fn a_second_clone_joins_and_is_pending_until_an_owner_enrols_it() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let bea = ada.other("Bea");
    let hers = bea.clone(&team.remote, "bea");
    let said = bea.run(&hers, ["init"]).ok();
    assert!(said.contains("pending until an owner enrols it"), "{said}");
    assert_eq!(ada.refs(work, "refs/tracevault/policy"), bea.refs(&hers, "refs/tracevault/policy"));
    assert_eq!(bea.git(&hers, ["status", "--porcelain"]).ok(), "", "what Ada committed is enough");
    bea.commit_file(&hers, "b", "b\n");
    bea.git(&hers, ["push", "--quiet"]).ok();

    let fetched = ada.run(work, ["fetch"]).ok();
    assert!(fetched.contains("bea@example.com") && fetched.contains("member add"), "the owner is told: {fetched}");
    let pending = ada.run(work, ["verify"]).exits(2);
    assert!(pending.stdout.contains("E-PENDING") && pending.stdout.contains("member add"), "{}", pending.stdout);
    bea.run(&hers, ["member", "add", "bea@example.com"]).exits(2);
    ada.run(work, ["member", "add", "bea@example.com"]).ok();
    ada.run(work, ["verify"]).exits(0);
    ada.git(work, ["pull", "--quiet"]).ok();
    ada.passes(work, "main");
    ada.git(work, ["push", "--quiet"]).ok();
    bea.run(&hers, ["fetch"]).ok();
    bea.passes(&hers, "main");

    // Who claims to be a member does not become one by the name alone.
    let ada_again = ada.other("Ada's other");
    let laptop = ada_again.clone(&team.remote, "laptop");
    let mut init = ada_again.command(env!("CARGO_BIN_EXE_git-tracevault"), &laptop);
    assert!(init.env("GIT_AUTHOR_EMAIL", "ada@example.com").args(["init"]).output().unwrap().status.success());
    ada_again.run(&laptop, ["push"]).ok();
    ada.run(work, ["fetch"]).ok();
    let refused = ada.run(work, ["member", "add", "ada@example.com"]).exits(2);
    assert!(refused.stderr.contains("name its chain"), "{}", refused.stderr);
    let chain = ada_again.own_chain(&laptop);
    ada.run(work, ["member", "add", chain.rsplit('/').next().unwrap()]).ok();
    ada.run(work, ["verify"]).exits(0);
}

//! Pushing and fetching: what goes along, what stops a push, what a remote that was changed behind our back looks like.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::agent::Agent;
use crate::ledger::Team;
use crate::support::{Output, World};

fn push(world: &World, dir: &Path, args: &[&str]) -> Output {
    world.git(dir, [&["push"], args].concat())
}

fn tip(world: &World, dir: &Path, name: &str) -> String {
    world.git(dir, ["rev-parse", name]).ok()
}

/// The remote takes no refs of the ledger from now on.
fn refuse_ledger(team: &Team) {
    let hook = team.ada.write(&team.remote, "hooks/pre-receive", "#!/bin/sh\n! grep refs/tracevault/ >&2\n");
    fs::set_permissions(hook, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_push_is_stopped_where_the_ledger_cannot_go_along_and_a_switch_makes_it_a_warning() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let there = || tip(ada, &team.remote, "main");
    refuse_ledger(&team);
    let first = ada.commit_file(work, "a", "a\n");
    let stopped = push(ada, work, &["origin", "main"]).exits(1);
    for part in ["pre-receive hook declined", "the push is stopped", "pushOnFailure=warn"] {
        assert!(stopped.stderr.contains(part), "{part}: {}", stopped.stderr);
    }
    assert_ne!(there(), first);
    let warned = ada.git(work, ["-c", "tracevault.pushOnFailure=warn", "push", "origin", "main"]).exits(0);
    assert!(warned.stderr.contains("the code goes alone"), "{}", warned.stderr);
    assert_eq!(there(), first);

    let second = ada.commit_file(work, "b", "b\n");
    push(ada, work, &["origin", "main"]).exits(1);
    let mut command = ada.command("git", work);
    let done = command.env("TRACEVAULT_PUSH_ON_FAILURE", "warn").args(["push", "-q"]).status().unwrap();
    assert!(done.success());
    assert_eq!(there(), second);

    // A value nobody knows, or a file that cannot be read, is no reason to let the code go.
    ada.commit_file(work, "c", "c\n");
    ada.git(work, ["config", "tracevault.pushOnFailure", "wran"]).ok();
    let stopped = push(ada, work, &["origin", "main"]).exits(1);
    assert!(stopped.stderr.contains("block or warn"), "{}", stopped.stderr);
    ada.git(work, ["config", "--unset", "tracevault.pushOnFailure"]).ok();
    let config = fs::read_to_string(work.join(".tracevault/config.toml")).unwrap();
    ada.write(work, ".tracevault/config.toml", "<<<<<<< HEAD\n");
    push(ada, work, &["origin", "main"]).exits(1);
    ada.write(work, ".tracevault/config.toml", &config);
    ada.git(work, ["config", "tracevault.pushOnFailure", "warn"]).ok();
    ada.git(work, ["config", "tracevault.key", "/nowhere.key"]).ok();
    push(ada, work, &["origin", "main"]).exits(0);

    // What was kept back goes when the remote takes it again.
    let key = fs::read_dir(ada.home().join(".config/git-tracevault/keys")).unwrap();
    let key = key.map(|entry| entry.unwrap().path()).find(|path| path.extension().is_some_and(|e| e == "key")).unwrap();
    ada.git(work, [Path::new("config"), Path::new("tracevault.key"), &key]).ok();
    ada.git(work, ["config", "--unset", "tracevault.pushOnFailure"]).ok();
    fs::remove_file(team.remote.join("hooks/pre-receive")).unwrap();
    push(ada, work, &["origin", "main"]).exits(0);
    let own = ada.own_chain(work);
    assert_eq!(tip(ada, &team.remote, &own), tip(ada, work, &own));
    ada.passes(work, "origin/main");
}

#[test]
fn all_kinds_of_pushes_take_the_ledger_along_and_none_of_ours_calls_itself() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let own = ada.own_chain(work);
    let pushed = |args: &[&str]| {
        let output = push(ada, work, args).exits(0);
        assert_eq!(tip(ada, &team.remote, &own), tip(ada, work, &own), "{args:?}: {}", output.stderr);
        ada.passes(work, "HEAD");
    };
    ada.commit_file(work, "a", "a\n");
    pushed(&["origin", "HEAD:refs/heads/new"]);
    ada.commit_file(work, "b", "b\n");
    ada.git(work, ["tag", "light"]).ok();
    pushed(&["origin", "light"]);
    ada.commit_file(work, "c", "c\n");
    ada.git(work, ["tag", "-m", "x", "annotated"]).ok();
    ada.git(work, ["tag", "blob", "HEAD:c"]).ok();
    ada.git(work, ["tag", "tree", "HEAD^{tree}"]).ok();
    pushed(&["origin", "--tags"]);
    ada.git(work, ["commit", "--quiet", "--amend", "-m", "Other"]).ok();
    pushed(&["--force", "origin", "HEAD:new"]);
    pushed(&["origin", "--delete", "new", "light"]);
    ada.commit_file(work, "d", "d\n");
    pushed(&["--all"]);
    // To a URL, which is no remote of a name.
    ada.commit_file(work, "e", "e\n");
    pushed(&[team.remote.to_str().unwrap(), "main"]);
    ada.commit_file(work, "f", "f\n");
    pushed(&["origin", "main"]);
    // Ours went once each time: nothing is left to go, and a push of ours starts no other.
    assert_eq!(ada.run(work, ["push"]).ok(), "origin has all of this clone's records.");
    ada.commit_file(work, "g", "g\n");
    assert_eq!(ada.run(work, ["push"]).ok(), "Pushed 1 record to origin.");

    // A second remote gets it all.
    let other = ada.bare_remote("other.git");
    ada.git(work, ["remote", "add", "other", other.to_str().unwrap()]).ok();
    push(ada, work, &["other", "main"]).exits(0);
    assert_eq!(tip(ada, &other, &own), tip(ada, work, &own));
    assert_eq!(tip(ada, &other, "refs/tracevault/policy"), tip(ada, work, "refs/tracevault/policy"));

    // Nothing of this clone alone goes, and no chain is deleted, whatever git is told.
    let (bea, hers) = team.join("Bea");
    let chain = bea.own_chain(&hers);
    let stopped = push(ada, work, &["--mirror", "origin"]).exits(1);
    assert!(stopped.stderr.contains("refs/tracevault"), "{}", stopped.stderr);
    let stopped = push(ada, work, &["origin", &format!(":{chain}")]).exits(1);
    assert!(stopped.stderr.contains("append-only"), "{}", stopped.stderr);
    push(ada, work, &["--force", "origin", &format!("{}~1:{own}", ada.own_chain(work))]).exits(1);
    assert!(ada.refs(&team.remote, "refs/tracevault-local").is_empty());
    assert_eq!(ada.refs(&team.remote, &chain).len(), 1);
}

#[test]
fn several_push_at_once() {
    let team = Team::new();
    let people: Vec<_> = ["Bea", "Cleo", "Dora"].into_iter().map(|name| team.join(name)).collect();
    let jobs: Vec<_> = people
        .iter()
        .map(|(world, work)| {
            let agent = Agent::start(world, work, &format!("s-{}", work.file_name().unwrap().display()));
            agent.prompt("Write.");
            agent.write("f", "f\n");
            world.commit(work, "f");
            let branch = format!("HEAD:refs/heads/{}", work.file_name().unwrap().display());
            let mut command = world.command("git", work);
            command.args(["push", "--quiet", "origin", &branch]);
            std::thread::spawn(move || command.output().unwrap())
        })
        .collect();
    for job in jobs {
        let output = job.join().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    for (world, work) in &people {
        let own = world.own_chain(work);
        assert_eq!(tip(world, work, &own), tip(world, &team.remote, &own));
    }
    team.ada.run(&team.work, ["fetch"]).ok();
    team.ada.run(&team.work, ["verify", "--full"]).exits(0);

    // The same person twice at once, as two terminals do.
    let (bea, hers) = &people[0];
    std::thread::scope(|scope| {
        for n in 0..4 {
            bea.commit_file(hers, "n", &format!("{n}\n"));
            let branch = format!("HEAD:refs/heads/b{n}");
            let mut command = bea.command("git", hers);
            command.args(["push", "--quiet", "origin", &branch]);
            scope.spawn(move || {
                let output = command.output().unwrap();
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            });
        }
    });
    bea.passes(hers, "HEAD");
    assert_eq!(tip(bea, hers, &bea.own_chain(hers)), tip(bea, &team.remote, &bea.own_chain(hers)));
}

#[test]
fn a_remote_that_was_rolled_back_or_forked_is_refused_and_reported() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let own = ada.own_chain(work);
    ada.commit_file(work, "a", "a\n");
    push(ada, work, &["--quiet"]).exits(0);
    let (bea, hers) = team.join("Bea");
    bea.run(&hers, ["fetch"]).ok();
    let good = tip(ada, work, &own);
    let set = |commit: &str| ada.git(&team.remote, ["update-ref", &own, commit]).ok();
    let reported = |code: &str| {
        ada.git(work, ["commit", "--quiet", "--allow-empty", "-m", "x"]).ok();
        let mine = tip(ada, work, &own);
        let there = ada.refs(&team.remote, &own);
        let stopped = push(ada, work, &["origin", "main"]).exits(1);
        assert!(stopped.stderr.contains(code), "{}", stopped.stderr);
        let fetched = bea.run(&hers, ["fetch"]).exits(1);
        assert!(fetched.stdout.contains(code), "{}", fetched.stdout);
        // And again, for it is still so.
        assert!(bea.run(&hers, ["fetch"]).exits(1).stdout.contains(code));
        assert_eq!((tip(ada, work, &own), ada.refs(&team.remote, &own)), (mine, there), "nothing was forced");
        let seen = own.replace("refs/tracevault/", "refs/tracevault-local/origin/");
        assert_eq!(tip(ada, &hers, &seen), good, "what was seen is kept");
    };

    set(&tip(ada, work, &format!("{own}~1")));
    reported("E-ROLLBACK");

    // The same place in the chain, another record: made by a copy of Ada's clone.
    set(&good);
    ada.git(&ada.path(""), ["clone", "--quiet", "remote.git", "copy"]).ok();
    let copy = ada.path("copy");
    for what in ["config", "tracevault"] {
        let (from, to) = (work.join(".git").join(what), copy.join(".git").join(what));
        assert!(ada.command("cp", work).arg("-r").arg(from).arg(to).status().unwrap().success());
    }
    ada.git(
        &copy,
        ["fetch", "--quiet", "origin", &format!("{own}:{own}"), "refs/tracevault/policy:refs/tracevault/policy"],
    )
    .ok();
    // It lies on another machine, where nothing is known of how far the key has written.
    let keys = ada.home().join(".config/git-tracevault/keys");
    let marks =
        || std::fs::read_dir(&keys).unwrap().flatten().filter(|file| file.path().extension() == Some("head".as_ref()));
    let forget = || marks().for_each(|mark| std::fs::remove_file(mark.path()).unwrap());
    forget();
    let agent = Agent::start(ada, &copy, "copy");
    agent.prompt("Write.");
    agent.write("z", "z\n");
    ada.run(&copy, ["init"]).ok();
    ada.commit(&copy, "z");
    forget();
    let forged = tip(ada, &copy, &own);
    ada.git(&copy, ["push", "--quiet", "--no-verify", "origin", "HEAD:refs/heads/z"]).ok();
    ada.git(&copy, ["push", "--quiet", "--no-verify", "--force", "origin", &format!("{own}:{own}")]).ok();
    assert_ne!(forged, good);
    // Bea saw nothing of Ada's later records, so for her the forged chain goes on from what she saw.
    let stopped = push(ada, work, &["origin", "main"]).exits(1);
    assert!(stopped.stderr.contains("E-FORK"), "{}", stopped.stderr);
    // Nor does the next push force it, which has seen what the remote has and so would have a lease.
    let stopped = push(ada, work, &["origin", "main"]).exits(1);
    assert!(stopped.stderr.contains("E-FORK"), "{}", stopped.stderr);
    assert_eq!(tip(ada, &team.remote, &own), forged);
    assert!(ada.codes(work).contains(&"E-FORK".to_owned()));

    set(&good);
    ada.git(&team.remote, ["update-ref", "-d", &own]).ok();
    ada.git(&hers, ["config", "fetch.prune", "true"]).ok();
    reported("E-ROLLBACK");
}

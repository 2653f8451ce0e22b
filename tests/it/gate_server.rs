//! The gate where pushes come over the network: over smart HTTP and over ssh, and many at the same time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use crate::git_server::Way;
use crate::ledger::{Team, everything};
use crate::support::World;

/// A team whose remote has the gate, and is served by a machine that has nothing of theirs.
fn served(way: impl Fn(&World, &Path) -> Way) -> (Team, Way) {
    let team = Team::new();
    let server = team.ada.other("Server");
    server.run(&team.remote, ["init", "--server"]).ok();
    let way = way(&server, &team.remote);
    way.git(&team.ada, &team.work, &["remote", "set-url", "origin", &way.url]).ok();
    (team, way)
}

/// All that a server has: refs, objects, and whatever lies in its folders of objects and of temporary files.
fn holdings(team: &Team) -> (Vec<u8>, Vec<String>) {
    let world = &team.ada;
    let mut files: Vec<String> = Vec::new();
    let mut folders = vec![team.remote.join("objects"), world.path("tmp")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(entry.path()),
                false => files.push(entry.path().display().to_string()),
            }
        }
    }
    files.extend(world.refs(&team.remote, "refs/").into_iter().map(|(name, id)| format!("{id} {name}")));
    files.sort();
    (everything(world, &team.remote), files)
}

fn the_gate_holds_on_the_way(way: impl Fn(&World, &Path) -> Way) {
    let (team, way) = served(way);
    let (ada, work) = (&team.ada, &team.work);
    let enrolled = ada.git(work, ["rev-parse", "HEAD"]).ok();
    let refused = |args: &[&str], why: &[&str]| {
        let before = holdings(&team);
        let output = way.git(ada, work, &[&["push", "--no-verify", "origin"], args].concat()).exits(1);
        for part in why.iter().chain(&["tracevault: the push is not let in", "hook declined"]) {
            let told = output.stderr.lines().any(|line| {
                line.contains(part) && (line.starts_with("remote: ") || line.starts_with(" ! [remote rejected]"))
            });
            assert!(told, "{args:?}: {part}: {}", output.stderr);
        }
        assert!(holdings(&team) == before, "{args:?} left something behind");
    };
    ada.commit_file(work, "a", "a\n");
    refused(
        &["main"],
        &["it has no record", "hint: if only the ledger stayed behind (--no-verify): git tracevault push"],
    );
    way.git(ada, work, &["push", "origin", "main"]).exits(0);
    let chain = ada.own_chain(work);
    refused(&["--force", &format!("{chain}~1:{chain}")], &["would be rewritten; the ledger is append-only"]);
    refused(&[&format!(":{chain}")], &["would be deleted; the ledger is append-only"]);

    // A colleague who has nothing but the address and the ledger's id.
    let olga = ada.other("Olga");
    way.git(&olga, &ada.path(""), &["clone", "--quiet", &way.url, "olga"]).ok();
    let (hers, ledger) = (ada.path("olga"), ada.git(work, ["config", "tracevault.ledger"]).ok());
    let spec = "refs/tracevault/*:refs/tracevault/*";
    way.git(&olga, &hers, &["fetch", "--quiet", "origin", spec]).ok();
    let range = format!("{enrolled}..main");
    olga.run(&hers, ["verify", "--full", "--ledger", &ledger, "--range", &range]).exits(0);
    assert_eq!(olga.git(&hers, ["rev-list", "--count", &range]).ok(), "1");
}

#[test]
fn the_gate_holds_over_http() {
    the_gate_holds_on_the_way(Way::http);
}

#[test]
fn the_gate_holds_over_ssh() {
    the_gate_holds_on_the_way(Way::ssh);
}

/// How many clones push at the same time, and to how many branches.
const MANY: usize = 20;
const BRANCHES: usize = 5;

/// Works and pushes as a person does: whoever comes second takes over what the others did, and tries again after a while.
const WORK: &str = r#"
    echo x >"$GIT_AUTHOR_NAME" && git add . && git commit --quiet -m "$GIT_AUTHOR_NAME" || exit 1
    branch=team/$((${GIT_AUTHOR_NAME#Dev} % $BRANCHES)) try=0
    until git push --quiet origin "HEAD:refs/heads/$branch"; do
        try=$((try + 1)) && [ $try -lt 100 ] || exit 1
        sleep $(((${GIT_AUTHOR_NAME#Dev} + try) % 3))
        git pull --quiet --rebase origin "$branch" || exit 1
    done
"#;

/// Tries meanwhile to get in what must not: code without its record, and a chain that was rewound.
const MISCHIEF: &str = r#"
    echo x >evil && git add . && git commit --quiet -m Unrecorded || exit 1
    chain=$(git for-each-ref --format='%(refname)' refs/tracevault/log | head -n 1)
    for branch in main team/0 team/1; do
        ! git push --quiet --force origin "HEAD:refs/heads/$branch" || exit 1
        ! git push --quiet --force origin "$chain~1:$chain" || exit 1
    done
"#;

/// Runs a script in each clone, in all of them at the same time.
fn at_once(clones: &[(World, PathBuf)], script: &str) -> Vec<Child> {
    let start = |(world, dir): &(World, PathBuf)| {
        let mut command = world.command("sh", dir);
        command.args(["-c", script]).env("BRANCHES", BRANCHES.to_string());
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    clones.iter().map(start).collect()
}

fn succeed(children: Vec<Child>) {
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn twenty_clones_push_at_the_same_time() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    ada.run(&team.remote, ["init", "--server"]).ok();
    let begin = ada.git(work, ["rev-parse", "main"]).ok();
    let clone = |name: String| {
        let world = ada.other(&name);
        let dir = world.clone(&team.remote, &name.to_lowercase());
        (world, dir)
    };
    let clones: Vec<_> = (0..MANY).map(|n| clone(format!("Dev{n}"))).collect();
    succeed(at_once(&clones, "git tracevault init && git tracevault push"));
    ada.run(work, ["fetch"]).ok();
    for n in 0..MANY {
        ada.run(work, ["member", "add", &format!("dev{n}@example.com")]).ok();
    }
    ada.run(work, ["push"]).ok();
    // Who has no program, and therefore no hooks.
    let strangers: Vec<_> = (0..2).map(|n| clone(format!("Eve{n}"))).collect();
    for (eve, dir) in &strangers {
        eve.git(dir, ["fetch", "--quiet", "origin", "refs/tracevault/*:refs/tracevault/*"]).ok();
    }
    let (works, mischief) = (at_once(&clones, WORK), at_once(&strangers, MISCHIEF));
    succeed(works);
    succeed(mischief);

    // All that is right came in, once, and nothing else.
    ada.git(work, ["fetch", "--quiet"]).ok();
    ada.run(work, ["fetch"]).ok();
    let branches = ada.refs(&team.remote, "refs/heads/team/");
    assert_eq!(branches.len(), BRANCHES);
    let range = |name: &String| format!("{begin}..{}", name.replace("refs/heads/", "origin/"));
    let subjects = |name| ada.git(work, ["log", "--format=%s", &range(name)]).ok();
    let mut came: Vec<_> =
        branches.keys().flat_map(|name| subjects(name).lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    let mut wanted: Vec<_> = (0..MANY).map(|n| format!("Dev{n}")).collect();
    came.sort();
    wanted.sort();
    assert_eq!(came, wanted);
    let there = ada.refs(&team.remote, "refs/tracevault/log/");
    for (world, dir) in &clones {
        let chain = world.own_chain(dir);
        assert_eq!(there[&chain], world.git(dir, ["rev-parse", &chain]).ok(), "a chain is there as it is here");
    }
    branches.keys().for_each(|name| ada.passes(work, &range(name)));
    ada.git(&team.remote, ["fsck", "--strict"]).exits(0);
}

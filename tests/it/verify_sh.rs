//! The second verifier, `docs/verify.sh`, on a ledger that the program has made: with each of its signature tools, the
//! verdict is the program's.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::agent::Agent;
use crate::ledger::Team;
use crate::support::World;

/// The signature tools that are here; none where the script cannot run at all.
fn tools() -> Vec<&'static str> {
    let there = |name: &str| Command::new("sh").args(["-c", "command -v \"$1\" >/dev/null", "-", name]).status();
    let there = |name: &&str| there(name).is_ok_and(|status| status.success());
    if there(&"jq") { ["minisign", "openssl"].into_iter().filter(there).collect() } else { Vec::new() }
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verify.sh")
}

/// Exit code and output of the script.
fn verify(world: &World, dir: &Path, tool: &str, args: &[&str]) -> (Option<i32>, String) {
    let mut command = world.command("sh", dir);
    let output = command.arg(script()).args(args).env("VERIFY_SIGNATURES", tool).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), text)
}

/// Demands of the script what the program says of the clone.
#[track_caller]
pub fn agree(world: &World, dir: &Path, code: i32, finding: &str) {
    let ours = world.run(dir, ["verify", "--full"]).exits(code);
    assert!(ours.stdout.contains(finding), "{ours:?}");
    // Once is enough for what has nothing to do with signatures.
    let tools = tools();
    for tool in &tools[..if code == 0 { tools.len() } else { tools.len().min(1) }] {
        let (theirs, text) = verify(world, dir, tool, &[]);
        assert_eq!(theirs, Some(code), "{tool}: {text}");
        assert!(text.contains(finding), "{tool}: {text}");
    }
}

#[test]
fn the_shell_agrees_about_a_ledger_that_people_made() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let agent = Agent::start(ada, work, "first");
    agent.prompt("Sell apples.");
    agent.write("src/größe.py", "def sell():\n    return 'apple'\n");
    ada.commit(work, "Sell apples");
    ada.git(work, ["commit", "--quiet", "--amend", "-m", "Sell some apples"]).ok();
    agent.end();
    ada.git(work, ["push", "--quiet", "origin", "main"]).ok();
    agree(ada, work, 0, "");

    // From elsewhere, by the ledger's id alone; a wrong one, and none.
    let ledger = ada.git(work, ["config", "tracevault.ledger"]).ok();
    let cleo = ada.other("Cleo");
    let theirs = cleo.clone(&team.remote, "cleo");
    cleo.git(&theirs, ["fetch", "--quiet", "origin", "refs/tracevault/*:refs/tracevault/*"]).ok();
    for tool in tools() {
        let there = theirs.to_str().unwrap();
        assert_eq!(verify(&cleo, &cleo.home(), tool, &["-C", there, "--ledger", &ledger]).0, Some(0));
        let (code, text) = verify(&cleo, &theirs, tool, &["--ledger", &"0".repeat(64)]);
        assert!(code == Some(1) && text.contains("E-LEDGER"), "{text}");
        assert_eq!(verify(&cleo, &theirs, tool, &[]).0, Some(3));
        assert_eq!(verify(&cleo, &theirs, tool, &["--nonsense"]).0, Some(2));
    }

    // A writer that waits, and one that counts.
    let (bea, hers) = team.join("Bea");
    bea.run(&hers, ["fetch"]).ok();
    agree(&bea, &hers, 0, "");
    let dan = ada.other("Dan");
    let his = dan.clone(&team.remote, "dan");
    dan.run(&his, ["init"]).ok();
    agree(&dan, &his, 2, "E-PENDING");

    // What a record names is gone.
    for name in ada
        .refs(work, "refs/tracevault/payload/")
        .into_keys()
        .chain(ada.refs(work, "refs/tracevault-local/").into_keys().filter(|name| name.contains("/payload/")))
    {
        ada.git(work, ["update-ref", "-d", &name]).ok();
    }
    agree(ada, work, 2, "E-MISSING");

    // Another record under the newest one's signature, in the only copy of the chain.
    for name in ada.refs(work, "refs/tracevault-local/").into_keys() {
        ada.git(work, ["update-ref", "-d", &name]).ok();
    }
    let chain = ada.own_chain(work);
    let script = r#"record=$(git cat-file blob "$1:record.json" | sed 's/"type"/"Type"/' | git hash-object -w --stdin)
        tree=$(git ls-tree "$1" | sed "s/[0-9a-f]*\trecord.json$/$record\trecord.json/" | git mktree)
        git update-ref "$1" "$(git cat-file commit "$1" | sed "1s/.*/tree $tree/" | git hash-object -t commit -w --stdin)""#;
    let status = ada.command("sh", work).args(["-c", script, "-", &chain]).status().unwrap();
    assert!(status.success());
    agree(ada, work, 1, "E-CANON");
}

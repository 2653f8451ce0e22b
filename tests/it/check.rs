//! The rules: set, tried, and kept to by a push.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::agent::Agent;
use crate::ledger::Team;
use crate::support::World;

const SESSION: &str = "0b7d3a52-6c1e-4f0a-9d3b-1f2e3d4c5b6a";

fn rule(level: &str, more: &str) -> String {
    format!("[[rule]]\nname = \"r\"\nlevel = \"{level}\"\n{more}\n")
}

fn sensitive(level: &str) -> String {
    rule(level, "condition = \"sensitive-paths\"\npaths = [\"secrets\"]")
}

/// Puts rules in force; they go along with the next push.
fn set(world: &World, dir: &Path, text: &str) {
    let file = world.write(&world.path("tmp"), "rules.toml", text);
    world.run(dir, ["policy".as_ref(), "set".as_ref(), file.as_os_str()]).ok();
}

fn check(world: &World, dir: &Path, args: &[&str], code: i32) -> Value {
    let output = world.run(dir, [&["check", "--json"], args].concat()).exits(code);
    serde_json::from_str(&output.stdout).unwrap()
}

#[test]
fn a_push_keeps_to_the_rules() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let there = || ada.git(&team.remote, ["rev-parse", "main"]).ok();
    assert!(ada.run(work, ["check"]).ok().starts_with("No rules are in force."));
    assert_eq!(check(ada, work, &[], 0), json!({"verdict": "pass", "rules": []}));
    set(ada, work, &sensitive("block"));

    let agent = Agent::start(ada, work, SESSION);
    agent.prompt("Write it.").write("secrets/key.rs", "one\ntwo\n");
    let before = there();
    let commit = ada.commit(work, "Add a key");
    let push = |more: &[&str]| {
        ada.git(work, [&["-c", "tracevault.pushOnFailure=warn", "push", "origin", "main"], more].concat())
    };
    let stopped = push(&[]).exits(1);
    for part in ["block", &commit[..12], "secrets/key.rs: 2 lines", "(rule r)", "to do:", "stopped by the rules"] {
        assert!(stopped.stderr.contains(part), "{part}: {}", stopped.stderr);
    }
    assert_eq!(there(), before, "the code did not go");
    let answer = check(ada, work, &[], 1);
    assert_eq!(answer["verdict"], "block");
    let [told] = &answer["rules"].as_array().unwrap()[..] else { panic!("{answer}") };
    for (key, value) in [
        ("rule", json!("r")),
        ("condition", json!("sensitive-paths")),
        ("level", json!("block")),
        ("outcome", json!("fail")),
        ("commits", json!([commit])),
        ("files", json!(["secrets/key.rs"])),
    ] {
        assert_eq!(told[key], value, "{key}");
    }
    assert!(told["message"].as_str().unwrap().contains("2 lines of an agent's"), "{told}");
    assert_eq!(told.as_object().unwrap().len(), 7);
    let form = |form: &str| ada.run(work, ["check", "--format", form]).exits(1).stdout;
    let sarif: Value = serde_json::from_str(&form("sarif")).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!((&result["ruleId"], &result["properties"]["commit"]), (&json!("r"), &json!(commit)));
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(
        (&place["artifactLocation"]["uri"], &place["region"]["startLine"]),
        (&json!("secrets/key.rs"), &json!(1))
    );
    assert!(form("junit").contains("<testcase classname=\"git-tracevault.r\""));
    assert!(form("markdown").starts_with("## ❌ git-tracevault: fail\n\n1 commit checked by 1 rule.\n"));

    // Others' rules are tried on what happened, and are not in force for it.
    let milder = ada.write(&ada.path("tmp"), "milder.toml", &sensitive("warn"));
    let tried = ada.run(work, ["policy".as_ref(), "test".as_ref(), milder.as_os_str()]).exits(0);
    assert!(tried.stdout.contains("warn"), "{tried:?}");
    let file = milder.to_str().unwrap();
    assert_eq!(check(ada, work, &["--policy", file, "--range", "HEAD~1..HEAD"], 0)["verdict"], "warn");
    assert_eq!(check(ada, work, &["--policy", file, "HEAD~1"], 0)["verdict"], "pass");
    push(&[]).exits(1);

    set(ada, work, &sensitive("warn"));
    let warned = push(&[]).exits(0);
    assert!(warned.stderr.contains("warn") && warned.stderr.contains("secrets/key.rs"), "{}", warned.stderr);
    assert_eq!(there(), commit);
    assert_eq!(check(ada, work, &["HEAD"], 0)["verdict"], "warn");

    // The rules went along: others are held to them.
    set(ada, work, &sensitive("block"));
    ada.run(work, ["push"]).ok();
    let (bea, hers) = team.join("Bea");
    Agent::start(&bea, &hers, "1b7d3a52-6c1e-4f0a-9d3b-1f2e3d4c5b6a").prompt("More.").write("secrets/b.rs", "b\n");
    bea.commit(&hers, "Add another");
    bea.git(&hers, ["push", "origin", "main"]).exits(1);
    assert_eq!(there(), commit);
    assert_eq!(check(&bea, &hers, &[], 1)["rules"][0]["files"], json!(["secrets/b.rs"]));
    // What a person writes there is no agent's.
    bea.git(&hers, ["reset", "--quiet", "--hard", "origin/main"]).ok();
    bea.commit_file(&hers, "secrets/c.rs", "c\n");
    bea.git(&hers, ["push", "origin", "main"]).exits(0);
}

#[test]
fn tools_must_have_run_after_the_last_edit_and_nobody_has_approved() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    set(ada, work, &rule("block", "condition = \"required-tool\"\nprograms = [\"ls\"]"));
    let agent = Agent::start(ada, work, SESSION);
    agent.prompt("Write it.").write("a.rs", "one\n");
    ada.commit(work, "Add a");
    let stopped = ada.git(work, ["push", "origin", "main"]).exits(1);
    assert!(stopped.stderr.contains("program ls must have succeeded after the last edit"), "{}", stopped.stderr);
    ada.pass(5);
    agent.bash("ls");
    let run = ada.git(work, ["push", "origin", "main"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    agent.edit("a.rs", "one", "two");
    ada.commit(work, "Change a");
    ada.git(work, ["push", "origin", "main"]).exits(1);

    set(ada, work, &rule("block", "condition = \"sensitive-paths\"\npaths = [\"a.rs\"]\nreviewer = \"auditor\""));
    let open = check(ada, work, &["--range", "HEAD~1..HEAD"], 1);
    assert_eq!((&open["verdict"], &open["rules"][0]["outcome"]), (&json!("block"), &json!("fail")));
    let all = rule("block", "condition = \"trace-completeness\"");
    set(ada, work, &all);
    assert_eq!(check(ada, work, &["--range", "HEAD~1..HEAD"], 0)["verdict"], "pass");
    // A key that cannot be read keeps nothing back where the ledger may stay behind; the rules do.
    ada.git(work, ["config", "tracevault.key", "/nowhere.key"]).ok();
    ada.commit_file(work, "b", "b\n");
    let stopped = ada.git(work, ["-c", "tracevault.pushOnFailure=warn", "push", "origin", "main"]).exits(1);
    assert!(stopped.stderr.contains("it has no record"), "{}", stopped.stderr);
}

#[test]
fn rules_are_shown_and_changed_by_those_who_may() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    assert!(ada.run(work, ["policy"]).ok().starts_with("No rules are in force."));
    assert_eq!(ada.run(work, ["policy", "show", "--json"]).json(), Value::Null);
    let bad = ada.write(&ada.path("tmp"), "bad.toml", "[[rule]]\nname = \"x\"\nlevel = \"warm\"\ncondition = \"y\"\n");
    let refused = ada.run(work, ["policy".as_ref(), "set".as_ref(), bad.as_os_str()]).exits(2);
    for part in ["bad.toml:3:9: ", "bad.toml:4:13: unknown condition \"y\""] {
        assert!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
    }
    ada.run(work, ["policy".as_ref(), "test".as_ref(), bad.as_os_str()]).exits(2);
    let text = sensitive("block");
    let done = ada.feed(work, ["policy", "set", "-"], text.as_bytes()).ok();
    assert!(done.contains("+name = \"r\"") && done.contains("1 rule is in force"), "{done}");
    let again = ada.feed(work, ["policy", "set", "-"], text.as_bytes()).ok();
    assert_eq!(again, "These rules are in force already.");
    let shown = ada.run(work, ["policy", "show"]).ok();
    assert!(
        shown.starts_with("# Policy record 1, set by ada@example.com at 2026-01-01 00:00 UTC.\n[[rule]]"),
        "{shown}"
    );
    let shown = ada.run(work, ["policy", "show", "--json"]).json();
    assert_eq!((&shown["toml"], &shown["by"], &shown["n"]), (&json!(text), &json!(["ada@example.com"]), &json!(1)));
    ada.passes(work, "HEAD");

    // An editor that changes them, one that breaks them, one that leaves them, one that fails.
    let edit = |script: &str, input: &str| {
        let editor = ada.write(
            &ada.path("tmp"),
            "editor",
            &format!("#!/bin/sh\nls -l \"$1\" | cut -c1-10 >\"$0.mode\"\n{script}\n"),
        );
        fs::set_permissions(&editor, fs::Permissions::from_mode(0o755)).unwrap();
        ada.git(work, ["config", "core.editor", editor.to_str().unwrap()]).ok();
        ada.feed(work, ["policy", "edit"], input.as_bytes())
    };
    assert_eq!(edit("true", "").ok(), "Nothing was changed.");
    assert_eq!(fs::read_to_string(ada.path("tmp/editor.mode")).unwrap(), "-rw-------\n");
    edit("false", "").exits(2);
    let given_up = edit("echo oops >>\"$1\"", "n\n").exits(2);
    assert!(given_up.stderr.contains(":6:") && given_up.stderr.contains("Nothing was changed."), "{}", given_up.stderr);
    edit("echo oops >>\"$1\"", "").exits(2);
    let mended = "if grep -q oops \"$1\"; then sed -i -e /oops/d -e s/block/warn/ \"$1\"; else echo oops >>\"$1\"; fi";
    let done = edit(mended, "y\n").exits(0).stdout;
    assert!(done.contains("-level = \"block\"\n+level = \"warn\""), "{done}");
    assert!(ada.run(work, ["policy"]).ok().contains("Policy record 2, "));

    let (bea, hers) = team.join("Bea");
    let refused = bea.feed(&hers, ["policy", "set", "-"], b"").exits(2);
    assert!(refused.stderr.contains("none of its signers may write it"), "{}", refused.stderr);
    assert!(bea.run(&hers, ["policy"]).ok().contains("Policy record 2, "));
    bea.passes(&hers, "HEAD");
}

#[test]
fn rules_that_cannot_be_told_stop_a_push() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    set(ada, work, &sensitive("block"));
    ada.run(work, ["push"]).ok();
    ada.run(work, ["verify"]).ok();
    // The policy chain is rewound, here and as it was seen at the remote.
    for name in ["refs/tracevault/policy", "refs/tracevault-local/origin/policy"] {
        ada.git(work, ["update-ref", name, "refs/tracevault/policy~1"]).code.unwrap();
    }
    ada.git(work, ["update-ref", "-d", "refs/tracevault-local/origin/policy"]).ok();
    ada.commit_file(work, "a", "a\n");
    let stopped = ada.git(work, ["push", "origin", "main"]).exits(1);
    assert!(stopped.stderr.contains("E-ROLLBACK"), "{}", stopped.stderr);
    ada.run(work, ["check"]).exits(2);
    ada.git(work, ["update-ref", "-d", "refs/tracevault/policy"]).ok();
    ada.run(work, ["check"]).exits(2);
    ada.git(work, ["push", "origin", "main"]).exits(1);
}

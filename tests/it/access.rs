//! Journeys of readers who leave a record of what they opened: when there is one, where it is told, and what never stops them.

use std::path::{Path, PathBuf};

use crate::agent::Agent;
use crate::ledger::Team;
use crate::support::{Output, World};
use crate::verify_sh;

const ON: &[u8] = b"[payloads]\nencrypt = [\"transcript\"]\n";
const PLAIN: &str = "3e0a6d85-9f4b-4c3d-8a6e-4c5b6a7f8e9d";
const SESSION: &str = "0b7d3a52-6c1e-4f0a-9d3b-1f2e3d4c5b6a";

/// A session, its commit, and the push of both.
fn works(world: &World, dir: &Path, session: &str, file: &str) {
    let agent = Agent::start(world, dir, session);
    agent.prompt("Please write it.").write(file, "one\ntwo\n");
    agent.end();
    world.commit(dir, "Write it");
    world.git(dir, ["push", "--quiet", "origin", "main"]).ok();
}

/// A team with an auditor, a session in plain text and one that is encrypted.
pub fn audited() -> (Team, World, PathBuf) {
    let team = Team::new();
    let (ann, anns) = team.join("Ann");
    let (ada, work) = (&team.ada, &team.work);
    works(ada, work, PLAIN, "plain.rs");
    ada.run(work, ["member", "set", "ann@example.com", "--role", "auditor"]).ok();
    ada.feed(work, ["policy", "set", "-"], ON).ok();
    works(ada, work, SESSION, "plum.rs");
    ann.run(&anns, ["fetch"]).ok();
    ann.git(&anns, ["pull", "--quiet", "origin", "main"]).ok();
    (team, ann, anns)
}

#[track_caller]
fn reads(output: Output) -> String {
    let output = output.exits(0);
    assert!(output.stdout.contains("Please write it."), "{output:?}");
    output.stderr
}

#[test]
fn who_opens_what_is_encrypted_may_have_it_recorded() {
    let (team, ann, anns) = audited();
    let (ada, work) = (&team.ada, &team.work);
    let made = || -> Vec<String> {
        let kinds = ann.records(&anns).into_iter().map(|record| record["type"].as_str().unwrap().to_owned());
        kinds.filter(|kind| kind == "access" || kind == "export").collect()
    };
    // Nobody has asked for it, or there was nothing encrypted to open.
    assert_eq!(reads(ann.run(&anns, ["show", SESSION])), "");
    assert_eq!(reads(ann.run(&anns, ["show", "--log-access", PLAIN])), "");
    assert_eq!(reads(ann.run(&anns, ["why", "--log-access", "plain.rs:1"])), "");
    ann.run(&anns, ["blame", "plum.rs"]).ok();
    assert_eq!(made(), Vec::<String>::new());

    assert!(reads(ann.run(&anns, ["show", "--log-access", SESSION])).contains("says that this was read"));
    reads(ann.run(&anns, ["why", "--log-access", "plum.rs:1"]));
    let given = reads(ann.run(&anns, ["export", "--session", SESSION, "--log-access"]));
    assert!(given.contains("says that this was exported"), "{given}");
    assert_eq!(made(), ["access", "access", "export"]);
    ann.git(&anns, ["config", "tracevault.logAccess", "true"]).ok();
    reads(ann.run(&anns, ["show", "--json", SESSION]));
    assert_eq!(made(), ["access", "access", "export", "access"]);
    ann.git(&anns, ["config", "tracevault.logAccess", "maybe"]).ok();
    let wrong = ann.run(&anns, ["show", SESSION]).exits(2);
    assert!(wrong.stderr.contains("tracevault.logAccess") && wrong.stderr.contains("true or false"), "{wrong:?}");
    ann.git(&anns, ["config", "tracevault.logAccess", "false"]).ok();

    // It names the session's records, and everybody can see it.
    let shown = ada.run(work, ["show", "--json", SESSION]).ok();
    let facts: serde_json::Value = serde_json::from_str(shown.lines().next().unwrap()).unwrap();
    let body = &ann.records_of(&anns, "export")[0];
    assert_eq!((&body["session"], &body["records"][0]), (&facts["session"], &facts["segments"][0]["record"]));
    ann.run(&anns, ["push"]).ok();
    ada.run(work, ["fetch"]).ok();
    let told = ada.run(work, ["show", SESSION]).ok();
    assert_eq!(told.matches("UTC by ann@example.com (access, record ").count(), 3, "{told}");
    assert_eq!(told.matches("UTC by ann@example.com (export, record ").count(), 1, "{told}");
    let record = ann.git(&anns, ["rev-parse", &ann.own_chain(&anns)]).ok();
    assert!(ada.run(work, ["show", &record]).ok().contains("\"type\": \"access\""));
    verify_sh::agree(ada, work, 0, "");
}

#[test]
fn nothing_that_goes_wrong_with_the_record_keeps_anybody_from_reading() {
    let (team, ann, anns) = audited();
    // The chain cannot be written to.
    let key = PathBuf::from(ann.git(&anns, ["config", "tracevault.key"]).ok());
    let secret = std::fs::read(&key).unwrap();
    std::fs::write(&key, "nonsense\n").unwrap();
    let said = reads(ann.run(&anns, ["show", "--log-access", SESSION]));
    assert!(said.contains("warning: no record says that this was opened"), "{said}");
    std::fs::write(&key, secret).unwrap();
    // One who may not read leaves no record of reading, and one whose key is not enrolled leaves a pending one.
    let (bob, bobs) = team.join("Bob");
    bob.run(&bobs, ["fetch"]).ok();
    let sealed = bob.run(&bobs, ["show", "--log-access", SESSION]).exits(0);
    assert!(!sealed.stdout.contains("Please write it.") && bob.records_of(&bobs, "access").is_empty());
    let refused = bob.run(&bobs, ["export", "--session", SESSION, "-o", "out.jsonl"]).exits(2);
    assert!(refused.stderr.contains("encrypted") && !bobs.join("out.jsonl").exists(), "{refused:?}");
    team.ada.git(&team.work, ["config", "tracevault.logAccess", "true"]).ok();
    team.ada.run(&team.work, ["init", "--new-key"]).ok();
    reads(team.ada.run(&team.work, ["show", SESSION]));
    assert_eq!(team.ada.records_of(&team.work, "access").len(), 1);
    team.ada.run(&team.work, ["verify", "--full"]).exits(2);
}

#[test]
fn a_transcript_is_given_out_line_for_line() {
    let (team, _, _) = audited();
    let (ada, work) = (&team.ada, &team.work);
    for session in [PLAIN, SESSION] {
        let whole = ada.run(work, ["export", "--session", &session[..6]]).ok();
        let path = ada.home().join(format!(".claude/projects/-repo/{session}.jsonl"));
        assert_eq!(whole, std::fs::read_to_string(path).unwrap().trim_end(), "nothing in it was redacted");
        ada.run(work, ["export", "--session", session, "-o", "out.jsonl"]).ok();
        assert_eq!(std::fs::read_to_string(work.join("out.jsonl")).unwrap().trim_end(), whole);
    }
    ada.run(work, ["export", "--session", "nobody"]).exits(2);
    ada.run(work, ["export", "--session", SESSION, "HEAD"]).exits(2);
}

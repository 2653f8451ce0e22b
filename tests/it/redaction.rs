//! An organisation's own redaction rules: what they take out, and what a file that is wrong stops.

use crate::agent::Agent;
use crate::ledger::{Team, everything};

#[test]
fn own_rules_hold_and_wrong_ones_stop_recording_and_nothing_else() {
    let team = Team::new();
    let (ada, work) = (&team.ada, team.work.as_path());
    let rules = ada.home().join(".config/git-tracevault");
    std::fs::create_dir_all(&rules).unwrap();
    let set = |text: &str| std::fs::write(rules.join("redaction.toml"), text).unwrap();
    set("[[rule]]\nid = \"acme-key\"\npattern = 'acme_('\n");
    let refused = ada.feed(work, ["redact"], b"acme_12345678\n").exits(2);
    assert!(refused.stdout.is_empty() && refused.stderr.contains("redaction.toml"), "{}", refused.stderr);
    assert!(refused.stderr.contains("acme-key") || refused.stderr.contains("line"), "{}", refused.stderr);
    let agent = Agent::start(ada, work, "pears-1");
    agent.prompt("Sell pears with acme_12345678").write("pears.py", "pears = 1\n");
    agent.end();
    // The commit is made; what could not be redacted is not stored, and that is said.
    ada.git(work, ["add", "-A"]).ok();
    let said = ada.git(work, ["commit", "--quiet", "-m", "Sell pears"]).exits(0).stderr;
    assert!(said.contains("redaction.toml"), "{said}");
    assert!(ada.run(work, ["show", "pears-1"]).code != Some(0), "nothing of it is recorded");
    for command in [&["verify"][..], &["blame", "README.md"], &["log"], &["status"]] {
        let done = ada.run(work, command);
        assert!(!done.stderr.contains("redaction.toml"), "{command:?}: {}", done.stderr);
    }
    // With the rule mended the next push catches up, and the rule holds.
    set("[[rule]]\nid = \"acme-key\"\npattern = 'acme_(\\d{8})'\n");
    ada.git(work, ["push", "--quiet", "origin", "main"]).ok();
    let shown = ada.run(work, ["show", "pears-1"]).ok();
    assert!(shown.contains("Sell pears with acme_[REDACTED:acme-key:"), "{shown}");
    assert_eq!(ada.feed(work, ["redact"], b"acme_87654321\n").ok().find("acme_[REDACTED:acme-key:"), Some(0));
    let by_rules = || ada.records_of(work, "session").last().unwrap()["rules"].as_str().unwrap().to_owned();
    let first = by_rules();
    set("");
    let agent = Agent::start(ada, work, "plums-1");
    agent.prompt("Sell plums");
    agent.end();
    assert!(first.len() == 64 && by_rules() != first, "records name the rules");
    let all = everything(ada, &team.remote);
    assert!(!all.windows(8).any(|window| window == b"12345678"), "the secret left this machine");
}

//! The whole way: prompt, edit, commit, push as ever; a colleague clones, fetches, verifies and reads.

use crate::agent::Agent;
use crate::ledger::Team;

#[test]
fn two_people_work_as_ever_and_a_third_reads_it_all() {
    let team = Team::new();
    let (ada, work) = (&team.ada, &team.work);
    let agent = Agent::start(ada, work, "first");
    agent.prompt("Sell apples.");
    agent.write("src/shop.py", "def sell():\n    return 'apple'\n");
    agent.say("Done.");
    ada.write(work, "src/shop.py", "def sell():\n    return 'apple'\n\nsell()\n");
    let first = ada.commit(work, "Sell apples");
    let record = ada.record_of(work, &first);
    assert_eq!(record["total"], serde_json::json!({"added": 4, "agent": 2, "human": 0, "unattributed": 2}));
    let push = ada.git(work, ["push", "origin", "main"]).exits(0);
    assert!(push.stderr.contains("tracevault: "), "{}", push.stderr);
    agent.end();

    let (bea, hers) = team.join("Bea");
    bea.git(&hers, ["pull", "--quiet"]).ok();
    let agent = Agent::start(&bea, &hers, "second");
    agent.prompt("Sell pears.");
    agent.edit("src/shop.py", "'apple'", "'pear'");
    let second = bea.commit(&hers, "Sell pears");
    bea.git(&hers, ["push", "--quiet"]).ok();

    // Cleo has a clone and no init.
    let cleo = ada.other("Cleo");
    let theirs = cleo.clone(&team.remote, "cleo");
    cleo.run(&theirs, ["verify"]).exits(3);
    let fetched = cleo.run(&theirs, ["fetch"]).ok();
    assert!(fetched.contains("Fetched"), "{fetched}");
    let verified = cleo.run(&theirs, ["verify", "--json", "--commits", &first, &second]).json();
    assert_eq!((&verified["verdict"], &verified["findings"]), (&"pass".into(), &serde_json::json!([])));
    let notes = cleo.git(&theirs, ["log", "--notes=tracevault", "--format=%s%n%N"]).ok();
    assert!(notes.contains("Agent: claude-code (claude-opus-5-5), session second"), "{notes}");
    assert!(notes.contains("Lines: 4 added, 2 agent, 0 human, 2 unattributed"), "{notes}");
    assert!(!cleo.refs(&theirs, "refs/tracevault/").keys().any(|name| name.contains("/log/")), "others' stay apart");
}

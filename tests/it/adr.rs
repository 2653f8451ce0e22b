//! `adr`: decisions become numbered records, which are brought up to date, and left alone once a person has edited them.

use std::fs;
use std::path::Path;

use crate::agent::Agent;
use crate::ledger::Team;

/// The records of a folder by their names.
fn records(dir: &Path) -> Vec<(String, String)> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let read =
        |entry: fs::DirEntry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap());
    let mut all: Vec<_> = entries.map(|entry| read(entry.unwrap())).collect();
    all.sort();
    all
}

/// Two sessions: one decides twice, one says nothing of the kind.
fn decided() -> Team {
    let team = Team::new();
    {
        let (ada, work) = (&team.ada, team.work.as_path());
        let agent = Agent::start(ada, work, "formats");
        agent.prompt("Which format shall settings have?");
        agent.think("We could use YAML. JSON has no comments.");
        agent.say("I'll go with TOML rather than YAML, because operators comment their settings.");
        agent.write("settings.toml", "a = 1\n");
        agent.prompt("And where are they looked for?").say("Let's use the working directory.");
        agent.write("load.py", "import tomllib\n");
        let other = Agent::start(ada, work, "plain");
        other.prompt("Write a readme.").say("Done.").write("NOTES.md", "Notes\n");
        ada.commit(work, "Settings");
    }
    team
}

#[test]
fn decisions_are_written_once_and_brought_up_to_date() {
    let team = decided();
    let (ada, work) = (&team.ada, team.work.as_path());
    let folder = work.join("docs/decisions");
    let told = ada.run(work, ["adr", "--check"]).exits(1);
    assert!(told.stdout.contains("missing: docs/decisions/0001-go-with-toml-rather-than-yaml.md"), "{told:?}");
    assert!(ada.run(work, ["adr", "--dry-run"]).ok().contains("would be written"));
    assert_eq!(records(&folder), [], "neither writes");

    ada.run(work, ["adr"]).ok();
    let first = records(&folder);
    let [(name, text)] = &first[..] else { panic!("{first:?}") };
    assert_eq!(name, "0001-go-with-toml-rather-than-yaml.md");
    for part in [
        "status: accepted\n",
        "decision-makers: [\"ada@example.com\"]\n",
        "# Go with TOML rather than YAML\n",
        "## Context and Problem Statement\n\n> Which format shall settings have? ",
        "## Considered Options\n",
        "We could use YAML.",
        "## Decision Outcome\n\nChosen option: “Go with TOML rather than YAML”",
        "prompt, turn 1 of session formats",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    ada.run(work, ["adr", "--check"]).exits(0);
    ada.run(work, ["adr"]).ok();
    assert_eq!(records(&folder), first, "nothing is written twice");

    // The session goes on and decides once more; the turn of the first decision stays as it was.
    ada.commit(work, "Records");
    let agent = Agent::start(ada, work, "later");
    agent.prompt("How do we keep them?").say("I decided to use git instead of a wiki, since reviews are there.");
    agent.write("keep.md", "In git\n");
    ada.run(work, ["adr", "--check"]).exits(0);
    ada.commit(work, "Keep them");
    let told = ada.run(work, ["adr", "--check"]).exits(1);
    assert!(told.stdout.contains("0002-use-git-instead-of-a-wiki.md"), "{told:?}");
    ada.run(work, ["adr"]).ok();
    assert_eq!(records(&folder).len(), 2);
    assert_eq!(records(&folder)[0], first[0]);
}

#[test]
fn what_a_person_edits_is_never_written_over() {
    let team = decided();
    let (ada, work) = (&team.ada, team.work.as_path());
    // A folder that has records is used, and numbers go on.
    fs::create_dir_all(work.join("docs/adr")).unwrap();
    fs::write(work.join("docs/adr/0007-use-git.md"), "# Use git\n").unwrap();
    ada.run(work, ["adr"]).ok();
    let path = work.join("docs/adr/0008-go-with-toml-rather-than-yaml.md");
    let text = fs::read_to_string(&path).unwrap();
    let edited = text.replace("status: accepted", "status: rejected");
    fs::write(&path, &edited).unwrap();
    let told = ada.run(work, ["adr"]).ok();
    assert!(told.contains("kept as it was edited: docs/adr/0008-"), "{told}");
    ada.run(work, ["adr", "--check"]).exits(0);
    assert_eq!(fs::read_to_string(&path).unwrap(), edited);
    assert_eq!(records(&work.join("docs/adr")).len(), 2);

    // What this program wrote under older rules is brought up to date: its text is as its digest says.
    let (body, comment) = text.split_once("\n<!-- git-tracevault adr ").unwrap();
    let older = body.replace("# Go with TOML", "# Take TOML");
    let digest = |text: &str| {
        use sha2::Digest as _;
        hex::encode(sha2::Sha256::digest(text.as_bytes()))
    };
    let comment = comment.replace(&digest(body), &digest(&older));
    fs::write(&path, format!("{older}\n<!-- git-tracevault adr {comment}")).unwrap();
    ada.run(work, ["adr", "--check"]).exits(1);
    assert!(ada.run(work, ["adr"]).ok().contains("updated: docs/adr/0008-"));
    assert_eq!(fs::read_to_string(&path).unwrap(), text);

    // A folder that is named is taken; where something cannot be read, a check cannot tell.
    ada.run(&work.join("docs"), ["adr", "--dir", "elsewhere"]).ok();
    assert_eq!(records(&work.join("docs/elsewhere")).len(), 1);
    let refs = ada.refs(work, "refs/tracevault/payload");
    for name in refs.keys() {
        ada.git(work, ["update-ref", "-d", name]).ok();
    }
    ada.run(work, ["adr", "--check"]).exits(2);
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

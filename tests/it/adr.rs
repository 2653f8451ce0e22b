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

/// The names of the files of a folder, and their titles.
fn titles(dir: &Path) -> Vec<(String, String)> {
    let title = |text: String| text.lines().find(|line| line.starts_with("# ")).unwrap_or_default().to_owned();
    records(dir).into_iter().map(|(name, text)| (name, title(text))).collect()
}

#[test]
fn a_gap_renames_nothing_and_writes_nothing_twice() {
    let team = Team::new();
    let (ada, work) = (&team.ada, team.work.as_path());
    let agent = Agent::start(ada, work, "long");
    agent.prompt("Hello there friend.").say("Hi, ready.");
    agent.prompt("Which format?").say("I'll go with TOML rather than YAML, because of comments.");
    agent.write("settings.toml", "a = 1\n");
    ada.commit(work, "Settings");
    ada.pass(40 * 24 * 3600);
    agent.prompt("Small talk here now.").say("Sure thing.");
    agent.prompt("Which queue?").say("I'll go with Redis rather than Kafka, because it is small.");
    agent.write("queue.toml", "q = 1\n");
    ada.commit(work, "Queue");
    ada.run(work, ["adr"]).ok();
    let folder = work.join("docs/decisions");
    let before = records(&folder);
    assert_eq!(before.len(), 2, "{before:?}");

    // What was said in the first month is gone: the turns of the second are counted anew.
    let refs = ada.refs(work, "refs");
    for name in refs.keys().filter(|name| name.contains("/payload/") && name.contains("/2026-01/")) {
        ada.git(work, ["update-ref", "-d", name]).ok();
    }
    let told = ada.run(work, ["adr"]).ok();
    assert!(told.contains("session long: decisions behind what is missing: 1"), "{told}");
    assert_eq!(records(&folder), before, "{:?}", titles(&folder));
    ada.run(work, ["adr", "--check"]).exits(2);
    let told = ada.run(work, ["adr", "--json", "--check"]).exits(2);
    assert!(told.stdout.is_empty() && told.stderr.contains("missing: session long: "), "{told:?}");
    fs::remove_file(folder.join(&before[1].0)).unwrap();
    ada.run(work, ["adr"]).ok();
    assert_eq!(records(&folder).len(), 1, "what is not sure is not written");
}

#[test]
fn what_is_encrypted_is_written_only_where_that_is_asked_for() {
    let team = Team::new();
    let (ada, work) = (&team.ada, team.work.as_path());
    ada.feed(work, ["policy", "set", "-"], b"[payloads]\nencrypt = [\"transcript\"]\n").ok();
    let agent = Agent::start(ada, work, "secret");
    agent.prompt("Which format?").say("I'll go with TOML rather than YAML, because Initech said so.");
    agent.write("settings.toml", "a = 1\n");
    ada.commit(work, "Settings");
    let told = ada.run(work, ["adr"]).exits(0);
    assert!(told.stderr.contains("1 session said is encrypted"), "{told:?}");
    assert_eq!(records(&work.join("docs/decisions")), []);
    ada.run(work, ["adr", "--check"]).exits(0);
    ada.git(work, ["config", "tracevault.logAccess", "true"]).ok();
    let told = ada.run(work, ["adr", "--include-encrypted"]).exits(0);
    assert!(told.stderr.contains("says that this was exported"), "{told:?}");
    assert_eq!(records(&work.join("docs/decisions")).len(), 1);
}

#[test]
fn a_folder_may_hold_other_things() {
    let team = decided();
    let (ada, work) = (&team.ada, team.work.as_path());
    let folder = work.join("docs/decisions");
    fs::create_dir_all(folder.join("0002-folder.md")).unwrap();
    fs::write(folder.join("0003-large.md"), "x".repeat((1 << 20) + 1)).unwrap();
    for name in ["4294967295-x.md", "20240131-x.md"] {
        fs::write(folder.join(name), "x").unwrap();
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink("../../README.md", folder.join("0004-link.md")).unwrap();
    let told = ada.run(work, ["adr"]).ok();
    let path = folder.join(if cfg!(unix) { "0005" } else { "0004" }.to_owned() + "-go-with-toml-rather-than-yaml.md");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{error}: {told}"));

    // A person saves it in another encoding, and without the comment.
    let edited: Vec<u8> = text.replace("accepted", "rejected f\u{fc}r uns").chars().map(|c| c as u32 as u8).collect();
    fs::write(&path, &edited).unwrap();
    assert!(ada.run(work, ["adr"]).ok().contains("kept as it was edited"));
    assert_eq!(fs::read(&path).unwrap(), edited);
    fs::write(&path, &text[..text.rfind("<!--").unwrap()]).unwrap();
    assert!(ada.run(work, ["adr"]).ok().contains("not written, as this looks like it: "));
    ada.run(work, ["adr", "--check"]).exits(0);
}

#[test]
fn a_clone_without_history_or_ledger_cannot_tell() {
    let team = decided();
    let (ada, work) = (&team.ada, team.work.as_path());
    ada.git(work, ["push", "--quiet", "origin", "HEAD:main"]).ok();
    let (url, shallow) = (format!("file://{}", team.remote.display()), ada.path("shallow"));
    ada.git(&ada.path(""), ["clone", "--quiet", "--depth", "1", &url, "shallow"]).ok();
    let told = ada.run(&shallow, ["adr", "--check"]).exits(2);
    assert!(told.stdout.contains("no ledger here") && told.stdout.contains("shallow"), "{told:?}");
    let story = ada.run(&shallow, ["story", "README.md:1"]).ok();
    assert!(story.contains("What came before is not here") && story.contains("shallow"), "{story}");
}

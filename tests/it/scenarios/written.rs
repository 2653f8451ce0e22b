//! What agents and people write in turn, and by which tool.

use std::fs;

use serde_json::{Value, json};

use super::Scene;

#[test]
fn an_agent_writes_above_a_person() {
    let scene = Scene::new();
    scene.human("f", "h1\nh2\nh3\nh4\n");
    scene.agent("s").edit("f", "h1\n", "a1\nh1\n");
    scene.commit();
    scene.is("f", &["s:1 exact a1", "- exact h1|h2|h3|h4"]).holds();
}

#[test]
fn an_agent_writes_around_a_person() {
    let scene = Scene::new();
    scene.human("f", "h1\nh2\nh3\nh4\nh5\n").commit();
    let agent = scene.agent("s");
    agent.edit("f", "h1\n", "header\nh1\n");
    agent.edit("f", "h5\n", "h5\nfooter\n");
    scene.commit();
    scene.is("f", &["s:1 exact header", "- exact h1|h2|h3|h4|h5", "s:2 exact footer"]).holds();
}

#[test]
fn nothing_leaks_over_the_edge() {
    let scene = Scene::new();
    scene.agent("s").write("f", "a1\na2\na3\n");
    scene.human("f", "a1\na2\na3\nh1\nh2\nh3\nh4\nh5\nh6\n").commit();
    scene.is("f", &["s:1 exact a1|a2|a3", "- exact h1|h2|h3|h4|h5|h6"]).holds();
    assert_eq!(scene.totals("HEAD"), (9, 3));
}

#[test]
fn what_a_message_says_is_no_evidence() {
    let scene = Scene::new();
    scene.agent("s").write("other", "a1\n");
    scene.commit();
    scene.human("f", "h1\nh2\n").git("add f");
    let message = "Done\n\nCo-Authored-By: Claude <noreply@anthropic.com>\n";
    scene
        .ada()
        .git(scene.work(), ["commit", "--quiet", "--author", "Claude <noreply@anthropic.com>", "-m", message])
        .ok();
    scene.is("f", &["- exact h1|h2"]).holds();
    assert_eq!((scene.totals("HEAD"), scene.sessions("HEAD")), ((2, 0), vec![]));
}

#[test]
fn shells_that_write_and_change_files() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    scene.human("config", "one = 1\ntwo = 2\nthree = 3\n").commit();
    agent.bash("cat > made <<'EOF'\na1\na2\nEOF");
    agent.bash("sed -i 's/two = 2/two = 22/' config");
    agent.bash("cat config | head -1 > /dev/null");
    scene.commit();
    scene.is("made", &["s:1 exact a1|a2"]);
    scene.is("config", &["- exact one = 1", "s:2 exact two = 22", "- exact three = 3"]).holds();
}

#[test]
fn calls_that_were_denied_or_failed() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    agent.write("f", "a1\nold\n");
    scene.commit();
    let path = scene.work().join("f");
    let input = json!({"file_path": path, "old_string": "old", "new_string": "theirs"});
    // Denied: no event comes after it.
    let denied = agent.wish("Edit", &input);
    agent.result(&denied, true, json!("Error: denied"));
    let failed = agent.wish("Write", &json!({"file_path": path, "content": "a1\ntheirs\n"}));
    let more = json!({"tool_name": "Write", "tool_input": {"file_path": path}, "tool_use_id": failed, "error": "no"});
    agent.event("PostToolUseFailure", more);
    agent.result(&failed, true, json!("Error: no"));
    scene.is("f", &["s:1 exact a1|old"]);
    scene.human("f", "a1\ntheirs\n").commit();
    scene.is("f", &["s:1 exact a1", "- exact theirs"]).holds();
}

#[test]
fn two_sessions_and_a_person_in_one_file() {
    let scene = Scene::new();
    let (one, two) = (scene.agent("one"), scene.agent("two"));
    one.write("f", "a1\na2\n");
    two.edit("f", "a1\n", "a1\nb1\n");
    scene.human("f", "a1\nb1\nh1\na2\n");
    one.edit("f", "h1\n", "h1\na3\n");
    two.edit("f", "a2\n", "a2\nb2\n");
    scene.human("f", "h0\na1\nb1\nh1\na3\na2\nb2\nh2\n").commit();
    let expected = [
        "- exact h0",
        "one:1 exact a1",
        "two:1 exact b1",
        "- exact h1",
        "one:2 exact a3",
        "one:1 exact a2",
        "two:2 exact b2",
        "- exact h2",
    ];
    scene.is("f", &expected).holds();
    assert_eq!(scene.sessions("HEAD"), ["one", "two"]);
}

#[test]
fn a_persons_commit_among_the_agents_names_no_session() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    agent.write("f", "a1\n");
    scene.commit();
    scene.human("f", "a1\nh1\n").commit();
    assert_eq!((scene.totals("HEAD"), scene.sessions("HEAD")), ((1, 0), vec![]));
    agent.edit("f", "h1\n", "h1\na2\n");
    scene.commit();
    scene.is("f", &["s:1 exact a1", "- exact h1", "s:2 exact a2"]).holds();
}

#[test]
fn two_calls_at_once() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    scene.human("f", "h1\nh2\n").commit();
    let inputs = [("a", "h1\n", "h1\na1\n"), ("b", "h2\n", "h2\na2\n")];
    let path = scene.work().join("f");
    let input = |(_, old, new): (&str, &str, &str)| json!({"file_path": path, "old_string": old, "new_string": new});
    // Both begin before either has written.
    let calls = inputs.map(|edit| agent.wish("Edit", &input(edit)));
    for (edit, call) in inputs.into_iter().zip(&calls) {
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replacen(edit.1, edit.2, 1)).unwrap();
        agent.event("PostToolUse", json!({"tool_name": "Edit", "tool_input": input(edit), "tool_use_id": call}));
        agent.result(call, false, json!({}));
    }
    scene.commit();
    scene.is("f", &["- exact h1", "s:1 exact a1", "- exact h2", "s:2 exact a2"]).holds();
}

#[test]
fn two_calls_that_have_written_before_a_hook_looks() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    scene.human("f", "h1\nh2\n").commit();
    let path = scene.work().join("f");
    let input = |old: &str, new: &str| json!({"file_path": path, "old_string": old, "new_string": new});
    let inputs = [input("h1\n", "h1\na1\n"), input("h2\n", "h2\na2\n")];
    let calls = [agent.wish("Edit", &inputs[0]), agent.wish("Edit", &inputs[1])];
    fs::write(&path, "h1\na1\nh2\na2\n").unwrap();
    for ((call, input), found) in calls.iter().zip(&inputs).zip(["h1\nh2\n", "h1\na1\nh2\n"]) {
        agent.done(call, "Edit", input, json!({"filePath": path, "originalFile": found}));
    }
    scene.commit();
    scene.is("f", &["- exact h1", "s:1 exact a1", "- exact h2", "s:2 exact a2"]).holds();
}

#[test]
fn a_person_writes_while_the_agent_waits_to_be_allowed() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    scene.human("f", "h1\nh2\n").commit();
    let path = scene.work().join("f");
    let input = json!({"file_path": path, "old_string": "h1\n", "new_string": "h1\na1\n"});
    let call = agent.wish("Edit", &input);
    scene.human("f", "h1\nh2\nwhat a person writes meanwhile\n");
    fs::write(&path, "h1\na1\nh2\nwhat a person writes meanwhile\n").unwrap();
    let found = "h1\nh2\nwhat a person writes meanwhile\n";
    agent.done(&call, "Edit", &input, json!({"filePath": path, "originalFile": found}));
    scene.commit();
    scene.is("f", &["- exact h1", "s:1 exact a1", "- exact h2|what a person writes meanwhile"]).holds();
}

#[test]
fn what_a_person_writes_while_a_shell_only_reads_is_theirs() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    scene.human("f", "h1\nh2\n").commit();
    agent.bash("echo a1 >> f");
    let commands = [
        "grep -rn foo . 2>/dev/null | head -20",
        "git log --oneline && git status --short",
        "cd . && ls -la; sleep 0; echo done",
        "find . -name '*.rs' -exec grep -l foo {} \\; | sort | uniq -c",
    ];
    for (i, command) in commands.iter().enumerate() {
        let persons = format!("of a person {i}\n");
        agent.call("Bash", &json!({"command": command}), || {
            scene.human("f", &format!("h1\n{persons}h2\na1\n")).human(&format!("new{i}"), &persons);
        });
        scene.commit();
        let persons = persons.trim_end();
        scene.is("f", &[&format!("- exact h1|{persons}|h2"), "s:1 exact a1"]);
        scene.is(&format!("new{i}"), &[&format!("- exact {persons}")]);
    }
    scene.holds();
}

#[test]
fn what_one_call_writes_while_another_only_reads_is_its_own() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    scene.human("f", "h1\n").commit();
    agent.call("Bash", &json!({"command": "sleep 5; cat f"}), || {
        agent.bash("echo 'by a shell' >> f");
        agent.edit("f", "h1\n", "h1\nby an edit\n");
    });
    scene.commit();
    let told = super::told(scene.ada(), scene.work(), "HEAD", "f");
    let texts: Vec<&str> = told.iter().map(|line| line.split_once(" exact ").unwrap().1).collect();
    assert_eq!(texts, ["h1", "by an edit", "by a shell"]);
    assert!(told[1].starts_with("s:") && told[2].starts_with("s:"), "{told:?}");
    scene.holds();
}

#[test]
fn notebooks_and_tools_of_servers() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    let notebook = scene.work().join("n.ipynb");
    scene.human("n.ipynb", "{\n \"cells\": []\n}\n").commit();
    let write = |text: &str| fs::write(&notebook, text).unwrap();
    let input: Value = json!({"notebook_path": notebook, "new_source": "print(1)"});
    agent.call("NotebookEdit", &input, || write("{\n \"cells\": [\n  \"print(1)\"\n ]\n}\n"));
    let made = scene.work().join("made");
    agent.call("mcp__files__put", &json!({"name": "made"}), || fs::write(&made, "a1\n").unwrap());
    scene.commit();
    scene.is("made", &["s:2 exact a1"]);
    scene.is("n.ipynb", &["- exact {| \"cells\": [", "s:1 exact   \"print(1)\"", "- exact  ]|}"]).holds();
}

//! Bytes, sizes and names of every kind, each with an agent's line between a person's.

use std::fs;

use serde_json::{Value, json};

use super::Scene;

#[test]
fn line_ends_and_a_last_line_without_one() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    scene.human("crlf", "h1\r\nh2\r\n").human("open", "h1\nh2").commit();
    agent.write("crlf", "h1\r\na1\r\nh2\r\na2\r\n");
    agent.write("open", "h1\nh2\na1");
    scene.commit();
    scene.is("crlf", &["- exact h1\r", "s:1 exact a1\r", "- exact h2\r", "s:1 exact a2\r"]);
    // Git calls a line new that gets a newline; it is whose it was.
    scene.is("open", &["- exact h1|h2", "s:2 exact a1"]);
    scene.human("open", "h1\nh2\na1\nh3").human("crlf", "h1\na1\nh2\na2\n").commit();
    scene.is("open", &["- exact h1|h2", "s:2 exact a1", "- exact h3"]);
    scene.is("crlf", &["- exact h1", "s:1 exact a1", "- exact h2", "s:1 exact a2"]).holds();
}

#[test]
fn names_of_every_kind() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    let names = ["with space", "größe/日本.py", "tab\there", "quote\"d", "-dash", "new\nline", "back\\slash"];
    for name in names {
        scene.human(name, "h1\nh2\n");
    }
    scene.commit();
    for name in names {
        agent.edit(name, "h1\n", "h1\na1\n");
    }
    scene.commit();
    for (n, name) in names.into_iter().enumerate() {
        let call = format!("s:{} exact a1", n + 1);
        scene.is(name, &["- exact h1", &call, "- exact h2"]);
    }
    scene.holds();
}

#[test]
fn bytes_that_are_no_text() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    let latin = scene.work().join("latin");
    fs::write(&latin, b"caf\xe9\nth\xe9\n").unwrap();
    scene.commit();
    agent.call("Write", &json!({"file_path": latin}), || fs::write(&latin, b"caf\xe9\nna\xefve\nth\xe9\n").unwrap());
    // A binary file has no lines.
    let binary = scene.work().join("binary");
    agent.call("Write", &json!({"file_path": binary}), || fs::write(&binary, b"\0\x01\n\x02\n").unwrap());
    scene.commit();
    scene.is("latin", &["- exact caf\u{fffd}", "s:1 exact na\u{fffd}ve", "- exact th\u{fffd}"]).holds();
    assert_eq!(scene.totals("HEAD"), (1, 1));
}

#[test]
fn a_megabyte_of_lines() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    let large: String = (0..80_000).map(|n| format!("line {n:06}\n")).collect();
    assert!(large.len() > 900_000);
    scene.human("large", &large).commit();
    agent.edit("large", "line 000007\n", "line 000007\na1\n");
    agent.edit("large", "line 040000\n", "a2\na3\n");
    scene.commit();
    let text = scene.ada().run(scene.work(), ["blame", "--json", "HEAD", "--", "large"]).ok();
    let agents = text.lines().filter_map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        (line["origin"] == "agent")
            .then(|| format!("{} {}", line["call"].as_str().unwrap(), line["text"].as_str().unwrap()))
    });
    assert_eq!(agents.collect::<Vec<_>>(), ["toolu-s-1 a1", "toolu-s-2 a2", "toolu-s-2 a3"]);
    assert_eq!(scene.totals("HEAD"), (3, 3));
}

#[test]
fn modes_links_and_submodules() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    agent.write("run.sh", "a1\na2\n");
    scene.commit();
    agent.bash("chmod +x run.sh && ln -s run.sh link");
    scene.human("run.sh", "a1\na2\nh1\n").commit();
    scene.is("run.sh", &["s:1 exact a1|a2", "- exact h1"]);
    let module = scene.team.remote.to_str().unwrap().to_owned();
    scene.git(&format!("-c protocol.file.allow=always submodule --quiet add {module} module")).commit();
    assert_eq!(scene.totals("HEAD").1, 0);
    scene.is("run.sh", &["s:1 exact a1|a2", "- exact h1"]).holds();
}

#[test]
fn what_git_ignores_and_what_is_outside_is_nobodys_business() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    scene.human(".gitignore", "secret\n").commit();
    agent.write("secret", "a1\n");
    agent.write("../outside", "a2\n");
    agent.write("f", "a3\n");
    scene.git("add --force secret").commit();
    // The states of an ignored file were never kept; that an agent wrote it is not known.
    scene.is("secret", &["- exact a1"]).is("f", &["s:3 exact a3"]).holds();
}

//! What people write that looks like what an agent wrote: another file with its name, the same first lines, the same braces.

use super::Scene;

const AGENTS: &str = "#!/bin/sh\nset -e\nagent_one() {\n    echo agent\n}\n";
const PERSONS: &str = "#!/bin/sh\nset -e\nhuman_one() {\n    echo human\n}\nhuman_two\nhuman_three\n";
const ALL_PERSONS: &str = "- exact #!/bin/sh|set -e|human_one() {|    echo human|}|human_two|human_three";

#[test]
fn a_file_of_the_same_name_on_another_branch() {
    let scene = Scene::new();
    scene.human("README", "r\n").commit();
    scene.git("switch -c topic");
    scene.agent("s").write("f", AGENTS);
    scene.commit();
    scene.git("switch main");
    scene.human("f", PERSONS).commit();
    scene.is("f", &[ALL_PERSONS]).holds();
}

#[test]
fn a_file_of_the_same_name_after_a_reset() {
    let scene = Scene::new();
    scene.human("f", "one();\n}\n").commit();
    let agent = scene.agent("s");
    agent.edit("f", "}\n", "}\n\nfunction agents() {\n  return null;\n}\n");
    scene.git("reset --hard");
    scene.human("f", "one();\n}\n\nfunction persons() {\n  return 7;\n}\n").commit();
    scene.is("f", &["- exact one();|}||function persons() {|  return 7;|}"]).holds();
}

#[test]
fn a_line_of_the_same_text_on_another_branch() {
    let scene = Scene::new();
    scene.human("f", "def f():\n    x = 1\n    return x\n").commit();
    scene.git("switch -c topic");
    let agent = scene.agent("s");
    agent.edit("f", "    x = 1\n", "    x = 1\n    if x:\n        raise ValueError(\"agent\")\n");
    scene.commit();
    scene.git("switch main");
    scene.human("f", "def f():\n    x = 1\n    if x:\n        raise ValueError(\"human\")\n    return x\n").commit();
    scene.is("f", &["- exact def f():|    x = 1|    if x:|        raise ValueError(\"human\")|    return x"]).holds();
}

#[test]
fn a_new_file_that_begins_like_a_scratch_file() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    agent.write("scratch.sh", "#!/bin/sh\nset -e\n./run\n");
    agent.bash("rm scratch.sh");
    scene.human("f", PERSONS).commit();
    scene.is("f", &[ALL_PERSONS]).holds();
}

#[test]
fn a_new_file_under_a_name_that_was_given_up() {
    for give_up in ["mv f g", "rm f"] {
        let scene = Scene::new();
        scene.agent("s").write("f", AGENTS);
        scene.commit();
        scene.git(give_up);
        scene.commit();
        scene.human("f", PERSONS).commit();
        scene.is("f", &[ALL_PERSONS]).holds();
    }
}

#[test]
fn a_file_that_goes_on_keeps_its_agents_lines_whatever_is_written_around_them() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    agent.write("f", AGENTS);
    scene.git("stash -u");
    scene.git("stash pop");
    scene.human("f", &format!("first of a person\n{AGENTS}last of a person\n")).commit();
    let agents = "s:1 exact #!/bin/sh|set -e|agent_one() {|    echo agent|}";
    scene.is("f", &["- exact first of a person", agents, "- exact last of a person"]).holds();
}

#[test]
fn many_files_that_vanished_hold_nothing_up() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    for n in 0..12 {
        let text: String = (0..400).map(|line| format!("scratch {n} line {line}\n")).collect();
        agent.write(&format!("scratch{n}"), &text);
        agent.bash(&format!("rm scratch{n}"));
    }
    for n in 0..20 {
        scene.human(&format!("new{n}"), &format!("person's {n}\nscratch {n} line 7\nmore\n"));
    }
    scene.commit();
    scene.is("new3", &["- exact person's 3|scratch 3 line 7|more"]).holds();
}

#[test]
fn what_an_agents_shell_moves_stays_whose_it_was() {
    let scene = Scene::new();
    scene.human("f", "persons one\npersons two\npersons three\n").commit();
    let agent = scene.agent("s");
    agent.edit("f", "persons two\n", "persons two\nagents own\n");
    scene.human("f", "persons one\npersons two\nagents own\npersons three\npersons dirty\n");
    agent.bash("mkdir -p lib && mv f lib/g");
    scene.commit();
    scene.is(
        "lib/g",
        &["- exact persons one|persons two", "s:1 exact agents own", "- exact persons three|persons dirty"],
    );
    // Moved and changed in one go: the change alone is the shell's.
    agent.bash("git mv lib/g h && echo 'agents more' >> h");
    scene.commit();
    let moved = ["- exact persons one|persons two", "s:1 exact agents own", "- exact persons three|persons dirty"];
    scene.is("h", &[&moved[..], &["s:3 exact agents more"]].concat()).holds();
}

#[test]
fn a_person_takes_over_the_first_lines_of_what_they_delete() {
    let scene = Scene::new();
    scene.agent("s").write("f", "#!/bin/sh\nset -e\nagents() {\n  own\n}\n");
    scene.commit();
    scene.git("rm -q f");
    scene.human("g", "#!/bin/sh\nset -e\npersons() {\n  new\n}\nmore() {\n  two\n}\n").commit();
    scene.is("g", &["- exact #!/bin/sh|set -e|persons() {|  new|}|more() {|  two|}"]).holds();
}

//! What is committed now, and what later.

use super::Scene;

#[test]
fn two_files_in_one_commit() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    agent.write("a", "a1\na2\n");
    agent.write("b", "b1\n");
    scene.commit();
    scene.is("a", &["s:1 exact a1|a2"]).is("b", &["s:2 exact b1"]).holds();
    let record = scene.ada().record_of(scene.work(), &scene.id("HEAD"));
    let files: Vec<_> =
        record["files"].as_array().unwrap().iter().map(|file| (&file["path"], &file["agent"])).collect();
    assert_eq!(files, [(&"a".into(), &2.into()), (&"b".into(), &1.into())]);
}

#[test]
fn one_file_now_and_the_other_later() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    agent.write("a", "a1\n");
    agent.write("b", "b1\nb2\n");
    scene.git("add a").git("commit --quiet -m a").human("c", "h\n").git("add c").git("commit --quiet -m c");
    assert_eq!((scene.totals("HEAD~1"), scene.totals("HEAD")), ((1, 1), (1, 0)));
    scene.commit();
    scene.is("a", &["s:1 exact a1"]).is("b", &["s:2 exact b1|b2"]).is("c", &["- exact h"]).holds();
}

#[test]
fn some_lines_now_and_the_rest_later() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    scene.human("f", "h1\nh2\n").commit();
    agent.write("f", "top\nh1\nh2\nend1\nend2\n");
    scene.stage("f", "@@ -0,0 +1,1 @@\n+top\n").git("commit --quiet -m now");
    scene.is("f", &["s:1 exact top", "- exact h1|h2"]);
    scene.commit();
    scene.is("f", &["s:1 exact top", "- exact h1|h2", "s:1 exact end1|end2"]).holds();
}

#[test]
fn staged_written_to_again_and_committed_twice() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    agent.write("f", "a1\n");
    scene.git("add f");
    agent.edit("f", "a1\n", "a1\na2\na3\n");
    scene.git("commit --quiet -m now");
    scene.is("f", &["s:1 exact a1"]);
    scene.commit();
    scene.is("f", &["s:1 exact a1", "s:2 exact a2|a3"]).holds();
    assert_eq!(scene.totals("HEAD"), (2, 2));
}

#[test]
fn a_person_stages_a_version_of_their_own_between_two_of_the_agents() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    agent.write("f", "a1\na2\n");
    scene.human("f", "a1\nh\n").git("add f");
    agent.write("f", "a1\nh\na3\n");
    scene.git("commit --quiet -m now").is("f", &["s:1 exact a1", "- exact h"]);
    scene.commit();
    scene.is("f", &["s:1 exact a1", "- exact h", "s:2 exact a3"]).holds();
}

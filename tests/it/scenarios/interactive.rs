//! Commits that are reordered, joined, repaired and dropped by an interactive rebase.

use super::Scene;

/// Three commits of an agent, each a line of `f` and a file of its own.
fn three(scene: &Scene) {
    let agent = scene.agent("s");
    let mut text = String::new();
    for name in ["one", "two", "three"] {
        text.push_str(&format!("line {name}\n"));
        agent.write("f", &text);
        agent.write(name, &format!("file {name}\n"));
        scene.commit();
    }
}

#[test]
fn a_fixup_is_squashed_into_its_commit() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    agent.write("f", "AI line 1\nAI line 2\n");
    scene.git("add f").git("commit --quiet -m first");
    scene.human("h", "h1\n").commit();
    agent.edit("f", "AI line 2", "AI line 2 fixed");
    scene.git("add f").git("commit --quiet --fixup HEAD~1").git("rebase --quiet --interactive --autosquash HEAD~3");
    assert_eq!(scene.try_git("log -2 --format=%s").ok(), "x\nfirst");
    scene.is("f", &["s:1 exact AI line 1", "s:2 exact AI line 2 fixed"]).is("h", &["- exact h1"]).holds();
    assert_eq!((scene.totals("HEAD~1"), scene.totals("HEAD")), ((2, 2), (1, 0)));
}

#[test]
fn three_commits_become_one() {
    let scene = Scene::new();
    three(&scene);
    scene.rebase("2,3s/pick/squash/", "HEAD~3");
    scene.is("f", &["s:1 exact line one", "s:3 exact line two", "s:5 exact line three"]);
    scene.is("one", &["s:2 exact file one"]).is("three", &["s:6 exact file three"]).holds();
    assert_eq!((scene.totals("HEAD"), scene.sessions("HEAD")), ((6, 6), vec!["s".to_owned()]));
}

#[test]
fn a_persons_commit_is_squashed_into_an_agents() {
    let scene = Scene::new();
    scene.agent("s").write("f", "a1\na2\n");
    scene.commit();
    scene.human("f", "a1\nh1\na2\nh2\n").commit();
    scene.rebase("2s/pick/fixup/", "HEAD~2");
    scene.is("f", &["s:1 exact a1", "- exact h1", "s:1 exact a2", "- exact h2"]).holds();
    assert_eq!(scene.totals("HEAD"), (4, 2));
}

#[test]
fn one_commit_is_dropped() {
    let scene = Scene::new();
    let (one, two, three) = (scene.agent("one"), scene.agent("two"), scene.agent("three"));
    one.write("a", "a1\na2\n");
    scene.commit();
    two.write("b", "b1\nb2\n");
    scene.commit();
    three.write("c", "c1\nc2\n");
    scene.commit();
    scene.rebase("2s/pick/drop/", "HEAD~3");
    scene.is("a", &["one:1 exact a1|a2"]).is("c", &["three:1 exact c1|c2"]).holds();
    assert!(!scene.work().join("b").exists());
    assert_eq!(scene.sessions("HEAD"), ["three"], "nothing of what was dropped");
    assert_eq!(scene.totals("HEAD"), (2, 2));
}

#[test]
fn a_dropped_line_that_a_person_writes_is_theirs() {
    let scene = Scene::new();
    scene.agent("s").write("a", "a1\n");
    scene.commit();
    scene.human("b", "h1\n").commit();
    scene.rebase("1s/pick/drop/", "HEAD~2");
    scene.human("other", "h2\n").commit();
    scene.is("b", &["- exact h1"]).is("other", &["- exact h2"]).holds();
}

#[test]
fn commits_change_places() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    agent.write("a", "a1\n");
    scene.commit();
    scene.human("h", "h1\n").commit();
    agent.write("b", "b1\n");
    scene.commit();
    scene.rebase("1{h;d};3G", "HEAD~3");
    scene.is("a", &["s:1 exact a1"]).is("h", &["- exact h1"]).is("b", &["s:2 exact b1"]).holds();
    assert_eq!([scene.totals("HEAD~2"), scene.totals("HEAD~1"), scene.totals("HEAD")], [(1, 0), (1, 1), (1, 1)]);
}

#[test]
fn a_commit_is_split() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    agent.write("a", "a1\n");
    agent.write("b", "b1\n");
    scene.human("h", "h1\n").commit();
    scene.human("last", "h2\n").commit();
    scene.rebase("1s/pick/edit/", "HEAD~2");
    scene.git("reset --quiet HEAD~1").git("add a").git("commit --quiet -m a");
    scene.git("add b h").git("commit --quiet -m rest").git("rebase --continue");
    scene.is("a", &["s:1 exact a1"]).is("b", &["s:2 exact b1"]).is("h", &["- exact h1"]).holds();
    assert_eq!((scene.totals("HEAD~2"), scene.totals("HEAD~1")), ((1, 1), (2, 1)));
}

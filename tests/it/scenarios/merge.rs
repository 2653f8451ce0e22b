//! Branches that are merged, and cherry-picks.

use super::Scene;

/// `f` on main with one line in the middle changed by a person, on `topic` by an agent; main is checked out.
fn both_changed() -> Scene {
    let scene = Scene::new();
    scene.human("f", "first\nmiddle\nlast\n").commit();
    scene.git("switch --quiet -c topic");
    scene.agent("s").edit("f", "middle", "the agent's middle");
    scene.commit();
    scene.git("switch --quiet main").human("f", "first\nthe person's middle\nlast\n").commit();
    scene
}

#[test]
fn a_conflict_resolved_with_the_agents_version() {
    let scene = both_changed();
    scene.stops("merge --quiet topic").git("checkout --quiet --theirs f").git("add f").git("commit --quiet --no-edit");
    scene.is("f", &["- exact first", "s:1 exact the agent's middle", "- exact last"]).holds();
}

#[test]
fn a_conflict_in_which_main_is_kept() {
    let scene = both_changed();
    scene.stops("merge --quiet topic").git("checkout --quiet --ours f").git("add f").git("commit --quiet --no-edit");
    scene.is("f", &["- exact first|the person's middle|last"]).holds();
    assert_eq!(scene.totals("HEAD"), (0, 0));
}

#[test]
fn a_conflict_that_an_agent_resolves() {
    let scene = both_changed();
    scene.stops("merge --quiet topic");
    let agent = scene.agent("resolver");
    agent.write("f", "first\nboth middles\nand more\n");
    scene.git("add f").git("commit --quiet --no-edit");
    scene.is("f", &["- exact first", "resolver:1 exact both middles|and more"]).holds();
    assert_eq!(scene.sessions("HEAD"), ["resolver"]);
}

#[test]
fn a_merge_of_what_both_sides_changed() {
    let scene = Scene::new();
    scene.human("f", "1\n2\n3\n4\n5\n6\n7\n8\n").commit();
    scene.git("switch --quiet -c topic");
    scene.agent("s").edit("f", "1\n", "agent's\n1\n");
    scene.agent("t").write("g", "g1\n");
    scene.commit();
    scene.git("switch --quiet main").human("f", "1\n2\n3\n4\n5\n6\n7\n8\nperson's\n").commit();
    scene.git("merge --quiet --no-edit topic");
    scene.is("f", &["s:1 exact agent's", "- exact 1|2|3|4|5|6|7|8|person's"]).is("g", &["t:1 exact g1"]).holds();
    assert_eq!(scene.try_git("rev-list --count --merges HEAD").ok(), "1");
}

#[test]
fn what_is_picked_without_a_commit_and_committed() {
    let scene = Scene::new();
    scene.human("f", "h1\n").commit();
    scene.git("switch --quiet -c topic");
    scene.agent("s").edit("f", "h1\n", "h1\na1\na2\n");
    scene.commit();
    scene.git("switch --quiet main").git("cherry-pick --no-commit topic").git("commit --quiet -m picked");
    scene.is("f", &["- exact h1", "s:1 exact a1|a2"]).holds();
    assert_eq!((scene.totals("HEAD"), scene.sessions("HEAD")), ((2, 2), vec!["s".to_owned()]));
}

#[test]
fn what_is_picked_and_changed_by_a_person() {
    let scene = Scene::new();
    scene.human("f", "h1\n").commit();
    scene.git("switch --quiet -c topic");
    scene.agent("s").edit("f", "h1\n", "h1\na1\na2\na3\n");
    scene.commit();
    scene.git("switch --quiet main").git("cherry-pick topic");
    scene.is("f", &["- exact h1", "s:1 exact a1|a2|a3"]);
    scene.git("reset --quiet --hard HEAD~1").git("cherry-pick --no-commit topic");
    scene.human("f", "h1\na1\nh2\na3\n").git("commit --quiet --all -m picked");
    scene.is("f", &["- exact h1", "s:1 exact a1", "- exact h2", "s:1 exact a3"]).holds();
}

#[test]
fn a_pick_onto_what_another_agent_wrote_with_a_conflict() {
    let scene = Scene::new();
    scene.human("f", "h1\n").commit();
    scene.git("switch --quiet -c topic");
    scene.agent("left").edit("f", "h1\n", "h1\nleft 1\nleft 2\n");
    scene.commit();
    scene.git("switch --quiet main");
    scene.agent("right").edit("f", "h1\n", "h1\nright 1\nright 2\n");
    scene.commit();
    scene.stops("cherry-pick topic").human("f", "h1\nright 1\nright 2\nleft 1\nleft 2\nh2\n").git("add f");
    scene.git("cherry-pick --continue");
    scene.is("f", &["- exact h1", "right:1 exact right 1|right 2", "left:1 exact left 1|left 2", "- exact h2"]).holds();
}

#[test]
fn a_merge_that_could_have_been_no_commit_adds_nothing() {
    let scene = Scene::new();
    scene.git("switch --quiet -c topic");
    scene.agent("s").write("f", "a1\na2\n");
    scene.commit();
    scene.git("switch --quiet main").git("merge --quiet --no-ff --no-edit topic");
    assert_eq!((scene.totals("HEAD"), scene.totals("topic")), ((0, 0), (2, 2)));
    scene.is("f", &["s:1 exact a1|a2"]).holds();
}

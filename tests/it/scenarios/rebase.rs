//! Branches that are rebased.

use super::Scene;

/// A branch `topic` is where work goes on; [`moved`] then moves main.
fn topic() -> Scene {
    let scene = Scene::new();
    scene.human("f", "base\n").commit();
    scene.git("switch --quiet -c topic");
    scene
}

/// A person commits to main, and the work goes on on `topic`.
fn moved(scene: &Scene, file: &str, text: &str) {
    scene.git("switch --quiet main").human(file, text).commit();
    scene.git("switch --quiet topic");
}

#[test]
fn an_agents_two_commits_on_a_main_that_moved() {
    let scene = topic();
    let agent = scene.agent("s");
    agent.write("a", "a1\na2\n");
    scene.commit();
    agent.edit("a", "a2\n", "a2\na3\n");
    scene.commit();
    moved(&scene, "m", "main\n");
    scene.git("rebase --quiet main");
    scene.is("a", &["s:1 exact a1|a2", "s:2 exact a3"]).is("m", &["- exact main"]).holds();
    assert_eq!((scene.totals("HEAD~1"), scene.totals("HEAD")), ((2, 2), (1, 1)));
}

#[test]
fn a_persons_commit_and_an_agents() {
    let scene = topic();
    scene.human("a", "h1\nh2\n").commit();
    scene.agent("s").edit("a", "h2\n", "h2\na1\n");
    scene.commit();
    moved(&scene, "m", "main\n");
    scene.git("rebase --quiet main");
    scene.is("a", &["- exact h1|h2", "s:1 exact a1"]).holds();
    assert_eq!((scene.totals("HEAD~1"), scene.totals("HEAD")), ((2, 0), (1, 1)));
    assert_eq!(scene.sessions("HEAD~1"), [""; 0], "no session is drawn on by a person's commit");
}

#[test]
fn three_commits_that_build_one_file() {
    let scene = topic();
    let agent = scene.agent("s");
    scene.human("a", "fn h()\n").commit();
    agent.edit("a", "fn h()\n", "fn h()\nbody1\nbody2\n");
    scene.commit();
    agent.edit("a", "fn h()\n", "fn h()\ndoc\n");
    agent.edit("a", "body2\n", "body2\nfooter\n");
    scene.commit();
    let expected = ["- exact fn h()", "s:2 exact doc", "s:1 exact body1|body2", "s:3 exact footer"];
    scene.is("a", &expected);
    moved(&scene, "m", "main\n");
    scene.git("rebase --quiet main").is("a", &expected).holds();
}

#[test]
fn lines_above_move_and_nothing_shifts() {
    let scene = topic();
    scene.agent("s").edit("f", "base\n", "base\na1\na2\n");
    scene.commit();
    moved(&scene, "f", "h1\nh2\nh3\n\n\n\nbase\n");
    scene.git("rebase --quiet main");
    scene.is("f", &["- exact h1|h2|h3||||base", "s:1 exact a1|a2"]).holds();
}

#[test]
fn a_persons_commit_between_the_agents_names_no_session() {
    let scene = topic();
    let agent = scene.agent("s");
    agent.write("a", "a1\n");
    scene.commit();
    scene.human("h", "h1\n").commit();
    agent.write("b", "b1\n");
    scene.commit();
    moved(&scene, "m", "main\n");
    scene.git("rebase --quiet main");
    scene.is("a", &["s:1 exact a1"]).is("h", &["- exact h1"]).is("b", &["s:2 exact b1"]).holds();
    assert_eq!((scene.totals("HEAD~1"), scene.sessions("HEAD~1")), ((1, 0), vec![]));
}

#[test]
fn from_another_branch() {
    let scene = topic();
    scene.agent("s").write("a", "a1\na2\n");
    scene.commit();
    moved(&scene, "m", "main\n");
    scene.git("switch --quiet -c elsewhere main").git("rebase --quiet main topic");
    assert_eq!(scene.try_git("branch --show-current").ok(), "topic");
    scene.is("a", &["s:1 exact a1|a2"]).holds();
}

#[test]
fn a_first_commit_that_is_skipped() {
    let scene = topic();
    let agent = scene.agent("s");
    agent.write("f", "a1\n");
    scene.commit();
    agent.write("b", "b1\nb2\n");
    scene.commit();
    moved(&scene, "f", "main\n");
    scene.stops("rebase --quiet main").git("rebase --skip");
    scene.is("f", &["- exact main"]).is("b", &["s:2 exact b1|b2"]).holds();
    assert_eq!(scene.totals("HEAD"), (2, 2));
}

#[test]
fn an_empty_commit_is_kept() {
    let scene = topic();
    scene.agent("s").write("a", "a1\n");
    scene.commit();
    scene.git("commit --quiet --allow-empty -m empty");
    moved(&scene, "m", "main\n");
    scene.git("rebase --quiet --keep-empty main").is("a", &["s:1 exact a1"]).holds();
    assert_eq!(scene.try_git("log -1 --format=%s").ok(), "empty");
    assert_eq!((scene.totals("HEAD"), scene.totals("HEAD~1")), ((0, 0), (1, 1)));
}

#[test]
fn what_is_given_up_leaves_no_trace() {
    let scene = topic();
    scene.agent("s").edit("f", "base\n", "base\na1\n");
    scene.human("f", "h\na1\n").commit();
    moved(&scene, "f", "main\n");
    let notes = || scene.try_git("notes --ref=tracevault list").ok();
    let (records, before) = (scene.ada().records(scene.work()).len(), notes());
    scene.stops("rebase --quiet main").git("rebase --abort");
    scene.is("f", &["- exact h", "s:1 exact a1"]).holds();
    assert_eq!((scene.ada().records(scene.work()).len(), notes()), (records, before));
}

#[test]
fn a_commit_that_is_not_the_branchs_last() {
    let scene = topic();
    scene.agent("s").write("a", "a1\na2\n");
    scene.commit();
    scene.human("b", "h1\n").commit();
    scene.human("a", "a1\na2\nh2\n").commit();
    moved(&scene, "m", "main\n");
    scene.git("rebase --quiet main");
    scene.is("a", &["s:1 exact a1|a2", "- exact h2"]).is("b", &["- exact h1"]).holds();
    assert_eq!(scene.totals("HEAD~2"), (2, 2));
}

/// Two agents each write into the same file, `left` on topic and `right` on main; topic is checked out.
fn two_agents(left: &str, right: &str) -> Scene {
    let scene = topic();
    scene.agent("left").edit("f", "base\n", left);
    scene.commit();
    scene.git("switch --quiet main");
    scene.agent("right").edit("f", "base\n", right);
    scene.commit();
    scene.git("switch --quiet topic");
    scene
}

#[test]
fn onto_what_another_agent_wrote_in_the_same_file() {
    let scene = two_agents("left 1\nleft 2\n\n\nbase\n", "base\n\n\nright 1\nright 2\n");
    scene.git("rebase --quiet main");
    scene.is("f", &["left:1 exact left 1|left 2||", "- exact base", "right:1 exact ||right 1|right 2"]).holds();
    assert_eq!(scene.totals("HEAD"), (4, 4));
}

#[test]
fn both_sides_of_a_conflict_are_kept_by_hand() {
    let scene = two_agents("base\nleft 1\nleft 2\nleft 3\n", "base\nright 1\nright 2\nright 3\n");
    scene.stops("rebase --quiet main");
    scene.human("f", "base\nright 1\nright 2\nright 3\nleft 1\nleft 2\nleft 3\n").git("add f").git("rebase --continue");
    scene
        .is("f", &["- exact base", "right:1 exact right 1|right 2|right 3", "left:1 exact left 1|left 2|left 3"])
        .holds();
    assert_eq!((scene.totals("HEAD"), scene.sessions("HEAD")), ((3, 3), vec!["left".to_owned()]));
}

#[test]
fn a_persons_line_in_a_resolution_is_theirs() {
    let scene = topic();
    scene.agent("s").edit("f", "base\n", "base\nthe agent's line\n");
    scene.commit();
    moved(&scene, "f", "base\nmain\n");
    scene.stops("rebase --quiet main");
    scene.human("f", "base\nmain\nof both\nthe agent's line\n").git("add f").git("rebase --continue");
    scene.is("f", &["- exact base|main|of both", "s:1 exact the agent's line"]).holds();
}

#[test]
fn a_conflict_that_an_agent_resolves() {
    let scene = topic();
    let agent = scene.agent("s");
    agent.edit("f", "base\n", "base\na1\n");
    scene.commit();
    moved(&scene, "f", "base\nmain\n");
    scene.stops("rebase --quiet main");
    agent.write("f", "base\nmain\na1\nresolved\n");
    scene.git("add f").git("rebase --continue");
    scene.is("f", &["- exact base|main", "s:1 exact a1", "s:2 exact resolved"]).holds();
}

#[test]
fn a_conflict_that_an_agent_resolves_by_writing_anew() {
    let scene = topic();
    let agent = scene.agent("s");
    agent.write("f", "a1\n");
    scene.commit();
    moved(&scene, "f", "main\n");
    scene.stops("rebase --quiet main");
    agent.write("f", "new1\nnew2\n");
    scene.git("add f").git("rebase --continue");
    scene.is("f", &["s:2 exact new1|new2"]).holds();
}

#[test]
fn what_is_in_the_work_tree_is_stashed_meanwhile() {
    let scene = topic();
    let agent = scene.agent("s");
    scene.human("a", "h1\nh2\n").human("b", "h3\nh4\n").commit();
    agent.edit("a", "h2\n", "h2\na1\n");
    agent.edit("b", "h4\n", "h4\nb1\n");
    moved_beneath(&scene);
    scene.git("rebase --quiet --autostash main").commit();
    scene.is("a", &["- exact h1|h2", "s:1 exact a1"]).is("b", &["- exact h3|h4", "s:2 exact b1"]).holds();
}

/// Main gets a commit without being checked out here.
fn moved_beneath(scene: &Scene) {
    scene.git("worktree add --quiet ../beneath main");
    scene.ada().commit_file(&scene.ada().path("beneath"), "m", "main\n");
    scene.git("worktree remove ../beneath");
}

#[test]
fn a_pull_that_rebases_onto_a_conflict() {
    let scene = Scene::new();
    scene.human("f", "base\n").commit();
    scene.git("push --quiet origin main");
    let olga = scene.ada().other("Olga");
    let clone = olga.clone(&scene.team.remote, "olga");
    olga.commit_file(&clone, "f", "base\ntheirs\n");
    olga.git(&clone, ["push", "--quiet", "origin", "main"]).ok();
    scene.agent("s").edit("f", "base\n", "base\nours\n");
    scene.commit();
    scene.stops("pull --quiet --rebase origin main");
    // In a rebase "theirs" is what is rebased.
    scene.git("checkout --quiet --theirs f").git("add f").git("rebase --continue");
    scene.is("f", &["- exact base", "s:1 exact ours"]);
    assert_eq!(scene.totals("HEAD"), (1, 1));
}

//! What is undone and comes back: revert, reset, stash.

use super::Scene;

#[test]
fn a_revert_brings_back_whose_lines_they_were() {
    let scene = Scene::new();
    scene.agent("s").write("f", "keep\na1\na2\n");
    scene.human("f", "h keep\na1\na2\n").commit();
    scene.human("f", "h keep\n").commit();
    scene.git("revert --no-edit HEAD");
    scene.is("f", &["- exact h keep", "s:1 exact a1|a2"]).holds();
    assert_eq!(scene.totals("HEAD"), (2, 2));
}

#[test]
fn a_revert_of_an_older_commit() {
    let scene = Scene::new();
    scene.agent("s").write("f", "a1\na2\n");
    scene.human("h", "h1\n").commit();
    scene.human("f", "a1\n").commit();
    scene.human("h", "h1\nh2\n").commit();
    scene.git("revert --no-edit HEAD~1");
    scene.is("f", &["s:1 exact a1|a2"]).is("h", &["- exact h1|h2"]).holds();
}

#[test]
fn a_revert_of_what_an_agent_deleted() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    agent.write("f", "a1\nh1\na2\n");
    scene.human("f", "a1\nh one\na2\n").commit();
    agent.edit("f", "a1\nh one\n", "a3\n");
    scene.commit();
    scene.git("revert --no-edit HEAD");
    scene.is("f", &["s:1 exact a1", "- exact h one", "s:1 exact a2"]).holds();
}

#[test]
fn a_revert_of_what_an_agent_deleted_before_other_changes() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    agent.write("f", "top\ngone 1\ngone 2\n\n\n\nend\n");
    scene.commit();
    agent.edit("f", "gone 1\ngone 2\n", "");
    scene.commit();
    agent.edit("f", "end\n", "end\na3\n");
    scene.commit();
    scene.git("revert --no-edit HEAD~1");
    scene.is("f", &["s:1 exact top|gone 1|gone 2||||end", "s:3 exact a3"]).holds();
}

#[test]
fn a_revert_that_stops_at_a_conflict_elsewhere() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    agent.write("f", "a line of the agent's own\na2\na3\na4\n");
    agent.write("g", "g1\n");
    scene.commit();
    agent.edit("f", "a line of the agent's own\n", "");
    agent.edit("g", "g1\n", "g2\n");
    scene.commit();
    agent.edit("f", "a4\n", "a4\na5\n");
    scene.human("g", "g3\n").commit();
    scene.stops("revert --no-edit HEAD~1").human("g", "g3\n");
    scene.git("add g").git("-c core.editor=true revert --continue");
    scene.is("f", &["s:1 exact a line of the agent's own|a2|a3|a4", "s:5 exact a5"]).is("g", &["- exact g3"]).holds();
}

#[test]
fn a_stash_that_comes_back_on_top_of_another_edit_of_the_file() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    scene.human("f", "h1\nh2\nh3\nh4\nh5\n").commit();
    agent.edit("f", "h1\n", "first line\nsecond line\n");
    scene.git("stash --quiet");
    agent.edit("f", "h5\n", "h5\na5\n");
    scene.commit();
    scene.git("stash pop --quiet").commit();
    scene.is("f", &["s:1 exact first line|second line", "- exact h2|h3|h4|h5", "s:2 exact a5"]);
    // A person who writes a part of what was put aside wrote it.
    agent.edit("f", "h3\n", "third line\nfourth line\nfifth line\n");
    scene.git("stash --quiet");
    agent.edit("f", "a5\n", "a6\n");
    scene.commit();
    scene.human("f", "first line\nsecond line\nh2\nthird line\nfourth line\nh4\nh5\na6\n").commit();
    scene
        .is("f", &["s:1 exact first line|second line", "- exact h2|third line|fourth line|h4|h5", "s:4 exact a6"])
        .holds();
}

#[test]
fn a_stash_that_comes_back_with_a_conflict() {
    let scene = Scene::new();
    scene.human("f", "h1\n").commit();
    scene.agent("s").edit("f", "h1\n", "h1\na1\n");
    scene.git("stash --quiet").human("f", "h1\nh2\nh3\nh4\n").commit();
    scene.stops("stash pop --quiet").human("f", "h1\nh2\nh3\nh4\na1\n");
    scene.git("add f").git("commit --quiet -m both");
    scene.is("f", &["- exact h1|h2|h3|h4", "s:1 exact a1"]).holds();
}

#[test]
fn a_soft_reset_and_the_same_commit_again() {
    let scene = Scene::new();
    scene.human("f", "h1\n").commit();
    scene.agent("s").edit("f", "h1\n", "h1\na1\na2\n");
    scene.commit();
    scene.git("reset --quiet --soft HEAD~1").git("commit --quiet -m again");
    scene.is("f", &["- exact h1", "s:1 exact a1|a2"]).holds();
    assert_eq!((scene.totals("HEAD"), scene.sessions("HEAD")), ((2, 2), vec!["s".to_owned()]));
}

#[test]
fn a_reset_over_several_commits() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    scene.human("f", "h1\n").commit();
    agent.edit("f", "h1\n", "h1\na1\n");
    scene.commit();
    agent.edit("f", "a1\n", "a1\na2\n");
    scene.commit();
    scene.human("f", "h1\na1\na2\nh2\n").commit();
    scene.git("reset --quiet HEAD~3").git("commit --quiet --all -m all");
    scene.is("f", &["- exact h1", "s:1 exact a1", "s:2 exact a2", "- exact h2"]).holds();
    assert_eq!(scene.totals("HEAD"), (3, 2));
}

#[test]
fn one_path_is_reset_and_the_other_stays_staged() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    agent.write("a", "a1\n");
    agent.write("b", "b1\nb2\n");
    scene.git("add a b").git("reset --quiet -- a").git("commit --quiet -m b");
    scene.is("b", &["s:2 exact b1|b2"]);
    assert_eq!(scene.totals("HEAD"), (2, 2));
    scene.commit();
    scene.is("a", &["s:1 exact a1"]).is("b", &["s:2 exact b1|b2"]).holds();
}

#[test]
fn what_was_thrown_away_and_is_written_by_a_person_is_theirs() {
    let scene = Scene::new();
    scene.human("f", "h1\n").commit();
    scene.agent("s").write("f", "h1\nthe agent wrote this line\n");
    scene.commit();
    scene.git("reset --quiet --hard HEAD~1").human("f", "h1\nthe person wrote this line\n").commit();
    scene.is("f", &["- exact h1|the person wrote this line"]).holds();
    assert_eq!(scene.totals("HEAD"), (1, 0));
}

#[test]
fn what_a_person_leaves_of_a_file_that_a_reset_did_not_touch() {
    let scene = Scene::new();
    scene.human("f", "h1\n").commit();
    let agent = scene.agent("s");
    agent.write("f", "line one\nline two\nline three\nline four\nh1\n");
    scene.git("reset --quiet --mixed HEAD~1").human("f", "line one\nline two\nh2\nh1\n").commit();
    scene.is("f", &["s:1 exact line one|line two", "- exact h2|h1"]);
    // Git made the file anew, and a person begins as the agent did.
    agent.write("f", "line five\nline six\nline seven\nline eight\n");
    scene.git("reset --quiet --hard HEAD").human("f", "line five\nline six\nh2\n").commit();
    scene.is("f", &["- exact line five|line six|h2"]).holds();
}

#[test]
fn a_reset_to_where_it_stands_loses_nothing() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    agent.write("f", "a1\n");
    scene.commit();
    agent.edit("f", "a1\n", "a1\na2\n");
    agent.write("g", "g1\n");
    scene.git("add -A").git("reset --quiet HEAD").commit();
    scene.is("f", &["s:1 exact a1", "s:2 exact a2"]).is("g", &["s:3 exact g1"]).holds();
}

#[test]
fn stashed_and_brought_back() {
    let scene = Scene::new();
    scene.human("f", "h1\n").commit();
    let agent = scene.agent("s");
    agent.edit("f", "h1\n", "a1\nh1\na2\n");
    agent.write("g", "g1\ng2\ng3\n");
    scene.git("stash push --quiet --include-untracked").human("other", "h2\n").commit();
    scene.git("stash pop --quiet").commit();
    scene.is("f", &["s:1 exact a1", "- exact h1", "s:1 exact a2"]).is("g", &["s:2 exact g1|g2|g3"]).holds();
}

#[test]
fn only_one_path_is_stashed() {
    let scene = Scene::new();
    scene.human("a", "h1\n").human("b", "h2\n").commit();
    let agent = scene.agent("s");
    agent.edit("a", "h1\n", "h1\na1\n");
    agent.edit("b", "h2\n", "h2\nb1\n");
    scene.git("stash push --quiet -- a").commit();
    scene.is("a", &["- exact h1"]).is("b", &["- exact h2", "s:2 exact b1"]);
    scene.git("stash pop --quiet").commit();
    scene.is("a", &["- exact h1", "s:1 exact a1"]).is("b", &["- exact h2", "s:2 exact b1"]).holds();
}

#[test]
fn a_stash_that_is_applied_twice() {
    let scene = Scene::new();
    scene.human("f", "h1\n").commit();
    scene.agent("s").edit("f", "h1\n", "h1\na1\na2\n");
    scene.git("stash push --quiet").git("stash apply --quiet").git("reset --quiet --hard").git("stash apply --quiet");
    scene.commit();
    scene.is("f", &["- exact h1", "s:1 exact a1|a2"]).holds();
    assert_eq!(scene.totals("HEAD"), (2, 2));
}

#[test]
fn a_stash_that_is_brought_back_on_another_branch() {
    let scene = Scene::new();
    scene.human("f", "h1\nh2\nh3\n").commit();
    scene.git("switch --quiet -c topic").human("f", "h0\nh1\nh2\nh3\n").commit();
    scene.git("switch --quiet main");
    scene.agent("s").edit("f", "h3\n", "h3\na1\n");
    scene.git("stash push --quiet").git("switch --quiet topic").git("stash pop --quiet").commit();
    scene.is("f", &["- exact h0|h1|h2|h3", "s:1 exact a1"]).holds();
}

//! Branches that are squashed: here, and on a server where no hook of ours runs.

use std::path::PathBuf;

use super::{Scene, told};
use crate::support::World;

#[test]
fn an_agents_line_of_a_branch() {
    let scene = Scene::new();
    scene.human("f", "h1\nh2\nh3\n").commit();
    scene.git("switch --quiet -c topic");
    scene.agent("s").edit("f", "h3\n", "h3\na1\n");
    scene.commit();
    scene.human("f", "h1\nh2\nh3\na1\nh4\n").commit();
    scene.git("switch --quiet main").git("merge --quiet --squash topic").git("commit --quiet -m squashed");
    scene.is("f", &["- exact h1|h2|h3", "s:1 exact a1", "- exact h4"]).holds();
    assert_eq!(scene.totals("HEAD"), (2, 1));
    let stats = scene.ada().run(scene.work(), ["stats", "--range", "HEAD~1..HEAD", "--json"]).json();
    assert_eq!((&stats["total"]["agent"], &stats["total"]["unattributed"]), (&1.into(), &1.into()));
}

#[test]
fn while_main_changed_the_same_file() {
    let scene = Scene::new();
    scene.human("f", "h1\nh2\nh3\nh4\nh5\n").commit();
    scene.git("switch --quiet -c topic");
    scene.agent("s").edit("f", "h5\n", "h5\na1\n");
    scene.commit();
    scene.git("switch --quiet main").human("f", "h0\nh1\nh2\nh3\nh4\nh5\n").commit();
    scene.git("merge --quiet --squash topic").git("commit --quiet -m squashed");
    scene.is("f", &["- exact h0|h1|h2|h3|h4|h5", "s:1 exact a1"]).holds();
}

#[test]
fn two_sessions_of_a_branch() {
    let scene = Scene::new();
    scene.human("f", "h1\n").commit();
    scene.git("switch --quiet -c topic");
    scene.agent("one").edit("f", "h1\n", "h1\na1\n");
    scene.commit();
    scene.agent("two").edit("f", "a1\n", "a1\nb1\n");
    scene.commit();
    scene.git("switch --quiet main").git("merge --quiet --squash topic").git("commit --quiet -m squashed");
    scene.is("f", &["- exact h1", "one:1 exact a1", "two:1 exact b1"]).holds();
    assert_eq!(scene.sessions("HEAD"), ["one", "two"]);
}

#[test]
fn a_conflict_in_which_both_are_kept() {
    let scene = Scene::new();
    scene.human("f", "h1\n").commit();
    scene.git("switch --quiet -c topic");
    scene.agent("s").edit("f", "h1\n", "h1\na1\na2\n");
    scene.commit();
    scene.git("switch --quiet main").human("f", "h1\nh2\n").commit();
    scene.stops("merge --quiet --squash topic").human("f", "h1\nh2\na1\na2\n");
    scene.git("add f").git("commit --quiet -m squashed");
    scene.is("f", &["- exact h1|h2", "s:1 exact a1|a2"]).holds();
    assert_eq!(scene.totals("HEAD"), (2, 2));
}

#[test]
fn a_conflict_of_single_lines_in_which_both_are_kept() {
    let scene = Scene::new();
    scene.human("g", "g\n").commit();
    scene.git("switch --quiet -c topic");
    scene.agent("s").write("f", "a1\n");
    scene.commit();
    scene.git("switch --quiet main").human("f", "h1\nh2\nh3\n").commit();
    scene.stops("merge --quiet --squash topic").human("f", "h1\nh2\nh3\na1\nh4\n");
    scene.git("add f").git("commit --quiet -m squashed");
    scene.is("f", &["- exact h1|h2|h3", "s:1 exact a1", "- exact h4"]).holds();
}

#[test]
fn two_lines_above_what_another_agent_wrote_on_main() {
    let scene = Scene::new();
    scene.human("f", "h1\nh2\n").commit();
    scene.git("switch --quiet -c topic");
    scene.agent("one").edit("f", "h1\n", "a1\na2\nh1\n");
    scene.commit();
    scene.git("switch --quiet main");
    scene.agent("two").edit("f", "h2\n", "h2\nb1\n");
    scene.commit();
    scene.git("merge --quiet --squash topic").git("commit --quiet -m squashed");
    let lines = ["one:1 exact a1|a2", "- exact h1|h2", "two:1 exact b1"];
    scene.is("f", &lines).git("commit --quiet --amend -m again").is("f", &lines).holds();
    assert_eq!(scene.sessions("HEAD"), ["one"]);
}

#[test]
fn what_was_squashed_and_thrown_away_and_is_written_by_a_person_is_theirs() {
    let scene = Scene::new();
    scene.human("f", "h1\nh2\n").commit();
    scene.git("switch --quiet -c topic");
    scene.agent("one").edit("f", "h1\n", "a1\nh1\n");
    scene.commit();
    scene.git("switch --quiet main");
    scene.agent("two").edit("f", "h2\n", "h2\nb1\n");
    scene.commit();
    scene.git("merge --quiet --squash topic").git("reset --quiet --hard");
    scene.human("f", "a1\nh1\nh2\nb1\n").commit();
    scene.is("f", &["- exact a1|h1|h2", "two:1 exact b1"]).holds();
}

#[test]
fn what_a_person_writes_in_place_of_a_squashed_branch_is_theirs() {
    let scene = Scene::new();
    scene.human("f", "h1\nh2\n").commit();
    scene.git("switch --quiet -c topic");
    scene.agent("one").edit("f", "h1\n", "fn a() {\n    a1();\n    a2();\n    return;\n}\nh1\n");
    scene.commit();
    scene.git("switch --quiet main");
    scene.agent("two").edit("f", "h2\n", "h2\nb1\n");
    scene.commit();
    scene.git("merge --quiet --squash topic").git("restore --staged --worktree .");
    scene.human("f", "fn h() {\n    return;\n}\nh1\nh2\nb1\n").commit();
    scene.is("f", &["- exact fn h() {|    return;|}|h1|h2", "two:1 exact b1"]).holds();
}

#[test]
fn a_conflict_with_a_branch_on_which_somebody_went_on_from_an_agents_line() {
    let scene = Scene::new();
    scene.agent("one").bash("echo a1 >> f");
    scene.commit();
    scene.git("switch --quiet -c topic");
    scene.human("f", "a1\nh1\nh2\nh3\n").commit();
    scene.git("switch --quiet main");
    scene.agent("two").write("f", "b1\nb2\n");
    scene.commit();
    scene.stops("merge --quiet --squash topic").human("f", "b1\nb2\na1\nh1\nh2\nh3\n");
    scene.git("add f").git("commit --quiet -m squashed");
    scene.is("f", &["two:1 exact b1|b2", "one:1 exact a1", "- exact h1|h2|h3"]).holds();
}

/// Two sessions and a person on a branch, squashed and pushed by somebody without hooks, while main went on.
fn on_the_server(scene: &Scene) -> (World, PathBuf) {
    scene.git("switch --quiet -c topic");
    scene.agent("one").write("a.py", "def first():\n    return first_of_all\n");
    scene.commit();
    scene.agent("two").edit("a.py", "first_of_all\n", "first_of_all\n\ndef second():\n    return second_of_all\n");
    scene.human("h.py", "a person's own line\n").commit();
    scene.git("push --quiet origin topic").git("switch --quiet main");
    let olga = scene.ada().other("Olga");
    let clone = olga.clone(&scene.team.remote, "olga");
    let git = |args: &[&str]| olga.git(&clone, args).ok();
    olga.commit_file(&clone, "main.py", "main went on meanwhile\n");
    git(&["merge", "--quiet", "--squash", "origin/topic"]);
    git(&["commit", "--quiet", "-m", "Squashed (#1)"]);
    git(&["push", "--quiet", "origin", "main", ":topic"]);
    (olga, clone)
}

#[test]
fn a_squash_on_the_server_that_is_pulled() {
    let scene = Scene::new();
    let (bea, hers) = scene.team.join("Bea");
    on_the_server(&scene);
    // Where the agents were, with the branch; and elsewhere, without it: by the hashes of what was recorded.
    scene.git("pull --quiet origin main");
    bea.run(&hers, ["fetch"]).ok();
    bea.git(&hers, ["pull", "--quiet", "origin", "main"]).ok();
    let lines = |evidence: &str| {
        vec![
            format!("one:1 {evidence} def first():|    return first_of_all"),
            format!("two:1 {evidence} |def second():|    return second_of_all"),
        ]
    };
    for (who, dir) in [(scene.ada(), scene.work()), (&bea, &*hers)] {
        assert_eq!(told(who, dir, "HEAD", "a.py"), lines("content"));
        assert_eq!(told(who, dir, "HEAD", "h.py"), ["- none a person's own line"]);
        assert_eq!(told(who, dir, "HEAD", "main.py"), ["- none main went on meanwhile"]);
    }
    bea.run(&hers, ["link", "--range", "HEAD~2..HEAD"]).ok();
    assert_eq!(told(&bea, &hers, "HEAD", "a.py"), lines("linked"));
    assert_eq!(told(&bea, &hers, "HEAD", "h.py"), ["- linked a person's own line"]);
}

#[test]
fn a_squash_on_the_server_of_single_lines_while_main_stood_still() {
    let scene = Scene::new();
    let (bea, hers) = scene.team.join("Bea");
    scene.git("switch --quiet -c topic");
    let agent = scene.agent("s");
    agent.write("f", "outer one\nouter two\n");
    scene.commit();
    agent.edit("f", "outer one\n", "outer one\ninner_line_of_some_length\n");
    scene.human("g", "a person's\n").commit();
    scene.git("push --quiet origin topic").git("switch --quiet main");
    let olga = scene.ada().other("Olga");
    let clone = olga.clone(&scene.team.remote, "olga");
    olga.git(&clone, ["merge", "--quiet", "--squash", "origin/topic"]).ok();
    olga.git(&clone, ["commit", "--quiet", "-m", "Squashed (#1)"]).ok();
    olga.git(&clone, ["push", "--quiet", "origin", "main", ":topic"]).ok();
    scene.git("pull --quiet origin main");
    bea.run(&hers, ["fetch"]).ok();
    bea.git(&hers, ["pull", "--quiet", "origin", "main"]).ok();
    scene.is("f", &["s:1 content outer one", "s:2 content inner_line_of_some_length", "s:1 content outer two"]);
    scene.is("g", &["- none a person's"]);
    // Where the branch is not: a range that something came between cannot be told by its hash.
    assert_eq!(
        told(&bea, &hers, "HEAD", "f"),
        ["- none outer one", "s:2 content inner_line_of_some_length", "- none outer two"]
    );
}

#[test]
fn a_squash_on_the_server_of_one_line_and_nothing_else_while_main_went_on() {
    let scene = Scene::new();
    scene.git("switch --quiet -c topic");
    scene.agent("s").write("f", "by_s(a, b)\n");
    scene.commit();
    scene.git("push --quiet origin topic").git("switch --quiet main");
    let olga = scene.ada().other("Olga");
    let clone = olga.clone(&scene.team.remote, "olga");
    olga.commit_file(&clone, "main.py", "main went on meanwhile\n");
    olga.git(&clone, ["merge", "--quiet", "--squash", "origin/topic"]).ok();
    olga.git(&clone, ["commit", "--quiet", "-m", "Squashed (#1)"]).ok();
    olga.git(&clone, ["push", "--quiet", "origin", "main"]).ok();
    scene.git("pull --quiet origin main");
    // Anybody may have typed it.
    scene.is("f", &["- none by_s(a, b)"]);
    scene.ada().run(scene.work(), ["link", "--range", "HEAD~1..HEAD"]).ok();
    scene.is("f", &["s:1 linked by_s(a, b)"]);
}

#[test]
fn a_squash_on_the_server_of_one_line_in_a_persons_file_while_main_went_on() {
    let scene = Scene::new();
    scene.git("switch --quiet -c topic");
    let agent = scene.agent("s");
    scene.human("f", "person one\nperson two\nperson three\n");
    agent.edit("f", "person two\n", "by s\nperson two\n");
    scene.commit();
    scene.git("push --quiet origin topic").git("switch --quiet main");
    let olga = scene.ada().other("Olga");
    let clone = olga.clone(&scene.team.remote, "olga");
    olga.commit_file(&clone, "main.py", "main went on meanwhile\n");
    olga.git(&clone, ["merge", "--quiet", "--squash", "origin/topic"]).ok();
    olga.git(&clone, ["commit", "--quiet", "-m", "Squashed (#1)"]).ok();
    olga.git(&clone, ["push", "--quiet", "origin", "main"]).ok();
    scene.git("pull --quiet origin main");
    scene.is("f", &["- none person one", "s:1 content by s", "- none person two|person three"]);
}

#[test]
fn a_squash_on_the_server_of_a_renamed_file_that_main_has_under_its_old_name() {
    let scene = Scene::new();
    scene.git("switch --quiet -c topic");
    scene.agent("s").write("old.py", "by_s = 1\n");
    scene.human("old.py", "by_s = 1\nby_person = 2\nby_person_too = 3\n").commit();
    scene.git("push --quiet origin topic");
    let olga = scene.ada().other("Olga");
    let clone = olga.clone(&scene.team.remote, "olga");
    let squash = || {
        olga.git(&clone, ["merge", "--quiet", "--squash", "origin/topic"]).ok();
        olga.git(&clone, ["commit", "--quiet", "-m", "Squashed"]).ok();
        olga.git(&clone, ["push", "--quiet", "origin", "main"]).ok();
    };
    squash();
    scene.git("mv old.py new.py").commit();
    scene.git("push --quiet origin topic").git("switch --quiet main");
    olga.git(&clone, ["fetch", "--quiet", "origin"]).ok();
    squash();
    scene.git("pull --quiet origin main");
    let lines = ["s:1 content by_s = 1", "- none by_person = 2|by_person_too = 3"];
    scene.is("old.py", &lines).is("new.py", &lines);
}

#[test]
fn a_pull_request_rebased_on_the_server() {
    let scene = Scene::new();
    scene.git("switch --quiet -c topic");
    scene.agent("s").write("a.py", "def first():\n    return first_of_all\n");
    scene.commit();
    scene.human("a.py", "def first():\n    return first_of_all\n\n# a person's own\n").commit();
    scene.git("push --quiet origin topic").git("switch --quiet main");
    let olga = scene.ada().other("Olga");
    let clone = olga.clone(&scene.team.remote, "olga");
    olga.commit_file(&clone, "main.py", "main went on meanwhile\n");
    olga.git(&clone, ["cherry-pick", "origin/main..origin/topic"]).ok();
    olga.git(&clone, ["push", "--quiet", "origin", "main", ":topic"]).ok();
    scene.git("pull --quiet origin main");
    let lines = |evidence: &str| [format!("s:1 {evidence} def first():|    return first_of_all")];
    assert_eq!(told(scene.ada(), scene.work(), "HEAD", "a.py")[..1], lines("content"));
    assert_eq!(told(scene.ada(), scene.work(), "HEAD", "a.py")[1..], ["- none |# a person's own"]);
    scene.ada().run(scene.work(), ["link", "--range", "HEAD~3..HEAD"]).ok();
    assert_eq!(told(scene.ada(), scene.work(), "HEAD", "a.py")[..1], lines("linked"));
}

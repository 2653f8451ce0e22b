//! Commits that are amended.

use serde_json::json;

use super::Scene;

const FIVE: &str = "h1\nh2\nh3\nh4\nh5\n";

#[test]
fn lines_that_are_not_staged_are_the_next_commits() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    scene.human("f", FIVE).commit();
    agent.write("f", &format!("a1\na2\n{FIVE}"));
    scene.git("commit --quiet --amend -m again");
    scene.is("f", &["- exact h1|h2|h3|h4|h5"]);
    scene.commit();
    scene.is("f", &["s:1 exact a1|a2", "- exact h1|h2|h3|h4|h5"]).holds();
}

#[test]
fn what_is_added_around_goes_into_the_amended_commit() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    agent.write("f", "body1\nbody2\n");
    scene.commit();
    agent.edit("f", "body1\n", "header1\nheader2\nbody1\n");
    agent.edit("f", "body1\n", "doc\nbody1\n");
    agent.edit("f", "body2\n", "body2\nfooter\n");
    scene.git("commit --quiet --all --amend -m again");
    let expected = ["s:2 exact header1|header2", "s:3 exact doc", "s:1 exact body1|body2", "s:4 exact footer"];
    scene.is("f", &expected).holds();
    assert_eq!(scene.totals("HEAD"), (6, 6));
}

#[test]
fn another_file_waits_while_one_is_amended() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    agent.write("a", "a1\n");
    scene.commit();
    agent.write("a", "a1\na2\n");
    agent.write("b", "b1\nb2\nb3\n");
    scene.git("add a").git("commit --quiet --amend -m again");
    assert_eq!(scene.totals("HEAD"), (2, 2));
    scene.commit();
    scene.is("a", &["s:1 exact a1", "s:2 exact a2"]).is("b", &["s:3 exact b1|b2|b3"]).holds();
}

#[test]
fn three_files_amended_and_one_of_them_mixed() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    agent.write("a", "a1\n");
    scene.human("b", "h1\nh2\n").human("c", "h3\n").commit();
    agent.edit("a", "a1\n", "a1\na2\n");
    agent.edit("b", "h2\n", "a3\nh2\n");
    scene.human("c", "h3\nh4\n").git("commit --quiet --all --amend -m again");
    scene.is("a", &["s:1 exact a1", "s:2 exact a2"]);
    scene.is("b", &["- exact h1", "s:3 exact a3", "- exact h2"]);
    scene.is("c", &["- exact h3|h4"]).holds();
}

#[test]
fn only_the_middle_waits() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    scene.human("f", "h1\nh2\n").commit();
    agent.write("f", "top\nh1\nmiddle\nh2\nend\n");
    scene.stage("f", "@@ -0,0 +1,1 @@\n+top\n@@ -2,0 +4,1 @@\n+end\n").git("commit --quiet --amend -m again");
    scene.is("f", &["s:1 exact top", "- exact h1|h2", "s:1 exact end"]);
    scene.commit();
    scene.is("f", &["s:1 exact top", "- exact h1", "s:1 exact middle", "- exact h2", "s:1 exact end"]).holds();
}

#[test]
fn twice_in_a_row_with_a_persons_line_on_top() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    agent.write("f", "a1\na2\na3\n");
    scene.commit();
    agent.edit("f", "a3\n", "a3\na4\na5\n");
    scene.git("commit --quiet --all --amend -m again");
    agent.edit("f", "a5\n", "a5\na6\na7\n");
    scene.human("f", "h\na1\na2\na3\na4\na5\na6\na7\n").git("commit --quiet --all --amend -m again");
    scene.is("f", &["- exact h", "s:1 exact a1|a2|a3", "s:2 exact a4|a5", "s:3 exact a6|a7"]).holds();
    assert_eq!(scene.totals("HEAD"), (8, 7));
}

#[test]
fn a_session_of_an_earlier_commit_is_not_drawn_on() {
    let scene = Scene::new();
    let (one, two) = (scene.agent("one"), scene.agent("two"));
    one.write("f", "a1\n");
    scene.commit();
    two.edit("f", "a1\n", "a1\nb1\n");
    scene.commit();
    two.edit("f", "b1\n", "b1\nb2\n");
    scene.git("commit --quiet --all --amend -m again");
    scene.is("f", &["one:1 exact a1", "two:1 exact b1", "two:2 exact b2"]).holds();
    assert_eq!((scene.sessions("HEAD~1"), scene.sessions("HEAD")), (vec!["one".into()], vec!["two".into()]));
    let note = scene.try_git("notes --ref=tracevault show HEAD").ok();
    assert!(!note.contains("one"), "{note}");
}

#[test]
fn what_was_recorded_and_claimed_stays() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    agent.write("f", "a1\n");
    let old = scene.human("f", "h1\na1\n").commit();
    // Another tool says that a person wrote the first line.
    let metadata = json!({"schema_version": "authorship/3.0.0", "git_ai_version": "1.0.23", "base_commit_sha": old,
        "prompts": {}, "humans": {"h_0123456789abcd": {"author": "Ada <ada@example.com>"}}});
    let note = format!("f\n  h_0123456789abcd 1\n---\n{metadata:#}\n");
    let blob = scene.ada().feed_git(scene.work(), ["hash-object", "-w", "--stdin"], note.as_bytes()).ok();
    scene.git(&format!("notes --ref=ai add -C {blob} {old}"));
    scene.ada().run(scene.work(), ["import", "--format", "git-ai"]).ok();
    let claims = || scene.ada().run(scene.work(), ["import", "--list", "--json"]).ok();
    let (records, claimed) = (scene.ada().records(scene.work()), claims());
    assert!(claimed.contains("\"human\""), "{claimed}");
    agent.edit("f", "a1\n", "a1\na2\n");
    scene.git("commit --quiet --all --amend -m again");
    assert_eq!(scene.ada().records(scene.work())[..records.len()], records);
    assert_eq!(claims(), claimed);
    let links = scene.ada().records_of(scene.work(), "link");
    assert_eq!((links[0]["old"].as_str(), links[0]["new"].as_str()), (Some(&*old), Some(&*scene.id("HEAD"))));
    // A claim is no evidence: the line is nobody's known.
    scene.is("f", &["- exact h1", "s:1 exact a1", "s:2 exact a2"]).holds();
}

#[test]
fn a_persons_line_that_is_amended_in_is_not_the_agents() {
    let scene = Scene::new();
    scene.agent("s").write("f", "a1\na2\n");
    scene.commit();
    scene.human("f", "a1\na2\nh\n").git("commit --quiet --all --amend -m again");
    scene.is("f", &["s:1 exact a1|a2", "- exact h"]).holds();
}

#[test]
fn a_pick_with_a_conflict_is_amended_in() {
    let scene = Scene::new();
    scene.git("switch --quiet -c topic");
    scene.agent("one").bash("echo a1 >> f");
    scene.commit();
    scene.agent("two").write("f", "b1\nb2\n");
    scene.commit();
    scene.git("switch --quiet main").human("f", "h1\nh2\nh3\n").commit();
    scene.stops("cherry-pick --no-commit topic~1").human("f", "a1\nh1\nh2\nh3\n");
    scene.git("add f").git("commit --quiet --amend -m both");
    scene.is("f", &["one:1 exact a1", "- exact h1|h2|h3"]).holds();
}

#[test]
fn a_person_amends_what_was_committed_after_an_agents_later_edits_were_stashed() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    agent.write("f", "first = one()\nsecond = two()\n");
    scene.commit();
    agent.write("f", "first = one()\nthird = three()\nfourth = four()\n");
    scene.git("stash --quiet").human("f", "first = one()\nfifth = persons()\nsecond = two()\n");
    scene.git("add f").git("commit --quiet --amend -m amended");
    let expected = ["s:1 exact first = one()", "- exact fifth = persons()", "s:1 exact second = two()"];
    scene.is("f", &expected).holds();
}

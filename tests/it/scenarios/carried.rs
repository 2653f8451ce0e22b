//! Lines that are renamed, moved, wrapped and indented anew, and commits that are rewritten as they are.

use super::{Scene, told};

#[test]
fn a_file_that_is_renamed() {
    let scene = Scene::new();
    scene.agent("s").write("old", "a1\na2\na3\n");
    scene.commit();
    scene.git("mv old new").commit();
    scene.is("new", &["s:1 exact a1|a2|a3"]).holds();
    assert_eq!(scene.totals("HEAD"), (0, 0));
}

#[test]
fn a_file_that_is_renamed_twice_and_mostly_written_anew_in_between() {
    let scene = Scene::new();
    let (one, two) = (scene.agent("one"), scene.agent("two"));
    one.write("old", "of the first\nfirst too\n");
    scene.commit();
    scene.git("mv old between");
    two.write("between", "of the second\nsecond too\nand more\nfirst too\n");
    scene.git("mv between new").commit();
    scene.is("new", &["two:1 exact of the second|second too|and more", "one:1 exact first too"]).holds();
}

#[test]
fn a_file_that_is_renamed_twice_and_written_to_in_between() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    agent.write("old", "of the first\nfirst too\n");
    scene.commit();
    scene.git("mv old between");
    agent.bash("echo 'of the second' >> between");
    scene.git("mv between new").commit();
    scene.is("new", &["s:1 exact of the first|first too", "s:2 exact of the second"]).holds();
}

#[test]
fn a_file_that_is_renamed_while_another_takes_its_name() {
    let scene = Scene::new();
    let (one, two) = (scene.agent("one"), scene.agent("two"));
    one.write("old", "of the first\nfirst too\nand this\n");
    scene.commit();
    scene.git("mv old new").human("old", "a person's\nown file\n");
    two.edit("new", "first too\n", "of the second\n");
    scene.commit();
    scene.is("new", &["one:1 exact of the first", "two:1 exact of the second", "one:1 exact and this"]);
    scene.is("old", &["- exact a person's|own file"]).holds();
}

#[test]
fn a_file_that_is_renamed_with_uncommitted_lines_while_an_agent_makes_another_with_its_name() {
    let scene = Scene::new();
    let (one, two) = (scene.agent("one"), scene.agent("two"));
    scene.human("old", "h1\nh2\n").commit();
    one.edit("old", "h2\n", "h2\na1\na2\na3\n");
    scene.git("mv old new").human("new", "h1\nh2\na1\na2\nh3\nh4\nh5\na3\n");
    two.bash("echo b1 >> old");
    scene.commit();
    let lines = ["- exact h1|h2", "one:1 exact a1|a2", "- exact h3|h4|h5", "one:1 exact a3"];
    scene.is("new", &lines).is("old", &["two:1 exact b1"]);
    scene.git("commit --quiet --amend -m again").is("new", &lines).is("old", &["two:1 exact b1"]).holds();
}

#[test]
fn a_file_that_is_renamed_and_indented_while_another_takes_its_name() {
    for is_persons in [false, true] {
        let scene = Scene::new();
        let agent = scene.agent("s");
        agent.write("old", "first = 1\nsecond = 2\n");
        scene.commit();
        scene.git("mv old new");
        match is_persons {
            true => drop(scene.human("old", "another = 3\nand_more = 4\n")),
            false => drop(agent.write("old", "another = 3\nand_more = 4\n")),
        }
        scene.human("new", "  first = 1\n  second = 2\n").commit();
        let whose = if is_persons { "-" } else { "s:2" };
        scene.is("new", &["s:1 exact   first = 1|  second = 2"]);
        scene.is("old", &[&format!("{whose} exact another = 3|and_more = 4")]);
        // What the other file has is not this one's past.
        scene.human("new", "  first = 1\n  second = 2\nanother = 3\nand_more = 4\n").commit();
        scene.is("new", &["s:1 exact   first = 1|  second = 2", "- exact another = 3|and_more = 4"]).holds();
    }
}

#[test]
fn a_file_that_is_renamed_and_edited_while_an_agent_makes_another_with_its_name() {
    let scene = Scene::new();
    let (one, two) = (scene.agent("one"), scene.agent("two"));
    one.write("old", "a1 = 1\na2 = 2\na3 = 3\n");
    scene.human("old", "h1\nh2\na1 = 1\na2 = 2\na3 = 3\n").commit();
    scene.git("mv old new");
    one.edit("new", "a1 = 1\n", "b1\nb2\n");
    two.write("old", "c1\nc2\n");
    scene.commit();
    scene.is("new", &["- exact h1|h2", "one:2 exact b1|b2", "one:1 exact a2 = 2|a3 = 3"]);
    scene.is("old", &["two:1 exact c1|c2"]).holds();
}

#[test]
fn a_file_with_one_line_of_an_agents_that_is_renamed_while_an_agent_makes_another_with_its_name() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    agent.bash("echo a1 >> old");
    scene.commit();
    scene.human("old", "a1\nh1\nh2\nh3\n").commit();
    scene.git("mv old new");
    agent.write("old", "b1\nb2\n");
    scene.commit();
    scene.is("new", &["s:1 exact a1", "- exact h1|h2|h3"]).is("old", &["s:2 exact b1|b2"]).holds();
}

#[test]
fn a_file_that_was_never_committed_is_renamed_while_an_agent_makes_another_with_its_name() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    agent.write("old", "a1\na2\n");
    scene.git("add old").git("mv old new");
    agent.write("old", "b1\nb2\n");
    scene.commit();
    scene.is("new", &["s:1 exact a1|a2"]).is("old", &["s:2 exact b1|b2"]).holds();
}

#[test]
fn a_persons_file_that_begins_like_one_that_an_agent_made_anew_is_theirs() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    agent.write("old", "import os\nimport re\na1\na2\n");
    scene.commit();
    std::fs::remove_file(scene.work().join("old")).unwrap();
    agent.write("old", "b1\n");
    scene.human("new", "import os\nimport re\nh1\n").commit();
    scene.is("new", &["- exact import os|import re|h1"]).is("old", &["s:2 exact b1"]).holds();
}

#[test]
fn a_rename_that_is_staged_and_carried_to_a_branch_that_has_the_file_still() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    agent.write("old", "line one\nline two\nline three\n");
    scene.human("h", "h1\n").commit();
    scene.git("switch --quiet -c topic");
    agent.write("old", "line one\nline two\nline three\nline four\n");
    scene.commit();
    // Git puts the file back, as another one than the hooks saw.
    scene.git("switch --quiet main").git("switch --quiet topic");
    scene
        .git("mv old between")
        .git("commit --quiet -m between")
        .git("mv between new")
        .git("switch --quiet main")
        .commit();
    scene.is("new", &["s:1 exact line one|line two|line three", "s:2 exact line four"]);
    scene.is("old", &["s:1 exact line one|line two|line three"]);
    scene.human("copy", "line one\nline two\nline three\nline 4\n").commit();
    scene.is("copy", &["- exact line one|line two|line three|line 4"]).holds();
}

#[test]
fn a_file_that_is_renamed_before_it_was_ever_committed() {
    let scene = Scene::new();
    scene.agent("s").write("old", "a1\na2\na3\n");
    scene.git("add old").git("mv old new").commit();
    scene.is("new", &["s:1 exact a1|a2|a3"]).holds();
}

#[test]
fn renamed_and_edited_by_the_agent_in_one_commit() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    agent.write("old", "a1\na2\na3\n");
    scene.commit();
    scene.git("mv old new");
    agent.edit("new", "a3\n", "a three\n");
    scene.commit();
    scene.is("new", &["s:1 exact a1|a2", "s:2 exact a three"]).holds();
}

#[test]
fn renamed_and_edited_by_a_person_in_one_commit() {
    let scene = Scene::new();
    scene.agent("s").write("old", "a1\na2\na3\na4\n");
    scene.commit();
    scene.git("mv old new").human("new", "a1\na2\nh3\na4\n").commit();
    scene.is("new", &["s:1 exact a1|a2", "- exact h3", "s:1 exact a4"]).holds();
}

#[test]
fn renamed_into_a_folder_and_rewritten_beyond_gits_recognition() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    agent.write("old.py", "a1\na2\n");
    scene.commit();
    scene.git("rm --quiet --cached old.py");
    std::fs::create_dir(scene.work().join("pkg")).unwrap();
    std::fs::rename(scene.work().join("old.py"), scene.work().join("pkg/new.py")).unwrap();
    agent.edit("pkg/new.py", "a2\n", "a2\nb1\nb2\nb3\nb4\nb5\nb6\n");
    scene.commit();
    scene.is("pkg/new.py", &["s:1 exact a1|a2", "s:2 exact b1|b2|b3|b4|b5|b6"]).holds();
}

#[test]
fn renamed_after_a_person_wrote_most_of_it_anew() {
    let scene = Scene::new();
    scene.agent("s").write("old.py", "first = agents_first()\nsecond = agents_second()\n");
    scene.human("old.py", "first = agents_first()\nthird = persons_third()\nfourth = persons()\n");
    scene.git("add old.py").git("mv old.py new.py").commit();
    scene.is("new.py", &["s:1 exact first = agents_first()", "- exact third = persons_third()|fourth = persons()"]);
    // The same of a file that was committed.
    scene.human("new.py", "h1 = persons()\nh2 = persons_too()\nh3 = more()\nfirst = agents_first()\n");
    scene.git("mv new.py newer.py").commit();
    scene
        .is("newer.py", &["- exact h1 = persons()|h2 = persons_too()|h3 = more()", "s:1 exact first = agents_first()"]);
    scene.holds();
}

#[test]
fn renamed_twice_before_the_commit_and_written_to_in_between() {
    let scene = Scene::new();
    scene.agent("one").write("old.py", "first = one()\n");
    scene.commit();
    scene.git("mv old.py new.py");
    scene.agent("two").bash("echo 'second = two()' >> new.py");
    scene.git("mv new.py newer.py").commit();
    scene.is("newer.py", &["one:1 exact first = one()", "two:1 exact second = two()"]).holds();
}

#[test]
fn an_agent_that_wraps_a_persons_line() {
    let scene = Scene::new();
    scene.human("f", "call(foo, bar, baz)\n").commit();
    scene.agent("s").write("f", "call(\n    foo,\n    bar,\n    baz\n)\n");
    scene.commit();
    scene.is("f", &["- exact call(|    foo,|    bar,|    baz|)"]).holds();
    assert_eq!(scene.totals("HEAD"), (5, 0));
}

#[test]
fn a_person_or_a_formatter_that_wraps_an_agents_line_before_the_commit() {
    let scene = Scene::new();
    scene.agent("s").write("f", "call(foo, bar, baz)\n");
    scene.human("f", "call(\n    foo,\n    bar,\n    baz\n)\n").commit();
    scene.is("f", &["s:1 exact call(|    foo,|    bar,|    baz|)"]).holds();
}

#[test]
fn a_formatter_that_indents_agents_lines_in_a_later_commit() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    agent.write("f", "fn of_agent() {\nlet a = 1;\nreturn a;\n}\n");
    scene.human("f", "fn of_agent() {\nlet a = 1;\nreturn a;\n}\nfn of_person() {\nlet b = 2;\n}\n").commit();
    let formatted = "fn of_agent() {\n    let a = 1;\n    return a;\n}\nfn of_person() {\n    let b = 2;\n}\n";
    scene.human("f", formatted).commit();
    let expected =
        ["s:1 exact fn of_agent() {|    let a = 1;|    return a;|}", "- exact fn of_person() {|    let b = 2;|}"];
    scene.is("f", &expected).holds();
    assert_eq!(scene.totals("HEAD"), (3, 2));
}

#[test]
fn an_agent_that_indents_a_persons_lines() {
    let scene = Scene::new();
    scene.human("f", "let a = 1;\nlet b = 2;\n").commit();
    scene.agent("s").write("f", "if x {\n    let a = 1;\n    let b = 2;\n}\n");
    scene.commit();
    scene.is("f", &["s:1 exact if x {", "- exact     let a = 1;|    let b = 2;", "s:1 exact }"]).holds();
}

#[test]
fn a_person_changes_one_of_five_lines() {
    let scene = Scene::new();
    scene.agent("s").write("f", "a1\na2\na3\na4\na5\n");
    scene.commit();
    scene.human("f", "a1\na2\nmine\na4\na5\n").commit();
    scene.is("f", &["s:1 exact a1|a2", "- exact mine", "s:1 exact a4|a5"]).holds();
    assert_eq!(scene.totals("HEAD"), (1, 0));
}

#[test]
fn messages_that_are_rewritten_over_a_whole_branch() {
    let scene = Scene::new();
    let agent = scene.agent("s");
    agent.write("f.py", "def first():\n    return first_of_all\n");
    scene.commit();
    scene.human("f.py", "def first():\n    return first_of_all\n\n# a person's own line\n").commit();
    agent.edit("f.py", "# a person's own line\n", "# a person's own line\ndef second():\n    pass\n");
    scene.commit();
    let lines = |evidence: &str, nobody: &str| {
        [
            format!("s:1 {evidence} def first():|    return first_of_all"),
            format!("- {nobody} |# a person's own line"),
            format!("s:2 {evidence} def second():|    pass"),
        ]
    };
    assert_eq!(told(scene.ada(), scene.work(), "HEAD", "f.py"), lines("exact", "exact"));
    let filter = ["filter-branch", "-f", "--msg-filter", "sed s/x/y/", "HEAD~3..HEAD"];
    let mut command = scene.ada().command("git", scene.work());
    assert!(command.env("FILTER_BRANCH_SQUELCH_WARNING", "1").args(filter).output().unwrap().status.success());
    assert_eq!(scene.try_git("log -3 --format=%s").ok(), "y\ny\ny");
    assert_eq!(told(scene.ada(), scene.work(), "HEAD", "f.py"), lines("content", "none"));
    scene.ada().run(scene.work(), ["link", "--range", "HEAD~3..HEAD"]).ok();
    let linked = told(scene.ada(), scene.work(), "HEAD", "f.py");
    assert_eq!((&linked[0], &linked[2]), (&lines("linked", "")[0], &lines("linked", "")[2]));
    assert!(linked[1].starts_with("- ") && linked[1].ends_with(" |# a person's own line"), "{linked:?}");
}

//! Git that an agent runs: what it brings is whose it was, never the agent's who ran it.

use super::Scene;

/// A person's line on `topic`, main being checked out.
fn topic() -> Scene {
    let scene = Scene::new();
    scene.human("f", "h1\n").commit();
    scene.git("switch --quiet -c topic").human("f", "h1\na person's own line\n").commit();
    scene.git("switch --quiet main");
    scene
}

#[test]
fn a_squash() {
    let scene = topic();
    scene.agent("s").bash("git merge --quiet --squash topic");
    scene.commit();
    scene.is("f", &["- exact h1|a person's own line"]).holds();
}

#[test]
fn a_stash_that_is_brought_back() {
    let scene = topic();
    scene.human("f", "h1\nanother of a person's lines\n").git("stash push --quiet");
    scene.agent("s").bash("git stash pop --quiet");
    scene.commit();
    scene.is("f", &["- exact h1|another of a person's lines"]).holds();
}

#[test]
fn a_file_of_another_branch() {
    let scene = topic();
    scene.agent("s").bash("git checkout --quiet topic -- f");
    scene.commit();
    scene.is("f", &["- exact h1|a person's own line"]).holds();
}

#[test]
fn a_pick_and_a_pick_without_a_commit() {
    let scene = topic();
    let agent = scene.agent("s");
    agent.bash("git cherry-pick topic");
    scene.is("f", &["- exact h1|a person's own line"]);
    scene.git("reset --quiet --hard HEAD~1");
    agent.bash("git cherry-pick --no-commit topic");
    scene.commit();
    scene.is("f", &["- exact h1|a person's own line"]).holds();
}

#[test]
fn a_rebase_that_stops_at_a_conflict() {
    let scene = topic();
    scene.human("f", "h1\nof main\n").commit();
    scene.git("switch --quiet topic");
    let agent = scene.agent("s");
    agent.bash("git rebase --quiet main || true");
    agent.write("f", "h1\nof main\na person's own line\nof the agent\n");
    scene.git("add f").git("rebase --continue");
    scene.is("f", &["- exact h1|of main|a person's own line", "s:2 exact of the agent"]).holds();
}

#[test]
fn a_persons_commit_that_is_taken_apart() {
    let scene = topic();
    scene.git("switch --quiet topic");
    scene.agent("s").bash("git reset --quiet --soft HEAD~1");
    scene.commit();
    scene.is("f", &["- exact h1|a person's own line"]).holds();
}

#[test]
fn agents_lines_that_are_brought_back_are_still_theirs() {
    let scene = topic();
    scene.git("switch --quiet topic");
    let (writer, other) = (scene.agent("writer"), scene.agent("other"));
    writer.edit("f", "h1\n", "h1\nwritten by an agent\n");
    scene.commit();
    writer.edit("f", "h1\n", "h0, of an agent\nh1\n");
    other.bash("git stash push --quiet && git switch --quiet main && git merge --quiet --squash topic");
    scene.commit();
    other.bash("git stash pop --quiet");
    scene.commit();
    let expected = ["writer:2 exact h0, of an agent", "- exact h1", "writer:1 exact written by an agent"];
    scene.is("f", &[&expected[..], &["- exact a person's own line"]].concat()).holds();
}

#[test]
fn what_git_prints_into_a_file() {
    let scene = topic();
    let agent = scene.agent("s");
    let commands = [
        "git show topic:f > f",
        "git cat-file -p topic:f | cat > f",
        "git archive topic f | tar x",
        "git diff main topic -- f | patch --silent --strip 1",
        "git diff main topic -- f | git apply",
        "git format-patch --stdout main..topic | git apply",
        "x=$(git show topic:f); echo \"$x\" > f",
    ];
    for command in commands {
        agent.bash(command);
        scene.commit();
        scene.is("f", &["- exact h1|a person's own line"]).git("reset --quiet --hard HEAD~1");
    }
    scene.holds();
}

#[test]
fn git_that_brings_nothing_takes_nothing_from_the_agent() {
    let scene = topic();
    let agent = scene.agent("s");
    let commands = [
        "git stash list",
        "git reset --quiet",
        "git restore --staged f",
        "git apply --stat /dev/null || true",
        "git rebase --show-current-patch || true",
        "git bisect log || true",
        "git rerere status",
        "git cherry -v main topic",
        "git check-attr -a f",
        "git lfs version || true",
        "git show-branch",
        "git sparse-checkout list || true",
        "git verify-commit HEAD || true",
        "git diff main topic | wc -l",
        "git log --oneline > /dev/null",
    ];
    let mut calls = vec!["- exact h1".to_owned()];
    for (i, command) in commands.iter().enumerate() {
        let call = agent.bash(&format!("{{ {command}; }} 2>&1 | tail -20; echo 'by the agent {i}' >> f"));
        calls.push(format!("{} exact by the agent {i}", call.replacen("toolu-s-", "s:", 1)));
    }
    scene.commit();
    scene.is("f", &calls.iter().map(String::as_str).collect::<Vec<_>>()).holds();
}

#[test]
fn a_patch_that_stands_in_the_command() {
    let scene = topic();
    let agent = scene.agent("s");
    let patch = |line: &str| format!("--- a/f\n+++ b/f\n@@ -1 +1,2 @@\n h1\n+{line}\n");
    agent.bash(&format!("git apply --unidiff-zero <<'X'\n{}X", patch("by a patch")));
    agent.bash(&format!("cat <<'X' | git apply --unidiff-zero -\n{}X", patch("by another")));
    scene.commit();
    scene.is("f", &["- exact h1", "s:2 exact by another", "s:1 exact by a patch"]).holds();
}

#[test]
fn a_branch_that_is_made_before_writing_takes_nothing_from_the_agent() {
    let scene = topic();
    let agent = scene.agent("s");
    agent.bash("git switch --quiet -c more && echo 'an agent wrote it' >> f && git add f");
    agent.bash("git checkout --quiet -b yet && echo 'and that' >> f && git add f");
    scene.commit();
    scene.is("f", &["- exact h1", "s:1 exact an agent wrote it", "s:2 exact and that"]).holds();
}

#[test]
fn what_a_shell_writes_and_commits_in_one_call() {
    let scene = topic();
    let agent = scene.agent("s");
    scene.human("f", "h1\na person's, not committed yet\n").human("g", "a person's new file\n");
    agent.bash(
        "printf 'by the shell\\nand more\\n' >> f && git add f && git commit --quiet -m one && echo new > n \
         && git add n && git commit --quiet -m two && echo later >> n",
    );
    scene.is("f", &["- exact h1|a person's, not committed yet", "s:1 exact by the shell|and more"]);
    scene.is("n", &["s:1 exact new"]).commit();
    scene.is("n", &["s:1 exact new|later"]).is("g", &["- exact a person's new file"]);
    assert_eq!((scene.totals("HEAD~1"), scene.totals("HEAD~2")), ((1, 1), (3, 2)));
    scene.holds();
}

#[test]
fn a_person_commits_after_a_shell_that_wrote_and_committed_within_a_second() {
    let scene = topic();
    let agent = scene.agent("s");
    scene.human("f", "h1\nh2\nh3\n").commit();
    agent.bash("echo 'by the shell' >> f; git commit --quiet -am one");
    scene.human("f", "h1\nof a person\nh3\nby the shell\n").commit();
    assert_eq!((scene.totals("HEAD"), scene.sessions("HEAD")), ((1, 0), vec![]));
    // What it only takes away is a change, too.
    agent.bash("grep -v h3 f > g; mv g f");
    scene.human("f", "h0\nh1\nof a person\nby the shell\n").commit();
    assert_eq!((scene.totals("HEAD"), scene.sessions("HEAD")), ((1, 0), vec!["s".into()]));
    scene.holds();
}

#[test]
fn what_a_person_commits_while_a_shell_runs_or_after_it_was_stopped_is_not_the_shells() {
    let scene = topic();
    let agent = scene.agent("s");
    // It was interrupted: nothing says that it is over.
    agent.wish("Bash", &serde_json::json!({"command": "sleep 100; echo x > f; git commit -am x"}));
    scene.human("f", "h1\nof a person\n").commit();
    scene.is("f", &["- exact h1|of a person"]);
    agent.bash("echo 'of the agent' >> f; git commit --quiet -am y");
    scene.is("f", &["- exact h1|of a person", "s:2 exact of the agent"]).holds();
}

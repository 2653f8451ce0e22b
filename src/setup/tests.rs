//! Setup with a real git: every way of having hooks, and all bytes back afterwards.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use tempfile::TempDir;

use super::*;
use crate::git::command::{Answer, Git};

/// A folder with a repository `work` on `main`, a bare remote, and a program that writes down how it is called.
struct World {
    root: TempDir,
}

impl World {
    fn new() -> World {
        let world = World { root: tempfile::tempdir().unwrap() };
        let log = world.path("log");
        for program in ["it's ours/git-tracevault", "bin/git-tracevault"] {
            let text = format!(
                "#!/bin/sh\n(echo \"${{0##*/}} $*\"; [ \"$2\" = post-commit ] || cat) >> '{}'\n",
                log.display()
            );
            world.script(program, &text);
        }
        fs::create_dir_all(world.path("remote.git")).unwrap();
        fs::create_dir_all(world.path("work/sub")).unwrap();
        world.git("remote.git", &["init", "-q", "--bare", "-b", "main"]);
        world.git("work", &["init", "-q", "-b", "main"]);
        world.git("work", &["remote", "add", "origin", "../remote.git"]);
        world
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.path().canonicalize().unwrap().join(path)
    }

    fn program(&self) -> PathBuf {
        self.path("it's ours/git-tracevault")
    }

    fn command(&self, dir: &Path) -> Git {
        hermetic(dir, &self.path(""))
    }

    fn git(&self, dir: &str, args: &[&str]) -> Answer {
        self.command(&self.path(dir)).args(args).run().unwrap()
    }

    fn place(&self, dir: &str) -> Place {
        Place::find_with(&self.path(dir), |dir| self.command(dir)).unwrap()
    }

    fn install(&self, dir: &str) -> Report {
        let report = install_at(&self.place(dir), &self.program()).unwrap();
        let again = install_at(&self.place(dir), &self.program()).unwrap();
        assert_eq!(again, Report { changed: vec![], advice: report.advice.clone() }, "a second time changes nothing");
        report
    }

    fn states(&self, dir: &str) -> Vec<HookState> {
        Hook::ALL.map(|hook| state_at(&self.place(dir), &self.program(), hook)).to_vec()
    }

    fn uninstall(&self, dir: &str) {
        uninstall_at(&self.place(dir)).unwrap();
        assert_eq!(uninstall_at(&self.place(dir)).unwrap().changed, Vec::<PathBuf>::new());
    }

    fn file(&self, path: &str, text: &str) -> PathBuf {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn script(&self, path: &str, text: &str) -> PathBuf {
        let path = self.file(path, text);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn commit(&self, dir: &str) {
        self.git(dir, &["commit", "-q", "--allow-empty", "-m", "x"]);
    }

    /// What the program was called with since last asked.
    fn calls(&self) -> String {
        let calls = fs::read_to_string(self.path("log")).unwrap_or_default();
        fs::write(self.path("log"), "").unwrap();
        calls
    }

    /// All that is in a folder: bytes, modes, links.
    fn snapshot(&self, dir: &str) -> BTreeMap<PathBuf, String> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.path(dir)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let meta = path.symlink_metadata().unwrap();
                let content = if meta.is_symlink() {
                    format!("{:?}", fs::read_link(&path).unwrap())
                } else if meta.is_dir() {
                    folders.push(path.clone());
                    String::new()
                } else {
                    format!("{:o} {:?}", meta.permissions().mode(), fs::read(&path).unwrap())
                };
                found.insert(path, content);
            }
        }
        found
    }
}

/// Git that sees neither the machine's configuration nor its user's, and finds a program of ours on its path.
#[allow(clippy::disallowed_methods, reason = "a test looks for git where its caller does")]
fn hermetic(dir: &Path, home: &Path) -> Git {
    let path = format!("{}:{}", home.join("bin").display(), std::env::var("PATH").unwrap());
    let person = ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"];
    let git = person.into_iter().fold(Git::in_dir(dir), |git, name| git.env(name, "ada"));
    git.env("HOME", home).env("PATH", path).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1")
}

const CURRENT: [HookState; 4] = [HookState::Current; 4];
const MISSING: [HookState; 4] = [HookState::Missing; 4];

#[test]
fn git_calls_us_at_each_of_the_four_and_afterwards_the_folder_is_as_it_was() {
    let world = World::new();
    let before = world.snapshot("work/.git/hooks");
    assert_eq!(world.states("work"), MISSING);
    assert_eq!(world.install("work/sub").changed.len(), 4);
    assert_eq!(world.states("work"), CURRENT);

    world.commit("work");
    assert_eq!(world.calls(), "git-tracevault hook post-commit\n");
    let old = world.git("work", &["rev-parse", "HEAD"]).text();
    world.git("work", &["commit", "-q", "--amend", "--allow-empty", "-m", "y"]);
    let new = world.git("work", &["rev-parse", "HEAD"]).text();
    assert_eq!(
        world.calls(),
        format!("git-tracevault hook post-commit\ngit-tracevault hook post-rewrite amend\n{old} {new}\n")
    );
    world.git("work", &["push", "-q", "origin", "main"]);
    let zero = "0".repeat(40);
    assert_eq!(
        world.calls(),
        format!("git-tracevault hook pre-push origin ../remote.git\nrefs/heads/main {new} refs/heads/main {zero}\n")
    );
    world.git("work", &["checkout", "-q", "-b", "side", "HEAD"]);
    world.commit("work");
    world.git("work", &["checkout", "-q", "main"]);
    world.calls();
    world.git("work", &["merge", "-q", "--no-ff", "side"]);
    assert!(world.calls().contains("git-tracevault hook post-merge 0\n"));

    world.uninstall("work/sub");
    assert_eq!(world.snapshot("work/.git/hooks"), before);
    world.commit("work");
    assert_eq!(world.calls(), "");
}

#[test]
fn linked_worktrees_share_the_hooks_and_a_folder_we_made_goes_again() {
    let world = World::new();
    world.commit("work");
    fs::remove_dir_all(world.path("work/.git/hooks")).unwrap();
    world.git("work", &["worktree", "add", "-q", "../linked"]);
    world.install("linked");
    for dir in ["work", "linked"] {
        assert_eq!(world.states(dir), CURRENT);
        world.commit(dir);
        assert_eq!(world.calls(), "git-tracevault hook post-commit\n");
    }
    world.uninstall("work");
    assert!(!world.path("work/.git/hooks").exists());
}

#[test]
fn hooks_that_were_there_run_first_with_the_same_words_and_input_and_come_back_whole() {
    let world = World::new();
    world.commit("work");
    let theirs = |hook: &str| {
        let text = format!("#!/bin/sh\n(echo \"theirs $*\"; cat) >> '{}'\n", world.path("log").display());
        let path = world.script(&format!("work/.git/hooks/{hook}"), &text);
        fs::set_permissions(path, fs::Permissions::from_mode(0o750)).unwrap();
    };
    ["post-rewrite", "pre-push", "post-commit"].into_iter().for_each(theirs);
    let before = world.snapshot("work/.git/hooks");
    world.install("work");
    world.git("work", &["commit", "-q", "--amend", "--allow-empty", "-m", "y"]);
    let calls = world.calls();
    let lines: Vec<_> = calls.lines().collect();
    assert_eq!(lines[..3], ["theirs ", "git-tracevault hook post-commit", "theirs amend"], "{calls}");
    assert_eq!((lines[3], lines[4]), (lines[5], "git-tracevault hook post-rewrite amend"), "{calls}");
    world.git("work", &["push", "-q", "origin", "main"]);
    let calls = world.calls();
    let (first, second) = calls.split_once("git-tracevault hook pre-push ").unwrap();
    assert_eq!(first.strip_prefix("theirs "), Some(second), "both are told the same");

    world.uninstall("work");
    assert_eq!(world.snapshot("work/.git/hooks"), before);
}

#[test]
fn a_pre_push_that_says_no_is_obeyed_and_ours_is_too() {
    let world = World::new();
    world.commit("work");
    world.script("work/.git/hooks/pre-push", "#!/bin/sh\necho never >&2\nexit 7\n");
    world.install("work");
    world.calls();
    let push = |world: &World| world.command(&world.path("work")).args(["push", "origin", "main"]).answer().unwrap();
    assert!(push(&world).stderr.contains("never"));
    assert_eq!(
        (push(&world).code, world.calls().as_str()),
        (Some(1), ""),
        "ours is not called for a push that is not made"
    );

    world.script("work/.git/hooks/pre-push.before-tracevault", "#!/bin/sh\n");
    world.script("it's ours/git-tracevault", "#!/bin/sh\nexit 1\n");
    assert_eq!(push(&world).code, Some(1));
    fs::remove_file(world.program()).unwrap();
    fs::remove_file(world.path("bin/git-tracevault")).unwrap();
    let passed = push(&world);
    assert_eq!(passed.code, Some(0));
    assert!(
        passed.stderr.contains("the program is not there, so the pre-push hook records nothing"),
        "{}",
        passed.stderr
    );
}

#[test]
fn what_git_would_not_run_does_not_run_and_links_stay_links() {
    let world = World::new();
    world.file("work/.git/hooks/post-commit", "#!/bin/sh\necho broken >&2\n");
    world.script("shared/hook.sh", &format!("#!/bin/sh\necho linked >> '{}'\n", world.path("log").display()));
    symlink("../../../shared/hook.sh", world.path("work/.git/hooks/post-rewrite")).unwrap();
    symlink("nowhere", world.path("work/.git/hooks/post-merge")).unwrap();
    let before = world.snapshot("work/.git/hooks");
    world.install("work");
    let commit = world.git("work", &["commit", "-q", "--allow-empty", "-m", "x"]);
    assert!(!commit.stderr.contains("broken"), "{}", commit.stderr);
    assert_eq!(world.calls(), "git-tracevault hook post-commit\n");
    world.git("work", &["commit", "-q", "--amend", "--allow-empty", "-m", "y"]);
    assert!(world.calls().contains("\nlinked\ngit-tracevault hook post-rewrite amend\n"));
    world.uninstall("work");
    assert_eq!(world.snapshot("work/.git/hooks"), before);
}

#[test]
fn a_hooks_folder_in_the_work_tree_gets_no_path_of_this_machine() {
    let world = World::new();
    world.script("work/.githooks/pre-commit", "#!/bin/sh\n");
    world.script("work/.githooks/post-commit", &format!("echo theirs >> '{}'\n", world.path("log").display()));
    world.git("work", &["config", "core.hooksPath", ".githooks"]);
    let before = world.snapshot("work");
    world.install("work/sub");
    let text = fs::read_to_string(world.path("work/.githooks/pre-push")).unwrap();
    assert!(!text.contains(&*world.path("").to_string_lossy()), "{text}");
    world.commit("work");
    assert_eq!(world.calls(), "theirs\ngit-tracevault hook post-commit\n", "the program on the path is called");
    world.git("work", &["update-ref", "-d", "HEAD"]);
    world.uninstall("work");
    let untouched = |snapshot: BTreeMap<PathBuf, String>| {
        snapshot.into_iter().filter(|(path, _)| !path.starts_with(world.path("work/.git"))).collect::<Vec<_>>()
    };
    assert_eq!(untouched(world.snapshot("work")), untouched(before));
}

#[test]
fn a_hooks_folder_that_others_share_is_left_alone() {
    let world = World::new();
    world.script("shared/post-commit", "#!/bin/sh\ngit-tracevault hook post-commit \"$@\"\n");
    world.git("work", &["config", "core.hooksPath", &world.path("shared").to_string_lossy()]);
    let before = world.snapshot("shared");
    let report = world.install("work");
    assert_eq!(report.changed, Vec::<PathBuf>::new());
    assert!(report.advice[0].contains("pre-push: git-tracevault hook pre-push \"$@\""), "{report:?}");
    assert_eq!(world.states("work")[..2], [HookState::Current, HookState::Missing], "lines added by hand are seen");
    world.uninstall("work");
    assert_eq!(world.snapshot("shared"), before);
}

#[test]
fn a_husky_repository_gets_a_block_in_the_scripts_that_husky_runs() {
    let world = World::new();
    let runner = "#!/usr/bin/env sh\ns=$(dirname \"$(dirname \"$0\")\")/$(basename \"$0\")\n[ ! -f \"$s\" ] && exit 0\nsh -e \"$s\" \"$@\"\n";
    world.file("work/.husky/_/h", runner);
    for hook in Hook::ALL {
        world.script(&format!("work/.husky/_/{}", hook.name()), "#!/usr/bin/env sh\n. \"${0%/*}/h\"\n");
    }
    world.file("work/.husky/post-commit", &format!("echo theirs >> '{}'", world.path("log").display()));
    world.file("work/.husky/post-merge", "");
    world.file("work/.husky/post-rewrite", "true\nexit 0\n");
    world.git("work", &["config", "core.hooksPath", ".husky/_"]);
    let before = world.snapshot("work/.husky");
    let report = install_at(&world.place("work/sub"), &world.program()).unwrap();
    assert!(report.advice[0].contains("post-rewrite ends with `exit 0`"), "{report:?}");
    assert_eq!(install_at(&world.place("work/sub"), &world.program()).unwrap(), Report::default());
    assert_eq!(world.states("work"), CURRENT);
    world.commit("work");
    assert_eq!(world.calls(), "theirs\ngit-tracevault hook post-commit\n");
    world.git("work", &["push", "-q", "origin", "main"]);
    assert!(world.calls().starts_with("git-tracevault hook pre-push origin ../remote.git\nrefs/heads/main "));

    fs::remove_file(world.path("bin/git-tracevault")).unwrap();
    let commit = |world: &World| world.git("work", &["commit", "-q", "--allow-empty", "-m", "x"]).stderr;
    assert_eq!(commit(&world), "", "a colleague without the program notices nothing");
    world.file("work/.git/tracevault/enrolled", "");
    assert!(commit(&world).contains("the program is not there"));

    let script = world.path("work/.husky/pre-push");
    let made = fs::read(&script).unwrap();
    fs::write(&script, [made.as_slice(), b"npm test\n"].concat()).unwrap();
    fs::write(world.path("work/.husky/post-merge"), block_of_an_older_version()).unwrap();
    assert_eq!(world.states("work")[1], HookState::Outdated);
    install_at(&world.place("work"), &world.program()).unwrap();
    assert_eq!(world.states("work"), CURRENT);
    world.uninstall("work");
    assert_eq!(fs::read_to_string(&script).unwrap(), "#!/bin/sh\nnpm test\n", "what was added to it stays");
    fs::remove_file(script).unwrap();
    assert_eq!(world.snapshot("work/.husky"), before);
}

fn block_of_an_older_version() -> String {
    let open = "# >>> git-tracevault: `git tracevault init --uninstall` takes this out";
    format!("{open}\ngit-tracevault hook post-merge\n# <<< git-tracevault\n")
}

#[test]
fn lefthook_is_chained_and_its_user_told_what_keeps_us() {
    let world = World::new();
    world.file("work/.lefthook.toml", "");
    let theirs = "#!/bin/sh\n[ \"$LEFTHOOK\" = 0 ] && exit 0\n";
    world.script("work/.git/hooks/pre-push", theirs);
    let before = world.snapshot("work/.git/hooks");
    let report = world.install("work");
    assert!(report.advice[0].contains("hook pre-push {0}\n      use_stdin: true"), "{}", report.advice[0]);

    // lefthook syncs its hooks: ours is put aside, and nobody calls it.
    let hook = world.path("work/.git/hooks/pre-push");
    fs::rename(&hook, world.path("work/.git/hooks/pre-push.old")).unwrap();
    world.script("work/.git/hooks/pre-push", &format!("{theirs}# newer\n"));
    assert_eq!(world.states("work")[3], HookState::Missing);
    world.install("work");
    assert_eq!(world.states("work"), CURRENT);
    world.uninstall("work");
    world.script("work/.git/hooks/pre-push", theirs);
    assert_eq!(world.snapshot("work/.git/hooks"), before);

    let mentions = Hook::ALL.map(|hook| format!("# git-tracevault hook {}\n", hook.name())).concat();
    world.file("work/.lefthook.toml", &mentions);
    assert_eq!(world.install("work").advice, Vec::<String>::new());
}

#[test]
fn pre_commit_runs_us_also_when_it_is_installed_anew_on_top() {
    let world = World::new();
    world.commit("work");
    world.file("work/.pre-commit-config.yaml", "repos: []\n");
    // As pre-commit's own does: the hook it found first, which must not be pre-commit's again.
    let theirs = "#!/bin/sh\n# File generated by pre-commit: https://pre-commit.com\n[ -z \"$PRE_COMMIT_RUNNING_LEGACY\" ] || exit 1\n\
                  if [ -x \"$0.legacy\" ]; then PRE_COMMIT_RUNNING_LEGACY=1 \"$0.legacy\" \"$@\"; fi\n";
    world.script("work/.git/hooks/pre-push", theirs);
    let before = world.snapshot("work/.git/hooks");
    assert!(world.install("work").advice[0].contains("pre-commit keeps our hooks"));
    world.git("work", &["push", "-q", "origin", "main"]);
    assert!(world.calls().starts_with("git-tracevault hook pre-push origin"));

    let hook = world.path("work/.git/hooks/pre-push");
    fs::rename(&hook, world.path("work/.git/hooks/pre-push.legacy")).unwrap();
    world.script("work/.git/hooks/pre-push", theirs);
    assert_eq!(world.states("work"), CURRENT);
    world.install("work");
    world.git("work", &["push", "-q", "origin", "main:other"]);
    assert!(world.calls().starts_with("git-tracevault hook pre-push origin"));
    world.uninstall("work");
    assert_eq!(world.snapshot("work/.git/hooks"), before);
}

#[test]
fn another_hook_put_over_ours_is_never_lost() {
    let world = World::new();
    world.script("work/.git/hooks/post-commit", "#!/bin/sh\n# first\n");
    world.install("work");
    world.script("work/.git/hooks/post-commit", "#!/bin/sh\n# second\n");
    let before = world.snapshot("work/.git/hooks");
    let report = world.install("work");
    assert!(report.advice[0].contains("post-commit.before-tracevault is still there"), "{report:?}");
    assert_eq!(world.snapshot("work/.git/hooks"), before);
    // Neither is one manager's under another's, nor a link, even to one of ours.
    world.script("work/.git/hooks/post-merge.before-tracevault", "#!/bin/sh\n# File generated by pre-commit\n");
    world.script("work/.git/hooks/post-merge", "#!/bin/sh\n# LEFTHOOK\n");
    assert_eq!(world.install("work").advice.len(), 2);
    fs::rename(world.path("work/.git/hooks/pre-push"), world.path("theirs")).unwrap();
    symlink("../../../theirs", world.path("work/.git/hooks/pre-push")).unwrap();
    world.install("work");
    assert!(world.path("work/.git/hooks/pre-push.before-tracevault").is_symlink());
    // Ours was removed by hand: the one before it comes back.
    fs::remove_file(world.path("work/.git/hooks/post-commit")).unwrap();
    world.uninstall("work");
    assert_eq!(fs::read_to_string(world.path("work/.git/hooks/post-commit")).unwrap(), "#!/bin/sh\n# first\n");
}

#[test]
fn another_program_or_version_takes_the_place_of_the_older_one() {
    let world = World::new();
    world.install("work");
    let place = world.place("work");
    let elsewhere = world.path("elsewhere/git-tracevault");
    assert_eq!(state_at(&place, &elsewhere, Hook::PrePush), HookState::Outdated);
    assert_eq!(install_at(&place, &elsewhere).unwrap().changed.len(), 4);
    assert_eq!(state_at(&place, &elsewhere, Hook::PrePush), HookState::Current);
    fs::set_permissions(world.path("work/.git/hooks/pre-push"), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(state_at(&place, &elsewhere, Hook::PrePush), HookState::Outdated, "git would not run it");
    assert!(!world.path("work/.git/hooks/pre-push.before-tracevault").exists());
}

#[test]
fn the_doctor_looks_at_the_real_repository() {
    let world = World::new();
    world.commit("work");
    world.commit("work");
    world.git("work", &["push", "-q", "origin", "main"]);
    let url = format!("file://{}", world.path("remote.git").display());
    world.git("", &["clone", "-q", "--depth", "1", &url, "shallow"]);
    world.file("shallow/.claude/settings.json", "{\"disableAllHooks\": true}");
    let user = world.file("home/settings.json", "not JSON");

    let found = doctor::look(&world.path("shallow"), &world.program(), Some(&user)).unwrap();
    assert!(found.git_version.starts_with("git version "));
    assert_eq!((found.shallow, found.reftable), (true, false));
    assert_eq!(found.remotes, ["origin"]);
    let agents: Vec<_> = found.agents.iter().map(|agent| (agent.everywhere, agent.presence.is_ok())).collect();
    assert_eq!(agents, [(false, true), (true, false)]);
    assert!(!doctor::look(&world.path("work/sub"), &world.program(), None).unwrap().shallow);
}

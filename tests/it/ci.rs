//! Jobs of CI servers, with the environment and the event files that these document, in clones such as they make.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::agent::Agent;
use crate::ledger::Team;
use crate::support::{Output, World, finish};

const SESSION: &str = "0b7d3a52-6c1e-4f0a-9d3b-1f2e3d4c5b6a";
const NULL: &str = "0000000000000000000000000000000000000000";

/// A team, and a machine that has nothing of anybody's but what a job brings.
pub struct Shop {
    pub team: Team,
    pub ci: World,
    pub ledger: String,
    sessions: Cell<u32>,
}

/// What a job left behind.
pub struct Done {
    pub output: Output,
    pub outputs: String,
    pub summary: String,
}

impl Done {
    #[track_caller]
    pub fn has(&self, name: &str, value: &str) -> &Self {
        let line = format!("{name}={value}");
        assert!(self.outputs.lines().any(|known| known == line), "{line}: {}\n{:?}", self.outputs, self.output);
        self
    }

    #[track_caller]
    fn exits(self, code: i32) -> Done {
        assert_eq!(self.output.code, Some(code), "{:?}", self.output);
        self
    }
}

impl Shop {
    pub fn new() -> Shop {
        let team = Team::new();
        let ledger = team.ada.git(&team.work, ["config", "tracevault.ledger"]).ok();
        let ci = team.ada.other("Ci");
        Shop { team, ci, ledger, sessions: Cell::new(0) }
    }

    pub fn url(&self, repository: &Path) -> String {
        format!("file://{}", repository.display())
    }

    /// A commit of an agent's, in a session of its own (`0b7d3a51…`, `0b7d3a52…`); its id.
    pub fn work(&self, file: &str) -> String {
        let (ada, work) = (&self.team.ada, &self.team.work);
        self.sessions.set(self.sessions.get() + 1);
        let session = format!("0b7d3a5{}-6c1e-4f0a-9d3b-1f2e3d4c5b6a", self.sessions.get());
        let agent = Agent::start(ada, work, &session);
        agent.prompt("Write it.").write(file, "one\ntwo\n");
        ada.commit(work, &format!("Add {file}"))
    }

    pub fn push(&self, refs: &[&str]) {
        let (ada, work) = (&self.team.ada, &self.team.work);
        ada.git(work, [&["push", "--quiet", "origin"], refs].concat()).ok();
    }

    /// A clone as a job's checkout makes it: of one commit, and no more of its history than `depth`.
    pub fn checkout(&self, commit: &str, depth: Option<u32>) -> PathBuf {
        let n = fs::read_dir(self.ci.path("")).unwrap().count();
        let dir = self.ci.repository(&format!("job-{n}"));
        let git = |args: &[&str]| self.ci.git(&dir, args).ok();
        git(&["remote", "add", "origin", &self.url(&self.team.remote)]);
        let depth = depth.map(|depth| format!("--depth={depth}"));
        let spec = format!("+{commit}:refs/remotes/origin/checkout");
        let mut args = vec!["fetch", "--quiet", "--no-tags"];
        args.extend(depth.as_deref());
        args.extend(["origin", &spec]);
        git(&args);
        git(&["checkout", "--quiet", "--detach", "refs/remotes/origin/checkout"]);
        dir
    }

    /// A job of GitHub's in a checkout.
    pub fn github(&self, dir: &Path, event: &str, payload: &Value, args: &[&str]) -> Done {
        let mut command = self.ci.command(env!("CARGO_BIN_EXE_git-tracevault"), dir);
        self.github_env(&mut command, dir, event, payload);
        self.done(finish(command.args([&["ci"], args].concat()), b""), dir)
    }

    pub fn github_env(&self, command: &mut std::process::Command, dir: &Path, event: &str, payload: &Value) {
        let temp = self.ci.path(dir.with_extension("runner"));
        fs::create_dir_all(&temp).unwrap();
        let head = self.ci.git(dir, ["rev-parse", "HEAD"]).ok();
        fs::write(temp.join("event.json"), payload.to_string()).unwrap();
        for file in ["output", "summary", "path"] {
            fs::write(temp.join(file), "").unwrap();
        }
        command
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_EVENT_NAME", event)
            .env("GITHUB_EVENT_PATH", temp.join("event.json"))
            .env("GITHUB_SHA", head)
            .env("GITHUB_SERVER_URL", self.url(&self.ci.path("")).trim_end_matches('/'))
            .env("GITHUB_OUTPUT", temp.join("output"))
            .env("GITHUB_STEP_SUMMARY", temp.join("summary"))
            .env("GITHUB_PATH", temp.join("path"))
            .env("RUNNER_TEMP", &temp);
    }

    pub fn done(&self, output: Output, dir: &Path) -> Done {
        let read = |name: &str| fs::read_to_string(dir.with_extension("runner").join(name)).unwrap();
        Done { output, outputs: read("output"), summary: read("summary") }
    }

    fn judged(&self, dir: &Path, event: &str, payload: &Value) -> Done {
        self.github(dir, event, payload, &["--ledger", &self.ledger])
    }
}

pub fn pushed(name: &str, before: &str, after: &str) -> Value {
    json!({"ref": name, "before": before, "after": after, "deleted": after == NULL,
        "repository": {"default_branch": "main"}})
}

fn pull_request(head: &str, base: &str, repository: &str, url: &str) -> Value {
    json!({"pull_request": {"number": 7, "head": {"sha": head, "repo": {"full_name": repository, "clone_url": url}},
        "base": {"sha": base, "ref": "main", "repo": {"full_name": "shop/shop"}}}})
}

#[test]
fn a_push_is_verified_in_a_shallow_checkout_and_the_page_says_what_agents_did() {
    let shop = Shop::new();
    let before = shop.ci.git(&shop.team.remote, ["rev-parse", "main"]).ok();
    let first = shop.work("a.rs");
    let after = shop.work("b.rs");
    shop.push(&["main"]);
    let dir = shop.checkout(&after, Some(1));
    let args = ["--ledger", &shop.ledger, "--sarif", "r.sarif", "--junit", "r.xml"];
    let done = shop.github(&dir, "push", &pushed("refs/heads/main", &before, &after), &args).exits(0);
    let range = format!("{}..{}", &before[..12], &after[..12]);
    for (name, value) in
        [("verdict", "pass"), ("commits", "2"), ("agent-share", "100%"), ("sessions", "2"), ("findings", "0")]
    {
        done.has(name, value);
    }
    done.has("range", &range);
    for part in [
        "## ✅ git-tracevault: pass",
        "push to main",
        &range,
        "| ✅ signed | 100% | `0b7d3a51` |",
        &first[..12],
        "Add b.rs",
    ] {
        assert!(done.summary.contains(part), "{part}: {}", done.summary);
    }
    let sarif: Value = serde_json::from_str(&fs::read_to_string(dir.join("r.sarif")).unwrap()).unwrap();
    assert_eq!(sarif["runs"][0]["results"], json!([]));
    let junit = fs::read_to_string(dir.join("r.xml")).unwrap();
    assert_eq!(roxmltree::Document::parse(&junit).unwrap().root_element().attribute("failures"), Some("0"));
}

#[test]
fn each_event_is_about_its_own_commits() {
    let shop = Shop::new();
    let (ada, work, remote) = (&shop.team.ada, &shop.team.work, &shop.team.remote);
    let enrolled = ada.git(work, ["rev-parse", "main"]).ok();
    let a = shop.work("a.rs");
    shop.push(&["main"]);
    ada.git(work, ["switch", "--quiet", "-c", "topic", "HEAD~1"]).ok();
    let t1 = shop.work("t.rs");
    let t2 = shop.work("u.rs");
    ada.git(work, ["merge", "--quiet", "--no-edit", "main"]).ok();
    let t3 = ada.git(work, ["rev-parse", "HEAD"]).ok();
    shop.push(&["topic", "HEAD:refs/pull/7/head"]);
    // What GitHub makes to try it, and what its queue would bring: nobody has signed either.
    let tree = ada.git(work, ["rev-parse", "HEAD^{tree}"]).ok();
    let tried = ada.git(remote, ["commit-tree", &tree, "-p", &a, "-p", &t3, "-m", "Merge"]).ok();
    ada.git(remote, ["update-ref", "refs/pull/7/merge", &tried]).ok();

    let count = |event: &str, payload: &Value, checkout: &str, commits: &str| {
        let dir = shop.checkout(checkout, Some(1));
        shop.judged(&dir, event, payload).exits(0).has("verdict", "pass").has("commits", commits);
    };
    let branch = "refs/heads/topic";
    let request = pull_request(&t3, &a, "shop/shop", "");
    count("pull_request", &request, &tried, "3");
    count("pull_request_target", &request, &a, "3");
    let base = json!({"merge_group": {"head_sha": tried, "base_sha": a, "base_ref": "refs/heads/main", "head_ref": "refs/pull/7/merge"}});
    count("merge_group", &base, &tried, "4");
    count("push", &pushed(branch, NULL, &t3), &t3, "3");
    count("push", &pushed(branch, &t1, &t3), &t3, "2");
    count("push", &pushed("refs/heads/main", NULL, &a), &a, "2");
    count("push", &pushed("refs/tags/v1", NULL, &a), &a, "0");
    // `before` was forced away, and is nowhere any more.
    count("push", &pushed(branch, &"5".repeat(40), &t2), &t2, "2");
    count("push", &pushed("refs/heads/main", &"5".repeat(40), &a), &a, "2");
    count("push", &pushed(branch, &t3, NULL), &a, "0");
    count("workflow_dispatch", &json!({"inputs": null}), &a, "2");
    ada.git(work, ["tag", "v1", &enrolled]).ok();
    shop.push(&["v1"]);
    count("schedule", &json!({"schedule": "17 3 * * *"}), &a, "1");
    // Before the ledger's file there was no ledger.
    let whole = shop.checkout(&a, None);
    let named = shop.github(&whole, "push", &json!({}), &["--ledger", &shop.ledger, "--range", "HEAD~1..HEAD"]);
    named.exits(0).has("commits", "1");
}

#[test]
fn a_long_push_is_deepened_for_and_what_cannot_be_fetched_is_no_pass() {
    let shop = Shop::new();
    let (ada, work) = (&shop.team.ada, &shop.team.work);
    let before = ada.git(work, ["rev-parse", "main"]).ok();
    let commit = |n: u32| {
        let from = if n == 0 { "from refs/heads/main^0\n" } else { "" };
        format!(
            "commit refs/heads/main\ncommitter Ada <ada@example.com> {} +0000\ndata 2\nx\n{from}\n",
            1_767_300_000 + n
        )
    };
    // More than come along at first.
    let stream: String = (0..70).map(commit).collect();
    ada.feed_git(work, ["fast-import", "--quiet"], stream.as_bytes()).ok();
    shop.push(&["main"]);
    let after = ada.git(work, ["rev-parse", "main"]).ok();
    let event = pushed("refs/heads/main", &before, &after);
    let dir = shop.checkout(&after, Some(1));
    shop.judged(&dir, "push", &event).exits(0).has("commits", "70");
    assert_eq!(shop.ci.git(&dir, ["rev-list", "--count", "HEAD"]).ok(), "72");

    let dir = shop.checkout(&after, Some(1));
    shop.ci.git(&dir, ["remote", "set-url", "origin", "/nowhere"]).ok();
    let cut = shop.judged(&dir, "push", &event).exits(2);
    cut.has("verdict", "inconclusive");
    assert!(cut.output.stdout.contains("::error title=git-tracevault::this clone is shallow"), "{:?}", cut.output);
}

#[test]
fn a_commit_without_a_record_fails_and_the_annotation_says_so() {
    let shop = Shop::new();
    let (ada, work) = (&shop.team.ada, &shop.team.work);
    ada.feed(
        work,
        ["policy", "set", "-"],
        b"[[rule]]\nname = \"hands-off\"\nlevel = \"block\"\ncondition = \"sensitive-paths\"\npaths = [\"secrets\"]\n",
    )
    .ok();
    ada.run(work, ["push"]).ok();
    ada.write(work, "secrets/key,a.rs", "zero\n");
    let before = ada.commit(work, "By hand");
    ada.git(work, ["push", "--quiet", "origin", "main"]).ok();
    Agent::start(ada, work, SESSION).prompt("More.").edit("secrets/key,a.rs", "zero", "zero\none");
    let sensitive = ada.commit(work, "Touch a key");
    ada.git(work, ["push", "--quiet", "--no-verify", "origin", "main"]).ok();
    ada.run(work, ["push"]).ok();
    let olga = ada.other("Olga");
    let hers = olga.clone(&shop.team.remote, "olga");
    olga.commit_file(&hers, "o|<b>", "o\n");
    olga.git(&hers, ["commit", "--quiet", "--amend", "-m", "::error::boo | <img> @ada"]).ok();
    let after = olga.git(&hers, ["rev-parse", "HEAD"]).ok();
    olga.git(&hers, ["push", "--quiet", "origin", "HEAD:main"]).ok();

    let dir = shop.checkout(&after, Some(1));
    let done = shop.judged(&dir, "push", &pushed("refs/heads/main", &before, &after)).exits(1);
    done.has("verdict", "fail").has("commits", "2").has("findings", "2");
    let lines: Vec<&str> = done.output.stdout.lines().collect();
    let token = lines[0].strip_prefix("::stop-commands::").unwrap();
    let end = lines.iter().position(|line| *line == format!("::{token}::")).unwrap();
    let annotations = &lines[end + 1..];
    assert!(annotations.iter().all(|line| line.starts_with("::error ")), "{annotations:?}");
    let hit = "::error file=secrets/key%2Ca.rs,line=2,title=git-tracevault%3A hands-off::";
    assert!(annotations.iter().any(|line| line.starts_with(hit) && line.contains(&sensitive[..12])), "{annotations:?}");
    let missing = format!("commit {} has no record", &after[..12]);
    assert!(annotations.iter().any(|line| line.contains("E-UNRECORDED") && line.contains(&missing)), "{annotations:?}");
    for part in [
        "## ❌",
        "| ❌ missing |",
        "\\:\\:error\\:\\:boo \\| &lt;img&gt; @<!-- -->ada",
        "To do: ",
        "git tracevault push",
    ] {
        assert!(done.summary.contains(part), "{part}: {}", done.summary);
    }
}

#[test]
fn a_commit_without_a_record_is_told_once_whatever_rules_ask_for_one() {
    let shop = Shop::new();
    let (ada, work) = (&shop.team.ada, &shop.team.work);
    let olga = ada.other("Olga");
    let hers = olga.clone(&shop.team.remote, "olga");
    let before = olga.git(&hers, ["rev-parse", "HEAD"]).ok();
    let after = olga.commit_file(&hers, "o", "o\n");
    olga.git(&hers, ["push", "--quiet", "origin", "HEAD:topic"]).ok();
    let event = pushed("refs/heads/topic", &before, &after);
    let told = |rules: &str, teller: &str| {
        ada.feed(work, ["policy", "set", "-"], rules.as_bytes()).ok();
        ada.run(work, ["push"]).ok();
        let dir = shop.checkout(&after, Some(1));
        let args = ["--ledger", &shop.ledger, "--junit", "r.xml"];
        let done = shop.github(&dir, "push", &event, &args).exits(1);
        done.has("findings", "1").has("commits", "1");
        assert!(done.summary.contains(&format!("**block** `{teller}`")), "{teller}: {}", done.summary);
        let junit = fs::read_to_string(dir.join("r.xml")).unwrap();
        // A rule that tells nothing more is not shown as one that is kept.
        let cases = (junit.matches("<testcase ").count(), junit.matches("<failure ").count());
        assert_eq!((cases, junit.contains(&format!("\"git-tracevault.{teller}\""))), ((1, 1), true), "{junit}");
    };
    let rule = |name: &str, level: &str| {
        format!("[[rule]]\nname = \"{name}\"\nlevel = \"{level}\"\ncondition = \"trace-completeness\"\n")
    };
    told(&rule("recorded", "block"), "recorded");
    told(&rule("recorded", "warn"), "E-UNRECORDED");
    told(&(rule("advised", "warn") + &rule("asked", "block") + &rule("again", "block")), "asked");
}

#[test]
fn nothing_that_the_checkout_says_is_trusted() {
    let shop = Shop::new();
    let head = shop.ci.git(&shop.team.remote, ["rev-parse", "main"]).ok();
    let event = pushed("refs/heads/main", NULL, &head);
    let dir = shop.checkout(&head, Some(1));
    let untold = shop.github(&dir, "push", &event, &[]).exits(3);
    assert!(untold.output.stdout.contains(&format!("with: {{ ledger: {} }}", shop.ledger)), "{:?}", untold.output);
    assert!(untold.summary.contains(&shop.ledger));
    // Nothing was pinned on the way: it is no different the next time.
    shop.github(&dir, "push", &event, &[]).exits(3).has("verdict", "inconclusive");
    let other = "1".repeat(64);
    let wrong = shop.github(&dir, "push", &event, &["--ledger", &other]).exits(1);
    assert!(wrong.output.stdout.contains("E-LEDGER"), "{:?}", wrong.output);
    // An event that is none, and no event where no server is known.
    let dir = shop.checkout(&head, None);
    let nested = "[".repeat(100_000);
    for text in [
        "",
        "{",
        "null",
        "[]",
        "\0\u{ff}",
        &nested,
        r#"{"ref": {}, "before": 5}"#,
        r#"{"ref": "--all", "before": "--help"}"#,
    ] {
        let mut command = shop.ci.command(env!("CARGO_BIN_EXE_git-tracevault"), &dir);
        shop.github_env(&mut command, &dir, "push", &json!({}));
        let file = shop.ci.write(&shop.ci.path("tmp"), "event.json", text);
        command.args(["ci", "--ledger", &shop.ledger]).env("GITHUB_EVENT_PATH", file);
        let done = shop.done(finish(&mut command, b""), &dir).exits(2);
        done.has("verdict", "inconclusive");
        assert!(done.output.stdout.lines().last().unwrap().starts_with("::error title="), "{:?}", done.output);
        command.env("GITHUB_EVENT_PATH", &dir);
        shop.done(finish(&mut command, b""), &dir).exits(2);
    }
    let odd = shop.judged(&dir, "push", &json!({})).exits(2);
    assert!(odd.output.stdout.contains("::error title=git-tracevault::the event has no /ref"), "{:?}", odd.output);
    let alone = shop.ci.run(&dir, ["ci", "--ledger", &shop.ledger]).exits(2);
    assert!(alone.stderr.contains("--range"), "{alone:?}");
    shop.ci.run(&dir, ["ci", "--ledger", &shop.ledger, "--range", "HEAD~1..HEAD"]).exits(0);
}

#[test]
fn a_branch_is_called_whatever_somebody_likes_and_a_ledger_that_is_gone_is_no_pass() {
    let shop = Shop::new();
    let before = shop.ci.git(&shop.team.remote, ["rev-parse", "main"]).ok();
    let after = shop.work("a.rs");
    let name = "refs/heads/$(touch${IFS}x)`id`|<b>@ada%0A##[error]x";
    let name = name.replace('[', "(");
    shop.push(&[&format!("HEAD:{name}")]);
    let dir = shop.checkout(&after, Some(1));
    let done = shop.judged(&dir, "push", &pushed(&name, &before, &after)).exits(0);
    let shown = "push to $(touch${IFS}x)\\`id\\`\\|&lt;b&gt;@<!-- -->ada%0A\\#\\#(error\\]x, ";
    assert!(done.summary.contains(shown), "{}", done.summary);
    assert!(done.output.stdout.lines().nth(1).unwrap().starts_with("push to "), "{:?}", done.output);

    for name in shop.team.ada.refs(&shop.team.remote, "refs/tracevault/").into_keys() {
        shop.ci.git(&shop.team.remote, ["update-ref", "-d", &name]).ok();
    }
    let dir = shop.checkout(&after, Some(1));
    let gone = shop.judged(&dir, "push", &pushed(&name, &before, &after));
    assert_ne!(gone.output.code, Some(0), "{:?}", gone.output);
    assert!(!gone.outputs.contains("verdict=pass") && !gone.summary.contains("✅"), "{}", gone.summary);
}

#[test]
fn a_fork_brings_its_records_or_is_told_how() {
    let shop = Shop::new();
    let base = shop.ci.git(&shop.team.remote, ["rev-parse", "main"]).ok();
    let (bea, hers) = shop.team.join("Bea");
    let fork = bea.bare_remote("bea/shop.git");
    let url = shop.url(&fork);
    bea.git(&hers, ["remote", "add", "fork", &url]).ok();
    let head = bea.commit_file(&hers, "b", "b\n");
    bea.git(&hers, ["push", "--quiet", "fork", "main"]).ok();
    bea.git(&shop.team.remote, ["fetch", "--quiet", &url, "main:refs/pull/7/head"]).ok();
    let request = |url: &str| pull_request(&head, &base, "bea/shop", url);
    let dir = shop.checkout(&base, Some(1));
    let done = shop.judged(&dir, "pull_request", &request(&url)).exits(0);
    done.has("commits", "1");
    let command = format!("git fetch {url} 'refs/tracevault/*:refs/tracevault/*'");
    assert!(done.summary.contains(&command) && done.summary.contains("git push origin "), "{}", done.summary);
    // Where the fork cannot be reached, its records are missing.
    for gone in ["", "ext::sh -c touch% /tmp/x"] {
        let dir = shop.checkout(&base, Some(1));
        let done = shop.judged(&dir, "pull_request", &request(gone)).exits(1);
        assert!(done.summary.contains("cannot be fetched") && done.summary.contains("❌ missing"), "{}", done.summary);
    }
    // The commands do what they say.
    bea.git(&hers, ["fetch", "--quiet", &url, "refs/tracevault/log/*:refs/tracevault/log/*"]).ok();
    bea.git(&hers, ["push", "--quiet", "--no-verify", "origin", "refs/tracevault/*:refs/tracevault/*"]).ok();
    let dir = shop.checkout(&base, Some(1));
    shop.judged(&dir, "pull_request", &request("")).exits(0);
}

#[test]
fn gitlab_jobs_and_servers_that_say_nothing() {
    let shop = Shop::new();
    let (ada, work) = (&shop.team.ada, &shop.team.work);
    let base = ada.git(work, ["rev-parse", "main"]).ok();
    ada.git(work, ["switch", "--quiet", "-c", "topic"]).ok();
    let head = shop.work("a.rs");
    shop.push(&["topic", "HEAD:refs/merge-requests/4/head"]);
    let project = shop.url(&shop.ci.path("shop"));
    let dir = shop.checkout(&head, Some(1));
    let mut command = shop.ci.command(env!("CARGO_BIN_EXE_git-tracevault"), &dir);
    command.args(["ci", "--ledger", &shop.ledger, "--summary", "page.md"]);
    command.env("GITLAB_CI", "true").env("CI_PIPELINE_SOURCE", "merge_request_event").env("CI_COMMIT_SHA", &head);
    command.env("CI_MERGE_REQUEST_IID", "4").env("CI_MERGE_REQUEST_DIFF_BASE_SHA", &base);
    command.env("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main").env("CI_MERGE_REQUEST_PROJECT_URL", &project);
    let output = finish(command.env("CI_MERGE_REQUEST_SOURCE_PROJECT_URL", &project), b"").exits(0);
    assert!(output.stdout.starts_with("merge request !4, ") && !output.stdout.contains("::"), "{output:?}");
    assert!(fs::read_to_string(dir.join("page.md")).unwrap().contains("| ✅ signed | 100% |"));

    // docs/ci/generic.sh, as Jenkins and others run it.
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ci/generic.sh");
    let generic = |depth, more: &[(&str, &str)]| {
        let dir = shop.checkout(&head, depth);
        let mut command = shop.ci.command("sh", &dir);
        finish(command.arg(&script).env("TRACEVAULT_LEDGER", &shop.ledger).envs(more.iter().copied()), b"")
    };
    let about = |output: Output| output.stdout.lines().next().unwrap().to_owned();
    assert!(about(generic(None, &[("CHANGE_TARGET", "main")]).exits(0)).ends_with(": 1 commit"));
    assert!(about(generic(Some(1), &[("CHANGE_TARGET", "main")]).exits(0)).ends_with(": 1 commit"));
    assert!(about(generic(None, &[("GIT_PREVIOUS_SUCCESSFUL_COMMIT", &head)]).exits(0)).ends_with(": 0 commits"));
    assert!(about(generic(Some(1), &[]).exits(0)).ends_with(": 1 commit"));
    assert_ne!(generic(None, &[("TRACEVAULT_LEDGER", "")]).code, Some(0));
}

#[test]
fn a_machine_seals_publishes_notes_and_links() {
    let shop = Shop::new();
    let (ada, work, remote) = (&shop.team.ada, &shop.team.work, &shop.team.remote);
    // Its keys were made elsewhere, once; the jobs have their texts.
    let made = shop.ci.clone(remote, "made");
    shop.ci.run(&made, ["init"]).ok();
    shop.ci.run(&made, ["push"]).ok();
    shop.ci.run(&made, ["seal", "--init", "--name", "ci"]).ok();
    let key = |name: &str| fs::read_to_string(shop.ci.git(&made, ["config", name]).ok()).unwrap();
    let (writer, witness) = (key("tracevault.key"), key("tracevault.witnessKey"));
    let chain = |kind: &str| {
        ada.refs(remote, &format!("refs/tracevault/{kind}/"))
            .into_keys()
            .map(|name| name.rsplit('/').next().unwrap().to_owned())
    };
    ada.run(work, ["fetch"]).ok();
    ada.run(work, ["member", "add", &chain("seal").next().unwrap()[..12], "--role", "witness"]).ok();
    ada.run(work, ["member", "add", "ci@example.com"]).ok();
    ada.run(work, ["push"]).ok();

    let before = ada.git(work, ["rev-parse", "main"]).ok();
    let head = shop.work("a.rs");
    shop.push(&["HEAD:refs/heads/topic"]);
    // GitHub squashes: the same tree, by nobody who records.
    let tree = ada.git(work, ["rev-parse", "HEAD^{tree}"]).ok();
    let squashed = ada.git(remote, ["commit-tree", &tree, "-p", &before, "-m", "Squash (#7)"]).ok();
    ada.git(remote, ["update-ref", "refs/heads/main", &squashed]).ok();
    let event = pushed("refs/heads/main", &before, &squashed);
    let job = |key: Option<&str>, args: &[&str]| {
        let dir = shop.checkout(&squashed, None);
        let mut command = shop.ci.command(env!("CARGO_BIN_EXE_git-tracevault"), &dir);
        shop.github_env(&mut command, &dir, "push", &event);
        if let Some(key) = key {
            command.env("TRACEVAULT_CI_KEY", key);
        }
        let home = shop.ci.path("empty-home");
        command.env("HOME", &home).env("XDG_CONFIG_HOME", home.join("c")).env("XDG_STATE_HOME", home.join("s"));
        let output = finish(command.args([&["ci", "--ledger", &shop.ledger], args].concat()), b"");
        shop.done(output, &dir)
    };
    // That it repeats a recorded commit is seen anyhow; for more than that a record of its own is asked.
    assert!(job(None, &[]).exits(0).summary.contains("✅ linked"));
    assert!(job(None, &["--level", "signed"]).exits(1).summary.contains("signed is asked for"));
    job(None, &["--mode", "link"]).exits(2);
    job(Some("no key"), &["--mode", "link"]).exits(2);
    let linked = job(Some(&writer), &["--mode", "link"]).exits(0);
    assert!(linked.output.stdout.contains("Linked 1 commit."), "{:?}", linked.output);
    assert!(job(Some(&writer), &["--mode", "link"]).exits(0).output.stdout.contains("Linked 0 commits."));
    ada.run(work, ["fetch"]).ok();
    ada.git(work, ["fetch", "--quiet", "origin", "main"]).ok();
    ada.passes(work, "origin/main");

    job(Some(&witness), &["--mode", "seal"]).exits(0).has("verdict", "pass");
    let notes = ada.git(remote, ["ls-tree", "-r", "--name-only", "refs/notes/tracevault"]).ok().replace('/', "");
    assert!(notes.contains(&before), "{notes}");
    let again = job(Some(&witness), &["--mode", "seal"]).exits(0);
    assert!(again.output.stdout.contains("Published 0 new notes"), "{:?}", again.output);
    let dir = shop.checkout(&head, None);
    let range = format!("{before}..{head}");
    let sealed = shop.github(&dir, "push", &event, &["--ledger", &shop.ledger, "--level", "sealed", "--range", &range]);
    assert!(sealed.exits(0).summary.contains("✅ sealed"));
    let left = fs::read_dir(shop.ci.path("tmp")).unwrap().flatten().map(|entry| entry.file_name());
    assert!(left.map(|name| name.into_string().unwrap()).all(|name| !name.contains("key")), "keys do not stay");
}

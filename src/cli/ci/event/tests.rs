//! Which commits each kind of event is about, by payloads and variables as the servers document them.

use serde_json::json;

use super::*;

const LEDGER: &str = "refs/heads/tracevault/";

fn commit(c: char) -> GitId {
    c.to_string().repeat(40).parse().unwrap()
}

fn hub(event: &str, payload: &Value) -> Job {
    let job = GitHub {
        event: event.into(),
        sha: "e".repeat(40),
        server: "https://github.example".into(),
        ..GitHub::default()
    };
    github(&job, payload, LEDGER).unwrap()
}

fn commits(job: Job) -> Event {
    match job {
        Job::Commits(event) => event,
        Job::Nothing(why) => panic!("nothing: {why}"),
    }
}

fn pushed(name: &str, before: char, after: char) -> Value {
    json!({"ref": name, "before": commit(before), "after": commit(after), "created": before == '0', "deleted": after == '0',
        "forced": false, "repository": {"default_branch": "main", "full_name": "shop/shop"}})
}

#[test]
fn a_push_is_what_came_to_the_branch() {
    let event = commits(hub("push", &pushed("refs/heads/main", 'a', 'b')));
    assert_eq!((&event.head, &event.since), (&commit('b'), &Since::Commit(commit('a'))));
    assert_eq!((event.onto, &event.what[..], &event.refs[..]), (None, "push to main", &["refs/heads/main".into()][..]));
    // A new branch: what the default branch has not; the default branch itself: all there is.
    let event = commits(hub("push", &pushed("refs/heads/topic", '0', 'b')));
    assert_eq!((event.since, event.onto.as_deref()), (Since::Beginning, Some("main")));
    let event = commits(hub("push", &pushed("refs/heads/main", '0', 'b')));
    assert_eq!((event.since, event.onto), (Since::Beginning, None));
    let event = commits(hub("push", &pushed("refs/tags/v1", '0', 'b')));
    assert_eq!((event.since, event.onto.as_deref()), (Since::Beginning, Some("main")));
    for (name, after) in [("refs/heads/topic", '0'), ("refs/heads/tracevault/policy", 'b')] {
        assert!(matches!(hub("push", &pushed(name, 'a', after)), Job::Nothing(_)), "{name}");
    }
}

fn pull_request(head: &str, base: &str, url: &str) -> Value {
    json!({"action": "synchronize", "number": 7, "pull_request": {
        "number": 7, "merge_commit_sha": commit('e'),
        "head": {"ref": "topic", "sha": commit('b'), "repo": {"full_name": head, "clone_url": url, "fork": head != base}},
        "base": {"ref": "main", "sha": commit('a'), "repo": {"full_name": base}}}})
}

#[test]
fn a_pull_request_is_its_own_commits_and_not_the_merge() {
    let payload = pull_request("shop/shop", "shop/shop", "https://github.example/shop/shop.git");
    for kind in ["pull_request", "pull_request_target"] {
        let event = commits(hub(kind, &payload));
        assert_eq!((event.head, event.since), (commit('b'), Since::Commit(commit('a'))), "{kind}");
        assert_eq!((event.onto.as_deref(), event.refs), (Some("main"), vec!["refs/pull/7/head".to_owned()]));
        assert_eq!(event.fork, None);
    }
}

#[test]
fn a_fork_is_fetched_from_the_jobs_own_server_only() {
    let fork = |url: &str| commits(hub("pull_request", &pull_request("bea/shop", "shop/shop", url))).fork.unwrap();
    let there = fork("https://github.example/bea/shop.git");
    assert_eq!((there.name.as_str(), there.url.as_deref()), ("bea/shop", Some("https://github.example/bea/shop.git")));
    let typed = "https://github.example/bea/shop.git'$(touch x)'";
    for url in ["https://github.example.evil/x.git", "ext::sh -c x", "--upload-pack=x", typed] {
        assert_eq!(fork(url).url, None, "{url}");
    }
    let mut gone = pull_request("bea/shop", "shop/shop", "");
    gone["pull_request"]["head"]["repo"] = Value::Null;
    assert_eq!(commits(hub("pull_request", &gone)).fork.unwrap().url, None);
}

#[test]
fn a_merge_queue_and_runs_by_hand() {
    let group = json!({"merge_group": {"head_sha": commit('b'), "base_sha": commit('a'), "base_ref": "refs/heads/main",
        "head_ref": "refs/heads/gh-readonly-queue/main/pr-7"}});
    let event = commits(hub("merge_group", &group));
    assert_eq!(
        (event.head, event.since, event.onto.as_deref()),
        (commit('b'), Since::Commit(commit('a')), Some("main"))
    );
    for kind in ["workflow_dispatch", "schedule", "release"] {
        let event = commits(hub(kind, &json!({})));
        assert_eq!((event.head, event.since, event.onto, event.what.as_str()), (commit('e'), Since::Tag, None, kind));
    }
}

#[test]
fn a_payload_that_is_none_is_an_error_and_no_pass() {
    let job = GitHub { event: "push".into(), ..GitHub::default() };
    for payload in [json!({}), json!({"ref": "refs/heads/x", "before": "x", "after": "y"}), json!(null)] {
        assert!(github(&job, &payload, LEDGER).is_err(), "{payload}");
    }
    assert!(github(&GitHub::default(), &json!({}), LEDGER).is_err());
    assert!(gitlab(&GitLab::default(), LEDGER).is_err());
}

#[test]
fn gitlab_says_the_same_in_variables() {
    let push = GitLab {
        pipeline_source: "push".into(),
        commit_sha: "b".repeat(40),
        commit_before_sha: "a".repeat(40),
        commit_branch: Some("topic".into()),
        default_branch: "main".into(),
        server_url: "https://gitlab.example".into(),
        ..GitLab::default()
    };
    let event = commits(gitlab(&push, LEDGER).unwrap());
    assert_eq!(
        (event.head, event.since, event.onto.as_deref()),
        (commit('b'), Since::Commit(commit('a')), Some("main"))
    );
    let new = GitLab { commit_before_sha: "0".repeat(40), commit_tag: Some("v1".into()), ..push.clone() };
    let event = commits(gitlab(&new, LEDGER).unwrap());
    assert_eq!((event.since, event.what.as_str()), (Since::Beginning, "push to refs/tags/v1"));

    let request = GitLab {
        pipeline_source: "merge_request_event".into(),
        merge_request_iid: "4".into(),
        merge_request_diff_base_sha: "a".repeat(40),
        merge_request_target_branch_name: "main".into(),
        merge_request_project_url: "https://gitlab.example/shop/shop".into(),
        merge_request_source_project_url: "https://gitlab.example/bea/shop".into(),
        ..push.clone()
    };
    let event = commits(gitlab(&request, LEDGER).unwrap());
    assert_eq!((event.head, event.since), (commit('b'), Since::Commit(commit('a'))));
    assert_eq!(event.fork.unwrap().url.as_deref(), Some("https://gitlab.example/bea/shop.git"));
    // A pipeline of the merged result.
    let merged = GitLab { merge_request_source_branch_sha: Some("c".repeat(40)), ..request };
    assert_eq!(commits(gitlab(&merged, LEDGER).unwrap()).head, commit('c'));
    let scheduled = GitLab { pipeline_source: "schedule".into(), ..push };
    assert_eq!(commits(gitlab(&scheduled, LEDGER).unwrap()).since, Since::Tag);
}
